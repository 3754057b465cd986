/*
 * when_scope_test.c - tasks that wait before they start, and their scope:
 * cancels, deadlines, limits, options, bindings, priorities. Would catch a
 * cancel that misses one or one that is told of none, a close that does not
 * wait, room of a limit that is lost.
 */
#include "begun.h"
#include "chans.h"

/* ---- scopes -------------------------------------------------------------- */

/* Spawned into a cancelled scope its case is not tried. */
TEST_VIRTUAL(in_a_cancelled_scope_nothing_is_tried, "R2 R29")
{
    struct begun b = {.give = -ECANCELED};
    roost_chan *c = longs(1);
    long item = 3, got = 0;
    roost_scope s;

    CHECK_EQ(roost_chan_try_send(c, &item), 0);
    roost_scope_open(&s, NULL);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_spawn_when(&s, roost_on_recv(c, &got), begin, &b), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(b.status, -ECANCELED);
    CHECK_EQ(got, 0);
    CHECK_EQ(roost_chan_try_recv(c, &got), 0);
    roost_chan_free(c);
}

TEST_VIRTUAL(an_expired_scope_is_as_cancelled, "R2 R10 R38")
{
    struct begun b = {.give = 0};
    roost_event e;
    roost_scope s;

    CHECK_EQ(roost_event_init(&e), 0);
    CHECK_EQ(roost_event_set(&e), 0);
    OPEN(&s, .deadline = 1);
    CHECK_EQ(roost_spawn_when(&s, roost_on_event(&e), begin, &b), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK_EQ(b.status, -ECANCELED);
    roost_event_destroy(&e);
}

/* The deadline of a scope further out, which nobody else waits in. */
TEST_VIRTUAL(a_scopes_deadline_cancels_it, "R15 R16 R38")
{
    roost_ns end = roost_in(50 * ROOST_MS);
    struct begun b = {.give = -ECANCELED};
    roost_scope outer, s;
    roost_event e;

    CHECK_EQ(roost_event_init(&e), 0);
    OPEN(&outer, .deadline = end);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_when(&s, roost_on_event(&e), begin, &b), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&outer, 0), -ETIMEDOUT);
    CHECK_EQ(b.status, -ECANCELED);
    CHECK_EQ(b.at, end);
    roost_event_destroy(&e);
}

