/*
 * wait_row.c - waking several at once: what an event, a cancel or the end of a
 * channel has won.
 *
 * WHAT    Queues the tasks of many won waits, in order, by few shared accesses,
 *         and looks at the lines of each as rarely as it can: those of 10^5
 *         tasks that wait are in no cache.
 * MODEL   A waiter whose task has left its stack (PARKED, wait.c) and is not
 *         pinned, of a priority or another runtime's goes into a row of ready
 *         fibers (ready.c); any other is woken by itself. Rows end after
 *         READY_ROW, so that other workers begin with the first while the rest
 *         is put together. A lone worker has nobody who could: it links a
 *         fiber where its wait is won, under the object's lock, and queues all
 *         after the unlock.
 * INVARIANTS
 *   - Who is in a row is decided and PARKED: nothing runs it but the queue, so
 *     its waiter and fiber stay until the row is pushed (R6, R67).
 *   - The first of a wait_row is never in its row: he takes the run-next slot.
 * ORDER
 *   W3, W4  (wait.c) PARKED: acquire, before the fiber is touched
 * COST    In a row: 4 stores; 12 ns each for a lone worker, 80 where they are
 *         in no cache. docs/decisions/0038-one-look-at-each-waiter.md
 */
#include "wait_row.h"

#include "base/ahead.h"
#include "observe/events.h"
#include "ready.h"
#include "runtime.h"
#include "worker.h"

/* A task that has left its stack, to be queued here with others? */
static bool goes_into_row(struct worker *w, struct waiter *wt)
{
    return wt->fiber != NULL && wt->frame != NULL &&
           (a32_load(&wt->state, ACQUIRE /* W3 W4 */) & WAIT_PARKED) &&
           ready_plain(w, wt->fiber);
}

/* Its last access: it goes on as soon as the row is pushed. */
static void add_to_row(struct inject_row *row, struct waiter *wt)
{
    struct inject_node *node = &wt->fiber->node.link;

    EVENT(wake(wt));
    if (row->n++ == 0) {
        row->first = node;
    } else {
        row->last->next = node;
    }
    row->last = node;
}

/* Two or more. */
static __attribute__((noinline)) void wake_several(struct waiter *first)
{
    struct worker *w = worker_self();
    struct inject_row row = {NULL, NULL, 0};

    while (first != NULL) {
        struct waiter *next = first->next;

        if (next != NULL) {
            intptr_t far = AHEAD_STEPS * ahead_step(first, next);

            __builtin_prefetch(next->fiber, 1);
            ahead_fetch(first, far, 2);
            ahead_fetch(first->fiber, far, 1);
        }
        if (!goes_into_row(w, first)) {
            wait_wake(first);
        } else {
            add_to_row(&row, first);
        }
        if (row.n == READY_ROW || (next == NULL && row.n > 0)) {
            ready_push_row(w, &row);
            row.n = 0;
        }
        first = next;
    }
}

void wait_wake_chain(struct waiter *first)
{
    if (first == NULL) {
        return;
    }
    if (likely(first->next == NULL)) {
        wait_wake(first);
    } else {
        wake_several(first);
    }
}

void wait_row_add(struct wait_row *r, struct waiter *wt)
{
    struct worker *w = worker_self();

    if (r->first != NULL && w != NULL && w->rt->worker_count == 1 &&
        goes_into_row(w, wt)) {
        add_to_row(&r->left, wt);
    } else {
        wait_row_put(r, wt);
    }
}

void wait_row_wake(const struct wait_row *r)
{
    wait_wake_chain(r->first);
    if (r->left.n > 0) {
        ready_push_row(worker_self(), &r->left);
    }
}
