/*
 * trace.h - what a runtime is doing: counters, the tree of its tasks, and a
 * record of what happens, to be looked at on a time line.
 */
#ifndef ROOST_TRACE_H
#define ROOST_TRACE_H

#include <roost/base.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Counted since the runtime started; each worker's own, added up on asking, so
 * figures taken while it works are a few operations old. */
typedef struct roost_stats {
    unsigned workers;
    uint64_t spawned;      /* tasks accepted; in the sum alone also those of
                              roost_spawn_when that have not begun */
    uint64_t run;          /* tasks begun */
    uint64_t inlined;      /* of these, in place on their parent's stack */
    uint64_t stolen;       /* of these, taken from another worker */
    uint64_t switched;     /* changes from one stack to another */
    uint64_t parked;       /* times a worker went to sleep */
    uint64_t woken;        /* of these, ended by others, not by its own timer */
    uint64_t polled;       /* looks at the poller */
    uint64_t timers_armed; /* armed in a wheel */
    uint64_t timers_fired;
    uint64_t cancelled; /* scopes cancelled, softly or not, each once; those by
                           threads that are no worker are in the sum alone */
    uint64_t offloaded; /* calls handed to the blocking pool */
    size_t fibers;      /* in existence, at work and spare */
    size_t stacks;      /* the same of stacks */
    size_t stack_bytes; /* address space that they take */
    uint64_t reserved_[16];
} roost_stats;

/*
 * Reads the counters of a runtime, all workers added up.
 *   rt   NULL: the current one
 *   out  written on success
 *   0, or -EINVAL: out NULL, rt NULL on a plain thread, a forked child
 * Never waits. Who: anybody while rt is not freed. Cost: 20 loads a worker.
 */
ROOST_API int roost_stats_get(roost_runtime *rt, roost_stats *out);

/*
 * The same for one worker, 0 to workers - 1 (workers in *out stays that of the
 * runtime); -EINVAL for another.
 */
ROOST_API int roost_stats_worker(roost_runtime *rt, unsigned worker,
                                 roost_stats *out);

/*
 * Prints counters in the text format of Prometheus, roost_tasks_run_total and
 * the like: for a server's /metrics.
 *   stats  of roost_stats_get or _worker
 *   0, -EINVAL: NULL; -EIO: out has an error
 * Never waits as a task, but may block in out. Who: anybody. Cost: 32 lines.
 */
ROOST_API int roost_stats_print(const roost_stats *stats, FILE *out);

/*
 * Writes the scopes and tasks of the current runtime as a tree to a descriptor:
 * name, state, what it waits for, for how long, until when, and where; of a
 * scope its deadline. Of the tasks that have never waited it names those that
 * run just now, where the kernel has process_vm_readv. On a plain thread: every
 * runtime of the process. How long is never too short, but too long by as much
 * as the worker did since it looked at its clock: 61 turns at the most. Where
 * is the function and line with the call, if there is debugging information and
 * libdw to read it, else the offset in the program, for addr2line. "place
 * unknown": with ucontext's switch, without libgcc_s, or in a program that was
 * optimised at link time together with the library. Decisions 0030, 0032.
 *   0, -EINVAL in a forked child, or the negative errno of write
 * Holds up spawns and ends while it looks, not while it writes: the text is put
 * together in memory, and written as it is found only if there is none. Blocks
 * in write and while it reads debugging information, never as a task. Takes the
 * loader's lock, without any of its own. Who: anybody.
 * Cost: a line and 5 us a task; some ms to find the lines.
 */
ROOST_API int roost_dump(int fd);

/*
 * Records from now on what every runtime of the process does, into a file of
 * Chrome's trace-event JSON, which opens in ui.perfetto.dev and
 * chrome://tracing: docs/guide/tracing.md tells what is in it.
 *   path  created, or emptied; the name is copied
 *   0, -EINVAL: path NULL, no runtime in the process, a forked child.
 *   -EALREADY: a trace is running. -ENOMEM, -EAGAIN: no memory or no thread for
 *   the writer; else the negative errno of open(2). Then no trace runs.
 * It ends by roost_trace_stop, or with the runtime that it was started in, or,
 * started on a plain thread, with the last one; the file is complete then. With
 * the environment variable ROOST_TRACE=path one starts with a runtime and ends
 * with it, unless one is running.
 * Blocks in open, never as a task. Who: anybody.
 * Cost: an event 70 ns, 64 bytes until it is written, and its turn of a thread
 * that writes; off, a load. 1 MiB of address space for each thread with events,
 * 1024 of them at most. No event waits for the file: what finds no room is
 * dropped, and counted there in otherData.dropped.
 */
ROOST_API int roost_trace_start(const char *path);

/*
 * Ends the trace and completes its file.
 *   0, -EINVAL: none is running, or a forked child; or the negative errno of
 *   the write(2) or close(2) that failed first. The trace has ended then, too.
 * Blocks until all is written, never as a task. Who: anybody.
 */
ROOST_API int roost_trace_stop(void);

#ifdef __cplusplus
}
#endif

#endif
