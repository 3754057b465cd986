/*
 * offload.c - the life of an offloaded call.
 *
 * WHAT    A function of the program's runs on a pool thread while the task that
 *         asked for it waits, so that it may block.
 * MODEL   A job is one such call. Its states change under the pool's lock:
 *
 *           NEW -> QUEUED -> RUNNING <-> CALLING     a thread has it
 *                     |        |  `------------.
 *                     `-> ENDED (the caller's)  `-> ABANDONED (the thread's)
 *
 *         Its caller waits deaf: a cancel does not end the wait but runs a hook
 *         (on_cancel), which decides by the state. NEW: it is not handed in.
 *         QUEUED: it is taken out and never runs. RUNNING: it is abandoned, or
 *         interrupted, or only told. CALLING: it is told; the task that it has
 *         called in runs under the caller's scopes and sees the cancel itself,
 *         and when it has come home the thread does what the hook would have.
 * INVARIANTS
 *   - The wait is completed by who makes the job ENDED or ABANDONED, once.
 *   - An ENDED job belongs to its caller, which touches it only after the hook
 *     is removed; an ABANDONED one to its thread. fn's end and the limiter's
 *     token go together (R55).
 *   - From before the hand-in until the caller goes on, or the abandoned call
 *     has ended, the job counts as outside work (R63, R65).
 * ORDER
 *   OF1  hook: cancelled, release -> fn: acquire    all before the cancel (R61)
 *   The rest goes over the pool's lock (sleeplock.c SL1) and the wait (W1).
 * COST    Two wake-ups of a thread, unless there was another call just before.
 *         Nothing is allocated without copy or abandon.
 * REJECTED  A wait that a cancel may end, with the state looked at after: the
 *         cancel would count as delivered by this call (R38), whose fn may yet
 *         succeed.
 */
#include "offload.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/edge.h"
#include "group.h"
#include "observe/events.h"
#include "outside.h"
#include "plain.h"
#include "worker.h"
#include <errno.h>
#include <string.h>

/* A pool thread stands on no fiber: its address may be kept. */
static __thread struct job *current;

__attribute__((noinline)) struct job *offload_job(void)
{
    return current;
}

struct job *offload_use(struct job *job)
{
    struct job *was = current;

    current = job;
    return was;
}

void offload_forget(void)
{
    current = NULL;
}

/* --- cancelling --- */

/* Under lock, its caller is cancelled. The waiter, if that ends its wait;
 * *insist: the watch has to repeat an interrupt. */
static struct waiter *cancel_job(struct job *j, bool *insist)
{
    struct waiter *wt = j->waiter;
    enum job_end end;

    if (j->state == JOB_RUNNING && (j->flags & ROOST_INTERRUPT)) {
        pool_interrupt(j);
        *insist = true;
    }
    if (j->state == JOB_QUEUED) {
        pool_unqueue(j);
        j->state = JOB_ENDED;
        end = JOB_DROPPED;
    } else if (j->state == JOB_RUNNING && j->abandon != NULL) {
        j->state = JOB_ABANDONED;
        *j->mine = NULL;
        end = JOB_LEFT;
    } else {
        return NULL;
    }
    roost_check(wait_complete(wt, end));
    return wt;
}

/* Gives the lock up. */
static void after_cancel(struct runtime *rt, struct waiter *wt, bool insist)
{
    pool_unlock(&rt->pool);
    if (insist) {
        watch_kick(rt);
    }
    if (wt != NULL) {
        wait_wake(wt);
    }
}

/* The caller's part: on its stack, where the hook can count on it. */
struct caller {
    struct runtime *rt; /* I */
    struct job *job;    /* L(pool): NULL once it is abandoned */
};

static void on_cancel(void *arg)
{
    struct caller *c = arg;
    struct runtime *rt = c->rt;
    struct waiter *wt = NULL;
    bool insist = false;

    pool_lock(&rt->pool);
    if (c->job != NULL) { /* recheck-true: SL1 it may be freed */
        a32_store(&c->job->cancelled, 1, RELEASE /* OF1 */);
        wt = cancel_job(c->job, &insist);
    }
    after_cancel(rt, wt, insist);
}

/* --- on the pool's thread --- */

