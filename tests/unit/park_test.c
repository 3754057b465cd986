/*
 * park_test.c - sched/park.c alone: what each step does to the counts, the list
 * and the sleeper, one after the other. What threads may do to each other at
 * them is in tests/model/park_model.c.
 *
 * Would catch: a field left as it was found; too many searchers, or too few; a
 * last searcher that is not told so; the wrong sleeper woken; a guest counted
 * as a searcher; a wake-up told at the wrong place, or to nobody.
 */
#define TEST_NO_RUNTIME
#include "../test.h"

#include "park.h"
#include <sched.h>

enum { WORKERS = 4 };

/* All of the cases use these: what is in them is of the case before. */
static struct park park;
static struct parker parkers[WORKERS];
static struct parker *poked; /* by whoever woke it */
static int pokes;
static int wakes; /* system calls to wake one */

int __real_futex_wake(a32 *word, int n);
int __wrap_futex_wake(a32 *word, int n);

/* One sleeper at most is there to be woken, or the call is for nothing. */
int __wrap_futex_wake(a32 *word, int n)
{
    bool known = false;

    for (unsigned i = 0; i < WORKERS; i++) {
        known = known || word == &parkers[i].notified;
    }
    CHECK(known);
    CHECK_EQ(n, 1);
    wakes++;
    return __real_futex_wake(word, n);
}

static void poke(struct park *p, struct parker *k)
{
    CHECK(p == &park);
    poked = k;
    pokes++;
}

static void begin(unsigned workers)
{
    memset(&park, 0xa5, sizeof park);
    memset(parkers, 0xa5, sizeof parkers);
    park_init(&park, workers);
    CHECK(park.poke == NULL);
    park.poke = poke;
    for (unsigned i = 0; i < WORKERS; i++) {
        parker_init(&parkers[i]);
    }
    poked = NULL;
    pokes = wakes = 0;
}

static void check_counts(unsigned searching, unsigned parked)
{
    CHECK_EQ(a32_load(&park.word, RELAXED),
             searching * PARK_SEARCHING + parked * PARK_PARKED);
    CHECK_EQ(a32_load(&park.lock, RELAXED), 0);
    CHECK_EQ(park_wanted(&park), parked > 0 && searching == 0);
    CHECK_EQ(park_all(&park), parked == park.workers);
}

/* Sleeps as one that did not search; nobody else sleeps then or all do. */
static void falls_asleep(unsigned i, bool all)
{
    CHECK_EQ(park_announce(&park, &parkers[i], false), all);
    CHECK(!park_chosen(&parkers[i]));
}

static void never_slept(void)
{
    CHECK(list_empty(&park.sleepers));
    check_counts(0, 0);
}

TEST(whatever_was_there_before_they_begin_anew, "R8")
{
    begin(WORKERS);
    never_slept();
    CHECK_EQ(a32_load(&park.lookouts, RELAXED), 0);
    for (unsigned i = 0; i < WORKERS; i++) {
        CHECK_EQ(a32_load(&parkers[i].notified, RELAXED), PARKER_ASLEEP);
        CHECK(parkers[i].link.next == NULL && parkers[i].link.prev == NULL);
        CHECK(!parkers[i].guest);
        CHECK(!park_retract(&park, &parkers[i]));
        park_wake(&park, &parkers[i]);
    }
    park_wake_one(&park);
    park_wake_all(&park);
    never_slept();
    CHECK_EQ(wakes, 0);
}

TEST(half_of_the_workers_search, "R29")
{
    begin(WORKERS);
    CHECK(park_search_begin(&park));
    check_counts(1, 0);
    CHECK(park_search_begin(&park));
    CHECK(!park_search_begin(&park));
    check_counts(2, 0);
    CHECK(!park_search_end(&park)); /* another one searches still */
    CHECK(park_search_begin(&park));
    CHECK(!park_search_end(&park));
    CHECK(park_search_end(&park)); /* the last one */
    never_slept();
    begin(1); /* rounded up: or it would never look */
    CHECK(park_search_begin(&park));
    CHECK(!park_search_begin(&park));
    begin(3);
    CHECK(park_search_begin(&park));
    CHECK(park_search_begin(&park));
    CHECK(!park_search_begin(&park));
}

