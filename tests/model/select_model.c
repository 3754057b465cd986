/*
 * select_model.c - the real sync/select.c with channels, events and
 * semaphores: the first of several things, and only that one.
 *
 * Would catch: two cases that both happen, or one that happens and is not
 * told; two selects that block each other, or that pair with themselves (R49);
 * an item or permit lost because the clause that it was meant for had lost its
 * race; somebody left behind a clause that has gone (R51); a clause that stays
 * in a queue; an access to the object of the completed case, which whoever
 * completed it has freed (R67).
 */
// MODEL-SOURCES: sync/select.c sync/chan_select.c
// MODEL-WITH: sync/chan.c sync/chan_new.c sync/items.c sync/event.c sync/sem.c
// MODEL-WITH: sched/wait.c sched/wait_row.c sched/wait_thread.c
// MODEL-HEADERS: sync/queue.h
#include "sync_rooms.h"

enum { NOTHING = -1, FIRST = 10 };

static roost_chan *a, *b;
static roost_event event;
static roost_sem sem;
static int item[3][2]; /* what each thread sends or has received */
static int which[3];   /* what its select returned */
static int how[3];     /* the status of that case */
static roost_ns deadline;

static void begin(size_t capacity)
{
    rooms_begin();
    for (unsigned i = 0; i < TASKS; i++) {
        workers[i].rng.state = i + 1;
    }
    a = roost_chan_new(sizeof(int), capacity);
    b = roost_chan_new(sizeof(int), capacity);
    model_born(&event, sizeof(event));
    model_born(&sem, sizeof(sem));
    MODEL_CHECK(roost_event_init(&event) == 0);
    MODEL_CHECK(roost_sem_init(&sem, 0, 3) == 0);
    for (unsigned i = 0; i < 3; i++) {
        item[i][0] = item[i][1] = NOTHING;
        which[i] = -EAGAIN;
        how[i] = 1;
    }
    deadline = ROOST_NEVER;
}

/* Nobody stands anywhere any more. */
static void forget(void)
{
    roost_chan_free(a);
    roost_chan_free(b);
    roost_event_destroy(&event);
    roost_sem_destroy(&sem);
    MODEL_CHECK(model_live() == 0);
}

static void select_two(roost_case first, roost_case second)
{
    int i = model_self();
    roost_case cases[] = {first, second};

    which[i] = roost_select_until(cases, 2, deadline);
    if (which[i] >= 0) {
        how[i] = cases[which[i]].status;
    }
}

/* ---- select against select --------------------------------------------- */

/* T0 sends on a or receives from b, T1 the other way round. */
static void crossed(roost_chan *out, roost_chan *in)
{
    int *mine = item[model_self()];

    task_begin();
    mine[0] = FIRST + model_self();
    select_two(roost_on_send(out, &mine[0]), roost_on_recv(in, &mine[1]));
    task_end();
}

static void crossed_ab(void)
{
    crossed(a, b);
}

static void crossed_ba(void)
{
    crossed(b, a);
}

static void room_0(void)
{
    begin(0);
}

static void one_transfer(void)
{
    unsigned from = which[0] == 0 ? 0 : 1;
    unsigned to = 1 - from;

    MODEL_CHECK(which[from] == 0 && which[to] == 1);
    MODEL_CHECK(how[0] == 0 && how[1] == 0);
    MODEL_CHECK(item[to][1] == FIRST + (int)from);
    MODEL_CHECK(item[from][1] == NOTHING);
    model_outcome(from);
    forget();
}

MODEL(crossed_two, .setup = room_0, .threads = {crossed_ab, crossed_ba},
      .check = one_transfer, .preemptions = 3, .flags = ONE, .must_see = 1 | 2);

/* The same, and one may be ended: then the other is told by a close. */
static void crossed_or_not(void)
{
    crossed(a, b);
    if (which[0] < 0) {
        roost_chan_close(a);
        roost_chan_close(b);
    }
}

