#!/usr/bin/env python3
"""Shows that report.py and mcdc.py name what is missing, by gaps in toys.

    selftest.py     0; 1: what is not as it should be; 77: no gcovr and no clang

The toys are two files of a library, sched/a.c and sync/b.c, and a program that
leaves a line, a branch and a condition of the former out.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
A = '''int a(int x, int y);
int a(int x, int y)
{
    if (x > 0) {
        return 1;
    }
    if (x < -9) { /* GCOVR_EXCL_BR_LINE: not here */
        return 2; /* GCOVR_EXCL_LINE */
    }
    if (x < -1) {
        return 3;
    }
    return x == 0 && y == 0 ? 4 : 5;
}
'''
B = 'int b(int x);\nint b(int x)\n{\n    return x;\n}\n'
MAIN = '''int a(int x, int y);
int b(int x);
int main(void)
{
    return b(a(1, 0) + a(0, 0) + a(-1, 0) - 10);
}
'''
failures = 0


def check(cond, what):
    global failures
    if not cond:
        failures += 1
        print(f'failed: {what}')


def run(*command, **more):
    subprocess.run(command, check=True, **more)


def judge(script, root, floors):
    """How it ends, and what it says."""
    (root / 'floors').write_text(floors, encoding='utf-8')
    done = subprocess.run([sys.executable, '-B', HERE / script, root,
                           root / 'build', root / 'floors'],
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def toys(root):
    for name, text in {'sched/a.c': A, 'sync/b.c': B, 'main.c': MAIN}.items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding='utf-8')


def try_report(root):
    objects = root / 'build/CMakeFiles/roost_inside.dir'
    for name in ('sched/a.c', 'sync/b.c'):
        (objects / name).parent.mkdir(parents=True, exist_ok=True)
        run('gcc', '--coverage', '-c', root / name, '-o', objects / f'{name}.o')
    run('gcc', '--coverage', root / 'main.c', objects / 'sched/a.c.o',
        objects / 'sync/b.c.o', '-o', root / 'main')
    run(root / 'main', cwd=root)
    rc, said = judge('report.py', root, 'sched/a.c 100 100\nsync/ 100 100\n')
    check(rc == 1, f'gaps, and all is well: {said}')
    check('sched/a.c:11: not executed' in said, f'line 11: {said}')
    check('sched/a.c:10: 1 of 2 branches not taken' in said, f'line 10: {said}')
    check('a.c:7:' not in said and 'a.c:8:' not in said, f'marked: {said}')
    check('sync/b.c:' not in said, f'sync/ is whole: {said}')
    rc, said = judge('report.py', root, 'sched/a.c 80 60\nsync/ 100 100\n')
    check(rc == 0, f'above the floors: {said}')
    rc, said = judge('report.py', root, 'sched/c.c 0 0\n')
    check(rc == 1 and 'sched/c.c: no such file' in said, f'no c.c: {said}')


def try_mcdc(root):
    flags = ('-fprofile-instr-generate', '-fcoverage-mapping',
             '-fcoverage-mcdc')
    (root / 'build/counts').mkdir(parents=True, exist_ok=True)
    library = root / 'build/libroost.so'
    run('clang-19', *flags, '-fPIC', '-shared', root / 'sched/a.c',
        root / 'sync/b.c', '-o', library)
    run('clang-19', *flags, root / 'main.c', library, '-o', root / 'main')
    run(root / 'main', env={**os.environ, 'LLVM_PROFILE_FILE':
                            f'{root}/build/counts/%2m.profraw'})
    rc, said = judge('mcdc.py', root, 'sched/a.c 100\n')
    check(rc == 1, f'a gap, and all is well: {said}')
    check('sched/a.c:13: y == 0' in said, f'y decides nothing: {said}')
    check('sched/a.c:13: x == 0' not in said, f'x decides: {said}')
    rc, said = judge('mcdc.py', root, 'sched/a.c 50\n')
    check(rc == 0, f'above the floor: {said}')


def main():
    tried = False
    for tools, test in ((('gcc', 'gcovr'), try_report),
                        (('clang-19', 'llvm-cov-19', 'llvm-profdata-19'),
                         try_mcdc)):
        if all(shutil.which(tool) for tool in tools):
            tried = True
            with tempfile.TemporaryDirectory() as folder:
                root = pathlib.Path(folder).resolve()
                toys(root)
                test(root)
    if not tried:
        return 77
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
