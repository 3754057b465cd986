/*
 * when_around_test.c - tasks that wait before they start, and what is around
 * them: other threads, other runtimes, relays, hooks, dumps, deadlock reports,
 * counters, forks. Would catch one that is spawned from outside and starts
 * nowhere, a report that leaves them out or comes while one may still start.
 */
#include "begun.h"
#include "dumped.h"
#include "io.h"

/* ---- other threads, other runtimes --------------------------------------- */

struct foreign {
    roost_scope *s;
    roost_event *e;
    struct begun timed, event;
    int open;
};

static void *spawns_from_outside(void *arg)
{
    struct foreign *f = (struct foreign *)arg;

    CHECK_EQ(roost_spawn_when(f->s, roost_on_event(f->e), begin, &f->event), 0);
    CHECK_EQ(roost_spawn_when(f->s, roost_on_time(1), begin, &f->timed), 0);
    roost_scope_release(f->s);
    return NULL;
}

TEST(a_thread_with_a_hold_spawns_it, "R32")
{
    struct foreign f = {0};
    pthread_t thread;
    roost_event e;
    roost_scope s;

    CHECK_EQ(roost_event_init(&e), 0);
    roost_scope_open(&s, NULL);
    f.s = &s;
    f.e = &e;
    CHECK_EQ(roost_scope_hold(&s), 0);
    CHECK_EQ(pthread_create(&thread, NULL, spawns_from_outside, &f), 0);
    await(&f.timed);
    pthread_join(thread, NULL);
    CHECK_EQ(test_get(&f.event.runs), 0);
    CHECK_EQ(roost_event_set(&e), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(f.event.status, 0);
    CHECK_EQ(f.timed.status, 0);
    roost_event_destroy(&e);
}

static void *sets_from_outside(void *arg)
{
    CHECK_EQ(roost_event_set((roost_event *)arg), 0);
    return NULL;
}

TEST(a_thread_lets_it_start, "R61 R72")
{
    struct begun b = {0};
    pthread_t thread;
    roost_event e;
    roost_scope s;

    CHECK_EQ(roost_event_init(&e), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_when(&s, roost_on_event(&e), begin, &b), 0);
    CHECK_EQ(roost_scope_hold(&s), 0);
    CHECK_EQ(pthread_create(&thread, NULL, sets_from_outside, &e), 0);
    await(&b);
    pthread_join(thread, NULL);
    roost_scope_release(&s);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_event_destroy(&e);
}

/* In the scope of a group, and a cancel of that from a plain thread. */
struct grouped {
    struct begun b;
    int spawned;
};

static int spawns_into_the_group(void *arg)
{
    struct grouped *g = (struct grouped *)arg;

    CHECK_EQ(roost_spawn_when(roost_scope_current(), roost_on_time(ROOST_NEVER),
                              begin, &g->b),
             0);
    test_set(&g->spawned, 1);
    return 0;
}

TEST_PLAIN(a_group_is_cancelled_from_outside, "R12 R32")
{
    struct grouped g = {.b = {.give = -ECANCELED}};
    roost_opts opts = test_opts();
    roost_runtime *rt;
    roost_group *group;

    CHECK_EQ(roost_start(&rt, &opts), 0);
    CHECK_EQ(roost_group_new(&group, rt, NULL), 0);
    CHECK_EQ(roost_group_submit(group, spawns_into_the_group, &g, NULL, NULL),
             0);
    while (!test_get(&g.spawned)) {
        usleep(100);
    }
    CHECK_EQ(roost_group_wait_until(group, 1), -ETIMEDOUT);
    CHECK(roost_group_cancel(group, 0));
    CHECK_EQ(roost_group_free(group), 0);
    CHECK_EQ(g.b.status, -ECANCELED);
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
}

/* By a task of another runtime than the scope's. */
static int hosts(void *arg)
{
    struct foreign *f = (struct foreign *)arg;
    roost_scope s;

    roost_scope_open(&s, NULL);
    f->s = &s;
    CHECK_EQ(roost_scope_hold(&s), 0);
    test_set(&f->open, 1);
    return roost_scope_close(&s, 0);
}

static int spawns_across(void *arg)
{
    struct foreign *f = (struct foreign *)arg;

    CHECK_EQ(roost_spawn_when(f->s, roost_on_event(f->e), begin, &f->event), 0);
    CHECK_EQ(roost_spawn_when(f->s, roost_on_time(roost_in(ROOST_MS)), begin,
                              &f->timed),
             0);
    roost_scope_release(f->s);
    return 0;
}

TEST_PLAIN(a_task_of_another_runtime_spawns_it, "R32 R72")
{
    roost_opts opts = test_opts();
    struct foreign f = {0};
    roost_runtime *rt[2];
    roost_group *group[2];
    roost_event e;

    CHECK_EQ(roost_event_init(&e), 0);
    f.e = &e;
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(roost_start(&rt[i], &opts), 0);
        CHECK_EQ(roost_group_new(&group[i], rt[i], NULL), 0);
    }
    CHECK_EQ(roost_group_submit(group[0], hosts, &f, NULL, NULL), 0);
    while (!test_get(&f.open)) {
        usleep(100);
    }
    CHECK_EQ(roost_group_submit(group[1], spawns_across, &f, NULL, NULL), 0);
    CHECK_EQ(roost_group_free(group[1]), 0);
    CHECK_EQ(test_get(&f.event.runs), 0);
    CHECK_EQ(roost_event_set(&e), 0);
    CHECK_EQ(roost_group_free(group[0]), 0);
    CHECK_EQ(f.event.status, 0);
    CHECK_EQ(f.timed.status, 0);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(roost_stop(rt[i]), 0);
        roost_runtime_free(rt[i]);
    }
    roost_event_destroy(&e);
}

