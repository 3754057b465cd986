/*
 * deque_test.c - sched/deque.c alone, without the runtime.
 *
 * Would catch: an entry lost, taken twice or out of order; growth that loses
 * or reorders; a slot reused while it is live; wrong results for empty, lost
 * and got; a payload that the taker reads before it is written (under TSan); a
 * ring that is never given back, or larger or smaller than its entries need.
 */
#define TEST_NO_RUNTIME
#include "../test.h"

#include "base/rng.h"
#include "deque.h"
#include <sched.h>

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* Entries are told apart by arg; scopes are addresses in here. */
static char scopes[4];

static struct roost_scope *scope_no(uint64_t n)
{
    return (struct roost_scope *)&scopes[n % sizeof scopes];
}

static struct entry entry_no(uint64_t n)
{
    struct entry e = {nothing, (void *)(uintptr_t)n, scope_no(n),
                      (struct env *)(uintptr_t)~n};

    return e;
}

static void check_entry(struct entry e, uint64_t n)
{
    CHECK(e.fn == nothing);
    CHECK_EQ((uintptr_t)e.arg, n);
    CHECK(e.scope == scope_no(n));
    CHECK_EQ((uintptr_t)e.env, (uintptr_t)~n);
}

/* An empty deque whose next entry has index `start`. */
static void init_at(struct deque *d, size_t capacity, int64_t start)
{
    CHECK_EQ(deque_init(d, capacity), 0);
    a64_init(&d->bottom, (uint64_t)start);
    a64_init(&d->top, (uint64_t)start);
    d->room = start + d->mask + 1;
}

/* Entries 0 to n - 1. */
static void push_below(struct deque *d, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        CHECK_EQ(deque_push(d, entry_no(i)), 0);
    }
}

TEST(newest_first_for_owner_oldest_first_for_thief, "R29")
{
    struct deque d;
    struct entry e;

    CHECK_EQ(deque_init(&d, 8), 0);
    for (uint64_t i = 1; i <= 6; i++) {
        CHECK_EQ(deque_push(&d, entry_no(i)), 0);
    }
    CHECK_EQ(deque_size(&d), 6);
    CHECK(deque_pop(&d, &e));
    check_entry(e, 6);
    CHECK_EQ(deque_steal(&d, &e), STEAL_GOT);
    check_entry(e, 1);
    CHECK_EQ(deque_take(&d, &e), STEAL_GOT);
    check_entry(e, 2);
    CHECK(deque_pop(&d, &e));
    check_entry(e, 5);
    CHECK_EQ(deque_size(&d), 2);
    deque_destroy(&d);
}

TEST(empty_is_empty_and_leaves_the_output_alone, "R8")
{
    struct entry e = entry_no(77);
    struct deque d;

    CHECK_EQ(deque_init(&d, 1), 0);
    for (int round = 0; round < 3; round++) {
        CHECK(!deque_pop(&d, &e));
        CHECK(!deque_pop_scope(&d, scope_no(0), &e));
        CHECK(!deque_pop_scope(&d, NULL, &e));
        CHECK_EQ(deque_steal(&d, &e), STEAL_EMPTY);
        CHECK_EQ(deque_take(&d, &e), STEAL_EMPTY);
        CHECK_EQ(deque_size(&d), 0);
        check_entry(e, 77);
        /* The slot now holds an entry that is gone, of scope 0. */
        CHECK_EQ(deque_push(&d, entry_no(4)), 0);
        CHECK_EQ(deque_steal(&d, &e), STEAL_GOT);
        e = entry_no(77);
    }
    deque_destroy(&d);
}

