/*
 * clock_test.c - the fast clock against the exact one.
 *
 * Would catch: a fast clock that runs ahead, lags, goes back at a correction,
 * or after a long pause jumps by the error of its scale; a calibration that
 * takes longer than it should, or not long enough.
 * RUN_SERIAL: it compares times.
 */
#define TEST_NO_RUNTIME
#include "../test.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdint.h>

#define SAMPLE_NS 1000000000 /* of sampling, by each of two threads */

/* --- what calibration reads of the exact clock --- */

#define COUNTED_NS 250000 /* that long it counts, and no longer */
#define MOMENT 8          /* readings for one moment at most */

int __real_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t);

static struct {
    unsigned all;
    unsigned late;       /* of these: COUNTED_NS after `from`, or later */
    int64_t first, last; /* what they said */
    int64_t from;        /* no earlier than the first moment */
} readings;
static __thread bool noted;

int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
    int rc = __real_clock_gettime(id, t);

    if (noted) {
        readings.last = t->tv_sec * INT64_C(1000000000) + t->tv_nsec;
        if (readings.all == 0) {
            readings.first = readings.last;
        }
        if (readings.all < MOMENT) {
            readings.from = readings.last;
        }
        readings.late += readings.last - readings.from >= COUNTED_NS;
        readings.all++;
    }
    return rc;
}

/* It is over with the first reading that is late, but for the readings of the
 * second moment. Where there is no counter that it could use, it reads nothing.
 * How long it takes is what the machine makes of that. */
static void calibrate_noted(void)
{
    unsigned all;

    noted = true;
    clock_calibrate();
    all = readings.all;
    clock_calibrate(); /* once is enough */
    CHECK_EQ(readings.all, all);
    noted = false;
    CHECK(all == 0 || readings.last - readings.first >= COUNTED_NS);
    CHECK(readings.late <= 1 + MOMENT);
}

/* In a fresh process that has not calibrated, so this is the first test. */
TEST(calibration_counts_for_a_quarter_of_a_millisecond, "R66")
{
    pid_t pid = fork();
    int status = -1;

    if (pid == 0) {
        calibrate_noted();
        _exit(test_get(&test_failures));
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
}

/* --- many at once --- */

static void *calibrating_thread(void *arg)
{
    struct fastclock c = {0, 0};

    clock_calibrate();
    *(int64_t *)arg = clock_fast(&c);
    return NULL;
}

/* The second test: this process has not calibrated yet either. */
TEST(calibration_by_many_threads, "R72")
{
    pthread_t threads[8];
    int64_t times[8];
    int64_t before = clock_now();
    int i;

    for (i = 0; i < 8; i++) {
        pthread_create(&threads[i], NULL, calibrating_thread, &times[i]);
    }
    for (i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        CHECK(times[i] >= before - CLOCK_FAST_ERROR);
    }
}

struct sampled {
    int64_t ahead;     /* most that it was ahead of the clock read after it */
    int64_t behind;    /* and behind the one read before it */
    unsigned backward; /* steps back */
    unsigned late;     /* samples further behind than `allowed` */
    unsigned total;
};

static int64_t allowed; /* CLOCK_FAST_ERROR and the price of looking */

/* The least that two readings of the exact clock are apart, ten times: some 400
 * ns, and more under an emulator, whose counter is as coarse as 1 us. */
static void set_allowed(void)
{
    int64_t least = INT64_MAX;
    int i;

    for (i = 0; i < 1000; i++) {
        int64_t before = clock_now();
        int64_t took = clock_now() - before;

        least = took < least ? took : least;
    }
    allowed = CLOCK_FAST_ERROR + 10 * least;
}

/*
 * clock_now before and after bounds what the fast clock may say: above the
 * later by more than its error is ahead, whatever interrupts. Below the
 * earlier is behind.
 */
static void sample(struct fastclock *c, int64_t *last, struct sampled *s)
{
    int64_t before = clock_now();
    int64_t fast = clock_fast(c);
    int64_t after = clock_now();

    s->total++;
    s->backward += fast < *last;
    s->late += before - fast > allowed;
    s->ahead = fast - after > s->ahead ? fast - after : s->ahead;
    s->behind = before - fast > s->behind ? before - fast : s->behind;
    *last = fast;
}

static void *sampling_thread(void *arg)
{
    struct fastclock c = {0, 0};
    struct sampled *s = arg;
    int64_t end = clock_now() + SAMPLE_NS;
    int64_t last = 0;

    while (last < end || s->total <= 1000) {
        sample(&c, &last, s);
    }
    return NULL;
}

TEST(fast_clock_is_monotonic_and_never_ahead, "R11")
{
    struct sampled s[2];
    pthread_t threads[2];
    int i;

    memset(s, 0, sizeof(s));
    set_allowed();
    clock_calibrate();
    for (i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, sampling_thread, &s[i]);
    }
    for (i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        printf("%u samples, ahead %lld ns, behind %lld ns, late %u\n",
               s[i].total, (long long)s[i].ahead, (long long)s[i].behind,
               s[i].late);
        CHECK_EQ(s[i].backward, 0);
        CHECK(s[i].ahead <= CLOCK_FAST_ERROR);
        /* The machine may take a thread away between the two readings of a
         * correction; that it does so at every new try is rare. */
        CHECK(s[i].late <= s[i].total / 100);
    }
}

/* Pauses longer than a span, from a millisecond to a fifth of a second: the
 * first reading after one is as good as any. */
TEST(fast_clock_survives_pauses, "R11")
{
    struct fastclock c = {0, 0};
    struct sampled s;
    int64_t last = 0;
    unsigned ms;

    memset(&s, 0, sizeof(s));
    clock_calibrate();
    for (ms = 1; ms <= 200; ms *= 2) {
        struct timespec pause = {0, ms * 1000000};

        sample(&c, &last, &s);
        while (nanosleep(&pause, &pause) != 0) {
        }
        sample(&c, &last, &s);
    }
    CHECK_EQ(s.backward, 0);
    CHECK(s.ahead <= CLOCK_FAST_ERROR);
}

TEST(clock_now_is_the_kernels, "R11")
{
    struct timespec t;
    int64_t before = clock_now(), kernel;

    clock_gettime(CLOCK_MONOTONIC, &t);
    kernel = t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
    CHECK(before > 0);
    CHECK(before <= kernel);
    CHECK(kernel <= clock_now());
}

/* As if its scale had been too fast: it has shown a time two milliseconds
 * ahead. It stands still rather than go back, and is right again once the
 * true time has caught up. */
TEST(clock_that_ran_ahead_never_goes_back, "R11")
{
    struct fastclock c = {0, 0};
    struct timespec pause = {0, 1000000}, longer = {0, 20000000};
    int64_t shown, next;

    clock_calibrate();
    clock_fast(&c);
    c.base_ns += 2000000;
    shown = clock_fast(&c);
    nanosleep(&pause, NULL);
    next = clock_fast(&c);
    CHECK(next >= shown || c.base_ticks == 0);
    nanosleep(&longer, NULL);
    next = clock_fast(&c);
    CHECK(next <= clock_now() + CLOCK_FAST_ERROR);
}
