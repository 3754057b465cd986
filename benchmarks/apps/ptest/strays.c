/*
 * strays.c - see strays.h.
 *
 * The kernel's list of children may lack some while others are ending, so
 * whoever wants to know that none is left asks again until that is the answer:
 * nobody is added to it but by a child's end, or a child's fork.
 */
#include "strays.h"

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Between two looks at who is left while they are being ended: that a child's
 * children are now one's own is told by no event. */
static const struct timespec pause_time = {.tv_nsec = 5000000};

/* How deep it is looked, two descriptors each. */
enum { DEPTH_MAX = 100, PATH_SIZE = 64 };

/* Reaps it if it has ended; else: could it be signalled? */
static bool is_alive(pid_t pid, int signal)
{
    return waitpid(pid, NULL, WNOHANG) == 0 && kill(pid, signal) == 0;
}

int strays_signal(pid_t except, int signal)
{
    FILE *children = fopen("/proc/thread-self/children", "re");
    int alive = 0;
    int pid;

    if (children == NULL) {
        return -1;
    }
    while (fscanf(children, "%d", &pid) == 1) {
        alive += pid != except && is_alive(pid, signal);
    }
    fclose(children);
    return alive;
}

static void signal_below(pid_t pid, pid_t group, int signal, int depth);

/* The children of one thread, and all that is below them. */
static void signal_thread(const char *path, pid_t group, int signal, int depth)
{
    FILE *children = fopen(path, "re");
    int pid;

    while (children != NULL && fscanf(children, "%d", &pid) == 1) {
        signal_below(pid, group, signal, depth + 1);
        if (getpgid(pid) != group) {
            (void)kill(pid, signal);
        }
    }
    if (children != NULL) {
        fclose(children);
    }
}

static void signal_below(pid_t pid, pid_t group, int signal, int depth)
{
    char path[PATH_SIZE];
    const struct dirent *thread;
    DIR *threads;

    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    threads = depth < DEPTH_MAX ? opendir(path) : NULL;
    while (threads != NULL && (thread = readdir(threads)) != NULL) {
        snprintf(path, sizeof path, "/proc/%d/task/%.16s/children", (int)pid,
                 thread->d_name);
        if (thread->d_name[0] != '.') {
            signal_thread(path, group, signal, depth);
        }
    }
    if (threads != NULL) {
        closedir(threads);
    }
}

void strays_signal_outside(pid_t group, int signal)
{
    signal_below(getpid(), group, signal, 0);
}

void strays_end(void)
{
    while (strays_signal(0, SIGKILL) > 0) {
        nanosleep(&pause_time, NULL);
    }
}
