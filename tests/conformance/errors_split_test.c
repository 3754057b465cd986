/*
 * errors_split_test.c - dividing and printing trees of failures. Would catch a
 * shape that is lost, a leaf on both sides or on none, an empty group left.
 */
#include "dumped.h"
#include "tasks.h"

static int fail_message(void *arg)
{
    const int *status = (const int *)arg;

    return roost_fail(*status, "status %d", *status);
}

static const int statuses[] = {-EIO, -ENOENT, -EIO, -ENOSPC};

/* A group of four failures, in order: each is spawned when the one before has
 * ended, into a scope that does not cancel. */
static int four_failures(void *arg)
{
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, &(roost_scope_opts){.name = "four"});
    for (int i = 0; i < 4; i++) {
        roost_task t;
        roost_shield h;

        CHECK_EQ(SPAWN_OPTS(&s, fail_message, (void *)&statuses[i],
                            .handle = &t, .name = "leaf"),
                 0);
        roost_shield_begin(&h);
        CHECK_EQ(roost_join(&t, NULL), 0);
        roost_shield_end(&h);
    }
    return roost_scope_close(&s, 0);
}

/* The group above as one node, and then a leaf -EBADF beside it. */
static roost_errors *make_tree(void)
{
    static const int beside = -EBADF;
    roost_scope s;
    roost_task t;
    roost_shield h;

    roost_scope_open(&s, &(roost_scope_opts){.name = "top"});
    CHECK_EQ(SPAWN_OPTS(&s, four_failures, NULL, .handle = &t), 0);
    roost_shield_begin(&h);
    CHECK_EQ(roost_join(&t, NULL), 0);
    roost_shield_end(&h);
    CHECK_EQ(roost_spawn(&s, fail_message, (void *)&beside), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    return roost_errors_take();
}

static void check_leaves(const roost_errors *e, const int *want,
                         const unsigned *depth, size_t n)
{
    roost_error it = {0};

    CHECK_EQ(roost_errors_count(e, 0), n);
    for (size_t i = 0; i < n; i++) {
        char message[32];

        CHECK(roost_errors_next(e, &it));
        snprintf(message, sizeof message, "status %d", want[i]);
        CHECK_EQ(it.status, want[i]);
        CHECK_STR(it.message, message);
        CHECK_EQ(it.depth, depth[i]);
        CHECK_STR(it.task, depth[i] == 1 ? "leaf" : "");
        CHECK_STR(it.scope, depth[i] == 1 ? "four" : "top");
    }
    CHECK(!roost_errors_next(e, &it));
}

TEST(the_tree_is_as_it_was_built, "R37")
{
    roost_errors *e = make_tree();
    int want[] = {-EIO, -ENOENT, -EIO, -ENOSPC, -EBADF};

    check_leaves(e, want, (unsigned[]){1, 1, 1, 1, 0}, 5);
    roost_errors_free(e);
}

TEST(split_by_status_keeps_shape_and_messages, "R40")
{
    roost_errors *e = make_tree(), *matched = NULL, *rest = NULL;
    int io[] = {-EIO, -EIO}, others[] = {-ENOENT, -ENOSPC, -EBADF};

    CHECK_EQ(roost_errors_split_status(e, -EIO, &matched, &rest), 0);
    check_leaves(matched, io, (unsigned[]){1, 1}, 2);
    check_leaves(rest, others, (unsigned[]){1, 1, 0}, 3);
    roost_errors_free(matched);
    roost_errors_free(rest);
}

TEST(an_empty_group_is_left_out, "R40")
{
    roost_errors *e = make_tree(), *matched = NULL, *rest = NULL;
    int bad[] = {-EBADF};

    CHECK_EQ(roost_errors_split_status(e, -EBADF, &matched, &rest), 0);
    check_leaves(matched, bad, (unsigned[]){0}, 1);
    CHECK_EQ(roost_errors_count(rest, 0), 4);
    roost_errors_free(matched);
    roost_errors_free(rest);
}

TEST(an_empty_side_is_null, "R40")
{
    roost_errors *matched = NULL, *rest = NULL;

    CHECK_EQ(roost_errors_split_status(make_tree(), -E2BIG, &matched, &rest),
             0);
    CHECK(matched == NULL);
    CHECK_EQ(roost_errors_count(rest, 0), 5);
    roost_errors_free(rest);
}

struct matcher {
    int calls, order[8];
};

static bool match_all(const roost_error *it, void *ctx)
{
    struct matcher *m = (struct matcher *)ctx;

    m->order[m->calls++] = it->status;
    return true;
}

TEST(match_is_called_once_a_leaf_in_order, "R40")
{
    struct matcher m = {0, {0}};
    roost_errors *matched = NULL, *rest = NULL;
    int want[] = {-EIO, -ENOENT, -EIO, -ENOSPC, -EBADF};

    CHECK_EQ(roost_errors_split(make_tree(), match_all, &m, &matched, &rest),
             0);
    CHECK_EQ(m.calls, 5);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(m.order[i], want[i]);
    }
    CHECK(rest == NULL);
    check_leaves(matched, want, (unsigned[]){1, 1, 1, 1, 0}, 5);
    roost_errors_free(matched);
}

