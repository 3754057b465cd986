/*
 * sem_model.c - the real sync/sem.c: permits that go from hand to hand, under
 * cancel and deadline at every point.
 *
 * Would catch: a permit that is lost or made, above all where a hand-over
 * meets a cancel; a waiter left behind although there is enough, also behind a
 * large request that has gone away (R51); barging past the queue (R51); a
 * release that still stands on the semaphore when the acquirer has freed it
 * (R67).
 */
// MODEL-SOURCES: sync/sem.c
// MODEL-WITH: sched/wait.c sched/wait_row.c sched/wait_thread.c
// MODEL-HEADERS: sync/queue.h
#include "sync_rooms.h"

enum { THREE = 3 };

static roost_sem sem;
static int message;       /* written before the release */
static int inside;        /* outside the model: how many have a permit */
static int status[THREE]; /* of the acquires: outside the model */
static unsigned wants[THREE];
static roost_ns deadline[THREE];

static void begin(unsigned permits, unsigned max)
{
    rooms_begin();
    model_born(&sem, sizeof(sem));
    MODEL_CHECK(roost_sem_init(&sem, permits, max) == 0);
    message = 0;
    inside = 0;
    for (unsigned i = 0; i < THREE; i++) {
        status[i] = -EAGAIN;
        wants[i] = 1;
        deadline[i] = ROOST_NEVER;
    }
}

static int acquire(void)
{
    int i = model_self();

    status[i] = roost_sem_acquire_until(&sem, wants[i], deadline[i]);
    return status[i];
}

static void forget(void)
{
    roost_sem_destroy(&sem);
    model_dead(&sem, sizeof(sem));
}

/* ---- once acquired it is gone ------------------------------------------ */

static void acquirer(void)
{
    task_begin();
    MODEL_CHECK(acquire() == 0);
    MODEL_CHECK(plain_read(message) == 42);
    forget();
    task_end();
}

static void trier(void)
{
    task_begin();
    while (roost_sem_try_acquire(&sem, 1) != 0) {
        spin_pause();
    }
    MODEL_CHECK(plain_read(message) == 42);
    forget();
    task_end();
}

static void releaser(void)
{
    task_begin();
    plain_write(message, 42);
    MODEL_CHECK(roost_sem_release(&sem, 1) == 0);
    task_end();
}

static void setup_none(void)
{
    begin(0, 1);
}

MODEL(release_acquire_free, .setup = setup_none,
      .threads = {acquirer, releaser}, .preemptions = 3, .flags = ONE);
MODEL(release_try_free, .setup = setup_none, .threads = {trier, releaser},
      .preemptions = 3, .flags = ONE);

/* ---- permits are conserved --------------------------------------------- */

static void user(void)
{
    task_begin();
    if (acquire() == 0) {
        MODEL_CHECK(++inside == 1);
        plain_write(message, plain_read(message) + 1);
        inside--;
        MODEL_CHECK(roost_sem_release(&sem, 1) == 0);
    }
    task_end();
}

static void ender(void)
{
    end_task(0);
}

static void setup_one(void)
{
    begin(1, 1);
    deadline[0] = soon();
}

/* The one permit is there, and only that. */
static void all_back(void)
{
    MODEL_CHECK(status[1] == 0);
    saw(status[0]);
    MODEL_CHECK(roost_sem_try_acquire(&sem, 1) == 0);
    MODEL_CHECK(roost_sem_try_acquire(&sem, 1) == -EAGAIN);
    forget();
}

MODEL(conserved, .setup = setup_one, .threads = {user, user, ender},
      .check = all_back, .flags = ONE,
      .must_see = SAW_DONE | SAW_CANCELLED | SAW_LATE);
MODEL(conserved_three, .setup = setup_one, .threads = {user, user, user, ender},
      .check = all_back, .flags = ONE,
      .must_see = SAW_DONE | SAW_CANCELLED | SAW_LATE);

/* ---- a large request at the head --------------------------------------- */

static void taker(void)
{
    task_begin();
    acquire();
    task_end();
}

/* Behind the large one, which goes away. */
static void behind(void)
{
    task_begin();
    await_waiting(0);
    MODEL_CHECK(acquire() == 0);
    task_end();
}

static void ends_when_both_wait(void)
{
    await_waiting(1);
    end_task(0);
}

static void setup_large(void)
{
    begin(1, 2);
    wants[0] = 2;
    deadline[0] = soon();
}

static void small_has_it(void)
{
    MODEL_CHECK(status[0] == -ECANCELED || status[0] == -ETIMEDOUT);
    MODEL_CHECK(roost_sem_try_acquire(&sem, 1) == -EAGAIN);
    forget();
}

MODEL(large_leaves, .setup = setup_large,
      .threads = {taker, behind, ends_when_both_wait}, .check = small_has_it,
      .flags = ONE);

/* Nobody passes it by: what is released goes to it, and the small one, which
 * could have had that, is too late. */
static void releases_one(void)
{
    task_begin();
    await_waiting(0);
    MODEL_CHECK(roost_sem_release(&sem, 1) == 0);
    task_end();
}

static void small_behind(void)
{
    task_begin();
    await_waiting(0);
    MODEL_CHECK(acquire() == -ETIMEDOUT);
    task_end();
}

static void ticker(void)
{
    expire_task(1);
}

static void setup_large_first(void)
{
    begin(1, 2);
    wants[0] = 2;
    deadline[1] = soon();
}

static void large_has_it(void)
{
    MODEL_CHECK(status[0] == 0);
    MODEL_CHECK(roost_sem_try_acquire(&sem, 1) == -EAGAIN);
    forget();
}

MODEL(large_first, .setup = setup_large_first,
      .threads = {taker, small_behind, releases_one, ticker},
      .check = large_has_it, .flags = ONE);

/* ---- what is released belongs to who waits ----------------------------- */

static void release_and_try(void)
{
    task_begin();
    await_waiting(0);
    MODEL_CHECK(roost_sem_release(&sem, 1) == 0);
    MODEL_CHECK(roost_sem_try_acquire(&sem, 1) == -EAGAIN);
    MODEL_CHECK(roost_sem_release(&sem, 2) == -EOVERFLOW);
    task_end();
}

static void handed_over(void)
{
    MODEL_CHECK(status[0] == 0);
}

MODEL(no_barging, .setup = setup_none, .threads = {taker, release_and_try},
      .check = handed_over, .preemptions = 3, .flags = ONE);
