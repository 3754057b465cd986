/*
 * deque.c - the work-stealing deque of a worker.
 *
 * WHAT    A worker's tasks that have not started. Its owner pushes and pops at
 *         the bottom, newest first, with plain loads and stores; any thread
 *         may steal at the top, oldest first, with one compare-and-swap. Each
 *         entry is taken exactly once.
 * MODEL   Chase and Lev's deque as Le and others corrected it, over entries by
 *         value. Two indices that count for ever, 64 bits wide, and a ring in
 *         which index i lives in slots[i & mask]:
 *
 *               top                      bottom
 *                v                         v
 *           ... | 43 | 44 | 45 | 46 | 47 | 48 ...
 *         taken   thieves ->      <- owner   free
 *
 *         top only grows, and only by compare-and-swap: what it passes is
 *         taken. bottom is the owner's; to pop, it first lowers bottom over
 *         the newest entry b (deque_claim) and only then looks at top:
 *
 *           top < b    others are left before it: b is the owner's, since
 *                      whoever would steal b must come through them first
 *           top == b   the last one: owner and thieves swap for it
 *           top > b    a thief has it: bottom goes back, the deque is empty
 *
 *         (both in deque_win_last). When the ring is full its entries move to
 *         one twice as large. Thieves may still read the old one, so it stays
 *         until the end; all the old ones together are smaller than the last.
 *
 *         A thief copies the entry BEFORE it swaps, since the slot is free to
 *         be used again the moment top has passed it; and it may thus copy
 *         from a slot that is being written. The words are atomic, so that
 *         this is no undefined behaviour, and the swap then fails, so that
 *         the torn copy is thrown away.
 *
 * INVARIANTS
 *   1  top <= bottom, but for bottom == top - 1 between deque_claim and the
 *      end of deque_win_last, which restores it.
 *   2  bottom <= room <= top + ring size: live entries have slots of their
 *      own (deque_push; make_room alone raises room).
 *   3  A slot is written again only if its index was popped by the owner or is
 *      below a top that the owner has read with acquire (make_room).
 *   4  A ring that was published is neither written, once a larger one is,
 *      nor freed before deque_destroy.
 *   Checked after every schedule by finish() in tests/model/deque_model.c.
 *
 * ORDER
 *   D1  push, claim: bottom release  ->  steal: bottom acquire
 *       The entry, what the spawner wrote before (R61), and the ring. Claim's
 *       store needs it as much as push's: a thief that reads the lowered
 *       bottom takes an older entry, and by C20 a release sequence does not go
 *       on through a later plain store of the same thread. (A release fence
 *       in push would cover both; TSan cannot see it and aarch64 pays a dmb
 *       for it where a release store costs nothing.)
 *
 *   D2  claim: light barrier  <->  steal: heavy barrier
 *       The same entry is not popped without a swap and stolen as well:
 *
 *             owner (pops index b)            thief (steals index t)
 *             bottom = b                      t = top
 *             barrier_light      /- D2 -/     barrier_heavy
 *             read top                        read bottom
 *
 *       The two act as full fences, so one comes first. If the owner's, the
 *       thief reads bottom == b or something newer: then t < b and the thief
 *       is after another entry, or t >= b and it gives up, or the owner has
 *       pushed a new b since, which D1 shows whole. If the thief's comes
 *       first, the owner reads top >= t: with t == b it must swap too. Without
 *       the pair each may read what was there before, the owner top < b, the
 *       thief bottom > b; meanwhile other thieves bring top up to b; both
 *       take b. The swaps themselves need no order for this.
 *
 *   D3  steal: top compare-and-swap release  ->  make_room: top acquire
 *       The thief has read the slot before the owner writes it again. Else
 *       the two accesses could pass the swap: the thief wins, with an entry
 *       that was pushed after it won (load buffering, which aarch64 does). A
 *       relaxed swap in between, by the owner in deque_take or deque_win_last,
 *       passes the release on: it is a read-modify-write.
 *
 *   D4  grow: ring release  ->  steal: ring acquire
 *       The new ring's mask and the entries that were moved: a thief may see
 *       the ring before it sees any bottom that was stored after it. (The
 *       published C11 version of this deque got this edge wrong.)
 *
 *   All else is relaxed. A stale top makes a swap fail, or `room` small; a
 *   stale bottom in the thief's first look is only a hint. So EMPTY is exact
 *   in this sense: if an entry was pushed before a full fence of its pusher,
 *   and the thief's fence came later, it finds it, or somebody took it (the
 *   case look_before_sleep of the model; park.c relies on it).
 *
 * COST    push: 4 loads, 5 stores. pop: 9 loads, 1 store; pop_certain is as
 *         pop, and 4 loads to see that there is nothing for it. No fence and no
 *         read-modify-write: 2.0 ns the pair. The last entry: one
 *         compare-and-swap, 6 ns. take: 7 ns. steal: 1.1-1.6 us, nearly all
 *         of it membarrier; 1 ns if it looks empty. With the symmetric
 *         barrier a pop costs 6 ns more and a steal 13 ns.
 * REJECTED
 *   - Reading top in each push, as published: thieves write that line, and
 *     after each steal the owner would wait 0.5 us for it. `room` remembers
 *     how far the last look reaches.
 *   - An exchange on bottom instead of store and fence, for the symmetric
 *     form: no faster than the fence (a locked or on x86-64) and a second
 *     protocol to prove.
 *   - Stealing several at once: the owner pops all but the last without a
 *     swap, so only the index that top stands on can be contended for. The
 *     split deque (Lace), which could, hides its private part while the owner
 *     is in a long leaf.
 *   - Pointers to tasks in the ring: an allocation a task.
 *   - Hazard pointers or epochs to free outgrown rings early: they are worth
 *     at most the size of the last one.
 *   - 32-bit indices: a thief that sleeps through 2^32 takes would win with a
 *     stale entry. 64 bits last for 292 years at 1 ns.
 * SEE     Chase and Lev, Dynamic circular work-stealing deque (2005). Le, Pop,
 *         Cohen, Zappa Nardelli, Correct and efficient work-stealing for weak
 *         memory models (2013). Norris and Demsky, CDSChecker (2013), for D4.
 *         Dice, Huang, Yang, Asymmetric Dekker synchronization (2001), for D2.
 *         tests/model/deque_model.c: every order above weakened is caught.
 */
