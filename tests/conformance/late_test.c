/*
 * late_test.c - how late a deadline shows to tasks that compute on all workers
 * and never wait: at most 1 ms (R11). Would catch a look at the clock every few
 * milliseconds, or only when a worker turns to something else.
 *
 * A machine that is busy delays whoever sleeps until then, the library's watch
 * as any other, and takes the processor from who computes. So a thread of this
 * test, the witness, sleeps until the same moment; what counts is how long a
 * task computes after the witness is up, in time of the processor. The watch
 * may be delayed and the witness not; the median of many rounds does not care.
 * A machine that is busy hides some lateness so, but makes none. RUN_SERIAL
 */
#include "tasks.h"

#include <pthread.h>

enum { ROUNDS = 101 };

static roost_ns clock_of(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return t.tv_sec * ROOST_S + t.tv_nsec;
}

/* Sleeps until the moment, and says when it is up. */
struct witness {
    roost_ns at;
    int up;
};

static void *witness(void *arg)
{
    struct witness *w = arg;
    struct timespec t = {w->at / ROOST_S, w->at % ROOST_S};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0) {
    }
    test_set(&w->up, 1);
    return NULL;
}

struct poller {
    roost_fn poll;
    struct witness *w;
    roost_ns late; /* computed since the witness was up */
};

static int ask(void *arg)
{
    (void)arg;
    return roost_cancelled();
}

static int check(void *arg)
{
    (void)arg;
    return roost_checkpoint() != 0;
}

static int compute(void *arg)
{
    struct poller *p = arg;
    roost_ns from = 0;

    while (!p->poll(NULL)) {
        if (from == 0 && test_get(&p->w->up)) {
            from = clock_of(CLOCK_THREAD_CPUTIME_ID);
        }
    }
    CHECK(clock_of(CLOCK_MONOTONIC) >= p->w->at); /* never early */
    p->late = from == 0 ? 0 : clock_of(CLOCK_THREAD_CPUTIME_ID) - from;
    return -ECANCELED;
}

/* Of the last of them. A task may begin on one worker and be cancelled there:
 * the time is of one thread. */
static roost_ns lateness(roost_fn poll)
{
    struct witness w = {.at = roost_in(2 * ROOST_MS)};
    struct poller p[8];
    roost_ns last = 0;
    pthread_t thread;
    roost_scope s;

    CHECK_EQ(pthread_create(&thread, NULL, witness, &w), 0);
    roost_scope_open(&s, &(roost_scope_opts){.deadline = w.at});
    for (unsigned i = 0; i < test_workers; i++) {
        p[i] = (struct poller){poll, &w, 0};
        CHECK_EQ(SPAWN_OPTS(&s, compute, &p[i], .flags = ROOST_PIN), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    pthread_join(thread, NULL);
    for (unsigned i = 0; i < test_workers; i++) {
        last = p[i].late > last ? p[i].late : last;
    }
    return last;
}

static int by_value(const void *a, const void *b)
{
    roost_ns x = *(const roost_ns *)a, y = *(const roost_ns *)b;

    return (x > y) - (x < y);
}

static roost_ns median(roost_fn poll)
{
    roost_ns late[ROUNDS];

    for (int i = 0; i < ROUNDS; i++) {
        late[i] = lateness(poll);
    }
    qsort(late, ROUNDS, sizeof(late[0]), by_value);
    return late[ROUNDS / 2];
}

TEST(a_poll_shows_a_deadline_at_most_a_millisecond_late, "R11")
{
    CHECK(median(ask) <= ROOST_MS);
}

TEST(a_checkpoint_shows_a_deadline_at_most_a_millisecond_late, "R11")
{
    CHECK(median(check) <= ROOST_MS);
}
