/*
 * offload_pool.c - the threads of offloaded calls.
 *
 * WHAT    Runs jobs on threads that are made when none is idle, up to a limit,
 *         and end when they have been idle for a while.
 * MODEL   A job goes into the queue, and from there to the first thread that
 *         looks: one that has done with its last job; one that was woken for
 *         it, the one idle for the shortest time, whose caches are warm; or a
 *         new one.
 *         Searching are those that look without having a job: woken or new, on
 *         their way; or awake for a while after the last one, if that has been
 *         worth it (SPIN). Who hands in a job wakes or makes a thread, unless
 *         as many search as are queued.
 *           Jobs that take less time than a wake-up are done before the woken
 *         thread arrives. It finds nothing: then it is the guard. While there
 *         is one, and some thread runs jobs, nobody is woken for more. If it
 *         finds a job that was there at its last look, it takes it and is guard
 *         no more, and each that takes a job has the next one woken. If none
 *         was handed in since then, it is just idle.
 *           An idle one sleeps on its own word: 0 while it stands in the list,
 *         raised by who takes it out. A thread that ends joins the one that
 *         ended before it, pool_stop the last: none is left unjoined.
 * INVARIANTS
 *   - Jobs lie in the queue only while somebody searches; or there is a guard
 *     and a thread runs; or all threads that may be run.     (need_more)
 *     Who searches and finds one has the next woken (more), a thread looks
 *     there before it rests (rest). Who could not make one takes its job back,
 *     and refuses all others too if no thread is to come to them (make).
 *   - word is 0 exactly while its thread stands in the list of idle ones.
 *   - A struct pool_thread lives until pool_stop: a late futex_wake finds it.
 * ORDER
 *   SL1  (sleeplock.c) what is L(lock). The looks at word and queued without
 *        it are hints: all that is behind them is looked at again with it.
 * COST    To a thread that is awake: the lock, and the lines of cache. To an
 *         idle one: a futex call. A new one: 20 us. A guard wakes up each LOOK.
 * SEE     docs/decisions/0018-what-a-deadline-costs.md: designs not taken
 */
#include "base/alloc.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/cpu.h"
#include "base/sleeplock.h"
#include "observe/events.h"
#include "runtime.h"
#include "sim.h"
#include "wait_row.h"
#include <errno.h>
#include <stdio.h>

#define THREADS_MAX 512     /* of roost_opts: the defaults */
#define IDLE (10 * ROOST_S) /* likewise */
/* Between two interrupts of a job: twice as long each time, up to the most. */
#define PAUSE_MIN ROOST_MS
#define PAUSE_MAX (50 * ROOST_MS)

/* ns that a thread looks for its next job before it sleeps: until a worker that
 * has slept is awake and has handed it in. */
#define SPIN 25000
#ifdef ROOST_MODEL
#define PAUSES 1
#else
#define PAUSES 16 /* between two looks at the clock: some 500 ns */
#endif
#define SKIP_MAX 63 /* of its rests it goes without, when it finds none so */
/* Between two looks of a guard, ns: twice as long each time, up to the most. */
#define LOOK_MIN 100000
#define LOOK_MAX 800000

struct pool_thread {
    struct list link;   /* L(pool): in idle, busy or spare */
    a32 word;           /* S lock holder (futex) */
    struct job *job;    /* O: what it has to do; L(pool) to write */
    struct runtime *rt; /* I */
    pthread_t id;       /* I once it runs */
    bool spinning;      /* O: it searches without having been woken */
    unsigned skip;      /* O: so many rests until it does again, */
    unsigned skips;     /* O: and after the next time in vain */
    uint64_t seen;      /* O: guard: jobs accepted at its last look */
    int64_t pause;      /* O: guard: until the next; 0: it is none */
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
    p->real = opts->backend != ROOST_SIM;
    p->spins = p->real && cpu_several();
}

/* --- the queue, under lock --- */

static void enqueue(struct pool *p, struct job *j)
{
    j->state = JOB_QUEUED;
    j->number = a64_load(&p->taken, RELAXED);
    list_push_back(&p->queue, &j->link);
    a32_store(&p->queued, a32_load(&p->queued, RELAXED) + 1, RELAXED);
}

