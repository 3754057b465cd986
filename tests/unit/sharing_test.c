/*
 * sharing_test.c - sched/sharing.c alone: who goes to rest, what it leaves, and
 * when the rest is over. The times are set, so that no clock decides.
 *
 * Would catch: a rest of the only worker that is awake, or for what another one
 * has ended already; something given twice, out of order or not at all; a rest
 * that never ends, or does not grow.
 */
#define TEST_NO_RUNTIME
#include "../test.h"

#include "runtime.h"
#include "sharing.h"
#include "worker.h"

enum { WORKERS = 3, FIBERS = 4 };

static struct runtime rt;
static struct worker workers[WORKERS];
static struct fiber fibers[FIBERS];
static struct worker *const me = &workers[0];
static struct sharing *const s = &workers[0].sharing;

static const int64_t LONG = INT64_C(1) << 40; /* ns: lost, and more */
static const int64_t LATER = INT64_MAX / 2;

static void begin(uint32_t searching, uint32_t parked)
{
    memset(&rt, 0, sizeof rt);
    memset(workers, 0, sizeof workers);
    memset(fibers, 0, sizeof fibers);
    rt.workers = workers;
    rt.worker_count = WORKERS;
    inject_init(&rt.inject);
    park_init(&rt.park, WORKERS);
    a32_init(&rt.park.word, searching * PARK_SEARCHING + parked * PARK_PARKED);
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i].rt = &rt;
        workers[i].index = i;
        workers[i].turns = WORKER_TURNS;
        ring_init(&workers[i].ring);
        slot_init(&workers[i].next);
    }
    s->since = LATER; /* no time has passed */
}

/* Two that are ready in the ring, the third in the run-next slot. */
static void fill(void)
{
    CHECK(ring_push(&me->ring, &fibers[0]));
    CHECK(ring_push(&me->ring, &fibers[1]));
    slot_put(&me->next, &fibers[2]);
}

static void rest(int64_t until)
{
    s->state = RESTING;
    s->until = until;
    s->looked = clock_now() - LONG;
    s->switched = 0;
}

TEST(who_loses_half_of_its_time_leaves, "R60")
{
    begin(0, 0);
    sharing_lost(me, LONG);
    CHECK_EQ(s->state, LEAVING);
    CHECK_EQ(me->turns, 1);
    CHECK_EQ(s->lost, 0);
}

TEST(little_is_counted_up_first, "R60")
{
    begin(0, 0);
    sharing_lost(me, 6000);
    CHECK_EQ(s->state, SHARING);
    CHECK_EQ(s->lost, 6000);
    CHECK_EQ(me->turns, WORKER_TURNS);
    sharing_lost(me, 6000);
    CHECK_EQ(s->state, LEAVING);
}

TEST(who_loses_less_stays_and_counts_anew, "R60")
{
    begin(0, 0);
    s->since = clock_now() - LONG;
    sharing_lost(me, 20000);
    CHECK_EQ(s->state, SHARING);
    CHECK_EQ(s->lost, 0);
    CHECK(s->since > clock_now() - LONG);
    CHECK_EQ(me->turns, WORKER_TURNS);
}

TEST(the_last_one_awake_stays, "R60")
{
    begin(1, 1);
    sharing_lost(me, LONG);
    CHECK_EQ(s->state, SHARING);
    begin(0, 1); /* one is left */
    sharing_lost(me, LONG);
    CHECK_EQ(s->state, LEAVING);
}

TEST(a_guest_and_a_simulated_worker_stay, "R60")
{
    begin(0, 0);
    me->stays = true;
    sharing_lost(me, LONG);
    CHECK_EQ(s->state, SHARING);
}

TEST(what_is_ready_is_given_in_its_order, "R60")
{
    begin(0, 0);
    fill();
    s->state = LEAVING;
    sharing_round(me);
    CHECK_EQ(s->state, RESTING);
    CHECK(a64_load(&rt.left, RELAXED) != 0);
    CHECK(ring_empty(&me->ring));
    CHECK(slot_peek(&me->next) == NULL);
    CHECK_EQ(inject_count(&rt.inject), 3);
    for (unsigned i = 0; i < 3; i++) {
        CHECK(inject_pop(&rt.inject) == &fibers[i].node.link);
    }
    CHECK(inject_pop(&rt.inject) == NULL);
}

TEST(nothing_ready_is_nothing_given, "R60")
{
    begin(0, 0);
    s->state = LEAVING;
    sharing_round(me);
    CHECK_EQ(s->state, RESTING);
    CHECK_EQ(inject_count(&rt.inject), 0);
}

