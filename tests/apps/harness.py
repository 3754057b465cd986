"""What the tests of the programs share: cases, checks, waiting, the closing
line. A test is a function under @test; it fails by an exception."""

import os
import subprocess
import sys
import time
import traceback

SLOWNESS = float(os.environ.get('APPS_SLOWNESS', '1'))
LIMIT = 60 * SLOWNESS  # seconds: longer is a hang
TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Failure(Exception):
    pass


def check(condition, *what):
    if not condition:
        raise Failure(' '.join(str(w) for w in what))


def same(got, wanted, what):
    check(got == wanted, f'{what}: {got!r}, not {wanted!r}'[:2000])


def until(condition, what):
    """Waits for it to come about."""
    end = time.monotonic() + LIMIT
    while not condition():
        check(time.monotonic() < end, 'never came about:', what)
        time.sleep(0.02)


def rounds(first, what):
    """Times, in seconds, each twice the one before: for what has to happen
    before a time is up, where nobody can say when it will. A round of any time
    is judged by what has happened in it; the last is the first in time."""
    seconds = first
    while seconds <= LIMIT:
        yield seconds
        seconds *= 2
    check(False, 'never came about in time:', what)


def would_end(process, number):
    """Whether a signal of that number would end it now: it neither catches nor
    ignores it, and has a thread that does not block it."""
    def masks(path):
        try:
            with open(f'{path}/status', encoding='ascii') as f:
                return {k: int(v, 16) >> (number - 1) & 1 for k, v in
                        (l.split(':') for l in f if l.startswith('Sig'))
                        if '/' not in v}
        except OSError:
            return None  # a thread that has ended

    root = f'/proc/{process.pid}'
    own = masks(root)
    threads = [masks(f'{root}/task/{t}') for t in os.listdir(f'{root}/task')]
    return not own['SigCgt'] and not own['SigIgn'] and any(
        t is not None and not t['SigBlk'] for t in threads)


def main(tidy, *given):
    """Runs the tests that the command line names after the program, or all,
    each with what is given. tidy() ends what a test has left, and returns what
    there is to say of it."""
    chosen = [t for t in TESTS if len(sys.argv) < 3 or
              t.__name__ in sys.argv[2:]]
    failed = 0
    for function in chosen:
        begun = time.monotonic()
        try:
            function(*given)
            outcome = 'ok'
        except (Failure, OSError, subprocess.TimeoutExpired) as e:
            lines = traceback.extract_tb(e.__traceback__)[1:]
            outcome = (f'FAILED: {type(e).__name__} {e}, in line ' +
                       ', '.join(str(at.lineno) for at in lines))
            failed += 1
        outcome += tidy()
        print(f'{function.__name__}: {outcome} '
              f'({time.monotonic() - begun:.1f} s)', flush=True)
    print(f'{len(chosen) - failed} passed, {failed} failed')
    return 1 if failed or not chosen else 0
