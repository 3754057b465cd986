/*
 * park.pml - who looks for work, who sleeps, who must be woken: sched/park.c
 * and the loop of sched/worker.c around it.
 *
 * WORKERS tasks are there, one from the start, SPAWNED by that one (with CHAIN
 * each spawns the next), the others by a thread that is no worker (FOREIGN of them, and with PINNED one that only
 * the last worker may take). Each holds its worker until all of them have
 * begun: work that sleeps while a worker does is a deadlock, which spin finds.
 * The last to end says so, and wakes all. With TIMES deadlines of sleepers may
 * pass, so many in all; with GUEST worker 0 is a guest's.
 */
#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef FOREIGN
#define FOREIGN 0
#endif
#ifndef PINNED
#define PINNED 0
#endif
#ifndef TIMES
#define TIMES 0
#endif
#define TASKS WORKERS
#define SPAWNED (TASKS - 1 - FOREIGN - PINNED)
#define OUTSIDER WORKERS /* the thread that is no worker */

byte queued[WORKERS];      /* in the deque of each, as all see it */
byte inject;               /* likewise, from outside */
byte mine;                 /* pinned to the last worker */
byte buffered[WORKERS];    /* pushed by each, not yet flushed */
byte buffered_inject, buffered_mine;
byte begun, ended;
bool stopping;
byte times = TIMES;
byte gone;

#define flush(i) queued[i] = queued[i] + buffered[i]; buffered[i] = 0
#define flush_outsider() inject = inject + buffered_inject; \
    buffered_inject = 0; mine = mine + buffered_mine; buffered_mine = 0

/* me: of the process that includes it */
#define flush_own() \
    if \
    :: me < WORKERS -> flush(me) \
    :: else -> flush_outsider() \
    fi

inline flush_everybody() {
    d_step {
        i_ = 0;
        do
        :: i_ < WORKERS -> flush(i_); i_++
        :: else -> break
        od;
        i_ = 0;
        flush_outsider()
    }
}

#define poke(k) assert(false) /* nobody sleeps elsewhere here */

#include "park.inc"

/* Stores reach memory some time. */
active proctype Memory() {
    byte w;
    do
    :: atomic { gone < WORKERS && buffered_inject + buffered_mine > 0 ->
        flush_outsider() }
    :: atomic { buffered[0] > 0 -> flush(0) }
#if WORKERS > 1
    :: atomic { buffered[1] > 0 -> flush(1) }
#endif
#if WORKERS > 2
    :: atomic { buffered[2] > 0 -> flush(2) }
#endif
    :: gone == WORKERS -> break
    od
}

/* One look at one queue: taking is a read-modify-write, and flushes. */
#define TAKE(q, to) \
    atomic { q > 0 -> flush_own(); q = q - 1; goto to }

/* work_exists: a queue after the other. */
inline exists(yes) {
    yes = false;
    if
    :: inject > 0 || (me == WORKERS - 1 && mine > 0) -> yes = true
    :: else -> skip
    fi;
    n_ = 0;
    do
    :: n_ < WORKERS && !yes ->
        if
        :: queued[n_] > 0 || (n_ == me && buffered[n_] > 0) -> yes = true
        :: else -> skip
        fi;
        n_++
    :: else -> break
    od;
    n_ = 0
}

active [WORKERS] proctype Worker() {
    LOCALS;
    byte me = _pid - 1; /* Memory is 0 */
    byte left = 0;
    byte victim = 0;
    bool is_searching, all, yes;

    if
    :: me == 0 -> left = SPAWNED; goto work
    :: else -> goto loop
    fi;

work: /* a task */
    begun++;
#ifdef CHAIN
    left = (begun < TASKS -> 1 : 0);
#endif
    do
    :: left > 0 ->
        left--;
        buffered[me]++; /* deque_push */
        barrier_light();
        wake_one()
    :: else -> break
    od;
    begun == TASKS; /* it holds its worker until then */
    atomic {
        ended++;
        if
        :: ended == TASKS -> stopping = true
        :: else -> goto loop
        fi
    }
    wake_all();

loop: /* work_own */
    if
    :: atomic { queued[me] + buffered[me] > 0 -> flush_own();
        queued[me]--; goto work }
    :: atomic { me == WORKERS - 1 && mine > 0 -> mine--; goto work }
    :: atomic { inject > 0 -> inject--; goto work }
    :: else -> skip
    fi;

    /* idle */
    search_begin(is_searching);
look:
    if
    :: stopping -> goto out
    :: else -> skip
    fi;
    /* work_search: the same, and then the others, one after the other */
    if
    :: TAKE(queued[me], found)
    :: atomic { me == WORKERS - 1 && mine > 0 -> mine--; goto found }
    :: TAKE(inject, found)
    :: else -> skip
    fi;
    victim = 0;
    do
    :: victim < WORKERS ->
        if
        :: TAKE(queued[victim], found)
        :: else -> victim++
        fi
    :: else -> break
    od;
    victim = 0;
#ifdef LOOK_BEFORE
    exists(yes);
#endif
    announce(me, is_searching, all);
    /* sleep_parked */
#ifdef NO_SECOND_LOOK
    yes = stopping;
#elif defined(LOOK_BEFORE)
    yes = (yes || stopping);
#else
    exists(yes);
    yes = (yes || stopping);
#endif
    if
    :: yes -> retract(me)
    :: else ->
        park_sleep(me, times, yes);
        if
        :: yes -> assert(!linked[me])
#ifdef NO_RETRACT
        :: else -> skip
#else
        :: else -> retract(me)
#endif
        fi
    fi;
    yes = false; all = false;
    if
    :: is_guest(me) -> search_begin(is_searching)
    :: else -> is_searching = true
    fi;
    goto look;

found:
    victim = 0;
    if
    :: is_searching ->
        search_end(yes);
        if
#ifndef NO_CHAIN
        :: yes -> yes = false; wake_one()
#endif
        :: else -> skip
        fi
    :: else -> skip
    fi;
    is_searching = false;
    goto work;

out:
    if
    :: is_searching -> search_end(yes)
    :: else -> skip
    fi;
    atomic {
        gone++;
        assert(gone < WORKERS || (searching == 0 && parked == 0))
    }
}

active proctype Outsider() {
    LOCALS;
    byte me = OUTSIDER;
    byte left = FOREIGN;

    do
    :: left > 0 ->
        left--;
        buffered_inject++; /* inject_push */
#ifndef NO_FENCE
        atomic { flush_outsider() } /* fence_full */
#endif
        wake_one()
    :: else -> break
    od;
    if
    :: PINNED > 0 -> /* push_pinned */
        buffered_mine++;
        park_wake(WORKERS - 1)
    :: else -> skip
    fi
}
