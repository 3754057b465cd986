/*
 * limiter_test.c - so many tokens, one a task, and who holds them. Would catch
 * a task with two tokens, a token that is lost with its task or with a
 * cancelled wait, a waiter that is passed by, a change of the total that wakes
 * too many or nobody.
 */
#include "everywhere.h"

struct holder {
    roost_limiter *l;
    roost_ns deadline;
    roost_event *until; /* holds the token so long; NULL: gives it back */
    int keep;           /* ends with it */
    int rc, place;
    int *order; /* when it had it: counts up */
};

static int hold(void *arg)
{
    struct holder *h = (struct holder *)arg;

    h->rc = roost_limiter_acquire_until(h->l, h->deadline);
    if (h->rc == 0) {
        h->place = h->order != NULL ? test_add(h->order, 1) : 0;
        if (h->until != NULL) {
            (void)roost_event_wait(h->until);
        }
        if (!h->keep) {
            CHECK_EQ(roost_limiter_release(h->l), 0);
        }
    }
    return h->rc == -ETIMEDOUT ? 0 : h->rc;
}

static void check_info(roost_limiter *l, unsigned total, unsigned used,
                       unsigned waiting)
{
    roost_limiter_info info;

    memset(&info, 0xa5, sizeof info);
    CHECK_EQ(roost_limiter_info(l, &info), 0);
    CHECK_EQ(info.total, total);
    CHECK_EQ(info.used, used);
    CHECK_EQ(info.waiting, waiting);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(info.reserved_[i], 0);
    }
}

TEST(bad_arguments_of_a_limiter, "R2")
{
    roost_limiter_info info;
    roost_limiter l;

    CHECK_EQ(roost_limiter_init(NULL, 1), -EINVAL);
    CHECK_EQ(roost_limiter_init(&l, 1), 0);
    CHECK_EQ(roost_limiter_acquire(NULL), -EINVAL);
    CHECK_EQ(roost_limiter_acquire_until(NULL, ROOST_NEVER), -EINVAL);
    CHECK_EQ(roost_limiter_try_acquire(NULL), -EINVAL);
    CHECK_EQ(roost_limiter_release(NULL), -EINVAL);
    CHECK_EQ(roost_limiter_set_total(NULL, 1), -EINVAL);
    CHECK_EQ(roost_limiter_stats(NULL, &info), -EINVAL);
    CHECK_EQ(roost_limiter_stats(&l, NULL), -EINVAL);
    roost_limiter_destroy(&l);
    roost_limiter_destroy(NULL);
}

static int one_token(void *arg)
{
    roost_limiter *l = (roost_limiter *)arg;

    CHECK_EQ(roost_limiter_release(l), -EPERM);
    CHECK_EQ(roost_limiter_acquire(l), 0);
    CHECK_EQ(roost_limiter_acquire(l), -EDEADLK);
    CHECK_EQ(roost_limiter_acquire_until(l, ROOST_NEVER), -EDEADLK);
    CHECK_EQ(roost_limiter_acquire_until(l, 0), -EDEADLK);
    CHECK_EQ(roost_limiter_try_acquire(l), -EDEADLK);
    check_info(l, 5, 1, 0);
    CHECK_EQ(roost_limiter_release(l), 0);
    CHECK_EQ(roost_limiter_release(l), -EPERM); /* over-release */
    CHECK_EQ(roost_limiter_try_acquire(l), 0);
    CHECK_EQ(roost_limiter_release(l), 0);
    CHECK_EQ(roost_limiter_acquire_until(l, 0), 0); /* one try */
    CHECK_EQ(roost_limiter_release(l), 0);
    check_info(l, 5, 0, 0);
    return 0;
}

/* Conformance 146: test_CapacityLimiter. */
TEST_PLAIN(a_task_has_one_token, "R10 R52")
{
    roost_opts opts = test_opts();
    roost_limiter l;

    memset(&l, 0xa5, sizeof l);
    CHECK_EQ(roost_limiter_init(&l, 5), 0);
    CHECK_EQ(one_token(&l), 0); /* a plain thread */
    CHECK_EQ(roost_run(one_token, &l, &opts), 0);
    CHECK_EQ(roost_limiter_acquire(&l), 0);
    CHECK_EQ(roost_limiter_set_total(&l, 6), 0);
    check_info(&l, 6, 1, 0);
    CHECK_EQ(roost_limiter_release(&l), 0);
    roost_limiter_destroy(&l);
}

