/* measure.c - what the cases measure with: clock, quantiles, /proc. */
#include "measure.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t read_clock(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t measure_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t measure_cpu(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

int64_t measure_quantile(int64_t *v, size_t n, double q)
{
    if (n == 0) {
        return 0;
    }
    qsort(v, n, sizeof *v, compare);
    return v[(size_t)((double)(n - 1) * q)];
}

long measure_status(const char *field)
{
    char text[4096];
    const char *at;
    ssize_t got;
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return -1;
    }
    got = read(fd, text, sizeof text - 1);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    at = strstr(text, field);
    return at == NULL ? -1 : strtol(at + strlen(field), NULL, 10);
}

void measure_reset_peak(void)
{
    int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

    if (fd >= 0) {
        if (write(fd, "5", 1) < 0) {
            perror("clear_refs");
        }
        close(fd);
    }
}

void measure_burn(int64_t ns)
{
    int64_t until = measure_now() + ns;

    while (measure_now() < until) {
    }
}
