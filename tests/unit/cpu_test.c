/*
 * cpu_test.c - how many processors may be used, on made-up /proc and cgroup
 * trees.
 *
 * Would catch: a quota that is overlooked (in an ancestor, under a bind mount,
 * in the other version), rounded down, or taken from nonsense; a kernel for
 * more processors than a mask has room for.
 */
#define TEST_NO_RUNTIME
#include "../test.h"

#include "base/cpu.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>

#define AFFINITY 64 /* what the made-up machine has */

int __real_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *mask);
int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *mask);

static size_t kernel_size; /* the bytes of a mask of this kernel's, at least */

int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *mask)
{
    if (size < kernel_size) {
        errno = EINVAL;
        return -1;
    }
    return __real_sched_getaffinity(pid, size, mask);
}

static char root[PATH_MAX]; /* of the tree of the running test */

/* An empty tree. */
static void begin(void)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(root, sizeof(root), "%s/roost-cpu-XXXXXX",
             tmp != NULL ? tmp : "/tmp");
    CHECK(mkdtemp(root) != NULL);
}

static void make_parents(char *path)
{
    char *slash = path + strlen(root);

    while ((slash = strchr(slash + 1, '/')) != NULL) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
}

/* A file below the root, with its directories. */
static void put(const char *name, const char *text)
{
    char path[2 * PATH_MAX];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", root, name);
    make_parents(path);
    f = fopen(path, "w");
    CHECK(f != NULL);
    if (f != NULL) {
        fputs(text, f);
        fclose(f);
    }
}

static unsigned available(void)
{
    char proc[2 * PATH_MAX];

    snprintf(proc, sizeof(proc), "%s/proc", root);
    return cpu_available_at(proc, root, AFFINITY);
}

static void end(void)
{
    char command[2 * PATH_MAX];

    snprintf(command, sizeof(command), "rm -rf '%s'", root);
    CHECK_EQ(system(command), 0);
}

#define V2_MOUNT "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
#define V1_MOUNT                                                               \
    "31 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 master:2 - "   \
    "cgroup cgroup rw,cpu,cpuacct\n"

static void put_v2(const char *path)
{
    char line[PATH_MAX];

    snprintf(line, sizeof(line), "0::%s\n", path);
    put("proc/self/cgroup", line);
    put("proc/self/mountinfo",
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n" V2_MOUNT
        "35 22 0:30 / /proc rw - proc proc rw\n");
}

static void put_v1(const char *path)
{
    char line[PATH_MAX];

    snprintf(line, sizeof(line),
             "12:cpuset:/other\n4:cpu,cpuacct:%s\n1:name=systemd:/x\n", path);
    put("proc/self/cgroup", line);
    put("proc/self/mountinfo",
        "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n" V1_MOUNT
        "32 30 0:29 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n");
}

#define V2 "sys/fs/cgroup"
#define V1 "sys/fs/cgroup/cpu,cpuacct"

TEST(no_files_no_quota, "R66")
{
    begin();
    CHECK_EQ(available(), AFFINITY);
    end();
}

TEST(v2_quota_is_rounded_up, "R66")
{
    begin();
    put_v2("/a");
    put(V2 "/a/cpu.max", "250000 100000\n");
    CHECK_EQ(available(), 3);
    put(V2 "/a/cpu.max", "200000 100000\n");
    CHECK_EQ(available(), 2);
    put(V2 "/a/cpu.max", "1000 100000\n");
    CHECK_EQ(available(), 1);
    put(V2 "/a/cpu.max", "50000 10000\n");
    CHECK_EQ(available(), 5);
    put(V2 "/a/cpu.max", "300000\n");
    CHECK_EQ(available(), 3);
    end();
}

TEST(v2_max_is_no_quota, "R66")
{
    begin();
    put_v2("/a");
    put(V2 "/a/cpu.max", "max 100000\n");
    CHECK_EQ(available(), AFFINITY);
    put(V2 "/a/cpu.max", "max");
    CHECK_EQ(available(), AFFINITY);
    end();
}

TEST(v2_smallest_ancestor_counts, "R66")
{
    begin();
    put_v2("/a/b/c");
    put(V2 "/a/b/c/cpu.max", "800000 100000\n");
    put(V2 "/a/b/cpu.max", "max 100000\n");
    put(V2 "/a/cpu.max", "350000 100000\n");
    CHECK_EQ(available(), 4);
    put(V2 "/cpu.max", "150000 100000\n"); /* a mounted sub-tree may have it */
    CHECK_EQ(available(), 2);
    end();
}

/* The process's own directory does not exist here (it is another's view), or
 * one on the way is unreadable: those above still count. */
TEST(v2_missing_levels_are_passed, "R66")
{
    begin();
    put_v2("/a/b/c");
    put(V2 "/a/cpu.max", "500000 100000\n");
    CHECK_EQ(available(), 5);
    end();
}

