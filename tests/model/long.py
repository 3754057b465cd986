#!/usr/bin/env python3
"""All models for hours; counts their schedules, and has a line for the ledger.

    long.py PROGRAMS [--hours H] [--runs N] [--seed S] [--jobs N] [--write FILE]

PROGRAMS is the folder of a build with the model_* programs. In the first round
each model is gone through depth-first, by random and by PCT, with N runs a
strategy; in the others by the two that draw, from other seeds, until the time
is over. A schedule is counted as tests/model/README.md says; each is new within
its model's round. The first failure is printed whole, and ends all.
--write appends the ledger's line to FILE, docs/ledger.md; else it is printed.
"""
import argparse
import concurrent.futures
import datetime
import pathlib
import re
import subprocess
import sys
import time

SUM = re.compile(r"^(\d+) executions, (\d+) counted schedules$", re.M)
PLANTED = ("model_litmus", "model_selftest")  # of the explorer, not of roost


def one(program, options):
    done = subprocess.run([program] + options, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    output = done.stdout.decode(errors="replace")
    found = SUM.search(output)
    counts = (int(found.group(1)), int(found.group(2))) if found else (0, 0)
    return program, done.returncode == 0 and found, counts, output


def rounds(args, end):
    """(options of a round), until the time is over; at least one."""
    first = args.seed
    yield ["--runs", str(args.runs), "--seed", str(first)]
    while time.time() < end:
        first += args.runs
        yield ["--runs", str(args.runs), "--seed", str(first),
               "--strategy", "random,pct"]


def run(args, programs, end):
    """(executions, counted schedules, rounds that were begun, what failed)"""
    executions = counted = begun = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for options in rounds(args, end):
            begun += 1
            waiting = [pool.submit(one, program, options)
                       for program in programs]
            for done in concurrent.futures.as_completed(waiting):
                program, fine, counts, output = done.result()
                executions += counts[0]
                counted += counts[1]
                if not fine:
                    for other in waiting:
                        other.cancel()
                    print(output)
                    return executions, counted, begun, program
            print("round %d: %d executions, %d schedules" % (
                begun, executions, counted), flush=True)
    return executions, counted, begun, None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("--hours", type=float, default=1)
    parser.add_argument("--runs", type=int, default=1000000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--write", type=pathlib.Path)
    args = parser.parse_args()
    programs = sorted(str(p) for p in args.programs.glob("model_*")
                      if p.is_file() and p.name not in PLANTED)
    if not programs:
        sys.exit("no model_* in %s" % args.programs)
    executions, counted, begun, failed = run(
        args, programs, time.time() + args.hours * 3600)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"],
                            stdout=subprocess.PIPE, check=True)
    line = "| %s | %s | models, %d programs, %d rounds | %s executions, " \
           "%s schedules | %s | `./run models --hours %g --runs %d --seed %d`" \
           " |\n" % (datetime.date.today(), commit.stdout.decode().strip(),
                     len(programs), begun, format(executions, ","),
                     format(counted, ","),
                     pathlib.Path(failed).name + " fails" if failed else
                     "none", args.hours, args.runs, args.seed)
    print(line, end="")
    if args.write:
        text = args.write.read_text(encoding="utf-8")
        at = text.rindex("\n| ") + 1  # its last row
        at = text.index("\n", at) + 1
        args.write.write_text(text[:at] + line + text[at:], encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
