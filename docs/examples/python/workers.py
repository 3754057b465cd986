import asyncio

import virtual

JOBS = 12
WORKERS = 3


class Queue(asyncio.Queue):
    """One that remembers the most that ever lay in it."""

    high_water = 0

    async def put(self, item):
        await super().put(item)
        self.high_water = max(self.high_water, self.qsize())


async def produce(jobs):
    for i in range(1, JOBS + 1):
        await jobs.put(i)


async def work(jobs, done):
    while True:
        job = await jobs.get()
        try:
            await asyncio.sleep(0.010)
            done.append(job)
        finally:
            jobs.task_done()


async def main():
    loop = asyncio.get_running_loop()
    begun = loop.time()
    jobs, done = Queue(maxsize=4), []
    async with asyncio.TaskGroup() as group:
        workers = [group.create_task(work(jobs, done)) for _ in range(WORKERS)]
        await produce(jobs)
        await jobs.join()  # there is no end of a queue before Python 3.13
        for worker in workers:
            worker.cancel()
    print(f"sum {sum(done)} in {(loop.time() - begun) * 1000:.0f} ms, "
          f"never more than {jobs.high_water} in the queue")


virtual.run(main())