/* The sleepers are no searchers. */
TEST(who_sleeps_does_not_search, "R29")
{
    begin(2);
    CHECK(park_search_begin(&park));
    CHECK(!park_announce(&park, &parkers[0], true));
    check_counts(0, 1);
    CHECK(park_search_begin(&park));
    CHECK(!park_search_begin(&park));
    check_counts(1, 1);
    CHECK(park_search_end(&park));
    check_counts(0, 1);
}

TEST(the_last_one_to_sleep_is_told, "R63")
{
    begin(2);
    falls_asleep(0, false);
    falls_asleep(1, true);
    check_counts(0, 2);
    CHECK(park_retract(&park, &parkers[0]));
    check_counts(1, 1);
    CHECK(park_announce(&park, &parkers[0], true));
    check_counts(0, 2);
}

TEST(the_one_that_fell_asleep_last_is_woken, "R29")
{
    begin(WORKERS);
    falls_asleep(0, false);
    falls_asleep(1, false);
    falls_asleep(2, false);
    park_wake_one(&park);
    CHECK(park_chosen(&parkers[2]));
    CHECK(!park_chosen(&parkers[1]) && !park_chosen(&parkers[0]));
    check_counts(1, 2);
    park_wake_one(&park); /* somebody searches: that is enough */
    check_counts(1, 2);
    CHECK(park_sleep(&parkers[2], INT64_MAX)); /* woken: it does not sleep */
    CHECK(park_search_end(&park));
    park_wake_one(&park);
    CHECK(park_chosen(&parkers[1]) && !park_chosen(&parkers[0]));
    check_counts(1, 1);
    CHECK(!park_retract(&park, &parkers[1])); /* it is awake */
    check_counts(1, 1);
}

TEST(a_guest_is_woken_last_and_does_not_count, "R29")
{
    begin(WORKERS);
    falls_asleep(0, false);
    parkers[1].guest = true;
    falls_asleep(1, false);
    falls_asleep(2, false);
    for (unsigned awake = 0; awake < 2; awake++) {
        park_wake_one(&park);
        CHECK(!park_chosen(&parkers[1]));
        CHECK(park_search_end(&park));
    }
    CHECK(park_chosen(&parkers[0]) && park_chosen(&parkers[2]));
    park_wake_one(&park);
    CHECK(park_chosen(&parkers[1]));
    never_slept();
    falls_asleep(1, false);
    CHECK(park_retract(&park, &parkers[1]));
    never_slept();
}

TEST(this_very_one_is_woken, "R5")
{
    begin(WORKERS);
    falls_asleep(0, false);
    falls_asleep(1, false);
    falls_asleep(2, false);
    CHECK(park_search_begin(&park)); /* does not matter here */
    park_wake(&park, &parkers[1]);
    CHECK(park_chosen(&parkers[1]));
    CHECK(!park_chosen(&parkers[0]) && !park_chosen(&parkers[2]));
    check_counts(2, 2);
    park_wake(&park, &parkers[1]); /* awake */
    park_wake(&park, &parkers[3]); /* never slept */
    CHECK_EQ(wakes, 1);
    check_counts(2, 2);
    park_wake_all(&park);
    for (unsigned i = 0; i < 3; i++) {
        CHECK(park_chosen(&parkers[i]));
    }
    check_counts(4, 0);
    CHECK(list_empty(&park.sleepers));
    CHECK_EQ(wakes, 3);
}

