/*
 * cancel.c - stopping what runs: a scope cancelled by its opener, and one that
 * a failing child cancels. Who computes looks now and then whether it is to go
 * on; who waits is woken.
 */
#include <errno.h>
#include <roost/roost.h>
#include <stdio.h>

/* Computes for ever: roost_checkpoint lets others run and says when to stop.
 * (roost_cancelled() only looks; it costs about a nanosecond.) */
static int compute(void *arg)
{
    unsigned long *rounds = arg;
    int rc;

    do {
        (*rounds)++;
        rc = roost_checkpoint();
    } while (rc == 0);
    return rc;
}

static int wait_for_ever(void *arg)
{
    (void)arg;
    return roost_sleep_until(ROOST_NEVER);
}

static int fail(void *arg)
{
    (void)arg;
    return -EIO;
}

static int start(void *arg)
{
    unsigned long rounds = 0;
    roost_task_opts named = {.name = "unlucky"};
    roost_reason why;
    int rc;

    (void)arg;
    ROOST_SCOPE(s, rc) {
        roost_spawn(s, compute, &rounds);
        roost_spawn(s, wait_for_ever, NULL);
        roost_sleep(10 * ROOST_MS);
        /* >= 0: 'enough'. A negative status would be the scope's failure. */
        roost_scope_cancel(s, 0);
    }
    printf("enough: %d, it computed: %s\n", rc, rounds > 0 ? "yes" : "no");

    ROOST_SCOPE(s, rc) {
        roost_spawn(s, wait_for_ever, NULL);
        roost_spawn_opts(s, fail, NULL, &named);
    }
    printf("failed: %s\n", rc == -EIO ? "EIO" : "?");
    if (roost_scope_reason(NULL, &why) == 0) {
        printf("because of a child: %s, named %s\n",
               why.kind == ROOST_REASON_CHILD ? "yes" : "no", why.task);
    }
    return 0;
}

int main(void)
{
    return roost_run(start, NULL, NULL) < 0;
}
