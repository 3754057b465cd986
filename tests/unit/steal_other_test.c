/*
 * steal_other_test.c - sched/steal.c: what a thief takes from others, and the
 * last look before a worker sleeps.
 *
 * Would catch: a victim that is not asked, or asked in the wrong order; more
 * than half of a ring taken, or a part of it lost; a thief that interrupts the
 * owners all the time; a queue that the last look does not see.
 */
#include <stdbool.h>
#include <stdint.h>

struct carrier;
struct entry;
struct fastclock;
struct inject_node;
struct runtime;
struct timers;
struct when;
struct worker;

/* What steal_fixture.h replaces: the linker is told by these lines. */
unsigned __wrap_timers_fire(struct timers *t, int64_t when);
bool __wrap_poller_look(struct runtime *r);
void __wrap_poller_round(struct runtime *r, int64_t when);
void __wrap_watch_cover_own(struct worker *me);
bool __wrap_guest_over(struct worker *me);
bool __wrap_guest_round(struct worker *me);
bool __wrap_region_set_aside(struct worker *me, struct inject_node *link);
bool __wrap_lookout_stale(struct worker *me, struct worker *victim);
void __wrap_when_entry(struct when *when, struct entry *out);
int64_t __wrap_runtime_now(const struct runtime *r);
int64_t __wrap_runtime_now_fast(struct worker *me);
int64_t __wrap_clock_fast(struct fastclock *c);

#include "steal_fixture.h"

/* --- from others --- */

/* Nothing of its own. Two victims: what is taken from one of them. */
TEST(a_thief_takes_in_this_order, "R60 R68")
{
    struct worker *victim = &workers[2];

    begin();
    slot_put(&victim->next, &fibers[9]);
    queue(&victim->low, 8);
    queue(&victim->mine, 7); /* pinned */
    push_entry(victim, 1);
    push_entry(victim, 2);
    push_ring(victim, 2);
    queue(&victim->high, 1);
    check_fiber(work_search, 1);
    check_fiber(work_search, 2);
    check_entry(work_search, 1); /* the oldest */
    CHECK_EQ(w->last_heavy, now);
    now += 1000000;
    check_entry(work_search, 2);
    check_fiber(work_search, 8);
    CHECK_EQ(a64_load(&w->counters.stolen, RELAXED), 5);
    CHECK_EQ(looks, 0);
    check_nothing(work_search);
    CHECK_EQ(looks, 1);
    stale[2] = true;
    check_fiber(work_search, 9);
    check_nothing(work_search);
    CHECK_EQ(a64_load(&w->counters.stolen, RELAXED), 6);
    CHECK_EQ(inject_count(&victim->mine), 1);
    end();
}

/* All of the others are asked, whichever is the first. */
TEST(every_victim_is_asked, "R60")
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        begin();
        w->rng.state = seed;
        push_ring(&workers[1], 1);
        push_ring(&workers[2], 2);
        queue(&workers[1].low, 3);
        queue(&workers[2].low, 4);
        slot_put(&workers[1].next, &fibers[5]);
        slot_put(&workers[2].next, &fibers[6]);
        stale[1] = stale[2] = true;
        for (int i = 0; i < 6; i++) {
            struct work work = {.fiber = NULL};

            CHECK_EQ(work_search(w, &work), FOUND_FIBER);
            CHECK_EQ(work.fiber - fibers >= 3, i >= 2);
        }
        check_nothing(work_search);
        end();
    }
}

TEST(half_of_a_ring_is_taken, "R60")
{
    struct worker *victim = &workers[1];

    begin();
    for (int i = 0; i < 7; i++) {
        push_ring(victim, i);
    }
    check_fiber(work_search, 0);
    CHECK_EQ(ring_count(&w->ring), 3);
    CHECK_EQ(ring_count(&victim->ring), 3);
    for (int i = 1; i < 4; i++) {
        check_fiber(work_own, i);
    }
    CHECK_EQ(a64_load(&w->counters.stolen, RELAXED), 1);
    end();
}

