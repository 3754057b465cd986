import asyncio

import virtual

LATENCIES = [0.100, 0.500, 0.200, 0.250, 0.250]


def after(begun):
    return f"after {(asyncio.get_running_loop().time() - begun) * 1000:.0f} ms"


async def ask(latency):
    async with asyncio.timeout(0.300):
        await asyncio.sleep(latency)


async def page(begun):
    async with asyncio.timeout(1):
        for i, latency in enumerate(LATENCIES):
            try:
                await ask(latency)
                print(f"source {i} has answered {after(begun)}")
            except TimeoutError:
                print(f"source {i} was too slow {after(begun)}")


async def main():
    begun = asyncio.get_running_loop().time()
    try:
        await page(begun)
        print(f"the page is there {after(begun)}")
    except TimeoutError:
        print(f"the page was too slow {after(begun)}")


virtual.run(main())
