/*
 * offload_pool_test.c - the threads of offloaded calls, and what they mean for
 * the runtime: its end, its clock, its report of a deadlock, its forks.
 *
 * Would catch: more threads than allowed, one made where another was idle, or
 * that never ends; a crowd of stuck calls that stops the workers; an end of the
 * run that does not await an abandoned call, awaits it for ever, or frees what
 * it still uses; a virtual clock that jumps, or a deadlock that is reported,
 * while a call is out, or one that is not reported after.
 */
#include "forked.h"
#include "offload.h"

#include <dirent.h>

/* ---- threads ---- */

static int pool_threads(void)
{
    DIR *dir = opendir("/proc/self/task");
    struct dirent *entry;
    int n = 0;

    while ((entry = readdir(dir)) != NULL) {
        char path[300], name[32] = "";
        FILE *f;

        snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        f = fopen(path, "r");
        if (f != NULL) {
            n += fgets(name, sizeof name, f) != NULL &&
                 strncmp(name, "roost-offload", 13) == 0;
            fclose(f);
        }
    }
    closedir(dir);
    return n;
}

/* The kernel may list one for a moment after it was joined. The watchdog gives
 * up. */
static void await_pool_threads(int most)
{
    struct timespec t = {0, 200000};

    while (pool_threads() > most) {
        nanosleep(&t, NULL);
    }
}

static int tell_name(void *arg)
{
    CHECK_EQ(pool_threads(), 1);
    return prctl(PR_GET_NAME, arg, 0, 0, 0);
}

/* As top and gdb show it; all that count threads here go by it. */
TEST(a_thread_of_the_pool_has_a_name, "R54")
{
    char name[16] = "";

    CHECK_EQ(roost_offload(tell_name, name), 0);
    CHECK_STR(name, "roost-offload");
}

static int which_thread(void *arg)
{
    *(pthread_t *)arg = pthread_self();
    return 0;
}

TEST(the_thread_that_was_idle_is_used_again, "R54")
{
    pthread_t first, next;

    CHECK_EQ(roost_offload(which_thread, &first), 0);
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(roost_offload(which_thread, &next), 0);
        CHECK(pthread_equal(first, next));
    }
    await_pool_threads(1);
}

static struct {
    int now, most;
} crowd;

static int be_in_the_crowd(void *arg)
{
    struct timespec t = {0, 100000};
    int now = test_add(&crowd.now, 1);

    (void)arg;
    if (now > test_get(&crowd.most)) {
        test_set(&crowd.most, now);
    }
    nanosleep(&t, NULL);
    test_add(&crowd.now, -1);
    return 0;
}

static int offload_crowd(void *arg)
{
    return roost_offload(be_in_the_crowd, arg);
}

