/*
 * started.c - spawn a task and wait until it says that it is up (R34).
 *
 * WHAT    Until it calls roost_started the child belongs to the caller's call:
 *         its failures and the caller's cancel go there. From then on it is a
 *         child of the target, with all that it has opened, in one step.
 * MODEL   The child runs in a relay, a scope of its own from the allocator.
 *         The relay's outer scope is the caller's current one, and a pin on
 *         the target keeps that open. started() swings the relay's outer
 *         pointer to the target (cancel.c, cancel_swing) and turns the pin
 *         into a child. The relay counts the child and what it spawned; whoever
 *         brings that to zero ends it (relay_finish).
 * INVARIANTS
 *   - The call returns only after the swing or after the relay is empty, so
 *     nothing of the caller's is touched later.
 *   - S_FORWARD is set on the relay by the swing: failures after it go to the
 *     target, failures before it stay in the relay.
 * ORDER
 *   C1  (count.h) what the task wrote in the relay before it was counted off,
 *       state too -> whoever ends the relay
 * COST    Two allocations and the hand-overs of a wait.
 */
#include "base/alloc.h"
#include "base/check.h"
#include "base/edge.h"
#include "count.h"
#include "observe/events.h"
#include "runtime.h"
#include "worker.h"
#include <errno.h>

enum { PENDING, STARTED, OVER };

struct relay {
    struct scope scope;    /* the child's target */
    struct scope *target;  /* I */
    a32 state;             /* M: PENDING -> STARTED or OVER */
    struct waiter *caller; /* O before the child runs: waits, deaf */
    void **value;          /* I: in the caller's call, which stands until it
                               is completed; written by started */
    bool detached;         /* O: of who ended it */
    struct scope *next;    /* O: of who ended it: relay_chain */
};

static struct relay *relay_of(struct scope *s)
{
    return container_of(s, struct relay, scope);
}

/* The relay that f was spawned into, NULL if it was not. */
static struct relay *own_relay(struct frame *f)
{
    if (f == NULL || !(f->marks & F_DESC) || !(f->desc->flags & D_RELAY)) {
        return NULL;
    }
    return relay_of(f->target);
}

/* Nothing is left in the relay. Detach it, and come again when the pins that
 * cancellers took before are gone. */
void relay_finish(struct scope *s)
{
    struct relay *r = relay_of(s);
    struct scope *target = r->target;

    if (!r->detached) {
        r->detached = true;
        cancel_detach(s);
    }
    if (count_park(&s->count)) {
        return;
    }
    if (a32_load(&r->state, RELAXED) != STARTED) {
        struct waiter *caller = r->caller;

        roost_check(wait_complete(caller, OVER));
        wait_wake(caller); /* the caller frees it */
        return;
    }
    scope_dispose(s);
    alloc_free(r);
    task_uncount(target, 1);
}

void relay_chain(struct scope *s, struct scope **chain)
{
    relay_of(s)->next = *chain;
    *chain = s;
}

void relay_finish_chain(struct scope *chain)
{
    while (chain != NULL) {
        struct scope *next = relay_of(chain)->next;

        relay_finish(chain);
        chain = next;
    }
}

int roost_started(void *value)
{
    struct frame *f = frame_current();
    struct relay *r = own_relay(f);
    struct waiter *caller;
    struct scope *target;
    struct frame *owner;

    if (registry_forked()) {
        return -EINVAL;
    }
    if (r == NULL) {
        return -EPERM;
    }
    if (a32_load(&r->state, RELAXED) == STARTED) {
        return -EALREADY;
    }
    if (chain_cancelled(r->scope.outer, false)) {
        return -ECANCELED; /* so it stays with its caller, which awaits it */
    }
    target = r->target;
    owner = target->owner != NULL ? target->owner
                                  : chain_runtime(target)->root_frame;
    cancel_attach(target);
    caller = r->caller;
    *r->value = value;
    count_add(&target->count, COUNT_CHILD);
    if (scope_flags(target) & S_RACE) {
        a32_or(&target->flags, S_SPAWNED, RELAXED);
        f->desc->flags |= D_RACER;
    }
    cancel_swing(&r->scope, target, owner);
    f->marks &= ~(uint32_t)F_EPOCH;
    a32_store(&r->state, STARTED, RELAXED);
    scope_unpin(target);
    roost_check(wait_complete(caller, STARTED));
    wait_wake(caller);
    return 0;
}

