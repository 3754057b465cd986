#!/usr/bin/env python3
"""All models for hours; counts their schedules, and has a line for the ledger.

    long.py PROGRAMS [--hours H] [--runs N] [--seed S] [--jobs N] [--write FILE]

PROGRAMS is the folder of a build with the model_* programs. In the first round
each model is gone through depth-first, by random and by PCT, with N runs a
strategy; in the others by the two that draw, from other seeds. When the time is
over no other program begins. A schedule is counted as tests/model/README.md
says; each is new within its model's round. The first failure is printed whole,
and ends all.
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


def runs(args, programs):
    """(program, options) of each run, round after round, for ever."""
    first, strategies = args.seed, []
    while True:
        for program in programs:
            yield program, ["--runs", str(args.runs), "--seed", str(first),
                            *strategies]
        first += args.runs
        strategies = ["--strategy", "random,pct"]


def run(args, programs, end):
    """(executions, counted schedules, runs that ended, what failed)"""
    executions = counted = ended = 0
    failed = None
    todo, waiting = runs(args, programs), set()
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        while True:
            while len(waiting) < args.jobs and not failed and (
                    time.time() < end or ended + len(waiting) == 0):
                waiting.add(pool.submit(one, *next(todo)))
            if not waiting:
                return executions, counted, ended, failed
            done, waiting = concurrent.futures.wait(
                waiting, return_when=concurrent.futures.FIRST_COMPLETED)
            for program, fine, counts, output in (d.result() for d in done):
                executions += counts[0]
                counted += counts[1]
                ended += 1
                if not fine and not failed:
                    failed = program
                    print(output)
            print("%d runs: %d executions, %d schedules" % (
                ended, executions, counted), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("--hours", type=float, default=1)
    parser.add_argument("--runs", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--write", type=pathlib.Path)
    args = parser.parse_args()
    programs = sorted(str(p) for p in args.programs.glob("model_*")
                      if p.is_file() and p.name not in PLANTED)
    if not programs:
        sys.exit("no model_* in %s" % args.programs)
    executions, counted, ended, failed = run(
        args, programs, time.time() + args.hours * 3600)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"],
                            stdout=subprocess.PIPE, check=True)
    line = "| %s | %s | models, %d programs, %.1f rounds | %s executions, " \
           "%s schedules | %s | `./run models --hours %g --runs %d --seed %d`" \
           " |\n" % (datetime.date.today(), commit.stdout.decode().strip(),
                     len(programs), ended / len(programs),
                     format(executions, ","), format(counted, ","),
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
