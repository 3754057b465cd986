/*
 * thread.c - the threads of a run: scheduling points, waiting, the futex.
 *
 * WHAT   Before each access the running thread asks who goes on (reschedule);
 *        a thread that waits leaves the set of those who can.
 * MODEL  ready    can run; paused, a part of it: in a loop that waits, and
 *                 nothing was stored since it looked last
 *        asleep   in a futex wait; a deadline or EINTR may end it
 *        parked   between model_park and model_unpark
 *        A preemption is a switch away from a thread that could go on.
 * INVARIANTS  Nobody ready, asleep with a deadline or paused, and not all
 *        have ended: a deadlock (reschedule). All paused again and again with
 *        no store between: a livelock (wake_paused).
 */
#include "engine.h"
#include <errno.h>
#include <string.h>

enum {
    IDLE_ROUNDS = 200,
    CLOCK_START = 1000,
    EARLY = 3 /* deadlines that fire in a run while others could go on */
};

bool barrier_asymmetric;

static uint32_t bit(const struct thread *t)
{
    return UINT32_C(1) << thread_index(t);
}

void thread_reset(void)
{
    strand_reset();
    e.now = CLOCK_START;
    e.clock_step = 0;
    e.me = &e.threads[0];
    e.alone = true;
    e.ready = 0;
    e.paused = 0;
    e.asleep = 0;
    e.idle_rounds = 0;
    e.eintr = 0;
    e.fired = 0;
    for (e.count = 1;
         e.count < THREADS && e.model->threads[e.count - 1] != NULL;
         e.count++) {
        e.ready |= UINT32_C(1) << e.count;
    }
    for (unsigned i = 0; i < e.count; i++) {
        struct thread *t = &e.threads[i];
        size_t clocks = THREADS * sizeof(t->cur.at[0]);

        memset(t->cur.at, 0, clocks);
        memset(t->acquire.at, 0, clocks);
        memset(t->release.at, 0, clocks);
        memset(t->resumed.at, 0, clocks);
        t->cur.at[i] = 1;
        t->pause_step = 0;
        t->futex = 0;
        t->parked = false;
        t->token = false;
        t->run = i > 0 ? e.model->threads[i - 1] : NULL;
    }
}

/* ---- who goes on --------------------------------------------------------- */

static void deadlock(void)
{
    char list[128] = "";

    for (unsigned i = 1; i < e.count; i++) {
        const struct thread *t = &e.threads[i];
        size_t used = strlen(list);

        if ((e.asleep & bit(t)) != 0 || t->parked) {
            snprintf(list + used, sizeof(list) - used, " T%u %s", i - 1,
                     t->parked ? "parked" : "in a futex");
        }
    }
    run_failed("deadlock:%s", list);
}

static bool all_ended(void)
{
    for (unsigned i = 1; i < e.count; i++) {
        if (e.threads[i].parked) {
            return false;
        }
    }
    return e.ready == 0 && e.asleep == 0;
}

static unsigned list_ready(uint8_t *who, unsigned n, uint32_t able)
{
    for (unsigned i = 1; i < e.count; i++) {
        if ((able >> i & 1) != 0) {
            who[n++] = (uint8_t)i;
        }
    }
    return n;
}

/* Sleepers whom a deadline or a signal may wake now. */
static unsigned list_sleepers(uint8_t *who, unsigned n, bool idle)
{
    bool any = e.model->timeouts == MODEL_TIMEOUT_ANY && e.fired < EARLY;
    bool timeouts = any || (e.model->timeouts != MODEL_TIMEOUT_NEVER && idle);

    for (unsigned i = 1; i < e.count; i++) {
        if ((e.asleep >> i & 1) == 0) {
            continue;
        }
        if (timeouts && e.threads[i].deadline != INT64_MAX) {
            who[n++] = (uint8_t)(i | TIMEOUT << 4);
        }
        if ((e.model->flags & MODEL_EINTR) != 0 && e.eintr == 0 && !idle) {
            who[n++] = (uint8_t)(i | INTERRUPT << 4);
        }
    }
    return n;
}

/* All who could run wait in a loop. They look again, at the newest: first in
 * any order, then, since nothing has changed, in turn. */
