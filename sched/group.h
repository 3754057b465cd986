/*
 * group.h - a scope that no task has opened, as the library sees it.
 */
#ifndef ROOST_GROUP_H
#define ROOST_GROUP_H

#include "runtime.h"
#include <roost/run.h>

struct roost_group {
    struct scope scope;
    struct runtime *rt;    /* I */
    struct list joiners;   /* L(scope): struct clause, wait for no child */
    struct waiter *closer; /* O: who frees it, while it waits for pins */
};

/* Under the runtime's root. 0, -EINVAL, -ENOMEM. */
int group_init(roost_group *g, struct runtime *rt,
               const roost_scope_opts *opts);
/* Under another scope, in the list of a linked frame that stands in it and
 * waits until the group has ended. */
int group_init_in(roost_group *g, struct runtime *rt, struct scope *outer,
                  struct frame *frame, const roost_scope_opts *opts);
/* Count a child, that desc_spawn_counted is to spawn. 0, or -ESHUTDOWN: it is
 * not counted. */
int group_enter(roost_group *g);
/* Spawn a descriptor into it. On failure d stays the caller's. */
int group_submit(roost_group *g, struct task_desc *d);
/* Until no child is left; deaf: no cancellation point. */
int group_wait(roost_group *g, roost_ns deadline, bool deaf);
/* Wait for everything and take it apart; the scope's status. */
int group_end(roost_group *g);

#endif
