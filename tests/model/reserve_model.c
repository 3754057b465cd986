/*
 * reserve_model.c - the real sched/error.c: groups of failures from the
 * reserve, when there is no memory.
 *
 * Would catch: one group given to two; one that is used again before its last
 * user was done with it (RV1), or never again.
 */
// MODEL-SOURCES: sched/error.c
#define MODEL_RUNS 4000
#include "base/alloc.h"
#include "error.h"
#include "model.h"

/* There is no memory. */
void *alloc_bytes(size_t size)
{
    (void)size;
    return NULL;
}

/* What was taken is free again: the next two are the first ones. */
static void all_free(void)
{
    roost_errors *first = errors_new("first");
    roost_errors *second = errors_new("second");

    MODEL_CHECK(first != NULL && second != NULL && second > first);
    roost_errors_free(first);
    roost_errors_free(second);
}

static void uses_one(void)
{
    roost_errors *mine = errors_new("scope");

    MODEL_CHECK(mine != NULL);
    roost_errors_free(mine);
}

static void uses_two(void)
{
    roost_errors *first = errors_new("one");
    roost_errors *second = errors_new("two");

    MODEL_CHECK(first != NULL && second != NULL && first != second);
    roost_errors_free(first);
    roost_errors_free(second);
}

MODEL(reserve_of_two, .threads = {uses_one, uses_two}, .check = all_free,
      .preemptions = 3, .flags = MODEL_ONE_FORM);
MODEL(reserve_of_three, .threads = {uses_one, uses_one, uses_two},
      .check = all_free, .flags = MODEL_ONE_FORM);
