/*
 * offload_test.c - a blocking call on a thread beside the workers.
 *
 * Would catch: a call that holds its worker, runs twice or not at all, loses
 * its status, its message or what it wrote; a copy that is none; one that does
 * not see its caller's name and locals; a limiter's token that is not returned;
 * a refusal that ran all the same.
 */
#include "offload.h"

#include <fcntl.h>

struct seen {
    pthread_t thread;
    int in, out, runs;
    roost_runtime *rt;
};

static int look(void *arg)
{
    struct seen *s = arg;

    s->runs++;
    s->thread = pthread_self();
    s->rt = roost_runtime_current();
    s->out = s->in + 1;
    return 7;
}

TEST(it_runs_elsewhere_and_gives_its_status, "R54 R61")
{
    struct seen s = {.in = 41};
    pthread_t mine = pthread_self();

    CHECK_EQ(roost_offload(look, &s), 7);
    CHECK_EQ(s.runs, 1);
    CHECK_EQ(s.out, 42);
    CHECK(s.rt == NULL);
    CHECK(!pthread_equal(s.thread, mine));
}

TEST(a_failure_is_returned_too, "R54")
{
    CHECK_EQ(roost_offload(fail_io, NULL), -EIO);
    CHECK_EQ(roost_offload_with(fail_io, NULL, NULL), -EIO);
}

static int let_go(void *arg)
{
    struct gate *g = arg;

    CHECK_EQ(roost_event_wait(&g->up), 0);
    roost_event_set(&g->go);
    return 0;
}

/* More of them than there are workers. */
TEST(the_workers_go_on_meanwhile, "R54")
{
    static struct gate g[20];
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 20; i++) {
        gate_init(&g[i]);
        g[i].status = i;
        CHECK_EQ(roost_spawn(&s, offload_stay, &g[i]), 0);
    }
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(let_go(&g[19 - i]), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(g[i].rc, i);
        CHECK_EQ(g[i].runs, 1);
    }
}

TEST(bad_arguments_are_refused, "R2")
{
    roost_offload_opts bad = {.reserved_ = {0, 0, 0, 1}};
    int runs = 0;

    CHECK_EQ(roost_offload(NULL, &runs), -EINVAL);
    CHECK_EQ(roost_offload_with(count, &runs, &bad), -EINVAL);
    CHECK_EQ(OFFLOAD_WITH(count, &runs, .flags = 2), -EINVAL);
    CHECK_EQ(OFFLOAD_WITH(count, NULL, .copy = 4), -EINVAL);
    CHECK_EQ(OFFLOAD_WITH(count, &runs, .copy = SIZE_MAX), -ENOMEM);
    CHECK_EQ(OFFLOAD_WITH(count, &runs, .copy = PTRDIFF_MAX), -ENOMEM);
    CHECK_EQ(runs, 0);
}

TEST(cancelled_at_entry_it_never_starts, "R2 R54")
{
    roost_scope s;
    int runs = 0;

    roost_scope_open(&s, NULL);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_offload(count, &runs), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(runs, 0);
}

struct copied {
    struct copied *original;
    int value;
};

static int change_original(void *arg)
{
    struct copied *c = arg;

    CHECK(c != c->original);
    CHECK_EQ((uintptr_t)c % 16, 0);
    c->original->value = 2;
    return c->value;
}

TEST(a_copy_is_the_calls_own, "R54")
{
    struct copied c = {&c, 1};

    CHECK_EQ(OFFLOAD_WITH(change_original, &c, .copy = sizeof(c)), 1);
    CHECK_EQ(c.value, 2);
}

/* ---- whose it is ---- */

static roost_local key, other;

struct who {
    char name[32];
    void *local, *none;
};

static int ask_who(void *arg)
{
    struct who *w = arg;

    CHECK(roost_task_name() != NULL);
    strcpy(w->name, roost_task_name());
    w->local = roost_local_get(&key);
    w->none = roost_local_get(&other);
    return 0;
}

static int ask_as_a_task(void *arg)
{
    struct who *w = arg;
    roost_scope s;

    CHECK_EQ(roost_offload(ask_who, &w[0]), 0);
    CHECK_EQ(OFFLOAD_WITH(ask_who, &w[1], .name = "another"), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_local_bind(&s, &key, &w[2]), 0);
    CHECK_EQ(roost_offload(ask_who, &w[2]), 0);
    return roost_scope_close(&s, 0);
}

TEST(it_has_its_callers_name_and_locals, "R31")
{
    struct who w[3];
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_local_bind(&s, &key, &w[0]), 0);
    CHECK_EQ(SPAWN_OPTS(&s, ask_as_a_task, w, .name = "the caller"), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_STR(w[0].name, "the caller");
    CHECK_STR(w[1].name, "another");
    CHECK_STR(w[2].name, "the caller");
    CHECK(w[0].local == &w[0]);
    CHECK(w[1].local == &w[0]);
    CHECK(w[2].local == &w[2]);
    CHECK(w[0].none == NULL);
}

