/*
 * trace_test.c - traces when memory, threads, descriptors or the disk run out.
 *
 * Would catch: a start that leaves its writer, its file or its room behind; a
 * runtime that stops for want of room for records; a write that fails, is
 * interrupted or takes a part only, and is not heard of or breaks the file.
 *
 * __wrap_malloc() __wrap_calloc() __wrap_free() __wrap_posix_memalign()
 * __wrap_mmap() __wrap_munmap() __wrap_madvise() __wrap_syscall()
 * __wrap_pthread_create() __wrap_eventfd() __wrap_signalfd()
 * __wrap_open() __wrap_write()
 */
#include "fault/ops.h"

#include <fcntl.h>

static const char path[] = "/tmp/roost-fault-trace";

/* What happens to writes into the trace's file. */
enum trouble { NONE, FULL, INTERRUPTED, PARTS };
static enum trouble trouble;
static int trouble_at; /* at this one, and all after it but for INTERRUPTED */
static int writes;     /* of the file, so far */
static int file = -1;  /* the trace's */

int __real_open(const char *name, int flags, ...);
ssize_t __real_write(int fd, const void *p, size_t n);
int __wrap_open(const char *name, int flags, ...);
ssize_t __wrap_write(int fd, const void *p, size_t n);

int __wrap_open(const char *name, int flags, ...)
{
    int fd;

    if (fault_hits(FAULT_FD)) {
        errno = EMFILE;
        return -1;
    }
    fd = __real_open(name, flags, 0666);
    if (strcmp(name, path) == 0) {
        test_set(&file, fd);
    }
    return fd;
}

ssize_t __wrap_write(int fd, const void *p, size_t n)
{
    int k;

    if (trouble == NONE || fd != test_get(&file)) {
        return __real_write(fd, p, n);
    }
    k = test_add(&writes, 1);
    if (trouble == FULL && k >= trouble_at) {
        errno = ENOSPC;
        return -1;
    }
    if (trouble == INTERRUPTED && k == trouble_at) {
        errno = EINTR;
        return -1;
    }
    if (trouble == PARTS && k >= trouble_at && n > 1000) {
        n = 1000;
    }
    return __real_write(fd, p, n);
}

/* Removes it. */
static bool complete(void)
{
    char tail[4] = "";
    FILE *f = fopen(path, "r");
    bool whole = f != NULL && fseek(f, -3, SEEK_END) == 0 &&
                 fread(tail, 1, 3, f) == 3 && strcmp(tail, "}}\n") == 0;

    if (f != NULL) {
        fclose(f);
    }
    unlink(path);
    return whole;
}

/* Without room for records they are dropped, and the rest goes on. */
static bool start_and_stop(void)
{
    int rc;

    fault_go();
    rc = roost_trace_start(path);
    CHECK(rc == 0 || rc == -ENOMEM || rc == -EAGAIN || rc == -EMFILE);
    if (rc != 0) {
        fault_end();
        CHECK_EQ(roost_trace_stop(), -EINVAL);
        return false;
    }
    CHECK_EQ(roost_sleep(ROOST_US), 0);
    CHECK_EQ(roost_trace_stop(), 0);
    CHECK(complete());
    return true;
}

TEST_PLAIN(traces_under_faults, "R2")
{
    under_faults(start_and_stop, true, 5);
    unlink(path);
}

static int turns(void *arg)
{
    int rc = 0;

    (void)arg;
    for (int i = 0; rc == 0 && i < 1000; i++) {
        rc = roost_yield();
    }
    return rc;
}

static int many_turns(void *arg)
{
    int rc = roost_trace_start(path);
    roost_scope s;

    (void)arg;
    if (rc != 0) {
        return rc;
    }
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, turns, NULL), 0);
    CHECK_EQ(turns(NULL), 0);
    rc = roost_scope_close(&s, 0);
    return rc == 0 ? roost_trace_stop() : rc;
}

static int traced_with(enum trouble what, int at)
{
    roost_opts opts = {.workers = 1};
    int rc;

    trouble = what;
    trouble_at = at;
    writes = 0;
    rc = roost_run(many_turns, NULL, &opts);
    trouble = NONE;
    return rc;
}

TEST_PLAIN(a_write_that_fails_is_told, "R2")
{
    for (int at = 1; at <= 8; at++) {
        struct fault_balance was = fault_balance_now();

        CHECK_EQ(traced_with(FULL, at), -ENOSPC);
        CHECK_EQ(writes, at); /* not tried again */
        CHECK(!complete());
        if (at > 1) {
            fault_compare(was);
        }
    }
}

TEST_PLAIN(an_interrupted_write_goes_on, "R2")
{
    for (int at = 1; at <= 8; at++) {
        CHECK_EQ(traced_with(INTERRUPTED, at), 0);
        CHECK(writes > at);
        CHECK(complete());
        CHECK_EQ(traced_with(PARTS, at), 0);
        CHECK(complete());
    }
}
