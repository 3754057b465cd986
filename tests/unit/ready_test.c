/*
 * ready_test.c - sched/ready.c: where a fiber that can go on is queued, whom
 * that wakes, and what is gone on with when one is left. The workers here never
 * run, and nothing is switched to.
 *
 * Would catch: a fiber in the wrong queue, in none, or in two; a row that is
 * torn or reordered; nobody woken, or somebody where one is on the lookout; too
 * many spare loops kept, or one lost; a task alone that steps aside for nobody,
 * or does not for who is there.
 */
#define TEST_NO_RUNTIME
#include "../test.h"

#include "ready.h"
#include "runtime.h"
#include "worker.h"

enum { FIBERS = 400 };

static struct runtime rt, other;
static struct worker worker, home;
static struct worker *const w = &worker;
static struct carrier carrier;
static struct fiber fibers[FIBERS];

/* --- instead of what ready.c calls --- */

static struct worker *runs_here;
static unsigned wakes;        /* of anybody */
static struct parker *wanted; /* of this one */
static struct fiber *freed, *made, *next, *switched_to;
static fiber_commit committed;
static void *commit_arg;
static unsigned foreign;

struct worker *__wrap_worker_self(void);
void __wrap_park_wake_one(struct park *p);
void __wrap_park_wake(struct park *p, struct parker *k);
void __wrap_fiber_free(struct fiber *f);
struct fiber *__wrap_fiber_new(struct runtime *r);
struct fiber *__wrap_work_next_fiber(struct worker *me);
void __wrap_fiber_switch(struct worker *me, struct fiber *to,
                         fiber_commit commit, void *arg);
void __wrap_sim_foreign(struct runtime *r);

struct worker *__wrap_worker_self(void)
{
    return runs_here;
}

void __wrap_park_wake_one(struct park *p)
{
    CHECK(p == &rt.park);
    wakes++;
}

void __wrap_park_wake(struct park *p, struct parker *k)
{
    CHECK(p == &rt.park);
    CHECK(wanted == NULL);
    wanted = k;
}

void __wrap_fiber_free(struct fiber *f)
{
    CHECK(freed == NULL);
    freed = f;
}

struct fiber *__wrap_fiber_new(struct runtime *r)
{
    CHECK(r == &rt);
    return made;
}

struct fiber *__wrap_work_next_fiber(struct worker *me)
{
    CHECK(me == w);
    return next;
}

void __wrap_fiber_switch(struct worker *me, struct fiber *to,
                         fiber_commit commit, void *arg)
{
    CHECK(me == w);
    CHECK(switched_to == NULL);
    switched_to = to;
    committed = commit;
    commit_arg = arg;
}

void __wrap_sim_foreign(struct runtime *r)
{
    CHECK(r == &rt);
    foreign++;
}

static void begin(void)
{
    memset(&rt, 0, sizeof rt);
    memset(&worker, 0, sizeof worker);
    memset(&home, 0, sizeof home);
    memset(&fibers, 0, sizeof fibers);
    memset(&carrier, 0, sizeof carrier);
    rt.workers = w;
    rt.worker_count = 1;
    inject_init(&rt.inject);
    park_init(&rt.park, 2);
    CHECK_EQ(worker_init(w, &rt, 0), 0);
    inject_init(&home.mine);
    w->carrier = &carrier;
    for (int i = 0; i < FIBERS; i++) {
        fibers[i].runtime = &rt;
    }
    runs_here = w;
    wakes = foreign = 0;
    wanted = NULL;
    freed = made = next = switched_to = NULL;
    committed = NULL;
    commit_arg = NULL;
}

/* Nobody is in a queue that was not looked at. */
static void end(void)
{
    CHECK(slot_peek(&w->next) == NULL);
    CHECK(ring_empty(&w->ring));
    CHECK_EQ(inject_count(&w->high), 0);
    CHECK_EQ(inject_count(&w->low), 0);
    CHECK_EQ(inject_count(&w->mine), 0);
    CHECK_EQ(inject_count(&home.mine), 0);
    CHECK_EQ(inject_count(&rt.inject), 0);
    worker_destroy(w);
}

static void one_sleeps(void)
{
    a32_init(&rt.park.word, PARK_PARKED);
    CHECK(park_wanted(&rt.park));
}

