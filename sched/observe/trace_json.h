/*
 * trace_json.h - JSON into a file, as it comes. Commas, quotes and what must
 * be escaped are its business; that what is opened is closed, the caller's.
 */
#ifndef ROOST_TRACE_JSON_H
#define ROOST_TRACE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {
    int fd;     /* -1: nowhere */
    int status; /* 0, or the first failure of a write: then no more is tried */
    size_t used;
    bool comma; /* a value stands before this one */
    char buffer[1 << 16];
};

void json_open(struct json *j, char bracket);  /* { or [ */
void json_close(struct json *j, char bracket); /* } or ] */
void json_key(struct json *j, const char *key);
/* Bytes that are no UTF-8 become U+FFFD. */
void json_string(struct json *j, const char *s);
void json_number(struct json *j, uint64_t n);
void json_address(struct json *j, uint64_t p); /* "0x..." */
/* Nanoseconds >= 0, as microseconds. */
void json_time(struct json *j, int64_t ns);
void json_line(struct json *j); /* for those who look with other eyes */
/* All into the file. The status. */
int json_flush(struct json *j);

#endif