TEST(pop_scope_takes_its_own_alone, "R30 R60")
{
    struct deque d;
    struct entry e = entry_no(9);

    CHECK_EQ(deque_init(&d, 4), 0);
    CHECK_EQ(deque_push(&d, entry_no(1)), 0);
    CHECK_EQ(deque_push(&d, entry_no(2)), 0);
    CHECK(!deque_pop_scope(&d, scope_no(1), &e));
    CHECK(!deque_holds(&d, scope_no(1)));
    CHECK(deque_holds(&d, scope_no(2)));
    check_entry(e, 9);
    CHECK_EQ(deque_size(&d), 2);
    CHECK(deque_pop_scope(&d, scope_no(2), &e));
    check_entry(e, 2);
    CHECK(!deque_pop_scope(&d, scope_no(2), &e));
    CHECK(deque_pop_scope(&d, scope_no(1), &e));
    check_entry(e, 1);
    CHECK(!deque_pop_scope(&d, scope_no(1), &e));
    CHECK(!deque_holds(&d, scope_no(1)));
    deque_destroy(&d);
}

static int other(void *arg)
{
    (void)arg;
    return 1;
}

TEST(a_capacity_that_is_no_power_of_two_is_a_bug, "R8")
{
    struct deque d;

    CHECK_ABORTS("capacity", deque_init(&d, 0));
    CHECK_ABORTS("capacity", deque_init(&d, 3));
    CHECK_ABORTS("capacity", deque_init(&d, SIZE_MAX));
}

TEST(newest_is_told_by_function_and_argument, "R30")
{
    struct deque d;

    init_at(&d, 4, 0);
    CHECK_EQ(deque_push(&d, entry_no(1)), 0);
    CHECK_EQ(deque_push(&d, entry_no(2)), 0);
    CHECK(deque_newest(&d, nothing, (void *)2));
    CHECK(!deque_newest(&d, other, (void *)2));
    CHECK(!deque_newest(&d, nothing, (void *)1));
    deque_destroy(&d);
}

TEST(grows_from_one_and_keeps_the_order, "R7 R29")
{
    struct deque d;
    struct entry e;
    uint64_t first = 0;

    init_at(&d, 1, 5);
    for (uint64_t i = 0; i < 40000; i++) {
        CHECK_EQ(deque_push(&d, entry_no(i)), 0);
        if (i % 5 == 0) {
            CHECK_EQ(deque_steal(&d, &e), STEAL_GOT);
            check_entry(e, first++);
        }
    }
    CHECK(deque_reaches(&d, 16384));
    CHECK(deque_reaches(&d, 1));
    CHECK(!deque_reaches(&d, 32768));
    for (uint64_t i = 40000; i-- > first;) {
        CHECK(deque_pop(&d, &e));
        check_entry(e, i);
    }
    CHECK(!deque_pop(&d, &e));
    CHECK(!deque_reaches(&d, 1));
    deque_destroy(&d);
}

/* --- the memory of the rings --- */

static unsigned rings;   /* that are there */
static size_t ring_size; /* bytes of the last one */

void *__real_alloc_aligned(size_t align, size_t size);
void *__wrap_alloc_aligned(size_t align, size_t size);
void __real_alloc_free(void *p);
void __wrap_alloc_free(void *p);

void *__wrap_alloc_aligned(size_t align, size_t size)
{
    void *p = __real_alloc_aligned(align, size);

    CHECK_EQ(align, CACHE_LINE);
    ring_size = size;
    rings += p != NULL;
    return p;
}

void __wrap_alloc_free(void *p)
{
    rings -= p != NULL;
    __real_alloc_free(p);
}

TEST(each_ring_is_given_back_at_the_end, "R62")
{
    struct deque d;

    CHECK_EQ(rings, 0);
    CHECK_EQ(deque_init(&d, 2), 0);
    CHECK_EQ(rings, 1);
    CHECK_EQ(ring_size, CACHE_LINE + 2 * sizeof(struct deque_slot));
    CHECK_EQ(d.room, 2);
    push_below(&d, 9);
    /* 2, 4, 8 and 16; thieves may still read the older ones. */
    CHECK_EQ(rings, 4);
    CHECK_EQ(ring_size, CACHE_LINE + 16 * sizeof(struct deque_slot));
    CHECK_EQ(d.room, 16);
    deque_destroy(&d);
    CHECK_EQ(rings, 0);
}

