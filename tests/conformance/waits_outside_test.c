/*
 * waits_outside_test.c - each wait where no task of one runtime is alone: plain
 * threads, two runtimes, a hook, a forked child. Would catch a thread that is
 * not woken, a task that is put into another runtime's queue, a wait in a place
 * where none is allowed.
 */
#include "waits.h"

/* Of a meeting's two either may be the leader. What the other did before is
 * seen. */
static bool ended_well(const struct wait *w)
{
    return (w->rc == w->kind->done || (w->kind->meets && w->rc == 1)) &&
           w->heard == 5;
}

static void *wait_in_thread(void *arg)
{
    (void)wait_once(arg);
    return NULL;
}

static void *wake_in_thread(void *arg)
{
    (void)wake_once(arg);
    return NULL;
}

/* Waits of every kind, one after the other: `there` by a plain thread, `here`
 * by a task of rt, or, without one, by the thread that calls. */
static void wait_with_thread(roost_runtime *rt, void *(*there)(void *),
                             roost_fn here)
{
    FOR_EACH_KIND(k)
    {
        for (int i = 0; i < 10; i++) {
            struct wait w;
            pthread_t thread;

            wait_init(&w, k);
            CHECK_EQ(pthread_create(&thread, NULL, there, &w), 0);
            CHECK_EQ(rt == NULL ? here(&w) : roost_call(rt, here, &w), 0);
            pthread_join(thread, NULL);
            CHECK(ended_well(&w));
            objects_destroy(&w.o);
        }
    }
}

static void task_and_thread(void *(*there)(void *), roost_fn here)
{
    roost_opts opts = test_opts();
    roost_runtime *rt;

    CHECK_EQ(roost_start(&rt, &opts), 0);
    wait_with_thread(rt, there, here);
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
}

TEST_PLAIN(a_thread_waits_for_a_thread, "R3 R6 R61")
{
    wait_with_thread(NULL, wait_in_thread, wake_once);
}

TEST_PLAIN(a_thread_waits_for_a_task, "R3 R6 R61")
{
    task_and_thread(wait_in_thread, wake_once);
}

TEST_PLAIN(a_task_waits_for_a_thread, "R3 R6 R61")
{
    task_and_thread(wake_in_thread, wait_once);
}

TEST_PLAIN(the_tasks_of_two_runtimes_share_objects, "R6 R61 R72")
{
    roost_opts opts = test_opts();
    roost_runtime *a, *b;
    roost_group *g;

    CHECK_EQ(roost_start(&a, &opts), 0);
    CHECK_EQ(roost_start(&b, &opts), 0);
    CHECK_EQ(roost_group_new(&g, a, NULL), 0);
    FOR_EACH_KIND(k)
    {
        for (int i = 0; i < 10; i++) {
            struct wait w;

            wait_init(&w, k);
            CHECK_EQ(roost_group_submit(g, wait_once, &w, NULL, NULL), 0);
            CHECK_EQ(roost_call(b, wake_once, &w), 0);
            CHECK_EQ(roost_group_wait(g), 0);
            CHECK(ended_well(&w));
            objects_destroy(&w.o);
        }
    }
    CHECK_EQ(roost_group_free(g), 0);
    CHECK_EQ(roost_stop(a), 0);
    CHECK_EQ(roost_stop(b), 0);
    roost_runtime_free(a);
    roost_runtime_free(b);
}

/* A thread has no scope: only its deadline ends its wait. */
TEST_PLAIN(a_thread_is_too_late_like_a_task, "R8 R10 R11")
{
    FOR_EACH_KIND(k)
    {
        roost_ns t = roost_in(300 * ROOST_US);
        struct wait w;

        wait_init(&w, k);
        CHECK_EQ(k->wait(&w.o, t), -ETIMEDOUT);
        CHECK(roost_now() >= t);
        CHECK_EQ(k->wait(&w.o, 0), -ETIMEDOUT);
        CHECK_EQ(k->wait(&w.o, INT64_MIN), -ETIMEDOUT);
        CHECK_EQ(w.o.got, 0);
        if (!k->meets) {
            k->wake(&w.o);
            CHECK_EQ(k->wait(&w.o, 0), k->done);
        }
        objects_destroy(&w.o);
    }
}

/* ---- hooks ---- */

static int refusals;

