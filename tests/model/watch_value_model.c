/*
 * watch_value_model.c - the real sync/watch.c: the newest value, and those who
 * wait for a newer one.
 *
 * Would catch: a reader that sleeps on although there is a newer value, or the
 * end; a last value that cannot be read after the close (R53); one read while
 * it was written; a value that comes with another's number; a close that still
 * stands on the watch when the reader has freed it (R67).
 */
// MODEL-SOURCES: sync/watch.c
// MODEL-WITH: sched/wait.c sched/wait_row.c sched/wait_thread.c
#include "sync_rooms.h"

enum { LAST = 3 };

static roost_watch *watch;
static uint64_t seen[2]; /* outside the model: the version each has read */
static int status;       /* of the last wait of T0 */
static roost_ns deadline;

static void setup(void)
{
    uint64_t first = 1;

    rooms_begin();
    watch = roost_watch_new(sizeof(uint64_t), &first);
    seen[0] = seen[1] = 1;
    status = -EAGAIN;
    deadline = ROOST_NEVER;
}

/* Until the end, or what else stops it. The value is its number. */
static int reads_all(void)
{
    int i = model_self();
    int rc;

    do {
        uint64_t item = 0, version = seen[i];

        rc = roost_watch_next_until(watch, &item, &version,
                                    i == 0 ? deadline : ROOST_NEVER);
        if (rc == 0) {
            MODEL_CHECK(item == version && version > seen[i]);
            seen[i] = version;
        } else {
            MODEL_CHECK(item == 0 && version == seen[i]);
        }
    } while (rc == 0);
    return rc;
}

static void reader(void)
{
    task_begin();
    MODEL_CHECK(reads_all() == -EPIPE);
    task_end();
}

static void reader_frees(void)
{
    task_begin();
    MODEL_CHECK(reads_all() == -EPIPE);
    roost_watch_free(watch);
    task_end();
}

static void reader_or_not(void)
{
    task_begin();
    status = reads_all();
    task_end();
}

static void setter(void)
{
    task_begin();
    for (uint64_t n = 2; n <= LAST; n++) {
        MODEL_CHECK(roost_watch_set(watch, &n) == 0);
    }
    MODEL_CHECK(roost_watch_close(watch) == 0);
    task_end();
}

/* Looks without waiting. */
static void looker(void)
{
    uint64_t item = 0, version = 0;

    task_begin();
    MODEL_CHECK(roost_watch_get(watch, &item, &version) == 0);
    MODEL_CHECK(item == version);
    task_end();
}

static void ender(void)
{
    end_task(0);
}

static void read_last(void)
{
    MODEL_CHECK(seen[0] == LAST);
    MODEL_CHECK(model_live() == 0);
}

MODEL(set_next_free, .setup = setup, .threads = {reader_frees, setter},
      .check = read_last, .preemptions = 3, .flags = ONE);

/* No close comes after it that would wake the reader, too. */
static void sets_one(void)
{
    uint64_t n = 2;

    task_begin();
    MODEL_CHECK(roost_watch_set(watch, &n) == 0);
    task_end();
}

static void reads_one(void)
{
    uint64_t item = 0, version = 1;

    task_begin();
    MODEL_CHECK(roost_watch_next(watch, &item, &version) == 0);
    MODEL_CHECK(item == 2 && version == 2);
    roost_watch_free(watch);
    task_end();
}

MODEL(set_free, .setup = setup, .threads = {reads_one, sets_one},
      .preemptions = 3, .flags = ONE);

static void both_read_last(void)
{
    MODEL_CHECK(seen[0] == LAST && seen[1] == LAST);
    roost_watch_free(watch);
}

MODEL(two_read, .setup = setup, .threads = {reader, reader, setter, looker},
      .check = both_read_last, .flags = ONE);

static void setup_late(void)
{
    setup();
    deadline = soon();
}

static void second_read_last(void)
{
    saw(status);
    MODEL_CHECK(seen[1] == LAST);
    MODEL_CHECK(status != -EPIPE || seen[0] == LAST);
    roost_watch_free(watch); /* the other stands in no queue any more */
}

MODEL(next_or_end, .setup = setup_late,
      .threads = {reader_or_not, reader, setter, ender},
      .check = second_read_last, .flags = ONE,
      .must_see = SAW_CANCELLED | SAW_LATE | SAW_CLOSED);
