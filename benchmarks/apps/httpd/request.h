/*
 * request.h - one request, as the parser finds it in what has been read.
 */
#ifndef HTTPD_REQUEST_H
#define HTTPD_REQUEST_H

#include <http_parser.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "options.h"

enum { TARGET_MAX = 2048 };

struct request {
    http_parser parser;
    const struct options *options;
    char target[TARGET_MAX]; /* path and query, with its NUL */
    char *query;             /* in target, behind the '?'; once complete */
    char name[16];           /* of the header that is read */
    char deadline[16];       /* of the header X-Deadline; "" without it */
    size_t target_size, name_size, deadline_size;
    size_t header_size, body_size;
    uint64_t body_hash; /* FNV-1a of the body: all that is kept of it */
    bool in_value;      /* the last piece of a header was of its value */
    bool in_body;       /* the headers are complete */
    bool has_host;
    bool begun;    /* a byte of it has come */
    bool complete; /* all of it has come */
    int refused;   /* the status that refuses it; 0: it is fine so far */
};

void request_init(struct request *r, const struct options *o);

/*
 * Reads on, up to the end of this request or its first fault: how many of the n
 * bytes belong to it. Then `complete` or `refused` is set, or more is needed.
 */
size_t request_feed(struct request *r, const char *data, size_t n);

/* Whether another request may follow on this connection. */
bool request_keeps_alive(const struct request *r);
/* Of HTTP/1.1, so that the reply may come in chunks. */
bool request_takes_chunks(const struct request *r);

/*
 * The number that the query gives a name, in 0 ... max; *value stays as it is
 * without one. False: it is no such number.
 */
bool request_number(const struct request *r, const char *name, uint64_t max,
                    uint64_t *value);
/* Its deadline, from the query or the header, relative; *ns stays as it is
 * without one. False: it is no time. */
bool request_deadline(const struct request *r, roost_ns *ns);

#endif
