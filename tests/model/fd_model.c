/*
 * fd_model.c - the real sched/fd.c, fd_waiters.c and fd_arm.c: waits for one
 * descriptor against events, cancels, close, and the next file of its number.
 *
 * Would catch: an event between the attempt and the wait that is lost; a reader
 * that waits on although its descriptor is closed, or that gets the next file
 * of that number; a writer that is left without being armed when the reader's
 * event has come; an event that a cancelled waiter takes with it; a waiter that
 * goes on while somebody still stands on it; a reader that takes a stream for
 * empty while something stands in it of which no event will tell any more.
 */
// MODEL-SOURCES: sched/fd.c sched/fd_waiters.c sched/fd_arm.c
// MODEL-WITH: sched/wait.c sched/wait_thread.c sched/base/sleeplock.c
// MODEL-WITH: sched/wait_row.c
#define MODEL_RUNS 6000
#include "fd_entry.h"
#include "fd_system.h"
#include "plain_poll.h"
#include "sync_rooms.h"
#include "wait_row.h"

static struct fd entry;
static a32 over;    /* tasks that have ended */
static unsigned of; /* so many in all */
static int got[TASKS];

void registry_prepare(void)
{
}

int poller_make(struct runtime *r)
{
    (void)r;
    return 0;
}

void poller_await(struct runtime *r)
{
    a64_add(&r->poller.awaited, 1, RELAXED);
}

void poller_await_end(struct runtime *r)
{
    a64_add(&r->poller.awaited, (uint64_t)-1, RELAXED);
}

struct fd *fd_get(int fd)
{
    return fd == FD ? &entry : NULL;
}

struct fd *fd_find(int fd)
{
    return fd_get(fd);
}

/* ---- parts --------------------------------------------------------------- */

static void setup(void)
{
    rooms_begin();
    memset(&sys, 0, sizeof(sys));
    memset(&entry, 0, sizeof(entry));
    memset(got, 0, sizeof(got));
    a64_init(&rt.poller.awaited, 0);
    a32_init(&over, 0);
    of = 1;
}

static void ends(void)
{
    a32_add(&over, 1, SEQ_CST);
    a32_add(&sys.pending, 0, SEQ_CST);
    futex_wake(&sys.pending, 1);
    task_end();
}

/* One in a worker that looks at the poller until all is done. */
static void poller(void)
{
    worker_tls = &workers[model_self()];
    while (a32_load(&over, SEQ_CST) < of) {
        struct waiter *chain = NULL, **end = &chain;
        struct epoll_event e;

        if (harvest(&e)) {
            fd_event(&rt, &e, &end);
            *end = NULL;
            wait_wake_chain(chain);
        } else {
            spin_pause();
        }
    }
    worker_tls = NULL;
}

/* As io_run. */
static int read_one(enum fd_how how)
{
    struct fd_use u;
    int rc;

    fd_use(&u, FD);
    rc = fd_dry(&u) ? fd_wait(&u, ROOST_READABLE, how, ROOST_NEVER) : 0;
    while (rc == 0 && (rc = sys_read()) == -EAGAIN) {
        rc = fd_wait(&u, ROOST_READABLE, how, ROOST_NEVER);
        if (rc != 0) {
            return rc;
        }
    }
    return rc;
}

/* As io_run, of a stream. */
static int read_some(struct fd_use *u)
{
    int n;

    fd_use(u, FD);
    if (fd_dry(u)) {
        MODEL_CHECK(fd_wait(u, ROOST_READABLE, FD_KEEP, ROOST_NEVER) == 0);
    }
    while ((n = sys_take()) == -EAGAIN) {
        MODEL_CHECK(fd_wait(u, ROOST_READABLE, FD_KEEP, ROOST_NEVER) == 0);
    }
    if (n == 1) {
        fd_short(u);
    }
    return n;
}

static void nobody_stands(void)
{
    MODEL_CHECK(entry.waiters.next == NULL || list_empty(&entry.waiters));
    MODEL_CHECK(a64_load(&rt.poller.awaited, RELAXED) == 0);
    MODEL_CHECK(a32_load(&entry.lock, RELAXED) == 0);
}

/* ---- events -------------------------------------------------------------- */

static void reads_two(void)
{
    task_begin();
    got[0] = read_one(FD_KEEP) + read_one(FD_KEEP);
    ends();
}

static void reads_two_once(void)
{
    task_begin();
    for (int i = 0; i < 2; i++) {
        MODEL_CHECK(fd_await(FD, ROOST_READABLE, ROOST_NEVER) ==
                    ROOST_READABLE);
        got[0] += sys_read();
    }
    ends();
}

