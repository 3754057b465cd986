#!/usr/bin/env python3
"""A trace as a picture, where no browser is at hand.

    trace_svg.py TRACE.json [--from MS] [--to MS] [--width PX] >PICTURE.svg

A row is a thread: its slices, nested downwards, with arrows from where a task is
spawned, set aside or woken to where it goes on. Bars above are scopes with a
name; a red mark is a cancel. What is narrower than a third of a pixel is left
out, and so are arrows within a row shorter than 40.
"""
import argparse
import html
import json
COLOURS = ['#4e79a7', '#f28e2b', '#59a14f', '#b07aa1', '#e15759', '#76b7b2',
           '#9c755f', '#edc948']
ASLEEP = '#e8e8e8'
BAR, GAP, LEFT, TOP = 16, 20, 60, 20


class Row:
    """A thread: what is open, what is done, and how deep it nests."""

    def __init__(self):
        self.name, self.open, self.done, self.depth = '', [], [], 1
        self.cancels = []


def read(path):
    """Rows by thread, arrows (thread and time of both ends), scopes."""
    rows, arrows, scopes = {}, {}, {}
    with open(path, encoding='utf-8') as file:
        events = json.load(file)['traceEvents']
    for e in events:
        place = e['pid'], e['tid']
        row = rows.setdefault(place, Row())
        if e['ph'] == 'M' and e['name'] == 'thread_name':
            row.name = e['args']['name']
        elif e['ph'] == 'B':
            row.open.append((e['name'], e['ts']))
            row.depth = max(row.depth, len(row.open))
        elif e['ph'] == 'E' and row.open:
            name, begin = row.open.pop()
            row.done.append((len(row.open), name, begin, e['ts']))
        elif e['ph'] == 'i' and e.get('cat') == 'cancel':
            row.cancels.append((e['name'], e['ts']))
        elif e['ph'] in 'sf':
            end = place, e['ts'], max(len(row.open) - 1, 0)
            arrows.setdefault(e['id'], {})[e['ph']] = end
        elif e['ph'] in 'be' and e['cat'] == 'scope':
            scopes.setdefault(e['id'] + e['name'], []).append(
                (e['name'], e['ts']))
    shown = [(k, r) for k, r in rows.items() if r.done or r.cancels]
    shown.sort(key=lambda item: (not item[1].name.startswith('worker'),
                                 item[1].name))
    return dict(shown), arrows, scopes


def escape(text):
    """What XML does not allow becomes a question mark."""
    return html.escape(''.join(c if c.isprintable() else '?' for c in text))


def bar(x, y, width, name, fill):
    """A slice: with its name, if that fits."""
    text = escape(name)
    yield (f'<rect x="{x:.1f}" y="{y}" width="{max(width, 1):.1f}" '
           f'height="{BAR - 1}" fill="{fill}"><title>{text}</title></rect>')
    if width > 6.2 * len(name) + 4:
        ink = '#777' if fill == ASLEEP else '#fff'
        yield (f'<text x="{x + 3:.1f}" y="{y + 11}" fill="{ink}">'
               f'{text}</text>')


