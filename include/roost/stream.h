/*
 * stream.h - items that a task makes while another reads them (a generator),
 * and rows of such tasks (a pipeline).
 *
 * A stream's generator runs beside the scope that was current when it was
 * opened: it is not waited for there, nothing it does fails that scope, and the
 * scope's close ends it. Only tasks have streams: -EPERM on a plain thread, in
 * an offloaded call and in a hook.
 */
#ifndef ROOST_STREAM_H
#define ROOST_STREAM_H

#include <roost/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The caller's storage; lives until the stream was closed, or the scope that
 * it was opened in. */
typedef struct roost_stream {
    uint64_t words_[80];
} roost_stream;

/* Of a stage: what comes out is in the order of what came in. */
#define ROOST_ORDERED 1u

/* All zero but fn is a stage of one task. */
typedef struct roost_stage {
    /* in   an item of the stage before; NULL in the first, the source
     * out  room for out_size bytes, NULL for 0; what is left there is passed on
     * 1: pass *out on. 0: nothing to pass on (filtered); in the source: the
     * end. Negative: the pipeline fails with it. May wait. */
    int (*fn)(const void *in, void *out, void *ctx);
    void *ctx;
    size_t out_size;       /* bytes of what it passes on; 0 in the last */
    unsigned workers;      /* so many tasks run it at once; 0 = 1 */
    unsigned flags;        /* ROOST_ORDERED */
    uint64_t reserved_[4]; /* 0 */
} roost_stage;

typedef struct roost_pipeline_opts {
    size_t ahead;          /* items that wait between two stages; 0 = 16 */
    const char *name;      /* of its scope, up to 31 bytes; NULL = none */
    uint64_t reserved_[4]; /* 0 */
} roost_pipeline_opts;

/*
 * Starts gen(st, arg) beside the current scope.
 *   gen        emits items until it returns: >= 0 the end, negative a failure,
 *              which comes out of next and close, and nowhere else
 *   item_size  bytes of an item; 0 is fine
 *   ahead      so many items may lie unread; 0: each emit waits for its reader;
 *              ROOST_UNBOUNDED
 *   0; -ENOMEM; -EINVAL: NULL, or too large; -EPERM: no task
 * Never waits. Who: a task. Cost: a spawn with a handle, 100 ns. R53.
 */
ROOST_API int roost_stream_open(roost_stream *st,
                                int (*gen)(roost_stream *st, void *arg),
                                void *arg, size_t item_size, size_t ahead);

/*
 * In the generator, or a task it has started: hands on a copy of *item (NULL
 * only for items of 0 bytes).
 *   0; -ECANCELED: the reader has left, or the scope is cancelled: return;
 *   -ENOMEM, where `ahead` is ROOST_UNBOUNDED
 * Waits while `ahead` items are unread. Cost: as roost_chan_send.
 */
ROOST_API int roost_stream_emit(roost_stream *st, const void *item);

/*
 * The next item, into *item.
 *   1: an item. 0: the end. Negative: what the generator failed with, as often
 *   as it is asked; -ECANCELED: the caller is cancelled, or the generator was
 * Waits for the generator. Who: a task. Cost: as roost_chan_recv. R53.
 */
ROOST_API int roost_stream_next(roost_stream *st, void *item);
/* The same until an absolute deadline: -ETIMEDOUT once it has passed. */
ROOST_API int roost_stream_next_until(roost_stream *st, void *item,
                                      roost_ns deadline);

/*
 * Ends the stream: a generator that still runs is cancelled and awaited; what
 * is unread is gone. Closing twice is fine.
 *   >= 0: 0. Negative: what the generator failed with, in its clean-up too;
 *   that it was cancelled is no failure. -EDEADLK: by the generator itself.
 * Waits, also when cancelled. Who: a task inside the scope it was opened in, in
 * any order with others; nobody may read meanwhile. R53.
 */
ROOST_API int roost_stream_close(roost_stream *st);

/*
 * Runs n > 0 stages at once, each item going from one to the next, until the
 * source ends and all has come through, in bounded memory.
 *   0; the first failure of a stage, and all others are cancelled; -ECANCELED;
 *   -EINVAL: NULL, n 0, unknown flags, a reserved field that is not 0, an
 *   out_size of half the address space; -ENOMEM; -EPERM: no task
 * Waits. Who: a task. Cost: a channel's send and receive for each item and
 * stage, 50 ns; ROOST_ORDERED: 60 ns more. R36 R53.
 */
ROOST_API int roost_pipeline(const roost_stage *stages, size_t n,
                             const roost_pipeline_opts *opts);

#ifdef __cplusplus
}
#endif

#endif
