/*
 * Catches: what no hand-written case thinks of. Programs of scopes, channels,
 * semaphores, mutexes, sleeps, deadlines, cancels, offloaded calls and tasks
 * that wait before they start are made up from a seed and simulated by the same
 * seed; whatever they do
 *   - each item that was sent was received, or is left in its channel
 *   - all permits are back, and what a mutex protects was counted right
 *   - no child outlives its scope, and each that was spawned has run
 *   - no sleep ends early, and nothing is stuck: every wait has a deadline.
 */
#include "sim.h"

enum { CHANNELS = 2, SEMS = 2 /* as many */, DEPTH = 4, OPS = 6 };

struct world {
    uint64_t state; /* of the generator: what the program is */
    roost_chan *chan[CHANNELS];
    roost_sem sem[SEMS];
    roost_mutex mutex;
    long sent, received; /* sums of items */
    int inside;          /* mutex: how many hold it */
    int locked, counted; /* how often it was; what it protects */
    int spawned, ran;
    int wrong; /* an oracle has said no */
};

struct node {
    struct world *w;
    int depth;
    int *alive; /* children of its scope that have not ended */
};

static unsigned draw(struct world *w, unsigned n)
{
    uint64_t z = (w->state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((z ^ (z >> 31)) >> 32) % n;
}

static void wrong(struct world *w, bool is)
{
    w->wrong += is;
}

static int send_one(struct world *w)
{
    int item = 1 + (int)draw(w, 100);
    unsigned i = draw(w, CHANNELS);
    int rc = roost_chan_send_until(w->chan[i], &item,
                                   roost_in(draw(w, 4) * ROOST_MS));

    w->sent += rc == 0 ? item : 0;
    return rc;
}

static int receive_one(struct world *w)
{
    int item = 0;
    int rc = roost_chan_recv_until(w->chan[draw(w, CHANNELS)], &item,
                                   roost_in(draw(w, 4) * ROOST_MS));

    w->received += rc == 0 ? item : 0;
    wrong(w, rc != 0 && item != 0);
    return rc;
}

static int select_one(struct world *w)
{
    int in = 0;
    int out = 1 + (int)draw(w, 100);
    roost_case cases[] = {
        roost_on_recv(w->chan[0], &in),
        roost_on_send(w->chan[1], &out),
        roost_on_time(roost_in(draw(w, 3) * ROOST_MS)),
    };
    int rc = roost_select(cases, 3);

    if (rc == 0 && cases[0].status == 0) {
        w->received += in;
    } else if (rc == 1 && cases[1].status == 0) {
        w->sent += out;
    }
    return rc < 0 ? rc : 0;
}

static int use_sem(struct world *w)
{
    unsigned i = draw(w, SEMS);
    unsigned n = 1 + draw(w, 2);
    int rc =
        roost_sem_acquire_until(&w->sem[i], n, roost_in(draw(w, 5) * ROOST_MS));

    if (rc == 0) {
        (void)roost_sleep(draw(w, 2) * ROOST_MS);
        wrong(w, roost_sem_release(&w->sem[i], n) != 0);
    }
    return rc;
}

static int use_mutex(struct world *w)
{
    int rc = roost_mutex_lock_until(&w->mutex, roost_in(draw(w, 5) * ROOST_MS));
    int seen;

    if (rc != 0) {
        return rc;
    }
    wrong(w, w->inside++ != 0);
    w->locked++;
    seen = w->counted;
    (void)roost_checkpoint();
    w->counted = seen + 1;
    w->inside--;
    wrong(w, roost_mutex_unlock(&w->mutex) != 0);
    return 0;
}

static int sleep_some(struct world *w)
{
    roost_ns until = roost_in(draw(w, 4) * ROOST_MS);
    int rc = roost_sleep_until(until);

    wrong(w, rc == 0 && roost_now() < until);
    return rc;
}

static int blocking(void *arg)
{
    test_add(arg, 1);
    return 0;
}

static int offload_one(void)
{
    int ran = 0;
    int rc = roost_offload(blocking, &ran);

    return rc == 0 && ran != 1 ? -EBADMSG : rc;
}

static int run_node(void *arg);

/* A child that waits for something before it starts. */
enum later { RECV, SEND, SEM, TIME, LATERS };

struct later_node {
    struct node n;
    enum later kind;
    int item;
    unsigned which; /* channel or semaphore */
    roost_ns time;
};

static int begin_later(void *arg)
{
    struct later_node *l = arg;
    struct world *w = l->n.w;
    int status = roost_when_status();

    wrong(w, status != 0 && status != -ETIMEDOUT && status != -ECANCELED);
    switch (l->kind) {
    case RECV:
        w->received += status == 0 ? l->item : 0;
        wrong(w, status != 0 && l->item != 0);
        break;
    case SEND:
        w->sent += status == 0 ? l->item : 0;
        break;
    case SEM:
        wrong(w, status == 0 && roost_sem_release(&w->sem[l->which], 1) != 0);
        break;
    default:
        wrong(w, status == 0 && roost_now() < l->time);
    }
    status = run_node(&l->n);
    free(l);
    return status;
}

static roost_case case_of(struct later_node *l)
{
    struct world *w = l->n.w;

    switch (l->kind) {
    case RECV:
        return roost_on_recv(w->chan[l->which], &l->item);
    case SEND:
        l->item = 1 + (int)draw(w, 100);
        return roost_on_send(w->chan[l->which], &l->item);
    case SEM:
        return roost_on_sem(&w->sem[l->which], 1);
    default:
        return roost_on_time(l->time);
    }
}

static int spawn_later(roost_scope *s, const struct node *child)
{
    struct later_node *l = calloc(1, sizeof(*l));
    struct world *w = child->w;
    roost_case c;

    if (l == NULL) {
        return -ENOMEM;
    }
    l->n = *child;
    l->kind = (enum later)draw(w, LATERS);
    l->which = draw(w, CHANNELS);
    l->time = roost_in(draw(w, 4) * ROOST_MS);
    c = case_of(l);
    return roost_spawn_when_until(s, c, begin_later, l,
                                  roost_in(draw(w, 6) * ROOST_MS));
}

/* A scope of its own, with children. */
static int nest(struct node *n)
{
    struct world *w = n->w;
    roost_scope_opts opts = {
        .timeout =
            draw(w, 3) == 0 ? 1 + (roost_ns)draw(w, 9) * ROOST_MS / 2 : 0,
        .flags = ROOST_MOVE_ON};
    unsigned children = draw(w, 4);
    int alive = 0;
    struct node child = {w, n->depth + 1, &alive};
    roost_scope s;
    int rc;

    roost_scope_open(&s, draw(w, 2) == 0 ? NULL : &opts);
    for (unsigned i = 0; i < children; i++) {
        w->spawned++;
        alive++;
        wrong(w, draw(w, 3) == 0 ? spawn_later(&s, &child) != 0
                                 : roost_spawn_copy(&s, run_node, &child,
                                                    sizeof(child)) != 0);
    }
    if (draw(w, 6) == 0) {
        (void)roost_sleep(ROOST_MS);
        roost_scope_cancel(&s, 0);
    }
    rc = roost_scope_close(&s, 0);
    wrong(w, alive != 0);
    return rc;
}

static int one(struct node *n)
{
    struct world *w = n->w;

    switch (draw(w, 9)) {
    case 0:
    case 1:
        return send_one(w);
    case 2:
        return receive_one(w);
    case 3:
        return use_sem(w);
    case 4:
        return use_mutex(w);
    case 5:
        return sleep_some(w);
    case 6:
        return select_one(w);
    case 7:
        return draw(w, 4) == 0 ? offload_one() : roost_yield();
    default:
        return n->depth < DEPTH ? nest(n) : 0;
    }
}

static int run_node(void *arg)
{
    struct node *n = arg;
    struct world *w = n->w;
    unsigned ops = draw(w, OPS);

    w->ran++;
    while (ops-- > 0) {
        int rc = one(n);

        wrong(w, rc != 0 && rc != -ETIMEDOUT && rc != -ECANCELED);
    }
    --*n->alive;
    return 0;
}

static int world_main(void *arg)
{
    struct world *w = arg;
    int alive = 4;
    struct node n = {w, 0, &alive};
    roost_scope s;
    int rc;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 4; i++) {
        w->spawned++;
        wrong(w, roost_spawn_copy(&s, run_node, &n, sizeof(n)) != 0);
    }
    rc = roost_scope_close(&s, 0);
    wrong(w, alive != 0);
    return rc;
}

