/*
 * guest_model.c - the real sched/guest.c, and the real loop of the worker that
 * a host carries, beside another worker, the watch, and who brings work.
 *
 * Would catch: a host that is not told that there is something to do, since who
 * was to ring and the worker that gave the thread back have missed each other;
 * a worker that waits for a host which was not told that its budget left work
 * over; a bell that stays rung for nothing, or is rung when it is closed; a
 * timer that neither the host nor the watch looks after; a wait of the host
 * that is over and nobody has told; a task that holds the host, with
 * opts.stall, and is not named, since the watch took the host for away.
 *
 * Thread 0 is the host, thread 1 the fiber that the worker's loop is on: they
 * take turns. The host goes by its descriptor alone. The system is one word: a
 * bit for each descriptor that is ready, and how often the bell was rung.
 */
// MODEL-SOURCES: sched/guest.c sched/stall.c
// MODEL-WITH: sched/worker.c sched/steal.c sched/ready.c sched/lookout.c
// MODEL-WITH: sched/sharing.c
// MODEL-WITH: sched/park.c sched/deque.c sched/ring.c sched/inject.c
// MODEL-WITH: sched/timer.c sched/wheel.c sched/watch.c sched/poller.c
// MODEL-WITH: sched/base/sleeplock.c sched/slot.c
#include "fd.h"
#include "guest.h"
#include "wait_row.h"
#include "wait_thread.h"
#include "watch_rooms.h"
#include <errno.h>
#include <roost/guest.h>
#include <stdio.h>
#include <unistd.h>

enum { SOON = 1000000000, LATER = 2000000000 };

#define RUNG (1u << 8)

static struct guest guest;
static a32 system_word;
static int64_t due;        /* what the timer is set to: of host and fiber */
static roost_ns budget;    /* of each turn */
static unsigned turns;     /* outside the model, like all below */
static struct waiter wait; /* of the host; or a task's, for descriptor 0 */
static a32 woken;          /* the host's wait: 1 to be rung for, 2 is over */
static a32 standing;       /* a task waits for descriptor 0 */
static a32 begun;
static struct waiter first, second; /* armed for SOON, for LATER */
static unsigned fired;

/* ---- the system ---------------------------------------------------------- */

void hostset_ring(const struct hostset *h)
{
    MODEL_CHECK(plain_read(h->set) == 1);
    a32_add(&system_word, RUNG, ACQ_REL);
    futex_wake(&system_word, 2);
}

uint64_t hostset_heard(const struct hostset *h)
{
    (void)h;
    return a32_and(&system_word, RUNG - 1, ACQ_REL) / RUNG;
}

int hostset_timer(const struct hostset *h, int64_t when)
{
    (void)h;
    due = when;
    return 0;
}

bool hostset_wait(const struct hostset *h, int64_t until)
{
    uint32_t mask = guest.alone ? UINT32_MAX : ~(RUNG - 1);
    uint32_t seen;

    (void)h;
    until = due < until ? due : until;
    while (((seen = a32_add(&system_word, 0, ACQ_REL)) & mask) == 0) {
        if (futex_wait(&system_word, seen, until) == -ETIMEDOUT) {
            return due <= model_now();
        }
    }
    return true;
}

void hostset_close(const struct hostset *h)
{
    (void)h;
    MODEL_CHECK(a32_load(&system_word, RELAXED) < RUNG);
}

int pollset_open(struct pollset *p)
{
    (void)p;
    return 0;
}

void pollset_close(struct pollset *p)
{
    (void)p;
}

int pollset_wait(const struct pollset *p, struct epoll_event *events, int max,
                 int64_t until)
{
    uint32_t bits = a32_and(&system_word, ~(RUNG - 1), ACQ_REL) % RUNG;

    (void)p;
    MODEL_CHECK(until == 0 && max > 1);
    events[0].data.u64 = 0;
    return bits != 0;
}

int pollset_ready(const struct pollset *p)
{
    (void)p;
    return a32_add(&system_word, 0, ACQ_REL) % RUNG != 0;
}

