/*
 * races.c - programs with a planted race, and the same programs without it.
 *
 *     races CASE racy      ThreadSanitizer must report a data race
 *     races CASE ordered   it must report nothing
 *
 * Would catch: annotations of the fibers that hide what tasks do to each other
 * without order (then nobody's races are found), or that miss an order which
 * R61 promises (then correct programs are reported). One worker, so that
 * nothing but the annotations tells two tasks apart.
 */
#include <roost/roost.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool racy;
static int shared;

static int no_tasks_end(void *arg)
{
    (void)arg;
    return roost_yield();
}

/* Two tasks that take turns: the order of their turns is chance. */
static int add_twice(void *arg)
{
    int *own = arg;

    ++*own;
    roost_yield();
    ++*own;
    return 0;
}

static int siblings(void *arg)
{
    static int apart[2];
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    roost_spawn(&s, add_twice, racy ? &shared : &apart[0]);
    roost_spawn(&s, add_twice, racy ? &shared : &apart[1]);
    /* So that both start in the loop, not on this stack at close. */
    no_tasks_end(NULL);
    return roost_scope_close(&s, 0);
}

static int write_shared(void *arg)
{
    (void)arg;
    roost_yield();
    shared = 1;
    return 0;
}

/* spawn -> start; end -> close. */
static int read_before_close(void *arg)
{
    roost_scope s;
    int seen, rc;

    (void)arg;
    shared = 7;
    roost_scope_open(&s, NULL);
    roost_spawn(&s, write_shared, NULL);
    roost_yield();
    roost_yield();
    seen = racy ? shared : 0;
    rc = roost_scope_close(&s, 0);
    return rc < 0 ? rc : seen + shared >= 0 ? 0 : 1;
}

/* end -> join, but not end -> whatever has merely waited long enough. */
static int read_before_join(void *arg)
{
    roost_task task;
    roost_task_opts opts = {.handle = &task};
    roost_scope s;
    int status;

    (void)arg;
    roost_scope_open(&s, NULL);
    roost_spawn_opts(&s, write_shared, NULL, &opts);
    if (racy) {
        roost_sleep(10 * ROOST_MS);
    } else {
        roost_join(&task, &status);
    }
    shared++;
    return roost_scope_close(&s, 0);
}

static int wait_then_read(void *arg)
{
    (void)arg;
    while (roost_sleep(ROOST_S) == 0) {
    }
    return shared == 3 ? 0 : 1;
}

/* cancel -> the -ECANCELED that it causes. */
static int write_and_cancel(void *arg)
{
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    roost_spawn(&s, wait_then_read, NULL);
    roost_yield();
    if (racy) {
        roost_scope_cancel(&s, 0);
        shared = 3;
    } else {
        shared = 3;
        roost_scope_cancel(&s, 0);
    }
    return roost_scope_close(&s, 0);
}

/* All others wait -> settle returns. */
static int write_and_settle(void *arg)
{
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    roost_spawn(&s, write_shared, NULL);
    if (racy) {
        roost_sleep(10 * ROOST_MS);
    } else {
        roost_settle();
    }
    shared++;
    return roost_scope_close(&s, 0);
}

static const struct {
    const char *name;
    roost_fn fn;
} cases[] = {
    {"siblings", siblings},       {"close", read_before_close},
    {"join", read_before_join},   {"cancel", write_and_cancel},
    {"settle", write_and_settle},
};

int main(int argc, char **argv)
{
    roost_opts opts = {.workers = 1};
    size_t i;

    if (argc != 3) {
        fprintf(stderr, "usage: races CASE racy|ordered\n");
        return 2;
    }
    racy = strcmp(argv[2], "racy") == 0;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (strcmp(argv[1], cases[i].name) == 0) {
            int rc = roost_run(cases[i].fn, NULL, &opts);

            printf("%s %s: %d\n", argv[1], argv[2], rc);
            return rc < 0;
        }
    }
    fprintf(stderr, "races: no case %s\n", argv[1]);
    return 2;
}
