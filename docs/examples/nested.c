/*
 * nested.c - deadlines inside a deadline, told apart: a source that is too slow
 * is left out, a page that is too slow is given up. On the virtual clock, which
 * jumps ahead when every task waits.
 */
#include <errno.h>
#include <roost/roost.h>
#include <stdio.h>

static const roost_ns latencies[] = {
    100 * ROOST_MS, 500 * ROOST_MS, 200 * ROOST_MS,
    250 * ROOST_MS, 250 * ROOST_MS,
};

/* 0; -ETIMEDOUT: this source had its 300 ms; -ECANCELED: a scope around this
 * one is cancelled, which is not ours to judge. */
static int ask(roost_ns latency)
{
    int rc;

    ROOST_SCOPE(s, rc, .timeout = 300 * ROOST_MS) {
        roost_sleep(latency); /* if it is cut short, the scope says so */
    }
    return rc;
}

static int page(roost_ns begun)
{
    int rc;

    ROOST_SCOPE(s, rc, .timeout = ROOST_S) {
        for (int i = 0; i < 5; i++) {
            int one = ask(latencies[i]);

            if (one < 0 && one != -ETIMEDOUT) {
                roost_scope_fail(s, one); /* nothing, if s was cancelled */
                break;
            }
            printf("source %d %s after %d ms\n", i,
                   one == -ETIMEDOUT ? "was too slow" : "has answered",
                   (int)((roost_now() - begun) / ROOST_MS));
        }
    }
    return rc;
}

static int start(void *arg)
{
    roost_ns begun = roost_now();
    int rc = page(begun);

    (void)arg;
    printf("the page %s after %d ms\n",
           rc == -ETIMEDOUT ? "was too slow" : "is there",
           (int)((roost_now() - begun) / ROOST_MS));
    return rc == -ETIMEDOUT ? 0 : rc;
}

int main(void)
{
    roost_opts opts = {.clock = ROOST_CLOCK_VIRTUAL};

    return roost_run(start, NULL, &opts) < 0;
}
