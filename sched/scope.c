/*
 * scope.c - opening a scope, spawning into it, running its children at close.
 *
 * WHAT    The fork-join fast path: what a program does millions of times a
 *         second is in this file, the rest of a scope's life in close.c.
 * MODEL   A plain scope is four words in its opener's frame. spawn puts an
 *         entry into the worker's deque and counts it in a plain local; close
 *         takes it back and calls it on the spot, as long as the newest entry
 *         of the deque is a child of this very scope and the stack has
 *         stack_min left. What thieves took is counted in scope.count.
 * INVARIANTS
 *   - Children alive = local + count, as signed numbers, at any time; only the
 *     opener adds them up (count.h).
 *   - Nothing but children of this scope ever runs on the closer's stack
 *     (R60): scope_run_children compares the entry's scope before it takes it.
 * ORDER
 *   P1  spawn: push, barrier light, park_wanted (see park.c)
 *   C1  (count.h) children's ends before the closer goes on; and what they,
 *       or whoever held it, have marked (flags), before it says how it ended
 *   S1  scope lock: release -> acquire    everything marked L(lock)
 * COST    In instructions: open 19, spawn 40, close 30 and 50 more for a child
 *         in place beside its call. No read-modify-write but for the last
 *         entry of the deque. What costs time is less their number than that
 *         of the stores: 31 a task, those of the calls among them (pair.h).
 * REJECTED  Counting every child in the shared word (6 ns each); a descriptor
 *         a task (an allocation each); running a child inside spawn (it may
 *         wait for what its spawner does next, R30).
 */
#include "scope.h"

#include "base/alloc.h"
#include "base/backoff.h"
#include "base/check.h"
#include "base/edge.h"
#include "boundary.h"
#include "count.h"
#include "horizon.h"
#include "in_place.h"
#include "observe/events.h"
#include "runtime.h"
#include "sim.h"
#include "worker.h"
#include <errno.h>
#include <string.h>

_Static_assert(sizeof(struct scope) <= 208, "48 bytes of 256 stay spare");
_Static_assert(sizeof(roost_scope) == 256, "api.md says so");
_Static_assert(offsetof(struct scope, deadline) == 32,
               "a plain open ends there");
_Static_assert(offsetof(struct scope, flags) == 16 &&
                   offsetof(struct scope, count) == 24,
               "init_plain stores them as a pair");

static __attribute__((noinline)) void lock_wait(struct scope *s)
{
    unsigned pauses = 0;

    do {
        pauses = backoff(pauses);
    } while ((scope_flags(s) & S_LOCK) ||
             (a32_or(&s->flags, S_LOCK, ACQUIRE /* S1 */) & S_LOCK));
}

void scope_lock(struct scope *s)
{
    if (unlikely(a32_or(&s->flags, S_LOCK, ACQUIRE /* S1 */) & S_LOCK)) {
        lock_wait(s);
    }
}

void scope_unlock(struct scope *s)
{
    a32_and(&s->flags, ~(uint32_t)S_LOCK, RELEASE /* S1 */);
}

bool scope_closed(const struct scope *s)
{
    uint32_t flags = scope_flags(s);

    return (flags & S_CLOSED) ||
           (s->owner == NULL && !(flags & (S_HOLDER | S_HIDDEN)));
}

/* Before s is shared. */
static void set_flags(struct scope *s, uint32_t flags)
{
    a32_or(&s->flags, flags, RELAXED);
}

/* Under lock, or before s is shared. */
static void fill(struct scope *s)
{
    char *second = (char *)s + offsetof(struct scope, timer);

    memset(second, 0, sizeof(*s) - offsetof(struct scope, timer));
    s->tasks.next = &s->tasks;
    s->tasks.prev = &s->tasks;
}

