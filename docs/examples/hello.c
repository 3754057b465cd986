/*
 * hello.c - two tasks at once, and a scope that waits for both.
 *
 *     cc hello.c $(pkg-config --cflags --libs roost)
 */
#include <roost/roost.h>
#include <stdio.h>

struct half {
    int from, to;
    long sum;
};

/* A task is a function: >= 0 is success, a negative errno a failure. */
static int add_up(void *arg)
{
    struct half *h = arg;

    for (int i = h->from; i < h->to; i++) {
        h->sum += i;
    }
    return 0;
}

static int start(void *arg)
{
    struct half low = {.from = 0, .to = 500};
    struct half high = {.from = 500, .to = 1001};
    int rc;

    (void)arg;
    ROOST_SCOPE(s, rc) {
        roost_spawn(s, add_up, &low);
        roost_spawn(s, add_up, &high);
    }
    /* Both have ended here, always: so they may use this function's variables
     * and what they wrote can be read. */
    printf("hello: 0 + 1 + ... + 1000 = %ld\n", low.sum + high.sum);
    return rc;
}

int main(void)
{
    return roost_run(start, NULL, NULL) < 0;
}
