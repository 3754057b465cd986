/*
 * lines_test.c - what different threads write stands on different cache lines.
 *
 * Would catch: a field that is put where its neighbour is somebody else's, so
 * that the line goes to and fro for nothing. tests/model/lines_test.py looks
 * for the same by what threads do; this knows what nobody may break: the two
 * ends of the deque and of the ring, and what any thread writes of a worker.
 */
#define TEST_NO_RUNTIME
#include "../test.h"

#include "runtime.h"
#include "worker.h"

#include <stddef.h>

/* Bytes from at on, of a struct that begins on a line. */
struct extent {
    const char *name;
    size_t at, size;
};

#define FIELD(type, field)                                                     \
    {                                                                          \
#type "." #field, offsetof(type, field), sizeof(((type *)NULL)->field) \
    }

static bool share(const struct extent *a, const struct extent *b)
{
    return a->at / CACHE_LINE <= (b->at + b->size - 1) / CACHE_LINE &&
           b->at / CACHE_LINE <= (a->at + a->size - 1) / CACHE_LINE;
}

static bool share_and_tell(const struct extent *a, const struct extent *b)
{
    if (share(a, b)) {
        fprintf(stderr, "%s and %s share a line\n", a->name, b->name);
    }
    return share(a, b);
}

/* How many pairs, one of each, share a line. */
static unsigned shared(const struct extent *a, size_t na,
                       const struct extent *b, size_t nb)
{
    unsigned n = 0;

    for (size_t i = 0; i < na; i++) {
        for (size_t k = 0; k < nb; k++) {
            n += share_and_tell(&a[i], &b[k]);
        }
    }
    return n;
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define APART(a, b) CHECK_EQ(shared(a, COUNT(a), b, COUNT(b)), 0)

TEST(the_two_ends_of_a_deque, "R29")
{
    static const struct extent owner[] = {
        FIELD(struct deque, bottom), FIELD(struct deque, room),
        FIELD(struct deque, slots), FIELD(struct deque, mask),
        FIELD(struct deque, ring)};
    static const struct extent thieves[] = {FIELD(struct deque, top)};

    APART(owner, thieves);
    CHECK_EQ(_Alignof(struct deque) % CACHE_LINE, 0);
    CHECK_EQ(sizeof(struct deque) % CACHE_LINE, 0);
}

TEST(the_two_ends_of_a_ring, "R29")
{
    static const struct extent owner[] = {FIELD(struct ring, tail),
                                          FIELD(struct ring, slots)};
    static const struct extent thieves[] = {FIELD(struct ring, head)};

    APART(owner, thieves);
    CHECK_EQ(_Alignof(struct ring) % CACHE_LINE, 0);
    CHECK_EQ(sizeof(struct ring) % CACHE_LINE, 0);
}

/* Whoever sleeps or wakes writes it; nothing else is on its line. */
TEST(who_sleeps_is_on_a_line_of_its_own, "R5")
{
    CHECK_EQ(_Alignof(struct park) % CACHE_LINE, 0);
    CHECK_EQ(sizeof(struct park) % CACHE_LINE, 0);
    CHECK_EQ(offsetof(struct runtime, park) % CACHE_LINE, 0);
}

TEST(what_others_write_of_a_worker, "R5")
{
    /* At each spawn, open, close and switch. */
    static const struct extent owner[] = {
        FIELD(struct worker, frame),       FIELD(struct worker, fiber),
        FIELD(struct worker, stack_floor), FIELD(struct worker, in_place_left),
        FIELD(struct worker, turns),       FIELD(struct worker, budget),
        FIELD(struct worker, spare),       FIELD(struct worker, spares),
        FIELD(struct worker, deque),       FIELD(struct worker, ring),
        FIELD(struct worker, next),        FIELD(struct worker, desc)};
    static const struct extent others[] = {
        FIELD(struct worker, high),   FIELD(struct worker, low),
        FIELD(struct worker, mine),   FIELD(struct worker, parker),
        FIELD(struct worker, timers), FIELD(struct worker, claim)};

    APART(owner, others);
    CHECK_EQ(sizeof(struct worker) % CACHE_LINE, 0);
}

/* A channel's fields are all under its lock, which is its first word: whoever
 * touches them has its line, or gets it for the lock's sake. */

/* As it would be without the line between: it is found. */
struct planted {
    a64 bottom;
    int64_t room;
    a64 top;
};

TEST(planted_neighbours_are_found, "R29")
{
    static const struct extent owner[] = {FIELD(struct planted, bottom),
                                          FIELD(struct planted, room)};
    static const struct extent thieves[] = {FIELD(struct planted, top)};
    static const struct extent across[] = {{"the last and the next", 60, 8}};
    static const struct extent next[] = {{"the next line", 64, 64}};

    CHECK_EQ(shared(owner, 2, thieves, 1), 2);
    CHECK_EQ(shared(across, 1, next, 1), 1);
    CHECK_EQ(shared(owner, 2, next, 1), 0);
}
