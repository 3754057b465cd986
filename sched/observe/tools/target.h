/*
 * target.h - a process, or the core of one, seen from outside: its memory, its
 * modules, and where the library in it says that things stand. See target.c.
 */
#ifndef ROOST_TARGET_H
#define ROOST_TARGET_H

#include "observe/layout.h"
#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define TARGET_VIEWS 4 /* copies of the library in one process */

/* What layout_table of one copy says. */
struct view {
    uint64_t runtimes; /* the address of the list's head */
    uint64_t resume;   /* of switch_to's instruction; 0: unknown */
    uint64_t value[LAYOUT_ITEMS];
};

struct segment {
    uint64_t address, size;
    off_t offset; /* in the core */
};

struct stopped {
    pid_t tid;
    int signal; /* that it was about to get */
};

struct target {
    pid_t pid;  /* 0: a core */
    int memory; /* the process's, or the core itself */
    Elf *core;
    Dwfl *dwfl;               /* its threads */
    Dwfl *fibers;             /* the same modules: stack.c */
    struct segment *segments; /* of the core */
    size_t segment_count;
    struct stopped *stopped; /* its threads, while it is */
    size_t stopped_count;
    struct view views[TARGET_VIEWS];
    unsigned view_count;
    bool unknown; /* a library that has another layout was found */
};

/* what: a number, then it is a process, or the name of a core file. False, and
 * a line on stderr: there is none, it may not be looked at, it has no roost. */
bool target_open(struct target *t, const char *what);
void target_close(struct target *t);
/* A process stands still from here to target_close. False: it cannot be. */
bool target_stop(struct target *t);

bool target_read(struct target *t, uint64_t address, void *to, size_t size);
/* What cannot be read is 0, or empty. */
uint64_t target_word(struct target *t, uint64_t address);
uint32_t target_half(struct target *t, uint64_t address);
void target_string(struct target *t, uint64_t address, char *to, size_t size);

#endif
