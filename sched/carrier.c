/*
 * carrier.c - the threads that carry workers.
 *
 * WHAT    A worker is a place to run tasks; a carrier is a thread that does it.
 *         There are as many as workers, and one more for each blocking region
 *         whose worker another thread has taken over.
 * MODEL   A carrier waits for a worker, carries it, and waits again:
 *
 *           idle --carrier_take, carrier_hand--> carries a worker
 *            ^                                      |  gives it to who claims
 *            |                                      |  it, or has lost it in a
 *            `--------------------------------------'  blocking region
 *
 *         On its own stack it does only this; while it carries a worker it is
 *         on some fiber. The first ones are made with the runtime, others when
 *         region.c needs one; who is idle for long ends. One that ends joins
 *         the one that ended before it, carriers_stop all the others.
 *         A simulated worker has a carrier, too, without a thread: sim.c. That
 *         of a guest is its host's thread, which carries the worker now and
 *         then, and stands in none of the lists: guest.c.
 * INVARIANTS
 *   - word is 0 exactly while the carrier stands in the list of idle ones, or
 *     waits in its region for a worker that it has claimed.
 *   - At most one thread carries a worker: who hands it over had it, as its
 *     carrier or by the swap that closed its region (BR1).
 *   - A struct carrier lives as long as the runtime: a late wake finds it.
 * ORDER
 *   CA1  word: release by who hands over -> acquire by the carrier    the
 *        worker, and all that was done with it before
 *   BR1  (region.c) the swap that closes a region
 * COST    Handing to an idle one: a futex call. A new one: 20 us.
 */
#include "carrier.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/cpu.h"
#include "base/edge.h"
#include "observe/events.h"
#include "runtime.h"
#include "sanitize.h"
#include "sim.h"
#include "worker.h"
#include <errno.h>
#include <time.h>
#include <unistd.h>

#define REGIONS_MAX 512     /* as roost_opts.offload_max */
#define IDLE (10 * ROOST_S) /* as roost_opts.offload_idle */

static void lock(struct runtime *rt)
{
    pthread_mutex_lock(&rt->carriers.lock);
}

static void unlock(struct runtime *rt)
{
    pthread_mutex_unlock(&rt->carriers.lock);
}

/* --- the thread --- */

/* C++ keeps exceptions per thread (R70); absent in a C program. */
extern void *__cxa_get_globals(void) __attribute__((weak));

/* Set while it runs tasks: a thread that ends with it was ended by one. */
static pthread_key_t ended;
static pthread_once_t ended_once = PTHREAD_ONCE_INIT;

static void on_thread_end(void *arg)
{
    struct carrier *c = arg;

    sanitize_thrown_back(&c->thread);
    misuse("pthread_exit", c, "in a task");
}

static void make_key(void)
{
    roost_check(pthread_key_create(&ended, on_thread_end) == 0);
}

void carrier_thread_inside(struct carrier *c, bool inside)
{
    pthread_setspecific(ended, inside ? c : NULL);
    c->thread.sanitizer = sanitize_thread();
}

void carrier_thread_begin(struct carrier *c)
{
    pthread_once(&ended_once, make_key);
    carrier_thread_inside(c, true);
    if (__cxa_get_globals != NULL) {
        c->exceptions = __cxa_get_globals();
    }
    c->number = gettid();
    c->thread.runtime = c->rt;
    overflow_thread_begin(c);
}

void carrier_thread_end(struct carrier *c)
{
    overflow_thread_end(c);
    carrier_thread_inside(c, false);
}

static void begin_to_carry(struct carrier *c)
{
    struct worker *w = c->worker;

    edge_acquire(w); /* what its last carrier did */
    c->state = CARRIES;
    c->left = NULL;
    c->thread.worker = w;
    w->carrier = c;
    w->exceptions = c->exceptions;
    w->fiber = &c->thread;
    w->frame = NULL;
    w->commit = NULL;
    worker_carried(w);
    EVENT_THREAD(WORKER, w->rt);
    if ((c->rt->flags & ROOST_PIN_WORKERS) && !w->guest) {
        cpu_pin(w->index);
    }
}

