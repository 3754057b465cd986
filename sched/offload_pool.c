/*
 * offload_pool.c - the threads of offloaded calls.
 *
 * WHAT    Runs jobs on threads that are made when none is idle, up to a limit,
 *         and end when they have been idle for a while.
 * MODEL   A job that is handed in goes to the thread that became idle last,
 *         whose caches are warm; else into the queue, from which a thread that
 *         has done takes the oldest. If there may be more of them a new one is
 *         made, which does the same.
 *
 *           thread:  busy <-> idle -> ended      all under the pool's lock
 *
 *         An idle one sleeps on its own word: 0 while it stands in the list,
 *         raised by who takes it out. Without a job then, it is to end. A
 *         thread that ends joins the one that ended before it, pool_stop the
 *         last, so that none is left unjoined and nobody waits for long.
 * INVARIANTS
 *   - Jobs lie in the queue only while threads > 0 and none is idle: a thread
 *     looks there before it rests (rest), and who could not make one takes its
 *     job back, and all others too if there is no thread at all (make).
 *   - word is 0 exactly while its thread stands in the list of idle ones.
 *   - A struct pool_thread lives until pool_stop: a late futex_wake finds it.
 * ORDER
 *   OF2  word: release by who hands over -> acquire by the thread     its job
 *   SL1  (sleeplock.c) what is L(lock)
 * COST    Handing to an idle thread: the lock, a futex call. A new one: 20 us.
 *         Interrupts are repeated by the watch, which is there already.
 * REJECTED  One condition variable for all idle threads: it wakes the coldest,
 *         and none of them ever gets to be idle for long.
 */
#include "base/alloc.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/sleeplock.h"
#include "observe/events.h"
#include "runtime.h"
#include "sim.h"
#include <errno.h>
#include <stdio.h>

#define THREADS_MAX 512     /* of roost_opts: the defaults */
#define IDLE (10 * ROOST_S) /* likewise */
/* Between two interrupts of a job: twice as long each time, up to the most. */
#define PAUSE_MIN ROOST_MS
#define PAUSE_MAX (50 * ROOST_MS)

struct pool_thread {
    struct list link;   /* L(pool): in idle, busy or spare */
    a32 word;           /* M: OF2 (futex) */
    struct job *job;    /* L(pool), or T(OF2): what it has to do */
    struct runtime *rt; /* I */
    pthread_t id;       /* I once it runs */
};

void pool_lock(struct pool *p)
{
    sleeplock_acquire(&p->lock);
}

void pool_unlock(struct pool *p)
{
    sleeplock_release(&p->lock);
}

void pool_init(struct pool *p, const roost_opts *opts)
{
    list_init(&p->queue);
    list_init(&p->idle);
    list_init(&p->busy);
    list_init(&p->interrupts);
    list_init(&p->spare);
    p->max = opts->offload_max == 0 ? THREADS_MAX : opts->offload_max;
    p->idle_ns = opts->offload_idle == 0 ? IDLE : opts->offload_idle;
}

/* --- a thread --- */

/* Under lock: t has j to do. */
static void give(struct pool_thread *t, struct job *j)
{
    t->job = j;
    j->thread = t;
    j->state = JOB_RUNNING;
}

/* Under lock: the oldest that is queued, if any. */
static bool next_job(struct pool *p, struct pool_thread *t)
{
    struct list *link = list_pop_front(&p->queue);

    if (link == NULL) {
        return false;
    }
    give(t, container_of(link, struct job, link));
    return true;
}

/* Under lock: t takes another job, or rests. */
static void rest(struct pool *p, struct pool_thread *t)
{
    t->job = NULL;
    if (!next_job(p, t) && !p->stopping) {
        a32_store(&t->word, 0, RELAXED);
        list_remove(&t->link);
        list_push_front(&p->idle, &t->link);
    }
}

/* Before its caller goes on, so that the caller's next call finds it there. */
void pool_done(struct job *j)
{
    rest(&j->rt->pool, j->thread);
}

/* A strand ends by itself: its stack is freed with the others'. */
static void join(struct pool_thread *t)
{
    if (t->rt->sim == NULL) {
        runtime_join(t->id);
    }
}

