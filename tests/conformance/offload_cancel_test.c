/*
 * offload_cancel_test.c - an offloaded call whose caller is cancelled.
 *
 * Would catch: a queued call that runs all the same; a running one that is not
 * awaited, or whose status is lost; a cancel that counts as delivered though
 * nobody heard of it; an abandoned call that is cleaned up twice, never, or
 * before it has ended; a token that comes back too early.
 */
#include "offload.h"

/* ---- it is awaited ---- */

struct running {
    struct gate g;
    roost_scope *s;
    int rc, next;
};

static int offload_and_wait_again(void *arg)
{
    struct running *r = arg;

    r->rc = roost_offload(stay, &r->g);
    r->next = roost_sleep(ROOST_NEVER);
    return r->next;
}

TEST(a_running_call_is_awaited_and_the_next_wait_fails, "R54 R61")
{
    static struct running r;
    roost_scope s;

    gate_init(&r.g);
    r.g.status = 17;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, offload_and_wait_again, &r), 0);
    CHECK_EQ(roost_event_wait(&r.g.up), 0);
    CHECK(roost_scope_cancel(&s, 0));
    roost_event_set(&r.g.go);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(r.rc, 17);
    CHECK_EQ(r.next, -ECANCELED);
    CHECK_EQ(r.g.ended, 1);
}

/* Lets the deadline of its caller's scope pass. */
static int expire(void *arg)
{
    roost_scope_set_deadline(arg, 1);
    return 0;
}

/* In a scope whose deadline passes while fn runs; its status. */
static int past_a_deadline(roost_fn fn, bool *expired)
{
    roost_scope s;
    int rc;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_offload(fn, &s), 0);
    rc = roost_scope_close(&s, 0);
    *expired = roost_scope_expired(&s);
    return rc;
}

TEST(a_cancel_that_nobody_heard_of_was_not_delivered, "R18 R38 R54")
{
    bool expired = true;

    CHECK_EQ(past_a_deadline(expire, &expired), 0);
    CHECK(!expired);
}

static int wait_until_told(void *arg)
{
    (void)arg;
    while (!roost_offload_cancelled()) {
        struct timespec t = {0, 100000};

        nanosleep(&t, NULL);
    }
    return -ECANCELED;
}

/* The watch may be at the expiry already: the call is told by the hook, which
 * then runs there, after the mark (R22). */
static int expire_and_ask(void *arg)
{
    CHECK(!roost_offload_cancelled());
    expire(arg);
    CHECK_EQ(wait_until_told(NULL), -ECANCELED);
    CHECK(roost_offload_cancelled());
    return 0;
}

TEST(one_that_fn_has_asked_for_was_delivered, "R38 R54")
{
    bool expired = false;

    CHECK_EQ(past_a_deadline(expire_and_ask, &expired), -ETIMEDOUT);
    CHECK(expired);
}

static int offload_until_told(void *arg)
{
    struct running *r = arg;

    roost_event_set(&r->g.up);
    r->rc = roost_offload(wait_until_told, NULL);
    return r->rc;
}

TEST(its_ECANCELED_is_absorbed_as_any_other, "R24 R54")
{
    static struct running r;
    roost_scope s;

    gate_init(&r.g);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, offload_until_told, &r), 0);
    CHECK_EQ(roost_event_wait(&r.g.up), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(r.rc, -ECANCELED);
}

TEST(the_cancel_of_one_task_reaches_its_call, "R23 R54")
{
    static struct running r;
    roost_task t;
    roost_scope s;
    int status = 1;

    gate_init(&r.g);
    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, offload_until_told, &r, .handle = &t), 0);
    CHECK_EQ(roost_event_wait(&r.g.up), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_task_cancel(&t));
    CHECK_EQ(roost_join(&t, &status), 0);
    CHECK_EQ(status, -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static int offload_before_it_is_up(void *arg)
{
    return offload_until_told(arg);
}

struct starter {
    struct running r;
    int rc;
};

static int start_it(void *arg)
{
    struct starter *st = arg;
    roost_scope s;

    roost_scope_open(&s, NULL);
    st->rc =
        roost_spawn_started(&s, offload_before_it_is_up, &st->r, NULL, NULL);
    return roost_scope_close(&s, st->rc);
}

TEST(the_cancel_of_a_starter_reaches_the_call_of_its_child, "R34 R54")
{
    static struct starter st;
    roost_scope s;

    gate_init(&st.r.g);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, start_it, &st), 0);
    CHECK_EQ(roost_event_wait(&st.r.g.up), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(st.r.rc, -ECANCELED);
    CHECK_EQ(st.rc, -ECANCELED);
}

/* ---- in the queue ---- */

static struct {
    int order[4], n;
} ran;

static int note(void *arg)
{
    ran.order[ran.n++] = *(int *)arg;
    return 0;
}

struct queued {
    int number, rc;
};

static int offload_note(void *arg)
{
    struct queued *q = arg;

    q->rc = roost_offload(note, &q->number);
    return 0;
}

