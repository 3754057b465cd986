"""Who may include whom: the rooms of docs/architecture.md.

base stands on libc alone; the leaves on base and never on each other; the core
on the leaves; sync/ on wait.h, wait_row.h, when.h and base; the programs, the
conformance tests and parallel_*.c on the public headers alone. Shared memory has one door.
"""

import posixpath
import re

from lint import Plant
from source import Finding

LEAVES = {'stack', 'deque', 'inject', 'park', 'wheel', 'ring', 'slot'}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)
ATOMIC = re.compile(r'\b(?:__atomic_|__sync_)\w+|\b_Atomic\b|\batomic_\w+\s*\(')
# base/atomic.h is the library's door, test.h the tests', which must not see
# the library's, hot.h that of programs; the explorer replaces the first and the
# last.
DOORS = ('sched/base/atomic.h', 'tests/test.h', 'include/roost/hot.h')
MODEL_DOOR = 'tests/model/model_atomic.h'
ATOMIC_FOLDERS = ('sched', 'sync', 'include', 'tests')

# What sync/ stands on: waits, and tasks that wait before they start.
WAITING = ('sched/wait.h', 'sched/wait_row.h', 'sched/when.h')

# What each room may include, beside itself, libc and the event macros.
MAY = {
    'base': set(),
    'leaf': {'base'},
    'core': {'base', 'leaf', 'core', 'public'},
    'sync': {'base', 'wait', 'public'},
    'events': {'base', 'public'},
    'public': set(),
    'user': {'public'},
}

# What all tests share, and nothing of the library.
TESTS_COMMON = ('tests/test.h', 'tests/sanitized.h', 'tests/procfs.h')

# What the programs share, no more than a file each.
APPS_COMMON = ('user', 'benchmarks/apps/common')


def room(path):
    """(kind, name): files of one name in one kind are one room."""
    parts = path.split('/')
    stem = parts[-1].split('.')[0]
    if path.startswith('include/roost/'):
        return 'public', ''
    if path.startswith('sched/base/'):
        return 'base', ''
    if path.startswith('sched/arch/'):
        return 'leaf', 'arch'
    if path.startswith('sched/observe/'):
        return 'events' if stem.startswith('event') else 'observe', ''
    if path.startswith('sched/parallel_'):
        return 'user', 'parallel'
    if parts[0] == 'sched':
        stem = stem.split('_')[0]  # stack_tools.c is in stack's room
        return ('leaf', stem) if stem in LEAVES else ('core', '')
    if parts[0] == 'sync':
        return 'sync', ''
    if path.startswith('tests/conformance/') or path in TESTS_COMMON:
        return 'user', 'conformance'
    if path.startswith(('benchmarks/apps/', 'docs/examples/')):
        return 'user', '/'.join(parts[:3])
    return 'free', ''


def resolve(tree, source, name):
    """The file that a quoted include means, or None."""
    folder = source.path.rsplit('/', 1)[0]
    for base in (folder, 'sched', 'sync', 'include', 'tests', 'tests/model'):
        path = posixpath.normpath(f'{base}/{name}')
        if tree.exists(path):
            return path
    return None


def allowed(mine, other, other_path):
    if mine[0] in ('observe', 'free') or other[0] == 'events':
        return True
    if mine == other:
        return True
    if other == APPS_COMMON:
        return mine[0] == 'user' and mine[1].startswith('benchmarks/apps/')
    if other_path == MODEL_DOOR:
        return mine[0] == 'base'
    if other_path in WAITING and 'wait' in MAY[mine[0]]:
        return True
    if mine[0] == 'leaf' and other[0] == 'leaf':
        return False
    return other[0] in MAY[mine[0]]


def includes(source):
    for m in INCLUDE.finditer(source.text):
        if source.plain[m.start(1)] != ' ':  # not in a comment
            yield source.line_of(m.start(1)), m[1], m[2]


