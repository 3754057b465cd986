/*
 * cpu.c - how many processors this process may really use.
 *
 * MODEL   /proc/self/cgroup says where the process stands in each hierarchy,
 *         /proc/self/mountinfo which part of a hierarchy is mounted where (a
 *         container sees a sub-tree). From the process's own directory up to
 *         the mount point each directory may set a quota; the smallest counts.
 *         Version 1: the hierarchy of the controller "cpu", cpu.cfs_quota_us
 *         and cpu.cfs_period_us. Version 2: cpu.max. Both may be mounted at
 *         once (hybrid): then both are looked at.
 *         What cannot be read or understood sets no quota.
 */
#include "base/cpu.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CPUS_MIN 1024      /* bits of the first mask that is tried */
#define CPUS_MAX (1 << 20) /* and of the last: no kernel has more */
#define LINE_SIZE 8192     /* a longer line of /proc is cut */
#define NO_QUOTA UINT_MAX

/* A file by lines, without malloc. */
struct lines {
    int fd;
    size_t next, end; /* what of buffer is not yet handed out */
    char buffer[LINE_SIZE];
};

/* Where the process stands in the two hierarchies; "": in none. */
struct places {
    char v1[PATH_MAX], v2[PATH_MAX];
};

/* The fields of a line of mountinfo that matter here. */
struct mount {
    char *root;    /* what of the hierarchy is mounted */
    char *point;   /* where */
    char *type;    /* of file system: "cgroup", "cgroup2" */
    char *options; /* of the file system: version 1 names its controllers */
};

/* Formats a path; false if it does not fit. */
static bool join(char *out, const char *a, const char *b, const char *c)
{
    int n = snprintf(out, PATH_MAX, "%s%s%s", a, b, c);

    return n >= 0 && n < PATH_MAX;
}

static int open_at(const char *root, const char *name)
{
    char path[PATH_MAX];

    return join(path, root, name, "") ? open(path, O_RDONLY | O_CLOEXEC) : -1;
}

static ssize_t read_some(int fd, char *to, size_t room)
{
    ssize_t n;

    do {
        n = read(fd, to, room);
    } while (n < 0 && errno == EINTR);
    return n;
}

/* Move what is left to the front and read on. False at the end of file. */
static bool fill(struct lines *l)
{
    ssize_t n;

    memmove(l->buffer, l->buffer + l->next, l->end - l->next);
    l->end -= l->next;
    l->next = 0;
    n = read_some(l->fd, l->buffer + l->end, sizeof(l->buffer) - 1 - l->end);
    if (n <= 0) {
        return false;
    }
    l->end += (size_t)n;
    return true;
}

/* The next line without its end, good until the call after; NULL: no more. */
static char *next_line(struct lines *l)
{
    char *start, *stop;

    do {
        start = l->buffer + l->next;
        stop = memchr(start, '\n', l->end - l->next);
    } while (stop == NULL && fill(l));
    start = l->buffer + l->next;
    if (stop == NULL && l->next == l->end) {
        return NULL;
    }
    if (stop == NULL) {
        stop = l->buffer + l->end; /* no newline, or the buffer is full */
        l->next = l->end;
    } else {
        l->next = (size_t)(stop - l->buffer) + 1;
    }
    *stop = '\0';
    return start;
}

static void open_lines(struct lines *l, const char *root, const char *name)
{
    l->fd = open_at(root, name);
    l->next = 0;
    l->end = 0;
}

static void close_lines(const struct lines *l)
{
    if (l->fd >= 0) {
        close(l->fd);
    }
}

/* Whether the comma-separated list has this word. */
static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);
    const char *at = list;

    while ((at = strstr(at, word)) != NULL) {
        bool starts = at == list || at[-1] == ',';

        if (starts && (at[length] == ',' || at[length] == '\0')) {
            return true;
        }
        at += length;
    }
    return false;
}

/* mountinfo writes blanks and the like as \ooo. In place. */
static void unescape(char *s)
{
    char *to = s;

    while (*s != '\0') {
        if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' &&
            s[2] <= '7' && s[3] >= '0' && s[3] <= '7') {
            *to++ =
                (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
            s += 4;
        } else {
            *to++ = *s++;
        }
    }
    *to = '\0';
}

