/*
 * dump.c - the tree of scopes and tasks, as text.
 *
 * WHAT    What a deadlock report, a misuse and roost_dump print: every scope
 *         and task that has ever waited (pure fork-join work is not in the
 *         tree), what each waits for, and how much is queued.
 * MODEL   The tree is the one that cancellers walk (cancel.c). It is copied
 *         line by line with write(2), indented by depth, under the walk mutex
 *         where that can be had: a dump from a crash goes on without it.
 * ORDER
 *   W1  (wait.c) the wait word, as a hint
 */
#include "count.h"
#include "runtime.h"
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

static const char *state_of(struct frame *f)
{
    uint32_t state = a32_load(&f->waiter.state, ACQUIRE /* W1 */);

    switch (state & WAIT_PHASE) {
    case WAIT_WAITING:
        return f->waiter.what;
    case WAIT_CANCELLED:
        return "cancelled, ready";
    case WAIT_DONE:
    case WAIT_TIMEDOUT:
    case WAIT_IDLE:
    default:
        return "running or ready";
    }
}

static void print_task(struct dump *d, struct frame *f, unsigned depth)
{
    struct list *at;
    const char *name = task_name_of(f);

    put(d, "%*stask %s: %s", (int)(2 * depth), "",
        *name == '\0' ? "(unnamed)" : name, state_of(f));
    if (f->waiter.object != NULL) {
        put(d, " %p", f->waiter.object);
    }
    put(d, "\n");
    for (at = f->scopes.next; at != &f->scopes && depth < DEPTH_MAX;
         at = at->next) {
        print_scope(d, container_of(at, struct scope, attach), depth + 1);
    }
}

static void print_scope(struct dump *d, struct scope *s, unsigned depth)
{
    uint64_t count = a64_load(&s->count, RELAXED);
    struct list *at;

    put(d, "%*sscope %p %s%s%s%s\n", (int)(2 * depth), "", (void *)s,
        s->rare == NULL ? "" : s->rare->name,
        scope_flags(s) & S_CANCELLED ? " cancelled" : "",
        scope_flags(s) & S_SHIELD ? " shielded" : "",
        count & COUNT_PARKED ? " closing" : "");
    if (!(scope_flags(s) & S_FULL) || depth >= DEPTH_MAX) {
        return;
    }
    scope_lock(s);
    for (at = s->tasks.next; at != &s->tasks; at = at->next) {
        print_task(d, container_of(at, struct frame, link), depth + 1);
    }
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
