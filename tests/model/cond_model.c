/*
 * cond_model.c - the real sync/cond.c with mutex.c and held.c.
 *
 * Would catch: a signal that comes between giving up the mutex and waiting,
 * and wakes nobody; one that a cancelled waiter takes along (R50); a wait that
 * comes back without the mutex (R50); a waiter that the broadcast has left
 * out; an access to the condition after the waiter has freed it (R67).
 */
// MODEL-SOURCES: sync/cond.c
// MODEL-WITH: sync/mutex.c sched/wait.c sched/wait_thread.c sched/held.c
// MODEL-WITH: sched/wait_row.c
#include "sync_rooms.h"

static roost_mutex mutex;
static roost_cond cond;
static int ready;     /* L(mutex) */
static int status[2]; /* of the waits: outside the model */
static roost_ns deadline;

static void setup(void)
{
    rooms_begin();
    model_born(&mutex, sizeof(mutex));
    model_born(&cond, sizeof(cond));
    MODEL_CHECK(roost_mutex_init(&mutex) == 0);
    MODEL_CHECK(roost_cond_init(&cond) == 0);
    ready = 0;
    status[0] = status[1] = -EAGAIN;
    deadline = ROOST_NEVER;
}

static void setup_late(void)
{
    setup();
    deadline = soon();
}

static void lock(void)
{
    MODEL_CHECK(roost_mutex_lock(&mutex) == 0);
}

static void unlock(void)
{
    MODEL_CHECK(roost_mutex_unlock(&mutex) == 0);
}

/* With the mutex, in every outcome. */
static int await_ready(void)
{
    int i = model_self();
    int rc = 0;

    while (rc == 0 && plain_read(ready) == 0) {
        rc = roost_cond_wait_until(&cond, &mutex,
                                   i == 0 ? deadline : ROOST_NEVER);
    }
    status[i] = plain_read(ready) != 0 ? 0 : rc;
    return rc;
}

static void waiter(void)
{
    task_begin();
    lock();
    await_ready();
    unlock();
    task_end();
}

static void waiter_frees(void)
{
    task_begin();
    lock();
    MODEL_CHECK(await_ready() == 0);
    unlock();
    roost_cond_destroy(&cond);
    model_dead(&cond, sizeof(cond));
    roost_mutex_destroy(&mutex);
    model_dead(&mutex, sizeof(mutex));
    task_end();
}

/* Under the mutex: who has that afterwards may free both. */
static void signaller(void)
{
    task_begin();
    lock();
    plain_write(ready, 1);
    MODEL_CHECK(roost_cond_signal(&cond) == 0);
    unlock();
    task_end();
}

static void broadcaster(void)
{
    task_begin();
    lock();
    plain_write(ready, 1);
    MODEL_CHECK(roost_cond_broadcast(&cond) == 0);
    unlock();
    task_end();
}

MODEL(signal_free, .setup = setup, .threads = {waiter_frees, signaller},
      .preemptions = 3, .flags = ONE);
MODEL(broadcast_free, .setup = setup, .threads = {waiter_frees, broadcaster},
      .preemptions = 3, .flags = ONE);

static void both_told(void)
{
    MODEL_CHECK(status[0] == 0 && status[1] == 0);
}

MODEL(broadcast_two, .setup = setup, .threads = {waiter, waiter, broadcaster},
      .check = both_told, .flags = ONE);

/* ---- one signal, one of two is cancelled or too late ------------------- */

/* Only a wait that was completed has used up a signal: it gives one on. */
static void waiter_passes_on(void)
{
    int i = model_self();

    task_begin();
    lock();
    if (plain_read(ready) == 0) {
        status[i] = roost_cond_wait_until(&cond, &mutex,
                                          i == 0 ? deadline : ROOST_NEVER);
        if (status[i] == 0) {
            MODEL_CHECK(roost_cond_signal(&cond) == 0);
        }
    } else {
        status[i] = 0;
    }
    unlock();
    task_end();
}

static void ender(void)
{
    end_task(0);
}

static void second_told(void)
{
    saw(status[0]);
    MODEL_CHECK(status[1] == 0);
    MODEL_CHECK(roost_mutex_try_lock(&mutex) == 0);
    unlock();
    roost_cond_destroy(&cond);
}

MODEL(signal_or_end, .setup = setup_late,
      .threads = {waiter_passes_on, waiter_passes_on, signaller, ender},
      .check = second_told, .flags = ONE,
      .must_see = SAW_DONE | SAW_CANCELLED | SAW_LATE);

/* The mutex is dead when the waiter comes back. */
static void keeper(void)
{
    task_begin();
    lock();
    plain_write(ready, 1);
    MODEL_CHECK(roost_cond_signal(&cond) == 0);
    task_end();
}

static void waiter_of_keeper(void)
{
    int rc;

    task_begin();
    if (roost_mutex_lock(&mutex) == 0) {
        rc = roost_cond_wait(&cond, &mutex);
        MODEL_CHECK(rc == -EOWNERDEAD);
        MODEL_CHECK(roost_mutex_unlock(&mutex) == -EPERM);
    }
    status[0] = 0;
    task_end();
}

static void came_back(void)
{
    MODEL_CHECK(status[0] == 0);
}

MODEL(owner_ends, .setup = setup, .threads = {waiter_of_keeper, keeper},
      .check = came_back, .preemptions = 3, .flags = ONE);
