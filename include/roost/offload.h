/*
 * offload.h - calls that block, on threads beside the workers.
 *
 * A task that calls read(2) on a slow disk, getaddrinfo(3), or a library that
 * knows nothing of tasks would hold its worker. roost_offload runs the call on
 * a pool thread while the task waits. Threads are made as they are needed, stay
 * warm, and end when they have been idle for a while (roost_opts).
 */
#ifndef ROOST_OFFLOAD_H
#define ROOST_OFFLOAD_H

#include <roost/base.h>
#include <roost/sem.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Cancelled, a system call that it is in returns with EINTR. */
#define ROOST_INTERRUPT 1u

/* Zero-initialised = the defaults. */
typedef struct roost_offload_opts {
    const char *name;       /* of the call, up to 31 bytes; NULL = the task's */
    roost_limiter *limiter; /* a token is held until fn has really ended: as
                               long the limiter must live */
    size_t copy;            /* fn gets its own copy of so many bytes of arg */
    void (*abandon)(void *arg); /* see roost_offload_with; NULL = none */
    unsigned flags;             /* ROOST_INTERRUPT */
    uint64_t reserved_[4];      /* 0 */
} roost_offload_opts;

/*
 * Runs fn(arg) on a pool thread and waits for it.
 *   fn's status. Or it never ran: -ECANCELED, cancelled before it began;
 *   -EAGAIN, no thread can be made; -EPERM, inside a hook; -EINVAL
 * A cancel that comes while it runs is seen by roost_offload_cancelled, and by
 * the caller's next wait: arg is the caller's, so the call is awaited. Where
 * all offload_max threads are busy it queues, in order. fn sees the caller's
 * name and locals, and what it says by roost_fail is the caller's.
 * Waits. Who: a task; a plain thread, and an offloaded call, run fn themselves.
 * What is written before is seen by fn, what it writes after the call.
 * Cost: 1 to 3 us where one follows the other, 1 us with many out; two
 * wake-ups, 25 us, where none was before. R54 R55 R57 R61
 * R63 R65.
 */
ROOST_API int roost_offload(roost_fn fn, void *arg);

/*
 * The same with options (NULL: none).
 *   opts->abandon  not NULL: a cancel makes the call return -ECANCELED at once;
 *                  the pool calls abandon(arg) when fn has ended, on its
 *                  thread. arg is fn's, and then abandon's, from then on. Not
 *                  so if it never ran, or fn itself has returned -ECANCELED:
 *                  roost_offload_abandoned tells
 *   opts->flags    ROOST_INTERRUPT: a cancel interrupts the system call that fn
 *                  is in, again and again until fn returns or has asked
 *                  roost_offload_cancelled; fn's status is returned
 *   as roost_offload; also -ENOMEM, for copy and abandon; -EAGAIN, no signal to
 *   interrupt with is free; -EINVAL: unknown flags, a reserved field that is
 *   not 0
 * Waits, for a token of the limiter first. Who: as roost_offload. R54-R56.
 */
ROOST_API int roost_offload_with(roost_fn fn, void *arg,
                                 const roost_offload_opts *opts);

/*
 * Inside an offloaded call: whether its caller is cancelled, also after it was
 * abandoned. true counts as delivered. False elsewhere.
 * Never waits. Cost: 3 ns.
 */
ROOST_API bool roost_offload_cancelled(void);

/*
 * Whether this task's last roost_offload_with (or roost_offload) has left its
 * call behind: then arg is the pool's, and abandon(arg) comes, or has come.
 * Else arg is the caller's, whatever was returned, and abandon is not called.
 * Never waits. Who: a task; false on a plain thread, which is never cancelled,
 * and inside a hook. Cost: 2 ns. R54.
 */
ROOST_API bool roost_offload_abandoned(void);

/*
 * Inside an offloaded call: runs fn(arg) as a task, under the scopes of the
 * caller, and waits for it and for what it has started in its scope.
 *   its status. Or it never ran: -ECANCELED, the call was abandoned; -EPERM,
 *   not inside an offloaded call, or inside a hook; -ENOMEM; -EINVAL
 * The caller is not abandoned before it has returned. Blocks the pool thread: a
 * task that offloads in its turn needs another one (offload_max). Cost: two
 * wake-ups, 30 us. R57.
 */
ROOST_API int roost_offload_call(roost_fn fn, void *arg);

/*
 * 'I am about to block this worker', and 'I have': around a call that blocks in
 * place, without the way to a pool thread and back.
 *
 *     roost_block_begin();
 *     n = read(fd, buf, size);
 *     saved = errno;               before roost_block_end, which may change it
 *     roost_block_end();
 *
 * If the call really blocks, another thread takes over the worker with all that
 * is queued there, 0.1 to 1 ms after; then roost_block_end is a scheduling
 * point, after which the task may run on another thread. Pinned tasks stay with
 * theirs (R69): they, and those that would begin there, go on after the region.
 *   In between a call that waits, opens or closes a scope ends the region, and
 * so does the task's end; others, as roost_spawn, roost_cancelled or
 * roost_event_set, leave it open. Regions nest: the outermost end counts.
 * roost_block_end without a region does nothing, and so do both on a plain
 * thread, in an offloaded call and inside a hook. The task is not waiting: no
 * deadlock is reported, and a virtual clock stands. At most offload_max threads
 * are made; where none can be, the call blocks the worker, and nothing is lost.
 * Neither waits; no cancellation point. Cost: 12 ns both, if nothing happened;
 * a thread that takes over: 20 us once, then two wake-ups. R11, R63, R65, R69.
 */
ROOST_API void roost_block_begin(void);
ROOST_API void roost_block_end(void);

#ifdef __cplusplus
}
#endif

#endif