/* Into a loop. Without memory for its stack what can run without one does. */
static void enter(struct carrier *c)
{
    struct worker *w = c->worker;
    struct timespec pause = {0, 1000000};
    struct fiber *to = c->resting != NULL ? c->resting : ready_loop(w);

    c->resting = NULL;
    if (to == NULL) {
        to = work_ready_fiber(w);
    }
    if (to == NULL && w->guest) {
        c->state = RESTS;
        guest_pause(w);
        return;
    }
    if (to == NULL) {
        /* Only memory can help: look again every millisecond. */
        nanosleep(&pause, NULL);
        sim_point(w->rt, SIM_SEARCH);
        return;
    }
    fiber_enter(c, to);
}

void carrier_carry(struct carrier *c)
{
    struct worker *w = c->worker;

    begin_to_carry(c);
    while (c->state == CARRIES && c->left == NULL) {
        enter(c);
    }
    if (c->left != NULL) {
        ready_push(c->left); /* as a foreign thread, which it is by now */
        region_ended(c->rt);
        return;
    }
    worker_carried(NULL);
    if (c->state == GIVES) {
        region_give(w);
    }
    if (c->state != LEAVES) {
        return;
    }
    edge_acquire(w); /* what was done on all its fibers */
    fiber_free(w->from);
    w->fiber = NULL;
}

void carrier_give(struct worker *w)
{
    w->carrier->state = GIVES;
    w->carrier->frame = NULL; /* running.c */
    fiber_switch(w, &w->carrier->thread, ready_spare, NULL);
}

void carrier_rest(struct worker *w)
{
    w->carrier->state = RESTS;
    w->carrier->resting = w->fiber;
    fiber_switch(w, &w->carrier->thread, NULL, NULL);
}

void carrier_leave(struct worker *w)
{
    w->carrier->state = LEAVES;
    fiber_switch(w, &w->carrier->thread, NULL, NULL);
    check_failed(__FILE__, __LINE__, "a fiber that has ended was resumed");
}

/* --- idle ones --- */

/* It carries nobody. False: the runtime ends. */
static bool rest(struct carrier *c)
{
    struct carriers *all = &c->rt->carriers;
    bool stays;

    lock(c->rt);
    c->frame = NULL; /* running.c */
    stays = !all->stopping;
    if (stays) {
        a32_store(&c->word, 0, RELAXED);
        list_push_front(&all->idle, &c->idle);
    }
    unlock(c->rt);
    return stays;
}

static void join(struct carrier *c)
{
    runtime_join(c->id);
    lock(c->rt);
    list_push_front(&c->rt->carriers.spare, &c->all);
    unlock(c->rt);
}

/* It was idle for long. False: it has just been taken. */
static bool end(struct carrier *c)
{
    struct carriers *all = &c->rt->carriers;
    struct carrier *before = NULL;
    bool ends;

    lock(c->rt);
    ends = list_linked(&c->idle);
    if (ends) {
        list_remove(&c->idle);
        list_remove(&c->all);
        all->count--;
        before = all->ended;
        all->ended = c;
    }
    unlock(c->rt);
    if (before != NULL) {
        join(before);
    }
    return ends;
}

void carrier_await(struct carrier *c)
{
    while (a32_load(&c->word, ACQUIRE /* CA1 */) == 0) {
        (void)futex_wait(&c->word, 0, INT64_MAX);
    }
}

/* True: it has a worker. */
static bool await_idle(struct carrier *c)
{
    int64_t now = clock_now();
    int64_t idle = c->rt->carriers.idle_ns;
    int64_t until = idle > INT64_MAX - now ? INT64_MAX : now + idle;

    while (a32_load(&c->word, ACQUIRE /* CA1 */) == 0) {
        if (futex_wait(&c->word, 0, until) == -ETIMEDOUT) {
            if (end(c)) {
                return false;
            }
            until = INT64_MAX; /* it is about to be told */
        }
    }
    return c->worker != NULL;
}

static void *carrier_main(void *arg)
{
    struct carrier *c = arg;

    carrier_thread_begin(c);
    while (await_idle(c)) {
        carrier_carry(c);
        if (!rest(c)) {
            break;
        }
    }
    carrier_thread_end(c);
    return NULL;
}

/* --- making and taking --- */

