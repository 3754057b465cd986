/*
 * pipeline.c - items that go through a row of stages at once.
 *
 * WHAT    Tasks for every stage, a bounded channel between one and the next.
 * MODEL   A worker of a stage takes an item, calls the stage's function, passes
 *         the outcome on, until its channel is closed and drained. Each is one
 *         of the senders of the channel behind it, so that the last to end
 *         closes that: the end runs through the stages behind the last item.
 *
 *         In an ordered stage of several workers the taking is numbered, under
 *         a mutex, and what came of number k is passed on after that of k - 1.
 *         No more numbers are out at once than there are workers: k waits for
 *         a semaphore of its own, turn[k % workers], which k - 1 releases.
 * INVARIANTS
 *   - Between two stages lie at most `ahead` items, in a stage one a worker.
 *   - Ordered: one turn is free or held. It goes on also where nothing is
 *     passed on, at the end of the source, and not after a failure, which
 *     cancels all who wait for it.
 * COST    An item and stage: a send and a receive; ordered: a mutex and a
 *         semaphore more.
 * SEE     stream.c
 */
#include "wait.h"

#include "base/alloc.h"
#include "base/atomic.h"
#include <errno.h>
#include <limits.h>
#include <roost/chan.h>
#include <roost/mutex.h>
#include <roost/scope.h>
#include <roost/stream.h>
#include <roost/task.h>
#include <string.h>

#define AHEAD 16 /* items between two stages, where nothing is said */

/* A stage at work. */
struct stage {
    const roost_stage *spec;
    roost_chan *in;  /* NULL: the source */
    roost_chan *out; /* NULL: the last */
    size_t in_size;
    unsigned workers;
    bool shared;     /* taking is one worker's at a time: mutex */
    bool ended;      /* L(mutex): the source has nothing more */
    uint64_t number; /* L(mutex): of the next item that is taken */
    roost_mutex mutex;
    roost_sem *turn; /* one a worker; NULL: not ordered */
    a32 came;        /* M: the last: workers to whom the end has come */
};

static bool spec_valid(const roost_stage *s)
{
    static const roost_stage none;

    return s->fn != NULL && (s->flags & ~ROOST_ORDERED) == 0 &&
           s->out_size <= PTRDIFF_MAX / 4 &&
           memcmp(s->reserved_, none.reserved_, sizeof(none.reserved_)) == 0;
}

static int check(const roost_stage *stages, size_t n,
                 const roost_pipeline_opts *opts)
{
    static const roost_pipeline_opts none;
    size_t i;

    if (wait_check() != 0 || stages == NULL || n == 0 ||
        (opts != NULL && memcmp(opts->reserved_, none.reserved_,
                                sizeof(none.reserved_)) != 0)) {
        return -EINVAL;
    }
    for (i = 0; i < n; i++) {
        if (!spec_valid(&stages[i])) {
            return -EINVAL;
        }
    }
    return roost_scope_current() == NULL ? -EPERM : 0;
}

/* 1: *item is the caller's, and its number where they are numbered; 0: the
 * end. */
static int take(struct stage *s, void *item, uint64_t *number)
{
    int rc = 0;

    if (s->shared) {
        rc = roost_mutex_lock_until(&s->mutex, ROOST_NEVER);
    }
    if (rc != 0) {
        return rc;
    }
    if (s->in != NULL) {
        rc = roost_chan_recv(s->in, item);
    } else if (s->ended) {
        rc = -EPIPE;
    }
    if (s->shared) {
        *number = s->number;
        s->number += rc == 0;
        (void)roost_mutex_unlock(&s->mutex); /* it is this task's */
    }
    return rc == 0 ? 1 : rc == -EPIPE ? 0 : rc;
}

/* The source has said that it has nothing more. */
static int end_source(struct stage *s)
{
    int rc = s->shared ? roost_mutex_lock_until(&s->mutex, ROOST_NEVER) : 0;

    if (rc == 0) {
        s->ended = true;
    }
    if (rc == 0 && s->shared) {
        (void)roost_mutex_unlock(&s->mutex);
    }
    return rc;
}

/* What came of an item: one to be passed on, or NULL. */
static int pass_on(struct stage *s, const void *item, uint64_t number)
{
    int rc = 0;

    if (s->turn != NULL) {
        rc = roost_sem_acquire(&s->turn[number % s->workers], 1);
    }
    if (rc == 0 && item != NULL && s->out != NULL) {
        rc = roost_chan_send(s->out, item);
    }
    if (rc == 0 && s->turn != NULL) {
        rc = roost_sem_release(&s->turn[(number + 1) % s->workers], 1);
    }
    return rc;
}

