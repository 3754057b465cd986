/*
 * runtime.c - start and stop, as numbered steps.
 *
 * START   1 options and environment   2 memory, root scope, background group
 *         3 stacks   4 workers' queues and first fibers   5 the watch thread
 *         6 the workers' threads, but a guest's first   7 the registry
 * STOP    1 refuse posts, calls, submits   2 background tasks: soft cancel,
 *         await, newest first   3 posts and groups: the same together
 *         4 the offload threads: abandoned calls awaited, all joined
 *         5 the watch joined   6 workers leave their loops, joined; the
 *         poller closed
 *         7 everything freed (R59)
 *         Whatever is still there when the grace is over is listed, and
 *         nothing that it may touch is freed.
 * ORDER
 *   Z1  outside, stopped: release -> acquire where looked at. Relaxed are shut,
 *       for Z4 orders it; stopping, for P4 does (park.c): who is asleep by then
 *       is woken, who announces itself after that finds it; and fatal, whose
 *       task has been awaited.
 *   Z4  who brings work (group.c, post.c)  <->  the end
 *         a child more, or a slot taken     shut = 1
 *         full             /- Z4 -/         full
 *         read shut: refused?               read counts and slots: await them
 *       Without it one that was accepted comes when all has been awaited.
 *   Z2  error lock: release -> acquire    one report at a time
 *   P1  (park.c)
 *   C1  (count.h)
 *   V2  (quiet.c)
 */
#include "runtime.h"
#include "outside.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/cpu.h"
#include "base/edge.h"
#include "count.h"
#include "fd.h"
#include "group.h"
#include "guest.h"
#include "sim.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_STACK ((size_t)256 * 1024)
#define DEFAULT_STACK_MIN ((size_t)64 * 1024)
#define DEFAULT_GRACE (5 * ROOST_S)
#define DEFAULT_JUMP_AFTER (10 * ROOST_MS)
#define WORKERS_MAX 4096
#define SIM_WORKERS 4 /* the default of ROOST_SIM */
#define OPTION_FLAGS                                                           \
    (ROOST_PIN_WORKERS | ROOST_NO_DEADLOCK_CHECK | ROOST_SIM_PCT |             \
     ROOST_SIM_BOUND | ROOST_DUMP_ON_QUIT)

int64_t runtime_now(const struct runtime *rt)
{
    if (rt->opts.clock == ROOST_CLOCK_VIRTUAL) {
        return (int64_t)a64_load(
            &((struct runtime *)(uintptr_t)rt)->virtual_now, ACQUIRE /* V2 */);
    }
    return clock_now();
}

int64_t runtime_now_fast(struct worker *w)
{
    int64_t now = w->rt->opts.clock == ROOST_CLOCK_VIRTUAL
                      ? runtime_now(w->rt)
                      : clock_fast(&w->clock) - CLOCK_FAST_ERROR;

    w->moment = moment_of(now);
    return now;
}

void outside_add(struct runtime *rt)
{
    a64_add(&rt->outside, 1, RELAXED);
}

bool outside_any(struct runtime *rt)
{
    return (a64_load(&rt->outside, ACQUIRE /* Z1 */) & OUTSIDE_COUNT) != 0;
}

/* Whoever was the last wakes a worker, which looks whether that was all. Until
 * that is over the runtime must not go: OUTSIDE_INSIDE. */
void outside_drop(struct runtime *rt)
{
    uint64_t was = a64_add(&rt->outside, OUTSIDE_INSIDE - 1, ACQ_REL /* Z1 */);

    if ((was & OUTSIDE_COUNT) == 1) {
        fence_full(); /* P1 */
        if (park_all(&rt->park)) {
            park_wake_one(&rt->park);
        }
    }
    a64_add(&rt->outside, -OUTSIDE_INSIDE, RELEASE /* Z1 */);
}

