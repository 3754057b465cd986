"""The HTTP server of apps/httpd beside the same in Go, under wrk's load.

Both do the same work a request, with as many workers as processors, the same
gate and the same deadline. wrk runs on the same processors, so the figures are
lower than those of a machine of its own, for both alike.
"""
import json
import pathlib
import re
import shutil
import signal
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
LOAD = HERE / "apps" / "httpd" / "load.lua"

SERVERS = {"roost": "apps/httpd/httpd", "Go": "bench_httpd_go"}
WORK = "/hash?rounds=1000000"  # about 2 ms
DEADLINE = "&deadline=100ms"
CONNECTIONS = 400  # of an open load

HEAD = ["httpd", "offered/s", "answered/s", "goodput/s", "503", "504",
        "p50 ms", "p99 ms", "p99.9 ms"]
NOTES = [
    "quick: GET /, 64 connections; work: 16 connections, 2 ms each: what it "
    "can do",
    "N %: so much of that, offered whatever becomes of it, each with a "
    "deadline of 100 ms; goodput: those answered 200",
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
                   f"http://127.0.0.1:{self.port}{target}", "--", str(pause)]
        done = subprocess.run(command, capture_output=True, text=True,
                              check=True)
        return json.loads(done.stdout.splitlines()[-1])

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def row(label, seen, offered=None):
    s = seen["seconds"]
    total = sum(seen[k] for k in ("good", "shed", "late", "other"))
    return [label, f"{offered:.0f}" if offered else "", f"{total / s:.0f}",
            f"{seen['good'] / s:.0f}", str(seen["shed"]), str(seen["late"]),
            f"{seen['p50']:.2f}", f"{seen['p99']:.2f}", f"{seen['p999']:.2f}"]


def measure(name, program, seconds):
    """The rows of one server, and its goodput by load."""
    server = Server(program)
    goodput = {}
    try:
        rows = [row(f"{name}, quick", server.load("/", 64, seconds))]
        most = server.load(WORK, 16, seconds)
        rows.append(row(f"{name}, work", most))
        capacity = most["good"] / most["seconds"]
        for percent in (50, 80, 100, 150):
            rate = capacity * percent / 100
            seen = server.load(WORK + DEADLINE, CONNECTIONS, seconds,
                               CONNECTIONS / rate * 1000)
            rows.append(row(f"{name}, {percent} %", seen, rate))
            goodput[percent] = seen["good"] / seen["seconds"]
    finally:
        server.end()
    return rows, goodput


def table(directory, quick, note):
    """The table, and what to say of it; None: it cannot be had."""
    rows = []
    notes = list(NOTES)
    if shutil.which("wrk") is None:
        note("skipped: httpd (no wrk)")
        return None
    for name, path in SERVERS.items():
        if not (directory / path).is_file():
            note(f"skipped: httpd of {name} ({path} is not built)")
            continue
        note(f"httpd of {name}")
        more, goodput = measure(name, directory / path, 3 if quick else 10)
        rows += more
        best = max(goodput.values())
        notes.append(f"{name}: goodput at 150 % is "
                     f"{goodput[150] / best * 100:.0f} % of its best")
    return ([HEAD] + rows, notes) if rows else None
