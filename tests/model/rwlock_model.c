/*
 * rwlock_model.c - the real sync/rwlock.c with held.c: many readers or one
 * writer.
 *
 * Would catch: a writer beside anybody else; what it wrote not seen; a reader
 * or writer left behind when room was made, also by a writer at the head that
 * has gone away; a lock given to a waiter that has gone; barging past a writer
 * that waits (R46, R52); an unlock that still stands on the lock when the next
 * holder has freed it (R67).
 */
// MODEL-SOURCES: sync/rwlock.c
// MODEL-WITH: sched/wait.c sched/wait_thread.c sched/held.c
// MODEL-WITH: sched/wait_row.c
#include "sync_rooms.h"

enum { TAKERS = 3 };

static roost_rwlock rwlock;
static int value;            /* L(rwlock) */
static int users;            /* L(rwlock, written): those still to come */
static int readers, writers; /* outside the model */
static int status[TAKERS];   /* of the locks: outside the model */
static roost_ns deadline;
static a32 stage; /* writer_leaves: 1 held for reading, 2 by both */

static void begin(int n)
{
    rooms_begin();
    model_born(&rwlock, sizeof(rwlock));
    MODEL_CHECK(roost_rwlock_init(&rwlock) == 0);
    value = 0;
    users = n;
    readers = writers = 0;
    a32_init(&stage, 0);
    deadline = ROOST_NEVER;
    for (unsigned i = 0; i < TAKERS; i++) {
        status[i] = -EAGAIN;
    }
}

static void forget(void)
{
    roost_rwlock_destroy(&rwlock);
    model_dead(&rwlock, sizeof(rwlock));
}

static void unlock(void)
{
    MODEL_CHECK(roost_rwlock_unlock(&rwlock) == 0);
}

static void while_reading(void)
{
    readers++;
    MODEL_CHECK(writers == 0);
    MODEL_CHECK(plain_read(value) >= 0);
    readers--;
}

static void while_writing(void)
{
    writers++;
    MODEL_CHECK(writers == 1 && readers == 0);
    plain_write(value, plain_read(value) + 1);
    writers--;
}

static void reader(void)
{
    int i = model_self();

    task_begin();
    status[i] = roost_rwlock_rdlock(&rwlock);
    MODEL_CHECK(status[i] == 0);
    while_reading();
    unlock();
    task_end();
}

static void writer(void)
{
    int i = model_self();

    task_begin();
    status[i] = roost_rwlock_wrlock(&rwlock);
    MODEL_CHECK(status[i] == 0);
    while_writing();
    unlock();
    task_end();
}

static void setup(void)
{
    begin(0);
}

static void all_had_it(void)
{
    MODEL_CHECK(status[0] == 0 && status[1] == 0 && status[2] == 0);
    MODEL_CHECK(roost_rwlock_try_wrlock(&rwlock) == 0);
    MODEL_CHECK(roost_rwlock_try_rdlock(&rwlock) == -EDEADLK);
    unlock();
    forget();
}

MODEL(write_read_write, .setup = setup, .threads = {writer, reader, writer},
      .check = all_had_it, .flags = ONE);
MODEL(write_read_read, .setup = setup, .threads = {writer, reader, reader},
      .check = all_had_it, .flags = ONE);

/* ---- the last writer frees it ------------------------------------------ */

static void writer_frees(void)
{
    bool last;

    task_begin();
    MODEL_CHECK(roost_rwlock_wrlock(&rwlock) == 0);
    last = plain_read(users) == 1;
    plain_write(users, plain_read(users) - 1);
    unlock();
    if (last) {
        forget();
    }
    task_end();
}

static void setup_two(void)
{
    begin(2);
}

MODEL(write_free, .setup = setup_two, .threads = {writer_frees, writer_frees},
      .preemptions = 3, .flags = ONE);

/* T1 writes, T0 waits to read, T2 waits to write, gets it after both, and then
 * frees it. */
static void writer_after(void)
{
    task_begin();
    await_waiting(0);
    MODEL_CHECK(roost_rwlock_try_wrlock(&rwlock) == -EAGAIN);
    MODEL_CHECK(roost_rwlock_wrlock(&rwlock) == 0);
    unlock();
    forget();
    task_end();
}

static void writer_first(void)
{
    task_begin();
    MODEL_CHECK(roost_rwlock_wrlock(&rwlock) == 0);
    plain_write(value, 7);
    await_waiting(0);
    await_waiting(2);
    unlock();
    task_end();
}

