/* tasks.h - what the task of a place does: search a file, read a directory. */
#ifndef TREEGREP_TASKS_H
#define TREEGREP_TASKS_H

/* Searches a place's file, ends the place, and gives a permit of w->started
 * back. 0. Waits. */
int search_place(void *place);

/* Reads a place's directory, and ends the place. 0. Waits. */
int read_place(void *place);

#endif
