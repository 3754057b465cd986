#!/usr/bin/env python3
"""The library's binary interface beside the one that is promised (docs/abi.md).

    check.py abi LIBRARY       nothing that programs rely on has changed
    check.py planted LIBRARY   and if it had, that would be seen
    check.py renew LIBRARY     makes what it is now the promise

The promise is two files in this folder, for each processor: ARCH.abi, what
abidw(1) tells of the exported functions and of the types in the public headers;
and ARCH.constants, the numbers in those headers, which are compiled into
programs as well. What is added breaks nothing."""

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SKIPPED = 77
ABIDW = ['--headers-dir', str(ROOT / 'include/roost'), '--drop-private-types',
         '--no-show-locs', '--no-corpus-path', '--no-comp-dir-path',
         '--type-id-style', 'hash', '--exported-interfaces-only',
         '--no-elf-needed']
# Of the C library, which keeps its own promises.
OTHERS = ['_IO_.*', '__sigset_t', 'sockaddr', 'iovec']
CHANGED = 12  # abidiff(1): 4 something has, 8 what surely breaks programs
# A number, or what an object starts as; the version is another in each.
DEFINE = re.compile(r'^#define (ROOST_(?!VERSION)[A-Z0-9_]+) ([\d({-].*)$', re.M)
OPAQUE = re.compile(r'^typedef struct (roost_\w+) \1;', re.M)


def run(*command, **options):
    return subprocess.run(command, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)


def describe(library, out):
    made = run('abidw', *ABIDW, '--out-file', str(out), library)
    if made.returncode != 0 or not Path(out).exists():
        sys.exit(f'abidw: {made.stdout}')


def constants(compiler):
    """name -> its definition, white space apart."""
    made = run(compiler, '-E', '-dM', f'-I{ROOT}/include', '-x', 'c', '-',
               input='#include <roost/roost.h>\n')
    return {name: ' '.join(text.split())
            for name, text in DEFINE.findall(made.stdout)}


def show(numbers):
    return ''.join(f'{name} {text}\n' for name, text in sorted(numbers.items()))


def read(path):
    lines = path.read_text(encoding='utf-8').splitlines()
    return dict(line.split(' ', 1) for line in lines)


def opaque():
    """Types that programs hold pointers to and never see the inside of. (abidw
    takes a header of sync/ for the public one of the same name.)"""
    text = ''.join(path.read_text(encoding='utf-8')
                   for path in (ROOT / 'include/roost').glob('*.h'))
    return [name for name in sorted(set(OPAQUE.findall(text)))
            if f'struct {name} {{' not in text]


def compare(before, after, folder):
    """What abidiff has against `after`; '' nothing."""
    rules = Path(folder) / 'suppress'
    names = '|'.join(OTHERS + opaque())
    rules.write_text(f'[suppress_type]\n  name_regexp = ^({names})$\n',
                     encoding='utf-8')
    diff = run('abidiff', '--suppressions', str(rules), '--no-added-syms',
               '--no-show-locs', str(before), str(after))
    if diff.returncode & 3:
        sys.exit(f'abidiff: {diff.stdout}')
    return diff.stdout if diff.returncode & CHANGED else ''


def changed_numbers(before, after):
    for name, text in before.items():
        if after.get(name) != text:
            yield f'{name} was {text}, is {after.get(name, "gone")}'


def check(library, folder):
    now = Path(folder) / 'now.abi'
    describe(library, now)
    said = [*changed_numbers(read(CONSTANTS), constants(CC)),
            compare(BASELINE, now, folder)]
    said = [text for text in said if text]
    if said:
        sys.exit('\n'.join(said) + '\nThis breaks programs that are built '
                 'already: docs/abi.md says what is to be done.')


def planted(library, folder):
    """Old interfaces that differ in one place: each is told from today's."""
    now = Path(folder) / 'now.abi'
    describe(library, now)
    text = now.read_text(encoding='utf-8')
    for what, pattern, instead in PLANTS:
        old, count = re.subn(pattern, instead, text)
        if count == 0:
            sys.exit(f'{what}: the description has no such place')
        was = Path(folder) / 'was.abi'
        was.write_text(old, encoding='utf-8')
        if not compare(was, now, folder):
            sys.exit(f'not seen: {what}')
    if compare(now, now, folder):
        sys.exit('a library differs from itself')
    numbers = constants(CC)
    less = {n: t for n, t in numbers.items() if n != 'ROOST_SHIELD'}
    other = {**numbers, 'ROOST_SHIELD': '77u'}
    if not list(changed_numbers(numbers, less)):
        sys.exit('not seen: a constant is gone')
    if not list(changed_numbers(other, numbers)):
        sys.exit('not seen: a constant has another value')
    if list(changed_numbers(less, numbers)):
        sys.exit('an added constant is taken for a change')


PLANTS = [
    ('a function is gone',
     r"(<elf-symbol name='roost_)yield'", r"\1yielded'"),
    ('a struct has grown',
     r"(<class-decl name='roost_task_opts' size-in-bits=)'\d+'", r"\1'64'"),
    ('a member lies elsewhere',
     r"(layout-offset-in-bits=)'64'(.*\n\s*<var-decl name='handle')",
     r"\1'128'\2"),
    ('another SONAME', r"soname='[^']*'", "soname='libroost.so.99'"),
]


def main():
    global BASELINE, CONSTANTS, CC
    what, library = sys.argv[1:]
    arch = platform.machine()
    CC = os.environ.get('CC', 'cc')
    BASELINE = HERE / f'{arch}.abi'
    CONSTANTS = HERE / f'{arch}.constants'
    if shutil.which('abidw') is None:
        print('there is no abidw here (abigail-tools)')
        sys.exit(SKIPPED)
    if what == 'renew':
        describe(library, BASELINE)
        CONSTANTS.write_text(show(constants(CC)), encoding='utf-8')
        return
    if not BASELINE.exists():
        print(f'nothing is promised for {arch} yet')
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory() as folder:
        {'abi': check, 'planted': planted}[what](library, folder)


main()
