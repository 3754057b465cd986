/*
 * trace_show.h - records as Chrome's trace events. See trace_show.c.
 */
#ifndef ROOST_TRACE_SHOW_H
#define ROOST_TRACE_SHOW_H

#include "observe/trace_json.h"
#include "observe/track.h"

struct show {
    struct json json;
    int64_t begin; /* what the file counts from */
};

/* The start of the file. Writes nothing yet. */
void show_begin(struct show *show, int fd);
/* For track_take: one record. show: struct show. */
void show_record(void *show, struct track *t, const struct record *r);
/* All are taken: the end of the file. 0, or the failure of a write. */
int show_end(struct show *show);

#endif
