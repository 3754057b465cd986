/*
 * process.h - signals and child processes. Included by io.h.
 */
#ifndef ROOST_PROCESS_H
#define ROOST_PROCESS_H

#include <roost/base.h>
#include <sys/select.h> /* sigset_t, in strict C11 too */
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Waits for a signal to this process, and takes it.
 *   set  not empty, and all of it blocked: in opts.signals of the runtime; on a
 *        plain thread, in the thread's own mask
 *   the signal's number; -ECANCELED; -EINVAL: set NULL, empty or not blocked;
 *   -EMFILE, -ENFILE, -ENOMEM: no signalfd. Then none was taken
 * A signal is delivered once: to one of those who wait for it, here or by
 * roost_scope_cancel_on_signal. What comes while nobody waits stays pending.
 * Waits. Who: a task, a plain thread. Cost: pending, one system call; else
 * eight. R2 R3 R65.
 */
ROOST_API int roost_signal_wait(const sigset_t *set);
ROOST_API int roost_signal_wait_until(const sigset_t *set, roost_ns deadline);

/* The child gets a process group of its own; signals go to the whole group. */
#define ROOST_GROUP 1u

/* Zero-initialised = the defaults. */
typedef struct roost_process_opts {
    char *const *env;      /* ends in NULL; NULL = the caller's */
    int fds[3];            /* what its 0, 1 and 2 are; 0 = as the caller's */
    unsigned flags;        /* ROOST_GROUP */
    uint64_t reserved_[4]; /* 0 */
} roost_process_opts;

/*
 * Starts a program, with no signal blocked and none ignored.
 *   file  is looked for in PATH, unless it has a slash
 *   argv  ends in NULL; at least argv[0]
 *   opts  may be NULL
 *   0, and the child in *pid, which roost_process_wait has to take; -ENOENT,
 *   -EACCES, -ENOEXEC and the like, what execve says; -ECANCELED, -EAGAIN (also
 *   no thread can be made), -ENOMEM, -EMFILE; -EBADF: no such descriptor;
 *   -EINVAL: a NULL, no argv[0], a negative descriptor, unknown flags, a
 *   reserved field that is not 0. Then there is no child
 * The child has its 0, 1 and 2, and what is not close-on-exec; all descriptors
 * that roost makes are. Waits, offloaded, until the program runs. Who: a task;
 * a plain thread starts it itself. Cost: 25 us beside the system's. R2 R8.
 */
ROOST_API int roost_process_spawn(pid_t *pid, const char *file,
                                  char *const argv[],
                                  const roost_process_opts *opts);

/*
 * Waits for a child, also one that was not started here, and reaps it.
 *   status  may be NULL; as of waitpid(2): WIFEXITED and the like
 *   grace   a duration: how long it may take to end, once cancelled; 0 or less:
 *           none
 *   flags   ROOST_GROUP: it leads a process group: signals go to all of that
 *   0; -ECHILD, no child of this process, or not to be waited for (SIGCHLD is
 *   ignored, or somebody else has reaped it); -EINVAL: pid <= 0, unknown flags.
 *   On a plain thread, and where the kernel has no pidfd_open: also -EAGAIN, no
 *   thread can be made. Then nothing is reaped, and *status is untouched. There
 *   a call of waitid is offloaded, during which a virtual clock stands still
 *   -ECANCELED: cancelled, also before the call; the child was sent SIGTERM,
 *   and after the grace SIGKILL (the rest of a group: when its leader has
 *   ended), is reaped, and *status set. One that had ended by then: likewise
 * Waits. Who: a task, a plain thread. Cost: seven system calls. R2 R8 R58 R65.
 */
ROOST_API int roost_process_wait(pid_t pid, int *status, roost_ns grace,
                                 unsigned flags);

#ifdef __cplusplus
}
#endif

#endif
