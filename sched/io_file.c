/*
 * io_file.c - what only a thread that may block can do: reading and writing
 * regular files, opening them.
 */
#include "io.h"

#include "offload.h"
#include "runtime.h"
#include <errno.h>

/* On a pool thread. */
static int run(void *arg)
{
    struct io *io = arg;
    bool read = io->event == ROOST_READABLE;
    ssize_t n;

    do {
        n = io_result(read ? readv(io->u.fd, io->vec, io->vecs)
                           : writev(io->u.fd, io->vec, io->vecs));
    } while (n == -EINTR && !roost_offload_cancelled());
    io->result = n == -EINTR ? -ECANCELED : n;
    return 0;
}

ssize_t io_offload(struct io *io)
{
    roost_offload_opts opts = {.name = NULL};
    int rc;

    if (io_kind(io) != IO_FILE) {
        opts.flags = ROOST_INTERRUPT; /* it may block for ever */
    }
    rc = roost_offload_with(run, io, &opts);
    return rc < 0 ? rc : io->result;
}
