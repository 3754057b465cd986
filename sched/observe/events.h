/*
 * events.h - the events that the scheduler tells of: all that the rest of the
 * library sees of traces and probes; and what a runtime's start and end call.
 *
 *     EVENT(cancel(s, reason));
 *
 * Off, it costs one load and a branch that is predicted; on, some 70 ns
 * (trace.c). On is while a trace runs, or a tool is at a probe (probes.h).
 * There is none in open, spawn and close of plain tasks, nor where they run in
 * place: such a child shows inside its parent's slice, which says how many
 * there were.
 */
#ifndef ROOST_EVENTS_H
#define ROOST_EVENTS_H

#include "base/atomic.h"
#include "base/check.h"
#include <roost/base.h>

struct entry;
struct fiber;
struct job;
struct layout;
struct runtime;
struct scope;
struct task_desc;
struct track;
struct waiter;
struct when;
struct worker;

#ifdef ROOST_MODEL /* it is about what is traced, not about the trace */
#define EVENTS_ON false
#define EVENT(call) ((void)0)
#define EVENT_THREAD(role, rt) ((void)0)
#else
#define EVENTS_ON unlikely(a32_load(&events_on, RELAXED))
#define EVENT(call) (EVENTS_ON ? event_##call : (void)0)
/* What the calling thread is, once at its start; else one of the program's. */
#define EVENT_THREAD(role, rt) event_thread(EVENT_##role, (rt))
#endif

/* M: who wants events. Lower half: a trace is running, see track.c; upper: so
 * many tools look at probes, which they or the kernel write: probes.h. */
#define EVENTS_TRACE 1u
extern a32 events_on __attribute__((visibility("hidden")));

enum event_role { EVENT_PLAIN, EVENT_WORKER, EVENT_WATCH, EVENT_POOL };
void event_thread(enum event_role role, struct runtime *rt);

/* What a thread is, and where it writes. O: of the thread. */
struct event_self {
    enum event_role role;
    unsigned index;
    unsigned runtime;      /* its number; 0: of none */
    char runtime_name[32]; /* and name */
    struct track *track;   /* NULL: none yet */
};
/* A strand of a simulation is as a thread: exchange what the calling thread is
 * for *self; and it has ended. */
void event_use(struct event_self *self);
void event_thread_end(void);

/* Where they are called is laid out as if they never were. */
#define EVENT_COLD __attribute__((cold))

/* The running task, on w's thread, begins or has ended; e is its entry. */
EVENT_COLD void event_task(struct worker *w, const struct entry *e);
EVENT_COLD void event_task_end(struct worker *w, const struct entry *e);
/* The same of one with a descriptor, wherever it runs. */
EVENT_COLD void event_desc(struct worker *w, struct task_desc *d);
EVENT_COLD void event_desc_end(struct worker *w);
/* w is about to leave its fiber; wt: for what, NULL: it steps aside. */
EVENT_COLD void event_leave(struct worker *w, struct fiber *to,
                            const struct waiter *wt);
/* The calling thread leaves `from`, whose worker another thread has taken. */
EVENT_COLD void event_detach(struct fiber *from);
EVENT_COLD void event_wake(struct waiter *wt);
EVENT_COLD void event_spawn(struct task_desc *d);
/* A task that waits before it starts: spawned; and begun, on w's thread. */
EVENT_COLD void event_spawn_when(void);
EVENT_COLD void event_when(struct worker *w, struct when *d);
EVENT_COLD void event_steal(const struct worker *victim);
EVENT_COLD void event_park(void);
EVENT_COLD void event_unpark(void);
EVENT_COLD void event_cancel(struct scope *s, unsigned reason);
EVENT_COLD void event_deadline(struct scope *s);
EVENT_COLD void event_timers(unsigned fired);
/* So many items lie in the channel, whose lock is held. */
EVENT_COLD void event_chan(const void *chan, const char *name, size_t items);
/* A job is handed in; a thread of the pool begins with it, has done. */
EVENT_COLD void event_offload(struct job *j);
EVENT_COLD void event_call(struct job *j);
EVENT_COLD void event_call_end(void);
/* Of a scope with a name; others are passed over. */
EVENT_COLD void event_scope(struct scope *s);
EVENT_COLD void event_scope_end(struct scope *s);

/* --- dump.c --- */
/* The tree as text; rt NULL: of every runtime. 0, or the negative errno of a
 * write. */
int dump_runtime(struct runtime *rt, int fd);
/* The same before the process ends for a bug, which may have broken the tree:
 * what is found is written at once. */
int dump_broken(struct runtime *rt, int fd);

/* --- layout.c --- */
extern const struct layout layout_table;

/* --- trace_file.c --- */
/* ROOST_TRACE: a trace that begins with this runtime, just started. */
void trace_environment(struct runtime *rt);
/* rt has ended; `others`: how many are left. */
void trace_end(struct runtime *rt, unsigned others);
/* A fork: nobody is at it, and in the child no trace runs. */
void trace_before_fork(void);
void trace_after_fork(bool child);

/* --- quit.c: ROOST_DUMP_ON_QUIT; the last two as those of traces --- */
void quit_begin(struct runtime *rt);
void quit_end(struct runtime *rt);
void quit_before_fork(void);
void quit_after_fork(bool child);

#endif
