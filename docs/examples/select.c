/*
 * select.c - one task that waits for several things at once: readings from two
 * channels, the time of the next report, and an event that ends it. On the
 * virtual clock.
 */
#include <errno.h>
#include <roost/roost.h>
#include <stdio.h>

struct sensor {
    roost_chan *readings;
    roost_ns period;
};

struct monitor {
    struct sensor inside, outside;
    roost_event stop;
};

static int measure(void *arg)
{
    const struct sensor *sensor = arg;
    int rc;

    for (int degrees = 20;; degrees++) {
        rc = roost_sleep(sensor->period);
        if (rc == 0) {
            rc = roost_chan_send(sensor->readings, &degrees);
        }
        if (rc < 0) {
            return rc; /* -ECANCELED: the monitor has ended */
        }
    }
}

static int monitor(struct monitor *m)
{
    roost_ns report = roost_in(65 * ROOST_MS);
    int degrees, inside = 0, outside = 0, rc;

    for (;;) {
        roost_case cases[] = {
            roost_on_recv(m->inside.readings, &degrees),
            roost_on_recv(m->outside.readings, &degrees),
            roost_on_time(report),
            roost_on_event(&m->stop),
        };

        rc = roost_select(cases, 4); /* exactly one of them happens */
        switch (rc) {
        case 0:
            inside++;
            break;
        case 1:
            outside++;
            break;
        case 2:
            printf("%d inside, %d outside\n", inside, outside);
            report += 65 * ROOST_MS;
            break;
        default: /* 3: stop; or negative: cancelled */
            printf("stopped: %d inside, %d outside\n", inside, outside);
            return rc;
        }
    }
}

static int stop_later(void *arg)
{
    struct monitor *m = arg;
    int rc = roost_sleep(215 * ROOST_MS);

    roost_event_set(&m->stop);
    return rc;
}

static int start(void *arg)
{
    struct monitor m = {
        .inside = {roost_chan_new(sizeof(int), 0), 20 * ROOST_MS},
        .outside = {roost_chan_new(sizeof(int), 0), 30 * ROOST_MS},
        .stop = ROOST_EVENT_INIT,
    };
    int rc = -ENOMEM;

    (void)arg;
    if (m.inside.readings != NULL && m.outside.readings != NULL) {
        ROOST_SCOPE(s, rc) {
            roost_spawn(s, measure, &m.inside);
            roost_spawn(s, measure, &m.outside);
            roost_spawn(s, stop_later, &m);
            roost_scope_fail(s, monitor(&m)); /* >= 0 is no failure */
            roost_scope_cancel(s, 0);         /* enough: the sensors too */
        }
    }
    roost_chan_free(m.inside.readings);
    roost_chan_free(m.outside.readings);
    return rc;
}

int main(void)
{
    roost_opts opts = {.clock = ROOST_CLOCK_VIRTUAL};

    return roost_run(start, NULL, &opts) < 0;
}
