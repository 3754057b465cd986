/*
 * main.c - random programs by the number: makes them up, runs them, and makes
 * the first that fails small.
 *
 *   random [--programs N] [--first N] [--jobs N] [--seconds N] [--planted]
 *   random --replay HEX     one program, as it was printed
 *   random --corpus FILE    such programs, one a line; '#': a comment
 *
 * --planted: a bug is in the library, and is to be found: 0 if it was.
 */
#include "judge.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { JOBS_MAX = 64, SECONDS = 20, CORPUS_SEEDS = 50 };

/* Of a child: S it writes, the parent reads when it has ended. */
struct slot {
    uint64_t number; /* which one it is at */
    uint64_t done;
    struct verdict verdict;
};

struct options {
    uint64_t programs, first;
    unsigned jobs, seconds;
    bool planted;
    const char *name, *replay, *corpus;
};

static double seconds_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* In a child: every jobs-th program. */
static void hunt(const struct options *o, unsigned job, struct slot *s)
{
    double end = o->seconds > 0 ? seconds_now() + o->seconds : 1e18;
    struct program p;

    judge_quietly();
    for (uint64_t i = job; i < o->programs; i += o->jobs) {
        s->number = o->first + i;
        (void)alarm(SECONDS);
        program_generate(&p, s->number);
        judge_here(&p, &s->verdict);
        if (s->verdict.said[0] != '\0') {
            _exit(1);
        }
        s->done++;
        if (i % 256 < o->jobs && seconds_now() > end) {
            break;
        }
    }
    _exit(0);
}

static void tell(const struct options *o, struct program *p, struct verdict *v)
{
    printf("it says: %s", v->said);
    if (v->at >= 0) {
        printf(", at operation %d", v->at);
    }
    printf("\n\n");
    program_print(p, stdout);
    printf("\nto run it again:\n%s --replay ", o->name);
    program_hex(p, stdout);
    printf("\n");
}

static void found(const struct options *o, const struct slot *s)
{
    struct verdict v = s->verdict;
    struct program p;

    program_generate(&p, s->number);
    printf("program %llu fails: %s; making it small\n",
           (unsigned long long)s->number, v.said);
    fflush(stdout);
    shrink(&p, &v);
    tell(o, &p, &v);
}

/* Waits for all children; the first that found something, or NULL. */
static struct slot *await(struct slot *slots, const pid_t *pids, unsigned jobs)
{
    struct slot *first = NULL;
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, 0)) > 0) {
        unsigned job = 0;

        while (job < jobs && pids[job] != pid) {
            job++;
        }
        if (job == jobs || status == 0 || first != NULL) {
            continue;
        }
        first = &slots[job];
        if (first->verdict.said[0] == '\0') {
            first->verdict.at = -1;
            judge_death(status, first->verdict.said,
                        sizeof(first->verdict.said));
        }
        for (unsigned i = 0; i < jobs; i++) {
            if (i != job) {
                (void)kill(pids[i], SIGKILL);
            }
        }
    }
    return first;
}

static int many(const struct options *o)
{
    struct slot *slots =
        mmap(NULL, JOBS_MAX * sizeof(*slots), PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    double begun = seconds_now();
    pid_t pids[JOBS_MAX];
    struct slot *bad;
    uint64_t done = 0;
    double took;

    if (slots == MAP_FAILED) {
        perror("mmap");
        return 2;
    }
    fflush(NULL);
    for (unsigned i = 0; i < o->jobs; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            hunt(o, i, &slots[i]);
        }
        if (pids[i] < 0) {
            perror("fork");
            return 2;
        }
    }
    bad = await(slots, pids, o->jobs);
    took = seconds_now() - begun;
    for (unsigned i = 0; i < o->jobs; i++) {
        done += slots[i].done;
    }
    printf("%llu programs from %llu on, %.1f s, %.0f a second and job: %s\n",
           (unsigned long long)done, (unsigned long long)o->first, took,
           (double)done / took / o->jobs, bad == NULL ? "none fails" : "");
    if (bad != NULL) {
        found(o, bad);
    }
    return (bad != NULL) != o->planted;
}

static int replay(const struct options *o)
{
    struct verdict v = {.at = -1};
    struct program p;

    if (program_from_hex(&p, o->replay) != 0) {
        fprintf(stderr, "random: this is no program: '%s'\n", o->replay);
        return 2;
    }
    program_print(&p, stdout);
    fflush(stdout);
    judge_here(&p, &v);
    printf("%s\n", v.said[0] == '\0' ? "it is well" : v.said);
    return v.said[0] != '\0';
}

static int corpus(const struct options *o)
{
    char line[2 * BYTES_MAX + 2];
    FILE *in = fopen(o->corpus, "r");
    unsigned programs = 0;
    unsigned bad = 0;

    if (in == NULL) {
        perror(o->corpus);
        return 2;
    }
    while (fgets(line, sizeof(line), in) != NULL) {
        struct program p;
        struct verdict v;

        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#' || line[0] == '\0') {
            continue;
        }
        if (program_from_hex(&p, line) != 0) {
            fprintf(stderr, "random: this is no program: '%s'\n", line);
            return 2;
        }
        programs++;
        judge_apart(&p, CORPUS_SEEDS, &v);
        if (v.said[0] != '\0') {
            bad++;
            tell(o, &p, &v);
        }
    }
    fclose(in);
    printf("%u programs, each by %d seeds: %u fail\n", programs, CORPUS_SEEDS,
           bad);
    return bad > 0 || programs == 0;
}

static int usage(void)
{
    fprintf(stderr, "usage: random [--programs N] [--first N] [--jobs N] "
                    "[--seconds N] [--planted] | --replay HEX | "
                    "--corpus FILE\n");
    return 2;
}

static bool read_options(struct options *o, int argc, char **argv)
{
    static const struct option names[] = {
        {"programs", required_argument, NULL, 'n'},
        {"first", required_argument, NULL, 'f'},
        {"jobs", required_argument, NULL, 'j'},
        {"seconds", required_argument, NULL, 's'},
        {"planted", no_argument, NULL, 'p'},
        {"replay", required_argument, NULL, 'r'},
        {"corpus", required_argument, NULL, 'c'},
        {0},
    };
    int letter;

    while ((letter = getopt_long(argc, argv, "", names, NULL)) != -1) {
        uint64_t n = optarg == NULL ? 0 : strtoull(optarg, NULL, 10);

        if (letter == 'n') {
            o->programs = n;
        } else if (letter == 'f') {
            o->first = n;
        } else if (letter == 'j' && n > 0 && n <= JOBS_MAX) {
            o->jobs = (unsigned)n;
        } else if (letter == 's') {
            o->seconds = (unsigned)n;
        } else if (letter == 'p') {
            o->planted = true;
        } else if (letter == 'r') {
            o->replay = optarg;
        } else if (letter == 'c') {
            o->corpus = optarg;
        } else {
            return false;
        }
    }
    return optind == argc;
}

int main(int argc, char **argv)
{
    static const char *const own[] = {"ROOST_SEED", "ROOST_WORKERS",
                                      "ROOST_BACKEND", "ROOST_SIM_STRATEGY"};
    struct options o = {
        .programs = 10000, .first = 1, .jobs = 1, .name = argv[0]};

    for (unsigned i = 0; i < 4; i++) {
        (void)unsetenv(own[i]); /* a program has its own */
    }
    if (!read_options(&o, argc, argv)) {
        return usage();
    }
    return o.replay != NULL   ? replay(&o)
           : o.corpus != NULL ? corpus(&o)
                              : many(&o);
}
