"""The tasks that wait: roost and its rivals, row by row (waits/waits.h)."""
from runs import NS, Runs, cell, check_ops, median, note, number, ratio, verdict

# system: (program, the numbers of workers it is measured with)
SYSTEMS = {
    "roost": ("bench_waits", (1, 2)),
    "Boost.Fiber": ("bench_waits_boost", (1, 2)),
    "Go": ("bench_waits_go", (1, 2)),
    "Tokio": ("tokio.target/release/bench_waits_tokio", (1, 2)),
    "threads": ("bench_waits_threads", (1, 2)),
    "asyncio": ("bench_waits_asyncio", (1,)),
}
RIVALS = [name for name in SYSTEMS if name != "roost"]
WORKERS = (1, 2)
CELLS = [(name, program, w) for name, (program, counts) in SYSTEMS.items()
         for w in counts]

# Not run under --quick, and else for a batch a repetition: far from the others.
THOROUGH = ("asyncio",)

# How many operations of roost's stand against one of theirs, and where all do
# the same number.
SCALE = {"threads": 10, "asyncio": 10}
MANY = ("release", "cancel", "sleeps")

# (label, case, counter, (unit, factor), must reach with 1 and 2 workers)
ROWS = [
    ("yield, 2 tasks", "yield/2", "ns", NS, (20, 25)),
    ("yield, 1000 tasks", "yield/1000", "ns", NS, (20, 25)),
    ("ping-pong, a round trip", "pingpong", "ns", NS, (90, 130)),
    ("  channels with room for 1", "pingpong/room", "ns", NS, None),
    ("  so, receives with a deadline", "pingpong/deadline", "ns", NS, None),
    ("channel of 128, 1P1C, an item", "chan/1p1c", "ns", NS, (23, 40)),
    ("  4P4C", "chan/4p4c", "ns", NS, (23, 40)),
    ("ring of 1000, a hop", "ring", "ns", NS, (70, 100)),
    ("event, a round trip", "event", "ns", NS, None),
    ("spawn and join, one by one", "join", "ns", NS, (30, 60)),
    ("semaphore, 10 permits, 1000 tasks", "sem", "ns", NS, (130, 250)),
    ("mutex, free", "mutex/free", "ns", NS, None),
    ("  4 tasks, short", "mutex/short", "ns", NS, None),
    ("  4 tasks, held over a yield", "mutex/held", "ns", NS, None),
    ("rwlock, free, a read", "rwlock/free", "ns", NS, None),
    ("  8 tasks, held over a yield", "rwlock/held", "ns", NS, None),
    ("select over 2, one ready", "select/ready/2", "ns", NS, None),
    ("  over 16", "select/ready/16", "ns", NS, None),
    ("select over 2, waiting", "select/wait/2", "ns", NS, None),
    ("  over 16", "select/wait/16", "ns", NS, None),
    ("broadcast to 8, an item", "broadcast", "ns", NS, None),
    ("pipeline of 4, an item", "pipeline", "ns", NS, None),
    ("skynet by channels, 10^6 leaves", "skynet", "ns", ("ms", 1),
     (600, 500)),
    ("release 10^5 that wait, a task", "release", "ns", NS, (250, 250)),
    ("cancel 10^5 that wait, all home", "cancel", "ns", ("ms", 0.1),
     (25, 25)),
    ("deadline around a ready call", "deadline", "ns", NS, (25, 25)),
    ("10^5 sleeps of 0..1 s", "sleeps", "ns", ("ms", 0.1), (1100, 1100)),
    ("  processor time", "sleeps", "cpu_ns_min", ("ms", 0.1), None),
    ("  late, p50", "sleeps", "late_p50_us", ("us", 1), None),
    ("  late, p99", "sleeps", "late_p99_us", ("us", 1), (2000, 2000)),
    ("10^6 sleeps of 0..1 s (aim: 1200)", "sleeps/million", "ns", ("ms", 1),
     None),
    ("  late, p99, of 10^6", "sleeps/million", "late_p99_us", ("us", 1), None),
]

# What a timer costs a receive: the difference of two rows, by minima.
TIMER = ("timer armed and cancelled", "pingpong/deadline", "pingpong/room",
         (40, 40))

# Not run under --quick: they take a second each.
LONG = ("sleeps", "skynet", "sleeps/million")
# Run once, one batch: they take many seconds.
ONCE = ("sleeps/million",)

