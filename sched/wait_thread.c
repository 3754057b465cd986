/*
 * wait_thread.c - how a plain thread waits: the other half of wait.c.
 *
 * WHAT    A thread that carries no worker sleeps on a futex of its own waiter,
 *         or where it polls (plain_poll.c) or hosts (guest.c); the word that
 *         decides the wait is the same as a task's.
 * MODEL   waiter.woken:
 *
 *           AWAKE -> ASLEEP -> WOKEN      it says that it sleeps: plain.c
 *               `-> POLLS + bell -> WOKEN   who wakes it rings the bell
 *
 *         There is one waiter a thread, since it waits for one thing at a time;
 *         of several strands on one thread each has its own (wait_use).
 * INVARIANTS
 *   - A plain thread returns from its wait only on WOKEN, which the waker
 *     stores after its last access to what was waited for (R67), or timed out.
 * ORDER
 *   W1  (wait.c) woken: release by the waker -> acquire by who waits
 * COST    A futex call on either side.
 */
#include "wait_thread.h"

#include "base/check.h"
#include "base/edge.h"
#include "guest.h"
#include "plain.h"
#include "plain_poll.h"
#include "sim.h"
#include "worker.h"
#include <errno.h>

static __thread struct waiter thread_waiter;
static __thread struct waiter *strand_waiter; /* NULL: the one above */
/* How this thread's next wait sleeps; NULL: on its futex. */
static __thread int (*thread_commit)(struct waiter *, roost_ns);
/* waiter.woken, of a plain thread; above THREAD_BELL: where it polls. */
enum { THREAD_AWAKE, THREAD_WOKEN, THREAD_ASLEEP, THREAD_POLLS, THREAD_BELL };

struct waiter *wait_use(struct waiter *waiter)
{
    struct waiter *was = strand_waiter;

    strand_waiter = waiter;
    return was;
}

struct waiter *wait_thread_begin(const char *what, const void *object,
                                 uint32_t flags)
{
    struct waiter *wt = strand_waiter != NULL ? strand_waiter : &thread_waiter;

    wait_init(wt);
    wt->fiber = NULL;
    wt->frame = NULL;
    wt->what = what;
    wt->object = object;
    /* Nobody finds it but through the lock of what it waits for. */
    a32_store(&wt->state, WAIT_WAITING | flags, RELAXED);
    return wt;
}

void wait_thread_wake(struct waiter *wt)
{
    uint32_t was = a32_xchg(&wt->woken, THREAD_WOKEN, RELEASE /* W1 */);

    if (unlikely(was >= THREAD_POLLS)) {
        plain_poll_ring((int)(was / THREAD_BELL));
        return; /* it goes on only when it has heard that */
    }
    if (was == THREAD_ASLEEP) {
        plain_awake();
    }
    futex_wake(&wt->woken, 1); /* its end at worst: a wake for nothing */
}

void wait_thread_polls(int (*commit)(struct waiter *w, roost_ns deadline))
{
    thread_commit = commit;
}

bool wait_thread_bell(struct waiter *wt, int bell)
{
    uint32_t seen = THREAD_AWAKE;

    return a32_cas(&wt->woken, &seen,
                   (uint32_t)bell * THREAD_BELL + THREAD_POLLS, RELAXED,
                   RELAXED);
}

bool wait_thread_woken(struct waiter *wt)
{
    return a32_load(&wt->woken, ACQUIRE /* W1 */) == THREAD_WOKEN;
}

int wait_thread_commit(struct waiter *wt, roost_ns deadline)
{
    uint32_t seen = THREAD_AWAKE;
    int (*commit)(struct waiter *, roost_ns) = thread_commit;

    if (unlikely(commit != NULL)) {
        thread_commit = NULL;
        return commit(wt, deadline);
    }
    if (unlikely(guest_hosts())) {
        return guest_wait(wt, deadline);
    }
    if (deadline == ROOST_NEVER && plain_self()->used &&
        a32_cas(&wt->woken, &seen, THREAD_ASLEEP, RELAXED, RELAXED)) {
        plain_asleep();
    }
    while ((seen = a32_load(&wt->woken, ACQUIRE /* W1 */)) != THREAD_WOKEN) {
        if (futex_wait(&wt->woken, seen, deadline) == -ETIMEDOUT) {
            if (wait_timeout(wt)) {
                return -ETIMEDOUT;
            }
            deadline = ROOST_NEVER; /* the winner is about to wake us */
        }
    }
    edge_acquire(wt);
    return 0;
}
