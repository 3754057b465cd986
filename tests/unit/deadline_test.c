/*
 * deadline_test.c - sched/deadline.c: when a scope's timer is armed, moved and
 * fires, and who is asked to look earlier. One worker.
 *
 * Would catch: a time-out that ends early, or never though it is over; a timer
 * armed twice, not at all, or not moved; nobody who looks for one that is
 * nearer; a soft cancel that never turns hard; a deadline that was moved away
 * and ends its scope all the same.
 */
#include "../test.h"

#include "count.h"
#include "horizon.h"
#include "runtime.h"
#include "scope.h"
#include "worker.h"
#include <errno.h>

#define HOUR (3600 * ROOST_S)

static unsigned covers;
static int64_t covered;

void __real_watch_cover(struct runtime *rt, int64_t when);
void __wrap_watch_cover(struct runtime *rt, int64_t when);
void __real_scope_unlock(struct scope *s);
void __wrap_scope_unlock(struct scope *s);

void __wrap_watch_cover(struct runtime *rt, int64_t when)
{
    covers++;
    covered = when;
    __real_watch_cover(rt, when);
}

void __wrap_scope_unlock(struct scope *s)
{
    CHECK(scope_flags(s) & S_LOCK);
    __real_scope_unlock(s);
}

static void alone(roost_fn fn)
{
    roost_opts opts = {.workers = 1};

    CHECK_EQ(roost_run(fn, NULL, &opts), 0);
}

static uint32_t flags_of(roost_scope *s)
{
    return scope_flags(scope_of(s));
}

static int64_t deadline_of(roost_scope *s)
{
    return (int64_t)a64_load(&scope_of(s)->deadline, RELAXED);
}

static uint64_t armed(void)
{
    return a64_load(&worker_self()->timers.armed, RELAXED);
}

static int64_t when_of(const struct timer *t)
{
    return t->when < 0 ? -t->when : t->when; /* behind the horizon: timer.c */
}

/* --- opening --- */

static int open_each_way(void *arg)
{
    roost_scope_opts opts = {.timeout = HOUR};
    roost_ns before;
    roost_scope s;

    (void)arg;
    before = roost_now();
    roost_scope_open(&s, &opts);
    CHECK(deadline_of(&s) >= before + HOUR); /* never early */
    CHECK(deadline_of(&s) <= roost_now() + HOUR + 2 * CLOCK_FAST_ERROR);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    /* The nearer of two. */
    opts.deadline = before + HOUR / 2;
    roost_scope_open(&s, &opts);
    CHECK_EQ(deadline_of(&s), before + HOUR / 2);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    opts.deadline = before + 3 * HOUR;
    roost_scope_open(&s, &opts);
    CHECK(deadline_of(&s) < before + 2 * HOUR);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    /* So far away that it is never; and over already. */
    opts = (roost_scope_opts){.timeout = ROOST_NEVER - 1};
    roost_scope_open(&s, &opts);
    CHECK_EQ(deadline_of(&s), ROOST_NEVER);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    opts.timeout = -1;
    roost_scope_open(&s, &opts);
    CHECK_EQ(deadline_of(&s), 0);
    CHECK(flags_of(&s) & S_CANCELLED);
    CHECK(flags_of(&s) & S_EXPIRED);
    CHECK_EQ(scope_of(&s)->reason_status, -ETIMEDOUT);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    opts = (roost_scope_opts){.deadline = 1};
    roost_scope_open(&s, &opts);
    CHECK(flags_of(&s) & S_EXPIRED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    opts = (roost_scope_opts){.name = "it"};
    roost_scope_open(&s, &opts);
    CHECK(!(flags_of(&s) & (S_DEADLINE | S_TIMED)));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    return 0;
}

TEST_PLAIN(a_time_out_is_counted_from_the_open, "R15")
{
    alone(open_each_way);
}

static int open_virtual(void *arg)
{
    roost_scope_opts opts = {.timeout = HOUR};
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, &opts);
    CHECK_EQ(deadline_of(&s), roost_now() + HOUR);
    CHECK_EQ(roost_sleep(2 * HOUR), -ECANCELED);
    CHECK_EQ(roost_now(), deadline_of(&s));
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    return 0;
}

TEST_PLAIN(a_virtual_clock_is_exact, "R15")
{
    roost_opts opts = {.workers = 1, .clock = ROOST_CLOCK_VIRTUAL};

    CHECK_EQ(roost_run(open_virtual, NULL, &opts), 0);
}

/* --- looking --- */

static unsigned looks(void)
{
    return frame_current()->marks / F_LOOK;
}

