#!/usr/bin/env python3
"""Mutates the library one place at a time; the tests must notice.

    mutate.py --root DIR --build DIR [--sample N] [--seed S] [--near | --wide]
              [--list] [--only TEXT] [--of FILE] [--log FILE] SOURCE...

SOURCE is a file such as sched/park.c; places.py says what is made of it.
--build is a build of preset dev, whose programs are the tests. --sample: N
mutants of each file, drawn by the seed, instead of all. --only: those whose
function or changed line holds TEXT. --of: those that FILE (a --log) says
survived. Runs over different files may go on side by side.

The mutated file alone is compiled again. Programs that link the shared library
find another one (LD_LIBRARY_PATH); those that link the static one, and models,
are linked once more with the object in front of the archive. Of a mutant:

    refused     the compiler does not take it
    equivalent  its object is that of the file as it is (-O2)
    double      its object is that of an earlier mutant
    killed      a test failed or crashed, twice in a row; or it hung: past 6 s
                and twenty times what it takes; or it took 4 GB of memory
    once        tests failed once and passed then: a race, or a busy machine
    allowed     survived, and allowed.txt says why that is right
    tuning      likewise: it changes how fast something is, and nothing else
    SURVIVES    nothing noticed

The score is killed / (killed + once + SURVIVES). Tests are tried in the order
of what they killed of this file for the time they took; the first are its
models, unit tests of its name or that name it, random programs, and conformance
tests of its name. Not tried are tests that measure (RUN_SERIAL). --near has
only those first ones: a quick look, whose score is too low. --wide has those of
fault, sim, and all models beside it, conformance with 1 and 4 workers, and ten
times the runs.

allowed.txt has blocks like those of tests/random/planted.txt, and a reason:

    sched/park.c park_init
    - p->poke = NULL;
    + ;
    : whoever sleeps elsewhere has set it

A reason that begins with "tuning:" is for those that change a speed alone.
"""
import argparse
import hashlib
import json
import os
import random
import re
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
import time

import places  # and with it tests/model, for mutants
import mutants as order_mutants

MEMORY = 4 << 30
HANG_S, HANG_TIMES = 6, 20


def memory_of(pid):
    try:
        with open("/proc/%d/statm" % pid, encoding="ascii") as f:
            return int(f.read().split()[1]) * resource.getpagesize()
    except (OSError, IndexError, ValueError):
        return 0


def quiet_process():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))


def end_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def execute(command, env, seconds, said=subprocess.DEVNULL):
    """None if it passed, else what happened; and how long it took."""
    started = time.monotonic()
    process = subprocess.Popen(
        command, env=env, stdin=subprocess.DEVNULL, start_new_session=True,
        stdout=said, stderr=said, preexec_fn=quiet_process)
    why, pause = None, 0.005
    while process.poll() is None and why is None:
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
        if time.monotonic() - started > seconds:
            why = "hung"
        elif memory_of(process.pid) > MEMORY:
            why = "took too much memory"
    end_group(process)
    took = time.monotonic() - started
    if why is None and process.returncode != 0:
        why = ("failed" if process.returncode > 0 else
               signal.Signals(-process.returncode).name)
    return why, took


def failure(said):
    """The line of a test's output that tells most."""
    lines = [x for x in said.splitlines() if "failed:" in x or "roost:" in x]
    return (lines or said.splitlines()[-1:] or [""])[0][:160]


class Probe:
    """A test. `program` makes its command for a mutant's object."""

    bases = {}  # by name: seconds, of the original

    def __init__(self, name, original, options, program, env=None):
        self.name, self.original, self.options = name, original, options
        self.program = program  # (mutant's work) -> (path, environment)
        self.env = dict(os.environ, **(env or {}))
        self.kills, self.seconds, self.runs, self.prior = 0, 0.0, 0, 0.0

    def worth(self):
        """Kills a second; what is not known yet is judged by its name."""
        each = self.seconds / self.runs if self.runs else 0.5
        return (self.kills + self.prior) / (self.runs + 2) / (each + 0.1)

    def measure(self):
        """On the library as it is. A test that fails there proves nothing."""
        for _ in range(3):
            why, took = execute([self.original] + self.options, self.env, 300)
            if why is None:
                self.bases[self.name] = took
                return True
        print("left out: %s %s without a mutant" % (self.name, why))
        return False

    def run(self, work):
        """None, ("killed", why) or ("once", why)."""
        program, env = self.program(work)
        limit = max(HANG_S, HANG_TIMES * self.bases[self.name])
        command, env = [program] + self.options, dict(self.env, **env)
        with tempfile.TemporaryFile() as said:
            why, took = execute(command, env, limit, said)
            said.seek(0)
            self.said = said.read().decode(errors="replace")
        self.runs += 1
        self.seconds += took
        if why is None:
            return None
        if why != "hung" and execute(command, env, limit)[0] is None:
            return "once", "%s %s: %s" % (self.name, why, failure(self.said))
        self.kills += 1
        return "killed", "%s %s" % (self.name, why)


