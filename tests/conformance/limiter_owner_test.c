/*
 * limiter_owner_test.c - a token comes home when its task or thread ends; and
 * what destroying a limiter asks. Would catch a token that is lost with its
 * holder, one that comes home twice, a limiter that is touched by its last
 * release after another has freed it.
 */
#include "everywhere.h"

struct keeper {
    roost_limiter *l;
    roost_event *until;
    int rc;
};

/* Ends with the token. */
static int keep(void *arg)
{
    struct keeper *k = (struct keeper *)arg;

    k->rc = roost_limiter_acquire(k->l);
    return k->rc == 0 && k->until != NULL ? roost_event_wait(k->until) : k->rc;
}

static int keep_and_fail(void *arg)
{
    (void)keep(arg);
    return -EIO;
}

static void check_used(roost_limiter *l, unsigned used)
{
    roost_limiter_info info;

    CHECK_EQ(roost_limiter_stats(l, &info), 0);
    CHECK_EQ(info.used, used);
    CHECK_EQ(info.waiting, 0);
}

/* Plain, with a name, failed, cancelled: each kind of end. */
TEST(a_token_comes_home_with_the_end_of_its_task, "R52")
{
    for (int i = 0; i < 4; i++) {
        roost_event never = ROOST_EVENT_INIT;
        roost_limiter l;
        struct keeper k = {&l, i == 3 ? &never : NULL, 1};
        roost_fn fn = i == 2 ? keep_and_fail : keep;
        roost_scope s;
        roost_task t;

        CHECK_EQ(roost_limiter_init(&l, 1), 0);
        roost_scope_open(&s, NULL);
        if (i == 1) {
            CHECK_EQ(SPAWN_OPTS(&s, fn, &k, .name = "k", .handle = &t), 0);
            CHECK_EQ(roost_join(&t, NULL), 0);
            check_used(&l, 0);
        } else {
            CHECK_EQ(roost_spawn(&s, fn, &k), 0);
        }
        if (i == 3) {
            CHECK_EQ(roost_settle(), 0);
            check_used(&l, 1);
            roost_scope_cancel(&s, 0);
        }
        CHECK_EQ(roost_scope_close(&s, 0), i == 2 ? -EIO : 0);
        CHECK_EQ(k.rc, 0);
        check_used(&l, 0);
        CHECK_EQ(roost_limiter_acquire(&l), 0);
        CHECK_EQ(roost_limiter_release(&l), 0);
        roost_limiter_destroy(&l);
    }
}

/* It goes on to who waits, each of whom ends with it again. */
TEST(a_token_that_comes_home_goes_on, "R51 R52")
{
    enum { N = 20 };
    struct keeper k[N];
    roost_limiter l;
    roost_scope s;

    CHECK_EQ(roost_limiter_init(&l, 1), 0);
    CHECK_EQ(roost_limiter_acquire(&l), 0);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        k[i] = (struct keeper){&l, NULL, 1};
        CHECK_EQ(roost_spawn(&s, keep, &k[i]), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_limiter_release(&l), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(k[i].rc, 0);
    }
    check_used(&l, 0);
    roost_limiter_destroy(&l);
}

static int keep_three(void *arg)
{
    roost_limiter *l = (roost_limiter *)arg;

    for (int i = 0; i < 4; i++) {
        CHECK_EQ(roost_limiter_acquire(&l[i]), 0);
    }
    CHECK_EQ(roost_limiter_release(&l[2]), 0);
    CHECK_EQ(roost_limiter_release(&l[2]), -EPERM);
    CHECK_EQ(roost_limiter_acquire(&l[3]), -EDEADLK);
    return 0;
}

TEST(tokens_of_several_limiters_are_told_apart, "R52")
{
    roost_limiter l[4];
    roost_scope s;

    for (int i = 0; i < 4; i++) {
        CHECK_EQ(roost_limiter_init(&l[i], 2), 0);
    }
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_limiter_acquire(&l[2]), 0); /* the parent's stays */
    CHECK_EQ(roost_spawn(&s, keep_three, l), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 4; i++) {
        check_used(&l[i], i == 2);
    }
    CHECK_EQ(roost_limiter_release(&l[2]), 0);
    for (int i = 0; i < 4; i++) {
        roost_limiter_destroy(&l[i]);
    }
}

