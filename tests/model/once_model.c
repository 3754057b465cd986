/*
 * once_model.c - the real sync/once.c: one run, whoever comes first.
 *
 * Would catch: two runs that succeed, or two at once; a caller that returns
 * before the run has ended, or without seeing what it did (O1); one that
 * sleeps on after a run failed or succeeded; a runner that still stands on the
 * word when a caller knows that it is done (R67).
 */
// MODEL-SOURCES: sync/once.c
// MODEL-WITH: sched/wait.c sched/wait_thread.c sched/held.c
// MODEL-WITH: sched/wait_row.c
#include "sync_rooms.h"

static union {
    roost_once pub;
    a32 word;
} once;
static int made;      /* what the run makes */
static int running;   /* outside the model */
static int runs;      /* outside the model: how many succeeded */
static int failures;  /* so many runs fail first */
static int status[3]; /* of the calls: outside the model */

static void begin(int fail)
{
    rooms_begin();
    model_born(&once, sizeof(once));
    memset(&once, 0, sizeof(once));
    a32_init(&once.word, 0);
    made = 0;
    running = runs = 0;
    failures = fail;
    status[0] = status[1] = status[2] = -EAGAIN;
}

static int make(void *arg)
{
    bool *mine = arg;

    *mine = true;
    MODEL_CHECK(++running == 1);
    plain_write(made, plain_read(made) + 1);
    running--;
    if (failures > 0) {
        failures--;
        return -EIO;
    }
    runs++;
    return 7;
}

/* True: it was the caller's own run. */
static bool call(void)
{
    bool mine = false;
    int i = model_self();

    status[i] = roost_once_call(&once.pub, make, &mine);
    if (status[i] >= 0) {
        MODEL_CHECK(status[i] == 7);
        MODEL_CHECK(plain_read(made) >= 1);
    }
    MODEL_CHECK(status[i] != -EIO || mine);
    return mine;
}

static void caller(void)
{
    task_begin();
    call();
    task_end();
}

/* Who has not run it himself knows that it is done with. */
static void caller_frees(void)
{
    task_begin();
    if (!call()) {
        model_dead(&once, sizeof(once));
    }
    task_end();
}

static void setup(void)
{
    begin(0);
}

static void ran_once(void)
{
    MODEL_CHECK(runs == 1);
}

MODEL(call_free, .setup = setup, .threads = {caller_frees, caller_frees},
      .check = ran_once, .preemptions = 3, .flags = ONE);

static void all_well(void)
{
    MODEL_CHECK(runs == 1);
    MODEL_CHECK(status[0] == 7 && status[1] == 7 && status[2] == 7);
}

MODEL(three_call, .setup = setup, .threads = {caller, caller, caller},
      .check = all_well, .flags = ONE);

/* The first run fails: another caller's succeeds, and the third gets that. */
static void setup_failing(void)
{
    begin(1);
}

static void one_failed(void)
{
    int failed = 0;

    for (int i = 0; i < 3; i++) {
        failed += status[i] == -EIO;
        MODEL_CHECK(status[i] == 7 || status[i] == -EIO);
    }
    MODEL_CHECK(runs == 1 && failed == 1);
}

MODEL(first_fails, .setup = setup_failing, .threads = {caller, caller, caller},
      .check = one_failed, .flags = ONE);

/* A waiter that is cancelled does not take the next one's turn with it. */
static void ends_0(void)
{
    cancel_task(0);
}

static void others_go_on(void)
{
    MODEL_CHECK(status[1] == 7 || status[1] == -EIO);
    MODEL_CHECK(status[2] == 7 || status[2] == -EIO);
    MODEL_CHECK(status[0] == 7 || status[0] == -EIO || status[0] == -ECANCELED);
    MODEL_CHECK(status[1] == 7 || status[2] == 7);
    MODEL_CHECK(runs == 1);
}

MODEL(fails_or_cancel, .setup = setup_failing,
      .threads = {caller, caller, caller, ends_0}, .check = others_go_on,
      .flags = ONE);
