/*
 * wheel_test.c - sched/wheel.c alone, without the runtime.
 *
 * Would catch: a timer early, late, lost or out of order; one that outlives
 * its cancel; a wrong earliest time; an advance that goes wrong or slow over
 * a long way; trouble at the far end of time.
 */
#define TEST_NO_RUNTIME
#include "../test.h"

#include "base/rng.h"
#include "wheel.h"

#define TICK (INT64_C(1) << WHEEL_SHIFT)

static struct wheel wheel; /* 60 KiB: not on the stack */

TEST(empty, "R11")
{
    memset(&wheel, 0xa5, sizeof wheel);
    wheel_init(&wheel, 12345);
    CHECK(wheel_next(&wheel) == INT64_MAX);
    CHECK(wheel_advance(&wheel, INT64_MAX) == NULL);
    CHECK(wheel_next(&wheel) == INT64_MAX);
    CHECK_EQ(wheel.count, 0);
    for (int i = 0; i < WHEEL_SLOTS / 64; i++) {
        CHECK_EQ(wheel.occupied[i], 0);
    }
}

/* At `when` and not a nanosecond before, at every distance. */
TEST(due_at_its_nanosecond, "R11")
{
    for (unsigned bits = 0; bits < 63; bits++) {
        for (int64_t off = -2; off <= 2; off++) {
            int64_t start = 5 * TICK + 77;
            int64_t when = (int64_t)((UINT64_C(1) << bits) + (uint64_t)off);
            struct timer t = {.owner = NULL};

            if (when < INT64_MAX - start) {
                when += start;
            }
            wheel_init(&wheel, start);
            wheel_arm(&wheel, &t, when);
            CHECK_EQ(wheel_next(&wheel), when);
            if (when > start) {
                CHECK(wheel_advance(&wheel, start) == NULL);
                CHECK(wheel_advance(&wheel, start + (when - start) / 2) ==
                      NULL);
                CHECK(wheel_advance(&wheel, when - 1) == NULL);
                CHECK_EQ(wheel_next(&wheel), when);
            }
            CHECK(wheel_advance(&wheel, when > start ? when : start) == &t);
            CHECK(!wheel_cancel(&wheel, &t));
            CHECK(wheel_next(&wheel) == INT64_MAX);
        }
    }
}

TEST(past_and_farthest, "R10 R11")
{
    struct timer past = {.owner = NULL}, negative = past, far = past;

    wheel_init(&wheel, 1);
    wheel_arm(&wheel, &far, INT64_MAX - 1);
    CHECK_EQ(wheel_next(&wheel), INT64_MAX - 1);
    wheel_arm(&wheel, &past, 0);
    wheel_arm(&wheel, &negative, INT64_MIN);
    CHECK(wheel_next(&wheel) == INT64_MIN);
    CHECK(wheel_advance(&wheel, 1) == &negative);
    CHECK(wheel_advance(&wheel, 1) == &past);
    CHECK(wheel_advance(&wheel, INT64_MAX - 2) == NULL);
    CHECK_EQ(wheel_next(&wheel), INT64_MAX - 1);
    CHECK(wheel_advance(&wheel, INT64_MAX - 1) == &far);
    CHECK(wheel_advance(&wheel, INT64_MAX) == NULL);
}

TEST(in_order_within_a_tick_and_across, "R11")
{
    struct timer t[6] = {{.owner = NULL}};
    int64_t base = 1000 * TICK;
    int64_t when[6] = {base + 900,       base + 3, base + TICK - 1,
                       base + 70 * TICK, base,     base + 5000 * TICK};
    int order[6] = {4, 1, 0, 2, 3, 5};

    wheel_init(&wheel, 0);
    for (int i = 0; i < 6; i++) {
        wheel_arm(&wheel, &t[i], when[i]);
    }
    CHECK_EQ(wheel_next(&wheel), base);
    for (int i = 0; i < 6; i++) {
        CHECK(wheel_advance(&wheel, base + 6000 * TICK) == &t[order[i]]);
    }
    CHECK(wheel_advance(&wheel, INT64_MAX) == NULL);
}

