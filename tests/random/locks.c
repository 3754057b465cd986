/*
 * locks.c - operations on semaphores, mutexes, conditions, rwlocks, limiters,
 * rates, events, latches, barriers and a once. What is taken for a body is
 * given back after it, whatever becomes of the body.
 */
#include "world.h"

int op_sem(struct task *t, unsigned at)
{
    const struct op *o = op_at(at);
    unsigned i = o->a % 2;
    unsigned n = 1 + o->c % 2;
    roost_ns deadline = await_deadline(t, o);
    unsigned slot = await_begin(t, WAIT_SEM, i, n);
    int rc = roost_sem_acquire_until(&world->sem[i], n, deadline);

    await_end(slot);
    if (rc != 0) {
        return await_over(t, at, rc, deadline);
    }
    hold(world->permits[i] >= n, (int)at, "more permits than there are");
    world->permits[i] -= n;
    rc = run_body(t, at);
    world->permits[i] += n;
    hold(roost_sem_release(&world->sem[i], n) == 0, (int)at,
         "a release was refused");
    return rc;
}

/* --- mutex and condition --- */

static void take(struct task *t, unsigned i, unsigned at)
{
    hold(world->owner[i] == NULL, (int)at, "a mutex has two owners");
    world->owner[i] = t;
    t->holds[i] = true;
}

static void drop(struct task *t, unsigned i, unsigned at)
{
    hold(world->owner[i] == t, (int)at, "a mutex has another owner");
    world->owner[i] = NULL;
    t->holds[i] = false;
}

/*
 * Without a deadline only where nothing around it is locked, not by those who
 * spawned it either: whoever holds it then comes home when he is cancelled.
 */
static int lock(struct task *t, unsigned i, const struct op *o, roost_ns end)
{
    if (t->locks == 0 && o->b % 8 == 7) {
        return roost_mutex_lock(&world->mutex[i]);
    }
    if (o->c % 8 == 0) {
        return roost_mutex_try_lock(&world->mutex[i]);
    }
    return roost_mutex_lock_until(&world->mutex[i], end);
}

int op_lock(struct task *t, unsigned at)
{
    const struct op *o = op_at(at);
    unsigned i = o->a % 2;
    roost_ns deadline = await_deadline(t, o);
    unsigned slot = await_begin(t, WAIT_LOCK, i, 0);
    int rc = lock(t, i, o, deadline);

    await_end(slot);
    if (t->holds[i]) {
        hold(rc == -EDEADLK || rc == -ECANCELED || rc == -EAGAIN, (int)at,
             "locked twice");
        return 0;
    }
    if (rc == -EAGAIN) {
        hold(o->c % 8 == 0, (int)at, "lock gave -EAGAIN");
        return 0;
    }
    if (rc != 0) {
        return await_over(t, at, rc, deadline);
    }
    take(t, i, at);
    t->locks++;
    rc = run_body(t, at);
    t->locks--;
    drop(t, i, at);
    hold(roost_mutex_unlock(&world->mutex[i]) == 0, (int)at, "unlock refused");
    return rc;
}

int op_cond(struct task *t, unsigned at)
{
    unsigned i = op_at(at)->a % 2;
    roost_ns deadline = await_deadline(t, op_at(at));
    int rc;

    if (!t->holds[i]) {
        rc = roost_cond_wait_until(&world->cond, &world->mutex[i], deadline);
        hold(rc == -EPERM || (rc == -ECANCELED && roost_cancelled()), (int)at,
             "cond_wait without its mutex");
        return 0;
    }
    drop(t, i, at);
    rc = roost_cond_wait_until(&world->cond, &world->mutex[i], deadline);
    take(t, i, at);
    /* It may time out, and then wait for the mutex. */
    return await_over(t, at, rc, deadline);
}

int op_signal(struct task *t, unsigned at)
{
    (void)t;
    hold((op_at(at)->a % 2 ? roost_cond_broadcast(&world->cond)
                           : roost_cond_signal(&world->cond)) == 0,
         (int)at, "signal's status");
    return 0;
}

/* --- rwlock --- */

static int locked(struct task *t, unsigned at, bool alone)
{
    int rc;

    world->readers += !alone;
    world->writers += alone;
    hold(world->writers <= 1 && (world->writers == 0 || world->readers == 0),
         (int)at, "a writer is not alone");
    t->shared = !alone;
    t->alone = alone;
    t->locks++;
    rc = run_body(t, at);
    t->locks--;
    t->shared = t->alone = false;
    world->readers -= !alone;
    world->writers -= alone;
    hold(roost_rwlock_unlock(&world->rwlock) == 0, (int)at, "unlock refused");
    return rc;
}

static int rwlock(struct task *t, unsigned at, bool alone)
{
    roost_ns deadline = await_deadline(t, op_at(at));
    unsigned slot;
    int rc;

    if (t->shared || t->alone) {
        return 0; /* a task must not lock it twice */
    }
    slot = await_begin(t, alone ? WAIT_WRITE : WAIT_READ, 0, 0);
    rc = alone ? roost_rwlock_wrlock_until(&world->rwlock, deadline)
               : roost_rwlock_rdlock_until(&world->rwlock, deadline);
    await_end(slot);
    return rc == 0 ? locked(t, at, alone) : await_over(t, at, rc, deadline);
}

int op_read(struct task *t, unsigned at)
{
    return rwlock(t, at, false);
}