/* Under lock, which is given up: the thread's last steps. */
static void end(struct pool *p, struct pool_thread *t)
{
    struct pool_thread *before = p->ended;

    list_remove(&t->link);
    p->ended = t;
    p->threads--;
    a32_add(&p->ends, 1, RELAXED);
    pool_unlock(p);
    futex_wake(&p->ends, INT32_MAX);
    if (before != NULL) {
        join(before);
        pool_lock(p);
        list_push_front(&p->spare, &before->link);
        pool_unlock(p);
    }
}

static int64_t later(int64_t now, int64_t d)
{
    int64_t when;

    return __builtin_add_overflow(now, d, &when) ? INT64_MAX : when;
}

/* Idle, until somebody takes t out of the list. False: for too long. */
static bool wait_idle(struct pool *p, struct pool_thread *t)
{
    int64_t until = t->rt->sim != NULL ? INT64_MAX /* no real time counts */
                                       : later(clock_now(), p->idle_ns);

    while (a32_load(&t->word, ACQUIRE /* OF2 */) == 0) {
        if (futex_wait(&t->word, 0, until) == -ETIMEDOUT) {
            return false;
        }
    }
    return true;
}

/* Has t another job, now or when it has been idle? False: it has ended. */
static bool go_on(struct pool *p, struct pool_thread *t)
{
    if (wait_idle(p, t) && t->job != NULL) {
        return true;
    }
    pool_lock(p);
    if (t->job != NULL) { /* recheck: OF2 handed over since */
        pool_unlock(p);
        return true;
    }
    end(p, t);
    return false;
}

static void *pool_main(void *arg)
{
    struct pool_thread *t = arg;
    struct pool *p = &t->rt->pool;

    EVENT_THREAD(POOL, t->rt);
    interrupt_thread();
    pool_lock(p);
    list_push_front(&p->busy, &t->link);
    rest(p, t);
    pool_unlock(p);
    while (go_on(p, t)) {
        job_run(t->job);
    }
    return NULL;
}

/* --- handing in --- */

/* Under lock: so many jobs more are accepted. */
static void count(struct pool *p, int64_t n)
{
    a64_store(&p->taken, a64_load(&p->taken, RELAXED) + (uint64_t)n, RELAXED);
}

/* Under lock, which is given up: there is no thread for what is queued. */
static void refuse(struct pool *p)
{
    struct waiter *chain = NULL;
    struct list *link;

    while ((link = list_pop_front(&p->queue)) != NULL) {
        struct job *j = container_of(link, struct job, link);
        struct waiter *wt = j->waiter;

        j->state = JOB_ENDED;
        count(p, -1);
        roost_check(wait_complete(wt, JOB_REFUSED));
        wt->next = chain;
        chain = wt;
    }
    pool_unlock(p);
    wait_wake_chain(chain);
}

/* Under lock: no thread could be made for this one. -EAGAIN, unless it needs
 * none any more. */
static int give_back(struct pool *p, struct job *j)
{
    if (j == NULL || j->state != JOB_QUEUED) {
        return 0; /* another thread has it, or its caller was cancelled */
    }
    list_remove(&j->link);
    j->state = JOB_NEW; /* recheck: SL1 its hook may yet come */
    count(p, -1);
    return -EAGAIN;
}

static int make_thread(struct pool_thread *t)
{
    if (t->rt->sim == NULL) {
        return runtime_thread(&t->id, pool_main, t);
    }
    t->id = pthread_self(); /* interrupts: it hosts all of them */
    return sim_thread(t->rt, pool_main, t);
}

/* A thread, counted already, for a job that is queued and may be taken by
 * others meanwhile. */
static int make(struct runtime *rt, struct pool_thread *t, struct job **mine)
{
    struct pool *p = &rt->pool;
    int rc;

    if (t == NULL) {
        t = alloc_zero(sizeof(*t));
    }
    if (t != NULL) {
        t->rt = rt;
        a32_store(&t->word, 1, RELAXED);
        if (make_thread(t) == 0) {
            return 0;
        }
    }
    pool_lock(p);
    if (t != NULL) {
        list_push_front(&p->spare, &t->link);
    }
    rc = give_back(p, *mine);
    if (--p->threads == 0) { /* recheck: SL1 */
        refuse(p);
    } else {
        pool_unlock(p);
    }
    return rc;
}

