"""How cost grows: each workload at many sizes, against the smallest."""
from runs import note, number

PROGRAM = "bench_growth"

SIZES = [1000, 5000] + [10 ** i for i in range(4, 9)]
# case: (label, its sizes).
ROWS = {
    "tasks": ("tasks through one scope", SIZES[:1] + SIZES[2:]),
    "waiting": ("tasks that wait, released", SIZES[:1] + SIZES[2:5]),
    "timers": ("sleepers, cancelled", SIZES[:1] + SIZES[2:5]),
    "semaphore": ("waiters on one semaphore", SIZES[:1] + SIZES[2:4]),
    "nested": ("nested scopes", SIZES[:2]),
    "deep": ("a chain of tasks in tasks", SIZES[:1] + SIZES[2:3]),
}
# Left out under --quick.
LONG = {"tasks/100000000", "waiting/1000000", "timers/1000000"}

# No figure is to be more than so many times that of the smallest size.
FLAT = 1.5

NOTES = [
    "The figures of one row are to stay within 1.5 times the first. Where they "
    "do not it is memory: a task that waits holds a page of stack of its own, "
    "so a thousand fit the second-level cache and a hundred thousand none.",
]


def cases(quick):
    found = [f"{case}/{size}" for case, (_, sizes) in ROWS.items()
             for size in sizes]
    return [c for c in found if not (quick and c in LONG)]


def run(runs, repetitions, quick):
    for i in range(repetitions):
        note(f"growth, repetition {i + 1} of {repetitions}")
        for case in cases(quick):
            runs.run(PROGRAM, f"{case}/1")


def points(runs, case):
    """(size, ns an operation) of what was measured."""
    found = [(size, runs.least(PROGRAM, f"{case}/{size}/1"))
             for size in ROWS[case][1]]
    return [(size, ns) for size, ns in found if ns is not None]


def table(runs):
    head = ["ns an operation, of so many"]
    head += ["10^3", "5 10^3"] + [f"10^{i}" for i in range(4, 9)]
    head.append("largest/smallest")
    rows = []
    for case, (label, _) in ROWS.items():
        found = dict(points(runs, case))
        if found:
            last, first = found[max(found)], found[min(found)]
            rows.append([label] + [number(found.get(c)) for c in SIZES] +
                        [f"{last / first:.2f}"
                         f"{' flat' if last <= FLAT * first else ''}"])
    return [head] + rows
