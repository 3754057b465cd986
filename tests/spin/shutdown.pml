/*
 * shutdown.pml - the end of a runtime against those who bring it work: stop in
 * sched/runtime.c, group_submit in sched/group.c, the posts of sched/post.c,
 * on sched/park.c and the loop of sched/worker.c.
 *
 * One thread stops the runtime; POSTS threads post a task each, with SIGNAL one
 * more does so as a signal handler does, with HELD another releases what it
 * holds; each task spawns another one. What was
 * accepted must run, and have ended before the workers leave and before the
 * group is sealed; nobody is left asleep. Time does not pass: the grace is for
 * ever.
 */
#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef POSTS
#define POSTS 1
#endif

mtype = { FREE, FILLING, FILLED, TAKEN };
mtype slot = FREE;      /* post.c: one of them */

bool shut, stopping;    /* struct runtime */
#ifdef HELD
byte outside = 1, count = 1;
#else
byte outside, count;
#endif
byte dropping;          /* the other part of outside */
byte queue;             /* inject, and the deques: first tasks */
byte second;            /* likewise: what these have spawned */
byte accepted, ran;
bool sealed;            /* group_end is over */
bool kicked, watch_stop, watch_gone;
byte gone;
bool finished;
byte no_time;           /* no sleep ends by its time */

#define flush_own() skip
#define flush_everybody() skip
#define poke(k) assert(false)

#define COARSE
#include "park.inc"

/* outside_drop. Who is in a call of the program's keeps the handle by that, and
 * may be late. */
inline drop_outside(may_be_late) {
    atomic {
        outside--;
#ifndef NO_DROPPING
        dropping++;
#endif
        yes = (outside == 0)
    }
    if
    :: yes && park_all() -> wake_one()
    :: else -> skip
    fi;
    yes = false;
    assert(may_be_late || !finished);
#ifndef NO_DROPPING
    dropping--
#else
    skip
#endif
}

/* desc_queue, with the wake */
inline push() {
    atomic { queue++; wake_choose() }
    wake_notify()
}

/* group_submit, by a thread that is no worker: `yes` is its result. */
inline submit() {
#ifdef SHUT_FIRST /* as it was: nothing keeps the end between the two */
    yes = !shut;
    if
    :: yes -> assert(!sealed); accepted++; count++; push()
    :: else -> skip
    fi
#else
    count++;
    yes = !shut;
    if
    :: yes -> assert(!sealed); accepted++; push()
    :: else -> count--
    fi
#endif
}

active [WORKERS] proctype Worker() {
    LOCALS;
    byte me = _pid;
    bool is_searching, all, yes, is_second;

loop:
    atomic {
        if
        :: queue > 0 -> queue--; is_second = false; goto work
        :: second > 0 -> second--; is_second = true; goto work
        :: else -> search_begin(is_searching)
        fi
    }
look:
    atomic {
        if
        :: stopping -> goto out
        :: queue > 0 -> queue--; is_second = false; goto found
        :: second > 0 -> second--; is_second = true; goto found
        :: else -> skip
        fi
    }
    atomic {
        announce(me, is_searching, all);
#ifdef NO_SECOND_LOOK
        yes = false
#else
        yes = (queue + second > 0 || stopping)
#endif
    }
    if
    :: yes -> retract(me)
    :: else ->
        park_sleep(me, no_time, yes)
    fi;
    atomic { yes = false; all = false; is_searching = true; goto look }

found:
    if
    :: is_searching ->
        atomic {
            is_searching = false;
            search_end(yes);
            if
            :: yes -> yes = false; wake_choose()
            :: else -> skip
            fi
        }
        wake_notify()
    :: else -> skip
    fi;
work:
    assert(!sealed);
    if
    :: is_second -> skip
    :: else ->
        drop_outside(true); /* task.c: enter */
        count++;        /* it spawns another one */
        atomic { second++; wake_choose() }
        wake_notify()
    fi;
    atomic {
        ran++;
        count--; /* task_finish: the last access */
        is_second = false;
        goto loop
    }

out:
    if
    :: is_searching -> search_end(yes)
    :: else -> skip
    fi;
    atomic { gone++; assert(queue + second == 0 || gone < WORKERS) }
}

/* roost_scope_release of a thread that no call of its own keeps: what it holds
 * is the one other child. */
#ifdef HELD
active
#endif
proctype Releaser() {
    LOCALS;
    bool yes;

    count--;
    drop_outside(false)
}

/* roost_post */
#if POSTS > 0
active [POSTS] proctype Poster() {
    LOCALS;
    bool yes;

    outside++;
    submit();
    if
    :: yes -> skip
    :: else -> drop_outside(true)
    fi
}

#endif

/* roost_post_signal */
#ifdef SIGNAL
active
#endif
proctype Handler() {
    LOCALS;

#ifdef SHUT_FIRST
    if
    :: !shut -> atomic { slot == FREE -> slot = FILLING }
    :: else -> goto refused
    fi;
#else
    atomic { slot == FREE -> slot = FILLING }
    if
    :: !shut -> skip
    :: else -> slot = FREE; goto refused
    fi;
#endif
    outside++;
    atomic { slot = FILLED; accepted++ }
    kicked = true; /* watch_kick */
refused:
    skip
}

/* post_collect, and hand_on */
inline collect() {
    if
    :: atomic { slot == FILLED -> slot = TAKEN }
        assert(!sealed);
#ifndef FREED_EARLY
        count++;
        push();
        slot = FREE
#else
        slot = FREE;
        count++;
        push()
#endif
    :: else -> skip
    fi
}

active proctype Watch() {
    LOCALS;

    do
    :: kicked = false;
        if
        :: watch_stop -> break
        :: else -> skip
        fi;
        collect();
        kicked /* futex_wait */
    od;
    watch_gone = true
}

/* roost_stop */
active proctype Stop() {
    LOCALS;
    byte i;

    shut = true;
    /* await_all: slots, and the group; again where more has come meanwhile */
#ifndef NO_SLOTS
    do
    :: slot != FREE -> collect()
    :: slot == FREE -> break
    od;
#endif
    count == 0; /* group_wait, and group_end */
    sealed = true;
#ifndef NO_OUTSIDE
    outside + dropping == 0;
#endif
    /* stop_threads */
    watch_stop = true;
    kicked = true;
    watch_gone;
#ifdef WAKES_FIRST
    wake_all();
    stopping = true;
#else
    stopping = true;
    /* carriers_stop */
#ifndef NO_WAKE
    wake_all();
#endif
#endif
    gone == WORKERS;
    finished = true; /* what is left may be freed */
    assert(searching == 0 && parked == 0 && queue == 0 && second == 0);
    assert(ran == 2 * accepted)
}