/* Plain threads and main tasks. */
TEST_PLAIN(a_token_comes_home_with_the_end_of_its_thread, "R52 R72")
{
    roost_opts opts = test_opts();
    roost_limiter l;
    struct keeper k = {&l, NULL, 1};

    CHECK_EQ(roost_limiter_init(&l, 1), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(on_a_thread(keep, &k), 0);
        check_used(&l, 0);
        CHECK_EQ(roost_run(keep, &k, &opts), 0);
        check_used(&l, 0);
    }
    CHECK_EQ(roost_limiter_acquire(&l), 0);
    CHECK_EQ(roost_limiter_release(&l), 0);
    roost_limiter_destroy(&l);
}

static int keep_everywhere(void *arg)
{
    struct keeper k = {(roost_limiter *)arg, NULL, 1};

    return keep(&k);
}

/* From a task of one runtime to one of another, or to a thread. */
TEST_PLAIN(a_token_comes_home_across_runtimes, "R52 R72")
{
    roost_limiter l;

    CHECK_EQ(roost_limiter_init(&l, 2), 0);
    for (int i = 0; i < 20; i++) {
        everywhere(keep_everywhere, &l);
        check_used(&l, 0);
    }
    roost_limiter_destroy(&l);
}

/* ---- its end ---- */

struct counted {
    roost_limiter l; /* one token, which protects users */
    int users;
};

static int leave(void *arg)
{
    struct counted *c = *(struct counted **)arg;
    int left;

    CHECK_EQ(roost_limiter_acquire(&c->l), 0);
    left = --c->users;
    CHECK_EQ(roost_limiter_release(&c->l), 0);
    if (left == 0) {
        roost_limiter_destroy(&c->l);
        memset(c, 0xa5, sizeof *c);
        free(c);
    }
    return 0;
}

TEST(who_was_inside_last_may_free_a_limiter, "R61 R67")
{
    for (int i = 0; i < 300; i++) {
        struct counted *c = (struct counted *)calloc(1, sizeof *c);
        roost_scope s;

        c->users = 8;
        CHECK_EQ(roost_limiter_init(&c->l, 1), 0);
        roost_scope_open(&s, NULL);
        for (int j = 0; j < 8; j++) {
            CHECK_EQ(roost_spawn_copy(&s, leave, &c, sizeof c), 0);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
    }
}

TEST_PLAIN(also_where_tasks_and_threads_share_a_limiter, "R61 R67 R72")
{
    for (int i = 0; i < 10; i++) {
        struct counted *c = (struct counted *)calloc(1, sizeof *c);

        c->users = EVERYWHERE;
        CHECK_EQ(roost_limiter_init(&c->l, 1), 0);
        everywhere(leave, &c);
    }
}

static int destroy_with_tokens_out(void *arg)
{
    CHECK_EQ(roost_limiter_acquire((roost_limiter *)arg), 0);
    roost_limiter_destroy((roost_limiter *)arg);
    return 0;
}

static int destroy_under_a_waiter(void *arg)
{
    struct keeper k = {(roost_limiter *)arg, NULL, 1};
    roost_scope s;

    CHECK_EQ(roost_limiter_set_total(k.l, 0), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, keep, &k), 0);
    CHECK_EQ(roost_settle(), 0);
    roost_limiter_destroy(k.l);
    roost_scope_cancel(&s, 0);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(destroying_a_limiter_in_use_is_misuse, "R52 R67")
{
    roost_opts opts = test_opts();
    roost_limiter l;

    CHECK_EQ(roost_limiter_init(&l, 2), 0);
    CHECK_ABORTS("roost_limiter_destroy", destroy_with_tokens_out(&l));
    CHECK_ABORTS("tokens are out",
                 roost_run(destroy_with_tokens_out, &l, &opts));
    CHECK_ABORTS("roost_limiter_destroy",
                 roost_run(destroy_under_a_waiter, &l, &opts));
    CHECK_ABORTS("somebody waits for it",
                 roost_run(destroy_under_a_waiter, &l, &opts));
}

/* Nobody will give one back: the run ends, and says for what all waited. */
static int stand_still(void *arg)
{
    CHECK_EQ(roost_limiter_acquire((roost_limiter *)arg), -ECANCELED);
    return 0;
}

TEST_PLAIN(waiting_for_no_token_is_a_deadlock, "R63")
{
    static struct capture c;
    roost_opts opts = test_opts();
    roost_limiter l;

    CHECK_EQ(roost_limiter_init(&l, 0), 0);
    capture_begin(&c);
    CHECK_EQ(roost_run(stand_still, &l, &opts), -EDEADLK);
    CHECK(strstr(capture_end(&c), "limiter") != NULL);
    check_used(&l, 0);
    roost_limiter_destroy(&l);
}
