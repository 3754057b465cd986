"""Where a C source can be mutated, and into what.

The compiler's own tree of the file (libclang) says what each operator,
condition and statement is; what is replaced is the text. So each mutant parses;
whether it compiles, the compiler says. Only what stands in the file itself is
mutated, also as a macro's argument: never the inside of a macro, a comment, a
string or a directive.

    arithmetic  + and -, * and /, % to *, << and >>, & and |, ^ to &; also of
                += and its like; ++ and --; a unary -, ~ or ! dropped
    boundary    < and <=, > and >=
    relation    the opposite: < to >=, == to !=, ...
    logical     && and ||; an operand left out (true of &&, false of ||)
    constant    n to n + 1; n to 0; true and false; an enumerator to 0
    condition   of if, while, do, for and ?: negated; true; false
    delete      a call, an assignment, break, continue, goto, return;
    return      another value: 0, NULL, the opposite

Left out, as no test is to notice them:
"""
import ctypes
import os
import re
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)),
                             "../model"))
from mutants import blank, matching

LEFT_OUT = {
    "EVENT": "what a trace is told, off unless one runs",
    "EVENT_THREAD": "likewise",
    "roost_assert": "an oracle itself, and not in a release",
    "edge_acquire": "tells ThreadSanitizer an order; nothing elsewhere",
    "edge_release": "likewise",
    "prefetch": "a hint: nothing but speed",
    "__builtin_prefetch": "likewise",
}
__doc__ += "".join("\n    %-12s %s" % pair for pair in LEFT_OUT.items()) + "\n"

SWAPS = {
    "+": ["-"], "-": ["+"], "*": ["/"], "/": ["*"], "%": ["*"],
    "<<": [">>"], ">>": ["<<"], "&": ["|"], "|": ["&"], "^": ["&"],
    "<": ["<=", ">="], "<=": ["<", ">"], ">": [">=", "<="],
    ">=": [">", "<"], "==": ["!="], "!=": ["=="], "&&": ["||"],
    "||": ["&&"], "+=": ["-="], "-=": ["+="], "*=": ["/="], "/=": ["*="],
    "%=": ["*="], "|=": ["&="], "&=": ["|="], "^=": ["&="],
    "<<=": [">>="], ">>=": ["<<="],
}
BOUNDARIES = {("<", "<="), ("<=", "<"), (">", ">="), (">=", ">")}
NUMBER = re.compile(r"(0[xX][0-9a-fA-F]+|[0-9]+)([uUlL]*)$")
OPPOSITE = {"true": "false", "false": "true"}


def load():
    """libclang's module, or None. Debian's lies where only its own Python
    looks, and is plain Python."""
    try:
        import clang.cindex as cindex
    except ImportError:
        sys.path.append("/usr/lib/python3/dist-packages")
        try:
            import clang.cindex as cindex
        except ImportError:
            return None
    try:
        cindex.Index.create()
    except cindex.LibclangError:
        return None
    return cindex


class Mutant:
    def __init__(self, text, span, new, what, function):
        self.start, self.end = span
        self.new, self.what, self.function = new, what, function
        self.line = text.count("\n", 0, self.start) + 1
        first = text.rfind("\n", 0, self.start) + 1
        last = (text + "\n").index("\n", self.end)
        self.text = text[:self.start] + new + text[self.end:]
        self.old_lines = text[first:last].split("\n")
        changed = text[first:self.start] + new + text[self.end:last]
        self.new_lines = changed.split("\n")

    def key(self):
        """What names it though the lines above it change."""
        return (self.function, squeeze(self.old_lines),
                squeeze(self.new_lines))


def squeeze(lines):
    return " ".join(" ".join(lines).split())