TEST(v1_quota, "R66")
{
    begin();
    put_v1("/a/b");
    put(V1 "/a/b/cpu.cfs_quota_us", "-1\n");
    put(V1 "/a/b/cpu.cfs_period_us", "100000\n");
    CHECK_EQ(available(), AFFINITY);
    put(V1 "/a/b/cpu.cfs_quota_us", "610000\n");
    CHECK_EQ(available(), 7);
    put(V1 "/a/cpu.cfs_quota_us", "30000\n");
    put(V1 "/a/cpu.cfs_period_us", "10000\n");
    CHECK_EQ(available(), 3);
    put(V1 "/cpu.cfs_quota_us", "-1\n");
    put(V1 "/cpu.cfs_period_us", "100000\n");
    CHECK_EQ(available(), 3);
    end();
}

TEST(v1_quota_without_period_is_none, "R66")
{
    begin();
    put_v1("/a");
    put(V1 "/a/cpu.cfs_quota_us", "100000\n");
    CHECK_EQ(available(), AFFINITY);
    end();
}

/* "cpu" must be a word of its own, here and in the mount's options. */
TEST(v1_other_controllers_are_not_cpu, "R66")
{
    begin();
    put("proc/self/cgroup", "5:cpuset,cpuacct:/a\n");
    put("proc/self/mountinfo", "31 30 0:28 / /sys/fs/cgroup/x rw - cgroup "
                               "cgroup rw,cpuset\n" V1_MOUNT);
    put("sys/fs/cgroup/x/a/cpu.cfs_quota_us", "100000\n");
    put("sys/fs/cgroup/x/a/cpu.cfs_period_us", "100000\n");
    put(V1 "/a/cpu.cfs_quota_us", "100000\n");
    put(V1 "/a/cpu.cfs_period_us", "100000\n");
    CHECK_EQ(available(), AFFINITY);
    put("proc/self/cgroup", "5:name=cpu:/a\n");
    CHECK_EQ(available(), AFFINITY);
    put("proc/self/cgroup", "5:cpuset:/x\n6:cpu:/b\n");
    put("sys/fs/cgroup/x/b/cpu.cfs_quota_us", "100000\n");
    put("sys/fs/cgroup/x/b/cpu.cfs_period_us", "100000\n");
    CHECK_EQ(available(), AFFINITY);
    end();
}

TEST(hybrid_looks_at_both, "R66")
{
    begin();
    put("proc/self/cgroup", "3:cpuacct,cpu:/v1\n0::/v2\n");
    put("proc/self/mountinfo", V1_MOUNT
        "40 30 0:37 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
    put(V1 "/v1/cpu.cfs_quota_us", "500000\n");
    put(V1 "/v1/cpu.cfs_period_us", "100000\n");
    CHECK_EQ(available(), 5);
    put("sys/fs/cgroup/unified/v2/cpu.max", "400000 100000\n");
    CHECK_EQ(available(), 4);
    put("sys/fs/cgroup/unified/v2/cpu.max", "900000 100000\n");
    CHECK_EQ(available(), 5);
    end();
}

/* In a container the path is the host's, and only the part below the mount's
 * root can be seen. */
TEST(bind_mounted_sub_tree, "R66")
{
    begin();
    put("proc/self/cgroup", "0::/docker/abc/child\n");
    put("proc/self/mountinfo",
        "30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n");
    put(V2 "/cpu.max", "600000 100000\n");
    CHECK_EQ(available(), 6);
    put(V2 "/child/cpu.max", "200000 100000\n");
    CHECK_EQ(available(), 2);
    end();
}

/* /docker/ab is no parent of /docker/abc, and a process outside of its
 * namespace's root has no path here. */
TEST(mounts_of_others_do_not_count, "R66")
{
    begin();
    put("proc/self/cgroup", "0::/docker/abc\n");
    put("proc/self/mountinfo",
        "30 23 0:26 /docker/ab /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n");
    put(V2 "/cpu.max", "100000 100000\n");
    put(V2 "/c/cpu.max", "100000 100000\n");
    put(V2 "c/cpu.max", "100000 100000\n");
    CHECK_EQ(available(), AFFINITY);
    put("proc/self/cgroup", "0::/../other\n");
    put("proc/self/mountinfo", V2_MOUNT);
    put("sys/fs/other/cpu.max", "100000 100000\n");
    CHECK_EQ(available(), AFFINITY);
    end();
}

TEST(mount_points_with_blanks, "R66")
{
    begin();
    put("proc/self/cgroup", "0::/a\n");
    put("proc/self/mountinfo",
        "30 23 0:26 / /my\\040cgroups\\134x rw - cgroup2 cgroup2 rw\n");
    put("my cgroups\\x/a/cpu.max", "300000 100000\n");
    CHECK_EQ(available(), 3);
    end();
}

TEST(nonsense_is_no_quota, "R66")
{
    static const char *const texts[] = {
        "",
        "\n",
        "abc",
        "-100000 100000\n",
        "0 100000\n",
        "100000 0\n",
        "100000 -5\n",
        "100000 x\n",
        "1e3 1e3\n",
        "100000x 10\n",
        "99999999999999999999 1\n",
        " \n",
        "100000 \n",
    };
    size_t i;

    begin();
    put_v2("/a");
    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        put(V2 "/a/cpu.max", texts[i]);
        CHECK_EQ(available(), AFFINITY);
    }
    end();
}

