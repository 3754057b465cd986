/*
 * trees.c - fork and join, crowds of small tasks, failures, and parallel calls.
 */
#include "soak.h"

#include <roost/hot.h>

/* ---- fork and join ------------------------------------------------------- */

struct node {
    unsigned depth, fan;
    uint64_t leaves; /* counted from below */
};

static int grows(void *arg)
{
    struct node *n = arg;
    struct node below_it[4];
    roost_scope s;
    int rc;

    if (n->depth == 0) {
        n->leaves = 1;
        return 0;
    }
    roost_scope_open(&s, NULL);
    for (unsigned i = 0; i < n->fan; i++) {
        below_it[i] = (struct node){n->depth - 1, n->fan, 0};
        (void)roost_spawn(&s, grows, &below_it[i]);
    }
    rc = roost_scope_close(&s, 0);
    for (unsigned i = 0; i < n->fan; i++) {
        n->leaves += below_it[i].leaves;
    }
    return rc;
}

static int grows_hot(void *arg)
{
    struct node *n = arg;
    struct node left = {n->depth - 1, 2, 0};
    struct node right = left;
    roost_hot h;
    int rc;

    if (n->depth == 0) {
        n->leaves = 1;
        return 0;
    }
    roost_hot_fork(&h, grows_hot, &left);
    rc = grows_hot(&right);
    rc |= roost_hot_join(&h, grows_hot, &left);
    n->leaves = left.leaves + right.leaves;
    return rc;
}

void load_trees(struct load *l)
{
    unsigned fan = 2 + below(l, 3);
    unsigned depth = fan == 2   ? sized(l, 4, 13)
                     : fan == 3 ? sized(l, 3, 8)
                                : sized(l, 2, 6);
    struct node top = {depth, fan, 0};
    struct node hot = {sized(l, 4, 14), 2, 0};
    uint64_t leaves = 1;

    for (unsigned i = 0; i < depth; i++) {
        leaves *= fan;
    }
    HOLDS(l, grows(&top) == 0);
    HOLDS(l, top.leaves == leaves);
    HOLDS(l, grows_hot(&hot) == 0);
    HOLDS(l, hot.leaves == UINT64_C(1) << hot.depth);
    count(l, TASKS, leaves + hot.leaves);
}

/* ---- a crowd of small ones ----------------------------------------------- */

struct storm {
    struct load *l;
    a64 ran, sum;
};

struct drop {
    struct storm *storm;
    uint64_t number;
};

static int falls(void *arg)
{
    struct drop *d = arg;
    struct storm *s = d->storm;

    a64_add(&s->ran, 1, RELAXED);
    a64_add(&s->sum, d->number, RELAXED);
    return d->number % 64 == 0 ? roost_yield() : 0;
}

void load_storm(struct load *l)
{
    struct storm storm = {.l = l};
    unsigned n = sized(l, 500, 20000);
    roost_scope_opts limited = {.limit = 1 + below(l, 50), .name = "storm"};
    roost_scope s;
    uint64_t sum = 0;

    roost_scope_open(&s, below(l, 4) == 0 ? &limited : NULL);
    for (unsigned i = 0; i < n; i++) {
        struct drop d = {&storm, i};
        roost_task_opts opts = {.copy = sizeof(d),
                                .priority = (int)below(l, 3) - 1};
        int rc;

        if (i % 8 == 0) {
            opts.name = "drop";
            rc = roost_spawn_opts(&s, falls, &d, &opts);
        } else {
            rc = roost_spawn_copy(&s, falls, &d, sizeof(d));
        }
        HOLDS(l, rc == 0);
        sum += i;
    }
    HOLDS(l, roost_scope_close(&s, 0) == 0);
    HOLDS(l, a64_load(&storm.ran, RELAXED) == n);
    HOLDS(l, a64_load(&storm.sum, RELAXED) == sum);
    count(l, TASKS, n);
}

/* ---- failures ------------------------------------------------------------ */

struct failing {
    struct load *l;
    unsigned depth, failures;
};

static int fails(void *arg)
{
    unsigned n = *(unsigned *)arg;

    return roost_fail(ROOST_USER(n), "the %u-th", n);
}

/* All of its children fail, and it hands their group on. */
static int fails_as_a_group(void *arg)
{
    struct failing *f = arg;
    struct failing inner = {f->l, f->depth - 1, f->failures};
    unsigned numbers[8];
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (unsigned i = 0; i < f->failures; i++) {
        numbers[i] = i;
        (void)roost_spawn(&s, fails, &numbers[i]);
    }
    if (f->depth > 0) {
        (void)roost_spawn(&s, fails_as_a_group, &inner);
    }
    return roost_scope_close(&s, 0);
}

static bool is_even(const roost_error *e, void *ctx)
{
    (void)ctx;
    return e->status % 2 == 0;
}

