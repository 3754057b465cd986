"""roost in gdb: `info roost tasks`, `roost bt NAME`.

Loaded by gdb itself where the library is installed, else by `source`. What
stands where in memory is read from the table that layout.h describes, so
neither symbols nor debugging information of the library are needed, and cores
will do.

A task that waits has a stack, but no thread. `roost bt` lays it under the
innermost frame of the selected thread for as long as it prints: an unwinder
says that this frame was called from where the task's context stands.
"""

import re
import struct

import gdb
import gdb.unwinder

SECTION = re.compile(r'(0x[0-9a-f]+) - 0x[0-9a-f]+ is \.note\.roost\b')
DEPTH_MAX = 64
LENGTH_MAX = 100000
VERSION = 1


def read(address, size):
    return bytes(gdb.selected_inferior().read_memory(address, size))


def word(address):
    return struct.unpack('<Q', read(address, 8))[0]


def half(address):
    return struct.unpack('<I', read(address, 4))[0]


def string(address, size=64):
    """Up to its end; what cannot be read is empty."""
    text = b''
    try:
        while len(text) < size:
            byte = read(address + len(text), 1)
            if byte == b'\0':
                break
            text += byte
    except gdb.MemoryError:
        pass
    return text.decode('utf-8', 'replace')


class Library:
    """One copy of the library: its table, by name."""

    def __init__(self, note):
        name_size, _, _ = struct.unpack('<III', read(note, 12))
        content = note + 12 + (name_size + 3) // 4 * 4
        table = content + struct.unpack('<q', read(content, 8))[0]
        magic, version, items, self.runtimes, names, values, resume = \
            struct.unpack('<8sIIQQQQ', read(table, 48))
        if magic != b'roostlay' or version != VERSION:
            raise gdb.GdbError(f'roost: layout {version}, not {VERSION}')
        self.resume = 0
        if resume != 0:
            self.resume = resume + struct.unpack('<q', read(resume, 8))[0]
        numbers = struct.unpack(f'<{items}Q', read(values, 8 * items))
        self.value = dict(zip(string(names, 8192).split(), numbers))

    def at(self, base, item):
        return base + self.value[item]

    def list(self, head, member):
        """What is in the list that begins at head, by its links."""
        link = word(head)
        for _ in range(LENGTH_MAX):
            if link in (0, head):
                return
            yield link - self.value[member]
            link = word(link)


def libraries():
    files = gdb.execute('info files', to_string=True)
    found = [Library(int(m[1], 16)) for m in SECTION.finditer(files)]
    if not found:
        raise gdb.GdbError('roost: it is not in this program')
    return found


class Task:
    def __init__(self, library, runtime, frame, depth):
        self.library = library
        self.frame = frame
        self.depth = depth
        self.fiber = word(library.at(frame, 'frame_fiber'))
        self.name = ''
        if half(library.at(frame, 'frame_linked')) & \
                library.value['linked_desc']:
            desc = word(library.at(frame, 'frame_desc'))
            self.name = string(library.at(desc, 'desc_name'), 32)
        self.worker = on_worker(library, runtime, self.fiber)

    def state(self):
        value = self.library.value
        phase = half(self.library.at(self.frame, 'frame_state'))
        if phase & value['wait_phase'] == value['wait_waiting']:
            what = word(self.library.at(self.frame, 'frame_what'))
            thing = word(self.library.at(self.frame, 'frame_object'))
            return string(what) + (f' {thing:#x}' if thing else '')
        if self.fiber == 0:
            return 'the runtime itself'
        return 'ready' if self.worker is None else f'on worker {self.worker}'

    def has_stack(self):
        """Of its own to show: nobody is on it, nothing runs in place above."""
        if self.fiber == 0 or self.worker is not None:
            return False
        return word(self.library.at(self.fiber, 'fiber_frame')) == self.frame


def on_worker(library, runtime, fiber):
    first = word(library.at(runtime, 'runtime_workers'))
    for i in range(half(library.at(runtime, 'runtime_worker_count'))):
        worker = first + i * library.value['worker_size']
        if word(library.at(worker, 'worker_fiber')) == fiber and \
                word(library.at(worker, 'worker_frame')) != 0:
            return i
    return None


def scope_line(library, scope, flags):
    name = ''
    value = library.value
    if flags & value['scope_full']:
        rare = word(library.at(scope, 'scope_rare'))
        if rare:
            name = ' ' + string(library.at(rare, 'rare_name'), 32)
    count = word(library.at(scope, 'scope_count'))
    return (f'scope {scope:#x}{name}'
            + (' cancelled' if flags & value['scope_cancelled'] else '')
            + (' shielded' if flags & value['scope_shield'] else '')
            + (' closing' if count & value['count_parked'] else ''))


