/*
 * rwlock_owner_test.c - what a rwlock protects, to whom its write lock belongs,
 * what the end of a writer means, and what destroying it asks. Would catch two
 * writers, a reader that sees half of a write, a waiter that sleeps on when the
 * writer is gone, a lock that is touched after another has freed it.
 */
#include "everywhere.h"

/* ---- exclusion ---- */

struct pages {
    roost_rwlock l;
    int a, b; /* plain, and equal whenever nobody writes */
    int rounds, readers, most;
};

static void read_once(struct pages *p, roost_ns deadline)
{
    int rc = deadline == 0 ? roost_rwlock_rdlock(&p->l)
                           : roost_rwlock_rdlock_until(&p->l, deadline);
    int n;

    CHECK(rc == 0 || (rc == -ETIMEDOUT && deadline != 0));
    if (rc != 0) {
        return;
    }
    n = test_add(&p->readers, 1);
    if (n > test_get(&p->most)) {
        test_set(&p->most, n);
    }
    CHECK_EQ(p->a, p->b);
    if (roost_runtime_current() != NULL) {
        (void)roost_yield();
    }
    CHECK_EQ(p->a, p->b);
    test_add(&p->readers, -1);
    CHECK_EQ(roost_rwlock_unlock(&p->l), 0);
}

static int write_once(struct pages *p, roost_ns deadline)
{
    int rc = deadline == 0 ? roost_rwlock_wrlock(&p->l)
                           : roost_rwlock_wrlock_until(&p->l, deadline);

    CHECK(rc == 0 || (rc == -ETIMEDOUT && deadline != 0));
    if (rc != 0) {
        return 0;
    }
    CHECK_EQ(test_get(&p->readers), 0);
    p->a++;
    if (roost_runtime_current() != NULL) {
        (void)roost_yield();
    }
    p->b++;
    CHECK_EQ(p->a, p->b);
    CHECK_EQ(roost_rwlock_unlock(&p->l), 0);
    return 1;
}

static int read_and_write(void *arg)
{
    struct pages *p = (struct pages *)arg;

    for (int i = 0; i < p->rounds; i++) {
        read_once(p, 0);
        CHECK_EQ(write_once(p, 0), 1);
        read_once(p, ROOST_NEVER);
        read_once(p, roost_in(i % 4 * 10 * ROOST_US));
    }
    return 0;
}

