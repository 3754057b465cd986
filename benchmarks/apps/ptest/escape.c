/*
 * escape.c - see escape.h.
 */
#include "escape.h"

#include <stdint.h>
#include <string.h>

/* The least character of so many bytes: a longer form is none. */
static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

static size_t length_of(unsigned char first)
{
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xc2 && first < 0xe0) {
        return 2;
    }
    if (first >= 0xe0 && first < 0xf0) {
        return 3;
    }
    return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/* The characters of XML 1.0. */
static int is_allowed(uint32_t c)
{
    return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c < 0x7f) ||
           (c >= 0xa0 && c < 0xd800) || (c >= 0xe000 && c < 0xfffe) ||
           (c >= 0x10000 && c < 0x110000);
}

/* How many bytes the character at text takes; 0: it is none that may stand. */
static size_t take(const char *text, size_t n)
{
    size_t length = length_of((unsigned char)text[0]);
    uint32_t c = (unsigned char)text[0];

    if (length == 0 || length > n) {
        return 0;
    }
    c &= length == 1 ? 0x7f : 0x7fu >> length;
    for (size_t i = 1; i < length; i++) {
        unsigned char next = (unsigned char)text[i];

        if ((next & 0xc0) != 0x80) {
            return 0;
        }
        c = c << 6 | (next & 0x3f);
    }
    return c >= least[length] && is_allowed(c) ? length : 0;
}

/* Writes one character, as it is or as \xNN; how many bytes it took. */
static size_t put(FILE *out, const char *text, size_t n)
{
    size_t length = take(text, n);

    if (length == 0) {
        fprintf(out, "\\x%02x", (unsigned char)text[0]);
        return 1;
    }
    fwrite(text, 1, length, out);
    return length;
}

static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\r':
        return "&#13;";
    default:
        return NULL;
    }
}

void escape_xml(FILE *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n;) {
        const char *stands = entity(text[i]);

        if (stands != NULL) {
            fputs(stands, out);
            i++;
        } else {
            i += put(out, text + i, n - i);
        }
    }
}

void escape_comment(FILE *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n;) {
        if (i == 0 || text[i - 1] == '\n') {
            fputs("# ", out);
        }
        i += put(out, text + i, n - i);
    }
    if (n > 0 && text[n - 1] != '\n') {
        putc('\n', out);
    }
}

void escape_description(FILE *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n;) {
        char c = text[i];

        if (c == '#' || c == '\\' || take(text + i, n - i) == 0) {
            putc('\\', out); /* what is read as # or \ alone */
        }
        if (c == '\n' || c == '\r') {
            putc(' ', out);
            i++;
        } else {
            i += put(out, text + i, n - i);
        }
    }
}
