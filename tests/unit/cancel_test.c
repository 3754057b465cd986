/*
 * cancel_test.c - sched/cancel.c: whom a cancel looks at, how long it holds a
 * lock, what it leaves behind, and what a swing does (started.c). One worker,
 * so that what each case counts is exact.
 *
 * Would catch: a walk where nobody can be inside, or none where somebody is; a
 * lock that is given up though it was not taken, or held over very many tasks;
 * a cancel that is counted twice, nowhere, or for another runtime; a task that
 * is told of a cancel which it does not see, or not told; services that stay
 * behind when a relay swings.
 */
#include "../test.h"

#include "count.h"
#include "runtime.h"
#include "scope.h"
#include "worker.h"
#include <errno.h>

/* --- what cancel.c calls --- */

static unsigned walks; /* each begins with a heavy barrier */
static struct scope *watched;
static unsigned holds;          /* of its lock */
static struct frame *ends_then; /* this task, when it has had so many holds */
static unsigned ends_after;
static unsigned mutexes, taken; /* of the walk: held, and ever */

void __real_scope_lock(struct scope *s);
void __wrap_scope_lock(struct scope *s);
void __real_scope_unlock(struct scope *s);
void __wrap_scope_unlock(struct scope *s);
void __real_barrier_heavy(void);
void __wrap_barrier_heavy(void);
int __real_pthread_mutex_lock(pthread_mutex_t *m);
int __wrap_pthread_mutex_lock(pthread_mutex_t *m);
int __real_pthread_mutex_unlock(pthread_mutex_t *m);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *m);

void __wrap_scope_lock(struct scope *s)
{
    holds += s == watched;
    __real_scope_lock(s);
}

void __wrap_scope_unlock(struct scope *s)
{
    CHECK(scope_flags(s) & S_LOCK);
    __real_scope_unlock(s);
    if (s == watched && ends_then != NULL && holds == ends_after) {
        struct frame *f = ends_then;

        ends_then = NULL;
        cancel_unlink(f);
    }
}

void __wrap_barrier_heavy(void)
{
    walks++;
    __real_barrier_heavy();
}

static bool is_walk(const pthread_mutex_t *m)
{
    struct runtime *rt = runtime_self();

    return rt != NULL && m == &rt->walk;
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *m)
{
    mutexes += is_walk(m);
    taken += is_walk(m);
    return __real_pthread_mutex_lock(m);
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *m)
{
    if (is_walk(m)) {
        CHECK_EQ(mutexes, 1);
        mutexes--;
    }
    return __real_pthread_mutex_unlock(m);
}

static void alone(roost_fn fn)
{
    roost_opts opts = {.workers = 1};

    mutexes = 0;
    watched = NULL;
    CHECK_EQ(roost_run(fn, NULL, &opts), 0);
    CHECK_EQ(mutexes, 0);
}

