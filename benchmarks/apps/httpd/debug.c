/*
 * debug.c - see debug.h.
 */
#include "debug.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BLOCK = 16384 };

int debug_metrics(struct reply *r)
{
    struct server *server = r->conn->server;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    int rc;

    if (out == NULL) {
        return -ENOMEM;
    }
    metrics_print(&server->metrics, out);
    gate_print(&server->gate, out);
    if (fclose(out) != 0) {
        free(text);
        return -ENOMEM;
    }
    rc = reply_send(r, 200, "text/plain; version=0.0.4", text, size);
    free(text);
    return rc;
}

/* The file is memory: pread blocks for nothing. */
static int send_file(struct reply *r, int fd)
{
    char *block = malloc(BLOCK);
    off_t at = 0;
    ssize_t n = 1;
    int rc = block == NULL ? -ENOMEM : reply_begin(r, "text/plain");

    while (rc == 0 && n > 0) {
        n = pread(fd, block, BLOCK, at);
        rc = n < 0 ? -EIO : reply_piece(r, block, (size_t)n);
        at += n;
    }
    free(block);
    return rc < 0 ? rc : reply_end(r);
}

int debug_tasks(struct reply *r)
{
    int fd = memfd_create("tasks", MFD_CLOEXEC);
    int rc;

    if (fd < 0) {
        return -EAGAIN; /* no descriptor or no memory, now */
    }
    rc = roost_dump(fd);
    if (rc == 0) {
        rc = send_file(r, fd);
    }
    close(fd);
    return rc;
}
