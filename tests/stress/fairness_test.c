/*
 * fairness_test.c - nobody who waits is passed, counted in operations.
 *
 * Would catch: a hand-over to another than the one who waits longest, a try_
 * or a fresh call that passes the queue, a mutex that can be barged for ever, a
 * writer that readers keep out, or readers a stream of writers.
 *
 * MODEL   Waiters stand in the queue before the race begins (roost_settle says
 *         so). Then tasks on all workers and a plain thread, who come later,
 *         try to pass them: with try_ calls, and with calls that wait. Each
 *         success takes the next number; a waiter that has place n in the queue
 *         must draw number n, and nobody else one before the last waiter.
 */
#include "test.h"

#include <sched.h>

enum { WAITERS = 120, RIVALS = 6 };

/* An object that is had alone, and by what calls. */
struct kind {
    int (*take)(void);
    int (*try_take)(void);
    void (*give)(void);
    void (*try_give)(void); /* what try_take took */
    int room;               /* 1: a try_ may succeed beside the last waiter */
};

static struct {
    const struct kind *kind;
    int drawn;  /* numbers, under the object */
    int passed; /* draws by a rival before the last waiter's */
    int stop;
    int order[WAITERS];
} race;

static int draw(void)
{
    return test_add(&race.drawn, 1) - 1;
}

static int waiter(void *arg)
{
    int *number = arg;

    CHECK_EQ(race.kind->take(), 0);
    *number = draw();
    race.kind->give();
    return 0;
}

/* It has the object: as the last waiter has been through, or not. */
static void rival_has(int room)
{
    if (test_get(&race.drawn) < WAITERS - room) {
        test_add(&race.passed, 1);
    }
}

static void rival_try(void)
{
    if (race.kind->try_take() == 0) {
        rival_has(race.kind->room);
        race.kind->try_give();
    }
}

static int rival_tries(void *arg)
{
    (void)arg;
    while (test_get(&race.drawn) < WAITERS) {
        rival_try();
        (void)roost_yield();
    }
    return 0;
}

static int rival_waits(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(race.kind->take(), 0);
        rival_has(0);
        race.kind->give();
    }
    return 0;
}

static void *rival_thread(void *arg)
{
    (void)arg;
    while (test_get(&race.drawn) < WAITERS) {
        rival_try();
        sched_yield();
    }
    return NULL;
}

/* The caller has the object. patience: how long the waiters wait at least. */
static void race_run(const struct kind *kind, roost_ns patience)
{
    pthread_t thread;
    roost_scope s;

    memset(&race, 0, sizeof(race));
    race.kind = kind;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_hold(&s), 0);
    for (int i = 0; i < WAITERS; i++) {
        CHECK_EQ(roost_spawn(&s, waiter, &race.order[i]), 0);
        CHECK_EQ(roost_settle(), 0);
    }
    CHECK_EQ(roost_sleep(patience), 0);
    CHECK_EQ(pthread_create(&thread, NULL, rival_thread, NULL), 0);
    for (int i = 0; i < RIVALS; i++) {
        CHECK_EQ(roost_spawn(&s, i % 2 ? rival_tries : rival_waits, NULL), 0);
    }
    for (int i = 0; i < 20; i++) {
        (void)roost_yield(); /* some rivals are there already */
    }
    kind->give();
    roost_scope_release(&s);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(race.passed, 0);
    for (int i = 0; i < WAITERS; i++) {
        CHECK_EQ(race.order[i], i);
    }
}

/* ---- semaphore ---- */

static roost_sem sem;

static int sem_take(void)
{
    return roost_sem_acquire(&sem, 1);
}

static int sem_try(void)
{
    return roost_sem_try_acquire(&sem, 1);
}

static void sem_give(void)
{
    CHECK_EQ(roost_sem_release(&sem, 1), 0);
}

TEST(a_semaphore_is_first_come_first_served, "R51")
{
    static const struct kind kind = {sem_take, sem_try, sem_give, sem_give, 0};

    CHECK_EQ(roost_sem_init(&sem, 0, 1), 0);
    race_run(&kind, 0);
    roost_sem_destroy(&sem);
}

