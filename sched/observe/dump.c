/*
 * dump.c - the tree of scopes and tasks, as text.
 *
 * WHAT    What a deadlock report, a misuse and roost_dump print: every scope
 *         and task that has ever waited (pure fork-join work is not in the
 *         tree), what each waits for, and how much is queued.
 * MODEL   The tree is the one that cancellers walk (cancel.c). It is copied
 *         line by line with write(2), indented by depth, under the walk mutex
 *         where that can be had: a dump from a crash goes on without it.
 */
#include "count.h"
#include "fd.h"
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
    int64_t now;
};

static void print_scope(struct dump *d, struct scope *s, unsigned depth);

__attribute__((format(printf, 2, 3))) static void put(struct dump *d,
                                                      const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (d->status == 0 && vdprintf(d->fd, format, args) < 0) {
        d->status = -errno;
    }
    va_end(args);
}

static void print_wait(struct dump *d, const char *what, const void *object)
{
    int fd = -1;
    const char *ready = fd_waits_for(what, object, &fd);

    if (ready != NULL) {
        put(d, "waiting for fd %d %s\n", fd, ready);
    } else if (object != NULL) {
        put(d, "%s %p\n", what, object);
    } else {
        put(d, "%s\n", what == NULL ? "running or ready" : what);
    }
}

/* Under the lock of the scope that f is linked to. */
static void print_task(struct dump *d, struct frame *f, unsigned depth)
{
    struct list *at;
    const void *object = NULL;
    const char *what = wait_peek(&f->waiter, &object);
    const char *name =
        a32_load(&f->linked, RELAXED) & LINK_DESC ? f->desc->name : "";

    put(d, "%*stask %s: ", (int)(2 * depth), "",
        *name == '\0' ? "(unnamed)" : name);
    print_wait(d, what, object);
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
        const void *object = NULL;
        const char *what = wait_peek(&w->waiter, &object);

        put(d, "%*stask (unnamed), not started: ", (int)(2 * depth), "");
        print_wait(d, what == NULL ? "ready" : what, object);
        at = at->next == s->whens ? NULL : at->next;
    }
}

static void print_scope(struct dump *d, struct scope *s, unsigned depth)
{
    uint64_t count = a64_load(&s->count, RELAXED);
    struct list *at;

    put(d, "%*sscope %p %s%s%s%s\n", (int)(2 * depth), "", (void *)s,
        scope_name(s), scope_flags(s) & S_CANCELLED ? " cancelled" : "",
        scope_flags(s) & S_SHIELD ? " shielded" : "",
        count & COUNT_PARKED ? " closing" : "");
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

int dump_runtime(struct runtime *rt, int fd)
{
    struct dump d = {fd, 0, clock_now()};
    bool locked = pthread_mutex_trylock(&rt->walk) == 0;
    unsigned i;

    put(&d, "runtime %s: %u workers\n", rt->name, rt->worker_count);
    for (i = 0; i < rt->worker_count; i++) {
        struct worker *w = &rt->workers[i];

        put(&d, "  worker %u: %lld new tasks, %u ready\n", i,
            (long long)deque_size(&w->deque), ring_count(&w->ring));
    }
    if (rt->sim != NULL) {
        char line[160];

        sim_describe(rt, line, sizeof(line));
        put(&d, "  %s\n", line);
    }
    if (when_count(rt) != 0) {
        put(&d, "  %llu tasks wait before they start\n",
            (unsigned long long)when_count(rt));
    }
    print_scope(&d, &rt->root, 1);
    if (locked) {
        pthread_mutex_unlock(&rt->walk);
    }
    return d.status;
}

int roost_dump(int fd)
{
    struct runtime *rt = runtime_self();

    if (registry_forked()) {
        return -EINVAL;
    }
    if (fcntl(fd, F_GETFD) < 0) {
        return -errno;
    }
    return rt != NULL ? dump_runtime(rt, fd) : registry_dump(fd);
}