static int not_the_holder(void *arg)
{
    roost_limiter *l = (roost_limiter *)arg;

    CHECK_EQ(roost_limiter_release(l), -EPERM);
    CHECK_EQ(roost_limiter_acquire_until(l, 0), -ETIMEDOUT);
    CHECK_EQ(roost_limiter_try_acquire(l), -EAGAIN);
    return 0;
}

/* Also where the child runs in place, and on a plain thread. */
TEST(a_childs_token_is_not_its_parents, "R52 R70")
{
    struct holder h;
    roost_limiter l;
    roost_scope s;

    CHECK_EQ(roost_limiter_init(&l, 1), 0);
    CHECK_EQ(roost_limiter_acquire(&l), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, not_the_holder, &l), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(on_a_thread(not_the_holder, &l), 0);
    CHECK_EQ(roost_limiter_set_total(&l, 2), 0);
    h = (struct holder){&l, .deadline = ROOST_NEVER, .rc = 1};
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, hold, &h), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(h.rc, 0);
    check_info(&l, 2, 1, 0);
    CHECK_EQ(roost_limiter_release(&l), 0);
    roost_limiter_destroy(&l);
}

/* n holders that wait, one after the other. */
static void queue_up(roost_scope *s, struct holder *h, int n,
                     const struct holder *like)
{
    for (int i = 0; i < n; i++) {
        h[i] = *like;
        CHECK_EQ(roost_spawn(s, hold, &h[i]), 0);
        CHECK_EQ(roost_settle(), 0);
    }
}

/* Raised it wakes so many, in order; lowered below what is out it takes back
 * nothing, and nobody gets one until enough are back. */
TEST(the_total_may_be_raised_and_lowered, "R46 R51 R52")
{
    roost_event end = ROOST_EVENT_INIT;
    roost_limiter l;
    int order = 0;
    struct holder h[6], like = {
                            &l,      .deadline = ROOST_NEVER, .until = &end,
                            .rc = 1, .order = &order,
                        };
    roost_scope s;

    CHECK_EQ(roost_limiter_init(&l, 0), 0);
    CHECK_EQ(roost_limiter_try_acquire(&l), -EAGAIN);
    CHECK_EQ(roost_limiter_acquire_until(&l, 0), -ETIMEDOUT);
    roost_scope_open(&s, NULL);
    queue_up(&s, h, 6, &like);
    check_info(&l, 0, 0, 6);
    CHECK_EQ(roost_limiter_set_total(&l, 3), 0);
    check_info(&l, 3, 3, 3); /* at once, before they have run */
    CHECK_EQ(roost_settle(), 0);
    for (int i = 0; i < 6; i++) {
        CHECK_EQ(h[i].rc, i < 3 ? 0 : 1);
    }
    CHECK_EQ(roost_limiter_set_total(&l, 1), 0);
    check_info(&l, 1, 3, 3);
    CHECK_EQ(roost_event_set(&end), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 6; i++) {
        CHECK_EQ(h[i].rc, 0);
        CHECK(i < 3 ? h[i].place <= 3 : h[i].place == i + 1);
    }
    check_info(&l, 1, 0, 0);
    CHECK_EQ(roost_limiter_set_total(&l, 0xffffffff), 0);
    CHECK_EQ(roost_limiter_acquire(&l), 0);
    check_info(&l, 0xffffffff, 1, 0);
    CHECK_EQ(roost_limiter_release(&l), 0);
    roost_limiter_destroy(&l);
}