void scope_full(struct scope *s)
{
    if (a32_load(&s->flags, ACQUIRE /* S1 */) & S_FULL) {
        return;
    }
    scope_lock(s);
    if (!(scope_flags(s) & S_FULL)) {
        fill(s);
        /* Set and unlocked in one step, which publishes it. */
        a32_add(&s->flags, S_FULL - S_LOCK, RELEASE /* S1 */);
        return;
    }
    scope_unlock(s);
}

struct scope_rare *scope_rare(struct scope *s)
{
    struct scope_rare *made = NULL;
    struct scope_rare *rare;

    scope_full(s);
    scope_lock(s);
    rare = s->rare;
    scope_unlock(s);
    if (rare != NULL) {
        return rare;
    }
    made = alloc_zero(sizeof(*made));
    if (made == NULL) {
        return NULL;
    }
    list_init(&made->turn);
    made->scope = s;
    scope_lock(s);
    if (s->rare == NULL) {
        s->rare = made;
        made = NULL;
    }
    rare = s->rare;
    scope_unlock(s);
    alloc_free(made);
    return rare;
}

const char *scope_name(const struct scope *s)
{
    const char *name = "";

    if (scope_flags(s) & S_FULL) {
        scope_lock((struct scope *)(uintptr_t)s);
        name = s->rare == NULL ? "" : s->rare->name;
        scope_unlock((struct scope *)(uintptr_t)s);
    }
    return name;
}

/* The four words of a plain scope. `local` and the count are 0. */
static inline void init_plain(struct scope *s, struct scope *outer,
                              struct frame *owner)
{
    s->outer = outer;
    s->owner = owner;
    pair_store(&s->flags, scope_flags(outer) & S_INHERIT, 0);
}

static int init_rare(struct scope *s, const roost_scope_opts *opts)
{
    struct scope_rare *rare;

    if (opts->limit == 0 && opts->name == NULL) {
        return 0;
    }
    rare = scope_rare(s);
    if (rare == NULL) {
        return -ENOMEM;
    }
    rare->limit = opts->limit;
    if (opts->name != NULL) {
        strncpy(rare->name, opts->name, sizeof(rare->name) - 1);
        EVENT(scope(s));
    }
    if (opts->limit != 0) {
        set_flags(s, S_LIMIT);
    }
    return 0;
}

static bool opts_valid(const roost_scope_opts *opts)
{
    static const roost_scope_opts none;

    return (opts->flags << 4 & ~(uint32_t)S_OPTIONS) == 0 &&
           opts->flags < (1u << 28) &&
           memcmp(opts->reserved_, none.reserved_, sizeof(none.reserved_)) == 0;
}

static void fail_open(struct scope *s, int status)
{
    set_flags(s, S_NOMEM);
    scope_record(s, status, NULL, task_name_current(), ROOST_REASON_BODY);
}

static __attribute__((noinline)) int init_options(struct scope *s,
                                                  const roost_scope_opts *opts)
{
    int rc;

    fill(s);
    a32_init(&s->flags, scope_flags(s) | S_FULL);
    if (!opts_valid(opts)) {
        fail_open(s, -EINVAL);
        return -EINVAL;
    }
    a32_init(&s->flags, scope_flags(s) | opts->flags << 4);
    rc = init_rare(s, opts);
    deadline_open(s, opts);
    if (rc != 0) {
        fail_open(s, rc);
    }
    return rc;
}

/* Nothing but a deadline, which is valid? */
static inline bool only_deadline(const roost_scope_opts *opts)
{
    const uint64_t *zero = opts->reserved_;

    return ((opts->flags & ~ROOST_MOVE_ON) | opts->limit | zero[0] | zero[1] |
            zero[2] | zero[3]) == 0 &&
           opts->name == NULL;
}

