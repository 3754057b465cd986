/*
 * poller.pml - idle workers in epoll or on their futex, the watch, and who
 * makes work: sched/poller.c on sched/park.c, with what of sched/worker.c,
 * sched/lookout.c, sched/watch.c and sched/quiet.c hands the poller over.
 *
 * A task waits for a descriptor, which becomes ready any time. BLOCKING tasks
 * come from a thread that is no worker; each holds its worker, without a look
 * round, until the event has been handed on. A wake-up or an event that is
 * lost is a deadlock. With QUIET another task is in roost_settle: it must go on
 * when all wait, and never while the event is in somebody's hands. With TIMES
 * so many sleeps end by their time; with NO_WATCH there is no watch.
 *
 * Memory is sequentially consistent here, and what park.c does under its lock,
 * with the look before and after it, is one step (COARSE): park.pml has looked
 * between these. Choosing a sleeper and telling it are two.
 */
#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef BLOCKING
#define BLOCKING 1
#endif
#ifndef TIMES
#define TIMES 0
#endif
#ifdef QUIET
#define TASKS 2
#else
#define TASKS (1 + BLOCKING)
#endif

/* The task that waits for the descriptor. */
mtype = { WAITS, IN_HANDS, QUEUED, ENDED };
mtype waiter = WAITS;
byte inject;            /* blocking tasks */
byte ended, gone;
bool stopping;
byte times = TIMES;

/* the system's */
bool armed;             /* the descriptor is in the set */
bool event;             /* it is ready, and nobody was told yet */
bool bell;              /* the eventfd was written to, likewise */

/* struct poller */
bool held;
byte asleep;
byte awaited;

/* the watch */
bool kicked;            /* watch_word has changed since it was read */
bool soon;              /* watch_until is not never */
bool watch_sleeps;      /* in its futex */
bool watch_stop, watch_gone;

/* quiet.c */
bool firing;            /* firing is odd */
bool fired[WORKERS];    /* it has changed since each worker read it */
bool settling, settled;
bool quiet_then;        /* the model's: see quiet */

#define flush_own() skip
#define flush_everybody() skip
#define poke(k) bell = true /* poller_poke: pollset_ring */

#define COARSE
#include "park.inc"

inline kick() {
    kicked = true;
    watch_sleeps = false
}

/* cover, watch_cover_real: a time that is a pause away */
inline cover() {
    atomic {
        if
        :: !soon -> kick()
        :: else -> skip
        fi
    }
}

/* hand_out: fd_event, then ready_push */
inline hand_out() {
    atomic {
        assert(waiter == IN_HANDS);
        awaited--;
        waiter = QUEUED;
        got = false;
        wake_choose()
    }
    wake_notify()
}

/* take: what is there now, or has to come. */
#define TAKE() got = event; bell = false; event = false; \
    if \
    :: got -> waiter = IN_HANDS \
    :: else -> skip \
    fi

/* poller_look */
inline poller_look() {
    if
#ifdef NO_HOLD
    :: atomic { awaited > 0 -> TAKE() }
#else
    :: atomic { awaited > 0 && !held -> held = true; TAKE() }
        held = false; /* let_go */
#endif
        if
        :: got -> hand_out()
        :: else -> skip
        fi
    :: else -> skip
    fi
}

/* poller_sleep: `here` is its result. */
inline poller_sleep(here) {
    atomic {
        if
        :: awaited > 0 && !held -> /* hold */
            here = true;
            held = true;
#ifdef NO_ELSEWHERE
            yes = true
#else
            park_elsewhere(me, yes)
#endif
        :: else -> here = false
        fi
    }
    if
    :: here ->
        if
        :: !yes -> held = false
        :: else ->
            /* sleep_here */
            asleep = me + 1;
            if
            :: atomic { event || bell -> TAKE() }
            :: atomic { times > 0 -> times-- }
            fi;
#ifdef ASLEEP_EARLY
            asleep = 0;
#endif
            retract(me);
            asleep = 0;
            held = false;
#ifndef NO_COVER
            cover();
#endif
            if
            :: got -> hand_out()
            :: else -> skip
            fi
        fi
    :: else -> skip
    fi
}

/* poller_quiet(sure): `yes` is its result. */
inline poller_quiet() {
    if
    :: atomic { awaited == 0 ->
        yes = true;
        quiet_then = (waiter == WAITS || waiter == ENDED) }
    :: else ->
#ifdef ASKS_SLEEPER_FIRST
        n_ = asleep;
#endif
        if
        :: event || bell -> yes = false /* pollset_ready */
        :: atomic { else -> quiet_then = (waiter == WAITS || waiter == ENDED) }
#ifndef ASKS_SLEEPER_FIRST
            n_ = asleep;
#endif
            if
            :: n_ == 0 -> yes = true
            :: else -> park_wake(n_ - 1); yes = false
            fi
        fi;
        n_ = 0
    fi
}

