"""What the machine is that the figures are of."""
import os
import platform
import subprocess
import time

# The family of the processor that the `must` figures were set on: Zen 5.
MUST_FAMILY = 26


def processor(text):
    """Of /proc/cpuinfo: its first processor's name, family and model."""
    fields = {}
    for line in text.split("\n\n", 1)[0].splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    name = fields.get("model name", "")
    family, model = fields.get("cpu family"), fields.get("model")
    if family is None or model is None:  # no x86
        return name, None
    return f"{name}, family {family} model {model}".lstrip(", "), int(family)


def ticks(text):
    """Of /proc/stat: processor time in all, and what the host took of it."""
    fields = [int(n) for n in text.split("\n", 1)[0].split()[1:9]]
    return (sum(fields), fields[7]) if len(fields) == 8 else (0, 0)


def ticks_now():
    try:
        with open("/proc/stat", encoding="ascii", errors="replace") as file:
            return ticks(file.read())
    except (OSError, ValueError):
        return 0, 0


def stolen(before, after):
    """What others on the host had of the processors, as a part of the text."""
    taken, of = after[1] - before[1], after[0] - before[0]
    return f"stolen by the host {taken / of:.1%}; " if of > 0 else ""


def machine():
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            model, family = processor(file.read())
    except OSError:
        model, family = "", None
    compiler = subprocess.run(["cc", "-dumpfullversion"], capture_output=True,
                              text=True, check=False).stdout.strip()
    return {"processors": len(os.sched_getaffinity(0)), "model": model,
            "family": family, "machine": platform.machine(),
            "kernel": platform.release().split("-")[0],
            "cc": compiler, "load": os.getloadavg()[0],
            "date": time.strftime("%Y-%m-%d")}


def describe(host, measured):
    return (f"{host['processors']} processors ({host['model']}, "
            f"{host['machine']}), Linux {host['kernel']}, cc {host['cc']}; "
            f"load at the start {host['load']:.1f}; {measured}{host['date']}.")