/* Two of three permits: the third is free all the time, but not for those who
 * come later and want no more than that. */
static int sem_take_two(void)
{
    return roost_sem_acquire(&sem, 2);
}

static void sem_give_two(void)
{
    CHECK_EQ(roost_sem_release(&sem, 2), 0);
}

TEST(a_small_request_does_not_pass_large_ones, "R51")
{
    static const struct kind kind = {sem_take_two, sem_try, sem_give_two,
                                     sem_give, 1};

    CHECK_EQ(roost_sem_init(&sem, 1, 3), 0);
    race_run(&kind, 0);
    roost_sem_destroy(&sem);
}

/* ---- channels: a token that goes round ---- */

static roost_chan *chan;

static int chan_take(void)
{
    char token;

    return roost_chan_recv(chan, &token);
}

static int chan_try(void)
{
    char token;

    return roost_chan_try_recv(chan, &token);
}

static void chan_give(void)
{
    CHECK_EQ(roost_chan_send(chan, "t"), 0);
}

TEST(receivers_are_first_come_first_served, "R46")
{
    static const struct kind kind = {chan_take, chan_try, chan_give, chan_give,
                                     0};

    chan = roost_chan_new(1, 1);
    race_run(&kind, 0);
    roost_chan_free(chan);
}

/* Who wants the one slot waits until it is emptied. */
static int slot_take(void)
{
    return roost_chan_send(chan, "t");
}

static int slot_try(void)
{
    return roost_chan_try_send(chan, "t");
}

static void slot_give(void)
{
    char token;

    CHECK_EQ(roost_chan_recv(chan, &token), 0);
}

/* A sender that waits has its item taken in by whoever makes room: draws come
 * in order where each draws before the next is let in. */
TEST(senders_are_first_come_first_served, "R46")
{
    static const struct kind kind = {slot_take, slot_try, slot_give, slot_give,
                                     0};

    chan = roost_chan_new(1, 1);
    CHECK_EQ(roost_chan_send(chan, "t"), 0);
    race_run(&kind, 0);
    roost_chan_free(chan);
}

/* ---- mutex: to the letter once all have waited 500 us ---- */

static roost_mutex mutex = ROOST_MUTEX_INIT;

static int mutex_take(void)
{
    return roost_mutex_lock(&mutex);
}

static int mutex_try(void)
{
    return roost_mutex_try_lock(&mutex);
}

static void mutex_give(void)
{
    CHECK_EQ(roost_mutex_unlock(&mutex), 0);
}

TEST(a_mutex_is_handed_over_to_who_has_waited, "R52")
{
    static const struct kind kind = {mutex_take, mutex_try, mutex_give,
                                     mutex_give, 0};

    CHECK_EQ(roost_mutex_lock(&mutex), 0);
    race_run(&kind, 600 * ROOST_US);
}

/* ---- read-write lock ---- */

static roost_rwlock rwlock = ROOST_RWLOCK_INIT;

static int write_take(void)
{
    return roost_rwlock_wrlock(&rwlock);
}

/* To read would do as well. */
static int read_try(void)
{
    return roost_rwlock_try_rdlock(&rwlock);
}

static void either_give(void)
{
    CHECK_EQ(roost_rwlock_unlock(&rwlock), 0);
}

TEST(writers_are_first_come_first_served, "R51 R52")
{
    static const struct kind kind = {write_take, read_try, either_give,
                                     either_give, 0};

    CHECK_EQ(roost_rwlock_rdlock(&rwlock), 0);
    race_run(&kind, 0);
}

/* ---- limiter ---- */

static roost_limiter limiter;

static int limiter_take(void)
{
    return roost_limiter_acquire(&limiter);
}

static int limiter_try(void)
{
    return roost_limiter_try_acquire(&limiter);
}

static void limiter_give(void)
{
    CHECK_EQ(roost_limiter_release(&limiter), 0);
}

TEST(a_limiter_is_first_come_first_served, "R51 R52")
{
    static const struct kind kind = {limiter_take, limiter_try, limiter_give,
                                     limiter_give, 0};

    CHECK_EQ(roost_limiter_init(&limiter, 1), 0);
    CHECK_EQ(roost_limiter_acquire(&limiter), 0);
    race_run(&kind, 0);
    roost_limiter_destroy(&limiter);
}

