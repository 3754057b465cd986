/*
 * chain.c - a thousand tasks in a row: each takes a number from its right, adds
 * one and hands it to its left. Then one that nobody answers, and a deadline.
 * On the virtual clock. The same with libdill: libdill/chain.c.
 */
#include <errno.h>
#include <roost/roost.h>
#include <stdio.h>

#define LINKS 1000

struct link {
    roost_chan *left, *right;
};

static int pass_on(void *arg)
{
    const struct link *link = arg;
    int number = 0;
    int rc = roost_chan_recv(link->right, &number);

    number++;
    return rc < 0 ? rc : roost_chan_send(link->left, &number);
}

static int run_chain(roost_chan **chans)
{
    int number = 0, rc;

    ROOST_SCOPE(s, rc) {
        for (int i = 0; i < LINKS; i++) {
            roost_go(s, pass_on, (struct link){chans[i], chans[i + 1]});
        }
        if (roost_chan_send(chans[LINKS], &number) == 0 &&
            roost_chan_recv(chans[0], &number) == 0) {
            printf("%d links\n", number);
        }
    }
    return rc;
}

/* Whoever waits at the end of the block is cancelled by its deadline. */
static int give_up(roost_chan **chans)
{
    int rc;

    ROOST_SCOPE(s, rc, .timeout = 10 * ROOST_MS) {
        roost_go(s, pass_on, (struct link){chans[0], chans[1]});
    }
    printf("%s\n", rc == -ETIMEDOUT ? "timed out" : "?");
    return rc == -ETIMEDOUT ? 0 : rc;
}

static int start(void *arg)
{
    static roost_chan *chans[LINKS + 1];
    int made = 0, rc = -ENOMEM;

    (void)arg;
    while (made <= LINKS &&
           (chans[made] = roost_chan_new(sizeof(int), 0)) != NULL) {
        made++;
    }
    if (made > LINKS) {
        rc = run_chain(chans);
    }
    if (rc == 0) {
        rc = give_up(chans);
    }
    while (made > 0) {
        roost_chan_free(chans[--made]);
    }
    return rc;
}

int main(void)
{
    roost_opts opts = {.clock = ROOST_CLOCK_VIRTUAL};

    return roost_run(start, NULL, &opts) < 0;
}
