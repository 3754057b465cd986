/*
 * linear_lock_test.c - histories of a mutex and of a read-write lock against
 * sequential ones.
 *
 * Would catch: a lock that two have, or that nobody has and nobody gets; a
 * reader that passes a writer who waits; the lock of one who had left; a wrong
 * answer to whoever locks twice, or unlocks what is another's.
 */
#include "history.h"

enum { LOCK, TRY_LOCK, UNLOCK, READ, TRY_READ };
static const char *const ops[] = {"lock", "try_lock", "unlock", "read",
                                  "try_read"};

/* Of either kind; parties count from 1 on, so that 0 is nobody. */
struct locked {
    uint8_t writer, readers;
    uint8_t n, queue[PARTIES];
};

_Static_assert(sizeof(struct locked) <= LINEAR_OBJECT, "it must fit");

static struct locked *locked_of(struct linear_state *s)
{
    return (struct locked *)(void *)s->object;
}

static void start(const struct linear *l, struct linear_state *s)
{
    (void)l;
    (void)s;
}

/* ---- the mutex: it may be barged, so no order among those who wait ---- */

static bool mutex_enter(const struct linear *l, struct linear_state *s,
                        unsigned i)
{
    const struct call *c = &l->calls[i];
    struct locked *o = locked_of(s);
    uint8_t self = (uint8_t)(c->who + 1);

    if (c->op == UNLOCK) {
        bool mine = o->writer == self;

        o->writer = mine ? 0 : o->writer;
        return c->rc == (mine ? 0 : -EPERM);
    }
    if (o->writer == self) {
        return c->rc == -EDEADLK;
    }
    if (o->writer == 0) {
        o->writer = self;
        return c->rc == 0;
    }
    return c->rc == -EAGAIN || c->rc == -ETIMEDOUT;
}

static bool mutex_leave(const struct linear *l, struct linear_state *s,
                        unsigned i)
{
    (void)l;
    (void)s;
    (void)i;
    return false; /* whoever had to wait enters when it is free */
}

static const struct linear_spec mutex_spec = {ops, start, mutex_enter,
                                              mutex_leave};

/* ---- the read-write lock: first come, first served ---- */

static bool reads(const struct call *c)
{
    return c->op == READ || c->op == TRY_READ;
}

static void stand_aside(struct locked *o, unsigned call)
{
    uint8_t kept = 0;

    for (uint8_t i = 0; i < o->n; i++) {
        if (o->queue[i] != call) {
            o->queue[kept++] = o->queue[i];
        }
    }
    memset(&o->queue[kept], 0, (size_t)(o->n - kept));
    o->n = kept;
}

static bool fits(const struct locked *o, const struct call *c)
{
    return o->writer == 0 && (o->readers == 0 || reads(c));
}

static void have(struct locked *o, const struct call *c)
{
    if (reads(c)) {
        o->readers++;
    } else {
        o->writer = (uint8_t)(c->who + 1);
    }
}

static bool grant(const struct linear *l, struct linear_state *s)
{
    struct locked *o = locked_of(s);

    while (o->n > 0 && fits(o, &l->calls[o->queue[0]])) {
        unsigned call = o->queue[0];

        have(o, &l->calls[call]);
        stand_aside(o, call);
        s->waiting &= ~(UINT32_C(1) << call);
        if (l->calls[call].rc != 0) {
            return false;
        }
    }
    return true;
}

static bool unlock(const struct linear *l, struct linear_state *s,
                   const struct call *c)
{
    struct locked *o = locked_of(s);

    if (o->writer == c->who + 1) {
        o->writer = 0;
    } else if (o->writer == 0 && o->readers > 0) {
        o->readers--;
    } else {
        return c->rc == -EPERM;
    }
    return c->rc == 0 && grant(l, s);
}

static bool rwlock_enter(const struct linear *l, struct linear_state *s,
                         unsigned i)
{
    const struct call *c = &l->calls[i];
    struct locked *o = locked_of(s);

    if (c->op == UNLOCK) {
        return unlock(l, s, c);
    }
    if (o->writer == c->who + 1) {
        return c->rc == -EDEADLK;
    }
    if (o->n == 0 && fits(o, c)) {
        have(o, c);
        return c->rc == 0;
    }
    if (c->op == TRY_LOCK || c->op == TRY_READ) {
        return c->rc == -EAGAIN;
    }
    o->queue[o->n++] = (uint8_t)i;
    s->waiting |= UINT32_C(1) << i;
    return true;
}

