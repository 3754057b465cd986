/*
 * printer.c - see printer.h.
 *
 * MODEL  A pipe says by poll(2) that it has room, and then takes PIPE_BUF bytes
 *        at once: so a worker never blocks in write(2), and Ctrl-C and the
 *        deadline work while the reader sleeps. Regular files always have room.
 * COST   A copy of every byte, two system calls for each 4 KiB into a pipe.
 */
#include "printer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAP_MIN (100 * ROOST_US)
#define NAP_MAX (8 * ROOST_MS)
#define LAST_CHANCE ROOST_S
#define PIPE_SIZE (1024 * 1024) /* what every user may ask for */

static const char wipe[] = "\r\033[K";

void printer_init(struct printer *p, roost_oneshot *stop, roost_ns deadline)
{
    int fd;

    memset(p, 0, sizeof *p);
    p->stop = stop;
    p->deadline = deadline;
    p->stage_fd = STDOUT_FILENO;
    for (fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        struct stat st;

        p->paced[fd - 1] = fstat(fd, &st) == 0 && !S_ISREG(st.st_mode);
        p->terminal[fd - 1] = isatty(fd);
    }
    /* A small pipe would be found full 16 times as often. */
    (void)fcntl(STDOUT_FILENO, F_SETPIPE_SZ, PIPE_SIZE);
}

static bool in_hurry(const struct printer *p)
{
    return roost_now() >= p->deadline ||
           roost_oneshot_get_until(p->stop, NULL, 0) == 0;
}

/* Waits until fd has room. 0 or -ETIMEDOUT. */
static int await_room(const struct printer *p, int fd)
{
    struct pollfd ask = {.fd = fd, .events = POLLOUT};
    roost_ns nap = NAP_MIN;
    roost_ns chance = 0;

    /* Room is an error, too: write(2) will name it. */
    while (poll(&ask, 1, 0) == 0) {
        int rc = roost_sleep(nap);

        if (rc < 0 || chance >= LAST_CHANCE) {
            return rc < 0 ? rc : -ETIMEDOUT;
        }
        chance += in_hurry(p) ? nap : 0;
        nap = nap * 2 < NAP_MAX ? nap * 2 : NAP_MAX;
    }
    return 0;
}

/* One write(2). 0, or why not. */
static int put(struct printer *p, int fd)
{
    bool paced = p->paced[fd - 1];
    size_t left = p->used - p->from;
    ssize_t n;
    int rc = paced ? await_room(p, fd) : 0;

    if (rc < 0) {
        return rc;
    }
    n = write(fd, p->stage + p->from,
              paced && left > PIPE_BUF ? PIPE_BUF : left);
    if (n >= 0) {
        p->from += (size_t)n;
        return 0;
    }
    if (errno == EINTR) {
        return 0;
    }
    if (errno == EAGAIN) { /* non-blocking, and no room for so much */
        return roost_sleep(NAP_MIN);
    }
    return -errno;
}

int printer_flush(struct printer *p)
{
    int fd = p->stage_fd;

    if (p->from < p->used && p->terminal[fd - 1]) {
        printer_bar(p, NULL);
    }
    while (p->from < p->used && p->failure == 0) {
        int rc = put(p, fd);

        if (rc < 0 && (fd == STDOUT_FILENO || rc == -ETIMEDOUT)) {
            p->failure = rc;
        } else if (rc < 0) {
            break; /* what stderr does not take is lost: nobody to tell */
        }
    }
    p->from = p->used = 0;
    return p->failure;
}

int printer_put(struct printer *p, const struct piece *piece)
{
    size_t sent = 0;

    if (piece->fd != p->stage_fd) {
        (void)printer_flush(p);
        p->stage_fd = piece->fd;
    }
    while (sent < piece->size && p->failure == 0) {
        size_t n = piece->size - sent;

        n = n < sizeof p->stage - p->used ? n : sizeof p->stage - p->used;
        memcpy(p->stage + p->used, piece->bytes + sent, n);
        p->used += n;
        sent += n;
        if (p->used == sizeof p->stage) {
            (void)printer_flush(p);
        }
    }
    return p->failure;
}

bool printer_staged(const struct printer *p)
{
    return p->used > 0;
}

void printer_bar(struct printer *p, const char *line)
{
    struct pollfd ask = {.fd = STDERR_FILENO, .events = POLLOUT};
    char text[256];
    size_t n = 0;
    ssize_t ignored;

    if ((line == NULL && !p->bar_shown) || poll(&ask, 1, 0) != 1) {
        return;
    }
    memcpy(text, wipe, sizeof wipe - 1);
    n = sizeof wipe - 1;
    if (line != NULL) {
        size_t length = strlen(line);

        length = length < sizeof text - n ? length : sizeof text - n;
        /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): bytes */
        memcpy(text + n, line, length);
        n += length;
    }
    p->bar_shown = line != NULL;
    ignored = write(STDERR_FILENO, text, n);
    (void)ignored;
}