/* Its caller waits: hand the outcome over. */
static void hand_back(struct job *j)
{
    struct waiter *wt = j->waiter;

    if (j->limiter != NULL) {
        limiter_put(j->limiter);
    }
    roost_check(wait_complete(wt, JOB_RAN));
    wait_wake(wt);
}

static void job_free(struct job *j)
{
    env_drop(j->env);
    if (j->heap) {
        alloc_free(j);
    }
}

/* Its caller has gone. */
static void clean_up(struct job *j)
{
    struct runtime *rt = j->rt;

    if (j->limiter != NULL) {
        limiter_put(j->limiter);
    }
    roost_errors_free(j->kept);
    pool_lock(&rt->pool);
    pool_done(j);
    pool_unlock(&rt->pool);
    job_free(j);
    outside_drop(rt);
}

/* A call of the program's has returned; in a forked child it goes no further
 * (R64). */
static void came_back(uint32_t forks, int status)
{
    if (unlikely(registry_forks() != forks)) {
        task_forked_end(status);
    }
    plain_rest();
}

/* fn has returned. True: the caller has not gone, and will find it ENDED. */
static bool end_job(struct job *j)
{
    struct pool *p = &j->rt->pool;
    bool awaited;
    bool drain;

    pool_lock(p);
    if (list_linked(&j->link)) {
        list_remove(&j->link);
    }
    drain = j->signalled;
    awaited = j->state != JOB_ABANDONED;
    if (awaited) {
        j->state = JOB_ENDED;
        pool_done(j);
    }
    pool_unlock(p);
    if (drain) {
        interrupt_drain(); /* not into the next call */
    }
    return awaited;
}

void job_run(struct job *j)
{
    uint32_t forks = registry_forks();

    edge_acquire(j);
    if (j->flags & ROOST_INTERRUPT) {
        interrupt_open(j->signal);
    }
    current = j;
    EVENT(call(j));
    j->status = j->fn(j->arg);
    came_back(forks, j->status);
    if (end_job(j)) {
        current = NULL;
        hand_back(j);
        EVENT(call_end());
        return;
    }
    j->abandon(j->arg);
    came_back(forks, j->status);
    current = NULL;
    clean_up(j);
    EVENT(call_end());
}

/* --- the caller --- */

/* A cancel is why it did not run, or was left. */
static int cancelled(struct frame *f, struct runtime *rt)
{
    (void)chain_cancels(f, true);
    f->marks |= F_CANCELLED;
    edge_acquire(&rt->epoch); /* R61 */
    return -ECANCELED;
}

/* fn has run: what it kept goes with its status (R37). */
static int take_over(struct job *j)
{
    if (j->heard) {
        j->frame->marks |= F_CANCELLED;
    }
    if (j->kept != NULL && errors_status(j->kept) == j->status) {
        return roost_errors_raise(j->kept);
    }
    roost_errors_free(j->kept);
    return j->status;
}

static int outcome(struct job *j, struct frame *f, struct runtime *rt,
                   uint32_t end)
{
    int rc;

    switch (end) {
    case JOB_LEFT:
        (void)cancelled(f, rt);
        return OFFLOAD_LEFT;
    case JOB_RAN:
        rc = take_over(j);
        break;
    default:
        rc = end == JOB_DROPPED ? cancelled(f, rt) : -EAGAIN;
        if (j->limiter != NULL) {
            limiter_put(j->limiter);
        }
        break;
    }
    outside_drop(rt);
    job_free(j);
    return rc;
}

/* Is there a scope from which a cancel could reach f? */
static bool reachable(const struct frame *f)
{
    return !(f->marks & F_SHIELDED) || f->scope != f->shield;
}

