/*
 * registry.c - the runtimes of this process, and what fork does to them.
 *
 * WHAT    Which runtimes there are (deadlock reports, dumps), and the mark
 *         that makes every call in a forked child fail until a fresh start
 *         (R64).
 * INVARIANTS
 *   - In the child the thread that called fork is a plain thread: its worker
 *     pointer is gone, and the fiber that it stands on knows no worker, which
 *     is how a task that returns there ends the child (task_forked_end); an
 *     offloaded call sees it by registry_forks.
 */
#include "base/check.h"
#include "fd.h"
#include "guest.h"
#include "plain.h"
#include "runtime.h"
#include "sim.h"
#include <pthread.h>

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
struct list registry_runtimes = {&registry_runtimes, &registry_runtimes};
static unsigned count;
static a32 started; /* M: runtimes ever */
static a32 forked;  /* M: this process is a child of one that had runtimes */
static a32 forks;   /* O child's one thread: see registry_forks */
static pthread_once_t once = PTHREAD_ONCE_INIT;

bool registry_forked(void)
{
    return a32_load(&forked, RELAXED) != 0;
}

uint32_t registry_forks(void)
{
    return a32_load(&forks, RELAXED);
}

static void before_fork(void)
{
    quit_before_fork();
    trace_before_fork();
    pthread_mutex_lock(&registry_lock);
}

static void in_parent(void)
{
    pthread_mutex_unlock(&registry_lock);
    trace_after_fork(false);
    quit_after_fork(false);
}

static void in_child(void)
{
    struct worker *w = worker_self();

    struct list *at;

    if (w != NULL) {
        w->fiber->worker = NULL;
        if (w->frame != NULL) {
            w->frame->marks |= F_AWAY;
        }
    }
    worker_carried(NULL);
    region_forget();
    sim_forget();
    guest_forget();
    for (at = registry_runtimes.next; at != &registry_runtimes; at = at->next) {
        struct runtime *rt = container_of(at, struct runtime, link);

        poller_close(rt);
        guest_close(rt);
    }
    fd_forked();
    offload_forget();
    a32_add(&forks, 1, RELAXED);
    if (count > 0) {
        a32_store(&forked, 1, RELAXED);
    }
    list_init(&registry_runtimes);
    count = 0;
    plain_forked();
    pthread_mutex_unlock(&registry_lock);
    trace_after_fork(true);
    quit_after_fork(true);
}

static void prepare(void)
{
    pthread_atfork(before_fork, in_parent, in_child);
}

unsigned registry_number(void)
{
    return a32_add(&started, 1, RELAXED) + 1;
}

void registry_prepare(void)
{
    pthread_once(&once, prepare);
}

void registry_add(struct runtime *rt)
{
    pthread_mutex_lock(&registry_lock);
    list_push_back(&registry_runtimes, &rt->link);
    count++;
    a32_store(&forked, 0, RELAXED);
    pthread_mutex_unlock(&registry_lock);
}

void registry_remove(struct runtime *rt)
{
    pthread_mutex_lock(&registry_lock);
    list_remove(&rt->link);
    count--;
    pthread_mutex_unlock(&registry_lock);
}

unsigned registry_count(void)
{
    unsigned n;

    pthread_mutex_lock(&registry_lock);
    n = count;
    pthread_mutex_unlock(&registry_lock);
    return n;
}

void registry_nudge(void)
{
    struct list *at;

    pthread_mutex_lock(&registry_lock);
    for (at = registry_runtimes.next; at != &registry_runtimes; at = at->next) {
        struct runtime *rt = container_of(at, struct runtime, link);

        if (park_all(&rt->park)) {
            park_wake_one(&rt->park);
        }
    }
    pthread_mutex_unlock(&registry_lock);
}

void registry_each(void (*fn)(struct runtime *rt, void *arg), void *arg)
{
    struct list *at;

    pthread_mutex_lock(&registry_lock);
    for (at = registry_runtimes.next; at != &registry_runtimes; at = at->next) {
        fn(container_of(at, struct runtime, link), arg);
    }
    pthread_mutex_unlock(&registry_lock);
}
