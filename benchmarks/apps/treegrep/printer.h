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

/* One user at a time. */
struct printer {
    roost_oneshot *stop; /* I: once it is set, */
    roost_ns deadline;   /* I: or after this, a full pipe gets a last chance */
    int stage_fd;        /* whose bytes are staged */
    size_t from, used;   /* the staged bytes that are not written */
    int failure;         /* 0, or why nothing more is written */
    bool paced[2];       /* stdout, stderr: a pipe or terminal may be full */
    bool terminal[2];
    bool bar_shown; /* the progress bar stands on the terminal */
    char stage[PRINTER_STAGE_SIZE];
};

/* stop and deadline: the search is to end early. */
void printer_init(struct printer *p, roost_oneshot *stop, roost_ns deadline);

/*
 * Prints a piece, in its turn; flush: what is staged, too.
 *   0; -ETIMEDOUT: the search is to end, and stdout took nothing for a second;
 *   another negative errno: stdout has failed. From then on every call gives
 *   that, and does nothing.
 * Waits.
 */
int printer_put(struct printer *p, const struct piece *piece);
int printer_flush(struct printer *p);
/* Whether there is anything to flush. */
bool printer_staged(const struct printer *p);

/* Shows one line on stderr that is replaced by the next, and wiped away before
 * anything else is printed; NULL wipes it away. Never waits. */
void printer_bar(struct printer *p, const char *line);

#endif
