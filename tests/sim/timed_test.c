/* timed_test.c - a simulation in which things take time (sim_timed.c). */
#include "../test.h"

#include <sim.h>

static int64_t same_line(unsigned from, unsigned to)
{
    (void)from;
    (void)to;
    return 50;
}

static const struct sim_costs costs = {.spawn = 5,
                                       .place = 8,
                                       .turn = 12,
                                       .wait = 10,
                                       .search = 40,
                                       .look = 3,
                                       .barrier = 1000,
                                       .interrupt = 300,
                                       .wake = 11000,
                                       .call = 3000,
                                       .spin = 10000,
                                       .line = same_line};

enum { TASKS = 64, TASK_NS = 1000000 };

static int compute(void *arg)
{
    (void)arg;
    sim_compute(TASK_NS);
    return 0;
}

/* Out: how long it took. */
static int many(void *arg)
{
    int64_t start = roost_now();
    roost_scope s;
    int rc;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < TASKS; i++) {
        roost_spawn(&s, compute, NULL);
    }
    rc = roost_scope_close(&s, 0);
    *(int64_t *)arg = roost_now() - start;
    return rc;
}

static int64_t run(int (*fn)(void *), unsigned workers)
{
    const roost_opts opts = {.workers = workers,
                             .backend = ROOST_SIM,
                             .clock = ROOST_CLOCK_VIRTUAL,
                             .seed = 1};
    int64_t took = 0;

    sim_costs = &costs;
    CHECK_EQ(roost_run(fn, &took, &opts), 0);
    sim_costs = NULL;
    return took;
}

TEST_PLAIN(one_worker_takes_the_sum, "R72")
{
    int64_t took = run(many, 1);
    int64_t sum = (int64_t)TASKS * TASK_NS;

    CHECK(took >= sum && took < sum + sum / 100);
}

TEST_PLAIN(four_workers_take_a_quarter, "R72")
{
    int64_t took = run(many, 4);
    int64_t quarter = (int64_t)TASKS * TASK_NS / 4;

    CHECK(took >= quarter && took < quarter + 2 * TASK_NS);
}

TEST_PLAIN(the_same_run_takes_the_same_time, "R72")
{
    CHECK_EQ(run(many, 4), run(many, 4));
}

static int compute_then_see(void *arg)
{
    (void)arg;
    sim_compute(10 * TASK_NS);
    return 0;
}

/* Out: how late a sleeper woke while the other worker computed. */
static int sleep_beside(void *arg)
{
    int64_t until;
    roost_scope s;
    int rc;

    roost_scope_open(&s, NULL);
    roost_spawn(&s, compute_then_see, NULL);
    until = roost_now() + TASK_NS;
    rc = roost_sleep_until(until);
    *(int64_t *)arg = roost_now() - until;
    return roost_scope_close(&s, rc);
}

TEST_PLAIN(a_sleeper_wakes_while_another_worker_computes, "R72")
{
    int64_t late = run(sleep_beside, 2);

    CHECK(late >= 0 && late < TASK_NS);
}
