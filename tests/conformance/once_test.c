/*
 * once_test.c - done once, by whoever comes first. Would catch a function that
 * runs twice or beside itself, a caller that goes on before it is done, a
 * failure that all others get, an initialiser whose cancellation stops
 * everybody, one that waits for itself.
 */
#include "everywhere.h"

struct work {
    roost_once once;
    int runs, inside;
    int fails;  /* so many runs fail first */
    int status; /* of those that succeed */
    roost_event *until;
    int made; /* plain: what it is for */
};

static int make(void *arg)
{
    struct work *w = (struct work *)arg;
    int n = test_add(&w->runs, 1), rc = 0;

    CHECK_EQ(test_add(&w->inside, 1), 1);
    if (w->until != NULL) {
        rc = roost_event_wait(w->until);
    }
    w->made = 42;
    test_add(&w->inside, -1);
    return rc < 0 ? rc : n <= w->fails ? -EIO : w->status;
}

struct caller {
    struct work *w;
    int rc, made;
};

static int call(void *arg)
{
    struct caller *c = (struct caller *)arg;

    c->rc = roost_once_call(&c->w->once, make, c->w);
    c->made = c->rc >= 0 ? c->w->made : 0; /* else another makes it */
    return c->rc == -EIO ? 0 : c->rc;
}

TEST(bad_arguments_of_once, "R2")
{
    roost_once o = ROOST_ONCE_INIT;
    int runs = 0;

    CHECK_EQ(roost_once_call(NULL, count, &runs), -EINVAL);
    CHECK_EQ(roost_once_call(&o, NULL, &runs), -EINVAL);
    CHECK_EQ(runs, 0);
    CHECK_EQ(roost_once_call(&o, count, &runs), 0);
    CHECK_EQ(roost_once_call(&o, NULL, &runs), -EINVAL);
    CHECK_EQ(runs, 1);
}

/* The first success counts, with its status; other functions are not run. */
static int first_success(void *arg)
{
    static const int statuses[] = {0, 1, 7, 0x7fffffff};

    (void)arg;
    for (int i = 0; i < 4; i++) {
        struct work w = {.status = statuses[i], .fails = 2};

        CHECK_EQ(roost_once_call(&w.once, make, &w), -EIO);
        CHECK_EQ(roost_once_call(&w.once, make, &w), -EIO);
        CHECK_EQ(roost_once_call(&w.once, fail_io, &w), -EIO);
        CHECK_EQ(w.runs, 2);
        CHECK_EQ(roost_once_call(&w.once, make, &w), statuses[i]);
        for (int j = 0; j < 3; j++) {
            CHECK_EQ(roost_once_call(&w.once, make, &w), statuses[i]);
            CHECK_EQ(roost_once_call(&w.once, fail_io, NULL), statuses[i]);
        }
        CHECK_EQ(w.runs, 3);
    }
    return 0;
}

/* Conformance 153: "handles exceptions - state reset". */
TEST_PLAIN(a_failed_run_is_tried_anew, "R52")
{
    roost_opts opts = test_opts();

    CHECK_EQ(first_success(NULL), 0); /* a plain thread */
    CHECK_EQ(roost_run(first_success, NULL, &opts), 0);
}

/* All who come while it runs wait for the one run: TestDoDupSuppress. */
TEST(those_who_come_meanwhile_get_the_status, "R52 R61")
{
    enum { N = 50 };
    roost_event end = ROOST_EVENT_INIT;
    struct work w = {.status = 5, .until = &end};
    struct caller c[N];
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        c[i] = (struct caller){&w, 1, 0};
        CHECK_EQ(roost_spawn(&s, call, &c[i]), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(c[i].rc, 1);
    }
    CHECK_EQ(test_get(&w.runs), 1);
    CHECK_EQ(roost_event_set(&end), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(c[i].rc, 5);
        CHECK_EQ(c[i].made, 42);
    }
    CHECK_EQ(w.runs, 1);
}

