/* toy.h - what selftest.py mutates, and tests to kill its mutants. */
#ifndef TOY_H
#define TOY_H

#include <stdbool.h>

#define TOY_LIMIT 100

/* x, or the nearest of low and high. */
int clamp(int x, int low, int high);
/* How many of n are even; *seen counts the calls. */
unsigned evens(const int *a, unsigned n, unsigned *seen);
/* Is it in the table? */
bool known(int x);

#endif
