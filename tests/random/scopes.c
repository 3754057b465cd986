/*
 * scopes.c - operations on scopes: opening and closing, cancels, deadlines,
 * hooks, holds, links, and what a task does for itself.
 */
#include "world.h"

/* --- opening and closing --- */

/* What the close must have recorded, against the tree that it left. */
static void judge_tree(struct place *p, unsigned at, int rc)
{
    roost_errors *e = roost_errors_take();

    if (!p->failed.inexact && p->failed.count > 0 && faults_hit() == 0 &&
        p->cancel_status == 0) {
        hold(e != NULL, (int)at, "failures, and no tree");
        hold(roost_errors_count(e, 0) == p->failed.count, (int)at,
             "the tree has not as many leaves as there were failures");
    }
    for (unsigned i = 0; i < p->failed.count && e != NULL; i++) {
        int status = p->failed.status[i];
        size_t n = roost_errors_count(e, status);

        hold(n > 0 || faults_hit() > 0, (int)at,
             "a failure is not in the tree");
        hold(n < 2 || status > ROOST_USER(0), (int)at,
             "a failure is twice in the tree");
    }
    hold(e == NULL || roost_errors_raise(e) == rc, (int)at,
         "the tree has another status than close");
}

/* The first failure makes the status. With several workers another may be put
 * on record first: between a function's end and that a worker can lose its
 * turn. */
static bool failed_rightly(const struct place *p, int rc)
{
    unsigned n = program_workers(world->p) == 1 ? 1 : p->failed.count;
    bool is = p->failed.inexact;

    for (unsigned i = 0; i < n; i++) {
        is = is || rc == p->failed.status[i];
    }
    return is;
}

/* The status of a close that no failure has made. */
static void judge_quiet(struct place *p, unsigned at, int rc, int body)
{
    if (rc == body && (p->flags & ROOST_SUPERVISE)) {
        return; /* even an absorbed -ECANCELED: R41 */
    }
    if (rc == -ECANCELED) {
        hold(roost_cancelled(), (int)at,
             "close gave -ECANCELED, and it is not cancelled");
    } else if (rc == -ETIMEDOUT && body != rc) {
        hold(p->timed && roost_scope_expired(&p->scope), (int)at,
             "close gave -ETIMEDOUT, and it has not expired");
        hold(!(p->flags & ROOST_MOVE_ON), (int)at, "and it was to move on");
    } else if (rc < 0) {
        hold(rc == p->cancel_status || rc == body ||
                 (rc == -ENOMEM && program_has_faults(world->p)),
             (int)at, "close gave a status that nobody has given");
    } else {
        hold(p->cancel_status == 0, (int)at,
             "cancelled with a failure, and close gave none");
    }
}

/* Children that were accepted, and never run: under ROOST_SKIP alone. */
static unsigned skipped(const struct place *p)
{
    unsigned n = 0;

    for (unsigned i = 0; i < world->starts_used; i++) {
        const struct start *st = &world->starts[i];

        n += st->place == p && st->can_be_skipped && st->state == START_NEW;
    }
    return n;
}

static void judge_close(struct place *p, unsigned at, int rc, int body)
{
    hold(p->alive == (p->flags & ROOST_SKIP ? skipped(p) : 0), (int)at,
         "a child outlives its scope");
    hold(p->deferred == 0, (int)at, "a deferred call was not made");
    if (faults_hit() > 0 || rc == -ENOMEM) {
        hold(program_has_faults(world->p), (int)at, "-ENOMEM, and there is");
        return;
    }
    if (p->raced) {
        hold(rc == p->winner || (rc >= 0 && program_workers(world->p) > 1),
             (int)at, "a race gave another than its winner");
    } else if (p->flags & ROOST_RACE) {
        hold(rc <= 0, (int)at, "a race without a winner has one");
    } else if (p->failed.count > 0) {
        hold(failed_rightly(p, rc), (int)at,
             "close did not give the first failure");
    } else if (!p->failed.inexact) {
        judge_quiet(p, at, rc, body);
    }
}

/* Its storage may become another scope's. */
static void forget(const struct place *p)
{
    for (unsigned i = 0; i < world->starts_used; i++) {
        if (world->starts[i].place == p) {
            world->starts[i].place = NULL;
        }
    }
}