void runtime_report(struct runtime *rt, roost_errors *e, int status,
                    const char *task)
{
    struct frame *frame;

    while (a32_xchg(&rt->error_lock, 1, ACQUIRE /* Z2 */) != 0) {
        sched_yield();
    }
    edge_acquire(&rt->error_lock); /* one call of the hook -> the next */
    frame = frame_hook();
    if (rt->on_error != NULL) {
        rt->on_error(e, task, rt->ctx);
    } else {
        roost_error leaf = {0};

        (void)roost_errors_next(e, &leaf);
        fprintf(stderr, "roost: %s failed: %d (%s)%s%s\n",
                task == NULL || *task == '\0' ? "a task" : task, status,
                status > -4096 ? strerror(-status) : "a status of its own",
                leaf.message == NULL || *leaf.message == '\0' ? "" : ": ",
                leaf.message == NULL ? "" : leaf.message);
    }
    frame_restore(frame);
    edge_release(&rt->error_lock);
    a32_store(&rt->error_lock, 0, RELEASE /* Z2 */);
    roost_errors_free(e);
}

/* --- start --- */

static int read_number(const char *name, uint64_t max, uint64_t *out)
{
    const char *text = getenv(name);
    char *end;

    if (text == NULL) {
        return 0;
    }
    errno = 0;
    *out = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 ||
        *out > max) {
        fprintf(stderr, "roost: %s=%s is not a number from 0 to %llu\n", name,
                text, (unsigned long long)max);
        return -EINVAL;
    }
    return 0;
}

static bool opts_valid(const roost_opts *o)
{
    static const roost_opts none;

    return o->backend <= ROOST_SIM && o->clock <= ROOST_CLOCK_VIRTUAL &&
           (o->flags & ~OPTION_FLAGS) == 0 && o->workers <= WORKERS_MAX &&
           o->grace >= 0 && o->jump_after >= 0 && o->stall >= 0 &&
           o->offload_idle >= 0 && o->interrupt_signal >= 0 &&
           o->interrupt_signal <= SIGRTMAX &&
           o->stack_size <= PTRDIFF_MAX / 64 &&
           o->stack_min <= PTRDIFF_MAX / 64 &&
           memcmp(o->reserved_, none.reserved_, sizeof(none.reserved_)) == 0;
}

/* ROOST_BACKEND overrides opts.backend. */
static int read_backend(struct runtime *rt)
{
    const char *text = getenv("ROOST_BACKEND");

    if (text != NULL && strcmp(text, "sim") == 0) {
        rt->opts.backend = ROOST_SIM;
    } else if (text != NULL && strcmp(text, "threads") == 0) {
        rt->opts.backend = ROOST_THREADS;
    } else if (text != NULL) {
        fprintf(stderr, "roost: ROOST_BACKEND=%s is not threads or sim\n",
                text);
        return -EINVAL;
    }
    if (rt->opts.backend == ROOST_SIM) {
        rt->opts.clock = ROOST_CLOCK_VIRTUAL;
        rt->opts.stall = 0; /* it would tell real times */
        rt->opts.flags &= ~ROOST_PIN_WORKERS;
    }
    return 0;
}

static int read_options(struct runtime *rt, const roost_opts *opts)
{
    static const roost_opts none;
    uint64_t workers = 0;
    int rc;

    rt->opts = opts == NULL ? none : *opts;
    if (!opts_valid(&rt->opts)) {
        return -EINVAL;
    }
    rc = read_backend(rt);
    if (rc != 0) {
        return rc;
    }
    workers = rt->opts.workers;
    rc = read_number("ROOST_WORKERS", WORKERS_MAX, &workers);
    if (rc == 0) {
        rc = read_number("ROOST_SEED", UINT64_MAX, &rt->opts.seed);
    }
    if (getenv("ROOST_WORKERS") != NULL && workers == 0 && rc == 0) {
        fprintf(stderr, "roost: ROOST_WORKERS=%s: at least 1\n",
                getenv("ROOST_WORKERS"));
        rc = -EINVAL;
    }
    if (workers == 0) {
        /* Simulated: the same on every machine. */
        workers = rt->opts.backend == ROOST_SIM ? SIM_WORKERS : cpu_available();
    }
    rt->worker_count = (unsigned)workers;
    rt->stack_size =
        rt->opts.stack_size == 0 ? DEFAULT_STACK : rt->opts.stack_size;
    rt->stack_min =
        rt->opts.stack_min == 0 ? DEFAULT_STACK_MIN : rt->opts.stack_min;
    if (rt->stack_size < rt->stack_min + 64 * 1024) {
        rt->stack_size = rt->stack_min + 64 * 1024;
    }
    rt->grace = rt->opts.grace == 0 ? DEFAULT_GRACE : rt->opts.grace;
    rt->jump_after =
        rt->opts.jump_after == 0 ? DEFAULT_JUMP_AFTER : rt->opts.jump_after;
    rt->flags = rt->opts.flags;
    rt->layout = &layout_table;
    rt->on_error = rt->opts.on_error;
    rt->ctx = rt->opts.ctx;
    if (rt->opts.name != NULL) {
        strncpy(rt->name, rt->opts.name, sizeof(rt->name) - 1);
    }
    return rc;
}