static int fail_with_words(void *arg)
{
    return roost_fail(-EIO, "sector %d", *(int *)arg);
}

static int fail_with_other_words(void *arg)
{
    (void)roost_fail(-EIO, "sector %d", *(int *)arg);
    return -EPROTO;
}

static int offload_failing(void *arg)
{
    return roost_offload(fail_with_words, arg);
}

TEST(what_it_says_of_its_failure_travels, "R37")
{
    roost_scope s;
    roost_errors *e;
    roost_error it = {0};
    int sector = 9;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, offload_failing, &sector, .name = "reader"), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    e = roost_errors_take();
    CHECK(roost_errors_next(e, &it));
    CHECK_STR(it.message, "sector 9");
    CHECK_STR(it.task, "reader");
    roost_errors_free(e);

    CHECK_EQ(roost_offload(fail_with_other_words, &sector), -EPROTO);
    CHECK(roost_errors_take() == NULL); /* not with another status */
    CHECK_EQ(roost_offload(offload_failing, &sector), -EIO);
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, -EIO), 1);
    roost_errors_free(e);
}

static int lock_and_forget(void *arg)
{
    return roost_mutex_lock(arg);
}

TEST(what_it_has_locked_ends_with_it, "R52")
{
    roost_mutex m = ROOST_MUTEX_INIT;

    CHECK_EQ(roost_offload(lock_and_forget, &m), 0);
    CHECK_EQ(roost_mutex_lock(&m), -EOWNERDEAD);
    roost_mutex_destroy(&m);
}

/* ---- where it is called ---- */

static int hook_rc;

static void offload_in_a_hook(void *arg)
{
    hook_rc = roost_offload(count, arg);
}

TEST(not_inside_a_hook, "R22")
{
    roost_scope s;
    roost_hook h;
    int runs = 0;

    hook_rc = 0;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &h, offload_in_a_hook, &runs), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(hook_rc, -EPERM);
    CHECK_EQ(runs, 0);
}

struct nested {
    struct seen outer, inner;
    struct copied copied;
};

static int offload_again(void *arg)
{
    struct nested *n = arg;

    look(&n->outer);
    CHECK_EQ(roost_offload(look, &n->inner), 7);
    n->copied.original = &n->copied;
    n->copied.value = 1;
    return OFFLOAD_WITH(change_original, &n->copied, .copy = sizeof(n->copied));
}

TEST(inside_an_offloaded_call_it_runs_right_there, "R57")
{
    struct nested n = {.inner = {.in = 1}};

    CHECK_EQ(roost_offload(offload_again, &n), 1);
    CHECK_EQ(n.inner.out, 2);
    CHECK(pthread_equal(n.outer.thread, n.inner.thread));
}

TEST_PLAIN(a_plain_thread_runs_it_itself, "R57")
{
    struct nested n = {.inner = {.in = 1}};
    roost_limiter l;
    roost_limiter_info info;

    CHECK_EQ(roost_limiter_init(&l, 1), 0);
    CHECK_EQ(offload_again(&n), 1);
    CHECK_EQ(n.inner.out, 2);
    CHECK(pthread_equal(n.inner.thread, pthread_self()));
    CHECK_EQ(OFFLOAD_WITH(look, &n.inner, .limiter = &l), 7);
    CHECK_EQ(roost_limiter_stats(&l, &info), 0);
    CHECK_EQ(info.used, 0);
    CHECK(!roost_offload_cancelled());
    CHECK_EQ(roost_offload_call(look, &n.inner), -EPERM);
    CHECK_EQ(roost_offload_call(NULL, NULL), -EINVAL);
    roost_limiter_destroy(&l);
}

TEST(elsewhere_nothing_is_an_offloaded_call, "R57")
{
    struct seen s = {0};

    CHECK(!roost_offload_cancelled());
    CHECK_EQ(roost_offload_call(look, &s), -EPERM);
    CHECK_EQ(roost_offload_call(NULL, NULL), -EINVAL);
    CHECK_EQ(s.runs, 0);
}

/* ---- limiter ---- */

struct crowd {
    roost_limiter l;
    int now, most;
};

static int be_few(void *arg)
{
    struct crowd *c = arg;
    struct timespec t = {0, 200000};
    int now = test_add(&c->now, 1);

    if (now > test_get(&c->most)) {
        test_set(&c->most, now); /* too low at worst */
    }
    CHECK(now <= 3);
    nanosleep(&t, NULL);
    test_add(&c->now, -1);
    return 0;
}

static int offload_limited(void *arg)
{
    struct crowd *c = arg;

    return OFFLOAD_WITH(be_few, c, .limiter = &c->l);
}

