/*
 * hooks.c - calls that a scope makes when it is cancelled or closes.
 *
 * WHAT    on_cancel hooks run once, after all marks and wakes of their cancel,
 *         with no lock held (R22); deferred calls run at close, after the
 *         children, last first (R45).
 * MODEL   A hook is the caller's. Its states:
 *
 *           IDLE -> DEFERRED -> DONE (it runs, or was removed)
 *           IDLE -> IN_SCOPE -> QUEUED -> RUNNING -> DONE
 *                      `-----------`----> DONE (removed: it will not run)
 *
 *         The canceller moves the hooks of each scope that it marks into a
 *         queue of its own thread; the outermost cancel of the thread runs
 *         them, so a cancel inside a hook adds to the queue and returns.
 *         A narrow hook is the library's own, of a task that waits behind its
 *         roost_shield_begin: it stays in its scope while only cancels from
 *         outside of that have come.
 * INVARIANTS
 *   - Lists, queues and states change under one process-wide lock, held for a
 *     few instructions; no lock is held while a hook runs.
 *   - A queued or running hook pins its scope.
 *   - remove and close return only when the hook does not run and will not.
 * ORDER
 *   H1  hooks lock: release -> acquire
 *   H2  state DONE: release -> acquire by who waits for a running hook
 *   S1  (scope.c) S_HOOKS is set under the scope's lock, and who cancels it, or
 *       what it lies in, comes to its hooks under that lock: he finds S_HOOKS,
 *       or has been there before, and then on_cancel sees his mark. The list
 *       is looked at under H1, which says the same of it.
 *   The looks at a state that only decide whether to take the lock are relaxed;
 *   the end of a hook that runs is awaited by H2.
 * COST    Registering: two locks.
 */
#include "base/check.h"
#include "base/spinlock.h"
#include "count.h"
#include "runtime.h"
#include "worker.h"
#include <errno.h>

enum {
    HOOK_IDLE,
    HOOK_IN_SCOPE,
    HOOK_QUEUED,
    HOOK_RUNNING,
    HOOK_DONE,
    HOOK_DEFERRED, /* in its scope's list of deferred calls */
};

_Static_assert(sizeof(struct hook) <= 48, "a quarter of roost_hook is spare");
_Static_assert(sizeof(roost_hook) == 64, "base.h says so");

static a32 hooks_lock;             /* M: 1 held */
static __thread struct list queue; /* L(hooks): collected by this thread */
static __thread bool queue_ready;
static __thread bool running;         /* this thread runs its queue */
static __thread struct hook *current; /* the hook that runs on this thread */

static void lock(void)
{
    spin_acquire(&hooks_lock); /* H1 */
}

static void unlock(void)
{
    spin_release(&hooks_lock); /* H1 */
}

__attribute__((noinline)) bool hooks_running(void)
{
    return current != NULL;
}

static struct hook *hook_of(roost_hook *h)
{
    return (struct hook *)(void *)h;
}

__attribute__((noinline)) static struct list *own_queue(void)
{
    if (!queue_ready) { /* its links are not to be read without the lock */
        list_init(&queue);
        queue_ready = true;
    }
    return &queue;
}

/* Does a cancel that h's scope sees reach h? A narrow one: only from inside
 * its opener's shield; the scopes in there are the opener's, and no relay. */
static bool reaches(const struct hook *h)
{
    return h->narrow ? chain_cancels(h->scope->owner, false)
                     : chain_cancelled(h->scope, false);
}

void hooks_collect(struct scope *s)
{
    struct list *stay = NULL; /* the first that is not meant */
    struct list *head;
    struct list *to = own_queue();

    if (!(scope_flags(s) & S_HOOKS)) {
        return;
    }
    lock();
    while ((head = s->hooks) != stay) {
        struct hook *h = container_of(head, struct hook, link);

        if (h->narrow && !reaches(h)) {
            stay = stay == NULL ? head : stay;
            s->hooks = head->next;
            continue;
        }
        s->hooks = head->next == head ? NULL : head->next;
        list_remove(head);
        list_push_back(to, &h->link);
        count_add(&s->count, COUNT_PIN);
        a32_store(&h->state, HOOK_QUEUED, RELAXED);
    }
    unlock();
}

