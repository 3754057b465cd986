#!/usr/bin/env python3
"""Run the benchmarks of a build and print one table; see README.md.

    report.py BUILD_DIR [--quick] [--write] [--only WHAT] ...

Roost and its rivals run interleaved: each repetition visits every cell of
the table once, so that a slow minute of the machine hits all alike. A cell
is the median over the repetitions and the minimum over all batches; ratios
and verdicts go by the minimum, which other load on the machine disturbs
least.
"""
import argparse
import json
import pathlib
import subprocess
import sys

import calls
import echo
import growth
import held
import httpd
import loops
import micro
import page
import scaling
import shortfalls
import waits
from machine import describe, machine, stolen, ticks_now
from runs import RAYON, Runs, note, plain_table, ratio, verdict

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent

KERNELS = ["fib", "nqueens", "skynet", "uts", "storm", "matmul"]

# Spawns of matmul 1024 by blocks of 64 (matmul_tasks in
# kernels/work_matmul.h).
MATMUL_TASKS = 1755

# ns a task that roost must reach, 1 and 2 workers; with hot.h what it aims at.
KERNEL_MUST = {
    "fib": (8, 4), "fib (shared)": (10, 5), "nqueens": (130, 66),
    "skynet": (10, 5), "uts": (14, 7), "storm": (15, 15),
    "fib (hot)": (2.5, 1.3), "nqueens (hot)": (122, 61),
    "skynet (hot)": (2.5, 1.3), "uts (hot)": (7, 3.6),
}

# system: (program, the numbers of workers it is measured with)
SYSTEMS = {
    "plain": ("bench_kernels_plain", (1,)),
    "roost": ("bench_kernels", (1, 2)),
    "shared": ("bench_kernels_shared", (1, 2)),
    "hot": ("bench_kernels_hot", (1, 2)),
    "oneTBB": ("bench_kernels_onetbb", (1, 2)),
    "OpenMP": ("bench_kernels_openmp", (1, 2)),
    "clang's": ("bench_kernels_libomp", (1, 2)),
    "Rayon": (RAYON, (1, 2)),
}
RIVALS = ("oneTBB", "OpenMP", "clang's", "Rayon")
# Not run under --quick: another is much like it.
THOROUGH = ("clang's",)
# Other forms of roost, each for some of the kernels.
FORMS = {"shared": ("fib",), "hot": ("fib", "nqueens", "skynet", "uts")}

def kernel_row(runs, kernel, system="roost"):
    """The cells of one row."""
    label = kernel if system == "roost" else f"{kernel} ({system})"
    unit = 1.0
    if kernel == "matmul":  # ms of the whole, not ns of a task
        label, unit = "matmul, ms", MATMUL_TASKS * 1e-6
    least = {(s, w): runs.least(program, f"{kernel}/{w}")
             for s, (program, counts) in SYSTEMS.items() for w in counts}
    texts = [label, runs.cell(SYSTEMS["plain"][0], f"{kernel}/1", unit)]
    for name in (system,) + RIVALS:
        texts += [runs.cell(SYSTEMS[name][0], f"{kernel}/{w}", unit)
                  for w in (1, 2)]
    texts.append(ratio(least[system, 1], least["plain", 1]))
    for w in (1, 2):
        rivals = [least[r, w] for r in RIVALS if least[r, w] is not None]
        texts.append(ratio(least[system, w], min(rivals, default=None)))
    for w, must in zip((1, 2), KERNEL_MUST.get(label, (None, None))):
        texts.append("" if must is None else
                     f"{must} {verdict(least[system, w], must)}".strip())
    return texts


KERNEL_HEAD = (["ns a task, median/min", "plain"]
               + [head for name in ("roost",) + RIVALS
                  for head in (f"{name} 1T", "2T")]
               + ["roost/plain", "/best rival 1T", "2T", "must 1T", "2T"])


def run_kernels(runs, repetitions, quick):
    systems = {name: system for name, system in SYSTEMS.items()
               if not (quick and name in THOROUGH)}
    plan = [(program, f"{kernel}/{workers}")
            for kernel in KERNELS
            for name, (program, counts) in systems.items()
            for workers in counts
            if runs.has(program) and kernel in FORMS.get(name, KERNELS)]
    for name, (program, _) in systems.items():
        if not runs.has(program):
            note(f"skipped: {name} ({program} is not built)")
    for i in range(repetitions):
        note(f"kernels, repetition {i + 1} of {repetitions}")
        for program, case in plan:
            runs.run(program, case)


def kernel_table(runs):
    rows = []
    for kernel in KERNELS:
        rows.append(kernel_row(runs, kernel))
        rows += [kernel_row(runs, kernel, form)
                 for form, kernels in FORMS.items() if kernel in kernels]
    return [KERNEL_HEAD] + rows


def idle_rows(directory, seconds):
    """System calls of an idle runtime, as tests/stress/idle_test.sh counts."""
    program = directory / "bench_idle"
    script = ROOT / "tests" / "stress" / "idle_test.sh"
    if not program.is_file() or not script.is_file():
        return [["idle", "skipped: not built"]]
    done = subprocess.run(["sh", str(script), str(program), str(seconds)],
                          capture_output=True, text=True, check=False)
    if done.returncode == 77:
        return [["idle", done.stdout.strip()]]
    return [line.split(": ", 1) for line in done.stdout.splitlines()
            if line.startswith("idle ")] or [["idle", "failed"]]