static void read_seven(void)
{
    MODEL_CHECK(status[0] == 7);
}

static void reader_late(void)
{
    task_begin();
    while (roost_rwlock_try_rdlock(&rwlock) == 0) {
        unlock(); /* before the writer had it */
        spin_pause();
    }
    MODEL_CHECK(roost_rwlock_rdlock(&rwlock) == 0);
    status[0] = plain_read(value);
    unlock();
    task_end();
}

MODEL(chain_free, .setup = setup,
      .threads = {reader_late, writer_first, writer_after}, .check = read_seven,
      .flags = ONE);

/* ---- leaving the queue ------------------------------------------------- */

/* A writer that may be cancelled or too late. */
static void leaver(void)
{
    task_begin();
    status[0] = roost_rwlock_wrlock_until(&rwlock, deadline);
    if (status[0] == 0) {
        while_writing();
        unlock();
    }
    task_end();
}

static void ender(void)
{
    end_task(0);
}

static void setup_leave(void)
{
    begin(0);
    deadline = soon();
}

static void others_had_it(void)
{
    saw(status[0]);
    status[0] = 0;
    all_had_it();
}

MODEL(write_or_end, .setup = setup_leave,
      .threads = {leaver, writer, reader, ender}, .check = others_had_it,
      .flags = ONE, .must_see = SAW_DONE | SAW_CANCELLED | SAW_LATE);

/* A reader holds it and stays; the writer at the head goes away; the reader
 * behind it gets in. */
static void reader_stays(void)
{
    task_begin();
    MODEL_CHECK(roost_rwlock_rdlock(&rwlock) == 0);
    a32_store(&stage, 1, RELEASE);
    await_waiting(2);
    cancel_task(0);
    while (a32_load(&stage, ACQUIRE) != 2) {
        spin_pause();
    }
    unlock();
    status[1] = 0;
    task_end();
}

static void writer_behind(void)
{
    task_begin();
    while (a32_load(&stage, ACQUIRE) == 0) {
        spin_pause();
    }
    status[0] = roost_rwlock_wrlock_until(&rwlock, ROOST_NEVER);
    task_end();
}

static void reader_behind(void)
{
    task_begin();
    await_waiting(0);
    MODEL_CHECK(roost_rwlock_try_rdlock(&rwlock) == -EAGAIN);
    MODEL_CHECK(roost_rwlock_rdlock(&rwlock) == 0);
    status[2] = 0;
    a32_store(&stage, 2, RELEASE);
    unlock();
    task_end();
}

static void writer_left(void)
{
    MODEL_CHECK(status[0] == -ECANCELED);
    status[0] = 0;
    all_had_it();
}

MODEL(writer_leaves, .setup = setup,
      .threads = {writer_behind, reader_stays, reader_behind},
      .check = writer_left, .flags = ONE);

/* ---- a writer that ends ------------------------------------------------ */

static void keeper(void)
{
    task_begin();
    MODEL_CHECK(roost_rwlock_wrlock(&rwlock) == 0);
    plain_write(value, 7);
    status[0] = 0;
    task_end();
}

static void reader_after(void)
{
    task_begin();
    status[1] = roost_rwlock_rdlock(&rwlock);
    if (status[1] == 0) {
        MODEL_CHECK(plain_read(value) == 0);
        unlock();
    }
    task_end();
}

static void writer_of_two(void)
{
    task_begin();
    status[2] = roost_rwlock_wrlock(&rwlock);
    if (status[2] == 0) {
        MODEL_CHECK(plain_read(value) == 0);
        unlock();
    }
    task_end();
}

static void dead_for_good(void)
{
    MODEL_CHECK(status[0] == 0);
    MODEL_CHECK(status[1] == 0 || status[1] == -EOWNERDEAD);
    MODEL_CHECK(status[2] == 0 || status[2] == -EOWNERDEAD);
    MODEL_CHECK(roost_rwlock_try_rdlock(&rwlock) == -EOWNERDEAD);
    forget();
    model_outcome((unsigned)(status[1] != 0) + (unsigned)(status[2] != 0));
}

MODEL(writer_ends, .setup = setup,
      .threads = {keeper, reader_after, writer_of_two}, .check = dead_for_good,
      .flags = ONE, .must_see = 1 | 2 | 4);
