/*
 * pipeline_test.c - rows of stages: order, bounds, failure, cancellation. Would
 * catch an item lost or doubled, an order broken by a fast worker, a stage that
 * goes on after another has failed, a queue without a bound.
 */
#include "tasks.h"

struct source {
    int next, until;
    int calls;
};

/* 0, 1, 2, ... by one worker. */
static int source(const void *in, void *out, void *ctx)
{
    struct source *s = (struct source *)ctx;

    CHECK(in == NULL);
    s->calls++;
    if (s->next == s->until) {
        return 0;
    }
    *(int *)out = s->next++;
    return 1;
}

struct sink {
    int items, sum;
    int last; /* the item before, for order */
    int disorder;
};

static int sink(const void *in, void *out, void *ctx)
{
    struct sink *s = (struct sink *)ctx;
    int item = *(const int *)in;

    CHECK(out == NULL);
    s->items++;
    s->sum += item;
    s->disorder += item <= s->last;
    s->last = item;
    return 1;
}

static int twice(const void *in, void *out, void *ctx)
{
    (void)ctx;
    *(int *)out = 2 * *(const int *)in;
    return 1;
}

static int odd_only(const void *in, void *out, void *ctx)
{
    (void)ctx;
    *(int *)out = *(const int *)in;
    return *(const int *)out % 2;
}

/* Takes longer for every third. */
static int uneven(const void *in, void *out, void *ctx)
{
    int item = *(const int *)in;

    (void)ctx;
    *(int *)out = item;
    if (item % 3 == 0) {
        int rc = roost_sleep(ROOST_MS * (item % 5));

        return rc != 0 ? rc : 1;
    }
    return 1;
}

TEST(bad_arguments_of_a_pipeline, "R2")
{
    struct source from = {0, 1, 0};
    roost_stage st[2] = {{.fn = source, .ctx = &from, .out_size = sizeof(int)},
                         {.fn = sink}};
    roost_pipeline_opts o = {0};

    CHECK_EQ(roost_pipeline(NULL, 1, NULL), -EINVAL);
    CHECK_EQ(roost_pipeline(st, 0, NULL), -EINVAL);
    o.reserved_[1] = 1;
    CHECK_EQ(roost_pipeline(st, 2, &o), -EINVAL);
    st[1].fn = NULL;
    CHECK_EQ(roost_pipeline(st, 2, NULL), -EINVAL);
    st[1].fn = sink;
    st[1].flags = 2;
    CHECK_EQ(roost_pipeline(st, 2, NULL), -EINVAL);
    st[1].flags = 0;
    st[1].reserved_[3] = 1;
    CHECK_EQ(roost_pipeline(st, 2, NULL), -EINVAL);
    st[1].reserved_[3] = 0;
    st[0].out_size = SIZE_MAX;
    CHECK_EQ(roost_pipeline(st, 2, NULL), -EINVAL);
    st[0].out_size = PTRDIFF_MAX / 4;
    o.reserved_[1] = 0;
    o.ahead = SIZE_MAX / 2;
    CHECK_EQ(roost_pipeline(st, 2, &o), -ENOMEM);
    CHECK_EQ(from.calls, 0);
}

TEST_PLAIN(pipelines_are_for_tasks, "R53")
{
    struct source from = {0, 1, 0};
    roost_stage st = {.fn = source, .ctx = &from, .out_size = sizeof(int)};

    CHECK_EQ(roost_pipeline(&st, 1, NULL), -EPERM);
    CHECK_EQ(from.calls, 0);
}

/* items through `middle` with so many workers. */
static struct sink pump(int items, roost_stage middle, size_t ahead)
{
    struct source from = {0, items, 0};
    struct sink to = {.last = -1};
    roost_stage st[3] = {{.fn = source, .ctx = &from, .out_size = sizeof(int)},
                         middle,
                         {.fn = sink, .ctx = &to}};
    roost_pipeline_opts o = {.ahead = ahead, .name = "pump"};

    st[1].out_size = sizeof(int);
    CHECK_EQ(roost_pipeline(st, 3, &o), 0);
    CHECK_EQ(from.calls, items + 1);
    return to;
}