/* Run one hook under a frame in which nothing may wait. */
static void run_hook(struct hook *h)
{
    struct hook *outer = current;
    struct frame *frame = frame_hook();

    current = h;
    h->fn.cancel(h->arg);
    current = outer;
    frame_restore(frame);
}

static void finish_hook(struct hook *h)
{
    struct scope *s = h->scope;

    a32_store(&h->state, HOOK_DONE, RELEASE /* H2 */);
    futex_wake(&h->state, INT32_MAX);
    scope_unpin(s);
}

void hooks_run(void)
{
    struct list *mine = own_queue();

    if (running) {
        return;
    }
    running = true;
    for (;;) {
        struct list *link;
        struct hook *h = NULL;

        lock();
        link = list_pop_front(mine);
        if (link != NULL) {
            h = container_of(link, struct hook, link);
            a32_store(&h->state, HOOK_RUNNING, RELAXED);
        }
        unlock();
        if (h == NULL) {
            break;
        }
        run_hook(h);
        finish_hook(h);
    }
    running = false;
}

enum withdrawn { RUNS_OR_RAN, FROM_SCOPE, FROM_QUEUE };

/* Take a hook out of wherever it is; from a queue its pin is the caller's to
 * drop. Under lock. */
static enum withdrawn withdraw(struct hook *h)
{
    uint32_t state = a32_load(&h->state, RELAXED);
    struct scope *s = h->scope;

    if (state != HOOK_IN_SCOPE && state != HOOK_QUEUED) {
        return RUNS_OR_RAN;
    }
    if (state == HOOK_IN_SCOPE && s->hooks == &h->link) {
        s->hooks = h->link.next == &h->link ? NULL : h->link.next;
    }
    list_remove(&h->link);
    a32_store(&h->state, HOOK_DONE, RELAXED);
    return state == HOOK_IN_SCOPE ? FROM_SCOPE : FROM_QUEUE;
}

/* Until a running hook has returned; not from inside it. */
static void await(struct hook *h)
{
    while (h != current &&
           a32_load(&h->state, ACQUIRE /* H2 */) == HOOK_RUNNING) {
        futex_wait(&h->state, HOOK_RUNNING, INT64_MAX);
    }
}

/* Out of the list of deferred calls; only the opener does that. */
static void undefer(struct hook *h)
{
    struct scope *s = h->scope;
    struct list **at;
    struct list *first = s->defers == NULL ? NULL : &s->defers->link;

    for (at = &first; *at != NULL; at = &(*at)->next) {
        if (*at == &h->link) {
            *at = h->link.next;
            break;
        }
    }
    s->defers = first == NULL ? NULL : container_of(first, struct hook, link);
    a32_store(&h->state, HOOK_DONE, RELAXED);
}

bool roost_hook_remove(roost_hook *pub)
{
    struct hook *h = hook_of(pub);
    enum withdrawn from;

    if (h == NULL || registry_forked()) {
        return false;
    }
    if (a32_load(&h->state, RELAXED) == HOOK_DEFERRED) {
        undefer(h);
        return true;
    }
    lock();
    from = withdraw(h);
    unlock();
    if (from == RUNS_OR_RAN) {
        await(h);
    } else if (from == FROM_QUEUE) {
        scope_unpin(h->scope);
    }
    return from != RUNS_OR_RAN;
}

void hooks_close(struct scope *s)
{
    if (!(scope_flags(s) & S_HOOKS)) {
        return;
    }
    lock();
    while (s->hooks != NULL) {
        withdraw(container_of(s->hooks, struct hook, link));
    }
    unlock(); /* those in a queue hold a pin, which close waits for */
}