#include "deque.h"

#include "base/alloc.h"
#include <errno.h>

struct deque_ring {
    int64_t mask;             /* I: size - 1 */
    struct deque_ring *older; /* I: outgrown; a thief may still read it */
    struct deque_slot slots[] __attribute__((aligned(CACHE_LINE)));
};

enum steal deque_steal(struct deque *d, struct entry *out)
{
    uint64_t t = a64_load(&d->top, RELAXED);
    struct deque_ring *ring;
    struct entry e;
    int64_t b;

    if ((int64_t)a64_load(&d->bottom, RELAXED) <= (int64_t)t) {
        return STEAL_EMPTY;
    }
    barrier_heavy(); /* D2 */
    b = (int64_t)a64_load(&d->bottom, ACQUIRE /* D1 */);
    if (b <= (int64_t)t) { /* recheck: D2 */
        return STEAL_EMPTY;
    }
    ring = aptr_load(&d->ring, ACQUIRE /* D4 */);
    e = deque_get(&ring->slots[(int64_t)t & plain_read(ring->mask)]);
    if (!a64_cas(&d->top, &t, t + 1, RELEASE /* D3 */, RELAXED)) {
        return STEAL_LOST;
    }
    *out = e;
    return STEAL_GOT;
}

enum steal deque_take(struct deque *d, struct entry *out)
{
    uint64_t t = a64_load(&d->top, RELAXED);

    if ((int64_t)a64_load(&d->bottom, RELAXED) <= (int64_t)t) {
        return STEAL_EMPTY;
    }
    if (!a64_cas(&d->top, &t, t + 1, RELAXED, RELAXED)) {
        return STEAL_LOST;
    }
    *out = deque_get(&d->slots[(int64_t)t & d->mask]);
    return STEAL_GOT;
}

