/*
 * metrics.c - see metrics.h.
 */
#include "metrics.h"

#include <inttypes.h>
#include <stdlib.h>

static const double bounds_s[METRICS_BUCKETS - 1] = {
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
    0.025,  0.05,    0.1,    0.25,  0.5,    1};

void metrics_init(struct metrics *m)
{
    *m = (struct metrics){.counts.open = 0};
    (void)roost_mutex_init(&m->lock);
}

void metrics_destroy(struct metrics *m)
{
    roost_mutex_destroy(&m->lock);
}

void metrics_accepted(struct metrics *m)
{
    (void)roost_mutex_lock(&m->lock);
    m->counts.accepted++;
    m->counts.open++;
    (void)roost_mutex_unlock(&m->lock);
}

void metrics_accept_failed(struct metrics *m)
{
    (void)roost_mutex_lock(&m->lock);
    m->counts.accept_failures++;
    (void)roost_mutex_unlock(&m->lock);
}

void metrics_closed(struct metrics *m)
{
    (void)roost_mutex_lock(&m->lock);
    m->counts.open--;
    (void)roost_mutex_unlock(&m->lock);
}

void metrics_begin(struct metrics *m)
{
    (void)roost_mutex_lock(&m->lock);
    m->counts.in_flight++;
    (void)roost_mutex_unlock(&m->lock);
}

void metrics_end(struct metrics *m, int status, roost_ns took)
{
    double s = (double)took / (double)ROOST_S;
    unsigned bucket = 0;

    while (bucket < METRICS_BUCKETS - 1 && s > bounds_s[bucket]) {
        bucket++;
    }
    (void)roost_mutex_lock(&m->lock);
    m->counts.in_flight--;
    m->counts.by_status[status]++;
    m->counts.buckets[bucket]++;
    m->counts.took += took;
    (void)roost_mutex_unlock(&m->lock);
}

static void print_one(FILE *out, const char *name, const char *type,
                      uint64_t value)
{
    fprintf(out, "# TYPE %s %s\n%s %" PRIu64 "\n", name, type, name, value);
}

static void print_replies(const struct counts *c, FILE *out)
{
    uint64_t sum = 0;

    fprintf(out, "# TYPE httpd_replies_total counter\n");
    for (int i = 0; i < METRICS_STATUS; i++) {
        if (c->by_status[i] > 0 || i == 200) {
            fprintf(out, "httpd_replies_total{status=\"%d\"} %" PRIu64 "\n", i,
                    c->by_status[i]);
        }
    }
    fprintf(out, "# TYPE httpd_reply_seconds histogram\n");
    for (int i = 0; i < METRICS_BUCKETS; i++) {
        sum += c->buckets[i];
        if (i < METRICS_BUCKETS - 1) {
            fprintf(out, "httpd_reply_seconds_bucket{le=\"%g\"} %" PRIu64 "\n",
                    bounds_s[i], sum);
        }
    }
    fprintf(out,
            "httpd_reply_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n"
            "httpd_reply_seconds_sum %.9f\nhttpd_reply_seconds_count %" PRIu64
            "\n",
            sum, (double)c->took / (double)ROOST_S, sum);
}

void metrics_print(struct metrics *m, FILE *out)
{
    struct counts c;
    roost_stats stats;

    (void)roost_mutex_lock(&m->lock);
    c = m->counts;
    (void)roost_mutex_unlock(&m->lock);
    print_one(out, "httpd_connections_accepted_total", "counter", c.accepted);
    print_one(out, "httpd_accept_failures_total", "counter", c.accept_failures);
    print_one(out, "httpd_connections", "gauge", c.open);
    print_one(out, "httpd_requests_in_flight", "gauge", c.in_flight);
    print_replies(&c, out);
    if (roost_stats_get(NULL, &stats) == 0) {
        (void)roost_stats_print(&stats, out); /* the caller asks ferror */
    }
}