static void check_popped(struct inject *q, int n)
{
    CHECK(inject_pop(q) == &fibers[n].node.link);
}

TEST(a_fiber_goes_where_it_belongs, "R60 R66 R68")
{
    begin();
    ready_push(&fibers[0]);
    ready_push(&fibers[1]);
    ready_push(&fibers[2]);
    CHECK(slot_take(&w->next) == &fibers[0]);
    CHECK(ring_pop(&w->ring) == &fibers[1]);
    CHECK(ring_pop(&w->ring) == &fibers[2]);
    fibers[3].priority = 1;
    fibers[4].priority = -1;
    ready_push(&fibers[3]);
    ready_push(&fibers[4]);
    check_popped(&w->high, 3);
    check_popped(&w->low, 4);
    fibers[5].pins = 1;
    fibers[5].home = &home;
    ready_push(&fibers[5]);
    check_popped(&home.mine, 5);
    CHECK(wanted == &home.parker);
    CHECK_EQ(wakes, 0); /* nobody sleeps */
    end();
}

TEST(from_outside_it_goes_to_any_worker, "R60")
{
    begin();
    runs_here = NULL;
    ready_push(&fibers[0]);
    check_popped(&rt.inject, 0);
    CHECK_EQ(wakes, 1);
    CHECK_EQ(foreign, 0);
    home.rt = &other;
    runs_here = &home; /* another runtime's worker */
    rt.sim = (struct sim *)&other;
    ready_push(&fibers[1]);
    check_popped(&rt.inject, 1);
    CHECK_EQ(wakes, 2);
    CHECK_EQ(foreign, 1);
    fibers[2].priority = 1;
    ready_push(&fibers[2]);
    check_popped(&rt.inject, 2);
    rt.sim = NULL;
    runs_here = w;
    end();
}

static void fill_ring(void)
{
    for (unsigned i = 0; i < RING_SIZE; i++) {
        CHECK(ring_push(&w->ring, &fibers[FIBERS - 1]));
    }
}

static void empty_ring(void)
{
    while (ring_pop(&w->ring) != NULL) {
    }
}

TEST(what_fits_no_ring_goes_to_any_worker, "R60")
{
    begin();
    fill_ring();
    slot_put(&w->next, &fibers[FIBERS - 1]);
    ready_push(&fibers[0]);
    check_popped(&rt.inject, 0);
    ready_push_back(w, &fibers[1]);
    check_popped(&rt.inject, 1);
    empty_ring();
    CHECK(slot_take(&w->next) != NULL);
    end();
}

TEST(one_that_steps_aside_goes_to_the_back, "R60 R66 R68")
{
    begin();
    ready_push_back(w, &fibers[0]);
    ready_push_back(w, &fibers[1]);
    CHECK(slot_peek(&w->next) == NULL);
    CHECK(ring_pop(&w->ring) == &fibers[0]);
    CHECK(ring_pop(&w->ring) == &fibers[1]);
    fibers[2].priority = 1;
    ready_push_back(w, &fibers[2]);
    check_popped(&w->high, 2);
    fibers[3].priority = -1;
    ready_push_back(w, &fibers[3]);
    check_popped(&w->low, 3);
    fibers[4].pins = 2;
    fibers[4].home = &home;
    ready_push_back(w, &fibers[4]);
    check_popped(&home.mine, 4);
    CHECK(wanted == &home.parker);
    CHECK_EQ(wakes, 0);
    end();
}

TEST(each_push_wakes_who_sleeps, "R60")
{
    begin();
    one_sleeps();
    ready_push(&fibers[0]);
    CHECK_EQ(wakes, 1);
    ready_push(&fibers[1]); /* the ring */
    CHECK_EQ(wakes, 2);
    fibers[2].priority = 1;
    ready_push(&fibers[2]);
    CHECK_EQ(wakes, 3);
    ready_push_back(w, &fibers[3]);
    CHECK_EQ(wakes, 4);
    CHECK(slot_take(&w->next) == &fibers[0]);
    /* What is in the slot is the owner's, as long as one is on the lookout. */
    a32_init(&rt.park.lookouts, 1);
    ready_push(&fibers[0]);
    CHECK_EQ(wakes, 4);
    ready_push(&fibers[4]);
    CHECK_EQ(wakes, 5);
    CHECK(slot_take(&w->next) == &fibers[0]);
    check_popped(&w->high, 2);
    empty_ring();
    end();
}

