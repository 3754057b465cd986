"""Why a row does not reach its must, and where more is told. A note is printed
under the table only where the row falls short in it."""
import re

DECISIONS = "docs/decisions"

JOIN = ("the joined task ends with four locked instructions, and runs on a "
        f"spare stack so that its joiner can be cancelled ({DECISIONS}/0017)")
CROWD = ("40 lines read and written back for each of 10^5 tasks, each of which "
         "has a page of stack and a page-table entry of its own "
         f"({DECISIONS}/0036)")
TURN = ("each turn asks five queues in the order of R60 and R68, keeps the "
        "worker's clock, and hands the fiber over with two locked instructions "
        f"({DECISIONS}/0037)")
TALK = ("two turns as of a yield, and four locked instructions: the channel's "
        "lock, and the wait's word, which a cancel and a deadline may swap too "
        f"({DECISIONS}/0037)")
LATE = ("who is late was due while the stacks of others were first touched, or "
        f"while the host had taken a processor away ({DECISIONS}/0025)")
BESIDE = ("two wake-ups of threads through the kernel, which take longer where "
          f"the other processor has to be woken for it ({DECISIONS}/0018)")
PAGES = ("what is over the longest sleep is making them: each first touches a "
         "page of stack, which the kernel has to find and clear, 2 to 4 us "
         f"where it was looked into ({DECISIONS}/0036)")
HOT = ("a little more than half is what publishes the entry and looks whether "
       "somebody sleeps; the rest takes it back, counts the turn, which R60 "
       "needs, and looks whether something has come from outside "
       f"({DECISIONS}/0027)")

# The end of a cell whose row falls short: runs.verdict.
SHORT = re.compile(r"(?:^|\s)(\d+(?:\.\d+)?) x$")

# Its musts are figures of rivals in the same run, not of another machine.
RELATIVE = "Loops, scans, sorts: roost and rivals"
LEVEL = 1.05  # of which less is what one system's runs differ by

# section: {row: why}. A row within another is "outer / inner".
WHY = {
    "Fork-join: roost and rivals": {
        "fib (hot)": HOT, "nqueens (hot)": HOT, "skynet (hot)": HOT,
        "uts (hot)": HOT,
    },
    "Tasks that wait: roost and rivals": {
        "yield, 2 tasks, ns": TURN, "yield, 1000 tasks, ns": TURN,
        "ping-pong, a round trip, ns": TALK,
        "spawn and join, one by one, ns": JOIN,
        "release 10^5 that wait, a task, ns": CROWD,
        "cancel 10^5 that wait, all home, ms": CROWD,
        "10^5 sleeps of 0..1 s, ms": PAGES,
        "10^5 sleeps of 0..1 s, ms / late, p99, us": LATE,
    },
    "Calls that block, sleepers under load": {
        "a call beside, one by one, us": BESIDE,
    },
    "Roost, an operation": {
        "spawn, join by handle": JOIN,
        "spawn, join by handle / 2 workers": JOIN,
        "yield, 2 tasks": TURN, "yield, 2 tasks / 2 workers": TURN,
        "yield, 1000 tasks": TURN, "yield, 1000 tasks / 2 workers": TURN,
        "10^5 sleeps of 0..1 s": PAGES,
        "10^5 sleeps of 0..1 s / 2 workers": PAGES,
        "10^5 sleeps of 0..1 s / 2 workers, late p99": LATE,
        "cancel 10^5 waiting, all home": CROWD,
        "cancel 10^5 waiting, all home / 2 workers": CROWD,
        "release 10^5 waiting, a task": CROWD,
        "release 10^5 waiting, a task / 2 workers": CROWD,
    },
}

# Not a must but worth a word: said whenever the row is there.
SAID = {
    RELATIVE: {
        "prefixes of 10^7 u32":
            "a scan combines twice through a pointer, 2 n calls, so that its "
            "result is the same for any number of workers; the rivals inline "
            f"the addition ({DECISIONS}/0013)",
    },
}

SET_ON = 26  # the family of the processor that the musts were set on

# Of fork-join, by the family of a processor that the musts were not set on.
PROCESSOR = {
    25: "the musts were set on a Zen 5 (family 26); on this family, 25, a load "
        "of what was just stored takes 8 cycles, and the path of fork and join "
        "waits for it",
}


def keyed(rows):
    """(key, row) of each row of a table."""
    outer = ""
    for row in rows:
        label = row[0]
        if label.startswith("  "):
            yield f"{outer} / {label.strip()}", row
        else:
            outer = label
            yield label, row


def short(row):
    """How many times more than its must it took, at worst; None: reached."""
    found = [float(match[1]) for cell in row[1:]
             if (match := SHORT.search(cell))]
    return max(found, default=None)


def notes(title, table, family):
    """Lines for under the table."""
    said, level, unknown = {}, [], []
    why, always = WHY.get(title, {}), SAID.get(title, {})
    for key, row in keyed(table[1:]):
        if key in always:
            said.setdefault(always[key], []).append(key)
        elif short(row) is not None and key in why:
            said.setdefault(why[key], []).append(key)
        elif short(row) is not None and title == RELATIVE and (
                short(row) <= LEVEL):
            level.append(key)
        elif short(row) is not None:
            unknown.append(key)
    lines = [f"{'; '.join(keys)}: {text}." for text, keys in said.items()]
    if level:
        lines.append("Within 5 % of the rival, which is what two runs of either "
                     f"differ by: {'; '.join(level)}.")
    if unknown and title == RELATIVE:
        lines.append("Slower than a rival in the same run, and why is written "
                     f"down nowhere yet: {'; '.join(unknown)}.")
    elif unknown and title.startswith("Fork-join") and family in PROCESSOR:
        lines.append(f"{'; '.join(unknown)}: {PROCESSOR[family]}.")
    elif unknown and family != SET_ON:
        lines.append(f"Short of musts that were set on a faster machine (family "
                     f"{SET_ON}), where the rivals are faster too: "
                     f"{'; '.join(unknown)}.")
    elif unknown:
        lines.append("Short of its must, and why is written down nowhere yet: "
                     f"{'; '.join(unknown)}.")
    return lines
