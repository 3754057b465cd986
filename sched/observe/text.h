/*
 * text.h - a text that grows while it is put together. See text.c.
 */
#ifndef ROOST_OBSERVE_TEXT_H
#define ROOST_OBSERVE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>

struct text_piece;

/* All zero: empty. */
struct text {
    struct text_piece *first, *last;
};

/* Add what vprintf(3) would print, some hundred bytes. False: no memory, or no
 * such format, and nothing was added. Allocates; else 0.1 us. */
__attribute__((format(printf, 2, 0))) bool
text_add(struct text *t, const char *format, va_list args);
/* Write all of it and leave it empty, whether that succeeds or not. 0, or the
 * write(2)'s failure. Waits as that does. */
int text_write(struct text *t, int fd);

#endif
