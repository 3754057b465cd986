/*
 * search.h - the lines of one file that match.
 */
#ifndef TREEGREP_SEARCH_H
#define TREEGREP_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "input.h"
#include "options.h"
#include "pattern.h"
#include "pieces.h"

/* What a task needs to search a file; kept for other files after it. */
struct search {
    const struct options *options; /* I */
    const struct pattern *pattern; /* I */
    struct matcher *matcher;
    struct input input;
    char *buffer;
    size_t buffer_size;

    /* Of the file that is being searched. */
    const char *path;
    struct pieces pieces; /* found, and not handed over */
    int (*hand_over)(struct search *s, void *ctx); /* takes the pieces; 0 or
                                                      -ECANCELED */
    void *ctx;
    uint64_t matches; /* lines that matched, shown or not */
    uint64_t shown;   /* lines in the pieces, given or not */
    uint64_t number;  /* of the lines before counted_to */
    const char *counted_to;
    int64_t matches_before_nul; /* -1: no NUL was seen, it is text */
    bool not_text;              /* a matching line was no text in this locale */
    bool stop;                  /* nothing more of it is wanted */
    bool broken;                /* an error was added to the pieces */
};

/* NULL: no memory. */
struct search *search_new(const struct options *o, const struct pattern *p);
void search_free(struct search *s);
/* The same for a channel of struct search *. */
void search_drop(void *item);

/*
 * Searches the file opened in s->input, whose path is shown. What is found is
 * in s->pieces, or was taken from there by hand_over, which is called when
 * there is much of it and after each block.
 *   0, or -ECANCELED: the task is cancelled, what was found until then stands
 * Waits.
 */
int search_file(struct search *s, const char *path);

#endif
