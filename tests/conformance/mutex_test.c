/*
 * mutex_test.c - the mutex: exclusion, deadlines, cancellation, turns. Would
 * catch two inside at once, a waiter left behind when the mutex is free, a
 * deadline or a cancel that takes the mutex along, a head that is barged for
 * ever. Who owns it, and what its owner's end means: mutex_owner_test.c.
 */
#include "everywhere.h"

#define HAND_OVER (500 * ROOST_US) /* R52 */

struct locker {
    roost_mutex *m;
    roost_ns deadline;
    roost_ns hold; /* asleep with it for so long */
    int deaf;      /* lock, not lock_until */
    int rc, place;
    int *order; /* when it had it: counts up */
    roost_ns had;
};

static int lock_it(void *arg)
{
    struct locker *l = (struct locker *)arg;

    l->rc = l->deaf ? roost_mutex_lock(l->m)
                    : roost_mutex_lock_until(l->m, l->deadline);
    if (l->rc == 0) {
        l->had = roost_now();
        l->place = l->order != NULL ? test_add(l->order, 1) : 0;
        if (l->hold > 0) {
            (void)roost_sleep(l->hold);
        }
        CHECK_EQ(roost_mutex_unlock(l->m), 0);
    }
    return l->rc == -ETIMEDOUT ? 0 : l->rc;
}

static int try_it(void *arg)
{
    roost_mutex *m = (roost_mutex *)arg;
    int rc = roost_mutex_try_lock(m);

    if (rc == 0) {
        CHECK_EQ(roost_mutex_unlock(m), 0);
    }
    return rc;
}

/* What a try finds, made by another task. */
static int tried(roost_mutex *m)
{
    roost_scope s;
    roost_task t;
    int rc = 1;

    roost_scope_open(
        &s, &(roost_scope_opts){.flags = ROOST_SUPERVISE | ROOST_SHIELD});
    CHECK_EQ(SPAWN_OPTS(&s, try_it, m, .handle = &t), 0);
    CHECK_EQ(roost_join(&t, &rc), 0);
    (void)roost_scope_close(&s, 0);
    return rc;
}

TEST(bad_arguments_of_a_mutex, "R2")
{
    CHECK_EQ(roost_mutex_init(NULL), -EINVAL);
    CHECK_EQ(roost_mutex_lock(NULL), -EINVAL);
    CHECK_EQ(roost_mutex_lock_until(NULL, ROOST_NEVER), -EINVAL);
    CHECK_EQ(roost_mutex_try_lock(NULL), -EINVAL);
    CHECK_EQ(roost_mutex_unlock(NULL), -EINVAL);
    roost_mutex_destroy(NULL);
}

static int lock_and_unlock(void *arg)
{
    roost_mutex *m = (roost_mutex *)arg;

    CHECK_EQ(roost_mutex_lock(m), 0);
    CHECK_EQ(roost_mutex_lock(m), -EDEADLK);
    CHECK_EQ(roost_mutex_try_lock(m), -EDEADLK);
    CHECK_EQ(roost_mutex_lock_until(m, ROOST_NEVER), -EDEADLK);
    CHECK_EQ(roost_mutex_lock_until(m, 0), -EDEADLK);
    CHECK_EQ(roost_mutex_unlock(m), 0);
    CHECK_EQ(roost_mutex_unlock(m), -EPERM);
    CHECK_EQ(roost_mutex_try_lock(m), 0);
    CHECK_EQ(roost_mutex_unlock(m), 0);
    CHECK_EQ(roost_mutex_lock_until(m, ROOST_NEVER), 0);
    CHECK_EQ(roost_mutex_unlock(m), 0);
    return 0;
}

TEST_PLAIN(a_mutex_is_locked_once_and_unlocked_once, "R52")
{
    static roost_mutex fixed = ROOST_MUTEX_INIT;
    roost_opts opts = test_opts();
    roost_mutex m;

    memset(&m, 0xa5, sizeof m);
    CHECK_EQ(roost_mutex_init(&m), 0);
    CHECK_EQ(lock_and_unlock(&m), 0); /* a plain thread */
    CHECK_EQ(roost_run(lock_and_unlock, &m, &opts), 0);
    CHECK_EQ(roost_run(lock_and_unlock, &fixed, &opts), 0);
    roost_mutex_destroy(&m);
    roost_mutex_destroy(&fixed);
}

