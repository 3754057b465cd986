/*
 * hostile_sync_test.c - objects where the machine is against them: one
 * processor, far too many workers, signals all the time, a process that is
 * stopped and continued.
 *
 * Would catch: a wait that an interrupted call has ended early or for ever, a
 * wake-up lost while the process stood still or its waker had no processor,
 * two in a mutex, a token that is gone.
 */
#include "stopped.h"
#include "test.h"

#include "base/rng.h"
#include <sched.h>
#include <sys/time.h>

enum { TOKENS = 3, TASKS = 12, THREADS = 2, PERMITS = 4 };

static struct {
    roost_chan *chan; /* TOKENS go round in it */
    roost_sem sem;
    roost_mutex mutex;
    roost_event end;
    int out;          /* permits */
    long sum;         /* the mutex's */
    int times, token; /* how often the mutex was had, a token taken */
    int early;
} world;

static void in_time(roost_ns until, int rc)
{
    CHECK(rc == 0 || rc == -ETIMEDOUT);
    if (rc == -ETIMEDOUT && roost_now() < until) {
        test_add(&world.early, 1);
    }
}

static void passes_token(roost_ns until)
{
    long token = -1;
    int rc = roost_chan_recv_until(world.chan, &token, until);

    in_time(until, rc);
    if (rc == 0) {
        CHECK(token >= 0 && token < TOKENS);
        test_add(&world.token, 1);
        (void)roost_yield();
        CHECK_EQ(roost_chan_send(world.chan, &token), 0);
    }
}

static void takes_permit(roost_ns until)
{
    int rc = roost_sem_acquire_until(&world.sem, 2, until);

    in_time(until, rc);
    if (rc == 0) {
        CHECK(test_add(&world.out, 2) <= PERMITS);
        (void)roost_yield();
        test_add(&world.out, -2);
        CHECK_EQ(roost_sem_release(&world.sem, 2), 0);
    }
}

static void has_mutex(roost_ns until)
{
    int rc = roost_mutex_lock_until(&world.mutex, until);

    in_time(until, rc);
    if (rc == 0) {
        world.sum++;
        (void)roost_yield();
        CHECK_EQ(roost_mutex_unlock(&world.mutex), 0);
        test_add(&world.times, 1);
    }
}

static int inhabits(void *arg)
{
    struct rng rng = {(uintptr_t)arg};

    while (!roost_event_is_set(&world.end)) {
        roost_ns until = roost_in(rng_below(&rng, 300) * ROOST_US);

        passes_token(until);
        takes_permit(until);
        has_mutex(rng_below(&rng, 4) == 0 ? ROOST_NEVER : until);
        in_time(until, roost_event_wait_until(&world.end, until));
    }
    return 0;
}

static void *inhabits_thread(void *arg)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    (void)inhabits(arg);
    return NULL;
}

static int lives(void *arg)
{
    int ms = *(int *)arg;
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (uintptr_t i = 0; i < TASKS; i++) {
        CHECK_EQ(roost_spawn(&s, inhabits, (void *)(100 + i)), 0);
    }
    CHECK_EQ(roost_sleep(ms * ROOST_MS), 0);
    CHECK_EQ(roost_event_set(&world.end), 0);
    return roost_scope_close(&s, 0);
}

static void begin_world(void)
{
    memset(&world, 0, sizeof(world));
    world.chan = roost_chan_new(sizeof(long), TOKENS);
    CHECK_EQ(roost_sem_init(&world.sem, PERMITS, PERMITS), 0);
    CHECK_EQ(roost_mutex_init(&world.mutex), 0);
    CHECK_EQ(roost_event_init(&world.end), 0);
    for (long i = 0; i < TOKENS; i++) {
        CHECK_EQ(roost_chan_send(world.chan, &i), 0);
    }
}

static void end_world(void)
{
    long all = 0;

    for (int i = 0; i < TOKENS; i++) {
        long token = -1;

        CHECK_EQ(roost_chan_try_recv(world.chan, &token), 0);
        all |= 1L << token;
    }
    CHECK_EQ(all, (1L << TOKENS) - 1);
    CHECK_EQ(roost_sem_try_acquire(&world.sem, PERMITS), 0);
    CHECK_EQ(world.sum, world.times);
    CHECK(world.times > 0);
    CHECK(world.token > 0);
    CHECK_EQ(world.early, 0);
    roost_chan_free(world.chan);
    roost_sem_destroy(&world.sem);
    roost_mutex_destroy(&world.mutex);
    roost_event_destroy(&world.end);
}

/* Tasks and plain threads for so long, with so many workers. */
static void world_runs(unsigned workers, int ms)
{
    roost_opts opts = test_opts();
    pthread_t threads[THREADS];

    opts.workers = workers;
    begin_world();
    for (uintptr_t i = 0; i < THREADS; i++) {
        CHECK_EQ(pthread_create(&threads[i], NULL, inhabits_thread, (void *)i),
                 0);
    }
    CHECK_EQ(roost_run(lives, &ms, &opts), 0);
    for (int i = 0; i < THREADS; i++) {
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    }
    end_world();
}

TEST_PLAIN(eight_times_as_many_workers_as_processors, "R3 R60 R67")
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    world_runs(8 * (unsigned)processors, 500);
}

TEST_PLAIN(one_processor, "R3 R60 R67")
{
    cpu_set_t all;
    cpu_set_t one;

    CHECK_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
    CPU_ZERO(&one);
    for (int i = 0; CPU_COUNT(&one) == 0; i++) {
        if (CPU_ISSET(i, &all)) {
            CPU_SET(i, &one);
        }
    }
    CHECK_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
    world_runs(8, 500);
    CHECK_EQ(sched_setaffinity(0, sizeof(all), &all), 0);
}

static int interruptions;

static void on_alarm(int signal)
{
    (void)signal;
    test_add(&interruptions, 1);
}

/* Without SA_RESTART, in plain threads that sleep on objects. */
TEST_PLAIN(interrupted_all_the_time, "R3 R11 R71")
{
    struct sigaction act = {.sa_handler = on_alarm};
    struct sigaction old;
    struct itimerval often = {{0, 100}, {0, 100}};
    struct itimerval never = {{0, 0}, {0, 0}};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    CHECK_EQ(sigaction(SIGALRM, &act, &old), 0);
    CHECK_EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* the threads are to get them */
    world_runs(test_workers, 500);
    CHECK_EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    CHECK_EQ(sigaction(SIGALRM, &old, NULL), 0);
    CHECK(test_get(&interruptions) > 0);
}

TEST_PLAIN(stopped_and_continued, "R3 R5 R11")
{
    pid_t pid = stops_us(getpid(), 12, 40, 7);
    int status = -1;

    CHECK(pid > 0);
    world_runs(test_workers, 600);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    CHECK_EQ(status, 0);
}
