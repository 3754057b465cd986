"""The scheduler simulated on more processors than there are (scaling/)."""
import subprocess

from runs import note, number

PROGRAM = "bench_scaling"
TOPOLOGIES = ("flat", "sockets", "chiplets")
WORKERS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
QUICK = (1, 2, 4, 16, 64)

# What is predicted for 2 workers is held against what was measured.
MEASURED = {"fib": ("bench_kernels", "fib"),
            "skynet": ("bench_kernels", "skynet"),
            "uts": ("bench_kernels", "uts")}

NOTES = [
    "Simulated: the real scheduler, whose steps take what they were measured "
    "to take here (sched/sim_timed.c); speed-up over 1 worker. What it does "
    "not know: caches, memory bandwidth, the kernel.",
    "Decision 0022 says what it is that does not scale.",
    "server: requests of 200 us in 4 parts at 70 % of what the workers could "
    "do, from one acceptor; behind the speed-up its p50 and p99 in us.",
]


def call(directory, *arguments):
    done = subprocess.run([str(directory / PROGRAM), *map(str, arguments)],
                          capture_output=True, text=True, timeout=600,
                          check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip() or "bench_scaling failed")
    return [line.split("\t") for line in done.stdout.splitlines()]


def run(directory, quick):
    """{(topology, workload, workers): (ns, p50, p99)}, and the costs."""
    tries = [[int(x) for x in call(directory)[0]] for _ in range(3)]
    costs = [min(values) for values in zip(*tries)]
    found = {}
    for topology in TOPOLOGIES[:1] if quick else TOPOLOGIES:
        note(f"scaling: {topology}")
        for row in call(directory, topology, *costs,
                        *(QUICK if quick else WORKERS)):
            found[topology, row[0], int(row[1])] = tuple(map(int, row[2:]))
    return found, costs


def cell(found, topology, workload, workers):
    now = found.get((topology, workload, workers))
    first = found.get((topology, workload, 1))
    if now is None or first is None:
        return ""
    late = "".join(f" {number(ns / 1000)}" for ns in now[1:])
    return f"{first[0] / now[0]:.1f}{late}"


def measured(runs, workload):
    if workload not in MEASURED:
        return ""
    program, case = MEASURED[workload]
    one, two = (runs.least(program, f"{case}/{w}") for w in (1, 2))
    return f"{one / two:.2f}" if one and two else ""


def table(runs, found):
    counts = sorted({workers for _, _, workers in found})
    head = ["speed-up with workers"] + [str(w) for w in counts]
    rows = []
    for topology, workload in dict.fromkeys((t, w) for t, w, _ in found):
        label = workload if topology == "flat" else f"  {workload}, {topology}"
        rows.append([label] + [cell(found, topology, workload, w)
                               for w in counts] +
                    [measured(runs, workload) if topology == "flat" else ""])
    return [head + ["2, measured"]] + rows


def notes(costs):
    line, barrier, interrupt, wake, call_ns = costs
    return NOTES + [f"Measured for it: a cache line {line} ns one way, a heavy "
                    f"barrier {barrier} and {interrupt} to who is interrupted, "
                    f"a wake {wake}, the call for it {call_ns}."]


def lines(found, topology="flat"):
    """{workload: [[workers, speed-up]]} for a plot."""
    plot = {}
    for (where, workload, workers), figures in found.items():
        if where == topology:
            first = found[topology, workload, 1][0]
            plot.setdefault(workload, []).append(
                [workers, first / figures[0]])
    return plot