/* Free: it is locked. Held: -ETIMEDOUT, and nothing has happened. */
TEST(an_expired_deadline_is_one_try, "R8 R10")
{
    roost_ns expired[] = {0, -1, INT64_MIN, 1, roost_now()};
    roost_mutex m = ROOST_MUTEX_INIT;

    for (int i = 0; i < 5; i++) {
        struct locker l = {&m, .deadline = expired[i], .rc = 1};
        roost_scope s;

        CHECK_EQ(roost_mutex_lock_until(&m, expired[i]), 0);
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, lock_it, &l), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(l.rc, -ETIMEDOUT);
        CHECK_EQ(roost_mutex_unlock(&m), 0);
        CHECK_EQ(tried(&m), 0);
    }
    roost_mutex_destroy(&m);
}

TEST_VIRTUAL(a_deadline_ends_the_wait_in_time, "R8 R10 R11")
{
    roost_mutex m = ROOST_MUTEX_INIT;
    roost_ns begin = roost_now();
    struct locker late = {&m, .deadline = begin + ROOST_S, .rc = 1};
    struct locker next = {&m, .deadline = ROOST_NEVER, .rc = 1};
    roost_scope s;

    CHECK_EQ(roost_mutex_lock(&m), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, lock_it, &late), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_spawn(&s, lock_it, &next), 0);
    CHECK_EQ(roost_sleep(ROOST_S - 1), 0);
    CHECK_EQ(late.rc, 1);
    CHECK_EQ(roost_sleep(1), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(late.rc, -ETIMEDOUT);
    CHECK_EQ(next.rc, 1);
    CHECK_EQ(roost_mutex_unlock(&m), 0); /* past the one that left */
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(next.rc, 0);
    CHECK_EQ(next.had, begin + ROOST_S);
    CHECK_EQ(roost_mutex_lock(&m), 0);
    CHECK_EQ(roost_mutex_unlock(&m), 0);
    roost_mutex_destroy(&m);
}

struct protected
{
    roost_mutex m;
    int inside, sum; /* plain: what the mutex is for */
    int rounds;
};

static int add_under_it(void *arg)
{
    struct protected *p = (struct protected *)arg;

    for (int i = 0; i < p->rounds; i++) {
        int rc = i % 3 ? roost_mutex_lock(&p->m)
                       : roost_mutex_lock_until(&p->m, ROOST_NEVER);

        CHECK_EQ(rc, 0);
        CHECK_EQ(p->inside++, 0);
        if (i % 16 == 0 && roost_runtime_current() != NULL) {
            CHECK_EQ(roost_yield(), 0); /* a task may wait with it */
        }
        p->sum++;
        CHECK_EQ(--p->inside, 0);
        CHECK_EQ(roost_mutex_unlock(&p->m), 0);
    }
    return 0;
}