static void init_root(struct runtime *rt)
{
    struct scope *root = &rt->root;
    struct frame *f = &rt->root_frame_room;

    rt->root_frame = f;
    rt->unstarted.runtime = rt;
    f->scope = root;
    f->target = root;
    a32_init(&root->flags, S_HOLDER);
    scope_full(root);
    cancel_link(f);
    list_init(&rt->settlers);
    list_init(&rt->keepers);
}

static int make_workers(struct runtime *rt)
{
    unsigned i;

    rt->workers =
        alloc_aligned(CACHE_LINE, rt->worker_count * sizeof(struct worker));
    if (rt->workers == NULL) {
        return -ENOMEM;
    }
    for (i = 0; i < rt->worker_count; i++) {
        struct worker *w = &rt->workers[i];
        int rc = worker_init(w, rt, i);

        if (rc != 0) {
            return rc;
        }
        w->spare = fiber_new(rt);
        if (w->spare == NULL) {
            return -ENOMEM;
        }
        w->spares = 1;
    }
    return 0;
}

static void free_runtime(struct runtime *rt)
{
    unsigned i;

    if (rt->sim != NULL) {
        sim_free(rt);
    }
    for (i = 0; rt->workers != NULL && i < rt->worker_count; i++) {
        if (rt->workers[i].rt != NULL) {
            worker_destroy(&rt->workers[i]);
        }
    }
    alloc_free(rt->workers);
    alloc_free(rt->background);
    alloc_free(rt->main);
    if (rt->stacks != NULL) {
        stack_pool_free(rt->stacks);
    }
    carriers_free(rt);
    guest_free(rt);
    pthread_mutex_destroy(&rt->walk);
    scope_dispose(&rt->root);
    alloc_free(rt);
}

/* The watch first: it makes threads. */
static void stop_threads(struct runtime *rt)
{
    if (rt->sim == NULL) {
        watch_stop(rt);
    }
    a32_store(&rt->stopping, 1, RELAXED); /* by P4, see worker.c */
    if (rt->sim != NULL) {
        park_wake_all(&rt->park);
        sim_stop(rt);
        return;
    }
    if (rt->guest != NULL) {
        guest_detach(rt);
    }
    carriers_stop(rt);
}

static int start_threads(struct runtime *rt)
{
    unsigned i;
    int rc = watch_start(rt);

    if (rc != 0) {
        return rc;
    }
    if (rt->guest != NULL) {
        guest_attach(rt);
    }
    for (i = rt->guest != NULL; i < rt->worker_count; i++) {
        rc = carrier_start(rt, &rt->workers[i]);
        if (rc != 0) {
            stop_threads(rt);
            return rc;
        }
    }
    return 0;
}

static int make_groups(struct runtime *rt, enum runtime_kind kind)
{
    int rc;

    rt->background = alloc_zero(sizeof(*rt->background));
    if (rt->background == NULL) {
        return -ENOMEM;
    }
    rc = group_init(rt->background, rt,
                    &(roost_scope_opts){.flags = ROOST_SUPERVISE});
    if (rc == 0 && kind == RUNTIME_RUN) {
        rt->report_deadlock = !(rt->flags & ROOST_NO_DEADLOCK_CHECK);
        rt->main = alloc_zero(sizeof(*rt->main));
        rc = rt->main == NULL ? -ENOMEM : group_init(rt->main, rt, NULL);
    }
    return rc;
}

