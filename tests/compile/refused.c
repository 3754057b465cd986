/*
 * refused.c - what typed.h must not let through: STATEMENT with the right ITEM
 * compiles without a warning; with the wrong one it must be an error, although
 * all warnings are off. See CMakeLists.txt for the cases. Would catch a typed
 * channel that takes other items, or that only warns of them.
 */
#include <roost/typed.h>

struct job {
    int id;
};
struct twin { /* alike, but another type */
    int id;
};

typedef ROOST_CHAN_OF(struct job) job_chan;
typedef ROOST_CHAN_OF(struct twin) twin_chan;
typedef ROOST_CHAN_OF(int) int_chan;
typedef ROOST_CHAN_OF(int *) pointer_chan;

void take(job_chan c);
int try_it(job_chan jobs, twin_chan twins, int_chan ints, pointer_chan p);

int try_it(job_chan jobs, twin_chan twins, int_chan ints, pointer_chan pointers)
{
    struct job job = {0};
    struct twin twin = {0};
    int one = 0, *pointer = &one, rc = 0;
    const int some[2] = {1, 2};
    unsigned natural = 0;
    long many[2] = {0}, *wide = many;
    void *anything = &job;
    roost_case made = roost_on_time(0);

#line 1 "statement" /* what an error in it will name */
    STATEMENT;
    return rc + one + *pointer + some[0] + (int)natural + (int)*wide + twin.id +
           (anything == &job) + (jobs.chan == ints.chan) + made.status +
           (twins.chan == pointers.chan);
}
