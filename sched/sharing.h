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
    enum { SHARING, LEAVING, RESTING } state; /* O: LEAVING: with its next round */
};

/* What it costs to go on with a fiber that another worker has left, ns. */
#define SHARING_LINES 700

/* w has lost so much to another worker, in ns. */
void sharing_lost(struct worker *w, int64_t ns);
/* A round of w, or a look of a searcher, where it does not share: to rest, and
 * give what is ready to the others; or is the rest over? */
void sharing_round(struct worker *w);
static inline bool sharing_rests(const struct sharing *s)
{
    return s->state == RESTING;
}

#endif
