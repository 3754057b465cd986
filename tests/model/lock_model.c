/*
 * lock_model.c - the real sync/lock.c and lock.h: the lock of an object.
 *
 * Would catch: two holders at once; what one wrote not seen by the next; a
 * sleeper that nobody wakes because it and the releaser have missed each
 * other; an access to the lock after the store that gives it up, when the last
 * who used the object frees it (R67).
 */
// MODEL-SOURCES: sync/lock.c
// MODEL-HEADERS: sync/lock.h
#define MODEL_RUNS 6000
#include "lock.h"
#include "model.h"
#include "wait.h"

static struct object {
    struct lock lock;
    unsigned users; /* L(lock): the last one frees it */
} * object;
static struct lock other; /* of another object, perhaps in the same place */
static unsigned other_count;

/* What it costs is of no interest here. */
int64_t wait_busy_begin(void)
{
    return 0;
}

void wait_busy_end(int64_t began)
{
    MODEL_CHECK(began == 0);
}

static void begin(unsigned users)
{
    object = model_alloc(sizeof(*object));
    object->users = users;
    a32_init(&object->lock.word, 0);
    a32_init(&other.word, 0);
    a32_init(&lock_sleepers, 0);
    other_count = 0;
}

static void pass(void)
{
    unsigned left;

    lock_acquire(&object->lock);
    left = plain_read(object->users) - 1;
    plain_write(object->users, left);
    lock_release(&object->lock);
    if (left == 0) {
        model_free(object);
    }
}

static void pass_other(void)
{
    lock_acquire(&other);
    plain_write(other_count, plain_read(other_count) + 1);
    lock_release(&other);
}

static void none_left(void)
{
    MODEL_CHECK(model_live() == 0);
    MODEL_CHECK(a32_load(&lock_sleepers, RELAXED) == 0);
    MODEL_CHECK(a32_load(&other.word, RELAXED) == 0);
}

static void two(void)
{
    begin(2);
}

static void three(void)
{
    begin(3);
}

MODEL(two_pass, .setup = two, .threads = {pass, pass}, .check = none_left,
      .preemptions = 4, .flags = MODEL_EINTR);
MODEL(three_pass, .setup = three, .threads = {pass, pass, pass},
      .check = none_left, .preemptions = 3);

/* A sleeper is counted for all locks: who releases another one wakes for
 * nothing, and must not take the sleeper for its own. */
static void pass_both(void)
{
    pass_other();
    pass();
}

MODEL(two_locks, .setup = two, .threads = {pass_both, pass_both},
      .check = none_left, .preemptions = 3);
