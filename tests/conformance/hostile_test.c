/*
 * hostile_test.c - what a program, or a machine, may do to the library that no
 * other test does: the answer is an error or nothing at all, never a hang, an
 * abort or something lost. docs/reliability.md lists all such situations.
 */
#include "tasks.h"

#include <poll.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* ---- CLOCK_REALTIME ---- */

static int years_back; /* of CLOCK_REALTIME, as all of this process sees it */

/* In place of libc's, for the library too. */
int clock_gettime(clockid_t id, struct timespec *t)
{
    int rc = (int)syscall(SYS_clock_gettime, id, t);

    if (rc == 0 && id == CLOCK_REALTIME) {
        t->tv_sec -= (time_t)test_get(&years_back) * 365 * 24 * 3600;
    }
    return rc;
}

static int set_back(void *arg)
{
    (void)arg;
    test_set(&years_back, 1);
    return roost_sleep(ROOST_MS);
}

/* Times are those of a clock that nobody sets. */
TEST(the_calendar_set_back_a_year_moves_no_deadline, "R10 R11")
{
    roost_ns t = roost_now();
    roost_scope s;

    roost_scope_open(&s, &(roost_scope_opts){.timeout = 20 * ROOST_MS});
    CHECK_EQ(roost_spawn(&s, set_back, NULL), 0);
    CHECK_EQ(roost_sleep(ROOST_S), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK(roost_now() - t >= 20 * ROOST_MS);
    CHECK_EQ(roost_sleep(ROOST_MS), 0);
    test_set(&years_back, 0);
}

/* ---- a full eventfd ---- */

/* A loop outside has read a channel's descriptor, or filled it, as it might any
 * other eventfd: items still come, in order, and nobody blocks. */
TEST(a_full_eventfd_loses_nothing, "R46 R48")
{
    roost_chan *c = roost_chan_new(sizeof(int), 4);
    struct pollfd p = {.fd = roost_chan_fd(c), .events = POLLIN};
    uint64_t full = UINT64_MAX - 1, got;
    int item;

    CHECK(p.fd >= 0);
    CHECK_EQ(write(p.fd, &full, sizeof(full)), (ssize_t)sizeof(full));
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(roost_chan_send(c, &i), 0);
        CHECK_EQ(poll(&p, 1, 0), 1);
        if (i % 3 == 0) {
            CHECK_EQ(read(p.fd, &got, sizeof(got)), (ssize_t)sizeof(got));
        }
        CHECK_EQ(roost_chan_recv(c, &item), 0);
        CHECK_EQ(item, i);
    }
    roost_chan_free(c);
}

/* ---- a producer that is faster than its consumer ---- */

enum { ITEMS = 20000, ROOM = 8 };

static int produce(void *arg)
{
    int rc = 0;

    for (int i = 0; i < ITEMS && rc == 0; i++) {
        rc = roost_chan_send(arg, &i);
    }
    roost_chan_close(arg);
    return rc;
}

/* It waits: what lies between them is never more than there is room for. */
TEST(a_fast_producer_waits_for_its_consumer, "R46")
{
    roost_chan *c = roost_chan_new(sizeof(int), ROOM);
    roost_chan_info info;
    roost_scope s;
    int item = -1, n = 0;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, produce, c), 0);
    while (roost_chan_recv(c, &item) == 0) {
        CHECK_EQ(item, n++);
        if (n % 64 == 0) {
            CHECK_EQ(roost_yield(), 0);
        }
    }
    CHECK_EQ(n, ITEMS);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_chan_stats(c, &info);
    CHECK(info.high_water <= ROOM);
    roost_chan_free(c);
}

/* ---- a lock of pthreads ---- */

struct pair {
    pthread_mutex_t mutex;
    int inside, rc;
};

/* Pinned, it is the same thread that locks and unlocks. */
static int hold_over_a_wait(void *arg)
{
    struct pair *p = arg;

    CHECK_EQ(pthread_mutex_lock(&p->mutex), 0);
    CHECK_EQ(p->inside++, 0);
    CHECK_EQ(roost_sleep(5 * ROOST_MS), 0);
    p->inside--;
    CHECK_EQ(pthread_mutex_unlock(&p->mutex), 0); /* else -EPERM */
    return 0;
}

static int lock_there(void *arg)
{
    struct pair *p = arg;

    CHECK_EQ(pthread_mutex_lock(&p->mutex), 0);
    CHECK_EQ(p->inside, 0);
    CHECK_EQ(pthread_mutex_unlock(&p->mutex), 0);
    return 0;
}

/* On a thread of the pool: the worker's may be the one that holds it. */
static int lock_elsewhere(void *arg)
{
    return roost_offload(lock_there, arg);
}

TEST(a_pthread_mutex_held_across_a_wait, "R69")
{
    pthread_mutexattr_t attr;
    struct pair p = {.inside = 0};
    roost_scope s;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
    CHECK_EQ(pthread_mutex_init(&p.mutex, &attr), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, hold_over_a_wait, &p, .flags = ROOST_PIN), 0);
    CHECK_EQ(roost_sleep(ROOST_MS), 0);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(roost_spawn(&s, lock_elsewhere, &p), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    pthread_mutex_destroy(&p.mutex);
    pthread_mutexattr_destroy(&attr);
}
