/*
 * guest_others_test.c - a guest beside other workers. Would catch tasks, timers
 * and descriptors that wait for a host that is late; work that only the host
 * could take, and is not told of.
 */
#include "host.h"

#include <sys/socket.h>

/* ---- a host that is late, beside other workers ---- */

struct late {
    int n;
    int fd[3];
    struct sleeper s;
};

static int arms_all(void *arg)
{
    struct late *l = (struct late *)arg;
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 8; i++) {
        CHECK_EQ(roost_spawn(&s, sleeps, &l->s), 0);
    }
    CHECK_EQ(roost_spawn(&s, reads, l->fd), 0);
    return roost_scope_close(&s, 0);
}

static void waits_for(const int *flag, int wanted)
{
    struct timespec pause = {0, 1000000};

    while (test_get(flag) < wanted) {
        nanosleep(&pause, NULL);
    }
}

TEST_PLAIN(others_go_on_without_a_host_that_is_late, "R60 R11 R58")
{
    roost_runtime *rt = host_open(NULL);
    struct late l = {.s = {.d = 5 * ROOST_MS, .times = 4}};
    char byte = 1;

    if (test_workers == 1) {
        host_close(rt);
        return;
    }
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, l.fd), 0);
    host_rests(rt);
    CHECK_EQ(roost_post(rt, arms_all, &l, 0), 0);
    for (int i = 0; i < 20; i++) { /* some of it on worker 0 */
        CHECK(roost_guest_turn(rt, 100 * ROOST_US) >= 0);
    }
    waits_for(&l.s.ended, 8);
    CHECK_EQ(write(l.fd[1], &byte, 1), 1);
    waits_for(&l.fd[2], 1);
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(roost_post(rt, adds_one, &l.n, 0), 0);
    }
    waits_for(&l.n, 100);
    close(l.fd[1]);
    waits_for(&l.fd[2], 1000);
    host_rests(rt);
    host_close(rt);
}

/* Two workers: one computes with a woken task in its run-next slot, which the
 * host, idle, is to take. */
struct slot {
    roost_event e;
    int ran, waits, stop;
};

static int waits_for_event(void *arg)
{
    struct slot *s = (struct slot *)arg;

    test_set(&s->waits, 1);
    CHECK_EQ(roost_event_wait(&s->e), 0);
    test_set(&s->ran, 1);
    return 0;
}

static int sets_and_computes(void *arg)
{
    struct slot *s = (struct slot *)arg;

    roost_event_set(&s->e);
    while (!test_get(&s->ran)) {
        compute(20 * ROOST_US);
    }
    test_set(&s->stop, 1);
    return 0;
}

TEST_PLAIN(a_host_takes_what_another_worker_has_woken, "R60")
{
    roost_runtime *rt = host_open(NULL);
    struct slot s = {.ran = 0};

    if (test_workers == 1) {
        host_close(rt);
        return;
    }
    roost_event_init(&s.e);
    CHECK_EQ(roost_post(rt, waits_for_event, &s, 0), 0);
    host_until(rt, &s.waits, 1);
    host_rests(rt);
    CHECK_EQ(roost_post(rt, sets_and_computes, &s, 0), 0);
    while (!test_get(&s.stop)) {
        if (host_readable(rt, 1)) {
            CHECK(roost_guest_turn(rt, ROOST_MS) >= 0);
        }
    }
    host_close(rt);
    roost_event_destroy(&s.e);
}
