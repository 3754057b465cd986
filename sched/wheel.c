/*
 * wheel.c - a hierarchical timing wheel.
 *
 * WHAT    Timers by time: arm and cancel in constant time, the due ones in
 *         the exact order of `when`, the earliest known, time moved by any
 *         distance at a cost that depends on what is armed, not on how far.
 * MODEL   Time is cut into ticks of 65.5 us. A timer that is not of the
 *         current tick or before lies in the slot of the highest 6 bits in
 *         which its tick differs from the current one; level 0 slots hold one
 *         tick each, those of level n 64^n:
 *
 *           tick of when  ...|  bits 12-17  |  bits 6-11  |  bits 0-5  |
 *           slot of level         2               1             0
 *
 *           due   everything up to the current tick, in the order of `when`
 *           0     the rest of this 64 ticks         4 ms
 *           1     the rest of this 64^2           268 ms
 *           2     the rest of this 64^3            17 s
 *           ...   7: the end of int64_t
 *
 *         So all of level n comes before all of level n + 1, and the first
 *         occupied slot is found with one count of trailing zeros. Moving
 *         time on while no slot begins changes nothing but `tick`: the bits
 *         in which the others differ from it stay the highest. When the first
 *         slot begins (enter_slot) its timers become due or move down.
 *
 *         Lists are kept in order where that is free: most timers are armed
 *         later than the last one. A timer armed out of order steps over at
 *         most NEAR others; beyond that the list counts as mixed, and nothing
 *         is sorted before it must be. A mixed slot is spread over lower ones
 *         when it begins, so that in the end only timers of one tick are
 *         sorted. It remembers its earliest; if that is cancelled again and
 *         again, so that it must be searched each time, it is sorted too.
 * INVARIANTS  (checked by check_wheel in tests/unit/wheel_test.c)
 *   - A timer in due: its tick <= tick. In slot s of level n: its tick has
 *     the bits of `tick` above level n, s at level n, and s is greater than
 *     the bits of `tick` there.
 *   - occupied has exactly the bits of the slots that are not empty. A slot
 *     that is not mixed is in the order of `when`; no `when` in a
 *     slot is before its earliest, and one of them if known.
 *   - next <= every `when`; if exact, it is one of them, or INT64_MAX.
 *   - tick never goes back, though `now` may.
 * COST    arm 3.5 ns, cancel 2.6 ns, in or out of order, 10^5 armed or none;
 *         next 2 ns, or one mixed slot searched, once for each time that its
 *         earliest is cancelled. Firing 30 ns each of 10^4 in a second, 130 of
 *         10^5, 300 of 10^6, where all are cache misses: a timer moves down at
 *         most 7 times. 16 KiB a wheel.
 * REJECTED
 *   - A heap or a tree: 53-220 ns an operation, and 10^6 timeouts that are
 *     armed and cancelled unfired pay it twice.
 *   - Firing by the slot (Linux, Kafka): late by up to 1/8 of the time. Here
 *     the slot only finds the timer, `when` decides.
 *   - Advancing tick by tick: a machine that slept for a night, or a virtual
 *     clock that jumps a year, would turn the wheel for minutes.
 *   - Levels by distance from now instead of by differing bits: slots of one
 *     level then overlap those of the next, and the first is hard to find.
 * SEE     Varghese and Lauck, Hashed and hierarchical timing wheels (1987).
 */
#include "wheel.h"

#include "base/check.h"

#define BITS 6  /* of a tick that choose the slot of one level */
#define NEAR 4  /* how many later timers an arm steps over */
#define SCANS 8 /* of a slot for its earliest, before it is sorted */

_Static_assert(WHEEL_SLOTS == 1 << BITS, "a slot for each value of the bits");
_Static_assert(WHEEL_SHIFT + BITS * WHEEL_LEVELS >= 63, "covers int64_t");
_Static_assert(sizeof(struct wheel_slot) == 32, "two slots a cache line");

static struct timer *timer_of(struct list *node)
{
    return container_of(node, struct timer, link);
}

static int64_t tick_of(int64_t when)
{
    return when >> WHEEL_SHIFT;
}

/* --- lists in the order of `when` --- */

/* Two chains by `next`, each in order and ended by NULL, into one; of equals
 * those of a come first. */
static struct list *merge(struct list *a, struct list *b)
{
    struct list *merged = NULL, **end = &merged;