void pool_unqueue(struct job *j)
{
    struct pool *p = &j->rt->pool;

    list_remove(&j->link);
    a32_store(&p->queued, a32_load(&p->queued, RELAXED) - 1, RELAXED);
}

static struct job *oldest(struct pool *p)
{
    return list_empty(&p->queue)
               ? NULL
               : container_of(p->queue.next, struct job, link);
}

/* --- a thread --- */

/* Under lock: t takes the oldest job, if any. */
static bool next_job(struct pool *p, struct pool_thread *t)
{
    struct job *j = oldest(p);

    if (j == NULL) {
        return false;
    }
    pool_unqueue(j);
    p->running++;
    t->job = j;
    j->thread = t;
    j->state = JOB_RUNNING;
    return true;
}

static void set_idle(struct pool *p, struct pool_thread *t)
{
    a32_store(&t->word, 0, RELAXED);
    list_remove(&t->link);
    list_push_front(&p->idle, &t->link);
}

/* Under lock, taken out of the idle ones. */
static void set_busy(struct pool *p, struct pool_thread *t)
{
    p->guard = p->guard == t ? NULL : p->guard;
    list_push_front(&p->busy, &t->link);
    a32_store(&t->word, 1, RELAXED);
}

/* May it spin now? */
static bool may_spin(struct pool *p, struct pool_thread *t)
{
    if (!p->spins || p->searching > 0) {
        return false;
    }
    if (t->skip > 0) {
        t->skip--;
        return false;
    }
    return true;
}

