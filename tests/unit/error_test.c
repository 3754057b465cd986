/*
 * error_test.c - trees of failures without a runtime. Would catch: a failure
 * lost for want of memory or room; what a task kept handed up with a status
 * that it does not belong to; a walk that leaves a leaf out; a name or message
 * that breaks a line; a reserved group given out twice; a leak.
 */
#include "error_fixture.h"

TEST(failures_stand_in_order_and_the_first_is_primary, "R36 R37")
{
    roost_errors *e = sample();

    CHECK_EQ(errors_status(e), -EIO);
    check_tree(e, SAMPLE);
    CHECK_EQ(roost_errors_count(e, 0), 5);
    CHECK_EQ(roost_errors_count(e, -EIO), 2);
    CHECK_EQ(roost_errors_count(e, -EPIPE), 2);
    CHECK_EQ(roost_errors_count(e, -EINVAL), 1);
    CHECK_EQ(roost_errors_count(e, -ENOMEM), 0);
    roost_errors_free(e);
    check_all_freed();
}

TEST(a_walk_shows_every_leaf_once_with_its_place, "R37")
{
    static const roost_error expected[] = {
        {.status = -EIO, .message = "", .task = "a", .scope = "page"},
        {.status = -EINVAL,
         .message = "bad",
         .task = "b",
         .scope = "inner",
         .depth = 1},
        {.status = -EIO,
         .message = "",
         .task = "c",
         .scope = "deep",
         .depth = 2},
        {.status = -EPIPE,
         .message = "",
         .task = "d",
         .scope = "inner",
         .depth = 1},
        {.status = -EPIPE, .message = "", .task = "e", .scope = "page"},
    };
    roost_errors *e = sample();
    roost_error it = {0};

    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
            CHECK(roost_errors_next(e, &it));
            CHECK_EQ(it.status, expected[i].status);
            CHECK_STR(it.message, expected[i].message);
            CHECK_STR(it.task, expected[i].task);
            CHECK_STR(it.scope, expected[i].scope);
            CHECK_EQ(it.depth, expected[i].depth);
        }
        CHECK(!roost_errors_next(e, &it));
        CHECK_EQ(it.depth, 0); /* the last leaf's: outputs are left alone */
    }
    roost_errors_free(e);
    check_all_freed();
}

TEST(null_is_an_empty_tree, "R40")
{
    roost_errors *matched = sample(), *rest = matched;
    roost_error it = {0};

    roost_errors_free(matched);
    roost_errors_free(NULL);
    CHECK_EQ(roost_errors_count(NULL, 0), 0);
    CHECK_EQ(roost_errors_count(NULL, -EIO), 0);
    CHECK(!roost_errors_next(NULL, &it));
    CHECK_EQ(roost_errors_raise(NULL), 0);
    CHECK(roost_errors_take() == NULL);
    CHECK_EQ(roost_errors_print(NULL, stdout), 0);
    CHECK_EQ(roost_errors_split_status(NULL, -EIO, &matched, &rest), 0);
    CHECK(matched == NULL && rest == NULL);
    CHECK_EQ(roost_errors_split_status(NULL, 0, NULL, NULL), 0);
    check_all_freed();
}

TEST(bad_arguments_are_refused_and_consume_nothing, "R8 R40")
{
    roost_errors *e = sample(), *matched = e, *rest = e;

    CHECK_EQ(roost_errors_print(e, NULL), -EINVAL);
    CHECK_EQ(roost_errors_split(e, NULL, NULL, &matched, &rest), -EINVAL);
    CHECK(matched == e && rest == e);
    CHECK(!roost_errors_next(e, NULL));
    check_tree(e, SAMPLE);
    roost_errors_free(e);
    check_all_freed();
}

TEST(what_a_task_kept_goes_up_only_with_its_own_status, "R37")
{
    roost_errors *e = errors_new(NULL), *inner = errors_new("inner");

    add(inner, -EIO, NULL);
    add_kept(e, -EPIPE, inner, "t");
    add_kept(e, -EINVAL, errors_message(-EPERM, "stale", "t"), "t");
    add_kept(NULL, -EIO, errors_message(-EIO, "no group", "t"), "t");
    check_tree(e, "group: EPIPE (-32)\n"
                  "    EPIPE (-32) in task \"t\"\n"
                  "    EINVAL (-22) in task \"t\"\n");
    roost_errors_free(e);
    check_all_freed();
}

