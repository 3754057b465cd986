/*
 * scaling.c - how roost would do with more processors than there are.
 *
 *     bench_scaling              measures what steps take here, and prints it
 *     bench_scaling TOPOLOGY LINE BARRIER INTERRUPT WAKE CALL WORKERS...
 *
 * The second form runs workloads under the timed simulation
 * (sched/sim_timed.c): the real scheduler, whose steps and tasks take as long
 * as they are said to, on so many workers. A line of output a run: workload,
 * workers, ns, and for the server the median and 99th percentile of its
 * replies. TOPOLOGY is how long a cache line takes: flat, or sockets (2, from
 * one to the other 2.5 times as long), or chiplets (8, within one a third).
 */
#include "scaling.h"

#include "../measure.h"
#include <inttypes.h>
#include <roost/roost.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the machine --- */

static struct sim_costs costs = {
    /* fib with one worker: 13 ns a task */
    .spawn = 5,   .place = 8, .turn = 12,    .wait = 10,
    .search = 40, .look = 3,  .spin = 10000,
};
#define FENCE_NS 6 /* a locked instruction: the head of sched/deque.c */
static int64_t line_ns;
static unsigned workers;

static int64_t flat(unsigned from, unsigned to)
{
    return from == to ? 0 : line_ns;
}

static int64_t sockets(unsigned from, unsigned to)
{
    return from / ((workers + 1) / 2) == to / ((workers + 1) / 2)
               ? flat(from, to)
               : line_ns * 5 / 2;
}

static int64_t chiplets(unsigned from, unsigned to)
{
    return from / ((workers + 7) / 8) == to / ((workers + 7) / 8)
               ? flat(from, to) / 3
               : line_ns;
}

static const struct {
    const char *name;
    int64_t (*line)(unsigned from, unsigned to);
} topologies[] = {{"flat", flat}, {"sockets", sockets}, {"chiplets", chiplets}};

/* --- the workloads: as in kernels/, but they say what they compute --- */

static int fib(void *arg)
{
    int n = *(int *)arg;
    int left = n - 1;
    int right = n - 2;
    roost_scope s;

    sim_compute(3);
    if (n < 2) {
        return 0;
    }
    roost_scope_open(&s, NULL);
    roost_spawn(&s, fib, &left);
    fib(&right);
    return roost_scope_close(&s, 0);
}

static int run_fib(void)
{
    int n = 28;

    return fib(&n);
}

static int sky(void *arg)
{
    int depth = *(int *)arg - 1;
    roost_scope s;

    sim_compute(3);
    if (depth < 0) {
        return 0;
    }
    roost_scope_open(&s, NULL);
    for (int i = 0; i < 10; i++) {
        roost_spawn(&s, sky, &depth);
    }
    return roost_scope_close(&s, 0);
}

static int run_skynet(void)
{
    int depth = 5;

    return sky(&depth);
}

/* A tree of some 10^5 nodes, geometric as in kernels/work.h: from none to WIDTH
 * children, 4 on average. */
enum { WIDTH = 20, UTS_LEVELS = 9 };

struct node {
    uint64_t state;
    int level;
};

static unsigned children_of(const struct node *node)
{
    uint64_t bits = node->state;
    unsigned n = 0;

    while (node->level < UTS_LEVELS && n < WIDTH && (bits & 0xff) < 205) {
        n++;
        bits = (bits + n) * UINT64_C(0x9e3779b97f4a7c15);
        bits ^= bits >> 29;
    }
    return n;
}

static int uts(void *arg)
{
    struct node *node = arg;
    struct node child[WIDTH];
    unsigned n = children_of(node);
    roost_scope s;

    sim_compute(6);
    if (n == 0) {
        return 0;
    }
    roost_scope_open(&s, NULL);
    for (unsigned i = 0; i < n; i++) {
        child[i].state = (node->state + i + 1) * UINT64_C(0xd1342543de82ef95);
        child[i].state ^= child[i].state >> 31;
        child[i].level = node->level + 1;
        roost_spawn(&s, uts, &child[i]);
    }
    return roost_scope_close(&s, 0);
}

static int run_uts(void)
{
    struct node root = {19, 0};

    return uts(&root);
}

static int microsecond(void *arg)
{
    (void)arg;
    sim_compute(1000);
    return 0;
}

static int storm(int n)
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < n; i++) {
        roost_spawn(&s, microsecond, NULL);
    }
    return roost_scope_close(&s, 0);
}

