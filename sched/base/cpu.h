/*
 * cpu.h - how many processors this process may really use.
 */
#ifndef ROOST_BASE_CPU_H
#define ROOST_BASE_CPU_H

#include <stdbool.h>

/*
 * The smaller of the affinity mask and the CPU quota of every cgroup above
 * this process (v1 cfs_quota/cfs_period, v2 cpu.max), each rounded up; at
 * least 1 (R66). Unreadable files count as no quota. Reads files: some 100 us.
 */
unsigned cpu_available(void);

/* The same with the roots of /proc and of the cgroup mount given, for tests:
 * proc_root has self/cgroup and self/mountinfo. affinity 0: ask the kernel. */
unsigned cpu_available_at(const char *proc_root, const char *fs_root,
                          unsigned affinity);

/* Has the calling thread more than one CPU to run on? Cost: a system call. */
bool cpu_several(void);

/* Pin the calling thread to the n-th CPU of its affinity mask (n modulo the
 * count). 0 or a negative errno. */
int cpu_pin(unsigned n);

#endif
