/*
 * select_kinds_test.c - what a select can wait for: channels, events,
 * semaphores, latches, tasks, times. Would catch a kind that does not end the
 * wait, or with the wrong status, and a clause of the others that is left in
 * a queue.
 */
#include "kinds.h"

/* A select on all of them. when: of the last. */
static void cases_of(struct things *t, roost_case *cases, roost_ns when)
{
    for (int kind = 0; kind < KINDS; kind++) {
        cases[kind] = case_of(t, kind, when);
    }
}

TEST_VIRTUAL(each_kind_ends_the_wait, "R43 R49")
{
    for (int kind = 0; kind < KINDS; kind++) {
        roost_case cases[KINDS];
        struct things t;
        struct chooser c = {cases, KINDS, ROOST_NEVER, -1, 0};
        roost_scope s;

        roost_scope_open(&s, NULL);
        things_init(&t, &s, kind);
        cases_of(&t, cases, kind == TIME ? roost_in(ROOST_S) : ROOST_NEVER);
        CHECK_EQ(roost_spawn(&s, choose, &c), 0);
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(c.ended, 0);
        happen(&t, kind);
        CHECK_EQ(c.rc, kind);
        CHECK_EQ(c.ended, 1);
        CHECK_EQ(cases[kind].status, kind == TASK ? 12 : 0);
        nothing_else(&t, kind);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        things_destroy(&t);
    }
}

/* What has happened before is found, wherever it stands. */
TEST_VIRTUAL(each_kind_may_have_happened_before, "R2 R49")
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct mover m = {NULL, 40, ROOST_NEVER, 99, 0};
        roost_case cases[KINDS];
        struct things t;
        roost_scope s;

        roost_scope_open(&s, NULL);
        things_init(&t, &s, kind);
        cases_of(&t, cases, kind == TIME ? 5 : ROOST_NEVER);
        m.chan = kind == RECV ? t.in : t.to;
        if (kind == RECV || kind == SEND) {
            CHECK_EQ(roost_spawn(&s, kind == RECV ? send_one : recv_one, &m),
                     0);
            CHECK_EQ(roost_settle(), 0);
        } else {
            happen(&t, kind);
        }
        CHECK_EQ(roost_select(cases, KINDS), kind);
        CHECK_EQ(cases[kind].status, kind == TASK ? 12 : 0);
        nothing_else(&t, kind);
        CHECK_EQ(m.item, kind == SEND ? 7 : 40);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        things_destroy(&t);
    }
}

