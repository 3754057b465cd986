"""What the tests of the programs share: cases, checks, waiting, the closing
line. A test is a function under @test; it fails by an exception."""

import os
import subprocess
import sys
import time

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
            outcome = f'FAILED: {type(e).__name__} {e}'
            failed += 1
        outcome += tidy()
        print(f'{function.__name__}: {outcome} '
              f'({time.monotonic() - begun:.1f} s)', flush=True)
    print(f'{len(chosen) - failed} passed, {failed} failed')
    return 1 if failed or not chosen else 0