/* ---- scopes that move, hooks --------------------------------------------- */

/* Spawned before roost_started, it goes on under the target. */
static int starts_with_one(void *arg)
{
    CHECK_EQ(roost_spawn_when(roost_scope_current(), roost_on_time(ROOST_NEVER),
                              begin, arg),
             0);
    return roost_started(NULL);
}

TEST(it_swings_with_its_relay, "R34")
{
    struct begun b = {.give = -ECANCELED};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_started(&s, starts_with_one, &b, NULL, NULL), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(test_get(&b.runs), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(b.status, -ECANCELED);
}

static void spawns_in_a_hook(void *arg)
{
    struct foreign *f = (struct foreign *)arg;

    CHECK_EQ(roost_spawn_when(f->s, roost_on_event(f->e), begin, &f->event), 0);
    CHECK_EQ(roost_when_status(), -EINVAL);
}

TEST(a_hook_may_spawn_it, "R22 R30")
{
    struct foreign f = {0};
    roost_scope s, inner;
    roost_event e;
    roost_hook h;

    CHECK_EQ(roost_event_init(&e), 0);
    roost_scope_open(&s, NULL);
    f.s = &s;
    f.e = &e;
    roost_scope_open(&inner, NULL);
    CHECK_EQ(roost_scope_on_cancel(&inner, &h, spawns_in_a_hook, &f), 0);
    CHECK(roost_scope_cancel(&inner, 0));
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(test_get(&f.event.runs), 0);
    CHECK_EQ(roost_event_set(&e), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(f.event.status, 0);
    roost_event_destroy(&e);
}

/* It is a task like any other by then: it waits, opens scopes, blocks. */
static int does_everything(void *arg)
{
    roost_scope s;

    CHECK_EQ(roost_sleep(ROOST_US), 0);
    roost_block_begin();
    CHECK_EQ(roost_when_status(), 0);
    roost_block_end();
    CHECK_EQ(roost_when_status(), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, count, arg), 0);
    CHECK_EQ(roost_spawn_when(&s, roost_on_time(roost_in(1)), count, arg), 0);
    return roost_scope_close(&s, 0);
}

TEST(once_begun_it_is_a_task, "R29")
{
    int ran = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 50; i++) {
        CHECK_EQ(roost_spawn_when(&s, roost_on_time(roost_in(i * ROOST_US)),
                                  does_everything, &ran),
                 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(ran, 100);
}

/* ---- dumps, reports, counters -------------------------------------------- */

TEST(a_dump_shows_what_it_waits_for, "R63")
{
    struct begun b[3] = {{0}};
    char wanted[3][80];
    const char *text;
    roost_event e;
    roost_scope s;
    int fds[2];

    pair_of(PIPE, 0, fds);
    CHECK_EQ(roost_event_init(&e), 0);
    OPEN(&s, .name = "their scope");
    CHECK_EQ(roost_spawn_when(&s, roost_on_event(&e), begin, &b[0]), 0);
    CHECK_EQ(
        roost_spawn_when(&s, roost_on_fd(fds[0], ROOST_READABLE), begin, &b[1]),
        0);
    CHECK_EQ(roost_spawn_when(&s, roost_on_time(ROOST_NEVER), begin, &b[2]), 0);
    CHECK_EQ(roost_settle(), 0);
    text = dump_text();
    snprintf(wanted[0], sizeof wanted[0], "not started: event %p", (void *)&e);
    snprintf(wanted[1], sizeof wanted[1],
             "not started: waiting for fd %d readable", fds[0]);
    snprintf(wanted[2], sizeof wanted[2], "not started: time");
    CHECK(strstr(text, "3 tasks wait before they start") != NULL);
    CHECK(strstr(text, "their scope") != NULL);
    for (int i = 0; i < 3 && strstr(text, "their scope") != NULL; i++) {
        CHECK(strstr(strstr(text, "their scope"), wanted[i]) != NULL);
    }
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(strstr(dump_text(), "not started") == NULL);
    CHECK(strstr(dump_text(), "wait before they start") == NULL);
    roost_event_destroy(&e);
    close_pair(fds);
}

TEST(it_is_accepted_before_it_is_begun, "R61")
{
    roost_stats before, waits, after;
    int ran = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_stats_get(NULL, &before), 0);
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(roost_spawn_when(&s, roost_on_time(ROOST_NEVER), count, &ran),
                 0);
    }
    CHECK_EQ(roost_stats_get(NULL, &waits), 0);
    CHECK_EQ(waits.spawned - before.spawned, 100);
    CHECK_EQ(waits.run, before.run);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_stats_get(NULL, &after), 0);
    CHECK_EQ(after.spawned, after.run);
    CHECK_EQ(after.run - before.run, 100);
    CHECK_EQ(ran, 100);
}

