"""The manual in docs/man says what the headers say: every public function,
macro and type has a page, every SYNOPSIS compiles against the headers as a
second declaration, every example compiles and has a test in tests/manual that
runs it, every error that a header's comment names is in ERRORS of its page, and
every page and test referred to exists: of other projects those of FOREIGN."""

import collections
import re
import subprocess

from lint import Plant
from page import PRELUDE, pages
from public import CODE, declarations
from source import Finding

DEFINE = re.compile(r'^[ \t]*#[ \t]*define[ \t]+(roost_\w*|ROOST_\w*)(\(?)',
                    re.M)
TYPE = re.compile(r'^(?:typedef .*?|\} )(roost_\w+);', re.M)
FUNCTION_TYPE = re.compile(r'^typedef .*\(\*(\w+)\)', re.M)
INLINE = re.compile(r'^(?:static inline|ROOST_HOT_INLINE_) [^;{(]*?'
                    r'\b(roost_\w+)\(', re.M)
SAID = re.compile(r'^(docs/man/[^:\n]+):(\d+):(?:\d+:)? '
                  r'(?:fatal )?(?:error|warning): (.*)$', re.M)
# Pages of other projects that ours refer to.
FOREIGN = set("""
addr2line(1) gcore(1) gdb(1) grep(1) sh(1) timeout(1)
close(2) eventfd(2) execve(2) fork(2) membarrier(2) open(2) pidfd_open(2)
poll(2) read(2) signalfd(2) waitpid(2) write(2)
dlopen(3) exit(3) getaddrinfo(3) longjmp(3) printf(3) pthread_exit(3) qsort_r(3)
sigwait(3) epoll(7) bpftrace(8)
""".split())
# How headers are compiled, no part of what a program calls.
PRIVATE = {'ROOST_API', 'ROOST_MUST_CHECK', 'ROOST_PRINTF'}
# Names that have their page and come with their header: from then on they are
# checked like all others.
COMING = set()
FLAGS = ['-fsyntax-only', '-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra',
         '-Werror', '-Wno-unused-function', '-Wno-unused-parameter']


class Public:
    """What the headers offer."""

    def __init__(self, tree):
        self.functions = {}   # name -> (path, line)
        self.macros = {}      # with arguments
        self.constants = {}   # without
        self.types = {}
        self.promised = collections.defaultdict(set)  # name -> errors
        for source in tree.sources('include', suffixes=('.h',)):
            self._read(source)

    def _read(self, source):
        for name, line, codes in commented(source):
            self.functions[name] = (source.path, line)
            self.promised[name] |= codes
        for m in DEFINE.finditer(source.plain):
            name = m[1]
            if name.endswith('_') or name.endswith('_H') or name in PRIVATE:
                continue
            kind = self.macros if m[2] else self.constants
            kind[name] = (source.path, source.line_of(m.start(1)))
        for pattern, kind in ((TYPE, self.types), (FUNCTION_TYPE, self.types),
                              (INLINE, self.functions)):
            for m in pattern.finditer(source.code):
                if not m[1].endswith('_'):
                    where = (source.path, source.line_of(m.start(1)))
                    kind[m[1]] = where


def commented(source):
    """(name, line, errors of the comment above it): one comment may stand above
    several declarations without a blank line between them."""
    above = {c.last + 1: c.text for c in source.comments if c.alone}
    for name, first, last in declarations(source):
        text = above.get(first, '')
        codes = set(CODE.findall(text))
        if text:
            above[last + 1] = text
        if name.endswith('_until') and name != 'roost_sleep_until':
            codes.add('ETIMEDOUT')
        if '_try_' in name:
            codes.add('EAGAIN')
        yield name, first, codes


def compile_text(tree, options, text):
    """What the compiler says of it, as findings; lines are #line's."""
    run = subprocess.run(
        [options.cc, *FLAGS, '-I', tree.root / 'include', '-x', 'c', '-'],
        input=text, capture_output=True, text=True)
    found = [Finding(path, int(line), f'does not compile: {what}')
             for path, line, what in SAID.findall(run.stderr)]
    if run.returncode != 0 and not found:
        raise SystemExit(run.stderr)
    return found