/* Under lock: t takes another job, or looks for one for a while, or is idle. */
static void rest(struct pool *p, struct pool_thread *t)
{
    t->job = NULL;
    p->running--;
    if (next_job(p, t)) {
        return;
    }
    t->spinning = !p->stopping && may_spin(p, t);
    if (t->spinning || p->stopping) {
        p->searching++;
    } else {
        set_idle(p, t);
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

/* Idle, until somebody takes t out of the list. False: for too long, or time
 * for the guard's look. */
static bool wait_idle(struct pool *p, struct pool_thread *t)
{
    int64_t most = t->pause != 0 ? t->pause : p->idle_ns;
    int64_t until = t->rt->sim != NULL ? INT64_MAX /* no real time counts */
                                       : clock_later(clock_now(), most);

    while (a32_load(&t->word, RELAXED) == 0) {
        if (futex_wait(&t->word, 0, until) == -ETIMEDOUT) {
            return false;
        }
    }
    return true;
}

/* Until something is queued, or for a while. */
static void spin(struct pool *p)
{
    int64_t until = clock_now() + SPIN;
    int i;

    do {
        for (i = 0; i < PAUSES && a32_load(&p->queued, RELAXED) == 0; i++) {
            spin_pause();
        }
    } while (a32_load(&p->queued, RELAXED) == 0 && clock_now() < until);
}

/* How a search ended, of one that was awake. */
static void learn(struct pool_thread *t, bool found)
{
    t->skips = found                     ? 0
               : 2 * t->skips < SKIP_MAX ? 2 * t->skips + 1
                                         : SKIP_MAX;
    t->skip = t->skips;
}

/* Under lock: t, which was searching, takes a job or is idle; or neither,
 * because it is the end. */
static void arrive(struct pool *p, struct pool_thread *t)
{
    bool found = next_job(p, t);

    p->searching--;
    if (t->spinning) {
        learn(t, found);
    }
    t->pause = 0;
    if (!found && !p->stopping) {
        set_idle(p, t);
        if (!t->spinning && p->guard == NULL && p->real) {
            p->guard = t;
            t->seen = a64_load(&p->taken, RELAXED);
            t->pause = LOOK_MIN;
        }
    }
    t->spinning = false;
}

/* Under lock: t, the guard, has slept. */
static void look(struct pool *p, struct pool_thread *t)
{
    struct job *j = oldest(p);
    uint64_t taken = a64_load(&p->taken, RELAXED);

    if (j != NULL && j->number <= t->seen) { /* recheck: SL1 */
        list_remove(&t->link);
        set_busy(p, t);
        next_job(p, t);
        t->pause = 0;
    } else if (j == NULL && taken == t->seen) {
        p->guard = NULL;
        t->pause = 0;
    } else {
        t->seen = taken;
        t->pause = 2 * t->pause < LOOK_MAX ? 2 * t->pause : LOOK_MAX;
    }
}

static int more(struct runtime *rt, struct job **mine);

/* Has t another job, now or when it has been idle? False: it has ended. */
static bool go_on(struct pool *p, struct pool_thread *t)
{
    while (t->job == NULL) {
        bool over = false;

        if (t->spinning) {
            spin(p);
        } else {
            over = !wait_idle(p, t) && t->pause == 0;
        }
        pool_lock(p);
        if (a32_load(&t->word, RELAXED) != 0) { /* recheck: SL1 taken out */
            arrive(p, t);
            over = p->stopping && t->job == NULL;
        } else if (t->pause != 0) {
            look(p, t);
        }
        if (over) {
            end(p, t);
            return false;
        }
        (void)more(t->rt, NULL);
    }
    return true;
}

static void *pool_main(void *arg)
{
    struct pool_thread *t = arg;
    struct pool *p = &t->rt->pool;

    EVENT_THREAD(POOL, t->rt);
    interrupt_thread(t->rt);
    pool_lock(p);
    list_push_front(&p->busy, &t->link);
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
    struct job *j;

    while ((j = oldest(p)) != NULL) {
        struct waiter *wt = j->waiter;

        pool_unqueue(j);
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
    pool_unqueue(j);
    j->state = JOB_NEW; /* recheck: SL1 its hook may yet come */
    count(p, -1);
    return -EAGAIN;
}

/* Under lock: is another thread to come for what is queued? */
static bool need_more(struct pool *p)
{
    return a32_load(&p->queued, RELAXED) > p->searching &&
           (p->guard == NULL || p->running == 0);
}

static int make_thread(struct pool_thread *t)
{
    if (t->rt->sim == NULL) {
        return runtime_thread(&t->id, pool_main, t);
    }
    t->id = pthread_self(); /* interrupts: it hosts all of them */
    return sim_thread(t->rt, pool_main, t);
}

/* A thread, counted already, for what is queued and may be taken by others
 * meanwhile. mine: the job of who hands it in; NULL: it is not his. */
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
    rc = mine == NULL ? 0 : give_back(p, *mine);
    p->searching--;
    p->threads--;
    if (need_more(p)) { /* recheck: SL1 */
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

/* Under lock, which is given up: have a thread come, if there is need. Not 0:
 * for want of one *mine was not handed in. */
static int more(struct runtime *rt, struct job **mine)
{
    struct pool *p = &rt->pool;
    struct pool_thread *t = NULL;

    if (!need_more(p)) {
        pool_unlock(p);
        return 0;
    }
    t = pop(&p->idle);
    if (t != NULL) {
        p->searching++;
        set_busy(p, t);
        pool_unlock(p);
        futex_wake(&t->word, 1);
        return 0;
    }
    if (p->threads >= p->max) {
        pool_unlock(p);
        return 0;
    }
    p->threads++;
    p->searching++;
    t = pop(&p->spare);
    pool_unlock(p);
    return make(rt, t, mine);
}

int pool_submit(struct job *j)
{
    struct pool *p = &j->rt->pool;

    pool_lock(p);
    if (a32_load(&j->cancelled, RELAXED)) { /* recheck: SL1 */
        pool_unlock(p);
        return -ECANCELED;
    }
    count(p, 1);
    enqueue(p, j);
    return more(j->rt, j->mine);
}

/* --- interrupting --- */

/* Under lock, which keeps the thread at this job. */
static void interrupt(struct job *j)
{
    j->signalled = true;
    interrupt_send(j->thread->id, j->signal);
    j->again = clock_later(clock_now(), j->pause);
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
        p->searching++;
        set_busy(p, t);
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
