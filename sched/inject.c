/*
 * inject.c - a FIFO that any thread may push to.
 *
 * WHAT    A linked list under a small lock. First in, first out, whoever
 *         pushes; each node is popped once.
 * MODEL   The lock is one word:
 *
 *           value   meaning                 set by               cleared by
 *           FREE    nobody holds it         unlock               lock
 *           HELD    one thread does         lock, if it was FREE unlock
 *           WAITED  one thread does, and    lock_wait            unlock, which
 *                   another may sleep on it                      wakes one
 *
 *         Whoever has once waited takes the lock as WAITED, for it cannot know
 *         whether others sleep; that costs at most one futile wake. count
 *         follows the list, for those who only want to know whether to look.
 * INVARIANTS
 *   - Only between lock and unlock are first, last, a queued node's next and
 *     count written. count is the length of the list.
 *   - last is valid while first is not NULL; its next is NULL.
 *   - Who sleeps was promised a wake: the word was WAITED when the kernel
 *     looked, and is made FREE by an exchange that sees this.
 *   Checked after every schedule by finish() in tests/model/inject_model.c.
 * ORDER
 *   I1  unlock: lock release  ->  lock, lock_wait: lock acquire
 *       The list, and through it the node and what its pusher wrote before.
 *   I2  pop: count release  ->  work_exists (steal.c): fence_acquire
 *       Whoever sees that the last node is gone sees that its taker is awake:
 *       so all asleep and nothing queued means that nothing is under way.
 *   count is relaxed else: a hint, and whoever acts on it takes the lock. No
 *   node is overlooked by everybody, since a pusher that looks for sleepers,
 *   and a sleeper that looks at count, each have a full fence before it
 *   (park.c; the case look_before_sleep of the model).
 * COST    push and pop: 25 ns the pair, 4 read-modify-writes. pop of an empty
 *         one: one load, 1 ns. The lock is held for some 5 stores.
 * REJECTED
 *   - Michael and Scott's queue: its nodes must outlive those who may still
 *     look at them, and here they are parts of fibers and tasks that go on.
 *   - Vyukov's intrusive queue: one consumer only, and a pusher that is
 *     preempted half-way hides all that is pushed after.
 *   - pthread_mutex_t: 40 bytes, and the explorer could not see into it.
 *   - Spinning alone: where there are more threads than processors the holder
 *     may be off its processor for milliseconds.
 * SEE     Drepper, Futexes are tricky (2011), the third mutex.
 *         tests/model/inject_model.c.
 */
#include "inject.h"

#define FREE 0u
#define HELD 1u
#define WAITED 2u /* held, and somebody may sleep on it */
#ifdef ROOST_MODEL
#define SPINS 1
#else
#define SPINS 64 /* 1-3 us: longer than the lock is held */
#endif

static void lock_wait(struct inject *q)
{
    for (int i = 0; i < SPINS; i++) {
        uint32_t seen = FREE;

        spin_pause();
        if (a32_load(&q->lock, RELAXED) == FREE &&
            a32_cas(&q->lock, &seen, HELD, ACQUIRE /* I1 */, RELAXED)) {
            return;
        }
    }
    while (a32_xchg(&q->lock, WAITED, ACQUIRE /* I1 */) != FREE) {
        (void)futex_wait(&q->lock, WAITED, INT64_MAX);
    }
}

static void lock(struct inject *q)
{
    uint32_t seen = FREE;

    if (!a32_cas(&q->lock, &seen, HELD, ACQUIRE /* I1 */, RELAXED)) {
        lock_wait(q);
    }
}

static void unlock(struct inject *q)
{
    uint32_t was = a32_xchg(&q->lock, FREE, RELEASE /* I1 */);

    if (was == WAITED) { /* recheck: I1 */
        (void)futex_wake(&q->lock, 1);
    }
}

void inject_push_chain(struct inject *q, struct inject_node *first,
                       struct inject_node *last, uint32_t n)
{
    if (n == 0) {
        return;
    }
    plain_write(last->next, NULL);
    lock(q);
    if (plain_read(q->first) == NULL) {
        plain_write(q->first, first);
    } else {
        plain_write(plain_read(q->last)->next, first);
    }
    plain_write(q->last, last);
    a32_store(&q->count, a32_load(&q->count, RELAXED) + n, RELAXED);
    unlock(q);
}

void inject_push(struct inject *q, struct inject_node *node)
{
    inject_push_chain(q, node, node, 1);
}

struct inject_node *inject_pop(struct inject *q)
{
    struct inject_node *node;

    if (a32_load(&q->count, RELAXED) == 0) {
        return NULL;
    }
    lock(q);
    node = plain_read(q->first);
    if (node != NULL) { /* recheck: another took it */
        plain_write(q->first, plain_read(node->next));
        __builtin_prefetch(plain_read(q->first), 1);
        a32_store(&q->count, a32_load(&q->count, RELAXED) - 1,
                  RELEASE /* I2 */);
    }
    unlock(q);
    return node;
}

void inject_init(struct inject *q)
{
    a32_init(&q->lock, FREE);
    a32_init(&q->count, 0);
    q->first = NULL;
    q->last = NULL;
}
