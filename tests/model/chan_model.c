/*
 * chan_model.c - the real sync/chan.c with chan_new.c and items.c: items that
 * go from hand to hand, with room for 0, 1 and 2 in between.
 *
 * Would catch: an item lost, doubled, out of order or read before it was
 * written, above all where a hand-over meets a cancel, a deadline or a close
 * (R3, R46, R47, R48); a sender or receiver left behind; barging past those
 * who wait (R46); an output written by a call that failed (R8); a send, close
 * or release that still stands on the channel when the receiver has freed it,
 * and the other way round (R67).
 */
// MODEL-SOURCES: sync/chan.c
// MODEL-WITH: sync/chan_new.c sync/items.c sched/wait.c sched/wait_thread.c
// MODEL-WITH: sched/wait_row.c
// MODEL-HEADERS: sync/chan.h
#include "sync_rooms.h"

enum { NOTHING = -1, FIRST = 10 };

static roost_chan *chan;
static int sent[2];     /* outside the model: how many sends succeeded */
static int received[2]; /* and receives */
static int dropped;     /* outside the model */
static int status[2];   /* of what may be ended: outside the model */
static roost_ns deadline;

static void on_drop(void *item)
{
    MODEL_CHECK(*(int *)item >= FIRST);
    dropped++;
}

static void begin_with(size_t capacity, unsigned overflow)
{
    roost_chan_opts opts = {.overflow = overflow, .on_drop = on_drop};

    rooms_begin();
    chan = roost_chan_new_opts(sizeof(int), capacity, &opts);
    sent[0] = sent[1] = received[0] = received[1] = dropped = 0;
    status[0] = status[1] = -EAGAIN;
    deadline = ROOST_NEVER;
}

static void begin(size_t capacity)
{
    begin_with(capacity, ROOST_OVERFLOW_WAIT);
}

static void forget(void)
{
    roost_chan_free(chan);
    MODEL_CHECK(model_live() == 0);
}

static int send_it(int item)
{
    int i = model_self();
    int rc = roost_chan_send_until(chan, &item, deadline);

    sent[i & 1] += rc >= 0;
    return rc;
}

/* The item, or NOTHING and in *rc why. */
static int recv_it(int *rc)
{
    int item = NOTHING;

    *rc = roost_chan_recv_until(chan, &item, deadline);
    received[model_self() & 1] += *rc == 0;
    MODEL_CHECK((*rc == 0) == (item >= FIRST));
    return item;
}

/* ---- in order ---------------------------------------------------------- */

static void sender(void)
{
    task_begin();
    for (int n = 0; n < 3; n++) {
        MODEL_CHECK(send_it(FIRST + n) == 0);
    }
    task_end();
}

static void receiver(void)
{
    int rc;

    task_begin();
    for (int n = 0; n < 3; n++) {
        MODEL_CHECK(recv_it(&rc) == FIRST + n);
    }
    task_end();
}

static void room_0(void)
{
    begin(0);
}

static void room_1(void)
{
    begin(1);
}

static void room_2(void)
{
    begin(2);
}

static void unbounded(void)
{
    begin(ROOST_UNBOUNDED);
}

MODEL(order_0, .setup = room_0, .threads = {sender, receiver}, .check = forget,
      .preemptions = 3, .flags = ONE);
MODEL(order_1, .setup = room_1, .threads = {sender, receiver}, .check = forget,
      .preemptions = 3, .flags = ONE);
MODEL(order_2, .setup = room_2, .threads = {sender, receiver}, .check = forget,
      .preemptions = 3, .flags = ONE);
MODEL(order_unbounded, .setup = unbounded, .threads = {sender, receiver},
      .check = forget, .preemptions = 3, .flags = ONE);

/* Each sender's order is kept, and each item has one receiver. */
static int last_of[2];

static void sender_of_two(void)
{
    task_begin();
    MODEL_CHECK(send_it(FIRST * (1 + model_self())) == 0);
    MODEL_CHECK(send_it(FIRST * (1 + model_self()) + 1) == 0);
    task_end();
}

