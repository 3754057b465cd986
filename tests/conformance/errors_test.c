/*
 * errors_test.c - failures as trees: messages, names, order, nesting, walking,
 * splitting, printing. Would catch a lost or doubled failure, a group torn
 * apart, a tree that goes up with a status that is not its own.
 */
#include "failing.h"

static void check_leaf(const roost_error *it, int status, const char *message,
                       const char *task, unsigned depth)
{
    CHECK_EQ(it->status, status);
    CHECK_STR(it->message, message);
    CHECK_STR(it->task, task);
    CHECK_EQ(it->depth, depth);
}

TEST(a_good_close_leaves_no_tree, "R37")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(roost_errors_take() == NULL);
}

TEST(a_bare_timeout_leaves_no_tree, "R37 R38")
{
    roost_scope s;

    roost_scope_open(&s, &(roost_scope_opts){.deadline = 1});
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK(roost_errors_take() == NULL);
}

TEST(a_failure_travels_with_its_message_and_names, "R37")
{
    struct bad b = {.status = -ENOENT, .message = "no such page"};
    roost_scope s;
    roost_errors *e;
    roost_error it = {0};

    roost_scope_open(&s, &(roost_scope_opts){.name = "library"});
    CHECK_EQ(SPAWN_OPTS(&s, fail_with, &b, .name = "reader"), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -ENOENT);
    e = roost_errors_take();
    CHECK(e != NULL);
    CHECK(roost_errors_take() == NULL); /* taken once */
    CHECK_EQ(roost_errors_count(e, 0), 1);
    CHECK(roost_errors_next(e, &it));
    check_leaf(&it, -ENOENT, "no such page", "reader", 0);
    CHECK_STR(it.scope, "library");
    CHECK(!roost_errors_next(e, &it));
    roost_errors_free(e);
}

TEST(a_bare_status_is_a_leaf_without_a_message, "R37")
{
    roost_scope s;
    roost_errors *e;
    roost_error it = {0};

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, fail_io, NULL), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    e = roost_errors_take();
    CHECK(roost_errors_next(e, &it));
    check_leaf(&it, -EIO, "", "", 0);
    CHECK_STR(it.scope, "");
    roost_errors_free(e);
}

/* Conformance 65: later failures are kept in the order of completion. */
TEST_VIRTUAL(the_first_failure_is_primary_and_all_are_kept, "R36 R37")
{
    struct bad a = {3 * ROOST_S, -EIO, "third"};
    struct bad b = {ROOST_S, -EBADF, "first"};
    roost_scope s;
    roost_errors *e;
    roost_error it = {0};

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, fail_with, &a), 0);
    CHECK_EQ(roost_spawn(&s, fail_with, &b), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EBADF);
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, 0), 2);
    CHECK(roost_errors_next(e, &it));
    check_leaf(&it, -EBADF, "first", "", 0);
    CHECK(roost_errors_next(e, &it));
    check_leaf(&it, -EIO, "third", "", 0);
    CHECK(!roost_errors_next(e, &it));
    roost_errors_free(e);
}

/* Conformance 73. */
TEST_VIRTUAL(body_and_child_failures_are_one_group, "R36 R37")
{
    struct bad b = {ROOST_S, -EBADF, "child"};
    roost_scope s;
    roost_errors *e;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, fail_with, &b), 0);
    CHECK_EQ(roost_sleep(2 * ROOST_S), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, roost_fail(-EIO, "body")), -EBADF);
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, 0), 2);
    CHECK_EQ(roost_errors_count(e, -EBADF), 1);
    CHECK_EQ(roost_errors_count(e, -EIO), 1);
    CHECK_EQ(roost_errors_count(e, -ENOENT), 0);
    roost_errors_free(e);
}

/* Conformance 68: the body turns its cancellation into an error. */
TEST(a_body_may_replace_cancellation_by_an_error, "R36 R38")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, -EIO), -EIO);
}

TEST(the_bodys_message_goes_into_the_tree, "R37")
{
    roost_scope s;
    roost_errors *e;
    roost_error it = {0};

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_close(&s, roost_fail(-EIO, "%d of %s", 3, "parts")),
             -EIO);
    e = roost_errors_take();
    CHECK(roost_errors_next(e, &it));
    CHECK_STR(it.message, "3 of parts");
    roost_errors_free(e);
}