TEST(cancel_before_in_and_after_the_due_list, "R11")
{
    struct timer a = {.owner = NULL}, b = a, c = a;

    wheel_init(&wheel, 0);
    CHECK(!wheel_cancel(&wheel, &a));
    wheel_arm(&wheel, &a, 10 * TICK + 1);
    wheel_arm(&wheel, &b, 10 * TICK + 2);
    wheel_arm(&wheel, &c, 10 * TICK + 3);
    CHECK(wheel_advance(&wheel, 10 * TICK + 1) == &a);
    CHECK(wheel_cancel(&wheel, &b));
    CHECK(!wheel_cancel(&wheel, &b));
    CHECK_EQ(wheel_next(&wheel), 10 * TICK + 3);
    CHECK(wheel_cancel(&wheel, &c));
    CHECK(wheel_next(&wheel) == INT64_MAX);
    CHECK(wheel_advance(&wheel, 20 * TICK) == NULL);
    wheel_arm(&wheel, &b, 900 * TICK);
    CHECK(wheel_cancel(&wheel, &b));
    CHECK(wheel_advance(&wheel, 2000 * TICK) == NULL);
    CHECK(!wheel_cancel(&wheel, &a));
}

/* --- the invariants of wheel.c --- */

/* A slot whose timers have a tick in [first, last]. Returns how many. */
static uint32_t check_slot(const struct wheel_slot *s, int64_t first,
                           int64_t last)
{
    int64_t before = INT64_MIN;
    uint32_t n = 0;

    for (struct list *i = s->timers.next; i != &s->timers; i = i->next) {
        struct timer *t = container_of(i, struct timer, link);

        CHECK(t->when >> WHEEL_SHIFT >= first);
        CHECK(t->when >> WHEEL_SHIFT <= last);
        CHECK(s->mixed || t->when >= before);
        CHECK(t->when >= wheel.next);
        before = t->when;
        n++;
    }
    return n;
}

/* No `when` is before it, and if known one is it. */
static void check_earliest(const struct wheel_slot *s)
{
    bool found = list_empty(&s->timers);

    for (struct list *i = s->timers.next; i != &s->timers; i = i->next) {
        struct timer *t = container_of(i, struct timer, link);

        CHECK(t->when >= s->earliest);
        found = found || t->when == s->earliest;
    }
    CHECK(found || !s->known);
}

/* Of wheel.c's levels: log2 of a slot's ticks, and the first slot. */
static const int shifts[] = {0, 6, 11, 21, 27, 33, 39, 45};
static const int firsts[] = {0,    64,   576,  1600,       1664,
                             1728, 1792, 1856, WHEEL_SLOTS};

/* A slot's first tick: the next one ahead that belongs in this place. */
static int64_t start_of(int slot, int level)
{
    int64_t now = wheel.tick >> shifts[level];
    int64_t count = firsts[level + 1] - firsts[level];
    int64_t ahead = (slot - firsts[level] - now % count + count) % count;

    CHECK(ahead > 0);
    return (now + ahead) << shifts[level];
}

static void check_wheel(void)
{
    uint32_t n = check_slot(&wheel.due, INT64_MIN, wheel.tick);
    int level = 0;

    for (int i = 0; i < WHEEL_SLOTS; i++) {
        const struct wheel_slot *s = &wheel.slots[i];

        level += i == firsts[level + 1];
        if ((wheel.occupied[i / 64] >> i % 64 & 1) != 0) {
            int64_t first = start_of(i, level);

            CHECK(!list_empty(&s->timers));
            check_earliest(s);
            n +=
                check_slot(s, first, first + (INT64_C(1) << shifts[level]) - 1);
        }
    }
    CHECK_EQ(n, wheel.count);
}

/* A clock that is read twice may seem to go back a little. */
TEST(time_that_goes_back_fires_nothing_early, "R11")
{
    struct timer t = {.owner = NULL}, later = t, far = t;

    wheel_init(&wheel, 100 * TICK);
    wheel_arm(&wheel, &t, 200 * TICK + 5);
    wheel_arm(&wheel, &later, 200 * TICK + 6);
    wheel_arm(&wheel, &far, 210 * TICK);
    CHECK(wheel_advance(&wheel, 200 * TICK) == NULL);
    CHECK(wheel_advance(&wheel, 150 * TICK) == NULL);
    check_wheel();
    CHECK(wheel_advance(&wheel, 200 * TICK + 5) == &t);
    CHECK(wheel_advance(&wheel, 150 * TICK) == NULL);
    CHECK(wheel_cancel(&wheel, &later));
    CHECK(wheel_advance(&wheel, 209 * TICK) == NULL);
    wheel_arm(&wheel, &later, 1);
    CHECK(wheel_advance(&wheel, 209 * TICK) == &later);
    CHECK(wheel_advance(&wheel, 209 * TICK) == NULL);
    CHECK_EQ(wheel.tick, 209);
    wheel_arm(&wheel, &later, 1);
    CHECK(wheel_advance(&wheel, 150 * TICK) == &later);
    CHECK(wheel_advance(&wheel, 150 * TICK) == NULL);
    CHECK_EQ(wheel.tick, 209);
    check_wheel();
    wheel_arm(&wheel, &t, 180 * TICK);
    CHECK(wheel_advance(&wheel, 180 * TICK - 1) == NULL);
    CHECK(wheel_advance(&wheel, 180 * TICK) == &t);
    CHECK(wheel_advance(&wheel, 210 * TICK - 1) == NULL);
    CHECK(wheel_advance(&wheel, 210 * TICK) == &far);
}

