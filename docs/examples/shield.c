/*
 * shield.c - what must not stop half-way: a transfer whose caller has run out
 * of time is finished all the same, and then the caller's time is still up. On
 * the virtual clock.
 */
#include <errno.h>
#include <roost/roost.h>
#include <stdio.h>

static int debit(void *arg)
{
    int rc = roost_sleep(20 * ROOST_MS);

    (void)arg;
    if (rc == 0) {
        printf("debited\n");
    }
    return rc;
}

static int credit(void *arg)
{
    int rc = roost_sleep(30 * ROOST_MS);

    (void)arg;
    if (rc == 0) {
        printf("credited\n");
    }
    return rc;
}

static int transfer(void *arg)
{
    int rc;

    (void)arg;
    /* A shield keeps cancels out, not its own deadline: so it cannot hang. */
    ROOST_SCOPE(s, rc, .flags = ROOST_SHIELD, .timeout = ROOST_S) {
        roost_spawn(s, debit, NULL);
        roost_spawn(s, credit, NULL);
    }
    if (rc < 0) {
        return rc;
    }
    rc = roost_checkpoint(); /* out of the shield: what came meanwhile */
    printf("then: %s\n", rc == -ECANCELED ? "cancelled" : "going on");
    return rc;
}

static int start(void *arg)
{
    int rc;

    (void)arg;
    ROOST_SCOPE(s, rc, .timeout = 10 * ROOST_MS) {
        roost_spawn(s, transfer, NULL);
    }
    printf("%s\n", rc == -ETIMEDOUT ? "out of time" : "in time");
    return rc == -ETIMEDOUT ? 0 : rc;
}

int main(void)
{
    roost_opts opts = {.clock = ROOST_CLOCK_VIRTUAL};

    return roost_run(start, NULL, &opts) < 0;
}
