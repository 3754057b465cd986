/*
 * refuse.h - system calls that are refused, or interrupted, at will: number
 * `from` of those of one kind, and with `sticky` all that follow. Each test has
 * wrappers of its own, which ask.
 */
#ifndef ROOST_REFUSE_H
#define ROOST_REFUSE_H

#include "fault/faults.h"

static struct {
    int call, from, sticky, error; /* call -1: nothing fails */
    int calls, failed;
} sys = {.call = -1};

static bool fails(int call)
{
    int n;

    if (test_get(&sys.call) != call) {
        return false;
    }
    n = test_add(&sys.calls, 1);
    if (n == sys.from || (sys.sticky && n > sys.from)) {
        test_add(&sys.failed, 1);
        errno = sys.error;
        return true;
    }
    return false;
}

static void sys_choose(int call, int from, bool sticky, int error)
{
    sys.from = from;
    sys.sticky = sticky;
    sys.error = error;
    test_set(&sys.calls, 0);
    test_set(&sys.failed, 0);
    test_set(&sys.call, call);
}

static bool sys_end(void)
{
    test_set(&sys.call, -1);
    return test_get(&sys.failed) > 0;
}

/* One run, with what was chosen; nothing else is refused, and what there was
 * before is there after. Returns whether all that it tried was granted. */
TEST_UNUSED static bool sys_once(bool (*once)(void *))
{
    struct fault_balance was = fault_balance_now();
    bool granted;

    fault_choose(FAULT_FD, 1 << 30, false);
    granted = once(NULL);
    (void)sys_end();
    fault_compare(was);
    return granted;
}

#endif