#define TWENTY (24 << 11) /* ticks: a slot of level 2 begins there */

/* Twenty in one slot of level 2, armed last first: out of order. */
static struct wheel_slot *arm_twenty(struct timer t[20])
{
    wheel_init(&wheel, 0);
    for (int i = 20; i-- > 0;) {
        wheel_arm(&wheel, &t[i], (TWENTY + i * 100) * TICK);
    }
    return &wheel.slots[firsts[2] + (TWENTY >> 11)];
}

TEST(a_mixed_slot_knows_its_earliest, "R11")
{
    struct timer t[20] = {{.owner = NULL}}, near = t[0];
    struct wheel_slot *s = arm_twenty(t);

    CHECK(s->mixed && s->known);
    CHECK(wheel_cancel(&wheel, &t[19]));
    CHECK(s->mixed && s->known);
    for (int i = 0; i < 18; i++) {
        CHECK_EQ(wheel_next(&wheel), (TWENTY + i * 100) * TICK);
        CHECK_EQ(s->mixed, i < 9); /* eight searches, then it is sorted */
        /* One in another slot comes and goes: no reason to search again. */
        wheel_arm(&wheel, &near, 10 * TICK);
        CHECK_EQ(wheel_next(&wheel), 10 * TICK);
        CHECK(wheel_cancel(&wheel, &near));
        CHECK(!s->mixed || s->known);
        check_wheel();
        CHECK(wheel_cancel(&wheel, &t[i]));
        CHECK(!s->mixed || !s->known);
        check_wheel();
    }
    /* Searched so often, it has been sorted. */
    CHECK(!s->mixed);
    CHECK(wheel_cancel(&wheel, &t[18]));
    check_wheel();
}

/* What stands in order in a slot does so in those below, too. */
TEST(order_is_kept_on_the_way_down, "R11")
{
    struct timer t[20] = {{.owner = NULL}};

    wheel_init(&wheel, 0);
    for (int i = 0; i < 20; i++) {
        wheel_arm(&wheel, &t[i], 50000 * TICK + i * 2 * TICK + i);
    }
    CHECK(!wheel.slots[firsts[2] + (50000 >> 11)].mixed);
    CHECK(wheel_advance(&wheel, 49500 * TICK) == NULL);
    check_wheel();
    for (int i = firsts[1]; i < firsts[2]; i++) {
        CHECK((wheel.occupied[i / 64] >> i % 64 & 1) == 0 ||
              !wheel.slots[i].mixed);
    }
    for (int i = 0; i < 20; i++) {
        CHECK(wheel_advance(&wheel, 60000 * TICK) == &t[i]);
    }
}

TEST(a_mixed_slot_is_emptied, "R11")
{
    struct timer t[20] = {{.owner = NULL}};

    for (int round = 0; round < 2; round++) {
        struct wheel_slot *s = arm_twenty(t);

        CHECK(s->mixed);
        for (int i = 0; i < 20; i++) {
            CHECK(round == 0 ? wheel_cancel(&wheel, &t[i])
                             : wheel_advance(&wheel, 80000 * TICK) == &t[i]);
            check_wheel();
        }
        CHECK_EQ(wheel.count, 0);
        wheel_init(&wheel, 0);
        wheel_arm(&wheel, &t[0], 50000 * TICK);
        CHECK(!s->mixed);
        check_wheel();
        CHECK(wheel_cancel(&wheel, &t[0]));
    }
}

/* --- against a simple oracle --- */

#define TIMERS 40

static struct timer timers[TIMERS];
static bool armed[TIMERS];
static uint64_t order[TIMERS], arms; /* when it was armed, among all */

static int64_t earliest(void)
{
    int64_t min = INT64_MAX;

    for (int i = 0; i < TIMERS; i++) {
        min = armed[i] && timers[i].when < min ? timers[i].when : min;
    }
    return min;
}

/* Of any magnitude, small ones often. */
static int64_t distance(struct rng *r, unsigned bits_max)
{
    return (int64_t)(rng_next(r) >> (63 - rng_below(r, bits_max) % 63) >> 1);
}

