"""select, for which asyncio has but wait() on tasks: a task gets from each
queue. Who did not win is kept for the next wait: one that is cancelled could
lose an item. So each queue is read an item ahead, and an item that is ready
is one only after its task has run. All that a wait finds done is taken, often
several items, as is usual. There is no queue without room: they have one."""
import asyncio

from sizes import SELECT_READY, SELECT_WAITS, sum_to


class Select:
    """Over some queues."""

    def __init__(self, queues):
        self.queues = {}  # by the task that gets from it
        for queue in queues:
            self.get(queue)

    def get(self, queue):
        self.queues[asyncio.create_task(queue.get())] = queue

    async def take(self):
        """A list of items, at least one."""
        done, _ = await asyncio.wait(self.queues,
                                     return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            self.get(self.queues.pop(task))
        return [task.result() for task in done]

    def close(self):
        for task in self.queues:
            task.cancel()


async def ready(b, n):
    queues = [asyncio.Queue(1) for _ in range(n)]
    select = Select(queues)
    total = 0

    b.start()
    for i in range(SELECT_READY):
        await queues[i % n].put(i)
        total += sum(await select.take())
    b.stop(SELECT_READY)
    select.close()
    b.check(total == sum_to(SELECT_READY), "the sum is wrong")


async def send_in_turn(queues):
    for i in range(SELECT_WAITS):
        await queues[i % len(queues)].put(i)


async def choose(queues):
    select = Select(queues)
    total = got = 0
    while got < SELECT_WAITS:
        items = await select.take()
        total += sum(items)
        got += len(items)
    select.close()
    return total


async def wait(b, n):
    queues = [asyncio.Queue(1) for _ in range(n)]

    b.start()
    async with asyncio.TaskGroup() as group:
        group.create_task(send_in_turn(queues))
        chooser = group.create_task(choose(queues))
    b.stop(SELECT_WAITS)
    b.check(chooser.result() == sum_to(SELECT_WAITS), "the sum is wrong")
