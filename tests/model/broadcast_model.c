/*
 * broadcast_model.c - the real sync/broadcast.c: every item to every
 * subscriber, who may be too slow.
 *
 * Would catch: an item that is neither received nor told as missed; one that
 * was read while it was overwritten; a subscriber that sleeps on although
 * there is something for it, or the end; a close that still stands on the ring
 * when the reader has freed it (R67).
 */
// MODEL-SOURCES: sync/broadcast.c
// MODEL-WITH: sched/wait.c sched/wait_row.c sched/wait_thread.c
// MODEL-HEADERS: sync/queue.h
#include "sync_rooms.h"

enum { ITEMS = 3 };

static roost_broadcast *ring;
static roost_subscriber subs[2];
static unsigned next[2]; /* outside the model: what each reads next */
static int status;       /* of the last receive of T0 */
static roost_ns deadline;

static void begin(size_t keep)
{
    rooms_begin();
    ring = roost_broadcast_new(sizeof(unsigned), keep);
    for (unsigned i = 0; i < 2; i++) {
        MODEL_CHECK(roost_subscriber_init(&subs[i], ring) == 0);
        next[i] = 0;
    }
    status = -EAGAIN;
    deadline = ROOST_NEVER;
}

/* Until the end, or what else stops it. */
static int reads_all(void)
{
    int i = model_self();
    int rc;

    do {
        unsigned item = ITEMS;

        rc = roost_subscriber_recv_until(&subs[i], &item,
                                         i == 0 ? deadline : ROOST_NEVER);
        MODEL_CHECK(item == (rc == 0 ? next[i] : ITEMS));
        next[i] += rc == 0 ? 1U : rc > 0 ? (unsigned)rc : 0;
    } while (rc >= 0);
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
    roost_broadcast_free(ring);
    task_end();
}

static void reader_or_not(void)
{
    task_begin();
    status = reads_all();
    task_end();
}

static void sender(void)
{
    task_begin();
    for (unsigned n = 0; n < ITEMS; n++) {
        MODEL_CHECK(roost_broadcast_send(ring, &n) == 0);
    }
    MODEL_CHECK(roost_broadcast_close(ring) == 0);
    task_end();
}

static void ender(void)
{
    end_task(0);
}

static void keep_1(void)
{
    begin(1);
}

static void keep_2(void)
{
    begin(2);
}

static void read_all(void)
{
    MODEL_CHECK(next[0] == ITEMS);
    MODEL_CHECK(model_live() == 0);
}

MODEL(keep_1_free, .setup = keep_1, .threads = {reader_frees, sender},
      .check = read_all, .preemptions = 3, .flags = ONE);
MODEL(keep_2_free, .setup = keep_2, .threads = {reader_frees, sender},
      .check = read_all, .preemptions = 3, .flags = ONE);

/* No close comes after it that would wake the reader, too. */
static void sends_one(void)
{
    unsigned n = 0;

    task_begin();
    MODEL_CHECK(roost_broadcast_send(ring, &n) == 0);
    task_end();
}

static void reads_one(void)
{
    unsigned item = ITEMS;

    task_begin();
    MODEL_CHECK(roost_subscriber_recv(&subs[0], &item) == 0 && item == 0);
    roost_subscriber_destroy(&subs[0]);
    roost_broadcast_free(ring);
    task_end();
}

MODEL(send_free, .setup = keep_1, .threads = {reads_one, sends_one},
      .preemptions = 3, .flags = ONE);

static void both_read_all(void)
{
    MODEL_CHECK(next[0] == ITEMS && next[1] == ITEMS);
    roost_broadcast_free(ring);
}

MODEL(two_read, .setup = keep_2, .threads = {reader, reader, sender},
      .check = both_read_all, .flags = ONE);

static void keep_1_late(void)
{
    begin(1);
    deadline = soon();
}

static void second_read_all(void)
{
    saw(status);
    MODEL_CHECK(next[1] == ITEMS);
    MODEL_CHECK(status != -EPIPE || next[0] == ITEMS);
    roost_broadcast_free(ring); /* the other stands in no queue any more */
}

MODEL(read_or_end, .setup = keep_1_late,
      .threads = {reader_or_not, reader, sender, ender},
      .check = second_read_all, .flags = ONE,
      .must_see = SAW_CANCELLED | SAW_LATE | SAW_CLOSED);
