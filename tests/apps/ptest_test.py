#!/usr/bin/env python3
"""ptest with good tests and hostile ones.

    ptest_test.py PTEST [NAME...]

What it would catch: a verdict, a count or an exit status that is wrong; output
that is lost, mixed, or kept without bound; more tests at a time than were asked
for; a deadline that does not hold; a report that no parser takes, or that does
not tell of all; and a process that is left, whatever a test does, and however
ptest ends. Rules of the library that it stands on: R3, R12, R20, R26, R29, R35,
R38, R58.
"""

import glob
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
import xml.etree.ElementTree

from harness import (LIMIT, SLOWNESS, check, main, rounds, same, test, until,
                     would_end)

FOLDERS = []


def folder():
    FOLDERS.append(tempfile.mkdtemp(prefix='ptest-test-'))
    return FOLDERS[-1]


def survivors(mark):
    """All processes that were started with this word in their environment."""
    found = []
    for path in glob.glob('/proc/[0-9]*/environ'):
        try:
            with open(path, 'rb') as f:
                if mark.encode() in f.read():
                    found.append(path.split('/')[2])
        except OSError:
            pass
    return found


def sleepers(mark):
    """Those of them that have become sleep(1)."""
    found = []
    for pid in survivors(mark):
        try:
            with open(f'/proc/{pid}/comm', encoding='utf-8') as f:
                if f.read() == 'sleep\n':
                    found.append(pid)
        except OSError:
            pass
    return found


class Tap:
    """TAP version 13, as strictly as it is said."""

    def __init__(self, text):
        lines = text.decode().split('\n')
        same(lines[0], 'TAP version 13', 'the first line')
        self.planned = int(re.fullmatch(r'1\.\.(\d+)', lines[1])[1])
        self.points = []   # (ok, description, directive)
        self.comments = []
        self.bail_out = None
        self.facts = []
        inside = False
        for line in lines[2:-1]:
            point = re.fullmatch(r'(not )?ok (\d+) - ((?:[^\\#]|\\[\\#])*?)'
                                 r'(?: # SKIP (.*))?', line)
            if inside or line == '  ---':
                inside = line != '  ...'
                fact = re.fullmatch(r'  (\w+): (.*)', line)
                if fact:
                    self.facts[-1][fact[1]] = fact[2].strip('"')
            elif point:
                same(int(point[2]), len(self.points) + 1, 'the order')
                name = re.sub(r'\\(.)', r'\1', point[3])
                self.points.append((not point[1], name, point[4]))
                self.comments.append([])
                self.facts.append({})
            elif line.startswith('Bail out! '):
                self.bail_out = line[10:]
            else:
                check(line.startswith('# '), 'neither this nor that:', line)
                self.comments[-1].append(line[2:])
        same(lines[-1], '', 'the last line')
        same(len(self.points), self.planned, 'the plan')


class Junit:
    def __init__(self, text):
        self.suite = xml.etree.ElementTree.fromstring(text).find('testsuite')
        self.cases = {}    # name -> (kind, message, output)
        counted = {'failure': 0, 'error': 0, 'skipped': 0}
        for case in self.suite.findall('testcase'):
            kinds = [e for e in case if e.tag != 'system-out']
            check(len(kinds) < 2, 'several verdicts')
            kind = kinds[0].tag if kinds else 'passed'
            counted[kind] = counted.get(kind, 0) + 1
            check(float(case.get('time')) >= 0, case.attrib)
            self.cases[case.get('name')] = (
                kind, kinds[0].get('message') if kinds else '',
                case.findtext('system-out') or '')
        said = {k: int(self.suite.get(k + 's' if k != 'skipped' else k))
                for k in ('failure', 'error', 'skipped')}
        same({k: counted[k] for k in said}, said, "JUnit's counts")
        same(int(self.suite.get('tests')), len(self.cases), "JUnit's tests")


