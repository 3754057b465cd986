/*
 * trace_json.c - JSON into a file. Contract in trace_json.h.
 */
#include "observe/trace_json.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int json_flush(struct json *j)
{
    size_t done = 0;

    while (done < j->used && j->status == 0 && j->fd >= 0) {
        ssize_t n = write(j->fd, j->buffer + done, j->used - done);

        if (n > 0) {
            done += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            j->status = n == 0 ? -EIO : -errno;
        }
    }
    j->used = 0;
    return j->status;
}

static void put(struct json *j, const char *text, size_t n)
{
    if (n > sizeof(j->buffer) - j->used) {
        (void)json_flush(j);
    }
    memcpy(j->buffer + j->used, text, n);
    j->used += n;
}

static void begin_value(struct json *j)
{
    if (j->comma) {
        put(j, ",", 1);
    }
    j->comma = true;
}

void json_open(struct json *j, char bracket)
{
    begin_value(j);
    put(j, &bracket, 1);
    j->comma = false;
}

void json_close(struct json *j, char bracket)
{
    put(j, &bracket, 1);
    j->comma = true;
}

void json_line(struct json *j)
{
    begin_value(j);
    put(j, "\n", 1);
    j->comma = false;
}

/* How many bytes from s on are one character in UTF-8; 0: they are none. */
static size_t character(const unsigned char *s)
{
    static const struct {
        unsigned char mask, lead, least, most; /* of the second byte */
    } forms[] = {{0xff, 0xe0, 0xa0, 0xbf}, {0xff, 0xed, 0x80, 0x9f},
                 {0xff, 0xf0, 0x90, 0xbf}, {0xff, 0xf4, 0x80, 0x8f},
                 {0xe0, 0xc0, 0x80, 0xbf}, {0xf0, 0xe0, 0x80, 0xbf},
                 {0xfc, 0xf0, 0x80, 0xbf}};
    size_t n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    size_t i = 0;

    if (s[0] < 0x80) {
        return 1;
    }
    while (i < 7 && (s[0] & forms[i].mask) != forms[i].lead) {
        i++;
    }
    if (i == 7 || s[0] < 0xc2 || s[1] < forms[i].least ||
        s[1] > forms[i].most) {
        return 0;
    }
    for (i = 2; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return n;
}

static void put_escaped(struct json *j, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    char text[6] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};

    if (c == '"' || c == '\\') {
        text[1] = (char)c;
        put(j, text, 2);
    } else {
        put(j, text, sizeof(text));
    }
}

void json_string(struct json *j, const char *s)
{
    const unsigned char *at = (const unsigned char *)s;

    begin_value(j);
    put(j, "\"", 1);
    while (*at != '\0') {
        size_t n = character(at);

        if (n == 0) {
            put(j, "\\ufffd", 6);
            n = 1;
        } else if (*at < ' ' || *at == '"' || *at == '\\' || *at == 0x7f) {
            put_escaped(j, *at);
        } else {
            put(j, (const char *)at, n);
        }
        at += n;
    }
    put(j, "\"", 1);
}

void json_key(struct json *j, const char *key)
{
    json_string(j, key);
    put(j, ":", 1);
    j->comma = false;
}

/* At least `width` digits. */
static void put_number(struct json *j, uint64_t n, unsigned base,
                       unsigned width)
{
    char text[20];
    unsigned at = sizeof(text);

    do {
        text[--at] = "0123456789abcdef"[n % base];
        n /= base;
    } while (n != 0 || sizeof(text) - at < width);
    put(j, text + at, sizeof(text) - at);
}

void json_number(struct json *j, uint64_t n)
{
    begin_value(j);
    put_number(j, n, 10, 1);
}

void json_address(struct json *j, uint64_t p)
{
    begin_value(j);
    put(j, "\"0x", 3);
    put_number(j, p, 16, 1);
    put(j, "\"", 1);
}

void json_time(struct json *j, int64_t ns)
{
    begin_value(j);
    put_number(j, (uint64_t)ns / 1000, 10, 1);
    put(j, ".", 1);
    put_number(j, (uint64_t)ns % 1000, 10, 3);
}