/* Who simulates, or is the host. */
static int prepare_backend(struct runtime *rt, enum runtime_kind kind)
{
    int rc = kind == RUNTIME_GUEST ? guest_new(rt) : 0;

    if (rc == 0 && rt->opts.backend == ROOST_SIM) {
        rt->sim = sim_new(rt);
        rc = rt->sim == NULL ? -ENOMEM : sim_options(rt, &rt->sim->strategy);
    }
    return rc;
}

int runtime_start(struct runtime **out, const roost_opts *opts,
                  enum runtime_kind kind)
{
    struct runtime *rt = alloc_aligned(CACHE_LINE, sizeof(roost_runtime));
    int rc;

    if (rt == NULL) {
        return -ENOMEM;
    }
    pthread_mutex_init(&rt->walk, NULL);
    rc = read_options(rt, opts);
    if (rc == 0) {
        rc = prepare_backend(rt, kind);
    }
    if (rc != 0) {
        free_runtime(rt);
        return rc;
    }
    barrier_probe(rt->worker_count);
    clock_calibrate();
    registry_prepare();
    rt->number = registry_number();
    a64_init(&rt->epoch, 1);
    a64_init(&rt->virtual_now, (uint64_t)ROOST_S);
    park_init(&rt->park, rt->worker_count);
    rt->park.poke = kind == RUNTIME_GUEST ? guest_poke : poller_poke;
    inject_init(&rt->inject);
    init_root(rt);
    pool_init(&rt->pool, &rt->opts);
    carriers_init(rt);
    rc = make_groups(rt, kind);
    rt->stacks = stack_pool_new(rt->stack_size);
    if (rc == 0) {
        rc = rt->stacks == NULL ? -ENOMEM : make_workers(rt);
    }
    if (rc == 0 && rt->opts.signals != NULL) {
        rt->signal_mask = *rt->opts.signals;
        pthread_sigmask(SIG_BLOCK, &rt->signal_mask, NULL);
    }
    if (rc == 0) {
        rc = rt->sim != NULL ? sim_start(rt, kind == RUNTIME_RUN)
                             : start_threads(rt);
    }
    if (rc != 0) {
        free_runtime(rt);
        return rc;
    }
    registry_add(rt);
    trace_environment(rt);
    quit_begin(rt);
    *out = rt;
    return 0;
}

int roost_start(roost_runtime **out, const roost_opts *opts)
{
    struct runtime *rt;
    int rc;

    if (out == NULL) {
        return -EINVAL;
    }
    rc = runtime_start(&rt, opts, RUNTIME_START);
    if (rc == 0) {
        *out = (roost_runtime *)(void *)rt;
    }
    return rc;
}

/* --- stop --- */

/* The clock of the grace: real, but for a thread that simulates. */
static int64_t stop_now(struct runtime *rt)
{
    return sim_here(rt) ? runtime_now(rt) : clock_now();
}

static void stop_pause(struct runtime *rt)
{
    struct timespec pause = {0, 1000000};
    a32 never;

    if (rt->guest != NULL) {
        guest_drive(rt, clock_now() + ROOST_MS);
    } else if (sim_here(rt)) {
        a32_init(&never, 0);
        futex_wait(&never, 0, runtime_now(rt) + ROOST_MS);
    } else {
        nanosleep(&pause, NULL);
    }
}

/* Does any group still have tasks? */
static bool groups_left(struct runtime *rt)
{
    struct list *head = &rt->root_frame->scopes;
    struct list *at;
    uint64_t left = 0;

    scope_lock(&rt->root);
    for (at = head->next; at != head; at = at->next) {
        struct scope *s = container_of(at, struct scope, attach);

        left |= a64_load(&s->count, ACQUIRE /* C1 */) & COUNT_CHILDREN;
    }
    scope_unlock(&rt->root);
    return left != 0;
}

