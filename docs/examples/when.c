/*
 * when.c - a hundred thousand reminders: each is a task that waits for its time
 * before it starts, and until then is some 230 bytes without a stack.
 */
#include <errno.h>
#include <roost/roost.h>
#include <stdatomic.h>
#include <stdio.h>

enum { REMINDERS = 100000 };

static atomic_int in_time, cancelled;

static int remind(void *arg)
{
    (void)arg;
    if (roost_when_status() == 0) { /* its time has come */
        in_time++;
    } else { /* -ECANCELED: it runs all the same, once, and may clean up */
        cancelled++;
    }
    return 0;
}

static int thank(void *arg)
{
    printf("got %d\n", *(int *)arg); /* it is there: no receive is needed */
    return 0;
}

static int start(void *arg)
{
    roost_chan *chan = roost_chan_new(sizeof(int), 0);
    int sent = 42, got = 0, rc = 0;

    (void)arg;
    if (chan == NULL) {
        return -ENOMEM;
    }
    ROOST_SCOPE(s, rc, .timeout = 2 * ROOST_S) {
        roost_ns now = roost_now();

        roost_spawn_when(s, roost_on_recv(chan, &got), thank, &got);
        for (int i = 0; rc == 0 && i < REMINDERS; i++) {
            rc = roost_spawn_when(s, roost_on_time(now + i * 40 * ROOST_US),
                                  remind, NULL);
        }
        roost_chan_send(chan, &sent);
    }
    printf("%d came in time, %d were cancelled\n", in_time, cancelled);
    roost_chan_free(chan);
    return rc == -ETIMEDOUT ? 0 : rc;
}

int main(void)
{
    roost_opts opts = {.clock = ROOST_CLOCK_VIRTUAL};

    return roost_run(start, NULL, &opts) < 0;
}