TEST(every_item_comes_through_once, "R46 R53")
{
    unsigned workers;

    for (workers = 0; workers <= 8; workers += 4) {
        struct sink to = pump(
            1000, (roost_stage){.fn = twice, .workers = workers}, 1 + workers);

        CHECK_EQ(to.items, 1000);
        CHECK_EQ(to.sum, 999 * 1000);
        to = pump(1000, (roost_stage){.fn = odd_only, .workers = workers}, 0);
        CHECK_EQ(to.items, 500);
        CHECK_EQ(to.sum, 500 * 500);
        to = pump(0, (roost_stage){.fn = twice, .workers = workers}, 3);
        CHECK_EQ(to.items, 0);
    }
}

/* What comes out is in the order of what came in, holes and all. */
TEST_VIRTUAL(an_ordered_stage_keeps_the_order, "R46 R53")
{
    struct sink to = pump(
        300, (roost_stage){.fn = uneven, .workers = 7, .flags = ROOST_ORDERED},
        2);

    CHECK_EQ(to.items, 300);
    CHECK_EQ(to.disorder, 0);
    to = pump(
        300,
        (roost_stage){.fn = odd_only, .workers = 7, .flags = ROOST_ORDERED}, 2);
    CHECK_EQ(to.items, 150);
    CHECK_EQ(to.disorder, 0);
    /* Without it a later item passes one that sleeps. */
    to = pump(300, (roost_stage){.fn = uneven, .workers = 7}, 2);
    CHECK_EQ(to.items, 300);
    CHECK(to.disorder > 0);
}

struct shared_source {
    int next, until;
};

/* By many workers at once; sleeps, so that they overlap. */
static int shared_source(const void *in, void *out, void *ctx)
{
    struct shared_source *s = (struct shared_source *)ctx;
    int mine = test_add(&s->next, 1) - 1;

    (void)in;
    if (mine >= s->until) {
        return 0;
    }
    *(int *)out = mine;
    return roost_sleep(ROOST_MS) == 0 ? 1 : -ECANCELED;
}

TEST_VIRTUAL(a_source_of_many_workers, "R53")
{
    unsigned flags;

    for (flags = 0; flags <= ROOST_ORDERED; flags++) {
        struct shared_source from = {0, 100};
        struct sink to = {.last = -1};
        roost_stage st[2] = {{.fn = shared_source,
                              .ctx = &from,
                              .out_size = sizeof(int),
                              .workers = 5,
                              .flags = flags},
                             {.fn = sink, .ctx = &to}};
        roost_ns start = roost_now();

        CHECK_EQ(roost_pipeline(st, 2, NULL), 0);
        CHECK_EQ(to.items, 100);
        CHECK_EQ(to.sum, 99 * 50);
        CHECK_EQ(roost_now() - start, 20 * ROOST_MS); /* five at a time */
    }
}

/* One stage is source and sink. */
TEST(a_pipeline_of_one_stage, "R53")
{
    struct source from = {0, 10, 0};
    roost_stage st = {.fn = source, .ctx = &from, .out_size = sizeof(int)};

    CHECK_EQ(roost_pipeline(&st, 1, NULL), 0);
    CHECK_EQ(from.calls, 11);
}

struct stuck {
    int in_it;
};

static int stuck_sink(const void *in, void *out, void *ctx)
{
    struct stuck *s = (struct stuck *)ctx;

    (void)in;
    (void)out;
    test_add(&s->in_it, 1);
    return roost_sleep(ROOST_S);
}

struct bounded {
    struct source from;
    struct stuck to;
    int rc;
};

static int run_bounded(void *arg)
{
    struct bounded *b = (struct bounded *)arg;
    roost_stage st[3] = {
        {.fn = source, .ctx = &b->from, .out_size = sizeof(int)},
        {.fn = twice, .out_size = sizeof(int)},
        {.fn = stuck_sink, .ctx = &b->to}};
    roost_pipeline_opts o = {.ahead = 5};

    b->rc = roost_pipeline(st, 3, &o);
    return b->rc;
}

/* A sink that stands still holds up the source: 5 in each channel, one in each
 * stage. Cancelled, all come home. */
