/*
 * tasks_only_test.c - what only tasks may call, called where there is none: on
 * a plain thread, beside a runtime and without one, and in an offloaded call.
 * Would catch one that does it there, or ends the process, where api.md has
 * -EPERM: on a plain thread, scope, task, stream and parallel calls give it.
 */
#include "everywhere.h"

/* What the calls are given: all of it as good as it can be. */
struct given {
    roost_scope *s; /* kept open by its opener, who waits */
    roost_task ended, running;
    roost_event go;
    roost_stream stream;
    roost_local key;
    int runs; /* of anything that was started */
};

static int starts(void *arg)
{
    test_add(&((struct given *)arg)->runs, 1);
    return roost_started(NULL);
}

static int counts(void *arg)
{
    test_add(&((struct given *)arg)->runs, 1);
    return 0;
}

static int generates(roost_stream *st, void *arg)
{
    int i;

    (void)arg;
    for (i = 0; i < 3; i++) {
        int rc = roost_stream_emit(st, &i);

        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

static int marks(size_t lo, size_t hi, void *given)
{
    (void)lo;
    (void)hi;
    return counts(given);
}

static int marks_into(size_t lo, size_t hi, void *acc, void *given)
{
    (void)acc;
    return marks(lo, hi, given);
}

static void combines(void *into, const void *from, void *given)
{
    (void)into;
    (void)from;
    counts(given);
}

static int compares(const void *a, const void *b, void *given)
{
    (void)a;
    (void)b;
    return counts(given);
}

static int passes_on(const void *in, void *out, void *given)
{
    (void)in;
    (void)out;
    return counts(given);
}

/* --- scopes --- */

static int scope_join(struct given *g)
{
    return roost_scope_join(g->s);
}

static int scope_fail(struct given *g)
{
    return roost_scope_fail(g->s, -EIO);
}

static int scope_close(struct given *g)
{
    return roost_scope_close(g->s, 0);
}

static int scope_reason(struct given *g)
{
    roost_reason why;

    (void)g;
    return roost_scope_reason(NULL, &why);
}

static int checkpoint(struct given *g)
{
    (void)g;
    return roost_checkpoint();
}

/* --- tasks --- */

static int join_ended(struct given *g)
{
    int status = 77, rc = roost_join(&g->ended, &status);

    CHECK_EQ(status, 77);
    return rc;
}

static int join_running(struct given *g)
{
    return roost_join(&g->running, NULL);
}

static int join_ended_until(struct given *g)
{
    return roost_join_until(&g->ended, NULL, 0);
}

static int join_running_until(struct given *g)
{
    return roost_join_until(&g->running, NULL, 0);
}

static int spawn_started(struct given *g)
{
    return roost_spawn_started(g->s, starts, g, NULL, NULL);
}

static int started(struct given *g)
{
    (void)g;
    return roost_started(NULL);
}

static int background(struct given *g)
{
    return roost_background("background", counts, g, NULL);
}

static int yield(struct given *g)
{
    (void)g;
    return roost_yield();
}

static int settle(struct given *g)
{
    (void)g;
    return roost_settle();
}

static int local_bind(struct given *g)
{
    return roost_local_bind(g->s, &g->key, g);
}

static int when_status(struct given *g)
{
    (void)g;
    return roost_when_status();
}

/* --- streams --- */

static int stream_open(struct given *g)
{
    roost_stream st;

    return roost_stream_open(&st, generates, g, sizeof(int), 1);
}

static int stream_emit(struct given *g)
{
    int item = 7;

    return roost_stream_emit(&g->stream, &item);
}

static int stream_next(struct given *g)
{
    int item;

    return roost_stream_next(&g->stream, &item);
}

static int stream_next_until(struct given *g)
{
    int item;

    return roost_stream_next_until(&g->stream, &item, 0);
}

static int stream_close(struct given *g)
{
    return roost_stream_close(&g->stream);
}

static int pipeline(struct given *g)
{
    roost_stage stages[2] = {{.fn = passes_on, .ctx = g, .out_size = 4},
                             {.fn = passes_on, .ctx = g}};

    return roost_pipeline(stages, 2, NULL);
}

/* --- loops --- */

static int parallel_for(struct given *g)
{
    return roost_parallel_for(0, 5, 0, marks, g);
}

static int parallel_reduce(struct given *g)
{
    int acc = 0;

    return roost_parallel_reduce(0, 5, 0, &acc, sizeof(acc), marks_into,
                                 combines, g);
}

static int parallel_scan(struct given *g)
{
    int v[4] = {4, 3, 2, 1};

    return roost_parallel_scan(v, 4, sizeof(v[0]), combines, g);
}

static int parallel_sort(struct given *g)
{
    int v[4] = {4, 3, 2, 1};

    return roost_parallel_sort(v, 4, sizeof(v[0]), compares, g);
}

static int parallel_invoke(struct given *g)
{
    roost_job jobs[2] = {{counts, g, 0}, {counts, g, 0}};

    return roost_parallel_invoke(jobs, 2);
}

static int gather(struct given *g)
{
    roost_job jobs[2] = {{counts, g, 0}, {counts, g, 0}};

    return roost_gather(jobs, 2, 0);
}

#define CALL(name)                                                             \
    {                                                                          \
#name, name                                                            \
    }

static const struct call {
    const char *name;
    int (*call)(struct given *g);
} calls[] = {
    CALL(scope_join),
    CALL(scope_fail),
    CALL(scope_close),
    CALL(scope_reason),
    CALL(checkpoint),
    CALL(join_ended),
    CALL(join_running),
    CALL(join_ended_until),
    CALL(join_running_until),
    CALL(spawn_started),
    CALL(started),
    CALL(background),
    CALL(yield),
    CALL(settle),
    CALL(local_bind),
    CALL(when_status),
    CALL(stream_open),
    CALL(stream_emit),
    CALL(stream_next),
    CALL(stream_next_until),
    CALL(stream_close),
    CALL(pipeline),
    CALL(parallel_for),
    CALL(parallel_reduce),
    CALL(parallel_scan),
    CALL(parallel_sort),
    CALL(parallel_invoke),
    CALL(gather),
};

/* All of them; how many were not refused. */
static int call_all(void *arg)
{
    int wrong = 0;

    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        int rc = calls[i].call((struct given *)arg);

        if (rc != -EPERM) {
            fprintf(stderr, "roost_%s: %d\n", calls[i].name, rc);
            wrong++;
        }
    }
    return wrong;
}

static int wait_for_go(void *arg)
{
    return roost_event_wait((roost_event *)arg);
}

/* Calls all of them by `where`, with nothing left undone by any. */
static void refused(int (*where)(roost_fn fn, void *arg))
{
    struct given g = {.go = ROOST_EVENT_INIT, .runs = 0};
    int item = 77, status = 77;
    roost_scope s;

    g.s = &s;
    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, succeed, NULL, .handle = &g.ended), 0);
    CHECK_EQ(SPAWN_OPTS(&s, wait_for_go, &g.go, .handle = &g.running), 0);
    CHECK_EQ(roost_stream_open(&g.stream, generates, NULL, sizeof(int), 1), 0);
    CHECK_EQ(roost_join(&g.ended, NULL), 0);
    CHECK_EQ(where(call_all, &g), 0);
    CHECK_EQ(g.runs, 0);
    CHECK(roost_local_get(&g.key) == NULL);
    CHECK_EQ(roost_stream_next(&g.stream, &item), 1); /* nothing was taken */
    CHECK_EQ(item, 0);
    CHECK_EQ(roost_stream_close(&g.stream), 0);
    CHECK_EQ(roost_event_set(&g.go), 0);
    CHECK_EQ(roost_join(&g.running, &status), 0);
    CHECK_EQ(status, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0); /* it was open, and did not fail */
    CHECK_EQ(g.runs, 0);
    roost_event_destroy(&g.go);
}

TEST(on_a_plain_thread_they_are_refused, "R32 R33 R43 R53")
{
    refused(on_a_thread);
}

TEST(in_an_offloaded_call_they_are_refused, "R32 R33 R43 R53 R57")
{
    refused(roost_offload);
}

/* With no runtime anywhere any more: handles whose tasks have ended. */
static int leave_ended(void *arg)
{
    struct given *g = (struct given *)arg;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, succeed, NULL, .handle = &g->ended), 0);
    CHECK_EQ(roost_stream_open(&g->stream, generates, NULL, sizeof(int), 1), 0);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(after_the_run_they_are_refused, "R43 R53")
{
    roost_opts opts = test_opts();
    struct given g = {.runs = 0};

    CHECK_EQ(roost_run(leave_ended, &g, &opts), 0);
    CHECK_EQ(join_ended(&g), -EPERM);
    CHECK_EQ(join_ended_until(&g), -EPERM);
    CHECK_EQ(stream_close(&g), -EPERM);
}