TEST_WITH(never_more_than_the_most, "R54", .offload_max = 3)
{
    roost_scope s;

    crowd.most = 0;
    roost_scope_open(&s, NULL);
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(roost_spawn(&s, offload_crowd, NULL), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(crowd.most >= 1 && crowd.most <= 3);
    await_pool_threads(3);
}

TEST_WITH(an_idle_thread_ends, "R66", .offload_idle = ROOST_MS)
{
    for (int round = 0; round < 3; round++) {
        CHECK_EQ(roost_offload(succeed, NULL), 0);
        await_pool_threads(0);
    }
}

static int offload_often(void *arg)
{
    for (int i = 0; i < 200; i++) {
        CHECK_EQ(roost_offload(count, arg), 0);
    }
    return 0;
}

TEST_WITH(a_call_meets_a_thread_that_is_about_to_end, "R54",
          .offload_idle = ROOST_US)
{
    roost_scope s;
    int runs = 0;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(roost_spawn(&s, offload_often, &runs), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(runs, 600);
}

static struct {
    roost_event go;
    int runs, cancelled;
} stuck;

static int be_stuck(void *arg)
{
    (void)arg;
    test_add(&stuck.runs, 1);
    return roost_event_wait(&stuck.go);
}

static int offload_stuck(void *arg)
{
    int rc = roost_offload(be_stuck, arg);

    CHECK(rc == 0 || rc == -ECANCELED);
    test_add(&stuck.cancelled, rc == -ECANCELED);
    return rc;
}

TEST_WITH(a_thousand_stuck_calls_do_not_stop_the_others, "R54",
          .offload_max = 100)
{
    struct nap n = {.d = ROOST_US};
    roost_scope s;

    stuck.runs = stuck.cancelled = 0;
    CHECK_EQ(roost_event_init(&stuck.go), 0);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < 1000; i++) {
        CHECK_EQ(roost_spawn(&s, offload_stuck, NULL), 0);
    }
    CHECK_EQ(roost_settle(), 0); /* all of them wait */
    CHECK_EQ(nap(&n), 0);
    CHECK(roost_scope_cancel(&s, 0)); /* those in the queue never run */
    roost_event_set(&stuck.go);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(stuck.runs <= 100);
    CHECK_EQ(stuck.runs + stuck.cancelled, 1000);
}

/* ---- the end of a run ---- */

static struct gate gate;

static int abandon_and_return(void *arg)
{
    roost_scope s;

    (void)arg;
    gate_scope(&gate, &s);
    gate.rc = OFFLOAD_WITH(stay, &gate, .abandon = leave, .name = "the rest");
    CHECK_EQ(gate.rc, -ECANCELED);
    return roost_scope_close(&s, 0);
}

static void *let_go_later(void *arg)
{
    struct timespec t = {0, 20000000};

    nanosleep(&t, NULL);
    roost_event_set(&gate.go);
    return arg;
}

TEST_PLAIN(the_end_awaits_an_abandoned_call, "R59")
{
    roost_opts opts = test_opts();
    pthread_t thread;

    gate_init(&gate);
    CHECK_EQ(pthread_create(&thread, NULL, let_go_later, NULL), 0);
    CHECK_EQ(roost_run(abandon_and_return, NULL, &opts), 0);
    CHECK_EQ(gate.ended, 1);
    CHECK_EQ(gate.abandoned, 1);
    await_pool_threads(0);
    pthread_join(thread, NULL);
}

/* It ends after the run: nobody is harmed. */
static void outlive_the_grace(void)
{
    roost_opts opts = test_opts();

    gate_init(&gate);
    opts.grace = 10 * ROOST_MS;
    CHECK_EQ(roost_run(abandon_and_return, NULL, &opts), -ETIMEDOUT);
    CHECK_EQ(test_get(&gate.ended), 0);
    roost_event_set(&gate.go);
    CHECK_EQ(roost_event_wait(&gate.gone), 0);
    CHECK_EQ(gate.abandoned, 1);
    fprintf(stderr, "failures: %d\n", test_get(&test_failures));
    _exit(9);
}

TEST_PLAIN(but_only_for_the_grace, "R59")
{
    CHECK_DIES("offloaded call the rest: abandoned", outlive_the_grace());
    CHECK_DIES("failures: 0", outlive_the_grace());
}

static roost_runtime *started;
static int called;

static int call_late(void *arg)
{
    stay(arg);
    called = roost_call(started, succeed, NULL);
    return 0;
}

static int abandon_a_late_caller(void *arg)
{
    roost_scope s;

    gate_scope(arg, &s);
    CHECK_EQ(OFFLOAD_WITH(call_late, arg, .abandon = leave), -ECANCELED);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(after_the_stop_has_begun_a_portal_call_is_refused, "R57 R59")
{
    roost_opts opts = test_opts();
    pthread_t thread;

    gate_init(&gate);
    called = 1;
    CHECK_EQ(roost_start(&started, &opts), 0);
    CHECK_EQ(roost_call(started, abandon_a_late_caller, &gate), 0);
    CHECK_EQ(pthread_create(&thread, NULL, let_go_later, NULL), 0);
    CHECK_EQ(roost_stop(started), 0);
    CHECK_EQ(gate.abandoned, 1);
    CHECK_EQ(called, -ESHUTDOWN);
    roost_runtime_free(started);
    pthread_join(thread, NULL);
}

static int say_goodbye(void *arg)
{
    return count(arg);
}

static int call_goodbye(void *arg)
{
    return roost_offload_call(say_goodbye, arg);
}

static int serve(void *arg)
{
    roost_shield h;
    int rc = roost_sleep(ROOST_NEVER);

    roost_shield_begin(&h);
    CHECK_EQ(roost_offload(call_goodbye, arg), 0);
    roost_shield_end(&h);
    return rc;
}

static int start_serving(void *arg)
{
    CHECK_EQ(roost_background("server", serve, arg, NULL), 0);
    return roost_settle();
}

TEST_PLAIN(what_winds_up_in_the_grace_may_offload_and_call_back, "R57 R59")
{
    roost_opts opts = test_opts();
    int runs = 0;

    CHECK_EQ(roost_run(start_serving, &runs, &opts), 0);
    CHECK_EQ(runs, 1);
}

/* ---- the clock and the deadlock report ---- */

static int stay_a_while(void *arg)
{
    struct timespec t = {0, 10000000};

    nanosleep(&t, NULL);
    test_set(arg, 1);
    return 0;
}

static int note_when(void *arg)
{
    CHECK_EQ(roost_sleep(ROOST_S), 0);
    CHECK_EQ(test_get(arg), 1);
    return 0;
}

TEST_VIRTUAL(a_virtual_clock_waits_for_it, "R65")
{
    roost_ns t = roost_now();
    roost_scope s;
    int over = 0;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, note_when, &over), 0);
    CHECK_EQ(roost_offload(stay_a_while, &over), 0);
    CHECK_EQ(roost_now(), t);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_now() - t, ROOST_S);
}

