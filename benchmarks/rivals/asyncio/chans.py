"""Producers and consumers, broadcast, pipeline, on asyncio.Queue. It cannot be
closed before Python 3.13: CLOSED, once for each who receives, says the end."""
import asyncio

from sizes import (CHAN_ITEMS, CHAN_ROOM, FAN, FAN_BURST, FAN_BURSTS,
                   PIPE_ITEMS, PIPE_ROOM, sum_to)

CLOSED = None


async def produce(queue, items):
    for item in items:
        await queue.put(item)


async def consume(queue):
    total = 0
    while (item := await queue.get()) is not CLOSED:
        total += item
    return total


async def through_one(b, tasks):
    """So many producers, and so many consumers."""
    queue = asyncio.Queue(CHAN_ROOM)
    each = CHAN_ITEMS // tasks

    b.start()
    async with asyncio.TaskGroup() as consumers:
        sums = [consumers.create_task(consume(queue)) for _ in range(tasks)]
        async with asyncio.TaskGroup() as producers:
            for i in range(tasks):
                items = range(i * each, (i + 1) * each)
                producers.create_task(produce(queue, items))
        for _ in range(tasks):
            await queue.put(CLOSED)
    b.stop(CHAN_ITEMS)
    total = sum(task.result() for task in sums)
    b.check(total == sum_to(CHAN_ITEMS), "the sum is wrong")


# --- broadcast: there is none, a queue a receiver stands for it ---

async def listen(queue, taken):
    total = got = 0
    while (item := await queue.get()) is not CLOSED:
        total += item
        got += 1
        if got % FAN_BURST == 0:
            taken.release()
    return total


async def speak(queues, taken):
    item = 0
    for _ in range(FAN_BURSTS):
        for _ in range(FAN_BURST):
            for queue in queues:
                queue.put_nowait(item)  # there is room for a burst
            item += 1
        for _ in queues:
            await taken.acquire()
    for queue in queues:
        queue.put_nowait(CLOSED)


async def broadcast(b):
    items = FAN_BURSTS * FAN_BURST
    queues = [asyncio.Queue(FAN_BURST) for _ in range(FAN)]
    taken = asyncio.Semaphore(0)

    b.start()
    async with asyncio.TaskGroup() as group:
        sums = [group.create_task(listen(queue, taken)) for queue in queues]
        group.create_task(speak(queues, taken))
    b.stop(items * FAN)
    total = sum(task.result() for task in sums)
    b.check(total == FAN * sum_to(items), "the sum is wrong")


# --- pipeline ---

async def source(to):
    await produce(to, range(PIPE_ITEMS))
    await to.put(CLOSED)


async def add_one(from_, to):
    while (item := await from_.get()) is not CLOSED:
        await to.put(item + 1)
    await to.put(CLOSED)


async def pipeline(b):
    first, second, third = (asyncio.Queue(PIPE_ROOM) for _ in range(3))

    b.start()
    async with asyncio.TaskGroup() as group:
        group.create_task(source(first))
        group.create_task(add_one(first, second))
        group.create_task(add_one(second, third))
        sink = group.create_task(consume(third))
    b.stop(PIPE_ITEMS)
    b.check(sink.result() == sum_to(PIPE_ITEMS) + 2 * PIPE_ITEMS,
            "the sum is wrong")
