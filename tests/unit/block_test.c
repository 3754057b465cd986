/*
 * block_test.c - ROOST_SCOPE and roost_go against a scope that only counts.
 * Would catch: a block that is closed twice or not at all, or not cancelled
 * when it is left early, in whatever way; rc or an option evaluated twice; a
 * block that does not stand where a statement stands.
 */
#define TEST_NO_RUNTIME
#include "test.h"

#include <roost/scope.h>
#include <roost/task.h>

#define CLOSED (-77) /* what every close returns */

static struct {
    int opened, plain, cancelled, closed, spawned, copied;
    roost_scope *open[8]; /* innermost last */
    roost_scope_opts opts;
    size_t copy_size;
    int copy_first;
} seen;

void roost_scope_open(roost_scope *s, const roost_scope_opts *opts)
{
    memset(s, 0xee, sizeof(*s)); /* the storage is there */
    seen.open[seen.opened++ - seen.closed] = s;
    if (opts != NULL) {
        seen.opts = *opts;
    } else {
        seen.plain++;
    }
}

bool roost_scope_cancel(roost_scope *s, int status)
{
    CHECK(s == seen.open[seen.opened - seen.closed - 1]);
    CHECK_EQ(status, 0);
    seen.cancelled++;
    return true;
}

int roost_scope_close(roost_scope *s, int body)
{
    seen.closed++;
    CHECK(s == seen.open[seen.opened - seen.closed]);
    CHECK_EQ(body, 0);
    return CLOSED;
}

int roost_spawn(roost_scope *s, roost_fn fn, void *arg)
{
    CHECK(s == seen.open[seen.opened - seen.closed - 1]);
    CHECK(fn != NULL && arg == NULL);
    seen.spawned++;
    return 1;
}

int roost_spawn_copy(roost_scope *s, roost_fn fn, const void *arg, size_t size)
{
    CHECK(s == seen.open[seen.opened - seen.closed - 1]);
    CHECK(fn != NULL);
    seen.copied++;
    seen.copy_size = size;
    memcpy(&seen.copy_first, arg, sizeof(int));
    return 2;
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* What the blocks since the last look have done. */
static void check_seen(int opened, int cancelled)
{
    CHECK_EQ(seen.opened, opened);
    CHECK_EQ(seen.closed, opened);
    CHECK_EQ(seen.cancelled, cancelled);
    memset(&seen, 0, sizeof(seen));
}

TEST(falling_off_the_end_closes, "R26")
{
    int rc = 1;

    ROOST_SCOPE(s, rc) {
        CHECK(s == seen.open[0]);
        CHECK_EQ(seen.closed, 0);
    }
    CHECK_EQ(rc, CLOSED);
    CHECK_EQ(seen.plain, 1);
    check_seen(1, 0);
}

TEST(continue_ends_the_block_and_break_cancels_it, "R36")
{
    int rc = 1, rounds = 0;

    for (int i = 0; i < 3; i++) {
        ROOST_SCOPE(s, rc) {
            rounds++;
            if (i == 0) {
                continue;
            }
            if (i == 1) {
                break;
            }
        }
        CHECK_EQ(rc, CLOSED);
    }
    CHECK_EQ(rounds, 3);
    check_seen(3, 1);
}

TEST(a_loop_within_has_its_own_break, "R36")
{
    int rc = 1;

    ROOST_SCOPE(s, rc) {
        for (int i = 0; i < 3; i++) {
            if (i == 1) {
                break;
            }
        }
    }
    check_seen(1, 0);
}

static int leave_by_return(int *rc)
{
    ROOST_SCOPE(s, *rc) {
        return seen.closed + 5;
    }
    return -1;
}

static int leave_two_by_return(int *outer, int *inner)
{
    ROOST_SCOPE(s, *outer) {
        ROOST_SCOPE(t, *inner, .flags = ROOST_RACE) {
            return 6;
        }
    }
    return -1;
}

TEST(return_cancels_and_closes_every_block_on_its_way, "R33 R36")
{
    int outer = 1, inner = 1;

    CHECK_EQ(leave_by_return(&outer), 5);
    CHECK_EQ(outer, CLOSED);
    check_seen(1, 1);
    outer = 1;
    CHECK_EQ(leave_two_by_return(&outer, &inner), 6);
    CHECK(outer == CLOSED && inner == CLOSED);
    check_seen(2, 2);
}

TEST(goto_cancels_what_it_leaves_and_no_more, "R33 R36")
{
    int outer = 1, inner = 1, after = 0;

    ROOST_SCOPE(s, outer) {
        ROOST_SCOPE(t, inner) {
            goto next;
        }
        after = 100;
    next:
        after++;
    }
    CHECK_EQ(after, 1);
    check_seen(2, 1);
    ROOST_SCOPE(s, outer) {
        goto out;
    }
    after = 100;
out:
    CHECK_EQ(after, 1);
    check_seen(1, 1);
}

/* As a macro a caller might have it: no braces of its own. */
#define EITHER(cond, then, otherwise)                                          \
    if (cond)                                                                  \
        then;                                                                  \
    else                                                                       \
        otherwise

static int one_of_two(bool open)
{
    int rc = 1;

    EITHER(open, ROOST_SCOPE(s, rc) roost_go(s, nothing), rc = 2);
    return rc;
}

TEST(a_block_is_one_statement, "R26")
{
    CHECK_EQ(one_of_two(true), CLOSED);
    CHECK_EQ(seen.spawned, 1);
    check_seen(1, 0);
    CHECK_EQ(one_of_two(false), 2);
    check_seen(0, 0);
}

TEST(arguments_are_evaluated_once, "")
{
    int status[2] = {1, 1}, *rc = status;
    unsigned limit = 3;

    ROOST_SCOPE(s, *rc++, .timeout = 5 * ROOST_S, .limit = limit++,
                .flags = ROOST_RACE | ROOST_SKIP, .name = "a, b",
                .deadline = 7) {
        CHECK_EQ(seen.opts.timeout, 5 * ROOST_S);
        CHECK_EQ(seen.opts.limit, 3);
        CHECK_EQ(seen.opts.flags, ROOST_RACE | ROOST_SKIP);
        CHECK_EQ(seen.opts.deadline, 7);
        CHECK_STR(seen.opts.name, "a, b");
        CHECK_EQ(seen.opts.reserved_[3], 0);
    }
    CHECK(rc == status + 1 && limit == 4);
    CHECK(status[0] == CLOSED && status[1] == 1);
    check_seen(1, 0);
}

struct job {
    int id, a, b;
};

TEST(go_copies_its_third_argument, "R29")
{
    struct job job = {8, 0, 0};
    int rc = 1, numbers[3] = {9, 0, 0};

    ROOST_SCOPE(s, rc) {
        CHECK_EQ(roost_go(s, nothing), 1);
        CHECK_EQ(roost_go(s, nothing, (struct job){.id = 7, .a = 1, .b = 2}),
                 2);
        CHECK_EQ(seen.copy_size, sizeof(struct job));
        CHECK_EQ(seen.copy_first, 7);
        CHECK_EQ(roost_go(s, nothing, job), 2);
        CHECK_EQ(seen.copy_first, 8);
        CHECK_EQ(roost_go(s, nothing, numbers), 2);
        CHECK_EQ(seen.copy_size, sizeof(numbers));
        CHECK_EQ(roost_go(s, nothing, numbers[0]), 2);
        CHECK_EQ(seen.copy_size, sizeof(int));
        CHECK_EQ(seen.copy_first, 9);
    }
    CHECK_EQ(seen.spawned, 1);
    CHECK_EQ(seen.copied, 4);
    check_seen(1, 0);
}
