/*
 * main.c - the command line of a model program, its report, and the trace of
 * a run that failed.
 *
 *   PROGRAM [--list] [--only NAME] [--strategy dfs,random,pct] [--runs N]
 *           [--scale N] [--seed N] [--first] [--replay TEXT]
 *           [--all-orders] [--seen] [--lines]
 *
 * --runs gives each strategy so many runs instead of the model's budget,
 * --scale multiplies that. --first, for mutants.py, stops at the first failure
 * and leaves out planted bugs and what must be seen. A failing run prints its
 * seed and a --replay text that repeats it exactly. --all-orders makes
 * depth-first do without sleep sets, --seen prints what they must not change.
 * --lines prints which cache lines went from thread to thread (lines.c).
 */
#include "engine.h"
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <ucontext.h>

enum { TICK_S = 10 };

struct options {
    const char *only;
    const char *replay;
    enum strategy order[STRATEGIES];
    unsigned count;
    uint64_t runs, seed;
    double scale;
    bool list, first;
};

static const char *const names[STRATEGIES] = {"dfs", "random", "pct"};
static struct model *models, **models_end = &models;
static struct options options = {
    .order = {DFS, RANDOM, PCT}, .count = STRATEGIES, .seed = 1, .scale = 1};
static uint64_t total_runs, total_counted;
static uint64_t tick_number;

void model_register(struct model *m, uint64_t runs)
{
    if (m->runs == 0) {
        m->runs = runs;
    }
    *models_end = m;
    models_end = &m->next;
}

/* ---- failures ------------------------------------------------------------ */

static const char *short_name(const char *file)
{
    const char *slash = strrchr(file, '/');

    return slash != NULL ? slash + 1 : file;
}

void trace(const char *file, int line, const char *format, ...)
{
    char place[40] = "";
    va_list args;

    if (!e.tracing) {
        return;
    }
    if (line != 0) {
        snprintf(place, sizeof(place), "%s:%d", short_name(file), line);
    }
    if (e.me == &e.threads[0]) {
        printf("  %4u --  %-22s ", e.steps, place);
    } else {
        printf("  %4u T%u  %-22s ", e.steps, thread_index(e.me) - 1, place);
    }
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

_Noreturn void run_failed(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(e.failure, sizeof(e.failure), format, args);
    va_end(args);
    longjmp(e.out, 1);
}

/* Not a failure: run_once says that it is fine. */
_Noreturn void run_pruned(void)
{
    e.pruned = true;
    longjmp(e.out, 1);
}

_Noreturn void model_failed(const char *file, int line, const char *what)
{
    trace(file, line, "MODEL_CHECK fails");
    run_failed("%s:%d: MODEL_CHECK(%s)", short_name(file), line, what);
}

void model_outcome(unsigned bit)
{
    e.outcomes |= UINT64_C(1) << (bit & 63);
    trace("", 0, "outcome %u", bit);
}

void model_note(const char *text, int64_t value)
{
    trace("", 0, "%s %lld", text, (long long)value);
}

const char *order_name(int order)
{
    switch (order) {
    case RELAXED:
        return "relaxed";
    case ACQUIRE:
        return "acquire";
    case RELEASE:
        return "release";
    case ACQ_REL:
        return "acq_rel";
    default:
        return "seq_cst";
    }
}

/* Where address 0 was called from; NULL: it was not. */
static const void *called_from(const void *context)
{
#if defined(__x86_64__)
    const ucontext_t *c = context;
    uintptr_t sp = (uintptr_t)c->uc_mcontext.gregs[REG_RSP];

    return c->uc_mcontext.gregs[REG_RIP] == 0 ? *(void **)sp : NULL;
#else
    const ucontext_t *c = context;

    return c->uc_mcontext.pc == 0 ? (void *)c->uc_mcontext.regs[30] : NULL;
#endif
}

static void on_crash(int number, siginfo_t *info, void *context)
{
    unsigned index;

    if (number == SIGALRM) {
        if (tick_number != e.number || e.tracing || e.model == NULL) {
            tick_number = e.number;
            return;
        }
        run_failed("stuck: a loop without any shared access");
    }
    if (number == SIGSEGV && strand_overflowed(info->si_addr, &index)) {
        run_failed("crash: the stack of T%u overflowed", index - 1);
    }
    if (number == SIGSEGV && info->si_addr == NULL && called_from(context)) {
        char here[80];

        place_text(called_from(context), here, sizeof(here));
        run_failed("crash: a call at %s of what this model does not define",
                   here);
    }
    run_failed("crash: signal %d at address %p", number, info->si_addr);
}

static void catch_crashes(void)
{
    static char stack[64 * 1024];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
    struct sigaction action = {.sa_sigaction = on_crash,
                               .sa_flags =
                                   SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    const struct itimerval tick = {{TICK_S, 0}, {TICK_S, 0}};

    sigaltstack(&alternate, NULL);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &tick, NULL);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGFPE, &action, NULL);
    sigaction(SIGILL, &action, NULL);
    sigaction(SIGABRT, &action, NULL);
}

