/*
 * runtimes.c - loads of plain threads: runtimes that come and go, several at
 * once, simulated ones, and guests; calls, posts and groups from outside; what
 * looks at a runtime while it works.
 */
#include "soak.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

/* ---- runtimes that come and go ------------------------------------------- */

struct small {
    struct load *l;
    uint64_t seed;
    unsigned backend, clock, workers;
    a64 ran;
    unsigned tasks;
    unsigned posts; /* 0: roost_run; else roost_start, and these, roost_stop */
};

static int naps(void *arg)
{
    struct small *m = *(struct small **)arg;
    uint64_t number = a64_add(&m->ran, 1, RELAXED);

    return roost_sleep((roost_ns)(number % 7) * 10 * ROOST_US);
}

static int has_some_tasks(void *arg)
{
    struct small *m = arg;
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (unsigned i = 0; i < m->tasks; i++) {
        HOLDS(m->l, roost_spawn_copy(&s, naps, &m, sizeof(m)) == 0);
    }
    HOLDS(m->l, roost_yield() == 0);
    return roost_scope_close(&s, 0);
}

/* What is posted before the stop runs, even if it finds itself cancelled. */
static void starts_and_stops(struct small *m, const roost_opts *opts)
{
    roost_runtime *rt = NULL;
    int rc = roost_start(&rt, opts);

    HOLDS(m->l, rc == 0);
    if (rc != 0) {
        return;
    }
    HOLDS(m->l, roost_call(rt, has_some_tasks, m) == 0);
    for (unsigned i = 0; i < m->posts; i++) {
        HOLDS(m->l, roost_post(rt, naps, &m, sizeof(m)) == 0);
    }
    HOLDS(m->l, roost_stop(rt) == 0);
    roost_runtime_free(rt);
}

static void *runs_small(void *arg)
{
    struct small *m = arg;
    roost_opts opts = {.workers = m->workers,
                       .backend = m->backend,
                       .clock = m->clock,
                       .seed = m->seed,
                       .signals = &m->l->soak->waited};

    if (m->posts == 0) {
        HOLDS(m->l, roost_run(has_some_tasks, m, &opts) == 0);
    } else {
        starts_and_stops(m, &opts);
    }
    return NULL;
}

void load_runtimes(struct load *l)
{
    for (unsigned turn = sized(l, 1, 8); turn > 0; turn--) {
        unsigned n = 1 + below(l, 3);
        struct small smalls[3];
        pthread_t threads[3];

        for (unsigned i = 0; i < n; i++) {
            smalls[i] = (struct small){
                .l = l,
                .seed = rng_next(&l->rng),
                .backend = below(l, 4) == 0 ? ROOST_SIM : ROOST_THREADS,
                .clock = below(l, 3) == 0 ? ROOST_CLOCK_VIRTUAL
                                          : ROOST_CLOCK_MONOTONIC,
                .workers = 1 + below(l, 4),
                .tasks = sized(l, 1, 500)};
            if (smalls[i].backend == ROOST_THREADS) {
                smalls[i].posts = below(l, 100);
            }
            HOLDS(l, pthread_create(&threads[i], NULL, runs_small,
                                    &smalls[i]) == 0);
        }
        for (unsigned i = 0; i < n; i++) {
            HOLDS(l, pthread_join(threads[i], NULL) == 0);
            HOLDS(l, a64_load(&smalls[i].ran, RELAXED) ==
                         smalls[i].tasks + smalls[i].posts);
            count(l, TASKS, smalls[i].tasks + smalls[i].posts);
        }
        count(l, RUNTIMES, n);
    }
}

/* ---- calls and posts ----------------------------------------------------- */

struct caller {
    struct load *l;
    a64 called, posted;
    roost_latch posts;
    unsigned each;
};

static int is_called(void *arg)
{
    return a64_add((a64 *)arg, 1, RELAXED) % 2 ? roost_yield() + 5 : 5;
}

