import contextlib
from types import SimpleNamespace

import virtual


async def squares(seen):
    i = 1
    try:
        while True:
            yield i * i
            i += 1
    finally:
        seen.cleaned_up = True


async def main():
    seen = SimpleNamespace(cleaned_up=False)
    # Without aclosing() it ends when the garbage collector comes by.
    async with contextlib.aclosing(squares(seen)) as numbers:
        async for square in numbers:
            print(square)
            if square >= 25:
                break
    print(f"cleaned up: {'yes' if seen.cleaned_up else 'no'}")


virtual.run(main())