/* Who asks top anew finds all the room that thieves have made. */
TEST(room_is_all_that_is_free, "R29")
{
    struct deque d;
    struct entry e;

    init_at(&d, 4, 7);
    push_below(&d, 4);
    CHECK(!deque_try_push(&d, entry_no(4)));
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(deque_steal(&d, &e), STEAL_GOT);
    }
    CHECK_EQ(deque_push(&d, entry_no(4)), 0);
    CHECK_EQ(d.room, 7 + 3 + 4);
    CHECK_EQ(d.mask, 3);
    deque_destroy(&d);
    CHECK_EQ(rings, 0);
}

/* A ring of 8 never grows while at most 8 are in it, wherever it stands. */
TEST(a_full_ring_goes_round_without_growing, "R29")
{
    struct deque d;
    struct entry e;

    init_at(&d, 8, 3);
    push_below(&d, 8);
    for (uint64_t i = 8; i < 1000; i++) {
        CHECK_EQ(deque_steal(&d, &e), STEAL_GOT);
        check_entry(e, i - 8);
        CHECK_EQ(deque_push(&d, entry_no(i)), 0);
        CHECK_EQ(d.mask, 7);
    }
    CHECK_EQ(deque_push(&d, entry_no(1000)), 0);
    CHECK_EQ(d.mask, 15);
    for (uint64_t i = 992; i <= 1000; i++) {
        CHECK_EQ(deque_take(&d, &e), STEAL_GOT);
        check_entry(e, i);
    }
    deque_destroy(&d);
}

/* Sanitizers refuse absurd sizes by ending the process unless told not to. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

TEST(no_memory_to_grow_changes_nothing, "R8 R36")
{
    int64_t absurd = INT64_C(1) << 56;
    struct deque d;
    struct entry e;

    init_at(&d, 4, 2);
    push_below(&d, 4);
    /* As if the ring were too large to be doubled. */
    d.mask = absurd - 1;
    a64_init(&d.bottom, (uint64_t)(absurd + 2));
    CHECK_EQ(deque_push(&d, entry_no(4)), -ENOMEM);
    CHECK_EQ(a64_load(&d.bottom, RELAXED), absurd + 2);
    CHECK_EQ(a64_load(&d.top, RELAXED), 2);
    CHECK_EQ(d.mask, absurd - 1);
    a64_init(&d.bottom, 6);
    d.mask = 3;
    d.room = 6;
    CHECK_EQ(deque_push(&d, entry_no(4)), 0);
    for (uint64_t i = 5; i-- > 0;) {
        CHECK(deque_pop(&d, &e));
        check_entry(e, i);
    }
    deque_destroy(&d);
    CHECK_EQ(deque_init(&d, (size_t)absurd), -ENOMEM);
}

/* --- against a simple oracle --- */

struct oracle {
    uint64_t items[4096];
    size_t first, end;
};

static void step(struct deque *d, struct oracle *o, struct rng *r, uint64_t n)
{
    size_t size = o->end - o->first;
    struct roost_scope *scope = scope_no(rng_next(r));
    struct entry e = entry_no(0);
    uint64_t newest = size == 0 ? 0 : o->items[o->end - 1];
    uint64_t oldest = size == 0 ? 0 : o->items[o->first];
    bool got;

    switch (rng_below(r, 6)) {
    case 0:
        got = deque_pop(d, &e);
        CHECK_EQ(got, size > 0);
        check_entry(e, newest);
        o->end -= got;
        break;
    case 1:
        got = deque_pop_scope(d, scope, &e);
        CHECK_EQ(got, size > 0 && scope == scope_no(newest));
        check_entry(e, got ? newest : 0);
        o->end -= got;
        break;
    case 2:
        got = (rng_next(r) & 1 ? deque_steal : deque_take)(d, &e) == STEAL_GOT;
        CHECK_EQ(got, size > 0);
        check_entry(e, oldest);
        o->first += got;
        break;
    default:
        CHECK_EQ(deque_push(d, entry_no(n)), 0);
        o->items[o->end++] = n;
        break;
    }
    CHECK_EQ(deque_size(d), o->end - o->first);
}

