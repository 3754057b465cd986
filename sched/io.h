/*
 * io.h - calls on descriptors: what io.c and io_socket.c share.
 */
#ifndef ROOST_IO_INTERNAL_H
#define ROOST_IO_INTERNAL_H

#include "fd.h"
#include <limits.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* struct fd.kind: how a descriptor is read without blocking. A hint: what the
 * system says when it is tried counts. */
enum io_kind {
    IO_UNKNOWN,
    IO_SOCKET, /* MSG_DONTWAIT */
    IO_NOWAIT, /* RWF_NOWAIT */
    IO_FILE,   /* likewise, but it cannot be waited for: offloaded */
    IO_PLAIN,  /* the kernel has none for it: poll(2), and then offloaded */
};

/* What an attempt returns, beside bytes and failures: it can only be done by a
 * thread that may block. */
#define IO_BLOCKS (-(SSIZE_MAX - 1))

/* One call on a descriptor. */
struct io {
    struct fd_use u;
    unsigned event; /* ROOST_READABLE or _WRITABLE: what it waits for */
    /* Try it once: a result, -EAGAIN, or IO_BLOCKS. */
    ssize_t (*attempt)(struct io *io);
    /* On a thread that may block; NULL: attempt never says IO_BLOCKS. */
    ssize_t (*block)(struct io *io);
    struct iovec one;        /* read, write: what vec points to */
    const struct iovec *vec; /* of read and write */
    int vecs;
    struct msghdr msg; /* of recvfrom, sendto */
    int flags;         /* likewise, or of accept */
    size_t got;        /* of a file: what attempt has read before it blocks */
    ssize_t result;    /* of io_offload */
};

/* Do it, waiting as long as it has to be. Waits, cancellation point. */
ssize_t io_run(struct io *io, roost_ns deadline);
/* -errno of what has just failed; -EAGAIN for EWOULDBLOCK too. */
ssize_t io_result(ssize_t n);
/* Have io->block done by a thread that may. Waits. */
ssize_t io_offload(struct io *io);

#endif
