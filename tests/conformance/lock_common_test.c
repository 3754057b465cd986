/*
 * lock_common_test.c - what the waiting calls of mutex, rwlock, condition
 * variable, limiter, rate and once have in common: refused in a forked child
 * and where nothing may wait, and a task for which they are always ready does
 * not keep its worker. Would catch a hook that parks the thread it runs on, a
 * child that touches its parent's tasks, a task that starves all others by
 * polling under a lock.
 */
#include "tasks.h"

struct all {
    roost_mutex mutex;
    roost_rwlock rw;
    roost_cond cond;
    roost_limiter limiter;
    roost_rate rate;
    roost_once once, done;
    int runs;
};

static void begin(struct all *a)
{
    memset(a, 0, sizeof *a);
    CHECK_EQ(roost_mutex_init(&a->mutex), 0);
    CHECK_EQ(roost_rwlock_init(&a->rw), 0);
    CHECK_EQ(roost_cond_init(&a->cond), 0);
    CHECK_EQ(roost_limiter_init(&a->limiter, 1), 0);
    CHECK_EQ(roost_rate_init(&a->rate, 1e18, 100), 0);
    CHECK_EQ(roost_once_call(&a->done, succeed, NULL), 0);
}

static void end(struct all *a)
{
    roost_mutex_destroy(&a->mutex);
    roost_rwlock_destroy(&a->rw);
    roost_cond_destroy(&a->cond);
    roost_limiter_destroy(&a->limiter);
    roost_rate_destroy(&a->rate);
}

/* Every call that may wait, each on a free object. */
static void check_waiting_calls(struct all *a, int want)
{
    CHECK_EQ(roost_mutex_lock(&a->mutex), want);
    CHECK_EQ(roost_mutex_lock_until(&a->mutex, 0), want);
    CHECK_EQ(roost_rwlock_rdlock(&a->rw), want);
    CHECK_EQ(roost_rwlock_rdlock_until(&a->rw, 0), want);
    CHECK_EQ(roost_rwlock_wrlock(&a->rw), want);
    CHECK_EQ(roost_rwlock_wrlock_until(&a->rw, 0), want);
    CHECK_EQ(roost_cond_wait(&a->cond, &a->mutex), want);
    CHECK_EQ(roost_cond_wait_until(&a->cond, &a->mutex, 0), want);
    CHECK_EQ(roost_limiter_acquire(&a->limiter), want);
    CHECK_EQ(roost_limiter_acquire_until(&a->limiter, 0), want);
    CHECK_EQ(roost_rate_take(&a->rate, 1), want);
    CHECK_EQ(roost_rate_take_until(&a->rate, 1, 0), want);
    CHECK_EQ(roost_once_call(&a->once, count, &a->runs), want);
    CHECK_EQ(roost_once_call(&a->done, count, &a->runs), want);
    CHECK_EQ(a->runs, 0);
}

/* Every call that never waits, each on a free object. */
static void check_other_calls(struct all *a)
{
    roost_limiter_info info;

    CHECK_EQ(roost_mutex_try_lock(&a->mutex), 0);
    CHECK_EQ(roost_mutex_unlock(&a->mutex), 0);
    CHECK_EQ(roost_rwlock_try_rdlock(&a->rw), 0);
    CHECK_EQ(roost_rwlock_unlock(&a->rw), 0);
    CHECK_EQ(roost_rwlock_try_wrlock(&a->rw), 0);
    CHECK_EQ(roost_rwlock_unlock(&a->rw), 0);
    CHECK_EQ(roost_cond_signal(&a->cond), 0);
    CHECK_EQ(roost_cond_broadcast(&a->cond), 0);
    CHECK_EQ(roost_limiter_try_acquire(&a->limiter), 0);
    CHECK_EQ(roost_limiter_release(&a->limiter), 0);
    CHECK_EQ(roost_limiter_set_total(&a->limiter, 1), 0);
    CHECK_EQ(roost_limiter_stats(&a->limiter, &info), 0);
    CHECK_EQ(roost_rate_try_take(&a->rate, 1), 0);
}

/* ---- inside a hook ---- */

static void in_a_hook(void *arg)
{
    struct all *a = (struct all *)arg;

    check_waiting_calls(a, -EPERM);
    check_other_calls(a);
    a->runs = -1;
}

