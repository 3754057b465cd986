"""Each public header compiles alone, twice over, as C11 and as C++17."""

import re
import subprocess

from lint import Plant
from source import Finding

FLAGS = ['-Wall', '-Wextra', '-Wpedantic', '-Wvla', '-Wshadow', '-Werror',
         '-fsyntax-only']
FORBIDDEN = re.compile(
    r'\b(_Atomic|restrict|__restrict\w*|typeof|__typeof\w*|_Thread_local'
    r'|__thread|_Generic)\b')
PLACE = re.compile(r'(include/roost/[\w.]+):(\d+)')


def compile_alone(root, path, command):
    """Findings of one compiler for a file that includes only this header."""
    name = path.removeprefix('include/')
    program = f'#include <{name}>\n#include <{name}>\n'
    run = subprocess.run([*command, *FLAGS, f'-I{root}/include', '-'],
                         input=program, capture_output=True, text=True)
    if run.returncode == 0:
        return
    errors = [s for s in run.stderr.split('\n') if 'error:' in s]
    for text in errors or [run.stderr.strip()]:
        place = PLACE.search(text)
        where = (place[1], int(place[2])) if place else (path, 1)
        message = text.split('error:')[-1].strip()
        yield Finding(*where, f'{command[1]}: {message}')


def check(tree, options):
    commands = [[options.cc, '-std=c11', '-x', 'c']]
    if options.cxx:
        commands.append([options.cxx, '-std=c++17', '-x', 'c++'])
    for source in tree.sources('include', suffixes=('.h',)):
        if options.only not in (None, source.path):
            continue
        for m in FORBIDDEN.finditer(source.plain):
            line = source.line_of(m.start())
            yield Finding(source.path, line, f'{m[1]} in a public header')
        for command in commands:
            # One fault may show through many headers: told once each.
            yield from set(compile_alone(tree.root, source.path, command))


PLANTS = [
    Plant('include/roost/zz.h', 'size_t zz(void);\n', "-std=c11: unknown type"),
    Plant('include/roost/zz.h', 'int zz = 1;\n', '-std=c11: redefinition'),
    Plant('include/roost/zz.h', '\nint zz(int n, int a[n]);\n', '-std=c11', 2),
    Plant('include/roost/zz.h', 'typedef int *restrict zz;\n', 'restrict in'),
    Plant('include/roost/zz.h', 'extern _Thread_local int zz;\n',
          '_Thread_local in a public header'),
    Plant('include/roost/zz.h', 'struct zz {\n    int class;\n};\n',
          '-std=c11: redefinition'),
    Plant('include/roost/zz.h', '#ifndef ZZ\n#define ZZ\n'
          'int zz(int class);\n#endif\n', '-std=c++17: expected', 3),
    Plant('include/roost/zz.h', '#include <stddef.h>\n'
          'size_t zz(void);\n', None),
]
