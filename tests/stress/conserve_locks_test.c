/*
 * conserve_locks_test.c - semaphore, limiter, mutex, condition variable and
 * read-write lock under random cancels and deadlines: permits and tokens are
 * neither lost nor made, a mutex has one owner, a writer is alone.
 *
 * Would catch: what a waiter that left was given and nobody has; two inside; a
 * token that stays out when its task ends; a signal lost with a cancelled
 * waiter; a reader that sees half of a write.
 */
#include "crowd.h"

enum { MEMBERS = 12, THREADS = 3 };

/* Members that count their steps. */
struct user {
    struct member member; /* first: crowd.h */
    int steps;
    int had; /* what was got in all */
};

static bool goes_on(struct user *u, int steps)
{
    return ++u->steps < steps;
}

static void crowd_run(struct user *users, int n, const struct role *role,
                      uint64_t seed)
{
    struct crowd crowd = {.seed = seed};
    int had = 0;

    memset(users, 0, (size_t)n * sizeof(*users));
    crowd_open(&crowd);
    for (int i = 0; i < n; i++) {
        crowd_join(&crowd, &users[i].member, role, i < THREADS);
    }
    crowd_close(&crowd);
    for (int i = 0; i < n; i++) {
        had += users[i].had;
    }
    CHECK(had > 0);
}

static void may_fail(int rc)
{
    CHECK(rc == 0 || rc == -ECANCELED || rc == -ETIMEDOUT || rc == -EAGAIN);
}

/* Somebody else's turn, while one has something. */
static void lingers(struct member *m)
{
    if (m->thread) {
        sched_yield();
    } else if (member_below(m, 2) == 0) {
        (void)roost_yield();
    }
}

/* ---- semaphore ---- */

enum { PERMITS = 5 };

static struct {
    roost_sem sem;
    int out; /* permits that are with members */
} permits;

static int acquire(struct member *m, unsigned n, roost_ns until)
{
    roost_case one = roost_on_sem(&permits.sem, n);

    switch (member_below(m, 4)) {
    case 0:
        return roost_sem_try_acquire(&permits.sem, n);
    case 1:
        return roost_select_until(&one, 1, until);
    default:
        return roost_sem_acquire_until(&permits.sem, n, until);
    }
}

static bool use_permits(struct member *m)
{
    struct user *u = (struct user *)m;
    int n = 1 + member_below(m, PERMITS);
    int rc = acquire(m, (unsigned)n, member_deadline(m));

    may_fail(rc);
    if (rc == 0) {
        CHECK(test_add(&permits.out, n) <= PERMITS);
        lingers(m);
        test_add(&permits.out, -n);
        CHECK_EQ(roost_sem_release(&permits.sem, (unsigned)n), 0);
        u->had++;
    }
    return goes_on(u, 20000);
}

TEST(permits_stay_the_same, "R3 R49 R51")
{
    static const struct role role = {use_permits, NULL};
    static struct user users[MEMBERS];

    CHECK_EQ(roost_sem_init(&permits.sem, PERMITS, PERMITS), 0);
    crowd_run(users, MEMBERS, &role, 1);
    CHECK_EQ(roost_sem_release(&permits.sem, 1), -EOVERFLOW);
    CHECK_EQ(roost_sem_try_acquire(&permits.sem, PERMITS), 0);
    CHECK_EQ(roost_sem_try_acquire(&permits.sem, 1), -EAGAIN);
    roost_sem_destroy(&permits.sem);
}

/* ---- limiter ---- */

enum { TOKENS = 4 };

static struct {
    roost_limiter limiter;
    int out;
} tokens;

/* Ends with its token, which goes home by itself. */
static int borrows(void *arg)
{
    (void)arg;
    if (roost_limiter_acquire_until(&tokens.limiter, 0) == 0) {
        CHECK(test_add(&tokens.out, 1) <= TOKENS);
        CHECK_EQ(roost_limiter_try_acquire(&tokens.limiter), -EDEADLK);
        test_add(&tokens.out, -1);
    }
    return 0;
}