static unsigned walks_of_cancel(roost_scope *s)
{
    unsigned before = walks;

    CHECK(roost_scope_cancel(s, 0));
    CHECK(!(scope_flags(scope_of(s)) & S_LOCK));
    return walks - before;
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* --- whether it looks for anybody --- */

static int cancel_with_nobody(void *arg)
{
    roost_scope outer, s;

    (void)arg;
    roost_scope_open(&s, NULL);
    CHECK_EQ(walks_of_cancel(&s), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    /* From inside an inner one. */
    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, NULL);
    CHECK_EQ(walks_of_cancel(&outer), 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    /* A soft one always does: it is rare. */
    roost_scope_open(&s, NULL);
    walks = 0;
    CHECK(roost_scope_cancel_soft(&s, 3600 * ROOST_S));
    CHECK_EQ(walks, 1);
    CHECK(!roost_scope_cancel_soft(&s, 3600 * ROOST_S));
    CHECK_EQ(walks, 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    return 0;
}

TEST_PLAIN(where_nobody_is_nobody_is_looked_for, "R12")
{
    alone(cancel_with_nobody);
}

static int cancel_own_target(void *arg)
{
    CHECK_EQ(walks_of_cancel(arg), 1);
    return 0;
}

static int cancel_with_some(void *arg)
{
    const roost_task_opts service = {.flags = ROOST_SERVICE};
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL); /* one that its opener has counted */
    CHECK_EQ(roost_spawn(&s, nothing, NULL), 0);
    CHECK_EQ(scope_of(&s)->local, 1);
    CHECK_EQ(walks_of_cancel(&s), 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_scope_open(&s, NULL); /* a hold */
    CHECK_EQ(roost_scope_hold(&s), 0);
    CHECK_EQ(walks_of_cancel(&s), 1);
    roost_scope_release(&s);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_scope_open(&s, NULL); /* a service, counted in a scope of its own */
    CHECK_EQ(roost_spawn_opts(&s, nothing, NULL, &service), 0);
    CHECK_EQ(a64_load(&scope_of(&s)->count, RELAXED), 0);
    CHECK_EQ(walks_of_cancel(&s), 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_scope_open(&s, NULL); /* by the child itself */
    CHECK_EQ(roost_spawn(&s, cancel_own_target, &s), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    /* Where it was spawned, though it is counted nowhere: it runs in place. */
    CHECK(frame_current()->scope == frame_current()->target);
    return 0;
}

TEST_PLAIN(where_somebody_may_be_he_is_looked_for, "R12")
{
    alone(cancel_with_some);
}

/* --- how long a lock is held --- */

static int sleep_long(void *arg)
{
    CHECK_EQ(roost_sleep(3600 * ROOST_S), -ECANCELED);
    *(int *)arg += 1;
    return -ECANCELED;
}

/* How often the lock of a scope is taken when n tasks in it are cancelled. */
static unsigned holds_for(int n, roost_fn spawn_all)
{
    int args[2] = {n, 0};
    roost_scope outer, s;
    unsigned n_holds;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&outer, spawn_all, args), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_settle(), 0);
    watched = scope_of(&outer);
    holds = 0;
    CHECK(roost_scope_cancel(&outer, 0));
    n_holds = holds;
    watched = NULL;
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK_EQ(args[1], n);
    return n_holds;
}

static int spawn_sleepers(void *arg)
{
    int *args = arg;

    for (int i = 0; i < args[0]; i++) {
        CHECK_EQ(roost_spawn(roost_scope_current(), sleep_long, &args[1]), 0);
    }
    return 0;
}

static int put_off(void *arg)
{
    CHECK_EQ(roost_when_status(), -ECANCELED);
    *(int *)arg += 1;
    return 0;
}

static int spawn_whens(void *arg)
{
    const roost_case never = roost_on_time(ROOST_NEVER - 1);
    int *args = arg;

    for (int i = 0; i < args[0]; i++) {
        CHECK_EQ(
            roost_spawn_when(roost_scope_current(), never, put_off, &args[1]),
            0);
    }
    return 0;
}

static int hold_for_few(void *arg)
{
    unsigned few, whens;

    (void)arg;
    few = holds_for(1, spawn_sleepers);
    CHECK_EQ(holds_for(255, spawn_sleepers), few);
    CHECK_EQ(holds_for(256, spawn_sleepers), few + 1);
    CHECK_EQ(holds_for(511, spawn_sleepers), few + 1);
    CHECK_EQ(holds_for(512, spawn_sleepers), few + 2);
    whens = holds_for(1, spawn_whens);
    CHECK_EQ(holds_for(255, spawn_whens) - whens, 0);
    CHECK_EQ(holds_for(256, spawn_whens) - whens, 1);
    CHECK_EQ(holds_for(512, spawn_whens) - whens, 2);
    return 0;
}

TEST_PLAIN(a_scope_is_locked_for_256_tasks_at_most, "R12")
{
    alone(hold_for_few);
}

/* While s is not locked the next one ends, and others stay where they were. */
static int end_in_between(void *arg)
{
    static struct frame tasks[400];
    roost_scope pub;
    struct scope *s = scope_of(&pub);
    struct list *at;
    size_t left = 0;

    (void)arg;
    roost_scope_open(&pub, NULL);
    CHECK_EQ(roost_scope_hold(&pub), 0); /* so that it is walked */
    memset(tasks, 0, sizeof tasks);
    for (size_t i = 0; i < 400; i++) {
        tasks[i].target = tasks[i].scope = s;
        cancel_link(&tasks[i]);
    }
    watched = s;
    holds = 0;
    ends_then = &tasks[256];
    ends_after = 3; /* mark, owner_of, the first 256 */
    CHECK(roost_scope_cancel(&pub, 0));
    CHECK(ends_then == NULL);
    watched = NULL;
    CHECK(!list_linked(&tasks[256].link));
    for (at = s->tasks.next; at != &s->tasks; at = at->next) {
        CHECK(at == &tasks[left + (left >= 256)].link);
        left++;
    }
    CHECK_EQ(left, 399);
    roost_scope_release(&pub);
    CHECK_EQ(roost_scope_close(&pub, 0), 0);
    return 0;
}

TEST_PLAIN(a_task_may_end_while_the_walk_has_let_go, "R12")
{
    alone(end_in_between);
}

/* --- who waits before he starts --- */

static roost_event happens;
static int started_with, starts;

static int note_start(void *arg)
{
    (void)arg;
    starts++;
    started_with = roost_when_status();
    return 0;
}

static void begin_when(void)
{
    CHECK_EQ(roost_event_init(&happens), 0);
    starts = 0;
    started_with = 1;
}

static int cancel_after_event(void *arg)
{
    roost_scope s;

    (void)arg;
    begin_when();
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_when(&s, roost_on_event(&happens), note_start, NULL),
             0);
    CHECK_EQ(roost_event_set(&happens), 0);
    CHECK(roost_scope_cancel(&s, 0)); /* too late for that one */
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(starts, 1);
    CHECK_EQ(started_with, 0);
    roost_event_destroy(&happens);
    return 0;
}

TEST_PLAIN(what_has_happened_is_not_taken_back, "R29")
{
    alone(cancel_after_event);
}

static int cancel_softly(void *arg)
{
    roost_scope_opts finish = {.flags = ROOST_FINISH};
    roost_scope s;

    (void)arg;
    begin_when();
    roost_scope_open(&s, &finish);
    CHECK_EQ(roost_spawn_when(&s, roost_on_event(&happens), note_start, NULL),
             0);
    CHECK(roost_scope_cancel_soft(&s, 3600 * ROOST_S));
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(starts, 0);
    CHECK_EQ(roost_event_set(&happens), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(starts, 1);
    CHECK_EQ(started_with, 0);
    roost_event_destroy(&happens);
    return 0;
}

TEST_PLAIN(what_finishes_waits_on_under_a_soft_cancel, "R25")
{
    alone(cancel_softly);
}

/* --- what is counted --- */

static uint64_t outside_cancels(struct runtime *rt)
{
    return a64_load(&rt->outside_counters.cancelled, RELAXED);
}

static void *cancel_outside(void *s)
{
    CHECK(roost_scope_cancel(s, 0));
    roost_scope_release(s);
    return NULL;
}

static int count_outside(void *arg)
{
    struct runtime *rt = runtime_self();
    uint64_t own = a64_load(&worker_self()->counters.cancelled, RELAXED);
    pthread_t thread;
    roost_scope s;

    (void)arg;
    CHECK_EQ(outside_cancels(rt), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_hold(&s), 0);
    CHECK_EQ(pthread_create(&thread, NULL, cancel_outside, &s), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(outside_cancels(rt), 1);
    CHECK_EQ(a64_load(&worker_self()->counters.cancelled, RELAXED), own);
    return 0;
}

TEST_PLAIN(a_threads_cancels_are_counted_once, "R12 R66")
{
    alone(count_outside);
}

struct across {
    roost_scope *scope;
    sem_t open;
};

static int cancel_across(void *arg)
{
    struct across *a = arg;
    struct worker *w = worker_self();

    while (sem_wait(&a->open) != 0) {
    }
    CHECK(roost_scope_cancel(a->scope, 0));
    CHECK_EQ(a64_load(&w->counters.cancelled, RELAXED), 0);
    CHECK_EQ(outside_cancels(w->rt), 0);
    roost_scope_release(a->scope);
    return 0;
}

static void *run_across(void *arg)
{
    roost_opts opts = {.workers = 1};

    CHECK_EQ(roost_run(cancel_across, arg, &opts), 0);
    return NULL;
}

static int count_across(void *arg)
{
    struct runtime *rt = runtime_self();
    struct across a;
    pthread_t thread;
    roost_scope s;

    (void)arg;
    CHECK_EQ(sem_init(&a.open, 0, 0), 0);
    CHECK_EQ(pthread_create(&thread, NULL, run_across, &a), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_hold(&s), 0);
    a.scope = &s;
    CHECK_EQ(sem_post(&a.open), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(outside_cancels(rt), 1);
    CHECK_EQ(a64_load(&worker_self()->counters.cancelled, RELAXED), 0);
    sem_destroy(&a.open);
    return 0;
}

TEST_PLAIN(the_cancels_of_another_runtime_are_counted_here, "R12 R66")
{
    roost_opts opts = {.workers = 1};

    mutexes = 0;
    CHECK_EQ(roost_run(count_across, NULL, &opts), 0);
}

/* --- who is told --- */

static int wait_until_cancelled(void *arg)
{
    int rc = roost_sleep(3600 * ROOST_S);

    *(int *)arg = rc;
    return rc;
}

/* A task opens a scope, in it a task opens a scope, ...; the innermost one
 * waits, which none of the others has done before. */
static int nest(void *arg)
{
    int *depth = arg;
    roost_scope s;

    if (depth[0]-- == 0) {
        return wait_until_cancelled(&depth[1]);
    }
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, nest, depth), 0);
    return roost_scope_close(&s, 0);
}

static int cancel_nested(void *arg)
{
    int depth[2] = {40, 0};
    roost_scope outer;

    (void)arg;
    roost_scope_open(&outer, NULL);
    CHECK_EQ(roost_spawn(&outer, nest, depth), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(depth[0], -1);
    CHECK_EQ(depth[1], 0);
    CHECK(roost_scope_cancel(&outer, 0));
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK_EQ(depth[1], -ECANCELED);
    return 0;
}

TEST_PLAIN(the_innermost_of_many_is_found, "R12")
{
    alone(cancel_nested);
}

struct sides {
    roost_scope shielded;
    int in, out, behind;
};

static int open_both(void *arg)
{
    struct sides *v = arg;
    roost_scope_opts opts = {.flags = ROOST_SHIELD};

    roost_scope_open(&v->shielded, &opts);
    (void)wait_until_cancelled(&v->behind);
    return roost_scope_close(&v->shielded, 0);
}

static int cancel_one_side(void *arg)
{
    struct sides v = {.in = 1, .out = 1, .behind = 1};
    roost_shield shield;
    roost_scope outer, s;

    (void)arg;
    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, wait_until_cancelled, &v.in), 0);
    CHECK_EQ(roost_spawn(&s, open_both, &v), 0);
    CHECK_EQ(roost_spawn(&outer, wait_until_cancelled, &v.out), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_scope_cancel(&s, 0));
    roost_shield_begin(&shield);
    CHECK_EQ(roost_settle(), 0);
    roost_shield_end(&shield);
    CHECK_EQ(v.in, -ECANCELED);
    CHECK_EQ(v.behind, 1);
    CHECK_EQ(v.out, 1);
    CHECK(roost_scope_cancel(&v.shielded, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(v.behind, -ECANCELED);
    CHECK_EQ(v.out, 1);
    CHECK(roost_scope_cancel(&outer, 0));
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK_EQ(v.out, -ECANCELED);
    return 0;
}

TEST_PLAIN(who_stands_beside_or_behind_a_shield_is_not_told, "R12 R17")
{
    alone(cancel_one_side);
}

/* One that waits inside its roost_shield_begin, in a scope that it has opened
 * there; another one it had opened before. */
struct stretch {
    roost_scope before, inside;
    int rc;
};

static int wait_in_stretch(void *arg)
{
    struct stretch *v = arg;
    roost_shield shield;

    roost_scope_open(&v->before, NULL);
    roost_shield_begin(&shield);
    roost_scope_open(&v->inside, NULL);
    (void)wait_until_cancelled(&v->rc);
    CHECK_EQ(roost_scope_close(&v->inside, 0), 0);
    roost_shield_end(&shield);
    CHECK_EQ(roost_sleep(0), -ECANCELED);
    return roost_scope_close(&v->before, 0);
}

static int cancel_around_stretch(void *arg)
{
    struct stretch v = {.rc = 1};
    roost_shield shield;
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, wait_in_stretch, &v), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_scope_cancel(&v.before, 0));
    CHECK(roost_scope_cancel(&s, 0));
    roost_shield_begin(&shield);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(v.rc, 1);
    CHECK(roost_scope_cancel(&v.inside, 0));
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(v.rc, -ECANCELED);
    roost_shield_end(&shield);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    return 0;
}

TEST_PLAIN(inside_a_stretch_only_what_was_opened_there_counts, "R17")
{
    alone(cancel_around_stretch);
}

static int wait_for_event(void *arg)
{
    *(int *)arg = roost_event_wait(&happens);
    return 0;
}

/* Before the cancelled task has run: its wait is decided by then. */
static int cancel_then_set(void *arg)
{
    int rc = 1;
    roost_scope s;

    (void)arg;
    CHECK_EQ(roost_event_init(&happens), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, wait_for_event, &rc), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_event_set(&happens), 0);
    CHECK_EQ(rc, 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(rc, -ECANCELED);
    roost_event_destroy(&happens);
    return 0;
}

TEST_PLAIN(a_cancelled_wait_is_decided_at_once, "R9 R12")
{
    alone(cancel_then_set);
}

/* --- linking --- */

static int link_by_hand(void *arg)
{
    struct scope *current = frame_current()->scope;
    struct frame f, inner;
    struct scope holder, s;

    (void)arg;
    memset(&holder, 0xa5, sizeof holder);
    memset(&s, 0xa5, sizeof s);
    memset(&f, 0xa5, sizeof f);
    memset(&inner, 0xa5, sizeof inner);
    a32_init(&f.linked, 0);
    a32_init(&inner.linked, LINK_DESC);
    CHECK_EQ(scope_init(&holder, current, NULL, NULL), 0);
    a32_init(&holder.flags, S_HOLDER);
    CHECK_EQ(scope_init(&s, &holder, &f, NULL), 0);
    f.target = &holder;
    inner.target = &s;
    /* All that is outside of it comes along. */
    cancel_link(&inner);
    CHECK_EQ(scope_flags(&holder), S_HOLDER | S_FULL);
    CHECK_EQ(scope_flags(&s), S_FULL | S_ATTACHED);
    CHECK_EQ(a32_load(&f.linked, RELAXED), LINK_FOUND);
    CHECK_EQ(a32_load(&inner.linked, RELAXED), LINK_FOUND | LINK_DESC);
    CHECK(holder.tasks.next == &f.link && f.link.next == &holder.tasks);
    CHECK(f.scopes.next == &s.attach && s.attach.next == &f.scopes);
    CHECK(s.tasks.next == &inner.link && inner.link.next == &s.tasks);
    CHECK(list_empty(&inner.scopes));
    CHECK_EQ(a32_load(&inner.waiter.state, RELAXED), WAIT_IDLE);
    CHECK(inner.waiter.next == NULL && inner.waiter.timer.owner == NULL);
    /* Once; and then without the lock that all have in common. */
    taken = 0;
    cancel_link(&f);
    cancel_attach(&s);
    CHECK_EQ(taken, 0);
    CHECK(holder.tasks.next == &f.link && f.link.next == &holder.tasks);
    CHECK(f.scopes.next == &s.attach);
    cancel_unlink(&inner);
    CHECK(list_empty(&s.tasks) && !list_linked(&inner.link));
    cancel_detach(&s);
    CHECK(list_empty(&f.scopes) && !list_linked(&s.attach));
    cancel_unlink(&f);
    CHECK(list_empty(&holder.tasks));
    CHECK(!((scope_flags(&holder) | scope_flags(&s)) & S_LOCK));
    /* A holder that nobody has looked at yet. */
    a32_init(&holder.flags, S_HOLDER);
    memset(&holder.tasks, 0, sizeof holder.tasks);
    a32_init(&f.linked, 0);
    cancel_link(&f);
    CHECK_EQ(scope_flags(&holder), S_HOLDER | S_FULL);
    CHECK(holder.tasks.next == &f.link);
    return 0;
}

TEST_PLAIN(a_task_is_linked_once_with_all_around_it, "R12")
{
    alone(link_by_hand);
}

/* --- hooks --- */

static void count_call(void *arg)
{
    *(int *)arg += 1;
}

static int open_with_hook(void *arg)
{
    int *calls = arg;
    roost_hook hook;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &hook, count_call, &calls[0]), 0);
    CHECK_EQ(roost_sleep(3600 * ROOST_S), -ECANCELED);
    CHECK_EQ(calls[0], 1);
    return roost_scope_close(&s, -ECANCELED);
}