static int await(struct job *j)
{
    struct frame *f = j->frame;
    struct runtime *rt = j->rt;
    struct waiter *wt = wait_begin("offload", j, WAIT_DEAF);
    bool hooked = reachable(f);
    struct caller self = {rt, j};
    struct hook hook;
    uint32_t end;
    int rc;

    j->waiter = wt;
    /* cppcheck-suppress autoVariables ; it is read only while this waits */
    j->mine = &self.job;
    if (hooked) {
        hooks_enlist(f->scope, &hook, on_cancel, &self,
                     (f->marks & F_SHIELDED) != 0);
    }
    outside_add(rt);
    edge_release(j); /* R61: -> job_run */
    EVENT(offload(j));
    rc = pool_submit(j);
    if (rc == 0) {
        wait_commit(wt, ROOST_NEVER);
        end = wait_result(wt);
    } else {
        wait_abort(wt);
        end = rc == -ECANCELED ? JOB_DROPPED : JOB_REFUSED;
    }
    if (hooked) {
        roost_hook_remove((roost_hook *)(void *)&hook);
    }
    return outcome(j, f, rt, end);
}

/* --- the public calls --- */

static bool opts_valid(const void *arg, const roost_offload_opts *o)
{
    static const roost_offload_opts none;

    return (o->flags & ~ROOST_INTERRUPT) == 0 &&
           (o->copy == 0 || arg != NULL) &&
           memcmp(o->reserved_, none.reserved_, sizeof(none.reserved_)) == 0;
}

static void fill(struct job *j, struct frame *f, struct runtime *rt,
                 const roost_offload_opts *o)
{
    const char *name = o->name == NULL ? task_name_of(f) : o->name;

    memset(j, 0, sizeof(*j));
    a32_init(&j->cancelled, 0);
    j->flags = o->flags;
    j->abandon = o->abandon;
    j->limiter = o->limiter;
    j->rt = rt;
    j->frame = f;
    j->env = env_hold(f->env);
    strncpy(j->name, name, sizeof(j->name) - 1);
}

/* With room for a copy of so many bytes. NULL: no memory. */
static struct job *job_new(size_t copy)
{
    if (copy > PTRDIFF_MAX - sizeof(struct job)) {
        return NULL;
    }
    return alloc_bytes(sizeof(struct job) + copy);
}

static int on_task(struct frame *f, roost_fn fn, void *arg,
                   const roost_offload_opts *o)
{
    struct runtime *rt = runtime_self();
    bool heap = o->copy > 0 || o->abandon != NULL;
    struct job room;
    struct job *j = &room;
    int signal = 0;
    int rc = 0;

    if (o->flags & ROOST_INTERRUPT) {
        signal = interrupt_signal(rt);
        rc = signal < 0 ? signal : 0;
    }
    if (rc == 0 && heap) {
        j = job_new(o->copy);
        rc = j == NULL ? -ENOMEM : 0;
    }
    if (rc == 0 && o->limiter != NULL) {
        rc = limiter_take(o->limiter, ROOST_NEVER);
    }
    if (rc != 0) {
        if (heap) {
            alloc_free(j);
        }
        return rc;
    }
    fill(j, f, rt, o);
    j->heap = heap;
    j->signal = signal;
    j->fn = fn;
    j->arg = arg;
    if (o->copy > 0) {
        memcpy(j->copy, arg, o->copy);
        j->arg = j->copy;
    }
    return await(j);
}

/* A thread that is no worker blocks only itself. */
static int on_thread(roost_fn fn, void *arg, const roost_offload_opts *o)
{
    struct job *room = NULL;
    int rc = 0;

    if (o->copy > 0) {
        room = job_new(o->copy);
        if (room == NULL) {
            return -ENOMEM;
        }
        arg = memcpy(room->copy, arg, o->copy);
    }
    if (o->limiter != NULL) {
        rc = limiter_take(o->limiter, ROOST_NEVER);
    }
    if (rc == 0) {
        rc = fn(arg);
        if (o->limiter != NULL) {
            limiter_put(o->limiter);
        }
    }
    alloc_free(room);
    return rc;
}

/* It uses no object: it is not to count as one that may wake a task (R63). */
static int enter_thread(void)
{
    return hooks_running() ? -EPERM : 0;
}

int offload_run(roost_fn fn, void *arg, const roost_offload_opts *opts)
{
    static const roost_offload_opts none;
    const roost_offload_opts *o = opts == NULL ? &none : opts;
    struct frame *f;
    int rc;

    if (registry_forked() || fn == NULL || !opts_valid(arg, o)) {
        return -EINVAL;
    }
    f = frame_current();
    rc = f == NULL && o->limiter == NULL ? enter_thread() : wait_enter();
    if (rc != 0) {
        return rc;
    }
    return f == NULL ? on_thread(fn, arg, o) : on_task(f, fn, arg, o);
}

