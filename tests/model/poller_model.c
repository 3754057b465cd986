/*
 * poller_model.c - the real sched/poller.c in the real loop of workers, beside
 * the watch: descriptors that become ready while workers sleep, compute, or
 * change from one to the other.
 *
 * Would catch: a ready descriptor that nobody looks at, because the worker that
 * was to sleep there and who kept it from that have missed each other, or the
 * watch takes a worker for one that sleeps there; a wake-up for a worker in the
 * poller that never reaches it; two threads in the poller at once; a runtime
 * that is taken for quiet while what has come is on its way.
 *
 * The system is one word: a bit for each descriptor that is ready, one for the
 * bell. Taking them, like a system call, orders what its lock does.
 */
// MODEL-SOURCES: sched/poller.c
// MODEL-WITH: sched/worker.c sched/watch.c sched/steal.c sched/ready.c
// MODEL-WITH: sched/park.c sched/deque.c sched/ring.c sched/inject.c
// MODEL-WITH: sched/timer.c sched/wheel.c sched/base/sleeplock.c
// MODEL-WITH: sched/lookout.c sched/slot.c
// MODEL-WITH: sched/sharing.c
#define QUIET_MODEL /* see workers.h */
#include "fd.h"
#include "wait_row.h"
#include "watch_rooms.h"
#include <errno.h>

#define BELL (1u << 31)

static a32 system_word;           /* what is ready */
static a32 standing[JOBS];        /* whose task waits */
static struct waiter waits[JOBS]; /* of job i, for descriptor i */
static unsigned inside;           /* threads in pollset_wait: outside */
static int became, handed;        /* events that came, that woke: outside */
static bool refuses;              /* the system does not let anybody wait */
static a32 begun;

/* ---- the system ---------------------------------------------------------- */

int pollset_open(struct pollset *p)
{
    plain_write(p->set, 1);
    return 0;
}

void pollset_close(struct pollset *p)
{
    (void)p;
}

static int fill(struct epoll_event *events, uint32_t bits)
{
    int n = 0;

    for (unsigned i = 0; i < JOBS; i++) {
        if (bits & 1u << i) {
            events[n++].data.u64 = i;
        }
    }
    if (bits & BELL) {
        events[n++].data.u64 = POLLSET_BELL;
    }
    return n;
}

int pollset_wait(const struct pollset *p, struct epoll_event *events, int max,
                 int64_t until)
{
    uint32_t bits;

    MODEL_CHECK(plain_read(p->set) == 1 && max >= JOBS + 1);
    MODEL_CHECK(inside++ == 0);
    if (refuses && until != 0) {
        inside--;
        return -ENOMEM;
    }
    while ((bits = a32_xchg(&system_word, 0, ACQ_REL)) == 0 && until != 0 &&
           futex_wait(&system_word, 0, until) != -ETIMEDOUT) {
    }
    inside--;
    return fill(events, bits);
}

int pollset_ready(const struct pollset *p)
{
    (void)p;
    return a32_add(&system_word, 0, ACQ_REL) != 0;
}

static void becomes(uint32_t bits)
{
    a32_or(&system_word, bits, ACQ_REL);
    became += bits != BELL;
    futex_wake(&system_word, 1);
}

void pollset_ring(const struct pollset *p)
{
    (void)p;
    becomes(BELL);
}

/* ---- the table: who waits for what --------------------------------------- */

void fd_event(struct runtime *r, const struct epoll_event *event,
              struct waiter ***end)
{
    unsigned i = (unsigned)event->data.u64;

    if (a32_xchg(&standing[i], 0, ACQ_REL) != 0) {
        plain_write(jobs[i].given, 1);
        poller_await_end(r);
        **end = &waits[i];
        *end = &waits[i].next;
    }
}

void wait_wake_chain(struct waiter *chain)
{
    while (chain != NULL) {
        struct waiter *next = chain->next;

        ready_push(chain->fiber);
        handed++;
        chain = next;
    }
}

bool wait_timeout(struct waiter *wt)
{
    (void)wt;
    return true;
}

/* ---- workers alone ------------------------------------------------------- */

/* As quiet.c asks: nothing may be on its way when it goes on. */
bool runtime_quiet(struct runtime *r, int64_t *again)
{
    bool ending = ends_quiet && a64_load(&rt.outside, ACQUIRE) == 0;

    uint32_t firing = a32_load(&r->firing, ACQUIRE);
    int due = became;

    (void)again;
    if (firing % 2 != 0 || !park_all(&r->park) || !poller_quiet(r, ending) ||
        !park_all(&r->park) || a32_load(&r->firing, RELAXED) != firing) {
        return false;
    }
    MODEL_CHECK(handed >= due);
    if (ending) {
        MODEL_CHECK(done == total);
        stop();
        stop_watch();
    }
    return false;
}

static void prepare(unsigned workers_n, unsigned n)
{
    begin(workers_n, n);
    rt.park.poke = poller_poke;
    a64_init(&rt.outside, 1);
    a64_init(&rt.watch_until, (uint64_t)INT64_MAX);
    a32_init(&system_word, 0);
    a32_init(&begun, 0);
    for (unsigned i = 0; i < JOBS; i++) {
        a32_init(&standing[i], 0);
        memset(&waits[i], 0, sizeof(waits[i]));
        waits[i].fiber = &jobs[i].fiber;
    }
    inside = 0;
    became = handed = 0;
    refuses = false;
}

/* A task of job i waits. */
static void stands(unsigned i)
{
    a32_store(&standing[i], 1, RELEASE);
    poller_await(&rt);
}

static void begin_to_wait(void)
{
    MODEL_CHECK(poller_make(&rt) == 0);
    stands(1);
    a32_store(&begun, 1, RELEASE);
}

