/*
 * wheel.c - a hierarchical timing wheel.
 *
 * WHAT    Timers by time: arm and cancel in constant time, the due ones in
 *         the exact order of `when`, the earliest known, time moved by any
 *         distance at a cost that depends on what is armed, not on how far.
 * MODEL   Time is cut into ticks of 65.5 us. Each level is a ring of slots
 *         that begins at the current tick; a timer is in the lowest level that
 *         reaches as far as its tick:
 *
 *           level   a slot is      slots   they reach
 *           due                            everything up to the current tick
 *           0       1 tick           64    4 ms
 *           1       64 ticks        512    2.1 s
 *           2       2^11 ticks     1024    137 s
 *           3 ...   2^21, and so on  64    ... 7: the end of int64_t
 *
 *         When a slot begins (enter_slots) its timers become due or move down.
 *         Moving time on while no slot begins changes nothing but `tick`: a
 *         timer that a lower level would reach by now stays where it is. So
 *         one tick may have timers in several levels; the earliest slot of all
 *         levels comes first.
 *         Level 1 is as large as that because of those who sleep: a hundred
 *         thousand within a second are 400 in a slot of level 1, which take
 *         0.1 ms to move down; in one slot of 268 ms, as 64 a level would have
 *         it, they were 26,000, and all who slept were 10 ms late for them.
 *         Likewise level 2: of 10^6 who sleep up to 10 s, 13,000 move down at a
 *         time, in 3 ms; in slots of 2.1 s 200,000 did, in 12 ms.
 *
 *         Lists are kept in order where that is free: most timers are armed
 *         later than the last one. A timer armed out of order steps over at
 *         most NEAR others; beyond that the list counts as mixed, and nothing
 *         is sorted before it must be. A mixed slot is spread over lower ones
 *         when it begins, so that in the end only timers of one tick are
 *         sorted. It remembers its earliest; if that is cancelled again and
 *         again, so that it must be searched each time, it is sorted too.
 *         Of equal timers those in a higher level were armed earlier. So what
 *         moves down goes in front, last first; and of slots that begin at one
 *         tick the lowest is entered first.
 * INVARIANTS  (checked by check_wheel in tests/unit/wheel_test.c)
 *   - A timer in due: its tick <= tick. In a slot: its tick is one of the
 *     slot's, which begins after `tick`, less than a turn of its ring ahead.
 *   - occupied has exactly the bits of the slots that are not empty; of the
 *     others nothing is valid. A slot that is not mixed is in the order of
 *     `when`; no `when` in a slot is before its earliest, and one of them if
 *     known.
 *   - next <= every `when`; if exact, it is one of them, or INT64_MAX.
 *   - tick never goes back, though `now` may.
 * COST    arm 3.5 ns, cancel 4 ns, in or out of order, 10^5 armed or none;
 *         next 2 ns, or one mixed slot searched, once for each time that its
 *         earliest is cancelled. Firing 30 ns each of 10^4 in a second; of
 *         10^5, where all are cache misses, 2 of them each. 60 KiB a wheel, of
 *         which only slots that are used are ever touched.
 * REJECTED
 *   - A heap or a tree: 53-220 ns an operation, and 10^6 timeouts that are
 *     armed and cancelled unfired pay it twice.
 *   - Firing by the slot (Linux, Kafka): late by up to 1/8 of the time. Here
 *     the slot only finds the timer, `when` decides.
 *   - Advancing tick by tick: a machine that slept for a night, or a virtual
 *     clock that jumps a year, would turn the wheel for minutes.
 *   - Levels by the highest bits in which tick and the current one differ: the
 *     first slot is found at once, and from `when` that of a timer. But where
 *     high bits change all that lies behind that moment moves down together,
 *     however near it is.
 *   - Moving a large slot down in pieces: who is due first in it is not known
 *     before the last piece.
 * SEE     Varghese and Lauck, Hashed and hierarchical timing wheels (1987).
 */
#include "wheel.h"

#include "base/check.h"

#define NEAR 4  /* how many later timers an arm steps over */
#define SCANS 8 /* of a slot for its earliest, before it is sorted */

_Static_assert(sizeof(struct wheel_slot) == 32, "two slots a cache line");