TEST(random_operations_against_an_array, "R29")
{
    static const int64_t starts[] = {0, INT32_MAX - 9, UINT32_MAX - (int64_t)9,
                                     INT64_MAX / 2};
    static struct oracle o;

    for (uint64_t seed = 0; seed < 400; seed++) {
        struct rng r = {seed};
        struct deque d;

        o.first = 0;
        o.end = 0;
        init_at(&d, (size_t)1 << seed % 5, starts[seed / 5 % 4]);
        for (uint64_t n = 1; n <= 2000; n++) {
            step(&d, &o, &r, n);
        }
        deque_destroy(&d);
    }
}

/* --- an owner against thieves --- */

#define ITEMS 15000

struct match {
    struct deque deque;
    int payload[ITEMS]; /* plain: written before the push, read by the taker */
    int taken[ITEMS];
    int ready; /* thieves that have begun */
    int done;  /* the owner has taken its last */
};

static void take(struct match *m, struct entry e)
{
    size_t n = (uintptr_t)e.arg;

    CHECK(n < ITEMS);
    CHECK_EQ(m->payload[n], (int)n);
    CHECK_EQ(test_add(&m->taken[n], 1), 1);
    check_entry(e, n);
}

static void *thief(void *arg)
{
    struct match *m = arg;
    struct entry e;

    test_add(&m->ready, 1);
    while (!test_get(&m->done)) {
        if (deque_steal(&m->deque, &e) == STEAL_GOT) {
            take(m, e);
        }
    }
    return NULL;
}

TEST(pop_certain_leaves_the_last_alone, "R30 R60")
{
    struct deque d;
    struct entry e = entry_no(9);

    CHECK_EQ(deque_init(&d, 4), 0);
    CHECK_EQ(deque_pop_certain(&d, scope_no(1), &e), NEWEST_OTHER);
    CHECK_EQ(deque_push(&d, entry_no(1)), 0);
    CHECK_EQ(deque_push(&d, entry_no(2)), 0);
    CHECK_EQ(deque_pop_certain(&d, scope_no(1), &e), NEWEST_OTHER);
    check_entry(e, 9);
    CHECK_EQ(deque_pop_certain(&d, scope_no(2), &e), NEWEST_TAKEN);
    check_entry(e, 2);
    CHECK_EQ(deque_pop_certain(&d, scope_no(1), &e), NEWEST_LAST);
    check_entry(e, 2);
    CHECK_EQ(deque_size(&d), 1);
    CHECK(deque_pop(&d, &e));
    check_entry(e, 1);
    /* What lay there is not there any more, whatever the slot says. */
    CHECK_EQ(deque_pop_certain(&d, scope_no(1), &e), NEWEST_LAST);
    CHECK_EQ(deque_size(&d), 0);
    deque_destroy(&d);
}

/* The owner takes one, now and then by scope or the oldest. */
static bool owner_takes(struct match *m, struct rng *r, struct entry *e)
{
    if (rng_below(r, 4) == 0 &&
        deque_pop_certain(&m->deque, scope_no(rng_next(r)), e) ==
            NEWEST_TAKEN) {
        return true;
    }
    if (rng_below(r, 61) == 0) {
        return deque_take(&m->deque, e) == STEAL_GOT;
    }
    if (rng_below(r, 4) == 0) {
        return deque_pop_scope(&m->deque, scope_no(rng_next(r)), e);
    }
    return deque_pop(&m->deque, e);
}

