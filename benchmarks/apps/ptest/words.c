/*
 * words.c - see words.h.
 *
 * 'as it is', "as it is, but \" and \\", a backslash before one character. A
 * word may be of several such pieces.
 */
#include "words.h"

#include <stdlib.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* One word from `at` to *to, which moves. Where it ends; NULL: a quote is open.
 */
static const char *take_word(const char *at, char end, char **to)
{
    char quote = '\0';

    for (; *at != '\0'; at++) {
        bool escapes = *at == '\\' && quote != '\'' &&
                       (quote == '\0' || at[1] == '"' || at[1] == '\\');

        if (escapes && at[1] != '\0') {
            *(*to)++ = *++at;
        } else if (quote != '\0' ? *at == quote : *at == '\'' || *at == '"') {
            quote = (char)(quote != '\0' ? '\0' : *at);
        } else if (quote == '\0' && (is_blank(*at) || *at == end)) {
            break;
        } else {
            *(*to)++ = *at;
        }
    }
    *(*to)++ = '\0';
    return quote == '\0' ? at : NULL;
}

static const char *split(struct words *w, const char **line, char end)
{
    const char *at = *line;
    char *to = w->text;

    for (;;) {
        while (is_blank(*at)) {
            at++;
        }
        if (*at == end) {
            *line = at + (end != '\0');
            return NULL;
        }
        if (*at == '\0') {
            return "']' is missing";
        }
        w->v[w->n++] = to;
        at = take_word(at, end, &to);
        if (at == NULL) {
            return "a quote is not closed";
        }
    }
}

const char *words_split(struct words *w, const char **line, char end)
{
    size_t size = strlen(*line);
    const char *wrong = "no memory";

    /* Every word but the last has a blank after it. */
    *w = (struct words){.text = malloc(size + 1),
                        .v = calloc(size / 2 + 2, sizeof *w->v)};
    if (w->text != NULL && w->v != NULL) {
        wrong = split(w, line, end);
    }
    if (wrong != NULL) {
        words_free(w);
    }
    return wrong;
}

void words_free(struct words *w)
{
    free(w->text);
    free(w->v);
    *w = (struct words){NULL, NULL, 0};
}
