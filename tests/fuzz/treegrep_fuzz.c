/*
 * treegrep_fuzz.c - what treegrep takes in: a file that is packed, or pretends
 * to be, and a pattern with lines.
 *
 *   byte 0   even: a .gz file follows; odd: a pattern, up to the first newline,
 *            and lines
 */
#include "fuzz.h"

#include "../../benchmarks/apps/treegrep/input.h"
#include "../../benchmarks/apps/treegrep/pattern.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

enum { UNPACKED_MAX = 1 << 20 };

static const char *file_path(void)
{
    static char path[PATH_MAX];

    if (path[0] == '\0') {
        const char *folder =
            access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

        snprintf(path, sizeof(path), "%s/roost_fuzz_%d.gz", folder, getpid());
    }
    return path;
}

static void remove_file(void)
{
    (void)unlink(file_path());
}

static void write_file(const uint8_t *data, size_t size)
{
    static int fd = -1;

    if (fd < 0) {
        fd = open(file_path(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        fuzz_check(fd >= 0, "no file for the input");
        atexit(remove_file);
    }
    fuzz_check(ftruncate(fd, 0) == 0 &&
                   pwrite(fd, data, size, 0) == (ssize_t)size,
               "the file cannot be written");
}

/* All that comes out of it, read in blocks of `room`. */
static size_t unpack(struct input *in, char *to, size_t room, bool *broken)
{
    size_t n = 0;
    ssize_t got = 1;

    fuzz_check(input_open(in, file_path(), true) == 0, "it cannot be opened");
    *broken = false;
    while (got > 0 && n + room <= UNPACKED_MAX) {
        got = input_read(in, to + n, room);
        fuzz_check(got <= (ssize_t)room, "more came than there is room");
        n += got > 0 ? (size_t)got : 0;
    }
    if (got < 0) {
        *broken = true;
        fuzz_check(in->problem != NULL, "an error without words");
    }
    input_close(in);
    return got > 0 ? UNPACKED_MAX : n;
}

static void fuzz_gzip(const uint8_t *data, size_t size)
{
    static char whole[UNPACKED_MAX], parts[UNPACKED_MAX];
    static struct input in; /* kept from file to file, as treegrep does */
    bool broken;
    bool again;
    size_t n;
    size_t m;

    write_file(data + 1, size - 1);
    n = unpack(&in, whole, 65536, &broken);
    m = unpack(&in, parts, 1 + data[0] / 2u, &again);
    if (n < UNPACKED_MAX && m < UNPACKED_MAX) {
        fuzz_check(n == m && broken == again && memcmp(whole, parts, n) == 0,
                   "in small blocks something else is in it");
    }
}

static void fuzz_line(struct matcher *m, const struct pattern *p,
                      const char *line, size_t n)
{
    const char *why = NULL;
    size_t size = 0;
    const char *literal = pattern_literal(p, &size);
    int rc = matcher_line(m, line, n, &why);

    fuzz_check(rc >= 0 || why != NULL, "no match, and no reason");
    if (literal != NULL && rc >= 0) {
        fuzz_check(rc == (memmem(line, n, literal, size) != NULL),
                   "a literal pattern and its line");
    }
    (void)pattern_is_text(p, line, n);
}

/* What recurses without an end may take all of its 64 MiB for each line, and a
 * second: one such pattern is as good as a thousand. */
static bool recurses(const char *text)
{
    const char *at = text;

    while ((at = strstr(at, "(?")) != NULL) {
        at += 2;
        if (*at != '\0' && strchr("R0123456789&P+-|", *at) != NULL) {
            return true;
        }
    }
    return strstr(text, "\\g") != NULL;
}

static void fuzz_pattern(const uint8_t *data, size_t size)
{
    char text[48]; /* what is long can take long */
    const char *at = (const char *)data + 1;
    const char *end = (const char *)data + size;
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    size_t n = stop == NULL ? 0 : (size_t)(stop - at);
    struct pattern *p;
    struct matcher *m;

    if (stop == NULL || n >= sizeof(text) || memchr(at, 0, n) != NULL) {
        return;
    }
    memcpy(text, at, n);
    text[n] = '\0';
    p = recurses(text) ? NULL : pattern_new(text, (data[0] & 2) != 0);
    if (p == NULL) {
        return;
    }
    m = matcher_new(p);
    for (at = stop + 1; m != NULL && at < end; at = stop + 1) {
        stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop == NULL ? end : stop;
        fuzz_line(m, p, at, (size_t)(stop - at));
    }
    matcher_free(m);
    pattern_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 1 && (data[0] & 1) == 0) {
        fuzz_gzip(data, size);
    } else if (size > 1 && size < 256) {
        fuzz_pattern(data, size);
    }
    return 0;
}
