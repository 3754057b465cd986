#!/usr/bin/env python3
"""What is seen of a program from outside: check.py CASE, with the paths of what
was built in the environment. A program stands still in known places
(program.c); each case looks at it in its own way."""

import contextlib
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SKIPPED = 77
SECONDS = 60
ARM = os.uname().machine == 'aarch64'
HERE = Path(__file__).resolve().parent
TOOLS = HERE.parent.parent / 'sched/observe/tools'
EVENTS = TOOLS.parent / 'events.def'


def path(name):
    """Of something that was built."""
    return os.environ[name]


def skip(why):
    print(f'left out: {why}')
    sys.exit(SKIPPED)


def check(ok, what, text=''):
    if not ok:
        sys.exit(f'{what}\n{text}')


def run(*command, **options):
    return subprocess.run(command, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=SECONDS,
                          errors='replace', **options)


def looks_like(text, *patterns):
    """The patterns stand in the text, in this order."""
    at = 0
    for pattern in patterns:
        found = re.compile(pattern, re.M).search(text, at)
        check(found, f'not found: {pattern}', text)
        at = found.end()


@contextlib.contextmanager
def standing(program, **environment):
    """The program, once it stands where it will stay."""
    with subprocess.Popen([program], stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.PIPE,
                          env={**os.environ, **environment}) as process:
        try:
            check(process.stdout.readline() == 'ready\n', 'not ready')
            yield process
        finally:
            process.kill()


def ps(*arguments):
    looked = run(path('ROOST_PS'), *map(str, arguments))
    if 'Operation not permitted' in looked.stdout:
        skip('processes may not be looked at here (ptrace)')
    return looked


TREE = [r'^runtime station: 2 workers$', r'^  scope 0x',
        r'^ +scope 0x[0-9a-f]+ requests( closing)?$']
WRITER = r'^ +task writer: channel receive 0x[0-9a-f]+'
READER = r'^ +task reader: event 0x'


def has_tasks(text):
    looks_like(text, *TREE)
    looks_like(text, TREE[-1], WRITER)
    looks_like(text, TREE[-1], READER)


def case_ps():
    before = time.monotonic()
    with standing(path('PROGRAM')) as process:
        stood = time.monotonic()
        text = ps(process.pid).stdout
        has_tasks(text)
        looks_like(text, r'^  worker \d: 0 new tasks, 0 ready; runs busy$',
                   r'^ +count_the_stars at program\.c:\d+$',
                   r'^ +busy at program\.c:\d+$')
        looks_like(text, WRITER, r'^ +roost_chan_recv\w* at chan\.c:\d+$',
                   r'^ +wait_for_godot at program\.c:\d+$',
                   r'^ +writer at program\.c:\d+$')
        looks_like(text, READER, r'^ +roost_event_wait\w* at ',
                   r'^ +wait_for_the_bus at program\.c:\d+$',
                   r'^ +reader at program\.c:\d+$')
        check('fiber_switch' not in text and 'worker_loop' not in text,
              "the library's own frames", text)

        whole = ps('-a', process.pid).stdout
        looks_like(whole, WRITER, r'^ +switch_to ', r'^ +wait_for_godot ',
                   r'^ +worker_loop ')
        quick = ps('-q', process.pid).stdout
        has_tasks(quick)
        check('wait_for' not in quick, 'backtraces with -q', quick)
        waited = time.monotonic() - stood
        quick = ps('-q', process.pid).stdout
        ago = re.search(WRITER + r' for (\d+\.\d{3}) s$', quick, re.M)
        check(ago and waited <= float(ago[1]) <= time.monotonic() - before,
              f'it has waited for {waited} s', quick)

        state = Path(f'/proc/{process.pid}/status').read_text()
        check(re.search(r'^State:\s+[RS]', state, re.M),
              'it does not go on', state)


def case_ps_stripped():
    """Neither symbols nor a library of its own: all that there is by name, and
    the addresses of the frames."""
    with standing(path('STRIPPED')) as process:
        text = ps(process.pid).stdout
        has_tasks(text)
        looks_like(text, WRITER, *[r'^ +0x[0-9a-f]+ in \S+stripped$'] * 6)


