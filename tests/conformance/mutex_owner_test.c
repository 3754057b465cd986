/*
 * mutex_owner_test.c - to whom a mutex belongs, what the end of its owner
 * means, and what destroying it asks. Would catch a child in place that passes
 * for its parent, a waiter that sleeps on when the owner is gone, a mutex that
 * is touched by its last unlock after another has freed it.
 */
#include "everywhere.h"

struct locker {
    roost_mutex *m;
    int deaf; /* lock, not lock_until */
    int rc;
};

/* Locks it and ends with it, or gets why not. */
static int lock_and_end(void *arg)
{
    struct locker *l = (struct locker *)arg;

    l->rc = l->deaf ? roost_mutex_lock(l->m)
                    : roost_mutex_lock_until(l->m, ROOST_NEVER);
    return 0;
}

static int lock_and_fail(void *arg)
{
    struct locker *l = (struct locker *)arg;

    l->rc = roost_mutex_lock(l->m);
    return -EIO;
}

static int lock_and_sleep(void *arg)
{
    struct locker *l = (struct locker *)arg;

    l->rc = roost_mutex_lock(l->m);
    return roost_sleep(ROOST_NEVER);
}

/* A mutex whose owner has ended, for all and for ever. */
static void check_dead(roost_mutex *m)
{
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(roost_mutex_lock(m), -EOWNERDEAD);
        CHECK_EQ(roost_mutex_lock_until(m, ROOST_NEVER), -EOWNERDEAD);
        CHECK_EQ(roost_mutex_lock_until(m, 0), -EOWNERDEAD);
        CHECK_EQ(roost_mutex_try_lock(m), -EOWNERDEAD);
        CHECK_EQ(roost_mutex_unlock(m), -EPERM);
    }
}

static int not_the_owner(void *arg)
{
    roost_mutex *m = (roost_mutex *)arg;

    CHECK_EQ(roost_mutex_try_lock(m), -EAGAIN);
    CHECK_EQ(roost_mutex_lock_until(m, 0), -ETIMEDOUT);
    CHECK_EQ(roost_mutex_unlock(m), -EPERM);
    return 0;
}

