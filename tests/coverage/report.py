#!/usr/bin/env python3
"""What of sched/ and sync/ the tests have executed, against the floors.

    report.py ROOT BUILD [FLOORS]

Prints a line a file, of lines and of branches, and fails if one is below its
floor; then it names each place that is missing. FLOORS (beside this file:
floors.txt) has a line for each:

    PATH LINES BRANCHES     per cent; PATH is a file, or a folder with its /

A branch of a check (roost_check, roost_assert) does not count: its other side
is a bug. Nor does that of a compare-and-swap: it fails when another thread was
quicker, which the models (tests/model) see to. What cannot be executed is
marked in the source, with its reason: GCOVR_EXCL_LINE, GCOVR_EXCL_START and
_STOP, GCOVR_EXCL_BR_LINE.
"""
import json
import pathlib
import subprocess
import sys

CHECKS = (r'.*\b(roost_check|roost_assert|_Static_assert|a32_cas|a64_cas|'
          r'aptr_cas)\(.*')


def measure(root, build):
    """For each file its (lines covered, lines, branches covered, branches),
    and its lines as gcovr tells of them."""
    sums = build / 'coverage.json'
    lines = build / 'coverage-lines.json'
    subprocess.run(
        ['gcovr', '--root', root, '--filter', f'{root}/sched/', '--filter',
         f'{root}/sync/', '--exclude-branches-by-pattern', CHECKS,
         '--exclude-unreachable-branches', '--exclude-throw-branches',
         '--json-summary', sums, '--json', lines, '-j', '2',
         build / 'CMakeFiles/roost_inside.dir'], # what the tests link
        check=True, stdout=subprocess.DEVNULL)
    found = json.loads(sums.read_text(encoding='utf-8'))['files']
    told = json.loads(lines.read_text(encoding='utf-8'))['files']
    return ({f['filename']: (f['line_covered'], f['line_total'],
                             f['branch_covered'], f['branch_total'])
             for f in found},
            {f['file']: f['lines'] for f in told})


def read_floors(path):
    floors = []
    for line in path.read_text(encoding='utf-8').splitlines():
        words = line.split('#')[0].split()
        if words:
            floors.append((words[0], float(words[1]), float(words[2])))
    return floors


def percent(covered, total):
    return 100.0 if total == 0 else 100.0 * covered / total


def is_of(name, path):
    """Is the file `path`, or below the folder?"""
    return name == path or (path.endswith('/') and name.startswith(path))


def add_up(files, path):
    """The sum of a file, or of all below a folder; None: there is none."""
    chosen = [n for name, n in files.items() if is_of(name, path)]
    return tuple(sum(n) for n in zip(*chosen)) if chosen else None


def missing_lines(told, path):
    for name in sorted(n for n in told if is_of(n, path)):
        for line in told[name]:
            if line['count'] == 0 and not line['gcovr/noncode']:
                yield f'{name}:{line["line_number"]}: not executed'


def missing_branches(told, path):
    for name in sorted(n for n in told if is_of(n, path)):
        for line in told[name]:
            taken = [b['count'] > 0 for b in line['branches']]
            if not all(taken) and not line['gcovr/noncode']:
                yield (f'{name}:{line["line_number"]}: {taken.count(False)} of '
                       f'{len(taken)} branches not taken')


def below(covered, total, floor):
    """In tenths, as they are printed: a floor is what a run has shown. But of
    all nothing is missing."""
    return (round(percent(covered, total), 1) < floor or
            (floor == 100 and covered < total))


def judge(files, told, floors):
    """What is below its floor, and why."""
    for path, lines, branches in floors:
        n = add_up(files, path)
        if n is None:
            yield f'{path}: no such file was measured'
            continue
        if below(n[0], n[1], lines):
            yield (f'{path}: {percent(n[0], n[1]):.1f} % of lines, '
                   f'{lines:g} wanted')
            yield from missing_lines(told, path)
        if below(n[2], n[3], branches):
            yield (f'{path}: {percent(n[2], n[3]):.1f} % of branches, '
                   f'{branches:g} wanted')
            yield from missing_branches(told, path)


def row(name, n):
    lines, branches = percent(n[0], n[1]), percent(n[2], n[3])
    return (f'{name:36} {n[0]:6} {n[1]:6} {lines:6.1f} '
            f'{n[2]:6} {n[3]:6} {branches:6.1f}')


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    build = pathlib.Path(sys.argv[2]).resolve()
    floors = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else \
        pathlib.Path(__file__).resolve().parent / 'floors.txt'
    files, told = measure(root, build)
    print(f'{"":36} {"lines":>13} {"%":>6} {"branches":>13} {"%":>6}')
    for name in sorted(files):
        print(row(name, files[name]))
    for path in ('sched/', 'sync/'):
        print(row(path, add_up(files, path)))
    low = list(judge(files, told, read_floors(floors)))
    for line in low:
        print(f'coverage: {line}', file=sys.stderr)
    return 1 if low else 0


if __name__ == '__main__':
    sys.exit(main())
