/*
 * process_test.c - child processes: how they start, how they end, how they are
 * ended.
 *
 * Would catch: a child with the caller's blocked or ignored signals, with
 * descriptors that are none of its business, or with the wrong ones; a failed
 * start that leaves a child or touches *pid; a child that is not reaped, or
 * whose status is lost, because of a cancel; a grace that is not waited for, or
 * never over; a member of a group that survives; a worker that is held up.
 */
#include "forked.h"
#include "tasks.h"

#include <fcntl.h>
#include <sys/stat.h>

#define SPAWN(pid, argv, ...)                                                  \
    roost_process_spawn((pid), (argv)[0], (argv),                              \
                        &(roost_process_opts){__VA_ARGS__})

/* An emulator of programs (qemu-user) forks where it is to vfork: the child
 * cannot say why it does not start (posix_spawn then returns 0). And the system
 * shows its signals, not the program's, whose numbers are others. */
static bool emulated(const char *what)
{
    volatile int seen = 0;
    pid_t pid = vfork();

    if (pid == 0) {
        seen = 1;
        _exit(0);
    }
    CHECK_EQ(waitpid(pid, NULL, 0), pid);
    if (seen == 0) {
        printf("left out: %s: vfork shares no memory here\n", what);
    }
    return seen == 0;
}

/* sh -c script, with its output in a pipe. */
static pid_t run_script(const char *script, int *out, unsigned flags)
{
    char *argv[] = {"sh", "-c", (char *)(uintptr_t)script, NULL};
    int pipes[2];
    pid_t pid = -1;

    CHECK_EQ(pipe2(pipes, O_CLOEXEC), 0);
    CHECK_EQ(SPAWN(&pid, argv, .fds = {0, pipes[1], 0}, .flags = flags), 0);
    close(pipes[1]);
    *out = pipes[0];
    return pid;
}

static void read_all(int fd, char *text, size_t size)
{
    size_t done;

    CHECK_EQ(roost_read_full(fd, text, size - 1, &done), -EPIPE);
    text[done] = '\0';
    CHECK_EQ(roost_close(fd), 0);
}

static void check_output(const char *script, const char *expected)
{
    char text[256];
    int out, status = -1;
    pid_t pid = run_script(script, &out, 0);

    read_all(out, text, sizeof text);
    CHECK_STR(text, expected);
    CHECK_EQ(roost_process_wait(pid, &status, 0, 0), 0);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 0);
}

TEST(a_child_runs_and_is_reaped, "R58")
{
    char *argv[] = {"sh", "-c", "exit 7", NULL};
    int status = -1;
    pid_t pid = -1;

    CHECK_EQ(roost_process_spawn(&pid, "sh", argv, NULL), 0);
    CHECK(pid > 0);
    CHECK_EQ(roost_process_wait(pid, &status, 0, 0), 0);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 7);
    CHECK_EQ(roost_process_wait(pid, &status, 0, 0), -ECHILD);
    CHECK_EQ(roost_process_spawn(&pid, "/bin/sh", argv, NULL), 0);
    CHECK_EQ(roost_process_wait(pid, NULL, 0, 0), 0);
}

TEST(a_child_has_the_environment_that_it_is_given, "R58")
{
    char *argv[] = {"sh", "-c", "test \"$NEST\" = twigs", NULL};
    char *env[] = {"NEST=twigs", NULL};
    int status = -1;
    pid_t pid;

    CHECK_EQ(SPAWN(&pid, argv, .env = env), 0);
    CHECK_EQ(roost_process_wait(pid, &status, 0, 0), 0);
    CHECK_EQ(status, 0);
    CHECK_EQ(SPAWN(&pid, argv, .env = NULL), 0);
    CHECK_EQ(roost_process_wait(pid, &status, 0, 0), 0);
    CHECK(status != 0);
}