/* Under lock. */
static struct pool_thread *pop(struct list *threads)
{
    struct list *link = list_pop_front(threads);

    return link == NULL ? NULL : container_of(link, struct pool_thread, link);
}

int pool_submit(struct job *j)
{
    struct runtime *rt = j->rt;
    struct pool *p = &rt->pool;
    struct job **mine = j->mine;
    struct pool_thread *t;

    pool_lock(p);
    if (a32_load(&j->cancelled, RELAXED)) { /* recheck: SL1 */
        pool_unlock(p);
        return -ECANCELED;
    }
    count(p, 1);
    t = pop(&p->idle);
    if (t != NULL) {
        list_push_front(&p->busy, &t->link);
        give(t, j);
        a32_store(&t->word, 1, RELEASE /* OF2 */);
        pool_unlock(p);
        futex_wake(&t->word, 1);
        return 0;
    }
    j->state = JOB_QUEUED;
    list_push_back(&p->queue, &j->link);
    if (p->threads >= p->max) {
        pool_unlock(p);
        return 0;
    }
    p->threads++;
    t = pop(&p->spare);
    pool_unlock(p);
    return make(rt, t, mine);
}

/* --- interrupting --- */

/* Under lock, which keeps the thread at this job. */
static void interrupt(struct job *j)
{
    j->signalled = true;
    interrupt_send(j->thread->id, j->signal);
    j->again = later(clock_now(), j->pause);
}

void pool_interrupt(struct job *j)
{
    if (!list_linked(&j->link)) {
        list_push_back(&j->rt->pool.interrupts, &j->link);
        j->pause = PAUSE_MIN;
        interrupt(j);
    }
}

int64_t pool_look(struct runtime *rt)
{
    struct pool *p = &rt->pool;
    int64_t next = INT64_MAX;
    struct list *at;

    pool_lock(p);
    for (at = p->interrupts.next; at != &p->interrupts; at = at->next) {
        struct job *j = container_of(at, struct job, link);

        if (j->again <= clock_now()) {
            j->pause = 2 * j->pause < PAUSE_MAX ? 2 * j->pause : PAUSE_MAX;
            interrupt(j);
        }
        next = j->again < next ? j->again : next;
    }
    pool_unlock(p);
    return next;
}

/* --- the end --- */

void pool_list(struct runtime *rt, int fd)
{
    struct pool *p = &rt->pool;
    struct list *at;

    pool_lock(p);
    for (at = p->busy.next; at != &p->busy; at = at->next) {
        struct job *j = container_of(at, struct pool_thread, link)->job;

        if (j != NULL) {
            dprintf(fd, "  offloaded call %s: %s\n",
                    j->name[0] == '\0' ? "(unnamed)" : j->name,
                    j->state == JOB_ABANDONED ? "abandoned" : "awaited");
        }
    }
    pool_unlock(p);
}

static void free_all(struct list *threads)
{
    struct pool_thread *t;

    while ((t = pop(threads)) != NULL) {
        alloc_free(t);
    }
}

/* Under lock, for as long as it does not wait: until none is left. */
static int await_ends(struct pool *p, int64_t deadline)
{
    int rc = 0;

    while (p->threads > 0 && rc != -ETIMEDOUT) {
        uint32_t seen = a32_load(&p->ends, RELAXED);

        pool_unlock(p);
        rc = futex_wait(&p->ends, seen, deadline);
        pool_lock(p);
    }
    return p->threads > 0 ? -ETIMEDOUT : 0;
}

int pool_stop(struct runtime *rt, int64_t deadline)
{
    struct pool *p = &rt->pool;
    struct pool_thread *t;
    int rc;

    pool_lock(p);
    p->stopping = true;
    while ((t = pop(&p->idle)) != NULL) {
        list_push_front(&p->busy, &t->link);
        a32_store(&t->word, 1, RELAXED); /* it brings no job */
        futex_wake(&t->word, 1);
    }
    rc = await_ends(p, deadline);
    pool_unlock(p);
    if (rc == 0 && p->ended != NULL) {
        join(p->ended);
        list_push_front(&p->spare, &p->ended->link);
        p->ended = NULL;
    }
    if (rc == 0) {
        free_all(&p->spare);
    }
    return rc;
}