/* runtime_quiet, as far as settle: `yes` is its result. */
inline quiet() {
    d_step { yes = !firing; fired[me] = false; quiet_then = false }
    if
    :: yes -> yes = park_all()
    :: else -> skip
    fi;
    if
    :: yes -> poller_quiet()
    :: else -> skip
    fi;
    if
    :: yes -> yes = park_all()
    :: else -> skip
    fi;
#ifndef NO_FIRING
    if
    :: yes -> yes = !fired[me]
    :: else -> skip
    fi;
#endif
    if
    :: yes && settling ->
        atomic {
            /* all waited when it asked the system, or do now */
            assert(quiet_then || waiter == WAITS || waiter == ENDED);
            settling = false;
            settled = true
        }
        wake_one()
    :: else -> yes = false
    fi
}

/* Something from any queue, or the end. */
#define take_any(to, nothing) \
    if \
    :: stopping -> goto out \
    :: atomic { waiter == QUEUED -> waiter = ENDED; goto to } \
    :: atomic { settled -> settled = false; goto to } \
    :: atomic { inject > 0 -> inject--; blocks = true; goto to } \
    :: atomic { else -> nothing } \
    fi

active [WORKERS] proctype Worker() {
    LOCALS;
    byte me = _pid;
    bool is_searching, all, yes, got, may, blocks;

    if
    :: me == 0 -> /* it begins with the task that waits */
#ifdef QUIET
        settling = true;
#endif
        /* fd_stand: poller_await, and then the set */
        awaited++;
#ifndef NO_COVER_AWAIT
        cover();
#endif
        armed = true
    :: else -> skip
    fi;

loop:
    take_any(work, search_begin(is_searching));
look:
    take_any(found, skip);
    poller_look();
    take_any(found, skip); /* also where the look has found nothing */
    atomic {
        announce(me, is_searching, all);
        yes = (waiter == QUEUED || settled || inject > 0 || stopping)
    }
#ifdef QUIET
    if
    :: all && !yes -> quiet()
    :: else -> skip
    fi;
#endif
    if
    :: yes -> retract(me)
    :: else ->
        poller_sleep(may);
        if
        :: may -> assert(!linked[me])
        :: else ->
            park_sleep(me, times, yes);
            if
            :: yes -> assert(!linked[me])
            :: else -> retract(me)
            fi
        fi
    fi;
    atomic { yes = false; all = false; may = false; got = false;
        is_searching = true; goto look }

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

work: /* a task; one that blocks holds its worker */
    atomic {
        !blocks || waiter == QUEUED || waiter == ENDED;
        blocks = false;
        ended++;
        goto loop
    }

out:
    if
    :: is_searching -> search_end(yes)
    :: else -> skip
    fi;
    gone++
}

/* The counter of quiet.c is odd while he holds what has come. */
inline change_firing(to) {
#ifdef QUIET
    d_step { firing = to; fired[0] = true; fired[WORKERS - 1] = true }
#else
    skip
#endif
}

#ifndef NO_WATCH
active
#endif
proctype Watch() {
    LOCALS;
    bool got, again;

    do
    :: atomic {
            kicked = false; /* seen = watch_word */
            again = false
        }
        /* poller_watch: `again` says that it is to come again */
        if
        :: watch_stop -> break
        :: atomic { !watch_stop && awaited == 0 -> skip }
        :: atomic { !watch_stop && awaited > 0 ->
                again = (asleep == 0)
            }
            if
            :: atomic { true -> again = true } /* somebody has just looked */
            :: !again -> skip
            :: again ->
                change_firing(true);
                poller_look();
                change_firing(false);
                if
                :: park_all() -> wake_one()
                :: else -> skip
                fi
            fi
        fi;
        soon = again;
        /* poller_next */
        if
#ifndef NO_RECHECK
        :: atomic { !again && awaited > 0 && asleep == 0 -> skip }
#endif
        :: else ->
            /* futex_wait: it compares, and sleeps, in one step */
            atomic {
                if
                :: !kicked -> watch_sleeps = true
                :: else -> skip
                fi
            }
            if
            :: !watch_sleeps -> skip
            :: atomic { watch_sleeps && soon -> watch_sleeps = false }
            fi
        fi
    od;
    watch_gone = true
}

/* The descriptor becomes ready. */
active proctype Kernel() {
    if
    :: armed -> event = true
#ifdef QUIET
    :: armed && ended == 1 -> event = true /* not before the other went on */
#endif
    fi
}

/* A thread that is no worker. */
active proctype Outsider() {
    LOCALS;
    byte left = (TASKS - 1);

#ifndef QUIET
    do
    :: left > 0 ->
        atomic { left--; inject++; wake_choose() }
        wake_notify()
    :: else -> break
    od
#endif
}

/* stop_threads */
active proctype Stop() {
    LOCALS;

    ended == TASKS;
    watch_stop = true;
    kick();
#ifndef NO_WATCH
    watch_gone; /* joined */
#endif
    stopping = true;
    wake_all();
    gone == WORKERS;
    assert(searching == 0 && parked == 0 && !held && asleep == 0)
}
