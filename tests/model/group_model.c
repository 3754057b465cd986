/*
 * group_model.c - the real group.c: a plain thread submits, waits and frees
 * while workers run what it has submitted and the runtime is cancelled.
 *
 * Would catch: a wait that nobody ends, or that ends while a child is left; a
 * child's writes not seen after it (R61); an access to the group after free
 * (the last child, a canceller that walks down from the root); work from
 * outside that is counted before it is said.
 */
// MODEL-SOURCES: sched/group.c
// MODEL-HEADERS: sched/count.h
// MODEL-WITH: sched/handle.c sched/join.c sched/task.c sched/spawn.c
// MODEL-WITH: sched/scope.c
// MODEL-WITH: sched/close.c sched/cancel.c sched/chain.c sched/hooks.c
// MODEL-WITH: sched/deadline.c sched/wait.c sched/wait_thread.c sched/timer.c
// MODEL-WITH: sched/wheel.c
// MODEL-WITH: sched/deque.c sched/ring.c sched/inject.c sched/park.c
// MODEL-WITH: sched/slot.c
// MODEL-WITH: sched/in_place.c
// MODEL-WITH: sched/wait_row.c
#include "group.h"
#include "rooms_tasks.h"

enum { CHILDREN = 2 };

static roost_group *group;
static int results[CHILDREN]; /* written by the children */
static unsigned children;     /* to be submitted: outside the model */
static unsigned ended;        /* children: outside the model */
static a32 waited;            /* how many have waited for the group */
static bool awaited;          /* by the end: outside the model */

static void begin(unsigned n)
{
    tasks_begin(0);
    a32_init(&waited, 0);
    children = n;
    ended = 0;
    awaited = false;
    memset(results, 0, sizeof(results));
    MODEL_CHECK(roost_group_new(&group, (roost_runtime *)&rt, NULL) == 0);
}

static int child(void *arg)
{
    plain_write(results[(uintptr_t)arg], 1);
    ended++;
    return 0;
}

/* A worker that runs what is submitted, until all has ended. */
static void runner(void)
{
    rooms_worker();
    while (ended < children) {
        if (!rooms_injected()) {
            spin_pause();
        }
    }
}

static void submit(void)
{
    for (uintptr_t i = 0; i < children; i++) {
        MODEL_CHECK(roost_group_submit(group, child, (void *)i, NULL, NULL) ==
                    0);
    }
}

static void see_results(void)
{
    for (unsigned i = 0; i < children; i++) {
        MODEL_CHECK(plain_read(results[i]) == 1);
    }
}

static void ends_well(void)
{
    rooms_check();
    MODEL_CHECK(ended == children);
    MODEL_CHECK(model_live() == TASKS); /* the deques: no group */
}

/* ---- wait, free ---------------------------------------------------------- */

static void submits_and_waits(void)
{
    submit();
    MODEL_CHECK(roost_group_wait(group) == 0);
    see_results();
    MODEL_CHECK(roost_group_free(group) == 0);
}

static void submits_and_frees(void)
{
    submit();
    MODEL_CHECK(roost_group_free(group) == 0);
    see_results();
}

static void one_child(void)
{
    begin(1);
}

static void two_children(void)
{
    begin(2);
}

MODEL(wait, .setup = one_child, .threads = {submits_and_waits, runner},
      .check = ends_well, .preemptions = 3, .flags = MODEL_OWN_TLS);
MODEL(wait_for_two, .setup = two_children,
      .threads = {submits_and_waits, runner, runner}, .check = ends_well,
      .flags = MODEL_OWN_TLS);
MODEL(free_for_two, .setup = two_children,
      .threads = {submits_and_frees, runner, runner}, .check = ends_well,
      .flags = MODEL_OWN_TLS);

/* Two wait; whoever is the last frees it. */
static void wait_and_free(void)
{
    MODEL_CHECK(roost_group_wait(group) == 0);
    see_results();
    if (a32_add(&waited, 1, ACQ_REL) == 1) {
        MODEL_CHECK(roost_group_free(group) == 0);
    }
}

static void first_waiter(void)
{
    submit();
    a32_store(&open_now, 1, RELEASE);
    wait_and_free();
}

static void second_waiter(void)
{
    await_open();
    wait_and_free();
}

MODEL(two_wait, .setup = one_child,
      .threads = {first_waiter, second_waiter, runner}, .check = ends_well,
      .flags = MODEL_OWN_TLS);

/* ---- a cancel from the root ---------------------------------------------- */

/* As quiet.c and the end of a run: it finds the group, pins it, lets it go. */
static void root_canceller(void)
{
    rooms_worker();
    scope_cancel_with(&rt.root, ROOST_REASON_SHUTDOWN, 0, "");
}

MODEL(free_or_cancel, .setup = one_child,
      .threads = {submits_and_frees, runner, root_canceller},
      .check = ends_well, .flags = MODEL_OWN_TLS);

/* ---- what is on its way from outside ------------------------------------- */

/* As post.c: said, then counted. Whoever sees it counted must see it said, or
 * quiet.c takes a run that has just begun for stuck. */
static void posts(void)
{
    a64_add(&rt.outside, 1, RELAXED);
    submit();
    await_open();
    MODEL_CHECK(roost_group_free(group) == 0);
}

static void asks_for_deadlock(void)
{
    uint64_t count = a64_load(&group->scope.count, ACQUIRE);

    MODEL_CHECK((count & COUNT_CHILDREN) == 0 ||
                a64_load(&rt.outside, RELAXED) != 0);
    a32_store(&open_now, 1, RELEASE);
}

MODEL(said_before_counted, .setup = one_child,
      .threads = {posts, asks_for_deadlock, runner}, .check = ends_well,
      .flags = MODEL_OWN_TLS);

/* ---- the end of the run (Z4) --------------------------------------------- */

static void last_frees(void)
{
    if (a32_add(&waited, 1, ACQ_REL) == 1) {
        MODEL_CHECK(roost_group_free(group) == 0);
    }
}

/* As runtime.c does it, and then its waiting: what was accepted has ended. */
static void shuts(void)
{
    a32_store(&rt.shut, 1, RELEASE);
    fence_full();
    MODEL_CHECK(group_wait(group, ROOST_NEVER, true) == 0);
    awaited = true;
    last_frees();
}

static int child_in_time(void *arg)
{
    MODEL_CHECK(!awaited);
    return child(arg);
}

static void submits_at_the_end(void)
{
    int rc = roost_group_submit(group, child_in_time, NULL, NULL, NULL);

    MODEL_CHECK(rc == 0 || rc == -ESHUTDOWN);
    if (rc != 0) {
        children = 0;
    }
    last_frees();
}

MODEL(shut, .setup = one_child, .threads = {submits_at_the_end, shuts, runner},
      .check = ends_well, .preemptions = 3, .flags = MODEL_OWN_TLS);