static void check_hook(struct all *a)
{
    CHECK_EQ(a->runs, -1); /* it has run */
    a->runs = 0;
    check_other_calls(a);
}

static void *cancel_from_a_thread(void *arg)
{
    CHECK(roost_scope_cancel((roost_scope *)arg, 0));
    return NULL;
}

/* By whom ever the hook is called: the task, a timer, a plain thread. */
TEST_VIRTUAL(nothing_waits_inside_a_hook, "R7 R22")
{
    struct all a;
    roost_scope s;
    roost_hook h;
    pthread_t thread;

    begin(&a);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &h, in_a_hook, &a), 0);
    CHECK(roost_scope_cancel(&s, 0));
    check_hook(&a);
    CHECK_EQ(roost_scope_close(&s, 0), 0);

    OPEN(&s, .timeout = ROOST_S);
    CHECK_EQ(roost_scope_on_cancel(&s, &h, in_a_hook, &a), 0);
    CHECK_EQ(roost_sleep(2 * ROOST_S), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    check_hook(&a);

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &h, in_a_hook, &a), 0);
    CHECK_EQ(roost_scope_hold(&s), 0);
    CHECK_EQ(pthread_create(&thread, NULL, cancel_from_a_thread, &s), 0);
    pthread_join(thread, NULL);
    roost_scope_release(&s);
    check_hook(&a);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    end(&a);
}

/* ---- in a forked child ---- */

static void check_child(struct all *a)
{
    roost_limiter_info info = {.total = 7};

    check_waiting_calls(a, -EINVAL);
    CHECK_EQ(roost_mutex_init(&a->mutex), -EINVAL);
    CHECK_EQ(roost_mutex_try_lock(&a->mutex), -EINVAL);
    CHECK_EQ(roost_mutex_unlock(&a->mutex), -EINVAL);
    CHECK_EQ(roost_rwlock_init(&a->rw), -EINVAL);
    CHECK_EQ(roost_rwlock_try_rdlock(&a->rw), -EINVAL);
    CHECK_EQ(roost_rwlock_try_wrlock(&a->rw), -EINVAL);
    CHECK_EQ(roost_rwlock_unlock(&a->rw), -EINVAL);
    CHECK_EQ(roost_cond_init(&a->cond), -EINVAL);
    CHECK_EQ(roost_cond_signal(&a->cond), -EINVAL);
    CHECK_EQ(roost_cond_broadcast(&a->cond), -EINVAL);
    CHECK_EQ(roost_limiter_init(&a->limiter, 1), -EINVAL);
    CHECK_EQ(roost_limiter_try_acquire(&a->limiter), -EINVAL);
    CHECK_EQ(roost_limiter_release(&a->limiter), -EINVAL);
    CHECK_EQ(roost_limiter_set_total(&a->limiter, 1), -EINVAL);
    CHECK_EQ(roost_limiter_stats(&a->limiter, &info), -EINVAL);
    CHECK_EQ(info.total, 7);
    CHECK_EQ(roost_rate_init(&a->rate, 1, 1), -EINVAL);
    CHECK_EQ(roost_rate_try_take(&a->rate, 1), -EINVAL);
    end(a); /* nothing, though they are in use */
}

/* In a fresh run of the child: objects of its own work. */
static int fresh(void *arg)
{
    struct all *a = (struct all *)arg;

    begin(a);
    check_other_calls(a);
    CHECK_EQ(roost_mutex_lock(&a->mutex), 0);
    CHECK_EQ(roost_mutex_unlock(&a->mutex), 0);
    CHECK_EQ(roost_once_call(&a->once, count, &a->runs), 0);
    CHECK_EQ(a->runs, 1);
    end(a);
    return 0;
}

