/*
 * time.c - now, sleep, tickers.
 *
 * COST    now: one clock_gettime. sleep: a timer armed and a wait.
 */
#include <roost/time.h>

#include "base/check.h"
#include "runtime.h"
#include "worker.h"
#include <errno.h>

#define TICKER_MAGIC UINT64_C(0x726f6f73745f7469)

struct ticker {
    roost_ns period;
    roost_ns next;
    uint64_t policy;
    uint64_t magic;
};

_Static_assert(sizeof(struct ticker) <= 48, "a quarter of 64 stays spare");
_Static_assert(sizeof(roost_ticker) == 64, "time.h says so");

roost_ns roost_now(void)
{
    return wait_now();
}

roost_ns roost_in(roost_ns d)
{
    roost_ns when;

    if (__builtin_add_overflow(wait_now(), d < 0 ? 0 : d, &when)) {
        return ROOST_NEVER;
    }
    return when;
}

/* A sleep's timer will fire, as a rule, so no horizon is set for it: it would
 * end, and all behind it move, as often as somebody sleeps for a while. Until
 * when the wait itself is to look out. */
static roost_ns arm(struct waiter *wt, roost_ns t)
{
    struct worker *w = worker_self();

    if (wt->frame == NULL || t == ROOST_NEVER) {
        return t;
    }
    wt->timer.owner = &w->timers;
    if (timer_arm(&w->timers, &wt->timer, t)) {
        w->timers_dirty = true;
    }
    return ROOST_NEVER;
}

int roost_sleep_until(roost_ns t)
{
    struct waiter *wt;
    int rc = wait_enter();

    if (rc != 0) {
        return rc;
    }
    if (t != ROOST_NEVER && t <= wait_now()) {
        wait_ready();
        return 0;
    }
    wt = wait_begin("sleep", NULL, 0);
    rc = wait_commit(wt, arm(wt, t));
    return rc == -ETIMEDOUT ? 0 : rc;
}

int roost_sleep(roost_ns d)
{
    return roost_sleep_until(roost_in(d));
}

static struct ticker *ticker_of(roost_ticker *t)
{
    return (struct ticker *)(void *)t;
}

int roost_ticker_init(roost_ticker *pub, roost_ns period, unsigned policy)
{
    struct ticker *t = ticker_of(pub);

    if (registry_forked() || t == NULL || period <= 0 ||
        policy > ROOST_TICK_SKIP) {
        return -EINVAL;
    }
    t->period = period;
    t->next = roost_in(period);
    t->policy = policy;
    t->magic = TICKER_MAGIC;
    return 0;
}

int roost_tick(roost_ticker *pub)
{
    struct ticker *t = ticker_of(pub);
    roost_ns now;
    roost_ns missed;
    int rc;

    if (t == NULL || t->magic != TICKER_MAGIC) {
        return -EINVAL;
    }
    rc = roost_sleep_until(t->next);
    if (rc != 0) {
        return rc;
    }
    now = wait_now();
    missed = (now - t->next) / t->period;
    if (t->policy == ROOST_TICK_BURST) {
        t->next = clock_later(t->next, t->period);
        return 1;
    }
    if (t->policy == ROOST_TICK_DELAY) {
        t->next = clock_later(missed > 0 ? now : t->next, t->period);
        return 1;
    }
    missed = missed > INT32_MAX - 1 ? INT32_MAX - 1 : missed;
    t->next = clock_later(t->next, (missed + 1) * t->period);
    return (int)missed + 1;
}
