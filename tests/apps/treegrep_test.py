#!/usr/bin/env python3
"""treegrep against grep -rP and zgrep, and against hostile inputs.

    treegrep_test.py TREEGREP [NAME...]

What it would catch: a line more, fewer or elsewhere than grep has it; another
exit status; output that is not in path order; a result that depends on the
number of workers; a partial result that does not say rightly what it is part
of; a hang or a crash on broken files, closed and full pipes, signals. Rules of
the library that it stands on: R4, R12, R15, R18, R26, R38, R46-R49, R51-R53.
"""

import gzip
import os
import random
import re
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from harness import (LIMIT, SLOWNESS, Failure, check, main, rounds, test,
                     until, would_end)

ROUNDS = int(os.environ.get('TREEGREP_ROUNDS', '12'))  # of random moments
WORKERS = (1, 2, 4, 8)


def same(got, wanted, what):
    """Two lists of lines."""
    if got == wanted:
        return
    for i, (g, w) in enumerate(zip(got, wanted)):
        if g != w:
            raise Failure(f'{what}: line {i}: {g[:200]!r}, not {w[:200]!r}')
    over = (got[len(wanted):] + wanted[len(got):])[0][:200]
    raise Failure(f'{what}: {len(got)} lines, not {len(wanted)}; the first one '
                  f'over: {over!r}')


class Result:
    def __init__(self, status, out, err):
        self.status = status
        self.out = out
        self.err = err
        self.lines = out.splitlines(keepends=True)

    def lines_of_bytes(self):
        """Split at newlines alone."""
        return re.findall(rb'[^\n]*\n|[^\n]+$', self.out)


def run(program, *args, locale='C', cwd=None, user=None, **more):
    env = dict(os.environ, LC_ALL=locale)
    env.pop('GREP_COLORS', None)
    preexec = (lambda: os.setuid(user)) if user else None
    p = subprocess.run([program, *args], env=env, cwd=cwd, timeout=LIMIT,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, preexec_fn=preexec,
                       check=False, **more)
    check(p.returncode not in (-6, -11) and b'Sanitizer' not in p.stderr,
          'crashed:', args, p.stderr.decode(errors='replace'))
    return Result(p.returncode, p.stdout, p.stderr)