def walk(library, runtime, scope, depth):
    """(depth, line, task or None) of all that is in a scope."""
    flags = half(library.at(scope, 'scope_flags'))
    yield depth, scope_line(library, scope, flags), None
    if depth >= DEPTH_MAX or not flags & library.value['scope_full']:
        return
    for frame in library.list(library.at(scope, 'scope_tasks'), 'frame_link'):
        task = Task(library, runtime, frame, depth + 1)
        yield depth + 1, f'task {task.name or "(unnamed)"}', task
        scopes = library.at(frame, 'frame_scopes')
        for inner in library.list(scopes, 'scope_attach'):
            yield from walk(library, runtime, inner, depth + 2)


def everything():
    for library in libraries():
        for runtime in library.list(library.runtimes, 'runtime_link'):
            name = string(library.at(runtime, 'runtime_name'), 32)
            count = half(library.at(runtime, 'runtime_worker_count'))
            yield 0, f'runtime {name or "(unnamed)"}: {count} workers', None
            root = library.at(runtime, 'runtime_root')
            yield from walk(library, runtime, root, 1)


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


def registers():
    """The names of (program counter, stack pointer)."""
    arch = gdb.selected_frame().architecture().name()
    return ('pc', 'sp') if arch.startswith('aarch64') else ('rip', 'rsp')


class FiberUnwinder(gdb.unwinder.Unwinder):
    """While `fiber` is (pc, sp): the frame at stack pointer `under` was called
    from there."""

    def __init__(self):
        super().__init__('roost')
        self.fiber = None
        self.under = None

    def __call__(self, frame):
        if self.fiber is None:
            return None
        pc_name, sp_name = registers_here
        sp = frame.read_register(sp_name)
        if int(sp) != self.under:
            return None
        pc = frame.read_register(pc_name)
        # Inner than all frames of the fiber, whatever the thread's stack is.
        info = frame.create_unwind_info(
            FrameId(gdb.Value(self.fiber[1] - 16).cast(sp.type), pc))
        info.add_saved_register(
            pc_name, gdb.Value(self.fiber[0]).cast(pc.type))
        info.add_saved_register(
            sp_name, gdb.Value(self.fiber[1]).cast(sp.type))
        return info


registers_here = ('rip', 'rsp')
unwinder = FiberUnwinder()
gdb.unwinder.register_unwinder(None, unwinder, replace=True)


def frame_line(number, frame):
    sal = frame.find_sal()
    where = ''
    if sal.symtab is not None:
        where = f' at {sal.symtab.filename}:{sal.line}'
    return f'#{number}  {frame.pc():#x} in {frame.name() or "??"}{where}'


def backtrace(task):
    """Its lines, from the context switch outward."""
    global registers_here
    newest = gdb.newest_frame()
    registers_here = registers()
    sp = word(task.library.at(task.fiber, 'fiber_sp'))
    try:
        unwinder.under = int(newest.read_register(registers_here[1]))
        unwinder.fiber = (task.library.resume, sp)
        gdb.invalidate_cached_frames()
        frame = gdb.newest_frame().older()
        number = 0
        while frame is not None and frame.is_valid():
            yield frame_line(number, frame)
            number += 1
            frame = frame.older()
    finally:
        unwinder.fiber = None
        gdb.invalidate_cached_frames()


class InfoRoost(gdb.Command):
    """What roost does in this program: `info roost tasks`."""

    def __init__(self):
        super().__init__('info roost', gdb.COMMAND_STATUS, prefix=True)


class InfoRoostTasks(gdb.Command):
    """The scopes and tasks of every runtime: what each task waits for."""

    def __init__(self):
        super().__init__('info roost tasks', gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        for depth, line, task in everything():
            state = f': {task.state()}' if task is not None else ''
            gdb.write(f'{"  " * depth}{line}{state}\n')


class Roost(gdb.Command):
    """Commands about the tasks of roost: `roost bt`."""

    def __init__(self):
        super().__init__('roost', gdb.COMMAND_STACK, prefix=True)


class RoostBacktrace(gdb.Command):
    """roost bt NAME: the stacks of the tasks of this name that wait. Without
    NAME, of all that do. Of one that runs see `thread apply all bt`."""

    def __init__(self):
        super().__init__('roost bt', gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        found = False
        for _, line, task in list(everything()):
            if task is None or argument not in ('', task.name):
                continue
            if task.library.resume == 0:
                raise gdb.GdbError('roost: no stacks of a build with ucontext')
            found = True
            gdb.write(f'{line}: {task.state()}\n')
            if task.has_stack():
                for text in backtrace(task):
                    gdb.write(text + '\n')
        if not found:
            raise gdb.GdbError(f'roost: no task {argument} that has waited')


InfoRoost()
InfoRoostTasks()
Roost()
RoostBacktrace()