static void judge_hooks(const struct task *t, const struct place *p,
                        unsigned at)
{
    roost_reason why;
    bool is = roost_scope_reason(NULL, &why) == 0;

    for (unsigned i = 0; i < HOOKS; i++) {
        const struct hook *h = &p->hooks[i];

        if (h->used && !h->removed) {
            hold(h->ran <= 1, (int)at, "a hook ran twice");
            /* A soft cancel has its reason at once, and reaches a ROOST_FINISH
             * scope later. */
            hold(h->ran == 1 || !is || world->softly, (int)at,
                 "cancelled, and a hook did not run");
            hold(h->ran == 0 || is || t->shields > 0 || roost_cancelled(),
                 (int)at, "a hook ran without a cancel");
        }
    }
}

int place_close(struct task *t, struct place *p, unsigned at, int body)
{
    int rc;

    if (body < 0) {
        struct leaves leaves;

        leaves_of(t, body, &leaves);
        leaves_join(&p->failed, &leaves);
    }
    rc = roost_scope_close(&p->scope, body);
    t->scope = p->outer;
    judge_close(p, at, rc, body);
    forget(p);
    judge_hooks(t, p, at);
    t->kept_status = 0;
    t->kept.count = 0;
    if (rc < 0) {
        judge_tree(p, at, rc);
        t->kept_status = rc;
        t->kept = p->failed;
        if (p->cancel_status != 0 || (p->flags & ROOST_RACE)) {
            t->kept.inexact = true;
        }
        if (t->kept.count == 0 && rc != -ECANCELED) {
            leaves_add(&t->kept, rc);
        }
    }
    return rc;
}

int op_scope(struct task *t, unsigned at)
{
    static const roost_ns timeouts[] = {0, 0, 0, 1, 2, 3, 5, 8};
    const struct op *o = op_at(at);
    struct place p;
    roost_scope_opts opts = {
        .flags = program_scope_flags(o),
        .timeout = timeouts[o->b % 8] * ROOST_MS,
        .limit = o->c % 4,
        .name = o->c % 4 == 3 ? "named" : NULL,
    };
    void *local[KEYS];
    int rc;

    if (t->plain) {
        return 0;
    }
    memset(&p, 0, sizeof(p));
    memcpy(local, t->local, sizeof(local));
    p.outer = t->scope;
    p.opener = t;
    p.flags = opts.flags;
    p.limit = opts.limit;
    p.timed = opts.timeout != 0;
    roost_scope_open(&p.scope, o->a % 12 == 0 && opts.timeout == 0 &&
                                       opts.limit == 0 && opts.flags == 0
                                   ? NULL
                                   : &opts);
    t->scope = &p;
    t->shields += opts.flags & ROOST_SHIELD;
    rc = place_close(t, &p, at, run_body(t, at));
    t->shields -= opts.flags & ROOST_SHIELD;
    memcpy(t->local, local, sizeof(local));
    if (rc >= 0 || rc == -EINVAL || (rc == -ECANCELED && !roost_cancelled())) {
        return 0;
    }
    return rc != -ECANCELED && o->c & 64 ? 0 : rc;
}

int op_shield(struct task *t, unsigned at)
{
    roost_shield shield;
    int rc;

    if (t->plain) {
        return 0;
    }
    roost_shield_begin(&shield);
    t->shields++;
    t->stretches++;
    rc = run_body(t, at);
    t->stretches--;
    t->shields--;
    roost_shield_end(&shield);
    return rc == -ECANCELED && !roost_cancelled() ? 0 : rc;
}

int op_repeat(struct task *t, unsigned at)
{
    int rc = 0;

    for (unsigned i = 0; i < 1u + op_at(at)->a % 3 && rc == 0; i++) {
        rc = run_body(t, at);
    }
    return rc;
}

int op_hold(struct task *t, unsigned at)
{
    struct place *p = place_up(t, op_at(at)->a % 4);
    int rc;

    if (p == NULL) {
        return 0;
    }
    rc = roost_scope_hold(&p->scope);
    hold(rc == 0, (int)at, "a hold was refused inside of its scope");
    rc = run_body(t, at);
    roost_scope_release(&p->scope);
    return rc;
}