/* Without a horizon: so near that none is set. */
static int look_sixteen_times(void *arg)
{
    roost_scope_opts near = {.timeout = 2 * ROOST_S};
    struct worker *w = worker_self();
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, &near);
    CHECK_EQ(looks(), 0);
    deadline_look(w, frame_current()); /* far enough: a horizon is set */
    CHECK(horizon_covers(w, deadline_of(&s)));
    horizon_drop(&w->timers);
    /* One that cannot be covered, for there is one already. */
    a64_store(&scope_of(&s)->deadline,
              (uint64_t)(roost_now() + HORIZON_LEAST / 2), RELAXED);
    scope_of(&s)->soonest = deadline_of(&s);
    CHECK(!horizon_covers(w, deadline_of(&s)));
    for (unsigned i = looks() + 1; i < 16; i++) {
        a64_store(&scope_of(&s)->deadline,
                  (uint64_t)(roost_now() + HORIZON_LEAST / 2), RELAXED);
        scope_of(&s)->soonest = deadline_of(&s);
        deadline_look(w, frame_current());
        CHECK_EQ(looks(), i);
        CHECK(!(flags_of(&s) & S_ARMED));
    }
    deadline_look(w, frame_current());
    CHECK_EQ(looks(), 0);
    CHECK(flags_of(&s) & S_ARMED);
    CHECK(list_linked(&scope_of(&s)->timer.link));
    (void)roost_scope_close(&s, 0);
    return 0;
}

TEST_PLAIN(who_looks_often_arms_the_timers, "R11 R15")
{
    alone(look_sixteen_times);
}

/* Far away: nothing is looked at nor armed. */
static int look_far(void *arg)
{
    roost_scope_opts far = {.timeout = HOUR};
    struct worker *w = worker_self();
    roost_scope s;

    (void)arg;
    horizon_drop(&w->timers);
    roost_scope_open(&s, &far);
    horizon_drop(&w->timers);
    CHECK(!horizon_covers(w, deadline_of(&s)));
    CHECK_EQ(looks(), 0);
    deadline_look(w, frame_current());
    CHECK_EQ(looks(), 0);
    CHECK(horizon_covers(w, deadline_of(&s)));
    CHECK(!(flags_of(&s) & S_ARMED));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    return 0;
}

TEST_PLAIN(a_deadline_far_away_is_behind_the_horizon, "R11")
{
    alone(look_far);
}

/* --- the timer --- */

static int arm_chain(void *arg)
{
    roost_scope_opts opts = {.timeout = HOUR};
    roost_scope a, b, c, d;
    uint64_t before;

    (void)arg;
    roost_scope_open(&a, &opts);
    roost_scope_open(&b, NULL);
    opts.timeout = HOUR / 2;
    roost_scope_open(&c, &opts);
    roost_scope_open(&d, NULL);
    horizon_drop(&worker_self()->timers);
    before = armed();
    covers = 0;
    deadline_arm_chain(scope_of(&d));
    CHECK_EQ(armed() - before, 2);
    CHECK_EQ(covers, 1); /* that of c; that of a is later */
    CHECK_EQ(covered, deadline_of(&c));
    CHECK(flags_of(&d) & S_ARMED);
    CHECK_EQ(when_of(&scope_of(&a)->timer), deadline_of(&a));
    CHECK_EQ(when_of(&scope_of(&c)->timer), deadline_of(&c));
    CHECK_EQ((uintptr_t)scope_of(&c)->timer.owner & TIMER_KIND, TIMER_SCOPE);
    CHECK((struct timers *)((uintptr_t)scope_of(&c)->timer.owner &
                            ~(uintptr_t)TIMER_KIND) == &worker_self()->timers);
    deadline_arm_chain(scope_of(&c)); /* each once */
    deadline_arm_chain(scope_of(&d));
    CHECK_EQ(armed() - before, 2);
    CHECK_EQ(roost_scope_close(&d, 0), 0);
    CHECK_EQ(roost_scope_close(&c, 0), 0);
    CHECK(!list_linked(&scope_of(&c)->timer.link));
    CHECK_EQ(roost_scope_close(&b, 0), 0);
    CHECK_EQ(roost_scope_close(&a, 0), 0);
    return 0;
}

TEST_PLAIN(all_timers_outward_are_armed_once, "R15 R20")
{
    alone(arm_chain);
}