TEST(a_message_without_a_task_gets_the_task_that_handed_it_up, "R37")
{
    roost_errors *e = errors_new("s");

    add_kept(e, -EIO, errors_message(-EIO, NULL, NULL), "late");
    add_kept(e, -EIO, errors_message(-EIO, "x", "early"), "late");
    check_tree(e, "group \"s\": EIO (-5)\n"
                  "    EIO (-5) in task \"late\"\n"
                  "    EIO (-5) in task \"early\": x\n");
    roost_errors_free(e);
    check_all_freed();
}

TEST(names_are_cut_to_31_bytes, "")
{
    const char *long_name = "0123456789012345678901234567890123456789";
    roost_errors *e = errors_new(long_name);
    roost_error it = {0};

    add(e, -EIO, long_name);
    CHECK(roost_errors_next(e, &it));
    CHECK_EQ(strlen(it.task), 31);
    CHECK_EQ(strlen(it.scope), 31);
    CHECK_EQ(strncmp(it.task, long_name, 31), 0);
    roost_errors_free(e);
    check_all_freed();
}

TEST(at_least_256_are_kept_and_the_others_counted, "R37")
{
    roost_errors *e = errors_new("s"), *nested = errors_new("n");
    roost_error it = {0};
    size_t seen = 0;

    for (int i = 0; i < 300; i++) {
        add(e, ROOST_USER(i), NULL);
    }
    add(nested, -EIO, NULL);
    add(nested, -EIO, NULL);
    add_kept(e, -EIO, nested, NULL);
    while (roost_errors_next(e, &it)) {
        CHECK_EQ(it.status, ROOST_USER(seen));
        seen++;
    }
    CHECK_EQ(seen, 256);
    CHECK_EQ(roost_errors_count(e, 0), 302);
    CHECK_EQ(roost_errors_count(e, ROOST_USER(255)), 1);
    CHECK_EQ(roost_errors_count(e, ROOST_USER(256)), 0);
    roost_errors_free(e);
    check_all_freed();
}

TEST(fail_keeps_a_message_with_the_task, "R37")
{
    roost_errors *e;
    roost_error it = {0};

    CHECK_EQ(roost_fail(-EINVAL, "line %d: %s", 7, "no colon"), -EINVAL);
    e = roost_errors_take();
    CHECK(roost_errors_take() == NULL);
    CHECK_EQ(roost_errors_count(e, -EINVAL), 1);
    CHECK(roost_errors_next(e, &it));
    CHECK_STR(it.message, "line 7: no colon");
    CHECK_STR(it.task, "me");
    CHECK_STR(it.scope, "");
    CHECK_EQ(it.depth, 0);
    CHECK(!roost_errors_next(e, &it));
    check_tree(e, "EINVAL (-22) in task \"me\": line 7: no colon\n");
    roost_errors_free(e);
    check_all_freed();
}

TEST(fail_replaces_what_was_kept, "R37")
{
    const char *nothing = NULL;
    roost_error it = {0};

    CHECK_EQ(roost_fail(-EIO, "one"), -EIO);
    CHECK_EQ(roost_fail(-EPIPE, "two"), -EPIPE);
    CHECK(roost_errors_next(kept, &it));
    CHECK_STR(it.message, "two");
    CHECK_EQ(roost_fail(-EPERM, nothing, 0), -EPERM);
    memset(&it, 0, sizeof(it));
    CHECK(roost_errors_next(kept, &it));
    CHECK_EQ(it.status, -EPERM);
    CHECK_STR(it.message, "");
    CHECK_EQ(roost_fail(3, "fine"), 3);
    CHECK(kept == NULL);
    check_all_freed();
}

TEST(fail_cuts_a_very_long_message, "")
{
    roost_error it = {0};

    CHECK_EQ(roost_fail(-EIO, "%5000d!", 1), -EIO);
    CHECK(roost_errors_next(kept, &it));
    CHECK_EQ(strlen(it.message), 4095);
    roost_errors_free(roost_errors_take());
    check_all_freed();
}

TEST(fail_without_memory_keeps_the_status, "R37")
{
    CHECK_EQ(roost_fail(-EIO, "old"), -EIO);
    memory(0);
    CHECK_EQ(roost_fail(-EPIPE, "new"), -EPIPE);
    CHECK(kept == NULL);
    check_all_freed();
}

TEST(on_a_plain_thread_nothing_is_kept, "")
{
    roost_errors *e = sample();

    on_plain_thread = true;
    CHECK_EQ(roost_fail(-EIO, "x"), -EIO);
    CHECK(roost_errors_take() == NULL);
    CHECK_EQ(roost_errors_raise(e), -EIO);
    on_plain_thread = false;
    check_all_freed();
}

