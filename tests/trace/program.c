/*
 * program.c - what check.py looks at: a program that is traced.
 *
 *   program load FILE    records a load of all kinds, and says on stdout what
 *                        must be found in FILE
 *   program flood FILE   many turns while nobody reads FILE, then "over"
 *   program plain        a load alone: for ROOST_TRACE
 */
#include <errno.h>
#include <roost/roost.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMED = 40, LEAVES = 50, CALLS = 8, TURNS = 20000, ITEMS = 100 };

static const char *const odd_names[] = {
    "a \"quote\"",
    "back\\slash",
    "tab\tnew\nline\x01",
    "b\xc3\xa4r",
    "cut in an odd place: 31 bytes \xc3\xa4",
    "no utf-8: \xff\xc0\xaf",
};

static const char *file;

static int leaf(void *arg)
{
    (void)arg;
    return 0;
}

static int call(void *arg)
{
    (void)arg;
    return 0;
}

/* Children in place, one that waits, a blocking call. */
static int named(void *arg)
{
    roost_scope s;
    int rc = roost_sleep(ROOST_MS);

    (void)arg;
    roost_scope_open(&s, NULL);
    for (int i = 0; rc == 0 && i < LEAVES; i++) {
        rc = roost_spawn(&s, leaf, NULL);
    }
    return roost_scope_close(&s, rc);
}

static int caller(void *arg)
{
    (void)arg;
    return roost_offload(call, NULL);
}

static int forever(void *arg)
{
    (void)arg;
    return roost_sleep(ROOST_NEVER);
}

static int spawn_named(roost_scope *s, roost_fn fn, const char *name)
{
    return roost_spawn_opts(s, fn, NULL, &(roost_task_opts){.name = name});
}

static int cut_short(void)
{
    roost_scope s;
    int rc;

    roost_scope_open(
        &s, &(roost_scope_opts){.name = "short", .timeout = 2 * ROOST_MS});
    rc = spawn_named(&s, forever, "forever");
    rc = roost_scope_close(&s, rc);
    return rc == -ETIMEDOUT ? 0 : -EPROTO;
}

static int produce(void *chan)
{
    int rc = 0;

    for (int i = 0; rc == 0 && i < ITEMS; i++) {
        rc = roost_chan_send(chan, &i);
    }
    roost_chan_close(chan);
    return rc;
}

/* "steps": three items in, three out, by one task; two without a name, full of
 * what another task takes or is thrown away at once. */
static int channels(void)
{
    roost_chan *steps = roost_chan_new_opts(
        sizeof(int), 3, &(roost_chan_opts){.name = "steps"});
    roost_chan *crowd = roost_chan_new(sizeof(int), 4);
    roost_chan *thrown = roost_chan_new(sizeof(int), ROOST_UNBOUNDED);
    roost_scope s;
    int item = 0;
    int rc = steps == NULL || crowd == NULL || thrown == NULL ? -ENOMEM : 0;

    for (int i = 0; rc == 0 && i < 6; i++) {
        rc = i < 3 ? roost_chan_send(steps, &i) : roost_chan_recv(steps, &item);
    }
    roost_scope_open(&s, NULL);
    rc = rc == 0 ? roost_spawn(&s, produce, crowd) : rc;
    while (rc == 0) {
        rc = roost_chan_recv(crowd, &item);
    }
    rc = roost_scope_close(&s, rc == -EPIPE ? 0 : rc);
    for (int i = 0; rc == 0 && i < ITEMS; i++) {
        rc = roost_chan_try_send(thrown, &i);
    }
    roost_chan_discard(thrown);
    roost_chan_free(thrown);
    roost_chan_free(crowd);
    roost_chan_free(steps);
    return rc;
}

static int load(void *arg)
{
    char name[32];
    roost_scope s;
    int rc = 0;

    (void)arg;
    roost_scope_open(&s, &(roost_scope_opts){.name = "load"});
    for (int i = 0; rc == 0 && i < NAMED; i++) {
        snprintf(name, sizeof name, "task %d", i);
        rc = spawn_named(&s, named, name);
    }
    for (size_t i = 0; rc == 0 && i < sizeof odd_names / sizeof *odd_names;
         i++) {
        rc = spawn_named(&s, named, odd_names[i]);
    }
    for (int i = 0; rc == 0 && i < CALLS; i++) {
        rc = spawn_named(&s, caller, "caller");
    }
    rc = roost_scope_close(&s, rc);
    rc = rc == 0 ? cut_short() : rc;
    return rc == 0 ? channels() : rc;
}

static void print_stats(const char *when)
{
    roost_stats s;

    if (roost_stats_get(NULL, &s) != 0) {
        exit(1);
    }
    printf("%s %llu %llu %llu %llu %llu %llu %llu %llu\n", when,
           (unsigned long long)s.run, (unsigned long long)s.inlined,
           (unsigned long long)s.stolen, (unsigned long long)s.switched,
           (unsigned long long)s.parked, (unsigned long long)s.cancelled,
           (unsigned long long)s.timers_fired, (unsigned long long)s.offloaded);
}

/* Between the inner two all events are recorded, none outside the outer. */
static int recorded(void *arg)
{
    int rc;

    (void)arg;
    print_stats("outer");
    rc = roost_trace_start(file);
    if (rc != 0) {
        return rc;
    }
    print_stats("inner");
    rc = load(NULL);
    print_stats("inner");
    if (rc == 0) {
        rc = roost_trace_stop();
    }
    print_stats("outer");
    printf("named %d %d %d %d\n", NAMED, LEAVES, CALLS,
           (int)(sizeof odd_names / sizeof *odd_names));
    return rc;
}

static int turns(void *arg)
{
    int rc = 0;

    (void)arg;
    for (int i = 0; rc == 0 && i < TURNS; i++) {
        roost_scope s;

        /* Two events, also where a yield is none for want of others. */
        roost_scope_open(&s, &(roost_scope_opts){.name = "turn"});
        rc = roost_scope_close(&s, roost_yield());
    }
    return rc;
}

static int flood(void *arg)
{
    int rc = roost_trace_start(file);
    roost_scope s;

    (void)arg;
    if (rc != 0) {
        return rc;
    }
    roost_scope_open(&s, NULL);
    for (int i = 0; i < 16; i++) {
        roost_spawn(&s, turns, NULL);
    }
    rc = roost_scope_close(&s, 0);
    puts("over");
    fflush(stdout);
    return rc == 0 ? roost_trace_stop() : rc;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    const char *workers = getenv("ROOST_TEST_WORKERS");
    roost_opts opts = {.name = "traced \"one\""};
    int rc;

    file = argc > 2 ? argv[2] : NULL;
    opts.workers = workers == NULL ? 2 : (unsigned)atoi(workers);
    if (strcmp(what, "load") == 0) {
        rc = roost_run(recorded, NULL, &opts);
    } else if (strcmp(what, "flood") == 0) {
        rc = roost_run(flood, NULL, &opts);
    } else {
        rc = roost_run(load, NULL, &opts);
    }
    if (rc != 0) {
        fprintf(stderr, "%s: %d\n", what, rc);
    }
    return rc == 0 ? 0 : 1;
}
