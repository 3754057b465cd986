/*
 * process.c - child processes: starting them, and waiting for their end.
 *
 * WHAT    roost_process_spawn is posix_spawn(3), offloaded, since it blocks its
 *         thread until the child has called execve. roost_process_wait waits
 *         for a pidfd, and always reaps (R58).
 * MODEL   A child that ends stays a zombie, whose number is nobody else's,
 *         until waitpid is called for it here, once, as the last step: so what
 *         is signalled before is the child.
 *
 *           runs --cancelled--> TERM --grace over--> KILL
 *             `--------------------`--------------------`--> ended --> reaped
 *
 *         From the cancel on the waits are shielded. Where there is no pidfd
 *         (an old kernel, a filter of system calls, no descriptor left) a call
 *         of waitid is offloaded, and interrupted when its time is over.
 * COST    pidfd_open, a wait for a descriptor, close, waitid twice, waitpid.
 * REJECTED  fork and execve: a copy of the page tables, and only what is safe
 *         in a signal handler may be called between. SIGCHLD: it is the
 *         program's, and several children may share one.
 */
#include <roost/io.h>

#include "base/check.h"
#include "runtime.h"
#include "worker.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/* --- starting --- */

struct start {
    pid_t pid; /* T(offload) */
    const char *file;
    char *const *argv;
    const roost_process_opts *opts;
    int fds[3]; /* opts->fds, those below 3 as copies: they must not be
                   overwritten before they are used */
};

static int prepare_fds(struct start *s)
{
    int i;

    memcpy(s->fds, s->opts->fds, sizeof(s->fds));
    for (i = 0; i < 3; i++) {
        int fd = s->fds[i];

        if (fd == 0 || (fd >= 3 && fcntl(fd, F_GETFD) >= 0)) {
            continue;
        }
        s->fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (s->fds[i] < 0) {
            int rc = -errno;

            s->fds[i] = fd;
            return rc;
        }
    }
    return 0;
}

static void drop_fds(struct start *s)
{
    int i;

    for (i = 0; i < 3; i++) {
        if (s->fds[i] != s->opts->fds[i]) {
            close(s->fds[i]);
        }
    }
}

static int add_fds(struct start *s, posix_spawn_file_actions_t *actions)
{
    int rc = 0;
    int i;

    for (i = 0; i < 3 && rc == 0; i++) {
        if (s->fds[i] != 0) {
            rc = posix_spawn_file_actions_adddup2(actions, s->fds[i], i);
        }
    }
    return rc;
}

static int set_attributes(struct start *s, posix_spawnattr_t *a)
{
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    sigset_t none;
    sigset_t all;
    int rc;

    sigemptyset(&none);
    sigfillset(&all);
    if (s->opts->flags & ROOST_GROUP) {
        flags |= POSIX_SPAWN_SETPGROUP;
    }
    rc = posix_spawnattr_setflags(a, flags);
    rc = rc != 0 ? rc : posix_spawnattr_setsigmask(a, &none);
    rc = rc != 0 ? rc : posix_spawnattr_setsigdefault(a, &all);
    return rc != 0 ? rc : posix_spawnattr_setpgroup(a, 0);
}

static int spawn_with(struct start *s, posix_spawn_file_actions_t *actions,
                      posix_spawnattr_t *attributes)
{
    char *const *env = s->opts->env == NULL ? environ : s->opts->env;
    int rc = add_fds(s, actions);

    rc = rc != 0 ? rc : set_attributes(s, attributes);
    return rc != 0 ? rc
                   : posix_spawnp(&s->pid, s->file, actions, attributes,
                                  s->argv, env);
}

/* Offloaded. */
static int spawn(void *arg)
{
    struct start *s = arg;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int rc = prepare_fds(s);

    if (rc != 0) {
        drop_fds(s);
        return rc;
    }
    rc = posix_spawn_file_actions_init(&actions);
    if (rc == 0) {
        rc = posix_spawnattr_init(&attributes);
        if (rc == 0) {
            rc = spawn_with(s, &actions, &attributes);
            posix_spawnattr_destroy(&attributes);
        }
        posix_spawn_file_actions_destroy(&actions);
    }
    drop_fds(s);
    return -rc;
}

static bool opts_valid(const roost_process_opts *o)
{
    static const roost_process_opts none;

    return (o->flags & ~ROOST_GROUP) == 0 && o->fds[0] >= 0 && o->fds[1] >= 0 &&
           o->fds[2] >= 0 &&
           memcmp(o->reserved_, none.reserved_, sizeof(none.reserved_)) == 0;
}

