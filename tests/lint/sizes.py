"""How long, wide and deep code may get, and that braces always stand."""

import functools
import re

from lint import Plant
from source import Finding, WORD_BEFORE, matching, matching_back

FOLDERS = ('sched', 'sync', 'include', 'tests', 'benchmarks', 'docs')
COLUMNS = 80
FUNCTION = 70
PARAMS = 5
NESTING = 3
STATEMENT = re.compile(r'\b(if|for|while|switch|else|do)\b')
# What may be longer, and why.
LONG = {
    'tests/test.h': 600,  # a program's main in a header: as a .c
}
# The contract has those with more, as recvfrom(2) has; a test's stand-in for a
# call of the C library (__wrap_mmap) has what that call has.
MANY_PARAMS = re.compile(r'roost_(parallel_reduce|(recvfrom|sendto)(_until)?)'
                         r'|__wrap_\w+')
# Files that leave braces away on purpose, and why.
WITHOUT_BRACES = {
    'tests/conformance/block_form_test.c': 'that a block is one statement',
}


def file_limit(path):
    if path in LONG:
        return LONG[path]
    if path.endswith('.c') or path.endswith('.cpp'):
        return 600
    return 400 if path.startswith('include/') else 200


def check_lines(source):
    count = len(source.lines) - (source.lines[-1] == '')
    limit = file_limit(source.path)
    if count > limit:
        what = f'{count} lines in a file, {limit} allowed'
        yield Finding(source.path, limit + 1, what)
    for number, line in enumerate(source.lines, 1):
        if len(line) > COLUMNS:
            what = f'{len(line)} columns, {COLUMNS} allowed'
            yield Finding(source.path, number, what)


def is_block(code, at):
    """Whether the brace at `at`, in a function, opens what a control
    statement rules: no initialiser, type or bare block."""
    end = at
    while code[end - 1].isspace():
        end -= 1
    if code[end - 1] == ')':
        # if (...) {, LIST_FOR_EACH(...) {; but not (struct job){
        end = matching_back(code, end - 1)
        return WORD_BEFORE.search(code[max(0, end - 80): end]) is not None
    before = code[max(0, end - 80): end]
    word = WORD_BEFORE.search(before)
    return word is not None and word[1] in ('else', 'do')


def deepest(source, function):
    """(depth, line) of the most nested block of a function."""
    stack = []
    depth = worst = 0
    line = function.first
    code = source.code
    for at in range(function.begin + 1, function.end):
        if code[at] == '{':
            stack.append(is_block(code, at))
            depth += stack[-1]
            if depth > worst:
                worst, line = depth, source.line_of(at)
        elif code[at] == '}':
            depth -= stack.pop()
    return worst, line


def check_functions(source):
    for f in source.functions():
        length = f.last - f.first + 1
        if length > FUNCTION:
            what = f'{f.name}: {length} lines, {FUNCTION} allowed'
            yield Finding(source.path, f.first, what)
        if f.params > PARAMS and not MANY_PARAMS.fullmatch(f.name):
            what = f'{f.name}: {f.params} parameters, {PARAMS} allowed'
            yield Finding(source.path, f.first, what)
        depth, line = deepest(source, f)
        if depth > NESTING:
            what = f'{f.name}: nested {depth} deep, {NESTING} allowed'
            yield Finding(source.path, line, what)


def after(code, at):
    """The offset of what stands next."""
    while at < len(code) and code[at].isspace():
        at += 1
    return at


def follows(code, at):
    """What stands after the statement word that ends at `at` and after its
    parenthesis, if it has one: a few characters of it."""
    at = after(code, at)
    if code[at] == '(':
        at = after(code, matching(code, at) + 1)
    return code[at: at + 3]


def ends_do(code, at):
    """Whether the while at `at` ends a do block."""
    return code[max(0, at - 80): at].rstrip().endswith('}') and follows(
        code, at + len('while')).startswith(';')


def check_braces(source):
    code = source.code
    for m in STATEMENT.finditer(code):
        word, at = m[1], m.end()
        if not source.in_function(m.start()):
            continue
        if word == 'while' and ends_do(code, m.start()):
            continue
        rest = follows(code, at)
        if rest.startswith('{') or word == 'else' and rest.startswith('if'):
            continue
        what = f'{word} without braces'
        yield Finding(source.path, source.line_of(m.start()), what)


@functools.lru_cache(None)
def check_file(source):
    found = list(check_lines(source))
    if source.path.endswith(('.c', '.h')):
        found += check_functions(source)
        if source.path not in WITHOUT_BRACES:
            found += check_braces(source)
    return found


def check(tree, options):
    for source in tree.sources(*FOLDERS, suffixes=('.c', '.h', '.cpp', '.S')):
        yield from check_file(source)


def body(*lines):
    return 'int f(int a)\n{\n' + ''.join(f'    {s}\n' for s in lines) + '}\n'


NESTED = body('if (a) {', '    while (a) {', '        if (a) {',
              '            a = (struct s){.x = {1}}.x[0];', '        }',
              '    }', '}')
PLANTS = [
    Plant('sched/zz.c', '/* ' + 'x' * 80 + ' */\n', '86 columns'),
    Plant('sched/zz.c', 'int x;\n' * 601, '601 lines in a file', 601),
    Plant('sched/zz.c', 'int x;\n' * 600, None),
    Plant('sched/zz.h', 'int x;\n' * 201, '201 lines in a file', 201),
    Plant('include/roost/zz.h', 'int x;\n' * 401, '401 lines', 401),
    Plant('sched/zz.c', '\n' + body(*['a++;'] * 68), 'f: 71 lines', 2),
    Plant('sched/zz.c', body(*['a++;'] * 67), None),
    Plant('tests/unit/zz_test.c', 'TEST(long_one, "R1")\n{\n'
          + '    a++;\n' * 70 + '}\n', 'TEST(long_one): 73 lines'),
    Plant('sched/zz.c', 'static int\nf(int a, int b, int c, int d, int e,\n'
          '  int g)\n{\n}\n', 'f: 6 parameters'),
    Plant('sched/zz.c', 'int f(int a, int b, int c, int (*d)(int, int),\n'
          '      int e[4])\n{\n}\n', None),
    Plant('sched/zz.c', NESTED, None),
    Plant('sched/zz.c', NESTED.replace('a = (struct s){.x = {1}}.x[0];',
          'do {\n            a++;\n            } while (a);'),
          'f: nested 4 deep', 6),
    Plant('sched/zz.c', NESTED.replace('a = (struct s){.x = {1}}.x[0];',
          'ROOST_SCOPE(s, rc) {\n            a++;\n            }'),
          'f: nested 4 deep', 6),
    Plant('sched/zz.c', body('if (a)', '    return 1;', 'return 0;'),
          'if without braces', 3),
    Plant('sched/zz.c', body('if (a) {', '    return 1;', '} else', '    a++;'),
          'else without braces', 5),
    Plant('sched/zz.c', body('for (;;)', '    a++;'), 'for without braces', 3),
    Plant('sched/zz.c', body('while (a)', '    ;'), 'while without braces', 3),
    Plant('sched/zz.c', body('do {', '    a++;', '} while (a);',
          'if (a) {', '} else if (a) {', '} else {', '}'), None),
    Plant('benchmarks/zz.cpp', '//' + 'x' * 79 + '\n', '81 columns'),
]
