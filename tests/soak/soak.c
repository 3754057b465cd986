/*
 * soak.c - the program: soak.h says what it is.
 *
 *   soak [--hours|--minutes|--seconds N] [--seed N] [--workers N] [--load NAME]
 *        [--plant fd|thread|mapping|memory]
 *
 * --plant: something is lost in each round after the warm-up, so it must fail.
 * SIGINT and SIGTERM end it after the round, with the summary.
 * Exit status: 0, 1 something grows or does not hold, 2 it could not be run.
 */
#include "soak.h"

#include "rest.h"

#include <getopt.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum {
    WARM_UP = 12,        /* rounds at least, all of the greatest loads */
    WARM_PART = 10,      /* and this part of the time */
    GREATEST = 50,       /* one of so many later rounds is like those */
    ROUND_SECONDS = 300, /* that one may take: then it hangs */
    AT_ONCE = 5,         /* loads of a round */
    LOST = 128 * 1024    /* bytes, with --plant memory */
};

const struct kind soak_in_tasks[IN_TASKS] = {
    {"trees", load_trees},
    {"storm", load_storm},
    {"errors", load_errors},
    {"parallel", load_parallel},
    {"deadlines", load_deadlines},
    {"cancel-inside", load_cancel_inside},
    {"cancel-foreign", load_cancel_foreign},
    {"timers", load_timers},
    {"channels", load_channels},
    {"select", load_select},
    {"locks", load_locks},
    {"values", load_values},
    {"streams", load_streams},
    {"background", load_background},
    {"offload", load_offload},
    {"pipes", load_pipes},
    {"tcp", load_tcp},
    {"processes", load_processes},
    {"signals", load_signals},
};

const struct kind soak_on_threads[ON_THREADS] = {
    {"runtimes", load_runtimes}, {"calls", load_calls},
    {"groups", load_groups},     {"guest", load_guest},
    {"observed", load_observed},
};

static const char *const count_names[COUNTS] = {
    "tasks",       "cancels",   "deadlines", "timers",   "items",
    "locks",       "streamed",  "restarts",  "offloads", "bytes",
    "connections", "processes", "signals",   "runtimes", "calls",
    "chunks",      "errors",    "dumps",     "traces",
};

struct options {
    double seconds;
    double every; /* seconds between two lines */
    uint64_t seed;
    unsigned workers;
    const char *load;  /* NULL: all of them */
    const char *plant; /* NULL: nothing */
};

static a32 ended_early; /* set by SIGINT and SIGTERM */

static void end_early(int number)
{
    (void)number;
    a32_store(&ended_early, 1, RELAXED);
}

static double seconds_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void soak_broken(struct soak *s, const char *load, const char *at,
                 const char *what)
{
    printf("BROKEN: round %llu, %s: %s: %s\n", (unsigned long long)s->round,
           load, at, what);
    (void)fflush(stdout);
    a32_store(&s->broken, 1, RELAXED);
}

/* ---- a round ------------------------------------------------------------- */

enum { LOADS = IN_TASKS + ON_THREADS };

struct round {
    struct load loads[LOADS];
    const struct kind *kinds[LOADS];
    unsigned in_tasks, n; /* those of tasks come first */
    struct chosen {
        struct round *round;
        unsigned at;
    } chosen[LOADS];
};

static int runs_as_a_task(void *arg)
{
    struct chosen *c = arg;

    c->round->kinds[c->at]->run(&c->round->loads[c->at]);
    return 0;
}

static void *runs_on_a_thread(void *arg)
{
    (void)runs_as_a_task(arg);
    return NULL;
}

static int runs_the_tasks(void *arg)
{
    struct round *r = arg;
    roost_scope s;

    roost_scope_open(&s, &(roost_scope_opts){.name = "round"});
    for (unsigned i = 0; i < r->in_tasks; i++) {
        roost_task_opts opts = {.name = r->kinds[i]->name};

        if (roost_spawn_opts(&s, runs_as_a_task, &r->chosen[i], &opts) != 0) {
            (void)roost_scope_fail(&s, -ENOMEM);
        }
    }
    return roost_scope_close(&s, 0);
}

