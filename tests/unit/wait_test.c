/*
 * wait_test.c - sched/wait.c, one step after the other: what each does to the
 * wait word, and whom it wakes. What several do to it at once is in
 * tests/model/wait_model.c.
 *
 * Would catch: a mark lost or kept by who decides; a decision over another; a
 * deaf wait that is cancelled; a waiter queued before its stack is left, or by
 * nobody; an entry that lets a hook wait; a budget that never ends; a draw
 * outside its range.
 */
#include "spinner.h"

#include "runtime.h"
#include "wait.h"
#include "wait_left.h"
#include "when.h"
#include "worker.h"
#include <errno.h>

void __wrap_ready_push(struct fiber *f);
void __wrap_when_start(struct waiter *wt);
void __wrap_wait_thread_wake(struct waiter *wt);
#include "wait_fixture.h"

/* --- instead of what wait.c calls, while a case watches --- */

void __real_ready_step_aside(struct worker *w);
void __wrap_ready_step_aside(struct worker *w);

static unsigned asides;

void __wrap_ready_step_aside(struct worker *w)
{
    if (!watching) {
        __real_ready_step_aside(w);
        return;
    }
    CHECK(w == worker_self());
    w->budget = WORKER_BUDGET;
    asides++;
}

/* --- the word --- */

TEST(a_new_waiter_waits_for_nothing, "R3")
{
    struct waiter wt;

    memset(&wt, 0xa5, sizeof wt);
    wait_init(&wt);
    CHECK_EQ(state_of(&wt), WAIT_IDLE);
    CHECK_EQ(a32_load(&wt.woken, RELAXED), 0);
    CHECK(!list_linked(&wt.timer.link));
    CHECK(wt.timer.owner == NULL);
    CHECK(wt.next == NULL);
}

/* The marks that whoever decides leaves as they are. */
static const uint32_t marks[] = {
    0,
    WAIT_PARKED,
    WAIT_DEAF,
    WAIT_SPAWNED,
    WAIT_PARKED | WAIT_DEAF,
    WAIT_PARKED | WAIT_DEAF | WAIT_SPAWNED,
};
#define MARKS (sizeof marks / sizeof *marks)

TEST(one_decides_and_keeps_the_marks, "R3")
{
    for (size_t i = 0; i < MARKS; i++) {
        struct waiter wt = waiter_in(WAIT_WAITING | marks[i]);

        CHECK(wait_live(&wt));
        CHECK(wait_complete(&wt, 77));
        CHECK_EQ(state_of(&wt), marks[i] | WAIT_DONE | 77 << WAIT_RESULT_SHIFT);
        CHECK_EQ(wait_result(&wt), 77);
        CHECK(!wait_live(&wt));
        wt = waiter_in(WAIT_WAITING | marks[i]);
        CHECK(wait_timeout(&wt));
        CHECK_EQ(state_of(&wt), marks[i] | WAIT_TIMEDOUT);
        wt = waiter_in(WAIT_WAITING | marks[i]);
        CHECK(wait_withdraw(&wt));
        CHECK_EQ(state_of(&wt), marks[i] | WAIT_CANCELLED);
    }
}

TEST(what_is_decided_stays, "R3")
{
    static const uint32_t over[] = {
        WAIT_IDLE,
        WAIT_DONE | 5 << WAIT_RESULT_SHIFT,
        WAIT_CANCELLED | WAIT_PARKED,
        WAIT_TIMEDOUT | WAIT_WOKEN,
    };

    for (size_t i = 0; i < sizeof over / sizeof *over; i++) {
        struct waiter wt = waiter_in(over[i]);

        CHECK(!wait_complete(&wt, 1));
        CHECK(!wait_timeout(&wt));
        CHECK(!wait_withdraw(&wt));
        CHECK(!wait_freeze(&wt));
        CHECK(!wait_hold(&wt));
        CHECK_EQ(state_of(&wt), over[i]);
    }
}

