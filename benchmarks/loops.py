"""Loops, scans and sorts: roost and its rivals (parallel/loops.h)."""
from runs import MS, RAYON, note, ratio, verdict

# system: (program, the numbers of workers it is measured with)
SYSTEMS = {
    "plain": ("bench_parallel_plain", (1,)),
    "std::sort": ("bench_parallel_sort", (1,)),
    "qsort": ("bench_parallel_qsort", (1,)),
    "roost": ("bench_parallel", (1, 2)),
    "oneTBB": ("bench_parallel_onetbb", (1, 2)),
    "OpenMP static": ("bench_parallel_static", (1, 2)),
    "dynamic": ("bench_parallel_dynamic", (1, 2)),
    "clang's static": ("bench_parallel_libomp", (1, 2)),
    "Rayon": (RAYON, (1, 2)),
}

# Not run under --quick: another is much like it.
THOROUGH = ("clang's static",)

# (label, case, what 2 workers must reach: so many times a system's time with
# so many workers).
ROWS = [
    ("sum of 10^8 u32", "sum/1", ((1.05, "OpenMP static", 2),)),
    ("saxpy, 5 10^7 floats", "saxpy/2", ((1.05, "OpenMP static", 2),)),
    ("triangle, 20,000 rows", "triangle/3", ((1.0, "OpenMP static", 2),
                                             (1.0, "dynamic", 2))),
    ("Mandelbrot, 600 rows", "picture/4", ((1.0, "OpenMP static", 2),
                                           (1.0, "dynamic", 2))),
    ("prefixes of 10^7 u32", "scan/5", ()),
    ("sort of 10^7 ints", "sort/6", ((0.5, "qsort", 1),)),
    ("sort of 10^6 strings", "strings/7", ((0.5, "qsort", 1),)),
]

# Not run under --quick: another row is much like it.
LONG = ("saxpy/2", "triangle/3", "strings/7")

HEAD = (["ms, median/min", "plain", "std::sort", "qsort"]
        + [f"{name} {w}T" for name, (_, counts) in SYSTEMS.items()
           for w in counts if len(counts) > 1]
        + ["roost/plain", "must 2T"])

NOTES = [
    "plain sorts by std::stable_sort. It, std::sort and oneTBB (whose sort is "
    "not stable) have the comparison of ints inlined; roost and qsort call it.",
    "OpenMP has no sort; its scan and oneTBB's add up in an order that may "
    "depend on the threads, roost's does not. Rayon has no scan, and sorts "
    "stably, as roost does; its comparison is inlined, its strings know their "
    "length.",
]


def run(runs, repetitions, quick):
    there = {}
    for name, (program, _) in SYSTEMS.items():
        if quick and name in THOROUGH:
            continue
        if runs.has(program):
            there[name] = runs.cases(program)
        else:
            note(f"skipped: {name} ({program} is not built)")
    for i in range(repetitions):
        note(f"loops, repetition {i + 1} of {repetitions}")
        for _, case, _ in ROWS:
            if quick and case in LONG:
                continue
            for name, cases in there.items():
                program, counts = SYSTEMS[name]
                for workers in counts if case in cases else ():
                    runs.run(program, f"{case}/{workers}")


def must(runs, mine, targets):
    """The hardest of them."""
    limits = [(factor * least, f"{factor:g} x {name} {w}T")
              for factor, name, w in targets
              if (least := runs.least(SYSTEMS[name][0], f"{mine}/{w}"))]
    if not limits:
        return ""
    limit, text = min(limits)
    reached = verdict(runs.least(SYSTEMS["roost"][0], f"{mine}/2"), limit)
    return f"{text} {reached}"


def table(runs):
    rows = []
    for label, case, targets in ROWS:
        cells = [label]
        for program, counts in SYSTEMS.values():
            cells += [runs.cell(program, f"{case}/{w}", MS[1]) for w in counts]
        cells.append(ratio(runs.least(SYSTEMS["roost"][0], f"{case}/1"),
                           runs.least(SYSTEMS["plain"][0], f"{case}/1")))
        cells.append(must(runs, case, targets))
        rows.append(cells)
    return [HEAD] + rows