static int is_posted(void *arg)
{
    struct caller *c = *(struct caller **)arg;

    a64_add(&c->posted, 1, RELAXED);
    return roost_latch_down(&c->posts);
}

static void *calls(void *arg)
{
    struct caller *c = arg;
    roost_runtime *rt = c->l->soak->rt;

    for (unsigned i = 0; i < c->each; i++) {
        HOLDS(c->l, roost_call(rt, is_called, &c->called) == 5);
        HOLDS(c->l, roost_post(rt, is_posted, &c, sizeof(c)) == 0);
    }
    return NULL;
}

void load_calls(struct load *l)
{
    struct caller c = {.l = l, .each = sized(l, 5, 300)};
    unsigned n = 1 + below(l, 4);
    pthread_t threads[4];

    HOLDS(l, roost_latch_init(&c.posts, n * c.each) == 0);
    for (unsigned i = 0; i < n; i++) {
        HOLDS(l, pthread_create(&threads[i], NULL, calls, &c) == 0);
    }
    for (unsigned i = 0; i < n; i++) {
        HOLDS(l, pthread_join(threads[i], NULL) == 0);
    }
    HOLDS(l, roost_latch_wait(&c.posts) == 0);
    HOLDS(l, a64_load(&c.called, RELAXED) == (uint64_t)n * c.each);
    HOLDS(l, a64_load(&c.posted, RELAXED) == (uint64_t)n * c.each);
    roost_latch_destroy(&c.posts);
    count(l, CALLS, 2 * (uint64_t)n * c.each);
}

/* From a handler, in the thread that the signal was sent to. */
static struct caller *handled; /* I: while the signal may come */

static int is_handled(void *arg)
{
    struct caller *c = arg;

    a64_add(&c->posted, 1, RELAXED);
    return 0;
}

static void handles(int number)
{
    (void)number;
    (void)roost_post_signal(handled->l->soak->rt, is_handled, handled);
}

static void posts_from_a_handler(struct load *l)
{
    struct caller c = {.l = l, .each = sized(l, 1, 50)};
    struct sigaction act = {.sa_handler = handles};
    struct sigaction old;
    sigset_t one;
    sigset_t before;

    handled = &c;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR2);
    HOLDS(l, sigaction(SIGUSR2, &act, &old) == 0);
    HOLDS(l, pthread_sigmask(SIG_UNBLOCK, &one, &before) == 0);
    for (unsigned i = 0; i < c.each; i++) {
        HOLDS(l, pthread_kill(pthread_self(), SIGUSR2) == 0);
        while (a64_load(&c.posted, RELAXED) <= i) {
            HOLDS(l, roost_sleep(10 * ROOST_US) == 0);
        }
    }
    HOLDS(l, pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    HOLDS(l, sigaction(SIGUSR2, &old, NULL) == 0);
    count(l, SIGNALS, c.each);
}

/* ---- groups -------------------------------------------------------------- */

struct members {
    struct load *l;
    roost_group *g;
    a64 taken, refused, ran, done;
    unsigned each;
};

static int is_submitted(void *arg)
{
    struct members *m = arg;

    return a64_add(&m->ran, 1, RELAXED) % 4 ? roost_sleep(5 * ROOST_US) : 0;
}

static void is_done(void *arg, int status)
{
    struct members *m = arg;

    HOLDS(m->l, status == 0 || status == -ECANCELED);
    a64_add(&m->done, 1, RELAXED);
}

static void *submits(void *arg)
{
    struct members *m = arg;

    for (unsigned i = 0; i < m->each; i++) {
        int rc = roost_group_submit(m->g, is_submitted, m, NULL, is_done);

        HOLDS(m->l, rc == 0 || rc == -ECANCELED);
        a64_add(rc == 0 ? &m->taken : &m->refused, 1, RELAXED);
    }
    return NULL;
}

