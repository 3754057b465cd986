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
 *         sorted; one that is asked again and again for its earliest, because
 *         the earliest is cancelled each time, is sorted for good.
 * INVARIANTS  (checked by check_wheel in tests/unit/wheel_test.c)
 *   - A timer in due: its tick <= tick. In slot s of level n: its tick has
 *     the bits of `tick` above level n, s at level n, and s is greater than
 *     the bits of `tick` there.
 *   - occupied has exactly the bits of the slots that are not empty. A list
 *     without its mixed bit is in the order of `when`.
 *   - next <= every `when`; if exact, it is one of them, or INT64_MAX.
 *   - tick never goes back, though `now` may.
 * COST    arm 3-6 ns, cancel 1.5-3 ns, both 2 cache lines (7 and 13-20 ns among
 *         10^6 timers); next: 1 ns, or one slot searched when the earliest was
 *         cancelled and its slot is mixed. A timer moves down at most 7 times:
 *         10^6 of them in 1 s, advanced by 1 ms, cost 0.3 us each, all misses.
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
_Static_assert(WHEEL_LEVELS *BITS + WHEEL_SHIFT >= 63, "covers int64_t");

static struct timer *timer_of(struct list *node)
{
    return container_of(node, struct timer, link);
}

static int64_t tick_of(int64_t when)
{
    return when >> WHEEL_SHIFT;
}

/* --- lists in the order of `when` --- */

/* Put t into `list`, in its place if *mixed has not `flag` and the place is
 * near the end, else at the end, out of order. After those of the same `when`
 * in either case: equal timers always share a list, so they come out in the
 * order in which they were armed. */
static void insert(struct list *list, struct timer *t, uint64_t *mixed,
                   uint64_t flag)
{
    struct list *before = list->prev;

    for (int i = 0; before != list && timer_of(before)->when > t->when; i++) {
        if (i == NEAR || (*mixed & flag)) {
            *mixed |= flag;
            before = list->prev;
            break;
        }
        before = before->prev;
    }
    list_insert_before(before->next, &t->link);
}

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
 */
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

/* --- slots --- */

static uint64_t bit(int slot)
{
    return UINT64_C(1) << slot % WHEEL_SLOTS;
}

/* Into due, or into the slot of the highest bits in which its tick differs
 * from the current one. */
static void place(struct wheel *w, struct timer *t)
{
    int64_t tick = tick_of(t->when);
    int level, slot;

    if (tick <= w->tick) {
        insert(&w->due, t, &w->due_mixed, 1);
        return;
    }
    level = (63 - __builtin_clzll((uint64_t)(tick ^ w->tick))) / BITS;
    slot = (int)((tick >> level * BITS) % WHEEL_SLOTS);
    w->occupied[level] |= bit(slot);
    insert(&w->slots[level][slot], t, &w->mixed[level], bit(slot));
}

/* The slot that comes first, as level * WHEEL_SLOTS + slot; -1: all empty. */
static int first_slot(const struct wheel *w)
{
    for (int i = 0; i < WHEEL_LEVELS; i++) {
        if (w->occupied[i] != 0) {
            return i * WHEEL_SLOTS + __builtin_ctzll(w->occupied[i]);
        }
    }
    return -1;
}

/* How far a slot's ticks are shifted. */
static int shift_of(int slot)
{
    return slot / WHEEL_SLOTS * BITS;
}

/* The first tick of a slot that lies ahead. */
static int64_t slot_start(const struct wheel *w, int slot)
{
    int64_t above = w->tick >> shift_of(slot) >> BITS << BITS;

    return (above | slot % WHEEL_SLOTS) << shift_of(slot);
}

static struct list *slot_list(struct wheel *w, int slot)
{
    return &w->slots[slot / WHEEL_SLOTS][slot % WHEEL_SLOTS];
}

/* The earliest of a slot's timers. A slot in order has it in front; another is
 * searched, and sorted when it was searched often. */
static struct timer *slot_first(struct wheel *w, int slot)
{
    struct list *list = slot_list(w, slot);
    uint64_t *mixed = &w->mixed[slot / WHEEL_SLOTS];
    struct timer *first = timer_of(list->next);

    if (!(*mixed & bit(slot))) {
        return first;
    }
    w->scans = w->scanned == slot ? w->scans + 1 : 0;
    w->scanned = slot;
    if (w->scans == SCANS) {
        w->scans = 0;
        sort(list);
        *mixed &= ~bit(slot);
        return timer_of(list->next);
    }
    for (struct list *i = list->next; i != list; i = i->next) {
        first = timer_of(i)->when < first->when ? timer_of(i) : first;
    }
    return first;
}

/* Enter the first slot, whose start has come. In order, it is emptied as far
 * as `tick` in one go; else no further than its start, so that what it holds
 * is spread over lower slots and only timers of one tick are ever sorted. */
static void enter_slot(struct wheel *w, int slot, int64_t tick)
{
    struct list *list = slot_list(w, slot);
    uint64_t *mixed = &w->mixed[slot / WHEEL_SLOTS];
    int64_t start = slot_start(w, slot);
    int64_t last = start + (INT64_C(1) << shift_of(slot)) - 1;
    struct list *node;

    w->tick = (*mixed & bit(slot)) ? start : tick < last ? tick : last;
    w->occupied[slot / WHEEL_SLOTS] &= ~bit(slot);
    *mixed &= ~bit(slot);
    while ((node = list_pop_front(list)) != NULL) {
        place(w, timer_of(node));
    }
}

/* --- the calls --- */

void wheel_arm(struct wheel *w, struct timer *t, int64_t when)
{
    roost_assert(!list_linked(&t->link));
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
    struct list *head = t->link.prev;

    if (!list_linked(&t->link)) {
        return false;
    }
    if (head == t->link.next && head != &w->due) {
        /* It was alone: what is left is the head of its slot. */
        size_t index = (size_t)(head - &w->slots[0][0]);
        uint64_t mask = ~bit((int)(index % WHEEL_SLOTS));

        w->occupied[index / WHEEL_SLOTS] &= mask;
        w->mixed[index / WHEEL_SLOTS] &= mask;
    }
    list_remove(&t->link);
    w->count--;
    w->exact = w->exact && t->when != w->next;
    return true;
}

/* The first of the due list; NULL: it is empty. */
static struct timer *first_due(struct wheel *w)
{
    if (list_empty(&w->due)) {
        return NULL;
    }
    if (w->due_mixed) {
        sort(&w->due);
        w->due_mixed = 0;
    }
    return timer_of(w->due.next);
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
    t = first_due(w);
    slot = first_slot(w);
    if (t == NULL && slot >= 0) {
        t = slot_first(w, slot);
    }
    w->next = t == NULL ? INT64_MAX : t->when;
    w->exact = true;
    return w->next;
}

void wheel_init(struct wheel *w, int64_t now)
{
    w->tick = tick_of(now);
    w->next = INT64_MAX;
    w->exact = true;
    w->due_mixed = 0;
    w->scanned = -1;
    w->scans = 0;
    w->count = 0;
    list_init(&w->due);
    for (unsigned i = 0; i < WHEEL_LEVELS; i++) {
        w->occupied[i] = 0;
        w->mixed[i] = 0;
        for (unsigned j = 0; j < WHEEL_SLOTS; j++) {
            list_init(&w->slots[i][j]);
        }
    }
}
