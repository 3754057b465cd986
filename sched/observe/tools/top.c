/*
 * top.c - roost-top: what the workers of a process do, over and over. See
 * docs/man/roost-top.1. The process is not stopped for it: its counters are
 * read where they stand.
 */
#include "observe/tools/tree.h"

#include <argp.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define RUNTIMES_MAX 8
#define WORKERS_SHOWN 256

const char *argp_program_version = "roost-top " ROOST_TOOLS_VERSION;

struct arguments {
    const char *what;
    double delay; /* seconds */
    long times;   /* 0: until it ends */
    bool batch;   /* one below the other */
};

/* What the last look has seen, of a runtime. */
struct before {
    uint64_t address;
    uint64_t offloaded, polled;
    struct tree_worker workers[WORKERS_SHOWN];
};

static struct before befores[RUNTIMES_MAX];
static volatile sig_atomic_t over;

static const struct argp_option options[] = {
    {"delay", 'd', "SECONDS", 0, "between two looks; 1", 0},
    {"number", 'n', "TIMES", 0, "end after so many", 0},
    {"batch", 'b', NULL, 0, "do not clear the screen", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

static void take_number(struct arguments *a, int key, const char *text,
                        struct argp_state *state)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end != '\0' || !(value > 0) || value > 1e6) {
        argp_error(state, "-%c takes a number above 0, not '%s'", key, text);
    } else if (key == 'd') {
        a->delay = value;
    } else {
        a->times = (long)value;
    }
}

static error_t take(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;

    switch (key) {
    case 'd':
    case 'n':
        take_number(a, key, text, state);
        return 0;
    case 'b':
        a->batch = true;
        return 0;
    case ARGP_KEY_ARG:
        if (a->what != NULL) {
            argp_error(state, "one process at a time");
        }
        a->what = text;
        return 0;
    case ARGP_KEY_END:
        if (a->what == NULL) {
            argp_error(state, "which process?");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void on_signal(int signal)
{
    (void)signal;
    over = 1;
}

/* That of this runtime; a fresh one counts from 0. */
static struct before *before_of(const struct tree_runtime *rt, unsigned index)
{
    struct before *b = &befores[index];

    if (b->address != rt->address) {
        *b = (struct before){.address = rt->address};
    }
    return b;
}

static void print_rate(uint64_t now, uint64_t before, double span)
{
    printf(" %9.0f", (double)(now - before) / span);
}

static void print_worker(unsigned index, const struct tree_worker *now,
                         const struct tree_worker *was, double span)
{
    printf("%6u", index);
    print_rate(now->run, was->run, span);
    print_rate(now->inlined, was->inlined, span);
    print_rate(now->stolen, was->stolen, span);
    print_rate(now->switched, was->switched, span);
    print_rate(now->parked, was->parked, span);
    print_rate(now->fired, was->fired, span);
    printf(" %7" PRIu64 " %7" PRIu64 "  %s\n", now->fresh, now->ready,
           now->asleep            ? "asleep"
           : !now->runs           ? "looks for work"
           : now->task[0] == '\0' ? "runs (unnamed)"
                                  : now->task);
}

static void print_runtime(struct target *t, const struct tree_runtime *rt,
                          struct before *b, double span)
{
    printf("runtime %s: %u workers, %.0f looks at descriptors/s, %.0f calls "
           "offloaded/s\n",
           rt->name[0] == '\0' ? "(unnamed)" : rt->name, rt->workers,
           (double)(rt->polled - b->polled) / span,
           (double)(rt->offloaded - b->offloaded) / span);
    printf("%6s %9s %9s %9s %9s %9s %9s %7s %7s  %s\n", "worker", "run/s",
           "inplace/s", "stolen/s", "switch/s", "parked/s", "timers/s", "new",
           "ready", "now");
    for (unsigned i = 0; i < rt->workers && i < WORKERS_SHOWN; i++) {
        struct tree_worker now;

        tree_worker(t, rt, i, &now);
        print_worker(i, &now, &b->workers[i], span);
        b->workers[i] = now;
    }
    b->polled = rt->polled;
    b->offloaded = rt->offloaded;
}

/* False: the process has ended. */
static bool look(struct target *t, double span)
{
    static struct tree_runtime runtimes[RUNTIMES_MAX];
    unsigned n = tree_runtimes(t, runtimes, RUNTIMES_MAX);

    for (unsigned i = 0; i < n; i++) {
        print_runtime(t, &runtimes[i], before_of(&runtimes[i], i), span);
    }
    if (n == 0) {
        printf("no runtime\n");
    }
    return kill(t->pid, 0) == 0 && fflush(stdout) == 0;
}

static void run(struct target *t, const struct arguments *a)
{
    struct timespec pause = {
        (time_t)a->delay, (long)((a->delay - (double)(time_t)a->delay) * 1e9)};
    double last = seconds();

    for (long i = 0; !over && (a->times == 0 || i < a->times); i++) {
        double now;

        if (i > 0) {
            (void)nanosleep(&pause, NULL); /* a signal ends all of it */
        }
        now = seconds();
        if (!a->batch) {
            printf("\033[H\033[2J");
        }
        if (!over && !look(t, i == 0 ? 1 : now - last)) {
            return;
        }
        last = now;
    }
}

int main(int argc, char **argv)
{
    static const struct argp parser = {
        options,
        take,
        "PID",
        "What the workers of a program that uses roost do. The first look "
        "counts from the start of the program, each other from the last.",
        NULL,
        NULL,
        NULL};
    struct arguments a = {.delay = 1};
    struct target target;

    argp_parse(&parser, argc, argv, 0, NULL, &a);
    a.batch = a.batch || !isatty(STDOUT_FILENO);
    if (!target_open(&target, a.what)) {
        return EXIT_FAILURE;
    }
    if (target.pid == 0) {
        fprintf(stderr, "roost-top: %s is a core: see roost-ps\n", a.what);
        target_close(&target);
        return EXIT_FAILURE;
    }
    (void)signal(SIGINT, on_signal);
    run(&target, &a);
    target_close(&target);
    return EXIT_SUCCESS;
}
