/*
 * linear_sem_test.c - histories of a semaphore against a sequential one with
 * its queue.
 *
 * Would catch: a permit lost or made up by a cancelled or late waiter; a small
 * request that passes a large one, or a try_ anybody; a head that left and held
 * up those who now fit.
 */
#include "history.h"

enum { ACQUIRE, TRY_ACQUIRE, RELEASE, SELECT };
static const char *const ops[] = {"acquire", "try", "release", "select"};

struct semaphore {
    uint32_t permits;
    uint8_t n, queue[PARTIES];
};

_Static_assert(sizeof(struct semaphore) <= LINEAR_OBJECT, "it must fit");

/* params: permits at the start, and the most. */
enum { PERMITS, MOST };

static struct semaphore *sem_of(struct linear_state *s)
{
    return (struct semaphore *)(void *)s->object;
}

static void start(const struct linear *l, struct linear_state *s)
{
    sem_of(s)->permits = (uint32_t)l->params[PERMITS];
}

static void stand_aside(struct semaphore *o, unsigned call)
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

/* To the heads that fit. False: one of them says that it got nothing. */
static bool grant(const struct linear *l, struct linear_state *s)
{
    struct semaphore *o = sem_of(s);

    while (o->n > 0) {
        unsigned call = o->queue[0];
        uint32_t wanted = (uint32_t)l->calls[call].in[0];

        if (wanted > o->permits) {
            return true;
        }
        o->permits -= wanted;
        stand_aside(o, call);
        s->waiting &= ~(UINT32_C(1) << call);
        if (l->calls[call].rc != 0) {
            return false;
        }
    }
    return true;
}

static bool release(const struct linear *l, struct linear_state *s,
                    const struct call *c)
{
    struct semaphore *o = sem_of(s);
    uint32_t n = (uint32_t)c->in[0];

    if (n > (uint32_t)l->params[MOST] - o->permits) {
        return c->rc == -EOVERFLOW;
    }
    o->permits += n;
    return c->rc == 0 && grant(l, s);
}

static bool enter(const struct linear *l, struct linear_state *s, unsigned i)
{
    const struct call *c = &l->calls[i];
    struct semaphore *o = sem_of(s);
    uint32_t n = (uint32_t)c->in[0];

    if (c->op == RELEASE) {
        return release(l, s, c);
    }
    if (n == 0) {
        return c->rc == 0;
    }
    if (o->n == 0 && n <= o->permits) {
        o->permits -= n;
        return c->rc == 0;
    }
    if (c->op == TRY_ACQUIRE) {
        return c->rc == -EAGAIN;
    }
    o->queue[o->n++] = (uint8_t)i;
    s->waiting |= UINT32_C(1) << i;
    return true;
}

static bool leave(const struct linear *l, struct linear_state *s, unsigned i)
{
    stand_aside(sem_of(s), i);
    return grant(l, s);
}

static const struct linear_spec spec = {ops, start, enter, leave};

/* ---- the specification itself ---- */

#define VERDICT(permits, ...)                                                  \
    linear_check(                                                              \
        &spec, (const int[]){permits, 9}, (const struct call[]){__VA_ARGS__},  \
        sizeof((const struct call[]){__VA_ARGS__}) / sizeof(struct call))
#define CALL(op, n, rc, began, ended)                                          \
    {                                                                          \
        op, 0, {n, 0}, rc, 0, 0, began, ended                                  \
    }

TEST(what_a_semaphore_may_do, "R51")
{
    /* A large request holds up a small one until it leaves. */
    CHECK_EQ(VERDICT(1, CALL(ACQUIRE, 2, -ETIMEDOUT, 1, 5),
                     CALL(TRY_ACQUIRE, 1, -EAGAIN, 2, 3),
                     CALL(ACQUIRE, 1, 0, 4, 6)),
             LINEAR_YES);
    CHECK_EQ(VERDICT(0, CALL(ACQUIRE, 2, 0, 1, 6), CALL(RELEASE, 3, 0, 3, 4),
                     CALL(ACQUIRE, 1, 0, 2, 5)),
             LINEAR_YES);
    CHECK_EQ(VERDICT(9, CALL(RELEASE, 1, -EOVERFLOW, 1, 2),
                     CALL(ACQUIRE, 9, 0, 3, 4)),
             LINEAR_YES);
}

