/*
 * world.c - the objects of a random program, its main task, and what must hold
 * when all is over: see world.h.
 */
#include "world.h"

#include <fcntl.h>
#include <unistd.h>

#define WATCH_FIRST 1000u /* the value of version 1 */
#define RATE 100.0
#define BURST 3

struct world *world;
roost_local world_keys[KEYS];

bool hold(bool is, int at, const char *said)
{
    if (!is && world->said[0] == '\0') {
        strncpy(world->said, said, sizeof(world->said) - 1);
        world->said_at = at;
    }
    return is;
}

void note(uint64_t value)
{
    uint64_t x = (world->log ^ value) * UINT64_C(0x9e3779b97f4a7c15);

    world->log = x ^ x >> 29;
}

int new_failure(void)
{
    return world->fails_used == FAILS_MAX ? 0 : ROOST_USER(world->fails_used++);
}

/* --- what the library calls --- */

void world_drop_item(void *at)
{
    struct item item;

    memcpy(&item, at, sizeof(item));
    if (hold(item.number < world->items_used, -1, "a broken item is dropped")) {
        world->items[item.number].dropped++;
    }
}

void world_report(const roost_errors *e, const char *task, void *ctx)
{
    roost_error leaf = {0};

    (void)task;
    (void)ctx;
    while (roost_errors_next(e, &leaf)) {
        int n = ROOST_USER(0) - leaf.status;

        if (n >= 0 && n < FAILS_MAX) {
            world->reports[n]++;
        }
    }
}

/* --- the main task --- */

/*
 * Looks, whenever all tasks wait, whether they rightly do. Where nothing moves
 * for longer than any deadline, the program is stuck, and that is its own
 * fault: it is ended by a cancel, after which all must come home.
 */
static int watch_over(void *arg)
{
    struct place *main = arg;
    roost_ns pause = ROOST_MS;
    roost_ns idle = 0;
    bool ended = false;
    unsigned seen = 0;
    int rc;

    do {
        unsigned settled = world->settled;

        rc = roost_settle();
        if (rc == 0 && world->settled == settled) {
            waits_judge(); /* else another one has settled, and gone on */
        }
        rc = rc == 0 ? roost_sleep(pause) : rc;
        idle = world->progress == seen ? idle + pause : 0;
        seen = world->progress;
        pause = roost_now() < ROOST_S + 16 * ROOST_MS ? pause : 16 * ROOST_MS;
        if (idle > 100 * ROOST_MS && !ended) {
            ended = true;
            idle = 0;
            main->cancelled = true; /* it is open, or this had ended */
            (void)roost_scope_cancel(&main->scope, 0);
        }
    } while (rc == 0 && idle <= 100 * ROOST_MS);
    hold(rc != 0, -1, "cancelled, and still stuck");
    return rc == -ECANCELED ? 0 : rc;
}

static void judge_stats(void)
{
    roost_stats stats;

    if (hold(roost_stats_get(NULL, &stats) == 0, -1, "no stats")) {
        hold(stats.run >= stats.stolen, -1, "more stolen than run");
        hold(stats.spawned >= stats.run, -1, "more run than spawned");
        hold(stats.timers_armed >= stats.timers_fired, -1,
             "more timers fired than armed");
        hold(stats.parked >= stats.woken, -1, "more woken than parked");
    }
}

int world_main(void *arg)
{
    struct world *w = arg;
    struct start *st = &w->starts[w->starts_used++];
    unsigned first;
    int sticky;
    enum fault_kind kind = program_faults(w->p, &first, &sticky);
    roost_task_opts service = {.flags = ROOST_SERVICE};
    struct place p;
    struct task t;
    roost_scope outer;
    int rc;

    st->state = START_RUNNING;
    st->accepted = true;
    st->end = w->p->count;
    task_init(&t, st);
    memset(&p, 0, sizeof(p));
    p.opener = &t;
    roost_scope_open(&outer, NULL);
    rc = roost_spawn_opts(&outer, watch_over, &p, &service);
    hold(rc == 0, -1, "the watch could not be spawned");
    roost_scope_open(&p.scope, NULL);
    t.scope = &p;
    faults_begin(kind, first, sticky != 0);
    rc = run_ops(&t, 0, w->p->count);
    (void)place_close(&t, &p, 0, rc);
    faults_end();
    rc = roost_scope_close(&outer, 0);
    hold(rc == 0, -1, "the main scope failed");
    st->state = START_ENDED;
    judge_stats();
    return 0;
}

/* --- begin and end --- */

static bool make_chans(struct world *w)
{
    static const struct {
        size_t capacity;
        unsigned overflow;
    } how[CHANS] = {{0, ROOST_OVERFLOW_WAIT},
                    {2, ROOST_OVERFLOW_WAIT},
                    {ROOST_UNBOUNDED, ROOST_OVERFLOW_WAIT},
                    {1, ROOST_DROP_OLDEST},
                    {2, ROOST_DROP_NEWEST}};
    bool made = true;

    for (unsigned i = 0; i < CHANS; i++) {
        roost_chan_opts opts = {.overflow = how[i].overflow,
                                .on_drop = world_drop_item};

        w->chan[i] =
            roost_chan_new_opts(sizeof(struct item), how[i].capacity, &opts);
        made = made && w->chan[i] != NULL;
    }
    return made;
}