int scope_init(struct scope *s, struct scope *outer, struct frame *owner,
               const roost_scope_opts *opts)
{
    struct worker *w = worker_tls;

    init_plain(s, outer, owner);
    if (opts == NULL) {
        return 0;
    }
    if (unlikely(!only_deadline(opts))) {
        return init_options(s, opts);
    }
    if (opts->timeout == 0 && w != NULL && horizon_covers(w, opts->deadline)) {
        chain_set_deadline(s, opts->flags << 4, opts->deadline);
        return 0;
    }
    a32_init(&s->flags, scope_flags(s) | opts->flags << 4);
    deadline_open(s, opts);
    return 0;
}

/* A hook opens none. Else a priority is what is marked (F_OPEN_SLOW), which
 * tasks that are spawned into s inherit. */
static __attribute__((noinline)) void
open_marked(struct worker *w, struct scope *s, const roost_scope_opts *opts)
{
    struct frame *f = w == NULL ? NULL : w->frame;

    if (f == NULL || s == NULL || (f->marks & F_HOOK)) {
        if (scope_open_foreign(s)) {
            roost_scope_open(scope_public(s), opts);
        }
        return;
    }
    scope_init(s, f->scope, f, opts);
    set_flags(s, S_PRIORITY);
    f->scope = s;
}

void roost_scope_open(roost_scope *pub, const roost_scope_opts *opts)
{
    struct scope *s = scope_of(pub);
    struct worker *w = worker_tls;
    struct frame *f;
    struct scope *outer;

    if (unlikely(w == NULL || s == NULL || (w->frame->marks & F_OPEN_SLOW))) {
        open_marked(w, s, opts);
        return;
    }
    f = w->frame;
    outer = f->scope;
    f->scope = s;
    if (likely(opts == NULL)) {
        init_plain(s, outer, f);
        return;
    }
    scope_init(s, outer, f, opts);
}

/* The deque is full, or its owner must look how full it is. */
static __attribute__((noinline)) int spawn_full(struct scope *s, roost_fn fn,
                                                void *arg)
{
    struct worker *w = worker_self();
    struct entry e = {fn, arg, scope_public(s), w->frame->env};

    if (deque_reaches(&w->deque, WORKER_QUEUE_MAX)) {
        w->drain = 1;
        ready_step_aside(w);
        w = worker_self();
    }
    if (deque_push(&w->deque, e) != 0) {
        return scope_spawn_refused(s, -ENOMEM);
    }
    if (++s->local >= INT32_MAX / 2) {
        count_flush(&s->count, s->local);
        s->local = 0;
    }
    barrier_light(); /* P1 */
    park_wake_one(&w->rt->park);
    sim_point(w->rt, SIM_SPAWN);
    return 0;
}

static __attribute__((noinline)) int wake_one(struct worker *w)
{
    park_wake_one(&w->rt->park);
    return 0;
}

/* Not into the spawner's innermost scope, or something about it is special. */
static __attribute__((noinline)) int spawn_other(struct scope *s, roost_fn fn,
                                                 void *arg)
{
    struct worker *w = worker_tls;
    struct frame *f = w == NULL ? NULL : w->frame;

    if (f == NULL || s == NULL || s->owner != f || fn == NULL ||
        f->env != NULL || (f->marks & F_SPAWN_SLOW) ||
        (scope_flags(s) & S_SPAWN_SLOW)) {
        return scope_spawn_slow(s, fn, arg, 0);
    }
    edge_release(s); /* R61: spawn -> start */
    return spawn_full(s, fn, arg);
}

int roost_spawn(roost_scope *pub, roost_fn fn, void *arg)
{
    struct scope *s = scope_of(pub);
    struct worker *w = worker_tls;
    struct frame *f;

    if (unlikely(w == NULL)) {
        return spawn_other(s, fn, arg);
    }
    f = w->frame;
    if (unlikely(f->scope != s || s->owner != f || fn == NULL ||
                 (scope_flags(s) & S_SPAWN_SLOW))) {
        return spawn_other(s, fn, arg);
    }
    edge_release(s); /* R61: spawn -> start */
    if (unlikely(
            !deque_try_push(&w->deque, (struct entry){fn, arg, pub, f->env}))) {
        return spawn_full(s, fn, arg);
    }
    s->local++;
    barrier_light(); /* P1 */
    if (unlikely(park_wanted(&w->rt->park))) {
        return wake_one(w);
    }
    return 0;
}

