/*
 * shield_test.c - shields stop cancellation from outside, and only that. Would
 * catch a shield that eats its own deadline or a child's failure, one that
 * leaks to the tasks spawned from inside it, a cancel lost under it.
 */
#include "tasks.h"

TEST(waits_inside_a_shielded_scope_go_on, "R20")
{
    roost_scope outer, s;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_SHIELD});
    roost_scope_cancel(&outer, 0);
    CHECK_EQ(roost_yield(), 0);
    CHECK_EQ(roost_sleep(1), 0);
    CHECK(!roost_cancelled());
    CHECK_EQ(roost_checkpoint(), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_yield(), -ECANCELED); /* R21 */
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

TEST(a_shield_in_a_task_covers_its_waits, "R20 R21")
{
    roost_scope s;
    roost_shield h;

    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_yield(), -ECANCELED);
    roost_shield_begin(&h);
    CHECK_EQ(roost_yield(), 0);
    CHECK_EQ(roost_yield(), 0);
    CHECK_EQ(roost_sleep(1), 0);
    CHECK(!roost_cancelled());
    roost_shield_end(&h);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(shields_in_a_task_nest, "R20")
{
    roost_scope s;
    roost_shield a, b;

    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    roost_shield_begin(&a);
    roost_shield_begin(&b);
    CHECK_EQ(roost_yield(), 0);
    roost_shield_end(&b);
    CHECK_EQ(roost_yield(), 0);
    roost_shield_end(&a);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(a_cancel_under_a_shield_alone_was_not_delivered, "R18 R21")
{
    roost_scope outer, inner;
    roost_shield h;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&inner, NULL);
    roost_shield_begin(&h);
    roost_scope_cancel(&outer, 0);
    CHECK_EQ(roost_yield(), 0);
    roost_shield_end(&h);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

/* Conformance 32: a scope opened inside the shield is cancelled as usual. */
TEST(a_cancel_inside_a_shield_works, "R20")
{
    roost_scope s, inner;
    roost_shield h;

    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_SHIELD});
    roost_scope_open(&inner, NULL);
    roost_scope_cancel(&inner, 0);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(roost_yield(), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);

    roost_shield_begin(&h);
    roost_scope_open(&inner, NULL);
    roost_scope_cancel(&inner, 0);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(roost_yield(), 0);
    roost_shield_end(&h);
}

/* R17, conformance 10 and 11. */
TEST(a_shielded_scope_absorbs_its_own_cancel, "R17")
{
    roost_scope outer, s;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_SHIELD});
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_yield(), -ECANCELED);
    roost_scope_cancel(&outer, 0);
    CHECK_EQ(roost_scope_close(&s, -ECANCELED), 0);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&outer, -ECANCELED), 0);
}

/* Conformance 37 and 38. */
TEST_VIRTUAL(its_own_deadline_works_under_a_shield, "R20 R17")
{
    roost_scope outer, s;
    roost_ns t = roost_now();

    roost_scope_open(&outer, NULL);
    roost_scope_cancel(&outer, 0);
    OPEN(&s, .flags = ROOST_SHIELD, .timeout = ROOST_S);
    CHECK_EQ(roost_sleep(9 * ROOST_S), -ECANCELED);
    CHECK_EQ(roost_now() - t, ROOST_S);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    OPEN(&s, .flags = ROOST_SHIELD | ROOST_MOVE_ON, .timeout = ROOST_S);
    CHECK_EQ(roost_sleep(9 * ROOST_S), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

TEST_VIRTUAL(a_child_failure_works_under_a_shield, "R20 R36")
{
    struct nap n = {.d = ROOST_NEVER}, bad = {.d = ROOST_S, .status = -EIO};
    roost_scope s;

    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_SHIELD});
    CHECK_EQ(roost_spawn(&s, nap, &n), 0);
    CHECK_EQ(roost_spawn(&s, nap, &bad), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    CHECK_EQ(n.rc, -ECANCELED);
}

TEST_VIRTUAL(a_shielded_scope_covers_what_is_spawned_into_it, "R20")
{
    struct nap n = {.d = ROOST_S};
    roost_scope outer, s;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_SHIELD});
    CHECK_EQ(roost_spawn(&s, nap, &n), 0);
    roost_scope_cancel(&outer, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK_EQ(n.rc, 0);
}

