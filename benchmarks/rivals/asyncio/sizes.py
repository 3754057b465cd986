"""The sizes of ../../waits/waits.h, where it is told what they are of, with
its WAITS_SCALE 10: a tenth, as plain threads do, but as many that wait."""

SCALE = 10

YIELDS = 400_000 // SCALE
PING_ROUNDS = 50_000 // SCALE
CHAN_ITEMS = 400_000 // SCALE
CHAN_ROOM = 128
RING_TASKS = 1000
RING_LAPS = 100 // SCALE
JOINS = 20_000 // SCALE
SEM_TASKS = 1000
SEM_PERMITS = 10
SEM_ROUNDS = 100 // SCALE
LOCKS = 1_000_000 // SCALE
SHORT_TASKS = 4
SHORT_LOCKS = 400_000 // SCALE
HELD_TASKS = 4
HELD_LOCKS = 40_000 // SCALE
SELECT_READY = 100_000 // SCALE
SELECT_WAITS = 50_000 // SCALE
FAN = 8
FAN_BURST = 64
FAN_BURSTS = 400 // SCALE
EVENT_ROUNDS = 50_000 // SCALE
PIPE_ITEMS = 100_000 // SCALE
PIPE_ROOM = 64
MANY = 100_000
DEADLINES = 200_000 // SCALE
MINUTE = 60  # in seconds, as asyncio counts


def sum_to(n):
    """0 + 1 + ... + (n - 1)"""
    return n * (n - 1) // 2


def sleep_ns(i, n):
    """How long the i-th of n sleepers sleeps: evenly over 0 .. 1 s."""
    return i * 7919 % n * (1_000_000_000 // n)
