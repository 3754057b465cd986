/*
 * steal_test.c - sched/steal.c: from which queue a worker takes, and when. The
 * workers here never run: what lies in their queues is taken one by one.
 *
 * Would catch: a queue that is passed over, or asked before its turn; a round
 * that comes too late, or twice in a row for those who were late; a spawner
 * that has stepped aside and is forgotten; a slot taken more often than three
 * times; what is taken from whom by a thief, and in which order; a queue that
 * the last look before sleep does not see.
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

static struct when whens[2];

/* --- its own queues --- */

TEST(own_queues_have_an_order, "R60 R68")
{
    begin();
    queue(&w->low, 8);
    push_entry(w, 1);
    push_entry(w, 2);
    push_ring(w, 4);
    push_ring(w, 5);
    queue(&rt.inject, 3);
    slot_put(&w->next, &fibers[2]);
    queue(&w->high, 1);
    queue(&w->mine, 0);
    check_fiber(work_own, 0); /* pinned */
    check_fiber(work_own, 1); /* HIGH */
    check_fiber(work_own, 2); /* just woken */
    check_fiber(work_own, 3); /* from outside, every other time */
    check_fiber(work_own, 4); /* ready, oldest first */
    check_fiber(work_own, 5);
    check_entry(work_own, 2); /* new, newest first */
    check_entry(work_own, 1);
    check_fiber(work_own, 8); /* LOW */
    check_nothing(work_own);
    CHECK_EQ(w->turns, 1000 - 10);
    CHECK_EQ(fires, 0);
    CHECK(aside == NULL);
    end();
}

TEST(who_was_just_woken_has_three_turns_in_a_row, "R60")
{
    begin();
    push_ring(w, 9);
    push_ring(w, 10);
    for (int i = 0; i < 3; i++) {
        slot_put(&w->next, &fibers[i]);
        check_fiber(work_own, i);
        CHECK_EQ(w->next_uses, i + 1);
    }
    slot_put(&w->next, &fibers[3]);
    check_fiber(work_own, 9);
    check_fiber(work_own, 3);
    CHECK_EQ(w->next_uses, 1);
    check_fiber(work_own, 10);
    CHECK_EQ(w->next_uses, 0);
    /* It is taken at last, if nobody else is there. */
    w->next_uses = 3;
    slot_put(&w->next, &fibers[4]);
    check_fiber(work_own, 4);
    CHECK_EQ(w->next_uses, 0);
    end();
}

TEST(what_comes_from_outside_has_every_other_turn, "R60")
{
    begin();
    for (int i = 0; i < 3; i++) {
        queue(&rt.inject, i);
        push_ring(w, 10 + i);
    }
    for (int i = 0; i < 3; i++) {
        check_fiber(work_own, i);
        CHECK(w->looked_inject);
        check_fiber(work_own, 10 + i);
        CHECK(!w->looked_inject);
    }
    /* And all of them, where there is nothing else. */
    for (int i = 0; i < 3; i++) {
        queue(&rt.inject, i);
    }
    for (int i = 0; i < 3; i++) {
        check_fiber(work_own, i);
    }
    check_nothing(work_own);
    end();
}

TEST(a_descriptor_is_an_entry, "R29")
{
    struct work work;

    begin();
    inject_push(&w->high, &descs[2]->node.link);
    CHECK_EQ(work_own(w, &work), FOUND_ENTRY);
    CHECK(work.entry.fn == desc_run);
    CHECK(work.entry.arg == descs[2]);
    CHECK(work.entry.scope == scope_public(&root));
    whens[1].node.kind = WORK_WHEN;
    inject_push(&w->high, &whens[1].node.link);
    CHECK_EQ(work_own(w, &work), FOUND_ENTRY);
    CHECK(work.entry.arg == &whens[1]);
    end();
}

TEST(pinned_work_waits_for_its_thread, "R66")
{
    struct work work;

    begin();
    w->absent = w->carrier = (struct carrier *)&root;
    queue(&w->mine, 1);
    queue(&w->high, 2);
    check_fiber(work_own, 2);
    CHECK(aside == &fibers[1].node.link);
    claimed = true;
    queue(&w->mine, 3);
    CHECK_EQ(work_own(w, &work), FOUND_CLAIM);
    CHECK(aside == &fibers[3].node.link);
    w->absent = NULL;
    queue(&w->mine, 4);
    check_fiber(work_own, 4);
    end();
}

/* --- every 61st turn --- */

/* The next turn is a round. */
static void round_now(void)
{
    w->turns = 1;
}

TEST(a_round_looks_at_what_waits_longest, "R60 R68")
{
    begin();
    for (int i = 0; i < 4; i++) {
        push_entry(w, (uintptr_t)i + 1);
        push_ring(w, 10 + i);
    }
    queue(&w->low, 3);
    queue(&w->high, 20); /* who always come first elsewhere */
    queue(&w->mine, 21);
    queue(&rt.inject, 2);
    round_now();
    check_fiber(work_own, 2);
    CHECK_EQ(w->turns, WORKER_TURNS);
    CHECK_EQ(fires, 1);
    CHECK_EQ(rounds, 0);
    round_now();
    check_fiber(work_own, 3); /* LOW */
    for (int i = 0; i < 2; i++) {
        round_now();
        check_fiber(work_own, 10 + i); /* ready and new take turns, */
        round_now();
        check_entry(work_own, (uintptr_t)i + 1); /* the oldest of each */
    }
    CHECK_EQ(fires, 6);
    check_fiber(work_own, 21);
    check_fiber(work_own, 20);
    end();
}

