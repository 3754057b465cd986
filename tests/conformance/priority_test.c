/*
 * priority_test.c - HIGH before NORMAL before LOW, on one worker so that the
 * order is determined; nobody starves. Would catch a priority that is lost
 * across a wait or a spawn, or a LOW task that never runs.
 */
#include "tasks.h"

struct log {
    int n;
    char order[256]; /* 'H', 'N', 'L' in the order in which they ran */
};

struct entry {
    struct log *log;
    char mark;
    int rounds;
};

static int write_log(void *arg)
{
    struct entry *e = (struct entry *)arg;

    for (int i = 0; i < e->rounds; i++) {
        e->log->order[test_add(&e->log->n, 1) - 1] = e->mark;
        CHECK_EQ(roost_yield(), 0);
    }
    return 0;
}

static int run_on_one_worker(roost_fn fn, void *arg)
{
    roost_opts opts = test_opts();

    opts.workers = 1;
    opts.clock = ROOST_CLOCK_VIRTUAL;
    return roost_run(fn, arg, &opts);
}

/* How many entries in `order` have one of `later` behind them. */
static int overtaken(const char *order, char early, const char *later)
{
    int n = 0;

    for (const char *p = order; *p != '\0'; p++) {
        n += *p == early && strpbrk(p, later) != NULL;
    }
    return n;
}

static int spawn_a_mix(void *arg)
{
    static const int priority[] = {ROOST_LOW, ROOST_NORMAL, ROOST_HIGH};
    static const char mark[] = "LNH";
    static struct entry e[12];
    struct entry *model = (struct entry *)arg;
    roost_scope s;
    struct nap rest = {.d = ROOST_S};

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 12; i++) {
        e[i] = (struct entry){model->log, mark[i % 3], model->rounds};
        CHECK_EQ(SPAWN_OPTS(&s, write_log, &e[i], .priority = priority[i % 3]),
                 0);
    }
    CHECK_EQ(nap(&rest), 0); /* not close, which runs them in place */
    return roost_scope_close(&s, 0);
}

/* At most one exception: the 61st turn, if it falls in here. */
TEST_PLAIN(ready_tasks_run_by_priority, "R68")
{
    struct log log = {0, ""};
    struct entry model = {.log = &log, .rounds = 1};

    CHECK_EQ(run_on_one_worker(spawn_a_mix, &model), 0);
    CHECK_EQ(strlen(log.order), 12);
    CHECK_EQ(overtaken(log.order, 'N', "H"), 0);
    CHECK(overtaken(log.order, 'L', "HN") <= 1);
}

TEST_PLAIN(priorities_are_kept_across_waits, "R68")
{
    struct log log = {0, ""};
    struct entry model = {.log = &log, .rounds = 3};

    CHECK_EQ(run_on_one_worker(spawn_a_mix, &model), 0);
    CHECK_EQ(strlen(log.order), 36);
    CHECK_EQ(overtaken(log.order, 'N', "H"), 0);
    CHECK(overtaken(log.order, 'L', "HN") <= 2);
}

static int spawn_one_more(void *arg)
{
    return roost_spawn(roost_scope_current(), write_log, arg);
}

static int inherit(void *arg)
{
    struct log *log = (struct log *)arg;
    struct entry high = {log, 'H', 1}, normal = {log, 'N', 1};
    struct nap rest = {.d = ROOST_S};
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(roost_spawn(&s, write_log, &normal), 0);
    }
    CHECK_EQ(SPAWN_OPTS(&s, spawn_one_more, &high, .priority = ROOST_HIGH), 0);
    CHECK_EQ(nap(&rest), 0);
    return roost_scope_close(&s, 0);
}

/* R31: the priority is the spawner's. */
TEST_PLAIN(a_plain_spawn_inherits_the_priority, "R31 R68")
{
    struct log log = {0, ""};

    CHECK_EQ(run_on_one_worker(inherit, &log), 0);
    CHECK_STR(log.order, "HNNNNN");
}

static int spin_until(void *arg)
{
    while (!test_get((int *)arg)) {
        CHECK_EQ(roost_yield(), 0);
    }
    return 0;
}

