/*
 * guest.h - a runtime in another program's event loop: one descriptor to watch,
 * and one call to make whenever it is readable. The loop's thread is the
 * runtime's worker 0; without others, tasks may use whatever belongs to the
 * loop, as its own callbacks do.
 */
#ifndef ROOST_GUEST_H
#define ROOST_GUEST_H

#include <roost/base.h>
#include <roost/run.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Starts a runtime as roost_start does, whose worker 0 is the calling thread:
 * its host, which carries it in roost_guest_turn, and while it waits in a call
 * of roost (roost_call, roost_group_wait, roost_stop). The other workers are
 * threads. The host alone may call the two below and roost_stop.
 *   rt    written on success
 *   opts  NULL = the defaults. ROOST_WORKERS does not override opts.workers, as
 *         tasks may count on 1; ROOST_PIN_WORKERS leaves the host where it is
 *   0, or as roost_start: -EINVAL, -ENOMEM, -EAGAIN. -EINVAL also: ROOST_SIM,
 *   which a line on stderr names. -EMFILE, -ENFILE, -ENOSPC: its descriptors
 *   could not be made. -EBUSY: this thread is the host of another one.
 *   -EDEADLK: called inside a task. -EPERM: inside a hook
 * Blocks its thread until the workers are made. Who: a plain thread. Cost: some
 * 50 us, and 3 descriptors, 5 with one worker.
 */
ROOST_API ROOST_MUST_CHECK int roost_guest_start(roost_runtime **rt,
                                                 const roost_opts *opts);

/*
 * The descriptor to watch for reading (poll, epoll, libuv, GLib): readable
 * while there is something to do for the host, from the start on, and until it
 * was done by roost_guest_turn. It must be watched by level, not be read, and
 * not be closed.
 *   the descriptor; or -EINVAL: rt is NULL or no guest; -ESHUTDOWN after
 *   roost_stop
 * Never waits. Who: anybody. Cost: 2 loads.
 */
ROOST_API int roost_guest_fd(roost_runtime *rt);

/*
 * Runs what is ready on worker 0, until nothing is, or the budget is used up.
 *   budget  for so many ns it goes on; ROOST_NEVER: until nothing is ready; 0
 *           or less: one task. It is looked at between tasks: one that computes
 *           has as long as it takes, or up to its next roost_checkpoint
 *   0: nothing is ready, and the descriptor tells when something is. 1: there
 *   is more, and the descriptor is readable. -EPERM: not the host, or inside a
 *   hook. -EDEADLK: inside a task. -ESHUTDOWN: after roost_stop. -EINVAL: rt is
 *   NULL or no guest, a forked child
 * Never waits. Who: the host, not inside a task. Cost: 1 us if there is
 * nothing to do.
 */
ROOST_API int roost_guest_turn(roost_runtime *rt, roost_ns budget);

#ifdef __cplusplus
}
#endif

#endif