void fd_event(struct runtime *r, const struct epoll_event *event,
              struct waiter ***end)
{
    (void)event;
    if (a32_xchg(&standing, 0, ACQ_REL) != 0) {
        plain_write(jobs[1].given, 1);
        poller_await_end(r);
        **end = &wait;
        *end = &wait.next;
    }
}

/* ---- the host and its fiber ---------------------------------------------- */

void carrier_thread_begin(struct carrier *c)
{
    workers[0].carrier = c;
}

void carrier_thread_inside(struct carrier *c, bool inside)
{
    (void)c;
    (void)inside;
}

void carrier_thread_end(struct carrier *c)
{
    (void)c;
}

void carrier_carry(struct carrier *c)
{
    c->state = CARRIES;
    model_unpark(1);
    model_park();
}

void carrier_rest(struct worker *w)
{
    w->carrier->state = RESTS;
    model_unpark(0);
    model_park();
}

static void fiber(void)
{
    model_park();
    worker_tls = &workers[0];
    worker_loop(&loops[0]);
    guest.carrier.state = LEAVES;
    model_unpark(0);
}

struct runtime *runtime_self(void)
{
    return NULL;
}

bool registry_forked(void)
{
    return false;
}

bool hooks_running(void)
{
    return false;
}

static void host(void)
{
    guest_attach(&rt);
    while (guest.carrier.state != LEAVES) {
        MODEL_CHECK(hostset_wait(&guest.host, INT64_MAX));
        MODEL_CHECK(roost_guest_turn((roost_runtime *)(void *)&rt, budget) >=
                    0);
        MODEL_CHECK(++turns < 40);
    }
    guest_detach(&rt);
}

static void at_end(void)
{
    ends();
    MODEL_CHECK(guest.owed == 0);
}

static void second_worker(void)
{
    worker_tls = &workers[1];
    worker_loop(&loops[1]);
}

/* others: workers beside the host's. */
static void prepare(unsigned others, unsigned n)
{
    memset(&guest, 0, sizeof(guest));
    begin(1 + others, n);
    rt.guest = &guest;
    rt.park.poke = guest_poke;
    MODEL_CHECK(worker_init(&workers[0], &rt, 0) == 0);
    guest.host.set = 1;
    guest.alone = others == 0;
    a64_init(&rt.outside, 1);
    a64_init(&rt.watch_until, (uint64_t)INT64_MAX);
    a32_init(&system_word, 0);
    a32_init(&woken, 0);
    a32_init(&standing, 0);
    a32_init(&begun, 0);
    a32_init(&rt.poller.on, 1);
    memset(&wait, 0, sizeof(wait));
    due = INT64_MAX;
    budget = ROOST_NEVER;
    turns = 0;
    fired = 0;
}

bool wait_timeout(struct waiter *wt)
{
    fired += wt == &second;
    return true;
}

void wait_wake_chain(struct waiter *chain)
{
    while (chain != NULL) {
        struct waiter *next = chain->next;

        ready_push(chain->fiber);
        chain = next;
    }
}

/* ---- work from outside --------------------------------------------------- */

static void pusher(void)
{
    ready(0);
}

static void pusher_of_two(void)
{
    ready(0);
    ready(1);
}

static void one_comes(void)
{
    prepare(0, 1);
}

MODEL(one_is_pushed, .setup = one_comes, .threads = {host, fiber, pusher},
      .check = at_end, .preemptions = 4);

static void two_come(void)
{
    prepare(0, 2);
}

MODEL(two_are_pushed, .setup = two_come,
      .threads = {host, fiber, pusher_of_two}, .check = at_end,
      .preemptions = 3);

/* Without a budget: what is left over is asked for by the bell. */
static void no_budget(void)
{
    two_come();
    budget = 0;
}

MODEL(left_over, .setup = no_budget, .threads = {host, fiber, pusher_of_two},
      .check = at_end, .preemptions = 3);

/* Pinned to the worker of a host. */
static void pinned(void)
{
    prepare(1, 1);
    jobs[0].fiber.pins = 1;
    jobs[0].fiber.home = &workers[0];
}