TEST(frozen_it_can_go_on_or_be_decided, "R3 R5")
{
    for (size_t i = 0; i < MARKS; i++) {
        bool deaf = (marks[i] & WAIT_DEAF) != 0;
        struct waiter wt = waiter_in(WAIT_WAITING | marks[i]);

        CHECK_EQ(wait_freeze(&wt), !deaf);
        CHECK_EQ(state_of(&wt),
                 WAIT_WAITING | marks[i] | (deaf ? 0 : WAIT_FROZEN));
        wait_thaw(&wt);
        CHECK_EQ(state_of(&wt), WAIT_WAITING | marks[i]);
        CHECK(wait_hold(&wt));
        CHECK_EQ(state_of(&wt), WAIT_WAITING | marks[i] | WAIT_FROZEN);
        wait_complete_frozen(&wt, 9);
        CHECK_EQ(state_of(&wt), marks[i] | WAIT_DONE | 9 << WAIT_RESULT_SHIFT);
        wt = waiter_in(WAIT_WAITING | marks[i] | WAIT_FROZEN);
        CHECK(wait_cancel_frozen(&wt));
        CHECK_EQ(state_of(&wt), (marks[i] & WAIT_PARKED) | WAIT_CANCELLED);
    }
}

static void complete(void *wt)
{
    CHECK(wait_complete(wt, 5));
}

TEST(who_would_decide_waits_while_it_is_frozen, "R3 R5")
{
    struct waiter wt = waiter_in(WAIT_WAITING | WAIT_PARKED);
    struct spinner other;

    CHECK(wait_freeze(&wt));
    spinner_start(&other, complete, &wt);
    CHECK(!test_get(&other.over));
    CHECK_EQ(state_of(&wt), WAIT_WAITING | WAIT_PARKED | WAIT_FROZEN);
    wait_thaw(&wt);
    spinner_join(&other);
    CHECK_EQ(state_of(&wt), WAIT_DONE | WAIT_PARKED | 5 << WAIT_RESULT_SHIFT);
}

/* --- setting aside and waking --- */

TEST(set_aside_it_is_parked_or_goes_on, "R6")
{
    struct worker *w = worker_self();
    struct waiter wt = waiter_in(WAIT_WAITING);
    struct fiber fiber;

    watch();
    wait_set_aside(w, &fiber, &wt);
    CHECK_EQ(state_of(&wt), WAIT_WAITING | WAIT_PARKED);
    CHECK_EQ(pushes, 0);
    wt = waiter_in(WAIT_DONE);
    wait_set_aside(w, &fiber, &wt); /* won, but its winner is not done */
    CHECK_EQ(state_of(&wt), WAIT_DONE | WAIT_PARKED);
    CHECK_EQ(pushes, 0);
    wt = waiter_in(WAIT_DONE | WAIT_WOKEN);
    wait_set_aside(w, &fiber, &wt);
    CHECK_EQ(state_of(&wt), WAIT_DONE | WAIT_WOKEN);
    CHECK_EQ(pushes, 1);
    CHECK(pushed[0] == &fiber);
    watching = false;
}

TEST(one_not_started_is_let_go_unless_it_is_woken, "R29")
{
    struct waiter wt = waiter_in(WAIT_WAITING);

    CHECK(wait_let_go(&wt));
    CHECK_EQ(state_of(&wt), WAIT_WAITING | WAIT_SPAWNED);
    wt = waiter_in(WAIT_TIMEDOUT | WAIT_WOKEN);
    CHECK(!wait_let_go(&wt));
    CHECK_EQ(state_of(&wt), WAIT_TIMEDOUT | WAIT_WOKEN);
}

TEST(who_wakes_queues_what_is_parked, "R6")
{
    struct waiter wt = waiter_in(WAIT_DONE | WAIT_PARKED);
    struct fiber fiber;
    struct frame frame;

    watch();
    wt.fiber = &fiber;
    wt.frame = &frame;
    wait_wake(&wt);
    CHECK_EQ(pushes, 1);
    CHECK(pushed[0] == &fiber);
    CHECK_EQ(state_of(&wt), WAIT_DONE | WAIT_PARKED);
    a32_init(&wt.state, WAIT_DONE);
    wait_wake(&wt); /* still on its stack */
    CHECK_EQ(pushes, 1);
    CHECK_EQ(state_of(&wt), WAIT_DONE | WAIT_WOKEN);
    a32_init(&wt.state, WAIT_DONE | WAIT_SPAWNED);
    wait_wake(&wt); /* of a task that has started it says nothing */
    CHECK_EQ(pushes, 1);
    CHECK(started == NULL);
    CHECK(threads_woken == NULL);
    watching = false;
}