/* With one worker the children run in place, on their parent's stack. */
TEST(a_child_in_place_is_not_its_parent, "R52 R70")
{
    roost_mutex m = ROOST_MUTEX_INIT;
    roost_stats before, after;
    roost_scope s;

    CHECK_EQ(roost_stats_get(NULL, &before), 0);
    CHECK_EQ(roost_mutex_lock(&m), 0);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(roost_spawn(&s, not_the_owner, &m), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(on_a_thread(not_the_owner, &m), 0);
    CHECK_EQ(roost_mutex_lock(&m), -EDEADLK); /* still this task's */
    CHECK_EQ(roost_mutex_unlock(&m), 0);
    CHECK_EQ(roost_stats_get(NULL, &after), 0);
    CHECK(test_workers > 1 || after.inlined >= before.inlined + 10);
    roost_mutex_destroy(&m);
}

/* A thread that runs workers keeps what it locked itself. */
TEST_PLAIN(the_thread_in_roost_run_is_not_the_main_task, "R52 R72")
{
    roost_opts opts = test_opts();
    roost_mutex m = ROOST_MUTEX_INIT;

    CHECK_EQ(roost_mutex_lock(&m), 0);
    CHECK_EQ(roost_run(not_the_owner, &m, &opts), 0);
    CHECK_EQ(roost_mutex_try_lock(&m), -EDEADLK);
    CHECK_EQ(roost_mutex_unlock(&m), 0);
    roost_mutex_destroy(&m);
}

static int lock_yield_and_unlock(void *arg)
{
    roost_mutex *m = (roost_mutex *)arg;

    for (int i = 0; i < 100; i++) {
        CHECK_EQ(roost_mutex_lock(&m[i % 4]), 0);
        CHECK_EQ(roost_yield(), 0); /* it may go on on another worker */
        CHECK_EQ(roost_mutex_try_lock(&m[i % 4]), -EDEADLK);
        CHECK_EQ(roost_mutex_unlock(&m[i % 4]), 0);
    }
    return 0;
}

TEST(an_owner_stays_the_owner_on_another_worker, "R52")
{
    roost_mutex m[4] = {ROOST_MUTEX_INIT, ROOST_MUTEX_INIT, ROOST_MUTEX_INIT,
                        ROOST_MUTEX_INIT};
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(roost_spawn(&s, lock_yield_and_unlock, m), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 4; i++) {
        roost_mutex_destroy(&m[i]);
    }
}

/* ---- the end of the owner: conformance 140 ---- */

TEST(the_end_of_the_owner_reaches_all_who_wait_and_come, "R52")
{
    roost_mutex m = ROOST_MUTEX_INIT;
    struct locker owner = {&m, 0, 1}, waiter[4];
    roost_scope s, inner;

    roost_scope_open(&s, NULL);
    roost_scope_open(&inner, NULL);
    CHECK_EQ(roost_spawn(&inner, lock_and_sleep, &owner), 0);
    CHECK_EQ(roost_settle(), 0);
    for (int i = 0; i < 4; i++) {
        waiter[i] = (struct locker){&m, i % 2, 1};
        CHECK_EQ(roost_spawn(&s, lock_and_end, &waiter[i]), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    roost_scope_cancel(&inner, 0);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(owner.rc, 0);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(waiter[i].rc, -EOWNERDEAD);
    }
    check_dead(&m);
    roost_mutex_destroy(&m); /* dead is not locked */
    CHECK_EQ(roost_mutex_init(&m), 0);
    CHECK_EQ(roost_mutex_lock(&m), 0); /* a new one */
    CHECK_EQ(roost_mutex_unlock(&m), 0);
    roost_mutex_destroy(&m);
}

/* Plain, with a name, failed: each kind of end; seen as soon as the end is. */
TEST(every_kind_of_end_is_an_end, "R52 R61")
{
    for (int i = 0; i < 4; i++) {
        roost_mutex m = ROOST_MUTEX_INIT;
        struct locker l = {&m, i % 2, 1};
        roost_fn fn = i == 2 ? lock_and_fail : lock_and_end;
        roost_scope s;

        roost_scope_open(&s, NULL);
        if (i == 3) {
            roost_task t;

            CHECK_EQ(SPAWN_OPTS(&s, fn, &l, .name = "owner", .handle = &t), 0);
            CHECK_EQ(roost_join(&t, NULL), 0);
            check_dead(&m);
        } else {
            CHECK_EQ(roost_spawn(&s, fn, &l), 0);
        }
        CHECK_EQ(roost_scope_close(&s, 0), i == 2 ? -EIO : 0);
        CHECK_EQ(l.rc, 0);
        check_dead(&m);
        roost_mutex_destroy(&m);
    }
}

static int hold_three(void *arg)
{
    roost_mutex *m = (roost_mutex *)arg;

    for (int i = 0; i < 4; i++) {
        CHECK_EQ(roost_mutex_lock(&m[i]), 0);
    }
    CHECK_EQ(roost_mutex_unlock(&m[1]), 0); /* not in the order of locking */
    return 0;
}

TEST(only_what_is_held_at_the_end_dies, "R52")
{
    roost_mutex m[4] = {ROOST_MUTEX_INIT, ROOST_MUTEX_INIT, ROOST_MUTEX_INIT,
                        ROOST_MUTEX_INIT};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, hold_three, m), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    check_dead(&m[0]);
    check_dead(&m[2]);
    check_dead(&m[3]);
    CHECK_EQ(roost_mutex_lock(&m[1]), 0);
    CHECK_EQ(roost_mutex_unlock(&m[1]), 0);
    for (int i = 0; i < 4; i++) {
        roost_mutex_destroy(&m[i]);
    }
}

static int first_cancelled(void *arg)
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_mutex_lock_until((roost_mutex *)arg, 0), -ECANCELED);
    CHECK_EQ(roost_mutex_lock((roost_mutex *)arg), -EOWNERDEAD);
    return roost_scope_close(&s, 0);
}

