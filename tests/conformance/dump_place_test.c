/*
 * dump_place_test.c - where tasks wait, as dumps tell it: the line where there
 * is debugging information that can be read (libdw), else where in the program.
 * Would catch a walk that stops in the library, or goes on into the task that
 * runs another in place; one that is made while its task goes on.
 */
#include "dumped.h"
#include "sanitized.h"
#include "tasks.h"

#include <fcntl.h>
#include <link.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))
#define CODE_MAX 512 /* bytes that a function here may have */

static volatile int called; /* added at the end: no call is the last one */
static int line_of_wait;

static NOINLINE int receive_in_line(roost_chan *c)
{
    long item;
    int rc;

    line_of_wait = __LINE__ + 1;
    rc = roost_chan_recv(c, &item);
    return rc + called;
}

static int receive(void *arg)
{
    return receive_in_line((roost_chan *)arg) + called;
}

/* The program's own is the first. */
static int first_bias(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    *(uintptr_t *)arg = info->dlpi_addr;
    return 1;
}

/* The line with `task` says `how`, and then that it is in line `line` of this
 * file, or, by its offset in the program, somewhere in fn. */
static void check_place(const char *text, const char *task, const char *how,
                        int line, uintptr_t fn)
{
    char all[512] = "", wanted[64];
    const char *at = strstr(text, task);
    uintptr_t bias = 0;

    CHECK(at != NULL);
    snprintf(all, sizeof all, "%.*s", (int)strcspn(at, "\n"), at);
#ifdef ROOST_SWITCH_UCONTEXT
    if (line != 0) { /* nobody can walk there: arch/switch.h */
        CHECK(strstr(all, ", place unknown") != NULL);
        return;
    }
#endif
    CHECK(strstr(all, how) != NULL);
    snprintf(wanted, sizeof wanted, " at dump_place_test.c:%d", line);
    if (strstr(all, ".c:") != NULL) {
        at = strstr(all, wanted);
        CHECK(at != NULL && at[strlen(wanted)] == '\0');
        return;
    }
    at = strstr(all, "+0x");
    CHECK(at != NULL);
    dl_iterate_phdr(first_bias, &bias);
    CHECK(strtoul(at + 1, NULL, 16) + bias - fn < CODE_MAX);
}

TEST(the_dump_tells_where_a_task_waits, "R63")
{
    roost_chan *c = roost_chan_new(sizeof(long), 1);
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, receive, c, .name = "receiver"), 0);
    CHECK_EQ(roost_settle(), 0);
    check_place(dump_text(), "receiver", ", in ", line_of_wait,
                (uintptr_t)receive_in_line);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_chan_free(c);
}

static NOINLINE int join_in_line(roost_scope *s);

static int dump_the_joiner(void *arg)
{
    (void)arg;
    CHECK_EQ(roost_settle(), 0);
    check_place(dump_text(), "joiner", ", in ", line_of_wait,
                (uintptr_t)join_in_line);
    return 0;
}

static NOINLINE int join_in_line(roost_scope *s)
{
    roost_task t = {0};
    int rc = SPAWN_OPTS(s, dump_the_joiner, NULL, .handle = &t);

    CHECK_EQ(rc, 0);
    line_of_wait = __LINE__ + 1;
    rc = roost_join(&t, NULL);
    return rc + called;
}

static int join_twice(void *arg)
{
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    CHECK_EQ(join_in_line(&s), 0); /* the second finds a spare stack */
    CHECK_EQ(join_in_line(&s), 0);
    return roost_scope_close(&s, 0);
}

/* What it joins runs on another stack at once: join_now_test.c. */
TEST(the_dump_tells_where_a_task_joins, "R63")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, join_twice, NULL, .name = "joiner"), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static int start_later(void *arg)
{
    test_add((int *)arg, 1);
    return 0;
}

TEST(the_dump_tells_what_a_task_starts_with, "R63")
{
    roost_event e = {0};
    roost_scope s;
    int runs = 0;

    CHECK_EQ(roost_event_init(&e), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_when(&s, roost_on_event(&e), start_later, &runs), 0);
    check_place(dump_text(), "not started", ", starts ", 0,
                (uintptr_t)start_later);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_event_destroy(&e);
}

static int be_stuck(void *arg)
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, receive, arg, .name = "receiver"), 0);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(a_deadlock_is_reported_with_the_place, "R63")
{
    static struct capture said;
    roost_opts opts = test_opts();
    roost_chan *c = roost_chan_new(sizeof(long), 1);

    capture_begin(&said);
    CHECK_EQ(roost_run(be_stuck, c, &opts), -EDEADLK);
    check_place(capture_end(&said), "receiver", ", in ", line_of_wait,
                (uintptr_t)receive_in_line);
    roost_chan_free(c);
}

static int dump_and_set(void *arg)
{
    char line[256] = "";
    const char *at;

    CHECK_EQ(roost_settle(), 0);
    at = strstr(dump_text(), ": event ");
    CHECK(at != NULL);
    snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
    CHECK(strstr(line, ", in ") == NULL);
    roost_event_set((roost_event *)arg);
    return 0;
}

/* The last one that was spawned runs in place, above this function's call. */
static NOINLINE int close_above_the_library(roost_event *e)
{
    roost_fn wait = (roost_fn)(void (*)(void))roost_event_wait;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, dump_and_set, e), 0);
    CHECK_EQ(roost_spawn(&s, wait, e), 0);
    return roost_scope_close(&s, 0) + called;
}

/* A task that is a function of the library's waits nowhere in the program, and
 * not where the one waits that runs it in place. */
TEST(a_place_is_the_tasks_own, "R63")
{
    roost_event e;

    if (TEST_ASAN) {
        return; /* its frames are not where the tasks' are, and it would not
                   let a function be called by another type */
    }
    CHECK_EQ(roost_event_init(&e), 0);
    CHECK_EQ(close_above_the_library(&e), 0);
    roost_event_destroy(&e);
}

enum { ROUNDS = 200 };

struct rally {
    roost_chan *there, *back;
    int ended;
};

static int hit(void *arg)
{
    struct rally *r = arg;

    for (long i = 0; i < ROUNDS; i++) {
        CHECK_EQ(roost_chan_send(r->there, &i), 0);
        CHECK_EQ(roost_chan_recv(r->back, &i), 0);
    }
    test_set(&r->ended, 1);
    return 0;
}

static int hit_back(void *arg)
{
    struct rally *r = arg;
    long item;

    for (long i = 0; i < ROUNDS; i++) {
        CHECK_EQ(roost_chan_recv(r->there, &item), 0);
        CHECK_EQ(roost_chan_send(r->back, &item), 0);
    }
    return 0;
}

/* Whoever is walked along is held: it goes on after that. */
TEST(a_dump_beside_tasks_that_wake_each_other_is_harmless, "R14")
{
    struct rally r = {roost_chan_new(sizeof(long), 0),
                      roost_chan_new(sizeof(long), 0), 0};
    int fd = open("/dev/null", O_WRONLY), dumps = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, hit, &r), 0);
    CHECK_EQ(roost_spawn(&s, hit_back, &r), 0);
    while (!test_get(&r.ended) || dumps < 4) {
        CHECK_EQ(roost_dump(fd), 0);
        CHECK_EQ(roost_yield(), 0);
        dumps++;
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    close(fd);
    roost_chan_free(r.there);
    roost_chan_free(r.back);
}
