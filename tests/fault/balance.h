/*
 * balance.h - refused descriptors, what must be the same before and after a
 * refused call, and the loop that refuses each call in turn. faults.h includes
 * it at its end.
 */
#ifndef ROOST_FAULT_BALANCE_H
#define ROOST_FAULT_BALANCE_H

#include "faults.h"
#include "procfs.h"

struct fault_thread {
    void *(*fn)(void *);
    void *arg;
};

static void *fault_thread(void *arg)
{
    struct fault_thread t = *(struct fault_thread *)arg;

    __real_free(arg);
    arg = t.fn(t.arg);
    test_add(&fault_threads, -1);
    return arg;
}

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr,
                          void *(*fn)(void *), void *arg)
{
    struct fault_thread *self;
    int rc;

    if (fault_hits(FAULT_THREAD)) {
        return EAGAIN;
    }
    self = __real_malloc(sizeof *self);
    if (self == NULL) {
        return EAGAIN;
    }
    *self = (struct fault_thread){fn, arg};
    test_add(&fault_threads, 1);
    rc = __real_pthread_create(t, attr, fault_thread, self);
    if (rc != 0) {
        test_add(&fault_threads, -1);
        __real_free(self);
    }
    return rc;
}

int __wrap_eventfd(unsigned value, int flags)
{
    int fd = -1;

    errno = EMFILE;
    if (!fault_hits(FAULT_FD)) {
        fd = __real_eventfd(value, flags);
    }
    return fd;
}

int __wrap_signalfd(int fd, const sigset_t *set, int flags)
{
    int made = -1;

    errno = EMFILE;
    if (!fault_hits(FAULT_FD)) {
        made = __real_signalfd(fd, set, flags);
    }
    return made;
}

/* --- balances --- */

struct fault_balance {
    int blocks, maps, open, threads;
};

static struct fault_balance fault_balance_now(void)
{
    return (struct fault_balance){test_get(&fault_blocks),
                                  test_get(&fault_maps), proc_fds(),
                                  test_get(&fault_threads)};
}

static void fault_compare(struct fault_balance was)
{
    struct fault_balance now = fault_balance_now();

    CHECK_EQ(now.blocks, was.blocks);
    CHECK_EQ(now.maps, was.maps);
    CHECK_EQ(now.open, was.open);
    CHECK_EQ(now.threads, was.threads);
}

/*
 * Does `once` for each kind, each k, one failure and all from k on; it calls
 * fault_go where they may begin, and may end them. It returns whether all that
 * it tried was granted, which must be so exactly when nothing was refused,
 * unless the operation can do without (`optional`), as guards by madvise can.
 */
struct fault_loop {
    bool (*once)(void *arg);
    void *arg;
    bool optional;
    int most; /* give up beyond: the operation asks for ever */
};

static int fault_loop_kind(const struct fault_loop *l, enum fault kind,
                           bool sticky)
{
    for (int k = 1; k <= l->most; k++) {
        struct fault_balance was = fault_balance_now();
        int before = test_get(&test_failures);
        bool granted;
        bool refused;

        fault_choose(kind, k, sticky);
        granted = l->once(l->arg);
        refused = fault_end();
        fault_compare(was);
        CHECK(refused || granted);
        CHECK(!refused || !granted || l->optional || kind == FAULT_ADVICE);
        if (test_get(&test_failures) != before) {
            fprintf(stderr, "with %s refused at call %d%s\n", fault_names[kind],
                    k, sticky ? " and from then on" : "");
        }
        if (!refused) {
            return k - 1;
        }
    }
    fprintf(stderr, "%s: more than %d calls\n", fault_names[kind], l->most);
    CHECK(!"the loop over k ends");
    return l->most;
}

/* How many faults were tried in all. */
TEST_UNUSED static int fault_loop(const struct fault_loop *l)
{
    int tried = 0;

    for (int kind = 0; kind < FAULT_KINDS; kind++) {
        tried += fault_loop_kind(l, (enum fault)kind, false);
        tried += fault_loop_kind(l, (enum fault)kind, true);
    }
    return tried;
}

#endif
