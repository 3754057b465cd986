/*
 * last_moment_test.c - objects whose other side is decided otherwise at the
 * last moment: it stood in the queue when it was looked at, and its time is up
 * before it is won. Of two workers that is a matter of a few instructions; here
 * it is brought about, in each of them.
 *
 * Would catch: an item that is copied to or from somebody who has left, or lost
 * with him; permits that are taken for him; one behind him who is not served; a
 * select that does a case which is no longer ready, or says that it has.
 */
#include "../test.h"

#include "task.h"
#include "wait.h"
#include <errno.h>

/* --- whose time is up, and when --- */

static struct waiter *doomed; /* of a task that waits; NULL: as ever */
static bool at_the_draw;      /* else when it is to be won */

static void time_is_up(void)
{
    struct waiter *wt = doomed;

    doomed = NULL;
    CHECK(wait_timeout(wt));
}

bool __real_wait_complete(struct waiter *wt, uint32_t result);
bool __wrap_wait_complete(struct waiter *wt, uint32_t result);
uint32_t __real_wait_random(uint32_t n);
uint32_t __wrap_wait_random(uint32_t n);

bool __wrap_wait_complete(struct waiter *wt, uint32_t result)
{
    if (wt == doomed && !at_the_draw) {
        time_is_up();
    }
    return __real_wait_complete(wt, result);
}

uint32_t __wrap_wait_random(uint32_t n)
{
    if (doomed != NULL && at_the_draw) {
        time_is_up();
    }
    return __real_wait_random(n);
}

/* --- tasks that wait, each with what came of it --- */

struct party {
    roost_chan *chan;
    roost_sem *sem;
    int item;
    unsigned wanted;
    struct waiter *waiter;
    int rc;
};

static int sends(void *arg)
{
    struct party *p = arg;

    p->waiter = &frame_current()->waiter;
    p->rc = roost_chan_send(p->chan, &p->item);
    return 0;
}

static int receives(void *arg)
{
    struct party *p = arg;

    p->waiter = &frame_current()->waiter;
    p->rc = roost_chan_recv(p->chan, &p->item);
    return 0;
}

static int acquires(void *arg)
{
    struct party *p = arg;

    p->waiter = &frame_current()->waiter;
    p->rc = roost_sem_acquire(p->sem, p->wanted);
    return 0;
}

/* With one worker: they wait when this returns, in this order. */
static void all_wait(roost_scope *s, roost_fn fn, struct party *parties, int n)
{
    for (int i = 0; i < n; i++) {
        parties[i].waiter = NULL;
        CHECK_EQ(roost_spawn(s, fn, &parties[i]), 0);
        while (parties[i].waiter == NULL || !wait_live(parties[i].waiter)) {
            CHECK_EQ(roost_yield(), 0);
        }
    }
}

static void doom(struct party *p, bool draw)
{
    doomed = p->waiter;
    at_the_draw = draw;
}

/* Whoever won him, here the time, wakes him when all locks are given up. */
static void goes(struct party *p)
{
    CHECK(doomed == NULL);
    wait_wake(p->waiter);
}

static void alone(roost_fn fn)
{
    roost_opts opts = {.workers = 1};

    CHECK_EQ(roost_run(fn, NULL, &opts), 0);
}

/* --- channels --- */

static int receive_from_two(void *arg)
{
    roost_chan *c = roost_chan_new(sizeof(int), 0);
    struct party p[2] = {{.chan = c, .item = 1}, {.chan = c, .item = 2}};
    roost_scope s;
    int got = 0;

    (void)arg;
    roost_scope_open(&s, NULL);
    all_wait(&s, sends, p, 2);
    doom(&p[0], false);
    CHECK_EQ(roost_chan_recv(c, &got), 0);
    goes(&p[0]);
    CHECK_EQ(got, 2);
    CHECK_EQ(roost_chan_try_recv(c, &got), -EAGAIN);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(p[0].rc, -ETIMEDOUT);
    CHECK_EQ(p[1].rc, 0);
    roost_chan_free(c);
    return 0;
}

TEST_PLAIN(a_receiver_takes_from_the_next_sender, "R3 R46")
{
    alone(receive_from_two);
}

