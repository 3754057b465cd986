/*
 * error_split_test.c - dividing trees of failures. Would catch: a split that
 * loses a leaf, a name, a message, a depth or the order, that asks twice, or
 * that changes the tree before it fails; a call that recurses.
 */
#include "error_fixture.h"

TEST(split_keeps_the_shape_on_both_sides, "R40")
{
    roost_errors *matched, *rest;

    CHECK_EQ(roost_errors_split_status(sample(), -EIO, &matched, &rest), 0);
    check_tree(matched, "group \"page\": EIO (-5)\n"
                        "    EIO (-5) in task \"a\"\n"
                        "    group \"inner\" of task \"worker\": EIO (-5)\n"
                        "        group \"deep\" of task \"digger\": EIO (-5)\n"
                        "            EIO (-5) in task \"c\"\n");
    check_tree(rest, "group \"page\": EINVAL (-22)\n"
                     "    group \"inner\" of task \"worker\": EINVAL (-22)\n"
                     "        EINVAL (-22) in task \"b\": bad\n"
                     "        EPIPE (-32) in task \"d\"\n"
                     "    EPIPE (-32) in task \"e\"\n");
    CHECK_EQ(errors_status(matched), -EIO);
    CHECK_EQ(errors_status(rest), -EINVAL);
    roost_errors_free(matched);
    roost_errors_free(rest);
    check_all_freed();
}

static bool is_deep(const roost_error *it, void *ctx)
{
    (*(int *)ctx)++;
    return it->depth > 0;
}

TEST(split_asks_once_a_leaf_and_may_drop_a_side, "R40")
{
    roost_errors *e = sample();
    int asked = 0;

    CHECK_EQ(roost_errors_split(e, is_deep, &asked, NULL, &e), 0);
    CHECK_EQ(asked, 5);
    check_tree(e, "group \"page\": EIO (-5)\n"
                  "    EIO (-5) in task \"a\"\n"
                  "    EPIPE (-32) in task \"e\"\n");
    CHECK_EQ(roost_errors_split_status(e, -EIO, &e, NULL), 0);
    check_tree(e, "group \"page\": EIO (-5)\n"
                  "    EIO (-5) in task \"a\"\n");
    CHECK_EQ(roost_errors_split_status(e, -EIO, NULL, NULL), 0);
    check_all_freed();
}

TEST(split_leaves_an_empty_side_null, "R40")
{
    roost_errors *matched, *rest, *e = sample();

    CHECK_EQ(roost_errors_split_status(e, -ENOMEM, &matched, &rest), 0);
    CHECK(matched == NULL);
    check_tree(rest, SAMPLE);
    roost_errors_free(rest);

    e = errors_new("all");
    add(e, -EIO, "x");
    add(e, -EIO, "y");
    CHECK_EQ(roost_errors_split_status(e, -EIO, &matched, &rest), 0);
    CHECK(rest == NULL);
    CHECK_EQ(roost_errors_count(matched, 0), 2);
    roost_errors_free(matched);

    CHECK_EQ(roost_fail(-EIO, "alone"), -EIO);
    e = roost_errors_take();
    CHECK_EQ(roost_errors_split_status(e, -EPERM, &matched, &e), 0);
    CHECK(matched == NULL && e != NULL);
    CHECK_EQ(roost_errors_split_status(e, -EIO, &e, &rest), 0);
    CHECK(rest == NULL && e != NULL);
    roost_errors_free(e);
    check_all_freed();
}

TEST(dropped_failures_go_with_the_rest, "R37 R40")
{
    roost_errors *e = errors_new("s"), *rest;

    for (int i = 0; i < 300; i++) {
        add(e, i < 256 ? -EIO : -EPIPE, NULL);
    }
    CHECK_EQ(roost_errors_split_status(e, -EIO, &e, &rest), 0);
    CHECK_EQ(roost_errors_count(e, 0), 256);
    check_tree(rest, "group \"s\": EPIPE (-32)\n"
                     "    44 more, not kept\n");
    CHECK_EQ(roost_errors_raise(rest), -EPIPE);
    roost_errors_free(roost_errors_take());
    roost_errors_free(e);
    check_all_freed();
}

TEST(split_without_memory_leaves_the_tree_alone, "R8 R40")
{
    roost_errors *e = sample(), *matched = NULL, *rest = NULL;
    int rc = -ENOMEM;
    int k;

    for (k = 0; rc == -ENOMEM; k++) {
        memory(k);
        rc = roost_errors_split_status(e, -EIO, &matched, &rest);
        memory(1 << 30);
        if (rc == -ENOMEM) {
            CHECK(matched == NULL && rest == NULL);
            check_tree(e, SAMPLE);
        }
    }
    CHECK_EQ(k, 3); /* two groups are divided, so two allocations */
    CHECK_EQ(roost_errors_count(matched, 0), 2);
    CHECK_EQ(roost_errors_count(rest, 0), 3);
    roost_errors_free(matched);
    roost_errors_free(rest);
    check_all_freed();
}

#define DEEP 100000

/* A group in a group ..., each with a leaf before its inner group and one
 * behind it. */
static roost_errors *deep_tree(void)
{
    roost_errors *e = errors_new("0");

    add(e, -EIO, "core");
    for (int i = 1; i < DEEP; i++) {
        roost_errors *outer = errors_new("g");

        add(outer, -EPIPE, "before");
        add_kept(outer, -EPIPE + (i == 1 ? 27 : 0), e, "t");
        add(outer, -EIO, "after");
        e = outer;
    }
    return e;
}

