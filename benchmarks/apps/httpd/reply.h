/*
 * reply.h - writing replies. A client that takes nothing for the write time has
 * its connection broken; after that, nothing is written any more.
 */
#ifndef HTTPD_REPLY_H
#define HTTPD_REPLY_H

#include "conn.h"

struct reply {
    struct conn *conn;
    bool keep;   /* the connection stays open after it */
    bool chunks; /* the body is in chunks; else the end of it is the close */
    bool begun;  /* a byte of it is written */
    int status;  /* as it was written */
};

/* A whole reply. 0, -ECANCELED, or why the connection is broken. */
int reply_send(struct reply *r, int status, const char *type, const char *body,
               size_t size);
/* The same of one line. */
int reply_text(struct reply *r, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A reply in pieces: its head, each piece, its end. */
int reply_begin(struct reply *r, const char *type);
int reply_piece(struct reply *r, const char *data, size_t n);
int reply_end(struct reply *r);

#endif
