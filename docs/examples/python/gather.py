"""Many requests, two at a time, and every outcome kept: a failure stands where
its result would, and stops nobody."""
import asyncio

PAGES = [("index", 0.005, 1200), ("broken", 0.001, None),
         ("news", 0.003, 3400), ("missing", 0.002, None)]


async def fetch(limit, name, latency, size):
    async with limit:
        await asyncio.sleep(latency)
        if size is None:
            raise ConnectionError(name)
        return size


async def main():
    limit = asyncio.Semaphore(2)
    sizes = await asyncio.gather(*(fetch(limit, *page) for page in PAGES),
                                 return_exceptions=True)
    for (name, _, _), size in zip(PAGES, sizes):
        if isinstance(size, Exception):
            print(f"{name}: failed")
        else:
            print(f"{name}: {size} bytes")


asyncio.run(main())
