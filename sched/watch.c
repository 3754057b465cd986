/*
 * watch.c - the watch: one thread that sleeps until something is due.
 *
 * WHAT    Fires timers of workers that compute (R11), and hands on what signal
 *         handlers have posted; repeats the interrupts of offloaded calls;
 *         looks at the poller while nobody sleeps there (poller.c).
 *         Idle, it sleeps for ever.
 * MODEL   A worker that sleeps looks after its own wheel (it sleeps until its
 *         earliest timer). The watch is for the others: it sleeps until
 *         `watch_until`, the earliest timer of any wheel whose worker runs.
 *         Who arms something earlier kicks it. Where there are so many timers
 *         that each round of a worker finds some due (steal.c), the watch would
 *         be up all the time, and the two would meet at the wheel's lock: such
 *         a worker keeps them to itself, for WATCH_GRACE after each round.
 * INVARIANTS
 *   - For each armed timer: its worker sleeps until it at the latest, or
 *     watch_until is not after it, nor after timers.kept if that is later, or
 *     somebody is on the way to kick.
 * ORDER
 *   V1  armer: next, full order, read watch_until  <->  watch: watch_until,
 *       full order, read next of all. One of the two sees the other.
 *       A worker that sleeps no more says so (sleeps_until), then reads its
 *       next timer, and covers it: if it misses one, whoever armed that has yet
 *       to kick, and the watch sees that the worker is awake. That it sleeps,
 *       and until when, is relaxed: the watch may look once in vain. So is
 *       `kept`, which only ever grows: who sees an old one is early.
 *       watch_stop is relaxed: it is followed by a kick, which carries it.
 *   F1  firing: odd while timers are out of a wheel and their tasks not yet
 *       queued, which quiet.c must not take for the end. Made even: release ->
 *       quiet.c: acquire    the tasks that were queued, and who was woken for
 *       them. Made odd: the wheel's lock carries it (T1), to whoever finds the
 *       timers gone.
 *   P1  (park.c) also for who found it odd, and went to sleep unanswered:
 *         the watch                the last worker to sleep
 *         firing is even           word: parked + 1
 *         full           /- P1 -/  barrier heavy
 *         read word: all parked?   read firing: odd?
 *       If it did, the watch finds it parked, and wakes it to ask again.
 * COST    A kick: 3 us; at most one for each deadline that is the earliest.
 */
#include "base/check.h"
#include "observe/events.h"
#include "runtime.h"
#include "worker.h"
#include <errno.h>

void watch_kick(struct runtime *rt)
{
    a32_add(&rt->watch_word, 1, SEQ_CST /* V1 */);
    futex_wake(&rt->watch_word, 1);
}

void watch_cover(struct runtime *rt, int64_t when)
{
    if (rt->opts.clock != ROOST_CLOCK_VIRTUAL) {
        watch_cover_real(rt, when);
    }
}

void watch_cover_real(struct runtime *rt, int64_t when)
{
    fence_full(); /* V1 */
    if (when < (int64_t)a64_load(&rt->watch_until, RELAXED)) {
        watch_kick(rt);
    }
}

/* When the watch must look at w's timers, if w does not sleep. */
static int64_t next_of(struct worker *w)
{
    int64_t next = (int64_t)a64_load(&w->timers.next, SEQ_CST /* V1 */);
    int64_t kept = (int64_t)a64_load(&w->timers.kept, RELAXED);

    return next < kept ? kept : next;
}

void watch_cover_own(struct worker *w)
{
    int64_t next = next_of(w);

    w->timers_dirty = false;
    if (next != INT64_MAX) {
        watch_cover(w->rt, next);
    }
}

/* The earliest timer that nobody else looks after. */
static int64_t earliest(struct runtime *rt)
{
    int64_t until = INT64_MAX;
    unsigned i;

    if (rt->opts.clock == ROOST_CLOCK_VIRTUAL) {
        return until;
    }
    for (i = 0; i < rt->worker_count; i++) {
        struct worker *w = &rt->workers[i];
        int64_t next = next_of(w);
        int64_t sleeps = (int64_t)a64_load(&w->sleeps_until, SEQ_CST /* V1 */);

        if ((sleeps == 0 || next < sleeps) && next < until) {
            until = next;
        }
    }
    return until;
}

static bool due(struct runtime *rt, int64_t now)
{
    unsigned i;

    for (i = 0; i < rt->worker_count; i++) {
        if (next_of(&rt->workers[i]) <= now) {
            return true;
        }
    }
    return false;
}

/* Between taking a timer out and queueing its task there is neither a timer
 * nor work: quiet.c must not take that for the end (F1). */
void watch_fire(struct runtime *rt, int64_t now)
{
    unsigned i;

    if (!due(rt, now)) {
        return;
    }
    a32_add(&rt->firing, 1, RELAXED); /* F1: by T1 */
    for (i = 0; i < rt->worker_count; i++) {
        if (next_of(&rt->workers[i]) <= now) {
            timers_fire(&rt->workers[i].timers, now);
        }
    }
    a32_add(&rt->firing, 1, RELEASE /* F1 */);
    fence_full(); /* P1 */
    if (park_all(&rt->park)) {
        park_wake_one(&rt->park); /* who looked meanwhile looks again */
    }
}

static void *watch_main(void *arg)
{
    struct runtime *rt = arg;

    EVENT_THREAD(WATCH, rt);
    for (;;) {
        uint32_t seen = a32_load(&rt->watch_word, SEQ_CST /* V1 */);
        int64_t until;
        int64_t again;
        bool counts; /* how long workers are in their turns */

        /* After the word: a stop that comes now is followed by a kick. */
        if (a32_load(&rt->watch_stop, RELAXED) != 0) {
            return NULL;
        }
        post_collect(rt);
        if (rt->opts.clock != ROOST_CLOCK_VIRTUAL) {
            watch_fire(rt, clock_now());
        }
        until = earliest(rt);
        again = stall_look(rt);
        counts = again < INT64_MAX;
        until = again < until ? again : until;
        again = region_look(rt);
        until = again < until ? again : until;
        again = pool_look(rt);
        until = again < until ? again : until;
        again = poller_watch(rt);
        until = again < until ? again : until;
        a64_store(&rt->watch_until, (uint64_t)until, SEQ_CST /* V1 */);
        /* Who has armed something since, or has woken up, may have thought that
         * this thread would look. */
        if (earliest(rt) < until || poller_next(rt) < until) { /* recheck: V1 */
            continue;
        }
        if (!counts && stall_awake(rt)) { /* recheck: V1 */
            continue;
        }
        futex_wait(&rt->watch_word, seen, until);
    }
}

int watch_start(struct runtime *rt)
{
    a64_init(&rt->watch_until, (uint64_t)INT64_MAX);
    return runtime_thread(&rt->watch_thread, watch_main, rt);
}

void watch_stop(struct runtime *rt)
{
    a32_store(&rt->watch_stop, 1, RELAXED); /* V1: with the kick */
    watch_kick(rt);
    pthread_join(rt->watch_thread, NULL);
}
