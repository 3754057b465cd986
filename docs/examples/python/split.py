import asyncio

import virtual

ROWS = ["7", "seven", "", "8", "eight"]


async def read_row(text):
    if not text:
        raise LookupError("a row is missing")
    return int(text)


async def load():
    try:
        async with asyncio.TaskGroup() as group:
            for text in ROWS:
                group.create_task(read_row(text))
    except* ValueError as malformed:
        print(f"{len(malformed.exceptions)} malformed")


async def main():
    try:
        await load()
    except* LookupError as missing:
        print("loaded: data missing")
        for e in missing.exceptions:
            print(e)


virtual.run(main())