TEST(a_child_has_the_descriptors_that_it_is_given, "R58")
{
    char *argv[] = {"sh", "-c", "read line; echo $line; echo err >&2", NULL};
    int in[2], out[2], err[2], status = -1;
    char text[64];
    pid_t pid;

    CHECK_EQ(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC) |
                 pipe2(err, O_CLOEXEC),
             0);
    CHECK_EQ(SPAWN(&pid, argv, .fds = {in[0], out[1], err[1]}), 0);
    close(in[0]);
    close(out[1]);
    close(err[1]);
    CHECK_EQ(roost_write_full(in[1], "hello\n", 6, NULL), 0);
    CHECK_EQ(roost_close(in[1]), 0);
    read_all(out[0], text, sizeof text);
    CHECK_STR(text, "hello\n");
    read_all(err[0], text, sizeof text);
    CHECK_STR(text, "err\n");
    CHECK_EQ(roost_process_wait(pid, &status, 0, 0), 0);
    CHECK_EQ(status, 0);
}

/* Its 1 is our 2, and its 2 our 1. */
TEST(descriptors_may_change_places, "R58")
{
    char *argv[] = {"sh", "-c", "echo from 2 >&2", NULL};
    int saved = fcntl(1, F_DUPFD_CLOEXEC, 10), pipes[2], status = -1;
    char text[64];
    pid_t pid;

    CHECK_EQ(pipe2(pipes, O_CLOEXEC), 0);
    fflush(stdout);
    CHECK_EQ(dup2(pipes[1], 1), 1);
    CHECK_EQ(SPAWN(&pid, argv, .fds = {0, 2, 1}), 0);
    CHECK_EQ(dup2(saved, 1), 1);
    close(saved);
    close(pipes[1]);
    read_all(pipes[0], text, sizeof text);
    CHECK_STR(text, "from 2\n");
    CHECK_EQ(roost_process_wait(pid, &status, 0, 0), 0);
    CHECK_EQ(status, 0);
}

/* Of the runtime's own and of others that are close-on-exec. */
TEST(a_child_has_no_other_descriptors, "R58")
{
    int fd = roost_open("/dev/null", O_RDONLY, 0);

    CHECK(fd > 2);
    check_output("cd /proc/$$/fd && for f in [0-9]*; do "
                 "case $f in 0|1|2|10|255) ;; *) "
                 "case $(readlink $f) in anon_inode*|/dev/null) echo $f;; esac;"
                 " esac; done",
                 "");
    CHECK_EQ(roost_close(fd), 0);
}

/* The C library may leave two of its own ignored. */
TEST(a_child_has_no_signal_blocked_or_ignored, "R58 R71")
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, was;

    if (emulated("signals as the system shows them")) {
        return;
    }
    sigaction(SIGUSR1, &ignore, &was);
    check_output("exec sed -n 's/^Sig\\(Blk\\|Ign\\):[[:space:]]*0*"
                 "\\(180000000\\)\\{0,1\\}$/\\1/p' /proc/self/status",
                 "Blk\nIgn\n");
    sigaction(SIGUSR1, &was, NULL);
}

TEST(a_start_that_fails_leaves_nothing, "R8")
{
    char *argv[] = {"roost-no-such-program", NULL}, *none[] = {NULL};
    char path[] = "/tmp/roost-XXXXXX";
    int fd = mkstemp(path);
    pid_t pid = -7;

    if (emulated("starts that fail")) {
        close(fd);
        unlink(path);
        return;
    }
    CHECK(fd >= 0);
    CHECK_EQ(roost_process_spawn(&pid, argv[0], argv, NULL), -ENOENT);
    CHECK_EQ(roost_process_spawn(&pid, path, argv, NULL), -EACCES);
    CHECK_EQ(fchmod(fd, 0700), 0);
    close(fd);
    CHECK_EQ(roost_process_spawn(&pid, path, argv, NULL), -ENOEXEC);
    unlink(path);
    argv[0] = "true";
    CHECK_EQ(roost_process_spawn(NULL, "true", argv, NULL), -EINVAL);
    CHECK_EQ(roost_process_spawn(&pid, NULL, argv, NULL), -EINVAL);
    CHECK_EQ(roost_process_spawn(&pid, "true", NULL, NULL), -EINVAL);
    CHECK_EQ(roost_process_spawn(&pid, "true", none, NULL), -EINVAL);
    CHECK_EQ(SPAWN(&pid, argv, .flags = 2), -EINVAL);
    CHECK_EQ(SPAWN(&pid, argv, .fds = {0, -1, 0}), -EINVAL);
    CHECK_EQ(SPAWN(&pid, argv, .reserved_ = {0, 1}), -EINVAL);
    CHECK_EQ(SPAWN(&pid, argv, .fds = {0, 0, 9999}), -EBADF);
    CHECK_EQ(pid, -7);
    CHECK_EQ(waitpid(-1, NULL, WNOHANG | __WALL), -1); /* none was left */
}

