#!/usr/bin/env python3
"""What a trace must be: JSON in which slices nest, times go forward, arrows
have two ends, every named task appears with its life around its slices, what
lies in a channel is told at each change, and the counts are those of the
runtime's counters.

    check.py PROGRAM [--docs GUIDE EVENTS]

PROGRAM is tests/trace/program.c. Would catch: a name that breaks the file, an
event lost or told twice, an end without its begin after records were dropped, a
change of what lies in a channel left out or told wrong, a worker that waits for
the file, a file that a runtime's end leaves incomplete.
"""
import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

STATS = ['run', 'inlined', 'stolen', 'switched', 'parked', 'cancelled',
         'timers_fired', 'offloaded']
ODD = ['a "quote"', 'back\\slash', 'tab\tnew\nline\x01', 'b\u00e4r',
       'cut in an odd place: 31 bytes \ufffd', 'no utf-8: \ufffd\ufffd\ufffd']
failures = 0


def check(cond, what):
    global failures
    if not cond:
        failures += 1
        print(f'failed: {what}')


def rows(events):
    """tid -> its events, metadata aside, in the order of the file."""
    found = collections.defaultdict(list)
    for e in events:
        if e['ph'] != 'M':
            found[e['tid']].append(e)
    return found


def check_row(tid, events):
    """Times go forward; slices open and close in order and none stays open.
    The closed slices: (begin, end)."""
    open_, done, last = [], [], 0
    for e in events:
        check(e['ts'] >= last, f'row {tid}: {e} comes before {last}')
        last = e['ts']
        if e['ph'] == 'B':
            open_.append(e)
        elif e['ph'] == 'E':
            check(open_, f'row {tid}: {e} ends nothing')
            if open_:
                done.append((open_.pop(), e))
        elif e['ph'] in 'sf':
            check(open_, f'row {tid}: an arrow outside of slices: {e}')
    check(not open_, f'row {tid}: still open: {open_}')
    return done


def check_arrows(events, finished):
    """Ids: each end has its start, before it; each start once. Of tasks set
    aside the trace may not see the end, unless they are all home."""
    start, end = {}, {}
    for e in events:
        if e['ph'] == 's':
            check(e['id'] not in start, f'two arrows start as {e}')
            start[e['id']] = e
        elif e['ph'] == 'f':
            check(e['id'] not in end, f'two arrows end as {e}')
            end[e['id']] = e
    for number, e in end.items():
        check(number in start, f'an arrow without a start: {e}')
        if number in start:
            check(start[number]['ts'] <= e['ts'], f'an arrow goes back: {e}')
    if finished:
        for number, e in start.items():
            check(number in end, f'an arrow without an end: {e}')


def check_spans(events):
    """b and e by id: each closed once, by its own name. The (begin, end)."""
    open_, done = {}, []
    for e in sorted((e for e in events if e['ph'] in 'be'),
                    key=lambda e: e['ts']):
        key = e['cat'], e['id']
        if e['ph'] == 'b':
            check(key not in open_, f'opened twice: {e}')
            open_[key] = e
        else:
            check(key in open_ and open_[key]['name'] == e['name'],
                  f'closed, not opened: {e}')
            if key in open_:
                done.append((open_.pop(key), e))
    check(not open_, f'spans left open: {open_}')
    return done


def check_lives(events, slices, named):
    """A task with a name has one span, around all of its slices."""
    lives = collections.defaultdict(list)
    for b, e in check_spans(events):
        if b['cat'] == 'life':
            lives[b['name']].append((b['ts'], e['ts']))
    for name in [f'task {i}' for i in range(named)] + ODD + ['forever']:
        mine = [(b['ts'], e['ts']) for b, e in slices if b['name'] == name]
        check(len(lives[name]) == 1, f'{name!r} has {len(lives[name])} spans')
        for begin, end in lives[name]:
            check(begin <= min(mine)[0] and max(e for _, e in mine) <= end,
                  f'{name!r}: {mine} are not in {begin}, {end}')


def check_depths(events):
    """What lies in a channel: counters by id, of which the test knows all."""
    told = collections.defaultdict(list)
    for e in sorted((e for e in events if e['ph'] == 'C'),
                    key=lambda e: e['ts']):
        check(set(e['args']) == {'items'}, f'{e}')
        told[e['name'], e['id']].append(e['args']['items'])
    steps = [n for (name, _), n in told.items() if name == 'channel steps']
    check(steps == [[1, 2, 3, 2, 1, 0]], f'steps: {steps}')
    others = sorted((n for (name, _), n in told.items() if name == 'channel'),
                    key=max)
    check(len(others) == 2, f'channels: {told}')
    if len(others) == 2:
        crowd, thrown = others
        moves = {b - a for a, b in zip([0] + crowd, crowd)}
        check(moves == {1, -1} and max(crowd) <= 4 and crowd[-1] == 0,
              f'crowd: {crowd}')
        check(thrown == [*range(1, 101), 0], f'thrown: {thrown}')


