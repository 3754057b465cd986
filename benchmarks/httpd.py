"""The HTTP server of apps/httpd beside the same in Go, under wrk's load.

    ./run bench --only httpd
    benchmarks/httpd.py build/release [ROUNDS [SECONDS]]

Both do the same work a request, with as many workers as processors, the same
gate and the same deadline. wrk runs on the same processors, so the figures are
lower than those of a machine of its own, for both alike.

The servers take turns, round by round, so that what else the machine does meets
both; what each can do is measured anew in each round, and what it is offered is
a part of that. The figures are medians of the rounds.
"""
import json
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
LOAD = HERE / "apps" / "httpd" / "load.lua"

SERVERS = {"roost": "apps/httpd/httpd", "Go": "bench_httpd_go"}
WORK = "/hash?rounds=1000000"  # about 2 ms
LIMIT = 100  # ms
DEADLINE = f"&deadline={LIMIT}ms"
CONNECTIONS = 400  # of an open load

LOADS = (50, 80, 100, 150)  # percent of what it can do

HEAD = ["httpd", "offered/s", "answered/s", "200/s", "goodput/s", "503/s",
        "504/s", "p50 ms", "p99 ms", "p99.9 ms"]
NOTES = [
    "quick: GET /, 64 connections; work: 16 connections, 2 ms each: what it "
    "can do",
    "N %: so much of that, offered whatever becomes of it, each with a "
    "deadline of 100 ms; goodput: at least so many 200 came within it",
    "times are of all replies, those turned away too",
]


class Server:
    def __init__(self, program):
        self.process = subprocess.Popen([str(program), "--port", "0"],
                                        stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.port = re.search(r"port (\d+)", line)[1]

    def load(self, target, connections, seconds, pause=0.0):
        """What wrk saw."""
        command = ["wrk", "-t", "1", "-c", str(connections), "-d",
                   f"{seconds}s", "-s", str(LOAD),
                   f"http://127.0.0.1:{self.port}{target}", "--", str(pause),
                   str(LIMIT)]
        done = subprocess.run(command, capture_output=True, text=True,
                              check=True)
        return json.loads(done.stdout.splitlines()[-1])

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def rates(seen, offered):
    """What wrk saw, by the second."""
    s = seen["seconds"]
    total = sum(seen[k] for k in ("good", "shed", "late", "other"))
    # At least: as if all that were turned away had been told in time. A 504
    # never is.
    in_time = max(0, seen["in_time"] * total - seen["shed"] - seen["other"])
    return {"offered": offered, "answered": total / s,
            "good": seen["good"] / s, "in_time": in_time / s,
            "shed": seen["shed"] / s,
            "late": seen["late"] / s, "p50": seen["p50"], "p99": seen["p99"],
            "p999": seen["p999"]}


def measure(program, seconds):
    """One round of one server: what was asked -> rates."""
    server = Server(program)
    found = {}
    try:
        found["quick"] = rates(server.load("/", 64, seconds), 0)
        found["work"] = rates(server.load(WORK, 16, seconds), 0)
        for percent in LOADS:
            rate = found["work"]["good"] * percent / 100
            seen = server.load(WORK + DEADLINE, CONNECTIONS, seconds,
                               CONNECTIONS / rate * 1000)
            found[f"{percent} %"] = rates(seen, rate)
    finally:
        server.end()
    return found


def row(name, asked, rounds):
    """The medians of one line of the table."""
    r = {k: statistics.median(found[asked][k] for found in rounds)
         for k in rounds[0][asked]}
    return [f"{name}, {asked}", f"{r['offered']:.0f}" if r["offered"] else "",
            f"{r['answered']:.0f}", f"{r['good']:.0f}",
            f"{r['in_time']:.0f}" if r["offered"] else "",
            f"{r['shed']:.0f}", f"{r['late']:.0f}", f"{r['p50']:.2f}",
            f"{r['p99']:.2f}", f"{r['p999']:.2f}"]


def held(rounds):
    """Of each round: goodput at the heaviest load, as a part of its best."""
    parts = []
    for found in rounds:
        goodput = [found[f"{p} %"]["in_time"] for p in LOADS]
        parts.append(goodput[-1] / max(goodput) * 100)
    return parts


def table(directory, quick, note, rounds=None, seconds=None):
    """The table, and what to say of it; None: it cannot be had."""
    found = {}
    if shutil.which("wrk") is None:
        note("skipped: httpd (no wrk)")
        return None
    for name, path in SERVERS.items():
        if (directory / path).is_file():
            found[name] = []
        else:
            note(f"skipped: httpd of {name} ({path} is not built)")
    if not found:
        return None
    for i in range(rounds or (1 if quick else 5)):
        for name in found:
            note(f"httpd of {name}, round {i + 1}")
            found[name].append(measure(directory / SERVERS[name],
                                       seconds or (2 if quick else 6)))
    rows = [row(name, asked, found[name])
            for name in found for asked in found[name][0]]
    notes = list(NOTES)
    for name, of_rounds in found.items():
        parts = held(of_rounds)
        notes.append(f"{name}: goodput at {LOADS[-1]} % is "
                     f"{statistics.median(parts):.0f} % of its best "
                     f"({min(parts):.0f} to {max(parts):.0f})")
    return [HEAD] + rows, notes


def main():
    def note(text):
        print(text, file=sys.stderr)

    numbers = [int(n) for n in sys.argv[2:]] + [None, None]
    made = table(pathlib.Path(sys.argv[1]), False, note, *numbers[:2])
    if made is None:
        return 1
    for cells in made[0]:
        print(f"{cells[0]:13}" + "".join(f"{c:>12}" for c in cells[1:]))
    print("\n".join(made[1]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
