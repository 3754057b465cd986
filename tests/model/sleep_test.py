#!/usr/bin/env python3
"""Sleep sets lose nothing: what all schedules have seen, with and without.

    sleep_test.py [--runs N] PROGRAM...

Each model of each program is gone through depth-first twice, with sleep sets
and, by --all-orders, without. Where both are through within N runs, what their
threads have seen (seen.c) must be the same set; a line a model says how many
schedules each took. The last line is the sum.
"""
import argparse
import re
import subprocess
import sys

LINE = re.compile(r"^(\S+(?: \(asymmetric\))?): dfs (\d+)"
                  r"(?: \((\d+) of them given up\))?( \(all,)?", re.M)
SEEN = re.compile(r"^seen \S+ (.+)$", re.M)


def explore(program, runs, options):
    """{model: (runs, given up, what was seen or None if it is not all)}"""
    # A word is known by its address: that of a thread-local, too, is the same.
    command = ["setarch", "--addr-no-randomize", program, "--strategy", "dfs",
               "--runs", str(runs), "--seen"]
    output = subprocess.run(command + options, stdout=subprocess.PIPE,
                            check=False).stdout.decode()
    found = {}
    matches = list(LINE.finditer(output))
    for match, following in zip(matches, matches[1:] + [None]):
        end = following.start() if following else len(output)
        seen = SEEN.search(output, match.end(), end)
        found[match.group(1)] = (int(match.group(2)), int(match.group(3) or 0),
                                 seen.group(1) if seen and match.group(4)
                                 else None)
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=20000)
    parser.add_argument("programs", nargs="+")
    args = parser.parse_args()
    few = every = models = wrong = 0
    for program in args.programs:
        reduced = explore(program, args.runs, [])
        for name, whole in explore(program, args.runs,
                                   ["--all-orders"]).items():
            with_sets = reduced.get(name)
            if not with_sets or not with_sets[2] or not whole[2]:
                continue
            same = with_sets[2] == whole[2]
            print("%-36s %7d, %6d of them given up, for %7d%s" % (
                (name,) + with_sets[:2] + (whole[0],
                                           "" if same else ": NOT THE SAME")))
            models += 1
            wrong += not same
            few += with_sets[0]
            every += whole[0]
    print("%d models: %d runs for %d, %d times as many" % (
        models, few, every, every // max(few, 1)))
    return 1 if wrong or not models else 0


if __name__ == "__main__":
    sys.exit(main())