/* The same moment for its own deadline and the scope's: cancelled. */
TEST_VIRTUAL(cancelled_and_late_is_cancelled, "R9")
{
    roost_ns end = roost_in(50 * ROOST_MS);
    struct begun late = {0}, timed = {0};
    roost_event e;
    roost_scope s;

    CHECK_EQ(roost_event_init(&e), 0);
    OPEN(&s, .deadline = end);
    CHECK_EQ(roost_spawn_when_until(&s, roost_on_event(&e), begin, &late, end),
             0);
    CHECK_EQ(roost_spawn_when(&s, roost_on_time(end), begin, &timed), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK_EQ(late.status, -ECANCELED);
    CHECK_EQ(timed.status, -ECANCELED);
    roost_event_destroy(&e);
}

/* What was completed stays so: the cancel shows at the next wait. */
static int waits_after(void *arg)
{
    int rc = begin(arg);

    CHECK_EQ(roost_sleep(1), -ECANCELED);
    return rc;
}

TEST_VIRTUAL(done_before_the_cancel_is_done, "R3")
{
    struct begun b = {0};
    roost_chan *c = longs(0);
    long item = 8, got = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_when(&s, roost_on_recv(c, &got), waits_after, &b), 0);
    CHECK_EQ(roost_chan_send(c, &item), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(b.status, 0);
    CHECK_EQ(got, 8);
    roost_chan_free(c);
}

TEST_VIRTUAL(a_shield_keeps_it, "R20")
{
    struct begun b = {0};
    roost_scope outer, s;

    roost_scope_open(&outer, NULL);
    OPEN(&s, .flags = ROOST_SHIELD);
    CHECK_EQ(roost_spawn_when(&s, roost_on_time(roost_in(ROOST_S)), begin, &b),
             0);
    CHECK(roost_scope_cancel(&outer, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(b.status, 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

TEST_VIRTUAL(a_soft_cancel_passes_over_finish, "R25")
{
    struct begun soft = {0}, hard = {.give = -ECANCELED};
    roost_ns start = roost_now();
    roost_scope outer, s;

    roost_scope_open(&outer, NULL);
    OPEN(&s, .flags = ROOST_FINISH);
    CHECK_EQ(roost_spawn_when(&outer, roost_on_time(ROOST_NEVER), begin, &soft),
             0);
    CHECK_EQ(roost_spawn_when(&s, roost_on_time(ROOST_NEVER), begin, &hard), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_scope_cancel_soft(&outer, ROOST_S));
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(soft.status, -ECANCELED);
    CHECK_EQ(hard.runs, 0);
    CHECK_EQ(roost_scope_close(&s, 0), -ECANCELED);
    CHECK_EQ(hard.at, start + ROOST_S);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

TEST_VIRTUAL(with_skip_only_what_has_happened_runs, "R3 R29")
{
    struct begun waits = {0}, done = {0}, refused = {0};
    roost_chan *c = longs(0);
    long item = 8, got = 0;
    roost_event e;
    roost_scope s;

    CHECK_EQ(roost_event_init(&e), 0);
    OPEN(&s, .flags = ROOST_SKIP);
    CHECK_EQ(roost_spawn_when(&s, roost_on_event(&e), begin, &waits), 0);
    CHECK_EQ(roost_spawn_when(&s, roost_on_recv(c, &got), begin, &done), 0);
    CHECK_EQ(roost_chan_send(c, &item), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_spawn_when(&s, roost_on_event(&e), begin, &refused),
             -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(waits.runs, 0);
    CHECK_EQ(refused.runs, 0);
    CHECK_EQ(done.runs, 1);
    CHECK_EQ(got, 8);
    roost_chan_free(c);
    roost_event_destroy(&e);
}

TEST_VIRTUAL(its_failure_is_its_scopes, "R36")
{
    struct begun bad = {.give = -EIO}, other = {.give = -ECANCELED};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_when(&s, roost_on_time(ROOST_NEVER), begin, &other),
             0);
    CHECK_EQ(roost_spawn_when(&s, roost_on_time(roost_in(1)), begin, &bad), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    CHECK_EQ(other.status, -ECANCELED);
}

TEST_VIRTUAL(the_first_in_time_wins_a_race, "R42")
{
    struct begun first = {.give = 11}, second = {.give = 12};
    roost_scope s;

    OPEN(&s, .flags = ROOST_RACE);
    CHECK_EQ(roost_spawn_when(&s, roost_on_time(roost_in(2 * ROOST_S)), begin,
                              &second),
             0);
    CHECK_EQ(
        roost_spawn_when(&s, roost_on_time(roost_in(ROOST_S)), begin, &first),
        0);
    CHECK_EQ(roost_scope_close(&s, 0), 11);
    CHECK_EQ(second.status, -ECANCELED);
}

TEST_VIRTUAL(join_waits_for_it, "R26 R61")
{
    struct begun b = {0};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_when(&s, roost_on_time(roost_in(ROOST_S)), begin, &b),
             0);
    CHECK_EQ(roost_scope_join(&s), 0);
    CHECK_EQ(b.runs, 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* ---- limits -------------------------------------------------------------- */

struct crowd {
    int now, most, ran;
};

static int crowded(void *arg)
{
    struct crowd *c = (struct crowd *)arg;
    int now = test_add(&c->now, 1);

    if (now > test_get(&c->most)) {
        test_set(&c->most, now);
    }
    CHECK_EQ(roost_sleep(ROOST_MS), 0);
    test_add(&c->now, -1);
    test_add(&c->ran, 1);
    return 0;
}

/* It counts from when its case has happened, and spawning it never waits. */
TEST_VIRTUAL(a_limit_counts_it_once_it_starts, "R35")
{
    struct crowd c = {0};
    roost_event e;
    roost_scope s;

    CHECK_EQ(roost_event_init(&e), 0);
    OPEN(&s, .limit = 2);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(roost_spawn_when(&s, roost_on_event(&e), crowded, &c), 0);
    }
    CHECK_EQ(roost_spawn(&s, crowded, &c), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_sleep(10 * ROOST_MS), 0);
    CHECK_EQ(c.ran, 1);
    CHECK_EQ(roost_event_set(&e), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(c.ran, 21);
    CHECK_EQ(c.most, 2);
    roost_event_destroy(&e);
}

TEST_VIRTUAL(a_limit_is_kept_by_those_that_are_skipped, "R29 R35")
{
    struct begun b[8] = {{0}};
    roost_scope s;

    OPEN(&s, .limit = 1, .flags = ROOST_SKIP);
    for (int i = 0; i < 8; i++) {
        CHECK_EQ(roost_spawn_when(&s, roost_on_time(ROOST_NEVER), begin, &b[i]),
                 0);
    }
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 8; i++) {
        CHECK_EQ(b[i].runs, 0);
    }
}

/* ---- what goes with it --------------------------------------------------- */

static roost_local key;

static int sees(void *arg)
{
    *(void **)arg = roost_local_get(&key);
    return 0;
}

/* The scope that bound it may be closed by then. */
TEST_VIRTUAL(it_sees_the_bindings_of_its_spawner, "R31")
{
    int value = 0;
    void *seen = NULL;
    roost_scope s, binds;

    roost_scope_open(&s, NULL);
    roost_scope_open(&binds, NULL);
    CHECK_EQ(roost_local_bind(&binds, &key, &value), 0);
    CHECK_EQ(
        roost_spawn_when(&s, roost_on_time(roost_in(ROOST_S)), sees, &seen), 0);
    CHECK_EQ(roost_scope_close(&binds, 0), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(seen == &value);
}

/* HIGH before NORMAL before LOW, of those that may start at once. */
struct spawner {
    roost_scope *s;
    roost_event *e;
    struct begun *b;
};

static int spawns_when(void *arg)
{
    struct spawner *p = (struct spawner *)arg;

    return roost_spawn_when(p->s, roost_on_event(p->e), begin, p->b);
}

TEST_VIRTUAL(it_has_the_priority_of_its_spawner, "R68")
{
    const int priorities[3] = {ROOST_LOW, ROOST_NORMAL, ROOST_HIGH};
    struct begun b[3] = {{0}};
    struct spawner p[3];
    roost_event e;
    roost_scope s;
    int next = 0;

    CHECK_EQ(roost_event_init(&e), 0);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < 3; i++) {
        b[i].next = &next;
        p[i] = (struct spawner){&s, &e, &b[i]};
        CHECK_EQ(SPAWN_OPTS(&s, spawns_when, &p[i], .priority = priorities[i]),
                 0);
    }
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_event_set(&e), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    if (test_workers == 1) {
        CHECK_EQ(b[2].order, 1);
        CHECK_EQ(b[1].order, 2);
        CHECK_EQ(b[0].order, 3);
    }
    roost_event_destroy(&e);
}

/* ---- crowds -------------------------------------------------------------- */

enum { CROWD = 20000 };

TEST_VIRTUAL(a_crowd_is_cancelled_and_comes_home, "R12 R62")
{
    int ran = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < CROWD; i++) {
        CHECK_EQ(roost_spawn_when(&s, roost_on_time(roost_in(ROOST_S + i)),
                                  count, &ran),
                 0);
    }
    CHECK_EQ(test_get(&ran), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(ran, CROWD);
}

/* Half of them wait for an event that is set while others cancel. */
static int sets(void *arg)
{
    return roost_event_set((roost_event *)arg);
}

TEST(a_set_and_a_cancel_at_once, "R3 R12")
{
    for (int round = 0; round < 200; round++) {
        struct begun b[16] = {{0}};
        roost_scope s, inner;
        roost_event e;

        CHECK_EQ(roost_event_init(&e), 0);
        roost_scope_open(&s, NULL);
        roost_scope_open(&inner, NULL);
        for (int i = 0; i < 16; i++) {
            CHECK_EQ(roost_spawn_when(&inner, roost_on_event(&e), begin, &b[i]),
                     0);
        }
        CHECK_EQ(roost_spawn(&s, sets, &e), 0);
        CHECK_EQ(roost_yield(), 0);
        CHECK(roost_scope_cancel(&inner, 0));
        CHECK_EQ(roost_scope_close(&inner, 0), 0);
        for (int i = 0; i < 16; i++) {
            CHECK_EQ(b[i].runs, 1);
            CHECK(b[i].status == 0 || b[i].status == -ECANCELED);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        roost_event_destroy(&e);
    }
}