/* "id:controllers:path"; version 2 has no controllers. */
static void read_places(const char *proc_root, struct places *out)
{
    struct lines l;
    char *line;

    out->v1[0] = '\0';
    out->v2[0] = '\0';
    open_lines(&l, proc_root, "/self/cgroup");
    while (l.fd >= 0 && (line = next_line(&l)) != NULL) {
        char *controllers = strchr(line, ':');
        char *path = controllers ? strchr(controllers + 1, ':') : NULL;
        char *to = NULL;

        if (path == NULL || strlen(path + 1) >= PATH_MAX) {
            continue;
        }
        *path++ = '\0';
        if (strcmp(line, "0:") == 0) {
            to = out->v2;
        } else if (has_word(controllers + 1, "cpu")) {
            to = out->v1;
        }
        if (to != NULL) {
            memcpy(to, path, strlen(path) + 1); /* checked above */
        }
    }
    close_lines(&l);
}

/* "id parent dev root point options [tags] - type source options" */
static bool parse_mount(char *line, struct mount *m)
{
    char *tail = strstr(line, " - ");
    char *save = NULL;
    int i;

    if (tail == NULL) {
        return false;
    }
    *tail = '\0';
    m->root = strtok_r(line, " ", &save);
    for (i = 0; i < 3 && m->root != NULL; i++) {
        m->root = strtok_r(NULL, " ", &save);
    }
    m->point = m->root ? strtok_r(NULL, " ", &save) : NULL;
    m->type = strtok_r(tail + 3, " ", &save);
    m->options = m->type ? strtok_r(NULL, " ", &save) : NULL;
    m->options = m->options ? strtok_r(NULL, " ", &save) : NULL;
    if (m->point == NULL || m->options == NULL) {
        return false;
    }
    unescape(m->root);
    unescape(m->point);
    return true;
}

/* The part of `path` below `root`; NULL if it is not below, or leads out. */
static const char *below(const char *path, const char *root)
{
    size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);
    const char *rest = path + length;

    if (path[0] == '\0' || strncmp(path, root, length) != 0 ||
        (rest[0] != '/' && rest[0] != '\0')) {
        return NULL;
    }
    if (strstr(path, "/..") != NULL) {
        return NULL; /* outside of this process's cgroup namespace */
    }
    return strcmp(rest, "/") == 0 ? "" : rest;
}

