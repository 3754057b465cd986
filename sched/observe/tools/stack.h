/*
 * stack.h - backtraces in a target. See stack.c.
 */
#ifndef ROOST_TARGET_STACK_H
#define ROOST_TARGET_STACK_H

#include "observe/tools/target.h"

struct trail {
    int indent;
    bool whole; /* the library's own frames as well */
};

/* Of a fiber that is left, as view says. Prints a line a frame. */
void stack_of_fiber(struct target *t, const struct view *view, uint64_t fiber,
                    struct trail trail);
/* Of the thread that is on a stack between low and top. False: none is. */
bool stack_of_thread(struct target *t, uint64_t low, uint64_t top,
                     struct trail trail);

#endif
