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
 *         brings that to zero ends it (relay_finish). Services that were put
 *         into it are cancelled then, as at a close; but nobody waits there:
 *         whoever brings their count, or that of pins, to zero goes on with it.
 *           children -> services -> pins of theirs -> its own pins -> over
 *              ^-----------'-----------------------------'   if some come anew
 * INVARIANTS
 *   - The call returns only after the swing or after the relay is empty, so
 *     nothing of the caller's is touched later.
 *   - S_FORWARD is set on the relay by the swing: failures after it go to the
 *     target, failures before it stay in the relay.
 *   - Of the relay's word and its services' at most one is PARKED: there is one
 *     who ends it.
 * ORDER
 *   C1  (count.h) what the task wrote in the relay before it was counted off,
 *       state too -> whoever ends the relay
 * COST    Two allocations and the hand-overs of a wait.
 */
#include "base/alloc.h"
#include "base/check.h"
#include "base/edge.h"
#include "count.h"
#include "handle.h"
#include "observe/events.h"
#include "runtime.h"
#include "worker.h"
#include <errno.h>

enum { PENDING, STARTED, OVER };

struct relay {
    struct scope scope;     /* the child's target */
    struct scope *target;   /* I */
    bool limited;           /* I: it has room in the target's limit */
    a32 state;              /* M: PENDING -> STARTED or OVER */
    struct waiter *caller;  /* O before the child runs: waits, deaf */
    void **value;           /* I: in the caller's call, which stands until it
                               is completed; written by started */
    struct scope *services; /* O: of who ends it: hidden, to be freed */
    bool hidden;            /* O: of who ends it: nobody finds it any more */
    struct scope *next;     /* O: of who ends it: relay_chain */
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

/* Only services are left in r: end them. False: it is not over, and whoever
 * ends it then comes again. */
static bool end_services(struct relay *r)
{
    struct scope *s = &r->scope;

    if (r->services == NULL) {
        struct scope *services = s->rare->services;

        scope_cancel_with(services, ROOST_REASON_EXPLICIT, 0, "");
        if (count_park(&services->count)) {
            return false;
        }
        r->services = scope_take_services(s);
        if (r->services != NULL) {
            scope_hide(r->services);
        }
    }
    if (r->services != NULL) {
        if (count_park(&r->services->count)) {
            return false;
        }
        scope_dispose(r->services);
        alloc_free(r->services);
        r->services = NULL;
    }
    return true;
}

/* Nobody is left in r. False: somebody is, or pins it, and whoever is the last
 * to leave comes again. */
static bool end_relay(struct relay *r)
{
    struct scope *s = &r->scope;

    while (r->services != NULL || (scope_flags(s) & S_SERVICES)) {
        if (!end_services(r) || count_park(&s->count)) {
            return false;
        }
    }
    if (!r->hidden) {
        r->hidden = true;
        scope_hide(s);
    }
    return !count_park(&s->count);
}

static void give_room(struct relay *r)
{
    if (r->limited) {
        limit_release(r->target);
    }
}

/* Whoever brings its count, or that of its services, to zero ends it, one
 * after the other. Not the hook of a link of its own, which links_close awaits:
 * that marks and wakes, and drops nothing of this relay. */
void relay_finish(struct scope *s)
{
    struct relay *r = relay_of(s);
    struct scope *target = r->target;

    if (!end_relay(r)) {
        return;
    }
    if (a32_load(&r->state, RELAXED) != STARTED) {
        struct waiter *caller = r->caller;

        roost_check(wait_complete(caller, OVER));
        wait_wake(caller); /* the caller frees it */
        return;
    }
    give_room(r);
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
    target = r->target;
    owner = target->owner != NULL ? target->owner
                                  : chain_runtime(target)->root_frame;
    cancel_attach(target);
    if (!cancel_swing(&r->scope, target, owner)) {
        return -ECANCELED; /* so it stays with its caller, which awaits it */
    }
    caller = r->caller;
    *r->value = value;
    count_add(&target->count, COUNT_CHILD);
    if (scope_flags(target) & S_RACE) {
        a32_or(&target->flags, S_SPAWNED, RELAXED);
        f->desc->flags |= D_RACER;
    }
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
    r->limited = (scope_flags(target) & S_LIMIT) != 0;
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
    } else if (scope_flags(s) & S_NEGATIVE) {
        status = s->reason_status;
    }
    give_room(r);
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

/* A pin that keeps it open, and where it has a limit, room. *target: where its
 * services are, if it is to be one, which are in no limit. */
static int keep_target(struct scope **target, unsigned flags)
{
    struct scope *s = *target;
    int rc = 0;

    if (flags & ROOST_SERVICE) {
        *target = scope_services(s);
        return *target == NULL ? -ENOMEM : 0;
    }
    count_add(&s->count, COUNT_PIN);
    if (scope_flags(s) & S_LIMIT) {
        rc = limit_reserve(s, flags);
    }
    if (rc != 0) {
        scope_unpin(s);
    }
    return rc;
}

/* There is no memory for the start. */
static void let_target_go(struct relay *r, struct scope *target)
{
    if (scope_flags(target) & S_LIMIT) {
        limit_release(target);
    }
    alloc_free(r);
    scope_unpin(target);
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

    if (rc != 0) {
        return rc;
    }
    rc = keep_target(&target, opts == NULL ? 0 : opts->flags);
    if (rc != 0) {
        return rc;
    }
    r = relay_new(target);
    d = r == NULL ? NULL : make_desc(r, fn, arg, opts);
    if (d == NULL) {
        let_target_go(r, target);
        return -ENOMEM;
    }
    if (d->handle != NULL) {
        handle_begin(d->handle, d);
    }
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