/* The task has ended already; its result may look like "not ready". */
TEST(a_task_that_has_ended_is_ready, "R43 R49")
{
    int status = 0;
    roost_task task;
    roost_case cases[1];
    roost_scope s;

    OPEN(&s, .flags = ROOST_SUPERVISE);
    CHECK_EQ(SPAWN_OPTS(&s, give, &status, .handle = &task), 0);
    cases[0] = roost_on_task(&task);
    CHECK_EQ(roost_select(cases, 1), 0);
    CHECK_EQ(cases[0].status, 0);
    CHECK_EQ(roost_try_select(cases, 1), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* ---- tasks ---- */

/* Its own status, whatever the way in which it ended. */
TEST_VIRTUAL(the_status_is_the_tasks_result, "R23 R43 R49")
{
    static const int results[] = {0, 7, -EIO, -EAGAIN, -ECANCELED};

    for (int i = 0; i < 5; i++) {
        for (int waits = 0; waits < 2; waits++) {
            struct nap n = {.d = waits ? ROOST_S : 0, .status = results[i]};
            roost_case cases[1];
            roost_task task;
            roost_scope s;
            int status = 1;

            OPEN(&s, .flags = ROOST_SUPERVISE);
            n.d = results[i] == -ECANCELED ? ROOST_NEVER : n.d;
            CHECK_EQ(SPAWN_OPTS(&s, nap, &n, .handle = &task), 0);
            cases[0] = roost_on_task(&task);
            if (results[i] == -ECANCELED) {
                CHECK(roost_task_cancel(&task));
            } else if (!waits) {
                CHECK_EQ(roost_settle(), 0);
            }
            CHECK_EQ(roost_select(cases, 1), 0);
            CHECK_EQ(cases[0].status, results[i]);
            CHECK_EQ(roost_join(&task, &status), 0);
            CHECK_EQ(status, results[i]);
            CHECK_EQ(roost_try_select(cases, 1), 0);
            CHECK_EQ(cases[0].status, results[i]);
            CHECK_EQ(roost_scope_close(&s, 0), 0);
        }
    }
}

/* The handle is free again once select has told of the end. */
TEST(a_handle_is_used_again_after_select, "R43 R49 R67")
{
    roost_task task;
    int runs = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 500; i++) {
        roost_case cases[1];

        CHECK_EQ(SPAWN_OPTS(&s, count, &runs, .handle = &task), 0);
        cases[0] = roost_on_task(&task);
        CHECK_EQ(roost_select(cases, 1), 0);
        memset(&task, 0, sizeof task);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(runs, 500);
}

/* The first of several to end, and joins beside the select. */
TEST_VIRTUAL(the_first_task_to_end, "R43 R49")
{
    enum { N = 20 };
    struct nap n[N];
    roost_task task[N];
    roost_case cases[N];
    roost_scope s;
    int status = 0;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        n[i] = (struct nap){.d = (1 + (i + 7) % N) * ROOST_S, .status = i};
        CHECK_EQ(SPAWN_OPTS(&s, nap, &n[i], .handle = &task[i]), 0);
        cases[i] = roost_on_task(&task[i]);
    }
    for (int i = 0; i < N; i++) {
        int first = (i + N - 7) % N;

        CHECK_EQ(roost_select(cases, N), first);
        CHECK_EQ(cases[first].status, first);
        CHECK_EQ(roost_join(&task[first], &status), 0);
        CHECK_EQ(status, first);
        cases[first] = (roost_case){0};
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* From a thread, and from a task of another runtime. */
static int select_on_task(void *arg)
{
    roost_case cases[] = {roost_on_task((roost_task *)arg),
                          roost_on_time(roost_in(20 * ROOST_S))};

    CHECK_EQ(roost_select(cases, 2), 0);
    return cases[0].status;
}

TEST_PLAIN(others_select_on_a_task_too, "R43 R49 R72")
{
    roost_opts opts = test_opts();
    roost_runtime *a, *b;
    roost_group *g;

    CHECK_EQ(roost_start(&a, &opts), 0);
    CHECK_EQ(roost_start(&b, &opts), 0);
    CHECK_EQ(roost_group_new(&g, a, NULL), 0);
    for (int i = 0; i < 40; i++) {
        struct nap n = {.d = i % 4 < 2 ? 0 : ROOST_MS, .status = 12};
        roost_task task;
        roost_task_opts named = {.handle = &task};

        CHECK_EQ(roost_group_submit(g, nap, &n, &named, NULL), 0);
        if (i % 2 == 0) {
            CHECK_EQ(select_on_task(&task), 12);
        } else {
            CHECK_EQ(roost_call(b, select_on_task, &task), 12);
        }
        CHECK_EQ(roost_group_wait(g), 0);
    }
    CHECK_EQ(roost_group_free(g), 0);
    CHECK_EQ(roost_stop(a), 0);
    CHECK_EQ(roost_stop(b), 0);
    roost_runtime_free(a);
    roost_runtime_free(b);
}

/* ---- permits ---- */

/* In order, and a large request is not passed by select either. */
TEST_VIRTUAL(a_select_for_permits_waits_its_turn, "R46 R49 R51")
{
    roost_sem sem;
    roost_case large[1], small[1];
    struct chooser l = {large, 1, ROOST_NEVER, 99, 0};
    struct chooser m = {small, 1, ROOST_NEVER, 99, 0};
    roost_scope s;

    CHECK_EQ(roost_sem_init(&sem, 1, 5), 0);
    large[0] = roost_on_sem(&sem, 3);
    small[0] = roost_on_sem(&sem, 1);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, choose, &l), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_try_select(small, 1), -EAGAIN);
    CHECK_EQ(roost_spawn(&s, choose, &m), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(l.ended + m.ended, 0);
    CHECK_EQ(roost_sem_release(&sem, 3), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(l.rc + m.rc, 0);
    CHECK_EQ(roost_sem_try_acquire(&sem, 1), -EAGAIN);
    CHECK_EQ(roost_try_select((roost_case[]){roost_on_sem(&sem, 0)}, 1), 0);
    roost_sem_destroy(&sem);
}

/* It wants so many, or else so many: what there is enough for comes, though it
 * stands behind its own larger request. */
TEST_VIRTUAL(a_select_does_not_stand_in_its_own_way, "R49 R51")
{
    roost_sem sem;
    roost_case cases[3];
    struct chooser c = {cases, 3, ROOST_NEVER, 99, 0};
    roost_scope s;

    CHECK_EQ(roost_sem_init(&sem, 0, 5), 0);
    for (unsigned i = 0; i < 3; i++) {
        cases[i] = roost_on_sem(&sem, 5 - 2 * i);
    }
    for (int permits = 1; permits < 5; permits += 2) {
        c.ended = 0;
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, choose, &c), 0);
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(c.ended, 0);
        CHECK_EQ(roost_sem_release(&sem, (unsigned)permits), 0);
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(c.ended, 1);
        CHECK_EQ(c.rc, permits == 1 ? 2 : 1);
        CHECK_EQ(roost_sem_try_acquire(&sem, 1), -EAGAIN);
        roost_scope_cancel(&s, 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
    }
    roost_sem_destroy(&sem);
}

/* So few that none of its requests can be met: nothing is taken, nobody passes
 * it, and what comes then counts on top. */
TEST_VIRTUAL(a_select_waits_for_enough_for_one_of_its_requests, "R49 R51")
{
    roost_sem sem;
    roost_case cases[2];
    struct chooser c = {cases, 2, ROOST_NEVER, 99, 0};
    roost_scope s;

    CHECK_EQ(roost_sem_init(&sem, 0, 5), 0);
    cases[0] = roost_on_sem(&sem, 5);
    cases[1] = roost_on_sem(&sem, 3);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, choose, &c), 0);
    CHECK_EQ(roost_settle(), 0);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(roost_sem_release(&sem, 1), 0);
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(c.ended, 0);
        CHECK_EQ(roost_sem_try_acquire(&sem, 1), -EAGAIN);
    }
    CHECK_EQ(roost_sem_release(&sem, 2), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(c.ended, 1);
    CHECK_EQ(c.rc, 1);
    CHECK_EQ(roost_sem_try_acquire(&sem, 1), 0);
    CHECK_EQ(roost_sem_try_acquire(&sem, 1), -EAGAIN);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_sem_destroy(&sem);
}