/* --- rows --- */

static struct inject_row row_of(int first, unsigned n)
{
    struct inject_row row = {NULL, NULL, n};

    for (unsigned i = 0; i < n; i++) {
        struct inject_node *node = &fibers[first + (int)i].node.link;

        node->next = i + 1 < n ? &fibers[first + (int)i + 1].node.link : NULL;
        row.first = i == 0 ? node : row.first;
        row.last = node;
    }
    return row;
}

TEST(a_row_goes_into_slot_and_ring, "R60 R62")
{
    struct inject_row row;

    begin();
    one_sleeps();
    row = row_of(0, 64);
    ready_push_row(w, &row);
    CHECK_EQ(wakes, 2); /* for the first, and for all others */
    CHECK(slot_take(&w->next) == &fibers[0]);
    CHECK_EQ(ring_count(&w->ring), 63);
    for (int i = 1; i < 64; i++) {
        CHECK(ring_pop(&w->ring) == &fibers[i]);
    }
    slot_put(&w->next, &fibers[99]);
    row = row_of(10, 3);
    ready_push_row(w, &row);
    CHECK_EQ(wakes, 3);
    CHECK(slot_take(&w->next) == &fibers[99]);
    for (int i = 10; i < 13; i++) {
        CHECK(ring_pop(&w->ring) == &fibers[i]);
    }
    row = row_of(20, 1);
    ready_push_row(w, &row);
    CHECK(slot_take(&w->next) == &fibers[20]);
    end();
}

TEST(a_row_that_fits_no_ring_goes_to_any_worker_whole, "R60 R62")
{
    struct inject_row row;

    begin();
    slot_put(&w->next, &fibers[99]);
    for (unsigned i = 0; i < RING_SIZE - 3; i++) {
        CHECK(ring_push(&w->ring, &fibers[FIBERS - 1]));
    }
    row = row_of(0, 4); /* one too many */
    ready_push_row(w, &row);
    CHECK_EQ(ring_count(&w->ring), RING_SIZE - 3);
    CHECK_EQ(inject_count(&rt.inject), 4);
    for (int i = 0; i < 4; i++) {
        check_popped(&rt.inject, i);
    }
    row = row_of(10, 3);
    ready_push_row(w, &row);
    CHECK_EQ(ring_count(&w->ring), RING_SIZE);
    CHECK_EQ(inject_count(&rt.inject), 0);
    /* The first goes into the slot also where the others find no room. */
    CHECK(slot_take(&w->next) == &fibers[99]);
    row = row_of(20, 3);
    ready_push_row(w, &row);
    CHECK(slot_take(&w->next) == &fibers[20]);
    check_popped(&rt.inject, 21);
    check_popped(&rt.inject, 22);
    empty_ring();
    end();
}

/* --- spare loops --- */

/* In the loop's turns: one more where there is none, one less where there are
 * too many. */
TEST(sixteen_spare_loops_are_kept, "R62")
{
    begin();
    for (int i = 0; i < 18; i++) {
        ready_spare(w, &fibers[i], NULL);
        CHECK_EQ(w->spares, i + 1);
        CHECK(freed == NULL);
    }
    ready_restock(w);
    CHECK(freed == &fibers[17]);
    freed = NULL;
    ready_restock(w);
    CHECK(freed == &fibers[16]);
    freed = NULL;
    ready_restock(w);
    CHECK(freed == NULL);
    CHECK_EQ(w->spares, 16);
    for (int i = 16; i-- > 0;) {
        CHECK(ready_loop(w) == &fibers[i]);
        CHECK_EQ(w->spares, i);
    }
    CHECK(ready_loop(w) == NULL); /* no memory */
    ready_restock(w);
    CHECK_EQ(w->spares, 0);
    made = &fibers[20];
    CHECK(ready_loop(w) == &fibers[20]);
    CHECK_EQ(w->spares, 0);
    made = &fibers[21];
    ready_restock(w);
    CHECK_EQ(w->spares, 1);
    CHECK(ready_loop(w) == &fibers[21]);
    fibers[1].sized = true; /* of another size than the others */
    ready_spare(w, &fibers[1], NULL);
    CHECK(freed == &fibers[1]);
    CHECK_EQ(w->spares, 0);
    end();
}

