/*
 * when_test.c - tasks that wait before they start, when memory or descriptors
 * run out.
 *
 * Would catch: a refused call that has left something behind (a count, a clause
 * in a queue, a timer, a binding), one that fails its scope, a task that was
 * accepted and starts twice or never, a leak.
 *
 * __wrap_malloc() __wrap_calloc() __wrap_free() __wrap_posix_memalign()
 * __wrap_mmap() __wrap_munmap() __wrap_madvise() __wrap_syscall()
 * __wrap_pthread_create() __wrap_eventfd() __wrap_signalfd()
 */
#include "fault/ops.h"

#include <sys/socket.h>

struct begun {
    int runs, status;
};

static int begin(void *arg)
{
    struct begun *b = arg;

    b->status = roost_when_status();
    test_add(&b->runs, 1);
    return 0;
}

/* Accepted it runs once, refused never, and then the scope is as before. */
static bool waits_for(roost_case c, bool *happens)
{
    struct begun b = {0}, again = {0};
    roost_scope s;
    int rc;

    roost_scope_open(&s, NULL);
    fault_go();
    rc = roost_spawn_when_until(&s, c, begin, &b, roost_in(20 * ROOST_MS));
    fault_end();
    CHECK(rc == 0 || rc == -ENOMEM);
    CHECK_EQ(roost_spawn_when(&s, roost_on_time(1), begin, &again), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(b.runs, rc == 0);
    CHECK_EQ(again.runs, 1);
    *happens = b.status >= 0;
    return rc == 0;
}

static bool waits_for_an_event(void)
{
    roost_event e;
    bool happens;
    bool granted;

    CHECK_EQ(roost_event_init(&e), 0);
    granted = waits_for(roost_on_event(&e), &happens);
    CHECK(!happens || !granted);
    roost_event_destroy(&e); /* nobody stands there */
    return granted;
}

TEST_PLAIN(an_event_refused, "R8 R29")
{
    under_faults(waits_for_an_event, false, 2);
}

/* With bindings, and in a scope with a deadline and a name. */
static roost_local key;

static bool waits_in_a_dressed_scope(void)
{
    roost_scope_opts opts = {.timeout = ROOST_S, .name = "dressed"};
    struct begun b = {0};
    roost_scope s;
    int rc;

    roost_scope_open(&s, &opts);
    CHECK_EQ(roost_local_bind(&s, &key, &b), 0);
    fault_go();
    rc = roost_spawn_when(&s, roost_on_time(roost_in(ROOST_MS)), begin, &b);
    fault_end();
    CHECK(rc == 0 || rc == -ENOMEM);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(b.runs, rc == 0);
    return rc == 0;
}

TEST_PLAIN(a_time_refused, "R8 R29 R31")
{
    under_faults(waits_in_a_dressed_scope, false, 2);
}

/* What a descriptor needs (an entry, the poller) fails its case, not the call:
 * then the task begins at once, and is told. */
static bool waits_for_a_descriptor(void)
{
    struct begun b = {.status = 99};
    bool granted;
    roost_scope s;
    int fds[2];
    int rc;

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    roost_scope_open(&s, NULL);
    fault_go();
    rc = roost_spawn_when(&s, roost_on_fd(fds[0], ROOST_READABLE), begin, &b);
    granted = !fault_end();
    CHECK(rc == 0 || rc == -ENOMEM);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(b.runs, rc == 0);
    CHECK(rc != 0 || b.status == ROOST_READABLE || b.status == -ENOMEM ||
          b.status == -EMFILE);
    CHECK_EQ(roost_close(fds[0]), 0);
    CHECK_EQ(roost_close(fds[1]), 0);
    return granted;
}

TEST_PLAIN(a_descriptor_refused, "R29 R58")
{
    under_faults(waits_for_a_descriptor, true, 4);
}
