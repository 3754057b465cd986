/*
 * watch_test.c - the newest value. Would catch a value that is torn, a version
 * that goes back or is told twice, a last one that nobody sees, a waiter that a
 * close leaves behind.
 */
#include "tasks.h"

struct watcher {
    roost_watch *w;
    long item;
    uint64_t version;
    roost_ns deadline;
    int rc, ended;
};

static int next_one(void *arg)
{
    struct watcher *n = (struct watcher *)arg;

    n->rc = roost_watch_next_until(n->w, &n->item, &n->version, n->deadline);
    test_set(&n->ended, 1);
    return 0;
}

static roost_watch *watch(long first)
{
    roost_watch *w = roost_watch_new(sizeof(long), &first);

    CHECK(w != NULL);
    return w;
}

static void set(roost_watch *w, long item, int expected)
{
    CHECK_EQ(roost_watch_set(w, &item), expected);
}

TEST(bad_arguments_of_a_watch, "R2")
{
    roost_watch *w = watch(1);
    uint64_t version = 0;
    long item = 1;

    CHECK(roost_watch_new(8, NULL) == NULL);
    CHECK(roost_watch_new(SIZE_MAX, &item) == NULL);
    CHECK(roost_watch_new(PTRDIFF_MAX, &item) == NULL);
    CHECK_EQ(roost_watch_set(NULL, &item), -EINVAL);
    CHECK_EQ(roost_watch_set(w, NULL), -EINVAL);
    CHECK_EQ(roost_watch_get(NULL, &item, &version), -EINVAL);
    CHECK_EQ(roost_watch_get(w, NULL, &version), -EINVAL);
    CHECK_EQ(roost_watch_next(NULL, &item, &version), -EINVAL);
    CHECK_EQ(roost_watch_next(w, NULL, &version), -EINVAL);
    CHECK_EQ(roost_watch_next(w, &item, NULL), -EINVAL);
    CHECK_EQ(roost_watch_next_until(w, &item, NULL, 0), -EINVAL);
    CHECK_EQ(roost_watch_close(NULL), -EINVAL);
    roost_watch_free(w);
    roost_watch_free(NULL);
}

TEST(the_newest_value_can_be_read, "R10 R53")
{
    roost_watch *w = watch(5);
    uint64_t version = 0;
    long item = 0;

    CHECK_EQ(roost_watch_get(w, &item, &version), 0);
    CHECK_EQ(item, 5);
    CHECK_EQ(version, 1);
    version = 0;
    CHECK_EQ(roost_watch_next(w, &item, &version), 0); /* 0: any */
    CHECK_EQ(version, 1);
    CHECK_EQ(roost_watch_next_until(w, &item, &version, 0), -ETIMEDOUT);
    CHECK_EQ(version, 1);
    set(w, 6, 0);
    set(w, 7, 0);
    CHECK_EQ(roost_watch_next_until(w, &item, &version, 0), 0);
    CHECK_EQ(item, 7); /* 6 is passed over */
    CHECK_EQ(version, 3);
    CHECK_EQ(roost_watch_get(w, &item, NULL), 0);
    CHECK_EQ(item, 7);
    roost_watch_free(w);
}

TEST_VIRTUAL(all_who_wait_see_a_new_value, "R3 R53")
{
    roost_watch *w = watch(0);
    struct watcher n[20];
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 20; i++) {
        n[i] = (struct watcher){w, -1, 1, ROOST_NEVER, 99, 0};
        CHECK_EQ(roost_spawn(&s, next_one, &n[i]), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    set(w, 4, 0);
    roost_scope_cancel(&s, 0); /* too late */
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(n[i].rc, 0);
        CHECK_EQ(n[i].item, 4);
        CHECK_EQ(n[i].version, 2);
    }
    roost_watch_free(w);
}

/* ---- closing ---- */

/* Conformance 121: who has not seen the last value sees it after the close. */
TEST_VIRTUAL(the_last_value_is_seen_after_the_close, "R48 R53")
{
    roost_watch *w = watch(1);
    struct watcher behind = {w, -1, 1, ROOST_NEVER, 99, 0};
    long item = 0;

    set(w, 2, 0);
    CHECK_EQ(roost_watch_close(w), 0);
    CHECK_EQ(roost_watch_close(w), 0);
    set(w, 3, -EPIPE);
    CHECK_EQ(next_one(&behind), 0);
    CHECK_EQ(behind.rc, 0);
    CHECK_EQ(behind.item, 2);
    CHECK_EQ(next_one(&behind), 0);
    CHECK_EQ(behind.rc, -EPIPE);
    behind.deadline = 0;
    CHECK_EQ(next_one(&behind), 0);
    CHECK_EQ(behind.rc, -EPIPE);
    CHECK_EQ(behind.version, 2);
    CHECK_EQ(roost_watch_get(w, &item, NULL), 0);
    CHECK_EQ(item, 2);
    roost_watch_free(w);
}

