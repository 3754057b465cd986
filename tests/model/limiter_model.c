/*
 * limiter_model.c - the real sync/limiter.c with held.c: tokens that know
 * their holders.
 *
 * Would catch: a token that is lost or made where a hand-over meets a cancel,
 * a change of the total, or the end of its holder (R52, R55); a waiter left
 * behind although the total was raised; a count of those who wait that does
 * not come back to zero.
 */
// MODEL-SOURCES: sync/limiter.c
// MODEL-WITH: sched/wait.c sched/wait_thread.c sched/held.c
// MODEL-WITH: sched/wait_row.c
#include "sync_rooms.h"

static roost_limiter limiter;
static int inside;    /* outside the model: how many have a token */
static int most;      /* as many may */
static int status[3]; /* of the acquires: outside the model */
static int users;     /* L(a token, of one): how many have had it */
static roost_ns deadline;
static a32 taken; /* no_barging: how far the other is */

static void begin(unsigned total)
{
    rooms_begin();
    model_born(&limiter, sizeof(limiter));
    MODEL_CHECK(roost_limiter_init(&limiter, total) == 0);
    a32_init(&taken, 0);
    inside = 0;
    most = (int)total;
    users = 0;
    status[0] = status[1] = status[2] = -EAGAIN;
    deadline = ROOST_NEVER;
}

static void forget(void)
{
    roost_limiter_destroy(&limiter);
    model_dead(&limiter, sizeof(limiter));
}

static int acquire(void)
{
    int i = model_self();

    status[i] =
        roost_limiter_acquire_until(&limiter, i == 0 ? deadline : ROOST_NEVER);
    if (status[i] == 0) {
        MODEL_CHECK(++inside <= most);
        MODEL_CHECK(roost_limiter_try_acquire(&limiter) == -EDEADLK);
    }
    return status[i];
}

static void release(void)
{
    inside--;
    MODEL_CHECK(roost_limiter_release(&limiter) == 0);
    MODEL_CHECK(roost_limiter_release(&limiter) == -EPERM);
}

/* All is back. */
static void check_idle(unsigned total)
{
    roost_limiter_info info;

    MODEL_CHECK(roost_limiter_stats(&limiter, &info) == 0);
    MODEL_CHECK(info.total == total && info.used == 0 && info.waiting == 0);
    MODEL_CHECK(model_live() == 0);
    forget();
}

static void user(void)
{
    task_begin();
    if (acquire() == 0) {
        release();
    }
    task_end();
}

static void ender(void)
{
    end_task(0);
}

static void setup_one(void)
{
    begin(1);
    deadline = soon();
}

static void conserved(void)
{
    MODEL_CHECK(status[1] == 0);
    saw(status[0]);
    check_idle(1);
}

MODEL(conserved, .setup = setup_one, .threads = {user, user, ender},
      .check = conserved, .flags = ONE,
      .must_see = SAW_DONE | SAW_CANCELLED | SAW_LATE);

/* With the token. The last one to have it knows that nobody needs the limiter
 * any more. */
static void leave_and_free(void)
{
    bool last = plain_read(users) == 1;

    plain_write(users, plain_read(users) + 1);
    MODEL_CHECK(roost_limiter_release(&limiter) == 0);
    if (last) {
        forget();
    }
}

static void user_frees(void)
{
    task_begin();
    MODEL_CHECK(acquire() == 0);
    inside--;
    leave_and_free();
    task_end();
}

static void trier_frees(void)
{
    task_begin();
    while (roost_limiter_try_acquire(&limiter) != 0) {
        spin_pause();
    }
    leave_and_free();
    task_end();
}

static void setup_plain(void)
{
    begin(1);
}

MODEL(hand_over_free, .setup = setup_plain, .threads = {user_frees, user_frees},
      .preemptions = 3, .flags = ONE);

MODEL(try_free, .setup = setup_plain, .threads = {user_frees, trier_frees},
      .preemptions = 3, .flags = ONE);

/* A task that ends with its token brings it home. */
static void keeper(void)
{
    task_begin();
    MODEL_CHECK(acquire() == 0);
    inside--;
    task_end();
}

static void came_home(void)
{
    MODEL_CHECK(status[0] == 0 && status[1] == 0);
    check_idle(1);
}

MODEL(holder_ends, .setup = setup_plain, .threads = {user, keeper},
      .check = came_home, .preemptions = 3, .flags = ONE);

/* Raised from nothing: those who wait go on. */
static void raiser(void)
{
    task_begin();
    most = 2;
    MODEL_CHECK(roost_limiter_set_total(&limiter, 2) == 0);
    task_end();
}

static void setup_zero(void)
{
    begin(0);
}

static void raised(void)
{
    MODEL_CHECK(status[0] == 0 && status[1] == 0);
    check_idle(2);
}

MODEL(raise_total, .setup = setup_zero, .threads = {user, user, raiser},
      .check = raised, .flags = ONE);

/* Raised by one, while the first in the queue leaves. */
static void raises_by_one(void)
{
    task_begin();
    most = 1;
    MODEL_CHECK(roost_limiter_set_total(&limiter, 1) == 0);
    task_end();
}

static void setup_zero_late(void)
{
    begin(0);
    deadline = soon();
}

MODEL(raise_or_end, .setup = setup_zero_late,
      .threads = {user, user, raises_by_one, ender}, .check = conserved,
      .flags = ONE, .must_see = SAW_DONE | SAW_CANCELLED | SAW_LATE);

/* What is given back belongs to who waits. */
static void no_barging_part(void)
{
    task_begin();
    MODEL_CHECK(acquire() == 0);
    a32_store(&taken, 1, RELEASE);
    await_waiting(0);
    release();
    MODEL_CHECK(roost_limiter_try_acquire(&limiter) == -EAGAIN);
    a32_store(&taken, 2, RELEASE);
    task_end();
}

/* Comes when the other has the token, and stays until that has tried. */
static void late_user(void)
{
    task_begin();
    while (a32_load(&taken, ACQUIRE) == 0) {
        spin_pause();
    }
    MODEL_CHECK(acquire() == 0);
    while (a32_load(&taken, ACQUIRE) == 1) {
        spin_pause();
    }
    task_end();
}

static void one_each(void)
{
    check_idle(1);
}

MODEL(no_barging, .setup = setup_plain, .threads = {late_user, no_barging_part},
      .check = one_each, .preemptions = 3, .flags = ONE);
