#!/usr/bin/env python3
"""How many conditions of sched/ and sync/ the tests have shown to decide.

    mcdc.py ROOT BUILD [FLOORS]

MC/DC, of decisions of two conditions and more: a condition counts if two runs of
its decision differ in it alone, as far as it was evaluated, and in what was
decided. Prints a line a file, and names each condition of the core that is
missing. Fails if a file is below its floor. FLOORS (beside this file:
floors-mcdc.txt) has a line for each:

    PATH CONDITIONS         per cent; PATH is a file, or a folder with its /

What report.py leaves out is left out here, too: decisions with a check or a
compare-and-swap on a line of theirs, and those marked in the source. BUILD is of
the preset mcdc, its tests have run with LLVM_PROFILE_FILE=BUILD/counts/....
"""
import collections
import json
import pathlib
import re
import subprocess
import sys

from report import CHECKS, add_up, below, is_of, percent

MARK = re.compile(r'GCOVR_EXCL_(LINE|BR_LINE|START|STOP)')


def export(build):
    """What llvm-cov tells of the whole library, which the tests link piece by
    piece: a function is known by its name and its shape."""
    counts = sorted((build / 'counts').glob('*.profraw'))
    if not counts:
        sys.exit('mcdc: no test has counted anything')
    merged = build / 'counts' / 'all.profdata'
    (build / 'counts' / 'list').write_text(
        ''.join(f'{path}\n' for path in counts), encoding='utf-8')
    subprocess.run(['llvm-profdata-19', 'merge', '--sparse', '-o', merged,
                    '--input-files', build / 'counts' / 'list'], check=True)
    out = subprocess.run(['llvm-cov-19', 'export', '--instr-profile', merged,
                          build / 'libroost.so'], check=True,
                         stdout=subprocess.PIPE).stdout
    return json.loads(out)['data'][0]['files']


class Source:
    """The text of a file, and which of its lines do not count."""

    def __init__(self, path):
        self.lines = path.read_text(encoding='utf-8').split('\n')
        self.out = set()
        inside = False
        for number, line in enumerate(self.lines, 1):
            marks = MARK.findall(line)
            inside = inside or 'START' in marks
            if inside or marks or re.match(CHECKS, line):
                self.out.add(number)
            inside = inside and 'STOP' not in marks

    def counts(self, decision):
        first, _, last, _ = decision
        return not any(n in self.out for n in range(first, last + 1))

    def text(self, where):
        """Of a condition, on one line."""
        first, left, last, right = where
        rows = self.lines[first - 1:last]
        rows[-1] = rows[-1][:right - 1]
        rows[0] = rows[0][left - 1:]
        return ' '.join(' '.join(rows).split())


def conditions_of(file, decision, n):
    """Where they stand; what llvm-cov says of them has no places. None: it
    cannot be told."""
    first, left, last, right = decision
    places = sorted({tuple(b[:4]) for b in file['branches']
                     if (first, left) <= (b[0], b[1]) and
                     (b[2], b[3]) <= (last, right)})
    return places if len(places) == n else None


class File:
    """The decisions of one: for each place which conditions were shown. A
    function that is inlined in several files is told of several times."""

    def __init__(self, name, root, told):
        self.name = name
        self.told = told
        self.source = Source(root / name)
        self.decisions = collections.defaultdict(list)
        for record in told['mcdc_records']:
            place, shown = tuple(record[:4]), record[-1]
            if self.source.counts(place):
                self.decisions[place].append(shown)
        self.decisions = {place: [any(each) for each in zip(*all_shown)]
                          for place, all_shown in self.decisions.items()}

    def sum(self):
        shown = [s for d in self.decisions.values() for s in d]
        return sum(shown), len(shown)

    def missing(self):
        for place, shown in sorted(self.decisions.items()):
            where = conditions_of(self.told, place, len(shown))
            for i, ok in enumerate(shown):
                if ok:
                    continue
                text = self.source.text(where[i] if where else place)
                which = '' if where else f'condition {i + 1} of '
                line = where[i][0] if where else place[0]
                yield f'{self.name}:{line}: {which}{text}'


def measure(root, build):
    files = {}
    for told in export(build):
        name = re.search(r'\b(sched|sync)/.*', told['filename'])
        if name:
            files[name[0]] = File(name[0], root, told)
    return files


def read_floors(path):
    floors = []
    for line in path.read_text(encoding='utf-8').splitlines():
        words = line.split('#')[0].split()
        if words:
            floors.append((words[0], float(words[1])))
    return floors


def row(name, n):
    return f'{name:36} {n[0]:6} {n[1]:6} {percent(*n):6.1f}'


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    build = pathlib.Path(sys.argv[2]).resolve()
    floors = read_floors(pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else
                         pathlib.Path(__file__).resolve().parent /
                         'floors-mcdc.txt')
    files = measure(root, build)
    sums = {name: file.sum() for name, file in files.items()}
    sums = {name: n for name, n in sums.items() if n[1] > 0}
    status = 0
    print(f'{"conditions that decide":36} {"shown":>6} {"of":>6} {"%":>6}')
    for name in sorted(sums):
        print(row(name, sums[name]))
    for path in ('sched/', 'sync/'):
        print(row(path, add_up(sums, path) or (0, 0)))
    core = [path for path, _ in floors if path in sums]
    print(row('the core', [sum(n) for n in zip(*map(sums.get, core))]))
    for path, floor in floors:
        n = add_up(sums, path) or (0, 0)
        for place in files[path].missing() if path in core else ():
            print(place)
        if below(*n, floor):
            print(f'mcdc: {path}: {percent(*n):.1f} %, {floor:g} wanted',
                  file=sys.stderr)
            status = 1
    return status


if __name__ == '__main__':
    sys.exit(main())
