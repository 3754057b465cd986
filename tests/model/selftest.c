/*
 * selftest.c - the explorer on bugs that were planted: each must be found, and
 * the report says by which strategy after how many runs. The same programs
 * without the bug must pass.
 *
 * The first part is a Chase-Lev deque (Le et al. 2013) of its own, so that
 * this test does not lean on sched/deque.c; a bug is a bit of `planted`.
 */
#include "model.h"
#include <errno.h>

enum {
    NO_TAKE_FENCE = 1,
    NO_STEAL_FENCE = 2,
    NO_PUSH_FENCE = 4,
    PUSH_BY_STORE = 8, /* release store in push, relaxed ones in take */
    NO_CAS = 16,       /* the last entry is taken without asking */
    NO_STEAL_ACQUIRE = 32
};

enum { ITEMS = 3, SLOTS = 4 };

struct item {
    int payload;
    unsigned taken; /* by the thread that runs: all on one real thread */
};

static unsigned planted;
static a64 top, bottom;
static aptr slots[SLOTS];
static struct item items[ITEMS];

static void push(struct item *item)
{
    uint64_t b = a64_load(&bottom, RELAXED);

    plain_write(item->payload, 7);
    aptr_store(&slots[b % SLOTS], item, RELAXED);
    if ((planted & PUSH_BY_STORE) != 0) {
        a64_store(&bottom, b + 1, RELEASE);
        return;
    }
    if ((planted & NO_PUSH_FENCE) == 0) {
        fence_release();
    }
    a64_store(&bottom, b + 1, RELAXED);
}

static struct item *take(void)
{
    uint64_t b = a64_load(&bottom, RELAXED) - 1, t;
    struct item *item = NULL;

    a64_store(&bottom, b, RELAXED);
    if ((planted & NO_TAKE_FENCE) == 0) {
        fence_full();
    }
    t = a64_load(&top, RELAXED);
    if ((int64_t)(b - t) < 0) {
        a64_store(&bottom, b + 1, RELAXED);
        return NULL;
    }
    item = aptr_load(&slots[b % SLOTS], RELAXED);
    if (b == t) {
        if ((planted & NO_CAS) == 0 &&
            !a64_cas(&top, &t, t + 1, SEQ_CST, RELAXED)) {
            item = NULL;
        }
        a64_store(&bottom, b + 1, RELAXED);
    }
    return item;
}

static struct item *steal(void)
{
    uint64_t t = a64_load(&top, ACQUIRE), b;
    struct item *item;

    if ((planted & NO_STEAL_FENCE) == 0) {
        fence_full();
    }
    b = a64_load(&bottom, (planted & NO_STEAL_ACQUIRE) ? RELAXED : ACQUIRE);
    if ((int64_t)(b - t) <= 0) {
        return NULL;
    }
    item = aptr_load(&slots[t % SLOTS], RELAXED);
    return a64_cas(&top, &t, t + 1, SEQ_CST, RELAXED) ? item : NULL;
}

static void use(struct item *item)
{
    if (item != NULL) {
        MODEL_CHECK(plain_read(item->payload) == 7);
        MODEL_CHECK(item->taken++ == 0);
    }
}

static void clear(unsigned bugs)
{
    planted = bugs;
    a64_init(&top, 0);
    a64_init(&bottom, 0);
    for (unsigned i = 0; i < SLOTS; i++) {
        aptr_init(&slots[i], NULL);
    }
    for (unsigned i = 0; i < ITEMS; i++) {
        items[i] = (struct item){0, 0};
    }
}

static void owner(void)
{
    push(&items[0]);
    push(&items[1]);
    use(take());
    push(&items[2]);
    use(take());
    use(take());
}

static void thief(void)
{
    use(steal());
    use(steal());
}

static void all_taken(void)
{
    struct item *item;

    while ((item = take()) != NULL) {
        use(item);
    }
    for (unsigned i = 0; i < ITEMS; i++) {
        MODEL_CHECK(items[i].taken == 1);
    }
}

