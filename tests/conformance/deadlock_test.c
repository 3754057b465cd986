/*
 * deadlock_test.c - R63: when all tasks are stuck on each other the run ends
 * with -EDEADLK and a dump; and only then. Would catch a report that comes
 * while something may still wake a task, or one that never comes.
 */
#include "stuck.h"
#include "tasks.h"

static int woken_with;

static int stuck(void *arg)
{
    (void)arg;
    woken_with = roost_sleep(ROOST_NEVER);
    return woken_with;
}

/* Runs fn; returns the status, and what was said on stderr. */
static int run_stuck(roost_fn fn, void *arg, unsigned flags, const char **said)
{
    static struct capture c;
    roost_opts opts = test_opts();
    int rc;

    opts.flags = flags;
    capture_begin(&c);
    rc = roost_run(fn, arg, &opts);
    *said = capture_end(&c);
    return rc;
}

TEST_PLAIN(a_stuck_main_task_is_reported, "R63")
{
    const char *said;

    woken_with = 1;
    CHECK_EQ(run_stuck(stuck, NULL, 0, &said), -EDEADLK);
    CHECK_EQ(woken_with, -ECANCELED); /* the tasks come home */
    CHECK(said[0] != '\0');
}

static int wait_for_a_stuck_child(void *arg)
{
    roost_scope s;

    roost_scope_open(&s, &(roost_scope_opts){.name = "the stuck scope"});
    CHECK_EQ(SPAWN_OPTS(&s, nap, arg, .name = "the stuck child"), 0);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(the_dump_names_tasks_and_scopes, "R63")
{
    struct nap n = {.d = ROOST_NEVER};
    const char *said;

    CHECK_EQ(run_stuck(wait_for_a_stuck_child, &n, 0, &said), -EDEADLK);
    CHECK_EQ(n.rc, -ECANCELED);
    CHECK(strstr(said, "the stuck child") != NULL);
    CHECK(strstr(said, "the stuck scope") != NULL);
}

struct pair {
    roost_task task[2];
    int both, rc[2];
};

static int join_the_second(void *arg)
{
    struct pair *p = (struct pair *)arg;

    while (!test_get(&p->both)) {
        CHECK_EQ(roost_yield(), 0);
    }
    p->rc[0] = roost_join(&p->task[1], NULL);
    return 0;
}

static int join_the_first(void *arg)
{
    struct pair *p = (struct pair *)arg;

    while (!test_get(&p->both)) {
        CHECK_EQ(roost_yield(), 0);
    }
    p->rc[1] = roost_join(&p->task[0], NULL);
    return 0;
}

static int join_each_other(void *arg)
{
    struct pair *p = (struct pair *)arg;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, join_the_second, p, .handle = &p->task[0]), 0);
    CHECK_EQ(SPAWN_OPTS(&s, join_the_first, p, .handle = &p->task[1],
                        .name = "joins the first"),
             0);
    test_set(&p->both, 1);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(tasks_that_join_each_other_are_reported, "R63")
{
    struct pair p = {.rc = {1, 1}};
    const char *said;

    CHECK_EQ(run_stuck(join_each_other, &p, 0, &said), -EDEADLK);
    CHECK_EQ(p.rc[0], -ECANCELED);
    CHECK_EQ(p.rc[1], -ECANCELED);
    CHECK(strstr(said, "joins the first") != NULL);
}

static int spawn_beyond_the_limit(void *arg)
{
    roost_scope s;
    int rc;

    roost_scope_open(&s, &(roost_scope_opts){.limit = 1});
    CHECK_EQ(roost_spawn(&s, stuck, NULL), 0);
    rc = roost_spawn(&s, count, arg);
    CHECK_EQ(rc, -ECANCELED);
    return roost_scope_close(&s, rc);
}

TEST_PLAIN(waiting_for_the_room_of_a_limit_is_stuck_too, "R35 R63")
{
    int runs = 0;
    const char *said;

    CHECK_EQ(run_stuck(spawn_beyond_the_limit, &runs, 0, &said), -EDEADLK);
    CHECK_EQ(runs, 0);
}

TEST_PLAIN(stuck_on_a_virtual_clock_is_reported_too, "R63 R65")
{
    static struct capture c;
    struct nap n = {.d = ROOST_NEVER};
    roost_opts opts = test_opts();

    opts.clock = ROOST_CLOCK_VIRTUAL;
    capture_begin(&c);
    CHECK_EQ(roost_run(wait_for_a_stuck_child, &n, &opts), -EDEADLK);
    capture_end(&c);
    CHECK_EQ(n.rc, -ECANCELED);
}

static void run_shielded(void)
{
    roost_opts opts = test_opts();

    opts.name = "the stuck runtime";
    (void)roost_run(never_end, NULL, &opts);
}

