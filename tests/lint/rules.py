"""Every numbered rule of the semantics is named by a test."""

import re

from lint import Plant
from source import Finding

LAST = 72
CASE = re.compile(r'^[ \t]*TEST\w*\(\s*\w+\s*,\s*((?:"[^"\n]*"\s*)+)', re.M)
RULE = re.compile(r'\bR(\d+)\b')
# Rules of sections that are not built yet: each goes when its section comes
# (a part of it may be tested before).
NOT_YET = {}


def named(source):
    """(line, rule) for every rule that a case of this file names."""
    for m in CASE.finditer(source.text):
        for rule in RULE.findall(m[1]):
            yield source.line_of(m.start(1)), int(rule)


def check(tree, options):
    seen = set()
    for source in tree.sources('tests'):
        for line, rule in named(source):
            seen.add(rule)
            if not 1 <= rule <= LAST:
                yield Finding(source.path, line, f'there is no rule R{rule}')
    for rule in range(1, LAST + 1):
        if rule not in seen and rule not in NOT_YET:
            yield Finding('tests', 1, f'no test names R{rule}')


ALL_BUT_5 = ' '.join(f'R{n}' for n in range(1, LAST + 1) if n != 5)
PLANTS = [
    Plant('tests/unit/zz_test.c', f'TEST_WITH(zz, "{ALL_BUT_5}", .x = 1)\n{{}}',
          'no test names R5', alone=True),
    Plant('tests/unit/zz_test.c', 'TEST(zz,\n     "R1 R2 "\n     "R73")\n{}\n',
          'there is no rule R73', 2),
    Plant('tests/unit/zz_test.c', 'TEST(zz, "R1 R73")\n{\n}\n',
          'there is no rule R73'),
    Plant('tests/unit/zz_test.c', '\nTEST_PLAIN(zz, "R0")\n{\n}\n',
          'there is no rule R0', 2),
    Plant('tests/unit/zz_test.c', 'TEST(zz, "R1 R72")\n{\n}\n', None),
]