TEST(raise_lets_a_tree_travel_on, "R37")
{
    roost_errors *e = sample(), *top = errors_new("top");

    CHECK_EQ(roost_fail(-EPERM, "replaced"), -EPERM);
    CHECK_EQ(roost_errors_raise(e), -EIO);
    CHECK_EQ(roost_errors_raise(kept), -EIO);
    CHECK(kept == e);
    add_kept(top, -EIO, roost_errors_take(), "main");
    CHECK_EQ(roost_errors_count(top, 0), 5);
    CHECK_EQ(errors_status(top), -EIO);
    roost_errors_free(top);
    check_all_freed();
}

TEST(without_memory_the_first_failure_survives, "R37")
{
    roost_errors *all[65], *top;

    for (int k = 0; k < 4; k++) {
        memory(k);
        top = errors_new("top");
        add(top, -EIO, "first");
        add(top, -EPIPE, "second");
        add(top, -EPERM, "third");
        CHECK_EQ(errors_status(top), -EIO);
        CHECK_EQ(roost_errors_count(top, -EIO), 1);
        CHECK_EQ(roost_errors_count(top, 0), 3);
        CHECK_EQ(roost_errors_count(top, -EPIPE), k >= 2);
        roost_errors_free(top);
    }
    memory(0);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 65; i++) {
            all[i] = errors_new("reserved");
            CHECK((all[i] != NULL) == (i < 64));
            add(all[i], ROOST_USER(i), NULL);
        }
        for (int i = 0; i < 64; i++) {
            CHECK_EQ(roost_errors_count(all[i], ROOST_USER(i)), 1);
            roost_errors_free(all[i]);
        }
    }
    check_all_freed();
}

TEST(what_was_kept_needs_no_memory_to_be_appended, "R37")
{
    roost_errors *e = errors_new("s"), *inner = errors_new("inner");

    add(inner, -EPERM, NULL);
    CHECK_EQ(roost_fail(-EIO, "kept"), -EIO);
    memory(0);
    add_kept(e, -EIO, roost_errors_take(), "t");
    add_kept(e, -EPERM, inner, "t");
    add(e, -EPIPE, "bare");
    add(e, -EINVAL, "none left");
    check_tree(e, "group \"s\": EIO (-5)\n"
                  "    1 more, not kept\n"
                  "    EIO (-5) in task \"me\": kept\n"
                  "    group \"inner\" of task \"t\": EPERM (-1)\n"
                  "        EPERM (-1)\n"
                  "    EPIPE (-32) in task \"bare\"\n");
    roost_errors_free(e);
    check_all_freed();
}

static void *take_and_put(void *arg)
{
    int me = *(const int *)arg;

    for (int i = 0; i < 20000; i++) {
        roost_errors *e = errors_new("mine");

        add(e, ROOST_USER(me), NULL);
        CHECK_EQ(roost_errors_count(e, ROOST_USER(me)), 1);
        roost_errors_free(e);
    }
    return NULL;
}

TEST(threads_share_the_reserve, "R37")
{
    pthread_t threads[4];
    int ids[4];

    memory(0);
    for (int i = 0; i < 4; i++) {
        ids[i] = i;
        CHECK_EQ(pthread_create(&threads[i], NULL, take_and_put, &ids[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    check_all_freed();
}

TEST(print_is_a_node_a_line_whatever_the_names, "")
{
    roost_errors *e = errors_new("two\nlines"), *in = errors_new("in");
    FILE *full = fopen("/dev/full", "w");

    add(in, ROOST_USER(7), NULL);
    add_kept(e, ROOST_USER(7), in, NULL);
    add_kept(e, -EIO, errors_message(-EIO, "\x1b[31mred\tend\x7f", "t"), NULL);
    add(e, -900000, "\"");
    check_tree(e, "group \"two\\x0alines\": user status 7\n"
                  "    group \"in\": user status 7\n"
                  "        user status 7\n"
                  "    EIO (-5) in task \"t\": \\x1b[31mred\\x09end\\x7f\n"
                  "    status -900000 in task \"\"\"\n");
    CHECK(full != NULL);
    setvbuf(full, NULL, _IONBF, 0);
    CHECK_EQ(roost_errors_print(e, full), -EIO);
    fclose(full);
    roost_errors_free(e);
    check_all_freed();
}