/* A failure is one caller's; the next who waits tries, until one succeeds. */
TEST(a_failure_passes_the_role_on, "R52")
{
    enum { N = 30, FAILS = 4 };

    for (int round = 0; round < 20; round++) {
        roost_event end = ROOST_EVENT_INIT;
        struct work w = {.status = 3, .fails = FAILS, .until = &end};
        struct caller c[N];
        int failed = 0, done = 0;
        roost_scope s;

        roost_scope_open(&s, NULL);
        for (int i = 0; i < N; i++) {
            c[i] = (struct caller){&w, 1, 0};
            CHECK_EQ(roost_spawn(&s, call, &c[i]), 0);
        }
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(roost_event_set(&end), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        for (int i = 0; i < N; i++) {
            failed += c[i].rc == -EIO;
            done += c[i].rc == 3;
        }
        CHECK_EQ(failed, FAILS);
        CHECK_EQ(done, N - FAILS);
        CHECK_EQ(w.runs, FAILS + 1);
    }
}

/* ---- cancellation ---- */

TEST(a_cancelled_task_does_not_call, "R2 R4")
{
    struct work w = {.status = 0};
    roost_scope s;

    for (int done = 0; done < 2; done++) {
        roost_scope_open(&s, NULL);
        roost_scope_cancel(&s, 0);
        CHECK_EQ(roost_once_call(&w.once, make, &w), -ECANCELED);
        CHECK_EQ(roost_once_call(&w.once, NULL, &w), -EINVAL);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(w.runs, done);
        CHECK_EQ(roost_once_call(&w.once, make, &w), 0);
    }
}

/* The initialiser is cancelled: the next becomes it, in order; those who wait
 * and are cancelled leave. */
TEST(a_cancelled_initialiser_passes_the_role_on, "R46 R52")
{
    roost_event end = ROOST_EVENT_INIT;
    struct work w = {.status = 9, .until = &end};
    struct caller first = {&w, 1, 0}, gone = {&w, 1, 0}, next[3];
    roost_scope s, inner, other;

    roost_scope_open(&s, NULL);
    roost_scope_open(&other, NULL);
    roost_scope_open(&inner, NULL);
    CHECK_EQ(roost_spawn(&inner, call, &first), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_spawn(&other, call, &gone), 0);
    CHECK_EQ(roost_settle(), 0);
    for (int i = 0; i < 3; i++) {
        next[i] = (struct caller){&w, 1, 0};
        CHECK_EQ(roost_spawn(&s, call, &next[i]), 0);
        CHECK_EQ(roost_settle(), 0);
    }
    CHECK_EQ(test_get(&w.runs), 1);
    roost_scope_cancel(&inner, 0);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(first.rc, -ECANCELED);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(test_get(&w.runs), 2); /* gone's turn */
    roost_scope_cancel(&other, 0);
    CHECK_EQ(roost_scope_close(&other, 0), 0);
    CHECK_EQ(gone.rc, -ECANCELED);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(test_get(&w.runs), 3);
    CHECK_EQ(roost_event_set(&end), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(next[i].rc, 9);
    }
    CHECK_EQ(w.runs, 3);
}

/* A waiter that leaves is not counted on: the role goes past it. */
TEST(who_waits_and_is_cancelled_leaves, "R3 R8 R52")
{
    roost_event end = ROOST_EVENT_INIT;
    struct work w = {.status = 1, .fails = 1, .until = &end};
    struct caller first = {&w, 1, 0}, gone[4], last = {&w, 1, 0};
    roost_scope s, inner;

    roost_scope_open(&s, NULL);
    roost_scope_open(&inner, NULL);
    CHECK_EQ(roost_spawn(&s, call, &first), 0);
    CHECK_EQ(roost_settle(), 0);
    for (int i = 0; i < 4; i++) {
        gone[i] = (struct caller){&w, 1, 0};
        CHECK_EQ(roost_spawn(&inner, call, &gone[i]), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_spawn(&s, call, &last), 0);
    CHECK_EQ(roost_settle(), 0);
    roost_scope_cancel(&inner, 0);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(gone[i].rc, -ECANCELED);
    }
    CHECK_EQ(test_get(&w.runs), 1);
    CHECK_EQ(roost_event_set(&end), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(first.rc, -EIO);
    CHECK_EQ(last.rc, 1);
    CHECK_EQ(w.runs, 2);
}

static int yield_and_make(void *arg)
{
    struct work *w = (struct work *)arg;
    int rc;

    test_add(&w->runs, 1);
    CHECK_EQ(test_add(&w->inside, 1), 1);
    rc = roost_yield();
    test_add(&w->inside, -1);
    return rc;
}

static int call_it(void *arg)
{
    struct work *w = (struct work *)arg;

    return roost_once_call(&w->once, yield_and_make, w);
}

/* Cancels race ends: some run succeeds at last, and never two at once. */
TEST(cancels_that_race_lose_no_role, "R3 R52")
{
    for (int i = 0; i < 300; i++) {
        struct work w = {.status = 0};
        roost_scope s, inner;

        roost_scope_open(&s, NULL);
        roost_scope_open(&inner, NULL);
        for (int j = 0; j < 6; j++) {
            CHECK_EQ(roost_spawn(j % 2 ? &s : &inner, call_it, &w), 0);
        }
        if (i % 2) {
            CHECK_EQ(roost_yield(), 0);
        }
        roost_scope_cancel(&inner, 0);
        CHECK_EQ(roost_scope_close(&inner, 0), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0); /* none of these failed */
        CHECK_EQ(roost_once_call(&w.once, fail_io, NULL), 0);
    }
}

/* ---- from inside ---- */

static int call_itself(void *arg)
{
    struct work *w = (struct work *)arg;

    w->made = roost_once_call(&w->once, call_itself, w);
    return w->made;
}

static int recurse(void *arg)
{
    struct work w = {.status = 0};

    (void)arg;
    CHECK_EQ(roost_once_call(&w.once, call_itself, &w), -EDEADLK);
    CHECK_EQ(w.made, -EDEADLK);
    CHECK_EQ(roost_once_call(&w.once, make, &w), 0); /* not poisoned */
    return 0;
}

static int call_another(void *arg)
{
    static roost_once second = ROOST_ONCE_INIT;

    return roost_once_call(&second, count, arg);
}

TEST_PLAIN(a_call_from_inside_is_a_deadlock, "R52")
{
    roost_opts opts = test_opts();
    roost_once o = ROOST_ONCE_INIT;
    int runs = 0;

    CHECK_EQ(recurse(NULL), 0); /* a plain thread */
    CHECK_EQ(roost_run(recurse, NULL, &opts), 0);
    CHECK_EQ(roost_once_call(&o, call_another, &runs), 0); /* another is fine */
    CHECK_EQ(runs, 1);
}

/* A child that calls what its parent runs waits for it: R63 sees that. */
static int call_through_a_child(void *arg)
{
    struct caller c = {(struct work *)arg, 1, 0};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, call, &c), 0);
    (void)roost_scope_close(&s, 0);
    CHECK_EQ(c.rc, -ECANCELED);
    return c.rc;
}