/* Steps 2 and 3. True: everything is home. The soft cancel turns hard at half
 * of the grace, so that the other half is there to come home in. */
static bool await_all(struct runtime *rt, int64_t end)
{
    roost_ns hard = clock_later(runtime_now(rt), rt->grace / 2);
    bool late;

    while (post_pending(rt)) {
        post_collect(rt);
        sched_yield(); /* a signal handler or the watch is at it */
    }
    late = background_end(rt, hard, end) != 0;
    scope_cancel_softly(&rt->root, hard, ROOST_REASON_SHUTDOWN);
    late = late || group_wait(rt->background, end, true) != 0;
    while (!late && groups_left(rt)) {
        late = stop_now(rt) >= end;
        stop_pause(rt); /* other threads free them */
    }
    return !late;
}

static void list_left(struct runtime *rt)
{
    static const char text[] =
        "roost: not all tasks have ended within the grace; left:\n";

    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    dump_runtime(rt, STDERR_FILENO);
    pool_list(rt, STDERR_FILENO);
}

static int stop(struct runtime *rt)
{
    int64_t end = clock_later(stop_now(rt), rt->grace);

    a32_store(&rt->shut, 1, RELAXED); /* group.c, post.c */
    fence_full();                     /* Z4 */
    if (!await_all(rt, end) || pool_stop(rt, end) != 0) {
        list_left(rt);
        trace_end(rt, registry_count() - 1);
        guest_forget();
        return -ETIMEDOUT;
    }
    group_end(rt->background);
    while (a64_load(&rt->outside, ACQUIRE /* Z1 */) != 0) {
        sched_yield(); /* a release on its way out */
    }
    signals_stop(rt);
    quit_end(rt);
    stop_threads(rt);
    fd_leave(&rt->poller);
    poller_close(rt);
    registry_remove(rt);
    trace_end(rt, registry_count());
    return 0;
}

int roost_stop(roost_runtime *pub)
{
    if (pub == NULL || registry_forked()) {
        return -EINVAL;
    }
    if (runtime_self() != NULL) {
        return -EDEADLK;
    }
    if (a32_load(&pub->rt.stopped, ACQUIRE /* Z1 */) == 0) {
        if (pub->rt.guest != NULL && !guest_here(&pub->rt)) {
            return -EPERM;
        }
        pub->rt.stop_status = stop(&pub->rt);
        a32_store(&pub->rt.stopped, 1, RELEASE /* Z1 */);
    }
    return pub->rt.stop_status;
}

void roost_runtime_free(roost_runtime *pub)
{
    if (pub == NULL || registry_forked()) {
        return;
    }
    if (a32_load(&pub->rt.stopped, ACQUIRE /* Z1 */) == 0) {
        misuse("roost_runtime_free", pub, "it has not been stopped");
    }
    if (pub->rt.stop_status == 0 && !list_empty(&pub->rt.root_frame->scopes)) {
        misuse("roost_runtime_free", pub, "a group of it has not been freed");
    }
    if (pub->rt.stop_status == 0) {
        free_runtime(&pub->rt); /* else: somebody is still in there */
    }
}

int roost_run(roost_fn fn, void *arg, const roost_opts *opts)
{
    roost_runtime *pub;
    struct runtime *rt;
    int status;
    int rc;

    if (fn == NULL) {
        return -EINVAL;
    }
    if (runtime_self() != NULL) {
        return -EDEADLK;
    }
    rc = runtime_start(&rt, opts, RUNTIME_RUN);
    if (rc != 0) {
        return rc;
    }
    pub = (roost_runtime *)(void *)rt;
    status = runtime_call(rt->main, fn, arg, NULL);
    rc = roost_stop(pub);
    if (a32_load(&rt->fatal, RELAXED) != 0) {
        status = -(int)a32_load(&rt->fatal, RELAXED);
    }
    if (rt->deadlocked) {
        status = -EDEADLK;
    }
    roost_runtime_free(pub);
    return rc != 0 && status >= 0 ? rc : status;
}
