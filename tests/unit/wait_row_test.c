/*
 * wait_row_test.c - sched/wait_row.c: whom it wakes, in which order, and in
 * rows of how many.
 *
 * Would catch: one too few, one twice, or out of order; a row that is pushed
 * while waits are still decided; a waiter that is looked at after that; one
 * that fits no row and is pushed in one.
 */
#include "test.h"

#include "runtime.h"
#include "wait.h"

void __wrap_ready_push(struct fiber *f);
void __wrap_when_start(struct waiter *wt);
void __wrap_wait_thread_wake(struct waiter *wt);
#include "wait_fixture.h"
#include "wait_row.h"

/* --- instead of what wait.c calls, while a case watches --- */

void __real_ready_push_row(struct worker *w, const struct inject_row *row);
void __wrap_ready_push_row(struct worker *w, const struct inject_row *row);

static uint32_t rows[SEEN_MAX]; /* how long each was */
static unsigned row_count;

void __wrap_ready_push_row(struct worker *w, const struct inject_row *row)
{
    struct inject_node *node = row->first;

    if (!watching) {
        __real_ready_push_row(w, row);
        return;
    }
    CHECK(w == worker_self());
    for (uint32_t i = 0; i < row->n; i++) {
        CHECK((node == row->last) == (i + 1 == row->n));
        pushed[pushes++] = container_of(
            container_of(node, struct work_node, link), struct fiber, node);
        node = node->next;
    }
    rows[row_count++] = row->n;
}

/* --- waking several --- */

static struct waiter crowd[SEEN_MAX];
static struct fiber fibers[SEEN_MAX];

/* n that are parked on fibers of this runtime, chained in order. */
static struct waiter *chain_of(unsigned n)
{
    static struct frame frame;

    watch();
    row_count = 0;
    memset(fibers, 0, sizeof fibers);
    for (unsigned i = 0; i < n; i++) {
        crowd[i] = waiter_in(WAIT_DONE | WAIT_PARKED);
        crowd[i].fiber = &fibers[i];
        crowd[i].frame = &frame;
        crowd[i].next = i + 1 < n ? &crowd[i + 1] : NULL;
        fibers[i].runtime = runtime_self();
    }
    return n == 0 ? NULL : &crowd[0];
}

static void check_pushed(unsigned n)
{
    CHECK_EQ(pushes, n);
    for (unsigned i = 0; i < n; i++) {
        CHECK(pushed[i] == &fibers[i]);
    }
}

TEST(a_chain_is_woken_whole_in_order_and_in_rows, "R6 R62")
{
    static const unsigned sizes[] = {0, 1, 2, 63, 64, 65, 128, 130, 300};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned n = sizes[i];

        wait_wake_chain(chain_of(n));
        check_pushed(n);
        CHECK_EQ(row_count,
                 n < 2 ? 0 : (n + READY_ROW - 1) / (unsigned)READY_ROW);
        for (unsigned r = 0; r < row_count; r++) {
            CHECK_EQ(rows[r],
                     r + 1 < row_count ? READY_ROW : n - r * READY_ROW);
        }
        watching = false;
    }
}

/* Each of these is woken by itself. */
TEST(what_fits_no_row_is_woken_alone, "R6 R62")
{
    struct waiter *first = chain_of(8);
    struct runtime other;

    a32_init(&crowd[1].state, WAIT_DONE); /* not parked */
    fibers[2].runtime = &other;           /* another's */
    fibers[3].pins = 1;                   /* pinned */
    fibers[4].priority = ROOST_HIGH;      /* HIGH */
    crowd[5].fiber = NULL;                /* a thread */
    crowd[6].frame = NULL;                /* not started */
    a32_init(&crowd[6].state, WAIT_DONE | WAIT_SPAWNED);
    wait_wake_chain(first);
    watching = false;
    CHECK_EQ(state_of(&crowd[1]), WAIT_DONE | WAIT_WOKEN);
    CHECK(threads_woken == &crowd[5]);
    CHECK(started == &crowd[6]);
    CHECK_EQ(pushes, 5);
    CHECK(pushed[0] == &fibers[2]);
    CHECK(pushed[1] == &fibers[3]);
    CHECK(pushed[2] == &fibers[4]);
    CHECK(pushed[3] == &fibers[0]); /* the row, when all is looked at */
    CHECK(pushed[4] == &fibers[7]);
    CHECK_EQ(row_count, 1);
    CHECK_EQ(rows[0], 2);
}

