/*
 * routes.c - the table of routes, and the small ones: see routes.h.
 */
#include "routes.h"
#include "debug.h"
#include "work.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const uint64_t most_rounds = 1000000000000u;

enum {
    MOST_CHILDREN = 10000,
    MOST_PIXELS = 8192,
    MOST_LINES = 100000,
    MOST_MS = 3600000,
};

static int run_root(struct reply *r)
{
    return reply_text(r, 200, "roost\n");
}

/* ?rounds=&seed=, and the body if there is one. */
static int run_hash(struct reply *r)
{
    const struct request *q = &r->conn->request;
    uint64_t rounds = 100000;
    uint64_t hash = 1;
    int rc;

    if (!request_number(q, "rounds", most_rounds, &rounds) ||
        !request_number(q, "seed", UINT32_MAX, &hash)) {
        return -EINVAL;
    }
    if (q->body_size > 0) {
        hash ^= q->body_hash;
    }
    rc = work_hash(rounds, &hash);
    return rc < 0 ? rc : reply_text(r, 200, "%016" PRIx64 "\n", hash);
}

/* ?n=&rounds=: as many children. */
static int run_fan(struct reply *r)
{
    const struct request *q = &r->conn->request;
    uint64_t n = 8;
    uint64_t rounds = 10000;
    uint64_t sum;
    int rc;

    if (!request_number(q, "n", MOST_CHILDREN, &n) ||
        !request_number(q, "rounds", most_rounds, &rounds)) {
        return -EINVAL;
    }
    rc = work_fan((unsigned)n, rounds, &sum);
    return rc < 0 ? rc : reply_text(r, 200, "%016" PRIx64 "\n", sum);
}

static int send_rows(void *reply, const char *rows, size_t size)
{
    return reply_piece(reply, rows, size);
}

/* ?w=&h=: the image, an eighth as large, as it is made. */
static int run_thumb(struct reply *r)
{
    const struct request *q = &r->conn->request;
    uint64_t w = 1024;
    uint64_t h = 768;
    char head[48];
    int n;
    int rc;

    if (!request_number(q, "w", MOST_PIXELS, &w) ||
        !request_number(q, "h", MOST_PIXELS, &h) || w < THUMB_BOX ||
        h < THUMB_BOX) {
        return -EINVAL;
    }
    n = snprintf(head, sizeof head, "P5\n%u %u\n255\n", (unsigned)w / THUMB_BOX,
                 (unsigned)h / THUMB_BOX);
    rc = reply_begin(r, "image/x-portable-graymap");
    if (rc == 0) {
        rc = reply_piece(r, head, (size_t)n);
    }
    if (rc == 0) {
        rc = work_thumb((unsigned)w, (unsigned)h, send_rows, r);
    }
    return rc < 0 ? rc : reply_end(r);
}

/* ?ms= */
static int run_sleep(struct reply *r)
{
    uint64_t ms = 100;
    int rc;

    if (!request_number(&r->conn->request, "ms", MOST_MS, &ms)) {
        return -EINVAL;
    }
    rc = roost_sleep((roost_ns)ms * ROOST_MS);
    return rc < 0 ? rc : reply_text(r, 200, "slept %" PRIu64 " ms\n", ms);
}

/* ?n=&ms=: so many lines, each a piece, so long apart. */
static int run_stream(struct reply *r)
{
    uint64_t n = 10;
    uint64_t ms = 0;
    int rc;

    if (!request_number(&r->conn->request, "n", MOST_LINES, &n) ||
        !request_number(&r->conn->request, "ms", MOST_MS, &ms)) {
        return -EINVAL;
    }
    rc = reply_begin(r, "text/plain");
    for (uint64_t i = 0; i < n && rc == 0; i++) {
        char line[32];
        int size = snprintf(line, sizeof line, "line %" PRIu64 "\n", i);

        rc = ms > 0 ? roost_sleep((roost_ns)ms * ROOST_MS) : roost_checkpoint();
        if (rc == 0) {
            rc = reply_piece(r, line, (size_t)size);
        }
    }
    return rc < 0 ? rc : reply_end(r);
}

static const struct route routes[] = {
    {"/", run_root, .quick = true},
    {"/hash", run_hash, .heavy = true},
    {"/fan", run_fan, .heavy = true},
    {"/thumb", run_thumb, .heavy = true},
    {"/sleep", run_sleep, .heavy = false},
    {"/stream", run_stream, .heavy = false},
    {"/metrics", debug_metrics, .quick = true},
    {"/debug/tasks", debug_tasks, .quick = true},
};

const struct route *route_find(const char *path)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (strcmp(routes[i].path, path) == 0) {
            return &routes[i];
        }
    }
    return NULL;
}
