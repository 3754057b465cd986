"""Echo servers, each asked by the same program, one after the other."""
import contextlib
import os
import statistics
import subprocess

from runs import note

# Program, what it is called, workers.
SERVERS = (("bench_io_roost", "roost", 2), ("bench_io_roost", "roost", 1),
           ("bench_io_uv", "libuv", 1), ("bench_io_go", "Go", 2),
           ("tokio.target/release/bench_io_tokio", "Tokio", 2),
           ("tokio.target/release/bench_io_tokio", "Tokio", 1))
CONNECTIONS = (100, 1000)
ROUNDS = 5  # at least: the servers take turns
NOTES = ["messages a second: the median of the rounds, the least to the most; "
         "the program that asks takes one processor of those there are",
         "in parentheses: how late answers were, median / 99 %, us",
         "Tokio with one worker is its current_thread runtime"]


@contextlib.contextmanager
def serving(directory, server):
    """A server that runs until the end: its process and its port."""
    program, _, workers = server
    environment = dict(os.environ, ROOST_WORKERS=str(workers),
                       GOMAXPROCS=str(workers))
    with subprocess.Popen([str(directory / program)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True,
                          env=environment) as process:
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.stdin.close()


def ask(directory, server, connections, seconds):
    """(messages a second, median us, 99 % us) of one run of a server."""
    with serving(directory, server) as (_, port):
        done = subprocess.run([str(directory / "bench_io_load"), port,
                               str(connections), str(seconds)],
                              capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{server[0]}: {done.stderr.strip()}")
    return tuple(float(word) for word in done.stdout.split())


def run(directory, options):
    """(server, connections) -> [results], interleaved."""
    seconds = 1 if options.quick else 3
    found = {}
    rounds = 1 if options.quick else max(ROUNDS, options.repetitions)
    for i in range(rounds):
        note(f"echo servers, {i + 1} of {rounds}")
        for connections in CONNECTIONS:
            for server in SERVERS:
                if (directory / server[0]).is_file():
                    result = ask(directory, server, connections, seconds)
                    found.setdefault((server, connections), []).append(result)
    return found


def table(found):
    rows = [["connections"] + [f"{name} {workers}T" for program, name, workers
                               in SERVERS]]
    for connections in CONNECTIONS:
        row = [str(connections)]
        for server in SERVERS:
            results = found.get((server, connections))
            if not results:
                row.append("")
                continue
            rate, late, worst = (statistics.median(r) for r in zip(*results))
            rates = [r[0] / 1000 for r in results]
            row.append(f"{rate / 1000:.0f}k, {min(rates):.0f} to "
                       f"{max(rates):.0f} ({late:.0f} / {worst:.0f})")
        rows.append(row)
    return rows
