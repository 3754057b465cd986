"""Every file that synchronises has a model. One that gives an order above
relaxed, a fence or a barrier in sched/ or sync/ is named by a model's
`// MODEL-SOURCES:` or `// MODEL-HEADERS:`, so that each of its orders is
weakened in turn and must be caught (tests/model/mutants.py), or stands in
tests/model/uncovered.txt with the reason. What mutants_allowed.txt lets survive
is there. --table: which model covers which."""

import pathlib
import re
import sys

from lint import Plant
from source import Finding

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / 'model'))
import mutants  # noqa: E402

UNCOVERED = 'tests/model/uncovered.txt'
ALLOWED = 'tests/model/mutants_allowed.txt'
FOLDERS = ('sched', 'sync')
COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/', re.DOTALL)
ORDER = re.compile(r'\b(ACQUIRE|RELEASE|ACQ_REL|SEQ_CST|fence_full'
                   r'|fence_acquire|fence_release|barrier_light'
                   r'|barrier_heavy)\b')
USE = re.compile(r'\b(?:a32|a64|aptr)_[a-z]\w*\s*\(')
LINE = re.compile(r'MODEL-(SOURCES|HEADERS|WITH):(.*)')
NAME = re.compile(r'[\w/]+\.[ch]')


def read(path):
    return path.read_text(encoding='utf-8')


def named(tree):
    """{file: (models that weaken it, models that only run it)}"""
    found = {}
    for path in sorted((tree.root / 'tests/model').glob('*_model.c')):
        model = path.name[:-len('_model.c')]
        for kind, names in LINE.findall(read(path)):
            for name in NAME.findall(names):
                found.setdefault(name, ([], []))[kind == 'WITH'].append(model)
    return found


def uncovered(tree):
    """{file: (line, reason)}"""
    found = {}
    path = tree.root / UNCOVERED
    lines = read(path).split('\n') if path.exists() else []
    for number, line in enumerate(lines, 1):
        if line and not line.startswith('#'):
            name, _, reason = line.partition(' ')
            found[name] = (number, reason.strip())
    return found


def uses(tree):
    """(file, line of its first order above relaxed or None)"""
    for folder in FOLDERS:
        for path in sorted((tree.root / folder).rglob('*.[ch]')):
            code = COMMENT.sub(lambda m: re.sub(r'[^\n]', ' ', m.group()),
                               read(path))
            order = ORDER.search(code)
            if order or USE.search(code):
                yield (path.relative_to(tree.root).as_posix(),
                       code.count('\n', 0, order.start()) + 1
                       if order else None)


def stale(tree):
    """Lines of mutants_allowed.txt, of which there is no such mutant."""
    path = tree.root / ALLOWED
    lines = read(path).split('\n') if path.exists() else []
    places = {}
    for number, line in enumerate(lines, 1):
        name, *key = line.split(None, 4)[:4] or ['#']
        if name.startswith('#'):
            continue
        if name not in places:
            places[name] = {
                m.key() for m in
                mutants.Source(str(tree.root), name).mutants(half=True)
            } if (tree.root / name).exists() else ()
        if tuple(key) not in places[name]:
            yield Finding(ALLOWED, number, 'there is no such mutant')


def check(tree, options):
    yield from stale(tree)
    models, reasons = named(tree), uncovered(tree)
    synchronise = {name: line for name, line in uses(tree)
                   if line is not None}
    for name, line in synchronise.items():
        if not models.get(name, ([],))[0] and name not in reasons:
            yield Finding(name, line, 'synchronises, and no model weakens it')
    for name, (line, reason) in reasons.items():
        if name not in synchronise:
            yield Finding(UNCOVERED, line, f'{name} does not synchronise')
        elif models.get(name, ([],))[0]:
            yield Finding(UNCOVERED, line, f'{name} has a model')
        elif not reason:
            yield Finding(UNCOVERED, line, 'no reason')


def table(tree):
    models, reasons = named(tree), uncovered(tree)
    rows = ['| file | models that weaken its orders | others that run it |',
            '|---|---|---|']
    for name, line in uses(tree):
        own, run = models.get(name, ([], []))
        what = ' '.join(own)
        if not own:
            what = (reasons[name][1] if name in reasons else
                    'all relaxed' if line is None else 'none')
        rows.append(f'| {name} | {what} | {len(run) or ""} |')
    return '\n'.join(rows) + '\n'


PLANTS = [
    Plant('sched/zz.c', 'int a;\nint b = ACQUIRE;\n',
          'no model weakens it', 2),
    Plant('sync/zz.c', '\n\nvoid f(void) { barrier_light(); }\n',
          'no model weakens it', 3),
    Plant('sched/zz.c', '/* ACQUIRE */ int b = RELAXED;\n', None),
    Plant(UNCOVERED, 'sched/zz.c it is not there\n', 'does not synchronise'),
    Plant(UNCOVERED, '# a\nsched/deque.c for no reason\n', 'has a model', 2),
    Plant(UNCOVERED, 'sched/poller.h\n', 'no reason'),
    Plant(ALLOWED, '# a\nsched/zz.c f ACQUIRE#1 A1 it is not there\n',
          'no such mutant', 2),
    Plant(ALLOWED, 'sched/steal.c work_exists fence_acquire#1 I9 a wrong tag\n',
          'no such mutant'),
    Plant(ALLOWED, 'sched/steal.c work_exists fence_acquire#1 I2 it is there\n',
          None),
]
