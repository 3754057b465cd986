/* skynet.c - skynet on roost, by results: a scope of ten tasks a node. */
#include "roost_kernels.h"

static int skynet_task(void *arg)
{
    struct skynet *node = arg;
    struct skynet child[SKYNET_WIDTH];
    uint64_t sum = 0;
    roost_scope s;

    if (node->leaves == 1) {
        return 0;
    }
    roost_scope_open(&s, NULL);
    for (unsigned i = 0; i < SKYNET_WIDTH; i++) {
        child[i] = skynet_child(node, i);
        roost_spawn(&s, skynet_task, &child[i]);
    }
    roost_scope_close(&s, 0);
    for (unsigned i = 0; i < SKYNET_WIDTH; i++) {
        sum += child[i].number;
    }
    node->number = sum;
    return 0;
}

uint64_t kernel_skynet(void)
{
    struct skynet root = skynet_root();

    skynet_task(&root);
    return root.number;
}
