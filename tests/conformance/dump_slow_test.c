/*
 * dump_slow_test.c - a dump into a pipe that nobody reads for now.
 *
 * Would catch: a dump that holds a lock of the tree while it writes, so that a
 * task that waits for the first time, or a cancel, stands still until somebody
 * reads.
 */
#include "tasks.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { CROWD = 500 };

static int rest(void *arg)
{
    (void)arg;
    return roost_sleep(ROOST_NEVER);
}

static void *dump_there(void *arg)
{
    int *fd = arg;
    int rc = roost_dump(*fd);

    close(*fd);
    *fd = rc;
    return NULL;
}

/* Somebody writes there, and cannot go on. */
static void until_full(int fd, int room)
{
    int n = 0;

    while (n < room) {
        CHECK_EQ(ioctl(fd, FIONREAD, &n), 0);
        sched_yield();
    }
}

/* How many of these lines there are. */
static int read_all(int fd, const char *line)
{
    static char text[1 << 20];
    size_t done = 0;
    ssize_t n = 1;
    int count = 0;

    while (n > 0 && done < sizeof text - 1) {
        n = read(fd, text + done, sizeof text - 1 - done);
        done += n > 0 ? (size_t)n : 0;
    }
    text[done] = '\0';
    for (const char *at = text; (at = strstr(at, line)) != NULL; at++) {
        count++;
    }
    return count;
}

TEST(a_dump_that_nobody_reads_holds_nobody_up, "R12 R63")
{
    pthread_t thread;
    roost_scope s;
    int ends[2], room, in;

    CHECK_EQ(pipe(ends), 0);
    room = fcntl(ends[1], F_SETPIPE_SZ, 4096);
    CHECK(room >= 4096);
    in = ends[1];
    roost_scope_open(&s, NULL);
    for (int i = 0; i < CROWD; i++) {
        CHECK_EQ(SPAWN_OPTS(&s, rest, NULL, .name = "crowd member"), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(pthread_create(&thread, NULL, dump_there, &in), 0);
    until_full(ends[0], room);
    /* Each takes the locks that the dump has had. */
    CHECK_EQ(SPAWN_OPTS(&s, rest, NULL, .name = "one more"), 0);
    CHECK_EQ(roost_sleep(ROOST_MS), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(read_all(ends[0], "task crowd member: "), CROWD);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(in, 0);
    close(ends[0]);
}
