/*
 * quota_test.c - the default number of workers in a made-up cgroup: what the
 * library opens of /proc and of the cgroups is opened in a tree of this test.
 * Would catch a quota that roost_run does not obey, one of an ancestor's that
 * is not seen, one that is rounded down.
 */
#include "tasks.h"

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char root[64]; /* "": nothing is made up */

/* In place of libc's, for the library too. */
int open(const char *path, int flags, ...)
{
    char made_up[4096];
    mode_t mode = 0;
    va_list args;

    if (flags & (O_CREAT | O_TMPFILE)) {
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }
    if (root[0] != '\0' && (strncmp(path, "/proc/self/cgroup", 17) == 0 ||
                            strncmp(path, "/proc/self/mountinfo", 20) == 0 ||
                            strncmp(path, "/sys/fs/cgroup", 14) == 0)) {
        snprintf(made_up, sizeof(made_up), "%s%s", root, path);
        path = made_up;
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static void make_folders(char *path)
{
    for (char *at = strchr(path + 1, '/'); at != NULL;
         at = strchr(at + 1, '/')) {
        *at = '\0';
        (void)mkdir(path, 0700);
        *at = '/';
    }
}

static void put(const char *path, const char *text)
{
    char full[512];
    FILE *f;

    snprintf(full, sizeof(full), "%s%s", root, path);
    make_folders(full);
    f = fopen(full, "w");
    CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

static int count_workers(void *arg)
{
    *(unsigned *)arg = roost_worker_count();
    return 0;
}

/* Of a runtime that was told nothing. */
static unsigned default_workers(void)
{
    unsigned n = 0;

    CHECK_EQ(roost_run(count_workers, &n, NULL), 0);
    return n;
}

static unsigned affinity(void)
{
    cpu_set_t set;

    CHECK_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
    return (unsigned)CPU_COUNT(&set);
}

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static void begin(const char *cgroup, const char *mount)
{
    strcpy(root, "/tmp/roost-quota-XXXXXX");
    CHECK(mkdtemp(root) != NULL);
    put("/proc/self/cgroup", cgroup);
    put("/proc/self/mountinfo", mount);
}

static void end(void)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -r %s", root);
    root[0] = '\0';
    CHECK_EQ(system(command), 0);
}

TEST_PLAIN(the_quota_of_an_ancestor_limits_the_workers, "R66")
{
    begin("0::/slice/unit\n",
          "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    CHECK_EQ(default_workers(), affinity());
    put("/sys/fs/cgroup/slice/unit/cpu.max", "max 100000\n");
    put("/sys/fs/cgroup/slice/cpu.max", "50000 100000\n");
    CHECK_EQ(default_workers(), 1);
    put("/sys/fs/cgroup/slice/cpu.max", "110000 100000\n"); /* rounded up */
    CHECK_EQ(default_workers(), smaller(affinity(), 2));
    put("/sys/fs/cgroup/slice/cpu.max", "max 100000\n");
    CHECK_EQ(default_workers(), affinity());
    end();
}

TEST_PLAIN(the_first_version_of_cgroups_limits_the_workers, "R66")
{
    begin("4:cpu,cpuacct:/job\n",
          "31 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup "
          "rw,cpu,cpuacct\n");
    put("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "100000\n");
    put("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
    CHECK_EQ(default_workers(), 1);
    put("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "-1\n");
    CHECK_EQ(default_workers(), affinity());
    end();
}
