/*
 * trace_show.h - records as Chrome's trace events. See trace_show.c.
 */
#ifndef ROOST_TRACE_SHOW_H
#define ROOST_TRACE_SHOW_H

#include "observe/trace_json.h"
#include "observe/track.h"
#include <pthread.h>

struct show {
    struct json json;
    int64_t begin; /* what the file counts from */
};

/* The process's one trace: of trace_file.c, and here for its model, which puts
 * it back before each run. */
extern struct tracing {
    pthread_mutex_t control;
    struct trace *running; /* L(control) */
} tracing;

/* The start of the file. Writes nothing yet. */
void show_begin(struct show *show, int fd);
/* For track_take: one record. show: struct show. */
void show_record(void *show, struct track *t, const struct record *r);
/* All are taken: the end of the file. 0, or the failure of a write. */
int show_end(struct show *show);

#endif