def case_ps_core():
    with tempfile.TemporaryDirectory() as folder:
        forever = resource.getrlimit(resource.RLIMIT_CORE)[1]
        if forever == 0:
            skip('no cores are written here (ulimit -c)')
        dead = run(path('PROGRAM'), 'crash', cwd=folder, preexec_fn=lambda:
                   resource.setrlimit(resource.RLIMIT_CORE, (forever,) * 2))
        check(dead.returncode == -signal.SIGABRT, 'it did not crash',
              dead.stdout)
        cores = list(Path(folder).iterdir())
        if not cores:
            skip('cores go elsewhere here (/proc/sys/kernel/core_pattern)')
        text = ps(cores[0]).stdout
        has_tasks(text)
        looks_like(text, r'runs busy$', r'^ +abort ', r'^ +busy_crash ')
        looks_like(text, WRITER, r'^ +wait_for_godot at program\.c:\d+$')
        looks_like(text, READER, r'^ +wait_for_the_bus at program\.c:\d+$')
        case_gdb_on(path('PROGRAM'), str(cores[0]))
        top = run(path('ROOST_TOP'), str(cores[0]))
        check(top.returncode == 1 and 'is a core' in top.stdout, 'a core in top',
              top.stdout)


def case_ps_wrong():
    for arguments, words in [
            (('4194304',), 'No such'), (('/nowhere',), 'No such file'),
            ((EVENTS,), 'no core file'), ((os.getpid(),), 'roost is not in it'),
            ((), 'which process or core'), (('1', '2'), 'one process')]:
        looked = ps(*arguments)
        check(looked.returncode != 0 and words in looked.stdout,
              f'{arguments}: no "{words}"', looked.stdout)


def case_ps_layouts():
    """Of another library: what it is that is not as it should be."""
    for kind, words in [('version', r'has layout (\d+), not (?!\1$)\d+'),
                        ('value', 'older than this program: it does not tell '
                                  'of wait_parked'),
                        ('items', 'layout cannot be read there'),
                        ('table', 'layout cannot be read there')]:
        with standing(path('LAYOUTS'), KIND=kind) as process:
            looked = ps(process.pid)
        check(looked.returncode != 0 and looked.stdout.count('roost: ') == 2,
              kind, looked.stdout)
        looks_like(looked.stdout, f'^roost: the library.* {words}$',
                   r'^roost: \d+: it cannot be shown$')


def case_top():
    with standing(path('PROGRAM')) as process:
        text = run(path('ROOST_TOP'), '-n', '3', '-d', '0.1',
                   str(process.pid)).stdout
        heads = re.findall(r'^runtime station: 2 workers', text, re.M)
        check(len(heads) == 3, f'{len(heads)} looks, not 3', text)
        looks_like(text, *[r'^worker +run/s ', r'  busy$'] * 3)
        # The first counts from the start; nothing is begun after that.
        counts = re.findall(r'^ +\d +(\d+) ', text, re.M)
        check(sum(map(int, counts[:2])) >= 3 and set(counts[2:]) == {'0'},
              'counts', text)
    wrong = run(path('ROOST_TOP'), '-d', 'x', '1')
    check(wrong.returncode != 0 and 'takes a number' in wrong.stdout, '-d x',
          wrong.stdout)


def dump_of(process):
    """What it writes when it is asked to."""
    process.send_signal(signal.SIGQUIT)
    text = ''
    while not ('task reader' in text and 'task writer' in text):
        line = process.stderr.readline()
        check(line != '', 'it has ended', text)
        text += line
    return text


def case_quit():
    """Twice, so that it is seen to go on."""
    with standing(path('PROGRAM')) as process:
        for _ in range(2):
            has_tasks(dump_of(process))


# Where the tasks of program.c wait: task, function, what stands in the line.
WAITS = [('writer', 'wait_for_godot', 'roost_chan_recv('),
         ('reader', 'wait_for_the_bus', 'roost_event_wait(')]


def line_with(words):
    lines = (HERE / 'program.c').read_text().splitlines()
    found = [i for i, line in enumerate(lines, 1) if words in line]
    check(len(found) == 1, f'{words} stands in lines {found}')
    return found[0]


def has_places(text):
    for task, function, words in WAITS:
        looks_like(text, rf'^ +task {task}: .* for \d+\.\d+ s, in {function} at '
                   rf'program\.c:{line_with(words)}$')


def need_libdw():
    if shutil.which('ldconfig', path='/sbin:/usr/sbin') and \
            'libdw.so.1' not in run('/sbin/ldconfig', '-p').stdout:
        skip('there is no libdw here')


def case_places():
    """The lines, where libdw finds them."""
    need_libdw()
    with standing(path('PROGRAM')) as process:
        has_places(dump_of(process))


def places_by(linker):
    """The library is in the program, laid out by that linker."""
    need_libdw()
    with standing(path(f'BY_{linker}')) as process:
        has_places(dump_of(process))


def case_places_by_bfd():
    places_by('bfd')


def case_places_by_gold():
    places_by('gold')


def case_places_by_lld():
    places_by('lld')


def case_places_by_mold():
    places_by('mold')


