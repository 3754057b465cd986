/*
 * track.c - the records of each thread, on their way to the file.
 *
 * WHAT    A thread writes down what happens to it without ever waiting; one
 *         writer takes it from there; a trace ends without leaving anybody
 *         behind in memory that it frees.
 * MODEL   A track is a ring between two: its owner puts at head, the writer
 *         takes at tail. Full, what comes is counted and thrown away. There is
 *         a fixed number of tracks, static; a thread claims one at its first
 *         event and keeps it until it ends. Its room for records lasts for one
 *         trace: the owner allocates it at its first record of that, and
 *         track_reset frees it when all is taken.
 *
 *           off --open--> on --close--> off, quiet --reset--> off
 *
 *         The writer sleeps until a ring is half full (every TRACK_RECORDS/2
 *         puts ring the bell), so that an idle process stays idle.
 * INVARIANTS
 *   - head - tail <= TRACK_RECORDS; the owner alone moves head, the writer
 *     alone tail.
 *   - Between track_close and track_open no owner is at a track: busy is 0,
 *     and who sets it finds the trace off and goes.
 *   - A track with records of this trace is not handed to another thread in
 *     it: a row of the file is one thread.
 * ORDER
 *   TR1  put: head release -> take: head acquire    the record, the owner, and
 *        where the records are
 *   TR2  take: tail release -> put: tail acquire    it has been read
 *   TR3  enter: busy, barrier light, events_on <-> close: events_on, barrier
 *        heavy, busy
 *          owner                           close
 *          busy = 1                        events_on &= ~TRACE
 *          barrier light        /- TR3 -/  barrier heavy
 *          read events_on                  read busy
 *        One sees the other; without it a record is put into freed memory.
 *   TR4  leave: busy release -> close: busy acquire    all that the owner did;
 *        open: events_on release -> enter: acquire     what reset has cleared
 *   TR5  claims: release -> acquire    who has a track
 *   TR6  ring: bell release -> bell: acquire    the head that it was rung for
 * COST    enter, put, leave: some 15 stores, no read-modify-write.
 * REJECTED  A lock a track (the writer would hold up the worker); a count of
 *         who is inside (a line that all workers write); room that is never
 *         freed (a megabyte a thread for ever).
 */
#include "observe/track.h"

#include "base/alloc.h"
#include "base/spinlock.h"

/* M: TR3, TR4. In the file, not in .bss: the kernel finds a probe's semaphore
 * by its offset there. */
a32 events_on __attribute__((aligned(CACHE_LINE), section(".probes")));

static struct track tracks[TRACK_MAX];
static a32 claims; /* M: spin */
static a32 full;   /* M: a hint: no track is free in this trace */
static a32 lost;   /* M: events without a track */
static a32 bell;   /* M: TR6 (futex) */
static __thread struct track *own;

static void lock(void)
{
    spin_acquire(&claims); /* TR5 */
}

static void unlock(void)
{
    spin_release(&claims); /* TR5 */
}

/* --- the owner --- */

static struct track *claim(void)
{
    struct track *t = NULL;
    unsigned i;

    if (a32_load(&full, RELAXED)) {
        return NULL;
    }
    lock();
    for (i = 0; i < TRACK_MAX && t == NULL; i++) {
        if (!tracks[i].taken && a32_load(&tracks[i].head, RELAXED) == 0) {
            t = &tracks[i];
            t->taken = true;
        }
    }
    if (t == NULL) {
        a32_store(&full, 1, RELAXED);
    }
    unlock();
    return t;
}

struct track *track_enter(void)
{
    struct track *t = own;

    if (t == NULL) {
        t = claim();
        own = t;
    }
    if (t == NULL) {
        a32_add(&lost, 1, RELAXED);
        return NULL;
    }
    a32_store(&t->busy, 1, RELAXED);
    barrier_light(); /* TR3 */
    if (!(a32_load(&events_on, ACQUIRE /* TR4 */) & EVENTS_TRACE)) {
        track_leave(t);
        return NULL;
    }
    return t;
}

void track_leave(struct track *t)
{
    a32_store(&t->busy, 0, RELEASE /* TR4 */);
}

