/*
 * tasks.h - task functions and small helpers that the conformance tests share.
 *
 * A `nap` is the usual child: it sleeps, notes what it saw, and returns what
 * it was told to, or the failure of its sleep.
 */
#ifndef ROOST_TEST_TASKS_H
#define ROOST_TEST_TASKS_H

#include "../test.h"

#include <stdint.h>

#define OPEN(s, ...) roost_scope_open((s), &(roost_scope_opts){__VA_ARGS__})
#define SPAWN_OPTS(s, fn, arg, ...)                                            \
    roost_spawn_opts((s), (fn), (arg), &(roost_task_opts){__VA_ARGS__})

struct nap {
    roost_ns d;   /* how long */
    int status;   /* what to return after it */
    int stubborn; /* return status even if the sleep was cut short */
    int runs;     /* how often it began */
    int rc;       /* of the sleep */
    int ended;    /* the last thing it sets */
    roost_ns woke;
};

TEST_UNUSED static int nap(void *arg)
{
    struct nap *n = (struct nap *)arg;

    test_add(&n->runs, 1);
    n->rc = roost_sleep(n->d);
    n->woke = roost_now();
    test_set(&n->ended, 1);
    return n->rc < 0 && !n->stubborn ? n->rc : n->status;
}

/* Returns the int that arg points to. */
TEST_UNUSED static int give(void *arg)
{
    return *(const int *)arg;
}

TEST_UNUSED static int succeed(void *arg)
{
    (void)arg;
    return 0;
}

/* Returns -EIO. */
TEST_UNUSED static int fail_io(void *arg)
{
    (void)arg;
    return -EIO;
}

TEST_UNUSED static int sleep_forever(void *arg)
{
    (void)arg;
    return roost_sleep(ROOST_NEVER);
}

/* Adds one to the int that arg points to. */
TEST_UNUSED static int count(void *arg)
{
    test_add((int *)arg, 1);
    return 0;
}

/* What was written to stderr between capture_begin and capture_end. */
struct capture {
    int saved;
    FILE *file;
    char text[65536];
};

TEST_UNUSED static void capture_begin(struct capture *c)
{
    fflush(stderr);
    c->saved = dup(STDERR_FILENO);
    c->file = tmpfile();
    if (c->file == NULL || c->saved < 0) {
        perror("capture");
        exit(1);
    }
    dup2(fileno(c->file), STDERR_FILENO);
}

TEST_UNUSED static const char *capture_end(struct capture *c)
{
    size_t n;

    fflush(stderr);
    dup2(c->saved, STDERR_FILENO);
    close(c->saved);
    rewind(c->file);
    n = fread(c->text, 1, sizeof c->text - 1, c->file);
    c->text[n] = '\0';
    fclose(c->file);
    return c->text;
}

/* The number of *arg becomes that of Fibonacci, by a task a number. */
TEST_UNUSED static int fib_by_tasks(void *arg)
{
    int *n = (int *)arg, a = *n - 1, b = *n - 2, rc;
    roost_scope s;

    if (*n < 2) {
        return 0;
    }
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, fib_by_tasks, &a), 0);
    rc = fib_by_tasks(&b);
    rc = roost_scope_close(&s, rc);
    *n = a + b;
    return rc;
}

#endif
