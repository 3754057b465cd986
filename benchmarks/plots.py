#!/usr/bin/env python3
"""Pictures of the tables: plots.py DATA.json FOLDER writes SVG files there.

DATA.json is what report.py hands over: {"bars": {file: {"title", "unit",
"groups": [[label, {system: value}]]}}, "lines": {file: {"title", "x", "y",
"lines": {label: [[x, y]]}}}}. Needs matplotlib (python3-matplotlib).
"""
import json
import pathlib
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "roost"  # the same data, the same file
from matplotlib import pyplot  # noqa: E402

OURS = ["#c0392b", "#e59866"]
OTHERS = ["#7f8c8d", "#34495e", "#95a5a6", "#5d6d7e", "#bdc3c7"]


def save(figure, path):
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def bars(plot, path):
    """A row of bars a workload, a bar a system, on a logarithmic scale."""
    systems = list(dict.fromkeys(s for _, values in plot["groups"]
                                 for s in values))
    ours = [s for s in systems if s.startswith("roost")]
    others = [s for s in systems if s not in ours]
    wide = 0.8 / max(1, len(systems))
    figure, axes = pyplot.subplots(
        figsize=(9, 1.2 + 0.16 * len(systems) * len(plot["groups"])))
    for i, system in enumerate(systems):
        color = (OURS[ours.index(system) % len(OURS)] if system in ours
                 else OTHERS[others.index(system) % len(OTHERS)])
        places = [(g + (i - len(systems) / 2) * wide, values[system])
                  for g, (_, values) in enumerate(plot["groups"])
                  if values.get(system)]
        axes.barh([p for p, _ in places], [v for _, v in places],
                  height=wide * 0.9, color=color, label=system)
    axes.set_xscale("log")
    axes.set_yticks(range(len(plot["groups"])),
                    [label for label, _ in plot["groups"]])
    axes.invert_yaxis()
    axes.set_xlabel(plot["unit"] + ", less is better")
    axes.set_title(plot["title"])
    axes.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1.01, 1))
    save(figure, path)


def lines(plot, path):
    """A line a workload, both scales logarithmic."""
    figure, axes = pyplot.subplots(figsize=(9, 4.5))
    for label, points in plot["lines"].items():
        axes.plot([x for x, _ in points], [y for _, y in points],
                  marker="o", label=label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(plot["x"])
    axes.set_ylabel(plot["y"])
    axes.set_title(plot["title"])
    axes.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1.01, 1))
    save(figure, path)


def main():
    data = json.loads(pathlib.Path(sys.argv[1]).read_text())
    folder = pathlib.Path(sys.argv[2])
    for name, plot in data["bars"].items():
        bars(plot, folder / name)
    for name, plot in data["lines"].items():
        lines(plot, folder / name)


if __name__ == "__main__":
    main()
