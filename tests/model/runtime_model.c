/*
 * runtime_model.c - the real sched/runtime.c: the end of a runtime against who
 * still brings work, gives a hold back, or asks whether it is over.
 *
 * Would catch: a hold whose return nobody hears of (P1), or that touches the
 * runtime when that is gone, as who wakes its last task might (ready.c); work
 * that was accepted and is not awaited (Z4); what a group's tasks did, not seen
 * after the stop (C1); a status that is read before it is there; two reports at
 * once (Z2).
 */
// MODEL-SOURCES: sched/runtime.c
// MODEL-HEADERS: sched/outside.h
// MODEL-WITH: sched/park.c sched/ready.c sched/inject.c
#include "count.h"
#include "fd.h"
#include "group.h"
#include "guest.h"
#include "model.h"
#include "offload.h"
#include "outside.h"
#include "ready.h"
#include "sim.h"
#include "worker.h"
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

static struct roost_runtime pub;
static struct runtime *const rt = &pub.rt;
static struct parker parker;
static struct frame frame;
static roost_group group;
static int noted;     /* by whoever brings work, before */
static a32 slot;      /* 1: a post lies there */
static int pool_says; /* of the offload threads, at the end */
/* Outside the model: */
static bool accepted, collected;
static int status;

/* ---- what runtime.c calls ------------------------------------------------ */

int sched_yield(void)
{
    spin_pause();
    return 0;
}

int nanosleep(const struct timespec *t, struct timespec *left)
{
    (void)t;
    (void)left;
    return sched_yield();
}

/* stdio has another one. */
ssize_t write(int fd, const void *text, size_t size)
{
    (void)fd;
    (void)text;
    return (ssize_t)size;
}

/* Nobody here is a worker. */
struct worker *worker_self(void)
{
    return NULL;
}

bool registry_forked(void)
{
    return false;
}

unsigned registry_count(void)
{
    return 1;
}

void registry_remove(struct runtime *r)
{
    MODEL_CHECK(r == rt);
}

struct runtime *runtime_self(void)
{
    return NULL;
}

bool sim_here(const struct runtime *r)
{
    (void)r;
    return false;
}

bool post_pending(struct runtime *r)
{
    (void)r;
    return a32_load(&slot, RELAXED) != 0;
}

void post_collect(struct runtime *r)
{
    (void)r;
    collected = a32_xchg(&slot, 0, ACQUIRE) == 1 || collected;
}

int background_end(struct runtime *r, roost_ns hard_time, roost_ns deadline)
{
    (void)r;
    (void)hard_time;
    (void)deadline;
    return 0;
}

bool scope_cancel_softly(struct scope *s, int64_t hard_time, unsigned reason)
{
    (void)hard_time;
    (void)reason;
    return s == &rt->root;
}

int group_wait(roost_group *g, roost_ns deadline, bool deaf)
{
    (void)g;
    (void)deadline;
    (void)deaf;
    return 0;
}

void scope_lock(struct scope *s)
{
    MODEL_CHECK(s == &rt->root);
}

void scope_unlock(struct scope *s)
{
    MODEL_CHECK(s == &rt->root);
}

int group_end(roost_group *g)
{
    (void)g;
    return 0;
}

int pool_stop(struct runtime *r, int64_t deadline)
{
    (void)r;
    (void)deadline;
    return pool_says;
}

void pool_list(struct runtime *r, int fd)
{
    (void)r;
    (void)fd;
}

int dump_runtime(struct runtime *r, int fd)
{
    (void)r;
    (void)fd;
    return 0;
}

void guest_forget(void)
{
}

void trace_end(struct runtime *r, unsigned others)
{
    (void)r;
    (void)others;
}

void signals_stop(struct runtime *r)
{
    (void)r;
}

void quit_end(struct runtime *r)
{
    (void)r;
}

void watch_stop(struct runtime *r)
{
    (void)r;
}

/* No worker is joined: what the models have of one ends by itself. */
void carriers_stop(struct runtime *r)
{
    park_wake_all(&r->park);
}

void fd_leave(struct poller *p)
{
    (void)p;
}

void poller_close(struct runtime *r)
{
    (void)r;
}

struct frame *frame_hook(void)
{
    return NULL;
}

void frame_restore(struct frame *f)
{
    (void)f;
}

void roost_errors_free(roost_errors *e)
{
    (void)e;
}

/* ---- the models ---------------------------------------------------------- */

static void begin(void)
{
    memset(&pub, 0, sizeof(pub));
    memset(&frame, 0, sizeof(frame));
    memset(&group, 0, sizeof(group));
    model_born(&pub, sizeof(pub));
    rt->root_frame = &frame;
    rt->grace = ROOST_S;
    list_init(&frame.scopes);
    park_init(&rt->park, 1);
    parker_init(&parker);
    a32_init(&slot, 0);
    noted = pool_says = 0;
    accepted = collected = false;
    status = 1;
}

static void held(void)
{
    begin();
    outside_add(rt);
}

static void gives_back(void)
{
    plain_write(noted, 42);
    outside_drop(rt);
}

/* The last worker to sleep asks whether anything is out, as quiet.c does: it
 * hears of the last hold, and sees what was done under it. */