/* Conformance 34. */
TEST(children_of_outer_scopes_are_not_covered, "R20")
{
    struct nap n = {.d = ROOST_NEVER};
    roost_scope outer, s;

    roost_scope_open(&outer, NULL);
    CHECK_EQ(roost_spawn(&outer, nap, &n), 0);
    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_SHIELD});
    roost_scope_cancel(&outer, 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(test_get(&n.ended), 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK_EQ(n.rc, -ECANCELED);
}

/* The target's cancel counts, never the spawner's shield: R31. */
TEST(a_task_spawned_outward_from_a_shield_is_not_covered, "R20 R31")
{
    struct nap a = {.d = ROOST_NEVER}, b = {.d = ROOST_NEVER};
    roost_scope outer, s;
    roost_shield h;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_SHIELD});
    CHECK_EQ(roost_spawn(&outer, nap, &a), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_shield_begin(&h);
    CHECK_EQ(roost_spawn(&outer, nap, &b), 0);
    roost_shield_end(&h);
    roost_scope_cancel(&outer, 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK_EQ(a.rc, -ECANCELED);
    CHECK_EQ(b.rc, -ECANCELED);
}

static int clean_up(void *arg)
{
    struct nap *cleanup = (struct nap *)arg;
    roost_shield h;
    int rc = roost_sleep(ROOST_NEVER);

    roost_shield_begin(&h);
    (void)nap(cleanup);
    roost_shield_end(&h);
    return rc;
}

/* Conformance 39. */
TEST_VIRTUAL(a_shielded_cleanup_completes, "R20 R26")
{
    struct nap cleanup = {.d = 3 * ROOST_S};
    roost_scope s;
    roost_ns t = roost_now();

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, clean_up, &cleanup), 0);
    CHECK_EQ(roost_settle(), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(cleanup.rc, 0);
    CHECK_EQ(cleanup.woke - t, 3 * ROOST_S);
}

struct sleeper {
    roost_shield h;
    int inside, after;
};

static int sleep_in_a_shield(void *arg)
{
    struct sleeper *p = (struct sleeper *)arg;

    roost_shield_begin(&p->h);
    p->inside = roost_sleep(2 * ROOST_S);
    roost_shield_end(&p->h);
    p->after = roost_sleep(2 * ROOST_S);
    return p->after;
}

/* The cancel comes while the task waits under the shield. */
TEST_VIRTUAL(a_cancel_during_a_shielded_wait_comes_out_after_it, "R5 R21")
{
    struct sleeper p = {.inside = 1, .after = 1};
    roost_scope s;
    roost_ns t = roost_now();

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, sleep_in_a_shield, &p), 0);
    CHECK_EQ(roost_sleep(ROOST_S), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(p.inside, 0);
    CHECK_EQ(p.after, -ECANCELED);
    CHECK_EQ(roost_now() - t, 2 * ROOST_S);
}