/* A row that ends before the chain does is pushed at the chain's end, too. */
TEST(the_last_of_a_chain_may_fit_no_row, "R6 R62")
{
    struct waiter *first = chain_of(3);

    fibers[2].pins = 1;
    wait_wake_chain(first);
    watching = false;
    CHECK_EQ(pushes, 3);
    CHECK(pushed[0] == &fibers[2]);
    CHECK(pushed[1] == &fibers[0]);
    CHECK(pushed[2] == &fibers[1]);
    CHECK_EQ(row_count, 1);
}

/* --- very many that are decided under one lock --- */

/* The first n of the crowd, added one by one; nothing is queued by that. */
static struct wait_row added(unsigned n)
{
    struct wait_row row = {0};

    for (unsigned i = 0; i < n; i++) {
        wait_row_add(&row, &crowd[i]);
    }
    CHECK_EQ(pushes, 0);
    CHECK(started == NULL && threads_woken == NULL);
    return row;
}

static int one_worker_links_while_it_decides(void *arg)
{
    static const unsigned sizes[] = {0, 1, 2, 3, 64, 65, 300};

    (void)arg;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned n = sizes[i];
        struct wait_row row;

        chain_of(n);
        row = added(n);
        for (unsigned k = 1; k < n; k++) { /* not one is looked at again */
            crowd[k] = waiter_in(WAIT_IDLE);
        }
        wait_row_wake(&row);
        watching = false;
        check_pushed(n);
        CHECK_EQ(row_count, n < 2 ? 0 : 1);
        if (n > 1) {
            CHECK_EQ(rows[0], n - 1);
        }
    }
    return 0;
}

TEST_PLAIN(one_worker_links_while_it_decides, "R6 R62")
{
    roost_opts opts = {.workers = 1};

    CHECK_EQ(roost_run(one_worker_links_while_it_decides, NULL, &opts), 0);
}

static int the_others_begin_at_once(void *arg)
{
    struct wait_row row;

    (void)arg;
    chain_of(130);
    row = added(130);
    wait_row_wake(&row);
    watching = false;
    check_pushed(130);
    CHECK_EQ(row_count, 3);
    CHECK_EQ(rows[0], READY_ROW);
    return 0;
}

TEST_PLAIN(where_there_are_others_they_begin_at_once, "R6 R62")
{
    roost_opts opts = {.workers = 2};

    CHECK_EQ(roost_run(the_others_begin_at_once, NULL, &opts), 0);
}

static int what_fits_no_row_waits_for_its_turn(void *arg)
{
    struct wait_row row;

    (void)arg;
    chain_of(5);
    a32_init(&crowd[1].state, WAIT_DONE); /* not parked */
    crowd[3].fiber = NULL;                /* a thread */
    row = added(5);
    CHECK_EQ(state_of(&crowd[1]), WAIT_DONE);
    wait_row_wake(&row);
    watching = false;
    CHECK_EQ(state_of(&crowd[1]), WAIT_DONE | WAIT_WOKEN);
    CHECK(threads_woken == &crowd[3]);
    CHECK_EQ(pushes, 3);
    CHECK(pushed[0] == &fibers[0]);
    CHECK(pushed[1] == &fibers[2]);
    CHECK(pushed[2] == &fibers[4]);
    return 0;
}

TEST_PLAIN(what_fits_no_row_of_many_is_woken_alone, "R6 R62")
{
    roost_opts opts = {.workers = 1};

    CHECK_EQ(roost_run(what_fits_no_row_waits_for_its_turn, NULL, &opts), 0);
}
