/*
 * host.h - an event loop by poll(2) that hosts a runtime, for guest_*_test.c.
 */
#ifndef ROOST_TEST_HOST_H
#define ROOST_TEST_HOST_H

#include "test.h"

#include <poll.h>

/* The tests' own work by the way. */
static inline int64_t host_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * ROOST_S + t.tv_nsec;
}

TEST_UNUSED static void compute(int64_t ns)
{
    int64_t until = host_now() + ns;

    while (host_now() < until) {
    }
}

static roost_runtime *host_open(const roost_opts *more)
{
    roost_opts opts = more == NULL ? test_no_opts : *more;
    roost_runtime *rt = NULL;

    opts.workers = test_workers;
    CHECK_EQ(roost_guest_start(&rt, &opts), 0);
    return rt;
}

static void host_close(roost_runtime *rt)
{
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
}

/* Is there something to do, now or within ms? */
static bool host_readable(roost_runtime *rt, int ms)
{
    struct pollfd fd = {.fd = roost_guest_fd(rt), .events = POLLIN};
    int n;

    do {
        n = poll(&fd, 1, ms);
    } while (n < 0 && errno == EINTR);
    CHECK(n >= 0);
    return n > 0;
}

/* The whole loop. What another worker does the host is not told: with others
 * it looks for itself. */
TEST_UNUSED static void host_until(roost_runtime *rt, const int *flag,
                                   int wanted)
{
    while (test_get(flag) < wanted) {
        (void)host_readable(rt, test_workers == 1 ? -1 : 1);
        CHECK(roost_guest_turn(rt, ROOST_MS) >= 0);
    }
}

/* Until the host has nothing to do, for a while. */
TEST_UNUSED static void host_rests(roost_runtime *rt)
{
    while (host_readable(rt, 50)) {
        CHECK(roost_guest_turn(rt, ROOST_NEVER) >= 0);
    }
}

TEST_UNUSED static int adds_one(void *n)
{
    test_add((int *)n, 1);
    return 0;
}

struct sleeper {
    roost_ns d;
    int times, ended;
};

TEST_UNUSED static int sleeps(void *arg)
{
    struct sleeper *s = (struct sleeper *)arg;

    for (int i = 0; i < s->times; i++) {
        roost_ns until = roost_now() + s->d;

        CHECK_EQ(roost_sleep_until(until), 0);
        CHECK(roost_now() >= until);
    }
    test_add(&s->ended, 1);
    return 0;
}

/* Counts what comes: [2]. */
TEST_UNUSED static int reads(void *arg)
{
    int *fd = (int *)arg;
    char byte;

    while (roost_read(fd[0], &byte, 1) == 1) {
        CHECK_EQ(byte, (char)test_add(&fd[2], 1));
    }
    test_set(&fd[2], 1000);
    return roost_close(fd[0]);
}

#endif