TEST(broken_proc_files_are_no_quota, "R66")
{
    begin();
    put_v2("/a");
    put(V2 "/a/cpu.max", "100000 100000\n");
    CHECK_EQ(available(), 1);
    put("proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw\n- - -\n\n 1\n"
                               "1 2 3 4 - cgroup2\n - cgroup2 cgroup2 rw\n");
    CHECK_EQ(available(), AFFINITY);
    put("proc/self/mountinfo", V2_MOUNT);
    put("proc/self/cgroup", "0\n0:\n::\n:\n\nx:y\n");
    CHECK_EQ(available(), AFFINITY);
    put("proc/self/cgroup", "0::/a"); /* no newline at the end is fine */
    CHECK_EQ(available(), 1);
    end();
}

/* A line of 20,000 bytes (an overlay of many layers) hides nothing after it. */
TEST(long_lines_are_skipped, "R66")
{
    char *text = malloc(32768);
    int n = snprintf(text, 32768, "22 1 0:5 / / rw - overlay overlay lower=");

    begin();
    put_v2("/a");
    memset(text + n, 'x', 20000);
    strcpy(text + n + 20000, "\n" V2_MOUNT);
    put("proc/self/mountinfo", text);
    put(V2 "/a/cpu.max", "700000 100000\n");
    CHECK_EQ(available(), 7);
    end();
    free(text);
}

static int count_affinity(void)
{
    cpu_set_t mask;

    CPU_ZERO(&mask);
    CHECK_EQ(sched_getaffinity(0, sizeof(mask), &mask), 0);
    return CPU_COUNT(&mask);
}

TEST(this_machine, "R66")
{
    unsigned n = cpu_available();

    CHECK(n >= 1);
    CHECK(n <= (unsigned)count_affinity());
    CHECK_EQ(cpu_available(), n);
}

/* The pin is the calling thread's alone, and narrows what it may use. */
static void *pin(void *arg)
{
    unsigned n;

    (void)arg;
    for (n = 0; n < 3; n++) {
        cpu_set_t before, after;

        sched_getaffinity(0, sizeof(before), &before);
        CHECK_EQ(cpu_pin(n), 0);
        sched_getaffinity(0, sizeof(after), &after);
        CHECK_EQ(count_affinity(), 1);
        CHECK_EQ(cpu_available_at("/nonexistent", "", 0), 1);
        CHECK_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
        CPU_AND(&after, &after, &before);
        CHECK_EQ(CPU_COUNT(&after), 1);
    }
    return NULL;
}

TEST(pin_takes_one_cpu_of_the_mask, "R66")
{
    int before = count_affinity();
    pthread_t thread;

    CHECK_EQ(pthread_create(&thread, NULL, pin, NULL), 0);
    pthread_join(thread, NULL);
    CHECK_EQ(count_affinity(), before);
    CHECK_EQ(cpu_available_at("/nonexistent", "", 0), before);
}

/* The n-th and the (n + count)-th are the same; neighbours are not. */
static void *pin_around(void *arg)
{
    unsigned n = (unsigned)count_affinity();
    cpu_set_t all, first, again, next;

    (void)arg;
    sched_getaffinity(0, sizeof(all), &all);
    cpu_pin(0);
    sched_getaffinity(0, sizeof(first), &first);
    sched_setaffinity(0, sizeof(all), &all);
    cpu_pin(n);
    sched_getaffinity(0, sizeof(again), &again);
    sched_setaffinity(0, sizeof(all), &all);
    cpu_pin(1);
    sched_getaffinity(0, sizeof(next), &next);
    CHECK(CPU_EQUAL(&first, &again));
    CHECK_EQ(CPU_EQUAL(&first, &next) != 0, n == 1);
    return NULL;
}

TEST(pin_wraps_around, "R66")
{
    pthread_t thread;

    CHECK_EQ(pthread_create(&thread, NULL, pin_around, NULL), 0);
    pthread_join(thread, NULL);
}

static void *pin_first(void *arg)
{
    CHECK_EQ(cpu_pin(0), 0);
    CHECK_EQ(cpu_available_at("/nonexistent", "", 0), 1);
    return arg;
}

/* Larger masks are tried until one will do. */
TEST(a_kernel_for_very_many_cpus, "R66")
{
    unsigned n = cpu_available_at("/nonexistent", "", 0);
    bool several = cpu_several();
    pthread_t thread;

    kernel_size = 1 << 15;
    CHECK_EQ(cpu_available_at("/nonexistent", "", 0), n);
    CHECK_EQ(cpu_several(), several);
    CHECK_EQ(pthread_create(&thread, NULL, pin_first, NULL), 0);
    pthread_join(thread, NULL);
    kernel_size = 0;
}

/* As under a filter of system calls: what is online, and no pinning. */
TEST(a_mask_that_is_not_to_be_had, "R8 R66")
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);

    kernel_size = SIZE_MAX;
    CHECK_EQ(cpu_available_at("/nonexistent", "", 0), online);
    CHECK_EQ(cpu_several(), online > 1);
    CHECK_EQ(cpu_pin(0), -ENOMEM);
    kernel_size = 0;
}
