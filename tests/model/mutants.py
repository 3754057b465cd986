#!/usr/bin/env python3
"""Weakens the real sources one place at a time; the models must notice.

    mutants.py --root DIR --explorer LIB --build DIR [--compiler CC] [--full]
               [--half] [--list] [--only TEXT] SOURCE...

SOURCE is a file such as sched/deque.c. Its models are those whose line
`// MODEL-SOURCES:`, `// MODEL-HEADERS:` or `// MODEL-WITH:` names it. A mutant is

    order     ACQUIRE, RELEASE, ACQ_REL or SEQ_CST made RELAXED; with --half
              also one step weaker (ACQ_REL to ACQUIRE and to RELEASE, SEQ_CST
              to ACQ_REL)
    spin      a call of spin_acquire, spin_try or spin_release without its order
    fence     a call of fence_* or barrier_* deleted
    recheck   a line marked /* recheck: X */, at its end or alone above: its
              `if` or `while` never true (/* recheck-true: X */: always true),
              or its statement deleted
    swap      a statement marked /* swap: X */ changes places with the next

Each is a copy of the file in the build directory, compiled with each of its
models, and run: 1500 runs of each strategy a model, and with --full ten times
the model's budget. One line each says who caught it. A survivor is a failure
unless mutants_allowed.txt has it, with a reason:

    FILE FUNCTION WHAT#N TAG reason        N: the n-th WHAT of the function

Those are tried with --full alone; one that is caught then is a failure too:
its reason is wrong. So is one that is not there, as lint `models` says too.
"""
import argparse
import concurrent.futures
import hashlib
import os
import re
import subprocess
import sys
import threading
import time

ORDERS = re.compile(r"\b(ACQUIRE|RELEASE|ACQ_REL|SEQ_CST)\b")
FENCES = re.compile(
    r"\b(fence_full|fence_acquire|fence_release|barrier_light|barrier_heavy)"
    r"\s*\(\s*\)")
SPIN = re.compile(r"\bspin_(acquire|try|release)\s*\((?!a32 )")
SPIN_RELAXED = {"acquire": "while (a32_xchg(%s, 1, RELAXED)) { spin_pause(); }",
                "try": "(a32_xchg(%s, 1, RELAXED) == 0)",
                "release": "a32_store(%s, 0, RELAXED)"}
RECHECK = re.compile(r"/\*\s*recheck(-true)?:\s*([^*]*?)\s*\*/")
SWAP = re.compile(r"/\*\s*swap:\s*([^*]*?)\s*\*/")
TAG = re.compile(r"/\*\s*([A-Z][A-Za-z]*-?[0-9A-Z]*)\b")
FUNCTION = re.compile(r"^[a-zA-Z_][^;{}#=]*?\b([a-z_0-9]+)\([^;]*$")
CAUGHT = re.compile(r"FAILED (\S+): (.*)\n\s+by (\w+) in run (\d+)")
SECONDS = 1200  # until a run is given up; then nothing was caught
FORBIDDEN = re.compile(r"FAILED \S+: forbidden outcomes.*")
STRATEGIES = ["--strategy", "random,pct,dfs"]
HALF = {"ACQ_REL": ["ACQUIRE", "RELEASE"], "SEQ_CST": ["ACQ_REL"]}


class Mutant:
    def __init__(self, place, what, tag, text):
        self.line, self.function, self.number = place
        self.what, self.tag, self.text = what, tag, text

    def key(self):
        return (self.function, "%s#%d" % (self.what, self.number), self.tag)


def blank(text):
    """The text with comments, strings and directives made spaces."""
    def spaces(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\""
                  r"|^[ \t]*#[^\n]*(?:\\\n[^\n]*)*", spaces, text,
                  flags=re.S | re.M)


def matching(code, opening):
    depth = 0
    for i in range(opening, len(code)):
        depth += {"(": 1, ")": -1}.get(code[i], 0)
        if depth == 0:
            return i
    raise ValueError("unbalanced parentheses")