static void crossed_plainly(void)
{
    int *mine = item[1];
    roost_case cases[2];

    task_begin();
    mine[0] = FIRST + 1;
    cases[0] = roost_on_send(b, &mine[0]);
    cases[1] = roost_on_recv(a, &mine[1]);
    which[1] = roost_select(cases, 2);
    how[1] = cases[which[1]].status;
    task_end();
}

static void ender(void)
{
    end_task(0);
}

static void room_0_late(void)
{
    begin(0);
    deadline = soon();
}

static void one_or_none(void)
{
    saw(which[0]);
    if (which[0] >= 0) {
        one_transfer();
        return;
    }
    MODEL_CHECK(how[1] == -EPIPE);
    MODEL_CHECK(item[0][1] == NOTHING && item[1][1] == NOTHING);
    forget();
}

MODEL(crossed_or_end, .setup = room_0_late,
      .threads = {crossed_or_not, crossed_plainly, ender}, .check = one_or_none,
      .flags = ONE, .must_see = SAW_DONE | SAW_CANCELLED | SAW_LATE);

/* ---- the same channel twice, the same select on both ends -------------- */

static void receives_twice(void)
{
    task_begin();
    select_two(roost_on_recv(a, &item[0][0]), roost_on_recv(a, &item[0][1]));
    task_end();
}

static void both_ends(void)
{
    task_begin();
    item[0][0] = FIRST;
    select_two(roost_on_send(a, &item[0][0]), roost_on_recv(a, &item[0][1]));
    task_end();
}

static void sends_a(void)
{
    task_begin();
    item[1][0] = FIRST + 1;
    MODEL_CHECK(roost_chan_send(a, &item[1][0]) == 0);
    task_end();
}

static void receives_a(void)
{
    task_begin();
    MODEL_CHECK(roost_chan_recv(a, &item[1][0]) == 0);
    task_end();
}

static void one_of_twice(void)
{
    MODEL_CHECK(which[0] >= 0 && how[0] == 0);
    MODEL_CHECK(item[0][which[0]] == FIRST + 1);
    MODEL_CHECK(item[0][1 - which[0]] == NOTHING);
    forget();
}

MODEL(same_twice, .setup = room_0, .threads = {receives_twice, sends_a},
      .check = one_of_twice, .preemptions = 3, .flags = ONE);

static void other_end(void)
{
    MODEL_CHECK(which[0] == 1 && item[0][1] == FIRST + 1);
    forget();
}

static void this_end(void)
{
    MODEL_CHECK(which[0] == 0 && item[1][0] == FIRST);
    MODEL_CHECK(item[0][1] == NOTHING);
    forget();
}

MODEL(both_ends_send, .setup = room_0, .threads = {both_ends, sends_a},
      .check = other_end, .preemptions = 3, .flags = ONE);
MODEL(both_ends_recv, .setup = room_0, .threads = {both_ends, receives_a},
      .check = this_end, .preemptions = 3, .flags = ONE);

/* ---- freed by who has completed it ------------------------------------- */

static void receives_a_or_b(void)
{
    task_begin();
    select_two(roost_on_recv(a, &item[0][0]), roost_on_recv(b, &item[0][1]));
    task_end();
}

static void sends_and_frees(void)
{
    task_begin();
    item[1][0] = FIRST;
    MODEL_CHECK(roost_chan_send(a, &item[1][0]) == 0);
    roost_chan_free(a);
    a = NULL;
    task_end();
}

static void got_a(void)
{
    MODEL_CHECK(which[0] == 0 && item[0][0] == FIRST);
    forget();
}

MODEL(sender_frees, .setup = room_0,
      .threads = {receives_a_or_b, sends_and_frees}, .check = got_a,
      .preemptions = 3, .flags = ONE);