/* Of the levels: log2 of a slot's ticks, how many slots, the first of them. */
static const struct level {
    uint8_t shift;
    uint16_t slots;
    uint16_t first;
} levels[WHEEL_LEVELS] = {
    {0, 64, 0},     {6, 512, 64},   {11, 1024, 576}, {21, 64, 1600},
    {27, 64, 1664}, {33, 64, 1728}, {39, 64, 1792},  {45, 64, 1856},
};

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

static void slot_clear(struct wheel_slot *s)
{
    list_init(&s->timers);
    s->mixed = false;
    s->searches = 0;
    s->earliest = INT64_MAX;
}

static void slot_note(struct wheel_slot *s, int64_t when)
{
    if (when <= s->earliest) {
        s->earliest = when;
        s->known = true;
    }
}

/* Armed last: after those of the same `when`. */
static void slot_add(struct wheel_slot *s, struct timer *t)
{
    struct list *before = s->timers.prev;

    if (!s->mixed && !list_empty(&s->timers)) {
        before = near_place(s, t->when);
    }
    slot_note(s, t->when);
    list_insert_before(before->next, &t->link);
}

/* From a higher level: before those of the same `when`. */
static void slot_add_older(struct wheel_slot *s, struct timer *t)
{
    if (!list_empty(&s->timers) && timer_of(s->timers.next)->when < t->when) {
        s->mixed = true;
    }
    slot_note(s, t->when);
    list_push_front(&s->timers, &t->link);
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

static bool occupied(const struct wheel *w, int slot)
{
    return (w->occupied[slot / 64] >> slot % 64 & 1) != 0;
}

/* The slot of a level that a tick belongs to. */
static int slot_at(const struct level *l, int64_t tick)
{
    return l->first + (int)((tick >> l->shift) & (l->slots - 1));
}

/* Where a timer belongs, empty or not; the lowest level that reaches it. */
static struct wheel_slot *slot_for(struct wheel *w, int64_t when)
{
    const struct level *l = levels;
    int64_t tick = tick_of(when);
    int slot;

    if (tick <= w->tick) {
        if (list_empty(&w->due.timers)) {
            slot_clear(&w->due);
        }
        return &w->due;
    }
    while ((tick >> l->shift) - (w->tick >> l->shift) >= l->slots) {
        l++;
    }
    slot = slot_at(l, tick);
    if (!occupied(w, slot)) {
        w->occupied[slot / 64] |= UINT64_C(1) << slot % 64;
        slot_clear(&w->slots[slot]);
    }
    return &w->slots[slot];
}

/* A slot has become empty. */
static void vacate(struct wheel *w, int slot)
{
    w->occupied[slot / 64] &= ~(UINT64_C(1) << slot % 64);
}

/* The first slot of a level that is not empty, and its first tick. */
struct first {
    int slot; /* -1: all are empty */
    int64_t start;
};

/* How far from `from` on the next bit is set, in a ring of so many. The one at
 * `from` never is. -1: none. */
static int next_bit(const uint64_t *words, int bits, int from)
{
    int word = from / 64, shift = from % 64;
    uint64_t seen = words[word] >> shift;
    int far = 0;

    for (int i = 0; seen == 0 && i < bits / 64; i++) {
        far += i == 0 ? 64 - shift : 64;
        word = (word + 1) % (bits / 64);
        seen = words[word];
    }
    return seen == 0 ? -1 : far + __builtin_ctzll(seen);
}

static struct first first_of(const struct wheel *w, const struct level *l)
{
    int64_t now = w->tick >> l->shift;
    int ahead = next_bit(&w->occupied[l->first / 64], l->slots,
                         (int)(now & (l->slots - 1)));
    struct first f = {-1, INT64_MAX};

    if (ahead >= 0) {
        f.start = (now + ahead) << l->shift;
        f.slot = slot_at(l, f.start);
    }
    return f;
}

/* When the next slot of a level begins: none of its own, nor of the levels
 * above, does before. */
static int64_t next_start(const struct wheel *w, const struct level *l)
{
    return ((w->tick >> l->shift) + 1) << l->shift;
}

/* The slot that begins first. */
static struct first first_slot(const struct wheel *w)
{
    struct first found = {-1, INT64_MAX};
    const struct level *l;

    for (l = levels; l < levels + WHEEL_LEVELS; l++) {
        struct first f;

        if (next_start(w, l) >= found.start) {
            break;
        }
        f = first_of(w, l);
        found = f.start < found.start ? f : found;
    }
    return found;
}

/* What is in it is due, or moves down: last first, in front of others. */
static void empty_slot(struct wheel *w, int slot)
{
    struct wheel_slot *s = &w->slots[slot];

    vacate(w, slot);
    while (!list_empty(&s->timers)) {
        struct timer *t = timer_of(s->timers.prev);

        list_remove(&t->link);
        slot_add_older(slot_for(w, t->when), t);
    }
}

/* Time comes to where the first slot begins, and to no later one, so that none
 * comes to stand below a slot that has yet to begin, in which its equals may be
 * younger. Those of other levels that begin there too: the lowest first. */
static void enter_slots(struct wheel *w, int64_t start)
{
    const struct level *l;

    w->tick = start;
    for (l = levels; l < levels + WHEEL_LEVELS; l++) {
        int slot = slot_at(l, start);

        if ((start & ((INT64_C(1) << l->shift) - 1)) != 0) {
            break;
        }
        if (occupied(w, slot)) {
            empty_slot(w, slot);
        }
    }
}

/* --- the calls --- */

void wheel_arm(struct wheel *w, struct timer *t, int64_t when)
{
    roost_assert(!list_linked(&t->link) && when < INT64_MAX);
    t->when = when;
    slot_add(slot_for(w, when), t);
    w->count++;
    if (when <= w->next) {
        w->next = when;
        w->exact = true;
    }
}

/* One with this `when` is gone. In which level it was is not known: what looks
 * like its slot need not have been it, and is searched again for nothing. */
static void forget_earliest(struct wheel *w, int64_t when)
{
    int64_t tick = tick_of(when);

    w->due.known = w->due.known && when != w->due.earliest;
    if (tick <= w->tick) {
        return;
    }
    for (const struct level *l = levels; l < levels + WHEEL_LEVELS; l++) {
        int slot = slot_at(l, tick);

        if (occupied(w, slot) && w->slots[slot].earliest == when) {
            w->slots[slot].known = false;
        }
    }
}

bool wheel_cancel(struct wheel *w, struct timer *t)
{
    struct list *before;

    if (!list_linked(&t->link)) {
        return false;
    }
    before = t->link.prev;
    list_remove(&t->link);
    w->count--;
    if (list_empty(before) && before != &w->due.timers) { /* it is the head */
        vacate(w, (int)(container_of(before, struct wheel_slot, timers) -
                        w->slots));
    }
    forget_earliest(w, t->when);
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

/* Nothing is due: move time to tick, slot by slot, until something is. */
static struct timer *fill_due(struct wheel *w, int64_t tick)
{
    struct first f = first_slot(w);

    while (f.start <= tick) {
        struct timer *t;

        enter_slots(w, f.start);
        t = first_due(w);
        if (t != NULL) {
            return t;
        }
        f = first_slot(w);
    }
    w->tick = w->tick < tick ? tick : w->tick;
    w->next = f.slot < 0 ? INT64_MAX : f.start << WHEEL_SHIFT;
    w->exact = f.slot < 0;
    return NULL;
}

struct timer *wheel_advance(struct wheel *w, int64_t now)
{
    struct timer *t;

    if (now < w->next) {
        return NULL;
    }
    t = first_due(w);
    t = t == NULL ? fill_due(w, tick_of(now)) : t;
    if (t == NULL) {
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

/* The earliest in any slot. */
static int64_t earliest_ahead(struct wheel *w)
{
    int64_t found = INT64_MAX;
    const struct level *l;

    for (l = levels; l < levels + WHEEL_LEVELS; l++) {
        struct first f;

        if (next_start(w, l) > tick_of(found)) {
            break;
        }
        f = first_of(w, l);
        if (f.slot >= 0 && f.start <= tick_of(found)) {
            int64_t when = slot_earliest(&w->slots[f.slot]);

            found = when < found ? when : found;
        }
    }
    return found;
}

int64_t wheel_next(struct wheel *w)
{
    struct timer *t;

    if (!w->exact) {
        t = first_due(w);
        w->next = t != NULL ? t->when : earliest_ahead(w);
        w->exact = true;
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
    slot_clear(&w->due);
    w->due.known = false; /* of the others nobody asks while they are empty */
    for (int i = 0; i < WHEEL_SLOTS / 64; i++) {
        w->occupied[i] = 0;
    }
}