TEST_VIRTUAL(memory_is_bounded_and_cancel_brings_all_home, "R4 R53")
{
    struct bounded b = {.from = {0, 1000000, 0}};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, run_bounded, &b), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(b.from.calls, 5 + 5 + 3);
    CHECK_EQ(test_get(&b.to.in_it), 1);
    CHECK_EQ(roost_scope_cancel(&s, 0), true);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(b.rc, -ECANCELED);
}

struct picky {
    int bad; /* fails at this item */
    int seen;
};

static int picky(const void *in, void *out, void *ctx)
{
    struct picky *p = (struct picky *)ctx;
    int item = *(const int *)in;

    test_add(&p->seen, 1);
    *(int *)out = item;
    if (item == p->bad) {
        return roost_fail(-EBADMSG, "item %d", item);
    }
    return 1;
}

/* The first failure of a stage is the pipeline's; nobody takes it for the end,
 * and its message travels. */
static void fail_in_the_middle(unsigned workers, unsigned flags)
{
    struct source from = {0, INT32_MAX, 0};
    struct sink to = {.last = -1};
    struct picky p = {.bad = 100};
    roost_stage st[3] = {{.fn = source, .ctx = &from, .out_size = sizeof(int)},
                         {.fn = picky,
                          .ctx = &p,
                          .out_size = sizeof(int),
                          .workers = workers,
                          .flags = flags},
                         {.fn = sink, .ctx = &to}};
    roost_error it = {0};
    roost_errors *e;

    CHECK_EQ(roost_pipeline(st, 3, NULL), -EBADMSG);
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, -EBADMSG), 1);
    CHECK_EQ(roost_errors_next(e, &it), true);
    CHECK(strcmp(it.message, "item 100") == 0);
    roost_errors_free(e);
    if (flags == ROOST_ORDERED) {
        CHECK(to.items <= 100);
    }
    CHECK(to.items < p.seen);
}

/* A stretch of roost_shield does not cover the stages, which are children: what
 * has not come through is no success. */
TEST(a_pipeline_in_a_shielded_stretch_does_not_lie, "R20 R53")
{
    struct source from = {.until = 10};
    struct sink to = {.last = -1};
    roost_stage stages[] = {
        {.fn = source, .ctx = &from, .out_size = sizeof(int)},
        {.fn = sink, .ctx = &to},
    };
    roost_shield stretch;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK(roost_scope_cancel(&s, 0));
    roost_shield_begin(&stretch);
    CHECK_EQ(roost_pipeline(stages, 2, NULL), -ECANCELED);
    CHECK_EQ(to.items, 0);
    roost_shield_end(&stretch);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(a_stage_that_fails_ends_the_pipeline, "R36 R37 R53")
{
    fail_in_the_middle(1, 0);
    fail_in_the_middle(4, 0);
    fail_in_the_middle(4, ROOST_ORDERED);
}

static int fail_at_once(const void *in, void *out, void *ctx)
{
    (void)in;
    (void)out;
    (void)ctx;
    return -EIO;
}

TEST(sources_and_sinks_fail_too, "R36")
{
    struct source from = {0, INT32_MAX, 0};
    struct sink to = {.last = -1};
    roost_stage st[2] = {{.fn = fail_at_once, .out_size = sizeof(int)},
                         {.fn = sink, .ctx = &to}};

    CHECK_EQ(roost_pipeline(st, 2, NULL), -EIO);
    CHECK_EQ(to.items, 0);
    st[0] = (roost_stage){.fn = source, .ctx = &from, .out_size = sizeof(int)};
    st[1] = (roost_stage){.fn = fail_at_once, .workers = 3};
    CHECK_EQ(roost_pipeline(st, 2, NULL), -EIO);
}

/* A deadline around it, and a scope that was cancelled before. */
TEST_VIRTUAL(deadlines_end_pipelines, "R2 R15 R53")
{
    struct bounded b = {.from = {0, 1000000, 0}};
    roost_scope s;

    OPEN(&s, .timeout = ROOST_MS);
    CHECK_EQ(run_bounded(&b), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_cancel(&s, 0), true);
    CHECK_EQ(run_bounded(&b), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}