static void receiver_of_two(void)
{
    int rc;

    task_begin();
    for (int n = 0; n < 4; n++) {
        int item = recv_it(&rc);
        int from = item / FIRST - 1;

        MODEL_CHECK(item % FIRST == last_of[from]);
        last_of[from]++;
    }
    task_end();
}

static void two_senders(void)
{
    begin(1);
    last_of[0] = last_of[1] = 0;
}

MODEL(two_send, .setup = two_senders,
      .threads = {sender_of_two, sender_of_two, receiver_of_two},
      .check = forget, .flags = ONE);

static void receives_one(void)
{
    int rc;

    task_begin();
    recv_it(&rc);
    MODEL_CHECK(rc == 0);
    task_end();
}

static void sends_two(void)
{
    task_begin();
    MODEL_CHECK(send_it(FIRST) == 0);
    MODEL_CHECK(send_it(FIRST + 1) == 0);
    task_end();
}

static void one_each(void)
{
    MODEL_CHECK(received[0] == 1 && received[1] == 1);
    forget();
}

MODEL(two_receive, .setup = room_0,
      .threads = {receives_one, receives_one, sends_two}, .check = one_each,
      .flags = ONE);

/* ---- freed by who has learned that it is done with --------------------- */

static void receives_and_frees(void)
{
    int rc;

    task_begin();
    MODEL_CHECK(recv_it(&rc) == FIRST);
    forget();
    task_end();
}

static void sends_one(void)
{
    task_begin();
    MODEL_CHECK(send_it(FIRST) == 0);
    task_end();
}

static void sends_and_frees(void)
{
    task_begin();
    MODEL_CHECK(send_it(FIRST) == 0);
    forget();
    task_end();
}

static void tries_and_frees(void)
{
    int item;

    task_begin();
    while (roost_chan_try_recv(chan, &item) != 0) {
        spin_pause();
    }
    forget();
    task_end();
}

MODEL(recv_free_0, .setup = room_0, .threads = {receives_and_frees, sends_one},
      .preemptions = 3, .flags = ONE);
MODEL(recv_free_1, .setup = room_1, .threads = {receives_and_frees, sends_one},
      .preemptions = 3, .flags = ONE);
MODEL(send_free_0, .setup = room_0, .threads = {receives_one, sends_and_frees},
      .preemptions = 3, .flags = ONE);
MODEL(try_free_1, .setup = room_1, .threads = {tries_and_frees, sends_one},
      .preemptions = 3, .flags = ONE);

/* Closed and drained. */
static void drains_and_frees(void)
{
    int rc;

    task_begin();
    do {
        recv_it(&rc);
    } while (rc == 0);
    MODEL_CHECK(rc == -EPIPE);
    forget();
    task_end();
}

static void sends_and_closes(void)
{
    task_begin();
    MODEL_CHECK(send_it(FIRST) == 0);
    roost_chan_close(chan);
    task_end();
}

static void all_received(void)
{
    MODEL_CHECK(received[0] == 1);
}

MODEL(close_free, .setup = room_1,
      .threads = {drains_and_frees, sends_and_closes}, .check = all_received,
      .preemptions = 3, .flags = ONE);

static void held_twice(void)
{
    begin(1);
    MODEL_CHECK(roost_chan_hold(chan) == 0);
    MODEL_CHECK(roost_chan_hold(chan) == 0);
}

static void releases(void)
{
    task_begin();
    roost_chan_release(chan);
    task_end();
}

static void sends_and_releases(void)
{
    task_begin();
    MODEL_CHECK(send_it(FIRST) == 0);
    roost_chan_release(chan);
    task_end();
}

MODEL(release_free, .setup = held_twice,
      .threads = {drains_and_frees, sends_and_releases, releases},
      .check = all_received, .flags = ONE);

/* ---- cancel and deadline ----------------------------------------------- */

