/*
 * guest.h - a runtime whose worker 0 is carried by a host's thread, whenever
 * that has time. See guest.c; what the loop of a worker asks: worker.h.
 */
#ifndef ROOST_GUEST_INTERNAL_H
#define ROOST_GUEST_INTERNAL_H

#include "base/hostset.h"
#include "carrier.h"
#include <roost/run.h>
#include <signal.h>

struct park;
struct parker;
struct runtime;
struct waiter;

/* O: of the host's thread. */
struct guest {
    struct carrier carrier; /* the host's thread, of worker 0 */
    struct hostset host;    /* I: what it watches */
    bool alone;             /* I: there is no other worker */
    a32 away;               /* S host: it carries nobody now: stall.c */
    int64_t owed;           /* times that the bell was, or will be, rung */
    int64_t armed;          /* what the timer is set to, or INT64_MAX */
    int64_t until;          /* when the budget of this turn is used up */
    bool fresh;             /* nothing was taken in this turn */
    bool more;              /* it was, before all was done */
    int32_t turns;          /* until worker 0 looks round */
    uint32_t in_place;      /* until a closer does */
    int64_t placed;         /* and when one did last */
    stack_t signal_stack;   /* I: what the host had before */
};

/* --- runtime.c --- */
enum runtime_kind {
    RUNTIME_RUN,   /* roost_run: with a group for its function */
    RUNTIME_START, /* roost_start */
    RUNTIME_GUEST, /* roost_guest_start */
};
int runtime_start(struct runtime **out, const roost_opts *opts,
                  enum runtime_kind kind);

/* --- guest.c --- */
/* For the calling thread. 0, or as of roost_guest_start. */
int guest_new(struct runtime *rt);
void guest_free(struct runtime *rt);
/* Worker 0 is the calling thread's from here on, and until it has left its
 * loop: rt->stopping is set. */
void guest_attach(struct runtime *rt);
void guest_detach(struct runtime *rt);
/* Is the calling thread the host of rt? */
bool guest_here(const struct runtime *rt);
/* For as long as the thread would wait otherwise: carry on until then. */
void guest_drive(struct runtime *rt, int64_t until);
/* Does the host carry nobody just now? */
bool guest_away(const struct runtime *rt);
/* Is it the runtime of a guest without other workers? */
#define guest_alone(rt) ((rt)->guest != NULL && (rt)->guest->alone)
/* park.poke, of a runtime that is a guest. */
void guest_poke(struct park *park, struct parker *k);
/* In a forked child. */
void guest_forget(void);
void guest_close(struct runtime *rt);

/* --- for wait.c and plain_poll.c: the host waits in a call of roost --- */
/* Is the calling thread a host, outside of its turns? */
bool guest_hosts(void);
/* Worker 0 goes on meanwhile. As wait_commit. */
int guest_wait(struct waiter *wt, roost_ns deadline);
/* A piece of it, for who polls by himself: true: there is more to do. */
bool guest_slice(void);
/* And what he has to poll, or -1: the thread is no host. */
int guest_watched(void);

#endif