struct stuck_run {
    int over, rc;
};

/* The only task waits for the call, and then for nothing at all. */
static int offload_then_be_stuck(void *arg)
{
    struct stuck_run *r = arg;
    static struct gate g;

    gate_init(&g);
    roost_event_set(&g.go);
    r->rc = roost_offload(stay_a_while, &r->over);
    CHECK_EQ(r->rc, 0);
    CHECK_EQ(roost_offload(stay, &g), 0); /* its thread uses objects */
    r->rc = roost_sleep(ROOST_NEVER);
    return r->rc;
}

TEST_PLAIN(a_deadlock_is_reported_only_when_no_call_is_out, "R63")
{
    static struct capture c;
    struct stuck_run r = {.rc = 1};
    roost_opts opts = test_opts();

    capture_begin(&c);
    CHECK_EQ(roost_run(offload_then_be_stuck, &r, &opts), -EDEADLK);
    CHECK(strstr(capture_end(&c), "deadlock") != NULL);
    CHECK_EQ(r.over, 1);
    CHECK_EQ(r.rc, -ECANCELED);
}

static int abandon_then_be_stuck(void *arg)
{
    CHECK_EQ(abandon_and_return(NULL), 0);
    *(int *)arg = roost_sleep(ROOST_NEVER);
    return 0;
}

TEST_PLAIN(an_abandoned_call_that_is_out_holds_the_report_too, "R63")
{
    static struct capture c;
    roost_opts opts = test_opts();
    pthread_t thread;
    int rc = 1;

    gate_init(&gate);
    CHECK_EQ(pthread_create(&thread, NULL, let_go_later, NULL), 0);
    capture_begin(&c);
    CHECK_EQ(roost_run(abandon_then_be_stuck, &rc, &opts), -EDEADLK);
    capture_end(&c);
    CHECK_EQ(gate.abandoned, 1);
    CHECK_EQ(rc, -ECANCELED);
    pthread_join(thread, NULL);
}

/* ---- fork ---- */

TEST(in_a_forked_child_it_is_refused, "R64")
{
    int runs = 0;
    pid_t pid;

    CHECK_EQ(roost_offload(succeed, NULL), 0);
    pid = fork();
    if (pid == 0) {
        CHECK_EQ(roost_offload(count, &runs), -EINVAL);
        CHECK_EQ(OFFLOAD_WITH(count, &runs, .copy = 4), -EINVAL);
        CHECK_EQ(roost_offload_call(count, &runs), -EINVAL);
        CHECK(!roost_offload_cancelled());
        CHECK_EQ(runs, 0);
        _exit(test_get(&test_failures) != 0);
    }
    CHECK_EQ(reap(pid), 0);
}

static int offload_count(void *arg)
{
    return roost_offload(count, arg);
}

static int fork_there(void *arg)
{
    pid_t *pid = arg;

    *pid = fork();
    if (*pid == 0) {
        roost_opts opts = test_opts();
        int runs = 0;

        CHECK(!roost_offload_cancelled());
        CHECK(roost_task_name() == NULL);
        CHECK_EQ(roost_offload_call(count, &runs), -EINVAL);
        CHECK_EQ(roost_run(offload_count, &runs, &opts), 0);
        CHECK_EQ(runs, 1);
        return test_get(&test_failures) != 0 ? 1 : -44;
    }
    return 0;
}

/* The child has no caller to go back to. */
TEST(a_call_that_returns_in_a_forked_child_ends_it, "R64")
{
    pid_t pid = -1;

    CHECK_EQ(roost_offload(fork_there, &pid), 0);
    CHECK_EQ(reap(pid), 44);
}
