/*
 * plain.c - plain threads that use roost's objects.
 *
 * WHAT    How many of them are awake: while any is, it may feed a task that
 *         waits, so that a runtime whose tasks all wait is not stuck (R63).
 * MODEL   A thread is counted at its first use of an object, taken off while it
 *         sleeps on one without a deadline, and at its end; a thread of
 *         the offload pool at the end of each call. Whoever wakes it
 *         counts it again, before that thread could be missed: the waker is
 *         awake itself.
 * ORDER
 *   Y2  plain_asleep: count, full fence, read the park words  <->  quiet.c:
 *       park word, barrier heavy (P1), read the count. One sees the other:
 *         thread                          last worker
 *         active--                        word: all parked
 *         fence full           /- Y2 -/   barrier heavy
 *         read word: wake one             read active
 *       Without it a runtime that is stuck may never say so.
 *       The count: release by who falls asleep -> acquire by the last worker
 *       whom it has woken before, so that these are not taken for parked. That
 *       one more is awake is relaxed: it orders nothing, and who reads the
 *       count before that has asked before that.
 * COST    The first use: a read-modify-write and pthread_setspecific. Later
 *         ones: a thread-local load.
 */
#include "plain.h"

#include "base/check.h"
#include "runtime.h"
#include "worker.h"
#include <pthread.h>

static a32 active; /* M: Y2 */
static __thread struct plain thread_plain;
static __thread struct plain *strand_plain; /* NULL: the one above */
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

struct plain *plain_self(void)
{
    return strand_plain != NULL ? strand_plain : &thread_plain;
}

struct plain *plain_use(struct plain *plain)
{
    struct plain *was = strand_plain;

    strand_plain = plain;
    return was;
}

void plain_asleep(void)
{
    if (a32_add(&active, (uint32_t)-1, RELEASE /* Y2 */) == 1) {
        fence_full(); /* Y2 */
        registry_nudge();
    }
}

void plain_awake(void)
{
    a32_add(&active, 1, RELAXED);
}

bool plain_active(void)
{
    return a32_load(&active, ACQUIRE /* Y2 */) != 0;
}

void plain_rest(void)
{
    struct plain *self = plain_self();

    if (self->held.next != NULL) {
        held_abandon(&self->held);
    }
    if (self->used) {
        self->used = false;
        plain_asleep();
    }
}

/* The end of a thread. */
static void end(void *plain)
{
    (void)plain;
    plain_rest();
}

void plain_forked(void)
{
    a32_store(&active, plain_self()->used,
              RELAXED); /* no other thread is there */
}

static void make_key(void)
{
    /* Without a key a thread that ends stays counted: no false reports. */
    (void)pthread_key_create(&key, end);
}

void plain_note(void)
{
    struct plain *self = plain_self();

    if (likely(self->used)) {
        return;
    }
    registry_prepare(); /* for plain_forked */
    self->used = true;
    plain_awake();
    pthread_once(&once, make_key);
    (void)pthread_setspecific(key, &thread_plain);
}
