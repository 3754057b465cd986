/*
 * poller.c - who waits in epoll(7) for the descriptors of a runtime.
 *
 * WHAT    Whatever comes is taken by a worker that has nothing else to do, at
 *         once; by one that works, at its looks round; and else by the watch,
 *         within a millisecond.
 * MODEL   One thread at a time is at the poller: it holds it (`held`).
 *
 *           a worker without work   sleeps in it, in place of its futex, until
 *                                   its earliest timer; the bell wakes it
 *           a worker with work      looks every 61 turns, and before it goes
 *                                   to sleep
 *           the watch               looks every millisecond, while somebody
 *                                   waits and nobody sleeps in it
 *
 *         What comes is handed to the table (fd_event), which says whom it
 *         wakes. The holder lets the poller go before that, and first takes
 *         itself out of the sleepers: between the two nobody may think that
 *         all is quiet (quiet.c).
 *
 *         The watch comes every millisecond only while it is needed: it stops
 *         when a worker sleeps in the poller and nobody has looked since it
 *         came last, so that a busy server does not kick it at every event.
 *
 *         A guest (guest.c) does not sleep in it. Where it has other workers
 *         they do; alone, its host watches the set, and the watch does not
 *         look: whoever it woke would have to wait for the host as well.
 * INVARIANTS
 *   - Nothing is made before the first wait for a descriptor.
 *   - While a task waits: a worker sleeps in the poller, or one that is awake
 *     will look before it sleeps, or the watch comes (poller_next), or the host
 *     of the only one watches the set.
 *   - The bell rings once for each time that a worker which sleeps here is
 *     chosen (park.c), not for every wake-up.
 * ORDER
 *   PL1  on, awaited: release -> acquire    the set, which is made before
 *       anybody waits
 *   PL2  held: release -> acquire    asleep: of one sleeper, then of the next
 *   V1  (watch.c) who begins to wait, when nobody did, says so (awaited), and
 *       who sleeps no more in the poller says so (asleep); both then read
 *       watch_until. The watch stores that, then reads the two:
 *         waiter, sleeper                watch
 *         awaited++; asleep = 0          watch_until = never
 *         full            /- V1 -/       full
 *         read watch_until               read awaited, asleep
 *         too late: kick                 nobody sleeps: again
 *   PL3  the last worker to sleep (quiet.c): is nothing on its way from here?
 *       It asks the system whether anything has come, and then who sleeps here:
 *         sleeper                      last worker
 *         asleep = it                  anything in the set?
 *         take what has come           read asleep
 *         out of the sleepers          all asleep?
 *         asleep = 0
 *       What is taken is ordered by the system, so if it was taken already,
 *       the sleeper is seen, or is no more among the sleepers (asleep = 0 is a
 *       release). The watch is seen by `firing` likewise.
 *   F1  (watch.c) firing. The last worker to sleep may find that nobody awaits
 *       anything, and then does not ask the system: awaited: release where one
 *       was woken -> acquire    that the watch was firing by then
 *   P1  (park.c)
 * COST    A look: a system call. Sleeping here: one more than on a futex. A
 *         runtime that never waits for a descriptor: a load where it idles.
 * REJECTED  A thread of its own in epoll: two wake-ups for each event. The
 *         watch in epoll beside the workers: the system wakes whom it likes.
 */
#include "poller.h"

#include "base/check.h"
#include "base/sleeplock.h"
#include "fd.h"
#include "guest.h"
#include "runtime.h"
#include "sim.h"
#include "wait_row.h"
#include "worker.h"

#define BATCH 128 /* events that one look takes */

int poller_make(struct runtime *rt)
{
    struct poller *p = &rt->poller;
    int rc = 0;

    if (likely(a32_load(&p->on, ACQUIRE /* PL1 */))) {
        return 0;
    }
    sleeplock_acquire(&p->making);
    if (!a32_load(&p->on, RELAXED)) {
        rc = pollset_open(&p->set);
        if (rc == 0) {
            a32_store(&p->on, 1, RELEASE /* PL1 */);
        }
    }
    sleeplock_release(&p->making);
    return rc;
}

void poller_close(struct runtime *rt)
{
    if (a32_load(&rt->poller.on, RELAXED)) {
        pollset_close(&rt->poller.set);
        a32_store(&rt->poller.on, 0, RELAXED);
    }
}

static void cover(struct runtime *rt)
{
    if (!guest_alone(rt)) {
        watch_cover_real(rt, clock_now() + POLLER_PAUSE);
    }
}

void poller_await(struct runtime *rt)
{
    if (rt->sim != NULL) {
        sim_void(rt);
    }
    if (a64_add(&rt->poller.awaited, 1, RELEASE /* PL1 */) == 0) {
        cover(rt);
    }
}

void poller_await_end(struct runtime *rt)
{
    a64_add(&rt->poller.awaited, (uint64_t)-1, RELEASE /* F1 */);
}

/* --- at it --- */

static bool hold(struct poller *p)
{
    uint32_t seen = 0;

    return a32_load(&p->held, RELAXED) == 0 &&
           a32_cas(&p->held, &seen, 1, ACQUIRE /* PL2 */, RELAXED);
}

