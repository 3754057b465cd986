/*
 * Catches: a choice that depends on an address, on real time or on what ran
 * before in the process: then one seed gives two stories. The same program is
 * run in two processes, whose addresses differ, and its hash compared.
 */
#include "sim.h"

struct story {
    roost_chan *chan;
    roost_sem sem;
    roost_mutex mutex;
    int got;
    FILE *out; /* where the dump goes; NULL: nowhere */
};

static int produce(void *arg)
{
    struct story *st = arg;

    for (int i = 0; i < 5; i++) {
        CHECK_EQ(roost_chan_send(st->chan, &i), 0);
        CHECK_EQ(roost_sleep((i % 3) * ROOST_MS), 0);
    }
    return 0;
}

static int consume(void *arg)
{
    struct story *st = arg;
    int item;

    while (roost_chan_recv(st->chan, &item) == 0) {
        CHECK_EQ(roost_sem_acquire(&st->sem, 1), 0);
        CHECK_EQ(roost_mutex_lock(&st->mutex), 0);
        st->got++;
        CHECK_EQ(roost_mutex_unlock(&st->mutex), 0);
        CHECK_EQ(roost_sem_release(&st->sem, 1), 0);
    }
    return 0;
}

static int fib(void *arg)
{
    int *n = arg;
    int a = *n - 1;
    int b = *n - 2;
    roost_scope s;

    if (*n < 2) {
        return 0;
    }
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, fib, &a), 0);
    CHECK_EQ(roost_spawn(&s, fib, &b), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    *n = a + b;
    return 0;
}

static int job(void *arg)
{
    int n = 1;

    CHECK_EQ(roost_offload_call(fib, &n), 0);
    return *(int *)arg;
}

static int offloaded(void *arg)
{
    int seven = 7;

    (void)arg;
    CHECK_EQ(roost_offload(job, &seven), 7);
    return 0;
}

static int selects(void *arg)
{
    struct story *st = arg;
    int item;
    roost_case cases[] = {
        roost_on_recv(st->chan, &item),
        roost_on_time(roost_in(2 * ROOST_MS)),
    };
    int rc = roost_select(cases, 2);

    if (rc == 0 && cases[0].status == 0) {
        test_add(&st->got, 1); /* no other is inside: nothing is awaited */
    }
    return rc < 0 ? rc : 0;
}

static int late(void *arg)
{
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, &(roost_scope_opts){.timeout = ROOST_MS});
    (void)roost_sleep(ROOST_NEVER);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    return 0;
}

static int tell(void *arg)
{
    struct story *st = arg;
    roost_scope readers;
    roost_scope writers;
    int n = 9;

    roost_scope_open(&readers, NULL);
    CHECK_EQ(roost_spawn(&readers, consume, st), 0);
    CHECK_EQ(roost_spawn(&readers, consume, st), 0);
    CHECK_EQ(roost_spawn(&readers, selects, st), 0);
    roost_scope_open(&writers, NULL);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(roost_spawn(&writers, produce, st), 0);
        CHECK_EQ(roost_spawn(&writers, offloaded, st), 0);
        CHECK_EQ(roost_spawn(&writers, late, st), 0);
    }
    CHECK_EQ(fib(&n), 0);
    CHECK_EQ(n, 34);
    CHECK_EQ(roost_scope_close(&writers, 0), 0);
    roost_chan_close(st->chan);
    CHECK_EQ(roost_scope_close(&readers, 0), 0);
    if (st->out != NULL) {
        CHECK_EQ(roost_dump(fileno(st->out)), 0);
    }
    return 0;
}

static void run_story(struct story *st, uint64_t seed, unsigned flags)
{
    st->got = 0;
    st->chan = roost_chan_new(sizeof(int), 2);
    CHECK_EQ(roost_sem_init(&st->sem, 1, 1), 0);
    CHECK_EQ(roost_mutex_init(&st->mutex), 0);
    CHECK_EQ(sim_run(tell, st, seed, flags), 0);
    CHECK_EQ(st->got, 15);
    roost_mutex_destroy(&st->mutex);
    roost_sem_destroy(&st->sem);
    roost_chan_free(st->chan);
}

/* The line of the dump that tells the seed and the hash, into line. */
static void find_line(FILE *in, char *line, size_t size)
{
    line[0] = '\0';
    while (fgets(line, (int)size, in) != NULL &&
           strstr(line, "simulated: ") == NULL) {
    }
}

static void hash_here(uint64_t seed, unsigned flags, char *line, size_t size)
{
    struct story st = {.out = tmpfile()};

    if (st.out == NULL) {
        perror("tmpfile");
        exit(1);
    }
    run_story(&st, seed, flags);
    rewind(st.out);
    find_line(st.out, line, size);
    fclose(st.out);
}

/* Alone it only runs; the next case makes processes of it. */
TEST_PLAIN(a_story, "R72")
{
    const char *seed = getenv("STORY_SEED");
    char line[256];

    hash_here(seed == NULL ? 1 : strtoull(seed, NULL, 10), 0, line,
              sizeof(line));
    CHECK(strstr(line, "hash ") != NULL);
    CHECK(strstr(line, "cannot be replayed") == NULL);
    printf("%s", line);
}

