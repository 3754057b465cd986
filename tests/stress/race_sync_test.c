/*
 * race_sync_test.c - two ends of a wait on an object at the same moment, very
 * many times: a cancel against the completion, closes from all sides.
 *
 * Would catch: what was given and cancelled at once and is then nobody's, or
 * two's; one who stays and is not let go on because somebody else left; an item
 * that a close leaves behind.
 */
#include "test.h"

#include "base/rng.h"

/* ---- a cancel against a completion ---- */

/* Every other waiter stays; the others are cancelled while as many completions
 * as there are waiters come in. So all who stay come, and what those who left
 * were to have is there or was somebody else's. */
enum { WAITERS = 16, STAY = WAITERS / 2, ROUNDS = 16000 };

struct duel_kind {
    int (*wait)(void);
    void (*complete)(void); /* one of them */
    int (*rest)(void);      /* how many completions nobody had */
};

static struct {
    const struct duel_kind *kind;
    roost_sem sem;
    roost_chan *chan;
    roost_mutex mutex;
    roost_cond cond;
    roost_limiter limiter;
    roost_rwlock rwlock;
    unsigned completed;
    int came, left, spins;
} duel;

static void spin(int n)
{
    for (volatile int i = 0; i < n; i++) {
    }
}

static void yields(int n)
{
    for (int i = 0; i < n; i++) {
        (void)roost_yield();
    }
}

static int duel_waits(void *arg)
{
    int rc = duel.kind->wait();

    (void)arg;
    CHECK(rc == 0 || rc == -ECANCELED);
    test_add(rc == 0 ? &duel.came : &duel.left, 1);
    return rc;
}

static int duel_completes(void *arg)
{
    (void)arg;
    for (int i = 0; i < WAITERS; i++) {
        duel.completed++;
        duel.kind->complete();
        spin(duel.spins);
        if (duel.spins % 4 == 0) {
            (void)roost_yield();
        }
    }
    return 0;
}

static void duel_round(struct rng *rng)
{
    roost_scope outer;
    roost_scope s;

    duel.came = 0;
    duel.left = 0;
    duel.completed = 0;
    duel.spins = (int)rng_below(rng, 100);
    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < WAITERS; i++) {
        CHECK_EQ(roost_spawn(i % 2 ? &s : &outer, duel_waits, NULL), 0);
    }
    yields((int)rng_below(rng, WAITERS + 4));
    CHECK_EQ(roost_spawn(&outer, duel_completes, NULL), 0);
    yields((int)rng_below(rng, WAITERS + 4));
    spin((int)rng_below(rng, 2000));
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK_EQ(duel.came + duel.left, WAITERS);
    CHECK(duel.came >= STAY);
    CHECK_EQ(duel.kind->rest(), duel.left);
}

static void duel_run(const struct duel_kind *kind)
{
    struct rng rng = {test_workers};
    int left = 0;

    duel.kind = kind;
    for (int round = 0; round < ROUNDS; round++) {
        duel_round(&rng);
        left += duel.left;
    }
    CHECK(left > ROUNDS / 8);
    CHECK(left < STAY * ROUNDS - ROUNDS / 8); /* both happen, and often */
}

static int sem_waits(void)
{
    return roost_sem_acquire(&duel.sem, 1);
}

static void sem_completes(void)
{
    CHECK_EQ(roost_sem_release(&duel.sem, 1), 0);
}

static int sem_rest(void)
{
    int n = 0;

    while (roost_sem_try_acquire(&duel.sem, 1) == 0) {
        n++;
    }
    return n;
}

TEST(cancel_against_release, "R3 R51")
{
    static const struct duel_kind kind = {sem_waits, sem_completes, sem_rest};

    CHECK_EQ(roost_sem_init(&duel.sem, 0, WAITERS), 0);
    duel_run(&kind);
    roost_sem_destroy(&duel.sem);
}

static int chan_receives(void)
{
    char item = 0;
    int rc = roost_chan_recv(duel.chan, &item);

    CHECK_EQ(item, rc == 0 ? 'i' : 0);
    return rc;
}

static void chan_sends(void)
{
    CHECK_EQ(roost_chan_try_send(duel.chan, "i"), 0);
}

static int chan_rest(void)
{
    char item;
    int n = 0;

    while (roost_chan_try_recv(duel.chan, &item) == 0) {
        n++;
    }
    return n;
}

TEST(cancel_against_send, "R3 R46 R47")
{
    static const struct duel_kind kind = {chan_receives, chan_sends, chan_rest};

    duel.chan = roost_chan_new(1, WAITERS);
    duel_run(&kind);
    roost_chan_free(duel.chan);
}

/* A select on both: a permit or an item, never one of each. */
static int either_waits(void)
{
    char item = 0;
    roost_case cases[2] = {roost_on_sem(&duel.sem, 1),
                           roost_on_recv(duel.chan, &item)};
    int i = roost_select(cases, 2);

    CHECK_EQ(item, i == 1 ? 'i' : 0);
    return i < 0 ? i : cases[i].status;
}

static void either_completes(void)
{
    static int turn;

    (test_add(&turn, 1) % 2 != 0 ? sem_completes : chan_sends)();
}

static int either_rest(void)
{
    return sem_rest() + chan_rest();
}

TEST(cancel_against_select, "R3 R49")
{
    static const struct duel_kind kind = {either_waits, either_completes,
                                          either_rest};

    duel.chan = roost_chan_new(1, WAITERS);
    CHECK_EQ(roost_sem_init(&duel.sem, 0, WAITERS), 0);
    duel_run(&kind);
    roost_sem_destroy(&duel.sem);
    roost_chan_free(duel.chan);
}

/* A token behind a condition: a signal that met a cancelled one goes on. */
static int tokens; /* the mutex's */

