/*
 * stack_test.c - stacks: guards, reuse, a hundred thousand at once, and a
 * kernel without guard markers.
 *
 * Would catch: a stack handed out twice, a guard that is missing, lost when
 * memory is given back, or leaves a mapping behind; memory that does not
 * return after a burst; a failing system call that leaks.
 * RUN_SERIAL: it takes half a gigabyte for a moment.
 */
#define TEST_NO_RUNTIME
#include "../sanitized.h"
#include "../test.h"

#include "base/alloc.h"
#include "stack.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#ifdef __has_include
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif
#ifndef RUNNING_ON_VALGRIND
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_MAKE_MEM_DEFINED(p, n) ((void)(p), (void)(n))
#endif

/* A checking tool makes mappings and uses memory of its own, and all things
 * slower. */
#define SLOW (TEST_SANITIZED || RUNNING_ON_VALGRIND)
#define CHECK_MAPPINGS(most) CHECK(SLOW || count_mappings() <= (most))

#define SIZE ((size_t)256 << 10)
#define KEPT 16384U       /* free stacks that an idle worker leaves */
#define KEPT_BUSY 131072U /* and that stay while no worker is idle */
#define GUARD_INSTALL 102

/* What the library's system calls are to do. */
static struct {
    bool no_markers;     /* a kernel before Linux 6.13 */
    bool no_batch;       /* process_madvise is refused */
    int mmaps, madvises; /* how many more succeed; negative: all */
} rules = {false, false, -1, -1};

static bool allowed(int *left)
{
    if (*left == 0) {
        return false;
    }
    if (*left > 0) {
        (*left)--;
    }
    return true;
}

void *__real_mmap(void *at, size_t n, int prot, int flags, int fd, off_t off);
void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t off);
int __real_madvise(void *at, size_t n, int advice);
int __wrap_madvise(void *at, size_t n, int advice);
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t off)
{
    if (!allowed(&rules.mmaps)) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return __real_mmap(at, n, prot, flags, fd, off);
}

int __wrap_madvise(void *at, size_t n, int advice)
{
    if (advice == GUARD_INSTALL && rules.no_markers) {
        errno = EINVAL;
        return -1;
    }
    if (advice == GUARD_INSTALL && !allowed(&rules.madvises)) {
        errno = ENOMEM;
        return -1;
    }
    return __real_madvise(at, n, advice);
}

long __wrap_syscall(long number, ...)
{
    long a[6];
    va_list list;
    int i;

    va_start(list, number);
    for (i = 0; i < 6; i++) {
        a[i] = va_arg(list, long);
    }
    va_end(list);
    if (number == SYS_process_madvise && rules.no_batch) {
        errno = ENOSYS;
        return -1;
    }
    return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* Whether the kernel may read the byte there: no fault of our own needed. */
static bool readable(const void *p)
{
    int ends[2];
    bool can;

    if (pipe(ends) != 0) {
        abort();
    }
    /* valgrind is not to judge what the kernel is asked about. */
    (void)VALGRIND_MAKE_MEM_DEFINED(p, 1);
    can = write(ends[1], p, 1) == 1;
    close(ends[0]);
    close(ends[1]);
    return can;
}

static unsigned count_mappings(void)
{
    FILE *f = fopen("/proc/self/maps", "r");
    unsigned lines = 0;
    int c;

    while (f != NULL && (c = getc(f)) != EOF) {
        lines += c == '\n';
    }
    if (f != NULL) {
        fclose(f);
    }
    return lines;
}

/* Whether this kernel has guard markers, and they are used (not so under
 * AddressSanitizer). Without them guards cost mappings and are limited. */
static bool have_markers(void)
{
    struct stack_pool *p = stack_pool_new(SIZE);
    unsigned before, after;
    struct stack s;

    before = count_mappings();
    CHECK_EQ(stack_alloc(p, &s), 0);
    after = count_mappings();
    stack_free(p, &s);
    stack_pool_free(p);
    return after < before + 64;
}

static struct stack *take_many(struct stack_pool *p, unsigned n)
{
    struct stack *s = alloc_zero(n * sizeof(*s));
    unsigned i, failed = 0;

    for (i = 0; i < n; i++) {
        failed += stack_alloc(p, &s[i]) != 0;
        s[i].top[-1] = 1; /* what a waiting task touches */
    }
    CHECK_EQ(failed, 0);
    return s;
}

static void give_many(struct stack_pool *p, struct stack *s, unsigned n)
{
    unsigned i;

    for (i = 0; i < n; i++) {
        stack_free(p, &s[i]);
    }
    alloc_free(s);
}

/* How many of them have an unreadable page below. */
static unsigned count_guarded(const struct stack *s, unsigned n)
{
    unsigned i, guarded = 0;

    for (i = 0; i < n; i++) {
        guarded += !readable(s[i].low - 1);
    }
    return guarded;
}

/* A number of KiB from /proc/self/status. */
static long status_kib(const char *name)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    long kib = 0;

    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0) {
            kib = atol(line + strlen(name) + 1);
        }
    }
    if (f != NULL) {
        fclose(f);
    }
    return kib;
}

