/*
 * ring_model.c - the real sched/ring.c: an owner and thieves.
 *
 * Would catch: an item taken twice or never, or out of order; a slot written
 * over before its item was read; an item's contents not seen by its taker; a
 * thief that finds nothing in a ring that was never empty.
 */
// MODEL-SOURCES: sched/ring.c
// MODEL-HEADERS: sched/ring.h
#include "model.h"
#include "ring.h"

enum { ITEMS = 12, ROOM = 4, THIEVES = 3 };

static struct ring ring;
static int items[ITEMS]; /* T(RG1): written before the push */
static int taken[ITEMS]; /* outside the model: how often */
static a32 begun[THIEVES];
static bool full; /* a push was refused */

static void push(int item)
{
    plain_write(items[item], item);
    if (!ring_push(&ring, &items[item])) {
        full = true;
        taken[item] = 1; /* it stays with the owner */
    }
}

/* *last: what this taker took before. */
static void take(void *what, int *last)
{
    int item = (int)((int *)what - items);

    MODEL_CHECK(item >= 0 && item < ITEMS);
    MODEL_CHECK(plain_read(items[item]) == item);
    MODEL_CHECK(item > *last);
    MODEL_CHECK(++taken[item] == 1);
    *last = item;
}

static bool pop(int *last)
{
    void *what = ring_pop(&ring);

    if (what != NULL) {
        take(what, last);
    }
    return what != NULL;
}

static unsigned steal(unsigned room)
{
    int last = -1;
    void *out[ROOM];
    unsigned n = ring_steal(&ring, out, room);

    MODEL_CHECK(n <= room);
    for (unsigned i = 0; i < n; i++) {
        take(out[i], &last);
    }
    return n;
}

static void thief(void)
{
    (void)steal(ROOM);
}

static void thief_of_one(void)
{
    (void)steal(1);
}

static void thief_twice(void)
{
    (void)steal(ROOM);
    (void)steal(ROOM);
}

/* An empty ring whose next index is 3 short of the 32-bit end. */
static void begin(void)
{
    ring_init(&ring);
    a64_init(&ring.head, UINT32_MAX - UINT64_C(2));
    a64_init(&ring.tail, UINT32_MAX - UINT64_C(2));
    full = false;
    for (int i = 0; i < ITEMS; i++) {
        taken[i] = 0;
    }
    for (int i = 0; i < THIEVES; i++) {
        a32_init(&begun[i], 0);
    }
}

static void finish(int n)
{
    int last = -1;

    while (pop(&last)) {
    }
    MODEL_CHECK(ring_count(&ring) == 0);
    for (int i = 0; i < ITEMS; i++) {
        MODEL_CHECK(taken[i] == (i < n));
    }
}

static void finish3(void)
{
    finish(3);
}

static void finish4(void)
{
    finish(4);
}

static void finish6(void)
{
    finish(6);
}

/* --- owner and thieves take from the same end --- */

static void three_there(void)
{
    begin();
    for (int i = 0; i < 3; i++) {
        push(i);
    }
}

static void owner_pops(void)
{
    int last = -1;

    (void)pop(&last);
    (void)pop(&last);
    (void)pop(&last);
    (void)pop(&last);
}

MODEL(same_end, .setup = three_there, .threads = {owner_pops, thief, thief},
      .check = finish3, .preemptions = 3);

/* --- the ring goes round under thieves' hands --- */

static void four_there(void)
{
    three_there();
    push(3);
    MODEL_CHECK(!full);
}

static void owner_goes_round(void)
{
    int last = -1;

    push(4);
    (void)pop(&last);
    push(5);
}

MODEL(round, .setup = four_there,
      .threads = {owner_goes_round, thief_twice, thief_of_one},
      .check = finish6, .preemptions = 2);

/* --- pushed and stolen at once, around empty --- */

static void owner_pushes_and_pops(void)
{
    int last = -1;

    push(0);
    (void)pop(&last);
    push(1);
    push(2);
    (void)pop(&last);
    push(3);
}

MODEL(around_empty, .setup = begin,
      .threads = {owner_pushes_and_pops, thief, thief_of_one}, .check = finish4,
      .preemptions = 3);

/* --- RG2 --- */

/* The explorer makes no load buffering, so no run shows a thief that wins
 * with an item from a slot that it let go. What it shows is the order that
 * forbids this: all that a thief did before it won is before the owner's next
 * write to the slots. */
static void thief_of_two_that_says_so(void)
{
    a32_store(&begun[model_self()], 1, RELAXED);
    (void)steal(2);
}

static void owner_fills_up(void)
{
    int last = -1;

    (void)pop(&last);
    for (int i = 4; !full && i < 8; i++) {
        push(i);
    }
    /* It popped once, so 2 of 4 pushes found room beyond its own: thieves
     * took at least 1 each, or one of them 2. */
    if (!full) {
        MODEL_CHECK(a32_load(&begun[1], RELAXED) == 1 ||
                    a32_load(&begun[2], RELAXED) == 1);
    }
}

/* Refused ones count as taken, those never tried are not. */
static void finish_filled(void)
{
    int n = 4;

    while (n < ITEMS && (taken[n] || plain_read(items[n]) == n)) {
        n++;
    }
    finish(n);
}

static void four_there_clean(void)
{
    four_there();
    for (int i = 4; i < ITEMS; i++) {
        plain_write(items[i], -1);
    }
}

MODEL(reuse, .setup = four_there_clean,
      .threads = {owner_fills_up, thief_of_two_that_says_so,
                  thief_of_two_that_says_so},
      .check = finish_filled, .preemptions = 3);