/* A plain thread that ends, a main task that ends. */
TEST_PLAIN(threads_and_main_tasks_are_owners_too, "R2 R52 R72")
{
    roost_opts opts = test_opts();
    roost_mutex m = ROOST_MUTEX_INIT;
    struct locker l = {&m, 0, 1};

    CHECK_EQ(on_a_thread(lock_and_end, &l), 0);
    CHECK_EQ(l.rc, 0);
    check_dead(&m);
    CHECK_EQ(roost_run(first_cancelled, &m, &opts), 0);
    CHECK_EQ(roost_mutex_init(&m), 0);
    l.rc = 1;
    CHECK_EQ(roost_run(lock_and_end, &l, &opts), 0);
    CHECK_EQ(l.rc, 0);
    check_dead(&m);
    roost_mutex_destroy(&m);
}

/* A plain thread ends while tasks and a thread wait for what it holds. */
struct ending {
    roost_mutex m;
    roost_sem locked, go;
};

static int end_when_told(void *arg)
{
    struct ending *e = (struct ending *)arg;

    CHECK_EQ(roost_mutex_lock(&e->m), 0);
    CHECK_EQ(roost_sem_release(&e->locked, 1), 0);
    CHECK_EQ(roost_sem_acquire(&e->go, 1), 0);
    return 0;
}

static void *end_thread(void *arg)
{
    (void)end_when_told(arg);
    return NULL;
}

static int wait_for_the_dead(void *arg)
{
    struct ending *e = (struct ending *)arg;
    struct locker l[3] = {{&e->m, 0, 1}, {&e->m, 1, 1}, {&e->m, 0, 1}};
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(roost_spawn(&s, lock_and_end, &l[i]), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_sem_release(&e->go, 1), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(l[i].rc, -EOWNERDEAD);
    }
    return 0;
}

TEST_PLAIN(the_end_of_a_thread_wakes_tasks, "R52 R72")
{
    roost_opts opts = test_opts();
    struct ending e = {.m = ROOST_MUTEX_INIT};
    pthread_t thread;

    CHECK_EQ(roost_sem_init(&e.locked, 0, 1), 0);
    CHECK_EQ(roost_sem_init(&e.go, 0, 1), 0);
    CHECK_EQ(pthread_create(&thread, NULL, end_thread, &e), 0);
    CHECK_EQ(roost_sem_acquire(&e.locked, 1), 0);
    CHECK_EQ(roost_run(wait_for_the_dead, &e, &opts), 0);
    pthread_join(thread, NULL);
    check_dead(&e.m);
    roost_mutex_destroy(&e.m);
    roost_sem_destroy(&e.locked);
    roost_sem_destroy(&e.go);
}

/* And the other way round: a plain thread waits for what a task holds. */
TEST_PLAIN(the_end_of_a_task_wakes_a_thread, "R52 R72")
{
    roost_opts opts = test_opts();
    struct ending e = {.m = ROOST_MUTEX_INIT};
    struct locker l = {&e.m, 1, 1};
    roost_runtime *rt = NULL;

    CHECK_EQ(roost_sem_init(&e.locked, 0, 1), 0);
    CHECK_EQ(roost_sem_init(&e.go, 1, 1), 0);
    CHECK_EQ(roost_start(&rt, &opts), 0);
    for (int i = 0; i < 50; i++) {
        CHECK_EQ(roost_mutex_init(&e.m), 0);
        CHECK_EQ(roost_post(rt, end_when_told, &e, 0), 0);
        CHECK_EQ(roost_sem_acquire(&e.locked, 1), 0);
        (void)lock_and_end(&l);
        CHECK_EQ(l.rc, -EOWNERDEAD);
        roost_mutex_destroy(&e.m);
        CHECK_EQ(roost_sem_release(&e.go, 1), 0);
    }
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
}

/* ---- destroyed at once ---- */

struct counted {
    roost_mutex m;
    int users;
    int free_it; /* the last user does */
};

static int leave(void *arg)
{
    struct counted *c = *(struct counted **)arg;
    int left;

    CHECK_EQ(roost_mutex_lock(&c->m), 0);
    left = --c->users;
    CHECK_EQ(roost_mutex_unlock(&c->m), 0);
    if (left == 0) {
        roost_mutex_destroy(&c->m);
        memset(c, 0xa5, sizeof *c);
        free(c);
    }
    return 0;
}