/* Its own process, and the first test: how guards are made is found out once.
 * Beyond 16,000 there are canaries, and freed guards can be made anew. */
static void live_without_markers(void)
{
    struct stack_pool *p;
    struct stack_stats stats;
    struct stack *s;

    rules.no_markers = true;
    p = stack_pool_new(SIZE);
    s = take_many(p, 2000);
    stack_pool_stats(p, &stats);
    CHECK(stats.guarded);
    CHECK_EQ(count_guarded(s, 2000), 2000);
    give_many(p, s, 2000);
    stack_pool_free(p);

    p = stack_pool_new(SIZE);
    s = take_many(p, 17024);
    stack_pool_stats(p, &stats);
    CHECK(!stats.guarded);
    CHECK_EQ(count_guarded(s, 17024), 16000);
    give_many(p, s, 17024);
    stack_pool_free(p);
}

static void overflow_without_guard(void)
{
    struct stack_pool *p;
    struct stack *s;
    unsigned i;

    rules.no_markers = true;
    p = stack_pool_new(SIZE);
    s = take_many(p, 17024);
    for (i = 0; i < 17024; i++) {
        if (readable(s[i].low - 1)) {
            s[i].low[-64] = 1;
            stack_free(p, &s[i]);
            break;
        }
    }
}

TEST(no_markers_falls_back, "R60")
{
    int status = -1;
    pid_t pid;

    if (RUNNING_ON_VALGRIND) {
        return; /* it stops at some 15,000 mappings */
    }
    pid = fork();
    if (pid == 0) {
        live_without_markers();
        _exit(test_failures != 0);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
}

TEST(overflow_is_found_without_guards, "R60")
{
    if (RUNNING_ON_VALGRIND) {
        return;
    }
    CHECK_ABORTS("a task overflowed its stack", overflow_without_guard());
    CHECK_DIES("no guard markers here", live_without_markers(), abort());
}

TEST(stack_is_usable_and_guarded, "R60")
{
    struct stack_pool *p = stack_pool_new(SIZE);
    long page = sysconf(_SC_PAGESIZE);
    struct stack s;

    CHECK_EQ(stack_alloc(p, &s), 0);
    CHECK_EQ((uintptr_t)s.top % 16, 0);
    CHECK_EQ((uintptr_t)s.low % (uintptr_t)page, 0);
    CHECK_EQ(s.top - s.low, (long long)s.size);
    CHECK(s.size >= SIZE - (size_t)page - 1024);
    memset(s.low, 0xa5, s.size);
    CHECK(!readable(s.low - 1));
    CHECK(!readable(s.low - page));
    CHECK(stack_guard_hit(&s, s.low - 1));
    CHECK(stack_guard_hit(&s, s.low - page));
    CHECK(!stack_guard_hit(&s, s.low));
    CHECK(!stack_guard_hit(&s, s.low - page - 1));
    stack_free(p, &s);
    stack_pool_free(p);
}

TEST(freed_last_comes_first, "R60")
{
    struct stack_pool *p = stack_pool_new(SIZE);
    struct stack a, b, c;

    CHECK_EQ(stack_alloc(p, &a), 0);
    CHECK_EQ(stack_alloc(p, &b), 0);
    stack_free(p, &b);
    stack_free(p, &a);
    CHECK_EQ(stack_alloc(p, &c), 0);
    CHECK(c.low == a.low);
    stack_free(p, &c);
    stack_pool_free(p);
}

TEST(tops_are_spread_over_cache_sets, "R60")
{
    struct stack_pool *p = stack_pool_new(SIZE);
    struct stack *s = take_many(p, 64);
    uint64_t lines = 0;
    unsigned i;

    for (i = 0; i < 64; i++) {
        lines |= (uint64_t)1 << ((uintptr_t)s[i].top / 64 % 64);
    }
    CHECK_EQ(__builtin_popcountll(lines), 16);
    give_many(p, s, 64);
    stack_pool_free(p);
}

static void check_size(size_t asked, size_t least)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct stack_pool *p = stack_pool_new(asked);
    struct stack s;

    CHECK(p != NULL);
    CHECK_EQ(stack_alloc(p, &s), 0);
    CHECK(s.size >= least - page - 1024);
    CHECK(s.size < least + page);
    memset(s.low, 1, s.size);
    stack_free(p, &s);
    stack_pool_free(p);
}