def case_places_by_lto():
    """Its functions may lie anywhere, or in each other; seen from outside, too."""
    places_by('lto')
    if 'ROOST_PS' in os.environ:
        with standing(path('BY_lto')) as process:
            text = ps(process.pid).stdout
        looks_like(text, WRITER, r'^ +wait_for_godot at program\.c:\d+$')
        looks_like(text, READER, r'^ +wait_for_the_bus at program\.c:\d+$')


def unknown_in(program):
    """It is said, not left out, nor is some place in the library named."""
    with standing(program) as process:
        text = dump_of(process)
    for task, _, _ in WAITS:
        looks_like(text,
                   rf'^ +task {task}: .* for \d+\.\d+ s, place unknown$')


def case_places_unmarked():
    unknown_in(path('UNMARKED'))


def case_places_ucontext():
    unknown_in(path('PROGRAM'))


def offset_in(text, task, program):
    found = re.search(rf'^ +task {task}: .* s, in (\w+ \()?'
                      rf'{re.escape(Path(program).name)}\+(0x[0-9a-f]+)\)?$',
                      text, re.M)
    check(found, f'no offset of {task}', text)
    return found[2]


def case_places_offsets():
    """Without libdw: what addr2line makes of it."""
    with standing(path('PROGRAM'), LD_LIBRARY_PATH=path('NO_LIBDW')) as process:
        text = dump_of(process)
    for task, function, words in WAITS:
        offset = offset_in(text, task, path('PROGRAM'))
        there = run('addr2line', '-f', '-e', path('PROGRAM'), offset).stdout
        looks_like(there, rf'^{function}$', rf'/program\.c:{line_with(words)}\b')


def case_places_stripped():
    """The library is in the program, nothing has a name: what stands at the
    offset is a call of the library's code, and no part of it. That is between
    its names in the program as it was before it was stripped, but for what a
    compiler has set apart as cold, which is with the program's."""
    with standing(path('STRIPPED')) as process:
        text = dump_of(process)
    names = run('nm', path('UNSTRIPPED')).stdout
    own = {int(at, 16) for at in
           re.findall(r'^(\w+) [tT] roost_\w+$', names, re.M)}
    low, high = min(own), max(own)
    program = [int(at, 16) for at in
               re.findall(r'^(\w+) [tT] wait_for_(?:godot|the_bus)$', names, re.M)]
    check(not any(low <= at <= high for at in program), 'mixed', names)
    offsets = {int(offset_in(text, task, path('STRIPPED')), 16)
               for task, _, _ in WAITS}
    check(len(offsets) == 2, 'both at one place', text)
    for at in offsets:
        check(not low <= at <= high, 'the library', text)
        code = run('objdump', '-d', f'--start-address={at - (3 if ARM else 4)}',
                   f'--stop-address={at + 1}', path('STRIPPED')).stdout
        called = re.findall(r'\t(?:call|bl) +(?:0x)?([0-9a-f]+)', code)
        check(called and int(called[-1], 16) in own, 'no call of it', code)


def gdb(*commands, target=()):
    if shutil.which('gdb') is None:
        skip('there is no gdb here')
    script = ['-ex', f'source {TOOLS}/roost-gdb.py']
    for command in commands:
        script += ['-ex', command]
    return run('gdb', '-nx', '-batch', *script, *target).stdout


def case_gdb_on(*target):
    text = gdb('info roost tasks', 'roost bt writer', 'roost bt nobody',
               target=target)
    if 'Operation not permitted' in text:
        skip('processes may not be looked at here (ptrace)')
    has_tasks(text)
    looks_like(text, r'^task writer: channel receive', r'^#0 .* in switch_to ',
               r'^#\d+ .* in wait_for_godot at .*program\.c:\d+$',
               r'^#\d+ .* in writer at .*program\.c:\d+$')
    looks_like(text, r'no task nobody')


def case_gdb():
    with standing(path('PROGRAM')) as process:
        case_gdb_on('-p', str(process.pid))


def kinds():
    """The events that have probes; the ends of arrows are none, and the spans
    of tasks begin and end with others."""
    lines = re.findall(r'^EVENT_LINE\((\w+), (\w+), "(\w+)"',
                       EVENTS.read_text(), re.M)
    return {kind for kind, shape, category in lines
            if shape != 'FLOW' and category != 'life'}


def in_file(binary):
    """(address, size) of each section that is written to and not .bss."""
    text = run('readelf', '--sections', '--wide', binary).stdout
    return [(int(start, 16), int(size, 16)) for start, size in re.findall(
        r' PROGBITS +([0-9a-f]+) [0-9a-f]+ ([0-9a-f]+) +\w+ +WA ', text)]