TEST(who_wakes_starts_what_has_not_started, "R6 R29")
{
    struct waiter wt = waiter_in(WAIT_DONE | WAIT_SPAWNED);
    struct fiber fiber;

    watch();
    wt.fiber = &fiber;
    wt.frame = NULL;
    wait_wake(&wt);
    CHECK(started == &wt);
    started = NULL;
    a32_init(&wt.state, WAIT_DONE);
    wait_wake(&wt); /* its spawner is not done with it */
    CHECK(started == NULL);
    CHECK_EQ(state_of(&wt), WAIT_DONE | WAIT_WOKEN);
    CHECK_EQ(pushes, 0);
    wt.fiber = NULL; /* a plain thread */
    wait_wake(&wt);
    CHECK(threads_woken == &wt);
    CHECK_EQ(pushes, 0);
    watching = false;
}

/* --- entries --- */

static int entries_in_hook(void *arg)
{
    struct frame *f = frame_current();

    (void)arg;
    CHECK_EQ(wait_enter(), 0);
    CHECK_EQ(wait_enter_deaf(), 0);
    CHECK_EQ(wait_check(), 0);
    f->marks |= F_HOOK;
    CHECK_EQ(wait_enter(), -EPERM);
    CHECK_EQ(wait_enter_deaf(), -EPERM);
    CHECK_EQ(wait_check(), 0);
    f->marks &= ~(uint32_t)F_HOOK;
    CHECK_EQ(wait_enter(), 0);
    return 0;
}

TEST(a_hook_enters_no_wait, "R2 R22")
{
    CHECK_EQ(entries_in_hook(NULL), 0);
}

TEST_PLAIN(a_plain_thread_enters_each_wait, "R2")
{
    CHECK_EQ(wait_enter(), 0);
    CHECK_EQ(wait_enter_deaf(), 0);
    CHECK_EQ(wait_check(), 0);
}

/* Looked at, or not: the entry's answer is remembered for this epoch alone. */
TEST(an_entry_looks_again_in_a_new_epoch, "R4 R7")
{
    struct frame *f = frame_current();
    struct worker *w = worker_self();
    uint64_t epoch = a64_load(&w->rt->epoch, RELAXED);

    f->marks &= ~(uint32_t)F_EPOCH;
    CHECK_EQ(wait_enter(), 0);
    CHECK(f->marks & F_EPOCH);
    CHECK_EQ(f->epoch, epoch);
    f->epoch = epoch + 1;
    CHECK_EQ(wait_enter(), 0);
    CHECK_EQ(f->epoch, epoch);
    CHECK(!(f->marks & F_CANCELLED));
}

TEST(a_cancelled_task_enters_none_but_deaf_ones, "R2 R4 R18")
{
    struct frame *f = frame_current();
    roost_scope s;
    int rc;

    roost_scope_open(&s, NULL);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(wait_enter_deaf(), 0);
    CHECK(!(scope_flags(scope_of(&s)) & S_DELIVERED));
    CHECK_EQ(wait_enter(), -ECANCELED);
    CHECK(scope_flags(scope_of(&s)) & S_DELIVERED);
    CHECK(f->marks & F_CANCELLED);
    rc = roost_scope_close(&s, 0);
    CHECK_EQ(rc, 0);
    CHECK_EQ(wait_enter(), 0);
}

/* --- what is left --- */

TEST(ready_operations_use_the_budget_up, "R7")
{
    struct worker *w = worker_self();

    watch();
    asides = 0;
    w->budget = 3;
    wait_ready();
    wait_ready();
    CHECK_EQ(w->budget, 1);
    CHECK_EQ(asides, 0);
    wait_ready();
    CHECK_EQ(asides, 1);
    CHECK_EQ(w->budget, WORKER_BUDGET);
    watching = false;
}

TEST_PLAIN(a_plain_thread_has_no_budget, "R7")
{
    watch();
    asides = 0;
    for (int i = 0; i < 1000; i++) {
        wait_ready();
    }
    CHECK_EQ(asides, 0);
    watching = false;
}

static void check_draws(void)
{
    unsigned counts[7] = {0};

    for (int i = 0; i < 7000; i++) {
        uint32_t drawn = wait_random(7);

        CHECK(drawn < 7);
        counts[drawn % 7]++;
    }
    for (int i = 0; i < 7; i++) {
        CHECK(counts[i] > 700 && counts[i] < 1300);
    }
    CHECK_EQ(wait_random(1), 0);
}

TEST(draws_are_even, "R49")
{
    check_draws();
}

TEST_PLAIN(draws_of_a_plain_thread_are_even, "R49")
{
    check_draws();
}

TEST(the_clock_is_noted_for_dumps, "R66")
{
    struct worker *w = worker_self();
    int64_t now;

    w->moment = 0;
    now = wait_now();
    CHECK_EQ(w->moment, moment_of(now));
    CHECK(now > 0);
}