/* The large one at the head goes away, for another case has happened, or it was
 * cancelled: those behind it go on. */
TEST_VIRTUAL(a_select_that_leaves_lets_others_go_on, "R49 R51")
{
    for (int cancelled = 0; cancelled < 2; cancelled++) {
        roost_sem sem;
        roost_event e = ROOST_EVENT_INIT;
        roost_case cases[2], small[1];
        struct chooser c = {cases, 2, ROOST_NEVER, 99, 0};
        struct chooser behind = {small, 1, ROOST_NEVER, 99, 0};
        roost_scope s, inner;

        CHECK_EQ(roost_sem_init(&sem, 2, 5), 0);
        cases[0] = roost_on_sem(&sem, 4);
        cases[1] = roost_on_event(&e);
        small[0] = roost_on_sem(&sem, 1);
        roost_scope_open(&s, NULL);
        roost_scope_open(&inner, NULL);
        CHECK_EQ(roost_spawn(&inner, choose, &c), 0);
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(roost_spawn(&s, choose, &behind), 0);
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(behind.ended, 0);
        if (cancelled) {
            roost_scope_cancel(&inner, 0);
        } else {
            CHECK_EQ(roost_event_set(&e), 0);
        }
        CHECK_EQ(roost_scope_close(&inner, 0), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(c.rc, cancelled ? -ECANCELED : 1);
        CHECK_EQ(behind.rc, 0);
        CHECK_EQ(roost_sem_try_acquire(&sem, 1), 0);
        CHECK_EQ(roost_sem_try_acquire(&sem, 1), -EAGAIN);
        roost_sem_destroy(&sem);
        roost_event_destroy(&e);
    }
}

/* ---- times ---- */

TEST_VIRTUAL(the_earliest_time_ends_the_wait, "R10 R11 R49")
{
    roost_ns t = roost_now();
    roost_event e = ROOST_EVENT_INIT;
    roost_case cases[] = {roost_on_time(t + 3 * ROOST_S), roost_on_event(&e),
                          roost_on_time(t + ROOST_S), roost_on_time(-5)};

    CHECK_EQ(roost_select(cases, 3), 2);
    CHECK_EQ(roost_now(), t + ROOST_S);
    CHECK_EQ(roost_select_until(cases, 2, t + 3 * ROOST_S), 0);
    CHECK_EQ(roost_now(), t + 3 * ROOST_S);
    CHECK_EQ(roost_select_ordered(cases, 4), 0); /* all three times are past */
    CHECK_EQ(roost_select_ordered(cases + 3, 1), 0);
    CHECK_EQ(roost_event_set(&e), 0);
    CHECK_EQ(roost_select_ordered(cases + 1, 3), 0);
    CHECK_EQ(roost_select_until(cases + 1, 1, 0), 0);
    roost_event_destroy(&e);
}

/* A select on times alone is a sleep: a virtual clock goes on for it. */
TEST_VIRTUAL(a_select_on_a_time_is_cancelled_like_a_sleep, "R2 R65")
{
    roost_case cases[] = {roost_on_time(roost_in(9 * ROOST_S))};
    struct chooser c = {cases, 1, ROOST_NEVER, 99, 0};
    roost_scope s;

    OPEN(&s, .timeout = ROOST_S);
    CHECK_EQ(roost_spawn(&s, choose, &c), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK_EQ(c.rc, -ECANCELED);
}

/* ---- misuse ---- */

static int detach_while_selecting(void *arg)
{
    struct nap n = {.d = ROOST_NEVER};
    roost_task task;
    roost_case cases[1];
    struct chooser c = {cases, 1, ROOST_NEVER, 99, 0};
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    if (SPAWN_OPTS(&s, nap, &n, .handle = &task) == 0) {
        cases[0] = roost_on_task(&task);
        roost_spawn(&s, choose, &c);
        roost_settle();
        roost_task_detach(&task);
    }
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(detaching_a_task_that_is_selected_on_is_misuse, "R43 R67")
{
    roost_opts opts = test_opts();

    CHECK_ABORTS("roost_task_detach",
                 roost_run(detach_while_selecting, NULL, &opts));
}