static void wait_in_hook(void *arg)
{
    struct wait *w = (struct wait *)arg;
    long item = 1;

    FOR_EACH_KIND(k)
    {
        refusals += k->wait(&w->o, ROOST_NEVER) == -EPERM;
        refusals += k->wait(&w->o, 0) == -EPERM;
    }
    CHECK_EQ(roost_chan_try_send(w->o.empty, &item), 0); /* never waits */
    CHECK_EQ(roost_chan_try_recv(w->o.empty, &item), 0);
    CHECK_EQ(roost_try_select(w->o.cases, 2), -EAGAIN);
    CHECK_EQ(roost_event_set(&w->o.event), 0);
    CHECK_EQ(roost_try_select(w->o.cases, 2), 1);
    CHECK_EQ(roost_latch_down(&w->o.latch), 0);
    CHECK_EQ(roost_oneshot_set(&w->o.oneshot, w), 0);
    CHECK_EQ(roost_broadcast_send(w->o.broadcast, &item), 0);
    CHECK_EQ(roost_watch_set(w->o.watch, &item), 0);
    CHECK_EQ(roost_barrier_abort(&w->o.barrier), 0);
}

static const int twice_each = 2 * (int)(sizeof kinds / sizeof kinds[0]);

TEST(nobody_waits_in_a_hook, "R22")
{
    struct wait w;
    roost_hook h;
    roost_scope s;

    refusals = 0;
    wait_init(&w, kinds);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &h, wait_in_hook, &w), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(refusals, twice_each);
    objects_destroy(&w.o);
}

struct hooked {
    struct wait w;
    roost_event up;
    roost_event ran;
};

static void wait_in_hook_and_tell(void *arg)
{
    struct hooked *k = (struct hooked *)arg;

    wait_in_hook(&k->w);
    CHECK_EQ(roost_event_set(&k->ran), 0);
}

static int hook_and_wait(void *arg)
{
    struct hooked *k = (struct hooked *)arg;
    roost_shield shield;
    roost_hook h;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &h, wait_in_hook_and_tell, k), 0);
    CHECK_EQ(roost_event_set(&k->up), 0);
    CHECK_EQ(roost_sleep(ROOST_NEVER), -ECANCELED);
    roost_shield_begin(&shield); /* close takes back what does not yet run */
    CHECK_EQ(roost_event_wait(&k->ran), 0);
    roost_shield_end(&shield);
    CHECK_EQ(roost_scope_close(&s, 0), -ECANCELED);
    return 0;
}

/* The same where the hook is called by a thread that cancels. */
TEST_PLAIN(nobody_waits_in_a_hook_on_a_thread, "R22")
{
    roost_opts opts = test_opts();
    struct hooked k = {.up = ROOST_EVENT_INIT, .ran = ROOST_EVENT_INIT};
    roost_runtime *rt;
    roost_group *g;

    refusals = 0;
    wait_init(&k.w, kinds);
    CHECK_EQ(roost_start(&rt, &opts), 0);
    CHECK_EQ(roost_group_new(&g, rt, NULL), 0);
    CHECK_EQ(roost_group_submit(g, hook_and_wait, &k, NULL, NULL), 0);
    CHECK_EQ(roost_event_wait(&k.up), 0);
    CHECK(roost_group_cancel(g, 0));
    CHECK_EQ(roost_group_free(g), 0);
    CHECK_EQ(refusals, twice_each);
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
    objects_destroy(&k.w.o);
    roost_event_destroy(&k.up);
    roost_event_destroy(&k.ran);
}

/* ---- budget, deadlock ---- */

struct greedy {
    struct wait w;
    int seen;
};

static int note(void *arg)
{
    test_set((int *)arg, 1);
    return 0;
}

/* Conformance 137: what is ready every time still lets others go on, also with
 * one worker. */
TEST(a_loop_of_ready_waits_lets_others_go_on, "R7 R60")
{
    FOR_EACH_KIND(k)
    {
        struct greedy g = {.seen = 0};
        roost_scope s;

        if (k->meets) {
            continue;
        }
        wait_init(&g.w, k);
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, note, &g.seen), 0);
        if (k->wake != wake_latch && k->wake != wake_oneshot) {
            while (test_get(&g.seen) == 0) {
                k->wake(&g.w.o);
                CHECK_EQ(k->wait(&g.w.o, ROOST_NEVER), k->done);
            }
        } else {
            k->wake(&g.w.o);
            while (test_get(&g.seen) == 0) {
                CHECK_EQ(k->wait(&g.w.o, ROOST_NEVER), k->done);
            }
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        objects_destroy(&g.w.o);
    }
}

/* All stand still: it is said what for. */
TEST_PLAIN(a_deadlock_names_what_is_waited_for, "R63")
{
    FOR_EACH_KIND(k)
    {
        roost_opts opts = test_opts();
        struct capture c;
        struct wait w;
        const char *said;

        wait_init(&w, k);
        capture_begin(&c);
        CHECK_EQ(roost_run(wait_once, &w, &opts), -EDEADLK);
        said = capture_end(&c);
        CHECK(strstr(said, "deadlock") != NULL);
        CHECK(strstr(said, k->name) != NULL);
        CHECK_EQ(w.rc, -ECANCELED);
        objects_destroy(&w.o);
    }
}