class Picture:
    def __init__(self, trace, begin, end, width):
        self.rows, self.arrows, self.scopes = trace
        self.begin = begin
        self.end = end or max(d[3] for r in self.rows.values() for d in r.done)
        self.scale = (width - LEFT) / (self.end - self.begin)
        self.top, self.out, self.colours = {}, [], {'asleep': ASLEEP}

    def x(self, time):
        time = min(max(time, self.begin), self.end)
        return LEFT + (time - self.begin) * self.scale

    def colour(self, name):
        fresh = COLOURS[(len(self.colours) - 1) % len(COLOURS)]
        return self.colours.setdefault(name, fresh)

    def seen(self, begin, end):
        return begin < self.end and end > self.begin

    def axis(self, height):
        step = 10 ** len(str(int((self.end - self.begin) / 8))) / 1000
        step = step / 5 if (self.end - self.begin) / 1000 / step < 4 else step
        at = int(self.begin / 1000 / step) + 1
        while at * step * 1000 <= self.end:
            x = self.x(at * step * 1000)
            self.out.append(f'<path d="M{x:.1f} 14V{height}" stroke="#ddd"/>'
                            f'<text x="{x:.1f}" y="11" text-anchor="middle" '
                            f'fill="#555">{at * step:g} ms</text>')
            at += 1

    def bars_of_scopes(self, y):
        for ends in self.scopes.values():
            if len(ends) == 2 and self.seen(ends[0][1], ends[1][1]):
                x = self.x(ends[0][1])
                self.out += bar(x, y, self.x(ends[1][1]) - x,
                                f'scope {ends[0][0]}', '#79706e')
                y += BAR
        return y

    def slices(self, row, y):
        for depth, name, begin, end in row.done:
            width = self.x(end) - self.x(begin)
            if self.seen(begin, end) and width > 0.3:
                self.out += bar(self.x(begin), y + depth * BAR, width, name,
                                self.colour(name))
        for name, time in row.cancels:
            if self.seen(time, time):
                x = self.x(time)
                self.out.append(f'<path d="M{x:.1f} {y - 3}v{BAR + 6}" '
                                'stroke="#d00" stroke-width="2"/>'
                                f'<text x="{x - 4:.1f}" y="{y + 11}" '
                                'fill="#d00" text-anchor="end">'
                                f'{escape(name)}</text>')

    def arrow(self, ends):
        (a, t, i), (b, u, j) = ends['s'], ends['f']
        if a not in self.top or b not in self.top or not self.seen(t, u):
            return
        x, v = self.x(t), self.x(u)
        if a == b and v - x < 40:
            return
        y = self.top[a] + i * BAR + (BAR if self.top[a] <= self.top[b] else 0)
        w = self.top[b] + j * BAR + (BAR if self.top[b] <= self.top[a] else 0)
        bend, sag = max(12, (v - x) / 3), 16 if a == b else 0
        self.out.append(
            f'<path d="M{x:.1f} {y}C{x + bend:.1f} {y + sag} '
            f'{v - bend:.1f} {w + sag} {v:.1f} {w}" fill="none" stroke="#333" stroke-width=".8" '
            'marker-end="url(#end)"/>')

    def draw(self):
        y = TOP
        for key, row in self.rows.items():
            self.top[key] = y + GAP
            y += row.depth * BAR + GAP
        height = y + GAP
        shift = sum(BAR for ends in self.scopes.values() if len(ends) == 2 and
                    self.seen(ends[0][1], ends[1][1]))
        self.top = {key: top + shift for key, top in self.top.items()}
        self.axis(height + shift)
        self.bars_of_scopes(TOP)
        for key, row in self.rows.items():
            self.out.append(f'<text x="4" y="{self.top[key] + 11}" '
                            f'fill="#222">{escape(row.name)}</text>')
            self.slices(row, self.top[key])
        for ends in self.arrows.values():
            if len(ends) == 2:
                self.arrow(ends)
        return height + shift


def main():
    args = argparse.ArgumentParser(description='a trace as a picture')
    args.add_argument('trace')
    args.add_argument('--from', type=float, default=0, dest='begin',
                      metavar='MS')
    args.add_argument('--to', type=float, metavar='MS')
    args.add_argument('--width', type=int, default=960, metavar='PX')
    asked = args.parse_args()
    picture = Picture(read(asked.trace), asked.begin * 1000,
                      asked.to and asked.to * 1000, asked.width)
    height = picture.draw()
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{asked.width + 8}" '
          f'height="{height}" font-family="sans-serif" font-size="10">'
          '<defs><marker id="end" viewBox="0 0 6 6" refX="6" refY="3" '
          'markerWidth="5" markerHeight="5" orient="auto">'
          '<path d="M0 0L6 3L0 6z" fill="#333"/></marker></defs>'
          '<rect width="100%" height="100%" fill="#fff"/>')
    print('\n'.join(picture.out))
    print('</svg>')


if __name__ == '__main__':
    main()
