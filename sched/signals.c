/*
 * signals.c - scopes that a signal cancels.
 *
 * WHAT    roost_scope_cancel_on_signal: when one of the set's signals comes
 *         for the process, the scope is cancelled.
 * MODEL   One thread a runtime, started by the first such call, reads a
 *         signalfd of the union of all sets and a wake-up eventfd. The signals
 *         must be blocked in all threads (opts.signals), else the kernel would
 *         hand them to one of those.
 * INVARIANTS
 *   - A registered scope is open: close unlinks it first (signal_unlink).
 *   - The cancel itself runs on a pinned scope, without the room's mutex.
 * COST    A thread and two descriptors a runtime, from the first use on; a
 *         system call for each registration.
 */
#include "base/alloc.h"
#include "base/check.h"
#include "count.h"
#include "outside.h"
#include "runtime.h"
#include "worker.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct scope_signal {
    struct list link;          /* L(mutex) */
    struct scope *scope;       /* I */
    sigset_t set;              /* I */
    int status;                /* I */
    uint64_t number;           /* I: room->registered, at registration */
    struct scope_signal *next; /* L(mutex): of the same scope */
};

struct signal_room {
    pthread_mutex_t mutex;
    pthread_t thread;
    int signals;         /* signalfd */
    int wake;            /* eventfd: the sets have changed, or the end */
    bool stop;           /* L(mutex) */
    uint64_t registered; /* L(mutex): so many, ever */
    struct list scopes;  /* L(mutex): struct scope_signal */
};

/* Watch the union of all sets. Under mutex. */
static int update(struct signal_room *room)
{
    sigset_t all;
    struct list *at;
    int signal;

    sigemptyset(&all);
    for (at = room->scopes.next; at != &room->scopes; at = at->next) {
        struct scope_signal *s = container_of(at, struct scope_signal, link);

        for (signal = 1; signal < NSIG; signal++) {
            if (sigismember(&s->set, signal) == 1) {
                sigaddset(&all, signal);
            }
        }
    }
    return signalfd(room->signals, &all, 0) < 0 ? -errno : 0;
}

/* A signal that was read, and who could have meant it. */
struct came {
    int signal;
    uint64_t registered; /* by then: what is registered later waits for more */
};

/* One scope that waits for this signal, pinned; NULL: none. */
static struct scope *take(struct signal_room *room, const struct came *came,
                          int *status)
{
    struct scope *found = NULL;
    struct list *at;

    pthread_mutex_lock(&room->mutex);
    for (at = room->scopes.next; at != &room->scopes; at = at->next) {
        struct scope_signal *s = container_of(at, struct scope_signal, link);

        if (sigismember(&s->set, came->signal) == 1 &&
            s->number <= came->registered &&
            !(scope_flags(s->scope) & S_CANCELLED)) {
            found = s->scope;
            *status = s->status;
            count_add(&found->count, COUNT_PIN);
            break;
        }
    }
    pthread_mutex_unlock(&room->mutex);
    return found;
}

static void deliver(struct signal_room *room, const struct came *came)
{
    struct scope *s;
    int status;

    while ((s = take(room, came, &status)) != NULL) {
        scope_cancel_with(s, ROOST_REASON_EXPLICIT, status, "");
        scope_unpin(s);
    }
}

/* The next signal that has come. Under mutex, so that no scope is registered
 * between the reading and the look at who is. */
static bool read_signal(struct signal_room *room, struct came *came)
{
    struct signalfd_siginfo info;
    bool got;

    pthread_mutex_lock(&room->mutex);
    /* NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection): nor blocks */
    got = read(room->signals, &info, sizeof(info)) == (ssize_t)sizeof(info);
    came->signal = got ? (int)info.ssi_signo : 0;
    came->registered = room->registered;
    pthread_mutex_unlock(&room->mutex);
    return got;
}

static void *signals_main(void *arg)
{
    struct signal_room *room = arg;
    struct pollfd fds[2] = {{room->signals, POLLIN, 0},
                            {room->wake, POLLIN, 0}};
    bool stop = false;

    while (!stop) {
        struct came came;
        uint64_t n;

        poll(fds, 2, -1);
        if (read_signal(room, &came)) {
            deliver(room, &came);
        }
        (void)!read(room->wake, &n, sizeof(n));
        pthread_mutex_lock(&room->mutex);
        stop = room->stop;
        pthread_mutex_unlock(&room->mutex);
    }
    return NULL;
}

