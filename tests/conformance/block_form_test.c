/*
 * block_form_test.c - ROOST_SCOPE: every way in which a block can end. Would
 * catch a block that is left without waiting, closed twice, or whose status is
 * lost; and warnings, also nested (the tests are built with -Werror -Wshadow).
 */
#include "tasks.h"

TEST(falling_off_the_end_waits, "R26 R36")
{
    struct nap n = {.d = ROOST_MS};
    int rc = 77;

    ROOST_SCOPE(s, rc) {
        CHECK(roost_scope_current() == s);
        CHECK_EQ(roost_spawn(s, nap, &n), 0);
    }
    CHECK_EQ(rc, 0);
    CHECK_EQ(n.ended, 1);
    CHECK_EQ(n.rc, 0);
}

TEST(a_failing_child_is_the_status, "R36")
{
    int rc = 77;

    ROOST_SCOPE(s, rc) {
        CHECK_EQ(roost_spawn(s, fail_io, NULL), 0);
    }
    CHECK_EQ(rc, -EIO);
}

TEST_VIRTUAL(options_apply_to_the_block, "R11 R38")
{
    struct nap n = {.d = 9 * ROOST_S};
    roost_ns t = roost_now();
    int rc = 77;

    ROOST_SCOPE(s, rc, .timeout = 5 * ROOST_S) {
        CHECK_EQ(roost_spawn(s, nap, &n), 0);
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    CHECK_EQ(roost_now() - t, 5 * ROOST_S);
    ROOST_SCOPE(s, rc, .timeout = ROOST_S, .flags = ROOST_MOVE_ON,
                .name = "block", .limit = 3) {
        CHECK_EQ(roost_spawn(s, nap, &n), 0);
    }
    CHECK_EQ(rc, 0);
}

TEST(break_cancels_and_waits, "R26 R36")
{
    struct nap n = {.d = ROOST_NEVER};
    int rc = 77, after = 0;

    ROOST_SCOPE(s, rc) {
        CHECK_EQ(roost_spawn(s, nap, &n), 0);
        if (n.d == ROOST_NEVER) {
            break;
        }
        after = 1;
    }
    CHECK_EQ(rc, 0);
    CHECK_EQ(after, 0);
    CHECK_EQ(n.ended, 1);
    CHECK_EQ(n.rc, -ECANCELED);
}

TEST_VIRTUAL(continue_ends_the_block_and_waits, "R26")
{
    struct nap n = {.d = ROOST_S};
    int rc = 77, rounds = 0;

    ROOST_SCOPE(s, rc) {
        rounds++;
        CHECK_EQ(roost_spawn(s, nap, &n), 0);
        if (rounds > 0) {
            continue;
        }
        rounds = 100;
    }
    CHECK_EQ(rc, 0);
    CHECK_EQ(rounds, 1);
    CHECK_EQ(n.rc, 0);
}

static int return_from_a_block(struct nap *n, int *rc, int *value)
{
    ROOST_SCOPE(s, *rc) {
        CHECK_EQ(roost_spawn(s, nap, n), 0);
        CHECK_EQ(roost_settle(), 0);
        return *value;
    }
    return -1;
}

TEST(return_cancels_and_waits, "R26 R36")
{
    struct nap n = {.d = ROOST_NEVER};
    int rc = 77, value = 5;

    CHECK_EQ(return_from_a_block(&n, &rc, &value), 5);
    CHECK_EQ(rc, 0);
    CHECK_EQ(n.ended, 1);
    CHECK_EQ(n.rc, -ECANCELED);
    CHECK_EQ(roost_yield(), 0);
}

TEST(goto_cancels_and_waits, "R26 R36")
{
    struct nap n = {.d = ROOST_NEVER};
    int rc = 77;

    ROOST_SCOPE(s, rc) {
        CHECK_EQ(roost_spawn(s, nap, &n), 0);
        CHECK_EQ(roost_settle(), 0);
        if (n.runs == 1) {
            goto out;
        }
    }
    CHECK(false);
out:
    CHECK_EQ(rc, 0);
    CHECK_EQ(n.ended, 1);
    CHECK_EQ(n.rc, -ECANCELED);
}

/* Left early is cancelled with 0: no failure; but a child's is one. */
static int shrug_or_fail(void *arg)
{
    (void)roost_sleep(ROOST_NEVER);
    return *(int *)arg;
}

TEST(a_failure_after_break_is_the_status, "R36 R38")
{
    int rc = 77, status = -EBADF;

    ROOST_SCOPE(s, rc) {
        CHECK_EQ(roost_spawn(s, shrug_or_fail, &status), 0);
        CHECK_EQ(roost_settle(), 0);
        break;
    }
    CHECK_EQ(rc, -EBADF);
}

TEST(blocks_nest, "R33")
{
    int a = 77, b = 77, c = 77, runs = 0;

    ROOST_SCOPE(s, a) {
        ROOST_SCOPE(t, b) {
            ROOST_SCOPE(u, c) {
                CHECK_EQ(roost_spawn(s, count, &runs), 0);
                CHECK_EQ(roost_spawn(t, count, &runs), 0);
                CHECK_EQ(roost_spawn(u, count, &runs), 0);
            }
            CHECK_EQ(c, 0);
            CHECK(roost_scope_current() == t);
        }
        CHECK_EQ(b, 0);
    }
    CHECK_EQ(a, 0);
    CHECK_EQ(runs, 3);
}

static int return_from_nested(int *a, int *b, struct nap *n)
{
    ROOST_SCOPE(s, *a) {
        CHECK_EQ(roost_spawn(s, nap, &n[0]), 0);
        ROOST_SCOPE(t, *b) {
            CHECK_EQ(roost_spawn(t, nap, &n[1]), 0);
            return 9;
        }
    }
    return 0;
}

TEST(return_leaves_all_nested_blocks, "R26 R33")
{
    struct nap n[2] = {{.d = ROOST_NEVER}, {.d = ROOST_NEVER}};
    int a = 77, b = 77;

    CHECK_EQ(return_from_nested(&a, &b, n), 9);
    CHECK_EQ(a, 0);
    CHECK_EQ(b, 0);
    CHECK_EQ(n[0].rc, -ECANCELED);
    CHECK_EQ(n[1].rc, -ECANCELED);
}

/* break leaves the block, not the loop around it. */
TEST(a_break_is_the_blocks, "R36")
{
    int rc = 77, rounds = 0;

    for (int i = 0; i < 5; i++) {
        ROOST_SCOPE(s, rc) {
            rounds++;
            break;
        }
        CHECK_EQ(rc, 0);
    }
    CHECK_EQ(rounds, 5);
}

TEST(a_block_is_one_statement, "R33")
{
    int rc = 77, runs = 0;

    for (int i = 0; i < 4; i++)
        if (i % 2)
            ROOST_SCOPE(s, rc)
                CHECK_EQ(roost_spawn(s, count, &runs), 0);
        else
            runs += 10;
    CHECK_EQ(rc, 0);
    CHECK_EQ(runs, 22);
}

TEST(the_status_goes_to_any_lvalue, "R36")
{
    struct {
        int rc[2];
    } r = {{77, 77}}, *p = &r;

    ROOST_SCOPE(s, p->rc[1]) {
        CHECK_EQ(roost_scope_fail(s, -EBADF), -EBADF);
    }
    CHECK_EQ(r.rc[1], -EBADF);
    CHECK_EQ(r.rc[0], 77);
}

TEST(a_cancelled_block_says_so, "R38")
{
    int a = 77, b = 77;

    ROOST_SCOPE(s, a) {
        roost_scope_cancel(s, 0);
        ROOST_SCOPE(t, b) {
            CHECK_EQ(roost_yield(), -ECANCELED);
            CHECK(roost_scope_current() == t);
        }
        CHECK_EQ(b, -ECANCELED);
    }
    CHECK_EQ(a, 0);
}
