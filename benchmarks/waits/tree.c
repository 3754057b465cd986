/*
 * tree.c - skynet with channels: a task a node, which sends its sum up. What
 * a batch does is said in waits.h.
 */
#include "tally.h"

#include <errno.h>

enum { WIDTH = 10 };

struct node {
    roost_chan *up;
    uint64_t number; /* of its first leaf */
    uint64_t leaves;
};

static int node_run(void *arg);

/* An inner node: ten children, one channel that holds the sums of all. */
static int node_collect(const struct node *me, uint64_t *sum)
{
    struct node children[WIDTH];
    roost_chan *c = roost_chan_new(sizeof(uint64_t), WIDTH);
    roost_scope s;
    int rc = 0;

    if (c == NULL) {
        return -ENOMEM;
    }
    roost_scope_open(&s, NULL);
    for (uint64_t i = 0; i < WIDTH; i++) {
        uint64_t leaves = me->leaves / WIDTH;

        children[i] = (struct node){c, me->number + i * leaves, leaves};
        roost_spawn(&s, node_run, &children[i]);
    }
    *sum = 0;
    for (int i = 0; i < WIDTH && rc == 0; i++) {
        uint64_t item;

        rc = roost_chan_recv(c, &item);
        *sum += rc == 0 ? item : 0;
    }
    rc = roost_scope_close(&s, rc);
    roost_chan_free(c);
    return rc;
}

static int node_run(void *arg)
{
    const struct node *me = arg;
    uint64_t sum = me->number;
    int rc = me->leaves == 1 ? 0 : node_collect(me, &sum);

    return rc != 0 ? rc : roost_chan_send(me->up, &sum);
}

static void skynet(struct bench *b)
{
    struct tally t;

    while (bench_next(b)) {
        roost_chan *top = roost_chan_new(sizeof(uint64_t), 1);
        struct node root = {top, 0, LEAVES};
        uint64_t sum = 0;
        roost_scope s;
        int rc;

        tally_start(&t, b);
        roost_scope_open(&s, NULL);
        roost_spawn(&s, node_run, &root);
        rc = roost_chan_recv(top, &sum);
        rc = roost_scope_close(&s, rc);
        tally_stop(&t, LEAVES);
        tally_check(&t, t.did.run == LEAVES + LEAVES / 9, "tasks run",
                    t.did.run);
        roost_chan_free(top);
        if (rc != 0 || sum != waits_sum(LEAVES)) {
            bench_fail(b, "status %d, or the sum is wrong", rc);
        }
    }
}
WAITS(skynet, skynet, .name = "skynet")
