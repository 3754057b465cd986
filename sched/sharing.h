/*
 * sharing.h - whether two workers are better than one. See sharing.c.
 */
#ifndef ROOST_SHARING_H
#define ROOST_SHARING_H

#include <stdbool.h>
#include <stdint.h>

struct worker;

/* What this worker loses to the others, and its rests from them. */
struct sharing {
    int64_t since;     /* O: when the count of what is lost began */
    int64_t lost;      /* O: ns, since then */
    int64_t until;     /* O: till when it rests, or did */
    int64_t rest;      /* O: how long */
    int64_t looked;    /* O: in a rest: when it last looked at the others */
    uint64_t switched; /* O: and how often they had switched by then */
    int64_t stole;     /* O: when it took ready fibers from another; 0: not */
    unsigned poor;     /* O: how often in a row that was not worth it */
    enum {
        SHARING,
        LEAVING, /* to rest, with its next round */
        RESTING
    } state; /* O */
};

/* What it costs to go on with a fiber that another worker has left, ns. */
#define SHARING_LINES 700

/* w has lost so much to another worker, in ns. */
void sharing_lost(struct worker *w, int64_t ns);
/* w has taken ready fibers from another worker. */
void sharing_stole(struct worker *w);
/* w has nothing to do. */
void sharing_idle(struct worker *w);
/* A round of w, or a look of a searcher, where it does not share: to rest, and
 * give what is ready to the others; or is the rest over? */
void sharing_round(struct worker *w);
static inline bool sharing_rests(const struct sharing *s)
{
    return s->state == RESTING;
}

#endif