TEST_WITH(a_queued_call_never_runs_and_the_rest_keep_their_order, "R54",
          .offload_max = 1)
{
    static struct gate g;
    struct queued q[3] = {{1, 9}, {2, 9}, {3, 9}};
    roost_task t[3];
    roost_scope s;

    gate_init(&g);
    ran.n = 0;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, offload_stay, &g), 0);
    CHECK_EQ(roost_event_wait(&g.up), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(SPAWN_OPTS(&s, offload_note, &q[i], .handle = &t[i]), 0);
        CHECK_EQ(roost_settle(), 0);
    }
    CHECK(roost_task_cancel(&t[1]));
    CHECK_EQ(roost_join(&t[1], NULL), 0);
    CHECK_EQ(q[1].rc, -ECANCELED);
    CHECK_EQ(test_get(&g.ended), 0);
    roost_event_set(&g.go);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(q[0].rc, 0);
    CHECK_EQ(q[2].rc, 0);
    CHECK_EQ(ran.n, 2);
    CHECK_EQ(ran.order[0], 1);
    CHECK_EQ(ran.order[1], 3);
}

TEST_WITH(cancelled_all_at_once_none_of_the_queue_runs, "R54 R55",
          .offload_max = 1)
{
    static struct gate g;
    static struct queued q[100];
    roost_scope s;

    gate_init(&g);
    ran.n = 0;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, offload_stay, &g), 0);
    CHECK_EQ(roost_event_wait(&g.up), 0);
    for (int i = 0; i < 100; i++) {
        q[i].rc = 9;
        CHECK_EQ(roost_spawn(&s, offload_note, &q[i]), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_scope_cancel(&s, 0));
    roost_event_set(&g.go);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(q[i].rc, -ECANCELED);
    }
    CHECK_EQ(ran.n, 0);
    CHECK_EQ(g.rc, 0);
}

/* ---- abandoned ---- */

static int offload_abandoned(void *arg)
{
    struct gate *g = arg;

    g->rc = OFFLOAD_WITH(stay, g, .abandon = leave);
    return g->rc;
}

TEST(an_abandoned_call_is_left_at_once_and_cleaned_up_later, "R54")
{
    static struct gate g;
    roost_scope s;

    gate_init(&g);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, offload_abandoned, &g), 0);
    CHECK_EQ(roost_event_wait(&g.up), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(g.rc, -ECANCELED);
    CHECK_EQ(test_get(&g.ended), 0);
    CHECK_EQ(test_get(&g.abandoned), 0);
    roost_event_set(&g.go);
    CHECK_EQ(roost_event_wait(&g.gone), 0);
    CHECK_EQ(g.abandoned, 1);
}

TEST(a_call_that_ends_in_time_is_not_abandoned, "R54")
{
    static struct gate g;

    gate_init(&g);
    g.status = 8;
    roost_event_set(&g.go);
    CHECK_EQ(offload_abandoned(&g), 8);
    CHECK_EQ(g.ended, 1);
    CHECK_EQ(roost_offload(succeed, NULL),
             0); /* the same thread, most likely */
    CHECK_EQ(test_get(&g.abandoned), 0);
}

/* ---- whose arg is after -ECANCELED ---- */

static bool left_behind, left_again;

static int offload_in_vain(void *arg)
{
    struct gate *g = arg;

    g->rc = OFFLOAD_WITH(stay, g, .abandon = leave);
    test_set(&g->ended, roost_offload_abandoned());
    return 0;
}

TEST(cancelled_at_its_entry_a_call_leaves_arg_to_the_caller, "R2 R8 R54")
{
    static struct gate g;
    roost_scope s;

    gate_init(&g);
    roost_scope_open(&s, NULL);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_spawn(&s, offload_in_vain, &g), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(g.rc, -ECANCELED);
    CHECK_EQ(g.ended, 0);
    CHECK_EQ(g.runs, 0);
    CHECK_EQ(g.abandoned, 0);
}

TEST_WITH(cancelled_in_the_queue_a_call_leaves_arg_to_the_caller, "R8 R54",
          .offload_max = 1)
{
    static struct gate first, g;
    roost_scope s, queued;

    gate_init(&first);
    gate_init(&g);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, offload_stay, &first), 0);
    CHECK_EQ(roost_event_wait(&first.up), 0);
    roost_scope_open(&queued, NULL);
    CHECK_EQ(roost_spawn(&queued, offload_in_vain, &g), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_scope_cancel(&queued, 0));
    CHECK_EQ(roost_scope_close(&queued, 0), 0);
    CHECK_EQ(g.rc, -ECANCELED);
    CHECK_EQ(g.ended, 0);
    CHECK_EQ(g.runs, 0);
    roost_event_set(&first.go);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(g.abandoned, 0);
}

static int cancel_itself(void *arg)
{
    test_add(&((struct gate *)arg)->runs, 1);
    return -ECANCELED;
}