static void device(void)
{
    while (a32_load(&begun, ACQUIRE) == 0) {
        spin_pause();
    }
    becomes(1u << 1);
}

static void one_waits(void)
{
    prepare(1, 2);
    jobs[0].then = begin_to_wait;
    inject_push(&rt.inject, &jobs[0].fiber.node.link);
}

MODEL(one_worker, .setup = one_waits, .threads = {worker, device},
      .check = ends, .preemptions = 4);

static void two_workers(void)
{
    one_waits();
    rt.worker_count = 2;
    park_init(&rt.park, 2);
    rt.park.poke = poller_poke;
    MODEL_CHECK(worker_init(&workers[1], &rt, 1) == 0);
    loops[1].worker = &workers[1];
}

MODEL(two_workers, .setup = two_workers, .threads = {worker, worker, device},
      .check = ends);

/* Work comes from outside while a worker sleeps there: the bell. */
static void pusher(void)
{
    while (a32_load(&begun, ACQUIRE) == 0) {
        spin_pause();
    }
    ready(2);
}

static void only_pushed(void)
{
    one_waits();
    total = 2;
}

/* The descriptor never becomes ready: the end finds it there, too. */
MODEL(woken_by_the_bell, .setup = only_pushed, .threads = {worker, pusher},
      .check = ends, .preemptions = 4);

static void both_come(void)
{
    two_workers();
    total = 3;
}

MODEL(work_and_events, .setup = both_come,
      .threads = {worker, worker, device, pusher}, .check = ends);

static void refused(void)
{
    only_pushed();
    refuses = true;
}

MODEL(system_refuses, .setup = refused, .threads = {worker, pusher},
      .check = ends, .preemptions = 4);

/* ---- quiet --------------------------------------------------------------- */

/* What has been taken and is on its way is not missed by the last to sleep;
 * and whoever sleeps there is asked. */
static void device_and_leaves(void)
{
    device();
    a64_store(&rt.outside, 0, RELEASE);
    fence_full();
    if (park_all(&rt.park)) {
        park_wake_one(&rt.park);
    }
}

static void ends_when_quiet(void)
{
    two_workers();
    ends_quiet = true;
}

MODEL(nothing_on_its_way, .setup = ends_when_quiet,
      .threads = {worker, worker, device_and_leaves}, .check = ends);

/* ---- the watch ----------------------------------------------------------- */

static void compute_until_seen(void)
{
    while (a32_load(&standing[1], RELAXED) != 0) {
        spin_pause();
    }
}

/* It sleeps in the poller, is woken for something else, and computes. */
static void waker_and_device(void)
{
    pusher();
    device();
}

static void watched(unsigned n)
{
    prepare(1, n);
    MODEL_CHECK(watch_start(&rt) == 0);
    jobs[1].then = stop_watch;
    inject_push(&rt.inject, &jobs[0].fiber.node.link);
}

static void woken_to_compute(void)
{
    watched(3);
    jobs[0].then = begin_to_wait;
    jobs[2].then = compute_until_seen;
}

MODEL(computes_after_sleep, .setup = woken_to_compute,
      .threads = {worker, watch, waker_and_device}, .check = ends,
      .timeouts = MODEL_TIMEOUT_IDLE);

/* The same, while the watch comes and goes. */
MODEL(computes_after_ticks, .setup = woken_to_compute,
      .threads = {worker, watch, waker_and_device}, .check = ends,
      .preemptions = 3, .timeouts = MODEL_TIMEOUT_ANY);

/* It begins to wait, and another task computes. */
static void wait_and_compute(void)
{
    begin_to_wait();
    compute_until_seen();
}

static void computing(void)
{
    watched(2);
    jobs[0].then = wait_and_compute;
}

MODEL(computes_at_once, .setup = computing, .threads = {worker, watch, device},
      .check = ends, .timeouts = MODEL_TIMEOUT_IDLE);

/* The system lets no worker sleep there: they sleep elsewhere, the watch looks,
 * and the last of them is not to miss what it has taken, nor to be left with
 * what it was told while the watch was at it. */
static void only_the_watch(void)
{
    watched(2);
    jobs[0].then = begin_to_wait;
    jobs[1].then = NULL;
    refuses = true;
    ends_quiet = true;
}

MODEL(watch_looks_for_sleepers, .setup = only_the_watch,
      .threads = {worker, watch, device_and_leaves}, .check = ends,
      .preemptions = 3, .timeouts = MODEL_TIMEOUT_IDLE);

/* F1: all sleep, and the last of them asks while the watch looks: who sees that
 * its look is over sees whom it has woken. */
static void asks(void)
{
    int64_t again;

    worker_tls = &workers[0];
    (void)runtime_quiet(&rt, &again);
}

static void looks(void)
{
    (void)poller_watch(&rt);
}

static void asleep_and_ready(void)
{
    prepare(1, 1);
    begin_to_wait();
    becomes(1u << 1);
    a64_init(&rt.outside, 0);
    ends_quiet = true;
    model_advance(1000000000); /* the last look was long ago */
    park_announce(&rt.park, &workers[0].parker, false);
}

static void not_quiet(void)
{
    MODEL_CHECK(handed == 1 && a32_load(&rt.stopping, RELAXED) == 0);
}

MODEL(looked_was_woken, .setup = asleep_and_ready, .threads = {asks, looks},
      .check = not_quiet, .preemptions = 3, .weak = 4);

/* ---- making it ----------------------------------------------------------- */

static void maker(void)
{
    MODEL_CHECK(poller_make(&rt) == 0);
    MODEL_CHECK(plain_read(rt.poller.set.set) == 1);
}

static void nothing(void)
{
    prepare(2, 0);
}

MODEL(made_once, .setup = nothing, .threads = {maker, maker, maker},
      .preemptions = 4);