static int set_it(void *arg)
{
    test_set((int *)arg, 1);
    return 0;
}

/* Every 61st turn the oldest of the lowest: NORMAL and HIGH spinners do not
 * starve a LOW task, on any number of workers. */
TEST(a_low_task_is_not_starved, "R60 R68")
{
    for (int priority = ROOST_NORMAL; priority <= ROOST_HIGH; priority++) {
        int flag = 0;
        roost_scope s;

        roost_scope_open(&s, NULL);
        for (unsigned i = 0; i < 3 * test_workers; i++) {
            CHECK_EQ(SPAWN_OPTS(&s, spin_until, &flag, .priority = priority),
                     0);
        }
        CHECK_EQ(SPAWN_OPTS(&s, set_it, &flag, .priority = ROOST_LOW), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
    }
}

TEST(a_high_spinner_does_not_starve_a_sleeper, "R60 R68")
{
    int flag = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (unsigned i = 0; i < test_workers; i++) {
        CHECK_EQ(SPAWN_OPTS(&s, spin_until, &flag, .priority = ROOST_HIGH), 0);
    }
    CHECK_EQ(roost_sleep(ROOST_MS), 0);
    test_set(&flag, 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static int ten_yields(void *arg)
{
    int rc = 0;

    for (int i = 0; i < 10 && rc == 0; i++) {
        rc = roost_yield();
    }
    test_add((int *)arg, 1);
    return rc;
}

/* NORMAL ready fibers and NORMAL new tasks, while there is always a HIGH one
 * that is ready. */
TEST(high_spinners_starve_neither_ready_nor_new_tasks, "R60 R68")
{
    int flag = 0, ended = 0;
    roost_scope s, normal;

    roost_scope_open(&s, NULL);
    roost_scope_open(&normal, NULL);
    for (unsigned i = 0; i < 2 * test_workers; i++) {
        CHECK_EQ(SPAWN_OPTS(&s, spin_until, &flag, .priority = ROOST_HIGH), 0);
    }
    for (unsigned i = 0; i < 4 * test_workers; i++) {
        CHECK_EQ(roost_spawn(&normal, ten_yields, &ended), 0);
    }
    CHECK_EQ(roost_scope_close(&normal, 0), 0);
    CHECK_EQ((unsigned)ended, 4 * test_workers);
    test_set(&flag, 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(all_priorities_complete, "R68")
{
    static const int priority[] = {ROOST_LOW, ROOST_NORMAL, ROOST_HIGH};
    int runs = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 3000; i++) {
        CHECK_EQ(SPAWN_OPTS(&s, count, &runs, .priority = priority[i % 3]), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(runs, 3000);
}

/* A scope that a task with a priority opens passes it on. */
static int open_and_spawn(void *arg)
{
    struct entry *e = (struct entry *)arg;
    struct nap rest = {.d = ROOST_S};
    roost_scope s, timed;

    roost_scope_open(&s, NULL);
    OPEN(&timed, .timeout = 60 * ROOST_S);
    CHECK_EQ(roost_spawn(&s, write_log, e), 0);
    CHECK_EQ(roost_spawn(&timed, write_log, e), 0);
    CHECK_EQ(nap(&rest), 0); /* not close, which runs them in place */
    CHECK_EQ(roost_scope_close(&timed, 0), 0);
    return roost_scope_close(&s, 0);
}

static int open_beside_normal_ones(void *arg)
{
    struct entry high = {(struct log *)arg, 'H', 1};
    struct entry normal = {(struct log *)arg, 'N', 1};
    struct nap rest = {.d = 2 * ROOST_S};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, open_and_spawn, &high, .priority = ROOST_HIGH), 0);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(roost_spawn(&s, write_log, &normal), 0);
    }
    CHECK_EQ(nap(&rest), 0);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(a_scope_opened_with_a_priority_passes_it_on, "R31 R68")
{
    struct log log = {0, ""};

    CHECK_EQ(run_on_one_worker(open_beside_normal_ones, &log), 0);
    CHECK_STR(log.order, "HHNNNNN");
}