static bool rwlock_leave(const struct linear *l, struct linear_state *s,
                         unsigned i)
{
    stand_aside(locked_of(s), i);
    return grant(l, s);
}

static const struct linear_spec rwlock_spec = {ops, start, rwlock_enter,
                                               rwlock_leave};

/* ---- the specifications themselves ---- */

#define VERDICT(spec, ...)                                                     \
    linear_check(&(spec), NULL, (const struct call[]){__VA_ARGS__},            \
                 sizeof((const struct call[]){__VA_ARGS__}) /                  \
                     sizeof(struct call))
#define CALL(op, who, rc, began, ended)                                        \
    {                                                                          \
        op, who, {0, 0}, rc, 0, 0, began, ended                                \
    }

TEST(what_a_mutex_may_and_may_not_do, "R52")
{
    CHECK_EQ(VERDICT(mutex_spec, CALL(LOCK, 0, 0, 1, 2),
                     CALL(TRY_LOCK, 1, -EAGAIN, 3, 4), CALL(LOCK, 1, 0, 5, 8),
                     CALL(LOCK, 0, -EDEADLK, 6, 7), CALL(UNLOCK, 0, 0, 6, 9),
                     CALL(UNLOCK, 0, -EPERM, 10, 11)),
             LINEAR_YES);
    CHECK_EQ(VERDICT(mutex_spec, CALL(LOCK, 0, 0, 1, 2), CALL(LOCK, 1, 0, 3, 4),
                     CALL(UNLOCK, 0, 0, 5, 6)),
             LINEAR_NO);
    CHECK_EQ(VERDICT(mutex_spec, CALL(TRY_LOCK, 0, -EAGAIN, 1, 2)), LINEAR_NO);
    CHECK_EQ(VERDICT(mutex_spec, CALL(LOCK, 0, -ETIMEDOUT, 1, 2)), LINEAR_NO);
    CHECK_EQ(
        VERDICT(mutex_spec, CALL(LOCK, 0, 0, 1, 2), CALL(UNLOCK, 1, 0, 3, 4)),
        LINEAR_NO);
    CHECK_EQ(VERDICT(mutex_spec, CALL(LOCK, 0, 0, 1, 2),
                     CALL(UNLOCK, 0, 0, 3, 4),
                     CALL(TRY_LOCK, 1, -EAGAIN, 5, 6)),
             LINEAR_NO);
}

TEST(what_a_rwlock_may_and_may_not_do, "R51 R52")
{
    /* Readers together; behind a writer who waits, and by when he leaves. */
    CHECK_EQ(VERDICT(rwlock_spec, CALL(READ, 0, 0, 1, 2),
                     CALL(READ, 1, 0, 3, 4), CALL(UNLOCK, 1, 0, 5, 6),
                     CALL(UNLOCK, 0, 0, 7, 8), CALL(UNLOCK, 0, -EPERM, 9, 10)),
             LINEAR_YES);
    CHECK_EQ(VERDICT(rwlock_spec, CALL(READ, 0, 0, 1, 2),
                     CALL(LOCK, 1, -ETIMEDOUT, 3, 8),
                     CALL(TRY_READ, 2, -EAGAIN, 4, 5), CALL(READ, 2, 0, 6, 9)),
             LINEAR_YES);
    CHECK_EQ(
        VERDICT(rwlock_spec, CALL(READ, 0, 0, 1, 2), CALL(LOCK, 1, 0, 3, 4)),
        LINEAR_NO);
    CHECK_EQ(VERDICT(rwlock_spec, CALL(READ, 0, 0, 1, 2),
                     CALL(TRY_READ, 1, -EAGAIN, 3, 4)),
             LINEAR_NO);
    CHECK_EQ(VERDICT(rwlock_spec, CALL(READ, 0, 0, 1, 2),
                     CALL(LOCK, 1, 0, 3, 10), CALL(TRY_READ, 2, -EAGAIN, 4, 5),
                     CALL(READ, 2, 0, 6, 7), CALL(UNLOCK, 0, 0, 8, 9)),
             LINEAR_NO);
}

