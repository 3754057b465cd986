/*
 * cond_test.c - the condition variable. Would catch a wait that returns
 * without the mutex, a signal that is lost with a waiter who was cancelled, a
 * waiter that wakes for nothing, one that sleeps on after a broadcast.
 */
#include "everywhere.h"

struct box {
    roost_mutex m;
    roost_cond c;
};

static void begin(struct box *b)
{
    memset(b, 0xa5, sizeof *b);
    CHECK_EQ(roost_mutex_init(&b->m), 0);
    CHECK_EQ(roost_cond_init(&b->c), 0);
}

static void end(struct box *b)
{
    roost_cond_destroy(&b->c);
    roost_mutex_destroy(&b->m);
}

struct waiter {
    struct box *b;
    roost_ns deadline; /* 0: roost_cond_wait */
    int rc, place;
    int *order; /* when it woke: counts up */
};

/* Holds the mutex again, however the wait ended (R50). */
static int wait_at(void *arg)
{
    struct waiter *w = (struct waiter *)arg;

    CHECK_EQ(roost_mutex_lock(&w->b->m), 0);
    w->rc = w->deadline == 0
                ? roost_cond_wait(&w->b->c, &w->b->m)
                : roost_cond_wait_until(&w->b->c, &w->b->m, w->deadline);
    w->place = w->order != NULL ? ++*w->order : 0;
    CHECK_EQ(roost_mutex_try_lock(&w->b->m), -EDEADLK);
    CHECK_EQ(roost_mutex_unlock(&w->b->m), 0);
    return w->rc == -ETIMEDOUT ? 0 : w->rc;
}

/* One that waits, before this returns. */
static void add(roost_scope *s, struct waiter *w, struct box *b, roost_ns until)
{
    *w = (struct waiter){b, until, 1, 0, w->order};
    CHECK_EQ(roost_spawn(s, wait_at, w), 0);
    CHECK_EQ(roost_settle(), 0);
}

TEST(bad_arguments_of_a_condition, "R2")
{
    roost_mutex m = ROOST_MUTEX_INIT;
    roost_cond c = ROOST_COND_INIT;

    CHECK_EQ(roost_cond_init(NULL), -EINVAL);
    CHECK_EQ(roost_cond_signal(NULL), -EINVAL);
    CHECK_EQ(roost_cond_broadcast(NULL), -EINVAL);
    CHECK_EQ(roost_mutex_lock(&m), 0);
    CHECK_EQ(roost_cond_wait(NULL, &m), -EINVAL);
    CHECK_EQ(roost_cond_wait(&c, NULL), -EINVAL);
    CHECK_EQ(roost_cond_wait_until(NULL, &m, ROOST_NEVER), -EINVAL);
    CHECK_EQ(roost_cond_wait_until(&c, NULL, 0), -EINVAL);
    CHECK_EQ(roost_mutex_unlock(&m), 0); /* it was kept */
    roost_cond_destroy(&c);
    roost_cond_destroy(NULL);
    roost_mutex_destroy(&m);
}

static int wait_without(void *arg)
{
    struct box *b = (struct box *)arg;

    CHECK_EQ(roost_cond_wait(&b->c, &b->m), -EPERM);
    CHECK_EQ(roost_cond_wait_until(&b->c, &b->m, ROOST_NEVER), -EPERM);
    CHECK_EQ(roost_cond_wait_until(&b->c, &b->m, 0), -EPERM);
    return 0;
}

/* Free, another's, and a thread's. */
TEST(who_waits_must_have_the_mutex, "R50 R52")
{
    struct box b;
    roost_scope s;

    begin(&b);
    CHECK_EQ(wait_without(&b), 0);
    CHECK_EQ(roost_mutex_lock(&b.m), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, wait_without, &b), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(on_a_thread(wait_without, &b), 0);
    CHECK_EQ(roost_mutex_unlock(&b.m), 0);
    end(&b);
}

