"""yield, ping-pong, ring, event. asyncio.Queue(0) is one without a bound, and
there is none without room: pingpong itself is left out, and ring has room for
one."""
import asyncio

from sizes import (EVENT_ROUNDS, MINUTE, PING_ROUNDS, RING_LAPS, RING_TASKS,
                   YIELDS)


async def take_turns(times):
    for _ in range(times):
        await asyncio.sleep(0)


async def yields(b, tasks):
    b.start()
    async with asyncio.TaskGroup() as group:
        for _ in range(tasks):
            group.create_task(take_turns(YIELDS // tasks))
    b.stop(YIELDS)


# --- ping-pong ---

async def pong(there, back):
    for _ in range(PING_ROUNDS):
        await back.put(await there.get())


async def ping(there, back):
    wrong = 0
    for i in range(PING_ROUNDS):
        await there.put(i)
        wrong += await back.get() != i
    return wrong


async def pong_in_time(there, back):
    for _ in range(PING_ROUNDS):
        async with asyncio.timeout(MINUTE):
            item = await there.get()
        await back.put(item)


async def ping_in_time(there, back):
    wrong = 0
    for i in range(PING_ROUNDS):
        await there.put(i)
        async with asyncio.timeout(MINUTE):
            item = await back.get()
        wrong += item != i
    return wrong


async def play(b, one, other):
    there, back = asyncio.Queue(1), asyncio.Queue(1)

    b.start()
    async with asyncio.TaskGroup() as group:
        group.create_task(other(there, back))
        asking = group.create_task(one(there, back))
    b.stop(PING_ROUNDS)
    b.check(asking.result() == 0, "wrong numbers")


async def pingpong(b):
    await play(b, ping, pong)


async def pingpong_deadline(b):
    await play(b, ping_in_time, pong_in_time)


# --- ring ---

async def pass_on(from_, to):
    for _ in range(RING_LAPS + 1):
        await to.put(await from_.get() + 1)


async def ring(b):
    links = [asyncio.Queue(1) for _ in range(RING_TASKS)]
    first, last = links[0], links[-1]

    async with asyncio.TaskGroup() as group:
        for from_, to in zip(links, links[1:]):
            group.create_task(pass_on(from_, to))
        await first.put(1)
        item = await last.get()  # all are up
        b.start()
        for _ in range(RING_LAPS):
            await first.put(item + 1)
            item = await last.get()
        b.stop(RING_LAPS * RING_TASKS)
    b.check(item == (RING_LAPS + 1) * RING_TASKS, "the number is wrong")


# --- event ---

async def answer(asked, answered):
    for _ in range(EVENT_ROUNDS):
        await asked.wait()
        asked.clear()
        answered.set()


async def ask(asked, answered):
    for _ in range(EVENT_ROUNDS):
        asked.set()
        await answered.wait()
        answered.clear()


async def event(b):
    asked, answered = asyncio.Event(), asyncio.Event()

    b.start()
    async with asyncio.TaskGroup() as group:
        group.create_task(answer(asked, answered))
        group.create_task(ask(asked, answered))
    b.stop(EVENT_ROUNDS)
    b.check(not asked.is_set() and not answered.is_set(), "a flag is up")
