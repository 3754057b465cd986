import asyncio
import contextlib
from types import SimpleNamespace

import virtual


async def put_away(what):
    await asyncio.sleep(0.001)
    print(f"put away: {what}")


async def work(seen):
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        seen.hurried = True
        await asyncio.sleep(0.001)  # a second cancel would cut this short
        seen.last_words = 0
        raise


async def main():
    seen = SimpleNamespace(hurried=False, last_words=-1)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(put_away, "the table")
        stack.push_async_callback(put_away, "the plates on it")
        task = asyncio.create_task(work(seen))
        await asyncio.sleep(0)  # else it would never begin
        task.cancel()
        await asyncio.wait([task])
    print(f"hurried: {'yes' if seen.hurried else 'no'}, "
          f"last words: {seen.last_words}, closed: 0")


virtual.run(main())