def check_names(events, workers):
    names = {e['tid']: e['args']['name'] for e in events
             if e['ph'] == 'M' and e['name'] == 'thread_name'}
    for e in events:
        check(e['tid'] in names, f'a row without a name: {e}')
    check(len(set(names.values())) == len(names), f'two rows of a name: {names}')
    for name in names.values():
        m = re.fullmatch(r'(worker|offload) (\d+)|watch|thread \d+', name)
        check(m and (m[1] != 'worker' or int(m[2]) < workers),
              f'a row called {name}')
    check({e['args']['name'] for e in events
           if e.get('name') == 'process_name'} <= {'roost traced "one"',
                                               'plain threads'},
          'the process is not called as the runtime')


def check_all(trace, workers, finished):
    events = trace['traceEvents']
    slices = []
    for tid, row in rows(events).items():
        slices += check_row(tid, row)
    if trace['otherData']['dropped'] == 0:
        check_arrows(events, finished)
        check_spans(events)
    check_names(events, workers)
    return events, slices


def run(program, what, path, **env):
    args = [program, what] + ([path] if path else [])
    done = subprocess.run(args, capture_output=True, text=True, check=False,
                          env={**os.environ, **env})
    check(done.returncode == 0 and done.stderr == '',
          f'{what}: {done.returncode} {done.stderr}')
    return done.stdout


def check_load_found(events, slices, sizes):
    named, leaves, calls, _ = sizes
    begun = collections.Counter(b['name'] for b, _ in slices)
    spawned = collections.Counter(e['name'] for e in events if e['ph'] == 'i')
    for name in [f'task {i}' for i in range(named)] + ODD:
        check(begun[name] >= 2, f'{name!r}: {begun[name]} slices')
        check(spawned[f'spawn {name}'[:26]] >= 1, f'{name!r} was not spawned')
    check(begun['caller'] >= 2 * calls, f'callers: {begun["caller"]}')
    waits = collections.Counter(e['args'].get('waits for') for _, e in slices
                                if 'args' in e)
    wakes = collections.Counter(e['name'] for e in events
                                if e.get('cat') == 'wake')['wake']
    check(waits['sleep'] >= named, f'sleeps: {waits}')
    check(waits['offload'] == calls, f'calls awaited: {waits}')
    check(wakes == sum(waits.values()) - waits[None],
          f'{wakes} wakes ended {waits}')
    in_place = sum(e.get('args', {}).get('in place', 0) for b, e in slices
                   if b['name'].startswith('task '))
    check(0 < in_place <= named * leaves or begun['task'] > named,
          f'in place: {in_place}')
    check(spawned['deadline short'] == 1, f'deadlines: {spawned}')
    cancels = [e['args'] for e in events
               if e.get('name') == 'cancel short']
    check([c['reason'] for c in cancels] == ['deadline'], f'cancels: {cancels}')
    check_lives(events, slices, named)
    check_depths(events)
    opened = {e['name'] for e in events if e['ph'] == 'b' and
              e['cat'] == 'scope'}
    check(opened == {'load', 'short'}, f'scopes: {opened}')


def check_picture(path, events):
    """docs/guide/trace_svg.py: XML, and a row for each thread with slices. So
    wide that no slice is left out."""
    script = pathlib.Path(__file__).parents[2] / 'docs/guide/trace_svg.py'
    done = subprocess.run([sys.executable, '-B', script, path, '--width=500000'],
                          check=False, capture_output=True, encoding='utf-8')
    check(done.returncode == 0, f'picture: {done.stderr}')
    texts = [t.text for t in xml.etree.ElementTree.fromstring(
        done.stdout or '<svg/>').iter('{http://www.w3.org/2000/svg}text')]
    busy = {e['tid'] for e in events if e['ph'] == 'B'}
    for e in events:
        if e.get('name') == 'thread_name' and e['tid'] in busy:
            check(e['args']['name'] in texts, f'no row {e["args"]["name"]}')