static void *walk_deep(void *arg)
{
    roost_errors *e = deep_tree(), *matched, *rest;
    FILE *null = fopen("/dev/null", "w");
    roost_error it = {0};
    unsigned deepest = 0;
    size_t leaves = 0;

    (void)arg;
    while (roost_errors_next(e, &it)) {
        deepest = it.depth > deepest ? it.depth : deepest;
        leaves++;
    }
    CHECK_EQ(leaves, 2 * DEEP - 1);
    CHECK_EQ(deepest, DEEP - 1);
    CHECK_EQ(roost_errors_count(e, 0), 2 * DEEP - 1);
    CHECK_EQ(roost_errors_print(e, null), 0);
    fclose(null);
    CHECK_EQ(roost_errors_split_status(e, -EIO, &matched, &rest), 0);
    CHECK_EQ(roost_errors_count(matched, 0), DEEP);
    CHECK_EQ(roost_errors_count(rest, 0), DEEP - 1);
    CHECK_EQ(errors_status(matched), -EIO);
    CHECK_EQ(errors_status(rest), -EPIPE);
    roost_errors_free(matched);
    roost_errors_free(rest);
    return NULL;
}

TEST(a_hundred_thousand_nested_groups_need_no_stack, "R62")
{
    pthread_attr_t attr;
    pthread_t thread;

    pthread_attr_init(&attr);
    CHECK_EQ(pthread_attr_setstacksize(&attr, 128 * 1024), 0);
    CHECK_EQ(pthread_create(&thread, &attr, walk_deep, NULL), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attr);
    check_all_freed();
}

TEST(a_side_may_be_split_again, "R40")
{
    roost_errors *first, *rest, *matched;

    CHECK_EQ(roost_errors_split_status(sample(), -EIO, &first, &rest), 0);
    memory(0);
    CHECK_EQ(roost_errors_split_status(rest, -EPIPE, &matched, NULL), -ENOMEM);
    memory(1 << 30);
    CHECK_EQ(roost_errors_split_status(rest, -EPIPE, &matched, &rest), 0);
    check_tree(matched, "group \"page\": EPIPE (-32)\n"
                        "    group \"inner\" of task \"worker\": EPIPE (-32)\n"
                        "        EPIPE (-32) in task \"d\"\n"
                        "    EPIPE (-32) in task \"e\"\n");
    check_tree(rest, "group \"page\": EINVAL (-22)\n"
                     "    group \"inner\" of task \"worker\": EINVAL (-22)\n"
                     "        EINVAL (-22) in task \"b\": bad\n");
    roost_errors_free(first);
    roost_errors_free(matched);
    roost_errors_free(rest);
    check_all_freed();
}

/* A reproducible draw. */
static unsigned draw(unsigned *seed, unsigned below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 16) % below;
}

/* Grown from the bottom: groups swallow what was there before. */
static roost_errors *random_tree(unsigned *seed)
{
    roost_errors *e = errors_new("root");
    unsigned nodes = 1 + draw(seed, 30);

    add(e, -1 - (int)draw(seed, 3), "t");
    for (unsigned i = 0; i < nodes; i++) {
        int status = -1 - (int)draw(seed, 3);
        char name[16];

        snprintf(name, sizeof(name), "n%u", i);
        if (draw(seed, 4) == 0) {
            roost_errors *outer = errors_new(name);

            if (draw(seed, 2) == 0) {
                add(outer, status, "t");
            }
            add_kept(outer, errors_status(e), e, name);
            e = outer;
        } else if (draw(seed, 2) == 0) {
            add(e, status, name);
        } else {
            add_kept(e, status, errors_message(status, name, "m"), name);
        }
    }
    return e;
}

static bool same_leaf(const roost_error *a, const roost_error *b)
{
    return a->status == b->status && a->depth == b->depth &&
           strcmp(a->message, b->message) == 0 &&
           strcmp(a->task, b->task) == 0 && strcmp(a->scope, b->scope) == 0;
}

/* Its first failure's, wherever that is. */
static void check_status(const roost_errors *e)
{
    roost_error it = {0};

    if (roost_errors_next(e, &it)) {
        CHECK_EQ(errors_status(e), it.status);
    }
}

TEST(random_trees_split_into_what_they_were, "R40")
{
    for (unsigned round = 0; round < 3000; round++) {
        unsigned seed = round, again = round;
        roost_errors *whole = random_tree(&again), *matched, *rest;
        roost_error it = {0}, yes = {0}, no = {0};

        CHECK_EQ(
            roost_errors_split_status(random_tree(&seed), -2, &matched, &rest),
            0);
        while (roost_errors_next(whole, &it)) {
            bool in = it.status == -2;

            CHECK(roost_errors_next(in ? matched : rest, in ? &yes : &no));
            CHECK(same_leaf(&it, in ? &yes : &no));
        }
        CHECK(!roost_errors_next(matched, &yes));
        CHECK(!roost_errors_next(rest, &no));
        check_status(matched);
        check_status(rest);
        roost_errors_free(whole);
        roost_errors_free(matched);
        roost_errors_free(rest);
    }
    check_all_freed();
}
