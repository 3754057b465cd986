/*
 * request.c - the parser's callbacks, and the limits: see request.h.
 */
#include "request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../common/duration.h"

static const uint64_t fnv_basis = 0xcbf29ce484222325u;
static const uint64_t fnv_prime = 0x100000001b3u;

static int refuse(struct request *r, int status)
{
    r->refused = status;
    return 1;
}

static int on_url(http_parser *p, const char *at, size_t n)
{
    struct request *r = p->data;

    if (n >= TARGET_MAX - r->target_size) {
        return refuse(r, 414);
    }
    memcpy(r->target + r->target_size, at, n);
    r->target_size += n;
    return 0;
}

/* Appends what fits, NUL at the end; a longer one is none that we look for. */
static size_t append(char *to, size_t size, const char *at, size_t n)
{
    size_t room = 15 - size;

    n = n < room ? n : room;
    memcpy(to + size, at, n);
    to[size + n] = '\0';
    return size + n;
}

static int on_field(http_parser *p, const char *at, size_t n)
{
    struct request *r = p->data;

    if (r->in_value) {
        r->in_value = false;
        r->name_size = 0;
    }
    r->name_size = append(r->name, r->name_size, at, n);
    return 0;
}

static int on_value(http_parser *p, const char *at, size_t n)
{
    struct request *r = p->data;
    bool first = !r->in_value; /* of the pieces of this one */

    r->in_value = true;
    if (r->in_body) {
        return 0; /* behind the body: nothing that we look for */
    }
    if (strcasecmp(r->name, "host") == 0) {
        r->has_host = true;
    } else if (strcasecmp(r->name, "x-deadline") == 0) {
        r->deadline_size = first ? 0 : r->deadline_size; /* the last counts */
        r->deadline_size = append(r->deadline, r->deadline_size, at, n);
    }
    return 0;
}

static int on_headers_complete(http_parser *p)
{
    struct request *r = p->data;

    r->in_body = true;
    if (p->http_major != 1) {
        return refuse(r, 505);
    }
    if (p->http_minor > 0 && !r->has_host) {
        return refuse(r, 400);
    }
    if (p->content_length != UINT64_MAX &&
        p->content_length > r->options->body_max) {
        return refuse(r, 413);
    }
    return 0;
}

static int on_body(http_parser *p, const char *at, size_t n)
{
    struct request *r = p->data;

    if (n > r->options->body_max - r->body_size) {
        return refuse(r, 413);
    }
    r->body_size += n;
    for (size_t i = 0; i < n; i++) {
        r->body_hash = (r->body_hash ^ (unsigned char)at[i]) * fnv_prime;
    }
    return 0;
}

static int on_message_complete(http_parser *p)
{
    struct request *r = p->data;

    r->complete = true;
    http_parser_pause(p, 1); /* what follows is the next one's */
    return 0;
}

static const http_parser_settings settings = {
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

void request_init(struct request *r, const struct options *o)
{
    r->options = o;
    r->name[0] = r->deadline[0] = '\0';
    r->target_size = r->name_size = r->deadline_size = 0;
    r->header_size = r->body_size = 0;
    r->body_hash = fnv_basis;
    r->in_value = r->in_body = r->has_host = false;
    r->begun = r->complete = false;
    r->refused = 0;
    http_parser_init(&r->parser, HTTP_REQUEST);
    r->parser.data = r;
}

static void finish(struct request *r)
{
    r->target[r->target_size] = '\0';
    r->query = strchr(r->target, '?');
    if (r->query != NULL) {
        *r->query++ = '\0';
    }
}

size_t request_feed(struct request *r, const char *data, size_t n)
{
    size_t room = r->options->header_max - r->header_size;
    bool in_header = !r->in_body;
    size_t used;

    if (in_header && n > room) {
        n = room;
    }
    r->begun = r->begun || n > 0;
    used = http_parser_execute(&r->parser, &settings, data, n);
    if (in_header) {
        r->header_size += used;
    }
    if (r->complete) {
        finish(r);
    } else if (r->refused == 0 && HTTP_PARSER_ERRNO(&r->parser) != HPE_OK) {
        r->refused =
            HTTP_PARSER_ERRNO(&r->parser) == HPE_HEADER_OVERFLOW ? 431 : 400;
    } else if (r->refused == 0 && !r->in_body &&
               r->header_size == r->options->header_max) {
        r->refused = 431;
    }
    return used;
}

bool request_keeps_alive(const struct request *r)
{
    return r->complete && !r->parser.upgrade &&
           http_should_keep_alive(&r->parser) != 0;
}

bool request_takes_chunks(const struct request *r)
{
    return r->parser.http_minor > 0;
}

/* What stands behind NAME= in the query, up to the next '&': its length. */
static size_t find(const struct request *r, const char *name, const char **at)
{
    size_t n = strlen(name);

    for (const char *p = r->query; p != NULL; p = strchr(p, '&')) {
        p += *p == '&';
        if (strncmp(p, name, n) == 0 && p[n] == '=') {
            *at = p + n + 1;
            return strcspn(*at, "&");
        }
    }
    *at = NULL;
    return 0;
}

bool request_number(const struct request *r, const char *name, uint64_t max,
                    uint64_t *value)
{
    const char *at;
    size_t n = find(r, name, &at);
    uint64_t sum = 0;

    if (at == NULL) {
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        unsigned digit = (unsigned)at[i] - '0';

        if (digit > 9 || sum > (max - digit) / 10) {
            return false;
        }
        sum = sum * 10 + digit;
    }
    if (n == 0 || sum > max) {
        return false;
    }
    *value = sum;
    return true;
}

bool request_deadline(const struct request *r, roost_ns *ns)
{
    char text[16];
    const char *at;
    size_t n = find(r, "deadline", &at);

    if (at == NULL && r->deadline_size == 0) {
        return true;
    }
    if (at == NULL) {
        return duration_read(r->deadline, false, ns);
    }
    if (n >= sizeof text) {
        return false;
    }
    memcpy(text, at, n);
    text[n] = '\0';
    return duration_read(text, false, ns);
}
