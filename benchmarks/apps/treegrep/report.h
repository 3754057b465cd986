/* report.h - what was searched and what was not, on stderr. */
#ifndef TREEGREP_REPORT_H
#define TREEGREP_REPORT_H

#include "walk.h"

/* Prints what has to be said after a search: nothing if all went well and
 * --stats was not given. The program's exit status. Who: the main thread. */
int report(struct walk *w);

#endif