TEST(a_cancelled_start_starts_nothing, "R2")
{
    char *argv[] = {"true", NULL};
    pid_t pid = -7;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_process_spawn(&pid, "true", argv, NULL), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(pid, -7);
}

/* ---- waiting ---- */

TEST(a_wait_for_no_child_is_refused, "R2 R58")
{
    int status = 77;

    CHECK_EQ(roost_process_wait(getpid(), &status, 0, 0), -ECHILD);
    CHECK_EQ(roost_process_wait(1, &status, 0, 0), -ECHILD);
    CHECK_EQ(roost_process_wait(0, &status, 0, 0), -EINVAL);
    CHECK_EQ(roost_process_wait(-1, &status, 0, 0), -EINVAL);
    CHECK_EQ(roost_process_wait(1, &status, 0, 2), -EINVAL);
    CHECK_EQ(status, 77);
}

struct waiting {
    pid_t pid;
    int rc, status;
};

static int wait_for_it(void *arg)
{
    struct waiting *w = arg;

    w->status = -1;
    w->rc = roost_process_wait(w->pid, &w->status, ROOST_S, 0);
    return 0;
}

enum { CHILDREN = 12 };

TEST(children_are_awaited_beside_each_other, "R58 R60")
{
    struct waiting w[CHILDREN];
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < CHILDREN; i++) {
        char *argv[] = {"sh", "-c", "read line; exit $line", NULL};
        char text[8];
        int in[2];

        CHECK_EQ(pipe2(in, O_CLOEXEC), 0);
        CHECK_EQ(SPAWN(&w[i].pid, argv, .fds = {in[0], 0, 0}), 0);
        CHECK_EQ(roost_spawn(&s, wait_for_it, &w[i]), 0);
        CHECK_EQ(roost_yield(), 0);
        snprintf(text, sizeof text, "%d\n", i);
        CHECK_EQ(roost_write_full(in[1], text, strlen(text), NULL), 0);
        CHECK_EQ(roost_close(in[1]), 0);
        close(in[0]);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < CHILDREN; i++) {
        CHECK_EQ(w[i].rc, 0);
        CHECK_EQ(WEXITSTATUS(w[i].status), i);
    }
}

