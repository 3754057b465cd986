#!/usr/bin/env python3
"""httpd against clients, good and hostile.

    httpd_test.py HTTPD [NAME...]

What it would catch: a wrong reply, or one to the wrong request; a limit that
does not hold; a request that outlives its deadline or its client; a worker
that is held up; an end that loses what runs, or is not the end; a descriptor,
a thread or memory that is kept. Rules of the library that it stands on: R4,
R11, R12, R15, R18, R25, R26, R38, R51, R58.
"""

import hashlib
import os
import random
import re
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
import time

from harness import LIMIT, SLOWNESS, Failure, check, main, same, test, until

ABORTS = int(os.environ.get('HTTPD_ABORTS', '1000'))
MASK = (1 << 64) - 1


# ---- the server and its clients --------------------------------------------

class Server:
    program = None
    all = []

    def __init__(self, *args, preexec=None):
        self.process = subprocess.Popen(
            [self.program, '--port', '0', '--host', '127.0.0.1', *args],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=preexec)
        Server.all.append(self)
        line = self.process.stdout.readline()
        found = re.match(rb'httpd: listening on port (\d+)\n', line)
        check(found, 'does not start:', line)
        self.port = int(found[1])

    def of_proc(self, name):
        return os.listdir(f'/proc/{self.process.pid}/{name}')

    def status(self, name):
        with open(f'/proc/{self.process.pid}/status', encoding='ascii') as f:
            return int(re.search(rf'{name}:\s*(\d+)', f.read())[1])

    def used(self):
        """Seconds of processor."""
        with open(f'/proc/{self.process.pid}/stat', encoding='ascii') as f:
            fields = f.read().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def metric(self, name):
        found = re.search(rf'^{re.escape(name)} (\S+)$',
                          self.get('/metrics').text, re.M)
        return float(found[1]) if found else 0

    def get(self, target, **more):
        with Client(self) as c:
            return c.get(target, **more)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def wait(self):
        """Its end: nothing on stderr, no failure."""
        _, err = self.process.communicate(timeout=LIMIT)
        Server.all.remove(self)
        check(self.process.returncode == 0 and err == b'',
              self.process.returncode, err.decode(errors='replace')[:3000])

    def end(self):
        self.terminate()
        self.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.end()


class Reply:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def text(self):
        return self.body.decode()


