#!/usr/bin/env python3
"""Does each of the hottest paths take the instructions that it may?

    check.py PROGRAM BUDGETS

Each case of PROGRAM (cases.c) runs under callgrind COUNT times and twice as
often; the difference, divided by COUNT, is what one costs: exactly, whatever
else the machine does. BUDGETS has a line a case: the instructions, and how many
lock the bus. More than either fails; so does a budget that is more than 5 %
wide, since it would hide the next change for the worse. Starting and stopping
differ from run to run by some thousands of instructions, so COUNT is such that
they are less than NOISE an operation; what depends on the clock is in the
budget (1 %), since callgrind slows one machine more than another.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "benchmarks"))
import callgrind  # noqa: E402

COUNT = 16000
WIDE = 1.05
NOISE = 0.2


def costs(program, case, count, locked):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "callgrind.out"
        done = subprocess.run(
            callgrind.command(out) + [program, case, str(count)],
            capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        total, locks = callgrind.own_costs(out, locked)
        return sum(total.values()), sum(locks.values())


def budgets(path):
    for line in path.read_text().split("\n"):
        found = re.fullmatch(r"([\w-]+) +(\d+) +(\d+(?:\.\d+)?)", line)
        if found:
            yield found[1], float(found[2]), float(found[3])
        elif line and not line.startswith("#"):
            raise ValueError(f"{path}: {line}")


def verdict(is_, may):
    if is_ > may + NOISE:
        return "MORE"
    return "NARROW THE BUDGET" if may > WIDE * is_ + 2 else ""


def main():
    program, path = sys.argv[1], pathlib.Path(sys.argv[2])
    locked = callgrind.locked_instructions(program)
    passed = failed = 0
    for case, instructions, locks in budgets(path):
        once = costs(program, case, COUNT, locked)
        twice = costs(program, case, 2 * COUNT, locked)
        each = [(b - a) / COUNT for a, b in zip(once, twice)]
        wrong = {verdict(each[0], instructions), verdict(each[1], locks)}
        wrong.discard("")
        print(f"{case:12} {each[0]:8.1f} of {instructions:5.0f} instructions,"
              f" {each[1]:5.2f} of {locks:g} locked"
              f"  {', '.join(sorted(wrong))}", flush=True)
        failed += bool(wrong)
        passed += not wrong
    print(f"{passed} passed, {failed} failed")
    return failed != 0 or passed == 0


if __name__ == "__main__":
    sys.exit(main())
