"""What callgrind counts: exact, whatever else the machine does."""
import collections
import re
import subprocess

FUNCTION = re.compile(r"^fn=\((\d+)\)(?: (.*))?$")
CALLED = re.compile(r"^cfn=\((\d+)\)(?: (.*))?$")
OBJECT = re.compile(r"^(ob|cob)=\((\d+)\)(?: (.*))?$")
COST = re.compile(r"^0x([0-9a-f]+) \d+ (\d+)$")
SYMBOL = re.compile(r"^[0-9a-f]+ <(.*)>:$")
CODE = re.compile(r"^\s+([0-9a-f]+):\s+(\S+)\s*(.*)$")


def locked_instructions(program):
    """Address -> function, of each instruction that locks the bus."""
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", program],
                          capture_output=True, text=True, check=True).stdout
    found, function = {}, ""
    for line in text.split("\n"):
        symbol, code = SYMBOL.match(line), CODE.match(line)
        if symbol:
            function = symbol[1]
        elif code and (code[2] == "lock" or
                       (code[2] == "xchg" and "(" in code[3])):
            found[int(code[1], 16)] = function
    return found


def is_program(path):
    return not re.search(r"\.so(\.|$)|^\?*$", path)


def own_costs(path, locked):
    """Function -> instructions of its own, and the locked ones of them, from
    a callgrind.out file. An address is one of its object, and only those of the
    program are in `locked`."""
    names, costs, locks = {}, collections.Counter(), collections.Counter()
    current, skip = None, False
    objects, program = {}, False
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        found = FUNCTION.match(line) or CALLED.match(line)
        cost = COST.match(line)
        thing = OBJECT.match(line)
        if thing:
            if thing[3]:
                objects[thing[2]] = thing[3]
            if thing[1] == "ob":
                program = is_program(objects.get(thing[2], ""))
        elif found:
            if found[2]:
                names[found[1]] = found[2]
            if line.startswith("fn="):
                current = found[1]
        elif line.startswith("calls="):
            skip = True  # the next line is what was called, not its own
        elif cost:
            if not skip and current is not None:
                costs[current] += int(cost[2])
                if program and int(cost[1], 16) in locked:
                    locks[locked[int(cost[1], 16)]] += int(cost[2])
            skip = False
    total = collections.Counter()
    for number, cost in costs.items():
        total[names.get(number, "?").split("'")[0]] += cost
    return total, locks


def command(out):
    """What to put before a program, for own_costs of the file `out`."""
    return ["valgrind", "--tool=callgrind", "--dump-instr=yes",
            "--compress-pos=no", f"--callgrind-out-file={out}"]
