"""docs/reliability.md names tests that there are. In `FOLDER/FILE:CASE`, under
tests/, CASE is a TEST of that file, a MODEL, a MUTANT's or planted bug's name
in a list (.txt), or a word of a script; `FOLDER/FILE` alone is there. Every
situation that the page's tables list has at least one of them, or says "none".
"""

import re

from lint import Plant
from source import Finding

PAGE = 'docs/reliability.md'
NAMED = re.compile(r'`(\w+/[\w.]+\.(?:c|cpp|py|sh|txt))(?::(\w+))?`')
ROW = re.compile(r'^\| (?!-|promise|situation|layer|figure)(.*?) \|(.*)\|$')


def has(text, path, case):
    """Does the text of a file under tests/ have this case?"""
    if path.endswith(('.c', '.cpp')):
        return re.search(rf'^\s*(?:TEST\w*|MODEL)\({case}\b', text, re.M)
    return re.search(rf'\b{case}\b', text)


def check_line(tree, number, line):
    for path, case in NAMED.findall(line):
        there = f'tests/{path}'
        if not tree.exists(there):
            yield Finding(PAGE, number, f'no such file: {there}')
            continue
        text = (tree.root / there).read_text(encoding='utf-8')
        if case and not has(text, path, case):
            yield Finding(PAGE, number, f'{there} has no {case}')
    row = ROW.match(line)
    if row and not NAMED.search(row[2]) and 'none:' not in row[2] \
            and '`ctest' not in row[2] and '`./run' not in row[2]:
        yield Finding(PAGE, number, f'nothing holds this: {row[1]}')


def check(tree, options):
    if not tree.exists(PAGE):
        return
    text = (tree.root / PAGE).read_text(encoding='utf-8')
    for number, line in enumerate(text.split('\n'), 1):
        yield from check_line(tree, number, line)


PLANTS = [
    Plant(PAGE, '| a | `conformance/cancel_test.c:every_wait_in_a_cancelled'
          '_scope_fails` |\n', None),
    Plant(PAGE, '| a | `conformance/cancel_test.c:no_such_case` |\n',
          'has no no_such_case'),
    Plant(PAGE, '| a | `conformance/cancel_test.c:every_wait` |\n',
          'has no every_wait'),
    Plant(PAGE, '\n`conformance/zz_test.c`\n', 'no such file', 2),
    Plant(PAGE, '| a | nothing |\n', 'nothing holds this: a'),
    Plant(PAGE, '| a | none: it is said why |\n', None),
    Plant(PAGE, '| a | `model/park_model.c` |\n', None),
]