static unsigned wake_paused(uint8_t *who, unsigned sleepers)
{
    uint32_t later = e.paused & (~UINT32_C(0) << (thread_index(e.me) + 1));

    if (++e.idle_rounds == 1) {
        e.paused = 0;
        return list_ready(who, sleepers, e.ready);
    }
    if (e.idle_rounds <= IDLE_ROUNDS) {
        later = later != 0 ? later : e.paused;
        e.paused &= ~(later & -later);
        return list_ready(who, sleepers, later & -later);
    }
    if (sleepers == 0) {
        run_failed("livelock: every thread waits in a loop");
    }
    return sleepers;
}

static void wake_sleeper(struct thread *t, enum reason reason)
{
    e.asleep &= ~bit(t);
    e.ready |= bit(t);
    t->futex = 0;
    if (reason == TIMEOUT) {
        t->result = -ETIMEDOUT;
        e.now = e.now > t->deadline ? e.now : t->deadline;
        e.fired++;
    } else {
        t->result = -EINTR;
        e.eintr++;
    }
    trace("", 0, "T%u's wait ends: %s", thread_index(t) - 1,
          reason == TIMEOUT ? "deadline" : "EINTR");
}

static void go(struct thread *next)
{
    struct thread *self = e.me;

    if (next != self) {
        e.me = next;
        strand_become(thread_index(next));
        strand_switch(&self->sp, next->sp);
    }
}

static void reschedule(void)
{
    uint8_t who[3 * THREADS];
    uint32_t able = e.ready & ~e.paused;
    bool mine = (able & bit(e.me)) != 0;
    unsigned n = 0, pick;

    sleep_step_made();
    if (mine) {
        if ((able == bit(e.me) && e.asleep == 0) ||
            e.preemptions >= e.bound_preemptions) {
            return;
        }
        who[n++] = (uint8_t)thread_index(e.me);
        able &= ~bit(e.me);
    }
    n = list_ready(who, n, able);
    if (e.asleep != 0) {
        n = list_sleepers(who, n, n == 0);
    }
    if (!mine && able == 0 && e.paused != 0) {
        n = wake_paused(who, n);
        sleep_forget();
    }
    if (n == 0) {
        if (!all_ended()) {
            deadlock();
        }
        go(&e.threads[0]);
        return;
    }
    if (n > 1) {
        pick = choose_thread(who, n, mine);
    } else {
        pick = 0;
        sleep_forced(who);
    }
    if (mine && pick > 0) {
        e.preemptions++;
    }
    if (who[pick] >> 4 != RUN) {
        wake_sleeper(&e.threads[who[pick] & 15], who[pick] >> 4);
    }
    go(&e.threads[who[pick] & 15]);
}

/* Whether an access is one of the real files, by its __FILE__. Asked at each
 * access, of a few files in turn: the answers are kept by address. */
bool thread_is_real(const char *file)
{
    static struct {
        const char *file;
        bool real;
    } known[64];
    unsigned i = (unsigned)((uintptr_t)file >> 3) % 64;

    if (known[i].file != file) {
        known[i].file = file;
        known[i].real =
            strstr(file, "sched/") != NULL || strstr(file, "sync/") != NULL;
    }
    return known[i].real;
}

void thread_point(const char *file)
{
    uint32_t limit = e.model->steps != 0 ? e.model->steps : 2000;

    if (e.alone) {
        return;
    }
    e.real += thread_is_real(file);
    if (++e.steps > limit) {
        run_failed("livelock: more than %u accesses", limit);
    }
    reschedule();
}

static void enter_thread(void)
{
    e.me->run();
    trace("", 0, "ends");
    e.ready &= ~bit(e.me);
    e.paused &= ~bit(e.me);
    reschedule();
    __builtin_unreachable();
}

/* Runs them to their ends; thread 0 then knows all that they did. */
void thread_run_all(void)
{
    struct thread *zero = &e.threads[0];

    for (unsigned i = 1; i < e.count; i++) {
        struct thread *t = &e.threads[i];
        uint32_t own = t->cur.at[i];

        memory_copy(&t->cur, &zero->cur, e.width);
        t->cur.at[i] = own;
        strand_make(i, enter_thread);
    }
    if (e.count > 1) {
        e.alone = false;
        reschedule();
        e.alone = true;
    }
    for (unsigned i = 1; i < e.count; i++) {
        memory_join(&zero->cur, &e.threads[i].cur, e.width);
    }
}

