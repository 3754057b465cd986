/*
 * list.h - the commands there are to run, as they were given.
 */
#ifndef PTEST_LIST_H
#define PTEST_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <roost/roost.h>

#include "words.h"

struct command {
    char *name;
    char **argv; /* ends in NULL; of `words` */
    char **env;  /* NAME=VALUE, env_count; of `words` */
    size_t env_count;
    const char *dir;    /* of `about`; NULL: as all */
    roost_ns timeout;   /* 0: none; negative: as all */
    bool serial;        /* nothing runs beside it */
    struct words words; /* its line */
    struct words about; /* what stood in brackets before it */
};

struct list {
    struct command *commands;
    size_t count;
    size_t room;
};

/* All of these: NULL, or what is wrong. */

/* One program, by its path, without arguments. */
const char *list_add_program(struct list *l, const char *path);
/* One line: [name=NAME dir=DIR timeout=TIME serial] NAME=VALUE... PROGRAM
 * ARGUMENT...; only the program has to be there. */
const char *list_add_line(struct list *l, const char *line);
/* A line each; empty ones and those that begin with # are passed over. *number
 * is the line's, 0 if it is none. */
const char *list_add_file(struct list *l, FILE *in, size_t *number);

void list_free(struct list *l);

#endif
