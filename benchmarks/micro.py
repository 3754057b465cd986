"""Roost alone: what one operation costs (micro/)."""
from runs import MS, NS, US, median, note, number, spread, verdict

# (label, case, counter, (unit, factor), must reach, shown beside)
ROWS = [
    ("scope, spawn, close", "spawn/scope/1", "ns", NS, 30, []),
    ("  2 workers", "spawn/scope/2", "ns", NS, 60, []),
    ("spawn, join by handle", "spawn/join/1", "ns", NS, 30, []),
    ("  2 workers", "spawn/join/2", "ns", NS, 60, []),
    ("yield, 2 tasks", "yield/2/1", "ns", NS, 20, []),
    ("  2 workers", "yield/2/2", "ns", NS, 25, []),
    ("yield, 1000 tasks", "yield/1000/1", "ns", NS, 20, []),
    ("  2 workers", "yield/1000/2", "ns", NS, 25, []),
    ("scope open, close", "scope/plain/1", "ns", NS, None, []),
    ("  with a deadline", "scope/deadline/1", "ns", NS, 25, []),
    ("  with a time-out", "scope/timeout/1", "ns", NS, 25, []),
    ("    and a ready call", "scope/timeout_ready/1", "ns", NS, None, []),
    ("roost_cancelled", "poll/quiet/1", "ns", NS, None, []),
    ("  10^5 foreign cancels a s", "poll/foreign/2", "ns", NS,
     "2 x poll/quiet/1", ["cancels_per_s"]),
    ("deadline seen by a poll, late", "poll/deadline/1", "late_max_us",
     ("us", 1), 1000, ["late_p50_us"]),
    ("  2 workers", "poll/deadline/2", "late_max_us", ("us", 1), 1000,
     ["late_p50_us"]),
    ("timer armed and cancelled", "timer/armed/1", "ns", NS, 40,
     ["wait_with", "wait_without"]),
    ("10^5 sleeps of 0..1 s", "timer/sleeps/1", "ns", MS, 1100,
     ["late_p50_us", "late_p99_us", "cpu"]),
    ("  2 workers", "timer/sleeps/2", "ns", MS, 1100,
     ["late_p50_us", "late_p99_us", "cpu"]),
    ("  2 workers, late p99", "timer/sleeps/2", "late_p99_us", ("us", 1),
     2000, []),
    ("1 ms sleeper, 1 worker in fib, p99", "serve/sleeper/1", "late_p99_us",
     ("us", 1), None, ["late_p50_us", "late_max_us"]),
    ("post, 1 worker in fib, p99", "serve/post/1", "late_p99_us", ("us", 1),
     None, ["late_p50_us", "late_max_us"]),
    ("memory a waiting task, 10^5", "waiting/memory/100000/2", "bytes",
     ("B", 1), 4400, ["bytes_pte", "ns"]),
    ("  10^6", "waiting/memory/1000000/2", "bytes", ("B", 1), 4400,
     ["bytes_pte", "ns"]),
    ("waits before it starts, memory, 10^5", "when/cancel/100000/2", "bytes",
     ("B", 1), 250, []),
    ("  10^6", "when/cancel/1000000/2", "bytes", ("B", 1), 250, []),
    ("  spawned, a task, 10^5", "when/cancel/100000/2", "spawn", NS, None,
     []),
    ("  10^6", "when/cancel/1000000/2", "spawn", NS, None, []),
    ("  cancelled, all home, a task, 10^5", "when/cancel/100000/2", "ns", NS,
     None, []),
    ("  10^6", "when/cancel/1000000/2", "ns", NS, None, []),
    ("  all due at once, a task, 10^5", "when/due/100000/2", "ns", NS, None,
     ["cpu_each"]),
    ("  10^6", "when/due/1000000/2", "ns", NS, None, ["cpu_each"]),
    ("  one event for all, a task, 10^5", "when/event/100000/2", "ns", NS,
     None, []),
    ("  a silent descriptor each, memory", "when/idle/2", "bytes", ("B", 1),
     250 + 64, ["fds", "spawn"]),
    ("cancel 10^5 waiting, all home", "waiting/cancel/1", "ns", ("ms", 0.1),
     25, []),
    ("  2 workers", "waiting/cancel/2", "ns", ("ms", 0.1), 25, []),
    ("release 10^5 waiting, a task", "waiting/release/1", "ns", NS, 250, []),
    ("  2 workers", "waiting/release/2", "ns", NS, 250, []),
    ("10^7 spawns in one scope, a task", "spawn/many/1", "ns", NS, None, []),
    ("  peak of memory", "spawn/many/1", "peak_mib", ("MiB", 1), 32, []),
    ("  2 workers, peak of memory", "spawn/many/2", "peak_mib", ("MiB", 1),
     32, ["ns"]),
    ("tree 10,000 deep, a task", "spawn/deep/1", "ns", NS, None, []),
    ("  2 workers", "spawn/deep/2", "ns", NS, None, []),
    ("5,000 nested scopes, a scope", "scope/nested/1", "ns", NS, None, []),
    ("  2 workers", "scope/nested/2", "ns", NS, None, []),
    ("spawn until a thief runs it", "steal/awake/2", "ns", NS, None, []),
    ("  the thief asleep", "steal/after_us/1000/2", "ns", US, None, []),
]

HEAD = ["roost", "median", "min", "spread", "unit", "must", "",
              "beside"]


def run(runs, repetitions, quick):
    cases = []
    for row in ROWS:
        if row[1] not in cases and not (quick and "1000000" in row[1]):
            cases.append(row[1])
    for i in range(repetitions):
        note(f"micro, repetition {i + 1} of {repetitions}")
        for case in cases:
            runs.run("bench_micro", case)


def table(runs):
    rows = []
    for label, case, counter, (unit, factor), must, beside in ROWS:
        values = runs.values("bench_micro", case, counter)
        if not values:
            continue
        least = runs.least("bench_micro", case, counter)
        if isinstance(must, str):
            other = runs.least("bench_micro", must.split()[-1])
            must = 2 * other if other else None
        more = [f"{b} {number(median(runs.values('bench_micro', case, b)))}"
                for b in beside if runs.values("bench_micro", case, b)]
        rows.append([label, number(median(values) * factor),
                     number(least * factor), f"{spread(values) * 100:.0f}%",
                     unit, number(must), verdict(least * factor, must),
                     ", ".join(more)])
    return [HEAD] + rows
