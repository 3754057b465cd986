/*
 * listing.h - what is in a directory, in path order.
 */
#ifndef TREEGREP_LISTING_H
#define TREEGREP_LISTING_H

#include <stdbool.h>
#include <stddef.h>

enum kind { KIND_FILE, KIND_DIRECTORY };

/* How many of what there are. */
struct census {
    size_t files;       /* regular files among the entries */
    size_t directories; /* directories among them */
    size_t skipped;     /* links, devices, pipes, sockets: no entries */
};

struct entry {
    size_t name; /* where it begins in names */
    enum kind kind;
};

struct listing {
    char *prefix; /* what stands before each name: "", or ends in '/' */
    char *names;
    size_t names_size;
    size_t names_room;
    struct entry *entries;
    size_t count;
    size_t room;
    size_t next;   /* entries before it are in the walker's stream */
    bool operands; /* the command line: their kinds are not known */
    struct census census;
};

/* The paths of the command line, in their order. NULL: no memory. */
struct listing *listing_of_operands(char **paths, size_t n);

/*
 * Reads the directory at path and sorts it so that walking it deep first gives
 * the paths in the order of their bytes: a directory counts as if '/' stood
 * behind its name.
 *   0, and *out is written; a negative errno. With a listing AND a negative
 *   errno the directory could be read in part only.
 *   -ECANCELED: the task is cancelled
 * Never waits.
 */
int listing_read(struct listing **out, const char *path, bool command_line);
void listing_free(struct listing *l);

/* The path of entry i, to be freed. NULL: no memory. */
char *listing_path(const struct listing *l, size_t i);

#endif
