/*
 * offload_test.c - offloaded calls of a simulated program: what they wait for
 * and what they leave of the thread that hosts them all. Would catch a deadline
 * of the virtual clock that is held against the real one, a call that keeps all
 * others from running while it waits, a thread with another's name.
 */
#include "sim.h"

#include <sys/prctl.h>
#include <unistd.h>

struct pipes {
    int fd[2];
    roost_ns timeout; /* 0: none */
    roost_ns took;
    int rc, order;
};

/* On a thread of the pool: it waits for the descriptor itself. */
static int await_byte(void *arg)
{
    struct pipes *p = arg;
    roost_ns t = roost_now();

    p->rc = roost_wait_fd_until(p->fd[0], ROOST_READABLE,
                                p->timeout == 0 ? ROOST_NEVER
                                                : roost_in(p->timeout));
    p->took = roost_now() - t;
    return 0;
}

static int wait_in_vain(void *arg)
{
    return roost_offload(await_byte, arg);
}

/* By the virtual clock it is the whole time, whatever the real one says. */
TEST_PLAIN(an_offloaded_wait_times_out_by_the_virtual_clock, "R10 R11 R65")
{
    struct pipes p = {.timeout = 3600 * ROOST_S, .rc = 1};

    CHECK_EQ(pipe(p.fd), 0);
    CHECK_EQ(sim_run(wait_in_vain, &p, 1, 0), 0);
    CHECK_EQ(p.rc, -ETIMEDOUT);
    CHECK_EQ(p.took, 3600 * ROOST_S);
    close(p.fd[0]);
    close(p.fd[1]);
}

static int write_byte(void *arg)
{
    struct pipes *p = arg;

    for (int i = 0; i < 1000; i++) {
        CHECK_EQ(roost_yield(), 0);
    }
    CHECK_EQ(write(p->fd[1], "x", 1), 1);
    return 0;
}

static int wait_and_write(void *arg)
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, wait_in_vain, arg), 0);
    CHECK_EQ(roost_spawn(&s, write_byte, arg), 0);
    return roost_scope_close(&s, 0);
}

/* What it waits for comes from a task of the same simulation. */
TEST_PLAIN(an_offloaded_wait_holds_nobody_up, "R54 R57")
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct pipes p = {.rc = 1};

        CHECK_EQ(pipe(p.fd), 0);
        CHECK_EQ(sim_run(wait_and_write, &p, seed, 0), 0);
        CHECK_EQ(p.rc, ROOST_READABLE);
        close(p.fd[0]);
        close(p.fd[1]);
    }
}

/* Two of them at once, each for the other's: their descriptors are their own.
 */
struct pair {
    struct pipes p[2];
};

static int pass_on(void *arg)
{
    struct pipes *p = arg;
    char byte;

    CHECK_EQ(roost_wait_fd(p->fd[0], ROOST_READABLE), ROOST_READABLE);
    CHECK_EQ(read(p->fd[0], &byte, 1), 1);
    CHECK_EQ(write(p->fd[1], &byte, 1), 1);
    p->rc = byte;
    return 0;
}

static int offload_pass_on(void *arg)
{
    return roost_offload(pass_on, arg);
}

static int two_at_once(void *arg)
{
    struct pair *pair = arg;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, offload_pass_on, &pair->p[0]), 0);
    CHECK_EQ(roost_spawn(&s, offload_pass_on, &pair->p[1]), 0);
    CHECK_EQ(roost_sleep(ROOST_MS), 0);
    CHECK_EQ(write(pair->p[1].fd[1], "y", 1), 1);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(two_offloaded_waits_at_once, "R54 R57")
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct pair pair;
        int a[2], b[2];
        char byte = 0;

        CHECK_EQ(pipe(a), 0);
        CHECK_EQ(pipe(b), 0);
        pair.p[0] = (struct pipes){.fd = {a[0], b[1]}};
        pair.p[1] = (struct pipes){.fd = {b[0], a[1]}};
        CHECK_EQ(sim_run(two_at_once, &pair, seed, 0), 0);
        CHECK_EQ(pair.p[0].rc, 'y');
        CHECK_EQ(pair.p[1].rc, 'y');
        CHECK_EQ(read(a[0], &byte, 1), 1);
        CHECK_EQ(byte, 'y');
        close(a[0]);
        close(a[1]);
        close(b[0]);
        close(b[1]);
    }
}

