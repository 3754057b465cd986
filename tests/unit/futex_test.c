/*
 * futex_test.c - sleeping on a word, and the asymmetric barrier.
 *
 * Would catch: a wait that ends early or never, a time-out that drifts with
 * interruptions, a wake that wakes the wrong number, a barrier that orders
 * nothing.
 */
#define TEST_NO_RUNTIME
#include "../test.h"

#include "base/atomic.h"
#include "base/clock.h"

#include <linux/filter.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/syscall.h>

#define MS INT64_C(1000000)

TEST(wait_returns_when_the_word_differs, "R5")
{
    a32 word;

    a32_init(&word, 7);
    CHECK_EQ(futex_wait(&word, 8, INT64_MAX), 0);
    CHECK_EQ(futex_wait(&word, 0, clock_now() + 1000 * MS), 0);
}

TEST(wait_times_out_not_early, "R11")
{
    a32 word;
    int64_t until;
    int i;

    a32_init(&word, 1);
    for (i = 0; i < 20; i++) {
        int rc;

        until = clock_now() + MS;
        do {
            rc = futex_wait(&word, 1, until);
        } while (rc != -ETIMEDOUT);
        CHECK(clock_now() >= until);
    }
}

TEST(past_deadlines_are_expired, "R10")
{
    a32 word;

    a32_init(&word, 1);
    CHECK_EQ(futex_wait(&word, 1, 0), -ETIMEDOUT);
    CHECK_EQ(futex_wait(&word, 1, -1), -ETIMEDOUT);
    CHECK_EQ(futex_wait(&word, 1, INT64_MIN), -ETIMEDOUT);
    CHECK_EQ(futex_wait(&word, 1, 1), -ETIMEDOUT);
}

struct sleeper {
    a32 *word;
    a32 asleep; /* about to be */
    int rc;     /* of the last futex_wait */
};

static void *sleep_on_word(void *arg)
{
    struct sleeper *s = arg;

    a32_store(&s->asleep, 1, RELEASE);
    while (a32_load(s->word, ACQUIRE) == 0) {
        s->rc = futex_wait(s->word, 0, INT64_MAX);
    }
    return NULL;
}

TEST(wake_reaches_sleepers, "R5")
{
    struct sleeper s[4];
    pthread_t threads[4];
    a32 word;
    int i, woken = 0;

    a32_init(&word, 0);
    for (i = 0; i < 4; i++) {
        s[i].word = &word;
        s[i].rc = 0;
        a32_init(&s[i].asleep, 0);
        pthread_create(&threads[i], NULL, sleep_on_word, &s[i]);
    }
    /* One at a time is woken, finds the word as it was and sleeps again: when
     * a wake of one has found somebody four times, all have slept. */
    while (woken < 4) {
        int n = futex_wake(&word, 1);

        CHECK(n == 0 || n == 1);
        woken += n;
        sched_yield();
    }
    a32_store(&word, 1, RELEASE);
    futex_wake(&word, INT32_MAX);
    for (i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        CHECK(s[i].rc == 0);
    }
    CHECK_EQ(futex_wake(&word, INT32_MAX), 0);
}

static void note_signal(int number)
{
    (void)number;
}

struct interrupted {
    a32 word;
    a32 tid; /* of the thread, once it is about to sleep */
    a32 over;
    unsigned times; /* how often a signal ended the wait */
    int64_t until;
};

static void *sleep_through_signals(void *arg)
{
    struct interrupted *s = arg;
    int rc;

    s->until = clock_now() + 100 * MS;
    a32_store(&s->tid, (uint32_t)syscall(SYS_gettid), RELEASE);
    do {
        rc = futex_wait(&s->word, 0, s->until);
        CHECK(rc == -EINTR || rc == -ETIMEDOUT);
        s->times += rc == -EINTR;
    } while (rc != -ETIMEDOUT);
    CHECK(clock_now() >= s->until);
    a32_store(&s->over, 1, RELEASE);
    return NULL;
}

/* A storm of signals neither shortens the wait nor draws it out. */
TEST(interrupted_wait_keeps_its_deadline, "R11")
{
    struct sigaction act = {.sa_handler = note_signal};
    struct interrupted s;
    pthread_t thread;

    memset(&s, 0, sizeof(s));
    sigaction(SIGUSR1, &act, NULL);
    pthread_create(&thread, NULL, sleep_through_signals, &s);
    while (a32_load(&s.tid, ACQUIRE) == 0) {
        sched_yield();
    }
    while (a32_load(&s.over, ACQUIRE) == 0) {
        pthread_kill(thread, SIGUSR1);
        sched_yield();
    }
    pthread_join(thread, NULL);
    CHECK(s.times > 0);
}

