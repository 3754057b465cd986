/*
 * region_model.c - the real region.c and carrier.c: a task that blocks in a
 * region, the watch that takes its worker from it, the threads that carry it.
 *
 * Would catch: two threads that carry one worker, or none; a task of the region
 * that is lost, or runs on two threads; a region that stays open while the
 * watch sleeps (BR2); work behind it that never runs; a pinned task on another
 * thread than its own, or one that never gets its worker back; all workers
 * taken for quiet while a region is out, or a quiet that nobody notices after
 * it (BR4); a thread that is not joined.
 *
 * One worker. Its loop is the model's: a number of tasks that may be taken, and
 * the real queue of pinned work, the real sleep.
 */
// MODEL-SOURCES: sched/region.c sched/carrier.c
// MODEL-WITH: sched/park.c sched/inject.c
#define MODEL_RUNS 4000
#include "model.h"
#include "ready_rows.h"
#include "runtime.h"
#include "worker.h"
#include <roost/offload.h>
#include <string.h>

enum { CARRIERS = 3, TASKS = 2, STEP = 20000000 };

/* A task: on a fiber of its own, from its start to its end. */
struct task {
    struct fiber fiber;
    struct frame frame;
    void (*run)(struct task *t); /* to the end of its region, and on */
    unsigned stage;              /* of run */
    a32 blocks;                  /* it is in its region */
    a32 over;
    bool pin;
    struct carrier *on; /* pinned: where it must be */
};

static struct runtime rt;
static struct worker w;
static struct task tasks[TASKS];
static a32 fresh;             /* tasks that wait for their start */
static a32 ready;             /* those that can go on, as bits */
static a32 over, found_quiet; /* tasks; the worker slept, and it was the end */
static unsigned total;
static void *(*carrier_fn[CARRIERS])(void *);
static void *carrier_arg[CARRIERS];
static a32 carrier_state[CARRIERS]; /* 1 made, 2 ended */
static unsigned made;               /* outside the model */

__thread struct worker *worker_tls;

void worker_carried(struct worker *carried)
{
    worker_tls = carried;
}

struct worker *worker_self(void)
{
    return worker_tls;
}

/* ---- the rooms around them ----------------------------------------------- */

int runtime_thread(pthread_t *thread, void *(*fn)(void *), void *arg)
{
    unsigned i = made;

    if (made == CARRIERS) {
        return -1;
    }
    made++;
    *thread = i;
    plain_write(carrier_fn[i], fn);
    plain_write(carrier_arg[i], arg);
    a32_store(&carrier_state[i], 1, RELEASE);
    futex_wake(&carrier_state[i], 1);
    return 0;
}

void runtime_join(pthread_t thread)
{
    while (a32_load(&carrier_state[thread], ACQUIRE) != 2) {
        futex_wait(&carrier_state[thread], 1, INT64_MAX);
    }
}

static void carrier_thread(unsigned i)
{
    while (a32_load(&carrier_state[i], ACQUIRE) == 0) {
        futex_wait(&carrier_state[i], 0, INT64_MAX);
    }
    if (plain_read(carrier_fn[i]) != NULL) {
        carrier_fn[i](carrier_arg[i]);
        a32_store(&carrier_state[i], 2, RELEASE);
        futex_wake(&carrier_state[i], 1);
    }
}

static void first_carrier(void)
{
    carrier_thread(0);
}

static void second_carrier(void)
{
    carrier_thread(1);
}

static void third_carrier(void)
{
    carrier_thread(2);
}

void watch_kick(struct runtime *r)
{
    a32_add(&r->watch_word, 1, SEQ_CST);
    futex_wake(&r->watch_word, 1);
}

/* The real files are compiled as ThreadSanitizer's are. */
void *__tsan_get_current_fiber(void);
void *__tsan_get_current_fiber(void)
{
    return NULL;
}

void overflow_thread_begin(struct carrier *c)
{
    (void)c;
}

void overflow_thread_end(struct carrier *c)
{
    (void)c;
}

_Noreturn void misuse(const char *call, const void *object, const char *what)
{
    (void)object;
    (void)what;
    model_failed(__FILE__, __LINE__, call);
}

_Noreturn void task_forked_end(int status)
{
    (void)status;
    model_failed(__FILE__, __LINE__, "forked");
}

static struct fiber loop_fiber;

struct fiber *ready_loop(struct worker *worker)
{
    (void)worker;
    return &loop_fiber;
}

void fiber_free(struct fiber *f)
{
    (void)f;
}

void fiber_switch(struct worker *worker, struct fiber *to, fiber_commit commit,
                  void *arg)
{
    (void)worker;
    (void)to;
    (void)commit;
    (void)arg;
}

/* The stack of its task is left: whoever finds it ready goes on there. */
void fiber_detach(struct carrier *c, struct fiber *from)
{
    c->left = from;
}

