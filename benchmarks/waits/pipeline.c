/*
 * pipeline.c - a source, two stages that add one, a sink, with channels
 * between them, as the rivals have it. What a batch does is said in waits.h.
 */
#include "tally.h"

#include <errno.h>

struct stage {
    roost_chan *from, *to; /* NULL: the source; the sink */
    uint64_t sum;          /* sink */
};

static int source(const struct stage *me)
{
    int rc = 0;

    for (uint64_t item = 0; item < PIPE_ITEMS && rc == 0; item++) {
        rc = roost_chan_send(me->to, &item);
    }
    return rc;
}

static int stage_run(void *arg)
{
    struct stage *me = arg;
    uint64_t item;
    int rc = 0;

    if (me->from == NULL) {
        rc = source(me);
    }
    while (me->from != NULL && rc == 0) {
        rc = roost_chan_recv(me->from, &item);
        if (rc == 0 && me->to != NULL) {
            item++;
            rc = roost_chan_send(me->to, &item);
        } else if (rc == 0) {
            me->sum += item;
        }
    }
    if (me->to != NULL) {
        roost_chan_close(me->to);
    }
    return rc == -EPIPE ? 0 : rc;
}

static void pipeline(struct bench *b)
{
    struct tally t;

    while (bench_next(b)) {
        roost_chan *c[3];
        roost_scope s;
        int rc;

        for (int i = 0; i < 3; i++) {
            c[i] = roost_chan_new(sizeof(uint64_t), PIPE_ROOM);
        }
        struct stage stages[] = {
            {NULL, c[0], 0}, {c[0], c[1], 0}, {c[1], c[2], 0}, {c[2], NULL, 0}};

        tally_start(&t, b);
        roost_scope_open(&s, NULL);
        for (int i = 0; i < 4; i++) {
            roost_spawn(&s, stage_run, &stages[i]);
        }
        rc = roost_scope_close(&s, 0);
        tally_stop(&t, PIPE_ITEMS);
        tally_switches(&t, PIPE_ITEMS / PIPE_ROOM);
        for (int i = 0; i < 3; i++) {
            roost_chan_free(c[i]);
        }
        if (rc != 0 ||
            stages[3].sum != waits_sum(PIPE_ITEMS) + 2 * PIPE_ITEMS) {
            bench_fail(b, "status %d, or the sum is wrong", rc);
        }
    }
}
WAITS(pipeline, pipeline, .name = "pipeline")