#define DEQUE(id, bugs, ...)                                                   \
    static void clear_##id(void)                                               \
    {                                                                          \
        clear(bugs);                                                           \
    }                                                                          \
    MODEL(id, .setup = clear_##id, .threads = {owner, thief, thief},           \
          .check = all_taken, .preemptions = 3, .runs = 100000,                \
          .flags = MODEL_ONE_FORM, __VA_ARGS__)

DEQUE(deque_right, 0, .weak = 2);
DEQUE(deque_no_take_fence, NO_TAKE_FENCE, .must_fail = "taken");
DEQUE(deque_no_steal_fence, NO_STEAL_FENCE, .must_fail = "taken");
DEQUE(deque_no_push_fence, NO_PUSH_FENCE, .must_fail = "race");
DEQUE(deque_push_by_store, PUSH_BY_STORE, .must_fail = "race");
DEQUE(deque_no_cas, NO_CAS, .must_fail = "taken");
DEQUE(deque_no_steal_acquire, NO_STEAL_ACQUIRE, .must_fail = "race");

/* ---- waiting ------------------------------------------------------------- */

static a32 word, ready, lock;
static int value;
static struct box {
    a32 done;
    int result;
} * box;

static void clear_words(void)
{
    a32_init(&word, 0);
    a32_init(&ready, 0);
    a32_init(&lock, 0);
    value = 0;
    box = model_alloc(sizeof(*box));
    a32_init(&box->done, 0);
}

/* The classic lost wake-up: the sleeper announces itself, looks for work and
 * sleeps; the waker adds work and looks for sleepers. */

static void sleeper(void)
{
    a32_store(&ready, 1, RELAXED);
    fence_full();
    if (a32_load(&word, RELAXED) == 0) {
        futex_wait(&ready, 1, INT64_MAX);
    }
}

static void waker(void)
{
    a32_store(&word, 1, RELAXED);
    fence_full();
    if (a32_load(&ready, RELAXED) == 1) {
        a32_store(&ready, 0, RELAXED);
        futex_wake(&ready, 1);
    }
}

static void waker_no_fence(void)
{
    a32_store(&word, 1, RELAXED);
    if (a32_load(&ready, RELAXED) == 1) {
        a32_store(&ready, 0, RELAXED);
        futex_wake(&ready, 1);
    }
}

static void waker_no_store(void)
{
    a32_store(&word, 1, RELAXED);
    fence_full();
    if (a32_load(&ready, RELAXED) == 1) {
        futex_wake(&ready, 1);
    }
}

MODEL(wake_right, .setup = clear_words, .threads = {sleeper, waker});
MODEL(wake_no_fence, .setup = clear_words, .threads = {sleeper, waker_no_fence},
      .must_fail = "deadlock: T0 in a futex");
MODEL(wake_no_store, .setup = clear_words, .threads = {sleeper, waker_no_store},
      .must_fail = "deadlock: T0 in a futex");

static void timed_sleeper(void)
{
    int rc = futex_wait(&ready, 0, model_now() + 50);

    MODEL_CHECK(rc == 0 || rc == -ETIMEDOUT || rc == -EINTR);
    MODEL_CHECK(rc != -ETIMEDOUT || model_now() >= 1050);
    model_outcome(rc == 0 ? 0 : rc == -EINTR ? 2 : 1);
}

static void timed_waker(void)
{
    a32_store(&ready, 1, RELAXED);
    futex_wake(&ready, 1);
}

MODEL(futex_ends, .setup = clear_words, .threads = {timed_sleeper, timed_waker},
      .flags = MODEL_EINTR, .must_see = 7);
MODEL(futex_no_timeout, .setup = clear_words,
      .threads = {timed_sleeper, timed_waker}, .timeouts = MODEL_TIMEOUT_NEVER,
      .must_see = 1, .must_not_see = 6);
/* The second word of nothing at all. */
static void wakes_nobody(void)
{
    futex_wake((a32 *)(uintptr_t)sizeof(a32), 1);
}

