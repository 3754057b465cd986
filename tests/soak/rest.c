/*
 * rest.c - see rest.h.
 */
#include "rest.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

const char *const figure_names[FIGURES] = {
    "fds", "threads", "stacks", "mappings", "rss", "pss-anon", "allocated"};

/* jemalloc's, where it is linked. Without caches of threads what it says is
 * exact, and what is freed goes back at once; one arena has its mappings after
 * the greatest round, where several get theirs as threads come upon them. */
int mallctl(const char *name, void *old, size_t *old_size, void *new,
            size_t new_size) __attribute__((weak));
extern const char *malloc_conf;
const char *malloc_conf =
    "narenas:1,tcache:false,dirty_decay_ms:0,muzzy_decay_ms:0";

/* ---- lines --------------------------------------------------------------- */

void line_add(struct line *l, double t, double y)
{
    if (l->n == 0) {
        l->first_t = t;
        l->first = y;
    }
    l->last_t = t;
    l->greatest = y > l->greatest ? y : l->greatest;
    y -= l->first; /* sums of small numbers are exact */
    t -= l->first_t;
    l->n++;
    l->t += t;
    l->y += y;
    l->tt += t * t;
    l->ty += t * y;
    l->yy += y * y;
}

double line_drift(const struct line *l, double *error)
{
    double span = l->last_t - l->first_t;
    double tt = l->tt - l->t * l->t / l->n;
    double ty = l->ty - l->t * l->y / l->n;
    double yy = l->yy - l->y * l->y / l->n;
    double mean = l->first + l->y / l->n;
    double slope;
    double rest;

    *error = 0;
    if (l->n < 3 || tt <= 0 || mean <= 0) {
        return 0;
    }
    slope = ty / tt;
    rest = yy - slope * ty;
    *error = sqrt((rest > 0 ? rest : 0) / (l->n - 2) / tt) * span / mean;
    return slope * span / mean;
}

/* ---- looking ------------------------------------------------------------- */

static double entries(const char *path)
{
    DIR *dir = opendir(path);
    double n = 0;

    while (dir != NULL && readdir(dir) != NULL) {
        n++;
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return n - 2; /* . and .. */
}

static double lines_of(const char *path)
{
    FILE *f = fopen(path, "r");
    double n = 0;
    int c;

    while (f != NULL && (c = getc(f)) != EOF) {
        n += c == '\n';
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return n;
}

/* KiB, of lines of smaps_rollup. The share of files is not of interest: that of
 * libc grows when another process ends. */
static void memory(double *rss, double *pss)
{
    FILE *f = fopen("/proc/self/smaps_rollup", "r");
    char text[128];

    *rss = *pss = 0;
    while (f != NULL && fgets(text, sizeof(text), f) != NULL) {
        (void)sscanf(text, "Rss: %lf", rss);
        (void)sscanf(text, "Pss_Anon: %lf", pss);
    }
    if (f != NULL) {
        (void)fclose(f);
    }
}

static bool allocated(double *kib)
{
    uint64_t epoch = 1;
    size_t bytes = 0;
    size_t size = sizeof(bytes);

    if (mallctl == NULL || mallctl("epoch", NULL, NULL, &epoch, 8) != 0 ||
        mallctl("stats.allocated", &bytes, &size, NULL, 0) != 0) {
        return false;
    }
    *kib = (double)bytes / 1024;
    return true;
}

/* Idle threads end after some time: at most so many are to be left. */
static void await_threads(double most)
{
    struct timespec pause = {0, 2000000};

    for (int i = 0; i < 5000 && entries("/proc/self/task") > most; i++) {
        (void)nanosleep(&pause, NULL);
    }
}

void rest_look(struct rest *r, size_t stacks)
{
    struct timespec long_enough = {0, 200000000};

    if (r->most[THREADS] > 0) {
        await_threads(r->most[THREADS]);
    } else {
        (void)nanosleep(&long_enough, NULL);
    }
    r->has_allocated = allocated(&r->now[ALLOCATED]);
    memory(&r->now[RSS], &r->now[PSS]);
    r->now[FDS] = entries("/proc/self/fd") - 1; /* opendir's own */
    r->now[THREADS] = entries("/proc/self/task");
    r->now[STACKS] = (double)stacks;
    r->now[MAPPINGS] = lines_of("/proc/self/maps");
}

void rest_warm(struct rest *r)
{
    for (int i = 0; i < FIGURES; i++) {
        if (r->now[i] > r->most[i]) {
            r->most[i] = r->now[i];
        }
    }
}

void rest_add(struct rest *r, double t)
{
    for (int i = 0; i < FIGURES; i++) {
        line_add(&r->lines[i], t, r->now[i]);
    }
}

/* ---- judging ------------------------------------------------------------- */

unsigned rest_judge(const struct rest *r, bool last)
{
    unsigned bad = 0;

    for (int i = 0; i < FIGURES; i++) {
        const struct line *l = &r->lines[i];
        double error = 0;
        double drift = line_drift(l, &error);

        if (i <= STACKS) {
            if (l->greatest > r->most[i]) {
                printf("GROWS: %s, from %.0f to %.0f\n", figure_names[i],
                       r->most[i], l->greatest);
                bad++;
            }
        } else if (last && drift > 0.01 && drift > 3 * error) {
            printf("GROWS: %s, by %.2f %% (+- %.2f)\n", figure_names[i],
                   100 * drift, 100 * error);
            bad++;
        }
    }
    return bad;
}
