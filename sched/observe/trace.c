/*
 * trace.c - events into records: what each thread writes down as it happens.
 *
 * WHAT    One function an event, called with tracing on only (EVENT). Each
 *         puts one or two records into the thread's track; trace_file.c makes
 *         the file of them.
 * MODEL   A worker's track shows slices: a task that begins in the loop opens
 *         one, and tasks with a descriptor that run in place open one within
 *         it. Where the task is set aside all of them close, and where it goes
 *         on they open again, perhaps on another track; an arrow leads from
 *         the one to the other, and one from whoever ended the wait. The ends
 *         of arrows are ids that travel with what they are about: in the
 *         fiber, the descriptor, the job.
 * INVARIANTS
 *   - A fiber's `left` is its own, `woken` of the one who has won its wait and
 *     then its own: no two write either at once (wait.c says who won).
 *   - Slices of a track are nested and never overlap: task_begin to task_end
 *     are calls on one stack, and a switch closes what is open.
 *   - What is found running when a thread writes its first record (the trace
 *     began in the middle of it) is opened then.
 * ORDER
 *   W1  (wait.c) what the waker has written into the fiber, which may have been
 *       queued by its own side of the wait
 *   L1  (cancel.c) that there is a waiter
 * COST    70 ns an event, of which the clock is 40.
 * SEE     track.c (the way to the file), events.def (what there is)
 */
#include "observe/probes.h"
#include "observe/track.h"
#include "runtime.h"
#include "when.h"
#include "worker.h"
#include <pthread.h>
#include <string.h>

#define SERIAL_BITS 40

/* A host, or a thread that has simulated, may outlive the runtime: nothing of
 * that is looked at later. `track` is track.c's. */
static __thread struct event_self self;
static a32 pool_threads; /* M: so many ever */
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static struct track_owner owner(void)
{
    struct track_owner o = {self.role, self.runtime, self.index, ""};

    memcpy(o.runtime_name, self.runtime_name, sizeof(o.runtime_name));
    return o;
}

void event_thread(enum event_role role, struct runtime *rt)
{
    self.role = role;
    self.index = role == EVENT_POOL ? a32_add(&pool_threads, 1, RELAXED) : 0;
    self.runtime = rt->number;
    memcpy(self.runtime_name, rt->name, sizeof(self.runtime_name));
}

void event_use(struct event_self *other)
{
    struct event_self was = self;

    was.track = track_use(other->track);
    self = *other;
    *other = was;
}

void event_thread_end(void)
{
    track_release();
}

/* --- writing down --- */

/* In a record that has none. */
static void set_name(struct record *r, const char *name)
{
    memcpy(r->name, name, strnlen(name, sizeof(r->name) - 1));
}

/* The span of the running task. */
static void put_life(struct track *t, enum record_kind kind, struct worker *w,
                     const char *name)
{
    struct record r = {clock_now(),         kind, w->rt->number,
                       (uintptr_t)w->frame, 0,    ""};

    set_name(&r, name);
    track_put(t, &r);
}

static void put(struct track *t, enum record_kind kind, const char *name,
                uint64_t a, uint64_t b)
{
    struct record r = {clock_now(), kind, 0, a, b, ""};

    if (name != NULL) {
        set_name(&r, name);
    }
    track_put(t, &r);
}

/* Never 0, and never again. */
static uint64_t new_id(struct track *t)
{
    uint64_t place = (uint64_t)(t - track_at(0)) + 1;

    return place << SERIAL_BITS | ++t->serial;
}

/* So many tasks have run in place on this worker. */
static uint64_t in_place(struct worker *w)
{
    return a64_load(&w->counters.inlined, RELAXED) + WORKER_TURNS -
           a32_load(&w->in_place_left, RELAXED);
}

/* A slice has been opened. */
static void opened(struct track *t, struct worker *w)
{
    if (t->open < TRACK_NESTED) {
        t->in_place[t->open] = in_place(w);
    }
    t->open++;
}

/* How many ran in place within the innermost slice. */
static uint32_t within(struct track *t, struct worker *w)
{
    if (t->open == 0 || t->open > TRACK_NESTED) {
        return 0;
    }
    return (uint32_t)(in_place(w) - t->in_place[t->open - 1]);
}

