/*
 * ticker.c - something every hour, tested in no time: on the virtual clock
 * time jumps ahead whenever every task waits.
 */
#include <roost/roost.h>
#include <stdio.h>

#define HOUR (3600 * ROOST_S)

static int start(void *arg)
{
    roost_ns begun = roost_now();
    roost_ticker ticker;
    int rc = roost_ticker_init(&ticker, HOUR, ROOST_TICK_SKIP);

    (void)arg;
    for (int i = 0; i < 3 && rc >= 0; i++) {
        rc = roost_tick(&ticker); /* how many ticks this one stands for */
        printf("hour %d: %d\n", (int)((roost_now() - begun) / HOUR), rc);
    }
    if (rc >= 0) {
        rc = roost_sleep(2 * HOUR + HOUR / 2); /* too late for two of them */
    }
    if (rc >= 0) {
        rc = roost_tick(&ticker);
        printf("hour %d: %d\n", (int)((roost_now() - begun) / HOUR), rc);
    }
    return rc;
}

int main(void)
{
    roost_opts opts = {.clock = ROOST_CLOCK_VIRTUAL};

    return roost_run(start, NULL, &opts) < 0;
}
