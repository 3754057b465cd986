import asyncio

import virtual

JOBS = 10000

slots = asyncio.Semaphore(100)
running = most = finished = 0


async def use():
    global running, most
    running += 1
    most = max(most, running)
    await asyncio.sleep(0.001)
    running -= 1


async def job():
    global finished
    async with slots:
        await use()
    finished += 1


async def main():
    loop = asyncio.get_running_loop()
    begun = loop.time()
    async with asyncio.TaskGroup() as group:
        for _ in range(JOBS):
            group.create_task(job())
    print(f"{finished} jobs, {most} at a time, "
          f"in {(loop.time() - begun) * 1000:.0f} ms")


virtual.run(main())
