/*
 * dump.c - the tree of scopes and tasks, as text.
 *
 * WHAT    What a deadlock report, a misuse, a stop that was not obeyed and
 *         roost_dump print: every scope and task that has ever waited (pure
 *         fork-join work is not in the tree), what each waits for, how much is
 *         queued, and what runs just now (running.c), waited before or not.
 * MODEL   The tree is the one that cancellers walk (cancel.c). It is copied
 *         line by line into memory, indented by depth, under the walk mutex
 *         where that can be had: a dump from a crash goes on without it. It is
 *         written when no lock is held, for who reads it may be slow; or as it
 *         is found, where there is no memory or where a bug ends the process.
 *           A wait costs one store more for the sake of dumps: it notes when
 *         its worker last looked at the clock (worker.moment). So what is shown
 *         is too long by less than what that worker did since: 61 turns at the
 *         most, or a task that computed.
 *           Where a task waits is found by walking its stack while its wait is
 *         held (place.c). Naming that place takes what must not be taken under
 *         locks, so the tree is walked twice: the first time for places alone.
 * REJECTED  Reading the clock in each wait: 12 ns of 130. Noting the time of
 *         those who are found waiting at the first look, as Go's collector
 *         does: the first dump, which is often the only one, knows nothing.
 */
#include "../sync/chan.h"
#include "count.h"
#include "fd.h"
#include "observe/place.h"
#include "observe/running.h"
#include "observe/text.h"
#include "runtime.h"
#include "sim.h"
#include "when.h"
#include "worker.h"
#include <errno.h>
#include <fcntl.h>
#include <roost/trace.h>
#include <stdarg.h>
#include <stdio.h>

#define DEPTH_MAX 64 /* deeper ones are counted, not shown */

struct dump {
    int fd;
    int status; /* 0, or the first failure of a write */
    struct runtime *rt;
    struct places *places; /* NULL: no memory */
    struct text text;      /* to be written */
    bool looks;            /* the first walk: for places alone */
    bool direct;           /* each line at once: no text */
};

static void print_scope(struct dump *d, struct scope *s, unsigned depth);

__attribute__((format(printf, 2, 3))) static void put(struct dump *d,
                                                      const char *format, ...)
{
    va_list args;

    if (d->looks || d->status != 0) {
        return;
    }
    va_start(args, format);
    if (!d->direct && !text_add(&d->text, format, args)) {
        d->direct = true;
        d->status = text_write(&d->text, d->fd);
        va_end(args);
        va_start(args, format);
    }
    if (d->direct && d->status == 0 && vdprintf(d->fd, format, args) < 0) {
        d->status = -errno;
    }
    va_end(args);
}

/* A wait, as it was for a moment. */
struct seen {
    const char *what; /* NULL: it does not wait */
    const void *object;
    char name[32]; /* of the object, if it has one */
    uint32_t since;
    int64_t until;
    bool stands;     /* on a stack, and so somewhere in the program */
    uintptr_t place; /* there; 0: unknown */
};

/* While somebody waits for it, it is there. */
static void name_object(struct seen *seen)
{
    static const char channel[] = "channel ";

    if (strncmp(seen->what, channel, sizeof(channel) - 1) == 0) {
        const roost_chan *c = seen->object;

        memcpy(seen->name, c->name, sizeof(seen->name));
    }
}

static struct seen look_at(struct dump *d, struct waiter *wt)
{
    struct seen seen = {.what = NULL, .until = INT64_MAX};
    struct timers *timers = NULL;
    uint32_t state;

    if (!wait_hold(wt)) {
        return seen;
    }
    seen.what = wt->what;
    seen.object = wt->object;
    name_object(&seen);
    seen.since = a32_load(&wt->since, RELAXED);
    state = a32_load(&wt->state, RELAXED);
    if (state & (WAIT_PARKED | WAIT_SPAWNED)) {
        timers = wt->timer.owner;
    }
    if (state & WAIT_PARKED) { /* W3: its stack is left, and is held */
        seen.stands = wt->fiber != NULL;
        seen.place = places_of_wait(d->places, wt->fiber, wt->frame);
    }
    wait_thaw(wt);
    if (timers != NULL) {
        seen.until = timer_until(timers, wt);
    }
    return seen;
}

/* Never too short: rounded up, and read after the moment. */
static double seconds_since(struct dump *d, uint32_t moment)
{
    int64_t now = runtime_now(d->rt);
    int64_t part = now & ((1 << MOMENT_SHIFT) - 1);
    uint32_t whole = moment_of(now) - moment;

    return (double)(((int64_t)whole << MOMENT_SHIFT) + part) / ROOST_S;
}

/* A time to come, or past. */
static void print_time(struct dump *d, const char *what, int64_t time)
{
    double left = (double)(time - runtime_now(d->rt)) / ROOST_S;

    put(d, left < 0 ? ", %s %.3f s ago" : ", %s in %.3f s", what,
        left < 0 ? -left : left);
}

/* Where in the program; or, starts, the function that does. */
static void print_place(struct dump *d, uintptr_t address, bool starts)
{
    char text[PLACE_TEXT];

    if (d->looks) {
        places_note(d->places, address, starts);
        return;
    }
    places_text(d->places, address, text);
    if (*text != '\0') {
        put(d, ", %s %s", starts ? "starts" : "in", text);
    }
}