/* Its other clauses in the queues of that channel are out, too. */
static void one_of_twice_freed(void)
{
    MODEL_CHECK(which[0] >= 0 && item[0][which[0]] == FIRST);
    MODEL_CHECK(item[0][1 - which[0]] == NOTHING);
    forget();
}

MODEL(twice_frees, .setup = room_0,
      .threads = {receives_twice, sends_and_frees}, .check = one_of_twice_freed,
      .preemptions = 3, .flags = ONE);

static void other_end_freed(void)
{
    MODEL_CHECK(which[0] == 1 && item[0][1] == FIRST);
    forget();
}

MODEL(both_ends_free, .setup = room_0, .threads = {both_ends, sends_and_frees},
      .check = other_end_freed, .preemptions = 3, .flags = ONE);

/* The same, and the one who completes it is the select. */
static void sends_or_event(void)
{
    task_begin();
    item[1][0] = FIRST;
    select_two(roost_on_send(a, &item[1][0]), roost_on_event(&event));
    task_end();
}

static void receives_and_frees(void)
{
    task_begin();
    MODEL_CHECK(roost_chan_recv(a, &item[0][0]) == 0);
    roost_chan_free(a);
    a = NULL;
    task_end();
}

static void sent_a(void)
{
    MODEL_CHECK(which[1] == 0 && item[0][0] == FIRST);
    forget();
}

MODEL(receiver_frees, .setup = room_0,
      .threads = {receives_and_frees, sends_or_event}, .check = sent_a,
      .preemptions = 3, .flags = ONE);

/* And by who selected. */
static void selects_and_frees(void)
{
    task_begin();
    select_two(roost_on_recv(a, &item[0][0]), roost_on_event(&event));
    MODEL_CHECK(which[0] == 0 && item[0][0] == FIRST + 1);
    forget();
    task_end();
}

MODEL(selector_frees, .setup = room_0, .threads = {selects_and_frees, sends_a},
      .preemptions = 3, .flags = ONE);

/* ---- of two things that happen at once, one is left -------------------- */

static void receives_or_event(void)
{
    task_begin();
    select_two(roost_on_recv(a, &item[0][0]), roost_on_event(&event));
    task_end();
}

static void sets_event(void)
{
    task_begin();
    MODEL_CHECK(roost_event_set(&event) == 0);
    task_end();
}

static void room_1_late(void)
{
    begin(1);
    deadline = soon();
}

static void item_is_somewhere(void)
{
    int rest = NOTHING;

    saw(which[0]);
    MODEL_CHECK(roost_event_is_set(&event));
    MODEL_CHECK(roost_chan_try_recv(a, &rest) == (which[0] == 0 ? -EAGAIN : 0));
    MODEL_CHECK((item[0][0] == FIRST + 1) == (which[0] == 0));
    MODEL_CHECK((rest == FIRST + 1) == (which[0] != 0));
    forget();
}

MODEL(recv_or_event, .setup = room_1_late,
      .threads = {receives_or_event, sends_a, sets_event, ender},
      .check = item_is_somewhere, .flags = ONE,
      .must_see = SAW_DONE | SAW_CANCELLED | SAW_LATE);

/* A close is one of the things that happen. */
static void closes_a(void)
{
    task_begin();
    roost_chan_close(a);
    task_end();
}

static void closed_or_event(void)
{
    MODEL_CHECK(which[0] == 0 || which[0] == 1);
    MODEL_CHECK(how[0] == (which[0] == 0 ? -EPIPE : 0));
    MODEL_CHECK(item[0][0] == NOTHING);
    model_outcome((unsigned)which[0]);
    forget();
}

MODEL(close_or_event, .setup = room_0,
      .threads = {receives_or_event, closes_a, sets_event},
      .check = closed_or_event, .flags = ONE, .must_see = 1 | 2);

/* ---- permits ----------------------------------------------------------- */

/* The select wants two permits or the event; behind it somebody wants one. */
static void permits_or_event(void)
{
    task_begin();
    select_two(roost_on_sem(&sem, 2), roost_on_event(&event));
    task_end();
}