TEST(a_writer_is_alone, "R51 R61")
{
    enum { N = 20 };
    struct pages p = {.l = ROOST_RWLOCK_INIT, .rounds = 50};
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(roost_spawn(&s, read_and_write, &p), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(p.a, N * p.rounds);
    CHECK_EQ(p.b, N * p.rounds);
    roost_rwlock_destroy(&p.l);
}

TEST_PLAIN(also_between_runtimes_and_threads, "R51 R61 R72")
{
    struct pages p = {.l = ROOST_RWLOCK_INIT, .rounds = 40};

    everywhere(read_and_write, &p);
    CHECK_EQ(p.a, EVERYWHERE * p.rounds);
    CHECK_EQ(p.b, EVERYWHERE * p.rounds);
    roost_rwlock_destroy(&p.l);
}

static int write_in_a_hurry(void *arg)
{
    struct pages *p = (struct pages *)arg;

    for (int i = 0; i < p->rounds; i++) {
        (void)write_once(p, roost_in(i % 3 * 10 * ROOST_US));
        read_once(p, roost_in(i % 5 * 10 * ROOST_US));
    }
    return 0;
}

/* Time-outs race unlocks: afterwards it is free. */
TEST(time_outs_that_race_unlocks_lose_no_lock, "R3 R8 R51")
{
    struct pages p = {.l = ROOST_RWLOCK_INIT, .rounds = 100};
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(roost_spawn(&s, write_in_a_hurry, &p), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(p.a >= 1 && p.a == p.b);
    CHECK_EQ(roost_rwlock_try_wrlock(&p.l), 0);
    CHECK_EQ(roost_rwlock_unlock(&p.l), 0);
    roost_rwlock_destroy(&p.l);
}

static int wait_to_write(void *arg)
{
    struct pages *p = (struct pages *)arg;

    p->rounds = roost_rwlock_wrlock_until(&p->l, ROOST_NEVER);
    return p->rounds == 0 ? roost_rwlock_unlock(&p->l) : p->rounds;
}

/* Whoever wins, it is with somebody, or free. */
TEST(a_cancel_that_races_an_unlock_loses_no_lock, "R3 R8")
{
    for (int i = 0; i < 500; i++) {
        struct pages p = {.l = ROOST_RWLOCK_INIT, .rounds = 1};
        roost_scope s;

        CHECK_EQ(i % 2 ? roost_rwlock_rdlock(&p.l) : roost_rwlock_wrlock(&p.l),
                 0);
        OPEN(&s, .flags = ROOST_MOVE_ON, .timeout = i % 20 * ROOST_US);
        CHECK_EQ(roost_spawn(&s, wait_to_write, &p), 0);
        (void)roost_yield();
        CHECK_EQ(roost_rwlock_unlock(&p.l), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK(p.rounds == 0 || p.rounds == -ECANCELED);
        CHECK_EQ(roost_rwlock_try_wrlock(&p.l), 0);
        CHECK_EQ(roost_rwlock_unlock(&p.l), 0);
        roost_rwlock_destroy(&p.l);
    }
}

/* ---- whose it is ---- */

static int not_the_writer(void *arg)
{
    roost_rwlock *l = (roost_rwlock *)arg;

    CHECK_EQ(roost_rwlock_unlock(l), -EPERM);
    CHECK_EQ(roost_rwlock_try_rdlock(l), -EAGAIN);
    CHECK_EQ(roost_rwlock_try_wrlock(l), -EAGAIN);
    CHECK_EQ(roost_rwlock_rdlock_until(l, 0), -ETIMEDOUT);
    CHECK_EQ(roost_rwlock_wrlock_until(l, 0), -ETIMEDOUT);
    return 0;
}

static int the_writer(void *arg)
{
    roost_rwlock *l = (roost_rwlock *)arg;

    CHECK_EQ(roost_rwlock_rdlock(l), -EDEADLK);
    CHECK_EQ(roost_rwlock_rdlock_until(l, ROOST_NEVER), -EDEADLK);
    CHECK_EQ(roost_rwlock_try_rdlock(l), -EDEADLK);
    CHECK_EQ(roost_rwlock_wrlock(l), -EDEADLK);
    CHECK_EQ(roost_rwlock_wrlock_until(l, 0), -EDEADLK);
    CHECK_EQ(roost_rwlock_try_wrlock(l), -EDEADLK);
    return 0;
}

/* The children run in place where there is one worker. */
TEST(the_write_lock_belongs_to_its_task, "R52 R70")
{
    roost_rwlock l = ROOST_RWLOCK_INIT;
    roost_scope s;

    CHECK_EQ(roost_rwlock_wrlock(&l), 0);
    CHECK_EQ(the_writer(&l), 0);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(roost_spawn(&s, not_the_writer, &l), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(on_a_thread(not_the_writer, &l), 0);
    CHECK_EQ(the_writer(&l), 0);
    CHECK_EQ(roost_rwlock_unlock(&l), 0);
    roost_rwlock_destroy(&l);
}

static int write_on_a_thread(void *arg)
{
    roost_rwlock *l = (roost_rwlock *)arg;

    CHECK_EQ(roost_rwlock_wrlock(l), 0);
    CHECK_EQ(the_writer(l), 0);
    CHECK_EQ(roost_rwlock_unlock(l), 0);
    return 0;
}

static int unlock_it(void *arg)
{
    return roost_rwlock_unlock((roost_rwlock *)arg);
}

/* A read lock is a number: any task may give it back, nobody too many. */
TEST(read_locks_have_no_names, "R52")
{
    roost_rwlock l = ROOST_RWLOCK_INIT;
    roost_scope s;

    CHECK_EQ(on_a_thread(write_on_a_thread, &l), 0);
    CHECK_EQ(roost_rwlock_rdlock(&l), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, unlock_it, &l), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_rwlock_unlock(&l), -EPERM);
    CHECK_EQ(on_a_thread(unlock_it, &l), -EPERM);
    roost_rwlock_destroy(&l);
}

/* ---- the end of a writer ---- */

struct locker {
    roost_rwlock *l;
    int write, until;
    int rc;
};

/* Ends with it, or gets why not. */
static int lock_and_end(void *arg)
{
    struct locker *k = (struct locker *)arg;

    if (k->until) {
        k->rc = k->write ? roost_rwlock_wrlock_until(k->l, ROOST_NEVER)
                         : roost_rwlock_rdlock_until(k->l, ROOST_NEVER);
    } else {
        k->rc =
            k->write ? roost_rwlock_wrlock(k->l) : roost_rwlock_rdlock(k->l);
    }
    return 0;
}

static int write_and_sleep(void *arg)
{
    CHECK_EQ(roost_rwlock_wrlock((roost_rwlock *)arg), 0);
    return roost_sleep(ROOST_NEVER);
}

static void check_dead(roost_rwlock *l)
{
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(roost_rwlock_rdlock(l), -EOWNERDEAD);
        CHECK_EQ(roost_rwlock_rdlock_until(l, ROOST_NEVER), -EOWNERDEAD);
        CHECK_EQ(roost_rwlock_try_rdlock(l), -EOWNERDEAD);
        CHECK_EQ(roost_rwlock_wrlock(l), -EOWNERDEAD);
        CHECK_EQ(roost_rwlock_wrlock_until(l, 0), -EOWNERDEAD);
        CHECK_EQ(roost_rwlock_try_wrlock(l), -EOWNERDEAD);
        CHECK_EQ(roost_rwlock_unlock(l), -EPERM);
    }
}

TEST(the_end_of_a_writer_reaches_all_who_wait_and_come, "R52")
{
    roost_rwlock l = ROOST_RWLOCK_INIT;
    struct locker k[4];
    roost_scope s, inner;

    roost_scope_open(&s, NULL);
    roost_scope_open(&inner, NULL);
    CHECK_EQ(roost_spawn(&inner, write_and_sleep, &l), 0);
    CHECK_EQ(roost_settle(), 0);
    for (int i = 0; i < 4; i++) {
        k[i] = (struct locker){&l, i % 2, i / 2, 1};
        CHECK_EQ(roost_spawn(&s, lock_and_end, &k[i]), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    roost_scope_cancel(&inner, 0);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(k[i].rc, -EOWNERDEAD);
    }
    check_dead(&l);
    roost_rwlock_destroy(&l);
    CHECK_EQ(roost_rwlock_init(&l), 0);
    CHECK_EQ(roost_rwlock_wrlock(&l), 0); /* a new one */
    CHECK_EQ(roost_rwlock_unlock(&l), 0);
    roost_rwlock_destroy(&l);
}

TEST_PLAIN(threads_and_main_tasks_write_too, "R52 R72")
{
    roost_opts opts = test_opts();
    roost_rwlock l = ROOST_RWLOCK_INIT;
    struct locker k = {&l, 1, 1, 1};

    CHECK_EQ(on_a_thread(lock_and_end, &k), 0);
    CHECK_EQ(k.rc, 0);
    check_dead(&l);
    CHECK_EQ(roost_rwlock_init(&l), 0);
    CHECK_EQ(roost_run(lock_and_end, &k, &opts), 0);
    CHECK_EQ(k.rc, 0);
    check_dead(&l);
    roost_rwlock_destroy(&l);
}

/* ---- its own end ---- */

struct counted {
    roost_rwlock l;
    int users;
};

static int leave(void *arg)
{
    struct counted *c = *(struct counted **)arg;
    int left;

    CHECK_EQ(roost_rwlock_rdlock(&c->l), 0);
    CHECK_EQ(roost_rwlock_unlock(&c->l), 0);
    CHECK_EQ(roost_rwlock_wrlock(&c->l), 0);
    left = --c->users;
    CHECK_EQ(roost_rwlock_unlock(&c->l), 0);
    if (left == 0) {
        roost_rwlock_destroy(&c->l);
        memset(c, 0xa5, sizeof *c);
        free(c);
    }
    return 0;
}

TEST(the_last_writer_may_free_it, "R61 R67")
{
    for (int i = 0; i < 300; i++) {
        struct counted *c = (struct counted *)calloc(1, sizeof *c);
        roost_scope s;

        c->users = 8;
        CHECK_EQ(roost_rwlock_init(&c->l), 0);
        roost_scope_open(&s, NULL);
        for (int j = 0; j < 8; j++) {
            CHECK_EQ(roost_spawn_copy(&s, leave, &c, sizeof c), 0);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
    }
}

TEST_PLAIN(also_where_tasks_and_threads_share_a_rwlock, "R61 R67 R72")
{
    for (int i = 0; i < 10; i++) {
        struct counted *c = (struct counted *)calloc(1, sizeof *c);

        c->users = EVERYWHERE;
        CHECK_EQ(roost_rwlock_init(&c->l), 0);
        everywhere(leave, &c);
    }
}

static int destroy_while(void *arg)
{
    roost_rwlock l = ROOST_RWLOCK_INIT;
    struct locker k = {&l, 0, 1, 1};
    roost_scope s;

    CHECK_EQ(*(int *)arg == 1 ? roost_rwlock_rdlock(&l)
                              : roost_rwlock_wrlock(&l),
             0);
    roost_scope_open(&s, NULL);
    if (*(int *)arg == 2) {
        CHECK_EQ(roost_spawn(&s, lock_and_end, &k), 0);
        CHECK_EQ(roost_settle(), 0);
    }
    roost_rwlock_destroy(&l);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(destroying_a_rwlock_in_use_is_misuse, "R52 R67")
{
    static const char *const said[] = {"it is locked", "it is locked",
                                       "somebody waits for it"};
    roost_opts opts = test_opts();

    for (int how = 0; how < 3; how++) {
        CHECK_ABORTS("roost_rwlock_destroy",
                     roost_run(destroy_while, &how, &opts));
        CHECK_ABORTS(said[how], roost_run(destroy_while, &how, &opts));
    }
}

/* A reader that would write waits for itself. */
static int read_and_want_more(void *arg)
{
    roost_rwlock l = ROOST_RWLOCK_INIT;

    CHECK_EQ(roost_rwlock_rdlock(&l), 0);
    if (arg != NULL) {
        (void)roost_rwlock_wrlock(&l);
    }
    CHECK_EQ(roost_rwlock_wrlock_until(&l, ROOST_NEVER), -ECANCELED);
    CHECK_EQ(roost_rwlock_unlock(&l), 0);
    roost_rwlock_destroy(&l);
    return 0;
}

TEST_PLAIN(a_reader_that_would_write_is_a_deadlock, "R7 R63")
{
    static struct capture c;
    roost_opts opts = test_opts();

    capture_begin(&c);
    CHECK_EQ(roost_run(read_and_want_more, NULL, &opts), -EDEADLK);
    CHECK(strstr(capture_end(&c), "write lock") != NULL);
    CHECK_ABORTS("deadlock", roost_run(read_and_want_more, &c, &opts));
}
