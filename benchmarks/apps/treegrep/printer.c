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
#define PIPE_SIZE (1024 * 1024) /* what every user may ask for */

static const char wipe[] = "\r\033[K";

void printer_init(struct printer *p)
{
    int fd;

    memset(p, 0, sizeof *p);
    p->patience = ROOST_NEVER;
    p->stage_fd = STDOUT_FILENO;
    for (fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        struct stat st;

        p->paced[fd - 1] = fstat(fd, &st) == 0 && !S_ISREG(st.st_mode);
        p->terminal[fd - 1] = isatty(fd);
    }
    /* A small pipe would be found full 16 times as often. */
    (void)fcntl(STDOUT_FILENO, F_SETPIPE_SZ, PIPE_SIZE);
}

/* Waits until fd has room. 0, -ECANCELED or -ETIMEDOUT. */
static int await_room(const struct printer *p, int fd)
{
    roost_ns nap = NAP_MIN;
    roost_ns slept = 0;

    for (;;) {
        struct pollfd ask = {.fd = fd, .events = POLLOUT};
        int rc;

        if (poll(&ask, 1, 0) != 0) {
            return 0; /* room, or an error that write(2) will name */
        }
        if (slept >= p->patience) {
            return -ETIMEDOUT;
        }
        rc = roost_sleep(nap);
        if (rc < 0) {
            return rc;
        }
        slept += nap;
        nap = nap * 2 < NAP_MAX ? nap * 2 : NAP_MAX;
    }
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
        p->written += fd == STDOUT_FILENO ? (size_t)n : 0;
        return 0;
    }
    if (errno == EINTR) {
        return 0;
    }
    if (errno == EAGAIN) {
        rc = roost_sleep(NAP_MIN); /* non-blocking, and no room for so much */
        return rc;
    }
    return -errno;
}

/* Writes what is staged. */
static int drain(struct printer *p)
{
    int fd = p->stage_fd;

    if (p->from < p->used && p->terminal[fd - 1]) {
        printer_bar(p, NULL);
    }
    while (p->from < p->used) {
        int rc = put(p, fd);

        if (rc == -ECANCELED || rc == -ETIMEDOUT) {
            return rc;
        }
        if (rc < 0 && fd == STDOUT_FILENO) {
            p->failure = rc;
        }
        if (rc < 0) {
            break; /* what stderr does not take is lost: nobody to tell */
        }
    }
    p->from = p->used = 0;
    return p->failure;
}

/* Copies as much of a piece as fits. True: all of it. */
static bool stage_piece(struct printer *p, struct piece *piece)
{
    size_t n = piece->size - piece->sent;

    if (n > sizeof p->stage - p->used) {
        n = sizeof p->stage - p->used;
    }
    memcpy(p->stage + p->used, piece->bytes + piece->sent, n);
    p->used += n;
    piece->sent += n;
    return piece->sent == piece->size;
}

int printer_print(struct printer *p, struct pieces *list)
{
    while (list->first != NULL && p->failure == 0) {
        struct piece *piece = list->first;

        if (piece->fd != p->stage_fd || p->used == sizeof p->stage) {
            int rc = drain(p);

            if (rc < 0) {
                return rc;
            }
            p->stage_fd = piece->fd;
        }
        if (stage_piece(p, piece)) {
            free(pieces_take(list));
        }
    }
    return drain(p);
}

size_t printer_kept(const struct printer *p)
{
    return p->used - p->from;
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
        memcpy(text + n, line, length);
        n += length;
    }
    p->bar_shown = line != NULL;
    ignored = write(STDERR_FILENO, text, n);
    (void)ignored;
}