static struct relay *relay_new(struct scope *target)
{
    struct frame *f = frame_current();
    struct relay *r = alloc_zero(sizeof(*r));

    if (r == NULL) {
        return NULL;
    }
    scope_init(&r->scope, f->scope, f, NULL);
    scope_full(&r->scope);
    a32_or(&r->scope.flags, S_RELAY | S_HIDDEN, RELAXED);
    /* PARKED from the start: whoever makes it zero calls relay_finish. */
    a64_init(&r->scope.count, COUNT_PARKED | COUNT_CHILD);
    a32_init(&r->state, PENDING);
    r->target = target;
    return r;
}

/* The relay has ended without started: what came of it. */
static int failed_start(struct relay *r)
{
    struct frame *f = frame_current();
    struct scope *s = &r->scope;
    int status = -EPROTO;

    if (scope_flags(s) & S_FAILED) {
        status = s->fail_status;
        if (f->marks & F_KEPT) {
            roost_errors_free(f->kept);
        }
        f->kept = s->errors;
        f->marks |= F_KEPT;
        s->errors = NULL;
    } else if (chain_cancelled(f->scope, true)) {
        f->marks |= F_CANCELLED;
        status = -ECANCELED;
    }
    scope_unpin(r->target);
    scope_dispose(s);
    alloc_free(r);
    return status;
}

static int check_call(struct scope *target, roost_fn fn, const void *arg,
                      const roost_task_opts *opts)
{
    int rc;

    if (target == NULL || fn == NULL ||
        (opts != NULL && !task_opts_valid(arg, opts))) {
        return -EINVAL;
    }
    rc = wait_enter();
    if (rc != 0) {
        return rc;
    }
    if (frame_current() == NULL) {
        return -EPERM;
    }
    return scope_closed(target) ? -ESHUTDOWN : 0;
}

static struct task_desc *make_desc(struct relay *r, roost_fn fn, void *arg,
                                   const roost_task_opts *opts)
{
    struct task_desc *d = desc_new(fn, arg, opts == NULL ? 0 : opts->copy);

    if (d == NULL) {
        return NULL;
    }
    d->scope = &r->scope;
    d->flags = D_RELAY;
    if (opts != NULL && desc_options(d, opts) != 0) {
        desc_free(d);
        return NULL;
    }
    d->env = env_hold(frame_current()->env);
    return d;
}

int roost_spawn_started(roost_scope *pub, roost_fn fn, void *arg,
                        const roost_task_opts *opts, void **value)
{
    struct scope *target = scope_of(pub);
    struct relay *r;
    struct task_desc *d;
    struct waiter *wt;
    void *got = NULL;
    int rc = check_call(target, fn, arg, opts);

    if (rc == 0 && opts != NULL && (opts->flags & ROOST_SERVICE)) {
        target = scope_services(target);
        rc = target == NULL ? -ENOMEM : 0;
    }
    if (rc != 0) {
        return rc;
    }
    r = relay_new(target);
    d = r == NULL ? NULL : make_desc(r, fn, arg, opts);
    if (d == NULL) {
        alloc_free(r);
        return -ENOMEM;
    }
    if (d->handle != NULL) {
        handle_begin(d->handle, d);
    }
    count_add(&target->count, COUNT_PIN);
    cancel_attach(&r->scope);
    wt = wait_begin("started", r, WAIT_DEAF);
    r->caller = wt;
    r->value = &got;
    edge_release(d->scope); /* R61: spawn -> start */
    EVENT(spawn(d));
    desc_queue(d);
    wait_commit(wt, ROOST_NEVER);
    if (wait_result(wt) == OVER) {
        return failed_start(r);
    }
    if (value != NULL) {
        *value = got; /* the relay may be gone by now */
    }
    return 0;
}