TEST(a_deadline_terminates_the_child, "R15 R58")
{
    int out, status = -1;
    pid_t pid = run_script("exec sleep 1000", &out, 0);
    roost_scope s;

    OPEN(&s, .timeout = 5 * ROOST_MS);
    CHECK_EQ(roost_process_wait(pid, &status, 10 * ROOST_S, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK(WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGTERM);
    close(out);
}

/* Until the script has said something: its traps are set. */
static void await_ready(int out)
{
    char byte;

    CHECK_EQ(roost_read(out, &byte, 1), 1);
}

static const char stubborn[] =
    "trap '' TERM; echo x; while :; do sleep 0.01; done";

TEST(a_child_that_does_not_end_is_killed, "R58")
{
    int out, status = -1;
    pid_t pid = run_script(stubborn, &out, ROOST_GROUP);
    roost_ns start;
    roost_scope s;

    await_ready(out);
    start = roost_now();
    OPEN(&s, .flags = ROOST_MOVE_ON, .timeout = ROOST_MS);
    CHECK_EQ(roost_process_wait(pid, &status, 20 * ROOST_MS, ROOST_GROUP),
             -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(roost_now() - start >= 20 * ROOST_MS);
    CHECK(WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGKILL);
    close(out);
}

TEST(a_child_may_clean_up_within_its_grace, "R58")
{
    int out, status = -1;
    pid_t pid = run_script("trap 'sleep 0.02; exit 5' TERM; echo x; "
                           "while :; do sleep 0.01; done",
                           &out, 0);
    roost_scope s;

    await_ready(out);
    OPEN(&s, .flags = ROOST_MOVE_ON, .timeout = ROOST_MS);
    CHECK_EQ(roost_process_wait(pid, &status, 10 * ROOST_S, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 5);
    close(out);
}

TEST(cancelled_at_entry_the_child_is_ended_all_the_same, "R2 R8 R58")
{
    for (int ended = 0; ended < 2; ended++) {
        int out, status = -1;
        char text[8];
        pid_t pid = run_script(ended ? "exit 3" : "exec sleep 1000", &out, 0);
        roost_scope s;

        if (ended) {
            read_all(out, text, sizeof text);
        }
        roost_scope_open(&s, NULL);
        CHECK(roost_scope_cancel(&s, 0));
        CHECK_EQ(roost_process_wait(pid, &status, 10 * ROOST_S, 0), -ECANCELED);
        CHECK_EQ(roost_yield(), -ECANCELED); /* R4 */
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK(ended ? status != -1
                    : WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
        CHECK_EQ(waitpid(pid, NULL, WNOHANG), -1);
        if (!ended) {
            close(out);
        }
    }
}

/* The pipe ends when the last one of the group is gone. */
TEST(a_group_is_ended_as_a_whole, "R58")
{
    char text[16];
    int out, status = -1;
    pid_t pid = run_script("sleep 1000 & (trap '' TERM; sleep 1000; sleep "
                           "1000) & echo x; wait",
                           &out, ROOST_GROUP);
    roost_scope s;

    await_ready(out);
    OPEN(&s, .flags = ROOST_MOVE_ON, .timeout = ROOST_MS);
    CHECK_EQ(roost_process_wait(pid, &status, 10 * ROOST_S, ROOST_GROUP),
             -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGTERM);
    read_all(out, text, sizeof text);
}

TEST(a_shield_keeps_the_child, "R20 R58")
{
    int out, status = -1;
    pid_t pid = run_script("sleep 0.02; exit 4", &out, 0);
    roost_shield shield;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK(roost_scope_cancel(&s, 0));
    roost_shield_begin(&shield);
    CHECK_EQ(roost_process_wait(pid, &status, 0, 0), 0);
    roost_shield_end(&shield);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(WEXITSTATUS(status), 4);
    close(out);
}

TEST_VIRTUAL(a_grace_on_a_virtual_clock, "R58 R65")
{
    int out, status = -1;
    pid_t pid = run_script(stubborn, &out, ROOST_GROUP);
    roost_ns start = roost_now();
    roost_scope s;

    await_ready(out);
    OPEN(&s, .flags = ROOST_MOVE_ON, .timeout = ROOST_S);
    CHECK_EQ(roost_process_wait(pid, &status, 3600 * ROOST_S, ROOST_GROUP),
             -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(roost_now() - start >= 3601 * ROOST_S);
    CHECK_EQ(WTERMSIG(status), SIGKILL);
    close(out);
}

TEST(in_a_forked_child_all_is_refused, "R64")
{
    char *argv[] = {"true", NULL};
    sigset_t set;
    pid_t pid;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pid = fork();
    if (pid == 0) {
        pid_t none = -7;
        int status = 77;

        CHECK_EQ(roost_process_spawn(&none, "true", argv, NULL), -EINVAL);
        CHECK_EQ(none, -7);
        CHECK_EQ(roost_process_wait(getppid(), &status, 0, 0), -EINVAL);
        CHECK_EQ(status, 77);
        pthread_sigmask(SIG_BLOCK, &set, NULL);
        CHECK_EQ(roost_signal_wait_until(&set, 0), -EINVAL);
        end_child();
    }
    CHECK_EQ(reap(pid), 0);
}

TEST_PLAIN(a_plain_thread_starts_and_waits, "R58")
{
    char *argv[] = {"sh", "-c", "exit 9", NULL};
    int status = -1;
    pid_t pid;

    CHECK_EQ(roost_process_spawn(&pid, "sh", argv, NULL), 0);
    CHECK_EQ(roost_process_wait(pid, &status, 0, 0), 0);
    CHECK_EQ(WEXITSTATUS(status), 9);
    pid = fork();
    if (pid == 0) {
        _exit(6);
    }
    CHECK_EQ(roost_process_wait(pid, &status, 0, 0), 0);
    CHECK_EQ(WEXITSTATUS(status), 6);
}