static void has_a_group(struct load *l)
{
    struct members m = {.l = l, .each = sized(l, 5, 300)};
    roost_scope_opts limited = {.limit = 1 + below(l, 10)};
    pthread_t threads[2];

    HOLDS(l, roost_group_new(&m.g, l->soak->rt,
                             below(l, 2) ? &limited : NULL) == 0);
    for (unsigned i = 0; i < 2; i++) {
        HOLDS(l, pthread_create(&threads[i], NULL, submits, &m) == 0);
    }
    if (below(l, 2)) {
        (void)roost_group_wait_until(m.g,
                                     roost_runtime_now(l->soak->rt) + ROOST_MS);
        (void)roost_group_cancel(m.g, 0);
        count(l, CANCELS, 1);
    }
    for (unsigned i = 0; i < 2; i++) {
        HOLDS(l, pthread_join(threads[i], NULL) == 0);
    }
    HOLDS(l, roost_group_wait(m.g) == 0);
    HOLDS(l, roost_group_free(m.g) == 0);
    HOLDS(l, a64_load(&m.taken, RELAXED) + a64_load(&m.refused, RELAXED) ==
                 2 * m.each);
    HOLDS(l, a64_load(&m.ran, RELAXED) == a64_load(&m.taken, RELAXED));
    HOLDS(l, a64_load(&m.done, RELAXED) == a64_load(&m.taken, RELAXED));
    count(l, TASKS, a64_load(&m.taken, RELAXED));
}

void load_groups(struct load *l)
{
    for (unsigned i = sized(l, 1, 5); i > 0; i--) {
        has_a_group(l);
    }
    posts_from_a_handler(l);
}

/* ---- guests -------------------------------------------------------------- */

void load_guest(struct load *l)
{
    struct small m = {.l = l, .tasks = sized(l, 5, 500)};
    struct small *at = &m;
    roost_opts opts = {.workers = 1 + below(l, 3), .signals = &l->soak->waited};
    roost_runtime *rt = NULL;
    struct pollfd p = {.events = POLLIN};
    int rc = roost_guest_start(&rt, &opts);

    HOLDS(l, rc == 0);
    if (rc != 0) {
        return;
    }
    p.fd = roost_guest_fd(rt);
    for (unsigned i = 0; i < m.tasks; i++) {
        HOLDS(l, roost_post(rt, naps, &at, sizeof(at)) == 0);
    }
    /* What another worker has taken says nothing when it ends. */
    while (a64_load(&m.ran, RELAXED) < m.tasks) {
        HOLDS(l, poll(&p, 1, opts.workers > 1 ? 1 : 10000) == 1 ||
                     opts.workers > 1);
        rc = roost_guest_turn(rt, 50 * ROOST_US);
        HOLDS(l, rc == 0 || rc == 1);
    }
    HOLDS(l, roost_stop(rt) == 0);
    HOLDS(l, a64_load(&m.ran, RELAXED) == m.tasks);
    roost_runtime_free(rt);
    count(l, RUNTIMES, 1);
    count(l, TASKS, m.tasks);
}

/* ---- what looks on ------------------------------------------------------- */

void load_observed(struct load *l)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    char path[64];

    (void)snprintf(path, sizeof(path), "%s/trace", l->soak->folder);
    for (unsigned i = sized(l, 1, 4); i > 0; i--) {
        roost_stats stats;

        HOLDS(l, roost_trace_start(path) == 0);
        HOLDS(l, roost_dump(null) == 0);
        HOLDS(l, roost_stats_get(l->soak->rt, &stats) == 0);
        HOLDS(l, roost_sleep((1 + below(l, 5)) * ROOST_MS) == 0);
        HOLDS(l, roost_trace_stop() == 0);
        HOLDS(l, unlink(path) == 0);
        count(l, TRACES, 1);
        count(l, DUMPS, 1);
    }
    (void)close(null);
}
