"""Calls that block, and a sleeper among tasks that compute: roost's own cases
of micro/ and the same of its rivals."""
from runs import NS, US, cell, check_ops, note, ratio, verdict

GO, TOKIO = "bench_waits_go", "tokio.target/release/bench_waits_tokio"

# A column: (head, system, program, workers).
COLUMNS = [
    ("roost 1", "roost", "bench_micro", 1), ("2", "roost", "bench_micro", 2),
    ("libuv, 4 threads", "libuv", "bench_calls_uv", 1),
    ("64", "libuv 64", "bench_calls_uv", 1),
    ("Tokio 1", "Tokio", TOKIO, 1), ("2", "Tokio", TOKIO, 2),
    ("Go 1", "Go", GO, 1), ("2", "Go", GO, 2),
]

POOLS = ("libuv", "libuv 64", "Tokio")

# (label, case, counter, (unit, factor), must reach with 1 and 2 workers, the
# systems it is held against)
ROWS = [
    ("a call beside, one by one", "offload/1", "ns", US, (16, 16), POOLS),
    ("  64 in flight, each", "offload/64", "ns", US, (1.5, 1.5), POOLS),
    ("  64 that block for 1 ms, each", "offload/blocks", "ns", US,
     (None, None), POOLS),
    ("a call in place: what it costs more", "region", "ns", NS, (60, 60),
     ("Go",)),
    ("  64 that block for 1 ms, each", "region/blocks", "ns", US,
     (None, None), ("Go",)),
    ("1 ms sleeper under load, late, p50", "timer/wake", "late_p50_us",
     ("us", 1), (None, 1200), ("Tokio", "Go")),
    ("  p99", "timer/wake", "late_p99_us", ("us", 1), (None, 7000),
     ("Tokio", "Go")),
    ("  with checkpoints, p50", "timer/wake_checkpoints/1", "late_p50_us",
     ("us", 1), (None, 100), ("Tokio", "Go")),
    ("  with checkpoints, p99", "timer/wake_checkpoints/1", "late_p99_us",
     ("us", 1), (None, 500), ("Tokio", "Go")),
]

NOTES = [
    "The call is getppid. Beside: it is handed to a thread that may block "
    "(roost_offload, uv_queue_work, spawn_blocking), and its caller goes on "
    "when it is done. libuv has one loop, whose pool has 4 threads unless it "
    "is told otherwise; Tokio with one worker is its current_thread runtime.",
    "Go has no pool: its call, by syscall.Syscall, is made in place, and is "
    "shown beside the others but no part of the ratio. In place: a region of "
    "roost (roost_block_begin, roost_block_end) with nothing in it, and what "
    "syscall.Syscall does around a call (entersyscall, exitsyscall).",
    "1 ms sleeper: beside four tasks that compute for 0.1 to 10 ms and yield; "
    "300 sleeps. Who can only go on at a yield is late by 0.87 ms (p50) and "
    "5.9 (p99) at best. Go takes the processor from who computes for 10 ms. "
    "Checkpoints: each 10 us, roost_checkpoint or a yield. Tokio's timers "
    "count in ms.",
]


def case_of(system, case):
    """libuv with 64 threads has cases of its own."""
    return case.replace("offload", "pool64") if system == "libuv 64" else case


def run(runs, repetitions, quick):
    known = {}
    for _, _, program, _ in COLUMNS:
        if program not in known:
            known[program] = runs.cases(program) if runs.has(program) else ()
            if not known[program]:
                note(f"skipped: {program} (not built)")
    for i in range(repetitions):
        note(f"calls that block, repetition {i + 1} of {repetitions}")
        for case in dict.fromkeys(row[1] for row in ROWS):
            for _, system, program, workers in COLUMNS:
                own = case_of(system, case)
                alone = case.startswith("timer/") and workers == 1
                if own in known[program] and not alone:
                    # The sleeper of the rivals: one batch, as roost's is.
                    runs.run(program, f"{own}/{workers}",
                             1 if quick or "timer/" in case else None)
    for case in dict.fromkeys(row[1] for row in ROWS):
        for _, system, program, workers in COLUMNS[2:]:
            check_ops(runs, ("bench_micro", f"{case}/{workers}"),
                      (program, f"{case_of(system, case)}/{workers}"))


def row(runs, label, case, counter, scale, must, against):
    unit, factor = scale
    texts, least = [f"{label}, {unit}"], {}
    for _, system, program, workers in COLUMNS:
        key = f"{case_of(system, case)}/{workers}"
        texts.append(cell(runs, program, key, counter, factor))
        least[system, workers] = runs.least(program, key, counter)
    for w in (1, 2):
        # libuv has one loop, whatever the number of workers of others.
        rivals = [least[s, 1 if s.startswith("libuv") else w] for s in against]
        texts.append(ratio(least["roost", w],
                           min((r for r in rivals if r is not None),
                               default=None)))
    for w in (1, 2):
        ours = least["roost", w]
        reached = verdict(ours and ours * factor, must[w - 1])
        texts.append(f"{number_of(must[w - 1])} {reached}".strip())
    return texts


def number_of(must):
    return "" if must is None else f"{must:g}"


def table(runs):
    head = (["minimum (median)"] + [head for head, *_ in COLUMNS]
            + ["/best rival 1", "2", "must 1", "2"])
    rows = [row(runs, *r) for r in ROWS]
    return [head] + [r for r in rows if any(r[1:1 + len(COLUMNS)])]
