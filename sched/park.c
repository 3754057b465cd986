/*
 * park.c - who looks for work, who sleeps, who must be woken.
 *
 * WHAT    Lets workers sleep without ever sleeping on work, and wakes no more
 *         of them than there is work for.
 * MODEL   One packed word: how many search (low half), how many are parked
 *         (high half). A sleeper waits on a futex of its own and is in the
 *         list of sleepers, newest first, so that the warmest is woken.
 *         Whoever makes work visible wakes one sleeper only if somebody sleeps
 *         and nobody searches; the woken one is counted as searching from
 *         then on, and the last searcher that finds something wakes the next:
 *         wake-ups spread as long as they find work.
 *
 *             running --search_begin--> searching --announce--> parked
 *                ^         <--search_end--'  ^                     |
 *                |                           `-- wake_one, retract-'
 *
 *         A guest (guest.c), whose host may be late, is woken when no other
 *         sleeps, and is not counted as searching before it does search: else
 *         nobody would be woken until the host has time.
 *
 * INVARIANTS
 *   - A worker is in the list exactly while it is counted as parked
 *     (both change under lock).
 *   - Work that was pushed before a wake_one that saw a searcher is found by
 *     that searcher, or by its last look after it announced itself (D-P).
 * ORDER
 *   P1  pusher: work, full order, read word  <->  sleeper: word, full order,
 *       look at every source once more. One of the two sees the other:
 *         pusher                          sleeper
 *         push work                       word: searching-1, parked+1
 *         barrier light / full  /- P1 -/  barrier heavy
 *         read word                       look at every queue
 *       Without it both may miss, and the work sleeps for ever. The updates
 *       of the word need no order for that: who has read it as it was before
 *       an announcement has passed its own barrier before the announcer's, so
 *       the work is found by the look that comes after that; and every
 *       searcher, also one woken meanwhile, finds work or announces itself.
 *       Nor has park_wake need of a barrier: it takes the lock that the
 *       announcement is made under, and one of the two comes first.
 *   P2  park_announce: word release -> park_all: acquire   what each of them
 *       did before it slept. Other updates, all of them read-modify-writes,
 *       pass it on.
 *   P3  notified: release by the waker -> acquire by the sleeper    the work
 *       that it was woken for is found by its first look; and it is counted
 *       as searching before it may count itself off
 *   P4  lock: release -> acquire    the list of sleepers
 * COST    park_wanted: one load. Waking: a lock, a store, a system call (3-6
 *         us). Announcing: one read-modify-write and membarrier (1.6 us).
 * REJECTED  Waking for every push (a herd); a timed sleep to cover a lost wake
 *         (it would hide the bug); an eventcount (the same order, two words).
 */
#include "park.h"

#include "base/spinlock.h"
#include <errno.h>

static void lock(struct park *p)
{
    spin_acquire(&p->lock); /* P4 */
}

/* P4: the list, from one holder to the next. */
static void unlock(struct park *p)
{
    spin_release(&p->lock); /* P4 */
}

void park_init(struct park *p, unsigned workers)
{
    a32_init(&p->word, 0);
    a32_init(&p->lookouts, 0);
    a32_init(&p->lock, 0);
    p->workers = workers;
    p->poke = NULL;
    list_init(&p->sleepers);
}

void parker_init(struct parker *k)
{
    a32_init(&k->notified, 0);
    k->link.next = NULL;
    k->link.prev = NULL;
    k->guest = false;
}

bool park_search_begin(struct park *p)
{
    uint32_t word = a32_load(&p->word, RELAXED);

    if (2 * (word & (PARK_PARKED - 1)) >= p->workers) {
        return false;
    }
    a32_add(&p->word, PARK_SEARCHING, RELAXED);
    return true;
}

bool park_search_end(struct park *p)
{
    uint32_t word = a32_add(&p->word, -PARK_SEARCHING, RELAXED);

    return (word & (PARK_PARKED - 1)) == 1;
}