/*
 * The classic: each side writes its own word and reads the other's. With a
 * full fence on both sides at least one sees the other's write.
 */
struct sides {
    a32 turn; /* rounds that may run */
    a32 light_word __attribute__((aligned(CACHE_LINE)));
    a32 heavy_word __attribute__((aligned(CACHE_LINE)));
    a32 light_done __attribute__((aligned(CACHE_LINE)));
    uint32_t light_saw;
};

#define ROUNDS 20000U

/* Spins, and steps aside where that does not help: on one processor, and under
 * valgrind, which runs one thread at a time. */
static void await(a32 *word, uint32_t value)
{
    unsigned spins = 0;

    while (a32_load(word, ACQUIRE) != value) {
        spin_pause();
        if (++spins % 256 == 0) {
            sched_yield();
        }
    }
}

static void *light_side(void *arg)
{
    struct sides *s = arg;
    uint32_t i;

    for (i = 1; i <= ROUNDS; i++) {
        await(&s->turn, i);
        a32_store(&s->light_word, i, RELAXED);
        barrier_light();
        s->light_saw = a32_load(&s->heavy_word, RELAXED);
        a32_store(&s->light_done, i, RELEASE);
    }
    return NULL;
}

static unsigned run_sides(void)
{
    struct sides s;
    pthread_t thread;
    uint32_t i, saw;
    unsigned missed = 0;

    memset(&s, 0, sizeof(s));
    pthread_create(&thread, NULL, light_side, &s);
    for (i = 1; i <= ROUNDS; i++) {
        a32_store(&s.turn, i, RELEASE);
        a32_store(&s.heavy_word, i, RELAXED);
        barrier_heavy();
        saw = a32_load(&s.light_word, RELAXED);
        await(&s.light_done, i);
        missed += saw != i && s.light_saw != i;
        test_alive(); /* a round is two turns of two threads */
    }
    pthread_join(thread, NULL);
    return missed;
}

TEST(barrier_orders_both_sides, "R5")
{
    barrier_probe(2);
    barrier_probe(2); /* once is as good as twice */
    CHECK_EQ(run_sides(), 0);
}

TEST(the_form_is_decided_once, "R5")
{
    bool asymmetric;

    barrier_begin_anew();
    barrier_probe(BARRIER_WORKERS + 1);
    CHECK(!barrier_asymmetric);
    CHECK_EQ(run_sides(), 0);
    barrier_probe(1);
    CHECK(!barrier_asymmetric); /* though it would be, had it come first */

    barrier_begin_anew();
    barrier_probe(BARRIER_WORKERS);
    asymmetric = barrier_asymmetric;
    barrier_probe(BARRIER_WORKERS + 1);
    CHECK_EQ(barrier_asymmetric, asymmetric);
}

/* ThreadSanitizer's form never calls membarrier. */
#if defined(__x86_64__) && !defined(ROOST_ATOMIC_TSAN)
/* From here on membarrier gives `error`, as under a container's filter: for
 * one command, or (-1) for all. */
static bool refuse_membarrier(unsigned error, int command)
{
    const unsigned any = command < 0;
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                 offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)command, 0, any ? 0 : 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static int live_without_membarrier(unsigned error, int command)
{
    if (!refuse_membarrier(error, command)) {
        return 2;
    }
    barrier_begin_anew(); /* as in a process that has not probed yet */
    barrier_probe(2);
    if (barrier_asymmetric) {
        return 3;
    }
    return run_sides() == 0 ? 0 : 4;
}

static void check_refused(unsigned error, int command)
{
    pid_t pid = fork();
    int status = -1;

    if (pid == 0) {
        _exit(live_without_membarrier(error, command));
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
}

TEST(barrier_works_without_membarrier, "R5")
{
    check_refused(EPERM, -1);
    check_refused(ENOSYS, -1);
    check_refused(EPERM, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
    check_refused(EPERM, MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}

/* Taken away when owners already rely on it: that must not pass unseen. */
static void lose_membarrier(void)
{
    barrier_probe(2);
    if (barrier_asymmetric && refuse_membarrier(EPERM, -1)) {
        barrier_heavy();
    }
}

TEST(barrier_lost_after_the_probe_is_fatal, "R5")
{
    CHECK_ABORTS("membarrier", lose_membarrier());
}
#endif