void track_ring(void)
{
    a32_add(&bell, 1, RELEASE /* TR6 */);
    (void)futex_wake(&bell, 1);
}

static bool room(struct track *t, uint32_t head)
{
    if (t->records == NULL) {
        t->records = alloc_bytes(TRACK_RECORDS * sizeof(struct record));
    }
    return t->records != NULL &&
           head - a32_load(&t->tail, ACQUIRE /* TR2 */) < TRACK_RECORDS;
}

void track_put(struct track *t, const struct record *r)
{
    uint32_t head = a32_load(&t->head, RELAXED);

    t->used = true;
    a64_store(&t->counts[r->kind], a64_load(&t->counts[r->kind], RELAXED) + 1,
              RELAXED);
    if (!room(t, head)) {
        a32_store(&t->dropped, a32_load(&t->dropped, RELAXED) + 1, RELAXED);
        return;
    }
    t->records[head % TRACK_RECORDS] = *r;
    a32_store(&t->head, head + 1, RELEASE /* TR1 */);
    if ((head + 1) % (TRACK_RECORDS / 2) == 0) {
        track_ring();
    }
}

struct track *track_use(struct track *t)
{
    struct track *was = own;

    own = t;
    return was;
}

void track_release(void)
{
    struct track *t = own;

    if (t != NULL) {
        own = NULL;
        lock();
        t->taken = false;
        unlock();
    }
}

/* --- the writer --- */

struct track *track_at(unsigned i)
{
    return &tracks[i];
}

unsigned track_take(struct track *t,
                    void (*fn)(void *ctx, struct track *t,
                               const struct record *r),
                    void *ctx)
{
    uint32_t tail = a32_load(&t->tail, RELAXED);
    uint32_t head = a32_load(&t->head, ACQUIRE /* TR1 */);
    unsigned n = 0;

    for (; tail != head; tail++, n++) {
        fn(ctx, t, &t->records[tail % TRACK_RECORDS]);
        a32_store(&t->tail, tail + 1, RELEASE /* TR2 */);
    }
    return n;
}

uint32_t track_bell(void)
{
    return a32_load(&bell, ACQUIRE /* TR6 */);
}

void track_sleep(uint32_t seen)
{
    (void)futex_wait(&bell, seen, INT64_MAX);
}

/* --- start and stop --- */

void track_open(void)
{
    a32_or(&events_on, EVENTS_TRACE, RELEASE /* TR4 */);
}

void track_close(void)
{
    unsigned i;

    a32_and(&events_on, ~EVENTS_TRACE, RELAXED);
    barrier_heavy(); /* TR3 */
    for (i = 0; i < TRACK_MAX; i++) {
        while (a32_load(&tracks[i].busy, ACQUIRE /* TR4 */) != 0) {
            spin_pause();
        }
    }
}

/* All but busy, which its owner may touch at any time, and what lasts. */
static void clear(struct track *t)
{
    unsigned i;

    alloc_free(t->records);
    t->records = NULL;
    a32_store(&t->head, 0, RELAXED);
    a32_store(&t->tail, 0, RELAXED);
    a32_store(&t->dropped, 0, RELAXED);
    for (i = 0; i < RECORD_KINDS; i++) {
        a64_store(&t->counts[i], 0, RELAXED);
    }
    t->open = 0;
    t->used = false;
    t->begun = false;
    t->shown = false;
    t->depth = 0;
}

void track_reset(void)
{
    unsigned i;

    lock(); /* against claims: they look at head */
    for (i = 0; i < TRACK_MAX; i++) {
        if (tracks[i].used) {
            clear(&tracks[i]);
        }
    }
    a32_store(&full, 0, RELAXED);
    a32_store(&lost, 0, RELAXED);
    unlock();
}

uint32_t track_lost(void)
{
    return a32_load(&lost, RELAXED);
}

void track_forked(void)
{
    unsigned i;

    a32_and(&events_on, ~EVENTS_TRACE, RELAXED);
    a32_store(&claims, 0, RELAXED);
    own = NULL;
    for (i = 0; i < TRACK_MAX; i++) {
        tracks[i].taken = false;
        a32_store(&tracks[i].busy, 0, RELAXED);
    }
    track_reset();
}