/* It takes new tasks, but nothing that is ready, here or there. */
TEST(who_rests_leaves_what_is_ready, "R60")
{
    begin();
    queue(&rt.inject, 1);
    push_ring(&workers[1], 2);
    push_entry(&workers[1], 3);
    w->sharing.state = RESTING;
    check_entry(work_search, 3);
    check_nothing(work_search);
    w->turns = 1; /* nor in a round, which asks whether the rest is over */
    w->sharing.looked = now;
    check_nothing(work_search);
    CHECK_EQ(w->sharing.state, RESTING);
    w->sharing.state = SHARING;
    check_fiber(work_search, 1);
    CHECK_EQ(w->sharing.stole, 0);
    check_fiber(work_search, 2);
    CHECK_EQ(w->sharing.stole, now); /* its time counts: sharing_idle */
    w->turns = 1;
    w->sharing.state = LEAVING; /* that is for its next round, this one */
    check_nothing(work_search);
    CHECK(w->sharing.state != LEAVING);
    end();
}

TEST(a_thief_that_has_just_stolen_pauses, "R60")
{
    begin();
    push_entry(&workers[1], 1);
    w->last_heavy = now - 1000000;
    check_entry(work_search, 1);
    push_entry(&workers[1], 2);
    now += 999;
    check_nothing(work_search);
    CHECK_EQ(w->last_heavy, 1000000);
    now += 20000;
    check_entry(work_search, 2);
    CHECK_EQ(w->last_heavy, now);
    end();
}

/* Where it interrupts the others by its barrier, for longer. */
TEST(a_pause_is_as_long_as_its_barrier_costs, "R60")
{
    for (int symmetric = 0; symmetric < 2; symmetric++) {
        barrier_begin_anew();
        barrier_probe(symmetric ? BARRIER_WORKERS + 1 : 2);
        begin();
        push_entry(&workers[1], 1);
        w->last_heavy = now;
        now += barrier_asymmetric ? 19999 : 999;
        check_nothing(work_search);
        now++;
        check_entry(work_search, 1);
        end();
    }
    barrier_begin_anew();
}

TEST(one_worker_steals_from_nobody, "R60")
{
    begin();
    rt.worker_count = 1;
    push_ring(&workers[1], 1);
    check_nothing(work_search);
    CHECK_EQ(fires, 1);
    CHECK_EQ(looks, 1);
    end();
}

TEST(a_search_goes_on_until_something_is_found, "R11 R60")
{
    begin();
    fired[0] = 1;
    fired_into = &fibers[1];
    check_fiber(work_search, 1);
    CHECK_EQ(fires, 1);
    look_finds = &fibers[2];
    check_fiber(work_search, 2);
    CHECK_EQ(fires, 2);
    CHECK_EQ(looks, 1);
    push_ring(w, 3);
    check_fiber(work_search, 3);
    CHECK_EQ(fires, 2);
    CHECK_EQ(a64_load(&w->counters.stolen, RELAXED), 0);
    end();
}

/* --- the last look --- */

static void check_looks(bool waits, bool exists, bool pinned)
{
    CHECK_EQ(work_waits(w), waits);
    CHECK_EQ(work_exists(w), exists);
    CHECK_EQ(work_pinned(&rt), pinned);
}

TEST(the_last_look_sees_all_that_could_be_taken, "R60 R65")
{
    begin();
    check_looks(false, false, false);
    queue(&rt.inject, 1);
    check_looks(true, true, false);
    inject_pop(&rt.inject);
    for (unsigned i = 0; i < WORKERS; i++) {
        bool own = i == 0;
        struct entry e;

        queue(&workers[i].mine, 1);
        check_looks(own, own, true);
        inject_pop(&workers[i].mine);
        queue(&workers[i].high, 1);
        check_looks(own, true, false);
        inject_pop(&workers[i].high);
        queue(&workers[i].low, 1);
        check_looks(own, true, false);
        inject_pop(&workers[i].low);
        push_ring(&workers[i], 1);
        check_looks(own, true, false);
        CHECK(ring_pop(&workers[i].ring) != NULL);
        push_entry(&workers[i], 1);
        check_looks(own, true, false);
        CHECK(deque_pop(&workers[i].deque, &e));
        slot_put(&workers[i].next, &fibers[1]);
        check_looks(own, false, false); /* lookout_sleep looks there */
        CHECK(slot_take(&workers[i].next) != NULL);
    }
    check_looks(false, false, false);
    end();
}
