"""A clock that jumps ahead when every task waits, as ROOST_CLOCK_VIRTUAL does:
so the programs here take no time and print the same on every machine."""

import asyncio
import selectors


class Loop(asyncio.SelectorEventLoop):
    def __init__(self):
        self.now = 0.0
        super().__init__(Selector(self))

    def time(self):
        return self.now


class Selector(selectors.DefaultSelector):
    def __init__(self, loop):
        super().__init__()
        self.loop = loop

    def select(self, timeout=None):
        # None: nothing is due, ever; then it really waits.
        if timeout is None:
            return super().select(None)
        self.loop.now += max(0, timeout)
        return super().select(0)


def run(main):
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(main)
