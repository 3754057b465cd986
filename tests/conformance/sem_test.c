/*
 * sem_test.c - the semaphore: order, hand-over, cancellation, bounds. Would
 * catch a permit lost or made up, a small request that passes a large one, a
 * waiter left behind when permits are there.
 */
#include "tasks.h"

struct taker {
    roost_sem *sem;
    unsigned n;
    roost_ns deadline;
    int rc;
    int *order; /* when it had them: counts up */
    int place;
};

static int take(void *arg)
{
    struct taker *t = (struct taker *)arg;

    t->rc = roost_sem_acquire_until(t->sem, t->n, t->deadline);
    if (t->rc == 0 && t->order != NULL) {
        t->place = test_add(t->order, 1);
    }
    return t->rc == -ETIMEDOUT ? 0 : t->rc;
}

TEST(bad_arguments_of_a_semaphore, "R2 R51")
{
    roost_case none[] = {roost_on_sem(NULL, 1)};
    roost_sem s;

    CHECK_EQ(roost_select(none, 1), -EINVAL);
    CHECK_EQ(roost_sem_init(NULL, 1, 1), -EINVAL);
    CHECK_EQ(roost_sem_init(&s, 0, 0), -EINVAL);
    CHECK_EQ(roost_sem_init(&s, 3, 2), -EINVAL);
    CHECK_EQ(roost_sem_init(&s, 2, 2), 0);
    CHECK_EQ(roost_sem_acquire(NULL, 1), -EINVAL);
    CHECK_EQ(roost_sem_acquire(&s, 3), -EINVAL);
    CHECK_EQ(roost_sem_try_acquire(NULL, 1), -EINVAL);
    CHECK_EQ(roost_sem_try_acquire(&s, 3), -EINVAL);
    CHECK_EQ(roost_sem_release(NULL, 1), -EINVAL);
    CHECK_EQ(roost_sem_release(&s, 1), -EOVERFLOW);
    roost_sem_destroy(&s);
    roost_sem_destroy(NULL);
}

static int wait_for_one(void *s)
{
    return roost_sem_acquire((roost_sem *)s, 1);
}

/* Nothing is had at once, whoever waits for more. */
TEST_VIRTUAL(no_permit_is_had_at_once, "R2 R51")
{
    roost_sem sem;
    roost_scope s;

    CHECK_EQ(roost_sem_init(&sem, 0, 2), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, wait_for_one, &sem), 0);
    CHECK_EQ(roost_sleep(ROOST_MS), 0); /* it waits now */
    CHECK_EQ(roost_sem_acquire_until(&sem, 0, roost_now()), 0);
    CHECK_EQ(roost_sem_release(&sem, 1), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_sem_destroy(&sem);
}

TEST(permits_are_counted, "R51")
{
    roost_sem s;
    static roost_sem fixed = ROOST_SEM_INIT(2, 3);

    CHECK_EQ(roost_sem_init(&s, 2, ROOST_UNBOUNDED), 0);
    CHECK_EQ(roost_sem_acquire(&s, 1), 0);
    CHECK_EQ(roost_sem_try_acquire(&s, 2), -EAGAIN);
    CHECK_EQ(roost_sem_try_acquire(&s, 1), 0);
    CHECK_EQ(roost_sem_acquire(&s, 0), 0);
    CHECK_EQ(roost_sem_acquire_until(&s, 1, roost_now()), -ETIMEDOUT);
    CHECK_EQ(roost_sem_acquire_until(&s, 1, 0), -ETIMEDOUT);
    CHECK_EQ(roost_sem_release(&s, 0xfffffffe), 0);
    CHECK_EQ(roost_sem_release(&s, 2), -EOVERFLOW);
    CHECK_EQ(roost_sem_release(&s, 1), 0);
    CHECK_EQ(roost_sem_acquire_until(&s, 1, 0), 0); /* one try */
    roost_sem_destroy(&s);
    CHECK_EQ(roost_sem_try_acquire(&fixed, 2), 0);
    CHECK_EQ(roost_sem_release(&fixed, 4), -EOVERFLOW);
    CHECK_EQ(roost_sem_release(&fixed, 3), 0);
}

