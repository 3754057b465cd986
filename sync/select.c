/*
 * select.c - waiting for the first of several things.
 *
 * WHAT    Of the cases that could happen exactly one does.
 * MODEL   All objects are locked, in the order of their addresses. Under these
 *         locks the cases are looked at; is one ready, it is done there and
 *         then. If not, one clause for each goes into the queues, all with the
 *         same waiter, and the locks are given up. Whoever completes one of
 *         them wins the waiter's word by its swap, so that no second one can
 *         (R49); the woken task then takes the other clauses out.
 *           lock all -> look -> ready: do it -> unlock all -> wake
 *                         `---> enter all -> unlock all -> wait -> leave all
 * INVARIANTS
 *   - It never pairs with itself: it looks before it stands in any queue.
 *   - Two selects on each other's channels cannot block each other: both lock
 *     in the same order, and none holds a lock while it waits.
 *   - Fair: uniformly random among the ready, counted under the locks.
 *   - Once a case has happened nothing of the select stands in the queues of
 *     its object, in however many cases that is: queue_win (R67).
 * COST    60 ns with two cases, one ready; a case more: 20 ns. From 17 on an
 *         allocation.
 * REJECTED  Trying case by case and queueing one by one (an object might become
 *         ready behind its back: completion would have to be undone); a lock
 *         for all selects (it would serialise them).
 */
#include "select.h"

#include "base/alloc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FEW 16 /* cases that need no allocation */

const struct select_ops *const select_kinds[SELECT_KINDS] = {
    [SELECT_RECV] = &select_recv,   [SELECT_SEND] = &select_send,
    [SELECT_EVENT] = &select_event, [SELECT_SEM] = &select_sem,
    [SELECT_LATCH] = &select_latch, [SELECT_TASK] = &select_task,
    [SELECT_FD] = &select_fd,
};

/* An object of some of the cases. */
struct target {
    void *object;
    const struct select_ops *ops; /* for lock and unlock */
    struct clause *last;          /* the last that stands in its queues */
};

/* One call. */
struct select {
    roost_case *cases;
    size_t n;
    struct clause *clauses; /* one a case */
    struct target *targets; /* distinct ones, by address */
    size_t targets_n;
    roost_ns until; /* the earliest roost_on_time */
    bool ordered;
};

static const struct select_ops *ops_of(const roost_case *c)
{
    return select_kinds[c->kind_];
}

static int compare(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)((const struct target *)a)->object;
    uintptr_t y = (uintptr_t)((const struct target *)b)->object;

    return x < y ? -1 : x > y;
}

/* Into its place among the first `kept`, unless it is there. */
static size_t insert(struct target *targets, size_t kept, struct target t)
{
    size_t at = kept;

    /* recheck: R49 */
    while (at > 0 && (uintptr_t)targets[at - 1].object > (uintptr_t)t.object) {
        at--;
    }
    if (at > 0 && targets[at - 1].object == t.object) { /* recheck: R49 */
        return kept;
    }
    memmove(&targets[at + 1], &targets[at], (kept - at) * sizeof(*targets));
    targets[at] = t;
    return kept + 1;
}

/* Which objects there are, in the order of their addresses. */
static void find_targets(struct select *s)
{
    size_t i, found = 0;

    for (i = 0; i < s->n; i++) {
        roost_case *c = &s->cases[i];

        if (ops_of(c) != NULL) {
            s->targets[found++] = (struct target){c->object_, ops_of(c), NULL};
        } else if (c->kind_ == SELECT_TIME && (roost_ns)c->number_ < s->until) {
            s->until = (roost_ns)c->number_;
        }
    }
    if (found > FEW) { /* a few are quicker by insertion alone */
        qsort(s->targets, found, sizeof(*s->targets), compare);
    }
    s->targets_n = 0;
    for (i = 0; i < found; i++) {
        s->targets_n = insert(s->targets, s->targets_n, s->targets[i]);
    }
}

static void lock_all(const struct select *s)
{
    size_t i;

    for (i = 0; i < s->targets_n; i++) {
        s->targets[i].ops->lock(s->targets[i].object);
    }
}

static void unlock_all(const struct select *s)
{
    size_t i;

    for (i = 0; i < s->targets_n; i++) {
        s->targets[i].ops->unlock(s->targets[i].object);
    }
}