    while (a != NULL && b != NULL) {
        struct list **from = timer_of(b)->when < timer_of(a)->when ? &b : &a;

        *end = *from;
        end = &(*from)->next;
        *from = *end;
    }
    *end = a != NULL ? a : b;
    return merged;
}

/* The longest run in order from *rest on, cut off. */
static struct list *cut_run(struct list **rest)
{
    struct list *run = *rest, *last = run;

    while (last->next != NULL &&
           timer_of(last)->when <= timer_of(last->next)->when) {
        last = last->next;
    }
    *rest = last->next;
    last->next = NULL;
    return run;
}

/* Stable merge sort of natural runs: pending[i] holds 2^i of them, earlier
 * runs at higher i. A list of few runs takes time proportional to its length.
 * The list is not empty. */
static void sort(struct list *list)
{
    struct list *pending[32] = {NULL};
    struct list *rest = list->next, *run = NULL;

    list->prev->next = NULL;
    while (rest != NULL) {
        unsigned i = 0;

        for (run = cut_run(&rest); pending[i] != NULL; i++) {
            run = merge(pending[i], run);
            pending[i] = NULL;
        }
        pending[i] = run;
    }
    run = NULL;
    for (unsigned i = 0; i < 32; i++) {
        run = pending[i] == NULL ? run : merge(pending[i], run);
    }
    list_init(list);
    while (run != NULL) {
        struct list *next = run->next;

        list_push_back(list, run);
        run = next;
    }
}

/* --- one slot --- */

/* The timer after which one with this `when` is in its place, in a slot in
 * order; if that is far from the end, the slot is mixed from now on. */
static struct list *near_place(struct wheel_slot *s, int64_t when)
{
    struct list *before = s->timers.prev;

    for (int i = 0; before != &s->timers; i++) {
        if (timer_of(before)->when <= when) {
            break;
        }
        if (i == NEAR) {
            s->mixed = true;
            return s->timers.prev;
        }
        before = before->prev;
    }
    return before;
}

/* After those of the same `when`: equal timers always share a slot, so they
 * come out in the order in which they were armed. */
static void slot_add(struct wheel_slot *s, struct timer *t)
{
    struct list *before = s->timers.prev;

    if (list_empty(&s->timers)) {
        s->mixed = false;
        s->searches = 0;
        s->earliest = INT64_MAX;
    } else if (!s->mixed) {
        before = near_place(s, t->when);
    }
    if (t->when <= s->earliest) {
        s->earliest = t->when;
        s->known = true;
    }
    list_insert_before(before->next, &t->link);
}

static void slot_sort(struct wheel_slot *s)
{
    if (s->mixed) {
        sort(&s->timers);
        s->mixed = false;
    }
}

/* The earliest `when` in a slot that is not empty. In order, it is in front;
 * else it is searched unless known, and after many searches sorted. */
static int64_t slot_earliest(struct wheel_slot *s)
{
    if (s->mixed && !s->known && s->searches++ == SCANS) {
        s->searches = 0;
        slot_sort(s);
    }
    if (!s->mixed) {
        return timer_of(s->timers.next)->when;
    }
    if (!s->known) {
        s->earliest = INT64_MAX;
        for (struct list *i = s->timers.next; i != &s->timers; i = i->next) {
            int64_t when = timer_of(i)->when;

            s->earliest = when < s->earliest ? when : s->earliest;
        }
        s->known = true;
    }
    return s->earliest;
}

/* --- slots --- */

/* How far a slot's ticks are shifted. */
static int shift_of(int slot)
{
    return slot / WHEEL_SLOTS * BITS;
}

/* Where a timer belongs: the slot of the highest bits in which its tick
 * differs from the current one; -1: in due. */
static int slot_of(const struct wheel *w, int64_t when)
{
    int64_t tick = tick_of(when);
    int level;

    if (tick <= w->tick) {
        return -1;
    }
    level = (63 - __builtin_clzll((uint64_t)(tick ^ w->tick))) / BITS;
    return level * WHEEL_SLOTS + (int)((tick >> level * BITS) % WHEEL_SLOTS);
}

static void place(struct wheel *w, struct timer *t)
{
    int slot = slot_of(w, t->when);

    if (slot < 0) {
        slot_add(&w->due, t);
        return;
    }
    w->occupied[slot / WHEEL_SLOTS] |= UINT64_C(1) << slot % WHEEL_SLOTS;
    slot_add(&w->slots[slot], t);
}

/* A slot has become empty. */
static void vacate(struct wheel *w, int slot)
{
    w->occupied[slot / WHEEL_SLOTS] &= ~(UINT64_C(1) << slot % WHEEL_SLOTS);
}

