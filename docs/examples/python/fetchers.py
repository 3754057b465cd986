import asyncio
from dataclasses import dataclass

import virtual


@dataclass
class Handler:
    uid: int
    user: str = ""
    orders: int = 0


async def fetch_user(h):
    await asyncio.sleep(0.020)
    if h.uid == 13:
        raise LookupError(f"no user {h.uid}")
    h.user = f"user-{h.uid}"


async def fetch_orders(h):
    await asyncio.sleep(0.030 if h.uid == 1 else 60)
    h.orders = 3


async def handle(h):
    async with asyncio.timeout(5):
        async with asyncio.TaskGroup() as group:
            group.create_task(fetch_user(h))
            group.create_task(fetch_orders(h))


async def main():
    for uid in (1, 13, 2):
        h = Handler(uid)
        try:
            # A task each: Python before 3.11.4 counts the cancel of one group
            # against the next in the same task.
            await asyncio.create_task(handle(h))
            print(f"{h.uid}: {h.user} has {h.orders} orders")
        except TimeoutError:
            print(f"{h.uid}: too slow")
        except ExceptionGroup as failures:
            print(f"{h.uid}: failed: {failures.exceptions[0]}")


virtual.run(main())
