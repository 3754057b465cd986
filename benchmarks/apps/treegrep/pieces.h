/*
 * pieces.h - what the search of a file adds to the result, from the moment it
 * is found until it is printed: a list of pieces, each for one descriptor.
 */
#ifndef TREEGREP_PIECES_H
#define TREEGREP_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct piece {
    struct piece *next;
    size_t size;    /* bytes in it */
    size_t room;    /* bytes that fit */
    uint64_t lines; /* lines of the result that end in it */
    int fd;         /* STDOUT_FILENO or STDERR_FILENO */
    bool matched;   /* speaks of a match: exit status 0 */
    bool trouble;   /* speaks of an error: exit status 2 */
    char bytes[];
};

/* All zero is an empty list. */
struct pieces {
    struct piece *first;
    struct piece *last;
    size_t held;    /* memory of the pieces, */
    size_t paid;    /* and for how much of it there are permits: tasks.c */
    size_t untold;  /* errors for which there was no memory */
    bool line_each; /* a piece for every line: the list can be cut anywhere */
};

/*
 * Room for n more bytes of one line for fd, in the last piece or in a new one;
 * NULL: no memory, nothing has changed. What is written there becomes part of
 * the list by pieces_add.
 */
char *pieces_room(struct pieces *list, int fd, size_t n);
void pieces_add(struct pieces *list, size_t n);

/* Adds the line "treegrep: PATH: TEXT" for stderr. An error counts even if
 * there is no memory to show it. */
void pieces_error(struct pieces *list, const char *path, const char *text);
/* The same for what is no error: 'binary file matches'. -ENOMEM or 0. */
int pieces_notice(struct pieces *list, const char *path, const char *text);

/* Moves all of from to the end of to. */
void pieces_move(struct pieces *to, struct pieces *from);
/* Takes the first piece off, which the caller frees. NULL: there is none. */
struct piece *pieces_take(struct pieces *list);
void pieces_free(struct pieces *list);

/* An errno in words, good until the next call with the same buffer. */
#define ERROR_WORDS_SIZE 128
const char *error_words(int errnum, char words[ERROR_WORDS_SIZE]);

#endif
