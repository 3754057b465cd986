/*
 * outside.c - calls on pool threads, child processes, and signals.
 */
#include "soak.h"

#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- offloaded calls ----------------------------------------------------- */

struct pool_work {
    struct load *l;
    roost_limiter limiter;
    a64 begun, ended, called_back, abandoned, left, interrupted, refused;
};

struct call {
    struct pool_work *w;
    unsigned pause_us;
    bool calls_back;
};

static int is_called_back(void *arg)
{
    struct pool_work *w = arg;

    a64_add(&w->called_back, 1, RELAXED);
    return roost_yield() == -ECANCELED ? 0 : 0;
}

static int blocks(void *arg)
{
    struct call *c = arg;
    struct timespec pause = {0, c->pause_us * 1000};

    a64_add(&c->w->begun, 1, RELAXED);
    if (c->calls_back) {
        int rc = roost_offload_call(is_called_back, c->w);

        HOLDS(c->w->l, rc == 0 || rc == -ECANCELED);
    }
    if (nanosleep(&pause, NULL) != 0) {
        a64_add(&c->w->interrupted, 1, RELAXED);
    }
    a64_add(&c->w->ended, 1, RELAXED);
    return 0;
}

static void is_abandoned(void *arg)
{
    struct call *c = *(struct call **)arg;

    a64_add(&c->w->abandoned, 1, RELAXED);
    free(c);
}

/* Its argument is on the heap, and freed by whoever has it last. */
static int blocks_apart(void *arg)
{
    return blocks(*(struct call **)arg);
}

static int offloads_apart(struct call *from)
{
    struct call *c = room(1, sizeof(*c));
    int rc;

    *c = *from;
    c->calls_back = false;
    rc = roost_offload_with(
        blocks_apart, &c,
        &(roost_offload_opts){.copy = sizeof(c), .abandon = is_abandoned});
    if (roost_offload_abandoned()) {
        a64_add(&from->w->left, 1, RELAXED);
        return rc;
    }
    free(c);
    return rc;
}

static int offloads(void *arg)
{
    struct call *c = arg;
    unsigned which = c->pause_us % 4;
    roost_offload_opts opts = {.flags = ROOST_INTERRUPT,
                               .limiter = &c->w->limiter};
    int rc = which == 0   ? offloads_apart(c)
             : which == 1 ? roost_offload_with(blocks, c, &opts)
                          : roost_offload(blocks, c);

    HOLDS(c->w->l, rc == 0 || rc == -ECANCELED);
    a64_add(&c->w->refused, rc != 0, RELAXED);
    return rc;
}

static int blocks_in_place(void *arg)
{
    struct call *c = arg;
    struct timespec pause = {0, c->pause_us * 1000};

    roost_block_begin();
    (void)nanosleep(&pause, NULL);
    roost_block_end();
    return 0;
}

void load_offload(struct load *l)
{
    struct pool_work w = {.l = l};
    unsigned n = sized(l, 10, 300);
    roost_scope_opts opts = {.timeout = (1 + below(l, 40)) * ROOST_MS,
                             .flags = ROOST_MOVE_ON};
    roost_scope s;

    HOLDS(l, roost_limiter_init(&w.limiter, 3) == 0);
    roost_scope_open(&s, below(l, 3) ? &opts : NULL);
    for (unsigned i = 0; i < n; i++) {
        struct call c = {&w, below(l, 500), below(l, 4) == 0};

        HOLDS(l, roost_spawn_copy(&s, i % 16 ? offloads : blocks_in_place, &c,
                                  sizeof(c)) == 0);
    }
    HOLDS(l, roost_scope_close(&s, 0) == 0);
    /* What was left behind ends by itself. */
    while (a64_load(&w.abandoned, RELAXED) < a64_load(&w.left, RELAXED)) {
        HOLDS(l, roost_sleep(100 * ROOST_US) == 0);
    }
    HOLDS(l, a64_load(&w.begun, RELAXED) == a64_load(&w.ended, RELAXED));
    HOLDS(l, a64_load(&w.abandoned, RELAXED) == a64_load(&w.left, RELAXED));
    HOLDS(l, a64_load(&w.ended, RELAXED) + a64_load(&w.refused, RELAXED) >=
                 n - (n + 15) / 16);
    roost_limiter_destroy(&w.limiter);
    count(l, OFFLOADS, a64_load(&w.ended, RELAXED));
}

