"""The pages of docs/man are clean for mandoc -Tlint."""

import re
import shutil
import subprocess
import sys

from lint import Plant
from source import Finding

SKIPPED = 77  # what ctest takes for a test that could not be made
SAID = re.compile(r'^mandoc: (docs/man/[^:\n]+):(\d+):\d+: (.*)$', re.M)
# What holds for pages of the system, not for those of a library.
OTHERS = ('referenced manual not found',)


def check(tree, options):
    if shutil.which('mandoc') is None:
        print('there is no mandoc here')
        sys.exit(SKIPPED)
    paths = [p.relative_to(tree.root).as_posix()
             for p in sorted((tree.root / 'docs/man').glob('*.[1-9]'))]
    paths = [p for p in paths if options.only in (None, p)]
    if not paths:
        return
    run = subprocess.run(['mandoc', '-Tlint', '-Wstyle', *paths], cwd=tree.root,
                         capture_output=True, text=True)
    for path, line, what in SAID.findall(run.stdout + run.stderr):
        if not any(other in what for other in OTHERS):
            yield Finding(path, int(line), what)


PAGE = """.Dd November 28, 2026
.Dt ZZ 3
.Os
.Sh NAME
.Nm zz
.Nd nothing
.Sh DESCRIPTION
{}
"""
PLANTS = [
    Plant('docs/man/zz.3', PAGE.format('Nothing.'), None),
    Plant('docs/man/zz.3', PAGE.format('Nothing.\n.Zz'), 'unknown macro', 9),
    Plant('docs/man/zz.3', PAGE.format('Nothing. '), 'whitespace at end', 8),
    Plant('docs/man/zz.3', PAGE.format('.Bd -literal\nNothing.'),
          'missing end of block', 8),
]
