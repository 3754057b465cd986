#!/usr/bin/env python3
"""What compilers do not say: clang-tidy, cppcheck and gcc -fanalyzer.

    tidy.py ROOT BUILD [TOOL...]       TOOL: clang-tidy, cppcheck, gcc
    tidy.py ROOT BUILD --self-test     each tool reports what is planted

Looks at the library (sched/, sync/, include/), its tools and the programs
(benchmarks/apps), as BUILD/compile_commands.json compiles them. Prints one line
a finding. What is none is marked where it stands, with the reason:
    /* NOLINTNEXTLINE(CHECK): REASON */              clang-tidy
    /* cppcheck-suppress CHECK ; REASON */           cppcheck
A mark without a reason is a finding, and one of cppcheck's that fits nothing
any more. There are none for gcc: what it does not follow is written so that it
does. Checks that are off as a whole: .clang-tidy, and OFF and GCC_OFF below,
which say why.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
FOLDERS = ('sched/', 'sync/', 'benchmarks/apps/')
FINDING = re.compile(r'^(/\S+?):(\d+):\d+: (?:error|warning|style|performance|'
                     r'portability|information|fatal error): '
                     r'(.*) \[([^\]]+)\]$')

# The marks, which have to say why.
MARKS = re.compile(r'NOLINT|cppcheck-suppress')
REASONED = re.compile(r'/\* NOLINT(?:NEXTLINE)?\([\w.,-]+\): \w[^\n]*|'
                      r'/\* cppcheck-suppress \w+ ; \w[^\n]*')

# Of gcc's, as a whole. malloc-leak: version 12 forgets what is stored in a
# member of a struct that the caller has, and reports each as lost. clang's
# analyzer does not, and LeakSanitizer sees what is.
GCC_OFF = ('-Wno-analyzer-malloc-leak',)

# Of cppcheck's, as a whole. readdir: readdir_r is deprecated, and each reads a
# folder that it has opened itself. System headers: it knows what is in them.
OFF = ('readdirCalled', 'missingIncludeSystem')

# A tool that does not report what is planted is not at work. And where it may
# be marked: a part of the line.
PLANTED = {
    'clang-tidy': ('misc-redundant-expression',
                   'int planted(int a);\n'
                   'int planted(int a)\n{\n    return a == 1 || a == 1;\n}\n',
                   '/* NOLINTNEXTLINE(misc-redundant-expression): planted */'),
    'cppcheck': ('arrayIndexOutOfBounds',
                 'int planted(void);\n'
                 'int planted(void)\n{\n    int a[2] = {0, 1};\n\n'
                 '    return a[2];\n}\n',
                 '/* cppcheck-suppress arrayIndexOutOfBounds ; planted */'),
    'gcc': ('-Wanalyzer-double-free',
            '#include <stdlib.h>\nvoid planted(void);\n'
            'void planted(void)\n{\n    char *volatile p = malloc(3);\n'
            '    char *q = p;\n\n    free(q);\n    free(q);\n}\n',
            None),
}


def run(command, folder):
    done = subprocess.run(command, cwd=folder, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def sources(root, build):
    """For each source its folder and its flags, of the first target it is in."""
    chosen = {}
    for entry in json.loads((build / 'compile_commands.json').read_text()):
        path = pathlib.Path(entry['file'])
        name = os.path.relpath(path, root)
        if name.startswith(FOLDERS) and name.endswith('.c'):
            words = shlex.split(entry['command'])
            # Behind the compiler, and what calls it; without -o X -c Y.
            first = next(i for i, w in enumerate(words) if w.startswith('-'))
            flags = words[first:words.index('-o')]
            chosen.setdefault(str(path), (entry['directory'], flags))
    return chosen


def each(files, command_of):
    """One process a file, one for each processor. (status, output) of each."""
    def one(item):
        path, (folder, flags) = item
        return run(command_of(path, flags), folder)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(one, files.items()))


def clang_tidy(root, files):
    tidy = os.environ.get('CLANG_TIDY', 'clang-tidy-19')
    return each(files, lambda path, flags: [
        tidy, '--quiet', f'--config-file={root}/.clang-tidy', path, '--',
        *[f for f in flags if not f.startswith('-fno-tree-')]])


def cppcheck(root, files):
    includes = [f'-I{root}/include', f'-I{root}/sched', f'-I{root}/sync',
                f'-I{root}/benchmarks/apps']
    return [run(['cppcheck', '--quiet', '--std=c11', '-j', str(os.cpu_count()),
                 '--enable=warning,performance,portability,information',
                 '--inline-suppr', *[f'--suppress={check}' for check in OFF],
                 '--library=posix,gnu', f'--library={HERE}/roost.cfg',
                 '--template={file}:{line}:{column}: {severity}: {message} '
                 '[{id}]', '-D_GNU_SOURCE', '-D__x86_64__', '-D__linux__',
                 '-D__GNUC__=12', '-D__ATOMIC_RELAXED=0', *includes, *files],
                root)]


def gcc(_root, files):
    return each(files, lambda path, flags: [
        'gcc', *[f for f in flags if f != '-Werror'], '-fanalyzer', *GCC_OFF,
        '-c', path,
        '-o', '/dev/null'])


TOOLS = {'clang-tidy': clang_tidy, 'cppcheck': cppcheck, 'gcc': gcc}


def findings(tool, root, files):
    """(file, line, check, message) of each; how the tool failed, otherwise."""
    found, failed = set(), []
    for status, text in TOOLS[tool](root, files):
        hits = [m for m in map(FINDING.match, text.splitlines()) if m]
        for m in hits:
            path = os.path.relpath(m[1], root)
            check = m[4].split(',')[0]
            found.add((path, int(m[2]), check, m[3]))
        if status != 0 and not hits:
            failed.append(text[:2000])
    return sorted(found), failed


def unreasoned(root, paths):
    """The marks that do not say why."""
    return [f'{os.path.relpath(path, root)}:{number}: a mark without a reason'
            for path in paths
            for number, line in enumerate(path.read_text().splitlines(), 1)
            if MARKS.search(line) and not REASONED.search(line)]


def judge(tool, root, files, paths):
    """Prints the findings. True: there are none."""
    found, failed = findings(tool, root, files)
    bad = [f'{tool} failed: {text}' for text in failed]
    bad += [f'{path}:{line}: {message} [{check}]'
            for path, line, check, message in found]
    bad += unreasoned(root, paths)
    print('\n'.join(bad + [f'{tool}: {len(files)} files, {len(bad)} findings']))
    return not bad


def marks_hold(tool, root, path, files):
    """A finding that is marked with its reason is none; a mark without one is,
    and one of cppcheck's that fits nothing."""
    _, text, mark = PLANTED[tool]
    lines = text.splitlines()
    at = findings(tool, root, files)[0][0][1] - 1

    def passes(marked):
        path.write_text('\n'.join(marked) + '\n')
        return judge(tool, root, files, [path])

    return (passes(lines[:at] + [mark] + lines[at:]) and
            not passes(lines[:at] + [mark.replace('planted', '')] +
                       lines[at:]) and
            (tool != 'cppcheck' or
             not passes(lines[:1] + [mark] + lines[1:at] + lines[at + 1:])))


