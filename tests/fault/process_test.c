/*
 * process_test.c - child processes and signals where the system refuses what
 * they need: no pidfd, no process, no thread, no descriptor.
 *
 * Would catch: a child that is not reaped, or not ended, for want of a pidfd or
 * a thread; a failed start that leaves a child, a descriptor or *pid behind; a
 * signal that is taken and lost; an error that is told as another.
 */
#include "procfs.h"
#include "test.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/* What fails, with which errno; 0: nothing. */
static int no_pidfd, no_process, no_thread, no_signalfd, no_copy;

long __real_syscall(long number, long a, long b, long c, long d, long e,
                    long f);
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
    va_list args;
    long v[6] = {0};

    if (number == SYS_pidfd_open && test_get(&no_pidfd) != 0) {
        errno = test_get(&no_pidfd);
        return -1;
    }
    va_start(args, number);
    for (int i = 0; i < (number == SYS_pidfd_open ? 2 : 6); i++) {
        v[i] = va_arg(args, long);
    }
    va_end(args);
    return __real_syscall(number, v[0], v[1], v[2], v[3], v[4], v[5]);
}

int __real_posix_spawnp(pid_t *pid, const char *file,
                        const posix_spawn_file_actions_t *actions,
                        const posix_spawnattr_t *attributes, char *const argv[],
                        char *const env[]);
int __wrap_posix_spawnp(pid_t *pid, const char *file,
                        const posix_spawn_file_actions_t *actions,
                        const posix_spawnattr_t *attributes, char *const argv[],
                        char *const env[]);
int __wrap_posix_spawnp(pid_t *pid, const char *file,
                        const posix_spawn_file_actions_t *actions,
                        const posix_spawnattr_t *attributes, char *const argv[],
                        char *const env[])
{
    return test_get(&no_process) != 0
               ? test_get(&no_process)
               : __real_posix_spawnp(pid, file, actions, attributes, argv, env);
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*fn)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*fn)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*fn)(void *), void *arg)
{
    return test_get(&no_thread) != 0
               ? test_get(&no_thread)
               : __real_pthread_create(thread, attr, fn, arg);
}

int __real_signalfd(int fd, const sigset_t *set, int flags);
int __wrap_signalfd(int fd, const sigset_t *set, int flags);
int __wrap_signalfd(int fd, const sigset_t *set, int flags)
{
    if (test_get(&no_signalfd) != 0) {
        errno = test_get(&no_signalfd);
        return -1;
    }
    return __real_signalfd(fd, set, flags);
}

int __real_fcntl(int fd, int command, long arg);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...)
{
    va_list args;
    long arg;

    va_start(args, command);
    arg = va_arg(args, long);
    va_end(args);
    if (command == F_DUPFD_CLOEXEC && test_get(&no_copy) != 0) {
        errno = test_get(&no_copy);
        return -1;
    }
    return __real_fcntl(fd, command, arg);
}

static pid_t start(const char *script)
{
    char *argv[] = {"sh", "-c", (char *)(uintptr_t)script, NULL};
    pid_t pid = -1;

    CHECK_EQ(roost_process_spawn(&pid, "sh", argv, NULL), 0);
    return pid;
}

/* ---- no pidfd ---- */

