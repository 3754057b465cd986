/*
 * error_fixture.h - for the tests of the trees of failures: the three files
 * themselves, on an allocator that can be told to fail, and a tree to start
 * from.
 */
#ifndef ERROR_FIXTURE_H
#define ERROR_FIXTURE_H

#define TEST_NO_RUNTIME
#include "test.h"

/* The rooms themselves, on an allocator that can be told to fail. */
#define alloc_bytes test_alloc
#define alloc_free test_free
#include "../../sched/error.c"
#include "../../sched/error_print.c"
#include "../../sched/error_split.c"

static int alloc_live;           /* M: blocks given out and not freed */
static int alloc_left = 1 << 30; /* M: allocations until the first failure */

void *test_alloc(size_t size)
{
    void *p = NULL;

    if (test_add(&alloc_left, -1) >= 0) {
        p = malloc(size);
        test_add(&alloc_live, 1);
    }
    return p;
}

void test_free(void *p)
{
    if (p != NULL) {
        test_add(&alloc_live, -1);
    }
    free(p);
}

static roost_errors *kept;
static bool on_plain_thread;

roost_errors **task_kept(void)
{
    return on_plain_thread ? NULL : &kept;
}

const char *task_name_current(void)
{
    return "me";
}

static void memory(int left)
{
    alloc_left = left;
}

/* Every case ends with it: nothing is left anywhere. */
static void check_all_freed(void)
{
    memory(1 << 30);
    CHECK(kept == NULL);
    CHECK_EQ(alloc_live, 0);
    CHECK_EQ(a64_load(&reserve_taken, RELAXED), 0);
}

TEST_UNUSED static void add(roost_errors *group, int status, const char *task)
{
    struct failure f = {.status = status, .task = task};

    errors_append(group, &f);
}

TEST_UNUSED static void add_kept(roost_errors *group, int status,
                                 roost_errors *e, const char *task)
{
    struct failure f = {.status = status, .kept = e, .task = task};

    errors_append(group, &f);
}

/* The tree as roost_errors_print shows it; the text is the caller's. */
static char *text_of(const roost_errors *e)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    CHECK_EQ(roost_errors_print(e, out), 0);
    fclose(out);
    return text;
}

static void check_tree(const roost_errors *e, const char *expected)
{
    char *text = text_of(e);

    CHECK_STR(text, expected);
    free(text);
}

/*
 *  page: -EIO a | inner: (-EINVAL b "bad", deep: (-EIO c), -EPIPE d) | -EPIPE e
 */
static roost_errors *sample(void)
{
    roost_errors *page = errors_new("page");
    roost_errors *inner = errors_new("inner");
    roost_errors *deep = errors_new("deep");

    add(deep, -EIO, "c");
    add_kept(inner, -EINVAL, errors_message(-EINVAL, "bad", "b"), "other");
    add_kept(inner, -EIO, deep, "digger");
    add(inner, -EPIPE, "d");
    add(page, -EIO, "a");
    add_kept(page, -EINVAL, inner, "worker");
    add(page, -EPIPE, "e");
    return page;
}

#define SAMPLE                                                                 \
    "group \"page\": EIO (-5)\n"                                               \
    "    EIO (-5) in task \"a\"\n"                                             \
    "    group \"inner\" of task \"worker\": EINVAL (-22)\n"                   \
    "        EINVAL (-22) in task \"b\": bad\n"                                \
    "        group \"deep\" of task \"digger\": EIO (-5)\n"                    \
    "            EIO (-5) in task \"c\"\n"                                     \
    "        EPIPE (-32) in task \"d\"\n"                                      \
    "    EPIPE (-32) in task \"e\"\n"

#endif
