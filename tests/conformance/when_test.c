/*
 * when_test.c - tasks that wait before they start: each kind of case, before
 * and after; times, objects that end, bad arguments. Would catch a task that
 * starts twice or never, an item or a permit that is lost, a status that tells
 * the wrong end.
 */
#include "begun.h"
#include "kinds.h"

/* ---- each kind of case --------------------------------------------------- */

TEST_VIRTUAL(it_starts_once_its_case_has_happened, "R29 R49")
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct begun b = {.give = 5};
        struct things t;
        roost_scope s;

        roost_scope_open(&s, NULL);
        things_init(&t, &s, kind);
        CHECK_EQ(roost_spawn_when(&s, case_of(&t, kind, roost_in(ROOST_S)),
                                  begin, &b),
                 0);
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(b.runs, 0);
        happen(&t, kind);
        CHECK_EQ(b.runs, 1);
        CHECK_EQ(b.status, kind == TASK ? 12 : 0);
        nothing_else(&t, kind);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(b.runs, 1);
        things_destroy(&t);
    }
}

/* Its case may have happened before; it still never runs inside the call. */
TEST_VIRTUAL(it_starts_at_once_if_it_has_happened, "R2 R29 R30")
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct mover m = {NULL, 40, ROOST_NEVER, 99, 0};
        struct begun b = {.give = 5};
        struct things t;
        roost_scope s;

        roost_scope_open(&s, NULL);
        things_init(&t, &s, kind);
        m.chan = kind == RECV ? t.in : t.to;
        if (kind == RECV || kind == SEND) {
            CHECK_EQ(roost_spawn(&s, kind == RECV ? send_one : recv_one, &m),
                     0);
            CHECK_EQ(roost_settle(), 0);
        } else {
            happen(&t, kind);
        }
        CHECK_EQ(roost_spawn_when(&s, case_of(&t, kind, 5), begin, &b), 0);
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(b.runs, 1);
        CHECK_EQ(b.status, kind == TASK ? 12 : 0);
        CHECK_EQ(m.item, kind == SEND ? 7 : 40);
        nothing_else(&t, kind);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        things_destroy(&t);
    }
}

/* Cancelled, it runs all the same, once, and has taken nothing. */
TEST_VIRTUAL(cancelled_it_starts_and_is_told, "R3 R12 R29")
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct begun b = {.give = -ECANCELED};
        struct things t;
        roost_scope s, inner;

        roost_scope_open(&s, NULL);
        things_init(&t, &s, kind);
        roost_scope_open(&inner, NULL);
        CHECK_EQ(roost_spawn_when(&inner, case_of(&t, kind, roost_in(ROOST_S)),
                                  begin, &b),
                 0);
        CHECK_EQ(roost_settle(), 0);
        CHECK(roost_scope_cancel(&inner, 0));
        CHECK_EQ(roost_scope_close(&inner, 0), 0);
        CHECK_EQ(b.runs, 1);
        CHECK_EQ(b.status, -ECANCELED);
        nothing_else(&t, -1);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        things_destroy(&t);
    }
}

TEST_VIRTUAL(its_deadline_ends_the_wait, "R3 R10")
{
    for (int kind = 0; kind < KINDS; kind++) {
        roost_ns deadline = roost_in(ROOST_MS);
        struct begun b = {.give = 0};
        struct things t;
        roost_scope s;

        roost_scope_open(&s, NULL);
        things_init(&t, &s, kind);
        CHECK_EQ(roost_spawn_when_until(&s,
                                        case_of(&t, kind, roost_in(ROOST_S)),
                                        begin, &b, deadline),
                 0);
        CHECK_EQ(roost_sleep(ROOST_US), 0);
        CHECK_EQ(b.runs, 0);
        CHECK_EQ(roost_sleep(2 * ROOST_MS), 0);
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(b.runs, 1);
        CHECK_EQ(b.status, -ETIMEDOUT);
        CHECK(b.at >= deadline);
        nothing_else(&t, -1);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        things_destroy(&t);
    }
}

/* An expired deadline is one try. */
TEST_VIRTUAL(expired_its_case_is_tried_once, "R2 R10")
{
    struct begun b = {0}, late = {0};
    roost_event e;
    roost_scope s;

    CHECK_EQ(roost_event_init(&e), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_when_until(&s, roost_on_event(&e), begin, &late, 1),
             0);
    CHECK_EQ(roost_event_set(&e), 0);
    CHECK_EQ(roost_spawn_when_until(&s, roost_on_event(&e), begin, &b, -1), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(late.status, -ETIMEDOUT);
    CHECK_EQ(b.status, 0);
    roost_event_destroy(&e);
}

/* ---- times --------------------------------------------------------------- */

TEST_VIRTUAL(any_time_is_fine, "R10")
{
    const roost_ns times[] = {INT64_MIN, -1, 0, 1, roost_now()};
    struct begun b[6] = {{0}};
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(roost_spawn_when(&s, roost_on_time(times[i]), begin, &b[i]),
                 0);
    }
    CHECK_EQ(roost_spawn_when(&s, roost_on_time(ROOST_NEVER), begin, &b[5]), 0);
    CHECK_EQ(roost_settle(), 0);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(b[i].runs, 1);
        CHECK_EQ(b[i].status, 0);
    }
    CHECK_EQ(b[5].runs, 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(b[5].status, -ECANCELED);
}