def case_probes():
    """Each event of the table has its probe, in both forms of the library, and
    all of them one semaphore."""
    for binary in (path('LIBRARY'), path('STRIPPED')):
        notes = run('readelf', '--notes', '--wide', binary).stdout
        probes = re.findall(r'Provider: roost\s+Name: (\w+)\s+Location: \S+, '
                            r'Base: \S+, Semaphore: (0x[0-9a-f]+)\s+'
                            r'Arguments: (.*)', notes)
        check({name for name, _, _ in probes} == kinds(),
              'other probes than events', notes)
        semaphores = {int(semaphore, 16) for _, semaphore, _ in probes}
        check(len(semaphores) == 1 and 0 not in semaphores,
              'not one semaphore', notes)
        for _, _, arguments in probes:
            check(len(arguments.split()) == 3, 'not three arguments', notes)
        check(any(start <= semaphore < start + size
                  for semaphore in semaphores
                  for start, size in in_file(binary)),
              'the kernel raises only what stands in the file')


def case_probes_fire():
    """gdb attaches to a probe as all tools do: by the note, raising the word
    that it names."""
    with tempfile.NamedTemporaryFile('w') as script:
        script.write('break main\nrun\nbreak -probe-stap roost:NAMED\n'
                     'commands\nsilent\n'
                     'printf "begins: %s\\n", (char *)$_probe_arg0\n'
                     'continue\nend\ncontinue\n')
        script.flush()
        text = gdb(target=('-x', script.name, '--args', path('PROGRAM'),
                           'crash'))
    looks_like(text, r'^begins: ', 'SIGABRT')
    begun = set(re.findall(r'^begins: (\w+)$', text, re.M))
    check(begun == {'reader', 'writer', 'busy'}, f'begun: {begun}', text)


def need_bpftrace():
    if shutil.which('bpftrace') is None:
        skip('there is no bpftrace here')
    if os.geteuid() != 0:
        skip('bpftrace is for root')


def case_scripts():
    """bpftrace makes programs of its scripts for this library."""
    need_bpftrace()
    scripts = sorted(TOOLS.glob('*.bt'))
    check(len(scripts) == 3, 'three scripts')
    for script in scripts:
        made = run('bpftrace', '-d', str(script), path('LIBRARY'))
        check(made.returncode == 0 and 'usdt:' in made.stdout,
              f'{script.name} is not understood', made.stdout[-2000:])


def traced_by(text, *program):
    """What bpftrace prints of a program that runs once all is attached: what it
    prints at all is printed then."""
    with tempfile.NamedTemporaryFile('w', suffix='.bt') as script:
        script.write(text + 'interval:ms:100 { printf("attached\\n"); }\n')
        script.flush()
        with subprocess.Popen(['bpftrace', '-B', 'line', script.name,
                               path('LIBRARY')], text=True,
                              stdout=subprocess.PIPE) as tracer:
            said = ''
            while 'attached' not in said:
                line = tracer.stdout.readline()
                check(line != '', 'it has ended', said)
                said += line
            run(*program)
            tracer.send_signal(signal.SIGINT)
            return said + tracer.stdout.read()


def case_bpftrace():
    """For real, where the kernel lets it: it raises the semaphore itself. In
    file systems of its own, if tracefs is not there."""
    need_bpftrace()
    if not os.path.exists('/sys/kernel/tracing/uprobe_events'):
        mount = 'mount -t tracefs tracefs /sys/kernel/tracing || exit 77'
        if 'MOUNTED' in os.environ:
            skip('nothing can be attached here: no tracefs, or no uprobes')
        if run('unshare', '-m', 'true').returncode != 0:
            skip('no tracefs, and none can be mounted: no rights, or a chroot')
        os.execvpe('unshare', ['unshare', '-m', 'sh', '-c',
                               f'{mount}; exec "$0" -B "$@"', sys.executable,
                               *sys.argv], {**os.environ, 'MOUNTED': '1'})
    text = traced_by('usdt:$1:roost:NAMED '
                     '{ printf("begins: %s\\n", str(arg0)); }\n',
                     path('PROGRAM'), 'crash')
    begun = set(re.findall(r'^begins: (\w+)$', text, re.M))
    check(begun == {'reader', 'writer', 'busy'}, f'begun: {begun}', text)
    for name, seen in [('waits', [r'^@waited_us\[sleep\]: *$']),
                       ('cancels', [r' 2 +short$',
                                    r'^@cancelled_by_reason\[2\]: 1$',
                                    r'^@deadlines: 1$']),
                       ('work', [r'^@call_us\['])]:
        text = traced_by((TOOLS / f'roost-{name}.bt').read_text(),
                         path('TRACED'), 'plain')
        for pattern in seen:
            looks_like(text, pattern)


if __name__ == '__main__':
    globals()[f'case_{sys.argv[1]}']()