/* ---- replay -------------------------------------------------------------- */

/* "s2.4/17:1,3:2": the symmetric form, bounds 2 and 4; 17 zeros and a 1, 3
 * zeros and a 2. */
static void print_replay(void)
{
    uint32_t zeros = 0;
    const char *comma = "";

    printf("%c%u.%u/", barrier_asymmetric ? 'a' : 's', e.bound_preemptions,
           e.bound_weak);
    for (uint32_t i = 0; i < e.depth; i++) {
        if (e.choices[i].taken == 0) {
            zeros++;
            continue;
        }
        printf("%s%u:%u", comma, zeros, e.choices[i].taken);
        comma = ",";
        zeros = 0;
    }
    printf("\n");
}

static bool parse_replay(const char *text)
{
    unsigned zeros, taken;
    int used;
    char form;

    if (sscanf(text, "%c%u.%u/%n", &form, &e.bound_preemptions, &e.bound_weak,
               &used) != 3) {
        return false;
    }
    barrier_asymmetric = form == 'a';
    e.recorded = 0;
    text += used;
    while (sscanf(text, "%u:%u%n", &zeros, &taken, &used) == 2) {
        if (zeros + e.recorded + 1 > CHOICES) {
            return false;
        }
        while (zeros-- > 0) {
            e.choices[e.recorded++] = (struct choice){0, 0, 0};
        }
        e.choices[e.recorded++] = (struct choice){(uint16_t)taken, 0, 0};
        text += used;
        text += *text == ',';
    }
    return *text == '\0';
}

static bool run_again(void)
{
    bool fine;

    e.strategy = REPLAY;
    e.reduced = false;
    e.tracing = true;
    fine = run_once();
    e.tracing = false;
    return fine;
}

static void report_failure(enum strategy strategy, uint64_t runs)
{
    const char *name = e.model->name;

    printf("FAILED %s: %s\n", name, e.failure);
    printf("  by %s in run %llu", names[strategy], (unsigned long long)runs);
    if (strategy != DFS) {
        printf(": --only %s --strategy %s --seed %llu --runs 1", name,
               names[strategy], (unsigned long long)e.seed);
    }
    printf("\n  again: --only %s --replay ", name);
    print_replay();
    e.recorded = e.depth;
    run_again();
    printf("  => %s\n", e.failure);
}

static int replay(void)
{
    if (e.model == NULL) {
        fprintf(stderr, "--replay needs --only\n");
        return 2;
    }
    run_new_model(e.model, options.replay[0] == 'a');
    if (!parse_replay(options.replay)) {
        fprintf(stderr, "not a replay text: %s\n", options.replay);
        return 2;
    }
    if (run_again()) {
        printf("  => fine\n");
        return 0;
    }
    printf("  => %s\n", e.failure);
    return 1;
}

/* ---- a model's report ---------------------------------------------------- */

static void print_tally(enum strategy s, const struct tally *t)
{
    printf("%s %s %llu", s == options.order[0] ? ":" : ",", names[s],
           (unsigned long long)t->runs);
    if (t->pruned > 0) {
        printf(" (%llu of them given up)", (unsigned long long)t->pruned);
    }
    if (t->exhausted) {
        printf(" (all, <= %u preemptions, <= %u weak)", e.bound_preemptions,
               e.bound_weak);
    }
}

/* A model with a planted bug: each strategy says after how many runs. */
static bool judge_planted(enum strategy s, const struct tally *t)
{
    if (t->failed && strstr(e.failure, e.model->must_fail) == NULL) {
        report_failure(s, t->runs);
        return false;
    }
    printf("%s %s %s %llu", s == options.order[0] ? ":" : ",", names[s],
           t->failed ? "finds it in run" : "misses it in",
           (unsigned long long)t->runs);
    return t->failed;
}

static bool judge_outcomes(const struct model *m)
{
    uint64_t missing = m->must_see & ~e.outcomes;
    uint64_t wrong = m->must_not_see & e.outcomes;

    if (missing != 0 && !options.first) {
        printf("FAILED %s: outcomes never seen: %llx\n", m->name,
               (unsigned long long)missing);
    }
    if (wrong != 0) {
        printf("FAILED %s: forbidden outcomes seen: %llx\n", m->name,
               (unsigned long long)wrong);
    }
    return (missing == 0 || options.first) && wrong == 0;
}