bool park_announce(struct park *p, struct parker *k, bool searching)
{
    uint32_t delta = PARK_PARKED - (searching ? PARK_SEARCHING : 0);
    uint32_t word;

    lock(p);
    a32_store(&k->notified, PARKER_ASLEEP, RELAXED);
    if (k->guest) {
        list_push_back(&p->sleepers, &k->link);
    } else {
        list_push_front(&p->sleepers, &k->link);
    }
    word = a32_add(&p->word, delta, RELEASE /* P2 */) + delta;
    unlock(p);
    barrier_heavy(); /* P1 */
    return word == p->workers * PARK_PARKED;
}

/* Take k out of the sleepers: it is awake. Where it slept. Under lock, and
 * so is the word that says it: told later, it could meet the next sleep of a
 * worker whose time had come meanwhile, which would get up without having been
 * taken out. Counted first, and then told: it asks without the lock, and would
 * else count itself off before it was counted. The word would show searchers
 * that are not there, and who pushed meanwhile would wake nobody. */
static uint32_t choose(struct park *p, struct parker *k)
{
    list_remove(&k->link);
    a32_add(&p->word, (k->guest ? 0 : PARK_SEARCHING) - PARK_PARKED, RELAXED);
    return a32_xchg(&k->notified, PARKER_CHOSEN, RELEASE /* P3 */);
}

/* Under lock. True: it was in the list, *was says where it sleeps. */
static bool take(struct park *p, struct parker *k, uint32_t *was)
{
    bool mine = list_linked(&k->link);

    if (mine) {
        *was = choose(p, k);
    }
    return mine;
}

bool park_retract(struct park *p, struct parker *k)
{
    uint32_t was;
    bool mine;

    lock(p);
    mine = take(p, k, &was);
    unlock(p);
    return mine;
}

bool park_chosen(const struct parker *k)
{
    return a32_load(&((struct parker *)(uintptr_t)k)->notified,
                    ACQUIRE /* P3 */) == PARKER_CHOSEN;
}

bool park_sleep(struct parker *k, int64_t deadline)
{
    while (!park_chosen(k)) {
        if (futex_wait(&k->notified, PARKER_ASLEEP, deadline) == -ETIMEDOUT) {
            return park_chosen(k);
        }
    }
    return true;
}

bool park_elsewhere(struct parker *k)
{
    uint32_t seen = PARKER_ASLEEP;

    return a32_cas(&k->notified, &seen, PARKER_ELSEWHERE, RELAXED, RELAXED) ||
           !park_chosen(k);
}

void park_back(struct parker *k)
{
    uint32_t seen = PARKER_ELSEWHERE;

    (void)a32_cas(&k->notified, &seen, PARKER_ASLEEP, RELAXED, RELAXED);
}

/* Chosen: at worst woken for nothing. */
static void notify(struct park *p, struct parker *k, uint32_t was)
{
    if (was == PARKER_ELSEWHERE) {
        p->poke(p, k);
    } else {
        futex_wake(&k->notified, 1);
    }
}

/* Under lock: choose the one that fell asleep last, if any sleeps. */
static struct parker *newest(struct park *p, uint32_t *was)
{
    struct parker *k;

    if (list_empty(&p->sleepers)) {
        return NULL;
    }
    k = container_of(p->sleepers.next, struct parker, link);
    *was = choose(p, k);
    return k;
}

void park_wake_one(struct park *p)
{
    struct parker *k = NULL;
    uint32_t was = PARKER_ASLEEP;

    if (!park_wanted(p)) {
        return;
    }
    lock(p);
    if (park_wanted(p)) {
        k = newest(p, &was);
    }
    unlock(p);
    if (k != NULL) {
        notify(p, k, was);
    }
}

void park_wake(struct park *p, struct parker *k)
{
    uint32_t was;
    bool mine;

    lock(p);
    mine = take(p, k, &was);
    unlock(p);
    if (mine) {
        notify(p, k, was);
    }
}

void park_wake_all(struct park *p)
{
    struct parker *k;

    do {
        uint32_t was = PARKER_ASLEEP;

        lock(p);
        k = newest(p, &was);
        unlock(p);
        if (k != NULL) {
            notify(p, k, was);
        }
    } while (k != NULL);
}