class Client:
    def __init__(self, server):
        self.socket = socket.create_connection(('127.0.0.1', server.port),
                                               timeout=LIMIT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b''

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def ask(self, target, method='GET', headers='', body=b''):
        if body:
            headers += f'Content-Length: {len(body)}\r\n'
        self.send(f'{method} {target} HTTP/1.1\r\nHost: x\r\n{headers}\r\n'
                  .encode() + body)

    def get(self, target, method='GET', **more):
        self.ask(target, method=method, **more)
        return self.reply(method)

    def more(self):
        data = self.socket.recv(65536)
        self.rest += data
        return len(data) > 0

    def take(self, n):
        while len(self.rest) < n:
            check(self.more(), 'a torn reply:', self.rest[:200])
        data, self.rest = self.rest[:n], self.rest[n:]
        return data

    def line(self):
        while b'\r\n' not in self.rest:
            check(self.more(), 'a torn reply:', self.rest[:200])
        line, self.rest = self.rest.split(b'\r\n', 1)
        return line.decode()

    def chunks(self):
        body = b''
        while True:
            size = int(self.line(), 16)
            body += self.take(size)
            same(self.take(2), b'\r\n', 'the end of a chunk')
            if size == 0:
                return body

    def reply(self, method='GET'):
        status = self.line().split(' ', 2)
        same(status[0], 'HTTP/1.1', 'the version')
        headers = {}
        while True:
            line = self.line()
            if not line:
                break
            name, value = line.split(': ', 1)
            headers[name.lower()] = value
        if method == 'HEAD':
            body = b''
        elif headers.get('transfer-encoding') == 'chunked':
            body = self.chunks()
        elif 'content-length' in headers:
            body = self.take(int(headers['content-length']))
        else:
            while self.more():
                pass
            body, self.rest = self.rest, b''
        return Reply(int(status[1]), headers, body)

    def closed(self):
        """The server says no more, and has said nothing more."""
        same(self.rest, b'', 'what came after')
        try:
            same(self.socket.recv(1), b'', 'what came after')
        except ConnectionResetError:
            pass


def mixed(rounds, seed):
    for _ in range(rounds):
        seed = ((seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9 +
                0x9e3779b97f4a7c15) & MASK
    return seed


def body_hash(body):
    value = 0xcbf29ce484222325
    for byte in body:
        value = (value ^ byte) * 0x100000001b3 & MASK
    return value


def thumb(w, h):
    """As /thumb makes it."""
    rows = []
    for y in range(h // 8):
        for x in range(w // 8):
            rows.append(sum((a * a + b * b * 3 + (a * b >> 3)) & 255
                            for b in range(y * 8, y * 8 + 8)
                            for a in range(x * 8, x * 8 + 8)) // 64)
    return b'P5\n%d %d\n255\n' % (w // 8, h // 8) + bytes(rows)


# ---- what there is to ask for ----------------------------------------------

@test
def routes():
    with Server() as server, Client(server) as c:
        same(c.get('/').text, 'roost\n', '/')
        same(c.get('/hash?rounds=1000').text, f'{mixed(1000, 1):016x}\n',
             '/hash')
        same(c.get('/hash?seed=7&rounds=9999').text,
             f'{mixed(9999, 7):016x}\n', '/hash with a seed')
        same(c.get('/hash?rounds=10', method='POST', body=b'abc').text,
             f'{mixed(10, 1 ^ body_hash(b"abc")):016x}\n', '/hash of a body')
        same(c.get('/hash?rounds=0').text, f'{1:016x}\n', 'no rounds')
        for n in (0, 1, 10, 1000):
            wanted = sum(mixed(20, i) for i in range(n)) & MASK
            same(c.get(f'/fan?n={n}&rounds=20').text, f'{wanted:016x}\n',
                 '/fan')
        for w, h in ((8, 8), (64, 48), (203, 1111)):
            reply = c.get(f'/thumb?w={w}&h={h}')
            same(reply.headers['transfer-encoding'], 'chunked', '/thumb')
            same(hashlib.md5(reply.body).hexdigest(),
                 hashlib.md5(thumb(w, h)).hexdigest(), f'/thumb {w}x{h}')
        begun = time.monotonic()
        same(c.get('/sleep?ms=30').text, 'slept 30 ms\n', '/sleep')
        check(time.monotonic() - begun >= 0.03, 'it has not slept')
        same(c.get('/stream?n=500').text,
             ''.join(f'line {i}\n' for i in range(500)), '/stream')
        tree = c.get('/debug/tasks').text
        for wanted in ('acceptor', 'connection', 'server', 'stopper'):
            check(wanted in tree, f'{wanted} is not in', tree)
        text = c.get('/metrics').text
        for line in text.splitlines():
            check(re.fullmatch(r'# TYPE \w+ (counter|gauge|histogram)|'
                               r'\w+({\w+="[^"]*"})? [\d.e+-]+', line), line)
        check('httpd_connections 1\n' in text, text)
        check('httpd_replies_total{status="200"} 15\n' in text, text)
        check(re.search(r'^roost_workers [1-9]', text, re.M), text)


@test
def parameters():
    with Server() as server, Client(server) as c:
        for target in ('/hash?rounds=x', '/hash?rounds=', '/hash?rounds=-1',
                       '/hash?rounds=1000000000001', '/hash?rounds=' + '9' * 40,
                       '/fan?n=10001', '/fan?n=1e3', '/thumb?w=7',
                       '/thumb?h=8193', '/sleep?ms=0x1', '/hash?deadline=5',
                       '/hash?deadline=', '/hash?deadline=-1s',
                       '/hash?deadline=nans', '/sleep?deadline=1e300s',
                       '/sleep?deadline=' + '1' * 100 + 'ms'):
            same(c.get(target).status, 400, target)
        for target in ('/nope', '/hash/', '//', '/%2e', '/hashx', '*'):
            same(c.get(target).status, 404, target)
        for method in ('PUT', 'DELETE', 'OPTIONS', 'PATCH'):
            same(c.get('/', method=method).status, 405, method)
        same(c.get('/sleep', method='POST').status, 405, 'POST /sleep')
        for target in ('/', '/hash?rounds=1', '/stream?n=3', '/debug/tasks'):
            reply = c.get(target, method='HEAD')
            same(reply.status, 200, f'HEAD {target}')
        same(c.get('/').text, 'roost\n', 'after HEAD')


@test
def versions():
    with Server() as server:
        for head, target, keep in (('1.0', '/', False), ('1.1', '/', True),
                                   ('1.0', '/stream?n=3', False)):
            with Client(server) as c:
                c.send(f'GET {target} HTTP/{head}\r\nHost: x\r\n\r\n'.encode())
                reply = c.reply()
                same(reply.status, 200, head)
                check('transfer-encoding' not in reply.headers, reply.headers)
                if target != '/':
                    same(reply.text, 'line 0\nline 1\nline 2\n', target)
                if keep:
                    same(c.get('/').status, 200, 'the next one')
                else:
                    c.closed()
        with Client(server) as c:
            c.send(b'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
            same(c.reply().status, 200, '1.0 keep-alive')
            c.send(b'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
            same(c.reply().headers['connection'], 'close', 'close')
            c.closed()
        with Client(server) as c:
            c.send(b'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n'
                   b'Upgrade: h2c\r\n\r\n')
            same(c.reply().status, 200, 'an upgrade is not taken')
            c.closed()


# ---- one connection, many requests -----------------------------------------

@test
def pipelining():
    with Server() as server, Client(server) as c:
        same(c.get('/').status, 200, 'first')
        for i in range(50):
            c.ask(f'/hash?rounds={i}')
            c.ask(f'/stream?n={i}')
            c.ask('/hash?rounds=1', method='POST', body=bytes([i]) * i)
        for i in range(50):
            same(c.reply().text, f'{mixed(i, 1):016x}\n', 'in order')
            same(c.reply().text, ''.join(f'line {j}\n' for j in range(i)),
                 'in order')
            seed = 1 ^ body_hash(bytes([i]) * i) if i else 1
            same(c.reply().text, f'{mixed(1, seed):016x}\n', 'in order')


@test
def sent_ahead_of_a_slow_one():
    """More than the server reads ahead, while a request runs."""
    with Server() as server, Client(server) as c:
        c.ask('/sleep?ms=300')
        time.sleep(0.1)
        pad = 'X-Pad: ' + 'p' * 3000 + '\r\n'
        sender = threading.Thread(target=lambda: [
            c.ask(f'/hash?rounds={i}', headers=pad) for i in range(300)])
        sender.start()
        same(c.reply().text, 'slept 300 ms\n', 'the slow one')
        for i in range(300):
            same(c.reply().text, f'{mixed(i, 1):016x}\n', 'in order')
        sender.join()


@test
def in_small_pieces():
    with Server() as server, Client(server) as c:
        for piece in (1, 3, 7):
            text = (b'POST /hash?rounds=3 HTTP/1.1\r\nHost: x\r\n'
                    b'Transfer-Encoding: chunked\r\n\r\n'
                    b'3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: 1\r\n\r\n')
            for i in range(0, len(text), piece):
                c.send(text[i:i + piece])
                time.sleep(0.001)
            same(c.reply().text,
                 f'{mixed(3, 1 ^ body_hash(b"abcdefg")):016x}\n', 'a body')


# ---- limits and bad requests -----------------------------------------------

def refused(server, data, status):
    with Client(server) as c:
        try:
            c.send(data)
        except ConnectionError:
            pass
        reply = c.reply()
        same(reply.status, status, data[:80])
        same(reply.headers['connection'], 'close', data[:80])
        c.closed()


@test
def limits():
    with Server('--header-max', '4096', '--body-max', '1000') as server:
        start = b'GET / HTTP/1.1\r\nHost: x\r\n'
        post = b'POST /hash?rounds=1 HTTP/1.1\r\nHost: x\r\n'
        room = 4096 - len(start) - len(b'A: \r\n\r\n')
        with Client(server) as c:
            for _ in range(3):
                c.send(start + b'A: ' + b'x' * room + b'\r\n\r\n')
                same(c.reply().status, 200, 'the largest head')
            same(c.get('/hash?rounds=1', method='POST', body=b'x' * 1000)
                 .status, 200, 'the largest body')
        refused(server, start + b'A: ' + b'x' * (room + 1) + b'\r\n\r\n', 431)
        refused(server, start + b'A: b\r\n' * 10000, 431)
        refused(server, start + b'x' * 5000000, 431)
        refused(server, b'GET /' + b'x' * 2050 + b' HTTP/1.1\r\n\r\n', 414)
        refused(server, post + b'Content-Length: 1001\r\n\r\n', 413)
        refused(server, post + b'Content-Length: 99999999999\r\n\r\n', 413)
        refused(server, post + b'Content-Length: 5000000\r\n\r\n' +
                b'x' * 5000000, 413)
        refused(server, post + b'Transfer-Encoding: chunked\r\n\r\n' +
                b'100\r\n' + b'x' * 256 + b'\r\n3e8\r\n' + b'x' * 1000, 413)
        same(server.get('/').status, 200, 'after it')
        until(lambda: server.metric('httpd_connections') == 1, 'balance')


BAD = (
    b'\r\n\r\nnonsense\r\n\r\n', b'GET\r\n\r\n', b'GET / HTTP/9.9\r\n\r\n',
    b'GET / HTTP/1.1\r\n\r\n', b'get / HTTP/1.1\r\nHost: x\r\n\r\n',
    b'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n',
    b'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
    b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n'
    b'Content-Length: 2\r\n\r\n',
    b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n'
    b'Transfer-Encoding: chunked\r\n\r\n',
    b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + b'\0' * 50,
    b'\0' * 100, b'GET / HTTP/1.1\nHost: x\nA\0B: c\n\n',
    b'GET / HTTP/1.1\r\nHost : x\r\n\r\n', b'HTTP/1.1 200 OK\r\n\r\n',
)


@test
def bad_requests():
    with Server() as server:
        for data in BAD:
            with Client(server) as c:
                c.send(data)
                reply = c.reply()
                check(reply.status in (400, 505), data, reply.status)
                c.closed()
        rng = random.Random(3)
        good = b'POST /hash?rounds=1 HTTP/1.1\r\nHost: x\r\n' \
               b'Content-Length: 3\r\n\r\nabc'
        for _ in range(300):
            data = bytearray(good)
            for _ in range(rng.randrange(1, 4)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            with Client(server) as c:
                c.send(bytes(data))
                c.socket.shutdown(socket.SHUT_WR)
                while c.more():
                    pass
                check(c.rest == b'' or c.rest.startswith(b'HTTP/1.1 '),
                      bytes(data), c.rest)
        same(server.get('/').status, 200, 'after it')
        until(lambda: server.metric('httpd_connections') == 1, 'balance')


# ---- slow clients, and those that go ---------------------------------------

@test
def slow_requests():
    """A byte now and then does not help."""
    with Server('--read-time', '400ms', '--idle-time', '300ms') as server:
        for start in (b'GET / HTTP/1.1\r\n', b'POST /hash HTTP/1.1\r\n'
                      b'Host: x\r\nContent-Length: 100\r\n\r\n'):
            with Client(server) as c:
                begun = time.monotonic()
                c.send(start)
                while not select.select([c.socket], [], [], 0.02)[0]:
                    c.send(b'A')
                    check(time.monotonic() - begun < LIMIT, 'it may go on')
                check(time.monotonic() - begun >= 0.35, 'too early')
                same(c.reply().status, 408, start)
                c.closed()
        with Client(server) as c:
            same(c.get('/').status, 200, 'idle after one')
            c.closed()
        with Client(server) as c:
            c.closed()
        until(lambda: server.metric('httpd_connections') == 1, 'balance')


@test
def slow_reader():
    """A reply that nobody takes."""
    with Server('--write-time', '300ms', '--deadline', '60s') as server:
        with Client(server) as c:
            c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            for _ in range(20):
                c.ask('/stream?n=100000')
            until(lambda: server.metric('httpd_connections') == 1, 'broken')


@test
def half_closed():
    with Server() as server:
        with Client(server) as c:
            c.ask('/')
            c.socket.shutdown(socket.SHUT_WR)
            same(c.reply().text, 'roost\n', 'a quick one is answered')
            c.closed()
        with Client(server) as c:
            c.ask('/sleep?ms=60000', headers='X-Deadline: 60s\r\n')
            time.sleep(0.1)
            c.socket.shutdown(socket.SHUT_WR)
            same(c.reply().status, 499, 'taken for a hang-up')
            c.closed()
        with Client(server) as c:
            c.send(b'GET / HT')
            c.socket.shutdown(socket.SHUT_WR)
            c.closed()
        used = server.used()
        with Client(server) as c:
            same(c.get('/').status, 200, 'before')
            c.socket.shutdown(socket.SHUT_WR)
            c.closed()
            time.sleep(0.5)
        check(server.used() - used < 0.2 * SLOWNESS, 'it spins')


@test
def hang_up_cancels():
    """What it asked for, and its children, would compute for minutes."""
    for workers in ('1', '2', '8'):
        with Server('--workers', workers, '--running', '100', '--queue',
                    '1000', '--deadline', '600s') as server:
            for target in ('/hash?rounds=1000000000000', '/sleep?ms=3600000',
                           '/fan?n=1000&rounds=100000000000',
                           '/stream?n=1000&ms=1000'):
                clients = [Client(server) for _ in range(8)]
                for c in clients:
                    c.ask(target)
                until(lambda: server.metric('httpd_requests_in_flight') == 9,
                      'all run')
                for i, c in enumerate(clients):
                    if i % 2 == 0:
                        c.socket.setsockopt(
                            socket.SOL_SOCKET, socket.SO_LINGER,
                            b'\1\0\0\0\0\0\0\0')  # a reset, not an end
                    c.close()
                until(lambda: server.metric('httpd_requests_in_flight') == 1,
                      f'{target} ends')
            until(lambda: server.metric('httpd_connections') == 1, 'balance')


# ---- deadlines and overload ------------------------------------------------

@test
def deadlines():
    for workers in ('1', '4'):
        with Server('--workers', workers, '--deadline', '5s') as server:
            for target in ('/hash?rounds=1000000000000', '/sleep?ms=60000',
                           '/fan?n=10000&rounds=1000000'):
                for in_query in (True, False):
                    more = '&deadline=40ms' if in_query else ''
                    header = '' if in_query else 'X-Deadline: 40ms\r\n'
                    begun = time.monotonic()
                    with Client(server) as c:
                        reply = c.get(target + more, headers=header)
                        took = time.monotonic() - begun
                        same(reply.status, 504, target)
                        check(0.04 <= took < 1 * SLOWNESS, target, took)
                        same(c.get('/').status, 200, 'the next one')
            same(server.get('/hash?deadline=0us').status, 504, 'none left')
            same(server.get('/sleep?ms=60000', headers='X-Deadline: x\r\n'
                            'X-Deadline: 40ms\r\n').status, 504,
                 'the last one counts, and they are not one text')
            with Client(server) as c:  # begun, and cut: the client can tell
                c.ask('/stream?n=1000&ms=20&deadline=100ms')
                try:
                    c.reply()
                    check(False, 'a whole reply')
                except Failure as e:
                    check('torn' in str(e), e)
        with Server('--deadline', '50ms') as server:
            same(server.get('/sleep?ms=60000&deadline=60s').status, 504,
                 'no more than the server gives')


@test
def overload():
    with Server('--running', '2', '--queue', '4', '--deadline', '60s') as s:
        clients = [Client(s) for _ in range(6)]
        for c in clients:
            c.ask('/hash?rounds=1000000000000')
        until(lambda: s.metric('httpd_requests_waiting') == 4, 'a queue')
        begun = time.monotonic()
        for _ in range(100):
            reply = s.get('/hash?rounds=1')
            same(reply.status, 503, 'too much')
            same(reply.headers['retry-after'], '1', 'too much')
        check(time.monotonic() - begun < 2 * SLOWNESS, 'not at once')
        same(s.get('/').status, 200, 'what costs nothing')
        clients[5].close()  # of those that wait
        until(lambda: s.metric('httpd_requests_waiting') == 3, 'one less')
        check(s.get('/hash?deadline=30ms').status in (503, 504), 'in vain')
        for c in clients:
            c.close()
        until(lambda: s.metric('httpd_requests_in_flight') == 1, 'all go')
        same(s.get('/hash?rounds=1').status, 200, 'after it')


@test
def admission():
    """Who would be cut before his end is turned away, not run in vain; and
    those that were cut do not make others seem short."""
    with Server('--running', '1', '--queue', '9', '--deadline', '600s') as s:
        def mean():
            return s.metric('httpd_heavy_seconds')

        def whole(n, rounds):
            for _ in range(n):
                same(s.get(f'/hash?rounds={rounds}').status, 200, 'whole')
            settled()

        def settled():
            """What is answered is not yet counted."""
            until(lambda: s.metric('httpd_requests_in_flight') == 1, 'all end')

        whole(40, 5000000)
        long = mean()
        for part in (0.1, 0.3, 0.6):
            for _ in range(5):
                s.get('/hash?rounds=1000000000'
                      f'&deadline={long * part:.6f}s')
        settled()
        check(mean() >= long, 'those that were cut have lowered it')
        whole(8, 0)
        check(mean() < long, 'those that were whole have not')
        whole(20, 5000000)
        runs, waits = Client(s), Client(s)
        for c in (runs, waits):
            c.ask('/hash?rounds=1000000000000')
        until(lambda: s.metric('httpd_requests_waiting') == 1, 'a queue')
        # Two turns before its own: the third must end in time.
        same(s.get(f'/hash?rounds=1&deadline={mean() * 2.5:.6f}s').status, 503,
             'no time to end')
        same(s.get(f'/hash?rounds=1&deadline={mean() * 3.5:.6f}s').status, 504,
             'time enough, but the others do not end')
        runs.close()
        waits.close()


@test
def no_descriptors():
    """EMFILE at accept: it goes on with those it has, and does not spin."""
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))

    with Server(preexec=few) as server:
        clients = [Client(server) for _ in range(60)]
        same(clients[0].get('/').status, 200, 'those it has')
        until(lambda: 'httpd_accept_failures_total 0\n' not in
              clients[0].get('/metrics').text, 'no descriptor')
        until(lambda: len(server.of_proc('fd')) == 40, 'all are in use')
        same(clients[0].get('/debug/tasks').status, 503, 'no descriptor')
        used = server.used()
        time.sleep(1)
        check(server.used() - used < 0.3 * SLOWNESS, 'it spins')
        for c in clients[1:40]:
            c.close()
        for c in clients[40:]:
            same(c.get('/').status, 200, 'those that had to wait')
            c.close()
        clients[0].close()
        until(lambda: server.metric('httpd_connections') == 1, 'balance')


@test
def more_connections_than_places():
    with Server('--connections', '5') as server:
        clients = [Client(server) for _ in range(20)]
        for c in clients:
            c.ask('/')
        for c in clients:
            same(c.reply().status, 200, 'in turn')
            c.close()


def of_children():
    """Seconds of processor of all servers that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@test
def idle_connections():
    """10,000 of them cost memory, little of it, and no time."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    n = min(10000, hard - 200)
    server = Server()
    same(server.get('/').status, 200, 'the first')
    before = server.status('VmRSS')
    clients = []
    for i in range(n):
        c = Client(server)
        clients.append(c)
        if i % 2 == 0:  # half have asked for something
            same(c.get('/').status, 200, i)
    until(lambda: server.metric('httpd_connections') == n + 1, 'all')
    time.sleep(1.5 * SLOWNESS)  # their buffers and stacks are gone by then
    each = (server.status('VmRSS') - before) * 1024 / n
    used = server.used()
    time.sleep(1)
    check(server.used() - used < 0.1 * SLOWNESS, 'they cost time')
    print(f'  {n} idle connections: {each:.0f} bytes each')
    check(SLOWNESS > 1 or each < 4000, f'{each} bytes each')
    rng = random.Random(1)
    for c in rng.sample(clients, 200):
        same(c.get('/hash?rounds=1').status, 200, 'one of many')
    used = server.used()
    before = of_children()
    server.end()
    used = of_children() - before - used
    check(used < 2 * SLOWNESS, f'its end takes {used} s of processor')
    for c in clients:
        c.close()


# ---- the end ---------------------------------------------------------------

@test
def ends_gracefully():
    """No new ones, idle ones go, what runs is answered."""
    for workers in ('1', '4'):
        server = Server('--workers', workers, '--grace', '30s')
        idle = Client(server)
        same(idle.get('/').status, 200, 'idle')
        busy = [Client(server) for _ in range(8)]
        for i, c in enumerate(busy):
            c.ask(('/sleep?ms=800', '/hash?rounds=30000000')[i % 2])
        until(lambda: server.metric('httpd_requests_in_flight') >= 9, 'busy')
        server.terminate()
        idle.closed()
        for c in busy:
            reply = c.reply()
            same(reply.status, 200, 'what ran')
            c.closed()
        server.wait()


@test
def listening_ends_first():
    """Whoever is told of the end, by the close of an idle connection or in the
    head of a reply, finds nobody listening."""
    for i in range(20):
        server = Server('--workers', str(1 << i % 4), '--grace', '30s')
        idle = [Client(server) for _ in range(16)]
        for c in idle:
            same(c.get('/').status, 200, 'idle')
        busy = Client(server)
        for _ in range(i):
            busy.ask('/hash?rounds=20000')
        same(busy.get('/').status, 200, 'busy')
        server.terminate()
        if i % 2 == 0:
            select.select([c.socket for c in idle], [], [], LIMIT)
        else:
            try:
                while busy.get('/').headers.get('connection') != 'close':
                    pass
            except (ConnectionError, Failure):
                pass  # told in between two of them
        check(not listening(server), 'it listens')
        for c in idle:
            c.closed()
            c.close()
        busy.close()
        server.wait()


@test
def grace_is_limited():
    server = Server('--grace', '300ms', '--deadline', '600s', '--running',
                    '100')
    busy = [Client(server) for _ in range(8)]
    for i, c in enumerate(busy):
        c.ask(('/sleep?ms=3600000', '/hash?rounds=1000000000000',
               '/fan?n=1000&rounds=100000000000', '/stream?ms=60000')[i % 4])
    until(lambda: server.metric('httpd_requests_in_flight') >= 9, 'busy')
    begun = time.monotonic()
    server.end()
    took = time.monotonic() - begun
    check(0.3 <= took < 3 * SLOWNESS, took)
    for c in busy:
        c.close()


@test
def second_signal():
    server = Server('--grace', '600s', '--deadline', '600s')
    c = Client(server)
    c.ask('/sleep?ms=3600000')
    until(lambda: server.metric('httpd_requests_in_flight') == 2, 'busy')
    server.terminate()
    until(lambda: not listening(server), 'the end has begun')
    server.terminate()
    same(server.process.wait(LIMIT), -signal.SIGTERM, 'the second one')
    Server.all.remove(server)
    c.close()


def listening(server):
    try:
        Client(server).close()
        return True
    except ConnectionError:
        return False


@test
def end_at_any_moment():
    """Of a busy server: no crash, no leak (where the build looks for them)."""
    rng = random.Random(5)
    for i in range(10):
        server = Server('--grace', '50ms', '--workers', str(1 << i % 4))
        clients = [Client(server) for _ in range(20)]
        for c in clients:
            c.ask(rng.choice(TARGETS))
        time.sleep(rng.random() * 0.05)
        server.end()
        for c in clients:
            c.close()


@test
def wrong_command_lines():
    for args in (['--port'], ['--port', 'x!'], ['--workers', '0'], ['x'],
                 ['--queue', '-1'], ['--deadline', '0s'], ['--grace', '5'],
                 ['--connections', '9' * 20], ['--nope']):
        p = subprocess.run([Server.program, *args], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           timeout=LIMIT, check=False)
        check(p.returncode in (1, 2) and p.stderr and not p.stdout, args,
              p.returncode, p.stderr)
    with Server() as server:
        p = subprocess.run([Server.program, '--host', '127.0.0.1', '--port',
                            str(server.port)], stderr=subprocess.PIPE,
                           timeout=LIMIT, check=False)
        check(p.returncode == 1 and b'in use' in p.stderr, p.stderr)


# ---- random aborts ---------------------------------------------------------

TARGETS = ('/', '/hash?rounds=20000', '/hash?rounds=300000',
           '/fan?n=20&rounds=5000', '/thumb?w=256&h=256', '/sleep?ms=5',
           '/stream?n=50', '/stream?n=5&ms=2', '/metrics', '/nope',
           '/hash?rounds=100000000&deadline=5ms', '/debug/tasks')


def abort_one(server, rng):
    """A request, or two, or a piece of one; what comes of it is not awaited."""
    with Client(server) as c:
        text = b''.join(f'GET {rng.choice(TARGETS)} HTTP/1.1\r\nHost: x\r\n\r\n'
                        .encode() for _ in range(rng.choice((1, 1, 2, 5))))
        if rng.random() < 0.2:
            text = text[:rng.randrange(len(text))]
        c.send(text)
        how = rng.random()
        if how < 0.3:
            time.sleep(rng.random() * 0.01)
        elif how < 0.5 and text.endswith(b'\r\n\r\n'):
            c.more()
        if rng.random() < 0.3:
            c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                b'\1\0\0\0\0\0\0\0')


@test
def random_aborts():
    with Server('--deadline', '2s') as server:
        def client(seed, n):
            rng = random.Random(seed)
            for _ in range(n):
                try:
                    abort_one(server, rng)
                except ConnectionError:
                    pass  # the server may be the first to go
                except OSError as e:
                    wrong.append(e)

        def abort(n, seed):
            threads = [threading.Thread(target=client, args=(seed + i, n // 8))
                       for i in range(8)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            until(lambda: server.metric('httpd_connections') == 1, 'balance')
            until(lambda: server.metric('httpd_requests_in_flight') == 1,
                  'balance')

        def held():
            """Descriptors, threads, and lines of the task tree."""
            tree = server.get('/debug/tasks').text.splitlines()
            return (len(server.of_proc('fd')), len(server.of_proc('task')),
                    len(tree))

        wrong = []
        abort(ABORTS // 2, 0)
        before, memory = held(), server.status('VmRSS')
        abort(ABORTS // 2, 1000)
        check(not wrong, wrong)
        until(lambda: all(a <= b for a, b in zip(held(), before)), 'balance')
        grown = server.status('VmRSS') - memory
        print(f'  {ABORTS} aborts: {grown} KiB grown in the second half; '
              f'{held()} descriptors, threads, tasks')
        check(SLOWNESS > 1 or grown < 1024, f'{grown} KiB')
        accepted = server.metric('httpd_connections_accepted_total')
        check(accepted >= ABORTS // 16 * 16, accepted)
        same(server.metric('httpd_requests_waiting'), 0, 'the queue')
        same(server.get('/hash?rounds=1').status, 200, 'after it')


def tidy():
    """Ends the servers that a failed test has left."""
    said = ''
    for server in list(Server.all):
        server.process.kill()
        err = server.process.communicate()[1]
        said += '\n' + err.decode(errors='replace')[:5000]
        Server.all.remove(server)
    return said


if __name__ == '__main__':
    Server.program = os.path.abspath(sys.argv[1])
    sys.exit(main(tidy))