TEST(a_round_finds_what_there_is, "R60")
{
    begin();
    slot_put(&w->next, &fibers[1]);
    round_now();
    check_fiber(work_own, 1);
    push_ring(w, 2);
    round_now(); /* the deque's turn, but nothing is there */
    check_fiber(work_own, 2);
    push_entry(w, 7);
    round_now();
    check_entry(work_own, 7);
    round_now();
    check_nothing(work_own);
    CHECK_EQ(w->turns, WORKER_TURNS);
    /* A turn is a turn, whatever it finds. */
    w->turns = 2;
    check_nothing(work_own);
    CHECK_EQ(w->turns, 1);
    CHECK_EQ(fires, 4);
    check_nothing(work_own);
    CHECK_EQ(fires, 5);
    end();
}

TEST(a_round_looks_at_descriptors, "R60")
{
    begin();
    a32_init(&rt.poller.on, 1);
    round_now();
    check_nothing(work_own);
    CHECK_EQ(rounds, 1);
    end();
}

TEST(who_was_late_goes_first_but_not_twice, "R11 R60")
{
    begin();
    fired[0] = fired[1] = fired[2] = 1;
    queue(&rt.inject, 1);
    queue(&rt.inject, 2);
    slot_put(&w->next, &fibers[10]);
    round_now();
    check_fiber(work_own, 10);
    CHECK_EQ(a64_load(&w->timers.kept, RELAXED), now + WATCH_GRACE);
    CHECK_EQ(w->turns, 1); /* what the round is for has the next one */
    slot_put(&w->next, &fibers[11]);
    check_fiber(work_own, 1);
    CHECK_EQ(w->turns, WORKER_TURNS);
    round_now();
    check_fiber(work_own, 11);
    CHECK_EQ(w->turns, 1);
    check_fiber(work_own, 2); /* none was late any more */
    CHECK_EQ(w->turns, WORKER_TURNS);
    CHECK_EQ(fires, 4);
    end();
}

TEST(a_round_without_timers_keeps_nothing, "R11")
{
    begin();
    round_now();
    check_nothing(work_own);
    CHECK_EQ(a64_load(&w->timers.kept, RELAXED), 0);
    fired[1] = 1;
    w->stays = true; /* its timers are nobody else's */
    round_now();
    check_nothing(work_own);
    CHECK_EQ(a64_load(&w->timers.kept, RELAXED), 0);
    end();
}

TEST(a_guest_looks_round_when_its_host_says_so, "R60")
{
    struct work work;

    begin();
    w->guest = true;
    queue(&rt.inject, 1);
    push_ring(w, 2);
    slot_put(&w->next, &fibers[3]);
    w->turns = 1;
    check_fiber(work_own, 3); /* no round */
    CHECK_EQ(fires, 0);
    CHECK_EQ(w->turns, 0);
    round_due = true;
    fired[0] = fired[1] = 1; /* who was late waits for its turn here */
    check_fiber(work_own, 1);
    CHECK_EQ(fires, 1);
    CHECK_EQ(w->turns, -1);
    CHECK(!w->put_off);
    over = true;
    CHECK_EQ(work_own(w, &work), FOUND_HOST);
    over = false;
    round_due = false;
    check_fiber(work_own, 2);
    end();
}

/* --- after somebody has stepped aside --- */

TEST(new_tasks_pass_who_stepped_aside_once, "R7")
{
    begin();
    push_entry(w, 1);
    push_entry(w, 2);
    slot_put(&w->next, &fibers[1]);
    w->pass = true;
    check_entry(work_own, 1); /* the oldest */
    CHECK(!w->pass);
    check_fiber(work_own, 1);
    check_entry(work_own, 2);
    w->pass = true;
    push_ring(w, 3);
    check_fiber(work_own, 3); /* there is none */
    CHECK(!w->pass);
    end();
}

static void fill_deque(unsigned n)
{
    for (unsigned i = 1; i <= n; i++) {
        push_entry(w, i);
    }
}

TEST(a_full_deque_is_emptied_by_half, "R7")
{
    const unsigned half = WORKER_QUEUE_MAX / 2;

    begin();
    fill_deque(half + 3);
    push_ring(w, 1); /* the spawner */
    w->drain = 1;
    check_entry(work_own, half + 3);
    CHECK_EQ(w->drain, 8); /* nobody else: asked again in 8 turns */
    check_entry(work_own, half + 2);
    CHECK_EQ(w->drain, 7);
    check_entry(work_own, half + 1);
    CHECK_EQ(deque_size(&w->deque), half);
    check_fiber(work_own, 1);
    CHECK_EQ(w->drain, 0);
    end();
}