int op_write(struct task *t, unsigned at)
{
    return rwlock(t, at, true);
}

/* --- limiter and rate --- */

int op_limiter(struct task *t, unsigned at)
{
    roost_ns deadline = await_deadline(t, op_at(at));
    unsigned slot = await_begin(t, WAIT_LIMITER, 0, 0);
    int rc = roost_limiter_acquire_until(&world->limiter, deadline);

    await_end(slot);
    if (t->token) {
        hold(rc == -EDEADLK || rc == -ECANCELED, (int)at, "two tokens");
        return 0;
    }
    if (rc != 0) {
        return await_over(t, at, rc, deadline);
    }
    world->tokens++;
    t->token = true;
    rc = run_body(t, at);
    t->token = false;
    world->tokens--;
    hold(roost_limiter_release(&world->limiter) == 0, (int)at,
         "a token was not taken back");
    return rc;
}

int op_total(struct task *t, unsigned at)
{
    roost_limiter_info info;

    (void)t;
    world->total = op_at(at)->a % 3;
    (void)roost_limiter_set_total(&world->limiter, world->total);
    (void)roost_limiter_stats(&world->limiter, &info);
    hold(info.total == world->total && info.used >= world->tokens, (int)at,
         "a limiter's figures");
    return 0;
}

int op_rate(struct task *t, unsigned at)
{
    roost_ns deadline = await_deadline(t, op_at(at));
    unsigned n = 1 + op_at(at)->a % 2;
    int rc = roost_rate_take_until(&world->rate, n, deadline);

    if (rc == 0) {
        world->taken += n;
        /* 3 at once, and 100 a second since the clock's beginning at 1 s. */
        hold(world->taken <=
                 3 + (unsigned)((roost_now() - ROOST_S) / (10 * ROOST_MS)),
             (int)at, "more was taken than the rate allows");
    }
    return await_over(t, at, rc, deadline);
}

/* --- event, latch, barrier, once --- */

int op_event(struct task *t, unsigned at)
{
    const struct op *o = op_at(at);
    unsigned i = o->a % 2;
    unsigned sets = world->sets[i];
    bool was = world->is_set[i];
    roost_ns deadline;
    unsigned slot;
    int rc;

    if (o->c % 4 == 1) {
        world->is_set[i] = true;
        world->sets[i]++;
        return roost_event_set(&world->event[i]);
    }
    if (o->c % 4 == 2) {
        world->is_set[i] = false;
        return roost_event_clear(&world->event[i]);
    }
    deadline = await_deadline(t, o);
    slot = await_begin(t, WAIT_EVENT, i, 0);
    rc = roost_event_wait_until(&world->event[i], deadline);
    await_end(slot);
    hold(rc != 0 || was || world->sets[i] != sets, (int)at,
         "an event that was not set");
    return await_over(t, at, rc, deadline);
}

int op_latch(struct task *t, unsigned at)
{
    const struct op *o = op_at(at);
    roost_ns deadline;
    unsigned slot;
    int rc;

    if (o->c % 4 == 1) {
        rc = roost_latch_up(&world->latch, 1);
        hold(rc == (world->latch_open ? -EINVAL : 0), (int)at, "latch_up");
        world->latch_count += rc == 0;
        return 0;
    }
    if (o->c % 4 == 2) {
        rc = roost_latch_down(&world->latch);
        hold(rc == (world->latch_count == 0 ? -EINVAL : 0), (int)at,
             "latch_down");
        world->latch_count -= rc == 0;
        world->latch_open |= world->latch_count == 0;
        return 0;
    }
    deadline = await_deadline(t, o);
    slot = await_begin(t, WAIT_LATCH, 0, 0);
    rc = roost_latch_wait_until(&world->latch, deadline);
    await_end(slot);
    hold(rc != 0 || world->latch_open, (int)at, "a latch that is not open");
    return await_over(t, at, rc, deadline);
}

int op_barrier(struct task *t, unsigned at)
{
    roost_ns deadline = await_deadline(t, op_at(at));
    unsigned slot;
    int rc;

    if (op_at(at)->c % 8 == 7) {
        world->aborted = true;
        return roost_barrier_abort(&world->barrier);
    }
    slot = await_begin(t, WAIT_BARRIER, 0, 0);
    rc = roost_barrier_wait_until(&world->barrier, deadline);
    await_end(slot);
    hold(rc != -EPIPE || world->aborted, (int)at, "-EPIPE without an abort");
    world->leaders += rc == 1;
    world->followers += rc == 0;
    return await_over(t, at, rc, deadline);
}

struct once {
    struct task *t;
    unsigned at;
};

static int call_once(void *arg)
{
    struct once *o = arg;
    int rc = run_body(o->t, o->at);

    if (rc >= 0) {
        hold(++world->once_done == 1, (int)o->at, "once was done twice");
        world->once_status = (int)o->at;
        return (int)o->at;
    }
    return rc;
}

int op_once(struct task *t, unsigned at)
{
    struct once o = {t, at};
    int rc;

    if (t->plain || t->shields > 0) {
        return 0; /* what it is inside of may wait for it: that has no end */
    }
    rc = roost_once_call(&world->once, call_once, &o);
    if (rc >= 0) {
        hold(world->once_done == 1 && rc == world->once_status, (int)at,
             "once gave another status");
        return 0;
    }
    return rc == -EDEADLK     ? 0
           : rc == -ECANCELED ? await_over(t, at, rc, 0)
                              : rc;
}
