"""Semaphore and mutex. asyncio has no rwlock."""
import asyncio

from bench import all_wait
from sizes import SEM_PERMITS, SEM_ROUNDS, SEM_TASKS


async def sem(b):
    permits = asyncio.Semaphore(0)

    async def user():
        for _ in range(SEM_ROUNDS):
            async with permits:
                await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(user()) for _ in range(SEM_TASKS)]
        b.check(await all_wait(tasks), "not all wait")
        b.start()
        for _ in range(SEM_PERMITS):
            permits.release()
    b.stop(SEM_TASKS * SEM_ROUNDS)
    b.check(not permits.locked(), "no permit came back")


async def mutex(b, tasks, ops, held):
    lock = asyncio.Lock()
    number = 0

    async def adder():
        nonlocal number
        for _ in range(ops // tasks):
            async with lock:
                number += 1

    async def holder():
        nonlocal number
        for _ in range(ops // tasks):
            async with lock:
                old = number
                await asyncio.sleep(0)
                number = old + 1

    user = holder if held else adder
    b.start()
    async with asyncio.TaskGroup() as group:
        for _ in range(tasks):
            group.create_task(user())
    b.stop(ops)
    b.check(number == ops, "the number is wrong")
