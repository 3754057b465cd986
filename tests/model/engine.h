/*
 * engine.h - the explorer's own state and the calls between its files.
 *
 *   explore.c  strategies, budgets, counting       main.c   options, reports
 *   sleep.c    what depth-first need not try       seen.c   what runs have seen
 *   lines.c    which cache lines move
 *   thread.c   fibers, scheduling points, futex    strand.c  the switch
 *   memory.c   histories, views                    plain.c  races, lifetimes
 *   fence.c    fences, the asymmetric barrier
 *   base.c     the leaves of sched/base a real file may need
 *   instrument.c  the compiler's calls at each plain access
 */
#ifndef ROOST_ENGINE_H
#define ROOST_ENGINE_H

#include "model.h"
#include <setjmp.h>
#include <stdio.h>

enum {
    THREADS = MODEL_THREADS + 1, /* thread 0 is setup and check */
    LOCS = 192,                  /* atomic words touched in one run */
    VIEW = THREADS + LOCS,
    CHOICES = 16384,
    STEPS_MAX = 6000
};

/* What a thread knows, or what a store carries: a clock for each thread
 * (happens-before, for races), then for each word the oldest store that may
 * still be read (coherence). Entries from e.width on are not valid. */
struct view {
    uint32_t at[VIEW];
};

struct thread {
    struct view cur;     /* what it has seen */
    struct view acquire; /* what an acquire fence would add */
    struct view release; /* what it knew at its last release fence */
    struct view resumed; /* what came with unpark */
    uint64_t pause_step; /* stores before it are visible to it */
    void *sp;            /* its fiber, while it is not running */
    void (*run)(void);
    uint64_t futex; /* the word it sleeps on, 0: none */
    int64_t deadline;
    int result;        /* of its futex wait */
    uint32_t priority; /* PCT */
    bool parked, token;
};

/* Why a sleeping thread is resumed although nobody woke it. */
enum reason { RUN, TIMEOUT, INTERRUPT };

enum strategy { DFS, RANDOM, PCT, STRATEGIES, REPLAY = STRATEGIES };

struct choice {
    uint16_t taken, count;
    uint32_t spared; /* depth-first: answers that need not be tried */
};

struct engine {
    const struct model *model;
    struct thread *me; /* the running one */
    struct thread threads[THREADS];
    unsigned count; /* threads, with thread 0 */
    uint32_t ready; /* bit sets of threads: can run */
    uint32_t paused;
    uint32_t asleep; /* in a futex */
    bool alone;      /* setup or check: no scheduling */
    bool tracing;
    unsigned idle_rounds; /* all paused, and nobody has stored since */
    uint32_t steps;
    uint32_t real;        /* accesses by the real files */
    uint32_t preemptions; /* so far in this run */
    uint32_t weak;
    uint32_t eintr, fired; /* sleeps ended by a signal, by a deadline */
    uint32_t width;        /* valid entries of a view */
    int64_t now, clock_step;
    struct view sc; /* what the last full fences and SC stores published */
    bool barriers;  /* this model uses the asymmetric barrier */
    bool nomem;     /* the failing allocation was spent */
    /* the run's choices */
    enum strategy strategy;
    struct choice choices[CHOICES];
    uint32_t depth;
    uint32_t recorded; /* of a replay or a depth-first prefix */
    uint64_t seed;     /* of this run */
    uint64_t number;   /* of this run, since the program began */
    uint32_t bound_preemptions, bound_weak;
    uint64_t outcomes;
    bool reduced; /* sleep sets are in use */
    bool pruned;  /* this run was given up: others stand for it */
    /* how it ended */
    jmp_buf out;
    char failure[256];
};

extern struct engine e;

/* An access to plain memory. */
struct touch {
    uintptr_t at;
    size_t size;
    bool write;
    const char *name;
    const void *pc; /* of the instruction after it */
};

/* What a strategy did. */
struct tally {
    uint64_t runs; /* with those that were pruned */
    uint64_t pruned;
    uint64_t counted; /* distinct, preempted, and long enough in real files */
    double seconds;
    bool exhausted;
    bool failed;
};

/* explore.c */
void explore(enum strategy strategy, uint64_t runs, uint64_t seed,
             struct tally *out);
bool run_once(void);
void run_new_model(const struct model *m, bool asymmetric);
unsigned choose(unsigned n);
unsigned choose_weak(unsigned n);
unsigned choose_thread(const uint8_t *who, unsigned n, bool preempts);
extern bool explore_all_orders; /* no sleep sets */
/* sleep.c */
void sleep_reset(void);
void sleep_touch(const void *at, bool write);
void sleep_touch_all(void);
void sleep_fence(bool full);
void sleep_forget(void);
void sleep_step_made(void);
uint32_t sleep_mask(const uint8_t *who, unsigned n);
void sleep_fork(uint32_t depth);
void sleep_chosen(uint32_t depth, const uint8_t *who, unsigned pick, bool mine);
void sleep_forced(const uint8_t *who);
/* lines.c */
void lines_start(void);
void lines_forget(void);
void lines_touch(const void *at, size_t size, bool write, const char *name);
void lines_access(const struct model_access *a, bool write);
void lines_run(void);
void lines_report(const char *model);
/* seen.c */
void seen_start(void);
void seen_forget(void);
void seen_step(const void *at, uint64_t value);
void seen_begin(void);
void seen_run(void);
void seen_report(const char *model);
/* memory.c */
void memory_reset(void);
void memory_join(struct view *into, const struct view *from, uint32_t width);
void memory_copy(struct view *into, const struct view *from, uint32_t width);
bool memory_ordered(const void *at, size_t size, char *why, size_t room);
void memory_touched(const struct touch *t);
uint64_t memory_newest(struct model_access access);
/* plain.c */
void plain_reset(void);
void plain_touch(const struct touch *t);
void life_check(uintptr_t at, const char *name, const void *pc);
extern bool life_watched; /* some block may be dead */
/* thread.c */
void thread_point(const char *file);
bool thread_is_real(const char *file);
void thread_run_all(void);
void thread_reset(void);
/* strand.c */
void strand_init(void);
void strand_make(unsigned index, void (*entry)(void));
void strand_switch(void **from, void *to);
void strand_become(unsigned index);
void strand_reset(void);
bool strand_overflowed(const void *addr, unsigned *index);
/* main.c */
void trace(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
_Noreturn void run_failed(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
_Noreturn void run_pruned(void);
const char *order_name(int order);
/* instrument.c */
void place_text(const void *pc, char *out, size_t room);

static inline unsigned thread_index(const struct thread *t)
{
    return (unsigned)(t - e.threads);
}

#endif
