"""Running the cases of the benchmark programs, and what tables are made of."""
import json
import os
import re
import statistics
import subprocess
import sys

NS, US, MS = ("ns", 1), ("us", 1e-3), ("ms", 1e-6)


def note(text):
    print(text, file=sys.stderr, flush=True)


RAYON = "tokio.target/release/bench_rayon"

# Of other languages: CASE WORKERS BATCHES.
FOREIGN = ("bench_waits_go", "tokio.target/release/bench_waits_tokio", RAYON,
           "bench_waits_asyncio")


class Runs:
    """All samples, by (program, case), and what went wrong."""

    def __init__(self, directory, options):
        self.directory = directory
        self.options = options
        self.samples = {}  # (program, case) -> [counters of a repetition]
        self.errors = {}  # (program, case) -> message
        self.environment = {k: v for k, v in os.environ.items()
                            if not k.startswith(("ROOST_", "OMP_"))}

    def has(self, program):
        return (self.directory / program).is_file()

    def command(self, program, case, batches):
        """Programs that link shim.cpp take Google Benchmark's options."""
        if program in FOREIGN:
            name, workers = case.rsplit("/", 1)
            return [str(self.directory / program), name, workers,
                    str(batches)]
        return [str(self.directory / program),
                f"--batches={batches}",
                f"--benchmark_filter=^{re.escape(case)}/(iter|proc)",
                f"--benchmark_min_time={self.options.min_time}",
                "--benchmark_format=json"]

    def cases(self, program):
        """The names of a program's cases, without the workers."""
        command = [str(self.directory / program)]
        if program not in FOREIGN:
            command.append("--benchmark_list_tests")
        else:
            command.append("--list")
        done = subprocess.run(command, capture_output=True, text=True,
                              check=False)
        names = [re.sub(r"/(iterations|process_time|manual_time).*", "", line)
                 for line in done.stdout.split()]
        if program in FOREIGN:
            return set(names)
        return {name.rsplit("/", 1)[0] for name in names}

    def run(self, program, case, batches=None):
        """One repetition of one case, in a process of its own. batches: not
        as many as the options say."""
        key = (program, case)
        if key in self.errors:
            return
        command = self.command(program, case,
                               batches or self.options.batches)
        try:
            done = subprocess.run(command, capture_output=True, text=True,
                                  timeout=120, env=self.environment,
                                  check=False)
        except subprocess.TimeoutExpired:
            self.errors[key] = "no end within 120 s"
            return
        try:
            found = json.loads(done.stdout)["benchmarks"]
        except (ValueError, KeyError):
            lines = done.stderr.strip().splitlines()
            self.errors[key] = (f"exit status {done.returncode}: "
                                + (lines[-1] if lines else "no output"))
            return
        if not found:
            self.errors[key] = "no such case"
        elif found[0].get("error_occurred"):
            self.errors[key] = found[0]["error_message"]
        elif done.returncode != 0:
            self.errors[key] = f"exit status {done.returncode}"
        else:
            self.samples.setdefault(key, []).append(
                {k: v for k, v in found[0].items()
                 if isinstance(v, (int, float))})

    def values(self, program, case, counter="ns"):
        return [s[counter] for s in self.samples.get((program, case), [])
                if counter in s]

    def least(self, program, case, counter="ns"):
        """The smallest figure of all batches; None without any."""
        if counter == "ns":
            counter = "ns_min"
        return min(self.values(program, case, counter), default=None)

    def cell(self, program, case, factor=1.0):
        """median/min, as the tables show a figure."""
        values = self.values(program, case)
        if not values:
            return ""
        return (f"{number(median(values) * factor)}/"
                f"{number(self.least(program, case) * factor)}")


def number(value):
    """Three digits that count."""
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def median(values):
    return statistics.median(values) if values else None


def spread(values):
    """Of the repetitions' medians, in parts of the median."""
    middle = median(values)
    return (max(values) - min(values)) / middle if middle else 0.0


def ratio(a, b):
    return f"{a / b:.2f}" if a is not None and b else ""


def verdict(value, must):
    if value is None or must is None:
        return ""
    return "reached" if value <= must else f"{value / must:.2f} x"


def cell(runs, program, case, counter, factor):
    """minimum (median)"""
    values = runs.values(program, case, counter)
    if not values:
        return ""
    return (f"{number(runs.least(program, case, counter) * factor)} "
            f"({number(median(values) * factor)})")


def check_ops(runs, ours, theirs, scale=1):
    """They do the same as roost: equally many operations a batch, by scale."""
    wanted, did = runs.least(*ours, "ops"), runs.least(*theirs, "ops")
    if did and wanted and did * scale != wanted:
        runs.errors[theirs] = (f"{did:.0f} operations a batch, roost "
                               f"{wanted:.0f}")


def plain_table(table):
    """Aligned columns: the first to the left, figures to the right."""
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    lines = []
    for row in table:
        parts = [row[0].ljust(widths[0])]
        parts += [row[i].rjust(widths[i]) for i in range(1, len(row))]
        lines.append("  ".join(parts).rstrip())
    return "\n".join(lines)


def markdown_table(table):
    head, rows = table[0], table[1:]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(c.strip() if i else c.replace("  ", "… ")
                                for i, c in enumerate(row)) + " |"
              for row in rows]
    return "\n".join(lines)
