/*
 * ring_test.c - sched/ring.c alone, without the runtime.
 *
 * Would catch: an item lost, taken twice or out of order; a slot overwritten
 * before it was read; a full ring that takes one more; a thief that takes
 * more than half or more than it has room for; what was written before the
 * push not seen by the taker (under TSan).
 */
#define TEST_NO_RUNTIME
#include "../test.h"

#include "base/rng.h"
#include "ring.h"
#include <sched.h>

static void *item(uint64_t n)
{
    return (void *)(uintptr_t)(n + 1);
}

static void init_at(struct ring *r, uint64_t start)
{
    ring_init(r);
    a64_init(&r->head, start);
    a64_init(&r->tail, start);
}

TEST(first_in_first_out, "R60")
{
    struct ring r;

    ring_init(&r);
    CHECK(ring_pop(&r) == NULL);
    for (uint64_t i = 0; i < 5; i++) {
        CHECK(ring_push(&r, item(i)));
    }
    CHECK_EQ(ring_count(&r), 5);
    for (uint64_t i = 0; i < 5; i++) {
        CHECK(ring_pop(&r) == item(i));
    }
    CHECK(ring_pop(&r) == NULL);
    CHECK_EQ(ring_count(&r), 0);
}

TEST(full_takes_no_more, "R60")
{
    struct ring r;

    init_at(&r, 100);
    for (uint64_t i = 0; i < RING_SIZE; i++) {
        CHECK(ring_push(&r, item(i)));
    }
    CHECK(!ring_push(&r, item(999)));
    CHECK_EQ(ring_count(&r), RING_SIZE);
    for (uint64_t i = 0; i < 3 * RING_SIZE; i++) {
        CHECK(ring_pop(&r) == item(i));
        CHECK(ring_push(&r, item(i + RING_SIZE)));
        CHECK(!ring_push(&r, item(999)));
    }
}

TEST(a_thief_takes_the_older_half, "R60")
{
    void *out[RING_SIZE];

    for (unsigned n = 0; n <= RING_SIZE; n++) {
        for (unsigned room = 0; room <= RING_SIZE; room += room < 3 ? 1 : 50) {
            unsigned half = (n + 1) / 2;
            unsigned want = half < room ? half : room;
            struct ring r;

            init_at(&r, UINT32_MAX - n / 2);
            for (unsigned i = 0; i < n; i++) {
                CHECK(ring_push(&r, item(i)));
            }
            CHECK_EQ(ring_steal(&r, out, room), want);
            for (unsigned i = 0; i < want; i++) {
                CHECK(out[i] == item(i));
            }
            CHECK_EQ(ring_count(&r), n - want);
            CHECK(ring_pop(&r) == (n == want ? NULL : item(want)));
        }
    }
}

/* What must be in the ring: head..tail - 1. */
struct oracle {
    uint64_t head, tail;
};

static void check_steal(struct ring *r, struct oracle *o, unsigned room)
{
    void *out[8];
    unsigned n = ring_steal(r, out, room);

    CHECK_EQ(n == 0, o->head == o->tail);
    for (unsigned i = 0; i < n; i++) {
        CHECK(out[i] == item(o->head++));
    }
}

static void step(struct ring *r, struct oracle *o, struct rng *rng,
                 uint32_t ops)
{
    uint32_t op = rng_below(rng, ops);

    if (op == 0) {
        CHECK(ring_pop(r) == (o->head == o->tail ? NULL : item(o->head)));
        o->head += o->head != o->tail;
    } else if (op == 1) {
        check_steal(r, o, 1 + rng_below(rng, 8));
    } else {
        CHECK_EQ(ring_push(r, item(o->tail)), o->tail - o->head < RING_SIZE);
        o->tail += o->tail - o->head < RING_SIZE;
    }
    CHECK_EQ(ring_count(r), o->tail - o->head);
}

TEST(random_operations_against_counters, "R60")
{
    static const uint64_t starts[] = {0, UINT32_MAX - UINT64_C(300),
                                      UINT64_MAX - 300, INT64_MAX - 300};

    for (uint64_t seed = 0; seed < 200; seed++) {
        struct oracle o = {0, 0};
        struct rng rng = {seed};
        struct ring r;

        init_at(&r, starts[seed % 4]);
        for (int i = 0; i < 5000; i++) {
            step(&r, &o, &rng, seed % 2 ? 5 : 8);
        }
    }
}

/* --- an owner against thieves --- */

#define ITEMS 200000

struct match {
    struct ring ring;
    int payload[ITEMS + 1]; /* plain: written before the push */
    int taken[ITEMS + 1];
    int ready; /* thieves that have begun */
    int done;  /* the owner has taken its last */
};

/* *last: what this taker took before; it must come to newer ones only. */
static void take(struct match *m, void *what, uintptr_t *last)
{
    uintptr_t n = (uintptr_t)what;

    CHECK(n > *last && n <= ITEMS);
    *last = n;
    CHECK_EQ(m->payload[n], (int)n);
    CHECK_EQ(test_add(&m->taken[n], 1), 1);
}

static void *thief(void *arg)
{
    struct match *m = arg;
    uintptr_t last = 0;
    void *out[RING_SIZE];
    unsigned room = 1;

    test_add(&m->ready, 1);
    while (!test_get(&m->done)) {
        unsigned n = ring_steal(&m->ring, out, room);

        for (unsigned i = 0; i < n; i++) {
            take(m, out[i], &last);
        }
        room = room % RING_SIZE + 1;
    }
    return NULL;
}

static void play(struct match *m, uint64_t seed)
{
    struct rng r = {seed};
    uintptr_t next = 1, last = 0;
    void *got;

    while (next <= ITEMS) {
        for (uint32_t n = rng_below(&r, 1 << rng_below(&r, 9)) + 1;
             n > 0 && next <= ITEMS; n--) {
            m->payload[next] = (int)next;
            if (!ring_push(&m->ring, (void *)next)) {
                break;
            }
            next++;
        }
        for (uint32_t n = rng_below(&r, 1 << rng_below(&r, 9)) + 1;
             n > 0 && (got = ring_pop(&m->ring)) != NULL; n--) {
            take(m, got, &last);
        }
    }
    /* The last ones are the thieves'. */
    while (ring_count(&m->ring) > 0) {
        sched_yield();
    }
    test_set(&m->done, 1);
}

TEST(every_item_is_taken_once_and_in_order, "R60")
{
    static struct match m;

    for (unsigned thieves = 1; thieves <= 3; thieves++) {
        pthread_t threads[3];

        memset(&m, 0, sizeof m);
        init_at(&m.ring, UINT32_MAX - (uint64_t)ITEMS / 2);
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
        for (size_t i = 1; i <= ITEMS; i++) {
            CHECK_EQ(m.taken[i], 1);
        }
    }
}