static bool make_locks(struct world *w)
{
    w->permits[0] = w->permits[1] = 2;
    w->total = 1;
    w->latch_count = 2;
    return roost_sem_init(&w->sem[0], 2, 2) == 0 &&
           roost_sem_init(&w->sem[1], 2, ROOST_UNBOUNDED) == 0 &&
           roost_mutex_init(&w->mutex[0]) == 0 &&
           roost_mutex_init(&w->mutex[1]) == 0 &&
           roost_cond_init(&w->cond) == 0 &&
           roost_rwlock_init(&w->rwlock) == 0 &&
           roost_limiter_init(&w->limiter, w->total) == 0 &&
           roost_rate_init(&w->rate, RATE, BURST) == 0 &&
           roost_event_init(&w->event[0]) == 0 &&
           roost_event_init(&w->event[1]) == 0 &&
           roost_latch_init(&w->latch, w->latch_count) == 0 &&
           roost_barrier_init(&w->barrier, 2) == 0 &&
           roost_oneshot_init(&w->oneshot) == 0;
}

static bool uses_pipe(const struct program *p)
{
    for (unsigned i = 0; i < p->count; i++) {
        unsigned code = p->ops[i].code;

        if (code == OP_FD_READ || code == OP_FD_WRITE || code == OP_FD_WAIT) {
            return true;
        }
    }
    return false;
}

int world_init(struct world *w, const struct program *p)
{
    static const unsigned first = WATCH_FIRST;

    memset(w, 0, sizeof(*w));
    world = w;
    w->p = p;
    w->fuel = FUEL;
    w->pipe[0] = w->pipe[1] = -1;
    w->watch = roost_watch_new(sizeof(first), &first);
    w->broadcast = roost_broadcast_new(sizeof(unsigned), 3);
    if (!make_chans(w) || !make_locks(w) || w->watch == NULL ||
        w->broadcast == NULL) {
        return -ENOMEM;
    }
    if (uses_pipe(p)) {
        w->outside = true;
        return pipe2(w->pipe, O_CLOEXEC | O_NONBLOCK) == 0 ? 0 : -errno;
    }
    return 0;
}

void world_destroy(struct world *w)
{
    for (unsigned i = 0; i < CHANS; i++) {
        roost_chan_free(w->chan[i]);
    }
    for (unsigned i = 0; i < 2; i++) {
        roost_sem_destroy(&w->sem[i]);
        roost_mutex_destroy(&w->mutex[i]);
        roost_event_destroy(&w->event[i]);
        if (w->pipe[i] >= 0) {
            (void)roost_close(w->pipe[i]);
        }
    }
    roost_cond_destroy(&w->cond);
    roost_rwlock_destroy(&w->rwlock);
    roost_limiter_destroy(&w->limiter);
    roost_rate_destroy(&w->rate);
    roost_latch_destroy(&w->latch);
    roost_barrier_destroy(&w->barrier);
    roost_broadcast_free(w->broadcast);
    roost_watch_free(w->watch);
}

/* --- when all is over --- */

static void judge_items(struct world *w)
{
    struct item item;

    for (unsigned i = 0; i < CHANS; i++) {
        while (roost_chan_try_recv(w->chan[i], &item) == 0) {
            if (hold(item.number < w->items_used, -1,
                     "a broken item is left")) {
                w->items[item.number].received++;
            }
        }
    }
    for (unsigned i = 0; i < w->items_used; i++) {
        unsigned came = w->items[i].received + w->items[i].dropped;

        hold(w->items[i].sent || came == 0, -1,
             "an item that was not sent was received or dropped");
        hold(!w->items[i].sent || came > 0, -1, "an item was lost");
        hold(came <= 1, -1, "an item was received or dropped twice");
    }
}

static void judge_tasks(struct world *w)
{
    for (unsigned i = 0; i < w->starts_used; i++) {
        const struct start *st = &w->starts[i];

        hold(!st->accepted || st->state == START_ENDED ||
                 (st->can_be_skipped && st->state == START_NEW),
             -1, "a task that was accepted has not run to its end");
        hold(!st->is_background || st->dropped == st->accepted, -1,
             "the drop of a background task was not called once");
    }
    for (unsigned i = 0; i < FAILS_MAX && faults_hit() == 0; i++) {
        hold(w->reports[i] == w->reports_due[i], -1,
             "a failure did not reach on_error once");
    }
}

static void judge_locks(struct world *w)
{
    for (unsigned i = 0; i < 2; i++) {
        hold(w->permits[i] == 2, -1, "permits are out");
        hold(roost_sem_try_acquire(&w->sem[i], 2) == 0, -1, "permits are lost");
        hold(roost_sem_try_acquire(&w->sem[i], 1) == -EAGAIN, -1,
             "there are more permits than there were");
        (void)roost_sem_release(&w->sem[i], 2);
        hold(roost_mutex_try_lock(&w->mutex[i]) == 0, -1, "a mutex is locked");
        (void)roost_mutex_unlock(&w->mutex[i]);
    }
    hold(roost_rwlock_try_wrlock(&w->rwlock) == 0, -1, "a rwlock is locked");
    (void)roost_rwlock_unlock(&w->rwlock);
    hold(w->tokens == 0, -1, "a token is out");
    hold(w->leaders == w->followers, -1,
         "a barrier has not as many leaders as followers");
}

void world_judge(struct world *w)
{
    judge_items(w);
    judge_tasks(w);
    judge_locks(w);
    for (unsigned i = 0; i < w->waits_used; i++) {
        hold(w->waits[i].kind == WAIT_NONE, -1, "somebody waits still");
    }
    if (w->pipe[0] >= 0) {
        char left[4 * FUEL]; /* an operation writes no more than 4 */
        ssize_t n = read(w->pipe[0], left, sizeof(left));

        w->piped_out += n > 0 ? (unsigned)n : 0;
        hold(w->piped_in == w->piped_out, -1, "a byte was lost in the pipe");
    }
}
