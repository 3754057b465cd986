/*
 * toy.c - a few lines with every kind of place in them. 1 + 1 and a < b here
 * are none, nor is what a macro says.
 */
#include "toy.h"
#include <stddef.h>

#define TWICE(x) ((x) + (x)) /* 2 * (x) */

int clamp(int x, int low, int high)
{
    if (x < low) {
        return low;
    }
    return x > high ? high : x;
}

unsigned evens(const int *a, unsigned n, unsigned *seen)
{
    unsigned found = 0;

    for (unsigned i = 0; i < n; i++) {
        if (a[i] == 8) {
            continue; /* for no reason */
        }
        if (a[i] % 2 == 0 && a[i] != TWICE(21)) {
            found += 1;
        }
    }
    (*seen)++;
    return found;
}

bool known(int x)
{
    return x == 3 || x == -5;
}
