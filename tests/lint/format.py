"""The tree is formatted by clang-format 14 and .clang-format."""

import re
import shutil
import subprocess
import sys

from lint import Plant
from source import Finding

FOLDERS = ('sched', 'sync', 'include', 'tests', 'benchmarks', 'docs')
PLACE = re.compile(r'^(.*?):(\d+):\d+: (?:warning|error): code should be', re.M)
SKIPPED = 77  # what ctest takes for a test that could not be made


def find_tool():
    """Another version formats differently, and would only quarrel."""
    for name in ('clang-format-14', 'clang-format'):
        tool = shutil.which(name)
        if tool:
            version = subprocess.run([tool, '--version'], capture_output=True,
                                     text=True).stdout
            if 'version 14.' in version:
                return tool
    print('there is no clang-format 14 here')
    sys.exit(SKIPPED)


def check(tree, options):
    tool = find_tool()
    paths = [s.path for s in tree.sources(*FOLDERS)
             if options.only in (None, s.path)]
    if not paths:
        return
    run = subprocess.run([tool, '--dry-run', *paths], cwd=tree.root,
                         capture_output=True, text=True)
    # The first line of each file that differs is enough: the tool mends it.
    told = set()
    for path, line in PLACE.findall(run.stderr):
        if path not in told:
            told.add(path)
            yield Finding(path, int(line), 'not as clang-format has it: '
                          './run format')


PLANTS = [
    Plant('sched/zz.c', 'int f(void) {\n    return 0;\n}\n', 'clang-format'),
    Plant('sched/zz.c', 'int f(void)\n{\n  return 0;\n}\n', 'clang-format', 2),
    Plant('sched/zz.c', 'int *f(int* p)\n{\n    return p;\n}\n',
          'clang-format'),
    Plant('sched/zz.c', 'int f(void)\n{\n    return 0;\n}\n', None),
]
