/*
 * procfs.h - what the kernel knows of this process: open descriptors, threads.
 */
#ifndef ROOST_TEST_PROCFS_H
#define ROOST_TEST_PROCFS_H

#include "test.h"

#include <dirent.h>

/* Entries of a folder of /proc: to compare with what it was before. */
TEST_UNUSED static int proc_entries(const char *path)
{
    DIR *dir = opendir(path);
    int n = 0;

    while (dir != NULL && readdir(dir) != NULL) {
        n++;
    }
    closedir(dir);
    return n;
}

TEST_UNUSED static int proc_fds(void)
{
    return proc_entries("/proc/self/fd");
}

TEST_UNUSED static int proc_threads(void)
{
    return proc_entries("/proc/self/task");
}

/* pthread_join returns a moment before the kernel has taken the thread off its
 * list: that alone may be late. */
TEST_UNUSED static int proc_threads_at_most(int wanted)
{
    struct timespec pause = {0, 100000};
    int n = proc_threads();

    for (int i = 0; i < 10000 && n > wanted; i++) {
        nanosleep(&pause, NULL);
        n = proc_threads();
    }
    return n;
}

#endif
