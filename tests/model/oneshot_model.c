/*
 * oneshot_model.c - the real sync/oneshot.c: set against get, on a oneshot
 * that is gone as soon as its value is out.
 *
 * Would catch: a get that sleeps on although the value is set; a value that
 * only some get; an output written by a get that failed (R8); a second set
 * that takes effect (R53); an access after the value was seen (R67).
 */
// MODEL-SOURCES: sync/oneshot.c
// MODEL-WITH: sched/wait.c sched/wait_row.c sched/wait_thread.c
#include "sync_rooms.h"

static roost_oneshot oneshot;
static int message[2]; /* what the pointers of the setters point to */
static int set[2];     /* results of the sets: outside the model */
static int status[2];  /* of the gets: outside the model */
static roost_ns deadline;

static void setup(void)
{
    rooms_begin();
    model_born(&oneshot, sizeof(oneshot));
    MODEL_CHECK(roost_oneshot_init(&oneshot) == 0);
    message[0] = message[1] = 0;
    set[0] = set[1] = 1;
    status[0] = status[1] = 1;
    deadline = ROOST_NEVER;
}

static void setter(unsigned i)
{
    task_begin();
    plain_write(message[i], 42);
    set[i] = roost_oneshot_set(&oneshot, &message[i]);
    task_end();
}

static void setter_0(void)
{
    setter(0);
}

static void setter_1(void)
{
    setter(1);
}

static int get(unsigned i)
{
    void *value = &status;

    status[i] = roost_oneshot_get_until(&oneshot, &value, deadline);
    if (status[i] == 0) {
        MODEL_CHECK(value == &message[0] || value == &message[1]);
        MODEL_CHECK(plain_read(*(int *)value) == 42);
    } else {
        MODEL_CHECK(value == &status);
    }
    return status[i];
}

static void getter(void)
{
    task_begin();
    if (get((unsigned)model_self()) == 0) {
        model_dead(&oneshot, sizeof(oneshot));
    }
    task_end();
}

static void getter_keeps(void)
{
    task_begin();
    get((unsigned)model_self());
    task_end();
}

static void ender(void)
{
    end_task(0);
}

static void got(void)
{
    MODEL_CHECK(status[0] == 0 && set[0] == 0);
}

MODEL(set_get_free, .setup = setup, .threads = {getter, setter_0}, .check = got,
      .preemptions = 3, .flags = ONE);

static void one_set(void)
{
    MODEL_CHECK(set[0] + set[1] == -EALREADY);
    MODEL_CHECK(status[0] == 0);
}

MODEL(two_set, .setup = setup, .threads = {getter_keeps, setter_0, setter_1},
      .check = one_set, .flags = ONE);

static void both_got(void)
{
    MODEL_CHECK(status[0] == 0 && status[1] == 0);
}

MODEL(two_get, .setup = setup,
      .threads = {getter_keeps, getter_keeps, setter_0}, .check = both_got,
      .flags = ONE);

static void setup_late(void)
{
    setup();
    deadline = soon();
}

static void either(void)
{
    saw(status[0]);
    MODEL_CHECK(set[0] == 0);
}

MODEL(set_or_end, .setup = setup_late, .threads = {getter, setter_0, ender},
      .check = either, .flags = ONE,
      .must_see = SAW_DONE | SAW_CANCELLED | SAW_LATE);
