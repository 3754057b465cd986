/*
 * errors_print_test.c - roost_errors_print: a tree of failures as text.
 *
 * Would catch: a node that is left out or stands at the wrong depth; a name or
 * a message that breaks its line; a status that is not named; failures that
 * were only counted, and are not spoken of; a stream that could not be written
 * to, and nobody is told.
 */
#include "failing.h"

/* What roost_errors_print makes of it; the caller's. */
static char *text_of(const roost_errors *e)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    CHECK_EQ(roost_errors_print(e, out), 0);
    fclose(out);
    return text;
}

static void check_text(roost_errors *e, const char *expected)
{
    char *text = text_of(e);

    CHECK_STR(text, expected);
    free(text);
    roost_errors_free(e);
}

static int fail_as_a_group(void *arg)
{
    struct bad first = {ROOST_S, ROOST_USER(7), "line 3\n\x1b[31mred\x7f"};
    struct bad second = {9 * ROOST_S, -900000, NULL};
    roost_scope s;

    (void)arg;
    OPEN(&s, .name = "orders");
    CHECK_EQ(SPAWN_OPTS(&s, fail_with, &first, .name = "read"), 0);
    CHECK_EQ(SPAWN_OPTS(&s, fail_with, &second, .name = "a\ttab"), 0);
    return roost_scope_close(&s, 0);
}

/* One fails, and whoever is woken by the cancel after it. */
TEST_VIRTUAL(a_tree_is_printed_a_node_a_line, "R37")
{
    struct bad beside = {2 * ROOST_S, -ECONNREFUSED, "port 80"};
    roost_scope s;

    OPEN(&s, .name = "page");
    CHECK_EQ(SPAWN_OPTS(&s, fail_as_a_group, NULL, .name = "user"), 0);
    CHECK_EQ(roost_spawn(&s, fail_with, &beside), 0);
    CHECK_EQ(roost_scope_close(&s, 0), ROOST_USER(7));
    check_text(roost_errors_take(),
               "group \"page\": user status 7\n"
               "    group \"orders\" of task \"user\": user status 7\n"
               "        user status 7 in task \"read\": "
               "line 3\\x0a\\x1b[31mred\\x7f\n"
               "        status -900000 in task \"a\\x09tab\"\n"
               "    ECONNREFUSED (-111): port 80\n");
}

TEST(what_was_not_kept_is_counted_in_the_text, "R37")
{
    enum { N = 1000 };
    roost_errors *e;
    roost_error it = {0};
    roost_scope s;
    char expected[64], *text;
    size_t kept = 0, lines = 0;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(roost_spawn(&s, fail_io, NULL), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    e = roost_errors_take();
    while (roost_errors_next(e, &it)) {
        kept++;
    }
    text = text_of(e);
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++) {
        lines++;
    }
    CHECK(kept < N);
    CHECK_EQ(lines, kept + 2);
    snprintf(expected, sizeof expected,
             "group: EIO (-5)\n    %zu more, not kept\n    EIO (-5)\n",
             N - kept);
    CHECK_EQ(strncmp(text, expected, strlen(expected)), 0);
    free(text);
    roost_errors_free(e);
}

static int fail_deep(void *arg)
{
    int deeper = *(int *)arg - 1;
    roost_scope s;

    if (deeper < 0) {
        return -EIO;
    }
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, fail_deep, &deeper), 0);
    return roost_scope_close(&s, 0);
}

/* Beyond 20 a node says how deep it is, and moves no further. */
TEST(a_deep_tree_does_not_run_out_of_the_page, "R37")
{
    enum { DEPTH = 30 };
    int depth = DEPTH;
    char *expected = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&expected, &size);
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, fail_deep, &depth), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    for (int d = 0; d <= DEPTH + 1; d++) {
        fprintf(out, "%*s", d < 20 ? 4 * d : 80, "");
        if (d > 20) {
            fprintf(out, "[%d] ", d);
        }
        fprintf(out, "%sEIO (-5)\n", d <= DEPTH ? "group: " : "");
    }
    fclose(out);
    check_text(roost_errors_take(), expected);
    free(expected);
}

TEST(a_stream_that_takes_nothing_is_eio, "R8 R37")
{
    FILE *full = fopen("/dev/full", "w");
    roost_errors *e;

    CHECK_EQ(roost_fail(-EIO, "lost"), -EIO);
    e = roost_errors_take();
    CHECK(full != NULL);
    setvbuf(full, NULL, _IONBF, 0);
    CHECK_EQ(roost_errors_print(e, full), -EIO);
    CHECK_EQ(roost_errors_print(NULL, stderr), 0);
    fclose(full);
    roost_errors_free(e);
}