static int set_deadlines(void *arg)
{
    int64_t base = roost_in(HOUR);
    roost_scope outer, pub;
    struct scope *s = scope_of(&pub);

    (void)arg;
    horizon_drop(&worker_self()->timers);
    roost_scope_open(&outer, NULL);
    deadline_set(scope_of(&outer), base + HOUR / 2);
    roost_scope_open(&pub, NULL);
    covers = 0;
    deadline_set(s, base);
    CHECK_EQ(scope_flags(s) & ~(uint32_t)S_ARMED,
             S_FULL | S_DEADLINE | S_TIMED);
    CHECK_EQ(when_of(&s->timer), base);
    CHECK_EQ(covers, 1);
    CHECK_EQ(covered, base);
    deadline_set(s, base + HOUR);
    CHECK_EQ(deadline_of(&pub), base + HOUR);
    CHECK_EQ(when_of(&s->timer), base + HOUR);
    CHECK_EQ(covers, 1); /* another one is earlier */
    deadline_set(s, base - 1);
    CHECK_EQ(when_of(&s->timer), base - 1);
    CHECK_EQ(covers, 2);
    CHECK_EQ(covered, base - 1);
    deadline_set(s, ROOST_NEVER);
    CHECK(!list_linked(&s->timer.link));
    CHECK_EQ(covers, 2);
    deadline_set(s, 1); /* over: at once */
    CHECK(scope_flags(s) & S_EXPIRED);
    CHECK_EQ(s->reason_kind, ROOST_REASON_DEADLINE);
    CHECK_EQ(s->reason_status, -ETIMEDOUT);
    covers = 0;
    deadline_set(s, base); /* too late */
    CHECK_EQ(deadline_of(&pub), 1);
    CHECK_EQ(covers, 0);
    CHECK(!(scope_flags(s) & S_LOCK));
    CHECK_EQ(roost_scope_close(&pub, 0), 0); /* delivered to nobody */
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    return 0;
}

TEST_PLAIN(a_deadline_is_moved_with_its_timer, "R15")
{
    alone(set_deadlines);
}

static int fire_each(void *arg)
{
    roost_scope_opts opts = {.timeout = HOUR};
    roost_scope pub;
    struct scope *s;

    (void)arg;
    /* Of a soft cancel: whatever the deadline is. */
    roost_scope_open(&pub, &opts);
    s = scope_of(&pub);
    horizon_drop(&worker_self()->timers);
    covers = 0;
    CHECK(scope_cancel_softly(s, roost_in(HOUR / 4), ROOST_REASON_EXPLICIT));
    CHECK_EQ(covers, 1);
    CHECK_EQ(covered, s->rare->hard_time);
    CHECK_EQ((uintptr_t)s->rare->hard_timer.owner & TIMER_KIND, TIMER_HARD);
    deadline_pin(&s->rare->hard_timer);
    CHECK_EQ(a64_load(&s->count, RELAXED), COUNT_PIN);
    deadline_fire(&s->rare->hard_timer);
    CHECK_EQ(a64_load(&s->count, RELAXED), 0);
    CHECK(scope_flags(s) & S_CANCELLED);
    CHECK(!(scope_flags(s) & S_EXPIRED));
    CHECK(list_linked(&s->rare->hard_timer.link));
    CHECK_EQ(roost_scope_close(&pub, 0), 0);
    /* Of a deadline that was moved meanwhile; and that was not. */
    roost_scope_open(&pub, NULL);
    deadline_set(s, roost_in(HOUR));
    deadline_pin(&s->timer);
    deadline_fire(&s->timer);
    CHECK_EQ(a64_load(&s->count, RELAXED), 0);
    CHECK(!(scope_flags(s) & S_CANCELLED));
    a64_store(&s->deadline, (uint64_t)roost_now(), RELAXED);
    deadline_pin(&s->timer);
    deadline_fire(&s->timer);
    CHECK_EQ(a64_load(&s->count, RELAXED), 0);
    CHECK(scope_flags(s) & S_EXPIRED);
    CHECK_EQ(s->reason_status, -ETIMEDOUT);
    CHECK_STR(s->reason_task, "");
    CHECK_EQ(roost_scope_close(&pub, 0), 0);
    return 0;
}

TEST_PLAIN(which_timer_has_fired_says_its_owner, "R15 R25")
{
    alone(fire_each);
}

static int disarm_both(void *arg)
{
    roost_scope_opts opts = {.timeout = HOUR};
    roost_scope pub;
    struct scope *s;

    (void)arg;
    roost_scope_open(&pub, &opts);
    s = scope_of(&pub);
    scope_full(s);
    deadline_disarm(s); /* there is none */
    deadline_arm_chain(s);
    CHECK(scope_cancel_softly(s, roost_in(HOUR / 4), ROOST_REASON_EXPLICIT));
    CHECK(list_linked(&s->timer.link));
    CHECK(list_linked(&s->rare->hard_timer.link));
    deadline_disarm(s);
    CHECK(!list_linked(&s->timer.link));
    CHECK(!list_linked(&s->rare->hard_timer.link));
    CHECK_EQ(roost_scope_close(&pub, 0), 0);
    return 0;
}

TEST_PLAIN(both_timers_are_disarmed, "R15 R25")
{
    alone(disarm_both);
}