static void sleeps_last(void)
{
    bool searching = false;

    for (;;) {
        (void)park_announce(&rt->park, &parker, searching);
        if (!outside_any(rt)) {
            break;
        }
        MODEL_CHECK(park_sleep(&parker, INT64_MAX));
        searching = true;
    }
    MODEL_CHECK(plain_read(noted) == 42);
}

MODEL(last_hold, .setup = held, .threads = {gives_back, sleeps_last},
      .preemptions = 4, .timeouts = MODEL_TIMEOUT_NEVER);

/* After the stop the runtime is freed. */
static void stops(void)
{
    status = roost_stop(&pub);
    MODEL_CHECK(status == 0 && plain_read(noted) == 42);
    model_dead(&pub, sizeof(pub));
}

MODEL(hold_at_the_end, .setup = held, .threads = {gives_back, stops},
      .preemptions = 4);

/* A task of a group ends. */
static void group_with_a_task(void)
{
    begin();
    list_push_back(&frame.scopes, &group.scope.attach);
    a64_init(&group.scope.count, COUNT_CHILD);
}

static void task_ends(void)
{
    plain_write(noted, 42);
    a64_add(&group.scope.count, (uint64_t)-COUNT_CHILD, RELEASE);
}

MODEL(group_at_the_end, .setup = group_with_a_task,
      .threads = {task_ends, stops}, .preemptions = 4);

/* A thread that is not the runtime's wakes its last task, which a worker has at
 * once and ends: that thread has yet to look who sleeps. */
static struct fiber woken;

static void with_a_waiter(void)
{
    group_with_a_task();
    memset(&woken, 0, sizeof(woken));
    woken.runtime = rt;
    inject_init(&rt->inject);
}

static void wakes_the_last(void)
{
    ready_push(&woken);
}

static void ends_the_last(void)
{
    while (inject_pop(&rt->inject) == NULL) {
        spin_pause();
    }
    task_ends();
}

MODEL(wake_at_the_end, .setup = with_a_waiter,
      .threads = {wakes_the_last, ends_the_last, stops}, .preemptions = 3);

/* Z4: as post.c does it. */
static void posts(void)
{
    a32_store(&slot, 1, RELEASE);
    fence_full();
    accepted = a32_load(&rt->shut, RELAXED) == 0;
}

static void stops_after_posts(void)
{
    MODEL_CHECK(roost_stop(&pub) == 0);
}

static void was_awaited(void)
{
    MODEL_CHECK(!accepted || collected);
}

MODEL(post_at_the_end, .setup = begin, .threads = {posts, stops_after_posts},
      .check = was_awaited, .preemptions = 4);

/* P4: a worker that goes to sleep finds that it is to leave, or is woken. */
static void worker_leaves(void)
{
    bool searching = false;

    while (a32_load(&rt->stopping, RELAXED) == 0) {
        (void)park_announce(&rt->park, &parker, searching);
        if (a32_load(&rt->stopping, RELAXED) != 0) {
            break;
        }
        MODEL_CHECK(park_sleep(&parker, INT64_MAX));
        searching = true;
    }
}

MODEL(worker_at_the_end, .setup = begin,
      .threads = {worker_leaves, stops_after_posts}, .preemptions = 4,
      .timeouts = MODEL_TIMEOUT_NEVER);

/* The stop may be repeated; it failed. */
static void late(void)
{
    begin();
    pool_says = -ETIMEDOUT;
}

static void stops_late(void)
{
    MODEL_CHECK(roost_stop(&pub) == -ETIMEDOUT);
}

static void stops_again(void)
{
    while (a32_load(&rt->stopped, RELAXED) == 0) {
        spin_pause();
    }
    MODEL_CHECK(roost_stop(&pub) == -ETIMEDOUT);
}

static void frees_nothing(void)
{
    while (a32_load(&rt->stopped, RELAXED) == 0) {
        spin_pause();
    }
    roost_runtime_free(&pub);
}

MODEL(stop_is_repeated, .setup = late,
      .threads = {stops_late, stops_again, frees_nothing}, .preemptions = 3);

/* Z2: one report at a time. */
static void counts(const roost_errors *e, const char *task, void *ctx)
{
    (void)e;
    (void)task;
    (void)ctx;
    plain_write(noted, plain_read(noted) + 1);
}

static void with_hook(void)
{
    begin();
    rt->on_error = counts;
}

static void reports(void)
{
    runtime_report(rt, NULL, -EIO, "t");
}

static void all_reported(void)
{
    MODEL_CHECK(noted == 2);
}

MODEL(one_report_at_a_time, .setup = with_hook, .threads = {reports, reports},
      .check = all_reported, .preemptions = 4);

/* V2: who reads the new time sees what was done before. */
static void virtual_time(void)
{
    begin();
    rt->opts.clock = ROOST_CLOCK_VIRTUAL;
}

static void jumps(void)
{
    plain_write(noted, 42);
    a64_store(&rt->virtual_now, 7, RELEASE);
}

static void reads(void)
{
    if (runtime_now(rt) == 7) {
        MODEL_CHECK(plain_read(noted) == 42);
    }
}

MODEL(new_time, .setup = virtual_time, .threads = {jumps, reads},
      .preemptions = 4);