static void enlist(struct scope *s, struct hook *h)
{
    scope_lock(s);
    a32_or(&s->flags, S_HOOKS, RELAXED);
    scope_unlock(s);
    lock();
    a32_store(&h->state, HOOK_IN_SCOPE, RELAXED);
    if (s->hooks == NULL) {
        h->link.next = &h->link;
        h->link.prev = &h->link;
        s->hooks = &h->link;
    } else {
        list_insert_before(s->hooks, &h->link);
    }
    unlock();
}

static void init_hook(struct hook *h, struct scope *s, void *arg)
{
    h->narrow = false;
    h->link.next = NULL;
    h->link.prev = NULL;
    h->scope = s;
    h->arg = arg;
    a32_init(&h->state, HOOK_IDLE);
}

int roost_scope_on_cancel(roost_scope *s, roost_hook *h, void (*fn)(void *),
                          void *arg)
{
    if (registry_forked() || s == NULL || h == NULL || fn == NULL) {
        return -EINVAL;
    }
    return hooks_enlist(scope_of(s), hook_of(h), fn, arg, false);
}

int hooks_enlist(struct scope *s, struct hook *h, void (*fn)(void *), void *arg,
                 bool narrow)
{
    enum withdrawn from;

    init_hook(h, s, arg);
    h->fn.cancel = fn;
    h->narrow = narrow;
    cancel_attach(s);
    if ((scope_flags(s) & (S_TIMED | S_ARMED)) == S_TIMED) {
        deadline_arm_chain(s);
    }
    chain_expire(s);
    enlist(s, h);
    if (!reaches(h)) {
        return 0;
    }
    lock();
    from = withdraw(h);
    if (from != RUNS_OR_RAN) {
        a32_store(&h->state, HOOK_RUNNING, RELAXED);
    }
    unlock();
    if (from == RUNS_OR_RAN) {
        await(h);
        return 1;
    }
    if (from == FROM_SCOPE) {
        count_add(&s->count, COUNT_PIN);
    }
    run_hook(h);
    finish_hook(h);
    return 1;
}

void roost_scope_defer(roost_scope *pub, roost_hook *hook, int (*fn)(void *),
                       void *arg)
{
    struct scope *s = scope_of(pub);
    struct hook *h = hook_of(hook);

    if (registry_forked()) {
        return;
    }
    if (s == NULL || h == NULL || fn == NULL || s->owner == NULL ||
        s->owner != frame_current()) {
        misuse("roost_scope_defer", pub, "only the scope's opener defers");
    }
    scope_full(s);
    init_hook(h, s, arg);
    h->fn.defer = fn;
    a32_init(&h->state, HOOK_DEFERRED);
    h->link.next = s->defers == NULL ? NULL : &s->defers->link;
    s->defers = h;
}

static void run_defer(struct scope *s, struct hook *h)
{
    roost_scope shield;
    roost_scope_opts opts = {.flags = ROOST_SHIELD};
    struct runtime *rt = chain_runtime(s);
    int status;

    opts.timeout = rt->grace;
    roost_scope_open(&shield, &opts);
    status = h->fn.defer(h->arg);
    status = roost_scope_close(&shield, status);
    if (status < 0) {
        struct frame *f = frame_current();
        roost_errors *kept = NULL;

        if (f->marks & F_KEPT) {
            kept = f->kept;
            f->marks &= ~(uint32_t)F_KEPT;
        }
        scope_record(s, status, kept, task_name_current(), 0);
    }
}

void hooks_defer_last(struct scope *s)
{
    struct hook *h = s->defers;
    struct list *next = h->link.next;

    s->defers = next == NULL ? NULL : container_of(next, struct hook, link);
    a32_store(&h->state, HOOK_DONE, RELAXED);
    run_defer(s, h);
}
