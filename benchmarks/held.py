"""What a silent connection costs an echo server in memory: io/hold.c."""
import os
import resource
import statistics
import subprocess

from echo import SERVERS, serving
from runs import note

CONNECTIONS = 10_000
SPARE = 100  # descriptors beside those of the connections


def limit():
    """Raises RLIMIT_NOFILE, which the programs started here inherit, and how
    many connections that allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + SPARE
    if hard != resource.RLIM_INFINITY and hard < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
            return CONNECTIONS
        except (OSError, ValueError):
            wanted = hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return min(CONNECTIONS, wanted - SPARE)


def resident(pid):
    """Bytes."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    raise RuntimeError("no VmRSS")


def hold(directory, server, connections):
    """Resident bytes that each of the connections has added."""
    with serving(directory, server) as (process, port):
        before = resident(process.pid)
        with subprocess.Popen([str(directory / "bench_io_hold"), port,
                               str(connections)], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as holder:
            told = holder.stdout.readline().strip()
            after = resident(process.pid)
            holder.stdin.close()
            holder.wait()
    if told != str(connections):
        raise RuntimeError(f"{server[0]}: not all connections were held")
    return (after - before) / connections


def measure(directory, options):
    """(the table, what to say of it)"""
    connections = limit()
    rounds = 1 if options.quick else 3
    found = {}
    for i in range(rounds):
        note(f"silent connections, {i + 1} of {rounds}")
        for server in SERVERS:
            if (directory / server[0]).is_file():
                found.setdefault(server, []).append(
                    hold(directory, server, connections))
    row = [f"{connections}"] + [
        f"{statistics.median(found[s]):.0f}" if s in found else ""
        for s in SERVERS]
    head = ["bytes a connection, of so many"] + [
        f"{name} {workers}T" for _, name, workers in SERVERS]
    notes = ["Resident memory of the server with them, each having sent one "
             "message and had it back, less what it was before, by their "
             "number. The kernel's own memory for a socket is not in it. Each "
             "but libuv's keeps 4096 bytes to read into."]
    if connections < CONNECTIONS:
        notes.append(f"{connections} and not {CONNECTIONS}: RLIMIT_NOFILE.")
    return [head, row], notes
