/*
 * offload_model.c - the real offload.c and offload_pool.c: handing a job over
 * against the end of an idle thread, a cancel against the end of fn, an
 * abandoned call against the end of the runtime.
 *
 * Would catch: a job that runs twice or never; a caller that nobody wakes, or
 * that goes on while its call runs; what fn or its caller wrote not seen by the
 * other; a job touched after its life, by a hook or by its thread; an abandoned
 * call cleaned up twice or not at all; an interrupt that hits a later call; a
 * thread that is not joined, or a pool taken apart under one; a job that lies
 * in the queue while threads sleep.
 *
 * Only wait.c is real beside the two. A scope is a mark, and its hook one word.
 */
// MODEL-SOURCES: sched/offload.c sched/offload_pool.c sched/base/sleeplock.c
// MODEL-WITH: sched/wait.c sched/wait_row.c sched/wait_thread.c
#include "offload_rooms.h"

/* What a call is, and what became of it. */
struct call {
    int in, out; /* written before, and by fn */
    unsigned runs, abandoned;
    bool left, cancelled;
    int rc;
};
static struct call calls[CALLS];
static int why; /* written before the cancel */
/* Outside the model, as all below. */
static unsigned started; /* threads of the pool */
static unsigned may_start;
static unsigned callers; /* tasks of this model */
static int serving[MODEL_THREADS + 1];
static unsigned sent;
static roost_fn then; /* what fn does at its end */
static void *(*pool_fn[POOL])(void *);
static void *pool_arg[POOL];
static a32 over[POOL];     /* that thread has ended */
static a32 home;           /* callers that have done */
static a32 interrupted;    /* raised by each signal */
static a32 cancelled_flag; /* 1: the scope's mark */

/* ---- the scope and its hook ---------------------------------------------- */

enum { NO_HOOK, ENLISTED, RUNS, DONE };

static struct {
    a32 state;
    void (*fn)(void *);
    void *arg;
    bool meant; /* the canceller means the caller of this strand */
} hooks[CALLERS];

bool chain_cancels(struct frame *f, bool deliver)
{
    (void)f;
    (void)deliver;
    return a32_load(&cancelled_flag, ACQUIRE) != 0;
}

static bool run_hook(unsigned i)
{
    uint32_t state = ENLISTED;

    if (!a32_cas(&hooks[i].state, &state, RUNS, SEQ_CST, SEQ_CST)) {
        return false;
    }
    hooks[i].fn(hooks[i].arg);
    a32_store(&hooks[i].state, DONE, RELEASE);
    return true;
}

int hooks_enlist(struct scope *s, struct hook *h, void (*fn)(void *), void *arg,
                 bool narrow)
{
    unsigned i = (unsigned)model_self();

    (void)s;
    (void)h;
    (void)narrow;
    hooks[i].fn = fn;
    hooks[i].arg = arg;
    a32_xchg(&hooks[i].state, ENLISTED, SEQ_CST);
    return hooks[i].meant && a32_load(&cancelled_flag, SEQ_CST) != 0 &&
           run_hook(i);
}

bool roost_hook_remove(roost_hook *h)
{
    unsigned i = (unsigned)model_self();
    uint32_t state = ENLISTED;

    (void)h;
    if (a32_cas(&hooks[i].state, &state, NO_HOOK, ACQ_REL, ACQUIRE)) {
        return true;
    }
    while (a32_load(&hooks[i].state, ACQUIRE) != DONE) {
        spin_pause();
    }
    a32_store(&hooks[i].state, NO_HOOK, RELAXED);
    return false;
}

static void canceller(void)
{
    plain_write(why, 5);
    a32_xchg(&cancelled_flag, 1, SEQ_CST);
    for (unsigned i = 0; i < callers; i++) {
        if (hooks[i].meant) {
            run_hook(i);
        }
    }
}

/* ---- threads and signals ------------------------------------------------- */

int runtime_thread(pthread_t *thread, void *(*fn)(void *), void *arg)
{
    unsigned i = started;

    if (may_start == 0) {
        return -EAGAIN;
    }
    may_start--;
    MODEL_CHECK(started++ < POOL);
    pool_fn[i] = fn;
    pool_arg[i] = arg;
    *thread = i;
    model_unpark((int)(callers + i));
    return 0;
}

void runtime_join(pthread_t thread)
{
    while (a32_load(&over[thread], ACQUIRE) == 0) {
        spin_pause();
    }
}