def check_file(tree, source):
    mine = room(source.path)
    own = source.path.rsplit('.', 1)[0] + '.h'
    first = True
    for line, quote, name in includes(source):
        if quote == '"':
            target = resolve(tree, source, name)
        else:
            target = f'include/{name}' if name.startswith('roost/') else ''
        if target is None:
            yield Finding(source.path, line, f'no such file: "{name}"')
        elif target and not allowed(mine, room(target), target):
            kind = ' '.join(filter(None, mine))
            yield Finding(source.path, line, f'{kind} may not include {target}')
        if first and source.path.endswith('.c') and tree.exists(own):
            if target != own:
                yield Finding(source.path, line, f'{own} must come first')
        first = False


def check_atomics(source):
    if source.path in DOORS or source.path.startswith('tests/model/'):
        return
    for line, _, name in includes(source):
        if name == 'stdatomic.h':
            yield Finding(source.path, line, '<stdatomic.h>: use base/atomic.h')
    for m in ATOMIC.finditer(source.plain):
        what = f'{m[0].rstrip(" (")}: use base/atomic.h'
        yield Finding(source.path, source.line_of(m.start()), what)


def check(tree, options):
    folders = ('sched', 'sync', 'include', 'tests', 'benchmarks', 'docs')
    for source in tree.sources(*folders):
        yield from check_file(tree, source)
    for source in tree.sources(*ATOMIC_FOLDERS):
        yield from check_atomics(source)


PLANTS = [
    Plant('sched/base/zz.c', '#include <roost/base.h>\n', 'base may not'),
    Plant('sched/base/zz.c', '\n#include "deque.h"\n', 'base may not', 2),
    Plant('sched/stack.c', '#include "stack.h"\n#include "deque.h"\n',
          'leaf stack may not include sched/deque.h', 2),
    Plant('sched/deque.c', '#include "deque.h"\n#include "scope.h"\n',
          'leaf deque may not include sched/scope.h', 2),
    Plant('sched/deque.c', '#include <stdlib.h>\n#include "deque.h"\n',
          'sched/deque.h must come first'),
    Plant('sync/zz.c', '#include "deque.h"\n', 'sync may not'),
    Plant('sched/stack_zz.c', '#include "stack.h"\n', None),
    Plant('sched/zz.c', '#include "observe/events.h"\n', None),
    Plant('sched/zz.c', '#include "observe/track.h"\n',
          'core may not include sched/observe/track.h'),
    Plant('sync/zz.c', '#include "observe/track.h"\n', 'sync may not'),
    Plant('sched/observe/events.h', '#include "scope.h"\n',
          'events may not include sched/scope.h'),
    Plant('sched/stack_zz.c', '#include "deque.h"\n', 'leaf stack may not'),
    Plant('sync/zz.c', '#include "wait.h"\n#include "base/list.h"\n', None),
    Plant('sync/zz.c', '/*\n#include "deque.h"\n*/\n', None),
    Plant('include/roost/zz.h', '#include "deque.h"\n', 'public may not'),
    Plant('tests/conformance/zz_test.c', '#include "base/atomic.h"\n',
          'user conformance may not'),
    Plant('benchmarks/apps/zz/a.c', '#include "../../../sched/deque.h"\n',
          'may not include sched/deque.h'),
    Plant('benchmarks/apps/zz/a.c', '#include "../common/duration.h"\n', None),
    Plant('benchmarks/apps/zz/a.c', '#include "../httpd/gate.h"\n',
          'may not include benchmarks/apps/httpd/gate.h'),
    Plant('benchmarks/apps/common/zz.c', '#include "../httpd/gate.h"\n',
          'may not include benchmarks/apps/httpd/gate.h'),
    Plant('docs/examples/zz.c',
          '#include "../../benchmarks/apps/common/duration.h"\n',
          'may not include benchmarks/apps/common/duration.h'),
    Plant('sched/parallel_zz.c', '#include "scope.h"\n',
          'user parallel may not'),
    Plant('sched/zz.c', '#include "no_such_file.h"\n', 'no such file'),
    Plant('sched/zz.c', '#include <stdatomic.h>\n', '<stdatomic.h>'),
    Plant('sched/zz.c', 'int f(int *p)\n{\n'
          '    return __atomic_load_n(p, 0);\n}\n', '__atomic_load_n', 3),
    Plant('tests/unit/zz_test.c', '#define X(p) __sync_synchronize()\n',
          '__sync_synchronize'),
    Plant('sched/zz.c', '/* __atomic_load_n */\nchar *s = "__sync_x";\n', None),
]
