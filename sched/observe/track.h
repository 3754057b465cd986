/*
 * track.h - the records of one thread, from the thread to the writer of the
 * trace. Protocol in track.c.
 */
#ifndef ROOST_TRACK_H
#define ROOST_TRACK_H

#include "base/atomic.h"
#include "observe/events.h"

#define TRACK_NESTED 16 /* slices within each other */

#ifdef ROOST_MODEL
#define TRACK_MAX 3     /* threads of a trace */
#define TRACK_RECORDS 4 /* of each, not yet written */
#else
#define TRACK_MAX 1024
#define TRACK_RECORDS 16384 /* 1 MiB, touched as it fills */
#endif

#define EVENT_LINE(kind, shape, category, name, a, b, doc) RECORD_##kind,
enum record_kind {
#include "observe/events.def"
    RECORD_KINDS
};
#undef EVENT_LINE

/* One event: a cache line. */
struct record {
    int64_t time; /* clock_now */
    uint32_t kind;
    uint32_t level; /* BEGIN: of so many open slices it is inside; END, LEAVE:
                       so many ran in place; OPEN, CLOSE: the runtime */
    uint64_t a, b;  /* what events.def says */
    char name[32];  /* "": that of events.def */
};

/* Whose track it is, as the file says it. */
struct track_owner {
    enum event_role role;
    unsigned runtime; /* its number; 0: none */
    unsigned index;   /* of a worker, or a thread of the pool */
    char runtime_name[32];
};

struct track {
    a32 busy;                 /* S owner: it is at its records: TR3, TR4 */
    a32 head;                 /* S owner: records put, ever */
    a32 tail;                 /* S writer: of these, taken */
    a32 dropped;              /* S owner: there was no room */
    bool taken;               /* L(claims): a thread has it */
    struct record *records;   /* O; track_reset's once all is quiet */
    struct track_owner owner; /* O before the first put */
    a64 counts[RECORD_KINDS]; /* S owner: also those dropped */
    uint64_t serial;          /* O: makes ids that differ */
    uint64_t in_place[TRACK_NESTED]; /* O: as each open slice began */
    unsigned open;                   /* O: slices */
    bool used;                       /* O: something was put */
    bool begun;                      /* O: owner is written */
    bool shown;                      /* writer: its name is in the file */
    unsigned depth;                  /* writer: open slices */
} __attribute__((aligned(CACHE_LINE)));

/* --- the thread whose events they are --- */

/* Its track, while a trace runs; NULL: none does, or there are too many
 * threads. Until track_leave the trace will not end; be quick. */
struct track *track_enter(void);
/* Copies *r, or counts it as dropped. Allocates at the first of a trace. */
void track_put(struct track *t, const struct record *r);
void track_leave(struct track *t);
/* The thread ends: another may have its track in the next trace. */
void track_release(void);
/* The calling thread writes into this one from now on. Into which it did. */
struct track *track_use(struct track *t);

/* --- who writes the file: one thread --- */

struct track *track_at(unsigned i); /* 0..TRACK_MAX-1 */
/* Hand what is there to fn, oldest first. How many there were. */
unsigned track_take(struct track *t,
                    void (*fn)(void *ctx, struct track *t,
                               const struct record *r),
                    void *ctx);
/* Read before looking at the tracks, and handed to track_sleep if there was
 * nothing: it returns at once if anybody has rung since. */
uint32_t track_bell(void);
void track_sleep(uint32_t bell);
void track_ring(void);

/* --- start and stop: one at a time --- */

/* Events are recorded from now on. */
void track_open(void);
/* And no more: when it returns nobody is at a track. */
void track_close(void);
/* Closed, all taken: free the room. */
void track_reset(void);
/* Events that found no track; those dropped are counted in it. */
uint32_t track_lost(void);
/* In a forked child, of whose threads only the caller is left. */
void track_forked(void);

#endif
