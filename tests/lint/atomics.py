"""Memory orders are tagged at both ends; shared words say who writes them.

Every order above RELAXED in sched/ and sync/, every fence and every call of a
spinlock carries a tag (/* D1 */) on its lines or alone on the line above. The
tag is listed under ORDER in the head comment of the file or of its header (or of
its .c), and over the whole tree has an end that releases and one that acquires. A tag that a second
room lists too names the first one's file, so that two tags are not called the
same by chance. Every a32, a64, aptr field has a letter: I O S M R L(x) T(x).
"""

import collections
import re
from typing import NamedTuple

from lint import Plant
from source import Finding, matching

FOLDERS = ('sched', 'sync')
# The door itself: it passes orders through.
EXEMPT = ('sched/base/atomic.h', 'sched/base/barrier.c')
CALL = re.compile(
    r'\b(a32|a64|aptr)_(\w+)\s*\('
    r'|\b(fence_full|fence_acquire|fence_release|barrier_light|barrier_heavy'
    r'|spin_acquire|spin_try|spin_release)\s*\('
)
ORDER = re.compile(r'\b(ACQUIRE|RELEASE|ACQ_REL|SEQ_CST)\b')
TAG = re.compile(r'\b(?!R\d)[A-Z]{1,2}[0-9]{1,2}\b')
HEADING = re.compile(r'^ \* ([A-Z]{3,})\b(.*)$')
ENTRY = re.compile(r'^ \*\s+((?:[A-Z]{1,2}[0-9]{1,2}[ ,/]*)+)(\s.*|)$')
FIELD = re.compile(
    r'^[ \t]*((?:static|_Alignas\([^)]*\))\s+)*(a32|a64|aptr)\s+'
    r'(?!\*)(\w+)[^;(){}]*(?:__attribute__[^;]*)?;',
    re.M,
)
LETTER = re.compile(r'/\*+\s*(?:[IOSMR]\b|[LT]\()')
RELEASING = {'RELEASE', 'ACQ_REL', 'SEQ_CST', 'fence_full', 'fence_release',
             'barrier_light', 'barrier_heavy', 'spin_release'}
ACQUIRING = {'ACQUIRE', 'ACQ_REL', 'SEQ_CST', 'fence_full', 'fence_acquire',
             'barrier_light', 'barrier_heavy', 'spin_acquire', 'spin_try'}


class Use(NamedTuple):
    path: str
    line: int
    call: str
    orders: tuple
    tags: tuple


def order_entries(source):
    """[tag, line, text] for what the head comment lists under ORDER."""
    entries = []
    inside = False
    for number, line in enumerate(source.head().split('\n'), 1):
        heading = HEADING.match(line)
        if heading:
            inside = heading[1] == 'ORDER'
            line = ' *   ' + heading[2].lstrip()
        if not inside:
            continue
        entry = ENTRY.match(line)
        if entry:
            tags = re.findall(r'[A-Z]{1,2}[0-9]{1,2}', entry[1])
            entries += [[tag, number, entry[2].strip()] for tag in tags]
        elif entries:
            entries[-1][2] += '\n' + line.removeprefix(' *').rstrip(' */')
    return entries


def room(path):
    return path.rsplit('.', 1)[0]


def uses(source):
    """Every call with an order above RELAXED, every fence."""
    for m in CALL.finditer(source.plain):
        end = matching(source.plain, m.end() - 1)
        args = source.plain[m.end(): end]
        if m[3]:
            called = not args.strip() or (m[3].startswith('spin_') and
                                          not args.startswith('a32 *'))
            orders = (m[3],) if called else ()
        else:
            orders = tuple(ORDER.findall(args))
        if not orders:
            continue
        first, last = source.line_of(m.start()), source.line_of(end)
        tags = []
        for c in source.comments_at(first, last):
            tags += TAG.findall(c.text)
        call = m[3] or f'{m[1]}_{m[2]}'
        yield Use(source.path, first, call, orders, tuple(tags))


