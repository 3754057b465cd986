/*
 * rwlock_test.c - many readers or one writer. Would catch a reader beside a
 * writer, a writer that readers starve, readers that stay behind a writer who
 * has left. Owners, their end and its own: rwlock_owner_test.c.
 */
#include "everywhere.h"

struct locker {
    roost_rwlock *l;
    int write;
    roost_ns deadline;  /* 0: the calls that are no cancellation points */
    roost_event *until; /* holds it so long; NULL: unlocks at once */
    int rc, place;
    int *order; /* when it had it: counts up */
    roost_ns had;
};

static int lock(roost_rwlock *l, int write, roost_ns deadline)
{
    if (deadline == 0) {
        return write ? roost_rwlock_wrlock(l) : roost_rwlock_rdlock(l);
    }
    return write ? roost_rwlock_wrlock_until(l, deadline)
                 : roost_rwlock_rdlock_until(l, deadline);
}

static int lock_it(void *arg)
{
    struct locker *k = (struct locker *)arg;

    k->rc = lock(k->l, k->write, k->deadline);
    if (k->rc == 0) {
        k->had = roost_now();
        k->place = k->order != NULL ? test_add(k->order, 1) : 0;
        if (k->until != NULL) {
            (void)roost_event_wait(k->until);
        }
        CHECK_EQ(roost_rwlock_unlock(k->l), 0);
    }
    return k->rc == -ETIMEDOUT ? 0 : k->rc;
}

/* One that has it or waits for it, before this returns. */
static void add(roost_scope *s, struct locker *k, struct locker like)
{
    *k = like;
    k->rc = 1;
    CHECK_EQ(roost_spawn(s, lock_it, k), 0);
    CHECK_EQ(roost_settle(), 0);
}

/* What tries find, in the state that they are made in. */
static void check_tries(roost_rwlock *l, int read, int write)
{
    CHECK_EQ(roost_rwlock_try_rdlock(l), read);
    if (read == 0) {
        CHECK_EQ(roost_rwlock_unlock(l), 0);
    }
    CHECK_EQ(roost_rwlock_rdlock_until(l, 0), read == -EAGAIN ? -ETIMEDOUT : 0);
    if (read == 0) {
        CHECK_EQ(roost_rwlock_unlock(l), 0);
    }
    CHECK_EQ(roost_rwlock_try_wrlock(l), write);
    if (write == 0) {
        CHECK_EQ(roost_rwlock_unlock(l), 0);
    }
    CHECK_EQ(roost_rwlock_wrlock_until(l, 0),
             write == -EAGAIN ? -ETIMEDOUT : 0);
    if (write == 0) {
        CHECK_EQ(roost_rwlock_unlock(l), 0);
    }
}

TEST(bad_arguments_of_a_rwlock, "R2")
{
    CHECK_EQ(roost_rwlock_init(NULL), -EINVAL);
    CHECK_EQ(roost_rwlock_rdlock(NULL), -EINVAL);
    CHECK_EQ(roost_rwlock_rdlock_until(NULL, ROOST_NEVER), -EINVAL);
    CHECK_EQ(roost_rwlock_try_rdlock(NULL), -EINVAL);
    CHECK_EQ(roost_rwlock_wrlock(NULL), -EINVAL);
    CHECK_EQ(roost_rwlock_wrlock_until(NULL, ROOST_NEVER), -EINVAL);
    CHECK_EQ(roost_rwlock_try_wrlock(NULL), -EINVAL);
    CHECK_EQ(roost_rwlock_unlock(NULL), -EINVAL);
    roost_rwlock_destroy(NULL);
}

