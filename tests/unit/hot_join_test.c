/*
 * hot_join_test.c - sched/hot.c: what a parallel call leaves to its caller when
 * a thief has run it, that it is counted as a turn, and where it is inlined.
 * One worker.
 *
 * Would catch: a failure's text that is lost, leaked or freed twice; a mark
 * that does not come over; a closer's turns that are counted below zero; calls
 * that are inlined where the kernel has no barrier for their thieves.
 */
#include "../test.h"

#include "count.h"
#include "runtime.h"
#include "worker.h"
#include <errno.h>
#include <roost/hot.h>

static roost_errors *freed;
static unsigned frees;

void __real_roost_errors_free(roost_errors *e);
void __wrap_roost_errors_free(roost_errors *e);

void __wrap_roost_errors_free(roost_errors *e)
{
    if (e != NULL) {
        freed = e;
        frees++;
    }
    __real_roost_errors_free(e);
}

static void alone(roost_fn fn)
{
    roost_opts opts = {.workers = 1};

    CHECK_EQ(roost_run(fn, NULL, &opts), 0);
}

static int seven(void *arg)
{
    *(int *)arg += 1;
    return 7;
}

/* As a thief leaves it that has run it to its end. */
static roost_hot ended(int status, uint32_t marks, roost_errors *kept)
{
    return (roost_hot){.status = status, .marks = marks, .kept = kept};
}

static roost_errors *some(const char *text)
{
    CHECK_EQ(roost_fail(-EIO, "%s", text), -EIO);
    frame_current()->marks &= ~(uint32_t)F_KEPT;
    return frame_current()->kept;
}

static int take_over_each(void *arg)
{
    struct frame *f = frame_current();
    roost_errors *first = some("first"), *second = some("second");
    roost_hot h;

    (void)arg;
    frees = 0;
    h = ended(5, 0, first); /* not marked: not its own */
    CHECK_EQ(roost_hot_join_2_(&h), 5);
    CHECK(!(f->marks & (F_KEPT | F_CANCELLED)));
    h = ended(-EIO, F_KEPT, first);
    CHECK_EQ(roost_hot_join_2_(&h), -EIO);
    CHECK(f->marks & F_KEPT);
    CHECK(f->kept == first);
    CHECK_EQ(frees, 0);
    h = ended(-EIO, F_KEPT | F_CANCELLED, second);
    CHECK_EQ(roost_hot_join_2_(&h), -EIO);
    CHECK(f->marks & F_CANCELLED);
    CHECK(f->kept == second);
    CHECK_EQ(frees, 1); /* the one that it replaces */
    CHECK(freed == first);
    h = ended(0, 0, NULL);
    CHECK_EQ(roost_hot_join_2_(&h), 0);
    CHECK(f->kept == second && (f->marks & F_KEPT));
    CHECK_EQ(frees, 1);
    roost_errors_free(roost_errors_take());
    f->marks &= ~(uint32_t)F_CANCELLED;
    return 0;
}

TEST_PLAIN(what_a_thief_kept_comes_to_the_caller, "R24 R37")
{
    alone(take_over_each);
}

static uint64_t inlined(struct worker *w)
{
    return a64_load(&w->counters.inlined, RELAXED);
}

static int count_turns(void *arg)
{
    struct worker *w = worker_self();
    uint64_t before = inlined(w);
    int calls = 0;
    roost_hot h = {.fn = seven, .arg = &calls, .count = COUNT_CHILD};

    (void)arg;
    roost_hot_fork_2_(&h);
    CHECK_EQ(deque_size(&w->deque), 1);
    a32_store(&w->in_place_left, 5, RELAXED);
    CHECK_EQ(roost_hot_join_2_(&h), 7);
    CHECK_EQ(calls, 1);
    CHECK_EQ(deque_size(&w->deque), 0);
    CHECK_EQ(a32_load(&w->in_place_left, RELAXED), 4);
    CHECK_EQ(inlined(w), before);
    /* hot.h has counted to zero: it looks round, and begins anew. */
    h.count = COUNT_CHILD;
    roost_hot_fork_2_(&h);
    a32_store(&w->in_place_left, 0, RELAXED);
    CHECK_EQ(roost_hot_join_2_(&h), 7);
    CHECK_EQ(calls, 2);
    CHECK(a32_load(&w->in_place_left, RELAXED) > 0);
    CHECK(a32_load(&w->in_place_left, RELAXED) <= 1000);
    CHECK(inlined(w) > before);
    return 0;
}

TEST_PLAIN(a_call_in_place_is_a_turn, "R60")
{
    alone(count_turns);
}

static int carry_without_barrier(void *arg)
{
    struct worker *w = worker_self();
    bool asymmetric = barrier_asymmetric;
    bool inlines = roost_hot_self_2_() != NULL;

    (void)arg;
    barrier_asymmetric = false;
    worker_carried(w);
    CHECK(roost_hot_self_2_() == NULL);
    CHECK(worker_self() == w);
    barrier_asymmetric = asymmetric;
    worker_carried(w);
    CHECK((roost_hot_self_2_() != NULL) == inlines);
    CHECK(!inlines || asymmetric);
    return 0;
}

/* The inlined calls have no fence of their own. */
TEST_PLAIN(without_the_kernels_barrier_nothing_is_inlined, "R60")
{
    alone(carry_without_barrier);
}