/* In the order of their times, never early; and the clock jumps to them. */
TEST_VIRTUAL(times_come_in_order, "R11 R65")
{
    enum { N = 200 };
    static struct begun b[N];
    roost_ns start = roost_now();
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        b[i] = (struct begun){0};
        CHECK_EQ(roost_spawn_when(&s, roost_on_time(start + (N - i) * ROOST_MS),
                                  begin, &b[i]),
                 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(b[i].runs, 1);
        CHECK_EQ(b[i].at, start + (N - i) * ROOST_MS);
    }
}

TEST(a_real_time_is_waited_for, "R11")
{
    roost_ns when = roost_in(3 * ROOST_MS);
    struct begun b = {0};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_when(&s, roost_on_time(when), begin, &b), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(b.at >= when);
}

/* The opener computes: somebody else looks at the time. */
TEST(a_time_comes_while_its_spawner_computes, "R11")
{
    struct begun b = {0};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_when(&s, roost_on_time(roost_in(ROOST_MS)), begin, &b),
             0);
    while (test_get(&b.runs) == 0 && test_workers > 1) {
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(b.runs, 1);
}

/* ---- objects that end ---------------------------------------------------- */

TEST_VIRTUAL(a_closed_channel_is_told, "R48 R49")
{
    struct begun recv = {0}, send = {0}, after = {0};
    roost_chan *c = longs(0), *d = longs(0);
    long item = 0, got = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_when(&s, roost_on_recv(c, &got), begin, &recv), 0);
    CHECK_EQ(roost_spawn_when(&s, roost_on_send(d, &item), begin, &send), 0);
    CHECK_EQ(roost_settle(), 0);
    roost_chan_close(c);
    roost_chan_discard(d);
    CHECK_EQ(roost_spawn_when(&s, roost_on_send(c, &item), begin, &after), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(recv.status, -EPIPE);
    CHECK_EQ(send.status, -EPIPE);
    CHECK_EQ(after.status, -EPIPE);
    roost_chan_free(c);
    roost_chan_free(d);
}

/* Two that wait for each other's channels meet. */
TEST_VIRTUAL(a_send_meets_a_receive, "R46 R49")
{
    struct begun recv = {0}, send = {0};
    roost_chan *c = longs(0);
    long item = 77, got = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_when(&s, roost_on_recv(c, &got), begin, &recv), 0);
    CHECK_EQ(roost_spawn_when(&s, roost_on_send(c, &item), begin, &send), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(recv.status, 0);
    CHECK_EQ(send.status, 0);
    CHECK_EQ(got, 77);
    roost_chan_free(c);
}

/* Permits asked for by a cancelled one go to who stands behind it. */
TEST_VIRTUAL(a_cancelled_request_lets_others_pass, "R51")
{
    struct begun large = {.give = -ECANCELED}, small = {0};
    roost_scope s, inner;
    roost_sem sem;

    CHECK_EQ(roost_sem_init(&sem, 1, 4), 0);
    roost_scope_open(&s, NULL);
    roost_scope_open(&inner, NULL);
    CHECK_EQ(roost_spawn_when(&inner, roost_on_sem(&sem, 3), begin, &large), 0);
    CHECK_EQ(roost_spawn_when(&s, roost_on_sem(&sem, 1), begin, &small), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(small.runs, 0);
    CHECK(roost_scope_cancel(&inner, 0));
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(large.status, -ECANCELED);
    CHECK_EQ(small.status, 0);
    roost_sem_destroy(&sem);
}

/* A case that is switched off never happens. */
TEST_VIRTUAL(switched_off_it_waits_for_the_cancel, "R49")
{
    struct begun b = {.give = -ECANCELED};
    roost_case off;
    roost_scope s;

    memset(&off, 0, sizeof off);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_when(&s, off, begin, &b), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(b.runs, 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(b.status, -ECANCELED);
}

/* ---- refusals ------------------------------------------------------------ */

static int status_of(void *arg)
{
    *(int *)arg = roost_when_status();
    return 0;
}

TEST_VIRTUAL(bad_arguments_are_refused, "R8")
{
    int seen = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_when(NULL, roost_on_time(1), begin, NULL), -EINVAL);
    CHECK_EQ(roost_spawn_when(&s, roost_on_time(1), NULL, NULL), -EINVAL);
    CHECK_EQ(roost_spawn_when(&s, roost_on_event(NULL), begin, NULL), -EINVAL);
    CHECK_EQ(roost_spawn_when(&s, roost_on_fd(0, 0), begin, NULL), -EINVAL);
    CHECK_EQ(roost_when_status(), -EINVAL);
    CHECK_EQ(roost_spawn(&s, status_of, &seen), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(seen, -EINVAL);
    CHECK_EQ(roost_spawn_when(&s, roost_on_time(1), begin, NULL), -ESHUTDOWN);
}

TEST_PLAIN(on_a_plain_thread_there_is_no_status, "R8")
{
    CHECK_EQ(roost_when_status(), -EPERM);
}