/* Others are ready: whichever place they are in, they have every other turn. */
TEST(others_have_every_other_turn_meanwhile, "R7 R60")
{
    const unsigned half = WORKER_QUEUE_MAX / 2;

    begin();
    fill_deque(half + 10);
    push_ring(w, 1); /* the spawner */
    push_ring(w, 2);
    w->drain = 1;
    check_fiber(work_own, 1);
    CHECK_EQ(w->drain, 2);
    check_entry(work_own, half + 10);
    CHECK_EQ(w->drain, 1);
    slot_put(&w->next, &fibers[3]);
    check_fiber(work_own, 3);
    CHECK_EQ(w->drain, 2);
    check_entry(work_own, half + 9);
    queue(&rt.inject, 4);
    check_fiber(work_own, 4);
    CHECK_EQ(w->drain, 2);
    check_entry(work_own, half + 8);
    check_entry(work_own, half + 7); /* one in the ring is the spawner */
    CHECK_EQ(w->drain, 8);
    for (unsigned i = 0; i < 6; i++) {
        check_entry(work_own, half + 6 - i);
    }
    CHECK_EQ(w->drain, 2);
    end();
}

/* --- from fiber to fiber --- */

static void check_next(int n)
{
    CHECK_EQ(work_next_fiber(w) - fibers, n);
}

TEST(a_fiber_follows_the_other_where_nothing_else_is_due, "R60")
{
    begin();
    push_ring(w, 2);
    push_ring(w, 3);
    slot_put(&w->next, &fibers[1]);
    w->looked_inject = true;
    check_next(1);
    CHECK_EQ(w->next_uses, 1);
    CHECK(!w->looked_inject);
    CHECK_EQ(covers, 0);
    w->timers_dirty = true;
    check_next(2);
    CHECK_EQ(w->next_uses, 0);
    CHECK_EQ(covers, 1);
    w->next_uses = 3;
    slot_put(&w->next, &fibers[1]);
    check_next(3); /* the slot has had its turns */
    w->next_uses = 3;
    check_next(1); /* but nobody else is there */
    CHECK(work_next_fiber(w) == NULL);
    push_entry(w, 1);
    slot_put(&w->next, &fibers[1]);
    w->next_uses = 3;
    CHECK(work_next_fiber(w) == NULL); /* who is new would be passed */
    CHECK_EQ(w->turns, 1000 - 6);
    end();
}

TEST(the_loop_is_entered_where_something_is_due, "R60 R68")
{
    begin();
    slot_put(&w->next, &fibers[1]);
    w->turns = 1;
    CHECK(work_next_fiber(w) == NULL);
    w->turns = 2;
    check_next(1);
    slot_put(&w->next, &fibers[1]);
    w->turns = 1000;
    w->drain = 1;
    CHECK(work_next_fiber(w) == NULL);
    w->drain = 0;
    w->pass = true;
    CHECK(work_next_fiber(w) == NULL);
    w->pass = false;
    queue(&w->mine, 2);
    CHECK(work_next_fiber(w) == NULL);
    CHECK(inject_pop(&w->mine) != NULL);
    queue(&w->high, 2);
    CHECK(work_next_fiber(w) == NULL);
    CHECK(inject_pop(&w->high) != NULL);
    queue(&rt.inject, 2);
    CHECK(work_next_fiber(w) == NULL);
    CHECK(inject_pop(&rt.inject) != NULL);
    check_next(1);
    end();
}

/* --- without a stack for the loop --- */

TEST(what_has_a_stack_is_found_anywhere, "R60")
{
    begin();
    slot_put(&w->next, &fibers[1]);
    push_ring(w, 2);
    queue(&w->mine, 3);
    queue(&w->high, 4);
    queue(&rt.inject, 5);
    queue(&w->low, 6);
    for (int i = 1; i <= 6; i++) {
        CHECK_EQ(work_ready_fiber(w) - fibers, i);
        CHECK_EQ(fires, i);
    }
    CHECK(work_ready_fiber(w) == NULL);
    queue(&w->mine, 3);
    w->absent = (struct carrier *)&root;
    CHECK(work_ready_fiber(w) == NULL);
    w->absent = NULL;
    CHECK(work_ready_fiber(w) == &fibers[3]);
    end();
}

TEST(what_would_need_a_stack_stays, "R60")
{
    begin();
    for (int i = 0; i < 3; i++) {
        inject_push(&w->high, &descs[i]->node.link);
    }
    CHECK(work_ready_fiber(w) == NULL);
    CHECK_EQ(inject_count(&w->high), 3);
    queue(&w->high, 7);
    inject_push(&w->high, &descs[3]->node.link);
    CHECK(work_ready_fiber(w) == &fibers[7]);
    CHECK(inject_pop(&w->high) == &descs[3]->node.link);
    for (int i = 0; i < 3; i++) {
        CHECK(inject_pop(&w->high) == &descs[i]->node.link);
    }
    CHECK(inject_pop(&w->high) == NULL);
    end();
}
