#!/usr/bin/env python3
"""No false sharing between the two ends of the deque and of the ring.

    lines_test.py --root DIR --explorer LIB --build DIR [--compiler CC]

The models of PLACES are run with --lines (lines.c): the line that thieves write
never moves for what the owner does to a neighbour of theirs. The same with what
keeps them apart taken out of a copy of the header must be found to do so: a
report that sees nothing would prove nothing.
"""
import argparse
import os
import re
import subprocess
import sys

import mutants

# header, model, what keeps the field apart, the field
PLACES = (
    ("sched/deque.h", "deque", "a64 top __attribute__((aligned(CACHE_LINE)));",
     "a64 top;", "top"),
    ("sched/ring.h", "ring", "a64 head __attribute__((aligned(CACHE_LINE)));",
     "a64 head;", "head"),
)
LINE = re.compile(r"^line \S+ \S+: ([\d.]+) moves a run, ([\d.]+) false: "
                  r"(.*), (.*)$", re.M)


def false_moves(program, field):
    """A run, of lines on which `field` met something else for nothing."""
    done = subprocess.run([program, "--strategy", "random", "--runs", "300",
                           "--lines"], stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        sys.exit("lines: %s fails:\n%s" % (program, done.stdout.decode()))
    word = re.compile(r"->%s\b" % field)
    return sum(float(false) for _, false, *pair
               in LINE.findall(done.stdout.decode())
               if any(word.search(name) for name in pair))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", required=True)
    parser.add_argument("--explorer", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--compiler", default="cc")
    args = parser.parse_args()
    os.makedirs(args.build, exist_ok=True)
    builder = mutants.Builder(args)
    passed = failed = 0
    for source, name, apart, beside, field in PLACES:
        model = mutants.Model(args.root, "tests/model/%s_model.c" % name)
        with open(os.path.join(args.root, source), encoding="utf-8") as f:
            text = f.read()
        if text.count(apart) != 1:
            sys.exit("lines: %s has not: %s" % (source, apart))
        for planted in (False, True):
            folder = os.path.join(args.build, name,
                                  "planted" if planted else "own")
            program = builder.program(
                model, source,
                text.replace(apart, beside) if planted else text, folder)
            moves = false_moves(program, field)
            fine = (moves > 0) == planted
            print("%-14s %-5s %-8s %.2f false moves a run%s" % (
                source, field, "planted:" if planted else "own:", moves,
                "" if fine else ": NOT AS IT SHOULD BE"))
            passed += fine
            failed += not fine
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