static void let_go(struct poller *p)
{
    a32_store(&p->held, 0, RELEASE /* PL2 */);
}

/* Held. How many events. */
static int take(struct poller *p, struct epoll_event *events, int64_t until)
{
    int n = pollset_wait(&p->set, events, BATCH, until);

    a64_store(&p->looked, (uint64_t)clock_now(), RELAXED);
    a64_store(&p->looks, a64_load(&p->looks, RELAXED) + 1, RELAXED);
    return n;
}

/* Not held. Wakes those for whom something has come. */
static void hand_out(struct runtime *rt, const struct epoll_event *events,
                     int n)
{
    struct waiter *chain = NULL;
    struct waiter **end = &chain;
    int i;

    for (i = 0; i < n; i++) {
        if (events[i].data.u64 != POLLSET_BELL) {
            fd_event(rt, &events[i], &end);
        }
    }
    *end = NULL;
    wait_wake_chain(chain);
}

bool poller_look(struct runtime *rt)
{
    struct poller *p = &rt->poller;
    struct epoll_event events[BATCH];
    int n;

    if (!poller_awaited(p) || !hold(p)) {
        return false;
    }
    n = take(p, events, 0);
    let_go(p);
    hand_out(rt, events, n);
    return n > 0;
}

void poller_round(struct runtime *rt, int64_t now)
{
    struct poller *p = &rt->poller;

    if (a32_load(&p->on, RELAXED) && !a32_load(&p->held, RELAXED) &&
        now - (int64_t)a64_load(&p->looked, RELAXED) >= POLLER_ROUND) {
        (void)poller_look(rt);
    }
}

bool poller_quiet(struct runtime *rt, bool sure)
{
    struct poller *p = &rt->poller;
    uint32_t sleeper;

    if (!poller_awaited(p)) {
        return true;
    }
    if (pollset_ready(&p->set)) { /* recheck: PL3 */
        return false;
    }
    sleeper = a32_load(&p->asleep, ACQUIRE /* PL3 */);
    if (sleeper == 0) {
        return true;
    }
    if (sure) { /* it comes back as the last to sleep, and sees for itself */
        park_wake(&rt->park, &rt->workers[sleeper - 1].parker);
    }
    return false;
}

/* Held: until something has come, or the time; how many events. If it works, w
 * is awake then. */
static int sleep_here(struct worker *w, struct epoll_event *events,
                      int64_t until)
{
    struct runtime *rt = w->rt;
    struct poller *p = &rt->poller;
    int n;

    a32_store(&p->asleep, w->index + 1, RELAXED);
    n = take(p, events, until);
    if (n < 0) {
        park_back(&w->parker);
    } else {
        park_retract(&rt->park, &w->parker);
    }
    a32_store(&p->asleep, 0, RELEASE /* PL3 */);
    let_go(p);
    cover(rt);
    return n;
}

bool poller_sleep(struct worker *w, int64_t until)
{
    struct runtime *rt = w->rt;
    struct poller *p = &rt->poller;
    struct epoll_event events[BATCH];
    int n;

    if (!poller_awaited(p) || !hold(p)) {
        return false;
    }
    if (!park_elsewhere(&w->parker)) {
        let_go(p);
        return true;
    }
    n = sleep_here(w, events, until);
    if (n < 0) { /* the system refuses: the watch goes on trying */
        return false;
    }
    hand_out(rt, events, n);
    return true;
}

void poller_poke(struct park *park, struct parker *k)
{
    struct runtime *rt = container_of(park, struct runtime, park);

    (void)k;
    pollset_ring(&rt->poller.set);
}

/* --- the watch --- */

int64_t poller_next(struct runtime *rt)
{
    struct poller *p = &rt->poller;

    if (guest_alone(rt) || !poller_awaited(p) ||
        a32_load(&p->asleep, SEQ_CST /* V1 */)) {
        return INT64_MAX;
    }
    return clock_now() + POLLER_PAUSE;
}

int64_t poller_watch(struct runtime *rt)
{
    struct poller *p = &rt->poller;
    uint64_t looks = a64_load(&p->looks, RELAXED);
    int64_t now;
    bool moved = looks != p->seen;

    if (guest_alone(rt) || !poller_awaited(p)) {
        return INT64_MAX;
    }
    p->seen = looks;
    if (a32_load(&p->asleep, RELAXED)) { /* poller_next looks again */
        return moved ? clock_now() + POLLER_PAUSE : INT64_MAX;
    }
    now = clock_now();
    if (now - (int64_t)a64_load(&p->looked, RELAXED) < POLLER_PAUSE) {
        return now + POLLER_PAUSE;
    }
    a32_add(&rt->firing, 1, RELAXED); /* PL3: taking orders it */
    (void)poller_look(rt);
    a32_add(&rt->firing, 1, RELEASE /* F1 */);
    fence_full(); /* P1 */
    if (park_all(&rt->park)) {
        park_wake_one(&rt->park); /* who looked meanwhile looks again */
    }
    return clock_now() + POLLER_PAUSE;
}
