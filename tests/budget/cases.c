/*
 * cases.c - the hottest paths, each done as often as asked: cases NAME COUNT.
 *
 * With one worker, so that what is executed is the same each time; check.py
 * counts the instructions of it. Exit status 0, or 1 where something went
 * wrong, or 2.
 */
#include <roost/hot.h>
#include <roost/roost.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct budget_case {
    const char *name;
    int (*run)(long count); /* 0, or what went wrong */
};

/* --- fork and join --- */

static int leaf(void *arg)
{
    (*(long *)arg)++;
    return 0;
}

/* The second child is the certain one of deque.h, the first the last. */
static int fork_join(long count)
{
    long ran = 0;

    for (long i = 0; i < count; i++) {
        roost_scope s;

        roost_scope_open(&s, NULL);
        roost_spawn(&s, leaf, &ran);
        roost_spawn(&s, leaf, &ran);
        if (roost_scope_close(&s, 0) != 0) {
            return -1;
        }
    }
    return ran == 2 * count ? 0 : -1;
}

static int hot(long count)
{
    long ran = 0;

    for (long i = 0; i < count; i++) {
        roost_hot h[2];

        roost_hot_fork(&h[0], leaf, &ran);
        roost_hot_fork(&h[1], leaf, &ran);
        if (roost_hot_join(&h[1], leaf, &ran) != 0 ||
            roost_hot_join(&h[0], leaf, &ran) != 0) {
            return -1;
        }
    }
    return ran == 2 * count ? 0 : -1;
}

static int storm(long count)
{
    long ran = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (long i = 0; i < count; i++) {
        roost_spawn(&s, leaf, &ran);
    }
    return roost_scope_close(&s, 0) == 0 && ran == count ? 0 : -1;
}

static int deadline(long count)
{
    for (long i = 0; i < count; i++) {
        int rc;

        ROOST_SCOPE(s, rc, .timeout = ROOST_S) {
            (void)s;
        }
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

static int poll(long count)
{
    for (long i = 0; i < count; i++) {
        if (roost_cancelled()) {
            return -1;
        }
    }
    return 0;
}

static int join(long count)
{
    long ran = 0;
    roost_scope s;
    int rc = 0;

    roost_scope_open(&s, NULL);
    for (long i = 0; i < count && rc == 0; i++) {
        roost_task t;

        rc = roost_spawn_opts(&s, leaf, &ran, &(roost_task_opts){.handle = &t});
        rc = rc == 0 ? roost_join(&t, NULL) : rc;
    }
    rc = roost_scope_close(&s, rc);
    return rc == 0 && ran == count ? 0 : -1;
}

/* --- tasks that take turns --- */

static int yielder(void *arg)
{
    for (long i = 0; i < *(long *)arg; i++) {
        roost_yield();
    }
    return 0;
}

/* An operation is a yield of each of two. */
static int yield(long count)
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_spawn(&s, yielder, &count);
    roost_spawn(&s, yielder, &count);
    return roost_scope_close(&s, 0);
}

struct turns {
    roost_chan *there, *back;
    long count;
};

static int answer(void *arg)
{
    struct turns *t = arg;
    int rc = 0;

    for (long i = 0, item; i < t->count && rc == 0; i++) {
        rc = roost_chan_recv(t->there, &item);
        rc = rc == 0 ? roost_chan_send(t->back, &item) : rc;
    }
    return rc;
}

/* An operation is there and back. */
static int pingpong(long count)
{
    struct turns t = {roost_chan_new(sizeof(long), 0),
                      roost_chan_new(sizeof(long), 0), count};
    roost_scope s;
    int rc = 0;

    if (t.there == NULL || t.back == NULL) {
        return -1;
    }
    roost_scope_open(&s, NULL);
    roost_spawn(&s, answer, &t);
    for (long i = 0, item = -1; i < count && rc == 0; i++) {
        rc = roost_chan_send(t.there, &i);
        rc = rc == 0 ? roost_chan_recv(t.back, &item) : rc;
        rc = rc == 0 && item != i ? -1 : rc;
    }
    rc = roost_scope_close(&s, rc);
    roost_chan_free(t.there);
    roost_chan_free(t.back);
    return rc;
}

/* --- what need not wait --- */

static int channel(long count)
{
    roost_chan *c = roost_chan_new(sizeof(long), 8);
    int rc = c == NULL ? -1 : 0;

    for (long i = 0, item = -1; i < count && rc == 0; i++) {
        rc = roost_chan_send(c, &i);
        rc = rc == 0 ? roost_chan_recv(c, &item) : rc;
        rc = rc == 0 && item != i ? -1 : rc;
    }
    roost_chan_free(c);
    return rc;
}

static int mutex(long count)
{
    roost_mutex m = ROOST_MUTEX_INIT;
    int rc = 0;

    for (long i = 0; i < count && rc == 0; i++) {
        rc = roost_mutex_lock(&m);
        if (rc == 0) {
            roost_mutex_unlock(&m);
        }
    }
    return rc;
}

static int semaphore(long count)
{
    roost_sem m;
    int rc = roost_sem_init(&m, 1, 1);

    for (long i = 0; i < count && rc == 0; i++) {
        rc = roost_sem_acquire(&m, 1);
        if (rc == 0) {
            rc = roost_sem_release(&m, 1);
        }
    }
    return rc;
}

static int selecting(long count)
{
    roost_chan *c[2] = {roost_chan_new(sizeof(long), 1),
                        roost_chan_new(sizeof(long), 1)};
    int rc = c[0] == NULL || c[1] == NULL ? -1 : 0;

    for (long i = 0, item = -1; i < count && rc == 0; i++) {
        roost_case cases[] = {roost_on_recv(c[0], &item),
                              roost_on_recv(c[1], &item)};

        rc = roost_chan_send(c[i % 2], &i);
        rc = rc == 0 && roost_select(cases, 2) == i % 2 ? 0 : -1;
        rc = rc == 0 && item != i ? -1 : rc;
    }
    roost_chan_free(c[0]);
    roost_chan_free(c[1]);
    return rc;
}

static const struct budget_case cases[] = {
    {"fork-join", fork_join}, {"hot", hot},
    {"storm", storm},         {"deadline", deadline},
    {"poll", poll},           {"join", join},
    {"yield", yield},         {"pingpong", pingpong},
    {"channel", channel},     {"mutex", mutex},
    {"semaphore", semaphore}, {"select", selecting},
};

struct request {
    const struct budget_case *what;
    long count;
};

static int run(void *arg)
{
    const struct request *r = arg;

    return r->what->run(r->count);
}

int main(int argc, char **argv)
{
    const roost_opts opts = {.workers = 1};
    struct request r = {NULL, argc == 3 ? atol(argv[2]) : 0};
    int rc;

    for (size_t i = 0; argc == 3 && i < sizeof(cases) / sizeof(*cases); i++) {
        if (strcmp(cases[i].name, argv[1]) == 0) {
            r.what = &cases[i];
        }
    }
    if (r.what == NULL || r.count <= 0) {
        fprintf(stderr, "usage: cases NAME COUNT\n");
        return 2;
    }
    rc = roost_run(run, &r, &opts);
    if (rc != 0) {
        fprintf(stderr, "cases: %s: status %d\n", r.what->name, rc);
    }
    return rc != 0;
}