TEST(a_side_that_nobody_wants_is_freed, "R40")
{
    roost_errors *side = NULL;

    CHECK_EQ(roost_errors_split_status(make_tree(), -EIO, NULL, &side), 0);
    CHECK_EQ(roost_errors_count(side, 0), 3);
    roost_errors_free(side);
    CHECK_EQ(roost_errors_split_status(make_tree(), -EIO, &side, NULL), 0);
    CHECK_EQ(roost_errors_count(side, 0), 2);
    roost_errors_free(side);
    CHECK_EQ(roost_errors_split_status(make_tree(), -EIO, NULL, NULL), 0);
}

TEST(splitting_nothing_gives_nothing, "R40")
{
    roost_errors *matched = (roost_errors *)&matched, *rest = matched;

    CHECK_EQ(roost_errors_split_status(NULL, -EIO, &matched, &rest), 0);
    CHECK(matched == NULL);
    CHECK(rest == NULL);
}

TEST(a_split_without_a_match_is_refused, "R2 R40")
{
    roost_errors *e = make_tree(), *matched = e, *rest = e;

    CHECK_EQ(roost_errors_split(e, NULL, NULL, &matched, &rest), -EINVAL);
    CHECK(matched == e && rest == e); /* untouched, and e still the caller's */
    CHECK_EQ(roost_errors_count(e, 0), 5);
    roost_errors_free(e);
}

static int handle_io_and_raise_the_rest(void *arg)
{
    roost_errors *e, *rest = NULL;

    CHECK_EQ(four_failures(arg), -EIO);
    e = roost_errors_take();
    CHECK_EQ(roost_errors_split_status(e, -EIO, NULL, &rest), 0);
    return roost_errors_raise(rest);
}

TEST(the_rest_may_be_raised, "R37 R40")
{
    roost_scope s;
    roost_errors *e;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, handle_io_and_raise_the_rest, NULL), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -ENOENT);
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, 0), 2);
    CHECK_EQ(roost_errors_count(e, -EIO), 0);
    roost_errors_free(e);
}

TEST(print_shows_an_indented_tree, "R40")
{
    roost_errors *e = make_tree();
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    CHECK_EQ(roost_errors_print(e, out), 0);
    fclose(out);
    CHECK(indent_of(text, "status -2") > indent_of(text, "status -9"));
    CHECK(indent_of(text, "status -9") >= 0);
    CHECK(strstr(text, "leaf") != NULL);
    CHECK(strstr(text, "four") != NULL);
    CHECK(strstr(text, "top") != NULL);
    CHECK(strstr(text, "status -28") != NULL);
    free(text);
    roost_errors_free(e);
}

TEST(print_reports_a_full_device, "R40")
{
    roost_errors *e = make_tree();
    FILE *full = fopen("/dev/full", "w");

    CHECK_EQ(roost_errors_print(e, NULL), -EINVAL);
    setvbuf(full, NULL, _IONBF, 0);
    CHECK_EQ(roost_errors_print(e, full), -EIO);
    fclose(full);
    roost_errors_free(e);
}