/* How many oracles say no. */
static int run_world(uint64_t seed, unsigned flags)
{
    struct world w = {.state = seed * 7919};
    int item;

    for (int i = 0; i < CHANNELS; i++) {
        w.chan[i] = roost_chan_new(sizeof(int), (size_t)i);
        wrong(&w, w.chan[i] == NULL);
    }
    for (int i = 0; i < SEMS; i++) {
        wrong(&w, roost_sem_init(&w.sem[i], 2, 2) != 0);
    }
    wrong(&w, roost_mutex_init(&w.mutex) != 0);
    wrong(&w, sim_run(world_main, &w, seed, flags) != 0);
    for (int i = 0; i < CHANNELS; i++) {
        while (roost_chan_try_recv(w.chan[i], &item) == 0) {
            w.received += item;
        }
        roost_chan_free(w.chan[i]);
    }
    for (int i = 0; i < SEMS; i++) {
        wrong(&w, roost_sem_try_acquire(&w.sem[i], 2) != 0);
        wrong(&w, roost_sem_release(&w.sem[i], 2) != 0);
        roost_sem_destroy(&w.sem[i]);
    }
    roost_mutex_destroy(&w.mutex);
    wrong(&w, w.sent != w.received);
    wrong(&w, w.locked != w.counted);
    wrong(&w, w.spawned != w.ran);
    return w.wrong;
}

static void run_worlds(unsigned flags, const char *how)
{
    unsigned n = sim_seeds(2000);
    struct timespec from;
    struct timespec to;
    double took;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    for (uint64_t seed = 1; seed <= n; seed++) {
        int no = run_world(seed, flags);

        if (no != 0) {
            printf("     %s: seed %llu: %d oracles say no\n", how,
                   (unsigned long long)seed, no);
            CHECK_EQ(no, 0);
        }
    }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    took = (double)(to.tv_sec - from.tv_sec) +
           (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    printf("     %s: %u programs, %.0f a second of this processor\n", how, n,
           n / took);
}

TEST_PLAIN(random_programs_lose_nothing, "R3 R26 R29 R46 R51 R65")
{
    run_worlds(0, "random");
}

TEST_PLAIN(by_ranks_they_lose_nothing_either, "R3 R26 R29 R46 R51 R65")
{
    run_worlds(ROOST_SIM_PCT, "pct");
}

TEST_PLAIN(with_few_preemptions_they_lose_nothing_either,
           "R3 R26 R29 R46 R51 R65")
{
    run_worlds(ROOST_SIM_BOUND, "bound");
}