static void acquires_one(void)
{
    task_begin();
    MODEL_CHECK(roost_sem_acquire(&sem, 1) == 0);
    task_end();
}

static void releases_two(void)
{
    task_begin();
    MODEL_CHECK(roost_sem_release(&sem, 1) == 0);
    MODEL_CHECK(roost_sem_release(&sem, 1) == 0);
    task_end();
}

static void sets_and_releases(void)
{
    task_begin();
    MODEL_CHECK(roost_event_set(&event) == 0);
    MODEL_CHECK(roost_sem_release(&sem, 1) == 0);
    task_end();
}

/* Three were released, one is taken, and two more if the select got them. */
static void permits_are_right(void)
{
    unsigned rest = which[0] == 0 ? 0 : 2;

    MODEL_CHECK(which[0] >= 0 && how[0] == 0);
    MODEL_CHECK(roost_sem_try_acquire(&sem, rest) == 0);
    MODEL_CHECK(roost_sem_try_acquire(&sem, 1) == -EAGAIN);
    model_outcome((unsigned)which[0]);
    forget();
}

MODEL(sem_or_event, .setup = room_0,
      .threads = {permits_or_event, acquires_one, releases_two,
                  sets_and_releases},
      .check = permits_are_right, .flags = ONE, .must_see = 1 | 2);

/* Either three permits or one: what there is is enough for one. */
static void three_or_one(void)
{
    task_begin();
    select_two(roost_on_sem(&sem, 3), roost_on_sem(&sem, 1));
    task_end();
}

static void releases_one(void)
{
    task_begin();
    MODEL_CHECK(roost_sem_release(&sem, 1) == 0);
    task_end();
}

static void got_one(void)
{
    MODEL_CHECK(which[0] == 1 && how[0] == 0);
    MODEL_CHECK(roost_sem_try_acquire(&sem, 1) == -EAGAIN);
    forget();
}

MODEL(many_or_one, .setup = room_0, .threads = {three_or_one, releases_one},
      .check = got_one, .preemptions = 3, .flags = ONE);

/* The only permit is not enough for the select at the head. When that goes
 * away for the event, the one behind it gets it. */
static void one_permit(void)
{
    begin(0);
    MODEL_CHECK(roost_sem_release(&sem, 1) == 0);
}

static void behind_select(void)
{
    task_begin();
    await_waiting(0);
    MODEL_CHECK(roost_sem_acquire(&sem, 1) == 0);
    task_end();
}

static void sets_when_both_wait(void)
{
    task_begin();
    await_waiting(1);
    MODEL_CHECK(roost_event_set(&event) == 0);
    task_end();
}

static void behind_has_it(void)
{
    MODEL_CHECK(which[0] == 1);
    MODEL_CHECK(roost_sem_try_acquire(&sem, 1) == -EAGAIN);
    forget();
}

MODEL(large_select_leaves, .setup = one_permit,
      .threads = {permits_or_event, behind_select, sets_when_both_wait},
      .check = behind_has_it, .flags = ONE);

/* ---- the time as a case ------------------------------------------------ */

static void receives_or_time(void)
{
    task_begin();
    select_two(roost_on_recv(a, &item[0][0]), roost_on_time(model_now() + 500));
    task_end();
}

static void ticker(void)
{
    expire_task(0);
}

static void room_1(void)
{
    begin(1);
}

static void item_or_time(void)
{
    int rest;

    MODEL_CHECK(which[0] >= 0 && how[0] == 0);
    MODEL_CHECK(roost_chan_try_recv(a, &rest) == (which[0] == 0 ? -EAGAIN : 0));
    model_outcome((unsigned)which[0]);
    forget();
}

MODEL(recv_or_time, .setup = room_1,
      .threads = {receives_or_time, sends_a, ticker}, .check = item_or_time,
      .flags = ONE, .must_see = 1 | 2);
