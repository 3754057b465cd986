/*
 * fd_close_test.c - sched/fd.c: a call that begins while its descriptor is
 * being closed, and gets there when the number is another file's.
 *
 * Would catch: one that is not held up until it is closed: it would try the old
 * file and wait for the next, or be told that the next is closed.
 */
#include "../test.h"

#include "fd.h"
#include <errno.h>
#include <unistd.h>

static struct fd_use use;
static int fds[2], next[2];
static int began, ended;

static void *begins(void *arg)
{
    test_set(&began, 1);
    fd_use(&use, fds[0]);
    test_set(&ended, 1);
    return arg;
}

/* By then it is held up, or about to be; and the number is used again. */
static int close_as_it_begins(int fd)
{
    static pthread_t thread;
    struct fd *f = fd_find(fd);

    CHECK(a32_load(&f->closed, RELAXED) & 1);
    CHECK_EQ(pthread_create(&thread, NULL, begins, NULL), 0);
    CHECK_EQ(pthread_detach(thread), 0);
    while (!test_get(&began)) {
        sched_yield();
    }
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(pipe(next), 0);
    CHECK_EQ(next[0], fd);
    CHECK(!test_get(&ended));
    return 0;
}

static int close_and_use(void *arg)
{
    const enum fd_how how[] = {FD_ONCE, FD_KEEP};
    struct fd_use before;

    (void)arg;
    for (int i = 0; i < 20; i++) {
        test_set(&began, 0);
        test_set(&ended, 0);
        CHECK_EQ(pipe(fds), 0);
        fd_use(&before, fds[0]);
        CHECK_EQ(fd_end(fds[0], close_as_it_begins), 0);
        while (!test_get(&ended)) {
            sched_yield();
        }
        CHECK_EQ(before.closed & 1, 0);
        CHECK_EQ(use.closed, before.closed + 2);
        CHECK_EQ(fd_wait(&before, ROOST_READABLE, how[i % 2], ROOST_NEVER),
                 -EBADF);
        /* It is about the next file, which is open. */
        CHECK_EQ(fd_wait(&use, ROOST_READABLE, how[i % 2], roost_in(ROOST_US)),
                 -ETIMEDOUT);
        CHECK_EQ(roost_close(next[0]), 0);
        close(next[1]);
        close(fds[1]);
    }
    return 0;
}

TEST_PLAIN(who_begins_while_it_is_closed_is_held_up, "R58")
{
    roost_opts opts = {.workers = 1};

    CHECK_EQ(roost_run(close_and_use, NULL, &opts), 0);
}