static void borrow_and_end(void)
{
    roost_scope s;
    int rc;

    roost_scope_open(&s, NULL);
    (void)roost_spawn(&s, borrows, NULL);
    rc = roost_scope_close(&s, 0);
    CHECK(rc == 0 || rc == -ECANCELED);
}

static bool use_token(struct member *m)
{
    struct user *u = (struct user *)m;
    int rc;

    if (member_below(m, 10) == 0) {
        unsigned total = (unsigned)member_below(m, TOKENS + 1);

        CHECK_EQ(roost_limiter_set_total(&tokens.limiter, total), 0);
    }
    if (!m->thread && member_below(m, 8) == 0) {
        borrow_and_end();
    }
    rc = member_below(m, 4) == 0
             ? roost_limiter_try_acquire(&tokens.limiter)
             : roost_limiter_acquire_until(&tokens.limiter, member_deadline(m));
    may_fail(rc);
    if (rc == 0) {
        CHECK(test_add(&tokens.out, 1) <= TOKENS);
        lingers(m);
        test_add(&tokens.out, -1);
        CHECK_EQ(roost_limiter_release(&tokens.limiter), 0);
        u->had++;
    }
    return goes_on(u, 10000);
}

/* Whatever the total was set to, those who wait get on in the end. */
static void raise_total(struct member *m)
{
    (void)m;
    CHECK_EQ(roost_limiter_set_total(&tokens.limiter, TOKENS), 0);
}

TEST(tokens_come_home, "R3 R51 R52")
{
    static const struct role role = {use_token, raise_total};
    static struct user users[MEMBERS];
    roost_limiter_info info;

    CHECK_EQ(roost_limiter_init(&tokens.limiter, TOKENS), 0);
    crowd_run(users, MEMBERS, &role, 2);
    CHECK_EQ(roost_limiter_stats(&tokens.limiter, &info), 0);
    CHECK_EQ(info.used, 0);
    CHECK_EQ(info.waiting, 0);
    CHECK_EQ(info.total, TOKENS);
    roost_limiter_destroy(&tokens.limiter);
}

/* ---- mutex ---- */

static struct {
    roost_mutex mutex;
    int inside;
    long sum; /* plain: the mutex's */
} shared;

static int lock(struct member *m, roost_ns until)
{
    switch (member_below(m, 4)) {
    case 0:
        return roost_mutex_try_lock(&shared.mutex);
    case 1:
        return roost_mutex_lock(&shared.mutex);
    default:
        return roost_mutex_lock_until(&shared.mutex, until);
    }
}

static bool use_mutex(struct member *m)
{
    struct user *u = (struct user *)m;
    int rc = lock(m, member_deadline(m));

    may_fail(rc);
    if (rc == 0) {
        CHECK_EQ(test_add(&shared.inside, 1), 1);
        shared.sum++;
        lingers(m);
        CHECK_EQ(roost_mutex_try_lock(&shared.mutex), -EDEADLK);
        test_add(&shared.inside, -1);
        CHECK_EQ(roost_mutex_unlock(&shared.mutex), 0);
        u->had++;
    } else {
        CHECK_EQ(roost_mutex_unlock(&shared.mutex), -EPERM);
    }
    return goes_on(u, 10000);
}

TEST(a_mutex_has_one_owner, "R3 R7 R52")
{
    static const struct role role = {use_mutex, NULL};
    static struct user users[MEMBERS];
    long had = 0;

    shared.sum = 0;
    CHECK_EQ(roost_mutex_init(&shared.mutex), 0);
    crowd_run(users, MEMBERS, &role, 3);
    for (int i = 0; i < MEMBERS; i++) {
        had += users[i].had;
    }
    CHECK_EQ(shared.sum, had);
    roost_mutex_destroy(&shared.mutex);
}

/* ---- condition variable: a store with room for a few ---- */

enum { ROOM = 3 };

static struct {
    roost_mutex mutex;
    roost_cond filled, emptied;
    int stock, put, taken; /* the mutex's */
} store;

/* 0: there is one (or room for one), and the mutex is the caller's as ever. */
static int await(roost_cond *c, const int *bad, int when, roost_ns until)
{
    int rc = 0;

    while (rc == 0 && *bad == when) {
        rc = roost_cond_wait_until(c, &store.mutex, until);
        CHECK_EQ(roost_mutex_try_lock(&store.mutex), -EDEADLK); /* R50 */
    }
    return rc;
}