static int stand_still(void *arg)
{
    struct work *w = (struct work *)arg;

    return roost_once_call(&w->once, call_through_a_child, w);
}

TEST_PLAIN(a_child_that_waits_for_its_parents_run_is_a_deadlock, "R52 R63")
{
    static struct capture c;
    roost_opts opts = test_opts();
    struct work w = {.status = 0};

    capture_begin(&c);
    CHECK_EQ(roost_run(stand_still, &w, &opts), -EDEADLK);
    CHECK(strstr(capture_end(&c), "once") != NULL);
    CHECK_EQ(w.runs, 0);
    CHECK_EQ(roost_run(call_it, &w, &opts), 0);
}

/* ---- shared ---- */

static int call_shared(void *arg)
{
    struct work *w = (struct work *)arg;
    int rc;

    do {
        rc = roost_once_call(&w->once, make, w);
        CHECK(rc == 7 || rc == -EIO);
    } while (rc < 0);
    CHECK_EQ(w->made, 42);
    return 0;
}

/* "only calls once - stress". */
TEST_PLAIN(two_runtimes_and_threads_call_once, "R52 R61 R72")
{
    for (int i = 0; i < 30; i++) {
        struct work w = {.status = 7, .fails = i % 10};

        everywhere(call_shared, &w);
        CHECK_EQ(w.runs, i % 10 + 1);
    }
}

/* The last to return frees it, while the one that ran it may still wake. */
struct counted {
    roost_once once;
    int users;
};

static int leave(void *arg)
{
    struct counted *c = *(struct counted **)arg;

    CHECK_EQ(roost_once_call(&c->once, succeed, NULL), 0);
    if (test_add(&c->users, -1) == 0) {
        memset(c, 0xa5, sizeof *c);
        free(c);
    }
    return 0;
}

TEST(who_returns_last_may_free_it, "R67")
{
    for (int i = 0; i < 500; i++) {
        struct counted *c = (struct counted *)calloc(1, sizeof *c);
        roost_scope s;

        c->users = 8;
        roost_scope_open(&s, NULL);
        for (int j = 0; j < 8; j++) {
            CHECK_EQ(roost_spawn_copy(&s, leave, &c, sizeof c), 0);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
    }
}
