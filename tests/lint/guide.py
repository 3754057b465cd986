"""The guides and README.md say what the tree says: a block of code under a
heading like

    ```c workers.c

stands word for word in docs/examples/workers.c, as whole lines in that order; a
line "..." (in Python "# ...", in Go and Rust "// ...") leaves some out; so does
what a program prints, under "```output workers.out": the tests build it, run it
and compare. Every roost_ and ROOST_ name is one of the public headers, or a
variable of the environment that the library asks for, every link leads to a
file. Of each program in another language both forms are shown. The index leads
to every page, and each of its numbered chapters shows a program."""

import re

from lint import Plant
from source import Finding

GUIDES = 'docs/guide'
EXAMPLES = 'docs/examples'
# Of the environment: getenv takes them, no header has them.
VARIABLES = {'ROOST_WORKERS', 'ROOST_SEED', 'ROOST_BACKEND',
             'ROOST_SIM_STRATEGY'}
INDEX = f'{GUIDES}/README.md'
LANGUAGES = ('c', 'cpp', 'python', 'go', 'rust', 'output')
# The programs that an example replaces, and which example that is where it is
# not called so.
FOREIGN = ('python/*.py', 'go/*.go', 'tokio/src/*.rs', 'pthreads/*.c',
           'openmp/*.c', 'onetbb/*.cpp', 'libdill/*.c')
TWINS = {'main': 'select', 'fetchers_trio': 'fetchers'}
HELPERS = {'virtual'}  # Python that is no example
NAME = re.compile(r'\b(?:roost|ROOST)_\w+')
ASKED = re.compile(r'(?:getenv|read_number)\("(ROOST_\w+)"')
LINK = re.compile(r'\]\(([^)#\s]+)')
CHAPTER = re.compile(r'^\d+\. .*?\]\((\w[\w-]*\.md)\)')
ELLIPSIS = ('...', '# ...', '// ...')


def public_names(tree):
    names = set()
    for source in tree.sources('include', suffixes=('.h',)):
        names.update(NAME.findall(source.plain))
    for source in tree.sources('sched'):
        names.update(ASKED.findall(source.text))
    return names


def blocks(lines):
    """(line, info string, text lines) of each fenced block, from 1."""
    first = None
    for number, line in enumerate(lines, 1):
        if not line.startswith('```'):
            continue
        if first is None:
            first = number
        else:
            yield first, lines[first - 1][3:].strip(), lines[first: number - 1]
            first = None


def pieces(text):
    piece = []
    for line in text:
        if line.strip() in ELLIPSIS:
            yield piece
            piece = []
        else:
            piece.append(line)
    yield piece


def stands_in(piece, lines, begin):
    """Where the piece ends in lines, looked for from begin; -1 if nowhere."""
    while piece and not piece[0]:
        piece = piece[1:]
    while piece and not piece[-1]:
        piece = piece[:-1]
    for at in range(begin, len(lines) - len(piece) + 1):
        if piece and lines[at: at + len(piece)] == piece:
            return at + len(piece)
    return -1


def check_block(tree, path, line, info, text):
    language, _, name = info.partition(' ')
    if language not in LANGUAGES:
        return
    example = f'{EXAMPLES}/{name}'
    if not name or not tree.exists(example):
        yield Finding(path, line, f'no such example: "{name}"')
        return
    lines = (tree.root / example).read_text(encoding='utf-8').split('\n')
    end = 0
    for piece in pieces(text):
        end = stands_in(piece, lines, end)
        if end < 0:
            yield Finding(path, line, f'not word for word in {example}')
            return


def check_guide(tree, path, names, shown):
    lines = (tree.root / path).read_text(encoding='utf-8').split('\n')
    code = set()
    for line, info, text in blocks(lines):
        shown.add(info.partition(' ')[2])
        code.update(range(line, line + len(text) + 1))
        yield from check_block(tree, path, line, info, text)
    for number, text in enumerate(lines, 1):
        for name in set(NAME.findall(text)):
            if name not in names | VARIABLES:
                yield Finding(path, number, f'{name} is in no public header')
        for target in LINK.findall(text) if number not in code else ():
            there = (tree.root / path).parent / target
            if '://' not in target and not there.exists():
                yield Finding(path, number, f'no such file: {target}')