/* Conformance 139: exclusion, and what was done inside is seen (R61). */
TEST(only_one_task_is_inside, "R52 R61")
{
    enum { N = 50 };
    struct protected p = {.m = ROOST_MUTEX_INIT, .rounds = 200};
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(roost_spawn(&s, add_under_it, &p), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(p.sum, N * p.rounds);
    roost_mutex_destroy(&p.m);
}

TEST_PLAIN(a_mutex_excludes_tasks_of_two_runtimes_and_threads, "R61 R67 R72")
{
    struct protected p = {.m = ROOST_MUTEX_INIT, .rounds = 300};

    everywhere(add_under_it, &p);
    CHECK_EQ(p.sum, EVERYWHERE * p.rounds);
    roost_mutex_destroy(&p.m);
}

/* ---- cancellation ---- */

TEST(a_cancelled_task_does_not_lock, "R2 R4 R7 R9")
{
    roost_mutex m = ROOST_MUTEX_INIT;
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_mutex_lock_until(NULL, 0), -EINVAL);
    CHECK_EQ(roost_mutex_lock_until(&m, ROOST_NEVER), -ECANCELED);
    CHECK_EQ(roost_mutex_lock_until(&m, 0), -ECANCELED);
    CHECK_EQ(roost_mutex_unlock(&m), -EPERM); /* nothing was attempted */
    CHECK_EQ(roost_mutex_lock(&m), 0);        /* no cancellation point */
    CHECK_EQ(roost_mutex_lock_until(&m, 0), -ECANCELED); /* before -EDEADLK */
    CHECK_EQ(roost_mutex_unlock(&m), 0);
    CHECK_EQ(roost_mutex_try_lock(&m), 0);
    CHECK_EQ(roost_mutex_unlock(&m), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_mutex_destroy(&m);
}

/* lock goes on waiting through a cancel, lock_until does not. */
TEST(a_cancel_ends_only_lock_until, "R3 R7 R8 R12")
{
    roost_mutex m = ROOST_MUTEX_INIT;
    struct locker until = {&m, .deadline = ROOST_NEVER, .rc = 1};
    struct locker deaf = {&m, .deaf = 1, .rc = 1};
    roost_scope s, all;

    CHECK_EQ(roost_mutex_lock(&m), 0);
    roost_scope_open(&all, NULL);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, lock_it, &until), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_spawn(&s, lock_it, &deaf), 0);
    CHECK_EQ(roost_settle(), 0);
    roost_scope_cancel(&all, 0);
    {
        roost_shield h;

        roost_shield_begin(&h);
        CHECK_EQ(roost_settle(), 0);
        roost_shield_end(&h);
    }
    CHECK_EQ(until.rc, -ECANCELED);
    CHECK_EQ(deaf.rc, 1);
    CHECK_EQ(roost_mutex_unlock(&m), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -ECANCELED);
    CHECK_EQ(deaf.rc, 0);
    CHECK_EQ(roost_scope_close(&all, 0), 0);
    CHECK_EQ(tried(&m), 0);
    roost_mutex_destroy(&m);
}

/* Own deadline and the scope's at one time. */
TEST_VIRTUAL(a_cancel_beats_the_own_deadline, "R9")
{
    roost_mutex m = ROOST_MUTEX_INIT;
    roost_ns when = roost_now() + ROOST_S;
    struct locker l = {&m, .deadline = when, .rc = 1};
    roost_scope s;

    CHECK_EQ(roost_mutex_lock(&m), 0);
    OPEN(&s, .deadline = when);
    CHECK_EQ(roost_spawn(&s, lock_it, &l), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK_EQ(l.rc, -ECANCELED);
    CHECK_EQ(roost_mutex_unlock(&m), 0);
    CHECK_EQ(tried(&m), 0);
    roost_mutex_destroy(&m);
}

static int cancel_it(void *arg)
{
    roost_scope_cancel((roost_scope *)arg, 0);
    return 0;
}

/* Whoever wins, the mutex is with somebody, or free. */
TEST(a_cancel_that_races_an_unlock_loses_no_mutex, "R3 R8")
{
    roost_mutex m = ROOST_MUTEX_INIT;

    for (int i = 0; i < 1000; i++) {
        struct locker l = {&m, .deadline = ROOST_NEVER, .rc = 1};
        roost_scope s;

        CHECK_EQ(roost_mutex_lock(&m), 0);
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, lock_it, &l), 0);
        CHECK_EQ(roost_yield(), 0);
        CHECK_EQ(roost_spawn(&s, cancel_it, &s), 0);
        if (i % 2) {
            (void)roost_yield();
        }
        CHECK_EQ(roost_mutex_unlock(&m), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK(l.rc == 0 || l.rc == -ECANCELED);
        CHECK_EQ(roost_mutex_try_lock(&m), 0);
        CHECK_EQ(roost_mutex_unlock(&m), 0);
    }
    roost_mutex_destroy(&m);
}