/* The frame on whose stack f runs in place; NULL: none, the loop runs it. */
static struct frame *outer_frame(const struct fiber *fiber,
                                 const struct frame *f)
{
    uintptr_t outer;

    if (scope_flags(f->target) & (S_RELAY | S_HOLDER)) {
        return NULL; /* never in place, and a relay's owner changes */
    }
    outer = (uintptr_t)f->target->owner;
    /* AddressSanitizer may have them elsewhere: then the innermost is shown. */
    return (uintptr_t)f >= (uintptr_t)fiber->stack.low &&
                   outer > (uintptr_t)f && outer < (uintptr_t)fiber->stack.top
               ? (struct frame *)outer
               : NULL;
}

/* Open the slices of f and what it runs in place of, outermost first. */
static void open_slices(struct track *t, struct worker *w, struct frame *f,
                        const struct fiber *fiber)
{
    struct frame *shown[TRACK_NESTED];
    struct record r = {clock_now(), RECORD_RESUMED, 0, fiber->task, 0, ""};
    unsigned n = 0;

    while (f != NULL && n < TRACK_NESTED) {
        struct frame *outer = outer_frame(fiber, f);

        if (outer == NULL || (f->marks & F_DESC)) {
            shown[n++] = f;
        }
        f = outer;
    }
    for (t->open = 0; t->open < n; opened(t, w)) {
        r.level = t->open;
        r.b = t->open + 1 == n ? fiber->left : 0;
        memset(r.name, 0, sizeof(r.name));
        set_name(&r, task_name_of(shown[n - 1 - t->open]));
        track_put(t, &r);
    }
}

static void thread_ends(void *track)
{
    (void)track;
    track_release();
}

static void make_key(void)
{
    /* Without one a track stays its thread's, whose end nobody sees. */
    (void)pthread_key_create(&key, thread_ends);
}

/* The first record of this thread in this trace. */
static void introduce(struct track *t, struct worker *w, struct frame *running)
{
    pthread_once(&once, make_key);
    (void)pthread_setspecific(key, t);
    t->begun = true;
    t->owner = owner();
    if (w != NULL) {
        t->owner.runtime = w->rt->number;
        memcpy(t->owner.runtime_name, w->rt->name,
               sizeof(t->owner.runtime_name));
        t->owner.index = w->index;
        if (running != NULL && w->fiber != NULL) {
            open_slices(t, w, running, w->fiber);
        }
    }
}

/* NULL also where probes alone want the event: they take no track. */
static struct track *enter_as(struct worker *w, struct frame *running)
{
    struct track *t = NULL;

    if (a32_load(&events_on, RELAXED) & EVENTS_TRACE) {
        t = track_enter();
    }
    if (t != NULL && !t->begun) {
        introduce(t, w, running);
    }
    return t;
}

static struct track *enter(void)
{
    struct worker *w = worker_self();

    return enter_as(w, w == NULL ? NULL : w->frame);
}

/* A moment that needs no more. */
static void mark(enum record_kind kind, const char *name, uint64_t a,
                 uint64_t b)
{
    struct track *t = enter();

    if (t != NULL) {
        put(t, kind, name, a, b);
        track_leave(t);
    }
}

/* The start of an arrow, which needs a slice to start in. */
static uint64_t arrow(struct track *t)
{
    return t->open == 0 ? 0 : new_id(t);
}

/* --- tasks --- */

void event_task(struct worker *w, const struct entry *e)
{
    struct track *t = enter_as(w, NULL);

    if (e->fn != desc_run) {
        PROBE(TASK, "", w->frame, e->fn);
    }
    if (t == NULL) {
        return;
    }
    w->fiber->task = new_id(t);
    w->fiber->left = 0;
    w->fiber->woken = 0;
    t->open = 0;
    if (e->fn != desc_run && e->fn != when_run) { /* they tell more */
        put(t, RECORD_TASK, NULL, w->fiber->task, (uintptr_t)e->fn);
        opened(t, w);
    }
    track_leave(t);
}

