/*
 * chan_many_model.c - the real sync/chan_many.c: many items in one call, which
 * may be cut short.
 *
 * Would catch: an item that is counted and not sent, or sent and not counted,
 * when the call is cancelled, too late or closed on its way (R8, R47); items
 * out of order; a peer left behind in the middle of a batch;
 * a receiver that looks for more in a channel that its sender has freed (R67).
 */
// MODEL-SOURCES: sync/chan_many.c
// MODEL-WITH: sync/chan.c sync/chan_new.c sync/items.c sched/wait.c
// MODEL-WITH: sched/wait_thread.c
// MODEL-WITH: sched/wait_row.c
#include "sync_rooms.h"

enum { ITEMS = 3, FIRST = 10 };

static roost_chan *chan;
static int sent, received, dropped; /* outside the model */
static int status;                  /* of what may be ended */
static roost_ns deadline;

static void on_drop(void *item)
{
    MODEL_CHECK(*(int *)item >= FIRST);
    dropped++;
}

static void begin(size_t capacity)
{
    roost_chan_opts opts = {.on_drop = on_drop};

    rooms_begin();
    chan = roost_chan_new_opts(sizeof(int), capacity, &opts);
    sent = received = dropped = 0;
    status = -EAGAIN;
    deadline = ROOST_NEVER;
}

static void sends_many(void)
{
    static const int items[ITEMS] = {FIRST, FIRST + 1, FIRST + 2};

    task_begin();
    status = roost_chan_send_many_until(chan, items, ITEMS, deadline);
    sent = status < 0 ? 0 : status;
    roost_chan_close(chan);
    task_end();
}

static void sends_singly(void)
{
    int item = FIRST;

    task_begin();
    while (sent < ITEMS && roost_chan_send(chan, &item) == 0) {
        sent++;
        item++;
    }
    roost_chan_close(chan);
    task_end();
}

static void receives_many(void)
{
    int rc;

    task_begin();
    do {
        int items[2] = {0, 0};

        rc = roost_chan_recv_many(chan, items, 2);
        for (int i = 0; i < 2; i++) {
            MODEL_CHECK(items[i] == (i < rc ? FIRST + received + i : 0));
        }
        received += rc > 0 ? rc : 0;
    } while (rc > 0);
    MODEL_CHECK(rc == -EPIPE);
    task_end();
}

static void receives_singly(void)
{
    int item, rc;

    task_begin();
    while ((rc = roost_chan_recv(chan, &item)) == 0) {
        MODEL_CHECK(item == FIRST + received);
        received++;
    }
    task_end();
}

static void all_came(void)
{
    MODEL_CHECK(sent == ITEMS && received == ITEMS);
    roost_chan_free(chan);
    MODEL_CHECK(model_live() == 0);
}

static void room_0(void)
{
    begin(0);
}

static void room_1(void)
{
    begin(1);
}

MODEL(many_0, .setup = room_0, .threads = {sends_many, receives_many},
      .check = all_came, .preemptions = 3, .flags = ONE);
MODEL(many_1, .setup = room_1, .threads = {sends_many, receives_many},
      .check = all_came, .preemptions = 3, .flags = ONE);
MODEL(many_to_one, .setup = room_1, .threads = {sends_many, receives_singly},
      .check = all_came, .preemptions = 3, .flags = ONE);
MODEL(one_to_many, .setup = room_1, .threads = {sends_singly, receives_many},
      .check = all_came, .preemptions = 3, .flags = ONE);

/* At a rendezvous the sender knows that its item was received: the receiver of
 * many does not come back to the channel (R67). */
static void receives_some(void)
{
    int items[2] = {0, 0};

    task_begin();
    received = roost_chan_recv_many(chan, items, 2);
    MODEL_CHECK(received == 1 && items[0] == FIRST && items[1] == 0);
    task_end();
}

static void sends_and_frees(void)
{
    int item = FIRST;

    task_begin();
    MODEL_CHECK(roost_chan_send(chan, &item) == 0);
    roost_chan_free(chan);
    task_end();
}

static void one_came(void)
{
    MODEL_CHECK(received == 1 && model_live() == 0);
}

MODEL(sender_frees, .setup = room_0,
      .threads = {receives_some, sends_and_frees}, .check = one_came,
      .preemptions = 3, .flags = ONE);

/* ---- cut short --------------------------------------------------------- */

static void ender(void)
{
    end_task(0);
}

static void room_1_late(void)
{
    begin(1);
    deadline = soon();
}

static void as_many_came(void)
{
    MODEL_CHECK(received == sent);
    MODEL_CHECK(status > 0 || status == -ECANCELED || status == -ETIMEDOUT);
    model_outcome((unsigned)sent);
    roost_chan_free(chan);
    MODEL_CHECK(model_live() == 0);
}

MODEL(send_or_end, .setup = room_1_late,
      .threads = {sends_many, receives_singly, ender}, .check = as_many_came,
      .flags = ONE, .must_see = 1 | 2 | 8);

/* The receiver is ended on the way, and discards. */
static void receives_or_not(void)
{
    int items[ITEMS] = {0, 0, 0};

    task_begin();
    status = roost_chan_recv_many_until(chan, items, ITEMS, deadline);
    received = status > 0 ? status : 0;
    for (int i = 0; i < ITEMS; i++) {
        MODEL_CHECK(items[i] == (i < received ? FIRST + i : 0));
    }
    roost_chan_discard(chan);
    task_end();
}

static void none_lost(void)
{
    MODEL_CHECK(received + dropped == sent);
    MODEL_CHECK(status != 0);
    model_outcome((unsigned)received);
    roost_chan_free(chan);
    MODEL_CHECK(model_live() == 0);
}

MODEL(recv_or_end, .setup = room_1_late,
      .threads = {receives_or_not, sends_singly, ender}, .check = none_lost,
      .flags = ONE, .must_see = 1 | 2);
