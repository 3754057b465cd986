/*
 * stream.c - a task that makes items, and whoever reads them.
 *
 * WHAT    A channel of `ahead` items with a service at its one end.
 * MODEL   The service runs the generator in a scope of its own, which catches
 *         its failure and the tree of it, closes the channel, and then stays
 *         until the stream is closed: so there is always somebody who ends when
 *         the scope does, and takes along what nobody has read.
 *           RUNNING --gen returns--> ENDED --close, or the scope's--> over
 *               `------- close, or the scope's: cancelled --------------^
 * INVARIANTS
 *   - status and errors are written before the channel is closed; who reads
 *     them has seen it closed, or has joined the service.
 *   - When the service has ended the stream holds no memory but errors, and
 *     those only for a close that is on its way: it has set `left`.
 * COST    Of its channel.
 * REJECTED  A deferred call of the scope in place of the waiting service: only
 *         its opener may defer, and any task inside may open a stream.
 */
#include "chan.h"

#include "base/alloc.h"
#include <errno.h>
#include <roost/error.h>
#include <roost/event.h>
#include <roost/scope.h>
#include <roost/stream.h>
#include <roost/task.h>

struct stream {
    int (*gen)(roost_stream *, void *); /* I: NULL: never opened */
    void *arg;                          /* I */
    int status;           /* L(items): what the generator returned, or 0 */
    roost_errors *errors; /* L(items): its tree, until somebody takes it */
    roost_event left;     /* the reader wants no more */
    roost_task task;      /* the service */
    char *ring;           /* I: of items; NULL: it needs none */
    roost_chan items;
};

_Static_assert(sizeof(struct stream) <= 480, "a quarter of 640 stays spare");
_Static_assert(sizeof(roost_stream) == 640, "stream.h says so");
_Static_assert(_Alignof(struct stream) <= _Alignof(roost_stream),
               "it lies in storage of the caller's");

static struct stream *stream_of(roost_stream *st)
{
    return (struct stream *)(void *)st;
}

/* The generator's end, and why. */
static void finish(struct stream *s, int status)
{
    roost_errors *tree = status < 0 ? roost_errors_take() : NULL;

    lock_acquire(&s->items.lock);
    s->status = status < 0 ? status : 0;
    s->errors = tree;
    lock_release(&s->items.lock);
    roost_chan_close(&s->items);
}

/* Cancelled with the scope, before a reader has left. While items lie unread
 * that is no end for one; and it may be that nobody closes the stream any more:
 * the status of a failure stays, its tree goes. */
static void cut_off(struct stream *s)
{
    roost_errors *tree;

    lock_acquire(&s->items.lock);
    if (s->items.items.length > 0 && s->status == 0) {
        s->status = -ECANCELED;
    }
    tree = s->errors;
    s->errors = NULL;
    lock_release(&s->items.lock);
    roost_errors_free(tree);
}

static int serve(void *stream)
{
    struct stream *s = stream;
    roost_scope scope;
    int status;

    roost_scope_open(&scope, NULL);
    status = s->gen(stream, s->arg);
    finish(s, roost_scope_close(&scope, status < 0 ? status : 0));
    if (roost_event_wait(&s->left) != 0 && !roost_event_is_set(&s->left)) {
        cut_off(s);
    }
    roost_chan_discard(&s->items);
    alloc_free(s->ring); /* nothing goes into it any more */
    return 0;
}

/* 0 or -ENOMEM. */
static int make_items(struct stream *s, size_t item_size, size_t ahead)
{
    if (ahead != 0 && ahead != ROOST_UNBOUNDED) {
        s->ring = alloc_bytes(item_size * ahead + 1);
        if (s->ring == NULL) {
            return -ENOMEM;
        }
    }
    chan_init(&s->items, item_size, ahead, s->ring);
    return 0;
}

int roost_stream_open(roost_stream *pub, int (*gen)(roost_stream *, void *),
                      void *arg, size_t item_size, size_t ahead)
{
    struct stream *s = stream_of(pub);
    roost_scope *scope = roost_scope_current();
    roost_task_opts opts = {.name = "stream", .flags = ROOST_SERVICE};
    int rc;

    if (wait_check() != 0 || pub == NULL || gen == NULL ||
        !chan_fits(item_size, ahead)) {
        return -EINVAL;
    }
    if (scope == NULL) {
        return -EPERM;
    }
    *pub = (roost_stream){{0}};
    s->arg = arg;
    s->gen = gen;
    opts.handle = &s->task;
    rc = make_items(s, item_size, ahead);
    if (rc == 0) {
        rc = roost_spawn_opts(scope, serve, s, &opts);
    }
    if (rc != 0) {
        alloc_free(s->ring);
        s->gen = NULL;
    }
    return rc;
}

static int check(roost_stream *pub)
{
    if (pub == NULL || stream_of(pub)->gen == NULL) {
        return -EINVAL;
    }
    return roost_scope_current() == NULL ? -EPERM : 0; /* no task */
}

int roost_stream_emit(roost_stream *pub, const void *item)
{
    int rc = check(pub);

    if (rc == 0) {
        rc = roost_chan_send(&stream_of(pub)->items, item);
    }
    return rc == -EPIPE ? -ECANCELED : rc;
}

/* What came of the generator; with its tree, for whoever asks first. */
static int outcome(struct stream *s)
{
    roost_errors *tree;
    int status;

    lock_acquire(&s->items.lock);
    status = s->status;
    tree = s->errors;
    s->errors = NULL;
    lock_release(&s->items.lock);
    return tree == NULL ? status : roost_errors_raise(tree);
}

int roost_stream_next_until(roost_stream *pub, void *item, roost_ns deadline)
{
    int rc = check(pub);

    if (rc != 0) {
        return rc;
    }
    rc = roost_chan_recv_until(&stream_of(pub)->items, item, deadline);
    if (rc == 0) {
        return 1;
    }
    return rc == -EPIPE ? outcome(stream_of(pub)) : rc;
}

int roost_stream_next(roost_stream *st, void *item)
{
    return roost_stream_next_until(st, item, ROOST_NEVER);
}

/* Tell the service to end: a generator that still runs is cancelled, and finds
 * the channel closed where it is shielded from that. */
static void leave(struct stream *s)
{
    bool running;

    lock_acquire(&s->items.lock);
    running = !s->items.closed;
    lock_release(&s->items.lock);
    roost_event_set(&s->left);
    if (running) {
        roost_task_cancel(&s->task);
        roost_chan_close(&s->items);
    }
}

int roost_stream_close(roost_stream *pub)
{
    struct stream *s = stream_of(pub);
    roost_shield shield;
    int rc = check(pub);

    if (rc != 0) {
        return rc;
    }
    roost_shield_begin(&shield); /* it waits, whatever befalls the caller */
    rc = roost_join_until(&s->task, NULL, 0);
    if (rc == -ETIMEDOUT) {
        leave(s);
        rc = roost_join(&s->task, NULL);
    }
    roost_shield_end(&shield);
    if (rc == 0) {
        bool failed = s->errors != NULL; /* nobody else is about */

        rc = outcome(s);
        rc = rc == -ECANCELED && !failed ? 0 : rc;
    }
    return rc;
}