/* ---- child processes ----------------------------------------------------- */

struct child {
    struct load *l;
    unsigned status;
    bool cancelled;
};

static int has_a_child(void *arg)
{
    struct child *c = arg;
    char script[32];
    char *argv[] = {(char *)"sh", (char *)"-c", script, NULL};
    roost_scope s;
    pid_t pid = -1;
    int status = -1;
    int rc;

    (void)snprintf(script, sizeof(script), "exit %u", c->status);
    if (c->cancelled) {
        (void)snprintf(script, sizeof(script), "exec sleep 1000");
    }
    rc = roost_process_spawn(&pid, "/bin/sh", argv, NULL);
    HOLDS(c->l, rc == 0);
    if (rc != 0) {
        return 0;
    }
    roost_scope_open(&s, NULL);
    if (c->cancelled) {
        roost_scope_set_deadline(&s, roost_in(2 * ROOST_MS));
    }
    rc = roost_process_wait(pid, &status, 1000 * ROOST_MS, 0);
    HOLDS(c->l, rc == (c->cancelled ? -ECANCELED : 0));
    HOLDS(c->l, c->cancelled ? WIFSIGNALED(status)
                             : WEXITSTATUS(status) == c->status);
    rc = roost_scope_close(&s, rc);
    HOLDS(c->l, rc == (c->cancelled ? -ETIMEDOUT : 0));
    return 0;
}

void load_processes(struct load *l)
{
    unsigned n = sized(l, 1, 8);
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (unsigned i = 0; i < n; i++) {
        struct child c = {l, below(l, 100), below(l, 3) == 0};

        HOLDS(l, roost_spawn_copy(&s, has_a_child, &c, sizeof(c)) == 0);
    }
    HOLDS(l, roost_scope_close(&s, 0) == 0);
    count(l, PROCESSES, n);
}

/* ---- signals ------------------------------------------------------------- */

struct herald {
    struct load *l;
    unsigned n;
};

/* Real-time signals are queued: each is one of its own. */
static int sends_signals(void *arg)
{
    struct herald *h = arg;
    union sigval value = {0};
    int number = 0;

    while (!sigismember(&h->l->soak->waited, ++number)) {
    }
    for (unsigned i = 0; i < h->n; i++) {
        while (sigqueue(getpid(), number, value) != 0) {
            (void)usleep(100);
        }
    }
    return 0;
}

static int offloads_the_herald(void *arg)
{
    return roost_offload(sends_signals, arg);
}

void load_signals(struct load *l)
{
    struct herald h = {l, sized(l, 1, 200)};
    roost_scope s;
    unsigned heard = 0;
    int number = 0;

    roost_scope_open(&s, NULL);
    HOLDS(l, roost_spawn(&s, offloads_the_herald, &h) == 0);
    while (heard < h.n) {
        int rc = roost_signal_wait_until(&l->soak->waited, roost_in(ROOST_MS));

        HOLDS(l, rc == -ETIMEDOUT || sigismember(&l->soak->waited, rc));
        heard += rc > 0;
    }
    HOLDS(l, roost_scope_close(&s, 0) == 0);
    HOLDS(l, roost_signal_wait_until(&l->soak->waited, 0) == -ETIMEDOUT);
    count(l, SIGNALS, heard);
    while (!sigismember(&l->soak->cancels, ++number)) {
    }
    roost_scope_open(&s, NULL);
    HOLDS(l, roost_scope_cancel_on_signal(&s, &l->soak->cancels, -EINTR) == 0);
    (void)kill(getpid(), number);
    HOLDS(l, roost_sleep_until(ROOST_NEVER) == -ECANCELED);
    HOLDS(l, roost_scope_close(&s, -ECANCELED) == -EINTR);
    count(l, SIGNALS, 1);
}
