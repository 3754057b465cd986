#!/usr/bin/env python3
"""Instructions an operation, by callgrind: exact, whatever else runs.

    instructions.py [--top N] BUILD_DIR [CASE...]

Each case of bench_waits (default: those of one worker) runs with one batch and
with two; what the second adds, divided by its operations, is printed: the
instructions, those among them that lock the bus (6 ns each where it was
measured), and the N functions that most of it is spent in, with theirs.
Valgrind runs one thread at a time, so only cases of one worker tell something.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import callgrind

CASES = ["yield/2/1", "yield/1000/1", "pingpong/1", "pingpong/room/1",
         "pingpong/deadline/1", "chan/1p1c/1", "chan/4p4c/1", "ring/1",
         "event/1", "join/1", "sem/1", "mutex/free/1", "mutex/short/1",
         "mutex/held/1", "rwlock/free/1", "rwlock/held/1", "select/ready/2/1",
         "select/ready/16/1", "select/wait/2/1", "select/wait/16/1",
         "broadcast/1", "release/1", "cancel/1", "deadline/1"]


def run(program, case, batches, locked):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "callgrind.out"
        done = subprocess.run(
            callgrind.command(out) +
            [program, f"--batches={batches}",
             f"--benchmark_filter=^{re.escape(case)}/(iter|proc)",
             "--benchmark_format=json"],
            capture_output=True, text=True, timeout=600, check=False)
        found = json.loads(done.stdout)["benchmarks"]
        if not found or found[0].get("error_occurred"):
            raise RuntimeError(found[0]["error_message"] if found
                               else "no such case")
        return callgrind.own_costs(out, locked) + (found[0]["ops"],)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--top", type=int, default=0)
    parser.add_argument("cases", nargs="*", default=CASES)
    options = parser.parse_args()
    program = options.build / "benchmarks" / "bench_waits"
    locked = callgrind.locked_instructions(program)
    wrong = 0
    for case in options.cases:
        try:
            one, one_locks, _ = run(program, case, 1, locked)
            two, two_locks, ops = run(program, case, 2, locked)
        except (RuntimeError, ValueError, subprocess.TimeoutExpired) as error:
            print(f"{case:24} FAILED: {error}", flush=True)
            wrong = 1
            continue
        two.subtract(one)
        two_locks.subtract(one_locks)
        print(f"{case:24} {sum(two.values()) / ops:8.1f} instructions, "
              f"{sum(two_locks.values()) / ops:.2f} locked", flush=True)
        for name, cost in two.most_common(options.top):
            if cost / ops >= 0.5:
                print(f"    {cost / ops:8.1f} {two_locks[name] / ops:6.2f}"
                      f"  {name}", flush=True)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