def self_test(root, tools):
    """What is planted is found, and the marks do what they should."""
    good = True
    for tool in tools:
        check, text, mark = PLANTED[tool]
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / 'planted.c'
            path.write_text(text)
            files = {str(path): (folder, ['-O2', '-std=c11'])}
            found, failed = findings(tool, root, files)
            ok = not failed and any(f[2] == check for f in found)
            print(f'{tool}: {check} planted: {"found" if ok else "NOT FOUND"}')
            ok = ok and (mark is None or marks_hold(tool, root, path, files))
            good = good and ok
            if not ok:
                print(f'{tool}: self-test FAILED', *failed)
    return good


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    build = pathlib.Path(sys.argv[2]).resolve()
    tools = [a for a in sys.argv[3:] if not a.startswith('--')] or list(TOOLS)
    if '--self-test' in sys.argv:
        return 0 if self_test(root, tools) else 1
    files = sources(root, build)
    if not files:
        sys.exit('tidy.py: no sources in compile_commands.json')
    paths = [path for folder in (*FOLDERS, 'include/')
             for path in sorted((root / folder).rglob('*.[ch]'))]
    results = [judge(tool, root, files, paths) for tool in tools]
    return 0 if all(results) else 1


if __name__ == '__main__':
    sys.exit(main())
