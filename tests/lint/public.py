"""Every public function has a comment above it, a test that calls it, and for
each error code that its comment promises a test program that names both."""

import collections
import re

from lint import Plant
from source import Finding

API = re.compile(r'\bROOST_API\b([^;{]*)[;{]')
CODE = re.compile(r'-(E[A-Z]{3,})\b')
NAME = re.compile(r'\b(roost_\w+)\s*\(')


def declarations(source):
    """(name, first line, last line) of every ROOST_API function. A name that
    ends in _ is the library's own, for what its headers inline."""
    for m in API.finditer(source.code):
        name = NAME.search(m[1])
        if name and not name[1].endswith('_'):
            start = source.line_of(m.start())
            yield name[1], start, source.line_of(m.end())


def check_comments(source):
    """A comment right above; one may cover declarations without a blank line
    between them."""
    covered = {c.last + 1 for c in source.comments if c.alone}
    for name, first, last in declarations(source):
        if first in covered:
            covered.add(last + 1)
        else:
            what = f'{name} has no comment right above it'
            yield Finding(source.path, first, what)


def called_in_tests(tree):
    """name -> the error codes that occur in the programs that call it."""
    called = collections.defaultdict(set)
    for source in tree.sources('tests', suffixes=('.c', '.h', '.cpp')):
        codes = set(CODE.findall(source.plain))
        for name in NAME.findall(source.plain):
            called[name] |= codes
    return called


def promised(source, first):
    """The error codes in the comment right above this line."""
    for c in source.comments:
        if c.alone and c.last == first - 1:
            return sorted(set(CODE.findall(c.text)))
    return []


def check(tree, options):
    called = called_in_tests(tree)
    for source in tree.sources('include', suffixes=('.h',)):
        yield from check_comments(source)
        for name, first, _ in declarations(source):
            if name not in called:
                what = f'{name} is called by no test'
                yield Finding(source.path, first, what)
                continue
            for code in promised(source, first):
                if code not in called[name]:
                    what = f'no test that calls {name} names -{code}'
                    yield Finding(source.path, first, what)


PLANTS = [
    Plant('include/roost/zz.h', '/* A file. */\n\n'
          'ROOST_API int roost_zz(void);\n', 'roost_zz has no comment', 3),
    Plant('include/roost/zz.h', '/* Does it. */\n'
          'ROOST_API int roost_zz(void);\n',
          'roost_zz is called by no test', 2),
    Plant('include/roost/zz.h', '/* Does it. */\nROOST_API ROOST_MUST_CHECK\n'
          'int roost_run(void);\nROOST_API int roost_spawn(\n    int a);\n'
          '\nROOST_API int roost_yield(void);\n', 'roost_yield has no comment',
          7),
    Plant('include/roost/zz.h', '/* 0, or -EXDEV. */\n'
          'ROOST_API int roost_spawn(void);\n',
          'no test that calls roost_spawn names -EXDEV', 2),
    Plant('tests/unit/zz_test.c', 'void f(void)\n{\n    /* roost_zz() */\n}\n',
          None),
]