/* ---- a writer among readers who never all leave, and the other way round */

enum { STREAM = 8, ROUNDS = 200 };

struct stream {
    int passing; /* in the lock, of those that stream */
    int queued;  /* the one that wants in was seen to wait */
    int late;    /* got in before it, having begun after that */
    int in;      /* it was there */
    int stop;
};

/* One reader comes before the other leaves: without a queue the lock would
 * never be free. */
static int reads_on(void *arg)
{
    struct stream *s = arg;

    while (!test_get(&s->stop)) {
        int began_late = test_get(&s->queued);

        CHECK_EQ(roost_rwlock_rdlock(&rwlock), 0);
        if (began_late && !test_get(&s->in)) {
            test_add(&s->late, 1);
        }
        test_add(&s->passing, 1);
        for (int i = 0; i < 3; i++) {
            (void)roost_yield();
        }
        test_add(&s->passing, -1);
        CHECK_EQ(roost_rwlock_unlock(&rwlock), 0);
    }
    return 0;
}

static int wants_to_write(void *arg)
{
    struct stream *s = arg;

    CHECK_EQ(roost_rwlock_wrlock(&rwlock), 0);
    test_set(&s->in, 1);
    CHECK_EQ(test_get(&s->passing), 0);
    CHECK_EQ(roost_rwlock_unlock(&rwlock), 0);
    test_set(&s->stop, 1);
    return 0;
}

/* That a reader's try fails while others read shows that the writer waits. */
TEST(a_stream_of_readers_lets_a_writer_in, "R51")
{
    int late = 0;

    for (int round = 0; round < ROUNDS; round++) {
        struct stream stream = {.passing = 0};
        roost_scope s;

        CHECK_EQ(roost_rwlock_rdlock(&rwlock), 0);
        roost_scope_open(&s, NULL);
        for (int i = 0; i < STREAM; i++) {
            CHECK_EQ(roost_spawn(&s, reads_on, &stream), 0);
        }
        (void)roost_yield();
        CHECK_EQ(roost_spawn(&s, wants_to_write, &stream), 0);
        while (roost_rwlock_try_rdlock(&rwlock) == 0) {
            CHECK_EQ(roost_rwlock_unlock(&rwlock), 0);
            (void)roost_yield();
        }
        test_set(&stream.queued, 1);
        for (int i = 0; i < 10; i++) {
            (void)roost_yield();
        }
        CHECK_EQ(test_get(&stream.in), 0); /* the caller reads */
        CHECK_EQ(roost_rwlock_unlock(&rwlock), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        late += stream.late;
    }
    CHECK_EQ(late, 0);
}

/* ---- condition variable: the one that waits longest is woken ---- */

static struct {
    roost_mutex mutex;
    roost_cond cond;
    int woken;
    int order[WAITERS];
} sleepers;

static int sleeps(void *arg)
{
    int *place = arg;

    CHECK_EQ(roost_mutex_lock(&sleepers.mutex), 0);
    CHECK_EQ(roost_cond_wait(&sleepers.cond, &sleepers.mutex), 0);
    *place = sleepers.woken++;
    CHECK_EQ(roost_mutex_unlock(&sleepers.mutex), 0);
    return 0;
}

TEST(a_signal_wakes_who_waits_longest, "R50")
{
    roost_scope s;

    memset(&sleepers, 0, sizeof(sleepers));
    CHECK_EQ(roost_mutex_init(&sleepers.mutex), 0);
    CHECK_EQ(roost_cond_init(&sleepers.cond), 0);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < WAITERS; i++) {
        CHECK_EQ(roost_spawn(&s, sleeps, &sleepers.order[i]), 0);
        CHECK_EQ(roost_settle(), 0);
    }
    for (int i = 0; i < WAITERS; i++) {
        CHECK_EQ(roost_cond_signal(&sleepers.cond), 0);
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(sleepers.woken, i + 1);
        CHECK_EQ(sleepers.order[i], i);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_cond_destroy(&sleepers.cond);
    roost_mutex_destroy(&sleepers.mutex);
}
