/*
 * printer.h - puts pieces on stdout and stderr without ever blocking a worker:
 * what cannot take more is asked again after a sleep of the task.
 */
#ifndef TREEGREP_PRINTER_H
#define TREEGREP_PRINTER_H

#include <stdbool.h>
#include <stddef.h>

#include <roost/roost.h>

#include "pieces.h"

#define PRINTER_STAGE_SIZE ((size_t)64 * 1024)

/* One user at a time: whoever has the right to print (order.h). */
struct printer {
    roost_ns patience; /* give up if nothing is taken for so long */
    int stage_fd;      /* whose bytes are staged */
    size_t from, used; /* the staged bytes that are not written */
    size_t written;    /* bytes written to stdout */
    int failure;       /* of stdout: -EPIPE: nobody reads any more, ... */
    bool paced[2];     /* stdout, stderr: a pipe or terminal that may be full */
    bool terminal[2];
    bool bar_shown; /* the progress bar stands on the terminal */
    char stage[PRINTER_STAGE_SIZE];
};

void printer_init(struct printer *p);

/*
 * Prints pieces in their order and frees them.
 *   0; -ECANCELED: the task was cancelled; -ETIMEDOUT: nothing was taken for
 *   so long as p->patience. What was not printed is kept, staged and in list:
 *   the next call goes on with it. Another negative errno: stdout has failed;
 *   from then on everything gives that.
 * Waits.
 */
int printer_print(struct printer *p, struct pieces *list);

/* Bytes that printer_print took and has not written. */
size_t printer_kept(const struct printer *p);

/* Shows one line on stderr that is replaced by the next, and wiped away before
 * anything else is printed; NULL wipes it away. Never waits. */
void printer_bar(struct printer *p, const char *line);

#endif
