"""Timing a batch, and printing a case as shim.cpp does."""
import asyncio
import inspect
import json
import time


class Bench:
    """A batch."""

    def __init__(self):
        self.began = self.began_cpu = 0
        self.took = self.cpu = self.ops = 0
        self.wrong = None
        self.extra = {}

    def start(self):
        self.began_cpu = time.process_time_ns()
        self.began = time.monotonic_ns()

    def stop(self, ops):
        self.took = time.monotonic_ns() - self.began
        self.cpu = time.process_time_ns() - self.began_cpu
        self.ops = ops

    def check(self, ok, what):
        """Fails the case unless ok."""
        if not ok:
            self.wrong = what

    def counter(self, name, value):
        self.extra[name] = value


async def all_wait(tasks):
    """Lets tasks begin, and says whether each of them waits for something."""
    await asyncio.sleep(0)
    return all(inspect.getcoroutinestate(task.get_coro())
               == inspect.CORO_SUSPENDED for task in tasks)


def result(name, batches):
    wrong = [b.wrong for b in batches if b.wrong]
    if wrong:
        return {"name": name, "error_occurred": True,
                "error_message": wrong[0]}
    ns = sorted(b.took / b.ops for b in batches)
    return {
        "name": name,
        "ns": ns[len(ns) // 2],
        "ns_min": ns[0],
        "ns_max": ns[-1],
        "batches": len(ns),
        "ops": batches[-1].ops,
        "cpu": sum(b.cpu for b in batches) / sum(b.took for b in batches),
        "cpu_ns_min": min(b.cpu / b.ops for b in batches),
        **batches[-1].extra,
    }


def show(results):
    print(json.dumps({"benchmarks": results}))