void ready_push(struct fiber *f)
{
    struct task *t = container_of(f, struct task, fiber);

    MODEL_CHECK(!t->pin);
    a32_or(&ready, 1u << (t - tasks), RELEASE);
    fence_full();
    park_wake_one(&rt.park);
}

bool work_waits(struct worker *worker)
{
    return a32_load(&fresh, RELAXED) != 0 || a32_load(&ready, RELAXED) != 0 ||
           inject_count(&worker->mine) != 0;
}

/* ---- the loop ------------------------------------------------------------ */

/* What only the thread that carries w may do. */
static void as_carrier(void)
{
    MODEL_CHECK(worker_tls == &w);
    plain_write(w.turns, plain_read(w.turns) + 1);
}

/* False: it stands somewhere else by now. */
static bool run_task(struct carrier *c, struct task *t)
{
    as_carrier();
    w.fiber = &t->fiber;
    w.frame = &t->frame;
    plain_write(t->fiber.worker, &w);
    t->run(t);
    return c->left == NULL;
}

static bool run_some(struct carrier *c)
{
    uint32_t n = a32_load(&fresh, RELAXED);

    if (n != 0) {
        a32_store(&fresh, n - 1, RELAXED);
        run_task(c, &tasks[n - 1]);
        return true;
    }
    for (unsigned i = 0; i < TASKS; i++) {
        if (a32_and(&ready, ~(1u << i), ACQUIRE) & (1u << i)) {
            run_task(c, &tasks[i]);
            return true;
        }
    }
    return false;
}

/* As runtime_quiet, with one worker. */
static void look_for_end(void)
{
    uint64_t out = region_out(&rt);

    if (park_all(&rt.park) && (out & REGION_COUNT) == 0 &&
        region_out(&rt) == out) {
        MODEL_CHECK(a32_load(&over, RELAXED) == total);
        a32_store(&found_quiet, 1, RELEASE);
        futex_wake(&found_quiet, 1);
    }
}

static void sleep_once(void)
{
    bool all = park_announce(&rt.park, &w.parker, false);

    if (work_waits(&w) || a32_load(&rt.stopping, RELAXED) != 0) {
        (void)park_retract(&rt.park, &w.parker);
    } else {
        if (all) {
            look_for_end();
        }
        if (!park_sleep(&w.parker, INT64_MAX)) {
            (void)park_retract(&rt.park, &w.parker);
        }
    }
    (void)park_search_end(&rt.park);
}

/* As from_mine in steal.c. True: its thread gives the worker up. */
static bool claimed(void)
{
    struct inject_node *link = inject_pop(&w.mine);

    return link != NULL && w.absent != NULL && region_set_aside(&w, link);
}

void fiber_enter(struct carrier *c, struct fiber *to)
{
    (void)to;
    while (c->left == NULL && c->state == CARRIES) {
        as_carrier();
        w.fiber = &c->thread;
        if (a32_load(&rt.stopping, RELAXED) != 0) {
            c->state = LEAVES;
        } else if (inject_count(&w.mine) != 0 && claimed()) {
            carrier_give(&w);
        } else if (!run_some(c)) {
            sleep_once();
        }
    }
}

/* ---- tasks --------------------------------------------------------------- */

static void finish(struct task *t)
{
    as_carrier();
    MODEL_CHECK(plain_read(t->fiber.worker) == &w);
    MODEL_CHECK(t->on == NULL || t->on == w.carrier);
    MODEL_CHECK(a32_add(&t->over, 1, RELEASE) == 0);
    futex_wake(&t->over, 1);
    a32_add(&over, 1, RELAXED);
}

static void just_ends(struct task *t)
{
    finish(t);
}

static void enter_region(struct task *t)
{
    if (t->pin) {
        t->on = w.carrier;
        w.carrier->pins++;
    }
    t->stage = 1;
    roost_block_begin();
    MODEL_CHECK(region_here() != NULL && worker_self() == NULL);
    a32_store(&t->blocks, 1, RELEASE);
    futex_wake(&t->blocks, 1);
}

static void leave_region(struct task *t)
{
    if (!t->pin) {
        roost_block_end();
    } else {
        MODEL_CHECK(region_leave());
    }
    MODEL_CHECK(region_here() == NULL);
    if (worker_tls != NULL) { /* else it goes on where it is found ready */
        t->run(t);
    }
}

/* Nothing happens in its regions, or somebody is faster. */
static void two_regions(struct task *t)
{
    if (t->stage == 0) {
        enter_region(t);
        leave_region(t);
    } else if (t->stage++ == 1) {
        roost_block_begin();
        leave_region(t);
    } else {
        finish(t);
    }
}

/* In a region, with its thread, until *word is set. */
static void awaits(struct task *t, a32 *word)
{
    if (t->stage == 0) {
        enter_region(t);
        while (a32_load(word, ACQUIRE) == 0) {
            futex_wait(word, 0, INT64_MAX);
        }
        leave_region(t);
    } else {
        finish(t);
    }
}

static void awaits_other(struct task *t)
{
    awaits(t, &tasks[0].over);
}