LEFT_OUT = [
    "Where a system has no such thing its cell is empty.",
    "Boost.Fiber: no select, no rwlock, no cancelling; skynet takes it 9 GB.",
    "Tokio: no channel without room (ping-pong; its ring has room for one); "
    "1 worker is its current_thread runtime; 4P4C by async-channel.",
    "Go and Boost.Fiber: a channel a receiver for broadcast. Go: a token in a "
    "channel is the event and the semaphore.",
    "10^6 sleeps: one batch; Boost.Fiber's stacks would take 9 GB.",
    "Threads: 1 worker is one processor; a tenth of the operations; 10^5 of "
    "them are too many; no select.",
    "asyncio: Debian's Python, one thread; a tenth of the operations, but for "
    "those of 10^5 tasks; queues with room for one; no rwlock. Its select "
    "takes all that is there at once, and reads each queue one item ahead. "
    "skynet and 10^6 sleeps take it gigabytes.",
]


def cases():
    """Each once, in the order of the rows."""
    return list(dict.fromkeys(row[1] for row in ROWS))


def run(runs: Runs, repetitions, quick):
    known = {}
    for name, (program, _) in SYSTEMS.items():
        if quick and name in THOROUGH:
            continue
        if runs.has(program):
            known[name] = runs.cases(program)
        else:
            note(f"skipped: {name} ({program} is not built)")
    for i in range(repetitions):
        note(f"tasks that wait, repetition {i + 1} of {repetitions}")
        for case in cases():
            if (quick and case in LONG) or (i > 0 and case in ONCE):
                continue
            for workers in WORKERS:
                for name, program, w in CELLS:
                    if w == workers and case in known.get(name, ()):
                        once = case in ONCE or name in THOROUGH
                        runs.run(program, f"{case}/{workers}",
                                 1 if once else None)
    check_all(runs)


def check_all(runs):
    for case in cases():
        for name, program, w in CELLS:
            key = f"{case}/{w}"
            if name != "roost":
                check_ops(runs, ("bench_waits", key), (program, key),
                          1 if case in MANY else SCALE.get(name, 1))


HEAD = (["minimum (median)"]
        + [f"{name} {w}" if w == 1 else str(w) for name, _, w in CELLS]
        + ["/best rival 1", "2", "must 1", "2"])


def judged(label, cells, least, unit, factor, must):
    """A row: the cells, the ratios to the best rival, the verdicts."""
    texts = [f"{label}, {unit}"] + cells
    for w in WORKERS:
        rivals = [v for r in RIVALS if (v := least.get((r, w))) is not None]
        texts.append(ratio(least["roost", w], min(rivals, default=None)))
    for i, w in enumerate(WORKERS):
        ours = least["roost", w]
        texts.append("" if must is None else
                     f"{must[i]} "
                     f"{verdict(ours and ours * factor, must[i])}".strip())
    return texts


def row(runs, label, case, counter, scale, must):
    unit, factor = scale
    least = {(name, w): runs.least(program, f"{case}/{w}", counter)
             for name, program, w in CELLS}
    cells = [cell(runs, program, f"{case}/{w}", counter, factor)
             for _, program, w in CELLS]
    return judged(label, cells, least, unit, factor, must)


def bars(runs):
    """[[label, {system: ns}]] with two workers, of rows that all have in ns."""
    found, outer = [], ""
    for label, case, counter, scale, _ in ROWS:
        if not label.startswith(" "):
            outer = label
        values = {name: runs.least(program, f"{case}/2")
                  for name, program, w in CELLS if w == 2 and name != "threads"}
        if counter == "ns" and scale == NS and values["roost"] is not None:
            found.append([outer if label == outer else f"… {label.strip()}",
                          values])
    return found


def timer_row(runs):
    label, with_timer, without, must = TIMER
    least = {}
    for name, program, w in CELLS:
        a = runs.least(program, f"{with_timer}/{w}")
        b = runs.least(program, f"{without}/{w}")
        # Two receives a round trip. Noise can make it negative: no figure.
        least[name, w] = (a - b) / 2 if a and b and a > b else None
    cells = [number(least[name, w]) for name, _, w in CELLS]
    return judged(label, cells, least, "ns", 1, must)


def table(runs):
    rows = []
    for label, case, counter, scale, must in ROWS:
        found = row(runs, label, case, counter, scale, must)
        if any(found[1:1 + len(CELLS)]):
            rows.append(found)
        if case == TIMER[1]:
            rows.append(timer_row(runs))
    return [HEAD] + rows


COUNTERS = ("switched", "inlined", "stolen", "parked")


def tally_table(runs):
    """What roost did an operation: where it waited, nothing was skipped."""
    rows = []
    for case in cases():
        texts = [case]
        for w in WORKERS:
            for counter in COUNTERS:
                value = median(runs.values("bench_waits", f"{case}/{w}",
                                           counter))
                texts.append("" if value is None else f"{value:.3f}")
        if any(texts[1:]):
            rows.append(texts)
    head = ["an operation"] + [f"{c} {w}" for w in WORKERS for c in COUNTERS]
    return [head] + rows
