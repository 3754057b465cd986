/* progress.h - the bar on the terminal. */
#ifndef TREEGREP_PROGRESS_H
#define TREEGREP_PROGRESS_H

/* A task: draws how far the search of a struct walk is, until it is cancelled;
 * then wipes it away. 0. Waits. */
int progress_run(void *walk);

#endif
