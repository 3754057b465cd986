/*
 * calls.c - offloaded calls, parallel loops, and descriptors.
 */
#include "world.h"

/* --- offload --- */

struct job {
    struct task *t; /* whose call it is */
    unsigned at;
    bool ran;
    int rc;
};

/* On a thread of the pool. */
static int job_main(void *arg)
{
    struct job *j = arg;
    struct task plain;

    hold(!j->ran, (int)j->at, "an offloaded call ran twice");
    j->ran = true;
    task_init(&plain, j->t->start);
    plain.plain = true;
    plain.scope = j->t->scope; /* for offload_call */
    plain.depth = j->t->depth + 1;
    plain.locks = j->t->locks + 1;
    plain.shields = j->t->shields;
    plain.stretches = j->t->stretches;
    memcpy(plain.local, j->t->local, sizeof(plain.local));
    (void)roost_offload_cancelled();
    j->rc = run_ops(&plain, j->at + 1, world->p->end[j->at]);
    return j->rc;
}

/* What may be abandoned touches nothing of its caller's: its argument is a
 * copy, which is the library's. */
static int left_alone(void *arg)
{
    unsigned *ran = arg;

    (void)roost_sleep(2 * ROOST_MS);
    hold(*ran == 7, -1, "an abandoned call has lost its copy");
    *ran = 8;
    return 0;
}

static void left_over(void *arg)
{
    hold(*(unsigned *)arg == 8, -1, "abandoned, and it has not run");
}

static int abandon_one(void)
{
    unsigned ran = 7;
    roost_offload_opts opts = {.abandon = left_over, .copy = sizeof(ran)};

    return roost_offload_with(left_alone, &ran, &opts);
}

int op_offload(struct task *t, unsigned at)
{
    unsigned way = op_at(at)->a % 8;
    struct job j = {.t = t, .at = at};
    roost_offload_opts opts = {.name = "call"};
    int rc;

    if (t->plain || way == 7) {
        return 0;
    }
    if (way == 2) {
        rc = abandon_one();
        return rc == -EAGAIN ? 0 : await_over(t, at, rc, ROOST_NEVER);
    }
    if (way == 1 && !t->token && t->shields == 0) {
        opts.limiter = &world->limiter;
    }
    rc = way == 0 ? roost_offload(job_main, &j)
                  : roost_offload_with(job_main, &j, &opts);
    if (j.ran) {
        hold(rc == j.rc, (int)at, "offload gave another status");
        return rc == -ECANCELED ? await_over(t, at, rc, 0) : rc;
    }
    hold(rc != 0, (int)at, "offload succeeded, and has not run");
    return rc == -EAGAIN ? 0 : await_over(t, at, rc, ROOST_NEVER);
}

struct call {
    struct task *plain;
    unsigned at;
    bool ran;
    int rc;
};

/* Back in the scheduler, under the caller's scopes. */
static int call_main(void *arg)
{
    struct call *c = arg;
    struct task t;

    hold(!c->ran, (int)c->at, "an offload_call ran twice");
    c->ran = true;
    task_init(&t, c->plain->start);
    t.scope = c->plain->scope;
    t.depth = c->plain->depth;
    t.locks = c->plain->locks;
    t.shields = c->plain->shields;
    t.stretches = c->plain->stretches;
    memcpy(t.local, c->plain->local, sizeof(t.local));
    c->rc = run_body(&t, c->at);
    return c->rc;
}

int op_call(struct task *t, unsigned at)
{
    struct call c = {.plain = t, .at = at};
    int rc = roost_offload_call(call_main, &c);

    if (!t->plain) {
        hold(rc == -EPERM, (int)at, "offload_call in a task");
        return 0;
    }
    hold(c.ran ? rc == c.rc || rc == -ECANCELED : rc < 0, (int)at,
         "offload_call's status");
    return 0;
}

/* --- parallel --- */

struct loop {
    unsigned char done[64];
    unsigned n;
    bool fails;
    int failure;
};