/* A signal that finds nobody is nothing: it is not kept. */
TEST(a_signal_to_nobody_is_nothing, "R10 R50")
{
    static roost_cond fixed = ROOST_COND_INIT;
    roost_mutex m = ROOST_MUTEX_INIT;
    roost_ns expired[] = {0, -1, INT64_MIN, 1, roost_now()};

    CHECK_EQ(roost_mutex_lock(&m), 0);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(roost_cond_signal(&fixed), 0);
        CHECK_EQ(roost_cond_broadcast(&fixed), 0);
        CHECK_EQ(roost_cond_wait_until(&fixed, &m, expired[i]), -ETIMEDOUT);
        CHECK_EQ(roost_mutex_try_lock(&m), -EDEADLK);
    }
    CHECK_EQ(roost_mutex_unlock(&m), 0);
    roost_cond_destroy(&fixed);
    roost_mutex_destroy(&m);
}

/* Waiting gives the mutex up; a signal wakes one, the oldest; the signaller
 * needs no mutex. */
TEST(a_signal_wakes_the_one_that_waits_longest, "R46 R50")
{
    enum { N = 5 };
    struct box b;
    struct waiter w[N];
    int order = 0;
    roost_scope s;

    begin(&b);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        w[i].order = &order;
        add(&s, &w[i], &b, 0);
        CHECK_EQ(roost_mutex_try_lock(&b.m), 0); /* given up */
        CHECK_EQ(roost_mutex_unlock(&b.m), 0);
    }
    for (int i = 0; i < N; i++) {
        CHECK_EQ(order, i); /* nobody wakes for nothing */
        if (i % 2) {
            CHECK_EQ(roost_mutex_lock(&b.m), 0);
        }
        CHECK_EQ(roost_cond_signal(&b.c), 0);
        if (i % 2) {
            CHECK_EQ(order, i); /* it needs the mutex */
            CHECK_EQ(roost_mutex_unlock(&b.m), 0);
        }
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(w[i].place, i + 1);
        CHECK_EQ(w[i].rc, 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    end(&b);
}

TEST(a_broadcast_wakes_all_who_wait_and_no_later_ones, "R50")
{
    enum { N = 50 };
    struct box b;
    struct waiter w[N], late = {.order = NULL};
    int order = 0;
    roost_scope s;

    begin(&b);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        w[i].order = &order;
        add(&s, &w[i], &b, i % 2 ? ROOST_NEVER : 0);
    }
    CHECK_EQ(roost_cond_broadcast(&b.c), 0);
    add(&s, &late, &b, 0);
    CHECK_EQ(order, N);
    CHECK_EQ(late.rc, 1);
    CHECK_EQ(roost_cond_signal(&b.c), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(late.rc, 0);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(w[i].rc, 0);
    }
    end(&b);
}

/* ---- deadlines and cancellation ---- */

/* At entry: not attempted, so the mutex was never given up. */
TEST(a_cancelled_task_keeps_the_mutex, "R2 R4 R9 R50")
{
    struct box b;
    roost_scope s;

    begin(&b);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_mutex_lock(&b.m), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_cond_wait(&b.c, &b.m), -ECANCELED);
    CHECK_EQ(roost_cond_wait_until(&b.c, &b.m, 0), -ECANCELED);
    CHECK_EQ(roost_cond_wait(&b.c, NULL), -EINVAL);
    CHECK_EQ(roost_cond_signal(&b.c), 0); /* no cancellation points */
    CHECK_EQ(roost_cond_broadcast(&b.c), 0);
    CHECK_EQ(roost_mutex_unlock(&b.m), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    end(&b);
}