void event_desc(struct worker *w, struct task_desc *d)
{
    struct fiber *fiber = w->fiber;
    struct frame *outer = outer_frame(fiber, w->frame);
    struct track *t = enter_as(w, outer);
    struct record r;

    PROBE(NAMED, d->name, w->frame, d->fn);
    if (t == NULL) {
        return;
    }
    put_life(t, RECORD_LIFE, w, d->name);
    r = (struct record){clock_now(), RECORD_NAMED, t->open,
                        fiber->task, d->flow,      ""};
    set_name(&r, d->name);
    track_put(t, &r);
    opened(t, w);
    track_leave(t);
}

void event_when(struct worker *w, struct when *d)
{
    struct track *t = enter_as(w, NULL);

    if (t != NULL) {
        put_life(t, RECORD_LIFE, w, "");
        put(t, RECORD_NAMED, NULL, w->fiber->task, d->flow);
        opened(t, w);
        track_leave(t);
    }
}

/* `whole`: the span of the task ends, too. */
static void end_slice(struct worker *w, bool whole)
{
    struct track *t = enter_as(w, w->frame);
    const char *name = task_name_of(w->frame);

    PROBE(ENDED, name, w->frame, 0);
    if (t != NULL) {
        track_put(t, &(struct record){clock_now(), RECORD_ENDED, within(t, w),
                                      0, 0, ""});
        t->open -= t->open > 0;
        if (whole) {
            put_life(t, RECORD_LIFE_OVER, w, name);
        }
        track_leave(t);
    }
}

void event_task_end(struct worker *w, const struct entry *e)
{
    if (e->fn != desc_run && e->fn != when_run) {
        end_slice(w, false);
    }
}

void event_desc_end(struct worker *w)
{
    end_slice(w, true);
}

static void set_aside(struct track *t, struct worker *w,
                      const struct waiter *wt)
{
    struct record r = {clock_now(), RECORD_LEFT, within(t, w), 0, 0, ""};

    w->fiber->left = arrow(t);
    r.b = w->fiber->left;
    if (wt != NULL) {
        set_name(&r, wt->what);
        r.a = (uintptr_t)wt->object;
    }
    track_put(t, &r);
    t->open = 0;
}

/* A wait of f is over, if it was one: see what was written by who ended it. */
static void see_waker(struct frame *f)
{
    if (a32_load(&f->linked, ACQUIRE /* L1 */) & LINK_FOUND) {
        (void)a32_load(&f->waiter.state, ACQUIRE /* W1 */);
    }
}

/* w leaves its fiber for `to`. */
static void probe_leave(const struct worker *w, const struct fiber *to,
                        const struct waiter *wt)
{
    if (w->frame != NULL) {
        PROBE(LEFT, wt == NULL ? "" : wt->what, w->frame,
              wt == NULL ? NULL : wt->object);
    }
    if (to->frame != NULL) {
        PROBE(RESUMED, task_name_of(to->frame), to->frame, 0);
    }
}

void event_leave(struct worker *w, struct fiber *to, const struct waiter *wt)
{
    struct track *t = enter_as(w, w->frame);

    probe_leave(w, to, wt);
    if (t == NULL) {
        return;
    }
    if (w->frame != NULL) {
        set_aside(t, w, wt);
    }
    if (to->frame != NULL) {
        see_waker(to->frame);
        if (to->task == 0) {
            to->task = new_id(t);
        }
        open_slices(t, w, to->frame, to);
        if (to->woken != 0) {
            put(t, RECORD_WOKEN, NULL, 0, to->woken);
        }
        to->left = 0;
        to->woken = 0;
    }
    track_leave(t);
}

void event_detach(struct fiber *from)
{
    struct track *t = enter_as(NULL, NULL);
    struct record r = {clock_now(), RECORD_LEFT, 0, 0, 0, ""};

    if (t == NULL) {
        return;
    }
    from->left = arrow(t);
    r.level = t->open;
    r.b = from->left;
    set_name(&r, "worker");
    track_put(t, &r);
    t->open = 0;
    track_leave(t);
}

