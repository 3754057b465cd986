/*
 * latch_test.c - a count that opens a gate. Would catch one that opens too
 * early or twice, a waiter that it leaves behind, one that closes again.
 */
#include "tasks.h"

struct waiting {
    roost_latch *l;
    int rc, ended;
};

static int await(void *arg)
{
    struct waiting *w = (struct waiting *)arg;

    w->rc = roost_latch_wait(w->l);
    test_set(&w->ended, 1);
    return 0;
}

TEST(bad_arguments_of_a_latch, "R2")
{
    CHECK_EQ(roost_latch_init(NULL, 1), -EINVAL);
    CHECK_EQ(roost_latch_up(NULL, 1), -EINVAL);
    CHECK_EQ(roost_latch_down(NULL), -EINVAL);
    CHECK_EQ(roost_latch_wait(NULL), -EINVAL);
    CHECK_EQ(roost_latch_wait_until(NULL, 0), -EINVAL);
    roost_latch_destroy(NULL);
}

TEST(a_latch_counts_down_and_opens_for_good, "R10")
{
    static roost_latch fixed = ROOST_LATCH_INIT(2);
    roost_latch fresh, *l[] = {&fixed, &fresh};

    memset(&fresh, 0xff, sizeof fresh);
    CHECK_EQ(roost_latch_init(&fresh, 2), 0);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(roost_latch_wait_until(l[i], 0), -ETIMEDOUT);
        CHECK_EQ(roost_latch_up(l[i], 1), 0);
        CHECK_EQ(roost_latch_down(l[i]), 0);
        CHECK_EQ(roost_latch_down(l[i]), 0);
        CHECK_EQ(roost_latch_wait_until(l[i], 0), -ETIMEDOUT);
        CHECK_EQ(roost_latch_down(l[i]), 0);
        CHECK_EQ(roost_latch_wait(l[i]), 0);
        CHECK_EQ(roost_latch_wait_until(l[i], 0), 0);
        CHECK_EQ(roost_latch_down(l[i]), -EINVAL);
        CHECK_EQ(roost_latch_up(l[i], 1), -EINVAL); /* it has opened */
        CHECK_EQ(roost_latch_up(l[i], 0), -EINVAL);
        CHECK_EQ(roost_latch_wait(l[i]), 0);
        roost_latch_destroy(l[i]);
    }
}

/* Of none: it lets all through, but has not opened yet. */
TEST(a_latch_of_none_may_be_raised, "R10")
{
    roost_latch l;

    CHECK_EQ(roost_latch_init(&l, 0), 0);
    CHECK_EQ(roost_latch_wait(&l), 0);
    CHECK_EQ(roost_latch_down(&l), -EINVAL);
    CHECK_EQ(roost_latch_up(&l, 2), 0);
    CHECK_EQ(roost_latch_wait_until(&l, 0), -ETIMEDOUT);
    CHECK_EQ(roost_latch_down(&l), 0);
    CHECK_EQ(roost_latch_down(&l), 0);
    CHECK_EQ(roost_latch_wait(&l), 0);
    CHECK_EQ(roost_latch_up(&l, 1), -EINVAL);
    roost_latch_destroy(&l);
}

TEST(a_latch_counts_no_further_than_it_can, "R8")
{
    roost_latch l;

    CHECK_EQ(roost_latch_init(&l, 1), 0);
    CHECK_EQ(roost_latch_up(&l, UINT32_MAX), -EOVERFLOW);
    CHECK_EQ(roost_latch_up(&l, UINT32_MAX - 1), 0);
    CHECK_EQ(roost_latch_up(&l, 1), -EOVERFLOW);
    CHECK_EQ(roost_latch_down(&l), 0);
    CHECK_EQ(roost_latch_up(&l, 1), 0);
    roost_latch_destroy(&l);
}