static void pool_strand(void)
{
    unsigned i = (unsigned)model_self() - callers;

    model_park(); /* until it is made, or the end */
    if (pool_fn[i] != NULL) {
        pool_fn[i](pool_arg[i]);
        a32_store(&over[i], 1, RELEASE);
    }
}

void interrupt_thread(const struct runtime *of)
{
    (void)of;
}

void interrupt_open(int signal)
{
    (void)signal;
}

/* The number of the call, so that it shows whom it was meant for. */
int interrupt_signal(struct runtime *r)
{
    (void)r;
    return model_self() + 1;
}

void interrupt_send(pthread_t thread, int signal)
{
    sent++;
    MODEL_CHECK(serving[thread] == 0 || serving[thread] == signal);
    a32_add(&interrupted, 1, RELEASE);
}

void interrupt_drain(void)
{
}

void watch_kick(struct runtime *r)
{
    (void)r;
}

/* ---- the calls ----------------------------------------------------------- */

static int work(void *arg)
{
    struct call *c = arg;
    unsigned strand = (unsigned)model_self() - callers;

    MODEL_CHECK(plain_read(c->in) == 1);
    MODEL_CHECK(c->runs++ == 0);
    serving[strand] = (int)(c - calls) + 1;
    c->rc = then == NULL ? 0 : then(arg);
    serving[strand] = -1;
    plain_write(c->out, 2);
    return 7;
}

static void drop(void *arg)
{
    struct call *c = arg;

    MODEL_CHECK(c->left);
    MODEL_CHECK(c->abandoned++ == 0);
    MODEL_CHECK(plain_read(c->out) == 2);
}

/* As a task, call number n. */
static int offload(unsigned n, void (*abandon)(void *), unsigned flags)
{
    roost_offload_opts opts = {.abandon = abandon, .flags = flags};
    struct call *c = &calls[n];
    unsigned i = (unsigned)model_self();
    struct frame *f = &frames[i];
    int rc;

    worker_tls = &workers[i];
    f->epoch = a64_load(&rt.epoch, RELAXED);
    c->left = abandon != NULL; /* for drop; taken back below */
    plain_write(c->in, 1);
    rc = roost_offload_with(work, c, &opts);
    if (rc == 7) {
        c->left = false;
        MODEL_CHECK(plain_read(c->out) == 2);
        MODEL_CHECK(c->runs == 1);
        MODEL_CHECK(c->abandoned == 0);
    } else if (rc == -ECANCELED) {
        c->cancelled = true;
        MODEL_CHECK(abandon != NULL || c->runs == 0);
    } else {
        MODEL_CHECK(rc == -EAGAIN);
        MODEL_CHECK(c->runs == 0);
        c->left = false;
    }
    return rc;
}

/* The last caller ends the pool, as the runtime does when all are home. */
static void come_home(void)
{
    worker_tls = NULL;
    if (a32_add(&home, 1, ACQ_REL) + 1 < callers) {
        return;
    }
    MODEL_CHECK(pool_stop(&rt, INT64_MAX) == 0);
    for (unsigned i = 0; i < POOL; i++) {
        if (pool_fn[i] == NULL) {
            model_unpark((int)(callers + i));
        } else {
            MODEL_CHECK(a32_load(&over[i], RELAXED) == 1);
        }
    }
}

static void begin(unsigned tasks, unsigned max)
{
    roost_opts opts = {.offload_max = max};

    memset(&rt, 0, sizeof(rt));
    memset(&scope, 0, sizeof(scope));
    memset(frames, 0, sizeof(frames));
    memset(workers, 0, sizeof(workers));
    memset(fibers, 0, sizeof(fibers));
    memset(hooks, 0, sizeof(hooks));
    memset(calls, 0, sizeof(calls));
    memset(serving, 0, sizeof(serving));
    memset(pool_fn, 0, sizeof(pool_fn));
    a64_init(&rt.epoch, 1);
    pool_init(&rt.pool, &opts);
    spins = false;
    rt.workers = workers;
    callers = tasks;
    why = 0;
    outside = 0;
    started = 0;
    sent = 0;
    may_start = POOL;
    then = NULL;
    a32_init(&home, 0);
    a32_init(&interrupted, 0);
    a32_init(&cancelled_flag, 0);
    for (unsigned i = 0; i < POOL; i++) {
        a32_init(&over[i], 0);
    }
    for (unsigned i = 0; i < CALLERS; i++) {
        struct frame *f = &frames[i];

        workers[i].rt = &rt;
        workers[i].index = i;
        workers[i].budget = WORKER_BUDGET;
        workers[i].fiber = &fibers[i];
        workers[i].frame = f;
        fibers[i].worker = &workers[i];
        fibers[i].runtime = &rt;
        f->scope = &scope;
        f->target = &scope;
        f->marks = F_EPOCH;
        wait_init(&f->waiter);
        a32_init(&f->linked, LINK_FOUND);
        hooks[i].meant = true;
        a32_init(&hooks[i].state, NO_HOOK);
    }
}

