/*
 * event_test.c - a flag to wait for. Would catch a waiter that a set passes by,
 * one that a clear takes back, an event that is used after its last waiter has
 * freed it.
 */
#include "tasks.h"

struct waiting {
    roost_event *e;
    roost_ns deadline;
    int rc, ended;
};

static int await(void *arg)
{
    struct waiting *w = (struct waiting *)arg;

    w->rc = roost_event_wait_until(w->e, w->deadline);
    test_set(&w->ended, 1);
    return 0;
}

TEST(bad_arguments_of_an_event, "R2")
{
    CHECK_EQ(roost_event_init(NULL), -EINVAL);
    CHECK_EQ(roost_event_set(NULL), -EINVAL);
    CHECK_EQ(roost_event_clear(NULL), -EINVAL);
    CHECK_EQ(roost_event_wait(NULL), -EINVAL);
    CHECK_EQ(roost_event_wait_until(NULL, 0), -EINVAL);
    CHECK(!roost_event_is_set(NULL));
    roost_event_destroy(NULL);
}

TEST(an_event_is_set_until_it_is_cleared, "R10 R52")
{
    static roost_event fixed = ROOST_EVENT_INIT;
    roost_event fresh, *e[] = {&fixed, &fresh};

    memset(&fresh, 0xff, sizeof fresh);
    CHECK_EQ(roost_event_init(&fresh), 0);
    for (int i = 0; i < 2; i++) {
        CHECK(!roost_event_is_set(e[i]));
        CHECK_EQ(roost_event_wait_until(e[i], 0), -ETIMEDOUT);
        CHECK_EQ(roost_event_set(e[i]), 0);
        CHECK_EQ(roost_event_set(e[i]), 0);
        CHECK(roost_event_is_set(e[i]));
        CHECK_EQ(roost_event_wait(e[i]), 0);
        CHECK_EQ(roost_event_wait(e[i]), 0);
        CHECK_EQ(roost_event_clear(e[i]), 0);
        CHECK_EQ(roost_event_clear(e[i]), 0);
        CHECK(!roost_event_is_set(e[i]));
        CHECK_EQ(roost_event_wait_until(e[i], roost_now()), -ETIMEDOUT);
        roost_event_destroy(e[i]);
    }
}

TEST_VIRTUAL(set_wakes_all_and_a_clear_takes_none_back, "R3 R52")
{
    enum { N = 500 };
    struct waiting *w = calloc(N, sizeof *w);
    roost_event e = ROOST_EVENT_INIT;
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        w[i] = (struct waiting){&e, ROOST_NEVER, 99, 0};
        CHECK_EQ(roost_spawn(&s, await, &w[i]), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_event_set(&e), 0);
    CHECK_EQ(roost_event_clear(&e), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(w[i].rc, 0);
    }
    CHECK_EQ(roost_event_wait_until(&e, 0), -ETIMEDOUT);
    roost_event_destroy(&e);
    free(w);
}

/* Conformance 148, the two orders. */
TEST_VIRTUAL(set_and_cancel_in_both_orders, "R3 R52")
{
    for (int set_first = 0; set_first < 2; set_first++) {
        roost_event e = ROOST_EVENT_INIT;
        struct waiting w = {&e, ROOST_NEVER, 99, 0};
        roost_scope s;

        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, await, &w), 0);
        CHECK_EQ(roost_settle(), 0);
        if (set_first) {
            CHECK_EQ(roost_event_set(&e), 0);
        }
        roost_scope_cancel(&s, 0);
        CHECK_EQ(roost_event_set(&e), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(w.rc, set_first ? 0 : -ECANCELED);
        roost_event_destroy(&e);
    }
}

/* ---- races ---- */

struct signals {
    roost_event go;
    int in_time, late;
};

static int await_in_time(void *arg)
{
    struct signals *g = (struct signals *)arg;

    for (int i = 0; i < 100; i++) {
        int rc = roost_event_wait_until(&g->go, roost_in(i % 4 * 15000));

        if (rc == 0) {
            test_add(&g->in_time, 1);
        } else {
            CHECK_EQ(rc, -ETIMEDOUT);
            test_add(&g->late, 1);
        }
    }
    return 0;
}

static int set_and_clear(void *arg)
{
    struct signals *g = (struct signals *)arg;

    for (int i = 0; i < 200; i++) {
        CHECK_EQ(roost_event_set(&g->go), 0);
        roost_yield();
        CHECK_EQ(roost_event_clear(&g->go), 0);
        roost_yield();
    }
    return roost_event_set(&g->go); /* nobody waits for ever */
}

TEST(time_outs_race_sets, "R3 R5 R8")
{
    struct signals g = {ROOST_EVENT_INIT, 0, 0};
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(roost_spawn(&s, await_in_time, &g), 0);
    }
    CHECK_EQ(roost_spawn(&s, set_and_clear, &g), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(g.in_time + g.late, 1000);
    roost_event_destroy(&g.go);
}

struct token {
    roost_event set;
    int value; /* not atomic: the event orders it */
};

static int pass(void *arg)
{
    struct token *t = (struct token *)arg;

    t->value = 5;
    return roost_event_set(&t->set); /* its last access */
}

/* Who has waited frees it at once: set does not touch it any more. */
TEST(the_waiter_may_free_the_event, "R61 R67")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 2000; i++) {
        struct token *t = calloc(1, sizeof *t);

        CHECK_EQ(roost_spawn(&s, pass, t), 0);
        if (i % 2 == 0) {
            CHECK_EQ(roost_event_wait(&t->set), 0);
        } else {
            while (!roost_event_is_set(&t->set)) {
                roost_yield();
            }
        }
        CHECK_EQ(t->value, 5);
        roost_event_destroy(&t->set);
        memset(t, 0x55, sizeof *t);
        free(t);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* ---- threads, misuse ---- */

static void *pass_in_thread(void *arg)
{
    (void)pass(arg);
    return NULL;
}

TEST_PLAIN(a_thread_may_free_the_event, "R67")
{
    for (int i = 0; i < 100; i++) {
        struct token *t = calloc(1, sizeof *t);
        pthread_t thread;

        CHECK_EQ(pthread_create(&thread, NULL, pass_in_thread, t), 0);
        CHECK_EQ(roost_event_wait(&t->set), 0);
        CHECK_EQ(t->value, 5);
        roost_event_destroy(&t->set);
        memset(t, 0x55, sizeof *t);
        free(t);
        pthread_join(thread, NULL);
    }
}

static int destroy_early(void *arg)
{
    struct waiting w = {(roost_event *)arg, ROOST_NEVER, 0, 0};
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_spawn(&s, await, &w);
    roost_settle();
    roost_event_destroy(w.e);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(destroying_an_event_with_waiters_is_misuse, "R67")
{
    roost_opts opts = test_opts();
    roost_event e = ROOST_EVENT_INIT;

    CHECK_ABORTS("roost_event_destroy", roost_run(destroy_early, &e, &opts));
}