def check_synopsis(tree, options, page, public):
    lines = [f'#include <{name}>' for name in page.includes]
    for f in page.functions:
        lines.append(f'#line {f.line} "{page.path}"')
        if f.type:
            lines += [f'_Static_assert(sizeof(&{f.name}) > 0, "declared");',
                      f'#line {f.line} "{page.path}"',
                      f'{f.type} {f.name}({", ".join(f.args) or "void"});']
        else:
            lines += [f'#ifndef {f.name}',
                      f'#line {f.line} "{page.path}"',
                      f'#error {f.name} is no macro of its header', '#endif']
    yield from compile_text(tree, options, '\n'.join(lines) + '\n')


def check_examples(tree, options, page):
    test = f'tests/manual/{page.stem}_test.c'
    include = f'#include <{page.stem}.{page.section}.h>'
    if page.examples and (not tree.exists(test) or include not in
                          (tree.root / test).read_text(encoding='utf-8')):
        yield Finding(page.path, page.examples[0][0],
                      f'{test} does not run the example')
    for line, text in page.examples:
        body = '\n'.join(text)
        yield from compile_text(
            tree, options, f'{PRELUDE}#line {line} "{page.path}"\n{body}\n')


def check_functions(page, public):
    """The page's calls, its names, and its errors."""
    named = set(page.names)
    for f in page.functions:
        known = public.functions if f.type else public.macros
        if f.name not in known and f.name not in COMING:
            yield Finding(page.path, f.line,
                          f'{f.name} is in no public header')
        if f.name not in named:
            yield Finding(page.path, f.line, f'{f.name} is not in NAME')
        for code in sorted(public.promised[f.name] - page.errors):
            yield Finding(page.path, f.line,
                          f'{f.name}: {code} is not in ERRORS')
    for line, name in page.constants:
        if name not in public.constants and name not in COMING:
            yield Finding(page.path, line, f'{name} is in no public header')
    if page.section == '3':
        for name in sorted(named - {f.name for f in page.functions}):
            yield Finding(page.path, 1, f'{name} is not in SYNOPSIS')


def check_references(tree, page, names):
    for line, name, section in page.references:
        ours = name.startswith(('roost', 'treegrep', 'ptest'))
        if ((name, section) not in names if ours else
                f'{name}({section})' not in FOREIGN):
            yield Finding(page.path, line, f'no page {name}({section})')
    for line, path, cases in page.tests:
        if not tree.exists(path):
            yield Finding(page.path, line, f'no such test: {path}')
            continue
        text = (tree.root / path).read_text(encoding='utf-8')
        for case in cases:
            if not re.search(rf'\bTEST\w*\(\s*{case}\b', text):
                yield Finding(page.path, line, f'no case {case} in {path}')


def check_covered(public, manual):
    """Every name of the headers has its page."""
    has = {f.name for p in manual for f in p.functions}
    said = set().union(*(p.said for p in manual))
    for kind, where in ((public.functions, has), (public.macros, has),
                        (public.constants, said), (public.types, said)):
        for name, (path, line) in sorted(kind.items()):
            if name not in where:
                yield Finding(path, line, f'no page for {name}')


def check(tree, options):
    public = Public(tree)
    manual = list(pages(tree))
    names = {(n, p.section) for p in manual for n in p.names}
    yield from check_covered(public, manual)
    dates = collections.Counter(p.date for p in manual)
    for page in manual:
        if page.date != dates.most_common(1)[0][0]:
            yield Finding(page.path, 1, 'not the date of the other pages')
        if page.stem not in page.names:
            yield Finding(page.path, 1, f'{page.stem} is not in NAME')
        yield from check_references(tree, page, names)
        yield from check_functions(page, public)
        waits = {f.name for f in page.functions} - set(public.functions)
        if waits & COMING or options.only not in (None, page.path):
            continue
        yield from check_synopsis(tree, options, page, public)
        yield from check_examples(tree, options, page)


def plant(synopsis='.Fn roost_zz "int a"', name='roost_zz', body='',
          date='November 28, 2026'):
    """A page of a call that the tree's headers have not: what a plant adds must
    be found beside that."""
    return '\n'.join([
        f'.Dd {date}', '.Dt ROOST_ZZ 3', '.Os', '.Sh NAME', f'.Nm {name}',
        '.Nd nothing', '.Sh SYNOPSIS', '.In roost/task.h', '.Ft int', synopsis,
        '.Sh DESCRIPTION', 'Nothing.', body, ''])