static bool is_ready(const roost_case *c, roost_ns now)
{
    if (c->kind_ == SELECT_TIME) {
        return (roost_ns)c->number_ <= now;
    }
    return ops_of(c) != NULL && ops_of(c)->ready(c);
}

/* Under the locks. True: it has happened. */
static bool attempt(roost_case *c, struct wakes *k)
{
    c->status = 0;
    return c->kind_ == SELECT_TIME || ops_of(c)->attempt(c, k);
}

/* The index of the which-th that is ready (from 0 on), or how many are. */
static size_t nth_ready(const struct select *s, size_t which, roost_ns now)
{
    size_t ready = 0;
    size_t i;

    for (i = 0; i < s->n; i++) {
        if (is_ready(&s->cases[i], now) && ready++ == which) {
            return i;
        }
    }
    return ready;
}

/* Under the locks: the index of a case that is done, or -EAGAIN. */
static int look(const struct select *s, struct wakes *k)
{
    roost_ns now = s->until == ROOST_NEVER ? 0 : wait_now();
    size_t ready;

    /* Whoever was ready may have been cancelled since: then look again. */
    while ((ready = nth_ready(s, SIZE_MAX, now)) > 0) {
        size_t which = s->ordered ? 0 : wait_random((uint32_t)ready);
        size_t i = nth_ready(s, which, now);

        /* If fewer are ready now, i is how many: less than there were. */
        if (is_ready(&s->cases[i], now) && attempt(&s->cases[i], k)) {
            return (int)i;
        }
    }
    return -EAGAIN;
}

static struct target *target_of(const struct select *s, const void *object)
{
    size_t low = 0, high = s->targets_n;

    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;

        if ((uintptr_t)s->targets[mid].object > (uintptr_t)object) {
            high = mid;
        } else {
            low = mid;
        }
    }
    return &s->targets[low];
}

/* Under the locks: the clause of case i, in a ring with the others on that
 * object. */
static void enter(const struct select *s, size_t i, struct waiter *w)
{
    const roost_case *c = &s->cases[i];
    struct target *t = target_of(s, c->object_);
    struct clause *clause = &s->clauses[i];

    clause->waiter = w;
    clause->index = (uint32_t)i;
    ops_of(c)->enter(c, clause);
    clause->twin = NULL;
    if (t->last != NULL) {
        clause->twin = t->last->twin != NULL ? t->last->twin : t->last;
        t->last->twin = clause;
    }
    t->last = clause;
}

/* Under the locks. */
static struct waiter *enter_all(const struct select *s)
{
    struct waiter *w = wait_begin("select", s->cases, 0);
    size_t i;

    for (i = 0; i < s->n; i++) {
        if (ops_of(&s->cases[i]) != NULL) {
            enter(s, i, w);
        }
    }
    return w;
}

/* Without locks: take out what nobody has. What stood on `gone` is out already,
 * and it may be no more: whoever completed a case on it may have freed it
 * (R67). */
static void leave_all(const struct select *s, const void *gone)
{
    struct wakes wakes = wakes_none();
    size_t i;

    for (i = 0; i < s->n; i++) {
        roost_case *c = &s->cases[i];

        if (ops_of(c) != NULL && c->object_ != gone) { /* recheck-true: R67 */
            ops_of(c)->lock(c->object_);
            ops_of(c)->leave(c, &s->clauses[i], &wakes);
            ops_of(c)->unlock(c->object_);
        }
    }
    wakes_run(&wakes);
}

/* The wait was completed. -EAGAIN: for nothing. */
static int completed(const struct select *s, uint32_t result)
{
    uint32_t i = result & QUEUE_INDEX;
    uint32_t how = result & ~(uint32_t)QUEUE_INDEX;
    roost_case *c = &s->cases[i];

    c->status = how & QUEUE_CLOSED ? -EPIPE : 0;
    if (ops_of(c)->outcome != NULL) {
        c->status = ops_of(c)->outcome(c, how);
    }
    return c->status == -EAGAIN ? -EAGAIN : (int)i;
}