static int run_storm(void)
{
    return storm(100000);
}

static int add_up(size_t first, size_t end, void *arg)
{
    (void)arg;
    sim_compute((int64_t)(end - first) * 10);
    return 0;
}

static int run_loop(void)
{
    return roost_parallel_for(0, 10000000, 0, add_up, NULL);
}

/* --- a server: requests come at random, each of 200 us in 4 children --- */

enum { REQUESTS = 20000, PARTS = 4, PART_NS = 50000 };

struct server {
    int64_t late[REQUESTS]; /* in: when it came; out: until the reply */
};

static int part(void *arg)
{
    (void)arg;
    sim_compute(PART_NS);
    return 0;
}

static int serve(void *arg)
{
    int64_t *slot = arg;
    roost_scope s;
    int rc;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < PARTS; i++) {
        roost_spawn(&s, part, NULL);
    }
    rc = roost_scope_close(&s, 0);
    *slot = roost_now() - *slot;
    return rc;
}

/* At 70 % of what the workers could do. */
static int run_server(struct server *server)
{
    const double between = PARTS * PART_NS / (0.7 * workers);
    uint64_t state = 17;
    double at = (double)roost_now();
    roost_scope s;
    int rc = 0;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < REQUESTS && rc == 0; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
        at += between * 2 * (double)(state >> 40) / (double)(1 << 24);
        server->late[i] = (int64_t)at;
        rc = roost_sleep_until(server->late[i]);
        rc = rc == 0 ? roost_spawn(&s, serve, &server->late[i]) : rc;
    }
    return roost_scope_close(&s, rc);
}

/* --- runs --- */

static struct server server;

static int server_run(void)
{
    return run_server(&server);
}

static const struct {
    const char *name;
    int (*run)(void);
} workloads[] = {{"fib", run_fib},   {"skynet", run_skynet},
                 {"uts", run_uts},   {"storm of 1 us", run_storm},
                 {"loop", run_loop}, {"server", server_run}};

static int timed(void *arg)
{
    int (*run)(void) = workloads[*(size_t *)arg].run;
    int64_t start = roost_now();
    int rc = run();

    printf("%s\t%u\t%" PRId64, workloads[*(size_t *)arg].name, workers,
           roost_now() - start);
    if (run == server_run) {
        printf("\t%" PRId64, measure_quantile(server.late, REQUESTS, 0.5));
        printf("\t%" PRId64, measure_quantile(server.late, REQUESTS, 0.99));
    }
    printf("\n");
    fflush(stdout);
    return rc;
}

static int run_all(void)
{
    roost_opts opts = {.workers = workers,
                       .backend = ROOST_SIM,
                       .clock = ROOST_CLOCK_VIRTUAL,
                       .seed = 17};

    for (size_t i = 0; i < sizeof(workloads) / sizeof(*workloads); i++) {
        int rc = roost_run(timed, &i, &opts);

        if (rc != 0) {
            fprintf(stderr, "scaling: %s: status %d\n", workloads[i].name, rc);
            return 1;
        }
    }
    return 0;
}

static bool read_costs(char **argv)
{
    int64_t *fields[] = {&line_ns, &costs.barrier, &costs.interrupt,
                         &costs.wake, &costs.call};

    for (size_t i = 0; i < sizeof(topologies) / sizeof(*topologies); i++) {
        if (strcmp(topologies[i].name, argv[1]) == 0) {
            costs.line = topologies[i].line;
        }
    }
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        *fields[i] = atoll(argv[2 + i]);
    }
    return costs.line != NULL;
}

int main(int argc, char **argv)
{
    int rc = 0;

    if (argc == 1) {
        if (!scaling_measure(&costs, &line_ns)) {
            return 1;
        }
        printf("%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%" PRId64
               "\n",
               line_ns, costs.barrier, costs.interrupt, costs.wake, costs.call);
        return 0;
    }
    if (argc < 8 || !read_costs(argv)) {
        fprintf(stderr, "usage: see the head of scaling.c\n");
        return 2;
    }
    sim_costs = &costs;
    for (int i = 7; i < argc && rc == 0; i++) {
        workers = (unsigned)atoi(argv[i]);
        costs.fence = workers <= BARRIER_WORKERS ? 0 : FENCE_NS;
        rc = run_all();
    }
    return rc;
}