static int loop_body(size_t lo, size_t hi, void *ctx)
{
    struct loop *l = ctx;
    int rc = lo % 3 == 0 ? roost_checkpoint() : 0;

    for (size_t i = lo; i < hi; i++) {
        l->done[i]++;
    }
    return l->fails && lo <= 5 && hi > 5 ? l->failure : rc;
}

int op_for(struct task *t, unsigned at)
{
    const struct op *o = op_at(at);
    struct loop l = {.n = o->a % 64};
    int rc;

    if (t->plain) {
        return 0;
    }
    l.fails = o->c % 4 == 3 && l.n > 5;
    l.failure = l.fails ? new_failure() : 0;
    rc = roost_parallel_for(0, l.n, o->b % 4, loop_body, &l);
    t->kept_status = 0;
    t->kept.count = 0;
    for (unsigned i = 0; i < l.n; i++) {
        hold(l.done[i] == 1 || (rc < 0 && l.done[i] == 0), (int)at,
             "a loop left one out, or did it twice");
    }
    if (rc < 0 && rc != -ECANCELED) {
        hold((l.fails && rc == l.failure) || rc == -ENOMEM, (int)at,
             "a loop failed for no reason");
        return 0;
    }
    hold(rc < 0 || !l.fails || l.failure == 0, (int)at,
         "a loop failed, and succeeded");
    return await_children(t, at, rc);
}

static int sum_body(size_t lo, size_t hi, void *acc, void *ctx)
{
    unsigned *sum = acc;

    (void)ctx;
    for (size_t i = lo; i < hi; i++) {
        *sum = *sum * 31 + (unsigned)i; /* not commutative */
    }
    return 0;
}

struct affine {
    unsigned factor, sum;
};

static int affine_body(size_t lo, size_t hi, void *acc, void *ctx)
{
    struct affine *a = acc;

    (void)sum_body(lo, hi, &a->sum, ctx);
    for (size_t i = lo; i < hi; i++) {
        a->factor *= 31;
    }
    return 0;
}

static void affine_combine(void *into, const void *from, void *ctx)
{
    struct affine *a = into;
    const struct affine *b = from;

    (void)ctx;
    a->sum = a->sum * b->factor + b->sum;
    a->factor *= b->factor;
}

int op_reduce(struct task *t, unsigned at)
{
    const struct op *o = op_at(at);
    struct affine acc = {1, 0};
    unsigned expected = 0;
    int rc;

    if (t->plain) {
        return 0;
    }
    (void)sum_body(0, o->a % 64, &expected, NULL);
    rc = roost_parallel_reduce(0, o->a % 64, o->b % 4, &acc, sizeof(acc),
                               affine_body, affine_combine, NULL);
    hold(acc.sum == (rc == 0 ? expected : 0), (int)at, "a reduction is wrong");
    return await_children(t, at, rc);
}

static void add_to(void *into, const void *from, void *ctx)
{
    unsigned a;
    unsigned b;

    (void)ctx;
    memcpy(&a, into, sizeof(a));
    memcpy(&b, from, sizeof(b));
    a += b;
    memcpy(into, &a, sizeof(a));
}

int op_scan(struct task *t, unsigned at)
{
    unsigned n = op_at(at)->a;
    unsigned items[256];
    int rc;

    if (t->plain) {
        return 0;
    }
    for (unsigned i = 0; i < n; i++) {
        items[i] = i;
    }
    rc = roost_parallel_scan(items, n, sizeof(*items), add_to, NULL);
    for (unsigned i = 0; i < n; i++) {
        hold(items[i] == i * (i + 1) / 2 || (rc < 0 && items[i] == i), (int)at,
             "a prefix is wrong");
    }
    return await_children(t, at, rc);
}

static int compare(const void *a, const void *b, void *ctx)
{
    const uint16_t *x = a;
    const uint16_t *y = b;

    (void)ctx;
    return (*x >> 8) - (*y >> 8);
}