static void ender(void)
{
    end_task(0);
}

/* The sender may be ended; what it could not send stays with it. */
static void sends_or_not(void)
{
    task_begin();
    status[0] = send_it(FIRST);
    deadline = ROOST_NEVER;
    roost_chan_close(chan);
    task_end();
}

static void drains(void)
{
    int item, rc;

    task_begin();
    do {
        item = NOTHING;
        rc = roost_chan_recv(chan, &item);
        received[1] += rc == 0;
        MODEL_CHECK(item == (rc == 0 ? FIRST : NOTHING));
    } while (rc == 0);
    MODEL_CHECK(rc == -EPIPE);
    task_end();
}

static void sent_is_received(void)
{
    saw(status[0]);
    MODEL_CHECK(sent[0] == (status[0] == 0));
    MODEL_CHECK(received[1] + dropped == sent[0]);
    forget();
}

static void room_0_late(void)
{
    begin(0);
    deadline = soon();
}

MODEL(send_or_end, .setup = room_0_late,
      .threads = {sends_or_not, drains, ender}, .check = sent_is_received,
      .flags = ONE, .must_see = SAW_DONE | SAW_CANCELLED | SAW_LATE);

/* A full one: the slot that is made goes to somebody who still wants it. */
static void full_late(void)
{
    int item = FIRST;

    begin(1);
    MODEL_CHECK(roost_chan_try_send(chan, &item) == 0);
    sent[0] = -1; /* as if the setup had not sent */
    deadline = soon();
}

static void receives_all(void)
{
    int item, rc;

    task_begin();
    await_waiting(0);
    do {
        rc = roost_chan_recv(chan, &item);
        received[1] += rc == 0;
    } while (rc == 0);
    task_end();
}

static void one_more(void)
{
    saw(status[0]);
    MODEL_CHECK(received[1] == 1 + (status[0] == 0));
    forget();
}

MODEL(full_send_or_end, .setup = full_late,
      .threads = {sends_or_not, receives_all, ender}, .check = one_more,
      .flags = ONE, .must_see = SAW_DONE | SAW_CANCELLED | SAW_LATE);

/* The receiver may be ended; then it discards, and the sender is told. */
static void receives_or_not(void)
{
    task_begin();
    recv_it(&status[0]);
    roost_chan_discard(chan);
    task_end();
}

static void sends_plainly(void)
{
    int item = FIRST;

    task_begin();
    status[1] = roost_chan_send(chan, &item);
    MODEL_CHECK(status[1] == 0 || status[1] == -EPIPE);
    task_end();
}

static void received_is_sent(void)
{
    saw(status[0]);
    MODEL_CHECK(received[0] == (status[0] == 0));
    MODEL_CHECK(received[0] + dropped == (status[1] == 0));
    forget();
}

MODEL(recv_or_end, .setup = room_0_late,
      .threads = {receives_or_not, sends_plainly, ender},
      .check = received_is_sent, .flags = ONE,
      .must_see = SAW_DONE | SAW_CANCELLED | SAW_LATE);

static void room_1_late(void)
{
    begin(1);
    deadline = soon();
}

MODEL(recv_or_end_1, .setup = room_1_late,
      .threads = {receives_or_not, sends_plainly, ender},
      .check = received_is_sent, .flags = ONE,
      .must_see = SAW_DONE | SAW_CANCELLED | SAW_LATE);

/* Two receivers, one is ended, one item: the other gets it, or the close. */
static void receives_second(void)
{
    int item;

    task_begin();
    status[1] = roost_chan_recv(chan, &item);
    received[1] += status[1] == 0;
    task_end();
}

static void sends_then_closes(void)
{
    int item = FIRST;

    task_begin();
    MODEL_CHECK(roost_chan_send(chan, &item) == 0);
    roost_chan_close(chan);
    task_end();
}

static void receives_first(void)
{
    task_begin();
    recv_it(&status[0]);
    task_end();
}