/* A channel in a select of an offloaded call rings its bell. */
static int select_there(void *arg)
{
    roost_case cases[2];
    struct pipes *p = arg;
    int item = 0;

    cases[0] = roost_on_fd(p->fd[0], ROOST_READABLE);
    cases[1] = roost_on_recv((roost_chan *)(uintptr_t)p->took, &item);
    p->rc = roost_select(cases, 2);
    return item;
}

static int offload_select(void *arg)
{
    return roost_offload(select_there, arg) == 7 ? 0 : -EIO;
}

static int select_and_send(void *arg)
{
    struct pipes *p = arg;
    roost_chan *c = roost_chan_new(sizeof(int), 1);
    int item = 7, rc;
    roost_scope s;

    p->took = (roost_ns)(uintptr_t)c;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, offload_select, p), 0);
    CHECK_EQ(roost_sleep(ROOST_MS), 0);
    CHECK_EQ(roost_chan_send(c, &item), 0);
    rc = roost_scope_close(&s, 0);
    roost_chan_free(c);
    return rc;
}

TEST_PLAIN(an_offloaded_select_on_both_kinds, "R49 R54")
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct pipes p = {.rc = 9};

        CHECK_EQ(pipe(p.fd), 0);
        CHECK_EQ(sim_run(select_and_send, &p, seed, 0), 0);
        CHECK_EQ(p.rc, 1);
        close(p.fd[0]);
        close(p.fd[1]);
    }
}

/* Ten times which of two that are both ready, in binary. */
static int select_ten_times(void *arg)
{
    unsigned *chosen = arg;
    roost_event one = ROOST_EVENT_INIT, other = ROOST_EVENT_INIT;
    roost_case cases[2] = {roost_on_event(&one), roost_on_event(&other)};

    CHECK_EQ(roost_event_set(&one), 0);
    CHECK_EQ(roost_event_set(&other), 0);
    for (int i = 0; i < 10; i++) {
        *chosen = 2 * *chosen + (unsigned)roost_select(cases, 2);
    }
    return 0;
}

static int offload_ten_selects(void *arg)
{
    return roost_offload(select_ten_times, arg);
}

TEST_PLAIN(an_offloaded_select_chooses_by_the_seed, "R49 R54")
{
    bool differ = false;
    unsigned last = 0;

    for (uint64_t seed = 1; seed <= 20; seed++) {
        unsigned chosen = 0, again = 0;

        CHECK_EQ(sim_run(offload_ten_selects, &chosen, seed, 0), 0);
        CHECK_EQ(sim_run(offload_ten_selects, &again, seed, 0), 0);
        CHECK_EQ(chosen, again);
        differ = differ || (seed > 1 && chosen != last);
        last = chosen;
    }
    CHECK(differ);
}

static int note_name(void *arg)
{
    return prctl(PR_GET_NAME, arg, 0, 0, 0);
}

static int offload_note_name(void *arg)
{
    return roost_offload(note_name, arg);
}

/* All are on the program's own thread, whose name is its own. */
TEST_PLAIN(the_thread_keeps_its_name, "R72")
{
    char before[16] = "", inside[16] = "", after[16] = "";

    CHECK_EQ(note_name(before), 0);
    CHECK_EQ(sim_run(offload_note_name, inside, 1, 0), 0);
    CHECK_EQ(note_name(after), 0);
    CHECK_STR(inside, before);
    CHECK_STR(after, before);
}