/* Forms: the symmetric barrier, and the asymmetric one if it is used. */
static bool explore_form(struct model *m, bool asymmetric)
{
    uint64_t runs = options.runs != 0 ? options.runs : m->runs;
    double seconds = 0;
    uint64_t all = 0, counted = 0;
    bool fine = true, found = false;
    struct tally t;

    run_new_model(m, asymmetric);
    seen_forget();
    lines_forget();
    if (asymmetric && !e.barriers) {
        return true;
    }
    runs = (uint64_t)((double)runs * options.scale);
    printf("%s%s", m->name, asymmetric ? " (asymmetric)" : "");
    for (unsigned i = 0; i < options.count; i++) {
        enum strategy s = options.order[i];

        fflush(stdout);
        explore(s, runs, options.seed, &t);
        all += t.runs;
        total_runs += t.runs;
        counted += t.counted;
        seconds += t.seconds;
        if (m->must_fail != NULL) {
            found |= judge_planted(s, &t);
            continue;
        }
        print_tally(s, &t);
        if (t.failed) {
            printf("\n");
            report_failure(s, t.runs);
            fine = false;
            break;
        }
    }
    total_counted += counted;
    if (fine) {
        printf("; %llu counted, %.2f s, %.2f M/s\n",
               (unsigned long long)counted, seconds,
               (double)all / seconds / 1e6);
        seen_report(m->name);
        lines_report(m->name);
    }
    if (m->must_fail != NULL && !found) {
        printf("FAILED %s: the planted bug was not found\n", m->name);
        return false;
    }
    return fine;
}

static bool explore_model(struct model *m)
{
    bool fine;

    e.outcomes = 0;
    fine = explore_form(m, false);
    if ((m->flags & MODEL_ONE_FORM) == 0 && (fine || !options.first)) {
        fine = explore_form(m, true) && fine;
    }
    return judge_outcomes(m) && fine;
}

static int explore_all(void)
{
    unsigned passed = 0, failed = 0;

    for (struct model *m = models; m != NULL; m = m->next) {
        bool fine;

        if ((options.only != NULL && strcmp(options.only, m->name) != 0) ||
            (options.first && m->must_fail != NULL)) {
            continue;
        }
        fine = explore_model(m);
        passed += fine;
        failed += !fine;
        if (!fine && options.first) {
            break;
        }
    }
    printf("%llu executions, %llu counted schedules\n",
           (unsigned long long)total_runs, (unsigned long long)total_counted);
    printf("%u passed, %u failed\n", passed, failed);
    return failed == 0 && passed > 0 ? 0 : 1;
}

/* ---- the command line ---------------------------------------------------- */

static bool parse_strategies(const char *text)
{
    options.count = 0;
    while (*text != '\0' && options.count < STRATEGIES) {
        size_t size = strcspn(text, ",");
        unsigned s = 0;

        while (s < STRATEGIES && (strlen(names[s]) != size ||
                                  strncmp(names[s], text, size) != 0)) {
            s++;
        }
        if (s == STRATEGIES) {
            return false;
        }
        options.order[options.count++] = (enum strategy)s;
        text += size;
        text += *text == ',';
    }
    return options.count > 0;
}

/* Options with a value. */
static bool parse_value(const char *name, const char *value)
{
    if (strcmp(name, "--only") == 0) {
        options.only = value;
    } else if (strcmp(name, "--replay") == 0) {
        options.replay = value;
    } else if (strcmp(name, "--strategy") == 0) {
        return parse_strategies(value);
    } else if (strcmp(name, "--runs") == 0) {
        options.runs = strtoull(value, NULL, 0);
    } else if (strcmp(name, "--scale") == 0) {
        options.scale = strtod(value, NULL);
    } else if (strcmp(name, "--seed") == 0) {
        options.seed = strtoull(value, NULL, 0);
    } else {
        return false;
    }
    return true;
}

static bool parse(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--list") == 0) {
            options.list = true;
        } else if (strcmp(argv[i], "--all-orders") == 0) {
            explore_all_orders = true;
        } else if (strcmp(argv[i], "--seen") == 0) {
            seen_start();
        } else if (strcmp(argv[i], "--lines") == 0) {
            lines_start();
        } else if (strcmp(argv[i], "--first") == 0) {
            options.first = true;
        } else if (i + 1 < argc && parse_value(argv[i], argv[i + 1])) {
            i++;
        } else {
            fprintf(stderr, "what is %s?\n", argv[i]);
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    if (!parse(argc, argv)) {
        return 2;
    }
    strand_init();
    catch_crashes();
    if (options.list) {
        for (struct model *m = models; m != NULL; m = m->next) {
            printf("%s\n", m->name);
        }
        return 0;
    }
    if (options.replay != NULL) {
        for (struct model *m = models; m != NULL; m = m->next) {
            if (options.only != NULL && strcmp(m->name, options.only) == 0) {
                e.model = m;
            }
        }
        return replay();
    }
    return explore_all();
}