/* FIFO, and a large request at the head is not passed by small ones. */
TEST_VIRTUAL(a_large_request_is_not_starved, "R46 R51")
{
    roost_sem sem;
    roost_scope s;
    int order = 0;
    struct taker large = {&sem, 3, ROOST_NEVER, 1, &order, 0};
    struct taker small = {&sem, 1, ROOST_NEVER, 1, &order, 0};

    CHECK_EQ(roost_sem_init(&sem, 1, 3), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, take, &large), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_spawn(&s, take, &small), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_sem_try_acquire(&sem, 1), -EAGAIN); /* somebody waits */
    CHECK_EQ(roost_sem_try_acquire(&sem, 0), 0);       /* wants none */
    CHECK_EQ(roost_sem_release(&sem, 1), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(order, 0);
    CHECK_EQ(roost_sem_release(&sem, 1), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(large.place, 1);
    CHECK_EQ(small.place, 0);
    CHECK_EQ(roost_sem_release(&sem, 3), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(small.place, 2);
    CHECK_EQ(roost_sem_try_acquire(&sem, 2), 0);
    CHECK_EQ(roost_sem_try_acquire(&sem, 1), -EAGAIN);
    roost_sem_destroy(&sem);
}

/* The head leaves: all who now fit go on. */
TEST_VIRTUAL(a_head_that_leaves_lets_the_others_go_on, "R8 R51")
{
    roost_sem sem;
    roost_scope s, inner;
    int order = 0;
    struct taker large = {&sem, 5, 0, 1, &order, 0};
    struct taker small[3];

    for (int cancelled = 0; cancelled < 2; cancelled++) {
        order = 0;
        CHECK_EQ(roost_sem_init(&sem, 2, 5), 0);
        large.deadline = cancelled ? ROOST_NEVER : roost_now() + ROOST_S;
        roost_scope_open(&s, NULL);
        roost_scope_open(&inner, NULL);
        CHECK_EQ(roost_spawn(&inner, take, &large), 0);
        CHECK_EQ(roost_settle(), 0);
        for (int i = 0; i < 3; i++) {
            small[i] = (struct taker){&sem, 1, ROOST_NEVER, 1, &order, 0};
            CHECK_EQ(roost_spawn(&s, take, &small[i]), 0);
            CHECK_EQ(roost_settle(), 0);
        }
        CHECK_EQ(order, 0);
        if (cancelled) {
            roost_scope_cancel(&inner, 0);
            CHECK_EQ(roost_scope_close(&inner, 0), 0);
            CHECK_EQ(large.rc, -ECANCELED);
        } else {
            CHECK_EQ(roost_sleep(2 * ROOST_S), 0);
            CHECK_EQ(large.rc, -ETIMEDOUT);
            CHECK_EQ(roost_scope_close(&inner, 0), 0);
        }
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(order, 2);
        CHECK_EQ(roost_sem_release(&sem, 1), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(order, 3);
        roost_sem_destroy(&sem);
    }
}

TEST(a_cancelled_task_takes_nothing, "R2 R4 R8")
{
    roost_sem sem;
    roost_scope s;

    CHECK_EQ(roost_sem_init(&sem, 1, 1), 0);
    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_sem_acquire(&sem, 1), -ECANCELED);
    CHECK_EQ(roost_sem_acquire_until(&sem, 1, 0), -ECANCELED); /* R9 */
    CHECK_EQ(roost_sem_acquire(&sem, 2), -EINVAL);
    CHECK_EQ(roost_sem_try_acquire(&sem, 1), 0); /* no cancellation point */
    CHECK_EQ(roost_sem_release(&sem, 1), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_sem_destroy(&sem);
}

/* release -> acquire is a hand-over: a try in between fails. */
TEST_VIRTUAL(a_release_is_a_hand_over, "R3 R46")
{
    roost_sem sem;
    roost_scope s;
    struct taker t = {&sem, 1, ROOST_NEVER, 1, NULL, 0};

    CHECK_EQ(roost_sem_init(&sem, 0, 1), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, take, &t), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_sem_release(&sem, 1), 0);
    CHECK_EQ(roost_sem_try_acquire(&sem, 1), -EAGAIN);
    roost_scope_cancel(&s, 0); /* too late: it has its permit */
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(t.rc, 0);
    CHECK_EQ(roost_sem_try_acquire(&sem, 1), -EAGAIN);
    roost_sem_destroy(&sem);
}

struct user {
    roost_sem *sem;
    int *inside, *most;
    int rounds;
};

static int use(void *arg)
{
    struct user *u = (struct user *)arg;

    for (int i = 0; i < u->rounds; i++) {
        int rc = roost_sem_acquire(u->sem, 1);
        int now;

        if (rc < 0) {
            return rc;
        }
        now = test_add(u->inside, 1);
        if (now > test_get(u->most)) {
            test_set(u->most, now);
        }
        if (i % 8 == 0) {
            roost_yield();
        }
        test_add(u->inside, -1);
        CHECK_EQ(roost_sem_release(u->sem, 1), 0);
    }
    return 0;
}

TEST(a_bound_over_many_tasks_is_kept, "R51 R61")
{
    enum { N = 200 };
    int inside = 0, most = 0;
    roost_sem sem;
    roost_scope s;
    struct user u = {&sem, &inside, &most, 50};

    CHECK_EQ(roost_sem_init(&sem, 10, 10), 0);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(roost_spawn(&s, use, &u), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(most >= 1 && most <= 10);
    CHECK_EQ(roost_sem_try_acquire(&sem, 10), 0);
    roost_sem_destroy(&sem);
}

static int use_or_leave(void *arg)
{
    struct user *u = (struct user *)arg;

    for (int i = 0; i < u->rounds; i++) {
        int rc = roost_sem_acquire_until(u->sem, 1 + (unsigned)i % 3,
                                         roost_in(i % 5 * 20 * ROOST_US));

        if (rc == 0) {
            CHECK_EQ(roost_yield() < 0, 0);
            CHECK_EQ(roost_sem_release(u->sem, 1 + (unsigned)i % 3), 0);
        } else {
            CHECK_EQ(rc, -ETIMEDOUT);
        }
    }
    return 0;
}

/* Time-outs race releases: no permit is lost, none is made. */
TEST(permits_are_conserved_under_time_outs, "R3 R8 R51")
{
    roost_sem sem;
    roost_scope s;
    struct user u = {&sem, NULL, NULL, 100};

    CHECK_EQ(roost_sem_init(&sem, 4, 4), 0);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < 40; i++) {
        CHECK_EQ(roost_spawn(&s, use_or_leave, &u), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_sem_try_acquire(&sem, 4), 0);
    CHECK_EQ(roost_sem_release(&sem, 4), 0);
    CHECK_EQ(roost_sem_release(&sem, 1), -EOVERFLOW);
    roost_sem_destroy(&sem);
}

/* Many wait; all are cancelled; the permits are there again. */
TEST(many_waiters_leave_at_once, "R12 R51 R62")
{
    enum { N = 10000 };
    roost_sem sem;
    roost_scope s;
    struct taker *t = calloc(N, sizeof *t);
    int wrong = 0;

    CHECK_EQ(roost_sem_init(&sem, 0, ROOST_UNBOUNDED), 0);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        t[i] = (struct taker){&sem, 1, ROOST_NEVER, 1, NULL, 0};
        CHECK_EQ(roost_spawn(&s, take, &t[i]), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_sem_release(&sem, N / 2), 0);
    CHECK_EQ(roost_settle(), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < N; i++) {
        wrong += t[i].rc == 0;
    }
    CHECK_EQ(wrong, N / 2);
    roost_sem_destroy(&sem);
    free(t);
}

/* ---- plain threads ---- */

struct threads {
    roost_runtime *rt;
    roost_sem there, back;
    int rounds;
};

static int pong(void *arg)
{
    struct threads *t = (struct threads *)arg;

    for (int i = 0; i < t->rounds; i++) {
        CHECK_EQ(roost_sem_acquire(&t->there, 1), 0);
        CHECK_EQ(roost_sem_release(&t->back, 1), 0);
    }
    return 0;
}

TEST_PLAIN(a_plain_thread_waits_as_a_task_does, "R67 R72")
{
    roost_opts opts = test_opts();
    struct threads t = {.rounds = 300};

    CHECK_EQ(roost_sem_init(&t.there, 0, 1), 0);
    CHECK_EQ(roost_sem_init(&t.back, 0, 1), 0);
    CHECK_EQ(roost_sem_acquire_until(&t.back, 1, roost_in(ROOST_MS)),
             -ETIMEDOUT);
    CHECK_EQ(roost_start(&t.rt, &opts), 0);
    CHECK_EQ(roost_post(t.rt, pong, &t, 0), 0);
    for (int i = 0; i < t.rounds; i++) {
        CHECK_EQ(roost_sem_release(&t.there, 1), 0);
        CHECK_EQ(roost_sem_acquire(&t.back, 1), 0);
    }
    CHECK_EQ(roost_stop(t.rt), 0);
    roost_runtime_free(t.rt);
    roost_sem_destroy(&t.there);
    roost_sem_destroy(&t.back);
}

static int wait_at(void *arg)
{
    return roost_sem_acquire((roost_sem *)arg, 1);
}

static int destroy_early(void *arg)
{
    roost_sem *sem = (roost_sem *)arg;
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_spawn(&s, wait_at, sem);
    roost_settle();
    roost_sem_destroy(sem);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(destroying_a_semaphore_with_waiters_is_misuse, "R67")
{
    roost_opts opts = test_opts();
    roost_sem sem;

    CHECK_EQ(roost_sem_init(&sem, 0, 1), 0);
    CHECK_ABORTS("roost_sem_destroy", roost_run(destroy_early, &sem, &opts));
}

/* Everything stands: a deadlock, named. */
static int stand_still(void *arg)
{
    CHECK_EQ(roost_sem_acquire((roost_sem *)arg, 1), -ECANCELED);
    return 0;
}

TEST_PLAIN(waiting_for_nobody_is_a_deadlock, "R63")
{
    roost_opts opts = test_opts();
    struct capture c;
    roost_sem sem;
    const char *said;

    CHECK_EQ(roost_sem_init(&sem, 0, 1), 0);
    capture_begin(&c);
    CHECK_EQ(roost_run(stand_still, &sem, &opts), -EDEADLK);
    said = capture_end(&c);
    CHECK(strstr(said, "deadlock") != NULL);
    CHECK(strstr(said, "semaphore") != NULL);
    roost_sem_destroy(&sem);
}