TEST(a_forked_child_is_refused_until_a_fresh_run, "R64")
{
    struct all a, own;
    int status = 1;
    pid_t pid;

    begin(&a);
    CHECK_EQ(roost_mutex_lock(&a.mutex), 0);
    CHECK_EQ(roost_rwlock_wrlock(&a.rw), 0);
    CHECK_EQ(roost_limiter_acquire(&a.limiter), 0);
    pid = fork();
    if (pid == 0) {
        roost_opts opts = test_opts();

        check_child(&a);
        CHECK_EQ(roost_run(fresh, &own, &opts), 0);
        _exit(test_get(&test_failures) != 0);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    CHECK_EQ(status, 0);
    CHECK_EQ(roost_mutex_unlock(&a.mutex), 0); /* the parent is unharmed */
    CHECK_EQ(roost_rwlock_unlock(&a.rw), 0);
    CHECK_EQ(roost_limiter_release(&a.limiter), 0);
    check_other_calls(&a);
    end(&a);
}

/* ---- always ready ---- */

static int lock(struct all *a)
{
    int rc = roost_mutex_lock(&a->mutex);

    return rc == 0 ? roost_mutex_unlock(&a->mutex) : rc;
}

static int lock_until(struct all *a)
{
    int rc = roost_mutex_lock_until(&a->mutex, ROOST_NEVER);

    return rc == 0 ? roost_mutex_unlock(&a->mutex) : rc;
}

static int rdlock(struct all *a)
{
    int rc = roost_rwlock_rdlock(&a->rw);

    return rc == 0 ? roost_rwlock_unlock(&a->rw) : rc;
}

static int wrlock_until(struct all *a)
{
    int rc = roost_rwlock_wrlock_until(&a->rw, ROOST_NEVER);

    return rc == 0 ? roost_rwlock_unlock(&a->rw) : rc;
}

static int acquire(struct all *a)
{
    int rc = roost_limiter_acquire(&a->limiter);

    return rc == 0 ? roost_limiter_release(&a->limiter) : rc;
}

static int take(struct all *a)
{
    return roost_rate_take(&a->rate, 1);
}

static int take_none(struct all *a)
{
    return roost_rate_take(&a->rate, 0);
}

static int (*const ready_calls[])(struct all *) = {
    lock, lock_until, rdlock, wrlock_until, acquire, take, take_none,
};

enum { READY_CALLS = sizeof ready_calls / sizeof ready_calls[0] };

/* One worker: the child runs only if its parent steps aside. */
static int poll_each(void *arg)
{
    struct all a;

    (void)arg;
    begin(&a);
    for (int i = 0; i < READY_CALLS; i++) {
        int ran = 0, rounds = 0;
        roost_scope s;

        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, count, &ran), 0);
        while (test_get(&ran) == 0 && rounds < 100000) {
            CHECK_EQ(ready_calls[i](&a), 0);
            rounds++;
        }
        if (rounds == 100000) {
            fprintf(stderr, "call %d: ", i);
        }
        CHECK(rounds < 100000);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
    }
    end(&a);
    return 0;
}

TEST_PLAIN(calls_that_are_always_ready_step_aside, "R7 R60")
{
    roost_opts opts = {.workers = 1};

    CHECK_EQ(roost_run(poll_each, NULL, &opts), 0);
}

static int lock_often(void *arg)
{
    struct all *a = (struct all *)arg;

    while (test_get(&a->runs) == 0) {
        CHECK_EQ(roost_mutex_lock(&a->mutex), 0);
        CHECK_EQ(roost_mutex_unlock(&a->mutex), 0);
    }
    return 0;
}

/* With one worker the lockers stand still when this runs. */
static int look_often(void *arg)
{
    struct all *a = (struct all *)arg;

    for (int i = 0; i < 200; i++) {
        CHECK_EQ(roost_mutex_try_lock(&a->mutex), 0);
        CHECK_EQ(roost_mutex_unlock(&a->mutex), 0);
        CHECK_EQ(roost_yield(), 0);
    }
    test_set(&a->runs, 1);
    return 0;
}

static int look_at_lockers(void *arg)
{
    struct all a;
    roost_scope s;

    (void)arg;
    begin(&a);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(roost_spawn(&s, lock_often, &a), 0);
    }
    CHECK_EQ(roost_spawn(&s, look_often, &a), 0);
    CHECK_EQ(roost_scope_join(&s), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    end(&a);
    return 0;
}

/* A mutex is locked after stepping aside, not before: who holds it runs. */
TEST_PLAIN(who_steps_aside_has_not_locked_yet, "R7")
{
    roost_opts opts = {.workers = 1};

    CHECK_EQ(roost_run(look_at_lockers, NULL, &opts), 0);
}