TEST(sizes_are_rounded_up, "R60")
{
    check_size(0, 16384);
    check_size(1, 16384);
    check_size(16385, 16384 + 4096);
    check_size((size_t)1 << 20, (size_t)1 << 20);
    CHECK(stack_pool_new(SIZE_MAX) == NULL);
    CHECK(stack_pool_new(SIZE_MAX - 4095) == NULL);
    CHECK(stack_pool_new(SIZE_MAX / 2) == NULL);
}

TEST(sized_stacks, "R60")
{
    struct stack_pool *p = stack_pool_new(SIZE);
    struct stack_stats stats;
    struct stack big, small, same;
    unsigned before = count_mappings();

    CHECK_EQ(stack_alloc_sized(p, (size_t)8 << 20, &big), 0);
    CHECK_EQ(stack_alloc_sized(p, 1, &small), 0);
    CHECK(big.size >= ((size_t)8 << 20) - 65536);
    CHECK(small.size <= 16384);
    memset(big.low, 1, big.size);
    memset(small.low, 1, small.size);
    CHECK(!readable(big.low - 1));
    CHECK(!readable(small.low - 1));
    CHECK_EQ((uintptr_t)big.top % 16, 0);
    stack_pool_stats(p, &stats);
    CHECK_EQ(stats.stacks, 2);
    CHECK(stats.bytes >= ((size_t)8 << 20) + 16384);
    CHECK_EQ(stack_alloc_sized(p, SIZE_MAX, &same), -ENOMEM);
    CHECK_EQ(stack_alloc_sized(p, SIZE_MAX - 8191, &same), -ENOMEM);
    CHECK_EQ(stack_alloc_sized(p, SIZE, &same), 0);
    stack_free(p, &same);
    stack_free(p, &big);
    stack_free(p, &small);
    CHECK(!readable(big.top - 1));
    stack_pool_free(p);
    CHECK_MAPPINGS(before);
}

/* All at once, each guarded; after the burst all stay until somebody is idle;
 * then the memory is back, and what was kept is guarded still. */
TEST(a_burst_of_stacks, "R60")
{
    const unsigned many = SLOW ? 5000 : 100000;
    bool markers = have_markers();
    unsigned before = count_mappings();
    long rss = status_kib("VmRSS:"), rss_full;
    struct stack_pool *p = stack_pool_new(SIZE);
    struct stack *s = take_many(p, many);
    struct stack_stats stats;

    stack_pool_stats(p, &stats);
    CHECK(stats.stacks >= many && stats.stacks < many + 17 * 64);
    CHECK_EQ(stats.bytes, stats.stacks * SIZE);
    rss_full = status_kib("VmRSS:");
    CHECK(rss_full - rss >= (long)many * 4);
    CHECK_EQ(stats.guarded, markers || many < 16000);
    CHECK_EQ(count_guarded(s, many), markers || many < 16000 ? many : 16000);
    printf("%u stacks: %ld MiB, page tables %ld MiB, %u mappings\n", many,
           (rss_full - rss) / 1024, status_kib("VmPTE:") / 1024,
           count_mappings() - before);
    give_many(p, s, many);
    stack_pool_stats(p, &stats);
    CHECK(stats.stacks >= many && stats.stacks <= KEPT_BUSY);
    while (stack_trim(p)) {
    }
    stack_pool_stats(p, &stats);
    CHECK(stats.stacks <= KEPT);
    s = take_many(p, 1000);
    if (markers) {
        CHECK(SLOW || status_kib("VmRSS:") - rss <= (long)(KEPT * 4 + 65536));
        CHECK_EQ(count_guarded(s, 1000), 1000);
    }
    give_many(p, s, 1000);
    stack_pool_free(p);
    CHECK_MAPPINGS(before + 8);
}

