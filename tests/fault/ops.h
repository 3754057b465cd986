/*
 * ops.h - operations that are tried in a run of their own with each call that
 * they need refused in turn.
 */
#ifndef ROOST_FAULT_OPS_H
#define ROOST_FAULT_OPS_H

#include "fault/faults.h"

/* Each operation runs as the main task of a run of its own, so that what the
 * runtime keeps for later (stacks, rings) is given back too. */
struct op {
    bool (*body)(void);
    bool granted;
};

static int op_task(void *arg)
{
    struct op *op = arg;

    op->granted = op->body();
    fault_end();
    return 0;
}

static bool run_op(void *body)
{
    roost_opts opts = {.workers = 1, .stack_size = 192 * 1024};
    struct op op = {*(bool (**)(void))body, false};

    CHECK_EQ(roost_run(op_task, &op, &opts), 0);
    return op.granted;
}

static void under_faults(bool (*body)(void), bool optional, int least)
{
    struct fault_loop loop = {run_op, &body, optional, 300};

    run_op(&body);
    CHECK(fault_loop(&loop) >= least);
}

#endif
