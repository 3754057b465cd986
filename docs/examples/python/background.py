import asyncio

import virtual

attempts = 0


async def watch():
    global attempts
    attempts += 1
    if attempts < 3:
        raise OSError(f"attempt {attempts}")
    await asyncio.Event().wait()  # until the end of the run


def report(loop, context):
    print(f"{context['name']} failed: {context['exception']}")


async def background(name, fn, restarts, drop):
    loop = asyncio.get_running_loop()
    try:
        for _ in range(restarts + 1):
            try:
                return await fn()
            except Exception as e:
                loop.call_exception_handler({"name": name, "exception": e})
    finally:
        drop()


async def main():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(report)
    # Somebody must keep it, or it may be collected while it waits.
    task = loop.create_task(background(
        "watch", watch, 5, lambda: print("the watcher has ended")))
    while attempts < 3:
        await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.wait([task])


virtual.run(main())
print(f"run: 0 after {attempts} attempts")