def check_fields(source):
    for m in FIELD.finditer(source.code):
        start = m.start(2)
        if source.in_function(start) and not m[1]:
            continue
        line = source.line_of(start)
        last = source.line_of(m.end())
        if not any(LETTER.match(c.text)
                   for c in source.comments_at(line, last)):
            what = f'{m[2]} {m[3]}: a comment with its letter (I O S M R L T)'
            yield Finding(source.path, line, what)


def check_use(use, declared):
    if not use.tags:
        what = f'{use.call} {"/".join(use.orders)} without a tag'
        yield Finding(use.path, use.line, what)
    for tag in use.tags:
        if tag not in declared:
            what = f'tag {tag} is not listed under ORDER in the head comment'
            yield Finding(use.path, use.line, what)


def ends_missing(tag, found):
    orders = {o for use in found for o in use.orders}
    if not found:
        return f'tag {tag} is listed but used nowhere'
    if not orders & RELEASING:
        return f'tag {tag} has no end that releases'
    if not orders & ACQUIRING:
        return f'tag {tag} has no end that acquires'
    both = len(found) > 1 or 'ACQ_REL' in orders
    return None if both else f'tag {tag} has one end only'


def collect(tree):
    """The ORDER entries of each room, and the uses in each file."""
    listed = collections.defaultdict(list)
    used = {}
    for source in tree.sources(*FOLDERS):
        for entry in order_entries(source):
            listed[room(source.path)].append((source.path, *entry))
        if source.path not in EXEMPT:
            used[source.path] = list(uses(source))
    return listed, used


def check_tags(listed, used):
    """Each tag of each room: its ends, and whether others mean the same."""
    rooms = collections.defaultdict(dict)
    for name, entries in listed.items():
        for path, tag, line, text in entries:
            if not TAG.fullmatch(tag):
                what = f'tag {tag} is called like a rule: rename it'
                yield Finding(path, line, what)
                continue
            rooms[tag].setdefault(name, (path, line, text))
    for tag, where in rooms.items():
        found = [u for us in used.values() for u in us if tag in u.tags]
        path, line, _ = next(iter(where.values()))
        missing = ends_missing(tag, found)
        if missing:
            yield Finding(path, line, missing)
        bases = [r.rsplit('/', 1)[1] + '.' for r in where]
        strangers = [(p, n) for p, n, text in where.values()
                     if not any(b in text for b in bases)]
        for path, line in strangers[1:]:
            others = ', '.join(r for r in where if r != room(path))
            what = f'tag {tag} is also listed by {others}: name it, or rename'
            yield Finding(path, line, what)


def check(tree, options):
    listed, used = collect(tree)
    for path, found in used.items():
        declared = {entry[1] for entry in listed[room(path)]}
        for use in found:
            yield from check_use(use, declared)
    yield from check_tags(listed, used)
    for source in tree.sources(*FOLDERS):
        if source.path != 'sched/base/atomic.h':
            yield from check_fields(source)
    yield from check_table(tree)


TABLE = 'docs/memory-order.md'


def check_table(tree):
    if tree.exists(TABLE):
        if (tree.root / TABLE).read_text(encoding='utf-8') != table(tree):
            yield Finding(TABLE, 1, 'is out of date: ./run orders')


def table(tree):
    """docs/memory-order.md: every pair, from the head comments and the code."""
    listed, used = collect(tree)
    out = ['# Memory orders', '',
           'Written by `./run orders` from the head comments; do not edit.',
           'Every order above relaxed in sched/ and sync/ is one of these.']
    for name in sorted(listed):
        out += ['', f'## {name}', '']
        for path, tag, line, text in listed[name]:
            out += [f'**{tag}** ({path})', '', '```', text, '```', '']
            for use in (u for us in used.values() for u in us
                        if tag in u.tags):
                orders = ', '.join(use.orders)
                out.append(f'- {use.path}: `{use.call}` {orders}')
            out.append('')
    return '\n'.join(out).rstrip() + '\n'


HEAD = ('/*\n * zz.c - x.\n *\n * ORDER\n'
        ' *   ZA1  put: release  ->  get: acquire    the item\n */\n')
