/*
 * spawner_aside_test.c - more tasks than a deque is to hold: their spawner
 * steps aside, and half of them run in rows of one scope. Would catch a row
 * that passes over what is urgent, loses a failure, runs what is to be skipped,
 * or counts wrong.
 */
#include "tasks.h"

enum { CROWD = 100000, DEEP = 1 << 15 };

static uint64_t begun(void)
{
    roost_stats st;

    roost_stats_get(NULL, &st);
    return st.run;
}

struct crowd {
    roost_scope s;
    roost_event gate;
    int ran, waited; /* test_add */
    int failing;
};

struct one {
    struct crowd *in;
    int i;
};

static struct one *spawn_crowd(struct crowd *c, roost_fn fn, int n)
{
    struct one *all = calloc((size_t)n, sizeof *all);

    for (int i = 0; i < n; i++) {
        all[i] = (struct one){c, i};
        CHECK_EQ(roost_spawn(&c->s, fn, &all[i]), 0);
    }
    return all;
}

/* Every hundredth waits for the last one. */
static int wait_or_not(void *arg)
{
    struct one *o = arg;

    if (o->i == CROWD - 1) {
        roost_event_set(&o->in->gate);
    } else if (o->i % 100 == 0) {
        CHECK_EQ(roost_event_wait(&o->in->gate), 0);
        test_add(&o->in->waited, 1);
    }
    test_add(&o->in->ran, 1);
    return 0;
}

TEST(a_crowd_of_which_some_wait, "R7 R30")
{
    struct crowd c = {.gate = ROOST_EVENT_INIT};
    uint64_t before = begun();
    struct one *all;

    roost_scope_open(&c.s, NULL);
    all = spawn_crowd(&c, wait_or_not, CROWD);
    CHECK_EQ(roost_scope_close(&c.s, 0), 0);
    CHECK_EQ(c.ran, CROWD);
    CHECK_EQ(c.waited, CROWD / 100);
    CHECK_EQ(begun() - before, CROWD);
    free(all);
}

static int fail_if_chosen(void *arg)
{
    struct one *o = arg;

    test_add(&o->in->ran, 1);
    return o->i == o->in->failing ? -EIO : 0;
}

/* Wherever in the rows it stands. */
TEST(one_of_a_crowd_fails, "R7 R36")
{
    for (int k = 0; k < 16; k++) {
        struct crowd c = {.failing = DEEP - 100 - k};
        roost_errors *e;
        struct one *all;

        roost_scope_open(&c.s, NULL);
        all = spawn_crowd(&c, fail_if_chosen, DEEP + 1000);
        CHECK_EQ(roost_scope_close(&c.s, 0), -EIO);
        CHECK_EQ(c.ran, DEEP + 1000); /* R29: all that was accepted */
        e = roost_errors_take();
        CHECK_EQ(roost_errors_count(e, -EIO), 1);
        roost_errors_free(e);
        free(all);
    }
}

/* Whoever runs cancels: of the others only those that had begun. */
static int cancel_at_once(void *arg)
{
    struct one *o = arg;

    test_add(&o->in->ran, 1);
    roost_scope_cancel(&o->in->s, 0);
    return 0;
}

TEST(a_crowd_is_skipped, "R7 R29")
{
    const roost_scope_opts opts = {.flags = ROOST_SKIP};
    struct crowd c = {.ran = 0};
    struct one *all = calloc(DEEP + 1000, sizeof *all);
    int accepted = 0;

    roost_scope_open(&c.s, &opts);
    for (int i = 0; i < DEEP + 1000; i++) {
        all[i] = (struct one){&c, i};
        accepted += roost_spawn(&c.s, cancel_at_once, &all[i]) == 0;
    }
    CHECK(test_workers > 1 || accepted == DEEP);
    CHECK_EQ(roost_scope_close(&c.s, 0), 0);
    CHECK(c.ran >= 1 && c.ran <= (int)test_workers);
    free(all);
}

struct urgent {
    struct crowd *in;
    int at, late; /* of the crowd had run when it was asked for, and then */
};

static int go_first(void *arg)
{
    struct urgent *u = arg;

    u->late = test_get(&u->in->ran) - u->at;
    return 0;
}

static struct urgent asked[DEEP];

/* Asks for somebody HIGH. */
static int ask(void *arg)
{
    const roost_task_opts opts = {.priority = ROOST_HIGH};
    struct one *o = arg;

    if (o->i < DEEP) {
        asked[o->i] = (struct urgent){o->in, test_get(&o->in->ran), -1};
        CHECK_EQ(roost_spawn_opts(&o->in->s, go_first, &asked[o->i], &opts), 0);
    }
    test_add(&o->in->ran, 1);
    return 0;
}

/* Behind the one that has asked, and the one of a round (R60). As seen before
 * the close, where children run in place. */
TEST(who_is_urgent_goes_between_a_crowd, "R7 R68")
{
    struct crowd c = {.ran = 0};
    struct one *all;
    int n = 0, late = 0;

    if (test_workers > 1) {
        return; /* who runs beside is counted too */
    }
    roost_scope_open(&c.s, NULL);
    all = spawn_crowd(&c, ask, DEEP + 1000);
    for (int i = 0; i < DEEP; i++) {
        n += asked[i].in != NULL;
        late += asked[i].in != NULL && asked[i].late > 2;
    }
    CHECK(n >= 50);
    CHECK_EQ(late, 0);
    CHECK_EQ(roost_scope_close(&c.s, 0), 0);
    free(all);
}
