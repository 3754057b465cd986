/*
 * cancels.c - deadlines that expire and that do not, cancels from inside and by
 * plain threads, and timers by the thousand.
 */
#include "soak.h"

#include <pthread.h>
#include <time.h>

struct crowd {
    struct load *l;
    roost_scope scope;
    roost_event go; /* they wait for it, and nobody sets it */
    a64 in, cancelled, expired, through, hooks;
};

static void crowd_begin(struct crowd *c, struct load *l)
{
    *c = (struct crowd){.l = l};
    HOLDS(l, roost_event_init(&c->go) == 0);
}

static void crowd_end(struct crowd *c)
{
    uint64_t out = a64_load(&c->cancelled, RELAXED) +
                   a64_load(&c->expired, RELAXED) +
                   a64_load(&c->through, RELAXED);

    HOLDS(c->l, a64_load(&c->in, RELAXED) == out);
    roost_event_destroy(&c->go);
    count(c->l, TASKS, out);
}

/* ---- deadlines ----------------------------------------------------------- */

struct span {
    struct crowd *crowd;
    roost_ns timeout, sleep;
    bool computes;
};

static int computes_until(roost_ns end)
{
    while (roost_now() < end) {
        if (roost_checkpoint() < 0) {
            return -ECANCELED;
        }
    }
    return 0;
}

static int against_its_deadline(void *arg)
{
    struct span *p = arg;
    struct crowd *c = p->crowd;
    roost_ns end = roost_in(p->timeout);
    roost_scope s;
    int rc;

    roost_scope_open(&s, &(roost_scope_opts){.deadline = end});
    rc = p->computes ? computes_until(roost_in(p->sleep))
                     : roost_sleep(p->sleep);
    HOLDS(c->l, rc == 0 || rc == -ECANCELED);
    rc = roost_scope_close(&s, rc == 0 ? 0 : rc);
    HOLDS(c->l, rc == 0 || rc == -ETIMEDOUT);
    HOLDS(c->l, rc == 0 || roost_now() >= end);
    HOLDS(c->l, (rc != 0) == roost_scope_expired(&s));
    a64_add(rc == 0 ? &c->through : &c->expired, 1, RELAXED);
    return 0;
}

void load_deadlines(struct load *l)
{
    unsigned n = sized(l, 20, 800);
    struct crowd c;

    crowd_begin(&c, l);
    roost_scope_open(&c.scope, NULL);
    for (unsigned i = 0; i < n; i++) {
        struct span p = {&c, (1 + below(l, 20000)) * ROOST_US,
                         (1 + below(l, 20000)) * ROOST_US, false};

        if (below(l, 100) == 0) {
            p.computes = true;
            p.sleep /= 10;
            p.timeout /= 10;
        }
        a64_add(&c.in, 1, RELAXED);
        HOLDS(l, roost_spawn_copy(&c.scope, against_its_deadline, &p,
                                  sizeof(p)) == 0);
    }
    HOLDS(l, roost_scope_close(&c.scope, 0) == 0);
    count(l, DEADLINES, a64_load(&c.expired, RELAXED));
    crowd_end(&c);
}

/* ---- cancels ------------------------------------------------------------- */

static void hook_runs(void *arg)
{
    a64_add((a64 *)arg, 1, RELAXED);
}

/* Some with a scope of their own, a hook, a shield, a deadline far away. */
static int waits_in_vain(void *arg)
{
    struct crowd *c = *(struct crowd **)arg;
    unsigned which = (unsigned)a64_add(&c->in, 1, RELAXED) % 4;
    roost_scope_opts far = {.timeout = 1000 * ROOST_S};
    roost_hook hook;
    roost_scope s;
    int rc;

    if (which == 0) {
        rc = roost_event_wait(&c->go);
        a64_add(rc == -ECANCELED ? &c->cancelled : &c->through, 1, RELAXED);
        return rc;
    }
    roost_scope_open(&s, which == 1 ? &far : NULL);
    if (which == 2) {
        (void)roost_scope_on_cancel(&s, &hook, hook_runs, &c->hooks);
    }
    rc = which == 3 ? roost_sleep_until(ROOST_NEVER) : roost_event_wait(&c->go);
    HOLDS(c->l, rc == -ECANCELED);
    rc = roost_scope_close(&s, rc);
    HOLDS(c->l, rc == -ECANCELED);
    a64_add(rc == -ECANCELED ? &c->cancelled : &c->through, 1, RELAXED);
    return rc;
}

static void crowd_fill(struct crowd *c, unsigned n)
{
    struct crowd *at = c;

    for (unsigned i = 0; i < n; i++) {
        HOLDS(c->l,
              roost_spawn_copy(&c->scope, waits_in_vain, &at, sizeof(at)) == 0);
    }
}

static int cancels_it(void *arg)
{
    struct crowd *c = *(struct crowd **)arg;
    unsigned yields = below(c->l, 20);

    for (unsigned i = 0; i < yields; i++) {
        (void)roost_yield();
    }
    roost_scope_cancel(&c->scope, 0);
    return 0;
}

