/*
 * chan_fd_model.c - the real sync/chan_fd.c with chan.c: a poll loop outside
 * that looks at a channel's descriptor and takes what lies there.
 *
 * Would catch: an item, a sender that waits or a close that the descriptor does
 * not show, so that the loop sleeps for ever; a descriptor that shows what
 * another took or what was cancelled, so that it spins; two descriptors of one
 * channel, or one that is closed twice or never.
 */
// MODEL-SOURCES: sync/chan_fd.c
// MODEL-WITH: sync/chan.c sync/chan_new.c sync/items.c sched/wait.c
// MODEL-WITH: sched/wait_thread.c sched/wait_row.c
#include "chan.h"
#include "sync_rooms.h"
#include <sys/eventfd.h>
#include <unistd.h>

enum { FIRST = 10, FD = 100 };

static roost_chan *chan;
static a32 count;    /* the eventfd's, which the kernel keeps under a lock */
static a32 made;     /* descriptors */
static a32 closed;   /* of them */
static int received; /* outside the model, as are the next two */
static int seen_fd[2];
static int status;
static roost_ns deadline;

/* ---- the kernel's part --------------------------------------------------- */

int eventfd(unsigned initial, int flags)
{
    MODEL_CHECK(initial == 0 && flags != 0);
    return FD + (int)a32_add(&made, 1, ACQ_REL);
}

ssize_t write(int fd, const void *one, size_t size)
{
    MODEL_CHECK(fd >= FD && *(const uint64_t *)one == 1);
    a32_add(&count, 1, ACQ_REL);
    futex_wake(&count, 1);
    return (ssize_t)size;
}

ssize_t read(int fd, void *value, size_t size)
{
    uint64_t was = a32_xchg(&count, 0, ACQ_REL);

    MODEL_CHECK(fd >= FD && size == sizeof(was));
    memcpy(value, &was, sizeof(was));
    return was == 0 ? -1 : (ssize_t)size;
}

int close(int fd)
{
    MODEL_CHECK(fd >= FD);
    a32_add(&closed, 1, ACQ_REL);
    return 0;
}

static void poll_it(void)
{
    while (a32_load(&count, ACQUIRE) == 0) {
        futex_wait(&count, 0, INT64_MAX);
    }
}

/* ---- the channel --------------------------------------------------------- */

static void begin(size_t capacity)
{
    rooms_begin();
    a32_init(&count, 0);
    a32_init(&made, 0);
    a32_init(&closed, 0);
    chan = roost_chan_new(sizeof(int), capacity);
    received = 0;
    seen_fd[0] = seen_fd[1] = -1;
    status = -EAGAIN;
    deadline = ROOST_NEVER;
}

static void room_2(void)
{
    begin(2);
    MODEL_CHECK(roost_chan_fd(chan) == FD);
}

static void room_0(void)
{
    begin(0);
    MODEL_CHECK(roost_chan_fd(chan) == FD);
}

static void without_one(void)
{
    begin(2);
}

/* It shows what is there, and is the only one. */
static void shows(void)
{
    MODEL_CHECK((a32_load(&count, RELAXED) != 0) == chan_may_take(chan));
    roost_chan_free(chan);
    MODEL_CHECK(a32_load(&made, RELAXED) == a32_load(&closed, RELAXED));
    MODEL_CHECK(model_live() == 0);
}

static void sends(void)
{
    int item = FIRST + model_self();

    task_begin();
    MODEL_CHECK(roost_chan_send(chan, &item) == 0);
    task_end();
}

/* Until it has so many: sleeps only where there is nothing. */
static void loop_until(int n)
{
    int item;

    while (received < n) {
        poll_it();
        while (received < n && roost_chan_try_recv(chan, &item) == 0) {
            MODEL_CHECK(item >= FIRST);
            received++;
        }
    }
}

static void loops(void)
{
    loop_until(2);
}

static void empty_again(void)
{
    MODEL_CHECK(received == 2 && a32_load(&count, RELAXED) == 0);
    shows();
}

MODEL(items, .setup = room_2, .threads = {sends, sends, loops},
      .check = empty_again, .flags = ONE | MODEL_EINTR);
MODEL(waiting_senders, .setup = room_0, .threads = {sends, sends, loops},
      .check = empty_again, .flags = ONE);

/* ---- another takes it ---------------------------------------------------- */

static void takes_one(void)
{
    int item;

    task_begin();
    MODEL_CHECK(roost_chan_recv(chan, &item) == 0);
    task_end();
}

static void loops_for_one(void)
{
    loop_until(1);
}

static void none_left(void)
{
    MODEL_CHECK(received == 1 && a32_load(&count, RELAXED) == 0);
    shows();
}

MODEL(beside_a_task, .setup = room_2,
      .threads = {sends, sends, takes_one, loops_for_one}, .check = none_left,
      .flags = ONE);

/* ---- a sender that gives up, and the close ------------------------------- */

static void sends_or_not(void)
{
    int item = FIRST;

    task_begin();
    status = roost_chan_send_until(chan, &item, deadline);
    roost_chan_close(chan);
    task_end();
}

static void ends(void)
{
    end_task(0);
}

/* Between what is there and the close it may look once for nothing: where the
 * sender gave up after the poll. */
static void loops_until_closed(void)
{
    int rc = 0;
    int nothing = 0;

    while (rc != -EPIPE) {
        int item;

        poll_it();
        rc = roost_chan_try_recv(chan, &item);
        received += rc == 0;
        nothing += rc == -EAGAIN;
        MODEL_CHECK(nothing <= 1);
    }
}

static void what_was_sent(void)
{
    saw(status);
    MODEL_CHECK(received == (status == 0));
    MODEL_CHECK(a32_load(&count, RELAXED) == 1); /* closed: it would not wait */
    shows();
}

static void room_0_late(void)
{
    room_0();
    deadline = soon();
}

MODEL(send_or_end, .setup = room_0_late,
      .threads = {sends_or_not, ends, loops_until_closed},
      .check = what_was_sent, .flags = ONE,
      .must_see = SAW_DONE | SAW_CANCELLED | SAW_LATE);

/* ---- asked for while it is in use ---------------------------------------- */

static void asks_and_loops(void)
{
    seen_fd[0] = roost_chan_fd(chan);
    loop_until(2);
}

static void asks(void)
{
    seen_fd[1] = roost_chan_fd(chan);
}

static void one_descriptor(void)
{
    MODEL_CHECK(seen_fd[0] == seen_fd[1] && seen_fd[0] == chan->fd);
    empty_again();
}

MODEL(asked_twice, .setup = without_one,
      .threads = {sends, sends, asks_and_loops, asks}, .check = one_descriptor,
      .flags = ONE);