TEST_PLAIN(stuck_behind_a_shield_ends_the_process, "R63")
{
    CHECK_ABORTS("", run_shielded());
}

/* ---- what is no deadlock ---- */

struct rescue {
    roost_scope *s;
    int hold;
};

static void *cancel_later(void *arg)
{
    struct rescue *r = (struct rescue *)arg;
    struct timespec t = {0, 30000000};

    nanosleep(&t, NULL);
    CHECK(roost_scope_cancel(r->s, 0));
    if (r->hold) {
        roost_scope_release(r->s);
    }
    return NULL;
}

/* Sleeps for ever in a scope that a plain thread cancels after a while. */
static int sleep_until_rescued(void *arg)
{
    struct rescue r = {.hold = *(int *)arg};
    pthread_t thread;
    roost_scope s;
    int rc;

    r.s = &s;
    roost_scope_open(&s, NULL);
    if (r.hold) {
        CHECK_EQ(roost_scope_hold(&s), 0);
    }
    CHECK_EQ(pthread_create(&thread, NULL, cancel_later, &r), 0);
    CHECK_EQ(roost_sleep(ROOST_NEVER), -ECANCELED);
    pthread_join(thread, NULL);
    rc = roost_scope_close(&s, 0);
    return rc;
}

TEST_PLAIN(a_hold_that_is_out_is_no_deadlock, "R63")
{
    const char *said;
    int hold = 1;

    CHECK_EQ(run_stuck(sleep_until_rescued, &hold, 0, &said), 0);
    CHECK_STR(said, "");
}

TEST_PLAIN(the_check_can_be_switched_off, "R63")
{
    const char *said;
    int hold = 0;

    CHECK_EQ(
        run_stuck(sleep_until_rescued, &hold, ROOST_NO_DEADLOCK_CHECK, &said),
        0);
    CHECK_STR(said, "");
}

TEST_PLAIN(while_another_runtime_exists_nothing_is_reported, "R63 R72")
{
    const char *said;
    int hold = 0;
    roost_runtime *rt = NULL;
    roost_opts opts = test_opts();

    CHECK_EQ(roost_start(&rt, &opts), 0);
    CHECK_EQ(run_stuck(sleep_until_rescued, &hold, 0, &said), 0);
    CHECK_STR(said, "");
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
}

static int sleep_a_while(void *arg)
{
    (void)arg;
    return roost_sleep(30 * ROOST_MS);
}

TEST_PLAIN(a_timer_that_is_out_is_no_deadlock, "R63")
{
    const char *said;

    CHECK_EQ(run_stuck(sleep_a_while, NULL, 0, &said), 0);
    CHECK_STR(said, "");
}

static int sleep_in_a_deadline(void *arg)
{
    roost_scope s;

    (void)arg;
    OPEN(&s, .timeout = 30 * ROOST_MS, .flags = ROOST_MOVE_ON);
    CHECK_EQ(roost_sleep(ROOST_NEVER), -ECANCELED);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(a_deadline_that_is_out_is_no_deadlock, "R63")
{
    const char *said;

    CHECK_EQ(run_stuck(sleep_in_a_deadline, NULL, 0, &said), 0);
    CHECK_STR(said, "");
}

static int soft_grace(void *arg)
{
    roost_scope s, fin;

    (void)arg;
    roost_scope_open(&s, NULL);
    roost_scope_open(&fin, &(roost_scope_opts){.flags = ROOST_FINISH});
    roost_scope_cancel_soft(&s, 30 * ROOST_MS);
    CHECK_EQ(roost_sleep(ROOST_NEVER), -ECANCELED);
    CHECK_EQ(roost_scope_close(&fin, 0), -ECANCELED);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(a_grace_that_runs_is_no_deadlock, "R25 R63")
{
    const char *said;

    CHECK_EQ(run_stuck(soft_grace, NULL, 0, &said), 0);
    CHECK_STR(said, "");
}

TEST_PLAIN(a_started_runtime_never_reports, "R63")
{
    static struct capture c;
    struct nap n = {.d = ROOST_NEVER};
    struct timespec t = {0, 30000000};
    roost_opts opts = test_opts();
    roost_runtime *rt = NULL;
    roost_group *g = NULL;

    capture_begin(&c);
    CHECK_EQ(roost_start(&rt, &opts), 0);
    CHECK_EQ(roost_group_new(&g, rt, NULL), 0);
    CHECK_EQ(roost_group_submit(g, nap, &n, NULL, NULL), 0);
    nanosleep(&t, NULL);
    CHECK_EQ(test_get(&n.ended), 0);
    CHECK(roost_group_cancel(g, 0));
    CHECK_EQ(roost_group_free(g), 0);
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
    CHECK_STR(capture_end(&c), "");
}
