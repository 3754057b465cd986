/*
 * barrier_model.c - the real sync/barrier.c: parties that meet, leave because
 * they were cancelled or too late, and abort.
 *
 * Would catch: a round with more or fewer parties than n, or none or two
 * leaders; one that a cancelled party has helped to complete (R8, R52); a
 * party left behind; an access by the last one in after another has gone on
 * (R67).
 */
// MODEL-SOURCES: sync/barrier.c
// MODEL-WITH: sched/wait.c sched/wait_row.c sched/wait_thread.c
#include "sync_rooms.h"

enum { PARTIES = 3 };

static roost_barrier barrier;
static int message[PARTIES]; /* of each before it arrives */
static int status[PARTIES];  /* of the waits: outside the model */
static roost_ns deadline[PARTIES];

static void begin(unsigned n)
{
    rooms_begin();
    model_born(&barrier, sizeof(barrier));
    MODEL_CHECK(roost_barrier_init(&barrier, n) == 0);
    for (unsigned i = 0; i < PARTIES; i++) {
        message[i] = 0;
        status[i] = -EAGAIN;
        deadline[i] = ROOST_NEVER;
    }
}

static int meet(void)
{
    int i = model_self();

    plain_write(message[i], 42);
    status[i] = roost_barrier_wait_until(&barrier, deadline[i]);
    return status[i];
}

static void party(void)
{
    task_begin();
    meet();
    task_end();
}

/* How many met; one of them is the leader, or none did. */
static int met(void)
{
    int n = 0, leaders = 0;

    for (unsigned i = 0; i < PARTIES; i++) {
        n += status[i] >= 0;
        leaders += status[i] == 1;
    }
    MODEL_CHECK(leaders == (n > 0));
    return n;
}

/* ---- a round, and the barrier is gone ---------------------------------- */

static bool leader_frees;

static void setup_free(void)
{
    begin(2);
    leader_frees = model_choose(2) == 1;
}

static void party_frees(void)
{
    task_begin();
    if ((meet() == 1) == leader_frees) {
        MODEL_CHECK(plain_read(message[0]) == 42);
        MODEL_CHECK(plain_read(message[1]) == 42);
        roost_barrier_destroy(&barrier);
        model_dead(&barrier, sizeof(barrier));
    }
    task_end();
}

static void two_met(void)
{
    MODEL_CHECK(met() == 2);
}

MODEL(meet_free, .setup = setup_free, .threads = {party_frees, party_frees},
      .check = two_met, .preemptions = 3, .flags = ONE);

static void setup_three(void)
{
    begin(3);
}

static void three_met(void)
{
    MODEL_CHECK(met() == 3);
}

MODEL(three_meet, .setup = setup_three, .threads = {party, party, party},
      .check = three_met, .flags = ONE);

/* One is a plain thread. */
static void party_thread(void)
{
    MODEL_CHECK(meet() >= 0);
}

static void setup_two(void)
{
    begin(2);
}

MODEL(thread_meets, .setup = setup_two, .threads = {party_thread, party},
      .check = two_met, .preemptions = 3, .flags = ONE | MODEL_OWN_TLS);

/* The next round begins at once: its parties do not mix with the last. */
static int second[2];

static void party_twice(void)
{
    int i = model_self();

    task_begin();
    meet();
    plain_write(message[i], 43);
    second[i] = roost_barrier_wait(&barrier);
    MODEL_CHECK(plain_read(message[0]) == 43);
    MODEL_CHECK(plain_read(message[1]) == 43);
    task_end();
}

static void met_twice(void)
{
    MODEL_CHECK(met() == 2);
    MODEL_CHECK(second[0] + second[1] == 1);
}

MODEL(two_rounds, .setup = setup_two, .threads = {party_twice, party_twice},
      .check = met_twice, .preemptions = 3, .flags = ONE);

/* ---- leaving ----------------------------------------------------------- */

static void setup_leave(void)
{
    begin(2);
    deadline[0] = deadline[1] = soon();
}

static void ends_0(void)
{
    cancel_task(0);
}

static void ends_1(void)
{
    expire_task(1);
}

/* The round is of both, or of none. */
static void both_or_none(void)
{
    int n = met();

    MODEL_CHECK(n == 0 || n == 2);
    saw(status[0]);
    saw(status[1]);
}

MODEL(leave, .setup = setup_leave, .threads = {party, party, ends_0, ends_1},
      .check = both_or_none, .flags = ONE,
      .must_see = SAW_DONE | SAW_CANCELLED | SAW_LATE);

/* Two of three meet where the third has left, or it is among them and the
 * last one is too late. */
static void setup_leave_three(void)
{
    begin(2);
    deadline[1] = deadline[2] = soon();
}

static void ends_late(void)
{
    take(1);
    model_advance(1000);
    timers_give(1);
    take(2);
    timers_give(2);
}

static void two_or_none(void)
{
    int n = met();

    MODEL_CHECK(n == 0 || n == 2);
    model_outcome((unsigned)n);
}

MODEL(one_too_many, .setup = setup_leave_three,
      .threads = {party, party, party, ends_0, ends_late}, .check = two_or_none,
      .flags = ONE, .must_see = 1 | 4);

/* One is cancelled, and on its way out when two others come: they meet. */
static a32 cancelled;

static void setup_gone(void)
{
    begin(2);
    a32_init(&cancelled, 0);
}

static void cancels(void)
{
    await_waiting(0);
    cancel_task(0);
    a32_store(&cancelled, 1, RELEASE);
}

static void comes_after(void)
{
    task_begin();
    while (a32_load(&cancelled, ACQUIRE) == 0) {
        spin_pause();
    }
    MODEL_CHECK(meet() >= 0);
    task_end();
}

static void without_it(void)
{
    MODEL_CHECK(status[0] == -ECANCELED && met() == 2);
}

MODEL(gone_party, .setup = setup_gone,
      .threads = {party, comes_after, comes_after, cancels},
      .check = without_it, .flags = ONE);

/* ---- abort ------------------------------------------------------------- */

static void aborter(void)
{
    task_begin();
    MODEL_CHECK(roost_barrier_abort(&barrier) == 0);
    task_end();
}

static void all_or_closed(void)
{
    MODEL_CHECK(met() == 2 || (status[0] == -EPIPE && status[1] == -EPIPE));
    saw(status[0]);
}

MODEL(abort_it, .setup = setup_two, .threads = {party, party, aborter},
      .check = all_or_closed, .flags = ONE, .must_see = SAW_DONE | SAW_CLOSED);

/* A party that is cancelled while all are told of the abort. */
static void setup_abort_three(void)
{
    begin(3);
}

static void none_met(void)
{
    MODEL_CHECK(status[0] == -EPIPE || status[0] == -ECANCELED);
    MODEL_CHECK(status[1] == -EPIPE);
}

MODEL(abort_or_cancel, .setup = setup_abort_three,
      .threads = {party, party, aborter, ends_0}, .check = none_met,
      .flags = ONE);
