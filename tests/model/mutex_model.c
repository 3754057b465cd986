/*
 * mutex_model.c - the real sync/mutex.c with held.c: one owner at a time, in
 * the end somebody for each who waits.
 *
 * Would catch: two owners; what one wrote not seen by the next; a free mutex
 * with a waiter that nobody has woken, because a hand-over met a cancel or a
 * barger; one given to a waiter that has gone (R52); waiters that are not told
 * that the owner has ended with it (R52); an unlock that still stands on the
 * mutex when the next owner has freed it (R67).
 */
// MODEL-SOURCES: sync/mutex.c
// MODEL-WITH: sched/wait.c sched/wait_thread.c sched/held.c
// MODEL-WITH: sched/wait_row.c
#include "sync_rooms.h"

enum { TAKERS = 3 };

static roost_mutex mutex;
static int users;          /* L(mutex): those still to come */
static int inside;         /* outside the model */
static int status[TAKERS]; /* of the locks: outside the model */
static roost_ns deadline;
static int64_t clock_step;

static void begin(int n)
{
    rooms_begin();
    model_clock_step(clock_step);
    model_born(&mutex, sizeof(mutex));
    MODEL_CHECK(roost_mutex_init(&mutex) == 0);
    users = n;
    inside = 0;
    deadline = ROOST_NEVER;
    for (unsigned i = 0; i < TAKERS; i++) {
        status[i] = -EAGAIN;
    }
}

static void forget(void)
{
    roost_mutex_destroy(&mutex);
    model_dead(&mutex, sizeof(mutex));
}

/* With the mutex: the last user frees it. */
static void leave(void)
{
    bool last;

    MODEL_CHECK(++inside == 1);
    last = plain_read(users) == 1;
    plain_write(users, plain_read(users) - 1);
    inside--;
    MODEL_CHECK(roost_mutex_unlock(&mutex) == 0);
    if (last) {
        forget();
    }
}

static void user(void)
{
    task_begin();
    status[model_self()] = roost_mutex_lock(&mutex);
    MODEL_CHECK(status[model_self()] == 0);
    leave();
    task_end();
}

static void user_thread(void)
{
    MODEL_CHECK(roost_mutex_lock(&mutex) == 0);
    leave();
}

static void trier(void)
{
    task_begin();
    while (roost_mutex_try_lock(&mutex) != 0) {
        spin_pause();
    }
    leave();
    task_end();
}

/* May be cancelled or too late: then it was no user. */
static void leaver(void)
{
    int i = model_self();

    task_begin();
    status[i] = roost_mutex_lock_until(&mutex, deadline);
    if (status[i] == 0) {
        MODEL_CHECK(++inside == 1);
        plain_write(users, plain_read(users));
        inside--;
        MODEL_CHECK(roost_mutex_lock(&mutex) == -EDEADLK);
        MODEL_CHECK(roost_mutex_unlock(&mutex) == 0);
    }
    MODEL_CHECK(roost_mutex_unlock(&mutex) == -EPERM);
    task_end();
}

static void ender(void)
{
    end_task(0);
}

static void setup_two(void)
{
    clock_step = 0;
    begin(2);
}

static void setup_three(void)
{
    clock_step = 0;
    begin(3);
}

MODEL(two_lock_free, .setup = setup_two, .threads = {user, user},
      .preemptions = 3, .flags = ONE);
MODEL(three_lock_free, .setup = setup_three, .threads = {user, user, user},
      .flags = ONE);
MODEL(try_lock_free, .setup = setup_two, .threads = {user, trier},
      .preemptions = 3, .flags = ONE);
MODEL(thread_lock_free, .setup = setup_two, .threads = {user_thread, user},
      .preemptions = 3, .flags = ONE | MODEL_OWN_TLS);

/* The clock goes so fast that each head has waited long enough: it is given
 * the mutex. */
static void setup_late(void)
{
    clock_step = 600 * ROOST_US;
    begin(3);
}

MODEL(given_free, .setup = setup_late, .threads = {user, user, user},
      .flags = ONE);

/* ---- leaving the queue ------------------------------------------------- */

static void setup_leave(void)
{
    clock_step = 0;
    begin(3);
    deadline = soon();
}

static void all_done(void)
{
    saw(status[0]);
    MODEL_CHECK(status[1] == 0 && status[2] == 0);
    MODEL_CHECK(plain_read(users) == 1);
    forget();
}

MODEL(lock_or_end, .setup = setup_leave, .threads = {leaver, user, user, ender},
      .check = all_done, .flags = ONE,
      .must_see = SAW_DONE | SAW_CANCELLED | SAW_LATE);

static void canceller(void)
{
    cancel_task(0);
}

static void setup_leave_late(void)
{
    clock_step = 600 * ROOST_US;
    begin(3);
}

MODEL(given_or_cancel, .setup = setup_leave_late,
      .threads = {leaver, user, user, canceller}, .check = all_done,
      .flags = ONE, .must_see = SAW_DONE | SAW_CANCELLED);

/* ---- an owner that ends ------------------------------------------------ */

static void keeper(void)
{
    task_begin();
    status[0] = roost_mutex_lock(&mutex);
    if (status[0] == 0) {
        plain_write(users, 0);
    }
    task_end();
}

static void after_keeper(void)
{
    int i = model_self();

    task_begin();
    status[i] = roost_mutex_lock(&mutex);
    if (status[i] == 0) {
        MODEL_CHECK(plain_read(users) == 2);
        MODEL_CHECK(roost_mutex_unlock(&mutex) == 0);
    }
    task_end();
}

static void dead_for_good(void)
{
    MODEL_CHECK(status[0] == 0);
    MODEL_CHECK(status[1] == 0 || status[1] == -EOWNERDEAD);
    MODEL_CHECK(status[2] == 0 || status[2] == -EOWNERDEAD);
    MODEL_CHECK(roost_mutex_try_lock(&mutex) == -EOWNERDEAD);
    forget();
    model_outcome((unsigned)(status[1] != 0) + (unsigned)(status[2] != 0));
}

MODEL(owner_ends, .setup = setup_two,
      .threads = {keeper, after_keeper, after_keeper}, .check = dead_for_good,
      .flags = ONE, .must_see = 1 | 2 | 4);