/* Conformance 71. */
TEST_VIRTUAL(cancelled_siblings_are_not_in_the_tree, "R24 R37")
{
    struct nap n[3] = {
        {.d = ROOST_NEVER}, {.d = ROOST_NEVER}, {.d = ROOST_NEVER}};
    struct bad b = {ROOST_S, -EIO, NULL};
    roost_scope s;
    roost_errors *e;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(roost_spawn(&s, nap, &n[i]), 0);
    }
    CHECK_EQ(roost_spawn(&s, fail_with, &b), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, 0), 1);
    roost_errors_free(e);
}

struct group {
    struct bad first, second;
    int returned; /* 0: the group's own status */
};

static int fail_as_a_group(void *arg)
{
    struct group *g = (struct group *)arg;
    roost_scope s;
    int rc;

    roost_scope_open(&s, &(roost_scope_opts){.name = "inner"});
    CHECK_EQ(SPAWN_OPTS(&s, fail_with, &g->first, .name = "one"), 0);
    CHECK_EQ(SPAWN_OPTS(&s, fail_with, &g->second, .name = "two"), 0);
    rc = roost_scope_close(&s, 0);
    return g->returned < 0 ? g->returned : rc;
}

#define GROUP                                                                  \
    {                                                                          \
        {ROOST_S, -ENOENT, "early"}, {9 * ROOST_S, -ENOSPC, "late"}, 0         \
    }

/* Conformance 67: a nested group is one node, and arrives whole. */
TEST_VIRTUAL(a_nested_group_arrives_whole, "R37")
{
    struct group g = GROUP;
    struct bad b = {2 * ROOST_S, -EIO, "beside"};
    roost_scope s;
    roost_errors *e;
    roost_error it = {0};

    roost_scope_open(&s, &(roost_scope_opts){.name = "outer"});
    CHECK_EQ(SPAWN_OPTS(&s, fail_as_a_group, &g, .name = "host"), 0);
    CHECK_EQ(SPAWN_OPTS(&s, fail_with, &b, .name = "other"), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -ENOENT);
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, 0), 3);
    CHECK(roost_errors_next(e, &it));
    check_leaf(&it, -ENOENT, "early", "one", 1);
    CHECK_STR(it.scope, "inner");
    CHECK(roost_errors_next(e, &it));
    check_leaf(&it, -ENOSPC, "late", "two", 1);
    CHECK(roost_errors_next(e, &it));
    check_leaf(&it, -EIO, "beside", "other", 0);
    CHECK_STR(it.scope, "outer");
    CHECK(!roost_errors_next(e, &it));
    roost_errors_free(e);
}

TEST_VIRTUAL(a_tree_goes_up_only_with_its_own_status, "R37")
{
    struct group g = GROUP;
    roost_scope s;
    roost_errors *e;
    roost_error it = {0};

    g.returned = -EBADF;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, fail_as_a_group, &g), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EBADF);
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, 0), 1);
    CHECK(roost_errors_next(e, &it));
    check_leaf(&it, -EBADF, "", "", 0);
    roost_errors_free(e);
}

static int pass_a_group_through_a_body(void *arg)
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    return roost_scope_close(&s, fail_as_a_group(arg));
}

TEST_VIRTUAL(a_group_passes_through_a_body_too, "R37")
{
    struct group g = GROUP;
    roost_scope s;
    roost_errors *e;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, pass_a_group_through_a_body, &g), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -ENOENT);
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, 0), 2);
    CHECK_EQ(roost_errors_count(e, -ENOENT), 1);
    CHECK_EQ(roost_errors_count(e, -ENOSPC), 1);
    roost_errors_free(e);
}

