#!/usr/bin/env python3
"""The rules of style that compilers do not know.

    lint.py NAME               print file:line: what, exit 1 if there is any
    lint.py NAME --self-test   plant violations in a copy: each must be found
    lint.py atomics --table    the memory orders of the tree as Markdown

A lint is a module with check(tree, options), which yields Findings, and
PLANTS, which prove that it finds what it is there for.
"""

import argparse
import importlib
import pathlib
import shutil
import sys
import tempfile
from typing import NamedTuple

from source import Tree

NAMES = ['includes', 'atomics', 'sizes', 'public', 'rules', 'headers', 'format',
         'guide', 'manual', 'mandoc', 'maps',
         'models', 'reliability']
FOLDERS = ['sched', 'sync', 'include', 'tests', 'benchmarks', 'docs']
ROOT = pathlib.Path(__file__).resolve().parents[2]


class Plant(NamedTuple):
    """A file to write, and what must be said of it and of which line. `what`
    None: nothing may be. `alone`: in a tree with no other file, and said of
    the folder."""

    path: str
    text: str
    what: str
    line: int = 1
    alone: bool = False


def copy_tree(target):
    """The sources, and the dotfiles that steer the tools."""
    for folder in FOLDERS:
        if (ROOT / folder).is_dir():
            shutil.copytree(ROOT / folder, target / folder)
    for name in ('.clang-format', 'README.md'):
        shutil.copy(ROOT / name, target)


def try_plant(module, root, before, plant, options):
    """None, or what went wrong."""
    if plant.alone:
        root, before = root / 'alone', set()
    path = root / plant.path
    old = path.read_bytes() if path.exists() else None
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(plant.text, encoding='utf-8')
    options.only = plant.path
    try:
        new = set(module.check(Tree(root), options)) - before
    finally:
        if old is None:
            path.unlink()
        else:
            path.write_bytes(old)
    if plant.what is None:
        return f'should pass, but: {sorted(new)[0]}' if new else None
    folder = plant.path.split('/')[0]
    where = (folder if plant.alone else plant.path, plant.line)
    for f in new:
        if (f.path, f.line) == where and plant.what in f.what:
            return None
    said = ''.join(f'\n    {f}' for f in sorted(new))
    return f'not found: {where[0]}:{where[1]}: {plant.what}{said}'


def self_test(module, options):
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix='roost-lint-') as name:
        root = pathlib.Path(name)
        copy_tree(root)
        before = set(module.check(Tree(root), options))
        for plant in module.PLANTS:
            wrong = try_plant(module, root, before, plant, options)
            passed += wrong is None
            failed += wrong is not None
            if wrong:
                print(f'{plant.path}: {wrong}')
                print('\n'.join('  | ' + s for s in plant.text.split('\n')))
    print(f'{passed} passed, {failed} failed')
    return 1 if failed or not passed else 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('name', choices=NAMES)
    parser.add_argument('--self-test', action='store_true')
    parser.add_argument('--table', action='store_true')
    parser.add_argument('--cc', default='cc')
    parser.add_argument('--cxx', default='')
    options = parser.parse_args()
    options.only = None  # what calls a tool: look at this file alone
    module = importlib.import_module(options.name)
    if options.self_test:
        return self_test(module, options)
    if options.table:
        print(module.table(Tree(ROOT)), end='')
        return 0
    findings = sorted(module.check(Tree(ROOT), options))
    for f in findings:
        print(f)
    return 1 if findings else 0


if __name__ == '__main__':
    sys.modules['lint'] = sys.modules['__main__']
    sys.exit(main())