static int send_to_two(void *arg)
{
    roost_chan *c = roost_chan_new(sizeof(int), 0);
    struct party p[2] = {{.chan = c}, {.chan = c}};
    roost_scope s;
    int item = 7;

    (void)arg;
    roost_scope_open(&s, NULL);
    all_wait(&s, receives, p, 2);
    doom(&p[0], false);
    CHECK_EQ(roost_chan_send(c, &item), 0);
    goes(&p[0]);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(p[0].rc, -ETIMEDOUT);
    CHECK_EQ(p[0].item, 0);
    CHECK_EQ(p[1].rc, 0);
    CHECK_EQ(p[1].item, 7);
    roost_chan_free(c);
    return 0;
}

TEST_PLAIN(a_sender_gives_to_the_next_receiver, "R3 R46")
{
    alone(send_to_two);
}

static int refill_from_two(void *arg)
{
    roost_chan *c = roost_chan_new(sizeof(int), 1);
    struct party p[2] = {{.chan = c, .item = 1}, {.chan = c, .item = 2}};
    roost_scope s;
    int got = 0, item = 9;

    (void)arg;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_chan_send(c, &item), 0);
    all_wait(&s, sends, p, 2);
    doom(&p[0], false);
    CHECK_EQ(roost_chan_recv(c, &got), 0);
    goes(&p[0]);
    CHECK_EQ(got, 9);
    CHECK_EQ(roost_chan_recv(c, &got), 0);
    CHECK_EQ(got, 2);
    CHECK_EQ(roost_chan_try_recv(c, &got), -EAGAIN);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(p[0].rc, -ETIMEDOUT);
    CHECK_EQ(p[1].rc, 0);
    roost_chan_free(c);
    return 0;
}

TEST_PLAIN(room_goes_to_the_next_sender, "R3 R46")
{
    alone(refill_from_two);
}

/* --- semaphores --- */

static int release_to_two(void *arg)
{
    roost_sem sem;
    struct party p[2] = {{.sem = &sem, .wanted = 3},
                         {.sem = &sem, .wanted = 2}};
    roost_scope s;

    (void)arg;
    CHECK_EQ(roost_sem_init(&sem, 0, 5), 0);
    roost_scope_open(&s, NULL);
    all_wait(&s, acquires, p, 2);
    doom(&p[0], false);
    CHECK_EQ(roost_sem_release(&sem, 3), 0);
    goes(&p[0]);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(p[0].rc, -ETIMEDOUT);
    CHECK_EQ(p[1].rc, 0);
    CHECK_EQ(roost_sem_try_acquire(&sem, 2), -EAGAIN);
    CHECK_EQ(roost_sem_try_acquire(&sem, 1), 0);
    roost_sem_destroy(&sem);
    return 0;
}

TEST_PLAIN(permits_go_to_the_next_who_waits, "R3 R51")
{
    alone(release_to_two);
}

/* --- select --- */

/* The one case that is ready is so no more. The case before it was not, and its
 * attempt does not look. */
static int select_from_one(bool draw)
{
    roost_chan *c = roost_chan_new(sizeof(int), 0);
    struct party p = {.chan = c, .item = 1};
    roost_case cases[2];
    roost_sem sem;
    roost_scope s;
    int got = 0;

    CHECK_EQ(roost_sem_init(&sem, 0, 5), 0);
    cases[0] = roost_on_sem(&sem, 2);
    cases[1] = roost_on_recv(c, &got);
    roost_scope_open(&s, NULL);
    all_wait(&s, sends, &p, 1);
    doom(&p, draw);
    CHECK_EQ(roost_try_select(cases, 2), -EAGAIN);
    goes(&p);
    CHECK_EQ(got, 0);
    CHECK_EQ(roost_sem_try_acquire(&sem, 1), -EAGAIN);
    CHECK_EQ(roost_sem_release(&sem, 5), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(p.rc, -ETIMEDOUT);
    roost_sem_destroy(&sem);
    roost_chan_free(c);
    return 0;
}

static int select_after_the_draw(void *arg)
{
    (void)arg;
    return select_from_one(false);
}

static int select_at_the_draw(void *arg)
{
    (void)arg;
    return select_from_one(true);
}

TEST_PLAIN(what_is_ready_no_more_is_not_selected, "R3 R49")
{
    alone(select_at_the_draw);
}

TEST_PLAIN(what_fails_at_the_attempt_is_not_selected, "R3 R49")
{
    alone(select_after_the_draw);
}
