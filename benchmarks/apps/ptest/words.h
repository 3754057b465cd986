/*
 * words.h - a line split into words, by the shell's quotes and nothing else of
 * the shell.
 */
#ifndef PTEST_WORDS_H
#define PTEST_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct words {
    char *text; /* all of them, each ended by a NUL */
    char **v;   /* where each begins; v[n] is NULL */
    size_t n;
};

/*
 * Splits *line up to `end`, a character outside quotes ('\0': the line's end),
 * which is left behind: *line is where to go on.
 *   NULL, or what is wrong; then nothing is to be freed
 */
const char *words_split(struct words *w, const char **line, char end);
void words_free(struct words *w);

#endif