YIELD = '.Fn roost_yield void'
PAGE = 'docs/man/zz.3'
ALL = '.Sh ERRORS\n.It Bq Er ECANCELED\n.It Bq Er EPERM'
EXAMPLE = '.Sh EXAMPLES\n.Bd -literal\n{}\n.Ed'
FILLED = plant(YIELD, 'zz , roost_yield', f'{EXAMPLE}\n{ALL}')
PLANTS = [
    # What the headers have and the manual lacks.
    Plant('include/roost/zz.h', '/* It. */\nROOST_API int roost_zz(void);\n',
          'no page for roost_zz', 2),
    Plant('include/roost/zz.h', '\n#define ROOST_ZZ 1\n',
          'no page for ROOST_ZZ', 2),
    Plant('include/roost/zz.h', '\n#define roost_zz(a) (a)\n',
          'no page for roost_zz', 2),
    Plant('include/roost/zz.h', 'typedef struct roost_zz {\n    int a;\n'
          '} roost_zz;\n', 'no page for roost_zz', 3),
    Plant('include/roost/zz.h', 'static inline int roost_zz(void)\n{\n'
          '    return 0;\n}\n', 'no page for roost_zz'),
    Plant('include/roost/zz.h', '#define ROOST_ZZ_(a) (a)\n', None),
    # What a page says and the headers do not.
    Plant(PAGE, plant(), 'roost_zz is in no public header', 10),
    Plant(PAGE, plant('.Fn roost_yield "int a"'), 'does not compile', 10),
    Plant(PAGE, plant('.Fn roost_sleep "int d"'), 'does not compile', 10),
    Plant(PAGE, plant('.Fo roost_yield\n.Fa "int a"\n.Fc'), 'not compile', 10),
    Plant(PAGE, plant('.Fn roost_yield void\n.Fn ROOST_ZZ "a"'),
          'does not compile: #error ROOST_ZZ is no macro', 11),
    Plant(PAGE, plant('.Fn roost_sem_init "roost_sem *s" "unsigned permits" '
                      '"unsigned max"'), 'does not compile', 10),
    Plant(PAGE, plant(YIELD, 'roost_yield', 'Or\n.Dv ROOST_ZZ .'),
          'ROOST_ZZ is in no public header', 14),
    # The page in itself.
    Plant(PAGE, plant(YIELD), 'roost_yield is not in NAME', 10),
    Plant(PAGE, plant(YIELD, 'roost_yield , roost_zz'),
          'roost_zz is not in SYNOPSIS'),
    Plant(PAGE, plant(YIELD, 'roost_yield'), 'zz is not in NAME'),
    Plant(PAGE, plant(YIELD, 'roost_yield', date='May 1, 2026'),
          'not the date'),
    Plant(PAGE, plant(YIELD, 'roost_yield'),
          'roost_yield: ECANCELED is not in ERRORS', 10),
    Plant(PAGE, plant('.Fn roost_event_wait_until "roost_event *e" '
                      '"roost_ns deadline"', 'zz'),
          'roost_event_wait_until: ETIMEDOUT is not in ERRORS', 10),
    Plant(PAGE, plant(YIELD, 'roost_yield', '.Xr roost_zzz 3 .'),
          'no page roost_zzz(3)', 13),
    Plant(PAGE, plant(YIELD, 'roost_yield', '.Xr printf 2 .'),
          'no page printf(2)', 13),
    Plant(PAGE, plant(YIELD, 'roost_yield', '.Pq Xr roost_zzz 3 .'),
          'no page roost_zzz(3)', 13),
    Plant(PAGE, plant(YIELD, 'roost_yield', '.Xr roost_spawn 7 .'),
          'no page roost_spawn(7)', 13),
    Plant(PAGE, plant(YIELD, 'roost_yield', '.Pa tests/zz.c'),
          'no such test', 13),
    Plant(PAGE, plant(YIELD, 'roost_yield', '.Pa tests/conformance/'
                      'spawn_test.c\n.Pq Sy fork_join_computes , zz'),
          'no case zz in', 13),
    Plant(PAGE, FILLED.format('int f(void)\n{\n    return roost_yeld();\n}'),
          'does not compile', 17),
    Plant(PAGE, FILLED.format('int f(void);'), 'zz_test.c does not run', 15),
    Plant(PAGE, FILLED.format('void f(roost_scope *s)\n{\n    int i;\n}'),
          'does not compile: unused variable', 17),
]