static int lock_in_a_hurry(void *arg)
{
    struct protected *p = (struct protected *)arg;

    for (int i = 0; i < p->rounds; i++) {
        int rc = roost_mutex_lock_until(&p->m, roost_in(i % 4 * 10 * ROOST_US));

        CHECK(rc == 0 || rc == -ETIMEDOUT);
        if (rc == 0) {
            CHECK_EQ(p->inside++, 0);
            CHECK_EQ(roost_yield(), 0);
            p->sum++;
            CHECK_EQ(--p->inside, 0);
            CHECK_EQ(roost_mutex_unlock(&p->m), 0);
        }
    }
    return 0;
}

TEST(time_outs_that_race_unlocks_lose_no_mutex, "R3 R8 R52")
{
    struct protected p = {.m = ROOST_MUTEX_INIT, .rounds = 100};
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(roost_spawn(&s, lock_in_a_hurry, &p), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(p.sum >= 1);
    CHECK_EQ(roost_mutex_try_lock(&p.m), 0);
    CHECK_EQ(roost_mutex_unlock(&p.m), 0);
    roost_mutex_destroy(&p.m);
}

TEST(many_waiters_of_a_mutex_are_cancelled_at_once, "R12 R62")
{
    enum { N = 5000 };
    roost_mutex m = ROOST_MUTEX_INIT;
    struct locker *l = (struct locker *)calloc(N, sizeof *l);
    int cancelled = 0;
    roost_scope s;

    CHECK_EQ(roost_mutex_lock(&m), 0);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        l[i] = (struct locker){&m, .deadline = ROOST_NEVER, .rc = 1};
        CHECK_EQ(roost_spawn(&s, lock_it, &l[i]), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < N; i++) {
        cancelled += l[i].rc == -ECANCELED;
    }
    CHECK_EQ(cancelled, N);
    CHECK_EQ(roost_mutex_unlock(&m), 0);
    CHECK_EQ(tried(&m), 0);
    roost_mutex_destroy(&m);
    free(l);
}

/* ---- turns ---- */

/* All have waited long: they get it one after the other, in order. */
TEST_VIRTUAL(those_who_waited_long_get_it_in_order, "R51 R52")
{
    enum { N = 20 };
    roost_mutex m = ROOST_MUTEX_INIT;
    struct locker l[N];
    int order = 0;
    roost_scope s;

    CHECK_EQ(roost_mutex_lock(&m), 0);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        l[i] = (struct locker){&m, .deadline = ROOST_NEVER, .order = &order,
                               .deaf = i % 2};
        CHECK_EQ(roost_spawn(&s, lock_it, &l[i]), 0);
        CHECK_EQ(roost_settle(), 0);
    }
    CHECK_EQ(roost_sleep(HAND_OVER), 0);
    CHECK_EQ(roost_mutex_unlock(&m), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(l[i].rc, 0);
        CHECK_EQ(l[i].place, i + 1);
    }
    roost_mutex_destroy(&m);
}

/* The head has waited 500 us: unlock gives it the mutex (conformance 142). */
TEST_VIRTUAL(after_500_us_unlock_is_a_hand_over, "R3 R52")
{
    roost_mutex m = ROOST_MUTEX_INIT;
    struct locker l = {&m, .deadline = ROOST_NEVER, .rc = 1};
    roost_scope s;

    for (int round = 0; round < 20; round++) {
        CHECK_EQ(roost_mutex_lock(&m), 0);
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, lock_it, &l), 0);
        CHECK_EQ(roost_settle(), 0);
        l.hold = ROOST_MS;
        CHECK_EQ(roost_sleep(HAND_OVER), 0);
        CHECK_EQ(roost_mutex_unlock(&m), 0);
        CHECK_EQ(roost_mutex_try_lock(&m), -EAGAIN);
        roost_scope_cancel(&s, 0); /* too late: it has the mutex */
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(l.rc, 0);
    }
    roost_mutex_destroy(&m);
}

