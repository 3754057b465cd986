/*
 * check.c - the last words of a process whose memory cannot be trusted.
 *
 * Nothing here allocates, locks or buffers: a failed check may stand in a
 * signal handler, or hold any lock of the process.
 */
#include "base/check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* The decimal digits of n, written so that they end at `end`. */
static char *digits(char *end, unsigned n)
{
    do {
        *--end = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    return end;
}

static struct iovec text(const char *s, size_t length)
{
    /* writev does not write through iov_base; the type cannot say so. */
    struct iovec v = {(void *)(size_t)s, length};

    return v;
}

_Noreturn void check_failed(const char *file, int line, const char *what)
{
    char number[12];
    char *end = number + sizeof(number);
    char *start = digits(end, line > 0 ? (unsigned)line : 0U);
    struct iovec parts[] = {
        text("roost: ", 7), text(file, strlen(file)),
        text(":", 1),       text(start, (size_t)(end - start)),
        text(": ", 2),      text(what, strlen(what)),
        text("\n", 1),
    };

    /* One call, so that lines of several threads do not mix. If stderr does
     * not take it there is nobody left to tell. */
    if (writev(STDERR_FILENO, parts, sizeof(parts) / sizeof(parts[0])) < 0) {
        abort();
    }
    abort();
}