static int cancel_hooks(void *arg)
{
    int calls[2] = {0, 0};
    roost_hook hook;
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &hook, count_call, &calls[1]), 0);
    CHECK_EQ(roost_spawn(&s, open_with_hook, calls), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(calls[0], 1); /* at once, by who cancels */
    CHECK_EQ(calls[1], 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(calls[0], 1);
    CHECK_EQ(calls[1], 1);
    return 0;
}

TEST_PLAIN(hooks_inside_are_called_at_once, "R22")
{
    alone(cancel_hooks);
}

/* --- a swing --- */

struct swung {
    roost_scope *target;
    bool cancel_target, cancel_caller; /* just before it is up */
    int started, waiter, poller, polls;
    uint64_t epoch; /* how often it was raised by the swing */
    unsigned walks;
    uint32_t caller_flags; /* after it */
    roost_scope *caller;
    bool moved;
};

static int poll_until_cancelled(void *arg)
{
    struct swung *v = arg;

    while (v->started == 1 || v->polls == 0) {
        v->polls++;
        v->poller = roost_yield();
    }
    v->poller = roost_yield();
    return v->poller;
}

static bool stands_with(struct scope *s, struct frame *owner)
{
    struct list *at;

    for (at = owner->scopes.next; at != &owner->scopes; at = at->next) {
        if (at == &s->attach) {
            return true;
        }
    }
    return false;
}

/* In a relay; what it has spawned before it is up goes along. */
static int come_up(void *arg)
{
    const roost_task_opts service = {.flags = ROOST_SERVICE};
    struct swung *v = arg;
    struct runtime *rt = runtime_self();
    struct scope *relay = frame_current()->target;
    roost_scope s;
    uint64_t epoch;
    unsigned before;

    CHECK_EQ(roost_spawn_opts(roost_scope_current(), wait_until_cancelled,
                              &v->waiter, &service),
             0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, poll_until_cancelled, v), 0);
    while (v->polls < 2) {
        (void)roost_yield();
    }
    if (v->cancel_target) {
        CHECK(roost_scope_cancel(v->target, 0));
    }
    if (v->cancel_caller) {
        CHECK(roost_scope_cancel(v->caller, 0));
    }
    epoch = a64_load(&rt->epoch, RELAXED);
    before = walks;
    v->started = roost_started(NULL);
    v->walks = walks - before;
    v->epoch = a64_load(&rt->epoch, RELAXED) - epoch;
    v->caller_flags = scope_flags(scope_of(v->caller));
    v->moved = relay->rare->services->owner == relay->owner &&
               stands_with(relay->rare->services, relay->owner) &&
               stands_with(relay, relay->owner);
    return roost_scope_close(&s, 0);
}