/* The other half of 67: an outer failure cancels the inner group, flat. */
TEST_VIRTUAL(an_outer_failure_with_a_cancelled_inner_group_is_flat, "R37 R38")
{
    struct nap n = {.d = ROOST_NEVER};
    struct bad b = {ROOST_S, -EIO, "outer child"};
    roost_scope outer, inner;
    roost_errors *e;
    roost_error it = {0};

    roost_scope_open(&outer, NULL);
    CHECK_EQ(roost_spawn(&outer, fail_with, &b), 0);
    roost_scope_open(&inner, NULL);
    CHECK_EQ(roost_spawn(&inner, nap, &n), 0);
    CHECK_EQ(roost_scope_close(&inner, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&outer, -ECANCELED), -EIO);
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, 0), 1);
    CHECK(roost_errors_next(e, &it));
    check_leaf(&it, -EIO, "outer child", "", 0);
    roost_errors_free(e);
}

/* ---- roost_fail ---- */

static int fail_twice(void *arg)
{
    (void)arg;
    (void)roost_fail(-EIO, "first");
    return roost_fail(-EIO, "second");
}

static int fail_then_recover(void *arg)
{
    roost_scope s;

    (void)arg;
    (void)roost_fail(-EIO, "stale");
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_close(&s, 0), 0); /* clears what was kept */
    return -EIO;
}

static int fail_with_success(void *arg)
{
    (void)arg;
    CHECK_EQ(roost_fail(-EIO, "stale"), -EIO);
    CHECK_EQ(roost_fail(3, "no failure"), 3);
    return -EIO;
}

static int fail_other_status(void *arg)
{
    (void)arg;
    (void)roost_fail(-EBADF, "of another status");
    return -EIO;
}

static int fail_without_format(void *arg)
{
    (void)arg;
    return roost_fail(-EIO, NULL);
}

static void check_message(roost_fn fn, const char *message)
{
    roost_scope s;
    roost_errors *e;
    roost_error it = {0};

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, fn, NULL), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    e = roost_errors_take();
    CHECK(roost_errors_next(e, &it));
    CHECK_STR(it.message, message);
    CHECK_EQ(roost_errors_count(e, 0), 1);
    roost_errors_free(e);
}

TEST(a_later_message_replaces_the_earlier, "R37")
{
    check_message(fail_twice, "second");
}

TEST(a_good_close_clears_the_message, "R37")
{
    check_message(fail_then_recover, "");
}

TEST(a_success_drops_the_message, "R37")
{
    check_message(fail_with_success, "");
}

TEST(a_message_belongs_to_its_status, "R37")
{
    check_message(fail_other_status, "");
}

TEST(no_format_is_an_empty_message, "R37")
{
    check_message(fail_without_format, "");
}

static char long_text[10000];

static int fail_at_length(void *arg)
{
    (void)arg;
    return roost_fail(-EIO, "%s", long_text);
}

TEST(a_long_message_is_cut, "R37")
{
    static char cut[4096];

    memset(long_text, 'm', sizeof long_text - 1);
    memset(cut, 'm', sizeof cut - 1);
    check_message(fail_at_length, cut);
}

TEST(a_success_of_roost_fail_is_returned, "R37")
{
    CHECK_EQ(roost_fail(0, "fine"), 0);
    CHECK_EQ(roost_fail(42, "fine %s", "too"), 42);
    CHECK_EQ(roost_fail(ROOST_USER(5), "%d", 1), ROOST_USER(5));
    CHECK_EQ(roost_fail(0, NULL), 0);
}

/* ---- raise ---- */

static int raise_the_inner(void *arg)
{
    struct group *g = (struct group *)arg;
    roost_scope s;
    roost_errors *e;

    CHECK_EQ(fail_as_a_group(g), -ENOENT);
    e = roost_errors_take();
    CHECK(e != NULL);
    roost_scope_open(&s, NULL); /* would replace what is kept */
    CHECK_EQ(roost_scope_close(&s, -EBADF), -EBADF);
    return roost_errors_raise(e);
}

TEST_VIRTUAL(a_raised_tree_travels_on, "R37")
{
    struct group g = GROUP;
    roost_scope s;
    roost_errors *e;
    roost_error it = {0};

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, raise_the_inner, &g), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -ENOENT);
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, 0), 2);
    CHECK(roost_errors_next(e, &it));
    CHECK_STR(it.message, "early");
    roost_errors_free(e);
}

TEST(raising_nothing_is_zero, "R37")
{
    CHECK_EQ(roost_errors_raise(NULL), 0);
}

