import asyncio

import virtual

MIRRORS = [
    ("far", 60, None),
    ("broken", 0.001, ConnectionResetError()),
    ("near", 0.020, None),
]


async def ask(name, latency, failure):
    await asyncio.sleep(latency)
    if failure:
        raise failure
    return name


async def first(pending):
    try:
        while pending:
            done, pending = await asyncio.wait(
                pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if task.exception() is None:
                    return task.result()
        return "nobody"
    finally:
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


async def main():
    name = await first({asyncio.create_task(ask(*m)) for m in MIRRORS})
    print(f"{name} answered first")


virtual.run(main())