/* The slot that comes first; -1: all are empty. */
static int first_slot(const struct wheel *w)
{
    for (int i = 0; i < WHEEL_LEVELS; i++) {
        if (w->occupied[i] != 0) {
            return i * WHEEL_SLOTS + __builtin_ctzll(w->occupied[i]);
        }
    }
    return -1;
}

/* The first tick of a slot that lies ahead. */
static int64_t slot_start(const struct wheel *w, int slot)
{
    int64_t above = w->tick >> shift_of(slot) >> BITS << BITS;

    return (above | slot % WHEEL_SLOTS) << shift_of(slot);
}

/* Enter the first slot, whose start has come. In order, it is emptied as far
 * as `tick` in one go; else no further than its start, so that what it holds
 * is spread over lower slots and only timers of one tick are ever sorted. */
static void enter_slot(struct wheel *w, int slot, int64_t tick)
{
    struct wheel_slot *s = &w->slots[slot];
    int64_t start = slot_start(w, slot);
    int64_t last = start + (INT64_C(1) << shift_of(slot)) - 1;
    struct list *node;

    w->tick = s->mixed ? start : tick < last ? tick : last;
    vacate(w, slot);
    while ((node = list_pop_front(&s->timers)) != NULL) {
        place(w, timer_of(node));
    }
}

/* --- the calls --- */

void wheel_arm(struct wheel *w, struct timer *t, int64_t when)
{
    roost_assert(!list_linked(&t->link) && when < INT64_MAX);
    t->when = when;
    place(w, t);
    w->count++;
    if (when <= w->next) {
        w->next = when;
        w->exact = true;
    }
}

bool wheel_cancel(struct wheel *w, struct timer *t)
{
    struct wheel_slot *s = &w->due;
    int slot;

    if (!list_linked(&t->link)) {
        return false;
    }
    list_remove(&t->link);
    w->count--;
    slot = slot_of(w, t->when);
    if (slot >= 0) {
        s = &w->slots[slot];
        if (list_empty(&s->timers)) {
            vacate(w, slot);
        }
    }
    s->known = s->known && t->when != s->earliest;
    w->exact = w->exact && t->when != w->next;
    return true;
}

/* The first of the due list; NULL: it is empty. */
static struct timer *first_due(struct wheel *w)
{
    if (list_empty(&w->due.timers)) {
        return NULL;
    }
    slot_sort(&w->due);
    return timer_of(w->due.timers.next);
}

/* Move time to tick, slot by slot, until something is due. */
static struct timer *fill_due(struct wheel *w, int64_t tick)
{
    struct timer *t;
    int slot;

    while ((t = first_due(w)) == NULL) {
        slot = first_slot(w);
        if (slot < 0 || slot_start(w, slot) > tick) {
            w->tick = w->tick < tick ? tick : w->tick;
            w->next = slot < 0 ? INT64_MAX : slot_start(w, slot) << WHEEL_SHIFT;
            w->exact = slot < 0;
            return NULL;
        }
        enter_slot(w, slot, tick);
    }
    return t;
}

struct timer *wheel_advance(struct wheel *w, int64_t now)
{
    struct timer *t;

    if (now < w->next || (t = fill_due(w, tick_of(now))) == NULL) {
        return NULL;
    }
    w->next = t->when;
    w->exact = t->when > now;
    if (t->when > now) {
        return NULL;
    }
    list_remove(&t->link);
    w->count--;
    return t;
}

int64_t wheel_next(struct wheel *w)
{
    struct timer *t;
    int slot;

    if (w->exact) {
        return w->next;
    }
    w->next = INT64_MAX;
    w->exact = true;
    if ((t = first_due(w)) != NULL) {
        w->next = t->when;
    } else if ((slot = first_slot(w)) >= 0) {
        w->next = slot_earliest(&w->slots[slot]);
    }
    return w->next;
}

void wheel_init(struct wheel *w, int64_t now)
{
    roost_check(now >= 0);
    w->tick = tick_of(now);
    w->next = INT64_MAX;
    w->exact = true;
    w->count = 0;
    list_init(&w->due.timers);
    for (int i = 0; i < WHEEL_LEVELS; i++) {
        w->occupied[i] = 0;
    }
    for (int i = 0; i < WHEEL_LEVELS * WHEEL_SLOTS; i++) {
        list_init(&w->slots[i].timers);
    }
}
