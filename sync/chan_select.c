/*
 * chan_select.c - a channel's ends as cases of select.
 */
#include "chan.h"
#include "select.h"
#include <errno.h>

static void case_lock(void *c)
{
    lock_acquire(&((roost_chan *)c)->lock);
}

static void case_unlock(void *c)
{
    chan_unlock(c);
}

static bool recv_ready(const roost_case *c)
{
    return chan_may_take(c->object_);
}

static bool recv_attempt(roost_case *c, struct wakes *k)
{
    c->status = chan_take(c->object_, c->item_, k);
    return c->status != -EAGAIN;
}

static void recv_enter(const roost_case *c, struct clause *clause)
{
    clause->data = c->item_;
    queue_push(&((roost_chan *)c->object_)->receivers, clause);
}

static bool send_ready(const roost_case *c)
{
    return chan_may_put(c->object_);
}

static bool send_attempt(roost_case *c, struct wakes *k)
{
    c->status = chan_put(c->object_, c->item_, k);
    return c->status != -EAGAIN;
}

static void send_enter(const roost_case *c, struct clause *clause)
{
    clause->data = c->item_;
    queue_push(&((roost_chan *)c->object_)->senders, clause);
}

static void case_leave(const roost_case *c, struct clause *clause,
                       struct wakes *k)
{
    (void)c;
    (void)k;
    queue_leave(clause); /* recheck: R49 */
}

const struct select_ops select_recv = {
    case_lock,  case_unlock, recv_ready, recv_attempt,
    recv_enter, case_leave,  NULL,
};

const struct select_ops select_send = {
    case_lock,  case_unlock, send_ready, send_attempt,
    send_enter, case_leave,  NULL,
};

roost_case roost_on_recv(roost_chan *c, void *item)
{
    return select_case(chan_bad(c, item) ? SELECT_INVALID : SELECT_RECV, c,
                       item, 0);
}

roost_case roost_on_send(roost_chan *c, const void *item)
{
    return select_case(chan_bad(c, item) ? SELECT_INVALID : SELECT_SEND, c,
                       (void *)(uintptr_t)item, 0);
}
