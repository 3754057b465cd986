/*
 * slot.c - a place for one item, whose owner pays nothing for thieves.
 *
 * WHAT    What is put there is taken once: by the owner for a load and a store,
 *         or by a thief, which is rare and pays for both.
 * MODEL   A thief writes into `claim` that it is there, makes the owner see
 *         that (the heavy barrier), and looks whether the item still is. The
 *         owner takes the item out and then looks for a claim. Where each has
 *         seen the other, one compare-and-swap of the claim decides.
 *
 *           claim       meaning             set by        cleared by
 *           NULL        nobody is here
 *           a thief     it wants what is    slot_steal    the owner, which has
 *                       there                             the item; the thief,
 *                                                         which found none
 *           item + 1    a thief has won     slot_steal    the owner, when it
 *                       that                              next fills or empties
 *
 *         What was won stays in the claim until the owner has seen it: an
 *         owner that has read the item, and is only about to empty the slot,
 *         would else find nothing and take it too. Until then no other thief
 *         comes in; nor is there anything for it: who fills the slot has seen
 *         that it is empty, and so the claim. A thief that found nothing leaves
 *         no claim: the owner may have looked for one before, be about to fill
 *         the slot, and then compute for long.
 * INVARIANTS
 *   1  item + 1 in the claim is the owner's to clear: no thief changes it.
 *   2  A thief has cleared the item that it has won before it lets anybody run
 *      it, so it cannot come back here before.
 *   3  A claim names a thief, not an item. An item may come back while an old
 *      claim stands, and would else be won by that.
 *   4  Where an item is, no item + 1 is in the claim, but for the moment until
 *      its thief has cleared it: thieves that come again find every item.
 *   Checked by tests/model/slot_model.c: each item is taken once, and found.
 * ORDER
 *   N1  slot_put: item release  ->  slot_steal: item acquire    what it holds
 *   N2  owner: item = NULL, barrier light, read claim  <->  thief: claim,
 *       barrier heavy, read item
 *         owner (slot_take)               thief (slot_steal)
 *         item = NULL                     claim = thief
 *         barrier light        /- N2 -/   barrier heavy
 *         read claim                      read item
 *       One sees the other; without it both have the item.
 *   N3  slot_contend: claim = NULL, release -> slot_steal: read claim, barrier
 *       heavy    that what was won is no longer there. The owner that found it
 *       gone needed no barrier for that, so the next thief could else see it
 *       there still, and win one that has come back by what it held before.
 *   N4  slot_steal: item = NULL, release  ->  slot_peek: item acquire
 *       that it was won: slot_put then clears the claim
 *   All else is relaxed: the swaps of the claim are of one word, and the item
 *   goes back to its owner by other queues, each with an order of its own.
 * COST    put, take: 1 ns together, no read-modify-write, one line of the
 *         owner's. steal: membarrier (1.6 us) and the line.
 * REJECTED  An exchange by both: 5 ns of each hand-over, a tenth of a round
 *         trip of two tasks. A claim that a thief which has won takes back when
 *         it is done: see MODEL.
 * SEE     deque.c, which has the same barrier. tests/model/slot_model.c.
 */
#include "slot.h"

static void *won(const void *item)
{
    return (void *)((uintptr_t)item + 1);
}

static bool is_won(const void *claim)
{
    return ((uintptr_t)claim & 1) != 0;
}

void slot_init(struct slot *s)
{
    aptr_init(&s->item, NULL);
    aptr_init(&s->claim, NULL);
}

void *slot_contend(struct slot *s, void *item)
{
    void *claim = aptr_load(&s->claim, RELAXED);

    while (claim != NULL) {
        if (is_won(claim)) {
            aptr_store(&s->claim, NULL, RELEASE /* N3 */);
            return claim == won(item) ? NULL : item;
        }
        /* Not to be taken back by whoever only fills the slot: what the thief
         * finds there is as good. */
        if (item == NULL ||
            aptr_cas(&s->claim, &claim, NULL, RELAXED, RELAXED)) {
            break;
        }
    }
    return item;
}

void *slot_steal(struct slot *s, void *thief)
{
    void *item = aptr_load(&s->item, RELAXED);
    void *seen = NULL;

    if (item == NULL || !aptr_cas(&s->claim, &seen, thief, RELAXED, RELAXED)) {
        return NULL;
    }
    barrier_heavy(); /* N2 N3 */
    item = aptr_load(&s->item, ACQUIRE /* N1 */);
    seen = thief;
    if (item == NULL) {
        (void)aptr_cas(&s->claim, &seen, NULL, RELAXED, RELAXED);
        return NULL;
    }
    if (!aptr_cas(&s->claim, &seen, won(item), RELAXED, RELAXED)) {
        return NULL; /* the owner has it */
    }
    seen = item; /* the owner may have emptied it */
    (void)aptr_cas(&s->item, &seen, NULL, RELEASE /* N4 */, RELAXED);
    return item;
}