MODEL(pinned_to_the_host, .setup = pinned, .threads = {host, fiber, pusher},
      .check = at_end, .preemptions = 3);

/* ---- with another worker ------------------------------------------------- */

static void with_another(void)
{
    prepare(1, 2);
}

MODEL(another_worker, .setup = with_another,
      .threads = {host, fiber, second_worker, pusher_of_two}, .check = at_end,
      .timeouts = MODEL_TIMEOUT_IDLE);

/* It is on its way, and its host comes no more before the other is done: who
 * pushes then must wake that one. */
static void late_host(void)
{
    guest_attach(&rt);
    (void)roost_guest_turn((roost_runtime *)(void *)&rt, ROOST_NEVER);
    while (a32_load(&rt.stopping, RELAXED) == 0) {
        spin_pause();
    }
    guest_detach(&rt);
}

MODEL(a_late_host, .setup = with_another,
      .threads = {late_host, fiber, second_worker, pusher_of_two},
      .check = at_end, .timeouts = MODEL_TIMEOUT_IDLE);

/* The other computes with a woken fiber in its run-next slot: the host's is to
 * come for it, by its timer. */
static void ready_and_compute(void)
{
    ready(1);
    while (jobs[1].runs == 0) {
        spin_pause();
    }
}

static void slot_of_another(void)
{
    prepare(1, 2);
    jobs[0].then = ready_and_compute;
    jobs[0].fiber.pins = 1;
    jobs[0].fiber.home = &workers[1];
    inject_push(&workers[1].mine, &jobs[0].fiber.node.link);
}

MODEL(slot_of_another, .setup = slot_of_another,
      .threads = {host, fiber, second_worker}, .check = at_end,
      .timeouts = MODEL_TIMEOUT_IDLE);

/* ---- timers -------------------------------------------------------------- */

static void arm(struct waiter *wt, struct chore *job, int64_t when)
{
    wt->fiber = &job->fiber;
    wt->timer.owner = &workers[0].timers;
    timer_arm(&workers[0].timers, &wt->timer, when);
}

static void armer(void)
{
    arm(&second, &jobs[1], LATER);
    watch_cover(&rt, LATER);
}

static void timers(unsigned others, unsigned n)
{
    prepare(others, n);
    MODEL_CHECK(watch_start(&rt) == 0);
    memset(&first, 0, sizeof(first));
    memset(&second, 0, sizeof(second));
    jobs[1].then = stop_watch;
}

static void timers_alone(void)
{
    timers(0, 1);
}

static void timers_beside(void)
{
    timers(1, 1);
}

MODEL(armed_outside, .setup = timers_alone,
      .threads = {host, fiber, watch, armer}, .check = at_end,
      .timeouts = MODEL_TIMEOUT_IDLE);
/* The other worker is busy, for ever: it is not even there. */
MODEL(armed_outside_beside, .setup = timers_beside,
      .threads = {host, fiber, watch, armer}, .check = at_end,
      .timeouts = MODEL_TIMEOUT_IDLE);

/* It slept until the first. */
static void first_goes(void)
{
    timer_cancel(&workers[0].timers, &first.timer);
    armer();
}

static void earlier(void)
{
    timers(1, 1);
    arm(&first, &jobs[2], SOON);
}

MODEL(armed_while_it_rests, .setup = earlier,
      .threads = {host, fiber, watch, first_goes}, .check = at_end,
      .timeouts = MODEL_TIMEOUT_IDLE);

/* A task arms it, and rests. */
static void arm_own(void)
{
    arm(&second, &jobs[1], LATER);
    workers[0].timers_dirty = true;
}

static void task_arms(unsigned others)
{
    timers(others, 2);
    jobs[0].then = arm_own;
    jobs[0].fiber.pins = 1;
    jobs[0].fiber.home = &workers[0];
    inject_push(&workers[0].mine, &jobs[0].fiber.node.link);
}

static void task_arms_alone(void)
{
    task_arms(0);
}

static void task_arms_beside(void)
{
    task_arms(1);
}