TEST(only_one_leaves_for_the_same_loss, "R60")
{
    begin(0, 0);
    fill();
    s->since = 100;
    a64_store(&rt.left, 200, RELAXED);
    s->state = LEAVING;
    sharing_round(me);
    CHECK_EQ(s->state, SHARING);
    CHECK_EQ(ring_count(&me->ring), 2);
    CHECK_EQ(inject_count(&rt.inject), 0);
    CHECK_EQ(a64_load(&rt.left, RELAXED), 200);
    CHECK(s->since > 200); /* what it loses from now on counts */
}

TEST(who_has_become_the_last_one_awake_does_not_leave, "R60")
{
    begin(0, 2);
    fill();
    s->state = LEAVING;
    sharing_round(me);
    CHECK_EQ(s->state, SHARING);
    CHECK_EQ(ring_count(&me->ring), 2);
}

static int64_t rest_after(int64_t last, int64_t until)
{
    begin(0, 0);
    s->rest = last;
    s->until = until;
    s->state = LEAVING;
    sharing_round(me);
    CHECK_EQ(s->state, RESTING);
    CHECK(s->until > clock_now());
    return s->rest;
}

TEST(rests_double_while_they_do_not_help, "R60")
{
    CHECK_EQ(rest_after(0, 0), 1000000);
    CHECK_EQ(rest_after(1000000, clock_now()), 2000000);
    CHECK_EQ(rest_after(16000000, clock_now()), 32000000);
    CHECK_EQ(rest_after(32000000, clock_now()), 32000000);
    CHECK_EQ(rest_after(32000000, clock_now() - LONG), 1000000);
}

TEST(it_rests_while_others_are_fast, "R60")
{
    begin(0, 0);
    rest(LATER);
    a64_store(&workers[1].counters.switched, (uint64_t)LONG, RELAXED);
    sharing_round(me);
    CHECK_EQ(s->state, RESTING);
    CHECK_EQ(s->switched, (uint64_t)LONG);
    CHECK(s->looked > clock_now() - LONG);
}

TEST(the_rest_is_over_when_its_time_is, "R60")
{
    begin(0, 0);
    rest(0);
    a64_store(&workers[1].counters.switched, (uint64_t)LONG, RELAXED);
    sharing_round(me);
    CHECK_EQ(s->state, SHARING);
    CHECK(s->since != LATER); /* and what it loses is counted anew */
}

TEST(the_rest_is_over_when_the_others_are_slow, "R60")
{
    begin(0, 0);
    rest(LATER);
    a64_store(&workers[2].counters.switched, 1000, RELAXED);
    sharing_round(me);
    CHECK_EQ(s->state, SHARING);
}

TEST(what_it_does_itself_is_no_reason_to_rest, "R60")
{
    begin(0, 0);
    rest(LATER);
    a64_store(&me->counters.switched, (uint64_t)LONG, RELAXED);
    sharing_round(me);
    CHECK_EQ(s->state, SHARING);
}

TEST(a_look_right_after_another_decides_nothing, "R60")
{
    begin(0, 0);
    rest(0);
    s->looked = LATER;
    sharing_round(me);
    CHECK_EQ(s->state, RESTING);
    CHECK_EQ(s->looked, LATER);
}

/* It took something over `ago` ns ago, and has nothing left. */
static void idle_after(int64_t ago)
{
    s->stole = clock_now() - ago;
    sharing_idle(me);
    CHECK_EQ(s->stole, 0);
}

TEST(what_is_over_at_once_was_not_worth_it, "R60")
{
    begin(0, 0);
    for (int i = 0; i < 3; i++) {
        idle_after(-LONG);
        CHECK_EQ(s->state, SHARING);
    }
    idle_after(-LONG);
    CHECK_EQ(s->state, RESTING);
    CHECK_EQ(inject_count(&rt.inject), 0);
}

TEST(one_that_was_worth_it_counts_for_all, "R60")
{
    begin(0, 0);
    for (int i = 0; i < 20; i++) {
        idle_after(i % 4 == 3 ? LONG : -LONG);
        CHECK_EQ(s->state, SHARING);
    }
}

TEST(idle_without_having_taken_anything_is_no_reason, "R60")
{
    begin(0, 0);
    for (int i = 0; i < 20; i++) {
        sharing_idle(me);
        CHECK_EQ(s->state, SHARING);
    }
    sharing_stole(me);
    CHECK(s->stole > clock_now() - LONG);
}