/* The contents of a small file; false if there is none. */
static bool read_small(const char *dir, const char *name, char out[64])
{
    int fd = open_at(dir, name);
    ssize_t n;

    if (fd < 0) {
        return false;
    }
    n = read_some(fd, out, 63);
    close(fd);
    out[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* A positive number that ends at a blank or the end; 0: it is none. */
static int64_t parse_number(const char *s, char **rest)
{
    long long n = strtoll(s, rest, 10);

    if (*rest == s || n < 0 || strchr(" \n", **rest) == NULL) {
        return 0;
    }
    return n;
}

/* Quota and period in us as processors, rounded up; nonsense: no quota. */
static unsigned to_cpus(int64_t quota, int64_t period)
{
    int64_t cpus;

    if (quota <= 0 || period <= 0) {
        return NO_QUOTA;
    }
    cpus = quota / period + (quota % period != 0);
    return cpus < NO_QUOTA ? (unsigned)cpus : NO_QUOTA;
}

static unsigned quota_v1(const char *dir)
{
    char quota[64], period[64];
    char *rest;

    /* "-1" is no quota. */
    if (!read_small(dir, "/cpu.cfs_quota_us", quota) ||
        !read_small(dir, "/cpu.cfs_period_us", period)) {
        return NO_QUOTA;
    }
    return to_cpus(parse_number(quota, &rest), parse_number(period, &rest));
}

static unsigned quota_v2(const char *dir)
{
    char text[64];
    char *rest;
    int64_t quota;

    /* "max 100000", "50000 100000"; "max" is no number: no quota. */
    if (!read_small(dir, "/cpu.max", text)) {
        return NO_QUOTA;
    }
    quota = parse_number(text, &rest);
    if (quota == 0) {
        return NO_QUOTA;
    }
    return to_cpus(quota,
                   *rest == ' ' ? parse_number(rest + 1, &rest) : 100000);
}

/* The smallest quota from fs_root/point/rest up to fs_root/point. */
static unsigned walk_up(const char *fs_root, const char *point,
                        const char *rest, unsigned (*quota)(const char *))
{
    size_t top = strlen(fs_root) + strlen(point);
    char dir[PATH_MAX];
    unsigned least = NO_QUOTA;

    if (!join(dir, fs_root, point, rest)) {
        return NO_QUOTA;
    }
    for (;;) {
        unsigned here = quota(dir);
        char *slash = strrchr(dir, '/');

        least = here < least ? here : least;
        if (slash == NULL || slash < dir + top) {
            return least;
        }
        *slash = '\0';
    }
}

static unsigned mount_quota(const struct mount *m, const struct places *at,
                            const char *fs_root)
{
    unsigned (*quota)(const char *) = NULL;
    const char *rest = NULL;

    if (strcmp(m->type, "cgroup2") == 0) {
        rest = below(at->v2, m->root);
        quota = quota_v2;
    } else if (strcmp(m->type, "cgroup") == 0 && has_word(m->options, "cpu")) {
        rest = below(at->v1, m->root);
        quota = quota_v1;
    }
    return rest ? walk_up(fs_root, m->point, rest, quota) : NO_QUOTA;
}

static unsigned smallest_quota(const char *proc_root, const char *fs_root)
{
    struct places at;
    struct lines l;
    unsigned least = NO_QUOTA;
    char *line;

    read_places(proc_root, &at);
    open_lines(&l, proc_root, "/self/mountinfo");
    while (l.fd >= 0 && (line = next_line(&l)) != NULL) {
        struct mount m;
        unsigned here = NO_QUOTA;

        if (parse_mount(line, &m)) {
            here = mount_quota(&m, &at, fs_root);
        }
        least = here < least ? here : least;
    }
    close_lines(&l);
    return least;
}

/* The calling thread's mask, of *bits bits; freed with CPU_FREE. NULL: no
 * memory, or none to be had. */
static cpu_set_t *affinity_mask(size_t *bits)
{
    size_t n;

    for (n = CPUS_MIN; n <= CPUS_MAX; n *= 2) {
        cpu_set_t *mask = CPU_ALLOC(n);

        if (mask == NULL) {
            return NULL;
        }
        if (sched_getaffinity(0, CPU_ALLOC_SIZE(n), mask) == 0) {
            *bits = n;
            return mask;
        }
        CPU_FREE(mask); /* too small for this kernel, most likely */
    }
    return NULL;
}

static unsigned affinity_count(void)
{
    size_t bits = 0;
    cpu_set_t *mask = affinity_mask(&bits);
    long online;
    int count;

    if (mask == NULL) {
        online = sysconf(_SC_NPROCESSORS_ONLN);
        return online > 0 ? (unsigned)online : 1;
    }
    count = CPU_COUNT_S(CPU_ALLOC_SIZE(bits), mask);
    CPU_FREE(mask);
    return count > 0 ? (unsigned)count : 1;
}

unsigned cpu_available_at(const char *proc_root, const char *fs_root,
                          unsigned affinity)
{
    unsigned cpus = affinity > 0 ? affinity : affinity_count();
    unsigned quota = smallest_quota(proc_root, fs_root);

    return quota < cpus ? quota : cpus;
}

unsigned cpu_available(void)
{
    return cpu_available_at("/proc", "", 0);
}

bool cpu_several(void)
{
    return affinity_count() > 1;
}

int cpu_pin(unsigned n)
{
    size_t bits = 0;
    cpu_set_t *mask = affinity_mask(&bits);
    size_t size = CPU_ALLOC_SIZE(bits);
    size_t cpu;
    int rc = -EINVAL;

    if (mask == NULL) {
        return -ENOMEM;
    }
    n %= (unsigned)CPU_COUNT_S(size, mask);
    for (cpu = 0; cpu < bits; cpu++) {
        if (CPU_ISSET_S(cpu, size, mask) && n-- == 0) {
            CPU_ZERO_S(size, mask);
            CPU_SET_S(cpu, size, mask);
            rc = sched_setaffinity(0, size, mask) == 0 ? 0 : -errno;
            break;
        }
    }
    CPU_FREE(mask);
    return rc;
}