void load_cancel_inside(struct load *l)
{
    for (unsigned i = sized(l, 1, 10); i > 0; i--) {
        struct crowd c;
        struct crowd *at = &c;
        unsigned n = sized(l, 5, 300);

        crowd_begin(&c, l);
        roost_scope_open(&c.scope, NULL);
        crowd_fill(&c, n);
        HOLDS(l, roost_spawn_copy(&c.scope, cancels_it, &at, sizeof(at)) == 0);
        HOLDS(l, roost_scope_close(&c.scope, 0) == 0);
        HOLDS(l, a64_load(&c.cancelled, RELAXED) == n);
        count(l, CANCELS, 1);
        crowd_end(&c);
    }
}

struct foreign {
    struct crowd crowd;
    int64_t pause_ns;
    int status;
    bool soft;
};

/* Has a hold on the scope. */
static void *cancels_from_outside(void *arg)
{
    struct foreign *f = arg;
    struct timespec pause = {0, f->pause_ns};

    nanosleep(&pause, NULL);
    if (f->soft) {
        roost_scope_cancel_soft(&f->crowd.scope, ROOST_MS);
    } else {
        roost_scope_cancel(&f->crowd.scope, f->status);
    }
    roost_scope_release(&f->crowd.scope);
    return NULL;
}

static int joins_thread(void *arg)
{
    return -pthread_join(*(pthread_t *)arg, NULL);
}

/* In its clean-up it has its grace. */
static int finishes(void *arg)
{
    struct crowd *c = *(struct crowd **)arg;
    roost_scope s;
    int rc;

    a64_add(&c->in, 1, RELAXED);
    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_FINISH});
    rc = roost_event_wait(&c->go);
    HOLDS(c->l, rc == -ECANCELED);
    rc = roost_scope_close(&s, rc);
    a64_add(rc == -ECANCELED ? &c->cancelled : &c->through, 1, RELAXED);
    return rc;
}

void load_cancel_foreign(struct load *l)
{
    for (unsigned i = sized(l, 1, 8); i > 0; i--) {
        struct foreign f;
        struct crowd *at = &f.crowd;
        pthread_t thread;

        crowd_begin(at, l);
        f.pause_ns = 1000 + below(l, 2000000);
        f.status = below(l, 2) ? 0 : -EBADMSG;
        f.soft = below(l, 3) == 0;
        roost_scope_open(&at->scope, NULL);
        if (roost_scope_hold(&at->scope) != 0 ||
            pthread_create(&thread, NULL, cancels_from_outside, &f) != 0) {
            HOLDS(l, !"a hold and a thread");
            roost_scope_release(&at->scope);
            (void)roost_scope_close(&at->scope, -ECANCELED);
            return;
        }
        crowd_fill(at, sized(l, 5, 200));
        HOLDS(l, roost_spawn_copy(&at->scope, finishes, &at, sizeof(at)) == 0);
        HOLDS(l, roost_scope_close(&at->scope, 0) == (f.soft ? 0 : f.status));
        HOLDS(l, roost_offload(joins_thread, &thread) == 0);
        count(l, CANCELS, 1);
        crowd_end(at);
    }
}

/* ---- timers -------------------------------------------------------------- */

static void was_late(struct soak *s, roost_ns late)
{
    uint64_t most = a64_load(&s->latest, RELAXED);

    while (late > (roost_ns)most &&
           !a64_cas(&s->latest, &most, (uint64_t)late, RELAXED, RELAXED)) {
    }
}

static int sleeps_until(void *arg)
{
    struct span *p = arg;
    roost_ns begun = roost_now();
    roost_ns late;

    HOLDS(p->crowd->l, roost_sleep_until(p->sleep) == 0);
    late = roost_now() - (begun > p->sleep ? begun : p->sleep);
    HOLDS(p->crowd->l, late >= 0);
    was_late(p->crowd->l->soak, late);
    a64_add(&p->crowd->through, 1, RELAXED);
    return 0;
}

static int ticks(void *arg)
{
    struct span *p = arg;
    roost_ticker t;
    unsigned seen = 0;

    HOLDS(p->crowd->l, roost_ticker_init(&t, p->sleep, ROOST_TICK_BURST) == 0);
    while (seen < 10) {
        int n = roost_tick(&t);

        HOLDS(p->crowd->l, n >= 1);
        seen += n >= 1 ? (unsigned)n : 10;
    }
    a64_add(&p->crowd->through, 1, RELAXED);
    return 0;
}

void load_timers(struct load *l)
{
    unsigned n = sized(l, 100, 2500);
    roost_ns from = roost_now();
    struct crowd c;

    crowd_begin(&c, l);
    roost_scope_open(&c.scope, NULL);
    for (unsigned i = 0; i < n; i++) {
        struct span p = {&c, 0, from + below(l, 60000) * ROOST_US, false};
        bool ticker = i % 200 == 0;

        if (ticker) {
            p.sleep = (100 + below(l, 1000)) * ROOST_US;
        }
        a64_add(&c.in, 1, RELAXED);
        HOLDS(l, roost_spawn_copy(&c.scope, ticker ? ticks : sleeps_until, &p,
                                  sizeof(p)) == 0);
    }
    HOLDS(l, roost_scope_close(&c.scope, 0) == 0);
    count(l, TIMERS, n);
    crowd_end(&c);
}