#define THREADS 4
#define HELD 100

static struct stack_pool *shared_pool;

/* Takes and gives in an order of its own; what it wrote must still be there,
 * else somebody has the same stack. */
static void *churn(void *arg)
{
    struct stack held[HELD];
    uint64_t mine = (uint64_t)(uintptr_t)arg << 32;
    uint64_t x = mine + 1;
    unsigned i;

    memset(held, 0, sizeof(held));
    for (i = 0; i < 20000; i++) {
        struct stack *s;
        uint64_t *low, *high;

        x = x * UINT64_C(6364136223846793005) + 1;
        s = &held[(x >> 33) % HELD];
        if (s->low == NULL) {
            CHECK_EQ(stack_alloc(shared_pool, s), 0);
            *(uint64_t *)(void *)s->low = mine + i;
            *(uint64_t *)(void *)(s->top - 8) = mine + i;
            continue;
        }
        low = (uint64_t *)(void *)s->low;
        high = (uint64_t *)(void *)(s->top - 8);
        CHECK(*low == *high && *low >> 32 == mine >> 32);
        stack_free(shared_pool, s);
        s->low = NULL;
    }
    for (i = 0; i < HELD; i++) {
        if (held[i].low != NULL) {
            stack_free(shared_pool, &held[i]);
        }
    }
    return NULL;
}

TEST(no_stack_is_handed_out_twice, "R60")
{
    pthread_t threads[THREADS];
    struct stack_stats stats;
    unsigned i;

    shared_pool = stack_pool_new(SIZE);
    for (i = 0; i < THREADS; i++) {
        CHECK_EQ(pthread_create(&threads[i], NULL, churn,
                                (void *)(uintptr_t)(i + 1)),
                 0);
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    stack_pool_stats(shared_pool, &stats);
    /* 400 at most, and a slab more for each thread that grew it at once. */
    CHECK(stats.stacks <= THREADS * (HELD + 64) + 64);
    stack_pool_free(shared_pool);
}

/* Each mapping and each guard refused in turn: -ENOMEM, and nothing is left
 * behind. */
TEST(failures_leave_nothing_behind, "R8")
{
    bool markers = have_markers();
    struct stack_pool *p = stack_pool_new(SIZE);
    struct stack s;
    unsigned before;
    int k;

    before = count_mappings();
    rules.mmaps = 0;
    CHECK_EQ(stack_alloc(p, &s), -ENOMEM);
    CHECK_EQ(stack_alloc_sized(p, 65536, &s), -ENOMEM);
    rules.mmaps = -1;
    rules.no_batch = true;
    for (k = 0; k < 64 && markers; k++) {
        rules.madvises = k;
        CHECK_EQ(stack_alloc(p, &s), -ENOMEM);
        rules.madvises = 0;
        CHECK_EQ(stack_alloc_sized(p, 65536, &s), -ENOMEM);
    }
    rules.madvises = -1;
    CHECK_MAPPINGS(before + 1);
    CHECK_EQ(stack_alloc(p, &s), 0); /* by single calls */
    CHECK(!readable(s.low - 1));
    stack_free(p, &s);
    rules.no_batch = false;
    stack_pool_free(p);
}

TEST(pool_with_a_stack_in_use_is_not_freed, "R59")
{
    struct stack_pool *p = stack_pool_new(SIZE);
    struct stack s;

    CHECK_EQ(stack_alloc(p, &s), 0);
    CHECK_ABORTS("in_use", stack_pool_free(p));
    stack_free(p, &s);
    stack_pool_free(p);
}