TEST(a_limiter_keeps_them_few, "R55")
{
    struct crowd c = {.now = 0};
    roost_limiter_info info;
    roost_scope s;

    CHECK_EQ(roost_limiter_init(&c.l, 3), 0);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < 50; i++) {
        CHECK_EQ(roost_spawn(&s, offload_limited, &c), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(c.most >= 1);
    CHECK_EQ(roost_limiter_stats(&c.l, &info), 0);
    CHECK_EQ(info.used, 0);
    roost_limiter_destroy(&c.l);
}

TEST(cancelled_while_it_waits_for_a_token_it_never_starts, "R54 R55")
{
    struct crowd c = {.now = 0};
    roost_scope s;
    int runs = 0;

    CHECK_EQ(roost_limiter_init(&c.l, 0), 0);
    OPEN(&s, .timeout = ROOST_MS, .flags = ROOST_MOVE_ON);
    CHECK_EQ(OFFLOAD_WITH(count, &runs, .limiter = &c.l, .copy = 4),
             -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(runs, 0);
    roost_limiter_destroy(&c.l);
}

/* ---- back in the scheduler ---- */

struct back {
    struct who who;
    roost_runtime *rt;
    roost_scope *scope;
    int depth, deepest, rc, runs;
};

static int see_the_scheduler(void *arg)
{
    struct back *b = arg;

    b->rt = roost_runtime_current();
    b->scope = roost_scope_current();
    CHECK_EQ(roost_yield(), 0);
    CHECK_EQ(roost_spawn(roost_scope_current(), count, &b->runs), 0);
    b->who.local = roost_local_get(&key);
    CHECK(!roost_offload_cancelled());
    CHECK_EQ(roost_offload_call(succeed, NULL), -EPERM);
    return 5;
}

static int call_back(void *arg)
{
    struct back *b = arg;

    b->rc = roost_offload_call(see_the_scheduler, b);
    CHECK_EQ(test_get(&b->runs), 1); /* what it started has ended, too */
    return 6;
}

TEST(a_call_back_is_a_task_of_the_callers_runtime, "R57")
{
    struct back b = {.rc = 1};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_local_bind(&s, &key, &b), 0);
    CHECK_EQ(roost_offload(call_back, &b), 6);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(b.rc, 5);
    CHECK(b.rt == roost_runtime_current());
    CHECK(b.scope != &s && b.scope != NULL);
    CHECK(b.who.local == &b);
}

static int deeper(void *arg);

static int deeper_call(void *arg)
{
    return roost_offload_call(deeper, arg);
}

static int deeper(void *arg)
{
    struct back *b = arg;

    b->deepest = b->depth;
    return b->depth-- == 0 ? 3 : roost_offload(deeper_call, b);
}

TEST(offload_call_offload_and_so_on, "R57")
{
    struct back b = {.depth = 10};

    CHECK_EQ(deeper(&b), 3);
    CHECK_EQ(b.deepest, 0);
}

static int call_failing(void *arg)
{
    return roost_offload_call(fail_with_words, arg);
}

static int fail_beside(void *arg)
{
    CHECK_EQ(roost_spawn(roost_scope_current(), fail_io, NULL), 0);
    (void)arg;
    return 0;
}

static int call_with_a_failing_child(void *arg)
{
    CHECK_EQ(roost_offload_call(NULL, NULL), -EINVAL);
    return roost_offload_call(fail_beside, arg);
}

TEST(a_call_back_fails_alone, "R36 R37")
{
    roost_errors *e;
    roost_error it = {0};
    int sector = 4;

    CHECK_EQ(roost_offload(call_failing, &sector), -EIO);
    e = roost_errors_take();
    CHECK(roost_errors_next(e, &it));
    CHECK_STR(it.message, "sector 4");
    roost_errors_free(e);
    CHECK_EQ(roost_offload(call_with_a_failing_child, NULL), -EIO);
    roost_errors_free(roost_errors_take());
    CHECK_EQ(roost_yield(), 0); /* nothing of the caller's was cancelled */
}

static int portal(void *arg)
{
    struct back *b = arg;

    b->rc = roost_call(b->rt, give, &b->depth);
    return roost_run(give, &b->depth, NULL);
}

TEST(a_portal_call_works_from_there_and_not_on_a_worker, "R57 R72")
{
    struct back b = {.depth = 12, .rt = roost_runtime_current()};

    CHECK_EQ(roost_call(b.rt, give, &b.depth), -EDEADLK);
    CHECK_EQ(roost_offload(portal, &b), 12);
    CHECK_EQ(b.rc, 12);
}

/* ---- seen from outside ---- */

TEST(it_is_counted_and_seen_in_the_dump, "R54")
{
    static struct gate g;
    roost_stats before, after;
    char text[65536] = "";
    roost_scope s;
    FILE *f = tmpfile();

    gate_init(&g);
    CHECK_EQ(roost_stats_get(NULL, &before), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, offload_stay, &g, .name = "the waiting one"), 0);
    CHECK_EQ(roost_event_wait(&g.up), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_dump(fileno(f)), 0);
    CHECK(pread(fileno(f), text, sizeof text - 1, 0) > 0);
    CHECK(strstr(text, "the waiting one: offload") != NULL);
    roost_event_set(&g.go);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_stats_get(NULL, &after), 0);
    CHECK_EQ(after.offloaded - before.offloaded, 1);
    fclose(f);
}