static void print_wait(struct dump *d, struct waiter *wt, const char *otherwise)
{
    struct seen seen = look_at(d, wt);
    int fd = -1;
    const char *ready = fd_waits_for(seen.what, seen.object, &fd);

    if (seen.what == NULL) {
        put(d, "%s", otherwise);
        return;
    }
    if (ready != NULL) {
        put(d, "waiting for fd %d %s", fd, ready);
    } else if (seen.object != NULL) {
        put(d, "%s %p%s%s", seen.what, seen.object,
            *seen.name == '\0' ? "" : " ", seen.name);
    } else {
        put(d, "%s", seen.what);
    }
    put(d, " for %.3f s", seconds_since(d, seen.since));
    if (seen.until != INT64_MAX) {
        print_time(d, "ends", seen.until);
    }
    if (seen.stands && seen.place == 0) {
        put(d, ", place unknown");
    } else {
        print_place(d, seen.place, false);
    }
}

/* Under the lock of the scope that f is linked to. */
static void print_task(struct dump *d, struct frame *f, unsigned depth)
{
    struct list *at;
    const char *name =
        a32_load(&f->linked, RELAXED) & LINK_DESC ? f->desc->name : "";

    put(d, "%*stask %s: ", (int)(2 * depth), "",
        *name == '\0' ? "(unnamed)" : name);
    print_wait(d, &f->waiter, "running or ready");
    put(d, "\n");
    for (at = f->scopes.next; at != &f->scopes && depth < DEPTH_MAX;
         at = at->next) {
        print_scope(d, container_of(at, struct scope, attach), depth + 1);
    }
}

/* Those that wait before they start. Under the lock of s. */
static void print_whens(struct dump *d, struct scope *s, unsigned depth)
{
    struct list *at = s->whens;

    while (at != NULL) {
        struct when *w = container_of(at, struct when, link);

        put(d, "%*stask (unnamed), not started: ", (int)(2 * depth), "");
        print_wait(d, &w->waiter, "ready");
        print_place(d, (uintptr_t)w->fn, true);
        put(d, "\n");
        at = at->next == s->whens ? NULL : at->next;
    }
}

static void print_scope(struct dump *d, struct scope *s, unsigned depth)
{
    uint64_t count = a64_load(&s->count, RELAXED);
    struct list *at;

    put(d, "%*sscope %p%s%s%s%s%s", (int)(2 * depth), "", (void *)s,
        *scope_name(s) == '\0' ? "" : " ", scope_name(s),
        scope_flags(s) & S_CANCELLED ? " cancelled" : "",
        scope_flags(s) & S_SHIELD ? " shielded" : "",
        count & COUNT_PARKED ? " closing" : "");
    if (scope_flags(s) & S_DEADLINE) {
        print_time(d, "deadline", (int64_t)a64_load(&s->deadline, RELAXED));
    }
    put(d, "\n");
    if (!(scope_flags(s) & S_FULL) || depth >= DEPTH_MAX) {
        return;
    }
    scope_lock(s);
    for (at = s->tasks.next; at != &s->tasks; at = at->next) {
        print_task(d, container_of(at, struct frame, link), depth + 1);
    }
    print_whens(d, s, depth + 1);
    scope_unlock(s);
}

/* Those whose worker another thread has meanwhile. */
static void print_regions(struct dump *d)
{
    struct carriers *all = &d->rt->carriers;
    char text[RUNNING_TEXT];
    struct list *at;

    if (all->max == 0 || pthread_mutex_trylock(&all->lock) != 0) {
        return;
    }
    for (at = all->all.next; at != &all->all && !all->stopping; at = at->next) {
        struct carrier *c = container_of(at, struct carrier, all);

        if (running_in_region(c) && running_text(&c->frame, text)) {
            put(d, "  in a blocking region: %s\n", text);
        }
    }
    pthread_mutex_unlock(&all->lock);
}

static void print_workers(struct dump *d)
{
    struct runtime *rt = d->rt;
    char text[RUNNING_TEXT];
    unsigned i;

    put(d, "runtime %s: %u workers\n", rt->name, rt->worker_count);
    for (i = 0; i < rt->worker_count; i++) {
        struct worker *w = &rt->workers[i];
        bool runs = running_text(&w->frame, text);

        put(d, "  worker %u: %lld new tasks, %u ready%s%s\n", i,
            (long long)deque_size(&w->deque), ring_count(&w->ring),
            runs ? "; runs " : "", runs ? text : "");
    }
    print_regions(d);
    if (rt->sim != NULL) {
        char line[160];

        sim_describe(rt, line, sizeof(line));
        put(d, "  %s\n", line);
    }
    if (when_count(rt) != 0) {
        put(d, "  %llu tasks wait before they start\n",
            (unsigned long long)when_count(rt));
    }
}

static void walk(struct runtime *rt, void *arg)
{
    struct dump *d = arg;
    bool locked = pthread_mutex_trylock(&rt->walk) == 0;

    d->rt = rt;
    print_workers(d);
    print_scope(d, &rt->root, 1);
    if (locked) {
        pthread_mutex_unlock(&rt->walk);
    }
}

/* rt NULL: of every runtime. */
static void walk_all(struct dump *d, struct runtime *rt)
{
    if (rt != NULL) {
        walk(rt, d);
    } else {
        registry_each(walk, d);
    }
}

static int dump(struct runtime *rt, int fd, bool direct)
{
    struct dump d = {.fd = fd, .places = places_new(), .direct = direct};

    if (d.places != NULL) {
        d.looks = true;
        walk_all(&d, rt);
        places_name(d.places);
        d.looks = false;
    }
    walk_all(&d, rt);
    places_free(d.places);
    if (!d.direct) {
        d.status = text_write(&d.text, fd);
    }
    return d.status;
}

int dump_runtime(struct runtime *rt, int fd)
{
    return dump(rt, fd, false);
}

int dump_broken(struct runtime *rt, int fd)
{
    return dump(rt, fd, true);
}

int roost_dump(int fd)
{
    if (registry_forked()) {
        return -EINVAL;
    }
    if (fcntl(fd, F_GETFD) < 0) {
        return -errno;
    }
    return dump_runtime(runtime_self(), fd);
}
