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

/* ---- two guests, and a guest beside a runtime of threads ---- */

struct relay {
    roost_chan *in, *out;
    int *ended;
};

static int relays(void *arg)
{
    struct relay *r = (struct relay *)arg;
    int n;

    while (roost_chan_recv(r->in, &n) == 0) {
        n++;
        CHECK_EQ(roost_chan_send(r->out, &n), 0);
    }
    roost_chan_close(r->out);
    test_add(r->ended, 1);
    return 0;
}

static void *hosts_another(void *arg)
{
    struct relay *r = (struct relay *)arg;
    roost_runtime *rt = host_open(NULL);

    CHECK_EQ(roost_post(rt, relays, r, 0), 0);
    host_until(rt, r->ended, 1);
    host_close(rt);
    return NULL;
}

TEST_PLAIN(tasks_of_two_guests_talk, "R72")
{
    roost_chan *c[3];
    int ended[2] = {0, 0};
    struct relay r[2];
    pthread_t threads[2];

    for (int i = 0; i < 3; i++) {
        c[i] = roost_chan_new(sizeof(int), (size_t)i);
    }
    for (int i = 0; i < 2; i++) {
        r[i] = (struct relay){c[i], c[i + 1], &ended[i]};
        CHECK_EQ(pthread_create(&threads[i], NULL, hosts_another, &r[i]), 0);
    }
    for (int i = 0; i < 200; i++) {
        int n = i;

        CHECK_EQ(roost_chan_send(c[0], &n), 0);
        CHECK_EQ(roost_chan_recv(c[2], &n), 0);
        CHECK_EQ(n, i + 2);
    }
    roost_chan_close(c[0]);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < 3; i++) {
        roost_chan_free(c[i]);
    }
}

static int asks_the_guest(void *arg)
{
    struct relay *r = (struct relay *)arg;
    int n = 1;

    CHECK_EQ(roost_chan_send(r->in, &n), 0);
    CHECK_EQ(roost_chan_recv(r->out, &n), 0);
    return n;
}

/* The host waits for another runtime, whose task waits for the guest. */
TEST_PLAIN(a_host_that_waits_elsewhere_carries_its_worker, "R57 R72")
{
    roost_runtime *rt = host_open(NULL);
    roost_runtime *other = NULL;
    roost_opts opts = test_opts();
    int ended = 0;
    struct relay r = {roost_chan_new(sizeof(int), 0),
                      roost_chan_new(sizeof(int), 0), &ended};

    CHECK_EQ(roost_start(&other, &opts), 0);
    CHECK_EQ(roost_post(rt, relays, &r, 0), 0);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(roost_call(other, asks_the_guest, &r), 2);
    }
    roost_chan_close(r.in);
    host_until(rt, &ended, 1);
    CHECK_EQ(roost_stop(other), 0);
    roost_runtime_free(other);
    host_close(rt);
    roost_chan_free(r.in);
    roost_chan_free(r.out);
}

/* ---- a task that goes wrong on the host's thread is named ---- */

static int holds_the_worker(void *arg)
{
    compute(ROOST_S);
    return adds_one(arg);
}

static void holds_it(void)
{
    roost_opts opts = {.stall = 20 * ROOST_MS};
    roost_task_opts name = {.name = "busy"};
    roost_runtime *rt = host_open(&opts);
    roost_group *g = NULL;
    int n = 0;

    CHECK_EQ(roost_group_new(&g, rt, NULL), 0);
    CHECK_EQ(roost_group_submit(g, holds_the_worker, &n, &name, NULL), 0);
    host_until(rt, &n, 1);
    abort();
}

TEST_PLAIN(a_task_that_holds_the_hosts_worker_is_named, "R60")
{
    CHECK_ABORTS("busy has held worker", holds_it());
}

/* Not a tail call, and never 0. */
static int digs(int depth)
{
    volatile char room[512];

    room[0] = (char)depth;
    return depth > 100000000 ? 1 : digs(depth + 1) + room[0];
}

static int overflows(void *arg)
{
    (void)arg;
    return digs(1);
}

static void overflows_it(void)
{
    roost_runtime *rt = host_open(NULL);

    (void)roost_call(rt, overflows, NULL);
}

TEST_PLAIN(a_task_that_overflows_on_the_hosts_thread_is_named, "R60")
{
    CHECK_DIES("overflow", overflows_it());
}