/* The caller does not see what becomes of the target. */
static int swing(struct swung *v)
{
    roost_scope_opts shield = {.flags = ROOST_SHIELD};
    roost_scope target, current;
    int rc;

    roost_scope_open(&target, NULL);
    roost_scope_open(&current, &shield);
    v->target = &target;
    v->caller = &current;
    v->started = v->waiter = 1;
    rc = roost_spawn_started(&target, come_up, v, NULL, NULL);
    CHECK_EQ(roost_scope_close(&current, 0), 0);
    CHECK_EQ(roost_scope_close(&target, 0), 0);
    return rc;
}

static int swing_well(void *arg)
{
    struct swung v = {0};

    (void)arg;
    CHECK_EQ(swing(&v), 0);
    CHECK_EQ(v.started, 0);
    CHECK(v.moved);
    CHECK_EQ(v.epoch, 1);
    CHECK_EQ(v.walks, 0);
    CHECK_EQ(v.poller, 0);
    CHECK_EQ(v.waiter, -ECANCELED); /* a service of what has ended */
    return 0;
}

TEST_PLAIN(a_swing_takes_along_what_stands_beside, "R34")
{
    alone(swing_well);
}

static int swing_under_a_cancel(void *arg)
{
    struct swung v = {.cancel_target = true};

    (void)arg;
    CHECK_EQ(swing(&v), 0);
    CHECK_EQ(v.started, 0);
    CHECK(v.moved);
    CHECK_EQ(v.epoch, 1);
    CHECK_EQ(v.walks, 1);
    CHECK_EQ(v.poller, -ECANCELED);
    CHECK_EQ(v.waiter, -ECANCELED);
    return 0;
}

TEST_PLAIN(a_swing_into_what_is_cancelled_cancels, "R12 R34")
{
    alone(swing_under_a_cancel);
}

static int swing_of_cancelled(void *arg)
{
    struct swung v = {.cancel_caller = true};

    (void)arg;
    CHECK_EQ(swing(&v), -ECANCELED);
    CHECK_EQ(v.started, -ECANCELED);
    CHECK(v.caller_flags & S_CANCELLED);
    CHECK(!(v.caller_flags & S_DELIVERED));
    CHECK_EQ(v.epoch, 0);
    CHECK_EQ(v.walks, 0);
    CHECK_EQ(v.waiter, -ECANCELED);
    CHECK_EQ(v.poller, -ECANCELED);
    return 0;
}

TEST_PLAIN(who_is_cancelled_does_not_swing, "R34")
{
    alone(swing_of_cancelled);
}