/* Lowered to 2 with 3 out: the first that comes back wakes nobody. */
TEST(a_token_too_many_goes_to_nobody, "R52")
{
    roost_event end[3] = {ROOST_EVENT_INIT, ROOST_EVENT_INIT, ROOST_EVENT_INIT};
    roost_limiter l;
    struct holder h[3], waiting, like = {&l, .deadline = ROOST_NEVER, .rc = 1};
    roost_scope s;

    CHECK_EQ(roost_limiter_init(&l, 3), 0);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < 3; i++) {
        like.until = &end[i];
        queue_up(&s, &h[i], 1, &like);
    }
    like.until = NULL;
    queue_up(&s, &waiting, 1, &like);
    CHECK_EQ(roost_limiter_set_total(&l, 2), 0);
    CHECK_EQ(roost_event_set(&end[1]), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(waiting.rc, 1);
    check_info(&l, 2, 2, 1);
    CHECK_EQ(roost_event_set(&end[0]), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(waiting.rc, 0);
    check_info(&l, 2, 1, 0);
    CHECK_EQ(roost_event_set(&end[2]), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    check_info(&l, 2, 0, 0);
    roost_limiter_destroy(&l);
}

/* Conformance 139, 142: in order, and no try gets in between. */
TEST(a_token_is_handed_over_in_order, "R3 R46 R51")
{
    enum { N = 10 };
    roost_limiter l;
    int order = 0;
    struct holder h[N], like = {
                            &l,
                            .deadline = ROOST_NEVER,
                            .rc = 1,
                            .order = &order,
                        };
    roost_event end = ROOST_EVENT_INIT;
    roost_scope s;

    CHECK_EQ(roost_limiter_init(&l, 1), 0);
    CHECK_EQ(roost_limiter_acquire(&l), 0);
    roost_scope_open(&s, NULL);
    queue_up(&s, h, N, &like);
    CHECK_EQ(roost_limiter_release(&l), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(h[i].place, i + 1);
    }
    CHECK_EQ(roost_limiter_acquire(&l), 0);
    roost_scope_open(&s, NULL);
    like.until = &end;
    queue_up(&s, h, 1, &like);
    CHECK_EQ(roost_limiter_release(&l), 0);
    CHECK_EQ(roost_limiter_try_acquire(&l), -EAGAIN);
    roost_scope_cancel(&s, 0); /* too late: it has its token */
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(h[0].rc, 0);
    roost_limiter_destroy(&l);
}

/* ---- deadlines and cancellation ---- */

TEST(a_cancelled_task_takes_no_token, "R2 R4 R9")
{
    roost_limiter l;
    roost_scope s;

    CHECK_EQ(roost_limiter_init(&l, 1), 0);
    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_limiter_acquire(&l), -ECANCELED);
    CHECK_EQ(roost_limiter_acquire_until(&l, 0), -ECANCELED);
    CHECK_EQ(roost_limiter_release(&l), -EPERM);
    CHECK_EQ(roost_limiter_try_acquire(&l), 0);      /* no cancellation point */
    CHECK_EQ(roost_limiter_acquire(&l), -ECANCELED); /* before -EDEADLK */
    CHECK_EQ(roost_limiter_release(&l), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    check_info(&l, 1, 0, 0);
    roost_limiter_destroy(&l);
}

TEST_VIRTUAL(who_leaves_takes_no_token_along, "R8 R9 R51")
{
    roost_limiter l;
    struct holder late = {&l, .deadline = roost_in(ROOST_S), .rc = 1};
    struct holder both = {&l, .deadline = roost_in(2 * ROOST_S), .rc = 1};
    struct holder next = {&l, .deadline = ROOST_NEVER, .rc = 1};
    roost_scope s, inner;

    CHECK_EQ(roost_limiter_init(&l, 1), 0);
    CHECK_EQ(roost_limiter_acquire(&l), 0);
    roost_scope_open(&s, NULL);
    OPEN(&inner, .flags = ROOST_MOVE_ON, .deadline = both.deadline);
    CHECK_EQ(roost_spawn(&inner, hold, &late), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_spawn(&inner, hold, &both), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_spawn(&s, hold, &next), 0);
    CHECK_EQ(roost_settle(), 0);
    check_info(&l, 1, 1, 3);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(late.rc, -ETIMEDOUT);
    CHECK_EQ(both.rc, -ECANCELED);
    CHECK_EQ(roost_now(), both.deadline);
    check_info(&l, 1, 1, 1);
    CHECK_EQ(roost_limiter_release(&l), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(next.rc, 0);
    check_info(&l, 1, 0, 0);
    roost_limiter_destroy(&l);
}

struct crowd {
    roost_limiter l;
    int inside, most, rounds;
};

static int use_or_leave(void *arg)
{
    struct crowd *c = (struct crowd *)arg;

    for (int i = 0; i < c->rounds; i++) {
        roost_ns d = i % 3 == 0 ? ROOST_NEVER : roost_in(i % 5 * 20 * ROOST_US);
        int rc = roost_limiter_acquire_until(&c->l, d);
        int now;

        CHECK(rc == 0 || (rc == -ETIMEDOUT && i % 3 != 0));
        if (rc == 0) {
            now = test_add(&c->inside, 1);
            if (now > test_get(&c->most)) {
                test_set(&c->most, now);
            }
            if (roost_runtime_current() != NULL) {
                (void)roost_yield();
            }
            test_add(&c->inside, -1);
            CHECK_EQ(roost_limiter_release(&c->l), 0);
        }
    }
    return 0;
}

/* Time-outs race releases: no token is lost, none is made. */
TEST(tokens_are_conserved_under_time_outs, "R3 R8 R51")
{
    struct crowd c = {.rounds = 100};
    roost_scope s;

    CHECK_EQ(roost_limiter_init(&c.l, 4), 0);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < 30; i++) {
        CHECK_EQ(roost_spawn(&s, use_or_leave, &c), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(c.most >= 1 && c.most <= 4);
    check_info(&c.l, 4, 0, 0);
    roost_limiter_destroy(&c.l);
}

static int cancel_it(void *arg)
{
    roost_scope_cancel((roost_scope *)arg, 0);
    return 0;
}

/* Whoever wins, the token is with somebody, or free. */
TEST(a_cancel_that_races_a_release_loses_no_token, "R3 R8")
{
    for (int i = 0; i < 500; i++) {
        roost_limiter l;
        struct holder h = {&l, .deadline = ROOST_NEVER, .rc = 1};
        roost_scope s;

        CHECK_EQ(roost_limiter_init(&l, 1), 0);
        CHECK_EQ(roost_limiter_acquire(&l), 0);
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, hold, &h), 0);
        CHECK_EQ(roost_yield(), 0);
        CHECK_EQ(roost_spawn(&s, cancel_it, &s), 0);
        if (i % 2) {
            (void)roost_yield();
        }
        CHECK_EQ(roost_limiter_release(&l), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK(h.rc == 0 || h.rc == -ECANCELED);
        check_info(&l, 1, 0, 0);
        roost_limiter_destroy(&l);
    }
}

TEST_PLAIN(two_runtimes_and_threads_share_a_limiter, "R61 R72")
{
    struct crowd c = {.rounds = 60};

    CHECK_EQ(roost_limiter_init(&c.l, 3), 0);
    everywhere(use_or_leave, &c);
    CHECK(c.most >= 1 && c.most <= 3);
    check_info(&c.l, 3, 0, 0);
    roost_limiter_destroy(&c.l);
}

/* Conformance 145, 146 (memleak_548): many come and are cancelled. */
TEST(many_cancelled_waits_leave_nothing, "R12 R62")
{
    enum { N = 3000 };
    struct holder *h = (struct holder *)calloc(N, sizeof *h);
    roost_limiter l;
    int cancelled = 0;
    roost_scope s;

    CHECK_EQ(roost_limiter_init(&l, 1), 0);
    CHECK_EQ(roost_limiter_acquire(&l), 0);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        h[i] = (struct holder){&l, .deadline = ROOST_NEVER, .rc = 1};
        CHECK_EQ(roost_spawn(&s, hold, &h[i]), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    check_info(&l, 1, 1, N);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < N; i++) {
        cancelled += h[i].rc == -ECANCELED;
    }
    CHECK_EQ(cancelled, N);
    check_info(&l, 1, 1, 0);
    CHECK_EQ(roost_limiter_release(&l), 0);
    roost_limiter_destroy(&l);
    free(h);
}