TEST(an_ECANCELED_of_its_own_is_no_abandonment, "R24 R54")
{
    static struct gate g;

    gate_init(&g);
    CHECK_EQ(OFFLOAD_WITH(cancel_itself, &g, .abandon = leave), -ECANCELED);
    CHECK(!roost_offload_abandoned());
    CHECK_EQ(g.runs, 1);
    CHECK_EQ(roost_offload(succeed, NULL), 0);
    CHECK_EQ(test_get(&g.abandoned), 0);
}

static int offload_twice(void *arg)
{
    struct gate *g = arg;
    roost_shield shield;

    CHECK(!roost_offload_abandoned());
    g->rc = OFFLOAD_WITH(stay, g, .abandon = leave);
    left_behind = roost_offload_abandoned();
    roost_event_set(&g->go);
    roost_shield_begin(&shield);
    CHECK_EQ(roost_offload(succeed, NULL), 0);
    roost_shield_end(&shield);
    left_again = roost_offload_abandoned();
    return g->rc;
}

TEST(an_abandoned_call_is_told_from_the_others, "R54")
{
    static struct gate g;
    roost_scope s;

    gate_init(&g);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, offload_twice, &g), 0);
    CHECK_EQ(roost_event_wait(&g.up), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(g.rc, -ECANCELED);
    CHECK(left_behind);
    CHECK(!left_again);
    CHECK_EQ(roost_event_wait(&g.gone), 0);
    CHECK_EQ(g.abandoned, 1);
}

TEST_PLAIN(on_a_plain_thread_nothing_is_abandoned, "R54")
{
    static struct gate g;

    CHECK(!roost_offload_abandoned());
    CHECK_EQ(OFFLOAD_WITH(cancel_itself, &g, .abandon = leave), -ECANCELED);
    CHECK(!roost_offload_abandoned());
    CHECK_EQ(g.abandoned, 0);
}

/* What outlives its caller brings everything along. */
struct baggage {
    struct gate *g;
    int value;
};

static roost_local key;
static char abandoned_name[32];
static int abandoned_call, abandoned_rc;

static int stay_with_baggage(void *arg)
{
    struct baggage *b = arg;

    stay(b->g);
    CHECK(roost_offload_cancelled());
    CHECK(roost_local_get(&key) == b->g);
    strcpy(abandoned_name, roost_task_name());
    abandoned_call = roost_offload_call(succeed, NULL);
    CHECK_EQ(roost_offload(succeed, NULL), 0);
    return roost_fail(-EIO, "nobody hears this: %d", b->value);
}

static void drop_baggage(void *arg)
{
    struct baggage *b = arg;

    CHECK_EQ(b->value, 5);
    leave(b->g);
}

static int offload_baggage(void *arg)
{
    struct gate *g = arg;
    struct baggage b = {g, 5};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_local_bind(&s, &key, g), 0);
    abandoned_rc = OFFLOAD_WITH(stay_with_baggage, &b, .copy = sizeof(b),
                                .abandon = drop_baggage);
    b.value = 6;
    return roost_scope_close(&s, abandoned_rc);
}

TEST(an_abandoned_call_keeps_name_locals_and_copy, "R31 R54 R57")
{
    static struct gate g;
    roost_scope s;

    gate_init(&g);
    abandoned_rc = abandoned_call = 1;
    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, offload_baggage, &g, .name = "long gone"), 0);
    CHECK_EQ(roost_event_wait(&g.up), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(abandoned_rc, -ECANCELED);
    roost_event_set(&g.go);
    CHECK_EQ(roost_event_wait(&g.gone), 0);
    CHECK_STR(abandoned_name, "long gone");
    CHECK_EQ(abandoned_call, -ECANCELED);
}

struct limited {
    struct gate g;
    roost_limiter l;
};

static int offload_limited(void *arg)
{
    struct limited *l = arg;

    l->g.rc = OFFLOAD_WITH(stay, &l->g, .limiter = &l->l, .abandon = leave);
    return l->g.rc;
}

TEST(the_token_is_out_until_it_has_really_ended, "R55")
{
    static struct limited l;
    roost_limiter_info info;
    roost_scope s;
    int runs = 0;

    gate_init(&l.g);
    CHECK_EQ(roost_limiter_init(&l.l, 1), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, offload_limited, &l), 0);
    CHECK_EQ(roost_event_wait(&l.g.up), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(l.g.rc, -ECANCELED);
    CHECK_EQ(roost_limiter_stats(&l.l, &info), 0);
    CHECK_EQ(info.used, 1);
    CHECK_EQ(roost_limiter_try_acquire(&l.l), -EAGAIN);
    roost_event_set(&l.g.go);
    CHECK_EQ(OFFLOAD_WITH(count, &runs, .limiter = &l.l), 0); /* waits */
    CHECK_EQ(test_get(&l.g.ended), 1);
    CHECK_EQ(runs, 1);
    CHECK_EQ(roost_limiter_stats(&l.l, &info), 0);
    CHECK_EQ(info.used, 0);
    CHECK_EQ(roost_event_wait(&l.g.gone), 0);
    roost_limiter_destroy(&l.l);
}
