"""The maps are true: sched/README.md and sync/README.md name each source file of
their folder, a header perhaps by the .c of its name; and each file that they,
docs/architecture.md, docs/parts.md or README.md name in `code` is there."""

import re

from lint import Plant
from source import Finding

MAPS = ('sched', 'sync')
PAGES = ('README.md', 'docs/architecture.md', 'docs/parts.md',
         'sched/README.md', 'sync/README.md')
# What a page may leave out of a path.
PLACES = ('', 'sched/', 'sync/', 'sched/base/', 'sched/arch/',
          'sched/observe/', 'sched/observe/tools/', 'docs/')
SOURCES = ('*.c', '*.h', '*.S', '*.def')
CODE = re.compile(r'`([^`\n]+)`')
FILE = re.compile(r'[\w*/-]+\.(?:c|h|S|def|py|bt|md)')


def named(text):
    """(line, name) of each file in `code`."""
    for number, line in enumerate(text.split('\n'), 1):
        for code in CODE.findall(line):
            if FILE.fullmatch(code):
                yield number, code


def read(tree, path):
    return (tree.root / path).read_text(encoding='utf-8')


def check_map(tree, folder):
    names = {name.rsplit('/', 1)[-1]
             for _, name in named(read(tree, f'{folder}/README.md'))}
    for pattern in SOURCES:
        for path in sorted((tree.root / folder).rglob(pattern)):
            twin = path.with_suffix('.c')
            by_twin = path.suffix == '.h' and twin.exists()
            if path.name not in names and not (by_twin and
                                               twin.name in names):
                yield Finding(path.relative_to(tree.root).as_posix(), 1,
                              f'is not in {folder}/README.md')


def check(tree, options):
    for folder in MAPS:
        yield from check_map(tree, folder)
    for page in PAGES:
        for line, name in named(read(tree, page)):
            if not any(list(tree.root.glob(place + name))
                       for place in PLACES):
                yield Finding(page, line, f'no such file: {name}')


PLANTS = [
    Plant('sched/zz.c', 'int zz;\n', 'is not in sched/README.md'),
    Plant('sched/base/zz.h', 'int zz;\n', 'is not in sched/README.md'),
    Plant('sched/worker.h', 'int zz;\n', None),
    Plant('sync/zz.c', 'int zz;\n', 'is not in sync/README.md'),
    Plant('docs/architecture.md', 'In\n`zz.c`, `scope.c`.\n',
          'no such file: zz.c', 2),
    Plant('docs/architecture.md', '`sched/parallel_*.c` `base/clock.h`\n',
          None),
    Plant('README.md', '`sched/zz.h`\n', 'no such file: sched/zz.h'),
]