static bool trade(struct member *m)
{
    struct user *u = (struct user *)m;
    bool puts = member_below(m, 2) == 0;
    roost_ns until = member_deadline(m);
    int rc;

    CHECK_EQ(roost_mutex_lock(&store.mutex), 0);
    rc = puts ? await(&store.emptied, &store.stock, ROOM, until)
              : await(&store.filled, &store.stock, 0, until);
    may_fail(rc);
    if (rc == 0) {
        store.stock += puts ? 1 : -1;
        store.put += puts;
        store.taken += !puts;
        CHECK(store.stock >= 0 && store.stock <= ROOM);
        CHECK_EQ(roost_cond_signal(puts ? &store.filled : &store.emptied), 0);
        u->had++;
    }
    CHECK_EQ(roost_mutex_unlock(&store.mutex), 0);
    return goes_on(u, 8000);
}

TEST(a_store_under_a_condition, "R3 R50 R52")
{
    static const struct role role = {trade, NULL};
    static struct user users[MEMBERS];

    memset(&store, 0, sizeof(store));
    CHECK_EQ(roost_mutex_init(&store.mutex), 0);
    CHECK_EQ(roost_cond_init(&store.filled), 0);
    CHECK_EQ(roost_cond_init(&store.emptied), 0);
    crowd_run(users, MEMBERS, &role, 4);
    CHECK_EQ(store.put, store.taken + store.stock);
    roost_cond_destroy(&store.filled);
    roost_cond_destroy(&store.emptied);
    roost_mutex_destroy(&store.mutex);
}

/* ---- read-write lock ---- */

static struct {
    roost_rwlock lock;
    int readers, writers;
    long left, right; /* plain: the lock's; equal between writes */
} pair;

static bool reads(struct member *m, roost_ns until)
{
    int rc = member_below(m, 4) == 0
                 ? roost_rwlock_try_rdlock(&pair.lock)
                 : roost_rwlock_rdlock_until(&pair.lock, until);

    may_fail(rc);
    if (rc == 0) {
        test_add(&pair.readers, 1);
        CHECK_EQ(test_get(&pair.writers), 0);
        CHECK_EQ(pair.left, pair.right);
        lingers(m);
        test_add(&pair.readers, -1);
        CHECK_EQ(roost_rwlock_unlock(&pair.lock), 0);
    }
    return rc == 0;
}

static bool writes(struct member *m, roost_ns until)
{
    int rc = member_below(m, 4) == 0
                 ? roost_rwlock_try_wrlock(&pair.lock)
                 : roost_rwlock_wrlock_until(&pair.lock, until);

    may_fail(rc);
    if (rc == 0) {
        CHECK_EQ(test_add(&pair.writers, 1), 1);
        CHECK_EQ(test_get(&pair.readers), 0);
        pair.left++;
        lingers(m);
        pair.right++;
        test_add(&pair.writers, -1);
        CHECK_EQ(roost_rwlock_unlock(&pair.lock), 0);
    }
    return rc == 0;
}

static bool read_or_write(struct member *m)
{
    struct user *u = (struct user *)m;
    roost_ns until = member_deadline(m);

    u->had += member_below(m, 4) == 0 ? writes(m, until) : reads(m, until);
    return goes_on(u, 10000);
}

TEST(a_writer_is_alone, "R3 R7 R51 R52")
{
    static const struct role role = {read_or_write, NULL};
    static struct user users[MEMBERS];

    CHECK_EQ(roost_rwlock_init(&pair.lock), 0);
    crowd_run(users, MEMBERS, &role, 5);
    CHECK_EQ(pair.left, pair.right);
    CHECK_EQ(roost_rwlock_unlock(&pair.lock), -EPERM);
    CHECK_EQ(roost_rwlock_try_wrlock(&pair.lock), 0);
    CHECK_EQ(roost_rwlock_unlock(&pair.lock), 0);
    roost_rwlock_destroy(&pair.lock);
}