class Source:
    """One file and the places in it that can be weakened."""

    def __init__(self, root, name):
        self.name = name
        with open(os.path.join(root, name), encoding="utf-8") as f:
            self.text = f.read()
        self.code = blank(self.text)
        self.counts = {}

    def function_at(self, offset):
        name = "-"
        for line in self.code[:offset].split("\n"):
            line = re.sub(r"__attribute__\s*\(\(.*?\)\)\s*", "", line)
            match = FUNCTION.match(line)
            if match:
                name = match.group(1)
        return name

    def place(self, offset, what):
        function = self.function_at(offset)
        key = (function, what)
        self.counts[key] = self.counts.get(key, 0) + 1
        return (self.text.count("\n", 0, offset) + 1, function,
                self.counts[key])

    def tag_near(self, end):
        rest = self.text[end:].split("\n")
        match = TAG.search(rest[0]) or (
            TAG.match(rest[1].strip()) if len(rest) > 1 else None)
        return match.group(1) if match else "-"

    def replaced(self, start, end, new):
        return self.text[:start] + new + self.text[end:]

    def orders(self, half):
        for match in ORDERS.finditer(self.code):
            word = match.group(1)
            place = self.place(match.start(), word)
            tag = self.tag_near(match.end())
            yield Mutant(place, word, tag, self.replaced(
                match.start(), match.end(), "RELAXED"))
            for weaker in HALF.get(word, []) if half else []:
                if not self.fits(match, weaker):
                    continue
                yield Mutant(place, "%s>%s" % (word, weaker), tag,
                             self.replaced(match.start(), match.end(),
                                           weaker))

    def fits(self, match, weaker):
        """SEQ_CST to ACQ_REL only where both mean something."""
        if match.group(1) != "SEQ_CST":
            return True
        call = self.code[:match.start()].rsplit(";", 1)[-1]
        return re.search(r"_(xchg|add|or|and|cas)\s*\(", call) is not None

    def fences(self):
        for match in FENCES.finditer(self.code):
            yield Mutant(self.place(match.start(), match.group(1)),
                         match.group(1), self.tag_near(match.end()),
                         self.replaced(match.start(), match.end(),
                                       "((void)0)"))

    def spins(self):
        for match in SPIN.finditer(self.code):
            end = matching(self.code, match.end() - 1)
            word = self.code[match.end():end]
            what = "spin_" + match.group(1)
            yield Mutant(self.place(match.start(), what), what,
                         self.tag_near(end), self.replaced(
                             match.start(), end + 1,
                             SPIN_RELAXED[match.group(1)] % word))

    def marked_line(self, match):
        """Where the line begins that a mark stands on, or alone above."""
        start = self.text.rfind("\n", 0, match.start()) + 1
        end = self.code.index("\n", match.end())
        if self.code[start:end].strip() == "":
            return end + 1, self.code.index("\n", end + 1)
        return start, match.start()

    def rechecks(self):
        for match in RECHECK.finditer(self.text):
            start, stop = self.marked_line(match)
            condition = re.search(r"\b(if|while)\s*\(",
                                  self.code[start:stop])
            if condition:
                opening = start + condition.end() - 1
                new = "(1)" if match.group(1) else "(0)"
                end = matching(self.code, opening) + 1
                text = self.replaced(opening, end, new)
            else:
                end = self.code.index(";", start)
                text = self.replaced(start, end, "")
            yield Mutant(self.place(start, "recheck"), "recheck",
                         match.group(2) or "-", text)

    def swaps(self):
        for match in SWAP.finditer(self.text):
            start = self.text.rfind("\n", 0, match.start()) + 1
            middle = self.text.index("\n", match.end()) + 1
            end = self.code.index(";", middle) + 1
            yield Mutant(self.place(start, "swap"), "swap", match.group(1),
                         self.replaced(start, end, self.text[middle:end] +
                                       self.text[start:middle]))

    def mutants(self, half):
        found = list(self.orders(half)) + list(self.spins())
        found += list(self.fences())
        found += list(self.rechecks()) + list(self.swaps())
        return sorted(found, key=lambda m: m.line)


class Model:
    """A *_model.c and the real files it names."""

    def __init__(self, root, path):
        self.path = path
        self.name = os.path.basename(path)[:-len("_model.c")]
        with open(os.path.join(root, path), encoding="utf-8") as f:
            text = f.read()
        self.own = self.names("SOURCES", text)
        self.sources = self.own + self.names("WITH", text)
        self.headers = self.names("HEADERS", text)

    @staticmethod
    def names(what, text):
        lines = re.findall(r"MODEL-%s:(.*)" % what, text)
        return re.findall(r"[\w/]+\.[ch]", " ".join(lines))