void event_wake(struct waiter *wt)
{
    struct track *t = enter();
    struct fiber *fiber = wt->fiber;

    PROBE(WAKE, wt->what, wt->frame, wt->object);
    if (t == NULL) {
        return;
    }
    if (fiber == NULL) {
        put(t, RECORD_WAKE, "wake a thread", 0, 0);
    } else if (wt->frame == NULL) {
        struct when *d = container_of(wt, struct when, waiter);

        d->flow = arrow(t);
        put(t, RECORD_WAKE, NULL, 0, d->flow);
    } else {
        fiber->woken = arrow(t);
        put(t, RECORD_WAKE, NULL, fiber->task, fiber->woken);
    }
    track_leave(t);
}

void event_spawn(struct task_desc *d)
{
    struct track *t = enter();

    PROBE(SPAWN, d->name, d->scope, d->fn);
    if (t != NULL) {
        d->flow = arrow(t);
        put(t, RECORD_SPAWN, d->name, 0, d->flow);
        track_leave(t);
    }
}

/* An arrow leads from what ends its wait, not from here. */
void event_spawn_when(void)
{
    mark(RECORD_SPAWN, "spawn when", 0, 0);
}

/* --- workers --- */

void event_steal(const struct worker *victim)
{
    PROBE(STEAL, "", victim->index, 0);
    mark(RECORD_STEAL, NULL, victim->index, 0);
}

void event_park(void)
{
    struct track *t = enter();

    PROBE(PARKED, "", 0, 0);
    if (t != NULL) {
        put(t, RECORD_PARKED, NULL, 0, 0);
        t->open = 0; /* of tasks; and none starts an arrow from here */
        track_leave(t);
    }
}

void event_unpark(void)
{
    PROBE(UNPARKED, "", 0, 0);
    mark(RECORD_UNPARKED, NULL, 0, 0);
}

/* --- scopes and time --- */

void event_cancel(struct scope *s, unsigned reason)
{
    PROBE(CANCEL, scope_name(s), s, reason);
    mark(RECORD_CANCEL, scope_name(s), (uintptr_t)s, reason);
}

void event_deadline(struct scope *s)
{
    PROBE(DEADLINE, scope_name(s), s, 0);
    mark(RECORD_DEADLINE, scope_name(s), (uintptr_t)s, 0);
}

void event_timers(unsigned fired)
{
    PROBE(TIMERS, "", fired, 0);
    mark(RECORD_TIMERS, NULL, fired, 0);
}

static void mark_scope(enum record_kind kind, struct scope *s)
{
    const char *name = scope_name(s);
    struct track *t = *name == '\0' ? NULL : enter();
    struct record r;

    if (t == NULL) {
        return;
    }
    r = (struct record){clock_now(),  kind, chain_runtime(s)->number,
                        (uintptr_t)s, 0,    ""};
    set_name(&r, name);
    track_put(t, &r);
    track_leave(t);
}

void event_scope(struct scope *s)
{
    if (*scope_name(s) != '\0') {
        PROBE(SCOPE, scope_name(s), s, 0);
    }
    mark_scope(RECORD_SCOPE, s);
}

void event_scope_end(struct scope *s)
{
    if (*scope_name(s) != '\0') {
        PROBE(SCOPE_CLOSED, scope_name(s), s, 0);
    }
    mark_scope(RECORD_SCOPE_CLOSED, s);
}

/* --- channels --- */

void event_chan(const void *chan, const char *name, size_t items)
{
    PROBE(CHAN, name, chan, items);
    mark(RECORD_CHAN, name, (uintptr_t)chan, items);
}

/* --- calls that block --- */

void event_offload(struct job *j)
{
    struct track *t = enter();

    PROBE(OFFLOAD, j->name, j, 0);
    if (t != NULL) {
        j->flow = arrow(t);
        put(t, RECORD_OFFLOAD, j->name, 0, j->flow);
        track_leave(t);
    }
}

void event_call(struct job *j)
{
    struct track *t = enter();

    PROBE(CALL, j->name, j, 0);
    if (t != NULL) {
        put(t, RECORD_CALL, j->name, 0, j->flow);
        t->open = 1;
        track_leave(t);
    }
}

void event_call_end(void)
{
    struct track *t = enter();

    PROBE(CALL_ENDED, "", 0, 0);
    if (t != NULL) {
        put(t, RECORD_CALL_ENDED, NULL, 0, 0);
        t->open = 0;
        track_leave(t);
    }
}