TEST_VIRTUAL(a_task_cancel_waits_for_the_end_of_the_shield, "R21 R23")
{
    struct sleeper p = {.inside = 1, .after = 1};
    roost_scope s;
    roost_task t;
    int status = 1;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, sleep_in_a_shield, &p, .handle = &t), 0);
    CHECK(roost_task_cancel(&t));
    CHECK_EQ(roost_join(&t, &status), 0);
    CHECK_EQ(p.inside, 0);
    CHECK_EQ(p.after, -ECANCELED);
    CHECK_EQ(status, -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* A task's shield is not inherited by children it spawns in the stretch. */
TEST(a_tasks_shield_does_not_cover_its_children, "R20 R31")
{
    struct nap n = {.d = ROOST_NEVER};
    roost_scope outer, s;
    roost_shield h;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, NULL);
    roost_shield_begin(&h);
    CHECK_EQ(roost_spawn(&s, nap, &n), 0);
    roost_scope_cancel(&outer, 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(test_get(&n.ended), 1);
    roost_shield_end(&h);
    CHECK_EQ(roost_scope_close(&s, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK_EQ(n.rc, -ECANCELED);
}

TEST_VIRTUAL(a_timeout_inside_a_tasks_shield_works, "R20")
{
    roost_scope outer, s;
    roost_shield h;

    roost_scope_open(&outer, NULL);
    roost_scope_cancel(&outer, 0);
    roost_shield_begin(&h);
    roost_scope_open(&s, &(roost_scope_opts){.timeout = ROOST_S});
    CHECK_EQ(roost_sleep(9 * ROOST_S), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK_EQ(roost_yield(), 0);
    roost_shield_end(&h);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

TEST(two_shields_between_keep_an_outer_cancel_out, "R20")
{
    roost_scope a, b, c, d;

    roost_scope_open(&a, NULL);
    roost_scope_open(&b, &(roost_scope_opts){.flags = ROOST_SHIELD});
    roost_scope_open(&c, NULL);
    roost_scope_open(&d, &(roost_scope_opts){.flags = ROOST_SHIELD});
    roost_scope_cancel(&c, 0);
    roost_scope_cancel(&a, 0);
    CHECK_EQ(roost_yield(), 0);
    CHECK_EQ(roost_scope_close(&d, 0), 0);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&c, 0), 0);
    CHECK_EQ(roost_yield(), 0);
    CHECK_EQ(roost_scope_close(&b, 0), 0);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&a, 0), 0);
}

/* Catches a close that believes what an earlier one, at the same addresses, has
 * found further out. */
TEST(a_scope_opened_where_one_was_closed_is_looked_at_anew, "R16 R17")
{
    roost_scope outer, place, inner;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&place, NULL);
    roost_scope_open(&inner, NULL);
    roost_scope_cancel(&inner, 0);
    roost_scope_cancel(&outer, 0);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&inner, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&place, 0), -ECANCELED);

    roost_scope_open(&place, &(roost_scope_opts){.flags = ROOST_SHIELD});
    roost_scope_open(&inner, NULL);
    roost_scope_cancel(&inner, 0);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(roost_scope_close(&place, 0), 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

/* The frame of a scope that is closed while the stretch that was begun in it
 * goes on; its storage is used for something else then. */
static __attribute__((noinline)) void begin_inside(roost_shield *h)
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_shield_begin(h);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    memset(&s, 0x55, sizeof s);
    __asm__ __volatile__("" ::"r"(&s) : "memory");
}

static int outlive_the_scope(void *arg)
{
    roost_shield outer, h;
    int *slept = (int *)arg;

    begin_inside(&h);
    *slept = roost_sleep(2 * ROOST_S);
    roost_shield_end(&h);
    CHECK_EQ(roost_yield(), -ECANCELED);
    roost_shield_begin(&outer);
    begin_inside(&h);
    CHECK_EQ(roost_sleep(1), 0);
    roost_shield_end(&h);
    CHECK_EQ(roost_sleep(1), 0); /* still the outer one */
    roost_shield_end(&outer);
    return roost_yield();
}

TEST_VIRTUAL(a_stretch_may_outlive_the_scope_it_was_begun_in, "R20 R21")
{
    roost_scope s;
    int slept = 1;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, outlive_the_scope, &slept), 0);
    CHECK_EQ(roost_sleep(ROOST_S), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(slept, 0);
}

static int nest_around_a_close(void *arg)
{
    roost_scope s;
    roost_shield a, b;

    (void)arg;
    roost_scope_open(&s, NULL);
    roost_shield_begin(&a);
    roost_shield_begin(&b);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_yield(), 0);
    roost_shield_end(&b); /* what it restores began in s, which is gone */
    CHECK_EQ(roost_yield(), 0);
    roost_shield_end(&a);
    return roost_yield();
}

TEST(a_scope_closed_within_two_stretches, "R20 R21")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(nest_around_a_close(NULL), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}