TEST(what_a_semaphore_may_not_do, "R51")
{
    /* One permit twice; one that was there all the time; one too many. */
    CHECK_EQ(VERDICT(1, CALL(ACQUIRE, 1, 0, 1, 2), CALL(ACQUIRE, 1, 0, 3, 4)),
             LINEAR_NO);
    CHECK_EQ(VERDICT(1, CALL(TRY_ACQUIRE, 1, -EAGAIN, 1, 2)), LINEAR_NO);
    CHECK_EQ(VERDICT(1, CALL(ACQUIRE, 1, -ETIMEDOUT, 1, 2)), LINEAR_NO);
    CHECK_EQ(VERDICT(9, CALL(RELEASE, 1, 0, 1, 2)), LINEAR_NO);
    /* Lost with one that was cancelled. */
    CHECK_EQ(VERDICT(0, CALL(ACQUIRE, 1, -ECANCELED, 1, 4),
                     CALL(RELEASE, 1, 0, 2, 3),
                     CALL(TRY_ACQUIRE, 1, -EAGAIN, 5, 6)),
             LINEAR_NO);
}

/* That the first try_ failed shows that the large request stood there. */
TEST(a_large_request_is_not_passed, "R51")
{
    CHECK_EQ(VERDICT(1, CALL(ACQUIRE, 2, 0, 1, 9),
                     CALL(TRY_ACQUIRE, 1, -EAGAIN, 2, 3),
                     CALL(RELEASE, 1, 0, 4, 5),
                     CALL(TRY_ACQUIRE, 1, -EAGAIN, 6, 7)),
             LINEAR_YES);
    CHECK_EQ(VERDICT(1, CALL(ACQUIRE, 2, 0, 1, 10),
                     CALL(TRY_ACQUIRE, 1, -EAGAIN, 2, 3),
                     CALL(TRY_ACQUIRE, 1, 0, 4, 5), CALL(RELEASE, 2, 0, 6, 7)),
             LINEAR_NO);
}

/* ---- histories ---- */

static void make(struct history *h, uint64_t random)
{
    roost_sem *s = (roost_sem *)calloc(1, sizeof(*s));

    h->params[PERMITS] = (int)(random % 4);
    h->params[MOST] = random % 3 == 0 ? 4 : 1000;
    CHECK_EQ(roost_sem_init(s, (unsigned)h->params[PERMITS],
                            (unsigned)h->params[MOST]),
             0);
    h->object = s;
}

static void unmake(struct history *h)
{
    roost_sem_destroy((roost_sem *)h->object);
    free(h->object);
}

static int acquires(roost_sem *s, int op, unsigned n, roost_ns until)
{
    roost_case one[2] = {roost_on_sem(s, n), roost_on_time(until)};
    int rc;

    if (op == TRY_ACQUIRE) {
        return roost_sem_try_acquire(s, n);
    }
    if (op == ACQUIRE) {
        return roost_sem_acquire_until(s, n, until);
    }
    rc = roost_select_ordered(one, 2);
    return rc == 1 ? -ETIMEDOUT : rc;
}

static void act(struct party *p)
{
    static const int often[] = {ACQUIRE,     ACQUIRE, ACQUIRE, SELECT,
                                TRY_ACQUIRE, RELEASE, RELEASE};
    roost_sem *s = (roost_sem *)p->h->object;
    int op = often[party_below(p, 7)];
    unsigned n = (unsigned)party_below(p, 4);
    roost_ns until =
        party_deadline(p, p->who != 0 && p->h->params[MOST] == 1000);
    struct call *call;

    call = note_begin(p, op, (int)n, 0);
    note_end(call, op == RELEASE ? roost_sem_release(s, n)
                                 : acquires(s, op, n, until));
}

/* Enough for all who wait for ever. */
static void end(struct party *p)
{
    if (p->who == 0 && p->h->params[MOST] == 1000) {
        struct call *call = note_begin(p, RELEASE, 100, 0);

        note_end(call, roost_sem_release((roost_sem *)p->h->object, 100));
    }
}

TEST(histories_of_a_semaphore, "R2 R3 R8 R49 R51")
{
    static const struct trial trial = {&spec, make, act, end, unmake};

    histories_run(&trial, 6000);
}
