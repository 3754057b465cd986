/*
 * select_task.c - the end of a task as a case of select.
 */
#include "select.h"
#include <roost/task.h>

static bool case_ready(const roost_case *c)
{
    int status;

    return task_over(c->object_, &status);
}

static bool case_attempt(roost_case *c, struct wakes *k)
{
    (void)k;
    return task_over(c->object_, &c->status);
}

static void case_leave(const roost_case *c, struct clause *clause,
                       struct wakes *k)
{
    (void)c;
    (void)k;
    queue_leave(clause);
}

static void case_enter(const roost_case *c, struct clause *clause)
{
    task_await(c->object_, clause);
}

static int case_outcome(const roost_case *c, uint32_t how)
{
    int status = 0;

    (void)how;
    task_lock(c->object_);
    (void)task_over(c->object_, &status);
    task_unlock(c->object_);
    return status;
}

static void case_lock(void *t)
{
    task_lock(t);
}

static void case_unlock(void *t)
{
    task_unlock(t);
}

const struct select_ops select_task = {
    case_lock,  case_unlock, case_ready,   case_attempt,
    case_enter, case_leave,  case_outcome,
};

roost_case roost_on_task(roost_task *t)
{
    return select_case(
        t == NULL || !task_valid(t) ? SELECT_INVALID : SELECT_TASK, t, NULL, 0);
}
