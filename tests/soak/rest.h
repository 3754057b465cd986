/*
 * rest.h - what the program holds when it is at rest, and whether that grows.
 *
 * WHAT    Descriptors, threads and mappings are counted by the kernel's lists,
 *         the stacks of tasks by roost_stats_get, memory three ways: resident,
 *         its proportional share of what is anonymous, and what is allocated,
 *         if that is jemalloc's to say.
 * MODEL   The first rounds are a warm-up: caches fill, pools reach the size
 *         that the greatest loads need. Then:
 *         - of descriptors, threads and stacks there is never one more;
 *         - a line is laid through all that was seen of mappings and memory
 *           (least squares). Its rise over the run, in parts of the mean, is
 *           the drift: over 1 % is a failure, unless it is less than 3 of its
 *           own standard errors, which is what noise makes of a short run.
 */
#ifndef ROOST_SOAK_REST_H
#define ROOST_SOAK_REST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum figure { FDS, THREADS, STACKS, MAPPINGS, RSS, PSS, ALLOCATED, FIGURES };

extern const char *const figure_names[FIGURES];

/* A line through what was seen. */
struct line {
    double n, t, y, tt, ty, yy; /* sums */
    double first_t, last_t;
    double first, greatest;
};

struct rest {
    double now[FIGURES];
    double most[FIGURES]; /* of the warm-up */
    struct line lines[FIGURES];
    bool has_allocated;
};

void line_add(struct line *l, double t, double y);
/* The rise over the run, in parts of the mean, and its standard error. */
double line_drift(const struct line *l, double *error);

/* Looks, once threads that end by themselves have ended. */
void rest_look(struct rest *r, size_t stacks);
void rest_warm(struct rest *r);
/* t: seconds since the warm-up. */
void rest_add(struct rest *r, double t);
/* What grows, said on stdout; how many. */
unsigned rest_judge(const struct rest *r, bool last);

#endif