# ---- the build of preset dev -------------------------------------------------


class Build:
    """Commands of the build tree, made to take one other object."""

    def __init__(self, root, path, source):
        self.root, self.path = root, path
        self.work = os.path.join(path, "mutation", source.replace("/", "_"))
        os.makedirs(self.work, exist_ok=True)
        with open(os.path.join(path, "compile_commands.json"),
                  encoding="utf-8") as f:
            self.commands = json.load(f)
        self.links = {}

    def compile_command(self, source, target):
        where = os.path.join(self.root, source)
        for c in self.commands:
            if c["file"] == where and target + ".dir/" in c["command"]:
                return shlex.split(c["command"])
        sys.exit("mutate: %s is not compiled for %s" % (source, target))

    def flags(self, source):
        """For libclang: what says how the file is read."""
        return [f for f in self.compile_command(source, "roost_inside")
                if re.match(r"-[DI]|-std", f)]

    def compile(self, source, target, text, output):
        """False: the compiler refuses it."""
        command = self.compile_command(source, target)
        path = os.path.join(self.work, "tree", source)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        command[command.index("-o") + 1] = output
        command[command.index("-c") + 1] = path
        command = [c for c in command if c not in ("-g", "-Werror")]
        command += ["-w", "-iquote",
                    os.path.dirname(os.path.join(self.root, source)),
                    "-ffile-prefix-map=%s=." % os.path.join(self.work, "tree")]
        return subprocess.run(command, cwd=self.path, check=False,
                              stderr=subprocess.DEVNULL).returncode == 0

    def link_command(self, target):
        if target not in self.links:
            lines = subprocess.run(
                ["ninja", "-t", "commands", target], cwd=self.path, check=True,
                stdout=subprocess.PIPE).stdout.decode().splitlines()
            line = [x for x in lines if re.search(r" -o \S*" + target + r"[ .]",
                                                  x)][-1]
            line = line.removeprefix(": && ").removesuffix(" && :")
            self.links[target] = shlex.split(line.split(" && ")[0])
        return list(self.links[target])

    def link(self, target, swap, output):
        command = self.link_command(target)
        command[command.index("-o") + 1] = output
        done = subprocess.run(swap(command), cwd=self.path, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            sys.exit("mutate: %s\n%s" % (target, done.stdout.decode()))
        return output


class Work:
    """One mutant and what was built of it so far."""

    def __init__(self, build, models, source, text):
        self.build, self.models = build, models
        self.source, self.text = source, text
        self.static = os.path.join(build.work, "static.o")
        self.made = {}

    def once(self, name, make):
        if name not in self.made:
            self.made[name] = make()
        return self.made[name]

    def shared(self):
        folder = os.path.join(self.build.work, "lib")
        os.makedirs(folder, exist_ok=True)
        shared = os.path.join(self.build.work, "shared.o")

        def make():
            if not self.build.compile(self.source, "roost", self.text, shared):
                sys.exit("mutate: compiled but once: " + self.source)
            old = "roost.dir/" + self.source + ".o"
            self.build.link("libroost.so.0.1.0", lambda command: [
                shared if c.endswith(old) else c for c in command],
                os.path.join(folder, "libroost.so.0.1"))
            return folder
        return self.once("shared", make)

    def linked(self, target):
        def swap(command):
            at = command.index("libroost_inside.a")
            return command[:at] + [self.static] + command[at:]
        return self.once(target, lambda: self.build.link(
            target, swap, os.path.join(self.build.work, target)))

    def model(self, model):
        folder = os.path.join(self.build.work, "model", model.name)
        return self.once("model " + model.name, lambda: self.models.program(
            model, self.source, self.text, folder))


# ---- which tests -------------------------------------------------------------


def alike(source, stem):
    """Whether a test's name speaks of this file."""
    name = os.path.splitext(os.path.basename(source))[0]
    return any(a.startswith(b) for a in [name] + name.split("_")
               for b in [stem.split("_")[0].rstrip("s")] if len(b) > 2)


def seconds_a_case(env):
    return dict(env, ROOST_TEST_SECONDS=str(HANG_S))


class Suite:
    """The probes there are, each for any file."""

    def __init__(self, args, build):
        self.args, self.build = args, build
        explorer = os.path.join(build.path, "tests/model/libexplorer.a")
        self.models = order_mutants.Builder(argparse.Namespace(
            root=args.root, build=os.path.join(build.work, "objects"),
            compiler=build.commands[0]["command"].split()[0],
            explorer=explorer))
        os.makedirs(self.models.args.build, exist_ok=True)
        self.probes = {}

    def keep(self, probe):
        return self.probes.setdefault(probe.name, probe)

    def stems(self, folder):
        for name in sorted(os.listdir(os.path.join(self.args.root, "tests",
                                                   folder))):
            path = os.path.join(self.args.root, "tests", folder, name)
            if not name.endswith("_test.c"):
                continue
            with open(path, encoding="utf-8") as f:
                if "RUN_SERIAL" not in f.read():
                    yield name[:-len("_test.c")]

    def names(self, folder, stem, source):
        """Whether the test's text tells of this file."""
        path = os.path.join(self.args.root, "tests", folder, stem + "_test.c")
        with open(path, encoding="utf-8") as f:
            return re.search(r"\b%s\b" % re.escape(os.path.basename(source)),
                             f.read()) is not None

    def shared(self, stem, workers):
        target = "conformance_" + stem
        return self.keep(Probe(
            "%s-w%d" % (target, workers),
            os.path.join(self.build.path, "tests", target), [],
            lambda work: (os.path.join(self.build.path, "tests", target),
                          {"LD_LIBRARY_PATH": work.shared()}),
            seconds_a_case({"ROOST_TEST_WORKERS": str(workers)})))

    def linked(self, target, folder="", options=(), env=None):
        return self.keep(Probe(
            target, os.path.join(self.build.path, "tests", folder, target),
            list(options), lambda work: (work.linked(target), {}),
            seconds_a_case(env or {})))

    def model(self, model, runs):
        name = "model_" + model.name
        return self.keep(Probe(
            name, os.path.join(self.build.path, "tests/model", name),
            ["--first", "--strategy", "random,pct,dfs", "--runs", str(runs)],
            lambda work: (work.model(model), {})))

    def of(self, source):
        """With how likely each is to kill, before anything is known."""
        wide = self.args.wide
        times = 10 if wide else 1
        found = []  # the quick ones first
        for stem in self.stems("unit"):
            near = alike(source, stem) or self.names("unit", stem, source)
            if near or wide:
                found.append((self.linked("unit_" + stem), 1.0 * near))
        found.append((self.linked("random", "random",
                                  ["--programs", str(2000 * times), "--jobs",
                                   "1"]), 1.0))
        for m in order_mutants.all_models(self.args.root):
            if source in m.own or wide and source in m.sources:
                found.append((self.model(m, 300 * times), 1.0))
        for stem in self.stems("conformance"):
            near = alike(source, stem)
            if not near and self.args.near:
                continue
            near = 0.5 if near else 0.1
            found.append((self.shared(stem, 2), near))
            for workers in (1, 4) if wide else ():
                found.append((self.shared(stem, workers), near / 10))
        for folder in ("fault", "sim") if wide else ():
            for stem in self.stems(folder):
                found.append((self.linked("%s_%s" % (folder, stem)), 0.01))
        for probe, prior in found:
            probe.kills = probe.runs = probe.seconds = 0
            probe.prior = prior
        return [probe for probe, _ in found]


# ---- judging -----------------------------------------------------------------


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha1(f.read()).hexdigest()


def judge(work, probes):
    """What of the tests says to it: ("killed" | "once" | "survived", why)."""
    doubt = None
    for probe in sorted(probes, key=Probe.worth, reverse=True):
        if probe.name not in probe.bases and not probe.measure():
            probes.remove(probe)
            continue
        verdict = probe.run(work)
        if verdict is not None and verdict[0] == "killed":
            return verdict
        doubt = doubt or verdict
    return doubt or ("SURVIVES", "")


def read_allowed(path):
    """{(file, function, old, new): reason}"""
    allowed = {}
    with open(path, encoding="utf-8") as f:
        text = "".join(x for x in f if not x.startswith("#"))
    for block in re.split(r"\n{2,}", text.strip()):
        lines = block.splitlines()
        parts = {mark: places.squeeze(x[2:] for x in lines[1:] if x[0] == mark)
                 for mark in "-+:"}
        if not lines:
            continue
        if len(lines[0].split()) != 2 or not all(parts.values()):
            sys.exit("allowed.txt: not a place, two lines and a reason:\n" +
                     block)
        allowed[tuple(lines[0].split()) + (parts["-"], parts["+"])] = parts[":"]
    return allowed


def stale_of(allowed, source, every):
    """Entries without a mutant."""
    keys = {(source,) + m.key() for m in every}
    return [k for k in allowed if k[0] == source and k not in keys]


class Report:
    def __init__(self, log):
        self.log = open(log, "a", encoding="utf-8") if log else None
        self.total = {}

    def line(self, text):
        print(text, flush=True)
        if self.log:
            self.log.write(text + "\n")
            self.log.flush()

    def mutant(self, source, m, verdict, why):
        self.line("%-10s %s:%d %s %s: %s => %s%s" % (
            verdict, source, m.line, m.what, m.function,
            places.squeeze(m.old_lines), places.squeeze(m.new_lines),
            " (%s)" % why if why else ""))

    def add(self, tally):
        for key, n in tally.items():
            self.total[key] = self.total.get(key, 0) + n

    def file(self, name, tally):
        judged = tally["killed"] + tally["once"] + tally["SURVIVES"]
        self.line("== %s: %s; score %s" % (
            name, ", ".join("%d %s" % (n, key) for key, n in tally.items()),
            "%.1f %%" % (100 * tally["killed"] / judged) if judged else "-"))


def test_source(args, make_work, found, name, allowed, report):
    """make_work(text): a Work and its probes; None: the compiler refuses."""
    tally = dict.fromkeys(["made", "refused", "equivalent", "double", "killed",
                           "once", "allowed", "tuning", "SURVIVES"], 0)
    tally["made"] = len(found)
    with open(os.path.join(args.root, name), encoding="utf-8") as f:
        original = make_work(f.read())
    seen = {digest(original[0].static): "equivalent"}
    for m in found:
        made = make_work(m.text)
        if made is None:
            tally["refused"] += 1
            continue
        key = digest(made[0].static)
        if key in seen:
            tally[seen[key]] += 1
            continue
        seen[key] = "double"
        verdict, why = judge(*made)
        reason = allowed.get((name,) + m.key())
        if reason and verdict in ("SURVIVES", "once"):
            verdict = "tuning" if reason.startswith("tuning:") else "allowed"
            why = reason
        tally[verdict] += 1
        report.mutant(name, m, verdict, why)
    report.file(name, tally)
    report.add(tally)
    return tally


def chosen(args, source, found):
    """Those of a file's mutants that are asked for."""
    if args.of:
        with open(args.of, encoding="utf-8") as f:
            lines = [x for x in f if x.startswith(("SURVIVES", "once"))]
        found = [m for m in found if any(
            " %s:" % source in x and " %s: %s => %s" % (
                (m.function,) + m.key()[1:]) in x for x in lines)]
    if args.only:
        found = [m for m in found if args.only in " ".join(m.key())]
    if args.sample and args.sample < len(found):
        draw = random.Random("%d %s" % (args.seed, source))
        found = sorted(draw.sample(found, args.sample),
                       key=lambda m: (m.start, m.end, m.new))
    return found


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--root", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--near", action="store_true")
    parser.add_argument("--wide", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--of", default="")
    parser.add_argument("--log", default="")
    parser.add_argument("sources", nargs="+")
    args = parser.parse_args()
    args.root, args.build = map(os.path.abspath, (args.root, args.build))
    return args


def main():
    args = arguments()
    cindex = places.load()
    if cindex is None:
        print("mutate: no libclang for Python (python3-clang)")
        sys.exit(77)
    report = Report(args.log)
    here = os.path.dirname(os.path.abspath(__file__))
    allowed = read_allowed(os.path.join(here, "allowed.txt"))
    for source in args.sources:
        build = Build(args.root, args.build, source)
        suite = Suite(args, build)
        file = places.File(cindex, os.path.join(args.root, source),
                           build.flags(source))
        every = file.mutants()
        found = chosen(args, source, every)
        for key in stale_of(allowed, source, every):
            report.line("STALE      allowed.txt: %s %s: %s => %s" % key)
        if args.list:
            for m in found:
                report.mutant(source, m, "mutant", "")
            continue
        probes = suite.of(source)

        def make_work(text, build=build, suite=suite, probes=probes,
                      source=source):
            work = Work(build, suite.models, source, text)
            if not build.compile(source, "roost_inside", text, work.static):
                return None
            return work, probes
        test_source(args, make_work, found, source, allowed, report)
    if not args.list:
        report.file("all", report.total)
        sys.exit(1 if report.total["SURVIVES"] + report.total["once"] else 0)


if __name__ == "__main__":
    main()
