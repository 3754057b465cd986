/*
 * boundary.c - what happens to an exception that leaves a task's function. The
 * mechanism is told in boundary.h.
 */
#include "boundary.h"

#include "runtime.h"

/* Of the unwinder's interface (Itanium C++ ABI, level I), as far as needed. */
enum { FORCED = 8, CONTINUE = 8 };

int boundary_personality(int version, int actions, uint64_t kind, void *thrown,
                         void *context);

_Noreturn void boundary_crossed(void)
{
    misuse("task", NULL, "an exception (or pthread_exit) left its function");
}

/* Of the first frame of every fiber and of those that call a task's function:
 * the search for a handler has come to where it must not go on. Forced
 * unwinding, as pthread_exit does it, goes on (carrier.c meets it). */
int boundary_personality(int version, int actions, uint64_t kind, void *thrown,
                         void *context)
{
    (void)version;
    (void)kind;
    (void)thrown;
    (void)context;
    if (actions & FORCED) {
        return CONTINUE;
    }
    boundary_crossed();
}