/* Until there is nothing more to take: 0, or why not. */
static int work(struct stage *s, void *in, void *out)
{
    uint64_t number = 0;
    int rc;

    while ((rc = take(s, in, &number)) > 0) {
        int made =
            s->spec->fn(s->in == NULL ? NULL : in,
                        s->spec->out_size == 0 ? NULL : out, s->spec->ctx);

        if (made < 0) {
            return made;
        }
        rc = made == 0 && s->in == NULL ? end_source(s) : 0;
        if (rc == 0) {
            rc = pass_on(s, made > 0 ? out : NULL, number);
        }
        if (rc != 0) {
            return rc;
        }
    }
    return rc;
}

/* One of a stage's tasks. If it fails the pipeline is cancelled, and what
 * stands behind must not take that for the end: out stays open then. */
static int worker(void *stage)
{
    struct stage *s = stage;
    size_t in_room = (s->in_size + 15) & ~(size_t)15;
    char *room = alloc_bytes(in_room + s->spec->out_size + 1);
    int rc = room == NULL ? -ENOMEM : work(s, room, room + in_room);

    alloc_free(room);
    if (rc == 0 && s->out != NULL) {
        roost_chan_release(s->out);
    } else if (rc == 0) {
        a32_add(&s->came, 1, RELAXED);
    }
    return rc;
}

/* The turns of an ordered stage; the first is free. */
static int make_turns(struct stage *s)
{
    unsigned i;
    int rc = 0;

    s->turn = alloc_zero(s->workers * sizeof(*s->turn));
    if (s->turn == NULL) {
        return -ENOMEM;
    }
    for (i = 0; i < s->workers && rc == 0; i++) {
        rc = roost_sem_init(&s->turn[i], i == 0, 1);
    }
    return rc;
}

/* A channel to the stage before, which every worker there is a sender of. */
static int connect(struct stage *before, struct stage *s, size_t ahead)
{
    unsigned i;
    int rc = 0;

    s->in_size = before->spec->out_size;
    s->in = roost_chan_new(s->in_size, ahead);
    if (s->in == NULL) {
        return -ENOMEM;
    }
    before->out = s->in;
    for (i = 0; i < before->workers && rc == 0; i++) {
        rc = roost_chan_hold(s->in);
    }
    return rc;
}

/* What has been made by a failure is taken back by clean_up. */
static int prepare(struct stage *all, size_t n, const roost_stage *specs,
                   size_t ahead)
{
    size_t i;
    int rc = 0;

    for (i = 0; i < n && rc == 0; i++) {
        struct stage *s = &all[i];
        bool many = specs[i].workers > 1;
        bool ordered = many && (specs[i].flags & ROOST_ORDERED);

        s->spec = &specs[i];
        s->workers = many ? specs[i].workers : 1;
        s->shared = ordered || (many && i == 0);
        rc = roost_mutex_init(&s->mutex);
        if (rc == 0 && ordered) {
            rc = make_turns(s);
        }
        if (rc == 0 && i > 0) {
            rc = connect(&all[i - 1], s, ahead);
        }
    }
    return rc;
}

static void clean_up(struct stage *all, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        roost_chan_free(all[i].in);
        alloc_free(all[i].turn);
    }
    alloc_free(all);
}

/* All workers of all stages, the last stage's first: it waits for the rest. A
 * cancel may have reached them and not the caller, in a stretch of
 * roost_shield: then the end has not come through, and that is no success. */
static int run(struct stage *all, size_t n, const char *name)
{
    roost_scope_opts opts = {.name = name};
    struct stage *last = &all[n - 1];
    roost_scope scope;
    size_t i;
    int rc;

    roost_scope_open(&scope, name == NULL ? NULL : &opts);
    for (i = n; i-- > 0;) {
        unsigned w;

        for (w = 0; w < all[i].workers; w++) {
            if (roost_spawn(&scope, worker, &all[i]) != 0) {
                break; /* the scope has failed with it (R36) */
            }
        }
    }
    rc = roost_scope_close(&scope, 0);
    return rc == 0 && a32_load(&last->came, RELAXED) != last->workers
               ? -ECANCELED
               : rc;
}

int roost_pipeline(const roost_stage *stages, size_t n,
                   const roost_pipeline_opts *opts)
{
    size_t ahead = opts == NULL || opts->ahead == 0 ? AHEAD : opts->ahead;
    struct stage *all;
    int rc = check(stages, n, opts);

    if (rc != 0) {
        return rc;
    }
    all = n > PTRDIFF_MAX / sizeof(*all) ? NULL : alloc_zero(n * sizeof(*all));
    if (all == NULL) {
        return -ENOMEM;
    }
    rc = prepare(all, n, stages, ahead);
    if (rc == 0) {
        rc = run(all, n, opts == NULL ? NULL : opts->name);
    }
    clean_up(all, n);
    return rc;
}