int op_sort(struct task *t, unsigned at)
{
    const struct op *o = op_at(at);
    uint16_t items[256];
    unsigned n = o->a;
    unsigned sum = 0;
    int rc;

    if (t->plain) {
        return 0;
    }
    for (unsigned i = 0; i < n; i++) {
        items[i] = (uint16_t)((i * o->b + o->c) % 7 << 8 | i);
        sum += items[i];
    }
    rc = roost_parallel_sort(items, n, sizeof(*items), compare, NULL);
    for (unsigned i = 0; i < n; i++) {
        sum -= items[i];
        hold(rc < 0 || i == 0 || items[i - 1] < items[i], (int)at,
             "not sorted, or not stably");
    }
    hold(sum == 0, (int)at, "a sort lost an item");
    return await_children(t, at, rc);
}

struct row {
    int ran[4];
    int failure;
};

static int row_job(void *arg)
{
    int *ran = arg;
    int rc = roost_yield();

    ++*ran;
    return rc;
}

static int row_failing(void *arg)
{
    struct row *r = arg;

    return r->failure;
}

int op_invoke(struct task *t, unsigned at)
{
    const struct op *o = op_at(at);
    unsigned n = o->a % 4;
    bool all = o->b & 1;
    struct row r = {.failure = 0};
    roost_job jobs[5];
    int rc;

    if (t->plain) {
        return 0;
    }
    for (unsigned i = 0; i < n; i++) {
        jobs[i] = (roost_job){row_job, &r.ran[i], 1};
    }
    if (o->b & 2 && (r.failure = new_failure()) != 0) {
        jobs[n++] = (roost_job){row_failing, &r, 1};
    }
    rc = all ? roost_gather(jobs, n, o->b / 4 % 3)
             : roost_parallel_invoke(jobs, n);
    t->kept_status = 0;
    t->kept.count = 0;
    for (unsigned i = 0; i < n; i++) {
        hold(jobs[i].fn != row_job || r.ran[i] <= 1, (int)at,
             "a job ran twice");
        hold(rc != 0 || jobs[i].fn != row_job || r.ran[i] == 1, (int)at,
             "a job did not run");
        hold(rc != 0 || jobs[i].fn == row_job || jobs[i].status == r.failure,
             (int)at, "a job has another status");
    }
    hold(all || rc != 0 || r.failure == 0, (int)at, "a row failed, silently");
    if (rc == r.failure && rc != 0) {
        hold(!all, (int)at, "gather failed with a job");
        return 0;
    }
    return await_children(t, at, rc);
}

/* --- descriptors: of tasks alone. A plain thread's deadline for one is of the
 * real clock (docs/guide/simulation.md), and there is none --- */

/* What may come of a wait for one, beside its own result. */
static int fd_over(struct task *t, unsigned at, int rc, roost_ns deadline)
{
    return rc == -EBUSY || rc == -EAGAIN ? 0 : await_over(t, at, rc, deadline);
}

int op_fd_write(struct task *t, unsigned at)
{
    const struct op *o = op_at(at);
    roost_ns deadline = await_deadline(t, o);
    int rc;

    if (t->plain) {
        return 0;
    }
    rc =
        (int)roost_write_until(world->pipe[1], "abcd", 1 + o->a % 4u, deadline);
    world->piped_in += rc > 0 ? (unsigned)rc : 0;
    return fd_over(t, at, rc, deadline);
}

int op_fd_read(struct task *t, unsigned at)
{
    const struct op *o = op_at(at);
    roost_ns deadline = await_deadline(t, o);
    char got[4];
    int rc;

    if (t->plain) {
        return 0;
    }
    rc = (int)roost_read_until(world->pipe[0], got, 1 + o->a % 4u, deadline);
    world->piped_out += rc > 0 ? (unsigned)rc : 0;
    return fd_over(t, at, rc, deadline);
}

int op_fd_wait(struct task *t, unsigned at)
{
    const struct op *o = op_at(at);
    roost_ns deadline = await_deadline(t, o);
    int rc;

    if (t->plain) {
        return 0;
    }
    rc = roost_wait_fd_until(world->pipe[o->a % 2],
                             o->a % 2 ? ROOST_WRITABLE : ROOST_READABLE,
                             deadline);
    return fd_over(t, at, rc, deadline);
}
