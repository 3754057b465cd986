/*
 * lines.h - the names and source lines of addresses in this process, by its
 * debugging information. See lines.c.
 */
#ifndef ROOST_OBSERVE_LINES_H
#define ROOST_OBSERVE_LINES_H

#include <stdbool.h>
#include <stdint.h>

struct lines;

struct line {
    const char *function; /* NULL: unknown; valid until lines_close */
    const char *file;     /* likewise: its last part */
    int number;           /* valid with file */
};

/* NULL: libdw is not installed, or cannot be used. Allocates, takes the
 * loader's lock, reads files. */
struct lines *lines_open(void);
void lines_find(struct lines *l, uintptr_t address, struct line *out);
void lines_close(struct lines *l); /* NULL is fine */

#endif