static int64_t later(int64_t now, int64_t by)
{
    return by < INT64_MAX - 1 - now ? now + by : INT64_MAX - 1;
}

/* Among those of the same `when`. */
static bool armed_first(const struct timer *t)
{
    for (int i = 0; i < TIMERS; i++) {
        if (armed[i] && timers[i].when == t->when &&
            order[i] < order[t - timers]) {
            return false;
        }
    }
    return true;
}

static void drain(int64_t now)
{
    struct timer *t;

    while ((t = wheel_advance(&wheel, now)) != NULL) {
        CHECK(armed[t - timers]);
        CHECK(t->when <= now);
        CHECK_EQ(t->when, earliest());
        CHECK(armed_first(t));
        armed[t - timers] = false;
    }
    CHECK(earliest() > now);
}

static void step(struct rng *r, int64_t *now, unsigned bits)
{
    uint32_t i = rng_below(r, TIMERS);
    int64_t when;

    switch (rng_below(r, 8)) {
    case 0:
        *now = later(*now, distance(r, bits));
        drain(*now);
        break;
    case 1:
        CHECK_EQ(wheel_next(&wheel), earliest());
        break;
    case 2:
        CHECK_EQ(wheel_cancel(&wheel, &timers[i]), armed[i]);
        armed[i] = false;
        break;
    case 3: /* to the very moment */
        if (earliest() > *now && earliest() < INT64_MAX) {
            *now = earliest();
            drain(*now);
        }
        break;
    default:
        if (!armed[i]) {
            when = later(*now, distance(r, bits));
            when -= rng_below(r, 4) == 0 ? distance(r, 20) : 0;
            /* Every other time one that is there already. */
            when = rng_below(r, 2) == 0 ? when : timers[(i + 1) % TIMERS].when;
            wheel_arm(&wheel, &timers[i], when);
            armed[i] = true;
            order[i] = arms++;
        }
        break;
    }
}

TEST(random_operations_against_a_plain_array, "R11")
{
    for (uint64_t seed = 0; seed < 600; seed++) {
        struct rng r = {seed};
        unsigned bits = 18 + (unsigned)(seed % 6) * 9;
        int64_t now = distance(&r, 50);

        memset(timers, 0, sizeof timers);
        memset(armed, 0, sizeof armed);
        wheel_init(&wheel, now);
        for (int i = 0; i < 2000; i++) {
            step(&r, &now, bits);
            if (i % 16 == 0) {
                check_wheel();
                CHECK(!wheel.exact || wheel.next == earliest());
                CHECK(wheel.tick <= now >> WHEEL_SHIFT);
            }
        }
        drain(INT64_MAX - 1);
        CHECK_EQ(wheel.count, 0);
    }
}

/* --- many --- */

#define MANY 1000000

static struct timer *arm_many(struct rng *r, int64_t span)
{
    struct timer *many = calloc(MANY, sizeof(*many));

    if (many == NULL) {
        CHECK(many != NULL);
        exit(1);
    }
    wheel_init(&wheel, 0);
    for (int i = 0; i < MANY; i++) {
        wheel_arm(&wheel, &many[i],
                  span == 0 ? 30000000000
                            : (int64_t)(rng_next(r) % (uint64_t)span));
    }
    CHECK_EQ(wheel.count, MANY);
    return many;
}

TEST(a_million_with_one_deadline_all_cancelled, "R11 R62")
{
    struct timer *many = arm_many(NULL, 0);

    CHECK_EQ(wheel_next(&wheel), 30000000000);
    for (int i = 0; i < MANY; i++) {
        CHECK(wheel_cancel(&wheel, &many[i]));
        CHECK_EQ(wheel_next(&wheel),
                 i + 1 < MANY ? INT64_C(30000000000) : INT64_MAX);
    }
    CHECK(wheel_advance(&wheel, INT64_MAX) == NULL);
    free(many);
}

static void fire_many(int64_t stride)
{
    struct rng r = {3};
    struct timer *many = arm_many(&r, INT64_C(10000000000)), *t;
    int64_t last = 0;
    int n = 0;

    for (int64_t now = stride; n < MANY && now < 20000000000; now += stride) {
        while ((t = wheel_advance(&wheel, now)) != NULL) {
            CHECK(t->when >= last && t->when <= now && t->when > now - stride);
            last = t->when;
            n++;
        }
    }
    CHECK_EQ(n, MANY);
    CHECK_EQ(wheel.count, 0);
    free(many);
}

TEST(a_million_in_one_step, "R11")
{
    fire_many(INT64_C(10000000000));
}

TEST(a_million_in_small_steps, "R11")
{
    fire_many(500000);
}