/* One worker: whom unlock woke has not run before this task goes on. */
static int barge(void *arg)
{
    roost_mutex m = ROOST_MUTEX_INIT;
    int order = 0;
    struct locker l = {&m, .deadline = ROOST_NEVER, .rc = 1, .order = &order};
    struct locker next = l;
    roost_ns step = HAND_OVER / 4;
    roost_scope s;

    (void)arg;
    CHECK_EQ(roost_mutex_lock(&m), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, lock_it, &l), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_spawn(&s, lock_it, &next), 0);
    CHECK_EQ(roost_settle(), 0);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(roost_mutex_unlock(&m), 0);
        CHECK_EQ(roost_mutex_lock_until(&m, 0), 0); /* past the head */
        CHECK_EQ(roost_settle(), 0);                /* it tries, and waits on */
        CHECK_EQ(l.rc, 1);
        CHECK_EQ(roost_sleep(i < 3 ? step : step - 1), 0);
    }
    CHECK_EQ(roost_mutex_unlock(&m), 0);
    CHECK_EQ(roost_mutex_try_lock(&m), 0); /* 499,999 ns */
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_sleep(1), 0);
    CHECK_EQ(roost_mutex_unlock(&m), 0);
    CHECK_EQ(roost_mutex_try_lock(&m), -EAGAIN);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(l.rc, 0);
    CHECK_EQ(l.place, 1); /* barged, it stood at the head again */
    CHECK_EQ(next.place, 2);
    roost_mutex_destroy(&m);
    return 0;
}

TEST_PLAIN(until_then_it_may_be_barged, "R52")
{
    roost_opts opts = {.workers = 1, .clock = ROOST_CLOCK_VIRTUAL};

    CHECK_EQ(roost_run(barge, NULL, &opts), 0);
}

/* ---- two clocks ---- */

struct clocks {
    roost_mutex m;
    roost_sem locked, go, end;
};

static int unlock_when_told(void *arg)
{
    struct clocks *c = (struct clocks *)arg;

    CHECK_EQ(roost_mutex_lock(&c->m), 0);
    CHECK_EQ(roost_sem_release(&c->locked, 1), 0);
    CHECK_EQ(roost_sem_acquire(&c->go, 1), 0);
    CHECK_EQ(roost_mutex_unlock(&c->m), 0);
    CHECK_EQ(roost_mutex_try_lock(&c->m), -EAGAIN);
    CHECK_EQ(roost_sem_release(&c->end, 1), 0);
    return 0;
}

static int wait_on_another_clock(void *arg)
{
    struct clocks *c = (struct clocks *)arg;

    CHECK_EQ(roost_mutex_lock(&c->m), 0);
    CHECK_EQ(roost_sem_acquire(&c->end, 1), 0);
    CHECK_EQ(roost_mutex_unlock(&c->m), 0);
    return 0;
}

static int settle(void *arg)
{
    (void)arg;
    return roost_settle();
}

/* By a virtual clock, which begins near 0, the waiter has not begun to wait:
 * it is not barged until it has. */
TEST_PLAIN(a_waiter_on_another_clock_is_not_barged_for_ever, "R52 R72")
{
    roost_opts opts[2] = {test_opts(), test_opts()};
    struct clocks c = {.m = ROOST_MUTEX_INIT};
    roost_runtime *rt[2];
    roost_group *g[2];

    CHECK_EQ(roost_sem_init(&c.locked, 0, 1), 0);
    CHECK_EQ(roost_sem_init(&c.go, 0, 1), 0);
    CHECK_EQ(roost_sem_init(&c.end, 0, 1), 0);
    opts[1].clock = ROOST_CLOCK_VIRTUAL;
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(roost_start(&rt[i], &opts[i]), 0);
        CHECK_EQ(roost_group_new(&g[i], rt[i], NULL), 0);
    }
    CHECK_EQ(roost_group_submit(g[1], unlock_when_told, &c, NULL, NULL), 0);
    CHECK_EQ(roost_sem_acquire(&c.locked, 1), 0);
    CHECK_EQ(roost_group_submit(g[0], wait_on_another_clock, &c, NULL, NULL),
             0);
    CHECK_EQ(roost_call(rt[0], settle, NULL), 0); /* it waits */
    CHECK_EQ(roost_sem_release(&c.go, 1), 0);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(roost_group_free(g[i]), 0);
        CHECK_EQ(roost_stop(rt[i]), 0);
        roost_runtime_free(rt[i]);
    }
    roost_mutex_destroy(&c.m);
}