class File:
    """A source, parsed; mutants() are all that can be made of it."""

    def __init__(self, cindex, path, flags):
        self.kinds = cindex.CursorKind
        self.types = cindex.TypeKind
        with open(path, encoding="utf-8") as f:
            self.text = f.read()
        self.code = blank(self.text)
        # Else what they say of NULL would lie behind two macros.
        hidden = re.sub(r"\b(un)?likely\b", lambda m: " " * len(m.group(0)),
                        self.text)
        unit = cindex.Index.create().parse(
            path, args=flags, unsaved_files=[(path, hidden)])
        errors = [d for d in unit.diagnostics if d.severity >= 3]
        if errors:
            sys.exit("mutate: %s: %s" % (path, errors[0]))
        self.path, self.cursor = path, unit.cursor
        self.library = cindex.conf.lib
        self.found = {}

    # ---- from cursors to text ------------------------------------------------

    def offset(self, location):
        """Of what is written, also as a macro's argument. None: elsewhere."""
        file, offset = ctypes.c_void_p(), ctypes.c_uint()
        self.library.clang_getFileLocation(
            location, ctypes.byref(file), None, None, ctypes.byref(offset))
        return offset.value

    def span(self, cursor):
        return (self.offset(cursor.extent.start),
                self.offset(cursor.extent.end))

    def source(self, span):
        return self.code[span[0]:span[1]]

    def add(self, span, new, what, function):
        old = self.text[span[0]:span[1]]
        if span[0] < span[1] and old != new:
            self.found.setdefault((span, new), (what, function))

    # ---- one kind of mutant after the other ----------------------------------

    def binary(self, cursor, function):
        sides = list(cursor.get_children())
        if len(sides) != 2:
            return
        left, right = self.span(sides[0]), self.span(sides[1])
        between = self.code[left[1]:right[0]]
        operator = between.strip()
        if operator not in SWAPS or not left[0] < left[1] < right[0]:
            return
        start = left[1] + between.index(operator)
        span = (start, start + len(operator))
        logical = operator in ("&&", "||")
        for new in SWAPS[operator]:
            what = ("logical" if logical else
                    "boundary" if (operator, new) in BOUNDARIES else
                    "relation" if new[-1] == "=" and len(new) == 2 and
                    new[0] in "<>=!" or new in "<>" else "arithmetic")
            self.add(span, new, what, function)
        if logical:
            for side in (left, right):
                self.add(side, "1" if operator == "&&" else "0", "logical",
                         function)

    def unary(self, cursor, function):
        start, end = self.span(cursor)
        text = self.source((start, end))
        if text[:2] in ("++", "--"):
            self.add((start, start + 2), "--" if text[0] == "+" else "++",
                     "arithmetic", function)
        elif text[-2:] in ("++", "--"):
            self.add((end - 2, end), "--" if text[-1] == "+" else "++",
                     "arithmetic", function)
        elif text[:1] in ("-", "~", "!"):
            self.add((start, start + 1), " ", "arithmetic", function)

    def literal(self, cursor, function):
        start = self.offset(cursor.extent.start)
        word = re.match(r"\w+", self.code[start:])
        if not word:
            return
        word, span = word.group(0), (start, start + word.end())
        if word in OPPOSITE:
            self.add(span, OPPOSITE[word], "constant", function)
        number = NUMBER.match(word)
        if number is None:
            return
        try:
            value = int(number.group(1), 0)
        except ValueError:
            value = int(number.group(1), 8)
        self.add(span, "%d%s" % (value + 1, number.group(2)), "constant",
                 function)
        if value != 0:
            self.add(span, "0" + number.group(2), "constant", function)

    def enumerator(self, cursor, function):
        span = self.span(cursor)
        if (cursor.referenced is not None and cursor.referenced.kind ==
                self.kinds.ENUM_CONSTANT_DECL and
                self.source(span) == cursor.spelling and
                cursor.referenced.enum_value != 0):
            self.add(span, "0", "constant", function)

    def condition(self, span, function):
        inner = self.text[span[0]:span[1]]
        if inner.strip() == "":
            return
        self.add(span, "!(%s)" % inner, "condition", function)
        for value in ("1", "0"):
            if inner.strip() not in (value, "true" if value == "1" else
                                     "false"):
                self.add(span, value, "condition", function)

    def in_parentheses(self, start):
        opening = self.code.index("(", start)
        return opening + 1, matching(self.code, opening)

    def control(self, cursor, function):
        start, end = self.span(cursor)
        word = re.match(r"\w*", self.code[start:]).group(0)
        if word in ("if", "while"):
            self.condition(self.in_parentheses(start), function)
        elif word == "do":
            self.condition(self.in_parentheses(
                self.code.rindex("while", start, end)), function)
        elif word == "for":
            opening, closing = self.in_parentheses(start)
            first = self.code.index(";", opening, closing) + 1
            second = self.code.index(";", first, closing)
            self.condition((first, second), function)

    def conditional(self, cursor, function):
        span = self.span(next(cursor.get_children()))
        if self.code[span[1]:].lstrip().startswith("?"):
            self.condition(span, function)

    def returned(self, cursor, function, result):
        value = next(cursor.get_children(), None)
        if value is None:
            return
        start = self.span(cursor)[0] + len("return")
        end = self.code.index(";", start)
        span = (start, end)
        inner = self.text[start:end].strip()
        kind = result.get_canonical().kind
        if not inner or inner in OPPOSITE or self.code[start - 1] != "n":
            return
        if kind == self.types.BOOL:
            self.add(span, " !(%s)" % inner, "return", function)
        elif kind == self.types.POINTER and inner != "NULL":
            self.add(span, " ((void)(%s), NULL)" % inner, "return", function)
        elif kind not in (self.types.POINTER, self.types.RECORD,
                          self.types.VOID) and NUMBER.match(inner) is None:
            self.add(span, " ((void)(%s), 0)" % inner, "return", function)

    DELETED = ("CALL_EXPR", "BINARY_OPERATOR", "UNARY_OPERATOR",
               "COMPOUND_ASSIGNMENT_OPERATOR", "CSTYLE_CAST_EXPR",
               "UNEXPOSED_EXPR", "PAREN_EXPR", "CONDITIONAL_OPERATOR",
               "StmtExpr", "BREAK_STMT", "CONTINUE_STMT", "GOTO_STMT",
               "RETURN_STMT")

    def statement(self, cursor, function):
        if cursor.kind.name not in self.DELETED:
            return
        start = self.span(cursor)[0]
        end = self.code.index(";", start) + 1
        text = self.code[start:end]
        if (cursor.kind == self.kinds.RETURN_STMT and
                text != "return;") or "{" in text:
            return
        self.add((start, end), ";" + "\n" * self.text.count("\n", start, end),
                 "delete", function)

    # ---- the walk ------------------------------------------------------------

    def left_out(self, cursor):
        word = re.match(r"\w*", self.code[self.span(cursor)[0]:]).group(0)
        return word in LEFT_OUT

    def visit(self, cursor, function, result):
        k = self.kinds
        if self.left_out(cursor) or cursor.kind in (
                k.CXX_UNARY_EXPR, k.TYPE_REF):  # sizeof
            return
        if cursor.kind in (k.BINARY_OPERATOR, k.COMPOUND_ASSIGNMENT_OPERATOR):
            self.binary(cursor, function)
        elif cursor.kind == k.UNARY_OPERATOR:
            self.unary(cursor, function)
        elif cursor.kind == k.INTEGER_LITERAL:
            self.literal(cursor, function)
        elif cursor.kind == k.DECL_REF_EXPR:
            self.enumerator(cursor, function)
        elif cursor.kind in (k.IF_STMT, k.WHILE_STMT, k.DO_STMT, k.FOR_STMT):
            self.control(cursor, function)
        elif cursor.kind == k.CONDITIONAL_OPERATOR:
            self.conditional(cursor, function)
        elif cursor.kind == k.RETURN_STMT:
            self.returned(cursor, function, result)
        for i, child in enumerate(cursor.get_children()):
            if cursor.kind == k.COMPOUND_STMT or (
                    cursor.kind in (k.CASE_STMT, k.DEFAULT_STMT,
                                    k.LABEL_STMT)):
                if not self.left_out(child):
                    self.statement(child, function)
            if cursor.kind == k.CASE_STMT and i == 0:
                continue  # its label
            self.visit(child, function, result)

    def mutants(self):
        k = self.kinds
        for top in self.cursor.get_children():
            file = top.location.file
            if file is None or file.name != self.path:
                continue
            if top.kind == k.FUNCTION_DECL and top.is_definition():
                for part in top.get_children():
                    if part.kind == k.COMPOUND_STMT:
                        self.visit(part, top.spelling, top.result_type)
            elif top.kind == k.ENUM_DECL:
                for part in top.get_children():
                    self.visit(part, part.spelling, None)
        made = [Mutant(self.text, span, new, what, function)
                for (span, new), (what, function) in self.found.items()]
        return sorted(made, key=lambda m: (m.start, m.end, m.new))