static void hash_elsewhere(unsigned seed, char *line, size_t size)
{
    char command[4096];
    char self[2048];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    FILE *in;

    CHECK(n > 0);
    self[n < 0 ? 0 : n] = '\0';
    snprintf(command, sizeof(command),
             "STORY_SEED=%u '%s' --workers %u a_story", seed, self,
             test_workers);
    in = popen(command, "r");
    if (in == NULL) {
        perror("popen");
        exit(1);
    }
    find_line(in, line, size);
    while (fgets(self, sizeof(self), in) != NULL) {
    }
    CHECK_EQ(pclose(in), 0);
}

TEST_PLAIN(one_seed_gives_one_story_in_two_processes, "R65 R72")
{
    char a[256];
    char b[256];
    char other[256];

    hash_elsewhere(17, a, sizeof(a));
    hash_elsewhere(17, b, sizeof(b));
    hash_elsewhere(18, other, sizeof(other));
    CHECK_STR(a, b);
    CHECK(strstr(a, "seed 17") != NULL);
    CHECK(strcmp(strstr(a, "hash"), strstr(other, "hash")) != 0);
}

TEST_PLAIN(one_seed_gives_one_story_each_time, "R72")
{
    static const unsigned how[] = {0, ROOST_SIM_PCT, ROOST_SIM_BOUND};
    char a[256];
    char b[256];

    for (unsigned i = 0; i < 3; i++) {
        for (uint64_t seed = 1; seed <= 50; seed++) {
            hash_here(seed, how[i], a, sizeof(a));
            hash_here(seed, how[i], b, sizeof(b));
            CHECK_STR(a, b);
        }
    }
}

/* On a thread of the pool: which of two that are ready it chooses. */
static int choose_often(void *arg)
{
    uint32_t *chosen = arg;
    roost_event events[2] = {ROOST_EVENT_INIT, ROOST_EVENT_INIT};

    (void)roost_event_set(&events[0]);
    (void)roost_event_set(&events[1]);
    for (int i = 0; i < 32; i++) {
        roost_case cases[] = {roost_on_event(&events[0]),
                              roost_on_event(&events[1])};

        *chosen = 2 * *chosen + (uint32_t)roost_select(cases, 2);
    }
    return 0;
}

static int offload_choices(void *arg)
{
    return roost_offload(choose_often, arg);
}

TEST_PLAIN(what_an_offloaded_call_chooses_is_of_the_seed, "R49 R72")
{
    uint32_t a = 0;
    uint32_t b = 0;
    uint32_t other = 0;

    CHECK_EQ(sim_run(offload_choices, &a, 17, 0), 0);
    CHECK_EQ(sim_run(offload_choices, &b, 17, 0), 0);
    CHECK_EQ(sim_run(offload_choices, &other, 18, 0), 0);
    CHECK_EQ(a, b);
    CHECK(a != other);
}

static int post_back(void *arg)
{
    test_set(arg, 1);
    return 0;
}

struct outside {
    roost_runtime *rt;
    int came;
};

static void *outside_main(void *arg)
{
    struct outside *o = arg;

    CHECK_EQ(roost_post(o->rt, post_back, &o->came, 0), 0);
    return NULL;
}

static int with_a_thread(void *arg)
{
    struct outside o = {.rt = roost_runtime_current()};
    FILE *out = tmpfile();
    char line[256];
    pthread_t thread;

    (void)arg;
    CHECK_EQ(pthread_create(&thread, NULL, outside_main, &o), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    while (!test_get(&o.came)) {
        CHECK_EQ(roost_yield(), 0);
    }
    CHECK_EQ(roost_dump(fileno(out)), 0);
    rewind(out);
    find_line(out, line, sizeof(line));
    CHECK(strstr(line, "cannot be replayed") != NULL);
    fclose(out);
    return 0;
}

TEST_PLAIN(a_thread_outside_is_served_and_the_run_says_so, "R44 R72")
{
    CHECK_EQ(sim_run(with_a_thread, NULL, 1, 0), 0);
}

static int forty_two(void *arg)
{
    (void)arg;
    CHECK_EQ(roost_sleep(ROOST_S), 0);
    return 42;
}

TEST_PLAIN(a_simulated_runtime_may_be_started_too, "R57 R72")
{
    roost_opts opts = {.workers = test_workers, .backend = ROOST_SIM};
    roost_runtime *rt;

    CHECK_EQ(roost_start(&rt, &opts), 0);
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(roost_call(rt, forty_two, NULL), 42);
    }
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
}

TEST_PLAIN(a_bad_backend_or_strategy_is_refused, "R66")
{
    CHECK_EQ(setenv("ROOST_BACKEND", "simm", 1), 0);
    CHECK_EQ(sim_run(forty_two, NULL, 1, 0), -EINVAL);
    CHECK_EQ(unsetenv("ROOST_BACKEND"), 0);
    CHECK_EQ(setenv("ROOST_SIM_STRATEGY", "pct:x", 1), 0);
    CHECK_EQ(sim_run(forty_two, NULL, 1, 0), -EINVAL);
    CHECK_EQ(setenv("ROOST_SIM_STRATEGY", "bound:5", 1), 0);
    CHECK_EQ(sim_run(forty_two, NULL, 1, 0), 42);
    CHECK_EQ(unsetenv("ROOST_SIM_STRATEGY"), 0);
}
