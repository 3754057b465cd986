/*
 * ready_rows.h - a row of ready fibers, one after the other, for models that
 * have a ready_push of their own. One include a program.
 */
#ifndef ROOST_MODEL_READY_ROWS_H
#define ROOST_MODEL_READY_ROWS_H

#include "worker.h"

void ready_push_row(struct worker *worker, const struct inject_row *row)
{
    struct inject_node *node = row->first;

    (void)worker;
    for (uint32_t n = row->n; n > 0; n--) {
        struct inject_node *next = node->next;

        ready_push(container_of(container_of(node, struct work_node, link),
                                struct fiber, node));
        node = next;
    }
}

#endif
