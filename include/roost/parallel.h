/*
 * parallel.h - loops, reductions, scans and sorts over all workers, and rows of
 * functions run at once.
 *
 * What all of them hold to:
 * - Work is cut into chunks by the arguments alone and put together in a fixed
 *   order, so that the result is the same for any number of workers, to the
 *   last bit of a sum of floating-point numbers.
 * - Chunks are tasks' work: they may wait, fail with a message (roost_fail),
 *   open scopes, call parallel loops of their own. On which worker and in which
 *   order they run is not said.
 * - The first failure is returned, and no new chunk starts after it; those that
 *   run are cancelled like siblings in a scope, and awaited. All failures are
 *   one group of roost_errors_take.
 * - Cancelled, at entry or later: no new chunk starts, running ones finish,
 *   -ECANCELED. A cancel that came too late to stop anything is none (R18).
 *   Chunks are children of the caller: a roost_shield stretch of it does not
 *   cover them, a scope with ROOST_SHIELD does.
 * - They are for tasks: -EPERM on a plain thread, in an offloaded function and
 *   in a hook. When they return, nothing of theirs runs any more.
 */
#ifndef ROOST_PARALLEL_H
#define ROOST_PARALLEL_H

#include <roost/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One function of a row. */
typedef struct roost_job {
    roost_fn fn;
    void *arg;
    int status; /* out: what fn returned; -ECANCELED: it was never run */
} roost_job;

/*
 * Calls body for begin .. end - 1 in chunks: body(lo, hi, ctx) does those from
 * lo to hi - 1, and returns >= 0, or a negative status, which ends the loop.
 *   grain  items of a chunk, but for the last; 0: chosen by their number alone,
 *          1 for the 128 that a short loop has, up to 1024 chunks for a long
 *          one
 *   0; the first failure of a body; -ECANCELED; -ENOMEM: no room to queue a
 *   chunk, which ends the loop like a failure; -EINVAL: body NULL, end < begin;
 *   -EPERM
 * Waits. Who: a task. Cost: 30 ns a chunk. R2 R4 R24 R36.
 */
ROOST_API int roost_parallel_for(size_t begin, size_t end, size_t grain,
                                 int (*body)(size_t lo, size_t hi, void *ctx),
                                 void *ctx);

/*
 * The same where each chunk makes a value, and all are combined into one.
 *   acc       in: the identity, from a copy of which each chunk starts; out:
 *             the result, on success only. The copies are aligned to 16 bytes
 *   acc_size  bytes of it, > 0
 *   body      adds its items to the acc that it is given
 *   combine   *into = *into + *from, for the one operation that it is about,
 *             which must be associative, but not commutative: into is what came
 *             of lower items
 *   as roost_parallel_for; -EINVAL also: acc or combine NULL, acc_size 0;
 *   -ENOMEM also: no room for a copy of more than 64 bytes
 * Waits. Who: a task. Cost: as roost_parallel_for, and of combine; an
 * allocation a chunk if acc_size is over 64. R2 R4 R8 R24 R36.
 */
ROOST_API int roost_parallel_reduce(
    size_t begin, size_t end, size_t grain, void *acc, size_t acc_size,
    int (*body)(size_t lo, size_t hi, void *acc, void *ctx),
    void (*combine)(void *into, const void *from, void *ctx), void *ctx);

/*
 * Inclusive prefixes, in place: item i becomes item 0 + item 1 + .. + item i.
 *   base, n, size  n items of so many bytes, size > 0
 *   combine        as of roost_parallel_reduce. A copy of an item that it is
 *                  given is aligned to 16 bytes
 *   0; -ECANCELED: each item is then what it was or what it was to become;
 *   -ENOMEM: nothing has changed, unless there was no room to queue a chunk:
 *   then as -ECANCELED; -EINVAL: base NULL with n > 0, combine NULL, size 0,
 *   n * size overflows; -EPERM
 * Waits. Who: a task. Cost: 2 n calls of combine in all, n in fewer than 64
 * items; room for at most 512 items. R2 R4.
 */
ROOST_API int roost_parallel_scan(void *base, size_t n, size_t size,
                                  void (*combine)(void *into, const void *from,
                                                  void *ctx),
                                  void *ctx);

/*
 * Sorts, stably: items that compare equal keep their order.
 *   base, n, size  n items of so many bytes, size > 0
 *   cmp            < 0, 0 or > 0 like qsort's; must not wait
 *   0; -ECANCELED: the items are all there, in some order; -ENOMEM: nothing has
 *   changed, unless there was no room to queue a task: then as -ECANCELED;
 *   -EINVAL: base NULL with n > 0, cmp NULL, size 0, n * size overflows; -EPERM
 * Waits. Who: a task. Cost: n log2 n calls of cmp, n of items in order or in
 * falling order; room for n items. Quickest for items of 4, 8 and 16 bytes. R2
 * R4.
 */
ROOST_API int roost_parallel_sort(void *base, size_t n, size_t size,
                                  int (*cmp)(const void *a, const void *b,
                                             void *ctx),
                                  void *ctx);

/*
 * Runs n functions at once, each as a task; the first failure cancels the rest,
 * those that have not begun never run.
 *   jobs  status is written in each; untouched by -EINVAL, -EPERM and a cancel
 *         at entry
 *   0; the first failure; -ECANCELED; -ENOMEM: a task could not be made (that
 *   job's status too); -EINVAL: jobs NULL with n > 0, a job without fn; -EPERM
 * Waits. Who: a task. Cost: 15 ns a job. R2 R4 R24 R36.
 */
ROOST_API int roost_parallel_invoke(roost_job *jobs, size_t n);

/*
 * Runs n functions, each as a task, at most `limit` at once; all of them,
 * whatever becomes of the others: a failure is in its job's status and nowhere
 * else.
 *   limit  0: no limit
 *   0; -ECANCELED: those that had begun were cancelled and awaited, the others'
 *   status is -ECANCELED; -ENOMEM: likewise, not all could be started;
 *   -EINVAL: jobs NULL with n > 0, a job without fn; -EPERM
 * Waits. Who: a task. Cost: 15 ns a job, 100 ns with a limit. R2 R4 R35 R41.
 */
ROOST_API int roost_gather(roost_job *jobs, size_t n, unsigned limit);

#ifdef __cplusplus
}
#endif

#endif