static void choose(struct round *r, struct soak *s, unsigned at,
                   const struct kind *kind, bool greatest)
{
    struct rng rng = {s->seed ^ (s->round << 16) ^ at};

    (void)rng_next(&rng);
    r->kinds[r->n] = kind;
    r->chosen[r->n] = (struct chosen){r, r->n};
    r->loads[r->n].soak = s;
    r->loads[r->n].name = kind->name;
    r->loads[r->n].size =
        greatest ? SIZE_MAX_OF_LOAD : 1 + rng_below(&rng, SIZE_MAX_OF_LOAD);
    r->loads[r->n].rng = rng;
    r->n++;
}

/* All of them, or some by chance, or the one with that name. */
static void choose_loads(struct round *r, struct soak *s, bool all,
                         const char *name)
{
    struct rng rng = {s->seed + s->round};
    unsigned most = LOADS;

    for (unsigned i = 0; i < LOADS; i++) {
        bool task = i < IN_TASKS;
        const struct kind *kind =
            task ? &soak_in_tasks[i] : &soak_on_threads[i - IN_TASKS];
        bool mine = name != NULL ? strcmp(name, kind->name) == 0
                                 : all || rng_below(&rng, most) < AT_ONCE;

        if (mine) {
            choose(r, s, i, kind, all);
            r->in_tasks += task;
        }
    }
}

