/*
 * select_fd.c - a descriptor as a case of select. See sched/fd.c.
 */
#include "select.h"
#include <errno.h>

static int fd_of(const roost_case *c)
{
    return (int)(uint32_t)(c->number_ >> 32);
}

static unsigned events_of(const roost_case *c)
{
    return (unsigned)c->number_;
}

static void case_lock(void *f)
{
    fd_case_lock(f);
}

static void case_unlock(void *f)
{
    fd_case_unlock(f);
}

static bool case_ready(const roost_case *c)
{
    return fd_case_look(c->object_, fd_of(c), events_of(c)) != 0;
}

static bool case_attempt(roost_case *c, struct wakes *k)
{
    int status = fd_case_look(c->object_, fd_of(c), events_of(c));

    (void)k;
    if (status != 0) {
        c->status = status;
    }
    return status != 0;
}

static void case_enter(const roost_case *c, struct clause *clause)
{
    fd_case_enter(c->object_, clause, fd_of(c), events_of(c));
}

static void case_leave(const roost_case *c, struct clause *clause,
                       struct wakes *k)
{
    (void)k;
    fd_case_leave(c->object_, clause, fd_of(c));
}

static int case_outcome(const roost_case *c, uint32_t how)
{
    return fd_case_outcome(fd_of(c), events_of(c), how);
}

const struct select_ops select_fd = {
    case_lock,  case_unlock, case_ready,   case_attempt,
    case_enter, case_leave,  case_outcome,
};

roost_case roost_on_fd(int fd, unsigned events)
{
    const unsigned all = ROOST_READABLE | ROOST_WRITABLE;

    if (events == 0 || (events & ~all) != 0) {
        return select_case(SELECT_INVALID, NULL, NULL, 0);
    }
    return select_case(SELECT_FD, fd_case(fd), NULL,
                       (uint64_t)(uint32_t)fd << 32 | events);
}