/* A child that may be the last entry of the deque, which thieves swap for. A
 * call of its own, so that no register is kept for it. NULL: a thief has it. */
static __attribute__((noinline)) struct worker *
run_last(struct worker *w, struct scope *s, struct fiber *fiber)
{
    struct frame *f = s->owner;
    struct frame child;
    struct entry e;

    if (!deque_pop_scope(&w->deque, scope_public(s), &e)) {
        return NULL;
    }
    return run_in_place(w, fiber, &child, &e, f);
}

/* Run own queued children while they lie newest in the deque. True: that was
 * all of them. */
static inline __attribute__((always_inline)) bool
run_children(struct worker *w, struct scope *s, struct frame *f)
{
    struct fiber *fiber = w->fiber;
    struct frame child;
    struct entry e;
    enum newest newest;

    do {
        if (unlikely(switch_stack() <= w->stack_floor)) {
            return false;
        }
        newest = deque_pop_certain(&w->deque, scope_public(s), &e);
        if (unlikely(newest == NEWEST_OTHER)) {
            return false;
        }
        if (likely(newest == NEWEST_TAKEN)) {
            w = run_in_place(w, fiber, &child, &e, f);
        } else {
            w = run_last(w, s, fiber);
            if (unlikely(w == NULL)) {
                return false;
            }
        }
        if (in_place_due(w)) {
            w = in_place_round(w, fiber);
        }
    } while (unlikely(--s->local != 0));
    return true;
}

/* ROOST_SKIP: those not yet started when it is cancelled never run (R29). */
static void skip_children(struct worker *w, struct scope *s)
{
    struct entry e;

    while (deque_pop_scope(&w->deque, scope_public(s), &e)) {
        task_skip(&e);
        s->local--;
    }
}

void scope_run_children(struct scope *s)
{
    struct frame *f = s->owner;
    struct worker *w = worker_self();
    struct fiber *fiber = w->fiber;
    struct frame child;
    struct entry e;

    if (likely(!(scope_flags(s) & S_SKIP))) {
        do {
            run_children(w, s, f);
            w = worker_self();
        } while (deque_holds(&w->deque, scope_public(s)) &&
                 switch_stack() > w->stack_floor);
        return;
    }
    while (switch_stack() > w->stack_floor && !task_skipped(s) &&
           deque_pop_scope(&w->deque, scope_public(s), &e)) {
        w = run_in_place(w, fiber, &child, &e, f);
        s->local--;
    }
    if (task_skipped(s)) {
        skip_children(w, s);
    }
}

int roost_scope_close(roost_scope *pub, int body)
{
    struct scope *s = scope_of(pub);
    struct worker *w = worker_tls;
    struct frame *f;

    if (unlikely(w == NULL || w->frame->scope != s || s->owner != w->frame)) {
        return scope_close_wrong(s, body);
    }
    f = w->frame;
    if (unlikely(body != 0)) {
        return scope_close_slow(s, body);
    }
    if (likely(s->local != 0) && unlikely(!run_children(w, s, f))) {
        return scope_close_slow(s, 0); /* never with S_SKIP */
    }
    /* In this order: whoever marked it has left after that. */
    if (unlikely(a64_load(&s->count, ACQUIRE /* C1 */) != 0 ||
                 (scope_flags(s) & ~(uint32_t)S_PLAIN) ||
                 (f->marks & F_CLOSE_SLOW))) {
        return scope_close_slow(s, 0);
    }
    edge_acquire(&s->count); /* R61: end -> close */
    f->scope = s->outer;
    s->owner = NULL;
    return 0;
}
