"""fetchers.py, with trio in asyncio's place."""

from types import SimpleNamespace

import trio
import trio.testing


async def fetch_user(h):
    await trio.sleep(0.020)
    if h.uid == 13:
        raise LookupError(f"no user {h.uid}")
    h.user = f"user-{h.uid}"


async def fetch_orders(h):
    await trio.sleep(0.030 if h.uid == 1 else 60)
    h.orders = 3


async def handle(h):
    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fetch_user, h)
            nursery.start_soon(fetch_orders, h)


async def main():
    for uid in (1, 13, 2):
        h = SimpleNamespace(uid=uid, user="", orders=0)
        try:
            await handle(h)
            print(f"{uid}: {h.user} has {h.orders} orders")
        except trio.TooSlowError:
            print(f"{uid}: too slow")
        except LookupError as failure:
            print(f"{uid}: failed: {failure}")


# A clock that jumps ahead when every task waits.
trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
