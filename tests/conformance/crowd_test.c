/*
 * crowd_test.c - 10^5 tasks that all wait at once: what they cost in memory,
 * that one cancel and one wake reach all of them, and that they leave nothing.
 * Would catch a stack, a mapping or a wait's record too many for each; a walk
 * that stops early, or takes the square of their number.
 */
#include "tasks.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define FEWER /* no room for the history, or the fake stacks, of so many */
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define FEWER
#endif

#ifdef FEWER
enum { CROWD = 2000 };
#else
enum { CROWD = 100000 };
#endif

/* Of this process, in KiB: a line of /proc/self/status. */
static long status_kib(const char *what)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    long kib = -1;

    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        if (strncmp(line, what, strlen(what)) == 0) {
            kib = atol(line + strlen(what));
        }
    }
    if (f != NULL) {
        fclose(f);
    }
    return kib;
}

static struct nap *spawn_crowd(roost_scope *s)
{
    struct nap *n = calloc(CROWD, sizeof *n);

    for (int i = 0; i < CROWD; i++) {
        n[i].d = ROOST_NEVER;
        CHECK_EQ(roost_spawn(s, nap, &n[i]), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    return n;
}

/* What the sanitizers, valgrind and an emulator keep beside it is not ours. */
static bool measurable(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||           \
    defined(__clang__) || !defined(__x86_64__)
    return false;
#else
    return getenv("LD_PRELOAD") == NULL; /* valgrind's tool */
#endif
}

/* 4.1 KiB of memory each, the page that it has touched of its stack, and 0.5 of
 * page tables. */
TEST(a_hundred_thousand_tasks_wait_and_are_cancelled, "R12 R26 R62")
{
    long rss = status_kib("VmRSS:"), tables = status_kib("VmPTE:");
    struct nap *n;
    roost_scope s;
    int wrong = 0;

    roost_scope_open(&s, NULL);
    n = spawn_crowd(&s);
    if (measurable()) {
        CHECK((status_kib("VmRSS:") - rss) / CROWD < 6);
        CHECK((status_kib("VmPTE:") - tables) / CROWD < 1);
    }
    for (int i = 0; i < CROWD; i++) {
        wrong += n[i].runs != 1 || n[i].ended != 0;
    }
    CHECK_EQ(wrong, 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < CROWD; i++) {
        wrong += n[i].rc != -ECANCELED || n[i].ended != 1;
    }
    CHECK_EQ(wrong, 0);
    free(n);
}

static int await(void *arg)
{
    return roost_event_wait(arg);
}

/* One set wakes all, each once; and a second crowd finds the stacks of the
 * first: it maps no more. */
TEST(a_hundred_thousand_tasks_are_woken_by_one_set, "R26 R61")
{
    long mapped = 0;

    for (int round = 0; round < 2; round++) {
        roost_event e;
        roost_scope s;

        CHECK_EQ(roost_event_init(&e), 0);
        roost_scope_open(&s, NULL);
        for (int i = 0; i < CROWD; i++) {
            CHECK_EQ(roost_spawn(&s, await, &e), 0);
        }
        CHECK_EQ(roost_settle(), 0);
        if (round == 0) {
            mapped = status_kib("VmSize:");
        } else if (measurable()) { /* some of malloc's own at most */
            CHECK(status_kib("VmSize:") < mapped + mapped / 10);
        }
        roost_event_set(&e);
        CHECK_EQ(roost_scope_close(&s, 0), 0); /* none of them failed */
        roost_event_destroy(&e);
    }
}
