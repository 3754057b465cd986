/*
 * strays.h - the children of a process, also those that it never started: it
 * is a subreaper, so whoever loses his parent below it becomes its child.
 */
#ifndef PTEST_STRAYS_H
#define PTEST_STRAYS_H

#include <sys/types.h>

/*
 * Sends a signal (0: none) to every child of the calling thread but `except`
 * (0: none is), and reaps those that have ended.
 *   how many live and could be signalled; -1: the kernel does not tell
 */
int strays_signal(pid_t except, int signal);

/* Sends a signal to everybody below this process who is not in that group. */
void strays_signal_outside(pid_t group, int signal);

/* Ends all children of the calling thread, and theirs, and reaps them. */
void strays_end(void);

#endif