/* Readers share it; a writer does not; an expired deadline is one try. */
static int readers_and_writers(void *arg)
{
    roost_rwlock *l = (roost_rwlock *)arg;

    check_tries(l, 0, 0);
    CHECK_EQ(roost_rwlock_rdlock(l), 0);
    CHECK_EQ(roost_rwlock_rdlock_until(l, ROOST_NEVER), 0);
    check_tries(l, 0, -EAGAIN);
    CHECK_EQ(roost_rwlock_wrlock_until(l, INT64_MIN), -ETIMEDOUT);
    CHECK_EQ(roost_rwlock_wrlock_until(l, roost_now()), -ETIMEDOUT);
    CHECK_EQ(roost_rwlock_unlock(l), 0);
    check_tries(l, 0, -EAGAIN);
    CHECK_EQ(roost_rwlock_unlock(l), 0);
    CHECK_EQ(roost_rwlock_unlock(l), -EPERM);
    CHECK_EQ(roost_rwlock_wrlock(l), 0);
    CHECK_EQ(roost_rwlock_unlock(l), 0);
    CHECK_EQ(roost_rwlock_wrlock_until(l, ROOST_NEVER), 0);
    CHECK_EQ(roost_rwlock_unlock(l), 0);
    CHECK_EQ(roost_rwlock_unlock(l), -EPERM);
    check_tries(l, 0, 0);
    return 0;
}

TEST_PLAIN(many_read_or_one_writes, "R10 R51")
{
    static roost_rwlock fixed = ROOST_RWLOCK_INIT;
    roost_opts opts = test_opts();
    roost_rwlock l;

    memset(&l, 0xa5, sizeof l);
    CHECK_EQ(roost_rwlock_init(&l), 0);
    CHECK_EQ(readers_and_writers(&l), 0); /* a plain thread */
    CHECK_EQ(roost_run(readers_and_writers, &l, &opts), 0);
    CHECK_EQ(roost_run(readers_and_writers, &fixed, &opts), 0);
    roost_rwlock_destroy(&l);
    roost_rwlock_destroy(&fixed);
}

/* ---- turns ---- */

/* Conformance 152 (write_order): first come, first served; readers that stand
 * together go on together. */
TEST(who_comes_first_is_served_first, "R46 R51")
{
    static const int writes[] = {1, 0, 0, 1, 1, 0, 0, 0, 1};
    static const int lowest[] = {1, 2, 2, 4, 5, 6, 6, 6, 9};
    static const int highest[] = {1, 3, 3, 4, 5, 8, 8, 8, 9};
    enum { N = 9 };
    roost_rwlock l = ROOST_RWLOCK_INIT;
    struct locker k[N];
    int order = 0;
    roost_scope s;

    CHECK_EQ(roost_rwlock_rdlock(&l), 0);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        add(&s, &k[i],
            (struct locker){.l = &l,
                            .write = writes[i],
                            .deadline = i % 2 ? ROOST_NEVER : 0,
                            .order = &order});
        check_tries(&l, -EAGAIN, -EAGAIN); /* readers too: a writer waits */
    }
    CHECK_EQ(order, 0);
    CHECK_EQ(roost_rwlock_unlock(&l), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(k[i].rc, 0);
        CHECK(k[i].place >= lowest[i] && k[i].place <= highest[i]);
    }
    check_tries(&l, 0, 0);
    roost_rwlock_destroy(&l);
}