TEST_VIRTUAL(all_who_wait_go_on_at_zero, "R3 R52")
{
    enum { N = 200 };
    struct waiting *w = calloc(N, sizeof *w);
    roost_latch l;
    roost_scope s;
    int ended = 0;

    CHECK_EQ(roost_latch_init(&l, 2), 0);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        w[i] = (struct waiting){&l, 99, 0};
        CHECK_EQ(roost_spawn(&s, await, &w[i]), 0);
    }
    CHECK_EQ(roost_latch_down(&l), 0);
    CHECK_EQ(roost_settle(), 0);
    for (int i = 0; i < N; i++) {
        ended += w[i].ended;
    }
    CHECK_EQ(ended, 0);
    CHECK_EQ(roost_latch_down(&l), 0);
    roost_scope_cancel(&s, 0); /* too late */
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(w[i].rc, 0);
    }
    roost_latch_destroy(&l);
    free(w);
}

TEST_VIRTUAL(a_cancelled_waiter_changes_no_count, "R4 R8 R12")
{
    roost_latch l = ROOST_LATCH_INIT(1);
    struct waiting w = {&l, 99, 0};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, await, &w), 0);
    CHECK_EQ(roost_settle(), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_latch_wait(&l), -ECANCELED);
    CHECK_EQ(roost_latch_down(&l), 0); /* opened by who is cancelled */
    CHECK_EQ(roost_latch_wait(&l), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(w.rc, -ECANCELED);
    CHECK_EQ(roost_latch_wait(&l), 0);
    roost_latch_destroy(&l);
}

/* ---- many ---- */

struct crew {
    roost_latch done;
    int work[64]; /* not atomic: the latch orders it */
    int next;
};

static int work(void *arg)
{
    struct crew *c = (struct crew *)arg;

    c->work[test_add(&c->next, 1) - 1] = 1;
    CHECK_EQ(roost_latch_down(&c->done), 0);
    return 0;
}

static void *work_in_thread(void *arg)
{
    (void)work(arg);
    return NULL;
}

static int all_done(struct crew *c)
{
    int sum = 0;

    CHECK_EQ(roost_latch_wait(&c->done), 0);
    for (int i = 0; i < 64; i++) {
        sum += c->work[i];
    }
    return sum;
}

TEST(what_was_done_before_is_seen_after, "R61")
{
    for (int round = 0; round < 50; round++) {
        struct crew c = {.done = ROOST_LATCH_INIT(64)};
        roost_scope s;

        roost_scope_open(&s, NULL);
        for (int i = 0; i < 64; i++) {
            CHECK_EQ(roost_spawn(&s, work, &c), 0);
        }
        CHECK_EQ(all_done(&c), 64);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        roost_latch_destroy(&c.done);
    }
}

TEST_PLAIN(threads_and_tasks_count_down, "R61 R72")
{
    roost_opts opts = test_opts();
    struct crew c = {.done = ROOST_LATCH_INIT(64)};
    pthread_t thread[32];
    roost_runtime *rt;

    CHECK_EQ(roost_start(&rt, &opts), 0);
    for (int i = 0; i < 32; i++) {
        CHECK_EQ(roost_post(rt, work, &c, 0), 0);
        CHECK_EQ(pthread_create(&thread[i], NULL, work_in_thread, &c), 0);
    }
    CHECK_EQ(all_done(&c), 64);
    for (int i = 0; i < 32; i++) {
        pthread_join(thread[i], NULL);
    }
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
    roost_latch_destroy(&c.done);
}

static int down(void *arg)
{
    return roost_latch_down((roost_latch *)arg); /* its last access */
}

TEST(the_waiter_may_free_the_latch, "R67")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 2000; i++) {
        roost_latch *l = malloc(sizeof *l);

        CHECK_EQ(roost_latch_init(l, 1), 0);
        CHECK_EQ(roost_spawn(&s, down, l), 0);
        CHECK_EQ(roost_latch_wait(l), 0);
        roost_latch_destroy(l);
        memset(l, 0x55, sizeof *l);
        free(l);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static int destroy_early(void *arg)
{
    struct waiting w = {(roost_latch *)arg, 0, 0};
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_spawn(&s, await, &w);
    roost_settle();
    roost_latch_destroy(w.l);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(destroying_a_latch_with_waiters_is_misuse, "R67")
{
    roost_opts opts = test_opts();
    roost_latch l = ROOST_LATCH_INIT(1);

    CHECK_ABORTS("roost_latch_destroy", roost_run(destroy_early, &l, &opts));
}