TEST(its_time_has_come_and_it_sleeps_still, "R11")
{
    struct timespec now;
    int64_t at, later;

    begin(WORKERS);
    falls_asleep(0, false);
    clock_gettime(CLOCK_MONOTONIC, &now);
    at = now.tv_sec * INT64_C(1000000000) + now.tv_nsec + 2000000;
    CHECK(!park_sleep(&parkers[0], at));
    clock_gettime(CLOCK_MONOTONIC, &now);
    later = now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
    CHECK(later >= at);
    check_counts(0, 1);
    CHECK(list_linked(&parkers[0].link));
    CHECK(park_retract(&park, &parkers[0]));
    check_counts(1, 0);
}

/* One that waits in epoll, say, is woken there, and once. */
TEST(who_sleeps_elsewhere_is_woken_there, "R5")
{
    begin(WORKERS);
    falls_asleep(0, false);
    CHECK(park_elsewhere(&parkers[0]));
    CHECK(!park_chosen(&parkers[0]));
    park_wake(&park, &parkers[0]);
    CHECK(pokes == 1 && poked == &parkers[0]);
    CHECK(park_chosen(&parkers[0]));
    park_back(&parkers[0]); /* does not undo it */
    CHECK(park_chosen(&parkers[0]));
    CHECK(!park_elsewhere(&parkers[0]));
    CHECK(park_search_end(&park));

    falls_asleep(0, false);
    CHECK(park_elsewhere(&parkers[0]));
    CHECK(park_elsewhere(&parkers[0])); /* still */
    park_wake_one(&park);
    CHECK_EQ(pokes, 2);
    CHECK(park_search_end(&park));

    falls_asleep(0, false);
    CHECK(park_elsewhere(&parkers[0]));
    park_wake_all(&park);
    CHECK_EQ(pokes, 3);
    CHECK(park_search_end(&park));

    falls_asleep(0, false);
    CHECK(park_elsewhere(&parkers[0]));
    park_back(&parkers[0]);
    CHECK_EQ(wakes, 0);
    park_wake(&park, &parkers[0]); /* by its futex */
    CHECK(pokes == 3 && wakes == 1);
    check_counts(1, 0);
}

/* --- sleepers that are threads --- */

struct sleeper {
    struct parker *self;
    pthread_t thread;
    int tid; /* 0: not known yet */
};

static void *sleep_until_woken(void *arg)
{
    struct sleeper *s = arg;

    test_set(&s->tid, gettid());
    CHECK(park_sleep(s->self, INT64_MAX));
    CHECK(park_chosen(s->self));
    return NULL;
}

/* Until the kernel says that it sleeps: on its futex, for it does no more. */
static void await_sleep(struct sleeper *s)
{
    char path[64], state = 'R';

    while (test_get(&s->tid) == 0) {
        sched_yield();
    }
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", test_get(&s->tid));
    while (state != 'S') {
        FILE *file = fopen(path, "r");

        CHECK(file != NULL);
        if (file == NULL || fscanf(file, "%*d %*s %c", &state) != 1) {
            state = 'S';
        }
        if (file != NULL) {
            fclose(file);
        }
        sched_yield();
    }
}

/* Each sleeps for as long as nobody wakes it. */
static void wake_three(void (*wake)(void))
{
    struct sleeper sleepers[3] = {{0}};

    begin(WORKERS);
    for (unsigned i = 0; i < 3; i++) {
        sleepers[i].self = &parkers[i];
        falls_asleep(i, false);
        pthread_create(&sleepers[i].thread, NULL, sleep_until_woken,
                       &sleepers[i]);
        await_sleep(&sleepers[i]);
    }
    wake();
    for (unsigned i = 0; i < 3; i++) {
        pthread_join(sleepers[i].thread, NULL);
    }
    check_counts(3, 0);
}

static void wake_all(void)
{
    park_wake_all(&park);
}

static void wake_each(void)
{
    for (unsigned i = 0; i < 3; i++) {
        park_wake(&park, &parkers[i]);
    }
}

TEST(threads_that_sleep_are_woken, "R5")
{
    wake_three(wake_all);
    wake_three(wake_each);
}
