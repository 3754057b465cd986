/*
 * waiters_locks_test.c - a hundred thousand tasks that wait for one condition
 * variable, mutex or read-write lock.
 *
 * Would catch: what waiters_test.c would, and a mutex that is not held after a
 * wait for a condition that was cancelled.
 * RUN_SERIAL: it measures resident memory.
 */
#include "waiters.h"

/* ---- condition variable ---- */

static roost_mutex mutex = ROOST_MUTEX_INIT;
static roost_cond cond;

static int cond_wait_for(roost_ns until)
{
    int rc;

    CHECK_EQ(roost_mutex_lock(&mutex), 0);
    rc = roost_cond_wait_until(&cond, &mutex, until);
    CHECK_EQ(roost_mutex_unlock(&mutex), 0); /* R50: in every outcome */
    return rc;
}

static void cond_one(void)
{
    CHECK_EQ(roost_cond_signal(&cond), 0);
}

static void cond_all(void)
{
    CHECK_EQ(roost_cond_broadcast(&cond), 0);
}

static void cond_anew(void)
{
    roost_cond_destroy(&cond);
    CHECK_EQ(roost_cond_init(&cond), 0);
}

TEST_VIRTUAL(on_a_condition, "R3 R12 R50 R62")
{
    static const struct kind kind = {cond_wait_for, cond_one, cond_all,
                                     cond_anew, nothing_rests};

    rounds_of(&kind);
}

/* ---- mutex: the caller has it, and lets them in ---- */

static bool held;

static int mutex_wait_for(roost_ns until)
{
    int rc = roost_mutex_lock_until(&mutex, until);

    if (rc == 0) {
        CHECK_EQ(roost_mutex_unlock(&mutex), 0);
    }
    return rc;
}

static void mutex_one(void)
{
    CHECK_EQ(roost_mutex_unlock(&mutex), held ? 0 : -EPERM);
    held = false;
}

static void mutex_anew(void)
{
    CHECK_EQ(roost_mutex_lock(&mutex), 0);
    held = true;
}

static int mutex_rest(void)
{
    if (held) {
        mutex_one();
    }
    return roost_mutex_unlock(&mutex) != -EPERM;
}

TEST_VIRTUAL(on_a_mutex, "R3 R12 R52 R62")
{
    static const struct kind kind = {mutex_wait_for, mutex_one, mutex_one,
                                     mutex_anew, mutex_rest};

    rounds_of(&kind);
}

/* ---- read-write lock: the caller writes ---- */

static roost_rwlock rwlock = ROOST_RWLOCK_INIT;

static int rwlock_wait_for(roost_ns until)
{
    int rc = roost_rwlock_rdlock_until(&rwlock, until);

    if (rc == 0) {
        CHECK_EQ(roost_rwlock_unlock(&rwlock), 0);
    }
    return rc;
}

static void rwlock_one(void)
{
    if (held) {
        held = false;
        CHECK_EQ(roost_rwlock_unlock(&rwlock), 0);
    }
}

static void rwlock_anew(void)
{
    CHECK_EQ(roost_rwlock_wrlock(&rwlock), 0);
    held = true;
}

static int rwlock_rest(void)
{
    rwlock_one();
    return roost_rwlock_unlock(&rwlock) != -EPERM;
}

TEST_VIRTUAL(reading, "R3 R12 R51 R62")
{
    static const struct kind kind = {rwlock_wait_for, rwlock_one, rwlock_one,
                                     rwlock_anew, rwlock_rest};

    rounds_of(&kind);
}