static void awaits_region(struct task *t)
{
    awaits(t, &tasks[0].blocks);
}

static void awaits_first(struct task *t)
{
    awaits(t, &tasks[1].over);
}

/* ---- the watch and the end ----------------------------------------------- */

static void watch(void)
{
    for (;;) {
        uint32_t seen = a32_load(&rt.watch_word, SEQ_CST);

        if (a32_load(&rt.watch_stop, ACQUIRE) != 0) {
            break;
        }
        futex_wait(&rt.watch_word, seen, region_look(&rt));
    }
    a32_store(&rt.watch_stop, 2, RELEASE);
    futex_wake(&rt.watch_stop, 1);
}

static void stopper(void)
{
    while (a32_load(&found_quiet, ACQUIRE) == 0) {
        futex_wait(&found_quiet, 0, INT64_MAX);
    }
    a32_store(&rt.watch_stop, 1, RELEASE);
    watch_kick(&rt);
    while (a32_load(&rt.watch_stop, ACQUIRE) != 2) {
        futex_wait(&rt.watch_stop, 1, INT64_MAX);
    }
    a32_store(&rt.stopping, 1, RELEASE);
    fence_full();
    carriers_stop(&rt);
    for (unsigned i = 0; i < CARRIERS; i++) { /* those that were not needed */
        uint32_t none = 0;

        if (a32_cas(&carrier_state[i], &none, 3, RELAXED, RELAXED)) {
            futex_wake(&carrier_state[i], 1);
        }
    }
    carriers_free(&rt);
}

static void begin(unsigned n)
{
    memset(&rt, 0, sizeof(rt));
    memset(&w, 0, sizeof(w));
    memset(tasks, 0, sizeof(tasks));
    memset(carrier_fn, 0, sizeof(carrier_fn));
    memset(carrier_state, 0, sizeof(carrier_state));
    made = 0;
    model_clock_step(STEP);
    rt.workers = &w;
    rt.worker_count = 1;
    rt.opts.offload_idle = INT64_MAX;
    park_init(&rt.park, 1);
    carriers_init(&rt);
    parker_init(&w.parker);
    inject_init(&w.mine);
    inject_init(&w.aside);
    w.rt = &rt;
    a32_init(&fresh, n);
    a32_init(&ready, 0);
    a32_init(&over, 0);
    a32_init(&found_quiet, 0);
    total = n;
    for (unsigned i = 0; i < TASKS; i++) {
        tasks[i].fiber.runtime = &rt;
        tasks[i].run = just_ends;
    }
    MODEL_CHECK(carrier_start(&rt, &w) == 0);
}

static void ends(void)
{
    MODEL_CHECK(a32_load(&over, RELAXED) == total);
    MODEL_CHECK((region_out(&rt) & REGION_COUNT) == 0);
    MODEL_CHECK(w.absent == NULL && aptr_load(&w.claim, RELAXED) == NULL);
    MODEL_CHECK(model_live() == 0);
}

static void regions(void)
{
    begin(1);
    tasks[0].run = two_regions;
}

/* The end against the watch. */
MODEL(races, .setup = regions,
      .threads = {first_carrier, second_carrier, third_carrier, watch, stopper},
      .check = ends, .preemptions = 3, .steps = 4000, .flags = MODEL_OWN_TLS);

static void blocked(void)
{
    begin(2);
    tasks[1].run = awaits_other;
}

/* What lies behind the one that blocks. */
MODEL(goes_on, .setup = blocked,
      .threads = {first_carrier, second_carrier, third_carrier, watch, stopper},
      .check = ends, .steps = 4000, .timeouts = MODEL_TIMEOUT_IDLE,
      .flags = MODEL_OWN_TLS);

static void blocked_pinned(void)
{
    begin(2);
    tasks[1].run = awaits_other;
    tasks[1].pin = true;
}

MODEL(comes_back, .setup = blocked_pinned,
      .threads = {first_carrier, second_carrier, third_carrier, watch, stopper},
      .check = ends, .steps = 4000, .flags = MODEL_OWN_TLS);

static void nested(void)
{
    begin(2);
    tasks[0].run = two_regions;
    tasks[1].run = awaits_other;
}

/* The one behind is in a region itself, on the next thread. */
MODEL(in_turn, .setup = nested,
      .threads = {first_carrier, second_carrier, third_carrier, watch, stopper},
      .check = ends, .steps = 6000, .flags = MODEL_OWN_TLS);

static void blocked_by_region(void)
{
    begin(2);
    tasks[0].run = awaits_first;
    tasks[1].run = awaits_region;
    tasks[1].pin = true;
}

/* Its worker comes back to it out of another one's region. */
MODEL(comes_back_from_region, .setup = blocked_by_region,
      .threads = {first_carrier, second_carrier, third_carrier, watch, stopper},
      .check = ends, .steps = 6000, .timeouts = MODEL_TIMEOUT_IDLE,
      .flags = MODEL_OWN_TLS);
