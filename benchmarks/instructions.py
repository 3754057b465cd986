#!/usr/bin/env python3
"""Instructions an operation, by callgrind: exact, whatever else runs.

    instructions.py BUILD_DIR [--top N] [CASE...]

Each case of bench_waits (default: those of one worker) runs with one batch and
with two; what the second adds, divided by its operations, is printed, and the
N functions that most of it is spent in. Valgrind runs one thread at a time, so
only cases of one worker tell something.
"""
import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile

CASES = ["yield/2/1", "yield/1000/1", "pingpong/1", "pingpong/room/1",
         "pingpong/deadline/1", "chan/1p1c/1", "chan/4p4c/1", "ring/1",
         "event/1", "join/1", "sem/1", "mutex/free/1", "mutex/short/1",
         "mutex/held/1", "rwlock/free/1", "rwlock/held/1", "select/ready/2/1",
         "select/ready/16/1", "select/wait/2/1", "select/wait/16/1",
         "broadcast/1", "release/1", "cancel/1", "deadline/1"]

FUNCTION = re.compile(r"^fn=\((\d+)\)(?: (.*))?$")
CALLED = re.compile(r"^cfn=\((\d+)\)(?: (.*))?$")
COST = re.compile(r"^[+*\d-]\S* (\d+)$")


def own_costs(path):
    """Function -> instructions of its own, from a callgrind.out file."""
    names, costs = {}, collections.Counter()
    current, skip = None, False
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        found = FUNCTION.match(line) or CALLED.match(line)
        if found:
            if found[2]:
                names[found[1]] = found[2]
            if line.startswith("fn="):
                current = found[1]
        elif line.startswith("calls="):
            skip = True  # the next line is what was called, not its own
        elif COST.match(line):
            if not skip and current is not None:
                costs[current] += int(COST.match(line)[1])
            skip = False
    total = collections.Counter()
    for number, cost in costs.items():
        total[names.get(number, "?").split("'")[0]] += cost
    return total


def run(program, case, batches, folder):
    out = folder / f"{batches}.out"
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}",
         program, f"--batches={batches}",
         f"--benchmark_filter=^{re.escape(case)}/(iter|proc)",
         "--benchmark_format=json"],
        capture_output=True, text=True, timeout=600, check=False)
    found = json.loads(done.stdout)["benchmarks"]
    if not found or found[0].get("error_occurred"):
        raise RuntimeError(found[0]["error_message"] if found else "no case")
    return own_costs(out), found[0]["ops"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--top", type=int, default=0)
    parser.add_argument("cases", nargs="*", default=CASES)
    options = parser.parse_args()
    program = options.build / "benchmarks" / "bench_waits"
    wrong = 0
    for case in options.cases:
        try:
            with tempfile.TemporaryDirectory() as folder:
                one, _ = run(program, case, 1, pathlib.Path(folder))
                two, ops = run(program, case, 2, pathlib.Path(folder))
        except (RuntimeError, ValueError, subprocess.TimeoutExpired) as error:
            print(f"{case:24} FAILED: {error}")
            wrong = 1
            continue
        two.subtract(one)
        print(f"{case:24} {sum(two.values()) / ops:8.1f}", flush=True)
        for name, cost in two.most_common(options.top):
            if cost / ops >= 0.5:
                print(f"    {cost / ops:8.1f}  {name}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
