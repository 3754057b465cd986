/*
 * io_file.c - what only a thread that may block can do: opening, regular files,
 * and what poll(2) knows nothing of.
 *
 * WHAT    The call is offloaded, and awaited: what it reads into is the
 *         caller's. A cancel interrupts it, unless it is a regular file's,
 *         which ends by itself.
 */
#include "io.h"

#include "offload.h"
#include <errno.h>
#include <fcntl.h>

/* With a signal to interrupt it; without, if none is free. */
static int interruptible(roost_fn fn, void *arg)
{
    roost_offload_opts opts = {.flags = ROOST_INTERRUPT};
    int rc = roost_offload_with(fn, arg, &opts);

    return rc == -EAGAIN ? roost_offload(fn, arg) : rc;
}

static int run(void *arg)
{
    struct io *io = arg;

    do {
        io->result = io->block(io);
    } while (io->result == -EINTR && !roost_offload_cancelled());
    if (io->result == -EINTR) {
        io->result = -ECANCELED;
    }
    return 0;
}

ssize_t io_offload(struct io *io)
{
    int rc = io_kind(io) == IO_FILE ? roost_offload(run, io)
                                    : interruptible(run, io);

    if (io->got > 0) { /* what was read is not lost */
        return (ssize_t)io->got + (rc == 0 && io->result > 0 ? io->result : 0);
    }
    return rc < 0 ? rc : io->result;
}

/* --- open --- */

struct open_call {
    const char *path;
    int flags;
    mode_t mode;
    int result;
};

static int run_open(void *arg)
{
    struct open_call *c = arg;

    do {
        c->result = open(c->path, c->flags | O_CLOEXEC, c->mode);
        if (c->result < 0) {
            c->result = -errno;
        }
    } while (c->result == -EINTR && !roost_offload_cancelled());
    if (c->result == -EINTR) {
        c->result = -ECANCELED;
    }
    return 0;
}

int roost_open(const char *path, int flags, mode_t mode)
{
    struct open_call c = {path, flags, mode, 0};
    int rc;

    if (path == NULL) {
        return -EINVAL;
    }
    rc = interruptible(run_open, &c);
    return rc < 0 ? rc : c.result;
}
