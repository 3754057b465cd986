/*
 * idle.c - a runtime that has nothing to do, for a look from outside: strace
 * must see no system call of it between the two marks (R66).
 *
 *   idle MODE SECONDS
 *     never     started, never used
 *     after     after work that kept all workers busy
 *     sleeper   a task sleeps until long after the second mark
 *     reader    a task has read from a descriptor, and waits for more
 *     guest     likewise, in the loop of the main thread, and one sleeps
 *     guests    likewise, beside another worker
 *
 * The main thread writes the marks to stderr and sleeps in one system call
 * between them.
 */
#include <poll.h>
#include <roost/roost.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Long enough for every worker to have given up looking for work. */
#define SETTLE_NS 300000000

struct span {
    long depth;
};

static int fan_out(void *arg)
{
    struct span inner = {((struct span *)arg)->depth - 1};
    roost_scope s;

    if (inner.depth < 0) {
        return roost_yield();
    }
    roost_scope_open(&s, NULL);
    roost_spawn(&s, fan_out, &inner);
    roost_spawn(&s, fan_out, &inner);
    return roost_scope_close(&s, 0);
}

static int sleep_long(void *arg)
{
    (void)arg;
    return roost_sleep(3600 * ROOST_S);
}

static int reads_all(void *arg)
{
    const int *fds = arg;
    char byte;
    ssize_t n = 1;

    for (int i = 0; i < 100 && n == 1; i++) {
        roost_write(fds[1], "x", 1);
        n = roost_read(fds[0], &byte, 1);
    }
    return n == 1 ? (int)roost_read(fds[0], &byte, 1) : (int)n;
}

static void mark(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0) {
        abort();
    }
}

static void rest(long seconds, long ns)
{
    const struct timespec span = {.tv_sec = seconds, .tv_nsec = ns};

    nanosleep(&span, NULL);
}

/* The loop of a host, for so long. False: it came round for nothing. */
static bool loop(roost_runtime *rt, int ms, bool turns)
{
    struct pollfd fd = {.fd = roost_guest_fd(rt), .events = POLLIN};
    roost_ns end = roost_now() + ms * ROOST_MS;

    while (poll(&fd, 1, ms) > 0 && turns && roost_now() < end) {
        (void)roost_guest_turn(rt, ROOST_MS);
    }
    return fd.revents == 0;
}

static bool is_guest(const char *mode)
{
    return strncmp(mode, "guest", 5) == 0;
}

static int prepare(roost_runtime *rt, const char *mode)
{
    static int fds[2];
    struct span whole = {16};

    if (strcmp(mode, "never") == 0) {
        return 0;
    }
    if (strcmp(mode, "after") == 0) {
        return roost_call(rt, fan_out, &whole);
    }
    if (strcmp(mode, "sleeper") == 0) {
        return roost_post(rt, sleep_long, NULL, 0);
    }
    if (is_guest(mode) && roost_post(rt, sleep_long, NULL, 0) < 0) {
        return -1;
    }
    if (is_guest(mode) || strcmp(mode, "reader") == 0) {
        return pipe(fds) != 0 ? -1 : roost_post(rt, reads_all, fds, 0);
    }
    return -1;
}

int main(int argc, char **argv)
{
    roost_opts opts = {.workers = 2};
    roost_runtime *rt;
    bool guest = argc == 3 && is_guest(argv[1]);
    bool idle = true;

    if (guest) {
        opts.workers = strcmp(argv[1], "guest") == 0 ? 1 : 2;
    }
    if (argc != 3 || (guest ? roost_guest_start(&rt, &opts)
                            : roost_start(&rt, &opts)) != 0) {
        fprintf(stderr, "usage: idle never|after|sleeper|reader|guest|guests "
                        "SECONDS\n");
        return 2;
    }
    if (prepare(rt, argv[1]) < 0) {
        return 1;
    }
    if (guest) {
        (void)loop(rt, SETTLE_NS / 1000000, true);
    } else {
        rest(0, SETTLE_NS);
    }
    mark("idle begins\n");
    if (guest) {
        idle = loop(rt, atoi(argv[2]) * 1000, false);
    } else {
        rest(atol(argv[2]), 0);
    }
    mark("idle ends\n");
    if (roost_stop(rt) < 0 || !idle) {
        return 1;
    }
    roost_runtime_free(rt);
    return 0;
}
