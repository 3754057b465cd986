/*
 * io_file.c - opening.
 *
 * WHAT    open(2), which nobody can wait for by poll(2): it is offloaded, and
 *         awaited. A cancel interrupts it.
 */
#include "offload.h"
#include <errno.h>
#include <fcntl.h>
#include <roost/io.h>

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
    rc = offload_interruptible(run_open, &c);
    return rc < 0 ? rc : c.result;
}