/* Its time has come: whose? */
static int timed_out(const struct select *s)
{
    size_t i;

    for (i = 0; i < s->n && s->until <= wait_now(); i++) {
        roost_case *c = &s->cases[i];

        if (c->kind_ == SELECT_TIME && (roost_ns)c->number_ == s->until) {
            c->status = 0;
            return (int)i;
        }
    }
    return -ETIMEDOUT;
}

/* With storage for s->n. -EAGAIN: nothing is ready, or what was proved not to
 * be. */
static int run_once(struct select *s, roost_ns deadline, bool try_only)
{
    struct wakes wakes = wakes_none();
    struct waiter *w;
    int rc;

    find_targets(s);
    lock_all(s);
    rc = look(s, &wakes);
    if (rc >= 0 || try_only) {
        unlock_all(s); /* swap: R67 */
        wakes_run(&wakes);
        if (!try_only) {
            wait_ready();
        }
        return rc;
    }
    w = enter_all(s);
    unlock_all(s);
    rc = wait_commit(w, deadline < s->until ? deadline : s->until);
    if (rc == 0) {
        uint32_t result = wait_result(w);

        leave_all(s, s->cases[result & QUEUE_INDEX].object_);
        return completed(s, result);
    }
    leave_all(s, NULL); /* recheck: R3 */
    return rc == -ETIMEDOUT ? timed_out(s) : rc;
}

static int run(struct select *s, roost_ns deadline, bool try_only)
{
    int rc;

    do {
        rc = run_once(s, deadline, try_only);
    } while (rc == -EAGAIN && !try_only);
    return rc;
}

static int run_many(struct select *s, roost_ns deadline, bool try_only)
{
    size_t clauses = s->n * sizeof(*s->clauses);
    char *room = alloc_bytes(clauses + s->n * sizeof(*s->targets));
    int rc;

    if (room == NULL) {
        return -ENOMEM;
    }
    s->clauses = (struct clause *)(void *)room;
    s->targets = (struct target *)(void *)(room + clauses);
    memset(s->clauses, 0, clauses);
    rc = run(s, deadline, try_only);
    alloc_free(room);
    return rc;
}

static int check(const roost_case *cases, size_t n)
{
    size_t i;

    if ((cases == NULL && n > 0) || n > QUEUE_INDEX) {
        return -EINVAL;
    }
    for (i = 0; i < n; i++) {
        if (cases[i].kind_ >= SELECT_INVALID) {
            return -EINVAL;
        }
    }
    return 0;
}

static int select_it(struct select *s, roost_ns deadline, bool try_only)
{
    struct clause clauses[FEW];
    struct target targets[FEW];
    size_t i;

    s->until = ROOST_NEVER;
    if (s->n > FEW) {
        return run_many(s, deadline, try_only);
    }
    for (i = 0; i < s->n; i++) {
        clauses[i].link.next = NULL;
    }
    s->clauses = clauses;
    s->targets = targets;
    /* NOLINTNEXTLINE(clang-analyzer-core.StackAddressEscape): s ends with it */
    return run(s, deadline, try_only);
}

int roost_select_until(roost_case *cases, size_t n, roost_ns deadline)
{
    struct select s = {.cases = cases, .n = n};
    int rc = check(cases, n);

    rc = rc != 0 ? rc : wait_enter();
    return rc != 0 ? rc : select_it(&s, deadline, false);
}

int roost_select(roost_case *cases, size_t n)
{
    return roost_select_until(cases, n, ROOST_NEVER);
}

int roost_select_ordered_until(roost_case *cases, size_t n, roost_ns deadline)
{
    struct select s = {.cases = cases, .n = n, .ordered = true};
    int rc = check(cases, n);

    rc = rc != 0 ? rc : wait_enter();
    return rc != 0 ? rc : select_it(&s, deadline, false);
}

int roost_select_ordered(roost_case *cases, size_t n)
{
    return roost_select_ordered_until(cases, n, ROOST_NEVER);
}

int roost_try_select(roost_case *cases, size_t n)
{
    struct select s = {.cases = cases, .n = n};

    if (wait_check() != 0 || check(cases, n) != 0) {
        return -EINVAL;
    }
    return select_it(&s, 0, true);
}

roost_case roost_on_time(roost_ns t)
{
    return select_case(SELECT_TIME, NULL, NULL, (uint64_t)t);
}