static void ended(void)
{
    MODEL_CHECK(outside == 0);
    MODEL_CHECK(model_live() == 0);
    MODEL_CHECK(rt.pool.threads == 0);
    for (unsigned i = 0; i < CALLS; i++) {
        struct call *c = &calls[i];

        MODEL_CHECK(c->abandoned == (c->left && c->runs == 1));
    }
}

/* ---- handing over -------------------------------------------------------- */

static void two_calls(void)
{
    MODEL_CHECK(offload(0, NULL, 0) == 7 && offload(1, NULL, 0) == 7);
    come_home();
}

static void one_caller(void)
{
    begin(1, 2);
}

/* The second call meets the thread idle, or about to end, or ended. */
MODEL(one_after_the_other, .setup = one_caller,
      .threads = {two_calls, pool_strand, pool_strand}, .check = ended,
      .flags = MODEL_OWN_TLS, .preemptions = 3);

static void first_call(void)
{
    MODEL_CHECK(offload(0, NULL, 0) == 7);
    come_home();
}

static void second_call(void)
{
    MODEL_CHECK(offload(1, NULL, 0) == 7);
    come_home();
}

static void two_callers(void)
{
    begin(2, 2);
}

static void one_thread(void)
{
    begin(2, 1);
}

MODEL(side_by_side, .setup = two_callers,
      .threads = {first_call, second_call, pool_strand, pool_strand},
      .check = ended, .flags = MODEL_OWN_TLS);

/* One of them queues, or comes when the thread is idle or has ended. */
MODEL(in_the_queue, .setup = one_thread,
      .threads = {first_call, second_call, pool_strand, pool_strand},
      .check = ended, .flags = MODEL_OWN_TLS, .preemptions = 3);

/* A thread that has done is awake for a while. */
static void awake(void)
{
    spins = true;
    one_caller();
    model_clock_step(30000);
}

MODEL(awake_for_the_next, .setup = awake,
      .threads = {two_calls, pool_strand, pool_strand}, .check = ended,
      .flags = MODEL_OWN_TLS);

/* The first call ends when the third has begun, which the guard has to take. */
static a32 third_begun;

static int third_frees_first(void *arg)
{
    if (arg == &calls[2]) {
        a32_store(&third_begun, 1, RELAXED);
        futex_wake(&third_begun, 1);
    }
    while (arg == &calls[0] && a32_load(&third_begun, RELAXED) == 0) {
        futex_wait(&third_begun, 0, INT64_MAX);
    }
    return 0;
}

static void second_and_third(void)
{
    MODEL_CHECK(offload(1, NULL, 0) == 7 && offload(2, NULL, 0) == 7);
    come_home();
}

static void one_blocks(void)
{
    two_callers();
    then = third_frees_first;
    a32_init(&third_begun, 0);
}

MODEL(guarded, .setup = one_blocks,
      .threads = {first_call, second_and_third, pool_strand, pool_strand},
      .check = ended, .flags = MODEL_OWN_TLS, .preemptions = 3,
      .timeouts = MODEL_TIMEOUT_IDLE);

/* No thread can be made, or only the first. */

static void refused_call(void)
{
    int rc = offload((unsigned)model_self(), NULL, 0);

    model_outcome(rc == 7 ? 0 : 1);
    come_home();
}

static void no_thread(void)
{
    begin(2, 1);
    may_start = model_choose(2);
}

MODEL(refused, .setup = no_thread,
      .threads = {refused_call, refused_call, pool_strand, pool_strand},
      .check = ended, .flags = MODEL_OWN_TLS, .must_see = 1 | 2);

/* ---- cancelling ---------------------------------------------------------- */

static void cancelled_call(void)
{
    int rc = offload(0, NULL, 0);

    model_outcome(rc == 7 ? 0 : 1);
    come_home();
}

/* Before it has a thread, or after. */
MODEL(cancel, .setup = one_caller,
      .threads = {cancelled_call, pool_strand, pool_strand, canceller},
      .check = ended, .flags = MODEL_OWN_TLS, .must_see = 1 | 2);

static void abandoned_call(void)
{
    int rc = offload(0, drop, 0);

    model_outcome(rc == 7 ? 0 : 1);
    come_home();
}

