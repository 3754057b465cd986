/*
 * ring.c - the bounded FIFO of a worker's ready fibers.
 *
 * WHAT    The owner pushes at the tail; the owner takes one, a thief about
 *         half, from the head, by one compare-and-swap each. Each item is
 *         taken exactly once, oldest first.
 * MODEL   Two indices that count for ever, 64 bits wide; index i lives in
 *         slots[i % RING_SIZE].
 *
 *                head                  tail
 *                 v                     v
 *            ... | 7 | 8 | 9 | 10 | 11 | 12 ...
 *          taken   owner, thieves ->     <- owner   free
 *
 *         Whoever moves head over items owns them. A thief copies them out
 *         BEFORE it swaps, since the slots are free to be used again the
 *         moment head has passed them. If head moved meanwhile the swap
 *         fails and the copies, which may be of anything, are thrown away.
 *         The owner reads its slot after the swap: only itself writes there.
 *
 * INVARIANTS
 *   1  head <= tail <= head + RING_SIZE (ring_push refuses beyond).
 *   2  A slot is written again only if its index is below a head that the
 *      owner has read with acquire (ring_push).
 *   3  head never comes back to a value that it had: no ABA. 64 bits last
 *      for 292 years at 1 ns an item.
 *   Checked after every schedule by finish() in tests/model/ring_model.c.
 *
 * ORDER
 *   RG1  push: tail release  ->  steal: tail acquire
 *       The item and all that the pusher wrote to it before.
 *   RG2  steal: head compare-and-swap release  ->  push: head acquire
 *       The thief has read the slots before the owner writes them again:
 *
 *             thief                          owner
 *             copy slots                     read head      <- RG2
 *             swap head       -> RG2         write the slot
 *
 *       else the copies could be of items that were pushed after the swap
 *       (load buffering, which aarch64 does). The owner's own relaxed swaps
 *       pass the release on: they are read-modify-writes.
 *   All else is relaxed. A stale head makes the swap fail; a stale tail hides
 *   what is new. So 0 means: nothing was there at some moment since the
 *   caller's last full fence.
 *
 * COST    push and pop: 7.0 ns, one read-modify-write, on the owner's own
 *         lines. steal: 2 ns an item when the lines are at hand.
 * REJECTED
 *   - A pop without a read-modify-write, the thieves paying with the heavy
 *     barrier: a thief then stands between its claim and its swap for 1.6 us,
 *     in which a busy owner's pops must either wait for it or abort it, every
 *     time.
 *   - An owner that claims a batch for itself by one swap: the batch is
 *     hidden from thieves while its first fiber computes.
 *   - 32-bit indices in one word with a second head for the thief at work
 *     (tokio): lets the thief copy after it has claimed, but keeps all other
 *     thieves and the slots waiting for it; and 32 bits wrap in 43 s at 10 ns.
 *   - A lock: a preempted thief would stop the owner.
 * SEE     tests/model/ring_model.c.
 */
#include "ring.h"

#include "base/check.h"

unsigned ring_steal(struct ring *victim, void **out, unsigned room)
{
    uint64_t head = a64_load(&victim->head, RELAXED);
    uint64_t half;
    unsigned n;

    do {
        int64_t count =
            (int64_t)(a64_load(&victim->tail, ACQUIRE /* RG1 */) - head);

        if (count <= 0 || room == 0) {
            return 0;
        }
        /* From an old head it may be too much: then the swap fails. */
        half = ((uint64_t)count + 1) / 2;
        n = half < room ? (unsigned)half : room;
        for (unsigned i = 0; i < n; i++) {
            out[i] = aptr_load(ring_slot(victim, head + i), RELAXED);
        }
    } while (
        !a64_cas(&victim->head, &head, head + n, RELEASE /* RG2 */, RELAXED));
    return n;
}

void ring_init(struct ring *r)
{
    a64_init(&r->tail, 0);
    a64_init(&r->head, 0);
    for (unsigned i = 0; i < RING_SIZE; i++) {
        aptr_init(&r->slots[i], NULL);
    }
}
