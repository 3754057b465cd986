/*
 * fork.c - the longest path down a tree of hills: a parallel call a node, for
 * work that is too small for a scope. The tree is cut short by a deadline that
 * it does not need.
 */
#include <errno.h>
#include <roost/hot.h>
#include <roost/roost.h>
#include <stdio.h>

struct hill {
    unsigned depth, seed;
    unsigned longest; /* out */
};

static int walk(void *arg)
{
    struct hill *h = arg;
    struct hill left = {h->depth - 1, h->seed * 2 + 1, 0};
    struct hill right = {h->depth - 1, h->seed * 3 + 2, 0};
    roost_hot call;
    int rc;

    if (h->depth == 0) {
        h->longest = h->seed % 1000;
        return 0;
    }
    if (h->depth == 10 && roost_cancelled()) {
        return -ECANCELED;
    }
    roost_hot_fork(&call, walk, &left); /* whoever has nothing to do, may */
    rc = walk(&right);
    if (roost_hot_join(&call, walk, &left) < 0 || rc < 0) {
        return -ECANCELED;
    }
    h->longest = left.longest > right.longest ? left.longest : right.longest;
    return 0;
}

static int hills(void *arg)
{
    struct hill top = {18, 1, 0};
    roost_scope s;
    int rc;

    (void)arg;
    roost_scope_open(&s, &(roost_scope_opts){.timeout = 20 * ROOST_S});
    rc = roost_scope_close(&s, walk(&top));
    printf("the longest path: %u\n", top.longest);
    return rc;
}

int main(void)
{
    return roost_run(hills, NULL, NULL) < 0;
}
