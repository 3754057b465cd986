#!/usr/bin/env python3
"""What compilers do not say: clang-tidy, cppcheck and gcc -fanalyzer.

    tidy.py ROOT BUILD [TOOL...]       TOOL: clang-tidy, cppcheck, gcc
    tidy.py ROOT BUILD --self-test     each tool reports what is planted

Looks at the library (sched/, sync/, include/), its tools and the programs
(benchmarks/apps), as BUILD/compile_commands.json compiles them. Prints one line
a finding. What is none is in allowed.txt, each with its reason; an entry there
that fits nothing any more is a finding, too. Checks that are off as a whole:
.clang-tidy, which says why.
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
                     r'portability|fatal error): (.*) \[([^\]]+)\]$')

# A tool that does not report what is planted is not at work.
PLANTED = {
    'clang-tidy': ('misc-redundant-expression',
                   'int planted(int a);\n'
                   'int planted(int a)\n{\n    return a == 1 || a == 1;\n}\n'),
    'cppcheck': ('arrayIndexOutOfBounds',
                 'int planted(void);\n'
                 'int planted(void)\n{\n    int a[2] = {0, 1};\n\n'
                 '    return a[2];\n}\n'),
    'gcc': ('-Wanalyzer-double-free',
            '#include <stdlib.h>\nvoid planted(void);\n'
            'void planted(void)\n{\n    char *volatile p = malloc(3);\n'
            '    char *q = p;\n\n    free(q);\n    free(q);\n}\n'),
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
                 '--enable=warning,performance,portability',
                 '--library=posix,gnu', f'--library={HERE}/roost.cfg',
                 '--template={file}:{line}:{column}: {severity}: {message} '
                 '[{id}]', '-D_GNU_SOURCE', '-D__x86_64__', '-D__linux__',
                 '-D__GNUC__=12', '-D__ATOMIC_RELAXED=0', *includes, *files],
                root)]


def gcc(_root, files):
    return each(files, lambda path, flags: [
        'gcc', *[f for f in flags if f != '-Werror'], '-fanalyzer', '-c', path,
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


def read_allowed(path):
    """TOOL CHECK FILE | a part of the line it is at | reason."""
    entries = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.strip() and not line.startswith('#'):
            where, part, reason = (w.strip() for w in line.split(' | ', 2))
            if not part or not reason:
                sys.exit(f'{path}:{number}: no line or no reason')
            entries.append((*where.split(), part))
    return entries


def judge(tool, root, files, allowed):
    """Prints what is left of the findings. True: nothing."""
    found, failed = findings(tool, root, files)
    used = set()
    bad = [f'{tool} failed: {text}' for text in failed]
    for path, line, check, message in found:
        text = (root / path).read_text().splitlines()[line - 1]
        fits = [a for a in allowed
                if a[:3] == (tool, check, path) and a[3] in text]
        used.update(fits)
        if not fits:
            bad.append(f'{path}:{line}: {message} [{check}]')
    bad += [f'allowed.txt: {" ".join(a[:3])} fits nothing: {a[3]}'
            for a in allowed if a[0] == tool and a not in used]
    print('\n'.join(bad + [f'{tool}: {len(files)} files, {len(bad)} findings, '
                           f'{len(used)} allowed']))
    return not bad


def self_test(root, tools):
    """What is planted is found, and what is allowed is not; a stale entry is."""
    good = True
    for tool in tools:
        check, text = PLANTED[tool]
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / 'planted.c'
            path.write_text(text)
            files = {str(path): (folder, ['-O2', '-std=c11'])}
            found, failed = findings(tool, root, files)
            name = os.path.relpath(path, root)
            ok = not failed and any(f[0] == name and f[2] == check
                                    for f in found)
            line = text.splitlines()[found[0][1] - 1].strip() if found else ''
            entry = (tool, check, name, line)
            stale = (tool, check, name, 'no such line')
            print(f'{tool}: {check} planted: {"found" if ok else "NOT FOUND"}')
            ok = (ok and judge(tool, root, files, [entry]) and
                  not judge(tool, root, files, [entry, stale]) and
                  not judge(tool, root, files, []))
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
    allowed = read_allowed(HERE / 'allowed.txt')
    if not files:
        sys.exit('tidy.py: no sources in compile_commands.json')
    results = [judge(tool, root, files, allowed) for tool in tools]
    return 0 if all(results) else 1


if __name__ == '__main__':
    sys.exit(main())