def check_load(program, folder, workers):
    path = str(folder / 'load.json')
    out = run(program, 'load', path)
    told = [line.split() for line in out.splitlines()]
    stats = [dict(zip(STATS, map(int, t[1:]))) for t in told
             if t[0] in ('outer', 'inner')]
    sizes = [int(n) for t in told if t[0] == 'named' for n in t[1:]]
    with open(path, encoding='utf-8') as f:
        trace = json.load(f)
    events, slices = check_all(trace, workers, False)
    check(trace['otherData']['dropped'] == 0, 'records were dropped')
    check_picture(path, events)
    check_load_found(events, slices, sizes)
    counts = trace['otherData']['events']
    kinds = collections.Counter(e['ph'] for e in events)
    seen = {
        'run': counts['TASK'] + counts['NAMED'],
        'stolen': counts['STEAL'], 'parked': counts['PARKED'],
        'cancelled': counts['CANCEL'], 'offloaded': counts['OFFLOAD'],
        'timers_fired': sum(e['args']['fired'] for e in events
                            if e.get('name') == 'timers'),
    }
    check(counts['SPAWN'] == sizes[0] + sizes[2] + sizes[3] + 1,
          f'spawned: {counts}')
    check(counts['NAMED'] == counts['SPAWN'], f'begun: {counts}')
    check(counts['LIFE'] == counts['LIFE_OVER'] == counts['NAMED'],
          f'lives: {counts}')
    check(counts['CHAN'] == kinds['C'], f'{kinds} of {counts}')
    check(counts['ENDED'] == counts['TASK'] + counts['NAMED'],
          f'ended: {counts}')
    check(counts['CALL'] == counts['CALL_ENDED'] == sizes[2], f'{counts}')
    check(counts['LEFT'] <= stats[3]['switched'] - stats[0]['switched'],
          f'more set aside than switched: {counts}')
    for name, n in seen.items():
        inner = stats[2][name] - stats[1][name]
        outer = stats[3][name] - stats[0][name]
        if name == 'run':  # plain tasks in place are in the counter alone
            inner -= stats[2]['inlined'] - stats[1]['inlined']
        # A worker counts, then tells: each may be in between.
        check(inner - workers <= n <= outer, f'{name}: {inner} {n} {outer}')
    check(kinds['B'] == counts['TASK'] + counts['NAMED'] + counts['RESUMED'] +
          counts['PARKED'] + counts['CALL'], f'{kinds} of {counts}')


def check_flood(program, folder, workers):
    """Nobody reads until the program has done its part: it must not wait."""
    path = str(folder / 'flood.fifo')
    os.mkfifo(path)
    with subprocess.Popen([program, 'flood', path], text=True,
                          stdout=subprocess.PIPE) as p:
        with open(path, 'rb') as fifo:
            check(p.stdout.readline() == 'over\n', 'flood: not over')
            text = fifo.read()
        check(p.wait() == 0, f'flood: {p.returncode}')
    trace = json.loads(text)
    check(trace['otherData']['dropped'] > 0, 'nothing was dropped')
    check_all(trace, workers, False)
    counts = trace['otherData']['events']
    told = sum(counts.values())
    check(told > trace['otherData']['dropped'], 'more dropped than there was')


def check_environment(program, folder, workers):
    """Begun with the runtime, ended with it: all tasks have come home."""
    path = str(folder / 'environment.json')
    run(program, 'plain', None, ROOST_TRACE=path)
    with open(path, encoding='utf-8') as f:
        trace = json.load(f)
    check_all(trace, workers, True)
    nowhere = str(folder / 'no' / 'such')
    done = subprocess.run([program, 'plain'], capture_output=True, text=True,
                          env={**os.environ, 'ROOST_TRACE': nowhere},
                          check=False)
    check(done.returncode == 0 and f'ROOST_TRACE={nowhere}: No such' in
          done.stderr, f'{done}')
    done = subprocess.run([program, 'plain'], capture_output=True, text=True,
                          env={**os.environ, 'ROOST_TRACE': '/dev/full'},
                          check=False)
    check(done.returncode == 0 and
          'trace /dev/full: No space left' in done.stderr, f'{done}')


def check_docs(guide, events):
    """Each event of events.def stands in the guide with its line."""
    text = pathlib.Path(guide).read_text(encoding='utf-8')
    lines = re.findall(r'^EVENT_LINE\((\w+),.*"(.*?)"\)$',
                       pathlib.Path(events).read_text(encoding='utf-8'), re.M)
    check(len(lines) >= 15, f'{events}: {len(lines)} events')
    for kind, doc in lines:
        check(f'| `{kind}` | {doc} |' in text,
              f'{guide} lacks: | `{kind}` | {doc} |')


def main():
    program = sys.argv[1]
    workers = int(os.environ.get('ROOST_TEST_WORKERS', '2'))
    if sys.argv[2:3] == ['--docs']:
        check_docs(sys.argv[3], sys.argv[4])
    else:
        with tempfile.TemporaryDirectory(prefix='roost-trace-') as name:
            folder = pathlib.Path(name)
            check_load(program, folder, workers)
            check_environment(program, folder, workers)
            check_flood(program, folder, workers)
    print('failed' if failures else 'passed')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