/* While another holds the mutex: it comes back only with it. */
TEST_VIRTUAL(a_wait_that_failed_waits_for_the_mutex, "R8 R11 R50")
{
    for (int cancelled = 0; cancelled < 2; cancelled++) {
        struct box b;
        roost_ns when = roost_now() + ROOST_S;
        struct waiter w = {.order = NULL};
        roost_scope s;

        begin(&b);
        roost_scope_open(&s, NULL);
        add(&s, &w, &b, cancelled ? ROOST_NEVER : when);
        CHECK_EQ(roost_mutex_lock(&b.m), 0);
        CHECK_EQ(roost_sleep(ROOST_S - 1), 0);
        CHECK_EQ(w.rc, 1);
        CHECK_EQ(roost_sleep(ROOST_S), 0);
        if (cancelled) {
            roost_shield h;

            roost_scope_cancel(&s, 0);
            roost_shield_begin(&h);
            CHECK_EQ(roost_settle(), 0);
            roost_shield_end(&h);
        }
        CHECK_EQ(w.rc, 1); /* the mutex is not there */
        CHECK_EQ(roost_mutex_unlock(&b.m), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(w.rc, cancelled ? -ECANCELED : -ETIMEDOUT);
        end(&b);
    }
}

TEST_VIRTUAL(a_cancel_beats_the_own_deadline_of_a_wait, "R9 R50")
{
    struct box b;
    roost_ns when = roost_now() + ROOST_S;
    struct waiter w = {.order = NULL};
    roost_scope s;

    begin(&b);
    OPEN(&s, .deadline = when);
    add(&s, &w, &b, when);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK_EQ(w.rc, -ECANCELED);
    end(&b);
}

/* Signal first: 0, though it is cancelled before it has the mutex. */
TEST(a_signal_before_a_cancel_counts, "R3 R50")
{
    struct box b;
    struct waiter w = {.order = NULL};
    roost_scope s;

    begin(&b);
    roost_scope_open(&s, NULL);
    add(&s, &w, &b, 0);
    CHECK_EQ(roost_mutex_lock(&b.m), 0);
    CHECK_EQ(roost_cond_signal(&b.c), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_mutex_unlock(&b.m), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(w.rc, 0);
    end(&b);
}

/* Conformance 149. Cancel or time-out first: the signal goes to the next. */
TEST_VIRTUAL(a_signal_passes_by_who_has_left, "R50")
{
    for (int cancelled = 0; cancelled < 2; cancelled++) {
        struct box b;
        struct waiter gone[3], next = {.order = NULL};
        roost_scope s, inner;

        begin(&b);
        roost_scope_open(&s, NULL);
        roost_scope_open(&inner, NULL);
        for (int i = 0; i < 3; i++) {
            gone[i].order = NULL;
            add(&inner, &gone[i], &b, cancelled ? ROOST_NEVER : roost_in(100));
        }
        add(&s, &next, &b, 0);
        CHECK_EQ(roost_mutex_lock(&b.m), 0);
        if (cancelled) {
            roost_scope_cancel(&inner, 0);
        } else {
            CHECK_EQ(roost_sleep(100), 0);
        }
        /* They have not come back: the mutex is held. */
        CHECK_EQ(roost_cond_signal(&b.c), 0);
        CHECK_EQ(roost_mutex_unlock(&b.m), 0);
        CHECK_EQ(roost_scope_close(&inner, 0), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(next.rc, 0);
        for (int i = 0; i < 3; i++) {
            CHECK_EQ(gone[i].rc, cancelled ? -ECANCELED : -ETIMEDOUT);
        }
        end(&b);
    }
}

static int signal_it(void *arg)
{
    return roost_cond_signal((roost_cond *)arg);
}

/* Raced: whoever of the two wins, one signal ends one wait with 0. */
TEST(a_cancel_that_races_a_signal_loses_none, "R3 R50")
{
    for (int i = 0; i < 500; i++) {
        struct box b;
        struct waiter first = {.order = NULL}, second = {.order = NULL};
        roost_scope s, inner;

        begin(&b);
        roost_scope_open(&s, NULL);
        roost_scope_open(&inner, NULL);
        add(&inner, &first, &b, 0);
        add(&s, &second, &b, 0);
        CHECK_EQ(roost_spawn(&s, signal_it, &b.c), 0);
        if (i % 2) {
            CHECK_EQ(roost_yield(), 0);
        }
        roost_scope_cancel(&inner, 0);
        CHECK_EQ(roost_scope_close(&inner, 0), 0);
        if (first.rc == 0) { /* it had the signal: another for the second */
            CHECK_EQ(roost_cond_signal(&b.c), 0);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK(first.rc == 0 || first.rc == -ECANCELED);
        CHECK_EQ(second.rc, 0);
        end(&b);
    }
}

/* ---- a dead mutex ---- */

static int lock_and_end(void *arg)
{
    return roost_mutex_lock((roost_mutex *)arg);
}

static int wait_for_the_dead(void *arg)
{
    struct waiter *w = (struct waiter *)arg;

    CHECK_EQ(roost_mutex_lock(&w->b->m), 0);
    w->rc = roost_cond_wait_until(&w->b->c, &w->b->m, w->deadline);
    CHECK_EQ(roost_mutex_unlock(&w->b->m), -EPERM); /* it is not held */
    return 0;
}

/* Signalled, timed out or cancelled: the mutex died meanwhile. */
TEST_VIRTUAL(a_mutex_that_died_ends_every_wait, "R50 R52")
{
    struct box b;
    struct waiter w[3];
    roost_scope s, inner;

    begin(&b);
    roost_scope_open(&s, NULL);
    roost_scope_open(&inner, NULL);
    for (int i = 0; i < 3; i++) {
        w[i] = (struct waiter){&b, i ? ROOST_NEVER : roost_in(10), 1, 0, NULL};
        CHECK_EQ(roost_spawn(i == 1 ? &inner : &s, wait_for_the_dead, &w[i]),
                 0);
        CHECK_EQ(roost_settle(), 0);
    }
    CHECK_EQ(roost_spawn(&s, lock_and_end, &b.m), 0);
    CHECK_EQ(roost_sleep(20), 0);
    roost_scope_cancel(&inner, 0);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(roost_cond_signal(&b.c), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(w[i].rc, -EOWNERDEAD);
    }
    CHECK_EQ(roost_cond_wait(&b.c, &b.m), -EPERM);
    end(&b);
}

/* ---- what it is for ---- */

enum { ROOM = 4 };

struct store {
    struct box b; /* one condition for both sides: broadcast */
    int items, in, out, rounds, parties;
};

/* Every second one puts, every other takes. */
static int put_or_take(void *arg)
{
    struct store *q = (struct store *)arg;
    bool puts = test_add(&q->parties, 1) % 2 == 0;

    for (int i = 0; i < q->rounds; i++) {
        CHECK_EQ(roost_mutex_lock(&q->b.m), 0);
        while (puts ? q->items == ROOM : q->items == 0) {
            CHECK_EQ(roost_cond_wait(&q->b.c, &q->b.m), 0);
        }
        q->items += puts ? 1 : -1;
        q->in += puts;
        q->out += !puts;
        CHECK(q->items >= 0 && q->items <= ROOM);
        CHECK_EQ(roost_cond_broadcast(&q->b.c), 0);
        CHECK_EQ(roost_mutex_unlock(&q->b.m), 0);
    }
    return 0;
}

TEST(a_bounded_store_between_many_tasks, "R50 R61")
{
    struct store q = {.rounds = 100};
    roost_scope s;

    begin(&q.b);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(roost_spawn(&s, put_or_take, &q), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(q.in, 1000);
    CHECK_EQ(q.out, 1000);
    end(&q.b);
}

static int once_around(void *arg)
{
    struct store *q = (struct store *)arg;

    CHECK_EQ(roost_mutex_lock(&q->b.m), 0);
    q->in++; /* the last to come lets all go */
    while (q->in < EVERYWHERE) {
        CHECK_EQ(roost_cond_wait(&q->b.c, &q->b.m), 0);
    }
    CHECK_EQ(roost_cond_signal(&q->b.c), 0); /* one wakes the next */
    q->out++;
    CHECK_EQ(roost_mutex_unlock(&q->b.m), 0);
    return 0;
}

TEST_PLAIN(tasks_and_threads_wake_each_other, "R50 R61 R72")
{
    for (int i = 0; i < 20; i++) {
        struct store q = {.rounds = 1};

        begin(&q.b);
        everywhere(once_around, &q);
        CHECK_EQ(q.out, EVERYWHERE);
        end(&q.b);
    }
}

TEST(many_waiters_of_a_condition_leave_at_once, "R12 R50 R62")
{
    enum { N = 3000 };
    struct waiter *w = (struct waiter *)calloc(N, sizeof *w);
    struct box b;
    int left = 0;
    roost_scope s;

    begin(&b);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        w[i] = (struct waiter){&b, 0, 1, 0, NULL};
        CHECK_EQ(roost_spawn(&s, wait_at, &w[i]), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < N; i++) {
        left += w[i].rc == -ECANCELED;
    }
    CHECK_EQ(left, N);
    end(&b);
    free(w);
}

/* ---- its end ---- */

struct parcel {
    struct box b;
    int there;
};

static int send_parcel(void *arg)
{
    struct parcel *p = *(struct parcel **)arg;

    CHECK_EQ(roost_mutex_lock(&p->b.m), 0);
    p->there = 1;
    CHECK_EQ(roost_cond_signal(&p->b.c), 0);
    CHECK_EQ(roost_mutex_unlock(&p->b.m), 0);
    return 0;
}

/* Who has seen what it waited for frees it all, while the signaller may still
 * be in its unlock. */
static int receive_parcels(void *arg)
{
    roost_runtime *other = (roost_runtime *)arg;

    for (int i = 0; i < 300; i++) {
        struct parcel *p = (struct parcel *)calloc(1, sizeof *p);
        roost_scope s;

        begin(&p->b);
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_mutex_lock(&p->b.m), 0);
        if (other != NULL && i % 2) {
            CHECK_EQ(roost_post(other, send_parcel, &p, sizeof p), 0);
        } else {
            CHECK_EQ(roost_spawn_copy(&s, send_parcel, &p, sizeof p), 0);
        }
        while (!p->there) {
            CHECK_EQ(roost_cond_wait(&p->b.c, &p->b.m), 0);
        }
        CHECK_EQ(roost_mutex_unlock(&p->b.m), 0);
        end(&p->b);
        memset(p, 0xa5, sizeof *p);
        free(p);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
    }
    return 0;
}

TEST_PLAIN(who_was_signalled_may_free_it_at_once, "R61 R67 R72")
{
    roost_opts opts = test_opts();
    roost_runtime *rt = NULL;

    CHECK_EQ(roost_run(receive_parcels, NULL, &opts), 0);
    CHECK_EQ(roost_start(&rt, &opts), 0);
    CHECK_EQ(roost_run(receive_parcels, rt, &opts), 0);
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
}

static int destroy_under_a_waiter(void *arg)
{
    struct box b;
    struct waiter w = {.order = NULL};
    roost_scope s;

    (void)arg;
    begin(&b);
    roost_scope_open(&s, NULL);
    add(&s, &w, &b, 0);
    roost_cond_destroy(&b.c);
    roost_scope_cancel(&s, 0);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(destroying_a_condition_with_waiters_is_misuse, "R67")
{
    roost_opts opts = test_opts();

    CHECK_ABORTS("roost_cond_destroy",
                 roost_run(destroy_under_a_waiter, NULL, &opts));
    CHECK_ABORTS("somebody waits for it",
                 roost_run(destroy_under_a_waiter, NULL, &opts));
}

static int stand_still(void *arg)
{
    struct box b;

    (void)arg;
    begin(&b);
    CHECK_EQ(roost_mutex_lock(&b.m), 0);
    CHECK_EQ(roost_cond_wait(&b.c, &b.m), -ECANCELED);
    CHECK_EQ(roost_mutex_unlock(&b.m), 0);
    end(&b);
    return 0;
}

TEST_PLAIN(waiting_for_no_signal_is_a_deadlock, "R50 R63")
{
    static struct capture c;
    roost_opts opts = test_opts();

    capture_begin(&c);
    CHECK_EQ(roost_run(stand_still, NULL, &opts), -EDEADLK);
    CHECK(strstr(capture_end(&c), "condition") != NULL);
}