MODEL(armed_by_a_task, .setup = task_arms_alone,
      .threads = {host, fiber, watch}, .check = at_end,
      .timeouts = MODEL_TIMEOUT_IDLE);
MODEL(armed_by_a_task_beside, .setup = task_arms_beside,
      .threads = {host, fiber, watch}, .check = at_end,
      .timeouts = MODEL_TIMEOUT_IDLE);

/* ---- descriptors --------------------------------------------------------- */

static void begin_to_wait(void)
{
    a32_store(&standing, 1, RELEASE);
    poller_await(&rt);
    a32_store(&begun, 1, RELEASE);
}

static void device(void)
{
    while (a32_load(&begun, ACQUIRE) == 0) {
        spin_pause();
    }
    a32_or(&system_word, 1, ACQ_REL);
    futex_wake(&system_word, 2);
}

static void task_waits(void)
{
    prepare(0, 2);
    wait.fiber = &jobs[1].fiber;
    jobs[0].then = begin_to_wait;
    inject_push(&rt.inject, &jobs[0].fiber.node.link);
}

MODEL(descriptor, .setup = task_waits, .threads = {host, fiber, device},
      .check = at_end, .preemptions = 4);

/* ---- the host waits ------------------------------------------------------ */

bool wait_thread_bell(struct waiter *w, int bell)
{
    uint32_t none = 0;

    MODEL_CHECK(w == &wait && bell == 7);
    return a32_cas(&woken, &none, 1, RELAXED, RELAXED);
}

bool wait_thread_woken(struct waiter *w)
{
    (void)w;
    return a32_load(&woken, ACQUIRE) == 2;
}

/* As wake_thread: told, and then rung for. */
static void complete(void)
{
    if (a32_xchg(&woken, 2, RELEASE) == 1) {
        hostset_ring(&guest.host);
    }
}

static void waiting_host(void)
{
    guest_attach(&rt);
    MODEL_CHECK(guest_wait(&wait, ROOST_NEVER) == 0);
    MODEL_CHECK(jobs[0].runs == 1);
    stop();
    guest_detach(&rt);
}

static void waits(void)
{
    prepare(0, 2);
    guest.host.bell = 7;
    jobs[0].then = complete;
}

MODEL(host_waits_for_its_worker, .setup = waits,
      .threads = {waiting_host, fiber, pusher}, .check = NULL,
      .preemptions = 3);

static void push_and_complete(void)
{
    ready(0);
    while (jobs[0].runs == 0) {
        spin_pause();
    }
    complete();
}

static void waits_for_another(void)
{
    waits();
    jobs[0].then = NULL;
}

MODEL(host_waits_for_another, .setup = waits_for_another,
      .threads = {waiting_host, fiber, push_and_complete}, .check = NULL,
      .preemptions = 3);

/* ---- the host is held ---------------------------------------------------- */

static unsigned named; /* tasks by the watch: outside the model */

/* In place of the C library's, which stall.c prints with. */
int dprintf(int fd, const char *format, ...)
{
    MODEL_CHECK(fd == STDERR_FILENO);
    named += strstr(format, "held worker") != NULL;
    return 0;
}

static void compute_until_named(void)
{
    while (named == 0) {
        spin_pause();
    }
    stop_watch();
}

/* Each turn is one task. Before the second, which computes, the watch is up
 * for a look that it has promised for SOON, and finds the host away. */
static void held_in_the_second_turn(void)
{
    timers(0, 2);
    budget = 0;
    rt.opts.stall = LATER;
    workers[0].watched = true;
    a64_init(&rt.watch_until, SOON);
    jobs[1].then = compute_until_named;
    inject_push(&rt.inject, &jobs[0].fiber.node.link);
    inject_push(&rt.inject, &jobs[1].fiber.node.link);
    named = 0;
}

static void named_it(void)
{
    MODEL_CHECK(named == 1);
    at_end();
}

MODEL(held_by_a_task, .setup = held_in_the_second_turn,
      .threads = {host, fiber, watch}, .check = named_it,
      .timeouts = MODEL_TIMEOUT_IDLE, .preemptions = 3);