static void one_has_it(void)
{
    saw(status[0]);
    MODEL_CHECK(status[1] == 0 || status[1] == -EPIPE);
    MODEL_CHECK(received[0] + received[1] == 1);
    forget();
}

MODEL(two_receive_or_end, .setup = room_1_late,
      .threads = {receives_first, receives_second, sends_then_closes, ender},
      .check = one_has_it, .flags = ONE,
      .must_see = SAW_DONE | SAW_CANCELLED | SAW_LATE | SAW_CLOSED);

/* ---- close meets those who wait ---------------------------------------- */

static void closes(void)
{
    task_begin();
    roost_chan_close(chan);
    roost_chan_close(chan);
    task_end();
}

static void closed_or_not(void)
{
    MODEL_CHECK(status[0] == status[1]);
    MODEL_CHECK(received[0] == (status[0] == 0));
    saw(status[0]);
    forget();
}

MODEL(close_meets, .setup = room_0,
      .threads = {receives_first, sends_plainly, closes},
      .check = closed_or_not, .flags = ONE, .must_see = SAW_DONE | SAW_CLOSED);

/* ---- no barging -------------------------------------------------------- */

/* An item that is sent belongs to who waits for it. */
static void sends_and_tries(void)
{
    int item = FIRST;

    task_begin();
    await_waiting(0);
    MODEL_CHECK(roost_chan_try_send(chan, &item) == 0);
    MODEL_CHECK(roost_chan_try_recv(chan, &item) == -EAGAIN);
    task_end();
}

/* So does the slot that is made. */
static void takes_and_tries(void)
{
    int item;

    task_begin();
    await_waiting(0);
    MODEL_CHECK(roost_chan_try_recv(chan, &item) == 0);
    MODEL_CHECK(roost_chan_try_send(chan, &item) == -EAGAIN);
    MODEL_CHECK(roost_chan_try_recv(chan, &item) == 0 && item == FIRST + 1);
    task_end();
}

static void sends_next(void)
{
    task_begin();
    MODEL_CHECK(send_it(FIRST + 1) == 0);
    task_end();
}

static void full(void)
{
    int item = FIRST;

    begin(1);
    MODEL_CHECK(roost_chan_try_send(chan, &item) == 0);
}

MODEL(item_is_owed, .setup = room_1, .threads = {receives_one, sends_and_tries},
      .check = forget, .preemptions = 3, .flags = ONE);
MODEL(slot_is_owed, .setup = full, .threads = {sends_next, takes_and_tries},
      .check = forget, .preemptions = 3, .flags = ONE);

/* ---- what is pushed out ------------------------------------------------ */

static void oldest(void)
{
    begin_with(1, ROOST_DROP_OLDEST);
}

static void newest(void)
{
    begin_with(1, ROOST_DROP_NEWEST);
}

static void sends_two_and_closes(void)
{
    int item = FIRST;

    task_begin();
    status[0] = roost_chan_send(chan, &item);
    item++;
    status[1] = roost_chan_send(chan, &item);
    MODEL_CHECK(status[0] == 0 && status[1] >= 0);
    roost_chan_close(chan);
    task_end();
}

static void drains_two(void)
{
    int item, rc;

    task_begin();
    while ((rc = roost_chan_recv(chan, &item)) == 0) {
        received[1]++;
    }
    MODEL_CHECK(rc == -EPIPE);
    task_end();
}

static void none_lost(void)
{
    MODEL_CHECK(received[1] + dropped == 2);
    MODEL_CHECK(dropped == status[1]);
    model_outcome((unsigned)dropped);
    forget();
}

MODEL(drop_oldest, .setup = oldest,
      .threads = {sends_two_and_closes, drains_two}, .check = none_lost,
      .preemptions = 3, .flags = ONE, .must_see = 1 | 2);
MODEL(drop_newest, .setup = newest,
      .threads = {sends_two_and_closes, drains_two}, .check = none_lost,
      .preemptions = 3, .flags = ONE, .must_see = 1 | 2);