static void free_room(struct signal_room *room)
{
    if (room->signals >= 0) {
        close(room->signals);
    }
    if (room->wake >= 0) {
        close(room->wake);
    }
    pthread_mutex_destroy(&room->mutex);
    alloc_free(room);
}

static int make_room(struct runtime *rt, struct signal_room **out)
{
    struct signal_room *room = alloc_zero(sizeof(*room));
    sigset_t none;
    int rc = 0;

    if (room == NULL) {
        return -ENOMEM;
    }
    sigemptyset(&none);
    pthread_mutex_init(&room->mutex, NULL);
    list_init(&room->scopes);
    room->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    room->signals =
        room->wake < 0 ? -1 : signalfd(-1, &none, SFD_CLOEXEC | SFD_NONBLOCK);
    if (room->signals < 0) {
        rc = -errno;
    } else {
        rc = runtime_thread(&room->thread, signals_main, room);
    }
    if (rc != 0) {
        free_room(room);
        return rc;
    }
    rt->signals = room;
    *out = room;
    return 0;
}

static pthread_mutex_t rooms = PTHREAD_MUTEX_INITIALIZER;

static int room_of(struct runtime *rt, struct signal_room **out)
{
    int rc = 0;

    pthread_mutex_lock(&rooms);
    if (rt->signals == NULL) {
        rc = make_room(rt, out);
    } else {
        *out = rt->signals;
    }
    pthread_mutex_unlock(&rooms);
    return rc;
}

bool signals_blocked(struct runtime *rt, const sigset_t *set)
{
    sigset_t mask;
    bool any = false;
    int signal;

    if (rt != NULL && rt->opts.signals != NULL) {
        mask = rt->signal_mask;
    } else if (runtime_self() != NULL) {
        return false;
    } else {
        pthread_sigmask(SIG_BLOCK, NULL, &mask);
    }
    for (signal = 1; signal < NSIG; signal++) {
        if (sigismember(set, signal) != 1) {
            continue;
        }
        if (sigismember(&mask, signal) != 1) {
            return false;
        }
        any = true;
    }
    return any;
}

int roost_scope_cancel_on_signal(roost_scope *pub, const sigset_t *set,
                                 int status)
{
    struct scope *s = scope_of(pub);
    struct signal_room *room;
    struct scope_signal *entry;
    struct scope_rare *rare;
    struct runtime *rt;
    int rc;

    if (registry_forked() || s == NULL || set == NULL) {
        return -EINVAL;
    }
    rt = chain_runtime(s);
    if (!signals_blocked(rt, set)) {
        return -EINVAL;
    }
    rare = scope_rare(s);
    entry = rare == NULL ? NULL : alloc_zero(sizeof(*entry));
    if (entry == NULL) {
        return -ENOMEM;
    }
    rc = room_of(rt, &room);
    if (rc != 0) {
        alloc_free(entry);
        return rc;
    }
    entry->scope = s;
    entry->set = *set;
    entry->status = status;
    pthread_mutex_lock(&room->mutex);
    entry->number = ++room->registered;
    list_push_back(&room->scopes, &entry->link);
    rc = update(room);
    if (rc == 0) {
        entry->next = rare->signal;
        rare->signal = entry;
        outside_add(rt);
    } else {
        list_remove(&entry->link);
        alloc_free(entry);
    }
    pthread_mutex_unlock(&room->mutex);
    (void)!write(room->wake, &(uint64_t){1}, sizeof(uint64_t));
    return rc;
}

void signal_unlink(struct scope *s)
{
    struct scope_signal *entry;
    struct runtime *rt;

    if (s->rare == NULL || s->rare->signal == NULL) {
        return;
    }
    rt = chain_runtime(s);
    pthread_mutex_lock(&rt->signals->mutex);
    while ((entry = s->rare->signal) != NULL) {
        s->rare->signal = entry->next;
        list_remove(&entry->link);
        alloc_free(entry);
        outside_drop(rt);
    }
    update(rt->signals);
    pthread_mutex_unlock(&rt->signals->mutex);
}

void signals_stop(struct runtime *rt)
{
    struct signal_room *room = rt->signals;

    if (room == NULL) {
        return;
    }
    pthread_mutex_lock(&room->mutex);
    room->stop = true;
    pthread_mutex_unlock(&room->mutex);
    (void)!write(room->wake, &(uint64_t){1}, sizeof(uint64_t));
    pthread_join(room->thread, NULL);
    free_room(room);
    rt->signals = NULL;
}