MODEL(abandon, .setup = one_caller,
      .threads = {abandoned_call, pool_strand, pool_strand, canceller},
      .check = ended, .flags = MODEL_OWN_TLS, .preemptions = 3,
      .must_see = 1 | 2);

static int until_told(void *arg)
{
    (void)arg;
    while (!roost_offload_cancelled()) {
        spin_pause();
    }
    return plain_read(why);
}

static void told_call(void)
{
    then = until_told;
    MODEL_CHECK(offload(0, drop, 0) == -ECANCELED);
    come_home();
    MODEL_CHECK(calls[0].rc == (calls[0].runs == 1 ? 5 : 0));
}

MODEL(told_when_abandoned, .setup = one_caller,
      .threads = {told_call, pool_strand, pool_strand, canceller},
      .check = ended, .flags = MODEL_OWN_TLS);

static void queued_call(void)
{
    int rc = offload(1, NULL, 0);

    model_outcome(rc == 7 ? 0 : 1);
    come_home();
}

static void second_is_meant(void)
{
    begin(2, 1);
    hooks[0].meant = false;
}

MODEL(cancel_queued, .setup = second_is_meant,
      .threads = {first_call, queued_call, pool_strand, pool_strand, canceller},
      .check = ended, .flags = MODEL_OWN_TLS, .must_see = 1 | 2);

static void never_made(void)
{
    begin(1, 1);
    may_start = 0;
}

MODEL(refused_or_cancelled, .setup = never_made,
      .threads = {refused_call, pool_strand, pool_strand, canceller},
      .check = ended, .flags = MODEL_OWN_TLS, .must_see = 2, .must_not_see = 1);

/* ---- interrupting -------------------------------------------------------- */

/* A system call that only a signal ends, if a cancel has come. */
static int in_the_kernel(void *arg)
{
    (void)arg;
    while (a32_load(&interrupted, ACQUIRE) == 0) {
        spin_pause();
    }
    return roost_offload_cancelled();
}

static void interrupted_call(void)
{
    int rc;

    then = in_the_kernel;
    rc = offload(0, NULL, ROOST_INTERRUPT);
    MODEL_CHECK(rc == 7 ? calls[0].rc == 1 : rc == -ECANCELED);
    model_outcome(rc == 7 ? 0 : 1);
    then = NULL;
    hooks[0].meant = false; /* too late, if the canceller has looked */
    rc = offload(1, NULL, 0);
    MODEL_CHECK(rc == 7 || rc == -ECANCELED);
    come_home();
}

static void watch(void)
{
    model_advance(60 * ROOST_MS);
    (void)pool_look(&rt);
    model_advance(60 * ROOST_MS);
    (void)pool_look(&rt);
}

MODEL(interrupt, .setup = one_caller,
      .threads = {interrupted_call, pool_strand, pool_strand, canceller, watch},
      .check = ended, .flags = MODEL_OWN_TLS, .must_see = 1 | 2);

/* ---- calling back -------------------------------------------------------- */

int group_init_in(roost_group *g, struct runtime *r, struct scope *outer,
                  struct frame *frame, const roost_scope_opts *opts)
{
    (void)g;
    (void)opts;
    MODEL_CHECK(r == &rt && outer == &scope && frame == &frames[0]);
    return 0;
}

/* The task would run on a worker; its caller must not go while it does. */
int runtime_call(roost_group *g, roost_fn fn, void *arg, struct env *env)
{
    int rc;

    (void)g;
    (void)env;
    MODEL_CHECK(!calls[0].cancelled);
    rc = fn(arg);
    MODEL_CHECK(!calls[0].cancelled);
    return rc;
}

static int in_the_scheduler(void *arg)
{
    (void)arg;
    return (int)a32_load(&cancelled_flag, ACQUIRE);
}

static int call_back(void *arg)
{
    int rc = roost_offload_call(in_the_scheduler, arg);

    if (rc == 1) { /* what the task has seen, fn can see */
        MODEL_CHECK(roost_offload_cancelled());
    }
    MODEL_CHECK(rc >= 0 || rc == -ECANCELED);
    return rc;
}

static void calling(void)
{
    int rc;

    then = call_back;
    rc = offload(0, drop, 0);
    model_outcome(rc == 7 ? 0 : 1);
    come_home();
}

MODEL(call_and_abandon, .setup = one_caller,
      .threads = {calling, pool_strand, pool_strand, canceller}, .check = ended,
      .flags = MODEL_OWN_TLS, .preemptions = 3, .must_see = 1 | 2);