static int cond_waits(void)
{
    int rc = 0;

    CHECK_EQ(roost_mutex_lock(&duel.mutex), 0);
    while (rc == 0 && tokens == 0) {
        rc = roost_cond_wait(&duel.cond, &duel.mutex);
    }
    tokens -= rc == 0;
    CHECK_EQ(roost_mutex_unlock(&duel.mutex), 0);
    return rc;
}

static void cond_completes(void)
{
    CHECK_EQ(roost_mutex_lock(&duel.mutex), 0);
    tokens++;
    CHECK_EQ(roost_cond_signal(&duel.cond), 0);
    CHECK_EQ(roost_mutex_unlock(&duel.mutex), 0);
}

static int cond_rest(void)
{
    int n = tokens;

    tokens = 0;
    return n;
}

TEST(cancel_against_signal, "R3 R50 R52")
{
    static const struct duel_kind kind = {cond_waits, cond_completes,
                                          cond_rest};

    CHECK_EQ(roost_mutex_init(&duel.mutex), 0);
    CHECK_EQ(roost_cond_init(&duel.cond), 0);
    duel_run(&kind);
    roost_cond_destroy(&duel.cond);
    roost_mutex_destroy(&duel.mutex);
}

/* The total is raised one by one; who has a token gives it back at once. */
static int limiter_waits(void)
{
    int rc = roost_limiter_acquire(&duel.limiter);

    if (rc == 0) {
        CHECK_EQ(roost_limiter_release(&duel.limiter), 0);
    }
    return rc;
}

static void limiter_completes(void)
{
    CHECK_EQ(roost_limiter_set_total(&duel.limiter, duel.completed), 0);
}

static int limiter_rest(void)
{
    roost_limiter_info info;

    CHECK_EQ(roost_limiter_stats(&duel.limiter, &info), 0);
    CHECK_EQ(info.used, 0);
    CHECK_EQ(info.waiting, 0);
    CHECK_EQ(roost_limiter_set_total(&duel.limiter, 0), 0);
    return duel.left;
}

TEST(cancel_against_a_raised_total, "R3 R51 R52")
{
    static const struct duel_kind kind = {limiter_waits, limiter_completes,
                                          limiter_rest};

    CHECK_EQ(roost_limiter_init(&duel.limiter, 0), 0);
    duel_run(&kind);
    roost_limiter_destroy(&duel.limiter);
}

/* One after the other writes; the first is let in by the end of a read. */
static int rwlock_waits(void)
{
    int rc = roost_rwlock_wrlock_until(&duel.rwlock, ROOST_NEVER);

    if (rc == 0) {
        CHECK_EQ(roost_rwlock_unlock(&duel.rwlock), 0);
    }
    return rc;
}

static void rwlock_completes(void)
{
    CHECK_EQ(roost_rwlock_rdlock(&duel.rwlock), 0);
    (void)roost_yield();
    CHECK_EQ(roost_rwlock_unlock(&duel.rwlock), 0);
}

static int rwlock_rest(void)
{
    CHECK_EQ(roost_rwlock_try_wrlock(&duel.rwlock), 0);
    CHECK_EQ(roost_rwlock_unlock(&duel.rwlock), 0);
    return duel.left;
}

TEST(cancel_against_unlock, "R3 R51 R52")
{
    static const struct duel_kind kind = {rwlock_waits, rwlock_completes,
                                          rwlock_rest};

    CHECK_EQ(roost_rwlock_init(&duel.rwlock), 0);
    duel_run(&kind);
    roost_rwlock_destroy(&duel.rwlock);
}

/* ---- closes from all sides ---- */

enum { CLOSINGS = 3000, ENDS = 3 };

static struct {
    roost_chan *chan;
    int sent, received, dropped;
} line;

static void count_drop(void *item)
{
    (void)item;
    test_add(&line.dropped, 1);
}

static int sends_until_closed(void *arg)
{
    int rc;

    (void)arg;
    do {
        rc = roost_chan_send(line.chan, "i");
        test_add(&line.sent, rc == 0);
    } while (rc == 0);
    CHECK_EQ(rc, -EPIPE);
    CHECK_EQ(roost_chan_try_send(line.chan, "i"), -EPIPE);
    return 0;
}

static int receives_until_closed(void *arg)
{
    char item;
    int rc;

    (void)arg;
    while ((rc = roost_chan_recv(line.chan, &item)) == 0) {
        test_add(&line.received, 1);
    }
    CHECK_EQ(rc, -EPIPE);
    return 0;
}

static int closes(void *arg)
{
    int n = *(int *)arg;

    for (int i = 0; i < n % 8; i++) {
        (void)roost_yield();
    }
    if (n % 3 == 0) {
        roost_chan_discard(line.chan);
    } else {
        roost_chan_close(line.chan);
    }
    return 0;
}

TEST(close_against_send_and_receive, "R47 R48")
{
    roost_chan_opts opts = {.on_drop = count_drop};

    for (int round = 0; round < CLOSINGS; round++) {
        int turns[3] = {round, round * 5 + 1, round * 7 + 2};
        roost_scope s;

        memset(&line, 0, sizeof(line));
        line.chan = roost_chan_new_opts(1, (size_t)round % 4, &opts);
        roost_scope_open(&s, NULL);
        for (int i = 0; i < ENDS; i++) {
            CHECK_EQ(roost_spawn(&s, sends_until_closed, NULL), 0);
            CHECK_EQ(roost_spawn(&s, receives_until_closed, NULL), 0);
        }
        for (int i = 0; i < 3; i++) {
            CHECK_EQ(roost_spawn(&s, closes, &turns[i]), 0);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        roost_chan_free(line.chan);
        CHECK_EQ(line.sent, line.received + line.dropped);
    }
}