class Run:
    """ptest, its reports, and that nothing is left behind it."""

    program = None

    def __init__(self, *args, lines=None, at_once=None, **more):
        self.mark = 'PTEST_MARK=' + uuid.uuid4().hex
        self.tap_file = os.path.join(folder(), 'tap')
        self.junit_file = self.tap_file + '.xml'
        self.process = subprocess.Popen(
            [self.program, '-e', self.mark, '--tap', self.tap_file, '--junit',
             self.junit_file, *args],
            stdin=subprocess.PIPE if lines is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        if lines is not None:
            self.process.stdin.write('\n'.join(lines).encode())
            self.process.stdin.close()
            self.process.stdin = None
        if at_once is None:
            self.wait()

    def wait(self):
        self.out, self.err = self.process.communicate(timeout=LIMIT)
        self.status = self.process.returncode
        same(survivors(self.mark), [], 'left behind')
        check(b'Sanitizer' not in self.err, self.err.decode(errors='replace'))
        return self

    def whole(self, passed, failed, status=None):
        """All reports are there and tell the same."""
        self.tap = Tap(self.read(self.tap_file))
        self.junit = Junit(self.read(self.junit_file))
        lines = self.out.decode(errors='replace').split('\n')
        if passed is not None:
            same(lines[-2:], [f'{passed} passed, {failed} failed', ''],
                 'the closing line')
        counts = [int(n) for n in re.fullmatch(
            r'(\d+) passed, (\d+) failed', lines[-2]).groups()]
        kinds = [c[0] for c in self.junit.cases.values()]
        same([kinds.count('passed'), kinds.count('failure') +
              kinds.count('error')], counts, "JUnit's verdicts")
        same([sum(p[0] and p[2] is None for p in self.tap.points),
              sum(not p[0] for p in self.tap.points)], counts,
             "TAP's verdicts")
        if status is None:
            status = 1 if counts[1] else 0
        same(self.status, status, f'the status of {self.out} {self.err}')
        return self

    @staticmethod
    def read(path):
        with open(path, 'rb') as f:
            return f.read()

    def of(self, name):
        return self.junit.cases[name]

    def reason(self, name):
        kind, message, _ = self.of(name)
        line = next(l for l in self.out.decode(errors='replace').split('\n')
                    if f' s  {name}' in l)
        check(not message or message in line or kind == 'skipped', line)
        return message


def sh(script, **about):
    """A line of a list: a script of the shell's."""
    words = ' '.join(f'{k}={v}' if v is not True else k
                     for k, v in about.items())
    quoted = script.replace('\\', '\\\\').replace('"', '\\"')
    return (f'[{words}] ' if words else '') + f'sh -c "{quoted}"'


# ---- verdicts --------------------------------------------------------------

@test
def verdicts():
    r = Run(lines=[sh('exit 0', name='good'), sh('exit 3', name='bad'),
                   sh('exit 77', name='skips'), sh('kill -9 $$', name='dies'),
                   sh('kill -34 $$', name='rt'),
                   '[name=absent] /no/such/program',
                   '[name=unfit] /etc/passwd', '[name=lost dir=/nope] true',
                   sh('exec nothing-of-this-name', name='sh')])
    r.whole(1, 7)
    for name, kind, message in (
            ('good', 'passed', ''), ('bad', 'failure', 'exit status 3'),
            ('skips', 'skipped', 'exit status 77'),
            ('dies', 'failure', 'SIGKILL'), ('rt', 'failure', 'signal 34'),
            ('absent', 'error', 'cannot be executed: No such file or '
             'directory'),
            ('unfit', 'error', 'cannot be executed: Permission denied'),
            ('lost', 'error', 'cannot enter its directory: No such file or '
             'directory'), ('sh', 'failure', 'exit status 127')):
        same(r.of(name)[:2], (kind, message), name)
        same(r.reason(name), message, name)
    check(b'\n1 skipped\n' in r.out, r.out)
    r = Run('-c', sh('exit 77', name='a'), '--skip-status', '0').whole(0, 1)
    r = Run('-c', sh('exit 5', name='a'), '--skip-status', '5').whole(0, 0)
    r = Run('-c', 'true').whole(1, 0)


@test
def sources():
    where = folder()
    program = os.path.join(where, 'a test')
    with open(program, 'w', encoding='ascii') as f:
        f.write('#!/bin/sh\necho of the file\n')
    os.chmod(program, 0o755)
    listed = os.path.join(where, 'list')
    with open(listed, 'w', encoding='ascii') as f:
        f.write('# a comment\n\n   \n  true \r\n\t# and one\n[name=b] false')
    r = Run('-c', 'echo 1', '-f', listed, program, '-f', '-', '-v',
            lines=['true  # no comment']).whole(4, 1)
    same(list(r.junit.cases), ['echo 1', 'true', 'b', 'true  # no comment',
                               'a test'], 'the order')
    same(r.of('a test')[2], 'of the file\n', 'its output')
    same(Run(lines=['true', 'false']).whole(1, 1).of('true')[0], 'passed',
         'stdin')


@test
def lines():
    where = folder()
    r = Run('-C', where, '-e', 'A=all', '-e', 'B=all', '-v', lines=[
        r'''[name=words] printf '[%s]' a  'b c' "d\"e\\f\g" h\ i 'j\k' ""''',
        sh('echo $A$B$C', name='env').replace('sh -c', "A=own C='x y' sh -c"),
        sh('pwd', name='all'), sh('pwd', name='own', dir='/'),
        sh("pwd", name="'with \"quotes\" ]'"), '[ -d /proc ]',
        'sh -c pwd # [dir=/]'])
    r.whole(7, 0)
    same(r.of('words')[2], r'[a][b c][d"e\f\g][h i][j\k][]', 'words')
    same(r.of('env')[2], 'ownallx y\n', 'the environment')
    same(r.of('all')[2], where + '\n', 'the directory')
    same(r.of('own')[2], '/\n', 'its own')
    check('with "quotes" ]' in r.junit.cases, list(r.junit.cases))
    for line, wrong in (("a 'b", 'a quote is not closed'),
                        ('[name=a', "']' is missing"),
                        ('[name=a]', 'there is no program'),
                        ('A=b', 'there is no program'),
                        ("''", 'there is no program'),
                        ('[nope] true', 'in [ ] stand'),
                        ('[timeout=x] true', 'in [ ] stand'),
                        ('tr\0ue', 'a NUL')):
        r = Run(lines=['true', '', line], at_once=False)
        r.wait()
        same(r.status, 2, line)
        check(f'ptest: -: line 3: {wrong}'.encode() in r.err, r.err)
        check(not r.out, r.out)


@test
def wrong_command_lines():
    for args in (['-j', '0', '-c', 'true'], ['-j', 'x', '-c', 'true'],
                 ['-t', '1 s', '-c', 'true'], ['-g', '-1s', '-c', 'true'],
                 ['-e', 'X', '-c', 'true'], ['-c', ''], ['--nope'], ['-f'],
                 ['-f', '/nope'], ['-f', '/dev/null'], [''], [],
                 ['--output-max', '1T', '-c', 'true'],
                 ['--skip-status', '256', '-c', 'true'],
                 ['--tap', '-', '--junit', '-', '-c', 'true'],
                 ['--tap', '/nope/tap', '-c', 'true'],
                 ['--junit', '/', '-c', 'true']):
        p = subprocess.run([Run.program, *args], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           timeout=LIMIT, check=False)
        check(p.returncode == 2 and p.stderr and not p.stdout, args, p)
    p = subprocess.run([Run.program, '--help'], stdout=subprocess.PIPE,
                       timeout=LIMIT, check=True)
    check(b'--junit' in p.stdout, p.stdout)


# ---- output ----------------------------------------------------------------

@test
def output_is_kept_apart():
    """Many at once, each with its own, in the order it was written."""
    r = Run('-v', '-j', '8', lines=[
        sh(f'for i in $(seq 200); do echo {n} $i; echo {n} err $i >&2; done',
           name=n) for n in range(30)]).whole(30, 0)
    for n in range(30):
        wanted = ''.join(f'{n} {i}\n{n} err {i}\n' for i in range(1, 201))
        same(r.of(str(n))[2], wanted, 'its output')
        check(f'--- output of {n}\n{wanted}---\n'.encode() in r.out, n)


@test
def output_is_bounded():
    numbers = ''.join(f'{i}\n' for i in range(1, 300001))
    for most in (0, 1, 2, 1000, 4096, 100001, 1 << 21):
        r = Run('--output-max', str(most), '-c', '[name=a] seq 300000',
                '-c', '[name=b] printf 123456').whole(2, 0)
        half = most // 2
        if len(numbers) <= 2 * half:
            wanted = numbers
        else:
            left = len(numbers) - 2 * half
            head = numbers[:half]
            newline = '\n' if head and head[-1] != '\n' else ''
            wanted = (f'{head}{newline}[{left} bytes are left out]\n' +
                      numbers[len(numbers) - half:])
        same(r.of('a')[2], wanted, most)
        if most >= 6:
            same(r.of('b')[2], '123456', most)
    r = Run('-c', sh('yes | head -c 300000000', name='a'), '-q',
            at_once=False)
    peak = 0
    while r.process.poll() is None:
        with open(f'/proc/{r.process.pid}/status', encoding='ascii') as f:
            found = re.search(r'VmHWM:\s*(\d+)', f.read())
            peak = int(found[1]) if found else peak
        time.sleep(0.05)
    r.wait().whole(1, 0)
    check(SLOWNESS > 1 or peak < 32768, f'{peak} KiB for 300 MB of output')


@test
def output_ends_before_the_test():
    r = Run('-v', '-c', sh('echo a; exec >&- 2>&-; sleep 0.4; exit 4',
                           name='a')).whole(0, 1)
    same(r.of('a'), ('failure', 'exit status 4', 'a\n'), 'it goes on')
    check(float(r.tap.facts[0]['duration_ms']) >= 400, r.tap.facts)


@test
def reports_take_any_bytes():
    every = ''.join(f'\\{i:03o}' for i in range(256))
    odd = '\\303\\251 \\355\\240\\200 \\364\\220\\200\\200 \\300\\257 ' \
          '\\357\\277\\277 \\342\\202 \\360\\237\\230\\200 ]]> <a>&"'
    path = os.path.join(folder(), 'n\nm # TODO\\ "<&\udcff')
    with open(path, 'w', encoding='ascii') as f:
        f.write('#!/bin/sh\n')
    os.chmod(path, 0o755)
    r = Run('-c', f'[name=every] sh -c \'printf "{every}"; exit 1\'',
            '-c', f'[name=odd] printf \'{odd}\'', path).whole(2, 1)
    text = ''.join(chr(i) if i in (9, 10, 13) or 32 <= i < 127 else
                   f'\\x{i:02x}' for i in range(256))
    same(r.of('every')[2], text, 'every byte')
    same(r.of('odd')[2], 'é \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80 \\xc0\\xaf '
         '\\xef\\xbf\\xbf \\xe2\\x82 \U0001f600 ]]> <a>&"', 'odd ones')
    same('\n'.join(r.tap.comments[0]), text, 'in TAP')
    same(r.tap.points[2][1], path.replace('\n', ' ').replace(
        '\udcff', '\\xff'), "TAP's name")
    check(os.path.basename(path).replace('\n', ' ').replace('\udcff', '\\xff')
          in [n.replace('\n', ' ') for n in r.junit.cases],
          list(r.junit.cases))


@test
def a_report_on_stdout_stands_alone():
    for option, parse in (('--tap', Tap), ('--junit', Junit)):
        p = subprocess.run([Run.program, option, '-', '-c', 'true', '-c',
                            'false'], stdout=subprocess.PIPE, timeout=LIMIT,
                           check=False)
        same(p.returncode, 1, option)
        parse(p.stdout)


@test
def reports_that_cannot_be_written():
    for args in (['--tap', '/dev/full'], ['--junit', '/dev/full']):
        p = subprocess.run([Run.program, *args, '-c', 'true'],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           timeout=LIMIT, check=False)
        same((p.returncode, p.stderr), (2, b'ptest: /dev/full: No space left '
                                        b'on device\n'), args)
        check(b'1 passed, 0 failed' in p.stdout, p.stdout)
    where = folder()
    p = subprocess.Popen([Run.program, '-j', '1', '-C', where, '-c', 'true',
                          '-c', 'sleep 0.3', '-c', 'touch after'],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdout.close()  # whoever looked on has gone: the tests go on
    err = p.communicate(timeout=LIMIT)[1]
    same((p.returncode, err), (2, b'ptest: standard output: Broken pipe\n'),
         'a reader that has gone')
    check(os.path.exists(os.path.join(where, 'after')), 'it did not go on')


# ---- at a time -------------------------------------------------------------

def spans(where):
    found = []
    for name in os.listdir(where):
        with open(os.path.join(where, name), encoding='ascii') as f:
            found.append([float(x) for x in f.read().split()] + [name])
    return found


def most_at_once(found):
    return max(sum(b <= t < e for b, e, _ in found) for t, _, _ in found)


@test
def so_many_at_a_time():
    """The first ones wait for each other, so that as many are there at once."""
    clock = 'date +%s.%N'
    for jobs in (1, 3, 6):
        where = folder()
        there = folder()
        meet = (f'until [ $(ls {there} | wc -l) -ge {jobs} ]; '
                'do sleep 0.01; done')
        Run('-j', str(jobs), '-C', where, lines=[
            sh(f'a=$({clock}); : > {there}/{i}; {meet}; '
               f'echo $a $({clock}) > {i}', name=i)
            for i in range(18)]).whole(18, 0)
        found = spans(where)
        same(len(found), 18, 'all ran')
        same(most_at_once(found), jobs, 'at a time')


@test
def serial_ones_run_alone():
    clock = 'date +%s.%N'
    where = folder()
    script = f'a=$({clock}); sleep 0.05; echo $a $({clock}) > '
    Run('-j', '4', '-C', where, lines=[
        sh(f'{script} {i}', name=i, **({'serial': True} if i % 3 == 0 else {}))
        for i in range(12)]).whole(12, 0)
    found = spans(where)
    for begin, end, name in found:
        if int(name) % 3 == 0:
            same([n for b, e, n in found if b < end and begin < e], [name],
                 'beside a serial one')


@test
def many():
    n = 400
    r = Run('-j', '16', '-q', lines=[
        ('true' if i % 7 else 'false') if i % 11 else sh('exit 77')
        for i in range(n)], at_once=False)
    r.wait()
    skipped = len(range(0, n, 11))
    failed = len([i for i in range(0, n, 7) if i % 11])
    same(r.out.decode().split('\n')[-2],
         f'{n - skipped - failed} passed, {failed} failed', 'many')
    same(len(Tap(r.read(r.tap_file)).points), n, 'points')


# ---- ends ------------------------------------------------------------------

@test
def deadlines():
    for seconds in rounds(0.4 * SLOWNESS, 'traps before the deadline'):
        where = folder()
        r = Run('-t', f'{seconds}s', '-g', f'{300 * SLOWNESS}ms',
                '-j', '20', '-C', where, lines=[
            sh('sleep 1000', name='sleeps'),
            sh('trap "echo bye; exit 0" TERM; : > obeys; sleep 1000 & wait',
               name='obeys'),
            sh('trap "" TERM; : > deaf; while :; do sleep 0.01; done',
               name='deaf'),
            sh('kill -STOP $$', name='stopped'),
            sh('while :; do :; done', name='spins'),
            sh('yes', name='writes'),
            sh('exec >&- 2>&-; sleep 1000', name='mute'),
            sh(f'sleep {1.5 * seconds}', name='longer', timeout='1000s'),
            sh(f'sleep {1.5 * seconds}', name='endless', timeout='0'),
            sh('sleep 1000', name='shorter', timeout='50ms')])
        r.whole(2, 8)
        trapped = os.listdir(where)
        least = {'shorter': 0.05}
        if 'deaf' in trapped:
            least['deaf'] = seconds + 0.3 * SLOWNESS
        for name in ('sleeps', 'obeys', 'deaf', 'stopped', 'spins', 'writes',
                     'mute', 'shorter'):
            check(r.reason(name).startswith('timed out after '), name,
                  r.reason(name))
            took = float(r.reason(name).split()[3])
            check(took >= least.get(name, seconds), name, took)
        if 'obeys' in trapped:
            same(r.of('obeys')[2], 'bye\n', 'its last words')
        if len(trapped) == 2:
            break
    r = Run('-t', '1ns', '-c', '[name=a] sleep 1000').whole(0, 1)
    check(r.reason('a').startswith('timed out'), r.reason('a'))
    r = Run('-t', '100ms', '-g', '0', '-c', sh('trap "" TERM; sleep 1000 & '
            'sleep 1000 & wait; wait', name='a')).whole(0, 1)


LEAVES = {
    'a child': 'sleep 1000 &',
    'a session': 'setsid sleep 1000 & sleep 0.2;',
    'a daemon': "setsid sh -c 'setsid sleep 1000 & sleep 1000' & sleep 0.2;",
    'deaf': "(trap '' TERM HUP INT; while :; do sleep 0.01; done) &",
    'stopped': "sh -c 'kill -STOP $$' & sleep 0.2;",
    'mute': 'sleep 1000 >&- 2>&- &',
    'a crowd': "for i in 1 2 3 4 5 6 7 8 9; do setsid sleep 1000 & done;",
    'breeds': "setsid sh -c 'while :; do sleep 0.05 & sleep 0.01; done' &",
}


@test
def nothing_is_left():
    """Run looks for survivors; here are those who try to be some."""
    r = Run('-g', '300ms', '-j', '8', '-v', lines=[
        sh(f'{script} echo said; exit {i % 2}', name=f"'{name}'")
        for i, (name, script) in enumerate(LEAVES.items())])
    r.whole(4, 4)
    for name in LEAVES:
        check(r.of(name)[2].startswith('said\n'), name, r.of(name))
    check(b' processes outlived their tests, and were ended\n' in r.out, r.out)
    check('left_behind' in r.tap.facts[0], r.tap.facts[0])
    until(ends_by_himself, 'in time')


def ends_by_himself():
    """Within the time that is left to those who do. Whether he did."""
    r = Run('-c', sh('(sleep 0.05; echo late) & echo early', name='a'),
            '-g', '1000s').whole(1, 0)
    ended = b'outlived' not in r.out
    check(r.of('a')[2] == 'early\nlate\n' or
          (r.of('a')[2] == 'early\n' and not ended), r.of('a'), r.out)
    return ended


@test
def guards_are_hard_to_lose():
    """What a test does to its guard: signals end it not, SIGKILL and SIGSTOP
    are told, and nobody is left."""
    lost = ('error', 'lost: its guard was ended by SIGKILL')
    beside = sh('sleep 0.2', name='b')
    for name, script in (
            ('killed', 'kill -9 $PPID; sleep 1000'),
            ('killed, and a daemon', 'setsid sleep 1000 & sleep 0.1; '
             'kill -9 $PPID; sleep 1000')):
        r = Run('-c', sh(script, name='a'), '-c', beside).whole(1, 1)
        same(r.of('a')[:2], lost, name)
    for seconds in rounds(0.3 * SLOWNESS, 'stopped before the deadline'):
        where = folder()
        r = Run('-g', '100ms', '-C', where, '-c', beside, '-c',
                sh('kill -STOP $PPID; : > stopped; sleep 1000', name='a',
                   timeout=f'{seconds}s')).whole(1, 1)
        if os.listdir(where):
            same(r.of('a')[:2], lost, 'stopped')
            break
        check(r.reason('a').startswith('timed out after '), r.reason('a'))
    every = ' '.join(str(n) for n in range(1, 65)
                     if n not in (9, 15, 19, 32, 33))
    Run('-c', sh(f'for n in {every}; do kill -$n $PPID; done; sleep 0.1',
                 name='a')).whole(1, 0)
    r = Run('-c', sh('kill -TERM $PPID; sleep 1000', name='a')).wait()
    same(r.whole(0, 0).of('a')[:2], ('skipped', 'cancelled'), 'by itself')
    r = Run('-c', sh('kill 0', name='a')).whole(0, 1)
    same(r.of('a')[1], 'SIGTERM', 'its own group')


# ---- the run is cut short --------------------------------------------------

@test
def fail_fast():
    where = folder()
    r = Run('-x', '-j', '3', '-C', where, '-g', '5s', lines=[
        sh('sleep 0.1', name='a'), sh('sleep 1000', name='b'),
        sh('until [ -e begun ]; do sleep 0.01; done; exit 1', name='c')] +
        [sh(f': > begun; sleep 1000; touch {i}', name=i) for i in range(5)] +
        [sh('touch s', name='s', serial=True)]).whole(1, 1)
    same(r.of('b')[:2], ('skipped', 'cancelled'), 'what ran')
    same([r.of(str(i))[1] for i in range(5)], ['cancelled'] + 4 * ['not run'],
         'the others')
    same(r.of('s')[1], 'not run', 'the serial one')
    same(r.tap.bail_out, 'the first failure: c', 'TAP')
    check(b'\n2 cancelled\n5 not run\n' in r.out, r.out)
    same(os.listdir(where), ['begun'], 'what was done')
    Run('-x', '-c', 'true', '-c', 'sleep 0').whole(2, 0)


@test
def signals_cut_short():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        r = Run('-j', '3', '-g', '100s', at_once=False, lines=[
            sh('echo begun; exit 1', name='a'),
            sh('trap "echo bye; exit" TERM; sleep 1000 & wait', name='b')] +
            [sh('setsid sleep 1000 & sleep 1000', name=i) for i in range(6)])
        # A shell that has forked, but not yet run sleep, would lose a signal
        # for which it has a trap.
        until(lambda: len(sleepers(r.mark)) >= 5, 'they run')
        r.process.send_signal(number)
        r.wait().whole(0, 1, status=128 + number)
        same(r.of('b'), ('skipped', 'cancelled', 'bye\n'), 'what ran')
        same(r.of('5')[:2], ('skipped', 'not run'), 'what did not')
        same(r.tap.bail_out, number.name, 'TAP')


@test
def at_any_moment():
    """A signal, at random moments: whole reports, and nobody is left."""
    rng = random.Random(3)
    lines = [sh('sleep 0.0' + str(rng.randrange(10)) + '; '
                + rng.choice(['exit 1', 'exit 77', 'true',
                              'setsid sleep 1000 &']), name=i)
             for i in range(30)]
    begun = time.monotonic()
    Run('-j', '4', '-g', '1s', lines=lines)
    took = time.monotonic() - begun
    cut = 0
    times = 0
    while times < 20 or cut < 6:
        check(times < 1000, 'cut:', cut)
        times += 1
        r = Run('-j', '4', '-g', '1s', lines=lines, at_once=False)
        time.sleep(rng.random() * took)
        r.process.send_signal(signal.SIGTERM)
        r.wait()
        if r.status in (-15, 0, 1):
            continue  # before its first line, or after its last
        cut += 1
        r.whole(None, None, status=143)


@test
def ended_at_once():
    """By a second signal, and by SIGKILL: the guards see to the rest."""
    deaf = sh('trap "" TERM; setsid sleep 1000 & while :; do sleep 0.01; done')
    for how in ('second', 'kill', 'quit'):
        r = Run('-j', '4', '-g', '1000s', '-t', '0', lines=8 * [deaf],
                at_once=False)
        until(lambda: len(survivors(r.mark)) >= 12, 'they run')
        if how == 'second':
            check(not would_end(r.process, signal.SIGINT), 'the first one')
            r.process.send_signal(signal.SIGINT)
            until(lambda: would_end(r.process, signal.SIGINT), 'it is heard')
            same(r.process.poll(), None, 'the grace')
            r.process.send_signal(signal.SIGINT)
        else:
            r.process.send_signal(signal.SIGKILL if how == 'kill' else
                                  signal.SIGQUIT)
        r.process.communicate(timeout=LIMIT)
        same(r.process.returncode, {'second': -2, 'kill': -9, 'quit': -3}[how],
             'its end')
        until(lambda: not survivors(r.mark), 'nobody is left')


@test
def ignored_signals_stay_so():
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    r = Run('-c', 'sleep 0.5', at_once=False, preexec_fn=ignore)
    until(lambda: len(survivors(r.mark)) >= 2, 'it runs')
    r.process.send_signal(signal.SIGHUP)
    r.wait().whole(1, 0)


# ---- what a test finds -----------------------------------------------------

@test
def what_a_test_finds():
    """No descriptor, signal or terminal of its runner's."""
    r = Run('-v', lines=[
        sh('ls -l /proc/self/fd | grep -v /proc/ | grep -c -e "->"',
           name='fds'),
        sh('readlink /proc/self/fd/0', name='stdin'),
        sh('grep -E "Sig(Blk|Ign)" /proc/self/status', name='signals'),
        sh('test $(ps -o pgid= $$) = $$', name='group')]).whole(4, 0)
    same(r.of('fds')[2], '3\n', 'descriptors')
    same(r.of('stdin')[2], '/dev/null\n', 'stdin')
    for name, mask in re.findall(r'(\w+):\s*(\w+)', r.of('signals')[2]):
        mask = int(mask, 16) & ~(3 << 31)  # the C library's own: 32, 33
        same(mask, 0, name)


@test
def without_standard_files():
    where = folder()
    for closed in ('<&-', '>&-', '2>&-', '<&- >&- 2>&-'):
        subprocess.run(['sh', '-c', f'exec "$0" --tap {where}/tap -c "echo x" '
                        f'-c false {closed}', Run.program],
                       stdout=subprocess.DEVNULL, timeout=LIMIT, check=False)
        tap = Tap(Run.read(f'{where}/tap'))
        same([p[0] for p in tap.points], [True, False], closed)


@test
def few_descriptors():
    """Fewer at a time; too few for one: an error of each, or of ptest."""
    def allow(n):
        return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (n, n))

    r = Run('-j', '100', lines=50 * ['true'], preexec_fn=allow(64),
            at_once=False)
    r.wait()
    same((r.status, r.out.decode().split('\n')[-2]), (0, '50 passed, 0 failed'),
         'all')
    check(b'3 tests at a time: only 64 descriptors' in r.err, r.err)
    seen = set()
    for n in range(4, 20):
        r = Run('-c', 'true', '-c', 'true', preexec_fn=allow(n), at_once=False)
        r.wait()
        seen.add(r.status)
        check(r.status == 0 or b'Too many open files' in r.err + r.out, n,
              r.status, r.out, r.err)
    same(seen, {0, 1, 2}, 'what became of it')


def tidy():
    for path in FOLDERS:
        shutil.rmtree(path)
    FOLDERS.clear()
    return ''


if __name__ == '__main__':
    Run.program = os.path.abspath(sys.argv[1])
    sys.exit(main(tidy))
