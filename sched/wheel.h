/*
 * wheel.h - a hierarchical timing wheel: O(1) arm and cancel. Not locked:
 * the caller holds the lock of the worker it belongs to. Design in wheel.c.
 */
#ifndef ROOST_WHEEL_H
#define ROOST_WHEEL_H

#include "base/list.h"
#include <stdbool.h>
#include <stdint.h>

struct timer {
    struct list link; /* next == NULL: not armed */
    int64_t when;     /* ns; the timer is due at now >= when, never before */
    /* What it is for, chosen by who arms it: 8 bytes of theirs. */
    void *owner;
};

#define WHEEL_LEVELS 8
#define WHEEL_SLOTS 1920 /* 512 of level 1, 1024 of 2, 64 of each other */

struct wheel_slot {
    struct list timers;
    int64_t earliest; /* no `when` in it is before this; valid while it is not
                         empty */
    bool known;       /* earliest is one of them */
    bool mixed;       /* they are not in the order of `when` */
    uint8_t searches; /* how often all were looked at for the earliest */
};

struct wheel {
    int64_t tick;   /* the tick that has been advanced to */
    int64_t next;   /* no timer is due before this; INT64_MAX: none armed */
    bool exact;     /* next is the earliest `when`, not just a lower bound */
    uint32_t count; /* armed */
    uint64_t occupied[WHEEL_SLOTS / 64]; /* a bit a slot: not empty */
    struct wheel_slot due; /* those of the current tick and before */
    struct wheel_slot slots[WHEEL_SLOTS]; /* level by level */
};

/* tick length: 2^16 ns = 65.5 us; a due timer is found within its tick's slot
 * by its exact `when`, so none is early and none is late by a tick. */
#define WHEEL_SHIFT 16

void wheel_init(struct wheel *w, int64_t now);
/* t is not armed. when may be past (due at once) or INT64_MAX - 1. */
void wheel_arm(struct wheel *w, struct timer *t, int64_t when);
/* True if it was armed. Also for one that waits in the due list. */
bool wheel_cancel(struct wheel *w, struct timer *t);
/* Move time to now (any distance in one step) and return the due timer with
 * the earliest `when`, of equals the one armed first, unlinked; NULL when no
 * more is due. Call until NULL. */
struct timer *wheel_advance(struct wheel *w, int64_t now);
/* The exact earliest `when` armed, INT64_MAX if none: for sleeping. */
int64_t wheel_next(struct wheel *w);

#endif
