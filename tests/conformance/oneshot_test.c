/*
 * oneshot_test.c - a pointer that is set once. Would catch a second set that is
 * taken, a waiter that gets another pointer or none, a failed get that writes.
 */
#include "tasks.h"

struct getter {
    roost_oneshot *o;
    roost_ns deadline;
    void *value;
    int rc;
};

static int get(void *arg)
{
    struct getter *g = (struct getter *)arg;

    g->rc = roost_oneshot_get_until(g->o, &g->value, g->deadline);
    return 0;
}

TEST(bad_arguments_of_a_oneshot, "R2")
{
    void *value;

    CHECK_EQ(roost_oneshot_init(NULL), -EINVAL);
    CHECK_EQ(roost_oneshot_set(NULL, NULL), -EINVAL);
    CHECK_EQ(roost_oneshot_get(NULL, &value), -EINVAL);
    CHECK_EQ(roost_oneshot_get_until(NULL, &value, 0), -EINVAL);
}

TEST(a_oneshot_is_set_once, "R10 R53")
{
    static roost_oneshot fixed = ROOST_ONESHOT_INIT;
    roost_oneshot fresh, *o[] = {&fixed, &fresh};
    int a, b;

    memset(&fresh, 0xff, sizeof fresh);
    CHECK_EQ(roost_oneshot_init(&fresh), 0);
    for (int i = 0; i < 2; i++) {
        void *value = &b;

        CHECK_EQ(roost_oneshot_get_until(o[i], &value, 0), -ETIMEDOUT);
        CHECK(value == &b);
        CHECK_EQ(roost_oneshot_set(o[i], &a), 0);
        CHECK_EQ(roost_oneshot_set(o[i], &b), -EALREADY);
        CHECK_EQ(roost_oneshot_get(o[i], &value), 0);
        CHECK(value == &a);
        value = NULL;
        CHECK_EQ(roost_oneshot_get_until(o[i], &value, 0), 0); /* again */
        CHECK(value == &a);
        CHECK_EQ(roost_oneshot_get(o[i], NULL), 0);
    }
}

/* NULL is a value like any. */
TEST_VIRTUAL(a_oneshot_may_be_set_to_null, "R53")
{
    roost_oneshot o = ROOST_ONESHOT_INIT;
    int a;
    struct getter g = {&o, ROOST_NEVER, &a, 99};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, get, &g), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_oneshot_set(&o, NULL), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(g.rc, 0);
    CHECK(g.value == NULL);
    CHECK_EQ(roost_oneshot_set(&o, &a), -EALREADY);
}

TEST_VIRTUAL(all_who_wait_get_the_same, "R3 R53")
{
    enum { N = 100 };
    roost_oneshot o = ROOST_ONESHOT_INIT;
    struct getter g[N];
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        g[i] = (struct getter){&o, ROOST_NEVER, NULL, 99};
        CHECK_EQ(roost_spawn(&s, get, &g[i]), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_oneshot_set(&o, &s), 0);
    roost_scope_cancel(&s, 0); /* too late */
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(g[i].rc, 0);
        CHECK(g[i].value == &s);
    }
}

TEST_VIRTUAL(a_get_that_fails_writes_nothing, "R8 R9")
{
    roost_oneshot o = ROOST_ONESHOT_INIT;
    int a;
    struct getter late = {&o, roost_in(ROOST_S), &a, 99};
    struct getter cancelled = {&o, ROOST_NEVER, &a, 99};
    roost_scope s, inner;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, get, &late), 0);
    roost_scope_open(&inner, NULL);
    CHECK_EQ(roost_spawn(&inner, get, &cancelled), 0);
    CHECK_EQ(roost_sleep(2 * ROOST_S), 0);
    roost_scope_cancel(&inner, 0);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_oneshot_set(&o, &o), 0);
    CHECK_EQ(late.rc, -ETIMEDOUT);
    CHECK_EQ(cancelled.rc, -ECANCELED);
    CHECK(late.value == &a && cancelled.value == &a);
}

/* ---- races ---- */

struct answer {
    roost_oneshot o;
    int winners;
};

struct reply {
    struct answer *a;
    int value;
};

static int answer(void *arg)
{
    struct reply *r = (struct reply *)arg;

    if (roost_oneshot_set(&r->a->o, r) == 0) {
        test_add(&r->a->winners, 1);
        r->value = 1; /* after the set: only for the check below */
    }
    return 0;
}

TEST(one_of_many_sets_it, "R53")
{
    for (int round = 0; round < 200; round++) {
        struct answer a = {ROOST_ONESHOT_INIT, 0};
        struct reply r[8];
        void *first = NULL;
        roost_scope s;

        roost_scope_open(&s, NULL);
        for (int i = 0; i < 8; i++) {
            r[i] = (struct reply){&a, 0};
            CHECK_EQ(roost_spawn(&s, answer, &r[i]), 0);
        }
        CHECK_EQ(roost_oneshot_get(&a.o, &first), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(a.winners, 1);
        CHECK_EQ(((struct reply *)first)->value, 1);
    }
}

struct request {
    roost_oneshot done;
    int value; /* not atomic: the oneshot orders it */
};

static int serve(void *arg)
{
    struct request *r = (struct request *)arg;

    r->value = 5;
    return roost_oneshot_set(&r->done, r); /* its last access */
}

/* It needs no end: who has got it frees it. */
TEST(the_getter_may_free_the_oneshot, "R61 R67")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 2000; i++) {
        struct request *r = calloc(1, sizeof *r);
        void *value = NULL;

        CHECK_EQ(roost_spawn(&s, serve, r), 0);
        CHECK_EQ(roost_oneshot_get(&r->done, &value), 0);
        CHECK(value == r);
        CHECK_EQ(r->value, 5);
        memset(r, 0x55, sizeof *r);
        free(r);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static void *serve_in_thread(void *arg)
{
    (void)serve(arg);
    return NULL;
}

TEST_PLAIN(a_thread_gets_from_a_thread, "R67")
{
    for (int i = 0; i < 100; i++) {
        struct request *r = calloc(1, sizeof *r);
        pthread_t thread;
        void *value = NULL;

        CHECK_EQ(pthread_create(&thread, NULL, serve_in_thread, r), 0);
        CHECK_EQ(roost_oneshot_get(&r->done, &value), 0);
        CHECK_EQ(r->value, 5);
        memset(r, 0x55, sizeof *r);
        free(r);
        pthread_join(thread, NULL);
    }
}
