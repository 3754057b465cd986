/*
 * trace_model.c - the real sched/observe/track.c: threads that record, the
 * writer, and the end of a trace.
 *
 * Would catch: a record lost, taken twice, out of order or half written; one
 * thrown away that is not counted; a record written into room that is freed;
 * a writer that sleeps on a ring that is full; two threads with one track; a
 * record of one trace that comes out in the next.
 */
// MODEL-SOURCES: sched/observe/track.c
#include "model.h"
#include "observe/track.h"

enum { THREADS = 2, PUTS = 6 };

static a32 stop;              /* the trace is closed: the writer may end */
static unsigned put[THREADS]; /* outside the model: handed in, by whom */
static unsigned taken[THREADS];
static uint64_t last[THREADS];
static uint64_t trace; /* which one it is: in a of each record */

static void setup(void)
{
    for (unsigned i = 0; i < TRACK_MAX; i++) {
        model_static(track_at(i), sizeof(struct track));
    }
    a32_init(&stop, 0);
    for (unsigned i = 0; i < THREADS; i++) {
        put[i] = 0;
        taken[i] = 0;
        last[i] = 0;
    }
    trace = 1;
    track_open();
}

/* One event. True: it went in, or was counted as dropped. */
static bool record(unsigned who, uint64_t number)
{
    struct track *t = track_enter();
    struct record r = {.kind = RECORD_TASK, .level = who, .b = number};

    if (t == NULL) {
        return false;
    }
    r.a = plain_read(trace);
    track_put(t, &r);
    put[who]++;
    track_leave(t);
    return true;
}

static void take(void *ctx, struct track *t, const struct record *r)
{
    uint32_t who = plain_read(r->level);

    (void)ctx;
    (void)t;
    MODEL_CHECK(who < THREADS && plain_read(r->kind) == RECORD_TASK);
    MODEL_CHECK(plain_read(r->a) == 1);
    MODEL_CHECK(plain_read(r->b) > last[who]);
    last[who] = r->b;
    taken[who]++;
}

static unsigned take_all(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < TRACK_MAX; i++) {
        n += track_take(track_at(i), take, NULL);
    }
    return n;
}

/* As trace_file.c has it. */
static void writer(void)
{
    uint32_t stopping;

    do {
        uint32_t bell = track_bell();

        stopping = a32_load(&stop, ACQUIRE);
        if (take_all() == 0 && stopping == 0) {
            track_sleep(bell);
        }
    } while (stopping == 0);
}

static unsigned dropped(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < TRACK_MAX; i++) {
        n += a32_load(&track_at(i)->dropped, RELAXED);
    }
    return n;
}

static unsigned counted(void)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < TRACK_MAX; i++) {
        n += a64_load(&track_at(i)->counts[RECORD_TASK], RELAXED);
    }
    return (unsigned)n;
}

/* The writer has ended. */
static void all_there(void)
{
    unsigned all = put[0] + put[1];

    MODEL_CHECK(taken[0] + taken[1] + dropped() == all);
    MODEL_CHECK(counted() == all);
    track_reset();
    MODEL_CHECK(model_live() == 0);
    MODEL_CHECK(take_all() == 0);
    MODEL_CHECK(dropped() == 0 && counted() == 0 && track_lost() == 0);
}

static void closes(void)
{
    track_close();
    a32_store(&stop, 1, RELEASE);
    track_ring();
}

/* --- more than the ring holds, while the writer takes --- */

static void six(void)
{
    for (unsigned i = 1; i <= PUTS; i++) {
        (void)record(0, i);
    }
}

MODEL(ring, .setup = setup, .threads = {six, writer, closes},
      .check = all_there, .flags = MODEL_EINTR | MODEL_NOMEM | MODEL_OWN_TLS);

/* --- a writer that nobody stops: half a ring wakes it --- */

static void half(void)
{
    for (unsigned i = 1; i <= TRACK_RECORDS / 2; i++) {
        (void)record(0, i);
    }
}

static void takes_half(void)
{
    while (taken[0] < TRACK_RECORDS / 2) {
        uint32_t bell = track_bell();

        if (take_all() == 0) {
            track_sleep(bell);
        }
    }
}

static void none_left(void)
{
    MODEL_CHECK(taken[0] == TRACK_RECORDS / 2);
    track_close();
    all_there();
}

MODEL(bell, .setup = setup, .threads = {half, takes_half}, .check = none_left,
      .timeouts = MODEL_TIMEOUT_NEVER, .flags = MODEL_EINTR | MODEL_OWN_TLS);

/* --- the end, while two threads record --- */

static void first(void)
{
    (void)record(0, 1);
    (void)record(0, 2);
}

static void second(void)
{
    (void)record(1, 1);
    track_release();
}

/* What stop does, in one: the writer has nothing else to do here. */
static void stops(void)
{
    track_close();
    (void)take_all();
    MODEL_CHECK(taken[0] + taken[1] + dropped() == put[0] + put[1]);
    track_reset();
    MODEL_CHECK(model_live() == 0);
}

static void nothing_left(void)
{
    MODEL_CHECK(take_all() == 0);
    MODEL_CHECK(model_live() == 0);
}

MODEL(end, .setup = setup, .threads = {first, second, stops},
      .check = nothing_left,
      .flags = MODEL_EINTR | MODEL_NOMEM | MODEL_OWN_TLS);

/* --- and another begins: nothing of the one comes out in the other --- */

static void takes_second(void *ctx, struct track *t, const struct record *r)
{
    (void)ctx;
    (void)t;
    MODEL_CHECK(r->a == 2);
}

static void begins_anew(void)
{
    stops();
    plain_write(trace, 2);
    track_open();
    track_close();
    for (unsigned i = 0; i < TRACK_MAX; i++) {
        (void)track_take(track_at(i), takes_second, NULL);
    }
    track_reset();
}

MODEL(anew, .setup = setup, .threads = {first, second, begins_anew},
      .check = nothing_left, .flags = MODEL_OWN_TLS);

/* --- more threads than tracks; a track goes from hand to hand --- */

static void lone(void)
{
    (void)record(0, 1);
    track_release();
    (void)record(0, 2);
}

static void three_more(void)
{
    for (unsigned i = 1; i <= 3; i++) {
        (void)record(1, i);
        track_release(); /* another thread would come with the next */
    }
}

static void shut(void)
{
    track_close();
    (void)take_all();
    MODEL_CHECK(put[0] + put[1] + track_lost() == 5);
    all_there();
}

MODEL(tracks, .setup = setup, .threads = {lone, three_more}, .check = shut,
      .flags = MODEL_OWN_TLS);