bool deque_win_last(struct deque *d, int64_t b)
{
    uint64_t t = (uint64_t)b;
    bool won = a64_cas(&d->top, &t, t + 1, RELAXED, RELAXED);

    a64_store(&d->bottom, (uint64_t)(b + 1), RELAXED);
    return won;
}

bool deque_pop_scope(struct deque *d, const struct roost_scope *scope,
                     struct entry *out)
{
    int64_t b = (int64_t)a64_load(&d->bottom, RELAXED) - 1;
    struct deque_slot *s = &d->slots[b & d->mask];

    /* In an empty deque the slot holds what was there before, or zeros: the
     * claim tells. */
    if (a64_load(&s->scope, RELAXED) != (uint64_t)(uintptr_t)scope ||
        !deque_claim(d, b)) {
        return false;
    }
    *out = deque_get(s);
    out->scope = (struct roost_scope *)(uintptr_t)scope;
    return true;
}

bool deque_newest(struct deque *d, int (*fn)(void *), const void *arg)
{
    int64_t b = (int64_t)a64_load(&d->bottom, RELAXED) - 1;
    struct deque_slot *s = &d->slots[b & d->mask];

    return a64_load(&s->arg, RELAXED) == (uint64_t)(uintptr_t)arg &&
           a64_load(&s->fn, RELAXED) == (uint64_t)(uintptr_t)fn;
}

static struct deque_ring *ring_new(int64_t size, struct deque_ring *older)
{
    struct deque_ring *ring;

    ring = alloc_aligned(CACHE_LINE,
                         sizeof(*ring) + (size_t)size * sizeof(*ring->slots));
    if (ring != NULL) {
        plain_write(ring->mask, size - 1);
        ring->older = older;
    }
    return ring;
}

/* Owner: from here on pushes go into this ring. */
static void install(struct deque *d, struct deque_ring *ring, int64_t top)
{
    d->slots = ring->slots;
    d->mask = ring->mask;
    d->room = top + ring->mask + 1;
    aptr_store(&d->ring, ring, RELEASE /* D4 */);
}

/* Room for one more, by asking top or by growing. 0 or -ENOMEM. */
static int make_room(struct deque *d)
{
    int64_t b = (int64_t)a64_load(&d->bottom, RELAXED);
    int64_t t = (int64_t)a64_load(&d->top, ACQUIRE /* D3 */);
    struct deque_ring *ring;

    d->room = t + d->mask + 1;
    if (b < d->room) {
        return 0;
    }
    ring = ring_new(2 * (d->mask + 1), aptr_load(&d->ring, RELAXED));
    if (ring == NULL) {
        return -ENOMEM;
    }
    for (int64_t i = t; i < b; i++) {
        deque_put(&ring->slots[i & ring->mask],
                  deque_get(&d->slots[i & d->mask]));
    }
    install(d, ring, t);
    return 0;
}

int deque_push_full(struct deque *d, int (*fn)(void *), void *arg,
                    struct roost_scope *scope, struct env *env)
{
    struct entry e = {fn, arg, scope, env};

    return make_room(d) == 0 ? deque_push(d, e) : -ENOMEM;
}

int deque_init(struct deque *d, size_t capacity)
{
    struct deque_ring *ring;

    roost_check(capacity > 0 && (capacity & (capacity - 1)) == 0);
    ring = ring_new((int64_t)capacity, NULL);
    if (ring == NULL) {
        return -ENOMEM;
    }
    a64_init(&d->bottom, 0);
    a64_init(&d->top, 0);
    install(d, ring, 0);
    return 0;
}

void deque_destroy(struct deque *d)
{
    struct deque_ring *ring = aptr_load(&d->ring, RELAXED);

    while (ring != NULL) {
        struct deque_ring *older = ring->older;

        alloc_free(ring);
        ring = older;
    }
}
