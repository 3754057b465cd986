#!/usr/bin/env python3
"""Shows that mutate.py tells the truth, by toy/toy.c and tests of its own.

    selftest.py [--cc CC]       0; 1: what is not as it should be; 77: no libclang

    strong    a test that looks at everything kills every mutant but those of
              toy/allowed.txt, which are as good as the original
    weak      one that executes every line, and looks at little, does not
    blind     one that never fails kills nothing
    broken    one that fails without a mutant proves nothing, and is left out
    wavering  one that fails now and then is not believed
    hanging   one that never ends is ended, and counts
    stale     an entry of allowed.txt without a mutant is told
    places    no mutant in a comment, a directive, a macro's inside or a string
"""
import argparse
import os
import subprocess
import sys
import tempfile

import mutate
import places

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "toy")
WAVERING = """
#include <unistd.h>
int main(int argc, char **argv)
{
    /* Fails, passes, fails, ... but for the first time: without a mutant. */
    const char *mark = "%s";
    if (access(mark, F_OK) != 0) { return 0 * argc; }
    return access("%s.odd", F_OK) != 0
        ? symlink("/", "%s.odd") * 0 + 1 : unlink("%s.odd");
}
"""


class Quiet(mutate.Report):
    def __init__(self):
        super().__init__(None)
        self.lines = []

    def line(self, text):
        self.lines.append(text)

    def of(self, verdict):
        return [x for x in self.lines if x.startswith(verdict + " ")]


class Toy:
    """The toy, and a program that tests it, as mutate.py sees a library."""

    def __init__(self, cindex, cc, folder):
        self.cindex, self.cc, self.folder = cindex, cc, folder
        self.original = self.work(self.read("toy.c"))

    @staticmethod
    def read(name):
        with open(os.path.join(HERE, name), encoding="utf-8") as f:
            return f.read()

    def work(self, text):
        """None, or something with the object: all that a test needs."""
        source = os.path.join(self.folder, "toy.c")
        work = argparse.Namespace(static=os.path.join(self.folder, "toy.o"))
        with open(source, "w", encoding="utf-8") as f:
            f.write(text)
        done = subprocess.run(
            [self.cc, "-O2", "-w", "-I" + HERE, "-c", source, "-o",
             work.static], check=False, stderr=subprocess.DEVNULL)
        return work if done.returncode == 0 else None

    def probe(self, name, text):
        source = os.path.join(self.folder, name + ".c")
        with open(source, "w", encoding="utf-8") as f:
            f.write(text)

        def link(work):
            output = os.path.join(self.folder, name)
            subprocess.run([self.cc, "-w", "-I" + HERE, source, work.static,
                            "-o", output], check=True)
            return output, {}
        original = self.work(self.read("toy.c"))
        kept = link(original)[0] + ".original"
        os.replace(os.path.join(self.folder, name), kept)
        return mutate.Probe(name, kept, [], link)

    def mutants(self):
        return places.File(self.cindex, os.path.join(HERE, "toy.c"),
                           []).mutants()

    def run(self, probes, found=None, allowed=None):
        report = Quiet()
        args = argparse.Namespace(root=HERE)

        def make_work(text):
            work = self.work(text)
            return work and (work, probes)
        tally = mutate.test_source(args, make_work, found or self.mutants(),
                                   "toy.c", allowed or {}, report)
        return tally, report


failures = []


def check(holds, what, report=None):
    if not holds:
        failures.append(what)
        print("failed: " + what)
        print("\n".join(report.lines if report else []))


def few(toy, text):
    return [m for m in toy.mutants() if text in " ".join(m.key())]


def strong_and_weak(toy):
    allowed = mutate.read_allowed(os.path.join(HERE, "allowed.txt"))
    tally, report = toy.run([toy.probe("strong", toy.read("strong.c"))], None,
                            allowed)
    check(tally["SURVIVES"] == tally["once"] == 0, "strong kills", report)
    check(tally["allowed"] == len(allowed), "all allowed are there", report)
    check(tally["killed"] >= 30, "there are mutants to kill", report)
    check(sum(tally.values()) == 2 * tally["made"], "each has a verdict",
          report)
    tally, report = toy.run([toy.probe("weak", toy.read("weak.c"))])
    check(tally["SURVIVES"] > 20, "weak lets some live", report)
    check(tally["killed"] > 5, "weak kills some", report)
    check(any("=> return x == 3 || 0;" in x for x in report.of("SURVIVES")),
          "what nobody looks at survives", report)


def doubtful_tests(toy):
    some = few(toy, "(*seen)")
    passes = "int main(void) { return 0; }"
    tally, report = toy.run([toy.probe("blind", passes)], some)
    check(tally["SURVIVES"] == 2, "blind kills nothing", report)
    probes = [toy.probe("broken", "int main(void) { return 1; }"),
              toy.probe("blind", passes)]
    tally, report = toy.run(probes, some)
    check(len(probes) == 1 and tally["killed"] == 0, "broken is left out",
          report)
    mark = os.path.join(toy.folder, "mark")
    probe = toy.probe("wavering", WAVERING % ((mark,) * 4))
    check(probe.measure(), "wavering passes at first")
    with open(mark, "w", encoding="utf-8"):
        pass
    tally, report = toy.run([probe], some)
    check(tally["once"] == 2 and tally["killed"] == 0,
          "wavering is not believed", report)


def hanging_test(toy):
    probe = toy.probe("strong", toy.read("strong.c").replace(
        "? 0 : 1", "? 0 : for_ever()").replace(
            "int main", "static int for_ever(void) { for (;;) { } }\n"
            "int main"))
    tally, report = toy.run([probe], few(toy, "(*seen)--"))
    check(tally["killed"] == 1 and "hung" in report.lines[0], "hanging", report)


def places_of(toy):
    text = toy.read("toy.c")
    for m in toy.mutants():
        old = text[m.start:m.end]
        check(m.line > text[:text.index("int clamp")].count("\n"),
              "no mutant of a directive or comment: " + m.new)
        check("/*" not in old, "none of a comment: " + old)
    stale = {("toy.c", "clamp", "return high;", "return low;"): "no such line"}
    check(mutate.stale_of(stale, "toy.c", toy.mutants()) == list(stale),
          "stale is told")
    good = mutate.read_allowed(os.path.join(HERE, "allowed.txt"))
    check(mutate.stale_of(good, "toy.c", toy.mutants()) == [],
          "what is there is not stale")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cc", default="cc")
    args = parser.parse_args()
    cindex = places.load()
    if cindex is None:
        print("no libclang for Python (python3-clang)")
        sys.exit(77)
    mutate.HANG_S = 2  # some of the toy's mutants do nothing else
    with tempfile.TemporaryDirectory() as folder:
        toy = Toy(cindex, args.cc, folder)
        strong_and_weak(toy)
        doubtful_tests(toy)
        hanging_test(toy)
        places_of(toy)
    print("mutation selftest: %s" % (failures or "passed"))
    sys.exit(1 if failures else 0)


main()
