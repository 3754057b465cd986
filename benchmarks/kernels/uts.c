/* uts.c - the unbalanced tree on roost: a scope a node that has children. */
#include "roost_kernels.h"

static int uts_task(void *arg)
{
    struct uts *node = arg;
    struct uts child[UTS_WIDTH];
    unsigned children = uts_children(node);
    roost_scope s;

    node->nodes = 1;
    if (children == 0) {
        return 0;
    }
    roost_scope_open(&s, NULL);
    for (unsigned i = 0; i < children; i++) {
        child[i] = uts_child(node, i);
        roost_spawn(&s, uts_task, &child[i]);
    }
    roost_scope_close(&s, 0);
    for (unsigned i = 0; i < children; i++) {
        node->nodes += child[i].nodes;
    }
    return 0;
}

uint64_t kernel_uts(void)
{
    struct uts root = uts_root();

    uts_task(&root);
    return root.nodes;
}
