/*
 * gate.c - see gate.h.
 *
 * INVARIANT  waiting counts those between the two sections of gate_enter, so
 *            never more than queue wait for a place.
 */
#include "gate.h"

#include <errno.h>

int gate_init(struct gate *g, unsigned running, unsigned queue)
{
    *g = (struct gate){.running = running, .queue = queue};
    (void)roost_mutex_init(&g->lock);
    return roost_sem_init(&g->places, running, running);
}

void gate_destroy(struct gate *g)
{
    roost_sem_destroy(&g->places);
    roost_mutex_destroy(&g->lock);
}

/* Would it be cut before its end? It waits for its turn, and then takes as long
 * as others do. With nobody waiting it is let in: so the mean is never that of
 * long ago. */
static bool is_shed(const struct gate *g, roost_ns deadline)
{
    roost_ns turn = g->mean / g->running * (g->waiting + 1);

    return g->waiting >= g->queue ||
           (g->waiting > 0 && roost_in(turn + g->mean) > deadline);
}

int gate_enter(struct gate *g)
{
    bool shed;
    int rc = roost_sem_try_acquire(&g->places, 1);

    if (rc != -EAGAIN) {
        return rc;
    }
    (void)roost_mutex_lock(&g->lock);
    shed = is_shed(g, roost_scope_deadline(roost_scope_current()));
    g->waiting += !shed;
    (void)roost_mutex_unlock(&g->lock);
    if (shed) {
        return -EAGAIN;
    }
    rc = roost_sem_acquire(&g->places, 1);
    (void)roost_mutex_lock(&g->lock);
    g->waiting--;
    (void)roost_mutex_unlock(&g->lock);
    return rc;
}

/* One that was cut would have taken longer: it may raise the mean alone. Else
 * those that are cut early would let in more that are. */
void gate_leave(struct gate *g, roost_ns took, bool whole)
{
    (void)roost_sem_release(&g->places, 1);
    (void)roost_mutex_lock(&g->lock);
    if (whole || took > g->mean) {
        g->mean += (took - g->mean) / 8;
    }
    (void)roost_mutex_unlock(&g->lock);
}

void gate_print(struct gate *g, FILE *out)
{
    unsigned waiting;
    roost_ns mean;

    (void)roost_mutex_lock(&g->lock);
    waiting = g->waiting;
    mean = g->mean;
    (void)roost_mutex_unlock(&g->lock);
    fprintf(out,
            "# TYPE httpd_requests_waiting gauge\nhttpd_requests_waiting %u\n"
            "# TYPE httpd_heavy_seconds gauge\nhttpd_heavy_seconds %.9f\n",
            waiting, (double)mean / (double)ROOST_S);
}