/* --- leaving --- */

static void commit(struct worker *me, struct fiber *from, void *arg)
{
    (void)me;
    (void)from;
    (void)arg;
}

static void check_leaves_for(const struct fiber *to)
{
    switched_to = NULL;
    w->budget = 1;
    ready_leave(w, commit, &rt);
    CHECK(switched_to == to);
    CHECK(committed == commit);
    CHECK(commit_arg == &rt);
    CHECK_EQ(w->budget, WORKER_BUDGET);
}

TEST(one_is_left_for_the_next_a_loop_or_the_thread, "R60")
{
    begin();
    next = &fibers[1];
    made = &fibers[2];
    check_leaves_for(&fibers[1]);
    next = NULL;
    check_leaves_for(&fibers[2]);
    made = NULL;
    check_leaves_for(&carrier.thread);
    end();
}

TEST(who_is_alone_steps_aside_for_nobody, "R7 R60")
{
    begin();
    w->turns = 3;
    w->budget = 0;
    ready_step_aside(w);
    CHECK(switched_to == NULL);
    CHECK_EQ(w->turns, 2);
    CHECK_EQ(w->budget, WORKER_BUDGET);
    ready_step_aside(w);
    CHECK_EQ(w->turns, 1);
    CHECK(switched_to == NULL);
    made = &fibers[1];
    ready_step_aside(w); /* a round is due */
    CHECK(switched_to == &fibers[1]);
    CHECK(w->pass);
    CHECK_EQ(w->turns, 1);
    end();
}

/* Left, it is queued at the back. */
static void check_steps_aside(bool pass)
{
    switched_to = NULL;
    w->turns = 10;
    w->pass = !pass;
    made = &fibers[1];
    ready_step_aside(w);
    CHECK(switched_to == &fibers[1]);
    CHECK_EQ(w->pass, pass);
    CHECK_EQ(w->turns, 10);
}

/* Not inlined: of nothing but zeros gcc makes one store of two fields, which it
 * then takes for too long. */
static __attribute__((noinline)) void push_entry(struct deque *to,
                                                 struct entry e)
{
    CHECK_EQ(deque_push(to, e), 0);
}

TEST(whoever_is_there_is_let_pass, "R7 R60")
{
    struct entry e = {NULL, NULL, NULL, NULL};

    begin();
    ring_push(&w->ring, &fibers[5]);
    check_steps_aside(false);
    committed(w, &fibers[6], commit_arg);
    CHECK(ring_pop(&w->ring) == &fibers[5]);
    CHECK(ring_pop(&w->ring) == &fibers[6]);
    slot_put(&w->next, &fibers[5]);
    check_steps_aside(false);
    CHECK(slot_take(&w->next) == &fibers[5]);
    push_entry(&w->deque, e);
    check_steps_aside(true);
    CHECK(deque_pop(&w->deque, &e));
    inject_push(&w->low, &fibers[5].node.link);
    check_steps_aside(true);
    check_popped(&w->low, 5);
    inject_push(&rt.inject, &fibers[5].node.link);
    check_steps_aside(true);
    check_popped(&rt.inject, 5);
    end();
}

TEST(who_leaves_for_a_round_gets_one_but_not_two, "R60")
{
    begin();
    w->turns = 10;
    ready_look_round(w); /* no loop, no memory: it goes on */
    CHECK(switched_to == NULL);
    CHECK_EQ(w->turns, 10);
    made = &fibers[1];
    ready_look_round(w);
    CHECK(switched_to == &fibers[1]);
    CHECK_EQ(w->turns, 0);
    committed(w, &fibers[6], commit_arg);
    CHECK(ring_pop(&w->ring) == &fibers[6]);
    switched_to = NULL;
    w->turns = WORKER_TURNS; /* the last turn was one */
    ready_look_round(w);
    CHECK(switched_to == &fibers[1]);
    CHECK_EQ(w->turns, WORKER_TURNS);
    end();
}