static void run_round(struct soak *s, bool all, const char *name)
{
    static struct round r;
    pthread_t threads[LOADS];

    r = (struct round){.n = 0};
    choose_loads(&r, s, all, name);
    for (unsigned i = r.in_tasks; i < r.n; i++) {
        if (pthread_create(&threads[i], NULL, runs_on_a_thread, &r.chosen[i]) !=
            0) {
            perror("soak: a thread");
            exit(2);
        }
    }
    if (roost_call(s->rt, runs_the_tasks, &r) != 0) {
        soak_broken(s, "round", "soak.c", "its tasks end well");
    }
    for (unsigned i = r.in_tasks; i < r.n; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    if (a64_load(&s->reported, RELAXED) != a64_load(&s->failing, RELAXED)) {
        soak_broken(s, "round", "soak.c", "each failure is reported once");
    }
}

/* How late a thread is that only sleeps: what the machine alone is to blame
 * for, if it gives others the processors. */
static void sleeps_alone(struct soak *s)
{
    struct timespec pause = {0, 5 * 1000000};
    double until = seconds_now() + 1;

    while (a64_load(&s->over, RELAXED) == 0 && seconds_now() < until) {
        double due = seconds_now() + 0.005;
        uint64_t late;

        (void)nanosleep(&pause, NULL);
        late = (uint64_t)((seconds_now() - due) * 1e9);
        if (late > a64_load(&s->latest_alone, RELAXED)) {
            a64_store(&s->latest_alone, late, RELAXED);
        }
    }
}

/* One that takes too long hangs: who waits for what, and the end. */
static void *watches(void *arg)
{
    struct soak *s = arg;
    uint64_t last = 0;
    unsigned seconds = 0;

    while (a64_load(&s->over, RELAXED) == 0) {
        uint64_t round = a64_load(&s->at, RELAXED);

        sleeps_alone(s);
        seconds = round == last ? seconds + 1 : 0;
        last = round;
        if (seconds > ROUND_SECONDS) {
            printf("HANGS: round %llu\n", (unsigned long long)round);
            (void)fflush(stdout);
            (void)alarm(10); /* should the dump hang too */
            (void)roost_dump(STDOUT_FILENO);
            _exit(1);
        }
    }
    return NULL;
}

/* ---- what is lost on purpose --------------------------------------------- */

static void *sleeps_for_ever(void *arg)
{
    (void)pause();
    return arg;
}

static void plant(const char *what)
{
    static bool odd; /* neighbours that are alike would be one mapping */
    pthread_t thread;

    if (strcmp(what, "fd") == 0) {
        (void)dup(STDOUT_FILENO);
    } else if (strcmp(what, "thread") == 0) {
        (void)pthread_create(&thread, NULL, sleeps_for_ever, NULL);
    } else if (strcmp(what, "mapping") == 0) {
        odd = !odd;
        (void)mmap(NULL, 4096, odd ? PROT_READ : PROT_NONE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    } else {
        volatile char *lost = room(1, LOST); /* touched, and never freed */

        for (unsigned i = 0; i < LOST; i += 4096) {
            lost[i] = 1;
        }
    }
}

/* ---- the whole ----------------------------------------------------------- */

static void is_reported(const roost_errors *e, const char *task, void *ctx)
{
    (void)e;
    (void)task;
    a64_add(&((struct soak *)ctx)->reported, 1, RELAXED);
}

static void say(const struct soak *s, const struct rest *r, double t)
{
    uint64_t sum = 0;

    for (int i = 0; i < COUNTS; i++) {
        sum += i == BYTES ? 0 : a64_load(&s->counts[i], RELAXED);
    }
    printf("%6.0f s, %llu rounds, %llu operations, latest %.1f ms;", t,
           (unsigned long long)s->round, (unsigned long long)sum,
           (double)a64_load(&s->latest, RELAXED) / 1e6);
    for (int i = 0; i < FIGURES; i++) {
        printf(" %s %.0f", figure_names[i], r->now[i]);
    }
    printf("\n");
    (void)fflush(stdout);
}

static void summary(const struct soak *s, const struct rest *r)
{
    printf("\n%llu rounds:", (unsigned long long)s->round);
    for (int i = 0; i < COUNTS; i++) {
        printf(" %s %llu%s", count_names[i],
               (unsigned long long)a64_load(&s->counts[i], RELAXED),
               i + 1 < COUNTS ? "," : "\n");
    }
    printf("the latest timer: %.3f ms; a thread that only sleeps: %.3f ms\n",
           (double)a64_load(&s->latest, RELAXED) / 1e6,
           (double)a64_load(&s->latest_alone, RELAXED) / 1e6);
    for (int i = 0; i < FIGURES; i++) {
        double error = 0;
        double drift = line_drift(&r->lines[i], &error);

        printf("%-10s %10.0f at first, %10.0f at last, %10.0f at most, drift "
               "%+.3f %% (+- %.3f)\n",
               figure_names[i], r->lines[i].first, r->now[i],
               r->lines[i].greatest, 100 * drift, 100 * error);
    }
}

/* What the runtime says of itself: all that was accepted has run. */
static void look(struct soak *s, struct rest *r)
{
    roost_stats stats = {0};

    if (roost_stats_get(s->rt, &stats) != 0 || stats.spawned != stats.run) {
        soak_broken(s, "round", "soak.c", "all tasks accepted have begun");
    }
    rest_look(r, stats.stacks);
}

/* How many things grow. */
static unsigned rounds(struct soak *s, const struct options *o)
{
    static struct rest r;
    double begun = seconds_now();
    double warm = begun;
    double said = begun;
    uint64_t warm_rounds = 0;
    unsigned bad = 0;

    warm_stacks(s);
    warm_threads(s);
    for (s->round = 0; bad == 0 && a32_load(&s->broken, RELAXED) == 0 &&
                       a32_load(&ended_early, RELAXED) == 0;) {
        double t;

        run_round(s, s->round < WARM_UP || s->round % GREATEST == 0, o->load);
        s->round++;
        a64_store(&s->at, s->round, RELAXED);
        if (warm_rounds > 0 && o->plant != NULL) {
            plant(o->plant);
        }
        look(s, &r);
        t = seconds_now();
        if (warm_rounds == 0) {
            rest_warm(&r);
            warm = t;
            if (s->round >= WARM_UP && t - begun >= o->seconds / WARM_PART) {
                warm_rounds = s->round;
            }
        } else {
            rest_add(&r, t - warm);
            bad = rest_judge(&r, false);
        }
        if (t - said >= o->every) {
            say(s, &r, t - begun);
            said = t;
        }
        if (t - begun >= o->seconds && warm_rounds > 0 &&
            s->round >= 2 * warm_rounds) {
            break;
        }
    }
    say(s, &r, seconds_now() - begun);
    if (a32_load(&ended_early, RELAXED) != 0) {
        printf("ended early, by a signal\n");
    }
    summary(s, &r);
    return bad + rest_judge(&r, true);
}

static bool start(struct soak *s, const struct options *o)
{
    sigset_t all;
    roost_opts opts = {.workers = o->workers,
                       .offload_idle = 20 * ROOST_MS,
                       .offload_max = 64,
                       .on_error = is_reported,
                       .ctx = s,
                       .signals = &all,
                       .name = "soak"};

    sigemptyset(&s->waited);
    sigaddset(&s->waited, SIGRTMIN + 8);
    sigemptyset(&s->cancels);
    sigaddset(&s->cancels, SIGUSR1);
    all = s->waited;
    sigaddset(&all, SIGUSR1);
    sigaddset(&all, SIGUSR2);
    (void)pthread_sigmask(SIG_BLOCK, &all, NULL);
    (void)signal(SIGINT, end_early);
    (void)signal(SIGTERM, end_early);
    (void)strcpy(s->folder, "/tmp/soak-XXXXXX");
    if (mkdtemp(s->folder) == NULL) {
        perror(s->folder);
        return false;
    }
    return roost_start(&s->rt, &opts) == 0;
}

static int soak(const struct options *o)
{
    static struct soak s;
    pthread_t watch;
    unsigned bad;
    int rc;

    s.seed = o->seed;
    printf("soak: seed %llu, %.0f s, %u workers\n", (unsigned long long)s.seed,
           o->seconds, o->workers);
    (void)fflush(stdout);
    small_thread_stacks();
    if (!start(&s, o) || pthread_create(&watch, NULL, watches, &s) != 0) {
        fprintf(stderr, "soak: it could not be started\n");
        return 2;
    }
    bad = rounds(&s, o);
    a64_store(&s.over, 1, RELAXED);
    (void)pthread_join(watch, NULL);
    rc = roost_stop(s.rt);
    if (rc != 0) {
        soak_broken(&s, "the end", "soak.c", "roost_stop gives 0");
    }
    roost_runtime_free(s.rt);
    (void)rmdir(s.folder);
    bad += a32_load(&s.broken, RELAXED);
    printf("%s\n", bad == 0 ? "nothing grows, and all has held" : "FAILED");
    return bad != 0;
}

static int usage(void)
{
    fprintf(stderr, "usage: soak [--hours|--minutes|--seconds N] [--seed N] "
                    "[--workers N] [--load NAME] "
                    "[--plant fd|thread|mapping|memory]\n");
    return 2;
}

static bool read_options(struct options *o, int argc, char **argv)
{
    static const struct option names[] = {
        {"hours", required_argument, NULL, 'h'},
        {"minutes", required_argument, NULL, 'm'},
        {"seconds", required_argument, NULL, 't'},
        {"every", required_argument, NULL, 'e'},
        {"seed", required_argument, NULL, 's'},
        {"workers", required_argument, NULL, 'w'},
        {"load", required_argument, NULL, 'l'},
        {"plant", required_argument, NULL, 'p'},
        {0},
    };
    int letter;

    while ((letter = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (letter == 'h') {
            o->seconds = 3600 * atof(optarg);
        } else if (letter == 'm') {
            o->seconds = 60 * atof(optarg);
        } else if (letter == 't') {
            o->seconds = atof(optarg);
        } else if (letter == 'e') {
            o->every = atof(optarg);
        } else if (letter == 's') {
            o->seed = strtoull(optarg, NULL, 10);
        } else if (letter == 'w') {
            o->workers = (unsigned)strtoul(optarg, NULL, 10);
        } else if (letter == 'l') {
            o->load = optarg;
        } else if (letter == 'p') {
            o->plant = optarg;
        } else {
            return false;
        }
    }
    return optind == argc;
}

int main(int argc, char **argv)
{
    struct options o = {.seconds = 3600, .every = 60, .workers = 4};

    if (getrandom(&o.seed, sizeof(o.seed), 0) != sizeof(o.seed)) {
        o.seed = (uint64_t)time(NULL);
    }
    o.seed >>= 32; /* short to type */
    if (!read_options(&o, argc, argv)) {
        return usage();
    }
    return soak(&o);
}
