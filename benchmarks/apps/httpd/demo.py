#!/usr/bin/env python3
"""demo.py HTTPD [SECONDS] - starts it, drives it for ten seconds, says what
happened. Fails if the server does, or has answered nothing of a kind."""
import collections
import http.client
import random
import re
import signal
import subprocess
import sys
import threading
import time

SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 10
ASKED = ("/", "/hash?rounds=1000000&deadline=100ms", "/fan?n=50&rounds=20000",
         "/thumb?w=512&h=512", "/sleep?ms=20", "/stream?n=20",
         "/hash?rounds=1000000000000&deadline=20ms", "/sleep?ms=60000")


def drive(port, seed, end, seen):
    rng = random.Random(seed)
    while time.monotonic() < end:
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for _ in range(20):
            target = rng.choice(ASKED)
            path = target.split("?")[0]
            c.request("GET", target)
            if target == "/sleep?ms=60000":
                time.sleep(0.01)
                seen[path, "hung up on"] += 1
                break
            reply = c.getresponse()
            reply.read()
            seen[path, reply.status] += 1
        c.close()


def main():
    server = subprocess.Popen([sys.argv[1], "--port", "0", "--host",
                               "127.0.0.1"], stdout=subprocess.PIPE, text=True)
    port = int(re.search(r"port (\d+)", server.stdout.readline())[1])
    print(f"httpd on port {port}: 16 clients for {SECONDS:g} s, some of which "
          "hang up")
    end = time.monotonic() + SECONDS
    counts = [collections.Counter() for _ in range(16)]
    threads = [threading.Thread(target=drive, args=(port, i, end, counts[i]))
               for i in range(16)]
    for t in threads:
        t.start()
    time.sleep(SECONDS / 2)
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    c.request("GET", "/debug/tasks")
    tree = c.getresponse().read().decode().splitlines()
    c.close()
    for t in threads:
        t.join()
    print("\nits tasks, in the middle of it (/debug/tasks, 25 lines):")
    print("\n".join(tree[:25]))
    print("\nwhat came of the requests:")
    seen = sum(counts, collections.Counter())
    for (path, status), n in sorted(seen.items(), key=str):
        print(f"  {path:8} {status}  {n}")
    begun = time.monotonic()
    server.send_signal(signal.SIGTERM)
    status = server.wait(30)
    print(f"\nSIGTERM: it ended with {status} after "
          f"{(time.monotonic() - begun) * 1000:.0f} ms")
    missing = {("/" + path, 200) for path in ("", "hash", "fan", "thumb",
                                              "sleep", "stream")} - seen.keys()
    if missing or not any("acceptor" in line for line in tree):
        print(f"not answered: {sorted(missing)}; tasks: {tree}")
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())