int roost_offload_with(roost_fn fn, void *arg, const roost_offload_opts *opts)
{
    int rc = offload_run(fn, arg, opts);
    struct frame *f = frame_current();

    if (f != NULL) {
        f->marks &= ~(uint32_t)F_LEFT;
        f->marks |= rc == OFFLOAD_LEFT ? F_LEFT : 0;
    }
    return rc == OFFLOAD_LEFT ? -ECANCELED : rc;
}

bool roost_offload_abandoned(void)
{
    struct frame *f = frame_current();

    return f != NULL && (f->marks & F_LEFT) != 0;
}

int roost_offload(roost_fn fn, void *arg)
{
    return roost_offload_with(fn, arg, NULL);
}

int offload_interruptible(roost_fn fn, void *arg)
{
    roost_offload_opts opts = {.flags = ROOST_INTERRUPT};
    int rc = roost_offload_with(fn, arg, &opts);

    return rc == -EAGAIN ? roost_offload(fn, arg) : rc;
}

/* fn knows. No interrupt comes after this. */
static void hear(struct job *j)
{
    struct pool *p = &j->rt->pool;

    j->heard = true;
    if (j->abandon == NULL) { /* else the caller has marked it already */
        (void)chain_cancels(j->frame, true);
        edge_acquire(&j->rt->epoch); /* R61 */
    }
    if (j->flags & ROOST_INTERRUPT) {
        pool_lock(p);
        if (list_linked(&j->link)) {
            list_remove(&j->link);
        }
        pool_unlock(p);
        interrupt_drain();
    }
}

bool roost_offload_cancelled(void)
{
    struct job *j = offload_job();

    if (j == NULL || !a32_load(&j->cancelled, ACQUIRE /* OF1 */)) {
        return false;
    }
    if (!j->heard) {
        hear(j);
    }
    return true;
}

/* --- back in the scheduler --- */

struct call {
    struct job *job;
    roost_fn fn;
    void *arg;
};

/* The task. What its caller's shield hides is hidden from it as well. */
static int run_call(void *arg)
{
    struct call *c = arg;
    struct frame *outer = c->job->frame;
    struct frame *f = frame_current();

    if (outer->marks & F_SHIELDED) {
        f->shield = outer->shield;
        f->marks |= F_SHIELDED;
    }
    return c->fn(c->arg);
}

/* False: the caller has gone, and with it the scopes. */
static bool begin_call(struct job *j)
{
    struct pool *p = &j->rt->pool;
    bool can;

    pool_lock(p);
    can = j->state == JOB_RUNNING;
    if (can) {
        j->state = JOB_CALLING;
        if (list_linked(&j->link)) {
            list_remove(&j->link); /* nothing of fn's is to be interrupted */
        }
    }
    pool_unlock(p);
    return can;
}

/* The task may have seen a cancel of which the hook has yet to tell. */
static void end_call(struct job *j)
{
    struct runtime *rt = j->rt;
    struct waiter *wt = NULL;
    bool seen = chain_cancels(j->frame, false);
    bool insist = false;

    pool_lock(&rt->pool);
    j->state = JOB_RUNNING;
    if (seen || a32_load(&j->cancelled, RELAXED)) {
        a32_store(&j->cancelled, 1, RELAXED); /* this thread's to read */
        wt = cancel_job(j, &insist);
    }
    after_cancel(rt, wt, insist);
}

int roost_offload_call(roost_fn fn, void *arg)
{
    struct job *j = offload_job();
    struct call call = {j, fn, arg};
    roost_group g;
    int rc;

    if (registry_forked() || fn == NULL) {
        return -EINVAL;
    }
    if (j == NULL || hooks_running()) {
        return -EPERM;
    }
    if (!begin_call(j)) {
        return -ECANCELED;
    }
    rc = group_init_in(&g, j->rt, j->frame->scope, j->frame, NULL);
    if (rc == 0) {
        rc = runtime_call(&g, run_call, &call, j->env);
    }
    end_call(j);
    return rc;
}