/* ---- histories ---- */

/* What the party has, as it was told: it gives that back at its end. */
static int had(const struct party *p)
{
    int n = 0;

    for (int i = 0; i < p->h->n[p->who]; i++) {
        const struct call *c = &p->h->calls[p->who][i];

        if (c->rc == 0) {
            n += c->op == UNLOCK ? -1 : 1;
        }
    }
    return n;
}

static void make_mutex(struct history *h, uint64_t random)
{
    roost_mutex *m = (roost_mutex *)calloc(1, sizeof(*m));

    (void)random;
    CHECK_EQ(roost_mutex_init(m), 0);
    h->object = m;
}

static void unmake_mutex(struct history *h)
{
    roost_mutex_destroy((roost_mutex *)h->object);
    free(h->object);
}

static int call_mutex(roost_mutex *m, int op, roost_ns until)
{
    switch (op) {
    case TRY_LOCK:
        return roost_mutex_try_lock(m);
    case UNLOCK:
        return roost_mutex_unlock(m);
    default:
        return until == ROOST_NEVER ? roost_mutex_lock(m)
                                    : roost_mutex_lock_until(m, until);
    }
}

static void act_mutex(struct party *p)
{
    int op = had(p) > 0 && party_below(p, 2) == 0 ? UNLOCK : party_below(p, 3);
    roost_ns until = party_deadline(p, true);
    struct call *call = note_begin(p, op, 0, 0);

    note_end(call, call_mutex((roost_mutex *)p->h->object, op, until));
}

static void end_mutex(struct party *p)
{
    while (had(p) > 0) {
        struct call *call = note_begin(p, UNLOCK, 0, 0);

        note_end(call, roost_mutex_unlock((roost_mutex *)p->h->object));
    }
}

static void make_rwlock(struct history *h, uint64_t random)
{
    roost_rwlock *l = (roost_rwlock *)calloc(1, sizeof(*l));

    (void)random;
    CHECK_EQ(roost_rwlock_init(l), 0);
    h->object = l;
}

static void unmake_rwlock(struct history *h)
{
    roost_rwlock_destroy((roost_rwlock *)h->object);
    free(h->object);
}

static int call_rwlock(roost_rwlock *l, int op, roost_ns until)
{
    bool ever = until == ROOST_NEVER;

    switch (op) {
    case TRY_LOCK:
        return roost_rwlock_try_wrlock(l);
    case TRY_READ:
        return roost_rwlock_try_rdlock(l);
    case UNLOCK:
        return roost_rwlock_unlock(l);
    case READ:
        return ever ? roost_rwlock_rdlock(l)
                    : roost_rwlock_rdlock_until(l, until);
    default:
        return ever ? roost_rwlock_wrlock(l)
                    : roost_rwlock_wrlock_until(l, until);
    }
}

/* Who has it for reading must not wait for it for ever; and nobody gives back
 * what another reads. */
static void act_rwlock(struct party *p)
{
    int has = had(p);
    int op = has > 0 && party_below(p, 2) == 0 ? UNLOCK : party_below(p, 5);
    roost_ns until = party_deadline(p, has == 0);
    struct call *call;

    op = op == UNLOCK && has == 0 ? READ : op;
    call = note_begin(p, op, 0, 0);
    note_end(call, call_rwlock((roost_rwlock *)p->h->object, op, until));
}

static void end_rwlock(struct party *p)
{
    while (had(p) > 0) {
        struct call *call = note_begin(p, UNLOCK, 0, 0);

        note_end(call, roost_rwlock_unlock((roost_rwlock *)p->h->object));
    }
}

TEST(histories_of_a_mutex, "R2 R3 R7 R52")
{
    static const struct trial trial = {&mutex_spec, make_mutex, act_mutex,
                                       end_mutex, unmake_mutex};

    histories_run(&trial, 6000);
}

TEST(histories_of_a_rwlock, "R2 R3 R7 R51 R52")
{
    static const struct trial trial = {&rwlock_spec, make_rwlock, act_rwlock,
                                       end_rwlock, unmake_rwlock};

    histories_run(&trial, 6000);
}