BOTH = ('void put(a32 *p)\n{\n    a32_store(p, 1, RELEASE); /* ZA1 */\n}\n'
        'int get(a32 *p)\n{\n    /* ZA1 */\n    return a32_load(p, ACQUIRE);\n'
        '}\n')
PLANTS = [
    Plant('sched/zz.c', HEAD + BOTH, None),
    Plant('sched/zz.c', 'void f(a32 *p)\n{\n    a32_store(p, 1, RELEASE);\n}\n',
          'a32_store RELEASE without a tag', 3),
    Plant('sync/zz.c', 'void f(void)\n{\n    fence_full();\n}\n',
          'fence_full fence_full without a tag', 3),
    Plant('sched/zz.c', 'void f(void)\n{\n    barrier_light();\n}\n',
          'barrier_light', 3),
    Plant('sched/zz.c', 'void f(a32 *p)\n{\n    spin_acquire(p);\n}\n',
          'spin_acquire spin_acquire without a tag', 3),
    Plant('sched/zz.c', HEAD + 'void f(a32 *p)\n{\n'
          '    spin_acquire(p); /* ZA1 */\n}\n',
          'ZA1 has no end that releases', 5),
    Plant('sched/zz.c', HEAD + 'void f(a32 *p)\n{\n'
          '    spin_acquire(p); /* ZA1 */\n'
          '    spin_release(p); /* ZA1 */\n}\n', None),
    Plant('sched/zz.c', HEAD + BOTH + 'void f(a64 *p)\n{\n'
          '    a64_add(p, 1,\n            ACQ_REL);\n}\n', 'without a tag', 18),
    # The tag of the line above does not count twice.
    Plant('sched/zz.c', HEAD + BOTH + 'void f(a32 *p)\n{\n'
          '    a32_store(p, 1, RELEASE); /* ZA1 */\n'
          '    a32_store(p, 2, RELEASE);\n}\n', 'without a tag', 19),
    Plant('sched/zz.c', HEAD + BOTH + 'void f(a32 *p)\n{\n'
          '    a32_store(p, 1, RELEASE); /* ZA2 */\n}\n', 'ZA2 is not listed',
          18),
    Plant('sched/zz.c', HEAD.replace('ZA1', 'R12'), 'called like a rule', 5),
    # A rule is no tag.
    Plant('sched/zz.c', 'void f(a32 *p)\n{\n'
          '    a32_store(p, 1, RELEASE); /* R12 */\n}\n', 'without a tag', 3),
    Plant('sched/zz.c', HEAD + 'void f(a32 *p)\n{\n'
          '    a32_store(p, 1, RELEASE); /* ZA1 */\n'
          '    a32_store(p, 2, RELEASE); /* ZA1 */\n}\n',
          'ZA1 has no end that acquires', 5),
    Plant('sched/zz.c', HEAD + 'int f(a32 *p)\n{\n'
          '    return a32_load(p, ACQUIRE); /* ZA1 */\n}\n',
          'ZA1 has no end that releases', 5),
    Plant('sched/zz.c', HEAD, 'ZA1 is listed but used nowhere', 5),
    Plant('sched/zz.c', HEAD + 'int f(a32 *p)\n{\n'
          '    return a32_load(p, SEQ_CST); /* ZA1 */\n}\n',
          'ZA1 has one end only', 5),
    Plant('sched/zz.h', 'struct z {\n    a32 word; /* shared */\n};\n',
          'a32 word', 2),
    Plant('sched/zz.h', 'struct z {\n    a32 word; /* M: it */\n'
          '    /* L(lock): the list */\n    aptr head;\n'
          '    a64 n __attribute__((aligned(64))); /* S owner */\n};\n', None),
    Plant('sched/zz.c', 'static a64 counter;\n', 'a64 counter'),
    Plant('sched/zz.c', 'void f(void)\n{\n    static aptr once;\n}\n',
          'aptr once', 3),
    Plant('docs/memory-order.md', 'old\n', 'is out of date'),
]
