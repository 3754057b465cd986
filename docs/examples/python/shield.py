import asyncio

import virtual


async def debit():
    await asyncio.sleep(0.020)
    print("debited")


async def credit():
    await asyncio.sleep(0.030)
    print("credited")


async def both():
    async with asyncio.timeout(1):
        async with asyncio.TaskGroup() as group:
            group.create_task(debit())
            group.create_task(credit())


async def transfer():
    inner = asyncio.create_task(both())  # the loop itself keeps no reference
    try:
        await asyncio.shield(inner)
    except asyncio.CancelledError:
        await inner  # or it goes on with nobody to see how it ends
        print("then: cancelled")
        raise
    print("then: going on")


async def main():
    try:
        async with asyncio.timeout(0.010):
            await transfer()
        print("in time")
    except TimeoutError:
        print("out of time")


virtual.run(main())
