/*
 * running.h - the names of tasks that run just now. See running.c.
 */
#ifndef ROOST_OBSERVE_RUNNING_H
#define ROOST_OBSERVE_RUNNING_H

#include <stdbool.h>

struct carrier;
struct frame;

#define RUNNING_TEXT 256

/* *at: the frame of what runs, which another thread may change at any time.
 * text: its name, and of those in whose place it runs. False: nothing runs
 * there, or it cannot be told. Any thread, never waits. */
bool running_text(struct frame *const *at, char text[RUNNING_TEXT]);

/* Under the carriers' lock: has another thread the worker that c had? Then
 * c->frame is of the task that is in a blocking region on it, or NULL. */
bool running_in_region(const struct carrier *c);

#endif