/* ---- waiting ------------------------------------------------------------- */

void model_pause(const char *file, int line)
{
    struct thread *t = e.me;

    if (e.alone) {
        run_failed("%s:%d: a loop waits while no other thread runs", file,
                   line);
    }
    trace(file, line, "pause");
    e.real += thread_is_real(file);
    if (++e.steps > STEPS_MAX) {
        run_failed("livelock: more than %d accesses", STEPS_MAX);
    }
    e.paused |= bit(t);
    /* What was stored up to now is read when it looks again. */
    t->pause_step = e.steps;
    sleep_touch_all();
    reschedule();
    e.paused &= ~bit(t);
}

/* Stands for who sleeps on a word. */
static const void *sleepers_of(const a32 *word)
{
    return (const char *)word + 1;
}

int futex_wait(a32 *word, uint32_t seen, int64_t deadline)
{
    struct thread *t = e.me;
    uint64_t value = memory_newest(MODEL_WORD(word, RELAXED));

    trace(__FILE__, __LINE__, "futex  wait: %lld, expects %u", (long long)value,
          seen);
    if (value != seen) {
        return 0;
    }
    sleep_touch(&e.now, false);
    if (deadline <= e.now) {
        return -ETIMEDOUT;
    }
    if (e.alone) {
        run_failed("a futex wait while no other thread runs");
    }
    sleep_touch(sleepers_of(word), true);
    t->futex = MODEL_NUMBER(word);
    t->deadline = deadline;
    t->result = 0;
    e.ready &= ~bit(t);
    e.asleep |= bit(t);
    reschedule();
    return t->result;
}

int futex_wake(a32 *word, int n)
{
    int woken = 0;

    if ((uintptr_t)word < 4096) { /* the kernel would only say -EFAULT */
        run_failed("futex wake: no word");
    }
    thread_point(__FILE__);
    sleep_touch(sleepers_of(word), true);
    while (woken < n) {
        uint8_t who[THREADS];
        unsigned count = 0;
        struct thread *t;

        for (unsigned i = 1; i < e.count; i++) {
            if ((e.asleep >> i & 1) != 0 &&
                e.threads[i].futex == MODEL_NUMBER(word)) {
                who[count++] = (uint8_t)i;
            }
        }
        if (count == 0) {
            break;
        }
        t = &e.threads[who[count > 1 && woken < n ? choose(count) : 0]];
        t->futex = 0;
        e.asleep &= ~bit(t);
        e.ready |= bit(t);
        woken++;
        trace(__FILE__, __LINE__, "futex  wakes T%u", thread_index(t) - 1);
    }
    return woken;
}

void model_park(void)
{
    struct thread *t = e.me;

    thread_point(__FILE__);
    sleep_touch(&t->token, true);
    trace("", 0, "park%s", t->token ? " (unparked before)" : "");
    if (!t->token) {
        t->parked = true;
        e.ready &= ~bit(t);
        reschedule();
    }
    t->token = false;
    memory_join(&t->cur, &t->resumed, e.width);
}

void model_unpark(int thread)
{
    struct thread *t = &e.threads[thread + 1], *self = e.me;

    thread_point(__FILE__);
    sleep_touch(&t->token, true);
    trace("", 0, "unpark T%d", thread);
    if (t->token) {
        run_failed("T%d is unparked twice", thread);
    }
    memory_join(&t->resumed, &self->cur, e.width);
    self->cur.at[thread_index(self)]++;
    t->token = true;
    if (t->parked) {
        t->parked = false;
        e.ready |= bit(t);
    }
}

int model_self(void)
{
    return (int)thread_index(e.me) - 1;
}

int64_t model_now(void)
{
    sleep_touch(&e.now, false);
    return e.now;
}

void model_advance(int64_t ns)
{
    sleep_touch(&e.now, true);
    e.now += ns;
}

void model_clock_step(int64_t ns)
{
    e.clock_step = ns;
}

void barrier_probe(unsigned workers)
{
    (void)workers;
}