/* --- failing and cancelling --- */

int op_fail(struct task *t, unsigned at)
{
    const struct op *o = op_at(at);
    int status = new_failure();

    if (status == 0) {
        return 0;
    }
    t->kept_status = 0;
    t->kept.count = 0;
    if (o->a % 4 == 0 && !t->plain && t->scope != NULL &&
        t->scope->opener == t) {
        leaves_add(&t->scope->failed, status);
        return roost_scope_fail(&t->scope->scope, status) == status ? 0 : -EIO;
    }
    return o->a % 4 == 1 ? status : roost_fail(status, "number %d", status);
}

int op_cancel(struct task *t, unsigned at)
{
    const struct op *o = op_at(at);
    struct place *p = place_up(t, o->a % 4);
    int status = o->b % 4 == 1 ? new_failure() : o->b % 4 == 2 ? 5 : 0;
    bool first;

    if (p == NULL) {
        return 0;
    }
    first = roost_scope_cancel(&p->scope, status);
    hold(!first || !p->cancelled, (int)at, "two cancels were the first");
    hold(!roost_scope_cancel(&p->scope, 0), (int)at, "a second one was first");
    p->cancelled = true;
    if (first && status < 0) {
        p->cancel_status = status;
    }
    return 0;
}

int op_soft(struct task *t, unsigned at)
{
    const struct op *o = op_at(at);
    struct place *p = place_up(t, o->a % 4);

    if (p != NULL) {
        world->softly = true;
        note(roost_scope_cancel_soft(&p->scope, o->b % 4 * ROOST_MS));
    }
    return 0;
}

int op_deadline(struct task *t, unsigned at)
{
    const struct op *o = op_at(at);
    struct place *p = place_up(t, o->a % 4);

    if (p != NULL) {
        p->timed = true;
        roost_scope_set_deadline(&p->scope, await_deadline(t, o));
    }
    return 0;
}

int op_link(struct task *t, unsigned at)
{
    struct place *p = place_up(t, op_at(at)->a % 4);
    struct place *source = place_up(t, op_at(at)->b % 4);
    int rc;

    if (p == NULL) {
        return 0;
    }
    rc = roost_scope_link(&p->scope, &source->scope);
    hold(p == source
             ? rc == -EINVAL
             : rc == 0 || (rc == -ENOMEM && program_has_faults(world->p)),
         (int)at, "a link was refused, or was not");
    return 0;
}

/* --- hooks --- */

static void run_hook(void *arg)
{
    struct hook *h = arg;

    h->ran++;
    hold(roost_yield() == -EPERM, -1, "a hook may wait");
    hold(roost_event_is_set(&world->event[0]) == world->is_set[0], -1,
         "an event is not as it was set");
}

int op_hook(struct task *t, unsigned at)
{
    struct place *p = place_up(t, 0);
    struct hook *h = p == NULL ? NULL : &p->hooks[op_at(at)->a % HOOKS];
    int rc;

    if (h == NULL || h->used || p->opener != t) {
        return 0;
    }
    h->used = true;
    rc = roost_scope_on_cancel(&p->scope, &h->hook, run_hook, h);
    hold(rc == 0 || (rc == 1 && h->ran == 1), (int)at, "on_cancel's status");
    return 0;
}

int op_unhook(struct task *t, unsigned at)
{
    struct place *p = place_up(t, 0);
    struct hook *h = p == NULL ? NULL : &p->hooks[op_at(at)->a % HOOKS];
    bool prevented;

    if (h == NULL || !h->used || h->removed || p->opener != t) {
        return 0;
    }
    h->removed = true;
    prevented = roost_hook_remove(&h->hook);
    hold(h->ran == (prevented ? 0 : 1), (int)at,
         "a hook was removed and ran, or neither");
    return 0;
}