TEST_VIRTUAL(a_close_wakes_all_who_wait, "R48 R53")
{
    for (int set_first = 0; set_first < 2; set_first++) {
        roost_watch *w = watch(1);
        struct watcher n[5];
        roost_scope s;

        roost_scope_open(&s, NULL);
        for (int i = 0; i < 5; i++) {
            n[i] = (struct watcher){w, -1, 1, ROOST_NEVER, 99, 0};
            CHECK_EQ(roost_spawn(&s, next_one, &n[i]), 0);
        }
        CHECK_EQ(roost_settle(), 0);
        if (set_first) {
            set(w, 8, 0);
        }
        CHECK_EQ(roost_watch_close(w), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        for (int i = 0; i < 5; i++) {
            CHECK_EQ(n[i].rc, set_first ? 0 : -EPIPE);
            CHECK_EQ(n[i].item, set_first ? 8 : -1);
        }
        roost_watch_free(w);
    }
}

TEST_VIRTUAL(a_next_that_fails_writes_nothing, "R8")
{
    roost_watch *w = watch(1);
    struct watcher late = {w, -1, 1, roost_in(ROOST_S), 99, 0};
    struct watcher cancelled = {w, -1, 1, ROOST_NEVER, 99, 0};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, next_one, &late), 0);
    CHECK_EQ(roost_spawn(&s, next_one, &cancelled), 0);
    CHECK_EQ(roost_sleep(2 * ROOST_S), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(late.rc, -ETIMEDOUT);
    CHECK_EQ(cancelled.rc, -ECANCELED);
    CHECK_EQ(late.item + cancelled.item, -2);
    CHECK_EQ(late.version + cancelled.version, 2);
    roost_watch_free(w);
}

TEST(a_watch_of_no_bytes_has_versions, "R53")
{
    roost_watch *w = roost_watch_new(0, NULL);
    uint64_t version = 0;

    CHECK_EQ(roost_watch_next(w, NULL, &version), 0);
    CHECK_EQ(roost_watch_set(w, NULL), 0);
    CHECK_EQ(roost_watch_next(w, NULL, &version), 0);
    CHECK_EQ(version, 2);
    CHECK_EQ(roost_watch_get(w, NULL, &version), 0);
    roost_watch_free(w);
}

/* ---- many ---- */

enum { WORDS = 40, SETS = 1500 };

struct wide {
    long words[WORDS];
};

/* Sees values that are whole, newer each time, and the last one. */
static int follow(void *arg)
{
    roost_watch *w = (roost_watch *)arg;
    struct wide v = {{0}};
    uint64_t version = 0, before = 0;
    int rc;

    while ((rc = roost_watch_next(w, &v, &version)) == 0) {
        CHECK(version > before);
        before = version;
        for (int i = 0; i < WORDS; i++) {
            CHECK_EQ(v.words[i], (long)version);
        }
    }
    CHECK_EQ(rc, -EPIPE);
    CHECK_EQ(v.words[0], SETS);
    return 0;
}

static int set_all(void *arg)
{
    roost_watch *w = (roost_watch *)arg;

    for (long i = 2; i <= SETS; i++) {
        struct wide v;

        for (int k = 0; k < WORDS; k++) {
            v.words[k] = i;
        }
        CHECK_EQ(roost_watch_set(w, &v), 0);
        if (i % 3 == 0) {
            roost_yield();
        }
    }
    return roost_watch_close(w);
}

static roost_watch *wide(void)
{
    struct wide v;
    roost_watch *w;

    for (int k = 0; k < WORDS; k++) {
        v.words[k] = 1;
    }
    w = roost_watch_new(sizeof v, &v);
    CHECK(w != NULL);
    return w;
}

TEST(values_are_whole_and_newer_each_time, "R53 R61")
{
    roost_watch *w = wide();
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 6; i++) {
        CHECK_EQ(roost_spawn(&s, follow, w), 0);
    }
    CHECK_EQ(roost_spawn(&s, set_all, w), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_watch_free(w);
}

static void *follow_in_thread(void *arg)
{
    (void)follow(arg);
    return NULL;
}

TEST_PLAIN(threads_watch_too, "R53 R61 R72")
{
    roost_opts opts = test_opts();
    roost_watch *w = wide();
    pthread_t thread[2];
    roost_runtime *rt;

    CHECK_EQ(roost_start(&rt, &opts), 0);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(pthread_create(&thread[i], NULL, follow_in_thread, w), 0);
    }
    CHECK_EQ(roost_call(rt, set_all, w), 0);
    for (int i = 0; i < 2; i++) {
        pthread_join(thread[i], NULL);
    }
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
    roost_watch_free(w);
}

static int free_early(void *arg)
{
    struct watcher n = {(roost_watch *)arg, 0, 1, ROOST_NEVER, 0, 0};
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_spawn(&s, next_one, &n);
    roost_settle();
    roost_watch_free(n.w);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(freeing_a_watch_with_waiters_is_misuse, "R67")
{
    roost_opts opts = test_opts();
    roost_watch *w = watch(1);

    CHECK_ABORTS("roost_watch_free", roost_run(free_early, w, &opts));
    roost_watch_free(w);
}
