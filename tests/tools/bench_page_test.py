#!/usr/bin/env python3
"""The report of the benchmarks, without running one: reasons that belong to no
row, or are not printed where a row falls short; a machine that is not told
rightly; links to pages of other machines that are lost or twice there."""
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import calls  # noqa: E402
import loops  # noqa: E402
import machine  # noqa: E402
import micro  # noqa: E402
import page  # noqa: E402
import report  # noqa: E402
import shortfalls  # noqa: E402
import waits  # noqa: E402

FORK_JOIN = "Fork-join: roost and rivals"
WAITS = "Tasks that wait: roost and rivals"
MICRO = "Roost, an operation"
CALLS = "Calls that block, sleepers under load"
JOIN = "spawn, join by handle"

LABELS = {
    FORK_JOIN: list(report.KERNEL_MUST),
    "Loops, scans, sorts: roost and rivals": [r[0] for r in loops.ROWS],
    WAITS: [f"{r[0]}, {r[3][0]}" for r in waits.ROWS],
    MICRO: [r[0] for r in micro.ROWS],
    CALLS: [f"{r[0]}, {r[3][0]}" for r in calls.ROWS],
}


class Shortfalls(unittest.TestCase):
    def test_each_belongs_to_a_row(self):
        for table in (shortfalls.WHY, shortfalls.SAID):
            for title, reasons in table.items():
                rows = {k for k, _ in shortfalls.keyed(
                    [[label] for label in LABELS[title]])}
                self.assertEqual(set(reasons) - rows, set())

    def test_decisions_are_there(self):
        for table in (shortfalls.WHY, shortfalls.SAID):
            for reasons in table.values():
                for text in reasons.values():
                    number = text.rsplit("/", 1)[1].rstrip(")")
                    found = list(ROOT.glob(f"docs/decisions/{number}-*.md"))
                    self.assertEqual(len(found), 1, text)

    def test_said_only_where_short(self):
        reached = [["", "must", ""], [JOIN, "30.0", "reached"],
                   ["  2 workers", "60.0", "reached"]]
        self.assertEqual(shortfalls.notes(MICRO, reached, 26), [])
        one = reached[:2] + [["  2 workers", "60.0", "1.20 x"]]
        self.assertEqual(shortfalls.notes(MICRO, one, 26), [
            f"{JOIN} / 2 workers: {shortfalls.JOIN}."])

    def test_no_ratio_is_taken_for_a_verdict(self):
        row = ["sum", "1.05 x OpenMP static 2T reached", "2.5"]
        self.assertIsNone(shortfalls.short(row))
        row[1] = "1.05 x OpenMP static 2T 1.04 x"
        self.assertEqual(shortfalls.short(row), 1.04)

    def test_without_a_reason_it_is_said_too(self):
        found = shortfalls.notes(FORK_JOIN, [[""], ["uts", "14 1.20 x"]], 26)
        self.assertEqual(len(found), 1)
        self.assertIn("nowhere yet: uts.", found[0])

    def test_a_rival_of_the_same_run_is_no_faster_machine(self):
        for ratio, said in ("1.04", "Within 5 %"), ("1.20", "nowhere yet: sum"):
            table = [[""], ["sum", f"1.05 x OpenMP static 2T {ratio} x"]]
            found = shortfalls.notes(shortfalls.RELATIVE, table, 25)
            self.assertEqual(len(found), 1)
            self.assertIn(said, found[0])

    def test_the_processor_is_a_reason_of_fork_join(self):
        table = [[""], ["uts", "14 1.20 x"]]
        self.assertIn("uts: the musts were set on a Zen 5",
                      shortfalls.notes(FORK_JOIN, table, 25)[0])
        self.assertIn("nowhere yet", shortfalls.notes(WAITS, table, 26)[0])
        self.assertIn("faster machine", shortfalls.notes(WAITS, table, 25)[0])


class Machine(unittest.TestCase):
    def test_family_and_model(self):
        text = ("processor\t: 0\ncpu family\t: 25\nmodel\t\t: 1\n"
                "model name\t: AMD EPYC\n\nprocessor\t: 1\ncpu family\t: 26\n")
        self.assertEqual(machine.processor(text),
                         ("AMD EPYC, family 25 model 1", 25))

    def test_what_the_host_took(self):
        before = machine.ticks("cpu  10 0 5 80 1 0 1 3 0 0\ncpu0 1 2\n")
        self.assertEqual(before, (100, 3))
        self.assertEqual(machine.ticks("cpu  1 2 3\n"), (0, 0))
        self.assertEqual(machine.stolen(before, (300, 8)),
                         "stolen by the host 2.5%; ")
        self.assertEqual(machine.stolen((0, 0), (0, 0)), "")

    def test_of_no_x86(self):
        self.assertEqual(machine.processor("processor\t: 0\n"), ("", None))


class Page(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)

    def other(self, name):
        (self.path / name).mkdir()
        (self.path / name / "README.md").write_text("#\n", encoding="utf-8")

    def test_links_to_folders_with_a_page(self):
        self.assertEqual(page.others(self.path), "")
        (self.path / "empty").mkdir()
        self.other("zen3")
        self.other("arm")
        self.assertEqual(page.others(self.path),
                         "\nOther machines: [arm](arm/README.md), "
                         "[zen3](zen3/README.md).\n")

    def test_a_part_written_anew_has_them_once(self):
        text = "# Benchmarks\n\nThe head.\n\n## A\n\n| a |\n|---|\n| 1 |\n"
        readme = self.path / "README.md"
        readme.write_text(text, encoding="utf-8")
        self.other("arm")
        for value in "23":
            page.replace(self.path, "A machine.", [("A", [["a"], [value]], [])])
        text = readme.read_text(encoding="utf-8")
        self.assertEqual(text.count("Other machines"), 1)
        self.assertLess(text.index("Other machines"), text.index("## A"))
        self.assertIn("| 3 |", text)
        self.assertNotIn("| 2 |", text)

    def test_a_new_part_is_added(self):
        readme = self.path / "README.md"
        readme.write_text("# Benchmarks\n\n## A\n\nof A\n", encoding="utf-8")
        page.replace(self.path, "A machine.", [("B", [["b"], ["4"]], [])])
        text = readme.read_text(encoding="utf-8")
        self.assertLess(text.index("of A"), text.index("## B"))
        self.assertIn("| 4 |", text)


if __name__ == "__main__":
    unittest.main()
