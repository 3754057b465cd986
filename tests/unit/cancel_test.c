/*
 * cancel_test.c - sched/cancel.c: whom a cancel looks at, how long it holds a
 * lock, and what it leaves behind.
 *
 * Would catch: a walk where nobody can be inside, or none where somebody is; a
 * lock that is given up though it was not taken, or held over very many tasks;
 * a cancel that is counted twice, nowhere, or for another runtime; one that is
 * taken back after it has happened; a link that is made twice.
 */
#include <pthread.h>

/* What cancel_fixture.h replaces: the linker is told by these lines. */
struct scope;
void __wrap_scope_lock(struct scope *s);
void __wrap_scope_unlock(struct scope *s);
void __wrap_barrier_heavy(void);
int __wrap_pthread_mutex_lock(pthread_mutex_t *m);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *m);

#include "cancel_fixture.h"

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
    struct scope *s;
    struct list *at;
    size_t left = 0;

    (void)arg;
    roost_scope_open(&pub, NULL);
    s = scope_of(&pub);
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
