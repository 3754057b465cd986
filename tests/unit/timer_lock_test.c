/*
 * timer_lock_test.c - sched/timer.c and sched/inject.c: each call waits until
 * the lock is free, and gives it back; and what a horizon leaves behind when it
 * ends by halves.
 *
 * Would catch: a call that goes in while another one holds the lock.
 */
#define TEST_NO_RUNTIME
#include "../test.h"

#include "horizon.h"
#include "inject.h"
#include "runtime.h"
#include "timer.h"
#include "worker.h"

static struct timers timers;
static struct worker worker;
static struct runtime rt;
static struct inject queue;
static struct inject_node node;
static struct timer timer;

void __wrap_watch_cover_real(struct runtime *r, int64_t when);

void __wrap_watch_cover_real(struct runtime *r, int64_t when)
{
    CHECK(r == &rt);
    (void)when;
}

/* --- a lock that another one holds for a while --- */

/* Held, by a value of none of theirs: who tries to take the lock writes his own
 * over it. So it shows that somebody has come; and where it is put back, that
 * he tries again, and so has not gone in. */
#define MARK 7u

struct holder {
    a32 *lock;
    int gone_by; /* the call has returned */
    int freed;
};

/* Until somebody has tried. False: the call has returned first. */
static bool await_try(struct holder *h)
{
    a32_store(h->lock, MARK, RELAXED);
    futex_wake(h->lock, 1);
    while (a32_load(h->lock, RELAXED) == MARK) {
        if (test_get(&h->gone_by)) {
            return false;
        }
        sched_yield();
    }
    return true;
}

static void *free_it(void *arg)
{
    struct holder *h = arg;

    if (await_try(h) && await_try(h)) {
        test_set(&h->freed, 1);
    }
    /* recheck: as the one who held it */
    (void)a32_xchg(h->lock, 0, ACQ_REL);
    futex_wake(h->lock, 1);
    return NULL;
}

static void check_waits(a32 *lock, void (*call)(void))
{
    struct holder h = {.lock = lock};
    pthread_t thread;

    CHECK_EQ(a32_load(lock, RELAXED), 0);
    a32_store(lock, MARK, RELAXED);
    CHECK_EQ(pthread_create(&thread, NULL, free_it, &h), 0);
    call();
    CHECK(test_get(&h.freed));
    test_set(&h.gone_by, 1);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(a32_load(lock, RELAXED), 0);
}

/* --- timers --- */

static void arm(void)
{
    CHECK(timer_arm(&timers, &timer, 100));
}

static void cancel(void)
{
    timer_cancel(&timers, &timer);
}

static void cancel_nothing(void)
{
    timer_cancel(&timers, &timer);
}

static void next(void)
{
    CHECK_EQ(timers_next(&timers), 100);
}

static void set(void)
{
    CHECK(horizon_set(&worker, 1, 1 + 10 * HORIZON_LEAST));
}

static void drop(void)
{
    horizon_drop(&worker.timers);
}

static void fire(void)
{
    CHECK_EQ(timers_fire(&timers, 1), 0);
}

static void until(void)
{
    static struct waiter wt;

    CHECK_EQ(timer_until(&timers, &wt), INT64_MAX);
}

static void begin(void)
{
    memset(&rt, 0, sizeof rt);
    memset(&worker, 0, sizeof worker);
    memset(&timer, 0, sizeof timer);
    worker.rt = &rt;
    timers_init(&timers, 0);
    timers_init(&worker.timers, 0);
}

TEST_PLAIN(each_call_waits_for_the_lock_of_the_timers, "R11")
{
    begin();
    check_waits(&timers.lock, arm);
    check_waits(&timers.lock, next);
    check_waits(&timers.lock, cancel);
    check_waits(&timers.lock, cancel_nothing);
    check_waits(&timers.lock, until);
    a64_store(&timers.next, 1, RELAXED);
    check_waits(&timers.lock, fire);
    check_waits(&worker.timers.lock, set);
    check_waits(&worker.timers.lock, drop);
}

/* It ends in batches: what is left behind it has none, and is looked for. */
TEST_PLAIN(all_behind_a_horizon_come_into_the_wheel, "R11")
{
    static struct timer many[200];
    struct timers *t = &worker.timers;

    begin();
    CHECK(horizon_set(&worker, 1, 1 + 10 * HORIZON_LEAST));
    for (int i = 0; i < 200; i++) {
        many[i].link.next = NULL;
        CHECK(!timer_arm(t, &many[i], 100 * HORIZON_LEAST + i));
        CHECK(many[i].when < 0);
    }
    /* As when it has ended, and the others have yet to come. */
    a64_store(&t->horizon, HORIZON_NONE, RELAXED);
    a64_store(&t->next, 0, RELAXED);
    horizon_drop(t);
    CHECK(list_empty(&t->far));
    CHECK_EQ(a64_load(&t->next, RELAXED), timers_next(t));
    CHECK(timers_next(t) <= 100 * HORIZON_LEAST);
    for (int i = 0; i < 200; i++) {
        CHECK_EQ(many[i].when, 100 * HORIZON_LEAST + i);
        timer_cancel(t, &many[i]);
    }
    CHECK_EQ(timers_next(t), INT64_MAX);
    horizon_drop(t); /* nothing to do */
    CHECK_EQ(a64_load(&t->next, RELAXED), INT64_MAX);
}

/* --- the queue that any thread pushes to --- */

static void push(void)
{
    inject_push(&queue, &node);
}

static void pop(void)
{
    CHECK(inject_pop(&queue) == &node);
}

TEST_PLAIN(push_and_pop_wait_for_the_lock_of_the_queue, "R60")
{
    inject_init(&queue);
    check_waits(&queue.lock, push);
    CHECK_EQ(inject_count(&queue), 1);
    check_waits(&queue.lock, pop);
    CHECK_EQ(inject_count(&queue), 0);
}