class Tree:
    """A directory of odd files, removed after the test."""

    all = []

    def __init__(self):
        Tree.all.append(self)
        self.root = tempfile.mkdtemp(prefix='treegrep-test-')
        os.chmod(self.root, 0o755)

    def remove(self):
        subprocess.run(['chmod', '-R', 'u+rwX', self.root], check=False,
                       stderr=subprocess.DEVNULL)
        subprocess.run(['rm', '-rf', self.root], check=True)

    def path(self, name):
        path = os.path.join(os.fsencode(self.root), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def file(self, name, data):
        with open(self.path(name), 'wb') as f:
            f.write(data)

    def gz(self, name, *members):
        self.file(name, b''.join(gzip.compress(m) for m in members))


TEXT = (b'the int in a line\nnothing here\n\nInt, INT and int\n'
        b'  printf("%d\\n", x);\nend\n')


def words(n, seed):
    """Lines of text, n of them."""
    rng = random.Random(seed)
    some = ['int', 'Integer', 'x', 'foo', 'bar_baz', '42', '7f', '(a)', '"s"',
            'return', 'e\u0301t\u00e9', 'caf\u00e9', '\u4f60\u597d']
    return ''.join(' '.join(rng.choices(some, k=rng.randrange(9))) + '\n'
                   for _ in range(n)).encode()


def plain_tree(t):
    """Files that grep -r itself can be asked about."""
    for name in ('a', 'a.c', 'a-b', 'b/a', 'b.c', 'b-c', 'b/a/x', 'b a', 'z',
                 'deep/1/2/3/4/5/6/7/8/9/f', '-dash', 'b+', 'B', '\u00e9',
                 'dir.gz/inside', 'sub/.hidden', '.config/rc', 'b!/f'):
        if name != 'b/a':
            t.file(name, TEXT + name.encode() + b'\n')
    t.file('empty', b'')
    t.file('no-newline', b'one\ntwo int')
    t.file('only-newlines', b'\n\n\n')
    t.file('crlf', b'dos int\r\nline\r\n\r\nint\r\n')
    t.file('cr', b'mac int\rline\rint')
    t.file('long-line', b'x' * 99000 + b' int ' + b'y' * 99000 + b'\nint\n')
    t.file('long-line-no-end', b'int' * 70000)
    t.file('blocks', words(9000, 1))
    t.file('latin1', b'caf\xe9 int\nint\n\xff\xfeint\nint \xe4\n')
    t.file('utf8', 'caf\u00e9 int \u4f60\n\u00e9\n'.encode())
    t.file('cut-utf8', b'int \xe4\xbd\nint \xa0\nint\n\x80^\n')
    t.file('binary', b'int\0more int\nint\n\0\0\nfoo\0foo\n')
    t.file('binary-no-match', b'\0\1\2\3' * 1000)
    t.file('binary-late', b'text with int in it\n' * 4900 + b'\0 int\n')
    t.file('binary-late-only', b'text with none in it\n' * 4000 + b'\0 int\n')
    t.file('nul-at-end', b'int\n\0')
    for i in range(60):
        t.file(f'many/{i % 7}/{i}.txt', words(i % 40, i))


def packed_tree(t):
    """Files for zgrep."""
    t.gz('p/one.gz', TEXT)
    t.gz('p/members.gz', TEXT, b'int between', b' two members\n', b'', TEXT)
    t.gz('p/empty.gz', b'')
    t.file('p/nothing.gz', b'')
    t.file('p/plain.gz', TEXT)
    t.file('p/one-byte.gz', b'\x1f')
    t.gz('p/large.gz', words(20000, 2))
    t.gz('p/binary.gz', b'int\0int\n')
    t.gz('p/no-newline.gz', b'int')
    t.file('p/garbage.gz', gzip.compress(TEXT) + b'int int\n' * 9)
    for i in range(8):
        t.gz(f'p/man/{i}.gz', words(i * 25, i))


def path_of(line):
    return line[:line.index(b':')]


def by_path(lines):
    """Lines of one file stay in their order."""
    return sorted(lines, key=path_of)


def notices(err, program):
    """What is said of files on stderr, without the program's name."""
    start = program + b': '
    return sorted(line[len(start):] for line in err.split(b'\n')
                  if line.startswith(start) and
                  line.endswith((b'matches', b'directory', b'denied')))


# ---- the same lines as grep ------------------------------------------------

PATTERNS = ['int', r'\bint\b', '^', '$', '', r'^$', 'x*', r'^\s*\w+\(',
            r'[^a]$', r'(?i)INT', r'\d+f|\bfoo$', r'(?<=caf).', r'\x{e9}',
            'caf.', r'.*',
            r'(\w)\1', r'^(?!.*int)', r'a\z|\Ax', r'\r$', '.', r'\W\S', r'\xe9',
            r'int(?=\n)', '\\Qa.b', r'[[:upper:]]', '^\u00e9', r'\0']


def compare(treegrep, root, options, pattern, locale):
    ours = run(treegrep, *options, '--', pattern, '.', cwd=root, locale=locale)
    grep = run('grep', '-rP', *options, '--', pattern, '.', cwd=root,
               locale=locale)
    what = f'{options} {pattern!r} {locale}'
    same(ours.lines_of_bytes(), by_path_or_name(grep, options), what)
    same(notices(ours.err, b'treegrep'), notices(grep.err, b'grep'),
         what + ' (stderr)')
    check(ours.status == grep.status, what, 'status', ours.status, 'not',
          grep.status, ours.err.decode())


def by_path_or_name(result, options):
    lines = result.lines_of_bytes()
    return sorted(lines, key=lambda l: l[:-1]) if '-l' in options else \
        by_path(lines)


@test
def lines_equal_grep(treegrep):
    t = Tree()
    plain_tree(t)
    for locale in locales():
        for pattern in PATTERNS:
            compare(treegrep, t.root, ['-n'], pattern, locale)
        for options in ([], ['-i', '-n', '-H'], ['-c'], ['-l'], ['-c', '-i'],
                        ['-l', '-c']):
            for pattern in ('INT', '^$', 'no such thing', '\u00c9'):
                compare(treegrep, t.root, options, pattern, locale)


def locales():
    found = subprocess.run(['locale', '-a'], stdout=subprocess.PIPE,
                           check=False).stdout.split()
    return ['C'] + [n for n in ('C.UTF-8',)
                    if b'C.utf8' in found or b'C.UTF-8' in found]


@test
def lines_equal_zgrep(treegrep):
    t = Tree()
    packed_tree(t)
    names = sorted(os.path.join(folder, n)
                   for folder, _, files in os.walk(t.root) for n in files)
    for options in (['-n'], ['-i'], ['-c'], ['-l']):
        for pattern in ('INT', r'^\w+ ') if options == ['-n'] else ('int',):
            ours = run(treegrep, *options, '--', pattern, t.root)
            theirs = run('zgrep', '-P', '-H', *options, '--', pattern, *names)
            what = f'{options} {pattern!r}'
            same(ours.lines_of_bytes(), theirs.lines_of_bytes(), what)
            check(ours.status == theirs.status, what, 'status', ours.status,
                  'not', theirs.status, ours.err.decode())


@test
def operands_as_grep(treegrep):
    t = Tree()
    plain_tree(t)
    os.symlink('a', t.path('link-to-file'))
    os.symlink('many', t.path('link-to-directory'))
    os.symlink('nowhere', t.path('dangling'))
    os.symlink('loop2', t.path('loop1'))
    os.symlink('loop1', t.path('loop2'))
    os.symlink('.', t.path('many/self'))
    os.mkfifo(t.path('many/fifo'))
    for paths in ([], ['.'], ['a'], ['./a'], ['many'], ['many/'], ['many//'],
                  ['a', 'many'], ['link-to-file'], ['link-to-directory'],
                  ['loop1'], ['dangling'], ['nowhere', 'a'], [''],
                  ['a', 'a'], ['many/self'], [t.root], ['b', 'b.c', 'b-c'],
                  ['deep/1/../1']):
        for options in ([], ['-H', '-c'], ['-h', '-n']):
            ours = run(treegrep, *options, 'int', *paths, cwd=t.root)
            grep = run('grep', '-rP', *options, 'int', *paths, cwd=t.root)
            what = f'{options} {paths}'
            same(sorted(ours.lines_of_bytes()), sorted(grep.lines_of_bytes()),
                 what)
            check(ours.status == grep.status, what, 'status', ours.status,
                  'not', grep.status, ours.err.decode())
    ours = run(treegrep, 'int', 'many', 'a', 'deep', cwd=t.root)
    firsts = [line[:1] for line in ours.lines_of_bytes()]
    check(firsts == sorted(firsts, key=b'mad'.index), 'order of the operands')


@test
def system_headers_equal_grep(treegrep):
    """/usr/include is on every machine that can build this."""
    grep = run('grep', '-rPn', r'^\s*#\s*define\s+_?[A-M]', '/usr/include')
    wanted = by_path(grep.lines_of_bytes())
    for workers in WORKERS:
        ours = run(treegrep, '-n', '--workers', str(workers),
                   r'^\s*#\s*define\s+_?[A-M]', '/usr/include')
        same(ours.lines_of_bytes(), wanted, f'{workers} workers')


# ---- names, order, --first -------------------------------------------------

@test
def odd_names(treegrep):
    t = Tree()
    names = [b'with\nnewline', b'with space', b'colon:1:x', b'\xff\xfe', b'-n',
             b'*', b'tab\t', b'quote\'"', b'dir\nnew/inside', b'%s%n', b'~',
             b'n' * 255, b'.gz', b'..gz', b'...', b'$(x)', b'\\']
    for name in names:
        t.file(name, b'int\n')
    ours = run(treegrep, 'int', '.', cwd=t.root)
    wanted = b''.join(b'./' + n + b':int\n' for n in sorted(names))
    check(ours.out == wanted, 'odd names:', ours.out)
    check(ours.status == 0 and ours.err == b'', ours.status, ours.err)


@test
def order_is_that_of_paths(treegrep):
    t = Tree()
    plain_tree(t)
    packed_tree(t)
    first = None
    for workers in WORKERS:
        for open_files in (1, 2, 500):
            ours = run(treegrep, '--workers', str(workers), '--open-files',
                       str(open_files), '-n', 'int', '.', cwd=t.root)
            paths = [path_of(line) for line in ours.lines_of_bytes()]
            check(paths == sorted(paths), 'not in path order', workers)
            first = first or ours
            check(ours.out == first.out and ours.err == first.err and
                  ours.status == first.status, 'differs with', workers,
                  'workers and', open_files, 'open files')


@test
def first_is_the_first(treegrep):
    t = Tree()
    plain_tree(t)
    os.symlink('nowhere', t.path('many/dangling'))
    for options in (['-n'], ['-l'], ['-c']):
        whole = run(treegrep, *options, 'int', '.', cwd=t.root)
        lines = whole.lines_of_bytes()
        for n in (1, 7, 30, len(lines) // 2, len(lines), len(lines) + 1):
            for workers in WORKERS:
                ours = run(treegrep, *options, '--first', str(n), '--workers',
                           str(workers), 'int', '.', cwd=t.root)
                same(ours.lines_of_bytes(), lines[:n], f'--first {n}')
                match = any(not l.endswith(b':0\n') for l in lines[:n])
                check(ours.status == (0 if match else 1), '--first', n,
                      'status', ours.status, ours.err)


@test
def first_counts_shown_lines_only(treegrep):
    """Lines that are not shown, being no text, are not counted."""
    if len(locales()) == 1:
        return
    t = Tree()
    t.file('f', b'int \xff\nint \xff\nint 1\nint 2\nint 3\n')
    ours = run(treegrep, '--first', '2', 'int', '.', cwd=t.root,
               locale='C.UTF-8')
    check(ours.out == b'./f:int 1\n./f:int 2\n', ours.out)


# ---- broken and changing files ---------------------------------------------

@test
def broken_gzip(treegrep):
    t = Tree()
    data = words(20000, 3)
    whole = gzip.compress(data)
    lines = [b'.:' + l + b'\n' for l in data.split(b'\n') if b'int' in l]
    cases = {
        'cut': (whole[:-2000], b'unexpected end of file'),
        'crc': (whole[:-8] + b'\0\1\2\3' + whole[-4:], b'crc error'),
        'length': (whole[:-1] + b'\x77', b'length error'),
        'format': (whole[:30000] + b'\xff' * 9000 + whole[39000:],
                   b'invalid compressed data'),
        'method': (b'\x1f\x8b\x09' + whole[3:], b'invalid compressed data'),
        'header': (whole[:5], b'unexpected end of file'),
        'no-trailer': (whole[:-8], b'unexpected end of file'),
        'second': (whole + whole[:-9], b'unexpected end of file'),
        'second-header': (whole + b'\x1f\x8b', b'unexpected end of file'),
    }
    for name, (packed, words_wanted) in cases.items():
        shutil.rmtree(t.root)
        os.mkdir(t.root)
        t.file(f'{name}.gz', packed)
        t.file('z-good', b'int\n')
        ours = run(treegrep, '-h', 'int', '.', cwd=t.root)
        got = [b'.:' + l for l in ours.lines_of_bytes()]
        theirs = run('zgrep', '-hP', 'int', f'{name}.gz', cwd=t.root)
        before = [b'.:' + l for l in theirs.lines_of_bytes()]
        check(got.pop() == b'.:int\n', name, 'the file after it is missing')
        check(ours.status == 2, name, 'status', ours.status)
        check(words_wanted in ours.err, name, ours.err)
        check(b'errors: 1' in ours.err, name, 'not counted:', ours.err)
        check(len(got) >= len(before), name, 'fewer lines than zgrep',
              len(got), len(before))
        if name != 'format':
            cut = len(got) - (name in ('cut', 'second'))
            same(got[:cut], (lines + lines)[:cut], name)
            same(got, before, name)


@test
def unreadable(treegrep):
    t = Tree()
    for name in ('a/f', 'b/f', 'c', 'd'):
        t.file(name, b'int\n')
    os.chmod(t.path('b'), 0)
    os.chmod(t.path('c'), 0)
    user = 65534 if os.getuid() == 0 else None
    # A copy where that user may go: the tree may be in root's own folder.
    program = shutil.copy(treegrep, Tree().path('treegrep'))
    ours = run(program, 'int', '.', cwd=t.root, user=user)
    grep = run('grep', '-rP', 'int', '.', cwd=t.root, user=user)
    same(ours.lines_of_bytes(), by_path(grep.lines_of_bytes()), 'unreadable')
    same(notices(ours.err, b'treegrep'), notices(grep.err, b'grep'), 'stderr')
    check(len(notices(grep.err, b'grep')) == 2, 'grep could read them')
    check(ours.status == 2 and b'errors: 2' in ours.err, ours.status, ours.err)


@test
def late_binary(treegrep):
    """Which lines are shown before a late NUL depends on the size of a block,
    which in grep depends on where its buffer lies."""
    t = Tree()
    line = b'text with int in it\n'
    t.file('f', line * 40000 + b'\0 int\n' + line * 9)
    ours = run(treegrep, '-h', 'int', '.', cwd=t.root)
    check(ours.out == line * (len(ours.out) // len(line)), 'odd lines')
    check(0 <= len(line) * 40000 - len(ours.out) < 98304 + 100, len(ours.out))
    check(b'f: binary file matches' in ours.err and ours.status == 0, ours.err)


@test
def sparse_file(treegrep):
    """A file with a hole is binary from its first line on."""
    t = Tree()
    t.file('hole', b'int\n' * 50000)
    os.truncate(t.path('hole'), 30000000)
    for options in ([], ['-c'], ['-l']):
        compare(treegrep, t.root, options, 'int', 'C')


@test
def special_files_are_skipped(treegrep):
    t = Tree()
    t.file('f', b'int\n')
    os.mkfifo(t.path('fifo'))
    os.mkfifo(t.path('fifo.gz'))
    os.symlink('/dev/zero', t.path('zero'))
    os.symlink('f', t.path('link'))
    ours = run(treegrep, '--stats', 'int', '.', 'fifo', '/dev/null', cwd=t.root)
    check(ours.out == b'./f:int\n' and ours.status == 0, ours.out, ours.status)
    check(b'no regular files: 6;' in ours.err, ours.err)


@test
def vanishing_files(treegrep):
    """A tree that is taken away and put back while it is searched."""
    t = Tree()
    stop = time.monotonic() + 2
    program = ('import os, shutil, sys\n'
               'while True:\n'
               '    for i in range(20):\n'
               '        os.makedirs(f"{sys.argv[1]}/d{i}/e", exist_ok=True)\n'
               '        for j in range(5):\n'
               '            open(f"{sys.argv[1]}/d{i}/{j}", "w").write("int")\n'
               '    for i in range(20):\n'
               '        shutil.rmtree(f"{sys.argv[1]}/d{i}")\n')
    churn = subprocess.Popen([sys.executable, '-c', program, t.root])
    try:
        while time.monotonic() < stop:
            ours = run(treegrep, 'int', t.root)
            check(ours.status in (0, 1, 2), ours.status)
            for line in ours.err.split(b'\n'):
                check(line == b'' or b'No such file' in line or
                      b'errors: ' in line, line)
            check(all(l.endswith(b':int\n') for l in ours.lines_of_bytes()),
                  ours.out)
    finally:
        churn.kill()
        churn.wait()


@test
def deep_tree(treegrep):
    """Deeper than a path can be long."""
    t = Tree()
    at = os.open(t.root, os.O_RDONLY)
    depth = 600
    for _ in range(depth):
        os.mkdir('directory-d', dir_fd=at)
        down = os.open('directory-d', os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = down
    f = os.open('f', os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=at)
    os.write(f, b'int\n')
    os.close(f)
    os.close(at)
    ours = run(treegrep, 'int', '.', cwd=t.root)
    check(ours.out == b'./' + b'directory-d/' * depth + b'f:int\n', ours.err)
    check(ours.status == 0, ours.status)


@test
def wide_directory(treegrep):
    t = Tree()
    for i in range(20000):
        t.file(f'w/{i}', b'int\n' if i % 10 == 0 else b'')
    ours = run(treegrep, '-l', 'int', 'w', cwd=t.root)
    wanted = sorted(f'w/{i}\n'.encode() for i in range(0, 20000, 10))
    same(ours.lines_of_bytes(), wanted, 'wide')


@test
def few_descriptors(treegrep):
    """EMFILE must not happen, however few there are and however many tasks
    would like to wait with a file open."""
    t = Tree()
    line, n = flood(t, files=200, megabytes=1)

    def lower():
        resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))

    p = subprocess.Popen([treegrep, '-h', '--workers', '8', '--open-files',
                          '500', 'int', '.'], cwd=t.root, preexec_fn=lower,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(1)
    out, err = p.communicate(timeout=LIMIT)
    check(err == b'' and p.returncode == 0, p.returncode, err[:2000])
    check(out == line * n * 200, 'other lines')


def open_below(process, root):
    """Descriptors that a process has open below root. The lowest free one is
    always the next: so a count over several moments is of no more numbers than
    were open at one of them."""
    n = 0
    for fd in os.listdir(f'/proc/{process.pid}/fd'):
        try:
            n += os.readlink(f'/proc/{process.pid}/fd/{fd}').startswith(root)
        except FileNotFoundError:
            pass  # closed meanwhile
    return n


@test
def open_files_are_limited(treegrep):
    """So many are open when the others must wait, and never more, however many
    tasks and directories there are; also where the system gives only few."""
    t = Tree()
    line, n = flood(t, files=40, megabytes=3)
    for i in range(200):
        t.file(f'z/{i}/{i}/f', line)

    def lower():
        resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))

    for option, most, prepare in (('3', 3, None), ('500', 8, lower)):
        p = subprocess.Popen([treegrep, '-h', '--workers', '8', '--open-files',
                              option, 'int', '.'], cwd=t.root,
                             preexec_fn=prepare, stdout=subprocess.PIPE)
        begun = time.monotonic()
        seen = 0
        while seen < most and time.monotonic() - begun < LIMIT:
            seen = max(seen, open_below(p, t.root))
        check(seen == most, seen, 'open, and not', most)
        got = 0
        while True:
            got += len(p.stdout.read1(1 << 20))
            seen = open_below(p, t.root) if p.poll() is None else 0
            check(seen <= most, seen, 'open, and not', most)
            if got == len(line) * (40 * n + 200):
                break
        check(p.stdout.read() == b'' and p.wait(LIMIT) == 0, p.returncode)
        p.stdout.close()


@test
def output_in_the_tree(treegrep):
    t = Tree()
    t.file('f', b'int\n' * 1000)
    with open(t.path('out'), 'wb') as out:
        p = subprocess.run([treegrep, 'int', '.'], cwd=t.root, stdout=out,
                           stderr=subprocess.PIPE, timeout=LIMIT, check=False)
    check(p.returncode == 2 and b'input file is also the output' in p.stderr,
          p.returncode, p.stderr)
    with open(t.path('out'), 'rb') as out:
        check(out.read() == b'./f:int\n' * 1000, 'wrong output')


# ---- the command line ------------------------------------------------------

@test
def wrong_command_lines(treegrep):
    for args in ([], ['('], ['[a'], ['a\nb'], ['--no-such-option', 'x'],
                 ['--first', '0', 'x'], ['--first', 'x', 'x'],
                 ['--first', '-1', 'x'], ['--workers', '0', 'x'],
                 ['--workers', '99999999999999999999', 'x'],
                 ['--timeout', '', 'x'], ['--timeout', '0', 'x'],
                 ['--timeout', '2d', 'x'], ['--timeout', '-1s', 'x'],
                 ['--timeout', 'nan', 'x'], ['--timeout', 'inf', 'x'],
                 ['--timeout', '1e300', 'x'], ['--open-files', '0', 'x'],
                 ['-z', 'x'], ['--first'], ['(*NO_JIT)(', '.']):
        ours = run(treegrep, *args, cwd='/')
        check(ours.status == 2 and ours.out == b'' and ours.err != b'', args,
              ours.status, ours.err)
    for args in (['--help'], ['--version']):
        ours = run(treegrep, *args)
        check(ours.status == 0 and ours.err == b'' and ours.out != b'', args)
    for environment in ('abc', '0', '-1', '9' * 30):
        p = subprocess.run([treegrep, 'x', '.'], stderr=subprocess.PIPE,
                           env=dict(os.environ, ROOST_WORKERS=environment),
                           timeout=LIMIT, check=False)
        check(p.returncode == 2 and p.stderr != b'', environment, p.returncode)


@test
def costly_patterns(treegrep):
    """The line cannot be decided: an error of that file, no hang."""
    t = Tree()
    t.file('bad', b'a' * 200 + b'b\n')
    t.file('good', b'aaa\n')
    ours = run(treegrep, '(a+)+$', '.', cwd=t.root)
    check(ours.out == b'./good:aaa\n', ours.out)
    check(ours.status == 2 and b"./bad: exceeded PCRE's" in ours.err, ours.err)
    t.file('bad', b'(' * 400000 + b'\n')
    ours = run(treegrep, r'^(\((?1)*\)?|x)+$', '.', cwd=t.root)
    check(ours.status in (0, 1, 2), ours.status, ours.err)


# ---- pipes -----------------------------------------------------------------

def flood(t, files, megabytes):
    """Files of so many megabytes each when unpacked, whose every line matches
    'int'. The line, and how often it is in each."""
    line = b'a line with an int and some more text in it, for the pipe\n'
    n = megabytes * 1000000 // len(line)
    packed = gzip.compress(line * n, 1)
    for i in range(files):
        t.file(f'{i:03}.gz', packed)
    return line, n


@test
def closed_pipe(treegrep):
    t = Tree()
    flood(t, files=20, megabytes=1)
    for workers in WORKERS:
        p = subprocess.Popen([treegrep, '--workers', str(workers), 'int', '.'],
                             cwd=t.root, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
        check(p.stdout.readline().startswith(b'./000.gz:a line'), 'first line')
        p.stdout.close()
        err = p.stderr.read()
        p.stderr.close()
        check(p.wait(LIMIT) == -signal.SIGPIPE and err == b'', p.returncode,
              err)
    p = subprocess.Popen(['sh', '-c', 'trap "" PIPE; exec "$0" int .',
                          treegrep], cwd=t.root, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    p.stdout.close()
    err = p.stderr.read()
    p.stderr.close()
    check(p.wait(LIMIT) == 2 and b'write error: Broken pipe' in err, err)
    if os.path.exists('/dev/full'):
        with open('/dev/full', 'wb') as full:
            p = subprocess.run([treegrep, 'int', '.'], cwd=t.root, stdout=full,
                               stderr=subprocess.PIPE, timeout=LIMIT,
                               check=False)
        check(p.returncode == 2 and b'No space left' in p.stderr, p.stderr)


def peak_of(process):
    """Most memory so far, in MiB; 0: it has ended."""
    with open(f'/proc/{process.pid}/status', encoding='ascii') as status:
        found = re.search(r'VmHWM:\s*(\d+)', status.read())
    return int(found[1]) // 1024 if found else 0


def is_full(process):
    """Whether its stdout, a pipe, takes no more; False: it has ended."""
    try:
        end = os.open(f'/proc/{process.pid}/fd/1', os.O_WRONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    try:
        return not select.select([], [end], [], 0)[1]
    finally:
        os.close(end)


@test
def full_pipe_holds_nobody(treegrep):
    """A reader that sleeps: the deadline counts, the memory is bounded."""
    t = Tree()
    flood(t, files=20, megabytes=60)
    for seconds in rounds(3, 'a pipe full before the deadline'):
        p = subprocess.Popen([treegrep, '--timeout', f'{seconds}s', '--workers',
                              '2', 'int', '.'], cwd=t.root,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        end = time.monotonic() + LIMIT + seconds
        full, peak = False, 0
        while p.poll() is None:
            check(time.monotonic() < end, 'the deadline was missed')
            full = full or is_full(p)
            peak = max(peak, peak_of(p))
            time.sleep(0.05)
        err = p.stderr.read()
        p.stdout.close()
        p.stderr.close()
        check(p.returncode == 124, p.returncode, err)
        check(SLOWNESS > 1 or peak < 60, f'{peak} MiB were held')
        if full:
            check(b'stdout takes no more' in err, err)
            break


def wait_until_idle(process):
    """It has used no processor for a while: it waits for us."""
    def used():
        with open(f'/proc/{process.pid}/stat', encoding='ascii') as stat:
            return stat.read().rsplit(')', 1)[1].split()[11:13]

    before = None
    while used() != before:
        before = used()
        time.sleep(0.5)


@test
def memory_does_not_grow_with_the_result(treegrep):
    """4,000 files, each small, and a reader that takes nothing until all has
    come to a stand, and then reads on: 240 MB must not be kept for it."""
    t = Tree()
    line = b'a line with an int and some more text in it, for the pipe\n'
    n = 60000 // len(line)
    t.file('0', line * n)
    for i in range(1, 4000):
        os.link(t.path('0'), t.path(f'd{i // 500}/{i}'))
    whole = 4000 * n * len(line)
    for workers in ('1', '4'):
        p = subprocess.Popen([treegrep, '-h', '--workers', workers, 'int', '.'],
                             cwd=t.root, stdout=subprocess.PIPE)
        p.stdout.read(1)
        wait_until_idle(p)
        peaks = [peak_of(p)]
        got = 0
        while got < whole - 1 - 300000:  # it cannot have ended
            got += len(p.stdout.read(200000))
        peaks.append(peak_of(p))
        out = p.stdout.read()
        p.stdout.close()
        check(p.wait(LIMIT) == 0, p.returncode)
        check(1 + got + len(out) == whole, 'lines are missing')
        check(SLOWNESS > 1 or max(peaks) < 100, f'{peaks} MiB were held')


@test
def slow_reader_gets_all(treegrep):
    t = Tree()
    line, n = flood(t, files=40, megabytes=3)
    wanted = b''.join(b'./%03d.gz:%s' % (i, line) * n for i in range(40))
    for workers in WORKERS:
        p = subprocess.Popen([treegrep, '--workers', str(workers), 'int', '.'],
                             cwd=t.root, stdout=subprocess.PIPE)
        out = []
        while True:
            some = p.stdout.read(8000000)
            if not some:
                break
            out.append(some)
            time.sleep(0.02)
        p.stdout.close()
        check(p.wait(LIMIT) == 0, p.returncode)
        check(b''.join(out) == wanted, 'other lines, or in another order')


# ---- partial results -------------------------------------------------------

def read_report(err):
    """The paths in part, and those left: files, directories, and rests of
    directories as (directory, first)."""
    part, left, below, rests = set(), set(), [], []
    for line in err.split(b'\n'):
        rest = re.fullmatch(rb'treegrep: left: (.*) and what follows in (.*): '
                            rb'(\d+) files, (\d+) directories', line)
        if rest:
            rests.append((rest[2], rest[1]))
        elif line.startswith(b'treegrep: in part: '):
            part.add(line[len(b'treegrep: in part: '):])
        elif line.startswith(b'treegrep: left: '):
            path = line[len(b'treegrep: left: '):]
            if path.endswith(b'/'):
                below.append(path)
            left.add(path)
    return part, left, below, rests


def is_left(path, left, below, rests):
    return (b'.' in left or path in left or
            any(path.startswith(d) for d in below) or
            any(path.startswith(d) and path >= first for d, first in rests))


def counts_of(err):
    """The counts of the report add up."""
    files = re.search(rb'files: (\d+) found, (\d+) searched, (\d+) with '
                      rb'errors, (\d+) in part, (\d+) not searched', err)
    directories = re.search(rb'directories: (\d+) found, (\d+) read, (\d+) '
                            rb'with errors, (\d+) not read', err)
    check(files and directories, 'no counts:', err)
    files = [int(n) for n in files.groups()]
    directories = [int(n) for n in directories.groups()]
    check(files[0] == sum(files[1:]), 'files do not add up:', err)
    check(directories[0] == sum(directories[1:]),
          'directories do not add up:', err)
    return files, directories


def check_partial(whole, out, err):
    """out is whole without the lines of what err says was not searched."""
    part, left, below, rests = read_report(err)
    files, _ = counts_of(err)
    check(files[3] == len(part), 'in part:', files[3], 'named:', len(part))
    got = re.findall(rb'[^\n]*\n|[^\n]+$', out)
    wanted = [l for l in whole if path_of(l) not in part and
              not is_left(path_of(l), left, below, rests)]
    same([l for l in got if path_of(l) not in part], wanted, 'partial')
    for path in part:
        of_whole = [l for l in whole if path_of(l) == path]
        of_got = [l for l in got if path_of(l) == path]
        same(of_got, of_whole[:len(of_got)], f'in part {path}')
    check([path_of(l) for l in got] == sorted(path_of(l) for l in got),
          'partial: not in path order')
    return len(got) < len(whole)


def cut_tree(t):
    """'1-x/' comes before '1/': only with the slash is it clear what follows
    what."""
    for i in range(12):
        folder = f'{i // 2}' + ('-x' if i % 2 else '')
        for j in range(12):
            t.file(f'{folder}/{j}', words(120, i * 100 + j))
            t.gz(f'{folder}/z/{j}.gz', words(120, i * 100 + j))
    t.file('5/large', words(40000, 5))


@test
def cut_by_the_deadline(treegrep):
    t = Tree()
    cut_tree(t)
    pattern = r'(?:\w+\s+)*(\w+)\s.*\1'
    begun = time.monotonic()
    whole = run(treegrep, '-n', pattern, '.', cwd=t.root)
    took = time.monotonic() - begun
    cut = 0
    for i in range(ROUNDS):
        timeout = f'{max(1, int(took * 1000 * (i + 0.5) / ROUNDS))}ms'
        workers = str(WORKERS[i % 4])
        ours = run(treegrep, '-n', '--stats', '--timeout', timeout,
                   '--workers', workers, '--open-files', ('1', '16')[i % 2],
                   pattern, '.', cwd=t.root)
        check(ours.status in (0, 124), ours.status, ours.err)
        if ours.status == 124:
            cut += check_partial(whole.lines_of_bytes(), ours.out, ours.err)
        else:
            check(ours.out == whole.out, 'in time, and not the whole')
    check(cut > 0, 'nothing was cut')


@test
def cut_by_a_signal(treegrep):
    t = Tree()
    cut_tree(t)
    pattern = r'(?:\w+\s+)*(\w+)\s.*\1'
    begun = time.monotonic()
    whole = run(treegrep, '-n', pattern, '.', cwd=t.root)
    took = time.monotonic() - begun
    rng = random.Random(7)
    cut = 0
    for i in range(2 * ROUNDS):
        number = signal.SIGTERM if i % 5 == 4 else signal.SIGINT
        p = subprocess.Popen([treegrep, '-n', '--stats', '--workers',
                              str(WORKERS[i % 4]), pattern, '.'], cwd=t.root,
                             env=dict(os.environ, LC_ALL='C'),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(rng.random() * took * 1.1)
        p.send_signal(number)
        out, err = p.communicate(timeout=LIMIT)
        if p.returncode == -number:
            continue  # before the handler stood, or after the search
        check(p.returncode in (0, 128 + number), p.returncode, err)
        if p.returncode == 0:
            check(out == whole.out, 'not interrupted, and not the whole')
        elif b'the result is complete' in err:
            check(out == whole.out, 'said to be complete')
        else:
            cut += check_partial(whole.lines_of_bytes(), out, err)
    check(cut > 0, 'nothing was cut')


@test
def second_signal_ends_at_once(treegrep):
    """Not only when the full pipe has had its last chance, a second later."""
    t = Tree()
    flood(t, files=20, megabytes=3)

    def ends_at_once():
        p = subprocess.Popen([treegrep, 'int', '.'], cwd=t.root,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        until(lambda: is_full(p), 'it takes no more')
        check(not would_end(p, signal.SIGINT), 'the first one')
        p.send_signal(signal.SIGINT)
        until(lambda: p.poll() is not None or would_end(p, signal.SIGINT),
              'it is heard')
        p.send_signal(signal.SIGINT)
        p.wait(LIMIT)
        p.stdout.close()
        p.stderr.close()
        check(p.returncode in (-signal.SIGINT, 128 + signal.SIGINT),
              p.returncode)  # the latter: its second was over before
        return p.returncode == -signal.SIGINT

    until(ends_at_once, 'the second signal in time')


def terminal_until(leader, word):
    """What is written to it until `word` is in it; b'' for all of it: one read
    gives a piece, the last one EIO."""
    shown = b''
    try:
        while not word or word not in shown:
            shown += os.read(leader, 1 << 20)
    except OSError:
        pass
    return shown


@test
def progress_only_on_a_terminal(treegrep):
    """The bar comes on a terminal, and what is printed wipes it away."""
    t = Tree()
    cut_tree(t)
    pattern = r'(?:\w+\s+)*(\w+)\s.*\1'
    leader, follower = os.openpty()
    with tempfile.TemporaryFile() as out:
        p = subprocess.Popen([treegrep, '-c', '--workers', '1', pattern] +
                             ['.'] * 10000, cwd=t.root, stdout=out,
                             stderr=follower)
        os.close(follower)
        shown = terminal_until(leader, b'files,')
        p.send_signal(signal.SIGINT)  # it has been seen
        shown += terminal_until(leader, b'')
        check(p.wait(LIMIT) == 128 + signal.SIGINT, p.returncode, shown[-300:])
        os.close(leader)
        out.seek(0)
        check(b'\x1b' not in out.read(), 'the bar is in the output')
    check(b' lines\r\x1b[K' in shown, shown[:300])
    ours = run(treegrep, '-c', pattern, '.', cwd=t.root)
    check(ours.err == b'', ours.err)


def tidy():
    """Removes the trees of a test."""
    for tree in Tree.all:
        tree.remove()
    Tree.all.clear()
    return ''


if __name__ == '__main__':
    sys.exit(main(tidy, os.path.abspath(sys.argv[1])))
