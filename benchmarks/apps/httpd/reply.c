/*
 * reply.c - see reply.h.
 */
#include "reply.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

enum { HEAD_SIZE = 512, PIECES_MAX = 3 };

static const struct {
    int status;
    const char *words;
} reasons[] = {
    {200, "OK"},
    {400, "Bad Request"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {431, "Request Header Fields Too Large"},
    {499, "Client Closed Request"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

static const char *reason(int status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        if (reasons[i].status == status) {
            return reasons[i].words;
        }
    }
    return "";
}

/* Takes n bytes off the front of v: how many of the pieces are done with. */
static int advance(struct iovec *v, int count, size_t n)
{
    int i = 0;

    while (i < count && n >= v[i].iov_len) {
        n -= v[i++].iov_len;
    }
    if (i < count) {
        v[i].iov_base = (char *)v[i].iov_base + n;
        v[i].iov_len -= n;
    }
    return i;
}

static int write_all(struct reply *r, struct iovec *v, int count)
{
    struct conn *c = r->conn;
    int done = 0;

    while (done < count) {
        ssize_t n;

        if (c->broken) {
            return -EPIPE;
        }
        n = roost_writev_until(c->fd, v + done, count - done,
                               roost_in(c->server->options->write_time));
        if (n < 0) { /* half a reply: nothing can follow it */
            c->broken = r->begun || n != -ECANCELED;
            return (int)n;
        }
        r->begun = true;
        done += advance(v + done, count - done, (size_t)n);
    }
    return 0;
}

static size_t head(struct reply *r, char *to, const char *type,
                   const char *length)
{
    char date[32];
    time_t now = time(NULL);
    struct tm tm;

    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT",
             gmtime_r(&now, &tm));
    return (size_t)snprintf(to, HEAD_SIZE,
                            "HTTP/1.1 %d %s\r\nServer: roost\r\nDate: %s\r\n"
                            "Content-Type: %s\r\n%s%s%s\r\n",
                            r->status, reason(r->status), date, type, length,
                            r->status == 503 ? "Retry-After: 1\r\n" : "",
                            r->keep ? "" : "Connection: close\r\n");
}

static bool is_head(const struct reply *r)
{
    const struct request *q = &r->conn->request;

    return q->complete && q->parser.method == HTTP_HEAD;
}

int reply_send(struct reply *r, int status, const char *type, const char *body,
               size_t size)
{
    char text[HEAD_SIZE];
    char length[48];
    struct iovec v[] = {{text, 0}, {(char *)body, is_head(r) ? 0 : size}};

    r->status = status;
    snprintf(length, sizeof length, "Content-Length: %zu\r\n", size);
    v[0].iov_len = head(r, text, type, length);
    return write_all(r, v, 2);
}

int reply_text(struct reply *r, int status, const char *format, ...)
{
    char text[256];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    n = n < (int)sizeof text ? n : (int)sizeof text - 1;
    return reply_send(r, status, "text/plain", text, (size_t)n);
}

int reply_begin(struct reply *r, const char *type)
{
    char text[HEAD_SIZE];
    struct iovec v = {text, 0};

    r->status = 200;
    r->chunks = request_takes_chunks(&r->conn->request);
    r->keep = r->keep && r->chunks;
    v.iov_len =
        head(r, text, type, r->chunks ? "Transfer-Encoding: chunked\r\n" : "");
    return write_all(r, &v, 1);
}

int reply_piece(struct reply *r, const char *data, size_t n)
{
    char size[24];
    struct iovec v[PIECES_MAX] = {{size, 0}, {(char *)data, n}, {"\r\n", 2}};

    if (n == 0 || is_head(r)) { /* an empty chunk would be the end */
        return 0;
    }
    v[0].iov_len = (size_t)snprintf(size, sizeof size, "%zx\r\n", n);
    return r->chunks ? write_all(r, v, PIECES_MAX) : write_all(r, v + 1, 1);
}

int reply_end(struct reply *r)
{
    struct iovec v = {"0\r\n\r\n", 5};

    return r->chunks && !is_head(r) ? write_all(r, &v, 1) : 0;
}