def batches(options):
    return f"{options.repetitions} repetitions of {options.batches} batches; "


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true",
                        help="3 minutes: no growth, scaling, silent connections")
    parser.add_argument("--write", action="store_true",
                        help="also write docs/benchmarks: of --only, that part")
    parser.add_argument("--json", type=pathlib.Path,
                        help="also write all samples there")
    parser.add_argument("--only", choices=("kernels", "parallel", "waits",
                                           "calls", "io", "micro", "growth",
                                           "scaling", "idle", "httpd"))
    parser.add_argument("--repetitions", type=int)
    parser.add_argument("--batches", type=int)
    options = parser.parse_args()
    if options.quick and options.write:
        parser.error("what --quick measures is too little to be written")
    if options.batches is None:
        options.batches = 1 if options.quick else 3
    if options.repetitions is None:
        options.repetitions = 1 if options.quick else 5
    options.min_time = 0.05 if options.quick else 0.2
    return options


def plots(runs, speedups):
    """What plots.py draws: a bar is a minimum."""
    kernels = [[kernel, {f"{name}, {w}T": runs.least(program, f"{kernel}/{w}")
                         for name, (program, counts) in SYSTEMS.items()
                         for w in counts if name not in FORMS}]
               for kernel in KERNELS if kernel != "matmul"]
    return {
        "bars": {
            "kernels.svg": {"title": "Fork-join", "unit": "ns a task",
                            "groups": kernels},
            "waits.svg": {"title": "Tasks that wait, 2 workers",
                          "unit": "ns an operation",
                          "groups": waits.bars(runs)},
        },
        "lines": {
            "scaling.svg": {"title": "Speed-up, simulated",
                            "x": "workers", "y": "times one worker",
                            "lines": scaling.lines(speedups)},
            "growth.svg": {"title": "How cost grows",
                           "x": "how many", "y": "cost of one, in ns",
                           "lines": {label: growth.points(runs, case)
                                     for case, (label, _)
                                     in growth.ROWS.items()}},
        },
    }


def main():
    options = parse()
    directory = options.build / "benchmarks"
    runs = Runs(directory, options)
    host = machine()
    tables, speedups, before = [], {}, ticks_now()

    def beside(part):
        """With everything, but if that is to be quick."""
        return (part,) if options.quick else (None, part)

    if host["load"] > 0.5 * host["processors"]:
        note(f"the machine is busy (load {host['load']:.1f}): only the minima "
             "mean something, and those for 2 workers little")
    if options.only in (None, "kernels"):
        run_kernels(runs, options.repetitions, options.quick)
        tables.append(("Fork-join: roost and rivals", kernel_table(runs), []))
    if options.only in (None, "parallel") and runs.has("bench_parallel"):
        loops.run(runs, options.repetitions, options.quick)
        tables.append(("Loops, scans, sorts: roost and rivals",
                       loops.table(runs), loops.NOTES))
    if options.only in (None, "waits") and runs.has("bench_waits"):
        waits.run(runs, options.repetitions, options.quick)
        tables.append(("Tasks that wait: roost and rivals", waits.table(runs),
                       waits.LEFT_OUT))
        tables.append(("What roost did in them", waits.tally_table(runs), []))
    if options.only in (None, "calls") and runs.has("bench_micro"):
        calls.run(runs, options.repetitions, options.quick)
        tables.append(("Calls that block, sleepers under load",
                       calls.table(runs), calls.NOTES))
    if options.only in (None, "io") and runs.has("bench_io_load"):
        found = echo.run(directory, options)
        tables.append(("TCP echo, 64 bytes", echo.table(found), echo.NOTES))
    if options.only in beside("io") and runs.has("bench_io_load"):
        tables.append(("Connections that are silent",
                       *held.measure(directory, options)))
    if options.only in (None, "micro") and runs.has("bench_micro"):
        micro.run(runs, options.repetitions, options.quick)
        tables.append(("Roost, an operation", micro.table(runs), []))
    if options.only in beside("growth") and runs.has("bench_growth"):
        growth.run(runs, 1 if options.quick else 3, options.quick)
        tables.append(("How cost grows", growth.table(runs), growth.NOTES))
    if options.only in beside("scaling") and runs.has("bench_scaling"):
        speedups, costs = scaling.run(directory, options.quick)
        tables.append(("On machines that are not there",
                       scaling.table(runs, speedups), scaling.notes(costs)))
    if options.only in (None, "httpd"):
        found = httpd.table(directory, options.quick, note)
        if found:
            tables.append(("An HTTP server, under load", *found))
    if options.only in (None, "idle"):
        rows = idle_rows(directory, 1 if options.quick else 5)
        tables.append(("Idle, 2 workers", [["", "must: 0"]] + rows, []))
    tables = [(title, table, notes + shortfalls.notes(title, table,
                                                      host["family"]))
              for title, table, notes in tables]
    theft = stolen(before, ticks_now())
    print(describe(host, batches(options) + theft))
    for title, table, notes in tables:
        print(f"\n{title}\n{plain_table(table)}")
        print("".join(f"  {line}\n" for line in notes), end="")
    for (program, case), message in sorted(runs.errors.items()):
        print(f"FAILED {program} {case}: {message}")
    if options.json:
        samples = {f"{p} {c}": s for (p, c), s in runs.samples.items()}
        options.json.write_text(json.dumps(samples, indent=1) + "\n",
                                encoding="utf-8")
    if options.write and options.only is not None:
        page.replace(ROOT / "docs" / "benchmarks", describe(host, ""), tables)
    elif options.write:
        page.write(ROOT / "docs" / "benchmarks",
                   describe(host, batches(options) + theft), tables,
                   plots(runs, speedups))
    return 1 if runs.errors else 0


if __name__ == "__main__":
    sys.exit(main())