static void writer(void)
{
    put(0, ROOST_READABLE);
    put(0, ROOST_READABLE);
}

static void read_both(void)
{
    nobody_stands();
    MODEL_CHECK(got[0] == 2);
}

MODEL(kept, .setup = setup, .threads = {reads_two, poller, writer},
      .check = read_both, .flags = ONE);
MODEL(once, .setup = setup, .threads = {reads_two_once, poller, writer},
      .check = read_both, .flags = ONE);

/* A stream: less than asked for has come, so the next read waits at once. The
 * end may have come with the bytes, and have no event of its own. */
static void reads_to_the_end(void)
{
    struct fd_use u;
    int n;

    task_begin();
    do {
        n = read_some(&u);
        got[0] += n;
    } while (n != 0);
    ends();
}

static void writes_and_ends(void)
{
    put(0, ROOST_READABLE);
    put(0, ROOST_READABLE);
    end_of(0);
}

MODEL(emptied, .setup = setup,
      .threads = {reads_to_the_end, poller, writes_and_ends},
      .check = read_both, .flags = ONE);

/* A reader and a writer, armed together. */
static void reads_once(void)
{
    task_begin();
    MODEL_CHECK(fd_await(FD, ROOST_READABLE, ROOST_NEVER) == ROOST_READABLE);
    ends();
}

static void writes_once(void)
{
    task_begin();
    MODEL_CHECK(fd_await(FD, ROOST_WRITABLE, ROOST_NEVER) == ROOST_WRITABLE);
    ends();
}

static void readable_then_writable(void)
{
    put(0, ROOST_READABLE);
    put(0, ROOST_WRITABLE);
}

static void two_tasks(void)
{
    setup();
    of = 2;
}

MODEL(both_ways, .setup = two_tasks,
      .threads = {reads_once, poller, writes_once, readable_then_writable},
      .check = nobody_stands, .flags = ONE);

/* ---- other ends ---------------------------------------------------------- */

static void reads_or_ends(void)
{
    task_begin();
    got[0] = read_one(model_choose(2) == 0 ? FD_KEEP : FD_ONCE);
    MODEL_CHECK(got[0] == 1 || got[0] == -ECANCELED);
    ends();
}

static void canceller(void)
{
    cancel_task(0);
}

static void one_byte(void)
{
    put(0, ROOST_READABLE);
}

/* The byte is read, or still there. */
static void conserved(void)
{
    nobody_stands();
    MODEL_CHECK(sys.bytes[0] == (got[0] == 1 ? 0 : 1));
}

MODEL(cancelled, .setup = setup,
      .threads = {reads_or_ends, poller, one_byte, canceller},
      .check = conserved, .flags = ONE);

/* It is kept, the byte and the end have come, and their event is under way: a
 * read that sees its count sees that it was special, too. */
static void is_kept(void)
{
    setup();
    fd_lock(&entry);
    (void)fd_prepare(&entry, &(struct fd_ask){FD, ROOST_READABLE, true}, &rt,
                     NULL, NULL);
    fd_unlock(&entry);
    put(0, ROOST_READABLE);
    end_of(0);
}

MODEL(ended, .setup = is_kept, .threads = {reads_to_the_end, poller},
      .check = conserved, .flags = ONE);

/* Closed: whether it waits, is about to, or has yet to begin. */
static void reads_until_closed(void)
{
    task_begin();
    got[0] = read_one(model_choose(2) == 0 ? FD_KEEP : FD_ONCE);
    MODEL_CHECK(got[0] == -EBADF);
    ends();
}

static void closer(void)
{
    MODEL_CHECK(fd_end(FD, sys_close) == 0);
}

MODEL(closed, .setup = setup, .threads = {reads_until_closed, poller, closer},
      .check = nobody_stands, .preemptions = 3, .flags = ONE);

/* The number is used again at once, by a file that somebody else reads. What
 * was tried before never becomes a wait for that. */
static a32 opened, used;

static void reads_the_next(void)
{
    task_begin();
    while (a32_load(&opened, ACQUIRE) == 0) {
        spin_pause();
    }
    got[2] = read_one(FD_KEEP);
    MODEL_CHECK(got[2] == 2);
    ends();
}

static void begins(void)
{
    struct fd_use u;
    int rc;

    task_begin();
    fd_use(&u, FD);
    a32_store(&used, 1, RELEASE);
    rc = fd_wait(&u, ROOST_READABLE, FD_KEEP, ROOST_NEVER);
    MODEL_CHECK(rc == 0 || rc == -EBADF);
    ends();
}

