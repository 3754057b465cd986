"""The workloads of ../../waits/waits.h on Python's asyncio.

    bench_waits_asyncio --list
    bench_waits_asyncio CASE 1 BATCHES

The second runs a batch to warm up and then so many that count, and prints what
shim.cpp prints of a case of C. asyncio has one thread, so there is no other
number of workers. A batch is always a task, all of one loop, and the garbage
collector is left as Python has it. Left out: pingpong (turns.py), rwlock,
10^6 sleepers (many.py) and skynet, whose 10^6 leaves are all there at once.
"""
import asyncio
import sys

import chans
import locks
import many
import selects
import sizes
import turns
from bench import Bench, result, show

CASES = {
    "yield/2": (turns.yields, 2),
    "yield/1000": (turns.yields, 1000),
    "pingpong/room": (turns.pingpong,),
    "pingpong/deadline": (turns.pingpong_deadline,),
    "ring": (turns.ring,),
    "event": (turns.event,),
    "chan/1p1c": (chans.through_one, 1),
    "chan/4p4c": (chans.through_one, 4),
    "broadcast": (chans.broadcast,),
    "pipeline": (chans.pipeline,),
    "select/ready/2": (selects.ready, 2),
    "select/ready/16": (selects.ready, 16),
    "select/wait/2": (selects.wait, 2),
    "select/wait/16": (selects.wait, 16),
    "sem": (locks.sem,),
    "mutex/free": (locks.mutex, 1, sizes.LOCKS, False),
    "mutex/short": (locks.mutex, sizes.SHORT_TASKS, sizes.SHORT_LOCKS, False),
    "mutex/held": (locks.mutex, sizes.HELD_TASKS, sizes.HELD_LOCKS, True),
    "join": (many.join,),
    "release": (many.release,),
    "cancel": (many.cancel,),
    "deadline": (many.deadline,),
    "sleeps": (many.sleeps,),
}


def measure(name, batches):
    batch, *args = CASES[name]
    done = []

    with asyncio.Runner() as runner:
        for _ in range(batches + 1):
            b = Bench()
            runner.run(batch(b, *args))
            done.append(b)
    return result(name, done[1:])  # the first one warmed up


def refuse(why):
    print(f"bench_waits_asyncio: {why}", file=sys.stderr)
    sys.exit(2)


def main():
    args = sys.argv[1:]
    if args == ["--list"]:
        print(*CASES, sep="\n")
        return
    if len(args) != 3 or not all(a.isdecimal() and int(a) for a in args[1:]):
        refuse("usage: bench_waits_asyncio CASE 1 BATCHES")
    name, workers, batches = args[0], int(args[1]), int(args[2])
    if workers != 1:
        refuse(f"{workers} workers: asyncio has one thread")
    show([measure(name, batches)] if name in CASES else [])


main()
