/*
 * background_model.c - the real sched/background.c: background tasks that end
 * by themselves while the end of the run awaits them, or others begin.
 *
 * Would catch: a keeper that its task and the end of the run both free, or
 * neither; one that is used after that; one that goes into the list, or out of
 * it, without the lock (Z3).
 */
// MODEL-SOURCES: sched/background.c
#include "group.h"
#include "handle.h"
#include "model.h"
#include "runtime.h"
#include "when.h"
#include "worker.h"
#include <string.h>

enum { TASKS = 3 };

/* A task that was begun. It can be awaited, so it is not the keeper's. */
struct begun {
    a32 word; /* 0: none, BEGUN, OVER */
    roost_fn fn;
    void *keeper; /* what its argument points at: a copy */
    roost_task *handle;
};

enum { BEGUN = 1, OVER = 2 };

static struct roost_runtime pub;
static struct runtime *const rt = &pub.rt;
static roost_group background;
static struct frame frame;
static struct begun begun[TASKS];
static unsigned count;        /* of begun: outside the model */
static unsigned ran, dropped; /* likewise */

/* ---- what background.c calls --------------------------------------------- */

bool registry_forked(void)
{
    return false;
}

struct runtime *runtime_self(void)
{
    return rt;
}

struct frame *frame_current(void)
{
    return &frame;
}

roost_ns runtime_now(const struct runtime *r)
{
    MODEL_CHECK(r == rt);
    return model_now();
}

struct task_desc *desc_new(roost_fn fn, const void *arg, size_t copy)
{
    struct task_desc *d = model_alloc(sizeof(*d) + copy);

    d->fn = fn;
    memcpy(d->copy, arg, copy);
    return d;
}

int desc_options(struct task_desc *d, const roost_task_opts *opts)
{
    d->handle = opts->handle;
    return 0;
}

void desc_free(struct task_desc *d)
{
    model_free(d);
}

int group_enter(roost_group *g)
{
    MODEL_CHECK(g == &background);
    return 0;
}

void handle_begin(roost_task *handle, struct task_desc *d)
{
    MODEL_CHECK(handle == d->handle);
}

struct env *env_hold(struct env *env)
{
    return env;
}

/* Another thread runs it. */
int desc_spawn_counted(struct task_desc *d)
{
    struct begun *b = &begun[count++];

    b->fn = d->fn;
    memcpy(&b->keeper, d->copy, sizeof(b->keeper));
    b->handle = d->handle;
    model_free(d);
    a32_store(&b->word, BEGUN, RELEASE);
    return 0;
}

static struct begun *of_handle(const void *handle)
{
    for (unsigned i = 0; i < TASKS; i++) {
        if (begun[i].handle == handle) {
            return &begun[i];
        }
    }
    MODEL_CHECK(!"a handle of no task");
    return NULL;
}

void roost_task_detach(roost_task *t)
{
    MODEL_CHECK(a32_load(&of_handle(t)->word, RELAXED) == BEGUN);
}

void handle_cancel_soft(roost_task *handle, roost_ns hard_time)
{
    (void)of_handle(handle);
    MODEL_CHECK(hard_time == 7);
}

int wait_enter(void)
{
    return 0;
}

int handle_join(struct handle *h, int *status, roost_ns deadline)
{
    struct begun *b = of_handle(h);

    MODEL_CHECK(status == NULL && deadline == 8);
    while (a32_load(&b->word, ACQUIRE) != OVER) {
        spin_pause();
    }
    return 0;
}

/* ---- the models ---------------------------------------------------------- */

static int task(void *arg)
{
    MODEL_CHECK(plain_read(*(int *)arg) == 42);
    ran++;
    return 0;
}

static void drop(void *arg)
{
    MODEL_CHECK(*(int *)arg == 42);
    dropped++;
}

static void spawn_one(void)
{
    roost_background_opts opts = {.copy = sizeof(int), .drop = drop};
    int arg = 42;

    MODEL_CHECK(roost_background("b", task, &arg, &opts) == 0);
}

static void none(void)
{
    memset(&pub, 0, sizeof(pub));
    memset(&frame, 0, sizeof(frame));
    memset(begun, 0, sizeof(begun));
    rt->background = &background;
    list_init(&rt->keepers);
    count = ran = dropped = 0;
}

static void one(void)
{
    none();
    spawn_one();
}

static void two(void)
{
    one();
    spawn_one();
}

static void run(unsigned i)
{
    struct begun *b = &begun[i];

    while (a32_load(&b->word, ACQUIRE) != BEGUN) {
        spin_pause();
    }
    MODEL_CHECK(b->fn(&b->keeper) == 0);
    a32_store(&b->word, OVER, RELEASE);
}

static void first(void)
{
    run(0);
}

static void second(void)
{
    run(1);
}

static void end_of_run(void)
{
    MODEL_CHECK(background_end(rt, 7, 8) == 0);
}

static void all_gone(void)
{
    MODEL_CHECK(ran == count && dropped == count);
    MODEL_CHECK(list_empty(&rt->keepers));
    MODEL_CHECK(model_live() == 0);
}

MODEL(ends_at_the_end, .setup = one, .threads = {first, end_of_run},
      .check = all_gone, .preemptions = 4, .flags = MODEL_ONE_FORM);
MODEL(two_end_at_the_end, .setup = two, .threads = {first, second, end_of_run},
      .check = all_gone, .preemptions = 3, .flags = MODEL_ONE_FORM);
/* One begins while another ends. */
MODEL(one_begins, .setup = one, .threads = {first, spawn_one, second},
      .check = all_gone, .preemptions = 3, .flags = MODEL_ONE_FORM);