/* Room for one more, counted. NULL: none, or there are too many. */
static struct carrier *reserve(struct runtime *rt)
{
    struct carriers *all = &rt->carriers;
    struct carrier *c = NULL;
    struct list *link = NULL;
    bool may;

    lock(rt);
    may = all->count < all->max;
    if (may) {
        all->count++;
        link = list_pop_front(&all->spare);
    }
    unlock(rt);
    if (link != NULL) {
        c = container_of(link, struct carrier, all);
    } else if (may) {
        c = alloc_aligned(CACHE_LINE, sizeof(*c));
    }
    if (c == NULL && may) {
        lock(rt);
        all->count--;
        unlock(rt);
    }
    return c;
}

/* c has no thread: it could not be made. */
static void give_up(struct carrier *c)
{
    lock(c->rt);
    c->rt->carriers.count--;
    list_remove(&c->all);
    list_push_front(&c->rt->carriers.spare, &c->all);
    unlock(c->rt);
}

/* worker NULL: it waits for one, and is taken already. */
static int make(struct runtime *rt, struct worker *w, struct carrier **out)
{
    struct carrier *c = reserve(rt);
    int rc;

    if (c == NULL) {
        return -ENOMEM;
    }
    c->rt = rt;
    c->claim.kind = WORK_CLAIM;
    c->worker = w;
    a32_store(&c->word, w != NULL, RELAXED);
    lock(rt);
    list_push_front(&rt->carriers.all, &c->all);
    unlock(rt);
    rc = runtime_thread(&c->id, carrier_main, c);
    if (rc != 0) {
        give_up(c);
        return rc;
    }
    *out = c;
    return 0;
}

int carrier_start(struct runtime *rt, struct worker *w)
{
    struct carrier *c;

    return make(rt, w, &c);
}

struct carrier *carrier_take(struct runtime *rt)
{
    struct carrier *c = NULL;
    struct list *link;

    lock(rt);
    link = list_pop_front(&rt->carriers.idle);
    unlock(rt);
    if (link != NULL) {
        return container_of(link, struct carrier, idle);
    }
    (void)make(rt, NULL, &c);
    return c;
}

void carrier_put(struct carrier *c)
{
    lock(c->rt);
    list_push_front(&c->rt->carriers.idle, &c->idle);
    unlock(c->rt);
}

void carrier_hand(struct carrier *c, struct worker *w)
{
    c->worker = w;
    if (w != NULL) {
        edge_release(w);
    }
    a32_store(&c->word, 1, RELEASE /* CA1 */);
    futex_wake(&c->word, 1);
}

/* --- with the runtime --- */

void carriers_init(struct runtime *rt)
{
    struct carriers *all = &rt->carriers;
    unsigned max = rt->opts.offload_max;

    pthread_mutex_init(&all->lock, NULL);
    list_init(&all->all);
    list_init(&all->idle);
    list_init(&all->spare);
    all->max = rt->worker_count + (max == 0 ? REGIONS_MAX : max);
    all->idle_ns = rt->opts.offload_idle == 0 ? IDLE : rt->opts.offload_idle;
}

void carriers_free(struct runtime *rt)
{
    struct list *link;

    if (rt->carriers.max == 0) {
        return; /* there never were any */
    }
    while ((link = list_pop_front(&rt->carriers.spare)) != NULL) {
        alloc_free(container_of(link, struct carrier, all));
    }
    pthread_mutex_destroy(&rt->carriers.lock);
}

/* From here on none is idle, and none is taken off the list of all; nor is one
 * made, for the watch has ended. */
static void stop_idle(struct runtime *rt)
{
    struct list *link;

    lock(rt);
    rt->carriers.stopping = true;
    while ((link = list_pop_front(&rt->carriers.idle)) != NULL) {
        carrier_hand(container_of(link, struct carrier, idle), NULL);
    }
    unlock(rt);
}

void carriers_stop(struct runtime *rt)
{
    struct list *link;

    stop_idle(rt);
    while ((link = list_pop_front(&rt->carriers.all)) != NULL) {
        park_wake_all(&rt->park);
        join(container_of(link, struct carrier, all));
    }
    if (rt->carriers.ended != NULL) {
        join(rt->carriers.ended);
    }
}
