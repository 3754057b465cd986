"""C sources as the lints see them: text, code without comments, functions.

No C parser: the tree is formatted by clang-format and compiled without
warnings, so a lexer and matched brackets are enough.
"""

import pathlib
import re
from typing import NamedTuple

TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'(?:\\.|[^'\\\n])*'",
    re.DOTALL,
)
DIRECTIVE = re.compile(r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', re.MULTILINE)
WORD_BEFORE = re.compile(r'(\w+)\s*$')


class Finding(NamedTuple):
    path: str
    line: int
    what: str

    def __str__(self):
        return f'{self.path}:{self.line}: {self.what}'


class Comment(NamedTuple):
    first: int  # lines, from 1
    last: int
    text: str
    alone: bool  # no code stands on its lines


class Function(NamedTuple):
    name: str
    first: int  # the line its declaration begins on
    last: int  # the line of its closing brace
    begin: int  # offsets of its body's braces
    end: int
    params: int


def spaces(text):
    """As long as text and with its line breaks, but blank."""
    return re.sub(r'[^\n]', ' ', text)


def matching(code, at):
    """The offset of the bracket that closes the one at `at`; -1 if none."""
    opening = code[at]
    closing = {'(': ')', '{': '}', '[': ']'}[opening]
    depth = 0
    for i in range(at, len(code)):
        if code[i] == opening:
            depth += 1
        elif code[i] == closing:
            depth -= 1
            if depth == 0:
                return i
    return -1


def matching_back(code, at):
    """The offset of the '(' that the ')' at `at` closes; -1 if none."""
    depth = 0
    for i in range(at, -1, -1):
        if code[i] == ')':
            depth += 1
        elif code[i] == '(':
            depth -= 1
            if depth == 0:
                return i
    return -1


class Source:
    """One file. `plain` has no comments and no text in its strings; `code`
    has no preprocessor lines either. Offsets are the same in all three."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.lines = self.text.split('\n')
        self.comments = []
        self.plain = TOKEN.sub(self._blank, self.text)
        self.code = DIRECTIVE.sub(lambda m: spaces(m[0]), self.plain)
        self._functions = None

    def _blank(self, match):
        token = match[0]
        if token[0] != '/':
            return token[0] + spaces(token[1:-1]) + token[-1]
        first = self.line_of(match.start())
        last = first + token.count('\n')
        before = self.lines[first - 1][: self.column_of(match.start())]
        after = self.text[match.end():].split('\n', 1)[0]
        alone = not before.strip() and not after.strip()
        self.comments.append(Comment(first, last, token, alone))
        return spaces(token)

    def line_of(self, offset):
        return self.text.count('\n', 0, offset) + 1

    def column_of(self, offset):
        return offset - (self.text.rfind('\n', 0, offset) + 1)

    def head(self):
        """The text of the comment that the file begins with."""
        if self.comments and self.comments[0].first == 1:
            return self.comments[0].text
        return ''

    def comments_at(self, first, last):
        """Comments that speak of the code on these lines: on them, or alone
        on the lines right above."""
        for c in self.comments:
            on = not c.alone and first <= c.first <= last
            inside = c.alone and first < c.first <= last
            above = c.alone and c.last == first - 1
            if on or inside or above:
                yield c

    def functions(self):
        if self._functions is None:
            self._functions = list(self._find_functions())
        return self._functions

    def _find_functions(self):
        code = self.code
        at = 0
        begin = 0  # of the declaration being read
        while at < len(code):
            if code[at] == ';':
                begin = at + 1
            elif code[at] == '}':  # of extern "C"
                begin = at + 1
            elif code[at] == '{':
                before = code[begin:at].rstrip()
                if re.search(r'extern\s+"\s*"$', before):
                    begin = at + 1
                    at += 1
                    continue
                end = matching(code, at)
                if end < 0:
                    return
                found = self._function(begin, at, end)
                if found:
                    yield found
                    begin = end + 1
                at = end
            at += 1

    def _function(self, begin, brace, end):
        """The function whose body stands between brace and end, or None: an
        initialiser, a type."""
        last = len(self.code[:brace].rstrip()) - 1
        while last > begin and self.code[last] == ')':
            opening = matching_back(self.code, last)
            word = WORD_BEFORE.search(self.code[begin:opening])
            if not word:
                return None
            if word[1] not in ('__attribute__', 'ROOST_PRINTF'):
                break
            last = len(self.code[: begin + word.start()].rstrip()) - 1
        else:
            return None
        lead = len(self.code[begin:]) - len(self.code[begin:].lstrip())
        name = word[1]
        if name.isupper():  # a macro that declares one: TEST(name, ...)
            name += f'({self.code[opening + 1: last].split(",")[0].strip()})'
        return Function(
            name,
            self.line_of(begin + lead),
            self.line_of(end),
            brace,
            end,
            count_params(self.code[opening + 1: last]),
        )

    def in_function(self, offset):
        return any(f.begin < offset < f.end for f in self.functions())


def count_params(text):
    text = text.strip()
    if text in ('', 'void'):
        return 0
    depth = 0
    count = 1
    for c in text:
        depth += c in '([{'
        depth -= c in ')]}'
        count += c == ',' and depth == 0
    return count


class Tree:
    """The files of one checkout (or of a copy of it)."""

    seen = {}  # (path, text) -> Source: a self-test looks at most files often

    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        self._sources = {}

    def exists(self, path):
        return (self.root / path).is_file()

    def source(self, path):
        if path not in self._sources:
            text = (self.root / path).read_text(encoding='utf-8')
            key = path, text
            if key not in Tree.seen:
                Tree.seen[key] = Source(path, text)
            self._sources[path] = Tree.seen[key]
        return self._sources[path]

    def sources(self, *folders, suffixes=('.c', '.h')):
        """Every source under the folders, in a fixed order."""
        for folder in folders:
            for path in sorted((self.root / folder).rglob('*')):
                if path.suffix in suffixes and path.is_file():
                    yield self.source(path.relative_to(self.root).as_posix())
