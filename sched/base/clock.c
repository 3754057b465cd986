/*
 * clock.c - time for the scheduler. Contract in clock.h.
 *
 * WHAT    clock_fast: monotonic time for the price of reading a counter.
 * MODEL   A fastclock remembers one moment (counter, ns). For SPAN after it
 *         time is that moment plus the ticks since, scaled; then a new moment
 *         is taken from clock_now. The scale is set a little slow (SLOWDOWN),
 *         by more than the error of calibration and what NTP may slew, so that
 *         between corrections the fast clock falls behind, by 0.6 us at most,
 *         and hardly ever runs ahead.
 * INVARIANTS
 *         a fastclock never goes back: a correction that finds it ahead keeps
 *         the later time, and the slow scale lets the true time catch up
 *         within the next span                                      (correct)
 * ORDER   CC1  clock_calibrate: state release -> clock_calibrate: state acquire
 *             scale and span
 * COST    12 ns, of which the counter is 11; every 0.5 ms a correction, 60 ns.
 *         Calibration: 0.25 ms, once.
 * REJECTED  The frequencies that the processor reports (cpuid 0x15, cntfrq):
 *         absent, rounded or wrong on some machines, and not what
 *         CLOCK_MONOTONIC is slewed to.
 */
#include "base/clock.h"
#include "base/atomic.h"
#include "base/check.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)
#define SPAN 500000        /* ns between corrections */
#define CALIBRATION 250000 /* ns of counting: an error of some 200 ppm */
#define SLOWDOWN 1000      /* the scale is slow by 1 in so many */
#define ATTEMPTS 8         /* at a reading that nothing interrupts */

enum { UNCALIBRATED, CALIBRATING, CALIBRATED };

static a32 state;      /* M: UNCALIBRATED, CALIBRATING, CALIBRATED */
static uint64_t scale; /* I: ns a tick, times 2^32; 0: no usable counter */
static uint64_t span;  /* I: ticks that a fastclock runs uncorrected */

/* One moment on both clocks. */
struct moment {
    uint64_t ticks;
    int64_t ns;
};

#if defined(__x86_64__)
#include <cpuid.h>

static uint64_t read_counter(void)
{
    return __builtin_ia32_rdtsc();
}

/* The kernel leaves the counter for one of these when it has found it out of
 * step between processors. */
static bool kernel_distrusts_counter(void)
{
    static const char path[] =
        "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    static const char *const others[] = {"hpet", "acpi_pm", "jiffies", "pit"};
    char name[32] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t i;

    if (fd < 0) {
        return false;
    }
    if (read(fd, name, sizeof(name) - 1) < 0) {
        name[0] = '\0';
    }
    close(fd);
    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (strncmp(name, others[i], strlen(others[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* Bit 8 of 0x80000007: the rate does not change, nor stop in idle states. */
static bool counter_usable(void)
{
    unsigned a, b, c, d;

    return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & (1U << 8)) &&
           !kernel_distrusts_counter();
}

#elif defined(__aarch64__)

/* The architecture makes it invariant and the same on all processors. */
static uint64_t read_counter(void)
{
    uint64_t ticks;

    __asm__ __volatile__("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
}

static bool counter_usable(void)
{
    return true;
}

#else

static uint64_t read_counter(void)
{
    return 0;
}

static bool counter_usable(void)
{
    return false;
}

#endif

int64_t clock_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int64_t to_ns(uint64_t ticks)
{
    return (int64_t)((ticks * scale) >> 32);
}

/*
 * The counter is read last: if something came between, the time is too early
 * for the ticks, never too late, so the fast clock is behind and not ahead.
 * A reading that took more than `limit` ticks is repeated; the best is kept.
 */
static struct moment read_moment(uint64_t limit)
{
    struct moment best = {0, 0};
    uint64_t best_took = UINT64_MAX;
    int i;

    for (i = 0; i < ATTEMPTS && best_took > limit; i++) {
        uint64_t before = read_counter();
        int64_t ns = clock_now();
        uint64_t after = read_counter();

        if (after - before < best_took) {
            best_took = after - before;
            best.ticks = after;
            best.ns = ns;
        }
    }
    return best;
}

static void measure(void)
{
    struct moment from = read_moment(0);
    struct moment to;
    uint64_t ticks, exact;
    int64_t ns;

    while (clock_now() - from.ns < CALIBRATION) {
        spin_pause();
    }
    to = read_moment(0);
    ticks = to.ticks - from.ticks;
    ns = to.ns - from.ns;
    /* 1 MHz to 100 GHz, within a second: anything else is no such counter,
     * or would overflow below. */
    if (ns > NS_PER_S || ticks < (uint64_t)ns / 1000 ||
        ticks / 100 > (uint64_t)ns) {
        return;
    }
    exact = ((uint64_t)ns << 32) / ticks;
    scale = exact - exact / SLOWDOWN;
    span = ((uint64_t)SPAN << 32) / exact;
}

void clock_calibrate(void)
{
    uint32_t seen = UNCALIBRATED;

    if (a32_cas(&state, &seen, CALIBRATING, RELAXED, RELAXED)) {
        if (counter_usable()) {
            measure();
        }
        a32_store(&state, CALIBRATED, RELEASE /* CC1 */);
        futex_wake(&state, INT32_MAX);
        return;
    }
    while (a32_load(&state, ACQUIRE /* CC1 */) != CALIBRATED) {
        futex_wait(&state, CALIBRATING, INT64_MAX);
    }
}

/* The span is over (or this is the first call): take a new moment. */
static int64_t correct(struct fastclock *c)
{
    struct moment m;

    if (scale == 0) {
        return clock_now();
    }
    m = read_moment(span / (SPAN / 1000)); /* 1 us */
    if (c->base_ticks != 0 && m.ticks > c->base_ticks) {
        uint64_t gone = m.ticks - c->base_ticks;
        int64_t shown = c->base_ns + to_ns(gone < span ? gone : span);

        m.ns = m.ns < shown ? shown : m.ns;
    }
    c->base_ticks = m.ticks;
    c->base_ns = m.ns;
    return m.ns;
}

int64_t clock_fast(struct fastclock *c)
{
    uint64_t gone = read_counter() - c->base_ticks;

    return likely(gone < span) ? c->base_ns + to_ns(gone) : correct(c);
}
