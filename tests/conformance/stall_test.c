/*
 * stall_test.c - opts.stall: tasks that hold their workers are named, how they
 * do, and where.
 *
 * Would catch: a hog that nobody names, one that is named by a wrong name, with
 * the function of another, or again and again; a task that computes taken for
 * one that is blocked, or the other way round; all workers blocked and nothing
 * said; a task in a blocking region, or a worker that sleeps, taken for one
 * that holds its worker; something said where no limit is set.
 */
#include "tasks.h"

#include <link.h>

static struct capture said;

static int times(const char *text, const char *part)
{
    int n = 0;

    while ((text = strstr(text, part)) != NULL) {
        text += strlen(part);
        n++;
    }
    return n;
}

/* Each holds its worker until the runtime has said that; the harness gives up
 * waiting for it. */
struct holders {
    const char *until;
    int blocks, computes; /* how many are to */
    int said;
    sem_t go;
};

/* A thread that lets them go. */
static void *await(void *arg)
{
    struct holders *h = arg;
    struct timespec pause = {0, 1000000};
    static char text[8192];
    ssize_t n;

    do {
        nanosleep(&pause, NULL);
        n = pread(fileno(said.file), text, sizeof text - 1, 0);
        text[n < 0 ? 0 : n] = '\0';
    } while (strstr(text, h->until) == NULL);
    test_set(&h->said, 1);
    for (int i = 0; i < h->blocks; i++) {
        sem_post(&h->go);
    }
    return NULL;
}

static int block(void *arg)
{
    struct holders *h = arg;

    while (sem_wait(&h->go) != 0) {
    }
    return 0;
}

static int compute(void *arg)
{
    struct holders *h = arg;

    while (!test_get(&h->said)) {
    }
    return 0;
}

static int hold(void *arg)
{
    struct holders *h = arg;
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < h->blocks; i++) {
        CHECK_EQ(SPAWN_OPTS(&s, block, h, .name = "blocker"), 0);
    }
    for (int i = 0; i < h->computes; i++) {
        CHECK_EQ(SPAWN_OPTS(&s, compute, h, .name = "computer"), 0);
    }
    return roost_scope_close(&s, 0);
}

static const char *run_holders_by(struct holders *h, roost_fn fn)
{
    roost_opts opts = test_opts();
    pthread_t thread;

    opts.stall = 10 * ROOST_MS;
    CHECK_EQ(sem_init(&h->go, 0, 0), 0);
    capture_begin(&said);
    CHECK_EQ(pthread_create(&thread, NULL, await, h), 0);
    CHECK_EQ(roost_run(fn, h, &opts), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    sem_destroy(&h->go);
    return capture_end(&said);
}

static const char *run_holders(struct holders *h)
{
    return run_holders_by(h, hold);
}

static int bias_is(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    *(uintptr_t *)arg = info->dlpi_addr;
    return 1; /* the program is the first */
}

/* How, and that it is said to have done so in fn, by its offset. */
static void check_place(const char *text, const char *how, roost_fn fn)
{
    char place[100];
    uintptr_t bias = 0;

    (void)dl_iterate_phdr(bias_is, &bias);
    snprintf(place, sizeof place, "%s, in %s+0x%lx\n", how,
             program_invocation_short_name,
             (unsigned long)((uintptr_t)fn - bias));
    CHECK(strstr(text, place) != NULL);
}

TEST_PLAIN(a_task_that_blocks_its_worker_is_named, "R11")
{
    struct holders h = {.until = "blocked in a call", .blocks = 1};
    const char *text = run_holders(&h);

    CHECK(strstr(text, "roost: blocker has held worker ") != NULL);
    CHECK_EQ(times(text, "blocker"), 1);
    CHECK_EQ(times(text, "computing, in"), 0);
    check_place(text, ", blocked in a call", block);
}

TEST_PLAIN(a_task_that_computes_is_named, "R11")
{
    struct holders h = {.until = ", computing, in", .computes = 1};
    const char *text = run_holders(&h);

    CHECK(strstr(text, "roost: computer has held worker ") != NULL);
    CHECK_EQ(times(text, "computer"), 1);
    CHECK_EQ(times(text, "blocked in a call"), 0);
    check_place(text, ", computing", compute);
}

static int spawn_plainly(void *arg)
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, compute, arg), 0);
    CHECK_EQ(roost_scope_join(&s), 0); /* waits: the loop runs it */
    return roost_scope_close(&s, 0);
}

/* By its function, then. */
TEST_PLAIN(a_task_without_a_name_is_told_by_its_place, "R11")
{
    struct holders h = {.until = ", computing, in"};

    check_place(run_holders_by(&h, spawn_plainly), ", computing", compute);
}

/* It runs in the place of who joins it. */
static int join_it(void *arg)
{
    roost_scope s;
    roost_task t;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, succeed, NULL, .handle = &t), 0);
    CHECK_EQ(roost_join(&t, NULL), 0); /* the first time the long way */
    CHECK_EQ(SPAWN_OPTS(&s, compute, arg, .handle = &t), 0);
    CHECK_EQ(roost_join(&t, NULL), 0);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(a_task_that_is_joined_is_told_by_its_place, "R11 R43")
{
    struct holders h = {.until = ", computing, in"};

    check_place(run_holders_by(&h, join_it), ", computing", compute);
}

TEST_PLAIN(all_workers_blocked_is_said, "R11")
{
    char text[80];
    struct holders h = {.until = text, .blocks = (int)test_workers};

    snprintf(text, sizeof text,
             "roost: all %u workers are held: %u blocked, 0 computing\n",
             test_workers, test_workers);
    /* The opener, too, is named if its processor is taken from it. */
    CHECK_EQ(times(run_holders(&h), "blocker has held"), test_workers);
}

TEST_PLAIN(all_workers_held_one_way_or_the_other, "R11")
{
    char text[80];
    struct holders h = {
        .until = text, .blocks = (int)test_workers - 1, .computes = 1};

    snprintf(text, sizeof text,
             "roost: all %u workers are held: %u blocked, 1 computing\n",
             test_workers, test_workers - 1);
    CHECK_EQ(times(run_holders(&h), ", computing, in"), 1);
}

static int wait_in_many_ways(void *arg)
{
    struct timespec t = {1, 0};

    (void)arg;
    CHECK_EQ(roost_sleep(700 * ROOST_MS), 0);
    roost_block_begin();
    nanosleep(&t, NULL);
    roost_block_end();
    return 0;
}

static int compute_a_while(void *arg)
{
    roost_ns end = roost_in(50 * ROOST_MS);

    (void)arg;
    while (roost_now() < end) {
    }
    return 0;
}

TEST_PLAIN(without_a_limit_nothing_is_said, "R11")
{
    roost_opts opts = test_opts();

    opts.stall = 0;
    capture_begin(&said);
    CHECK_EQ(roost_run(compute_a_while, NULL, &opts), 0);
    CHECK_STR(capture_end(&said), "");
}

TEST_PLAIN(who_waits_holds_no_worker, "R11")
{
    roost_opts opts = test_opts();

    opts.stall = 500 * ROOST_MS;
    capture_begin(&said);
    CHECK_EQ(roost_run(wait_in_many_ways, NULL, &opts), 0);
    CHECK_STR(capture_end(&said), "");
}
