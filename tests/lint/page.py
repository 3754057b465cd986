"""A manual page in mdoc, read as far as the lints of the manual need it."""

import re
from typing import NamedTuple

# What an example may take for granted.
PRELUDE = ''.join(f'#include <{name}.h>\n' for name in (
    'errno', 'fcntl', 'inttypes', 'netinet/in', 'pthread', 'signal', 'stdio',
    'stdlib', 'string', 'sys/socket', 'sys/uio', 'sys/wait', 'unistd',
    'roost/roost'))
XR = re.compile(r'(?:^| )Xr (\S+) (\S+)')  # also within .Pq and the like
WORD = re.compile(r'"((?:[^"]|"")*)"|(\S+)')


class Function(NamedTuple):
    """One of a SYNOPSIS; type '' is a macro."""

    type: str
    name: str
    args: tuple
    line: int


def unescape(text):
    """roff's escapes as far as pages here use them."""
    return text.replace('\\&', '').replace('\\-', '-').replace('\\e', '\\')


def words(text):
    return [unescape(a or b) for a, b in WORD.findall(text)]


def macros(lines):
    """(line, macro, rest) of each line, macro '' for text, inside a literal
    display too."""
    for number, text in enumerate(lines, 1):
        name, _, rest = text.partition(' ')
        if name.startswith('.') and not name.startswith('.\\'):
            yield number, name[1:], rest
        else:
            yield number, '', text


class Page:
    def __init__(self, path, text):
        self.path = path
        self.stem, _, self.section = path.rsplit('/', 1)[-1].rpartition('.')
        self.text = text
        self.date = ''
        self.names = []      # of the NAME section
        self.includes = []
        self.functions = []
        self.references = []  # (line, name, section)
        self.errors = set()
        self.examples = []   # (line of the first, lines)
        self.tests = []      # (line, path, names)
        self.said = set()    # every word of the page that is a public name
        self.constants = []  # (line, name) of those in .Dv
        self._read(text.split('\n'))

    def _read(self, lines):
        heading = result = ''
        pending = None       # .Fo, until .Fc
        display = None
        for number, macro, rest in macros(lines):
            if display is not None:
                if macro == 'Ed':
                    self._end_display(heading, display)
                    display = None
                else:
                    display[1].append(unescape(lines[number - 1]))
                continue
            self.references += [(number, *found) for found in
                                XR.findall(f'{macro} {rest}')]
            self.said.update(re.findall(r'\b(?:roost|ROOST)_\w+', rest))
            if 'Dv' in (macro, rest.partition(' ')[0]):
                self.constants += [(number, name) for name in
                                   re.findall(r'\bROOST_\w+', rest)]
            if macro == 'Sh':
                heading, result = rest, ''
            elif macro == 'Dd':
                self.date = rest
            elif macro == 'Bd' and '-literal' in rest:
                display = (number + 1, [])
            elif macro == 'Nm' and heading == 'NAME':
                self.names += [w for w in words(rest) if w != ',']
            elif macro == 'It' and heading == 'ERRORS':
                self.errors.update(re.findall(r'\bE[A-Z0-9]{3,}\b', rest))
            elif macro == 'Pa' and rest.startswith('tests/'):
                self.tests.append((number, rest.split()[0], []))
            elif macro == 'Pq' and rest.startswith('Sy ') and self.tests:
                self.tests[-1][2].extend(re.findall(r'\w+', rest[3:]))
            elif heading == 'SYNOPSIS':
                result, pending = self._synopsis(number, macro, rest, result,
                                                 pending)

    def _synopsis(self, number, macro, rest, result, pending):
        if macro == 'In':
            self.includes.append(rest.split()[0])
        elif macro == 'Ft':
            return ' '.join(words(rest)), pending
        elif macro == 'Fn':
            name, *args = words(rest)
            self.functions.append(Function(result, name, tuple(args), number))
            return '', pending
        elif macro == 'Fo':
            return result, (number, rest.strip(), [])
        elif macro == 'Fa' and pending:
            pending[2].extend(words(rest))
        elif macro == 'Fc' and pending:
            line, name, args = pending
            self.functions.append(Function(result, name, tuple(args), line))
            return '', None
        return result, pending

    def _end_display(self, heading, display):
        if heading == 'EXAMPLES':
            self.examples.append(display)


def pages(tree, folder='docs/man'):
    for path in sorted((tree.root / folder).glob('*.[1-9]')):
        name = path.relative_to(tree.root).as_posix()
        yield Page(name, path.read_text(encoding='utf-8'))
