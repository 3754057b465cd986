/*
 * calls.c - calls that block, on libuv's pool: micro/offload.c. One thread has
 * the loop; "offload" is a pool of 4, libuv's own choice, "pool64" one of 64.
 *
 * A process runs the cases of one pool only: libuv asks once how large it is.
 */
#include "../../shim.h"

#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#define CALLS 20000
#define IN_FLIGHT 64

int bench_enter(void (*fn)(void *arg), void *arg, unsigned workers,
                unsigned flags)
{
    (void)workers;
    (void)flags;
    fn(arg);
    return 0;
}

/* Calls that are made one after the other. */
struct line {
    uv_work_t work;
    int left;
    int failed;
};

static void call(uv_work_t *work)
{
    struct line *l = (struct line *)work;

    l->failed += getppid() <= 0;
}

static void nap(uv_work_t *work)
{
    struct line *l = (struct line *)work;

    l->failed += usleep(1000) != 0;
}

static void again(uv_work_t *work, int status)
{
    struct line *l = (struct line *)work;

    l->failed += status != 0;
    if (--l->left > 0) {
        l->failed += uv_queue_work(uv_default_loop(), work, call, again) != 0;
    }
}

/* So many lines of so many calls each, all at once; how many failed. */
static int run_lines(int lines, int each, uv_work_cb work)
{
    static struct line all[IN_FLIGHT];
    int failed = 0;

    for (int i = 0; i < lines; i++) {
        all[i].left = each;
        all[i].failed = 0;
        failed +=
            uv_queue_work(uv_default_loop(), &all[i].work, work, again) != 0;
    }
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    for (int i = 0; i < lines; i++) {
        failed += all[i].failed + all[i].left;
    }
    return failed;
}

static void offloads(struct bench *b)
{
    int lines = (int)bench_arg(b);
    int each = CALLS / lines;

    while (bench_next(b)) {
        int failed;

        bench_start(b);
        failed = run_lines(lines, each, call);
        bench_stop(b, (uint64_t)each * (uint64_t)lines);
        if (failed != 0) {
            bench_fail(b, "%d calls failed", failed);
        }
    }
}

/* 64 that block for 1 ms, right after such that did not. */
static void naps(struct bench *b)
{
    while (bench_next(b)) {
        int failed = run_lines(IN_FLIGHT, CALLS / IN_FLIGHT / 10, call);

        bench_start(b);
        failed += run_lines(IN_FLIGHT, 1, nap);
        bench_stop(b, IN_FLIGHT);
        if (failed != 0) {
            bench_fail(b, "%d calls failed", failed);
        }
    }
}

static void of_4(struct bench *b)
{
    setenv("UV_THREADPOOL_SIZE", "4", 1);
    offloads(b);
}
BENCH_AS(of_4_1, of_4, .name = "offload", .arg = 1, .workers = 1)
BENCH_AS(of_4_64, of_4, .name = "offload", .arg = IN_FLIGHT, .workers = 1)

static void of_64(struct bench *b)
{
    setenv("UV_THREADPOOL_SIZE", "64", 1);
    offloads(b);
}
BENCH_AS(of_64_1, of_64, .name = "pool64", .arg = 1, .workers = 1)
BENCH_AS(of_64_64, of_64, .name = "pool64", .arg = IN_FLIGHT, .workers = 1)

static void naps_of_4(struct bench *b)
{
    setenv("UV_THREADPOOL_SIZE", "4", 1);
    naps(b);
}
BENCH(naps_of_4, .name = "offload/blocks", .workers = 1)

static void naps_of_64(struct bench *b)
{
    setenv("UV_THREADPOOL_SIZE", "64", 1);
    naps(b);
}
BENCH(naps_of_64, .name = "pool64/blocks", .workers = 1)
