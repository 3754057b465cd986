/* strong.c - kills every mutant of toy.c that is not as good as the original.
 */
#include "toy.h"

static bool clamps(void)
{
    return clamp(5, 1, 9) == 5 && clamp(0, 1, 9) == 1 && clamp(10, 1, 9) == 9 &&
           clamp(1, 1, 9) == 1 && clamp(9, 1, 9) == 9;
}

static bool counts(void)
{
    static const int a[] = {2, 4, 1, 0, 7, -2, 21, 44, 9};
    static const int none[] = {42, 8}, one[] = {44, 42};
    unsigned seen = 3;

    return evens(a, 9, &seen) == 5 && seen == 4 && evens(a, 0, &seen) == 0 &&
           seen == 5 && evens(a, 1, &seen) == 1 && evens(a, 3, &seen) == 2 &&
           evens(none, 2, &seen) == 0 && evens(one, 2, &seen) == 1;
}

static bool knows(void)
{
    return known(3) && known(-5) && !known(5) && !known(0) && !known(4) &&
           !known(-6) && !known(1);
}

int main(void)
{
    return clamps() && counts() && knows() ? 0 : 1;
}