static void look_at(struct load *l, roost_errors *e, size_t wanted)
{
    roost_errors *even = NULL;
    roost_errors *odd = NULL;
    roost_error it = {0};
    size_t walked = 0;

    HOLDS(l, roost_errors_count(e, 0) == wanted);
    while (roost_errors_next(e, &it)) {
        HOLDS(l, strncmp(it.message, "the ", 4) == 0);
        walked++;
    }
    HOLDS(l, walked == wanted);
    if (roost_errors_split(e, is_even, NULL, &even, &odd) != 0) {
        HOLDS(l, !"a tree is split");
        roost_errors_free(e);
        return;
    }
    HOLDS(l,
          roost_errors_count(even, 0) + roost_errors_count(odd, 0) == wanted);
    roost_errors_free(even);
    roost_errors_free(odd);
}

void load_errors(struct load *l)
{
    for (unsigned i = sized(l, 2, 40); i > 0; i--) {
        struct failing f = {l, below(l, 4), 1 + below(l, 8)};
        size_t wanted = (size_t)(f.depth + 1) * f.failures;
        roost_scope s;

        roost_scope_open(&s, NULL);
        (void)roost_spawn(&s, fails_as_a_group, &f);
        HOLDS(l, roost_scope_close(&s, 0) < 0);
        look_at(l, roost_errors_take(), wanted);
        count(l, ERRORS, wanted);
        /* Supervised: each is reported, and nothing is cancelled. */
        roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_SUPERVISE});
        for (unsigned k = 0; k < f.failures; k++) {
            (void)roost_spawn_copy(&s, fails, &k, sizeof(k));
        }
        a64_add(&l->soak->failing, f.failures, RELAXED);
        HOLDS(l, roost_scope_close(&s, 0) == 0);
        count(l, ERRORS, f.failures);
    }
}

/* ---- parallel calls ------------------------------------------------------ */

static int adds_up(size_t lo, size_t hi, void *acc, void *ctx)
{
    const uint32_t *at = ctx;

    for (size_t i = lo; i < hi; i++) {
        *(uint64_t *)acc += at[i];
    }
    return 0;
}

static void combines(void *into, const void *from, void *ctx)
{
    (void)ctx;
    *(uint64_t *)into += *(const uint64_t *)from;
}

static void combines_small(void *into, const void *from, void *ctx)
{
    (void)ctx;
    *(uint32_t *)into += *(const uint32_t *)from;
}

static int compares(const void *a, const void *b, void *ctx)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    (void)ctx;
    return (x > y) - (x < y);
}

static int doubles(size_t lo, size_t hi, void *ctx)
{
    uint32_t *at = ctx;

    for (size_t i = lo; i < hi; i++) {
        at[i] *= 2;
    }
    return 0;
}

static int job(void *arg)
{
    return *(int *)arg;
}

static void gathers(struct load *l)
{
    roost_job jobs[20];
    int statuses[20];
    unsigned n = 1 + below(l, 20);

    for (unsigned i = 0; i < n; i++) {
        statuses[i] = below(l, 4) == 0 ? ROOST_USER(i) : (int)i;
        jobs[i] = (roost_job){job, &statuses[i], 0};
    }
    HOLDS(l, roost_gather(jobs, n, below(l, 4)) == 0);
    for (unsigned i = 0; i < n; i++) {
        HOLDS(l, jobs[i].status == statuses[i]);
    }
    for (unsigned i = 0; i < n; i++) {
        statuses[i] = 0;
    }
    HOLDS(l, roost_parallel_invoke(jobs, n) == 0);
}

void load_parallel(struct load *l)
{
    size_t n = sized(l, 1000, 100000);
    uint32_t *at = room(n, sizeof(*at));
    uint64_t before = 0;
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++) {
        at[i] = below(l, 1000);
        before += at[i];
    }
    HOLDS(l, roost_parallel_for(0, n, below(l, 500), doubles, at) == 0);
    HOLDS(l, roost_parallel_sort(at, n, sizeof(*at), compares, NULL) == 0);
    HOLDS(l, roost_parallel_reduce(0, n, 0, &sum, sizeof(sum), adds_up,
                                   combines, at) == 0);
    HOLDS(l, sum == 2 * before);
    for (size_t i = 1; i < n; i++) {
        if (at[i - 1] > at[i]) {
            HOLDS(l, !"it is sorted");
            break;
        }
    }
    HOLDS(l,
          roost_parallel_scan(at, n, sizeof(*at), combines_small, NULL) == 0);
    HOLDS(l, at[n - 1] == (uint32_t)sum);
    free(at);
    for (unsigned i = sized(l, 1, 20); i > 0; i--) {
        gathers(l);
    }
    count(l, CHUNKS, 4 * n);
}