int roost_process_spawn(pid_t *pid, const char *file, char *const argv[],
                        const roost_process_opts *opts)
{
    static const roost_process_opts none;
    struct start s = {0, file, argv, opts == NULL ? &none : opts, {0, 0, 0}};
    int rc;

    if (registry_forked() || pid == NULL || file == NULL || argv == NULL ||
        argv[0] == NULL || !opts_valid(s.opts)) {
        return -EINVAL;
    }
    rc = roost_offload(spawn, &s);
    if (rc == 0) {
        *pid = s.pid;
    }
    return rc;
}

/* --- waiting --- */

struct child {
    pid_t pid;
    int fd; /* pidfd, -1: none */
    bool group;
};

/* Has it ended? It stays a zombie. waits: until it has. 0, -EAGAIN, -ECHILD,
 * -EINTR. */
static int look(pid_t pid, bool waits)
{
    siginfo_t info = {0};

    if (waitid(P_PID, (id_t)pid, &info,
               WEXITED | WNOWAIT | (waits ? 0 : WNOHANG)) != 0) {
        return -errno;
    }
    return info.si_pid == pid ? 0 : -EAGAIN;
}

/* Offloaded, interrupted by a cancel. */
static int wait_blocking(void *arg)
{
    const struct child *c = arg;
    int rc = look(c->pid, true);

    while (rc == -EINTR && !roost_offload_cancelled()) {
        rc = look(c->pid, true);
    }
    return rc;
}

/* Until it has ended. 0, -ECHILD, -ECANCELED, -EAGAIN: there is no thread. */
static int await_end(struct child *c)
{
    static const roost_offload_opts interrupt = {.flags = ROOST_INTERRUPT};
    int rc = c->fd < 0 ? -EBADF : roost_wait_fd(c->fd, ROOST_READABLE);

    if (rc >= 0 || rc == -ECANCELED) {
        return rc < 0 ? rc : look(c->pid, false);
    }
    rc = roost_offload_with(wait_blocking, c, &interrupt);
    return rc == -EINTR ? -ECANCELED : rc;
}

static void signal_child(const struct child *c, int signal)
{
    (void)kill(c->group ? -c->pid : c->pid, signal);
}

/* Shielded; grace < 0: for as long as it takes. */
static int await_shielded(struct child *c, roost_ns grace)
{
    roost_scope_opts opts = {.flags = ROOST_SHIELD | ROOST_MOVE_ON};
    roost_scope s;
    int rc;

    if (grace >= 0) {
        opts.timeout = grace;
    }
    roost_scope_open(&s, &opts);
    rc = await_end(c);
    (void)roost_scope_close(&s, 0);
    return rc;
}

/* Cancelled: it has to end. */
static int terminate(struct child *c, roost_ns grace)
{
    int rc = look(c->pid, false);

    if (rc == -EAGAIN) {
        signal_child(c, SIGTERM);
        rc = grace <= 0 ? -ECANCELED : await_shielded(c, grace);
    }
    if (rc != 0 && rc != -ECHILD) {
        signal_child(c, SIGKILL);
        rc = await_shielded(c, -1);
    }
    if (rc != 0 && rc != -ECHILD) { /* no thread: it cannot take long */
        roost_block_begin();
        do {
            rc = look(c->pid, true);
        } while (rc == -EINTR);
        roost_block_end();
    }
    if (c->group) {
        signal_child(c, SIGKILL); /* who has outlived its leader */
    }
    return rc;
}

static int reap(const struct child *c, int *status)
{
    int found = 0;

    if (waitpid(c->pid, &found, WNOHANG) != c->pid) {
        return -ECHILD; /* somebody else has */
    }
    if (status != NULL) {
        *status = found;
    }
    return 0;
}

int roost_process_wait(pid_t pid, int *status, roost_ns grace, unsigned flags)
{
    struct child c = {pid, -1, (flags & ROOST_GROUP) != 0};
    int cancelled;
    int rc;

    if (registry_forked() || pid <= 0 || (flags & ~ROOST_GROUP) != 0) {
        return -EINVAL;
    }
    rc = look(pid, false);
    if (rc == -ECHILD) {
        return rc;
    }
    cancelled = wait_enter();
    if (cancelled != 0 && cancelled != -ECANCELED) {
        return cancelled;
    }
    if (rc != 0) {
        c.fd = (int)syscall(SYS_pidfd_open, pid, 0);
        rc = cancelled != 0 ? cancelled : await_end(&c);
    }
    if (rc == -ECANCELED || cancelled != 0) {
        cancelled = -ECANCELED;
        rc = terminate(&c, grace);
    }
    if (c.fd >= 0) {
        close(c.fd);
    }
    rc = rc != 0 ? rc : reap(&c, status);
    return rc != 0 ? rc : cancelled;
}