TEST_VIRTUAL(a_tree_may_be_taken_and_dropped, "R37")
{
    struct group g = GROUP;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(fail_as_a_group(&g), -ENOENT);
    roost_errors_free(roost_errors_take());
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(roost_errors_take() == NULL);
}

TEST(nothing_is_a_tree_without_leaves, "R37")
{
    roost_error it = {0};

    roost_errors_free(NULL);
    CHECK_EQ(roost_errors_count(NULL, 0), 0);
    CHECK_EQ(roost_errors_count(NULL, -EIO), 0);
    CHECK(!roost_errors_next(NULL, &it));
    CHECK_EQ(roost_errors_print(NULL, stderr), 0);
    CHECK_EQ(roost_errors_print(NULL, NULL), -EINVAL);
}

/* ---- many and deep ---- */

TEST(at_least_256_are_kept_and_the_rest_is_counted, "R37")
{
    enum { N = 1000 };
    static struct bad b[N];
    roost_scope s;
    roost_errors *e;
    roost_error it = {0};
    int rc, seen = 0;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        b[i] = (struct bad){.status = ROOST_USER(i), .message = "one of many"};
        CHECK_EQ(roost_spawn(&s, fail_with, &b[i]), 0);
    }
    rc = roost_scope_close(&s, 0);
    CHECK(rc <= ROOST_USER(0) && rc >= ROOST_USER(N - 1));
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, 0), N);
    CHECK_EQ(roost_errors_count(e, rc), 1);
    while (roost_errors_next(e, &it)) {
        CHECK_EQ(seen == 0 ? rc : it.status, it.status); /* primary first */
        CHECK_STR(it.message, "one of many");
        seen++;
    }
    CHECK(seen >= 256);
    roost_errors_free(e);
}

static int fail_deep(void *arg)
{
    int deeper = *(int *)arg - 1;
    roost_scope s;

    if (deeper < 0) {
        return roost_fail(-EIO, "at the bottom");
    }
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, fail_deep, &deeper), 0);
    return roost_scope_close(&s, 0);
}

TEST(a_deep_tree_keeps_its_depth, "R37")
{
    int depth = 300;
    roost_scope s;
    roost_errors *e;
    roost_error it = {0};

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, fail_deep, &depth), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, 0), 1);
    CHECK(roost_errors_next(e, &it));
    check_leaf(&it, -EIO, "at the bottom", "", 300);
    CHECK(!roost_errors_next(e, &it));
    roost_errors_free(e);
}

TEST(a_walk_can_be_repeated, "R37")
{
    roost_scope s;
    roost_errors *e;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, fail_io, NULL), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    e = roost_errors_take();
    for (int i = 0; i < 3; i++) {
        roost_error it = {0};

        CHECK(roost_errors_next(e, &it));
        CHECK(!roost_errors_next(e, &it));
        CHECK(roost_errors_next(e, &it)); /* it starts afresh */
    }
    CHECK(!roost_errors_next(e, NULL));
    roost_errors_free(e);
}

static void *free_on_a_thread(void *arg)
{
    CHECK_EQ(roost_errors_count(arg, -EIO), 1);
    roost_errors_free(arg);
    return NULL;
}

TEST(a_tree_may_be_used_on_a_plain_thread, "R37")
{
    pthread_t thread;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, fail_io, NULL), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    CHECK_EQ(
        pthread_create(&thread, NULL, free_on_a_thread, roost_errors_take()),
        0);
    pthread_join(thread, NULL);
}

/* Conformance 97. */
static int group_of_failures(void *arg)
{
    struct bad b[20];
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    for (int i = 0; i < 20; i++) {
        b[i] = (struct bad){.status = -EIO, .message = "many"};
        CHECK_EQ(roost_spawn(&s, fail_with, &b[i]), 0);
    }
    return roost_scope_close(&s, 0);
}

TEST(many_groups_failing_at_once_are_all_kept, "R36 R37")
{
    roost_scope s;
    roost_errors *e;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(roost_spawn(&s, group_of_failures, NULL), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, 0), 200);
    CHECK_EQ(roost_errors_count(e, -EIO), 200);
    roost_errors_free(e);
}
