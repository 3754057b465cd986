"""Tasks one by one, and very many that wait. 10^6 sleepers are left out: at
1.9 KB each they take 2 GB."""
import asyncio
import time

from bench import all_wait
from sizes import DEADLINES, JOINS, MANY, MINUTE, sleep_ns


async def nothing():
    pass


async def join(b):
    b.start()
    for _ in range(JOINS):
        await asyncio.create_task(nothing())
    b.stop(JOINS)


async def release(b):
    gate = asyncio.Event()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(gate.wait()) for _ in range(MANY)]
        b.check(await all_wait(tasks), "not all wait")
        b.start()
        gate.set()
    b.stop(MANY)
    b.check(all(task.result() for task in tasks), "one was not released")


async def cancel(b):
    """One by one, in the order in which they came: a group that fails cancels
    its tasks in no order, and each is looked for among all who wait."""
    gate = asyncio.Event()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(gate.wait()) for _ in range(MANY)]
        b.check(await all_wait(tasks), "not all wait")
        b.start()
        for task in tasks:
            task.cancel()
    b.stop(MANY)
    b.check(all(task.cancelled() for task in tasks), "one was not cancelled")


async def deadline(b):
    ready = asyncio.Event()
    in_time = 0

    ready.set()
    b.start()
    for _ in range(DEADLINES):
        async with asyncio.timeout(MINUTE):
            in_time += await ready.wait()
    b.stop(DEADLINES)
    b.check(in_time == DEADLINES, "timed out")


async def sleep_some(ns):
    """How late it woke."""
    until = time.monotonic_ns() + ns
    await asyncio.sleep(ns / 1e9)
    return time.monotonic_ns() - until


async def sleeps(b):
    times = [sleep_ns(i, MANY) for i in range(MANY)]

    b.start()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(sleep_some(ns)) for ns in times]
    b.stop(MANY)
    late = sorted(task.result() for task in tasks)
    b.check(late[0] >= 0, "a timer fired early")
    b.counter("late_p50_us", late[MANY // 2] / 1e3)
    b.counter("late_p99_us", late[MANY * 99 // 100] / 1e3)
