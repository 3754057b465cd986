/*
 * left_test.c - who is named when a stop gives up, and by any dump, though it
 * has never waited: what runs just now. Would catch a task that computes, or
 * blocks its thread, missing from the list of those that did not come home; one
 * that is named after it has ended.
 */
#include "dumped.h"
#include "region.h"

/* That many of the tasks are where they stay for ever. */
static int begun;

static int compute_for_ever(void *arg)
{
    (void)arg;
    test_add(&begun, 1);
    for (;;) {
    }
    return 0;
}

/* In place, unless another worker is quicker: then it waits. */
static int branch(void *arg)
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, compute_for_ever, arg, .name = "the leaf"), 0);
    return roost_scope_close(&s, 0);
}

static int block_for_ever(void *arg)
{
    static const int never = 0;

    (void)arg;
    roost_block_begin();
    test_add(&begun, 1);
    block_until(&never);
    return 0;
}

/* Stops a runtime in which fn has begun, and `then` after it, if not NULL. */
static void stop_while(const char *name, roost_fn fn, roost_fn then)
{
    roost_opts opts = test_opts();
    roost_task_opts o = {.name = name};
    roost_runtime *rt = NULL;
    roost_group *g = NULL;
    int tasks = 1 + (then != NULL);

    opts.grace = 20 * ROOST_MS;
    if (roost_start(&rt, &opts) != 0 || roost_group_new(&g, rt, NULL) != 0 ||
        roost_group_submit(g, fn, NULL, &o, NULL) != 0) {
        _exit(0);
    }
    block_until(&begun);
    o.name = "the other one";
    if (then != NULL && roost_group_submit(g, then, NULL, &o, NULL) != 0) {
        _exit(0);
    }
    while (test_get(&begun) < tasks) {
        usleep(100);
    }
    fprintf(stderr, "stop: %d\n", roost_stop(rt));
    _exit(9);
}

TEST_PLAIN(who_computes_is_named, "R59")
{
    CHECK_DIES("; runs the computing one\n",
               stop_while("the computing one", compute_for_ever, NULL));
    CHECK_DIES("; runs (unnamed)\n", stop_while("", compute_for_ever, NULL));
    CHECK_DIES("stop: -110",
               stop_while("the computing one", compute_for_ever, NULL));
}

TEST_PLAIN(who_runs_another_in_place_is_named, "R30 R59")
{
    CHECK_DIES("; runs the leaf", stop_while("the branch", branch, NULL));
    CHECK_DIES(test_workers == 1 ? "; runs the leaf in the branch\n"
                                 : "the branch",
               stop_while("the branch", branch, NULL));
}

/* Where there is one worker, the other one has it. */
TEST_PLAIN(who_is_in_a_blocking_region_is_named, "R59")
{
    const char *name = "the blocking one";

    CHECK_DIES("the blocking one\n", stop_while(name, block_for_ever, NULL));
    CHECK_DIES(test_workers == 1 ? "in a blocking region: the blocking one\n"
                                 : "the blocking one\n",
               stop_while(name, block_for_ever, compute_for_ever));
    CHECK_DIES("; runs the other one\n",
               stop_while(name, block_for_ever, compute_for_ever));
}

static int dump_myself(void *arg)
{
    CHECK(strstr(dump_text(), "; runs who dumps\n") != NULL);
    test_set((int *)arg, 1);
    return 0;
}

TEST(a_dump_names_what_runs, "R63")
{
    int done = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, dump_myself, &done, .name = "who dumps"), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(done, 1);
    CHECK(strstr(dump_text(), "who dumps") == NULL);
}

static int lend_worker(void *arg)
{
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    lose_worker(&s);
    roost_block_end();
    return roost_scope_close(&s, 0);
}

/* It runs far up a stack, where what is left of its frame stays as it was. */
static int have_worker_lent(void *arg)
{
    volatile char above[8192];
    roost_scope s;

    above[0] = 0;
    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, lend_worker, arg, .name = "the lender"), 0);
    return roost_scope_close(&s, above[0]);
}

/* Also where threads have lent their workers and come back. */
TEST_PLAIN(nobody_is_named_who_has_ended, "R63")
{
    roost_opts opts = test_opts();
    roost_runtime *rt;
    roost_group *g;
    const char *text;

    CHECK_EQ(roost_start(&rt, &opts), 0);
    CHECK_EQ(roost_group_new(&g, rt, NULL), 0);
    CHECK_EQ(roost_group_submit(g, have_worker_lent, NULL, NULL, NULL), 0);
    CHECK_EQ(roost_group_wait(g), 0);
    do { /* it was awaited until a moment before its worker has left it */
        text = dump_text();
    } while (strstr(text, "; runs") != NULL);
    CHECK(strstr(text, "the lender") == NULL);
    CHECK(strstr(text, "0 new tasks, 0 ready\n") != NULL);
    CHECK_EQ(roost_group_free(g), 0);
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
}