def check_index(tree, guides):
    """Every page is in it; a numbered one shows a program."""
    text = (tree.root / INDEX).read_text(encoding='utf-8')
    linked = set(LINK.findall(text))
    for guide in guides:
        if guide.name not in linked | {'README.md'}:
            path = guide.relative_to(tree.root).as_posix()
            yield Finding(path, 1, f'is not in {INDEX}')
    for number, line in enumerate(text.split('\n'), 1):
        chapter = CHAPTER.match(line)
        page = tree.root / GUIDES / chapter[1] if chapter else None
        if page and page.exists() and '\n```c ' not in page.read_text('utf-8'):
            yield Finding(INDEX, number, f'{chapter[1]} shows no program')


def check_foreign(tree, shown):
    for pattern in FOREIGN:
        for program in sorted((tree.root / EXAMPLES).glob(pattern)):
            if program.stem in HELPERS:
                continue
            path = program.relative_to(tree.root / EXAMPLES).as_posix()
            twin = f'{TWINS.get(program.stem, program.stem)}.c'
            for example in (path, twin):
                if example not in shown:
                    yield Finding(f'{EXAMPLES}/{path}', 1,
                                  f'no guide shows {example}')


def check(tree, options):
    names = public_names(tree)
    shown = set()
    guides = sorted((tree.root / GUIDES).glob('*.md'))
    for guide in [tree.root / 'README.md', *guides]:
        path = guide.relative_to(tree.root).as_posix()
        yield from check_guide(tree, path, names, shown)
    yield from check_index(tree, guides)
    yield from check_foreign(tree, shown)


def guide(*lines):
    return ''.join(f'{s}\n' for s in lines)


PLANTS = [
    Plant('docs/guide/tracing.md', guide('```c hello.c', 'struct half {',
          '    int from, to;', '...', '', 'int main(void)', '```'), None),
    Plant('docs/guide/tracing.md', guide('', '```c hello.c', 'struct half {',
          '    int from, till;', '```'), 'not word for word', 2),
    Plant('docs/guide/tracing.md', guide('```c hello.c', 'int main(void)',
          '...', 'struct half {', '```'), 'not word for word'),
    Plant('docs/guide/tracing.md', guide('```c hello.c', '```'),
          'not word for word'),
    Plant('docs/guide/tracing.md', guide('```c', 'int x;', '```'),
          'no such example'),
    Plant('docs/guide/tracing.md', guide('```python zz.py', 'x = 1', '```'),
          'no such example'),
    Plant('docs/guide/tracing.md', guide('```go go/zz.go', 'x := 1', '```'),
          'no such example'),
    Plant('docs/guide/tracing.md', guide('```output hello.out', 'hullo', '```'),
          'not word for word'),
    Plant('docs/guide/tracing.md', guide('```sh', 'make', '```'), None),
    Plant('docs/guide/tracing.md', 'Call `roost_run` with `ROOST_SHIELD`.\n',
          None),
    Plant('docs/guide/tracing.md', 'Set `ROOST_SEED`, `ROOST_TRACE`.\n', None),
    Plant('docs/guide/tracing.md', '\n`roost_rum`\n', 'roost_rum is in no', 2),
    Plant('docs/guide/tracing.md',
          '[here](../../run) [there](http://a.b/c)\n',
          'no such file: ../../run'),
    Plant('docs/guide/tracing.md', '[here](../examples/hello.c)\n', None),
    Plant('README.md', '[there](docs/guide/zz.md)\n', 'no such file: docs'),
    Plant('README.md', '```c hello.c\nint x;\n```\n', 'not word for word'),
    Plant('docs/guide/zz.md', 'A page.\n', 'is not in docs/guide/README.md'),
    Plant('docs/guide/README.md', '1. [A page](choosing.md)\n',
          'choosing.md shows no program'),
    Plant('docs/examples/python/zz.py', 'x = 1\n', 'no guide shows zz.c'),
    Plant('docs/examples/python/zz.py', 'x = 1\n', 'shows python/zz.py'),
    Plant('docs/examples/go/zz.go', 'package main\n', 'shows go/zz.go'),
]