MODEL(futex_nowhere, .setup = clear_words,
      .threads = {wakes_nobody, timed_waker},
      .must_fail = "futex wake: no word");
MODEL(futex_alone, .setup = clear_words, .threads = {timed_sleeper},
      .timeouts = MODEL_TIMEOUT_IDLE, .must_see = 2);

/* A spin lock: mutual exclusion of a plain field, and a bug in each half. */

static void add_under_lock(int enter, int leave)
{
    uint32_t held = 0;

    while (!a32_cas(&lock, &held, 1, enter, RELAXED)) {
        held = 0;
        spin_pause();
    }
    plain_write(value, plain_read(value) + 1);
    a32_store(&lock, 0, leave);
}

static void locker(void)
{
    add_under_lock(ACQUIRE, RELEASE);
}

static void locker_relaxed_enter(void)
{
    add_under_lock(RELAXED, RELEASE);
}

static void locker_relaxed_leave(void)
{
    add_under_lock(ACQUIRE, RELAXED);
}

static void both_added(void)
{
    MODEL_CHECK(value == 2);
}

MODEL(lock_right, .setup = clear_words, .threads = {locker, locker},
      .check = both_added);
MODEL(lock_no_acquire, .setup = clear_words,
      .threads = {locker, locker_relaxed_enter}, .must_fail = "race: value");
MODEL(lock_no_release, .setup = clear_words,
      .threads = {locker, locker_relaxed_leave}, .must_fail = "race: value");

static void forgets_to_leave(void)
{
    a32_xchg(&lock, 1, ACQUIRE);
}

MODEL(lock_kept, .setup = clear_words, .threads = {locker, forgets_to_leave},
      .must_fail = "livelock");

/* ---- the life of memory -------------------------------------------------- */

static void finisher(void)
{
    plain_write(box->result, 5);
    a32_store(&box->done, 1, RELEASE);
}

static void late_finisher(void)
{
    a32_store(&box->done, 1, RELEASE);
    plain_write(box->result, 5);
}

static void relaxed_finisher(void)
{
    plain_write(box->result, 5);
    a32_store(&box->done, 1, RELAXED);
}

static void collector(void)
{
    while (a32_load(&box->done, ACQUIRE) == 0) {
        spin_pause();
    }
    model_free(box);
}

MODEL(life_right, .setup = clear_words, .threads = {finisher, collector});
MODEL(life_late, .setup = clear_words, .threads = {late_finisher, collector},
      .must_fail = "dead");
MODEL(life_relaxed, .setup = clear_words,
      .threads = {relaxed_finisher, collector}, .must_fail = "dead too early");

static void freer(void)
{
    model_free(box);
}

MODEL(life_twice, .setup = clear_words, .threads = {freer, freer},
      .must_fail = "twice");

/* ---- tasks --------------------------------------------------------------- */

static void parked(void)
{
    model_park();
    MODEL_CHECK(plain_read(value) == 3);
}

static void unparker(void)
{
    plain_write(value, 3);
    model_unpark(0);
}

static void second_unparker(void)
{
    model_unpark(0);
}

MODEL(park_right, .setup = clear_words, .threads = {parked, unparker});
MODEL(park_forgotten, .setup = clear_words, .threads = {parked},
      .must_fail = "deadlock: T0 parked");
MODEL(park_twice, .setup = clear_words,
      .threads = {parked, unparker, second_unparker}, .must_fail = "twice");

static void crasher(void)
{
    volatile int *volatile nowhere = NULL;

    *nowhere = 1;
}

MODEL(crash, .threads = {crasher}, .must_fail = "crash: signal 11");

/* So is one by an atomic access, and the next run begins all the same. */
static void atomic_crasher(void)
{
    a32 *nowhere = (a32 *)(uintptr_t)24;

    a32_store(nowhere, 1, RELAXED);
}

MODEL(crash_atomic, .threads = {atomic_crasher},
      .must_fail = "crash: signal 11");
