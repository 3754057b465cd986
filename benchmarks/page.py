"""docs/benchmarks: the tables as a page, and pictures of them."""
import json
import os
import pathlib
import re
import subprocess
import tempfile

from machine import MUST_FAMILY
from runs import markdown_table, note

HERE = pathlib.Path(__file__).resolve().parent

PAGE = """# Benchmarks

Written by `./run bench --write`. {host}

To repeat it, on a machine that does nothing else:

    ./run bench             this page on the terminal, 40 minutes
    ./run bench --write     and into this folder; with --only NAME that part
    ./run bench --quick     a first impression, 3 minutes

It installs what it lacks (Debian's packages), builds, and runs roost and its
rivals interleaved; a rival that cannot be installed is left out. What each
row does, and how it is measured, is said in
[benchmarks/README.md](../../benchmarks/README.md). Figures are of the machine
above; the ratios are what to compare. `must` are figures to be reached, set on
2 processors of an AMD EPYC (Zen 5, family {family}): "reached", or how many
times more it took. Why a row falls short is said below its table. Less than 1
in "/best rival" is faster than the fastest of them.
{others}{pictures}"""

OTHERS = re.compile(r"\nOther machines: [^\n]*\n")


def others(folder):
    """A line of links to the pages of other machines, NAME/README.md."""
    names = sorted(path.parent.name for path in folder.glob("*/README.md"))
    if not names:
        return ""
    return "\nOther machines: " + ", ".join(
        f"[{name}]({name}/README.md)" for name in names) + ".\n"


def draw(folder, plots):
    """The pictures that could be drawn: [(title, file)]."""
    # Debian's matplotlib is Debian's Python's, whatever else is in PATH.
    python = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) \
        else "python3"
    with tempfile.NamedTemporaryFile("w", suffix=".json") as data:
        json.dump(plots, data)
        data.flush()
        done = subprocess.run(
            [python, str(HERE / "plots.py"), data.name, str(folder)],
            capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        note(f"no pictures: {lines[-1] if lines else 'plots.py failed'}")
        return []
    return [(plot["title"], name) for kind in plots.values()
            for name, plot in kind.items()]


def section(title, table, notes):
    return (f"\n## {title}\n\n{markdown_table(table)}\n" +
            "".join(f"\n- {line}" for line in notes) + ("\n" if notes else ""))


def relink(text, line):
    """The page with this line of links, in the place of the one it had or
    before its first picture or table."""
    text = OTHERS.sub("", text, count=1)
    at = min(i for i in (text.find("\n!["), text.find("\n## "), len(text))
             if i >= 0)
    return text[:at] + line + text[at:]


def replace(folder, host, tables):
    """The sections of these tables alone, each with when it was measured."""
    path = folder / "README.md"
    text = path.read_text(encoding="utf-8")
    for title, table, notes in tables:
        begin = text.find(f"\n## {title}\n")
        begin = len(text) if begin < 0 else begin  # a new one: the last
        end = text.find("\n## ", begin + 1)
        made = section(title, table, notes + [f"Measured by itself. {host}"])
        text = text[:begin] + made + ("" if end < 0 else text[end:])
    text = relink(text, others(folder))
    path.write_text(text, encoding="utf-8")
    note(f"written: {path}")


def write(folder, host, tables, plots):
    folder.mkdir(parents=True, exist_ok=True)
    pictures = "".join(f"\n![{title}]({name})\n"
                       for title, name in draw(folder, plots))
    path = folder / "README.md"
    with open(path, "w", encoding="utf-8") as out:
        out.write(PAGE.format(host=host, pictures=pictures,
                              others=others(folder), family=MUST_FAMILY))
        for made in tables:
            out.write(section(*made))
    note(f"written: {path}")
