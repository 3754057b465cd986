/*
 * layout.h - where what stands in memory: a table in the library, for programs
 * that look at a process or a core from outside (roost-ps, roost-top, gdb).
 *
 * The table is found without symbols, so in stripped programs too: a note of
 * the owner "roost", type ROOST_NOTE, holds the distance to it. It says of each
 * value what it is called, so whoever reads it needs to know no order and goes
 * on when values are added. `version` is raised when one means something else.
 *
 * REJECTED  The library's debugging information: what is installed has none. A
 *           symbol that is exported: a program that is linked statically and
 *           stripped has no symbols, and it would be one more promise. Looking
 *           through all data for the magic: slow, and it finds copies.
 */
#ifndef ROOST_LAYOUT_H
#define ROOST_LAYOUT_H

#include <stdint.h>

#define ROOST_NOTE 1
#define LAYOUT_MAGIC "roostlay"
#define LAYOUT_VERSION 1

/* OFFSET(name, type, member), CONSTANT(name, value). */
#define LAYOUT_VALUES(OFFSET, CONSTANT)                                        \
    OFFSET(runtime_link, runtime, link)                                        \
    OFFSET(runtime_name, runtime, name)                                        \
    OFFSET(runtime_number, runtime, number)                                    \
    OFFSET(runtime_workers, runtime, workers)                                  \
    OFFSET(runtime_worker_count, runtime, worker_count)                        \
    OFFSET(runtime_root, runtime, root)                                        \
    OFFSET(runtime_offloaded, runtime, pool.taken)                             \
    OFFSET(runtime_polled, runtime, poller.looks)                              \
    OFFSET(runtime_clock, runtime, opts.clock)                                 \
    OFFSET(runtime_virtual_now, runtime, virtual_now)                          \
    CONSTANT(clock_virtual, ROOST_CLOCK_VIRTUAL)                               \
    CONSTANT(moment_shift, MOMENT_SHIFT)                                       \
    CONSTANT(worker_size, sizeof(struct worker))                               \
    OFFSET(worker_frame, worker, frame)                                        \
    OFFSET(worker_fiber, worker, fiber)                                        \
    OFFSET(worker_sleeps_until, worker, sleeps_until)                          \
    OFFSET(worker_bottom, worker, deque.bottom)                                \
    OFFSET(worker_top, worker, deque.top)                                      \
    OFFSET(worker_tail, worker, ring.tail)                                     \
    OFFSET(worker_head, worker, ring.head)                                     \
    OFFSET(worker_run, worker, counters.run)                                   \
    OFFSET(worker_inlined, worker, counters.inlined)                           \
    OFFSET(worker_stolen, worker, counters.stolen)                             \
    OFFSET(worker_switched, worker, counters.switched)                         \
    OFFSET(worker_parked, worker, counters.parked)                             \
    OFFSET(worker_fired, worker, timers.fired)                                 \
    OFFSET(worker_in_place_left, worker, in_place_left)                        \
    CONSTANT(worker_turns, WORKER_TURNS)                                       \
    OFFSET(fiber_sp, fiber, context.sp)                                        \
    OFFSET(fiber_frame, fiber, frame)                                          \
    OFFSET(fiber_low, fiber, stack.low)                                        \
    OFFSET(fiber_top, fiber, stack.top)                                        \
    OFFSET(frame_scope, frame, scope)                                          \
    OFFSET(frame_linked, frame, linked)                                        \
    OFFSET(frame_marks, frame, marks)                                          \
    OFFSET(frame_link, frame, link)                                            \
    OFFSET(frame_scopes, frame, scopes)                                        \
    OFFSET(frame_desc, frame, desc)                                            \
    OFFSET(frame_state, frame, waiter.state)                                   \
    OFFSET(frame_fiber, frame, waiter.fiber)                                   \
    OFFSET(frame_what, frame, waiter.what)                                     \
    OFFSET(frame_object, frame, waiter.object)                                 \
    OFFSET(frame_since, frame, waiter.since)                                   \
    CONSTANT(linked_desc, LINK_DESC)                                           \
    CONSTANT(marks_desc, F_DESC)                                               \
    OFFSET(desc_name, task_desc, name)                                         \
    OFFSET(scope_flags, scope, flags)                                          \
    OFFSET(scope_count, scope, count)                                          \
    OFFSET(scope_tasks, scope, tasks)                                          \
    OFFSET(scope_attach, scope, attach)                                        \
    OFFSET(scope_rare, scope, rare)                                            \
    OFFSET(rare_name, scope_rare, name)                                        \
    CONSTANT(name_size, TASK_NAME_SIZE)                                        \
    CONSTANT(scope_full, S_FULL)                                               \
    CONSTANT(scope_cancelled, S_CANCELLED)                                     \
    CONSTANT(scope_shield, S_SHIELD)                                           \
    CONSTANT(count_parked, COUNT_PARKED)                                       \
    CONSTANT(wait_phase, WAIT_PHASE)                                           \
    CONSTANT(wait_waiting, WAIT_WAITING)                                       \
    CONSTANT(wait_parked, WAIT_PARKED)

#define LAYOUT_ITEM(name, ...) LAYOUT_##name,
enum layout_item { LAYOUT_VALUES(LAYOUT_ITEM, LAYOUT_ITEM) LAYOUT_ITEMS };
#undef LAYOUT_ITEM

struct layout {
    char magic[8];
    uint32_t version;
    uint32_t items;        /* so many values */
    const void *runtimes;  /* struct list: the runtimes of the process */
    const char *names;     /* of the values, a blank after each */
    const uint64_t *value; /* in the order of the names */
    const int64_t *resume; /* switch.h: a context that does not run stands at
                              resume + *resume, its stack pointer is fiber_sp;
                              the unwind information there does the rest.
                              NULL: nobody knows (ucontext) */
};

#endif