static void next_file(void)
{
    while (a32_load(&used, ACQUIRE) == 0) {
        spin_pause();
    }
    put(0, ROOST_READABLE);
    MODEL_CHECK(fd_end(FD, sys_close) == 0);
    sys_open(1);
    a32_store(&opened, 1, RELEASE);
    while (a32_load(&over, SEQ_CST) == 0) {
        spin_pause(); /* the first ends without it */
    }
    put(1, ROOST_READABLE);
}

static void two_files(void)
{
    two_tasks();
    a32_init(&opened, 0);
    a32_init(&used, 0);
}

/* It begins before the close; so the check of `closed` is all that it has. */
MODEL(number_again, .setup = two_files,
      .threads = {begins, poller, reads_the_next, next_file},
      .check = nobody_stands, .flags = ONE);

/* Another open gets the number at once, before the close has returned. Who has
 * tried the old file does not wait for the next; who has the next is not told
 * that it is closed. */
static int tried(unsigned events)
{
    int file;

    sys_lock();
    file = sys.file;
    if (file != NONE && (sys.ready[file] & events) != 0) {
        file = NONE; /* no need to wait */
    }
    sys_unlock();
    return file;
}

static void tries_either(void)
{
    struct fd_use u;
    int rc, file;

    task_begin();
    fd_use(&u, FD);
    file = tried(ROOST_READABLE);
    if (file != NONE) {
        rc = fd_wait(&u, ROOST_READABLE,
                     model_choose(2) == 0 ? FD_KEEP : FD_ONCE, ROOST_NEVER);
        MODEL_CHECK(rc == -EBADF || (file == 1 && rc == 0));
    }
    ends();
}

static void has_the_next(void)
{
    struct fd_use u;

    task_begin();
    while (a32_load(&opened, ACQUIRE) == 0) {
        spin_pause();
    }
    fd_use(&u, FD);
    if (tried(ROOST_WRITABLE) == 1) {
        got[1] = fd_wait(&u, ROOST_WRITABLE, FD_KEEP, ROOST_NEVER);
        MODEL_CHECK(got[1] == 0);
    }
    ends();
}

static int close_and_open(int fd)
{
    int rc = sys_close(fd);

    sys_open(1);
    a32_store(&opened, 1, RELEASE);
    return rc;
}

static void closes_for_the_next(void)
{
    MODEL_CHECK(fd_end(FD, close_and_open) == 0);
    put(1, ROOST_READABLE | ROOST_WRITABLE);
}

MODEL(tried_while_closed, .setup = two_files,
      .threads = {tries_either, poller, has_the_next, closes_for_the_next},
      .check = nobody_stands, .preemptions = 3, .flags = ONE);

/* One has read short, and says so when the number is another's already. */
static void says_it_late(void)
{
    struct fd_use u;

    task_begin();
    MODEL_CHECK(read_some(&u) == 1);
    a32_store(&used, 1, RELEASE);
    fd_short(&u);
    ends();
}

static void next_stream(void)
{
    put(0, ROOST_READABLE);
    while (a32_load(&used, ACQUIRE) == 0) {
        spin_pause();
    }
    MODEL_CHECK(fd_end(FD, sys_close) == 0);
    sys_open(1);
    a32_store(&opened, 1, RELEASE);
    put(1, ROOST_READABLE);
}

MODEL(emptied_before, .setup = two_files,
      .threads = {says_it_late, poller, reads_the_next, next_stream},
      .check = nobody_stands, .flags = ONE);

/* Closed raw, while a task waits for it once: that one is told when the next
 * waits for the new file. */
static void waits_for_a_ghost(void)
{
    task_begin();
    got[0] = fd_await(FD, ROOST_READABLE, ROOST_NEVER);
    MODEL_CHECK(got[0] == -EBADF || got[0] == ROOST_READABLE);
    ends();
}

static void closes_raw(void)
{
    while (a32_load(&waits[0], RELAXED) == 0) {
        spin_pause(); /* it waits */
    }
    (void)sys_close(FD);
    sys_open(1);
    a32_store(&opened, 1, RELEASE);
    while (a32_load(&over, SEQ_CST) == 0) {
        spin_pause();
    }
    put(1, ROOST_READABLE);
}

MODEL(closed_raw, .setup = two_files,
      .threads = {waits_for_a_ghost, poller, reads_the_next, closes_raw},
      .check = nobody_stands, .flags = ONE);