static int waits_for_nobody(void *arg)
{
    roost_event e;
    roost_scope s;
    int rc;

    CHECK_EQ(roost_event_init(&e), 0);
    OPEN(&s, .name = "the stuck scope");
    CHECK_EQ(roost_spawn_when(&s, roost_on_event(&e), begin, arg), 0);
    rc = roost_scope_close(&s, 0);
    roost_event_destroy(&e);
    return rc;
}

TEST_PLAIN(a_deadlock_report_names_it, "R63")
{
    static struct capture c;
    struct begun b = {.give = -ECANCELED};
    roost_opts opts = test_opts();
    const char *said;
    int rc;

    capture_begin(&c);
    rc = roost_run(waits_for_nobody, &b, &opts);
    said = capture_end(&c);
    CHECK_EQ(rc, -EDEADLK);
    CHECK_EQ(test_get(&b.runs), 1);
    CHECK_EQ(b.status, -ECANCELED);
    CHECK(strstr(said, "not started: event") != NULL);
}

/* A time or a descriptor may still come. */
static int waits_for_both(void *arg)
{
    struct begun *b = (struct begun *)arg;
    roost_scope s;
    int fds[2];

    CHECK_EQ(pipe(fds), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_when(&s, roost_on_time(roost_in(2 * ROOST_MS)), begin,
                              &b[0]),
             0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_when_until(&s, roost_on_fd(fds[0], ROOST_READABLE),
                                    begin, &b[1], roost_in(2 * ROOST_MS)),
             0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    close_pair(fds);
    return 0;
}

TEST_PLAIN(what_may_still_start_is_no_deadlock, "R63")
{
    struct begun b[2] = {{0}};
    roost_opts opts = test_opts();

    CHECK_EQ(roost_run(waits_for_both, b, &opts), 0);
    CHECK_EQ(b[0].status, 0);
    CHECK_EQ(b[1].status, -ETIMEDOUT);
}

TEST(in_a_forked_child_it_is_refused, "R64")
{
    roost_scope s;
    int status = -1;
    pid_t pid;

    roost_scope_open(&s, NULL);
    pid = fork();
    if (pid == 0) {
        _exit(roost_spawn_when(&s, roost_on_time(1), begin, NULL) != -EINVAL ||
              roost_when_status() != -EINVAL);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}