/* All readers behind a writer are inside at once (exhaust_reading). */
TEST(all_readers_behind_a_writer_go_on_together, "R51")
{
    enum { N = 100 };
    roost_rwlock l = ROOST_RWLOCK_INIT;
    roost_event end = ROOST_EVENT_INIT;
    struct locker k[N], last;
    int inside = 0;
    roost_scope s;

    CHECK_EQ(roost_rwlock_wrlock(&l), 0);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        add(&s, &k[i],
            (struct locker){
                .l = &l, .write = 0, .until = &end, .order = &inside});
    }
    add(&s, &last, (struct locker){.l = &l, .write = 1});
    CHECK_EQ(roost_rwlock_unlock(&l), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(inside, N);
    CHECK_EQ(last.rc, 1);
    CHECK_EQ(roost_event_set(&end), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(last.rc, 0);
    roost_rwlock_destroy(&l);
}

/* unlock gives it: no try gets in between, and a cancel comes too late. */
TEST(an_unlock_is_a_hand_over, "R3 R46")
{
    for (int write = 0; write < 2; write++) {
        roost_rwlock l = ROOST_RWLOCK_INIT;
        roost_event end = ROOST_EVENT_INIT;
        struct locker k;
        roost_scope s;

        CHECK_EQ(roost_rwlock_wrlock(&l), 0);
        roost_scope_open(&s, NULL);
        add(&s, &k,
            (struct locker){.l = &l,
                            .write = write,
                            .deadline = ROOST_NEVER,
                            .until = &end});
        CHECK_EQ(roost_rwlock_unlock(&l), 0);
        CHECK_EQ(roost_rwlock_try_wrlock(&l), -EAGAIN);
        CHECK_EQ(roost_rwlock_try_rdlock(&l), write ? -EAGAIN : 0);
        if (!write) {
            CHECK_EQ(roost_rwlock_unlock(&l), 0);
        }
        roost_scope_cancel(&s, 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(k.rc, 0);
        roost_rwlock_destroy(&l);
    }
}

struct flood {
    roost_rwlock l;
    int stop;
};

/* Reads for 3 ms of every 4, so that with others somebody always reads. */
static int read_often(void *arg)
{
    struct flood *f = (struct flood *)arg;

    while (!test_get(&f->stop)) {
        CHECK_EQ(roost_rwlock_rdlock(&f->l), 0);
        CHECK_EQ(roost_sleep(3 * ROOST_MS), 0);
        CHECK_EQ(roost_rwlock_unlock(&f->l), 0);
        CHECK_EQ(roost_sleep(ROOST_MS), 0);
    }
    return 0;
}

TEST_VIRTUAL(a_writer_is_not_starved, "R51")
{
    struct flood f = {.l = ROOST_RWLOCK_INIT};
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 6; i++) {
        CHECK_EQ(roost_spawn(&s, read_often, &f), 0);
        CHECK_EQ(roost_sleep(ROOST_MS), 0);
    }
    for (int i = 0; i < 10; i++) {
        roost_ns begin = roost_now();

        CHECK_EQ(roost_rwlock_wrlock(&f.l), 0);
        CHECK(roost_now() - begin <= 3 * ROOST_MS); /* those who were inside */
        CHECK_EQ(roost_rwlock_unlock(&f.l), 0);
        CHECK_EQ(roost_sleep(7 * ROOST_MS), 0);
    }
    test_set(&f.stop, 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_rwlock_destroy(&f.l);
}

/* ---- deadlines and cancellation ---- */

/* A writer at the head that leaves lets the readers behind it in. */
TEST_VIRTUAL(a_writer_that_leaves_lets_readers_go_on, "R8 R51")
{
    for (int cancelled = 0; cancelled < 2; cancelled++) {
        roost_rwlock l = ROOST_RWLOCK_INIT;
        struct locker w, r[3], last;
        int inside = 0;
        roost_scope s, inner;
        roost_ns when = cancelled ? ROOST_NEVER : roost_in(ROOST_S);

        CHECK_EQ(roost_rwlock_rdlock(&l), 0);
        roost_scope_open(&s, NULL);
        roost_scope_open(&inner, NULL);
        add(&inner, &w, (struct locker){.l = &l, .write = 1, .deadline = when});
        for (int i = 0; i < 3; i++) {
            add(&s, &r[i],
                (struct locker){.l = &l,
                                .write = 0,
                                .deadline = i % 2 ? ROOST_NEVER : 0,
                                .order = &inside});
        }
        add(&s, &last, (struct locker){.l = &l, .write = 1});
        if (cancelled) {
            roost_scope_cancel(&inner, 0);
        } else {
            CHECK_EQ(roost_sleep(ROOST_S), 0);
        }
        CHECK_EQ(roost_scope_close(&inner, 0), 0);
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(w.rc, cancelled ? -ECANCELED : -ETIMEDOUT);
        CHECK_EQ(inside, 3);
        CHECK_EQ(last.rc, 1);
        CHECK_EQ(roost_rwlock_unlock(&l), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(last.rc, 0);
        check_tries(&l, 0, 0);
        roost_rwlock_destroy(&l);
    }
}

TEST(a_cancelled_task_locks_only_without_until, "R2 R4 R7 R9")
{
    roost_rwlock l = ROOST_RWLOCK_INIT;
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_rwlock_rdlock_until(NULL, 0), -EINVAL);
    CHECK_EQ(roost_rwlock_rdlock_until(&l, ROOST_NEVER), -ECANCELED);
    CHECK_EQ(roost_rwlock_wrlock_until(&l, ROOST_NEVER), -ECANCELED);
    CHECK_EQ(roost_rwlock_rdlock_until(&l, 0), -ECANCELED);
    CHECK_EQ(roost_rwlock_wrlock_until(&l, -1), -ECANCELED);
    CHECK_EQ(roost_rwlock_unlock(&l), -EPERM);
    CHECK_EQ(roost_rwlock_rdlock(&l), 0);
    CHECK_EQ(roost_rwlock_unlock(&l), 0);
    CHECK_EQ(roost_rwlock_wrlock(&l), 0);
    CHECK_EQ(roost_rwlock_wrlock_until(&l, 0), -ECANCELED);
    CHECK_EQ(roost_rwlock_unlock(&l), 0);
    CHECK_EQ(roost_rwlock_try_rdlock(&l), 0);
    CHECK_EQ(roost_rwlock_unlock(&l), 0);
    CHECK_EQ(roost_rwlock_try_wrlock(&l), 0);
    CHECK_EQ(roost_rwlock_unlock(&l), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_rwlock_destroy(&l);
}

/* rdlock and wrlock wait on through a cancel. */
TEST(a_cancel_ends_only_the_calls_with_until, "R3 R7 R12")
{
    roost_rwlock l = ROOST_RWLOCK_INIT;
    struct locker k[4];
    roost_scope s;
    roost_shield h;

    CHECK_EQ(roost_rwlock_wrlock(&l), 0);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < 4; i++) {
        add(&s, &k[i],
            (struct locker){
                .l = &l, .write = i / 2, .deadline = i % 2 ? ROOST_NEVER : 0});
    }
    roost_scope_cancel(&s, 0);
    roost_shield_begin(&h);
    CHECK_EQ(roost_settle(), 0);
    roost_shield_end(&h);
    CHECK_EQ(roost_rwlock_unlock(&l), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(k[i].rc, i % 2 ? -ECANCELED : 0);
    }
    check_tries(&l, 0, 0);
    roost_rwlock_destroy(&l);
}

TEST_VIRTUAL(deadlines_of_readers_and_writers, "R8 R9 R11")
{
    roost_rwlock l = ROOST_RWLOCK_INIT;
    roost_ns when = roost_now() + ROOST_S;
    struct locker k[2], both[2];
    roost_scope s, inner;

    CHECK_EQ(roost_rwlock_wrlock(&l), 0);
    roost_scope_open(&s, NULL);
    OPEN(&inner, .flags = ROOST_MOVE_ON, .deadline = when + 1);
    for (int i = 0; i < 2; i++) {
        add(&s, &k[i], (struct locker){.l = &l, .write = i, .deadline = when});
        add(&inner, &both[i],
            (struct locker){.l = &l, .write = i, .deadline = when + 1});
    }
    CHECK_EQ(roost_sleep_until(when - 1), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(k[0].rc == 1 && k[1].rc == 1);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(roost_now(), when + 1);
    CHECK_EQ(roost_rwlock_unlock(&l), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(k[i].rc, -ETIMEDOUT);
        CHECK_EQ(both[i].rc, -ECANCELED); /* and its own: R9 */
    }
    check_tries(&l, 0, 0);
    roost_rwlock_destroy(&l);
}
