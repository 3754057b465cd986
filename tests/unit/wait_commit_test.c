/*
 * wait_commit_test.c - sched/wait.c: how a wait ends, and what is told of it.
 *
 * Would catch: an outcome other than what was decided; a word or a timer that
 * is left as the wait had it; a cancel that is lost between entry and sleep, or
 * delivered where none was; one that is taken back before its winner is done.
 */
#include "../test.h"

#include "runtime.h"
#include "wait.h"
#include "wait_left.h"
#include "worker.h"
#include <errno.h>

static uint32_t state_of(struct waiter *wt)
{
    return a32_load(&wt->state, RELAXED);
}

/* --- waits as such --- */

TEST(a_wait_says_what_it_is_for, "R66")
{
    struct frame *f = frame_current();
    struct worker *w = worker_self();
    int object = 0;
    struct waiter *wt;

    w->moment = 4711;
    wt = wait_begin("something", &object, WAIT_DEAF);
    CHECK(wt == &f->waiter);
    CHECK_EQ(state_of(wt), WAIT_WAITING | WAIT_DEAF);
    CHECK(wt->fiber == w->fiber);
    CHECK(wt->frame == f);
    CHECK(strcmp(wt->what, "something") == 0);
    CHECK(wt->object == &object);
    CHECK_EQ(a32_load(&wt->since, RELAXED), 4711);
    CHECK(a32_load(&f->linked, RELAXED) & LINK_FOUND);
    wait_abort(wt);
    CHECK_EQ(state_of(wt), WAIT_IDLE);
}

/* One that has been cancelled since it entered learns it at the last moment;
 * that is no delivery before the call says so. */
TEST(a_cancel_after_the_entry_ends_the_wait, "R3 R5 R18")
{
    roost_scope s;
    struct waiter *wt;

    roost_scope_open(&s, NULL);
    CHECK_EQ(wait_enter(), 0);
    wt = wait_begin("deaf", NULL, WAIT_DEAF);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK(wait_complete(wt, 3)); /* who decides first is believed */
    wait_wake(wt);
    CHECK_EQ(wait_commit(wt, ROOST_NEVER), 0);
    CHECK_EQ(wait_result(wt), 3);
    CHECK(!(scope_flags(scope_of(&s)) & S_DELIVERED));
    wt = wait_begin("wait", NULL, 0);
    CHECK(wait_complete(wt, 4));
    wait_wake(wt);
    CHECK_EQ(wait_commit(wt, ROOST_NEVER), 0);
    CHECK(!(scope_flags(scope_of(&s)) & S_DELIVERED));
    wt = wait_begin("wait", NULL, 0);
    CHECK_EQ(wait_commit(wt, ROOST_NEVER), -ECANCELED);
    CHECK(scope_flags(scope_of(&s)) & S_DELIVERED);
    CHECK_EQ(state_of(wt), WAIT_IDLE);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST_VIRTUAL(a_wait_without_anybody_times_out, "R10 R11")
{
    roost_ns start = roost_now();
    struct waiter *wt = wait_begin("past", NULL, 0);

    CHECK_EQ(wait_commit(wt, start), -ETIMEDOUT);
    CHECK_EQ(state_of(wt), WAIT_IDLE);
    CHECK(wt->timer.owner == NULL);
    CHECK_EQ(roost_now(), start);
    wt = wait_begin("future", NULL, 0);
    CHECK_EQ(wait_commit(wt, start + 5), -ETIMEDOUT);
    CHECK_EQ(roost_now(), start + 5);
    CHECK_EQ(state_of(wt), WAIT_IDLE);
    CHECK(wt->timer.owner == NULL);
    CHECK(!list_linked(&wt->timer.link));
}

TEST_VIRTUAL(a_deaf_wait_times_out_though_it_is_cancelled, "R5 R10")
{
    roost_ns start = roost_now();
    struct waiter *wt;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK(roost_scope_cancel(&s, 0));
    wt = wait_begin("past", NULL, WAIT_DEAF);
    CHECK_EQ(wait_commit(wt, start), -ETIMEDOUT);
    CHECK_EQ(state_of(wt), WAIT_IDLE);
    CHECK(!(scope_flags(scope_of(&s)) & S_DELIVERED));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* Its canceller has won it under the scope that it then left for another, in
 * which it is not cancelled (started.c): it is told what was decided. */
TEST(cancelled_where_it_is_no_more, "R3 R5")
{
    struct frame *f = frame_current();
    struct waiter *wt = wait_begin("somewhere", NULL, 0);

    f->marks &= ~(uint32_t)F_CANCELLED;
    CHECK(wait_freeze(wt));
    CHECK(wait_cancel_frozen(wt));
    wait_wake(wt);
    CHECK_EQ(state_of(wt), WAIT_CANCELLED | WAIT_WOKEN);
    CHECK_EQ(wait_commit(wt, ROOST_NEVER), -ECANCELED);
    CHECK(f->marks & F_CANCELLED);
    CHECK_EQ(state_of(wt), WAIT_IDLE);
    f->marks &= ~(uint32_t)F_CANCELLED;
    CHECK_EQ(wait_enter(), 0);
}

/* One that is announced, but not needed, and that a canceller has won: it must
 * be let wake whom it has won. */
TEST(taken_back_though_it_is_won, "R3")
{
    struct frame *f = frame_current();
    struct waiter *wt = wait_begin("something", NULL, 0);

    CHECK(wait_freeze(wt));
    CHECK(wait_cancel_frozen(wt));
    wait_wake(wt);
    wait_abort(wt);
    CHECK_EQ(state_of(wt), WAIT_IDLE);
    f->marks &= ~(uint32_t)F_CANCELLED;
    CHECK_EQ(wait_enter(), 0);
}

/* As join.c does it, but without a stack that is left. */
TEST(announced_on_the_other_side_it_is_looked_at_again, "R5 R43")
{
    struct worker *w = worker_self();
    uint64_t epoch = a64_load(&w->rt->epoch, RELAXED);
    struct waiter *wt = wait_begin_left(w, "join", NULL);
    roost_scope s;

    CHECK(wait_announce(w, wt, epoch));
    CHECK_EQ(state_of(wt), WAIT_WAITING | WAIT_PARKED);
    CHECK(wait_recheck(wt) == NULL); /* it is not cancelled */
    CHECK_EQ(state_of(wt), WAIT_WAITING | WAIT_PARKED);
    CHECK(wait_complete(wt, 0));
    CHECK(wait_recheck(wt) == NULL); /* another has won it */
    CHECK_EQ(state_of(wt), WAIT_DONE | WAIT_PARKED);
    CHECK_EQ(wait_outcome(wt), 0);
    roost_scope_open(&s, NULL);
    CHECK(roost_scope_cancel(&s, 0));
    wt = wait_begin_left(w, "join", NULL);
    CHECK(!wait_announce(w, wt, epoch));
    CHECK(wait_recheck(wt) == wt);
    CHECK_EQ(state_of(wt), WAIT_CANCELLED | WAIT_PARKED);
    CHECK_EQ(wait_outcome(wt), -ECANCELED);
    CHECK_EQ(state_of(wt), WAIT_IDLE);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}