static void await_without_pidfd(int error)
{
    int status = -1;
    pid_t pid;
    roost_scope s;

    test_set(&no_pidfd, error);
    CHECK_EQ(roost_process_wait(start("exit 3"), &status, 0, 0), 0);
    CHECK_EQ(WEXITSTATUS(status), 3);

    status = -1;
    pid = start("exec sleep 1000");
    roost_scope_open(&s, &(roost_scope_opts){.timeout = 3 * ROOST_MS});
    CHECK_EQ(roost_process_wait(pid, &status, 10 * ROOST_S, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK(WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGTERM);

    status = -1;
    pid = start("trap '' TERM; exec sleep 1000");
    roost_scope_open(&s, &(roost_scope_opts){.timeout = 30 * ROOST_MS});
    CHECK_EQ(roost_process_wait(pid, &status, 5 * ROOST_MS, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK(WIFSIGNALED(status));
    test_set(&no_pidfd, 0);
}

TEST(without_a_pidfd_the_child_is_awaited_all_the_same, "R8 R56 R58")
{
    await_without_pidfd(ENOSYS);
    await_without_pidfd(EMFILE);
}

/* Neither: then a child that is not to be ended stays. */
TEST(without_a_pidfd_and_a_thread, "R8 R55 R58")
{
    pid_t pid = start("exec sleep 1000");
    int status = -1, rc;
    roost_scope s;

    test_set(&no_pidfd, ENOSYS);
    /* The thread that has started it is to be elsewhere. */
    test_set(&no_thread, EAGAIN);
    roost_scope_open(&s, NULL);
    CHECK(roost_scope_cancel(&s, 0));
    rc = roost_process_wait(pid, &status, ROOST_MS, 0);
    CHECK_EQ(rc, -ECANCELED);
    CHECK(WIFSIGNALED(status));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    test_set(&no_thread, 0);
    test_set(&no_pidfd, 0);
    CHECK_EQ(waitpid(pid, NULL, WNOHANG), -1);
}

static int wait_without_thread(void *arg)
{
    pid_t pid = *(pid_t *)arg;
    int status = 77;
    roost_scope s;

    test_set(&no_pidfd, ENOSYS);
    test_set(&no_thread, EAGAIN);
    CHECK_EQ(roost_process_wait(pid, &status, 0, 0), -EAGAIN);
    CHECK_EQ(status, 77);
    roost_scope_open(&s, NULL);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_process_wait(pid, &status, ROOST_MS, 0), -ECANCELED);
    CHECK(WIFSIGNALED(status));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    test_set(&no_thread, 0);
    test_set(&no_pidfd, 0);
    return 0;
}

TEST_PLAIN(without_any_thread_the_child_stays_until_it_is_to_end, "R55 R58")
{
    roost_opts opts = test_opts();
    pid_t pid = fork();

    if (pid == 0) {
        for (;;) {
            pause();
        }
    }
    CHECK_EQ(roost_run(wait_without_thread, &pid, &opts), 0);
    CHECK_EQ(waitpid(pid, NULL, WNOHANG), -1);
}

/* ---- no start ---- */

TEST(a_refused_start_leaves_nothing, "R8 R55")
{
    char *argv[] = {"true", NULL};
    roost_process_opts swap = {.fds = {0, 2, 1}};
    pid_t pid = -7;
    int before = proc_fds();

    test_set(&no_process, EAGAIN);
    CHECK_EQ(roost_process_spawn(&pid, "true", argv, &swap), -EAGAIN);
    test_set(&no_process, ENOMEM);
    CHECK_EQ(roost_process_spawn(&pid, "true", argv, &swap), -ENOMEM);
    test_set(&no_process, 0);
    test_set(&no_copy, EMFILE);
    CHECK_EQ(roost_process_spawn(&pid, "true", argv, &swap), -EMFILE);
    test_set(&no_copy, 0);
    CHECK_EQ(pid, -7);
    CHECK_EQ(proc_fds(), before);
    CHECK_EQ(waitpid(-1, NULL, WNOHANG | __WALL), -1);
}

static int start_without_thread(void *arg)
{
    char *argv[] = {"true", NULL};
    pid_t pid = -7;

    (void)arg;
    test_set(&no_thread, EAGAIN);
    CHECK_EQ(roost_process_spawn(&pid, "true", argv, NULL), -EAGAIN);
    test_set(&no_thread, 0);
    CHECK_EQ(pid, -7);
    return 0;
}

TEST_PLAIN(a_start_without_a_thread, "R55")
{
    roost_opts opts = test_opts();

    CHECK_EQ(roost_run(start_without_thread, NULL, &opts), 0);
}

/* ---- no signalfd ---- */

static int wait_without_signalfd(void *arg)
{
    const sigset_t *set = arg;
    int before = proc_fds();

    test_set(&no_signalfd, EMFILE);
    CHECK_EQ(roost_signal_wait(set), -EMFILE);
    test_set(&no_signalfd, ENFILE);
    CHECK_EQ(roost_signal_wait(set), -ENFILE);
    CHECK_EQ(kill(getpid(), SIGUSR1), 0);
    CHECK_EQ(roost_signal_wait(set), SIGUSR1); /* none is needed */
    test_set(&no_signalfd, 0);
    CHECK_EQ(roost_signal_wait_until(set, roost_in(ROOST_MS)), -ETIMEDOUT);
    CHECK(proc_fds() <= before + 2); /* the poller's */
    return 0;
}

TEST_PLAIN(without_a_signalfd_no_signal_is_lost, "R8")
{
    roost_opts opts = test_opts();
    sigset_t set, old;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    opts.signals = &set;
    pthread_sigmask(SIG_SETMASK, NULL, &old);
    CHECK_EQ(roost_run(wait_without_signalfd, &set, &opts), 0);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}
