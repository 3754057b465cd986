/*
 * service_test.c - services and started tasks where no task has opened the
 * scope, or nobody else is in it. Would catch a service that a cancel does not
 * find, or that outlives the run.
 */
#include "tasks.h"

/* Children are counted in a scope's own word, services in another's: one that
 * has nothing but a service is not empty. */
TEST_VIRTUAL(a_cancel_finds_a_lone_service, "R12")
{
    struct nap service = {.d = ROOST_NEVER};
    roost_shield shield;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, nap, &service, .flags = ROOST_SERVICE), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_scope_cancel(&s, 0), true);
    roost_shield_begin(&shield);
    CHECK_EQ(roost_settle(), 0);
    roost_shield_end(&shield);
    CHECK_EQ(test_get(&service.ended), 1);
    CHECK_EQ(service.rc, -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static int serve_in_mains_scope(void *arg)
{
    struct nap *service = (struct nap *)arg;

    CHECK_EQ(
        SPAWN_OPTS(roost_scope_current(), nap, service, .flags = ROOST_SERVICE),
        0);
    return roost_settle();
}

static const roost_opts *with_workers(void)
{
    static roost_opts opts;

    opts = (roost_opts){.workers = (unsigned)test_workers};
    return &opts;
}

/* The scope that main runs in closes as any other. */
TEST_PLAIN(a_service_of_main_ends_with_it, "R26 R59")
{
    struct nap service = {.d = ROOST_NEVER};

    CHECK_EQ(roost_run(serve_in_mains_scope, &service, with_workers()), 0);
    CHECK_EQ(service.ended, 1);
    CHECK_EQ(service.rc, -ECANCELED);
}

static int start_and_nap(void *arg)
{
    int rc = roost_started(NULL);

    return rc != 0 ? rc : nap(arg);
}

static int cancel_mains_scope(void *arg)
{
    struct nap *naps = (struct nap *)arg;
    roost_scope *s = roost_scope_current();

    CHECK_EQ(SPAWN_OPTS(s, nap, &naps[0], .flags = ROOST_SERVICE), 0);
    CHECK_EQ(roost_spawn_started(s, start_and_nap, &naps[1], NULL, NULL), 0);
    CHECK_EQ(roost_spawn(s, nap, &naps[2]), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_scope_cancel(s, 0), true);
    return 0;
}

/* What stands beside a group's scope is found as well as what is in it. */
TEST_PLAIN(a_cancel_of_mains_scope_finds_all, "R12 R34")
{
    struct nap naps[3] = {
        {.d = ROOST_NEVER}, {.d = ROOST_NEVER}, {.d = ROOST_NEVER}};
    int i;

    CHECK_EQ(roost_run(cancel_mains_scope, naps, with_workers()), 0);
    for (i = 0; i < 3; i++) {
        CHECK_EQ(naps[i].ended, 1);
        CHECK_EQ(naps[i].rc, -ECANCELED);
    }
}

/* A service may start others, while the scope is closing too. */
static int serve_and_spawn(void *arg)
{
    struct nap *naps = (struct nap *)arg;
    int rc = nap(&naps[0]);

    CHECK_EQ(SPAWN_OPTS(roost_scope_current(), nap, &naps[1],
                        .flags = ROOST_SERVICE),
             0);
    return rc;
}

static int serve_with_a_late_one(void *arg)
{
    CHECK_EQ(SPAWN_OPTS(roost_scope_current(), serve_and_spawn, arg,
                        .flags = ROOST_SERVICE),
             0);
    return roost_settle();
}

TEST_PLAIN(a_service_started_at_the_end_comes_home, "R28 R59")
{
    struct nap naps[2] = {{.d = ROOST_NEVER}, {.d = ROOST_NEVER}};

    CHECK_EQ(roost_run(serve_with_a_late_one, naps, with_workers()), 0);
    CHECK_EQ(naps[0].ended, 1);
    CHECK_EQ(naps[1].ended, 1);
}
