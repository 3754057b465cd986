#!/usr/bin/env python3
"""Plants one bug of planted.txt in a copy of a file of the library.

    plant.py LIST --names           name and file of each, a line each
    plant.py LIST NAME ROOT OUT     the copy

What is to be replaced must be there exactly once, so that a change of the
library that takes a bug's ground away shows when this is built.
"""

import pathlib
import sys


def read(path):
    """{name: (file, old, new)}"""
    bugs = {}
    for block in pathlib.Path(path).read_text().split('\n\n'):
        lines = [x for x in block.splitlines() if not x.startswith('#')]
        if not lines:
            continue
        name, file = lines[0].split()
        old = [x[2:] for x in lines[1:] if x.startswith('- ')]
        new = [x[2:] for x in lines[1:] if x.startswith('+ ')]
        if not old or len(old) + len(new) != len(lines) - 1:
            sys.exit(f'{path}: {name}: a line is neither old nor new')
        bugs[name] = (file, '\n'.join(old) + '\n',
                      ''.join(x + '\n' for x in new))
    return bugs


def main():
    bugs = read(sys.argv[1])
    if sys.argv[2] == '--names':
        for name, (file, _, _) in bugs.items():
            print(name, file)
        return
    name, root, out = sys.argv[2:5]
    file, old, new = bugs[name]
    text = (pathlib.Path(root) / file).read_text()
    if text.count(old) != 1:
        sys.exit(f'{name}: what it replaces is {text.count(old)} times in '
                 f'{file}')
    pathlib.Path(out).write_text(text.replace(old, new))


main()
