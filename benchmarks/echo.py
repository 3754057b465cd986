"""Echo servers, each asked by the same program, one after the other."""
import os
import statistics
import subprocess

from runs import note

# Program, what it is called, workers.
SERVERS = (("bench_io_roost", "roost", 2), ("bench_io_roost", "roost", 1),
           ("bench_io_uv", "libuv", 1), ("bench_io_go", "Go", 2))
CONNECTIONS = (100, 1000)
NOTES = ["messages a second (the median of the repetitions); the program that "
         "asks takes one processor of those there are",
         "in parentheses: how late answers were, median / 99 %, us"]


def ask(directory, program, workers, connections, seconds):
    """(messages a second, median us, 99 % us) of one run of a server."""
    environment = dict(os.environ, ROOST_WORKERS=str(workers),
                       GOMAXPROCS=str(workers))
    with subprocess.Popen([str(directory / program)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True,
                          env=environment) as server:
        port = server.stdout.readline().strip()
        done = subprocess.run([str(directory / "bench_io_load"), port,
                               str(connections), str(seconds)],
                              capture_output=True, text=True, check=False)
        server.stdin.close()
        server.wait()
    if done.returncode != 0:
        raise RuntimeError(f"{program}: {done.stderr.strip()}")
    return tuple(float(word) for word in done.stdout.split())


def run(directory, options):
    """(server, connections) -> [results], interleaved."""
    seconds = 1 if options.quick else 3
    found = {}
    for repetition in range(options.repetitions):
        note(f"echo servers, {repetition + 1} of {options.repetitions}")
        for connections in CONNECTIONS:
            for server in SERVERS:
                if (directory / server[0]).is_file():
                    result = ask(directory, server[0], server[2], connections,
                                 seconds)
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
            row.append(f"{rate / 1000:.0f}k ({late:.0f} / {worst:.0f})")
        rows.append(row)
    return rows