/* The last to leave frees it, while the one before may still be in unlock. */
TEST(who_was_inside_last_may_free_it, "R67")
{
    for (int i = 0; i < 500; i++) {
        struct counted *c = (struct counted *)calloc(1, sizeof *c);
        roost_scope s;

        CHECK_EQ(roost_mutex_init(&c->m), 0);
        c->users = 8;
        roost_scope_open(&s, NULL);
        for (int j = 0; j < 8; j++) {
            CHECK_EQ(roost_spawn_copy(&s, leave, &c, sizeof c), 0);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
    }
}

TEST_PLAIN(also_where_tasks_and_threads_share_it, "R67 R72")
{
    for (int i = 0; i < 10; i++) {
        struct counted *c = (struct counted *)calloc(1, sizeof *c);

        CHECK_EQ(roost_mutex_init(&c->m), 0);
        c->users = EVERYWHERE;
        everywhere(leave, &c);
    }
}

static int destroy_it(void *arg)
{
    roost_mutex_destroy((roost_mutex *)arg);
    return 0;
}

static int destroy_while_locked(void *arg)
{
    CHECK_EQ(roost_mutex_lock((roost_mutex *)arg), 0);
    return destroy_it(arg);
}

/* Woken, but it has not tried again: it waits for the mutex all the same. */
static int destroy_under_a_waiter(void *arg)
{
    struct locker l = {(roost_mutex *)arg, 0, 1};
    roost_scope s;

    CHECK_EQ(roost_mutex_lock(l.m), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, lock_and_sleep, &l), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_mutex_unlock(l.m), 0);
    return destroy_it(l.m);
}

TEST_PLAIN(destroying_a_mutex_in_use_is_misuse, "R52 R67")
{
    roost_opts opts = test_opts();
    roost_mutex m = ROOST_MUTEX_INIT;

    CHECK_ABORTS("roost_mutex_destroy", destroy_while_locked(&m));
    CHECK_ABORTS("it is locked", destroy_while_locked(&m));
    CHECK_ABORTS("roost_mutex_destroy",
                 roost_run(destroy_while_locked, &m, &opts));
    CHECK_ABORTS("roost_mutex_destroy",
                 roost_run(destroy_under_a_waiter, &m, &opts));
    opts.workers = 1;
    opts.clock = ROOST_CLOCK_VIRTUAL; /* it has not waited for 500 us: R52 */
    CHECK_ABORTS("somebody waits for it",
                 roost_run(destroy_under_a_waiter, &m, &opts));
}

/* ---- all stand still ---- */

struct crossed {
    roost_mutex m[2];
    int deaf;
    int rc[2];
    int at;
};

static int lock_both(void *arg)
{
    struct crossed *c = (struct crossed *)arg;
    int i = test_add(&c->at, 1) - 1;

    CHECK_EQ(roost_mutex_lock(&c->m[i]), 0);
    while (test_get(&c->at) < 2) {
        CHECK_EQ(roost_yield(), 0);
    }
    CHECK_EQ(roost_settle(), 0); /* both have their first */
    c->rc[i] = c->deaf ? roost_mutex_lock(&c->m[1 - i])
                       : roost_mutex_lock_until(&c->m[1 - i], ROOST_NEVER);
    CHECK_EQ(roost_mutex_unlock(&c->m[i]), 0);
    return 0;
}

static int cross(void *arg)
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, lock_both, arg), 0);
    CHECK_EQ(roost_spawn(&s, lock_both, arg), 0);
    return roost_scope_close(&s, 0);
}

/* lock_until comes home; lock, which no cancel ends, ends the process. */
TEST_PLAIN(two_mutexes_locked_crosswise_are_a_deadlock, "R7 R63")
{
    roost_opts opts = test_opts();
    struct crossed c = {.m = {ROOST_MUTEX_INIT, ROOST_MUTEX_INIT}};
    static struct capture said;

    capture_begin(&said);
    CHECK_EQ(roost_run(cross, &c, &opts), -EDEADLK);
    CHECK(strstr(capture_end(&said), "mutex") != NULL);
    CHECK_EQ(c.rc[0], -ECANCELED);
    CHECK_EQ(c.rc[1], -ECANCELED);
    c = (struct crossed){.m = {ROOST_MUTEX_INIT, ROOST_MUTEX_INIT}, .deaf = 1};
    CHECK_ABORTS("deadlock", roost_run(cross, &c, &opts));
}