class Builder:
    """Compiles; what no mutant changes is compiled once."""

    def __init__(self, args):
        self.args = args
        self.flags = ["-std=c11", "-D_GNU_SOURCE", "-DROOST_MODEL", "-O1",
                      "-fno-pie", "-g", "-w"]
        self.made = {}
        self.ready = set()  # models that were prepared
        self.lock = threading.Lock()

    def includes(self, first):
        root = self.args.root
        dirs = [os.path.join(first, d) for d in ("sched", "sync", "")
                ] if first else []
        dirs += [os.path.join(root, d)
                 for d in ("tests/model", "include", "sched", "sync", "")]
        return ["-I" + d for d in dirs]

    def run(self, command):
        done = subprocess.run(command, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            sys.exit("mutants: %s\n%s" % (" ".join(command),
                                          done.stdout.decode()))

    def compile(self, source, output, first=None):
        flags = self.flags + ["-fsanitize=thread"]  # see instrument.c
        self.run([self.args.compiler] + flags + self.includes(first) +
                 ["-c", source, "-o", output])
        if source.endswith("_model.c"):
            names = os.path.join(self.args.root, "tests/model/own.syms")
            self.run(["objcopy", "--redefine-syms=" + names, output])

    def plain_object(self, name):
        """The object of an unchanged file; first made by prepare."""
        if name not in self.made:
            output = os.path.join(self.args.build,
                                  name.replace("/", "_") + ".o")
            self.compile(os.path.join(self.args.root, name), output)
            self.made[name] = output
        return self.made[name]

    def neighbours(self, source, folder):
        """Headers beside the changed one: quotes look there first, and what
        one of them includes must be the changed one too."""
        home = os.path.join(self.args.root, os.path.dirname(source))
        there = os.path.join(folder, os.path.dirname(source))
        for name in os.listdir(home):
            path = os.path.join(there, name)
            if name.endswith(".h") and not os.path.lexists(path):
                os.symlink(os.path.abspath(os.path.join(home, name)), path)

    def program(self, model, source, text, folder):
        """The model with `text` in place of the file `source`."""
        changed = os.path.join(folder, source)
        objects = []
        os.makedirs(os.path.dirname(changed), exist_ok=True)
        with open(changed, "w", encoding="utf-8") as f:
            f.write(text)
        if source.endswith(".h"):
            self.neighbours(source, folder)
        for i, name in enumerate([model.path] + model.sources):
            if name != source and not source.endswith(".h"):
                objects.append(self.plain_object(name))
                continue
            path = changed
            if name != source:
                path = os.path.join(folder, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(os.path.join(self.args.root, name), "rb") as f:
                    original = f.read()
                with open(path, "wb") as f:
                    f.write(original)
            output = os.path.join(folder, "%d.o" % i)
            self.compile(path, output, folder)
            objects.append(output)
        output = os.path.join(folder, model.name)
        self.run([self.args.compiler, "-no-pie", "-o", output,
                  "-Wl,--unresolved-symbols=ignore-in-object-files"] + objects +
                 [self.args.explorer])
        return output


def execute(program, options, seconds):
    try:
        done = subprocess.run([program, "--first"] + options,
                              stdout=subprocess.PIPE, timeout=seconds,
                              stderr=subprocess.STDOUT, check=False)
    except subprocess.TimeoutExpired:
        return None
    output = done.stdout.decode(errors="replace")
    match = CAUGHT.search(output)
    if match:
        return "%s in run %s of %s: %s" % (
            match.group(3), match.group(4), match.group(1), match.group(2))
    match = FORBIDDEN.search(output)
    return match.group(0) if match else None


def prepare(args, builder, model, name):
    """Before its first mutant: compile what stays as it is. A model that fails
    on the file as it is would "catch" everything."""
    with builder.lock:
        if model.name in builder.ready:
            return
        for part in [model.path] + model.sources:
            builder.plain_object(part)
        with open(os.path.join(args.root, name), encoding="utf-8") as f:
            text = f.read()
        folder = os.path.join(args.build, "original", model.name)
        program = builder.program(model, name, text, folder)
        caught = execute(program, STRATEGIES + ["--runs", "1500"], SECONDS)
        if caught:
            sys.exit("mutants: %s_model fails without a mutant: %s" %
                     (model.name, caught))
        builder.ready.add(model.name)


def judge(args, builder, models, source, mutant, folder):
    """What caught it, or None."""
    programs = {}
    budgets = [["--runs", "1500"]]
    if args.full:
        budgets.append(["--scale", "10"])
    for budget in budgets:
        for model in models:
            if model.name not in programs:
                prepare(args, builder, model, source)
                path = os.path.join(folder, model.name)
                programs[model.name] = builder.program(
                    model, source, mutant.text, path)
            caught = execute(programs[model.name], STRATEGIES + budget,
                             SECONDS)
            if caught:
                return caught
    return None


def read_allowed(path):
    """{(file, function, what#n, tag): reason}"""
    allowed = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            parts = line.split(None, 4)
            if line.startswith("#") or not parts:
                continue
            if len(parts) < 5:
                sys.exit("mutants_allowed.txt: no reason in: " + line)
            allowed[tuple(parts[:4])] = parts[4].strip()
    return allowed


def all_models(root):
    folder = os.path.join(root, "tests/model")
    return [Model(root, "tests/model/" + name)
            for name in sorted(os.listdir(folder))
            if name.endswith("_model.c")]


def test_source(args, builder, name, allowed):
    """Prints a line a mutant; returns how many were caught, allowed, left."""
    models = [m for m in all_models(args.root)
              if name in m.sources + m.headers]
    models.sort(key=lambda m: name not in m.own + m.headers)
    found = Source(args.root, name).mutants(args.half)
    found = [m for m in found
             if not args.only or args.only in " ".join(m.key())]
    if args.list:
        for m in found:
            print("%s:%d %s %s %s" % ((name, m.line) + m.key()))
        return 0, 0, 0
    if not models:
        sys.exit("mutants: no model names " + name)
    builder.ready.clear()
    tally = {"caught": 0, "allowed": 0, "SURVIVES": 0, "STALE": 0}

    def work(m):
        if (name,) + m.key() in allowed and not args.full:
            return None, 0
        digest = hashlib.sha1(m.text.encode()).hexdigest()[:16]
        folder = os.path.join(args.build, digest)
        started = time.time()
        caught = judge(args, builder, models, name, m, folder)
        subprocess.run(["rm", "-rf", folder], check=False)
        return caught, time.time() - started

    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for m, (caught, took) in zip(found, pool.map(work, found)):
            reason = allowed.get((name,) + m.key())
            verdict = ("STALE" if caught and reason else
                       "caught" if caught else
                       "allowed" if reason else "SURVIVES")
            tally[verdict] += 1
            print("%-8s %s:%d %s %s %s: %s (%.1f s)" % (
                (verdict, name, m.line) + m.key() +
                (caught or reason or "no model fails", took)),
                flush=True)
    keys = {(name,) + m.key() for m in found}
    stale = [k for k in allowed
             if k[0] == name and k not in keys and not args.only and
             (args.half or ">" not in k[2])]
    for key in stale:
        print("STALE    mutants_allowed.txt: %s %s %s %s" % key)
    return (tally["caught"], tally["allowed"],
            tally["SURVIVES"] + tally["STALE"] + len(stale))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--root", required=True)
    parser.add_argument("--explorer", default="")
    parser.add_argument("--build", default="")
    parser.add_argument("--compiler", default="cc")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--half", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("sources", nargs="+")
    args = parser.parse_args()
    args.half |= args.full
    if not args.list:
        os.makedirs(args.build, exist_ok=True)
    allowed = read_allowed(os.path.join(args.root, "tests/model",
                                        "mutants_allowed.txt"))
    builder = Builder(args)
    total = [0, 0, 0]
    for name in args.sources:
        for i, n in enumerate(test_source(args, builder, name, allowed)):
            total[i] += n
    print("%d caught, %d allowed, %d failed" % tuple(total))
    sys.exit(1 if total[2] else 0)


if __name__ == "__main__":
    main()