/* Bursts of pushes and pops, around empty most of the time. Now and then the
 * owner waits until the thieves have taken the rest. */
static void play(struct match *m, uint64_t seed)
{
    struct rng r = {seed};
    struct entry e;
    size_t next = 0;

    while (next < ITEMS) {
        for (uint32_t n = rng_below(&r, 1 << rng_below(&r, 6)) + 1;
             n > 0 && next < ITEMS; n--) {
            m->payload[next] = (int)next;
            CHECK_EQ(deque_push(&m->deque, entry_no(next)), 0);
            next++;
        }
        for (uint32_t n = rng_below(&r, 1 << rng_below(&r, 6)) + 1; n > 0;
             n--) {
            if (owner_takes(m, &r, &e)) {
                take(m, e);
            }
        }
        if (rng_below(&r, 50) == 0) {
            while (deque_size(&m->deque) > 0) {
                sched_yield();
            }
        }
    }
    while (deque_size(&m->deque) > 0) {
        if (deque_pop(&m->deque, &e)) {
            take(m, e);
        }
    }
    CHECK(!deque_pop(&m->deque, &e));
    test_set(&m->done, 1);
}

static void play_match(unsigned thieves, size_t capacity)
{
    static struct match m;
    pthread_t threads[3];

    memset(&m, 0, sizeof m);
    init_at(&m.deque, capacity, UINT32_MAX - (int64_t)ITEMS / 2);
    for (unsigned i = 0; i < thieves; i++) {
        pthread_create(&threads[i], NULL, thief, &m);
    }
    while (test_get(&m.ready) < (int)thieves) {
        sched_yield();
    }
    play(&m, thieves);
    for (unsigned i = 0; i < thieves; i++) {
        pthread_join(threads[i], NULL);
    }
    for (size_t i = 0; i < ITEMS; i++) {
        CHECK_EQ(m.taken[i], 1);
    }
    deque_destroy(&m.deque);
}

TEST(every_entry_is_taken_once_asymmetric_barrier, "R29")
{
    barrier_probe(2);
    for (unsigned thieves = 1; thieves <= 3; thieves++) {
        play_match(thieves, 1);
        play_match(thieves, 256);
    }
}

TEST(every_entry_is_taken_once_symmetric_barrier, "R29")
{
    barrier_begin_anew();
    barrier_probe(BARRIER_WORKERS + 1);
    CHECK(!barrier_asymmetric);
    for (unsigned thieves = 1; thieves <= 3; thieves++) {
        play_match(thieves, 1);
        play_match(thieves, 256);
    }
    barrier_begin_anew();
}

/* --- EMPTY is said only of an empty deque --- */

static void *thief_until_empty(void *arg)
{
    struct match *m = arg;
    struct entry e;
    enum steal result;

    while ((result = deque_steal(&m->deque, &e)) != STEAL_EMPTY) {
        if (result == STEAL_GOT) {
            take(m, e);
        }
    }
    return NULL;
}

TEST(thieves_that_stop_at_empty_leave_nothing, "R29")
{
    static struct match m;
    pthread_t threads[3];
    struct entry e;

    barrier_probe(2);
    memset(&m, 0, sizeof m);
    CHECK_EQ(deque_init(&m.deque, 1 << 14), 0);
    for (size_t i = 0; i < ITEMS; i++) {
        m.payload[i] = (int)i;
        CHECK_EQ(deque_push(&m.deque, entry_no(i)), 0);
    }
    for (unsigned i = 0; i < 3; i++) {
        pthread_create(&threads[i], NULL, thief_until_empty, &m);
    }
    for (unsigned i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK(!deque_pop(&m.deque, &e));
    for (size_t i = 0; i < ITEMS; i++) {
        CHECK_EQ(m.taken[i], 1);
    }
    deque_destroy(&m.deque);
}