static int run_deferred(void *arg)
{
    struct hook *h = arg;
    struct place *p = h->place;

    h->ran++;
    hold(h->ran == 1, -1, "a deferred call was made twice");
    hold(p->alive == (p->flags & ROOST_SKIP ? skipped(p) : 0), -1,
         "a deferred call before a child's end");
    p->deferred--;
    hold(h == &p->defers[p->deferred], -1, "deferred calls out of order");
    if (h->status == 0) {
        hold(roost_sleep(ROOST_MS) == 0, -1, "a deferred call was cancelled");
        return 0;
    }
    leaves_add(&p->failed, h->status);
    return h->status;
}

int op_defer(struct task *t, unsigned at)
{
    struct place *p = place_up(t, 0);
    unsigned n = p == NULL ? 0 : p->deferred;
    struct hook *h;

    if (p == NULL || p->opener != t || n == HOOKS) {
        return 0;
    }
    h = &p->defers[n];
    h->used = true;
    h->place = p;
    h->status = op_at(at)->a % 4 == 0 ? new_failure() : 0;
    p->deferred++;
    roost_scope_defer(&p->scope, &h->hook, run_deferred, h);
    return 0;
}

/* --- what a task does for itself --- */

int op_join_all(struct task *t, unsigned at)
{
    struct place *p = place_up(t, 0);
    int rc;

    if (p == NULL) {
        return 0;
    }
    rc = roost_scope_join(&p->scope);
    if (p->opener != t) {
        hold(rc == -EPERM, (int)at, "joined another's scope");
        return 0;
    }
    return await_over(t, at, rc, ROOST_NEVER);
}

int op_yield(struct task *t, unsigned at)
{
    unsigned way = op_at(at)->a % 3;

    if (t->plain) {
        hold(roost_yield() == -EPERM, (int)at, "a plain thread yields");
        return 0;
    }
    if (way == 2) {
        return roost_cancelled() && !(op_at(at)->c & 128) ? -ECANCELED : 0;
    }
    return await_over(t, at, way == 0 ? roost_yield() : roost_checkpoint(),
                      ROOST_NEVER);
}

int op_sleep(struct task *t, unsigned at)
{
    roost_ns until = await_deadline(t, op_at(at));
    roost_ns begun = roost_now();
    int rc = roost_sleep_until(until);
    roost_ns now = roost_now();

    if (rc == 0) {
        hold(now >= until, (int)at, "it slept too short");
        hold(until <= begun ? now == begun : now == until, (int)at,
             "it slept too long");
    }
    return await_over(t, at, rc, ROOST_NEVER);
}

int op_settle(struct task *t, unsigned at)
{
    int rc;

    if (t->plain) {
        return 0;
    }
    rc = roost_settle();
    world->settled++;
    return await_over(t, at, rc, ROOST_NEVER);
}

int op_bind(struct task *t, unsigned at)
{
    unsigned key = op_at(at)->a % KEYS;
    struct place *p = place_up(t, 0);
    void *value;
    int rc;

    if (p == NULL) {
        return 0;
    }
    value = (void *)(uintptr_t)op_at(at);
    rc = roost_local_bind(&p->scope, &world_keys[key], value);
    if (p->opener != t) {
        hold(rc == -EPERM, (int)at, "bound in another's scope");
    } else if (rc == 0) {
        t->local[key] = value;
    } else {
        hold(rc == -ENOMEM && program_has_faults(world->p), (int)at,
             "a binding was refused");
    }
    return 0;
}

int op_local(struct task *t, unsigned at)
{
    unsigned key = op_at(at)->a % KEYS;

    hold(roost_local_get(&world_keys[key]) == t->local[key], (int)at,
         "a local has another value than it had at the spawn");
    return 0;
}

int op_ask(struct task *t, unsigned at)
{
    struct place *p = place_up(t, op_at(at)->a % 4);
    roost_reason why;
    roost_ns deadline;
    int rc;

    if (p == NULL) {
        return 0;
    }
    deadline = roost_scope_deadline(&p->scope);
    rc = roost_scope_reason(&p->scope, &why);
    hold(rc == 0 || rc == -EAGAIN, (int)at, "reason's status");
    hold(rc == 0 || !p->cancelled, (int)at, "cancelled for no reason");
    hold(!p->cancelled || deadline == 0, (int)at, "cancelled, with a deadline");
    hold(p->cancel_status == 0 || why.status == p->cancel_status, (int)at,
         "the reason has another status than the first cancel");
    return 0;
}
