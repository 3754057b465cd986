/*
 * metrics.h - what the server counts of itself.
 */
#ifndef HTTPD_METRICS_H
#define HTTPD_METRICS_H

#include <stdint.h>
#include <stdio.h>

#include <roost/roost.h>

enum { METRICS_STATUS = 600, METRICS_BUCKETS = 14 };

struct counts {
    uint64_t by_status[METRICS_STATUS]; /* replies; [0]: none could be begun */
    uint64_t buckets[METRICS_BUCKETS];  /* replies by how long they took */
    uint64_t accepted, accept_failures;
    unsigned open, in_flight; /* connections, requests */
    roost_ns took;
};

struct metrics {
    roost_mutex lock; /* of what follows; nothing waits under it */
    struct counts counts;
};

void metrics_init(struct metrics *m);
void metrics_destroy(struct metrics *m);
void metrics_accepted(struct metrics *m);
void metrics_accept_failed(struct metrics *m);
void metrics_closed(struct metrics *m);
void metrics_begin(struct metrics *m);
void metrics_end(struct metrics *m, int status, roost_ns took);

/* Prometheus' text format. */
void metrics_print(struct metrics *m, FILE *out);

#endif
