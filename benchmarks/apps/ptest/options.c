/*
 * options.c - the command line, by getopt_long.
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/duration.h"

static const char help[] =
    "Usage: ptest [OPTION]... [PROGRAM]...\n"
    "Run tests in parallel: each PROGRAM, a path, without arguments; what -c\n"
    "and -f say; without any of these, the lines of standard input.\n"
    "A test passes with exit status 0. Nothing that it has started is left\n"
    "running when ptest ends, whatever becomes of either.\n"
    "\n"
    "  -c, --command LINE    run this command, too\n"
    "  -f, --file FILE       and those of FILE, one a line; - standard input\n"
    "  -j, --jobs N          N at a time (the processors)\n"
    "  -t, --timeout TIME    end a test after TIME; 0: never (10m)\n"
    "  -g, --grace TIME      from its SIGTERM to its SIGKILL (5s)\n"
    "  -x, --fail-fast       the first failure cancels all the rest\n"
    "  -e, --env NAME=VALUE  in the environment of all\n"
    "  -C, --directory DIR   run them there\n"
    "      --skip-status N   what a test says 'skipped' with; 0: none (77)\n"
    "      --output-max N    bytes kept of a test's output, K or M (1M)\n"
    "      --tap FILE        write TAP; - to standard output\n"
    "      --junit FILE      write JUnit's XML; - to standard output\n"
    "  -q, --quiet           do not tell what passed\n"
    "  -v, --verbose         show the output of what passed\n"
    "      --help, --version\n"
    "\n"
    "A line: [name=NAME dir=DIR timeout=TIME serial] VAR=VALUE... PROGRAM "
    "ARG...\n"
    "with the shell's quotes; nothing runs beside a serial one. TIME: 500ms,\n"
    "2s, 1.5m, 1h; a bare number is seconds.\n"
    "Exit status: 0 none failed, 1 some did, 2 there was an error, 130 it was\n"
    "interrupted (Ctrl-C), 143 terminated. A second Ctrl-C ends it at once.\n";

enum long_only {
    OPT_SKIP = 256,
    OPT_OUTPUT_MAX,
    OPT_TAP,
    OPT_JUNIT,
    OPT_HELP,
    OPT_VERSION
};

static const struct option long_options[] = {
    {"command", required_argument, NULL, 'c'},
    {"file", required_argument, NULL, 'f'},
    {"jobs", required_argument, NULL, 'j'},
    {"timeout", required_argument, NULL, 't'},
    {"grace", required_argument, NULL, 'g'},
    {"fail-fast", no_argument, NULL, 'x'},
    {"env", required_argument, NULL, 'e'},
    {"directory", required_argument, NULL, 'C'},
    {"skip-status", required_argument, NULL, OPT_SKIP},
    {"output-max", required_argument, NULL, OPT_OUTPUT_MAX},
    {"tap", required_argument, NULL, OPT_TAP},
    {"junit", required_argument, NULL, OPT_JUNIT},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0}};

static bool complain(const char *what, const char *wrong)
{
    fprintf(stderr, "ptest: %s: %s\n", what, wrong);
    return false;
}

/* A whole number up to max, with K or M where there may be. */
static bool read_number(const char *text, unsigned long max, bool units,
                        unsigned long *out)
{
    char *end;
    unsigned long unit = 1;

    if (text[0] < '0' || text[0] > '9') {
        return false;
    }
    errno = 0;
    *out = strtoul(text, &end, 10);
    if (units && (*end == 'K' || *end == 'M')) {
        unit = *end++ == 'K' ? 1ul << 10 : 1ul << 20;
    }
    if (*end != '\0' || errno != 0 || *out > max / unit) {
        return false;
    }
    *out *= unit;
    return true;
}

static bool take_number(struct options *o, int option)
{
    unsigned long max = option == 'j'        ? 1u << 16
                        : option == OPT_SKIP ? UCHAR_MAX
                                             : 1u << 30;
    unsigned long n;

    if (!read_number(optarg, max, option == OPT_OUTPUT_MAX, &n) ||
        (option == 'j' && n == 0)) {
        return complain(optarg, "no number that may stand here");
    }
    if (option == 'j') {
        o->jobs = (unsigned)n;
    } else if (option == OPT_SKIP) {
        o->skip_status = (int)n;
    } else {
        o->output_max = n;
    }
    return true;
}

static bool take_time(roost_ns *to)
{
    return duration_read(optarg, true, to) ||
           complain(optarg, "no time, such as 500ms, 2s, 1.5m or 1h");
}

static bool take_env(struct options *o)
{
    const char *equals = strchr(optarg, '=');
    char **grown;

    if (equals == NULL || equals == optarg) {
        return complain(optarg, "not NAME=VALUE");
    }
    grown = realloc(o->env, (o->env_count + 1) * sizeof *grown);
    if (grown == NULL) {
        return complain(optarg, strerror(ENOMEM));
    }
    o->env = grown;
    o->env[o->env_count++] = optarg;
    return true;
}

static bool take_line(struct list *list)
{
    const char *wrong = list_add_line(list, optarg);

    return wrong == NULL || complain(optarg, wrong);
}

static bool take_file(struct list *list, const char *path)
{
    bool input = strcmp(path, "-") == 0;
    FILE *in = input ? stdin : fopen(path, "re");
    char where[64] = "";
    const char *wrong;
    size_t number;

    if (in == NULL) {
        return complain(path, strerror(errno));
    }
    wrong = list_add_file(list, in, &number);
    if (!input) {
        fclose(in);
    }
    if (wrong != NULL && number > 0) {
        snprintf(where, sizeof where, "line %zu: ", number);
    }
    if (wrong != NULL) {
        fprintf(stderr, "ptest: %s: %s%s\n", path, where, wrong);
    }
    return wrong == NULL;
}

/* One option. False: it is wrong, and was complained about. */
static bool take_option(struct options *o, struct list *list, int option)
{
    switch (option) {
    case 'c':
        return take_line(list);
    case 'f':
        return take_file(list, optarg);
    case 't':
        return take_time(&o->timeout);
    case 'g':
        return take_time(&o->grace);
    case 'e':
        return take_env(o);
    case 'j':
    case OPT_SKIP:
    case OPT_OUTPUT_MAX:
        return take_number(o, option);
    case 'x':
        o->fail_fast = true;
        return true;
    case 'q':
        o->quiet = true;
        return true;
    case 'v':
        o->verbose = true;
        return true;
    case 'C':
        o->dir = optarg;
        return true;
    case OPT_TAP:
        o->tap = optarg;
        return true;
    case OPT_JUNIT:
        o->junit = optarg;
        return true;
    default: /* getopt has complained */
        return false;
    }
}

static bool is_stdout(const char *path)
{
    return path != NULL && strcmp(path, "-") == 0;
}

/* named: by an option. */
static bool take_operands(struct list *list, char **operands, bool named)
{
    for (char **path = operands; *path != NULL; path++) {
        const char *wrong = list_add_program(list, *path);

        if (wrong != NULL) {
            return complain("an operand", wrong);
        }
    }
    if (*operands == NULL && !named) {
        if (isatty(STDIN_FILENO)) {
            return complain("what is to be run?", "see ptest --help");
        }
        return take_file(list, "-");
    }
    return true;
}

bool options_read(struct options *o, struct list *list, int argc, char **argv,
                  int *status)
{
    bool named = false;
    int option;

    *o = (struct options){.timeout = 600 * ROOST_S,
                          .grace = 5 * ROOST_S,
                          .skip_status = 77,
                          .output_max = 1u << 20};
    *list = (struct list){NULL, 0, 0};
    *status = EXIT_TROUBLE;
    while ((option = getopt_long(argc, argv, "c:f:j:t:g:xe:C:qv", long_options,
                                 NULL)) != -1) {
        if (option == OPT_HELP || option == OPT_VERSION) {
            printf("%s", option == OPT_HELP ? help : "ptest of roost 0.1\n");
            *status = fflush(stdout) == 0 ? EXIT_PASSED : EXIT_TROUBLE;
            return false;
        }
        named = named || option == 'c' || option == 'f';
        if (!take_option(o, list, option)) {
            fprintf(stderr, "Try 'ptest --help'.\n");
            return false;
        }
    }
    if (is_stdout(o->tap) && is_stdout(o->junit)) {
        return complain("--tap and --junit", "both on standard output");
    }
    if (!take_operands(list, argv + optind, named)) {
        return false;
    }
    return list->count > 0 || complain("the list", "there is nothing in it");
}

void options_free(struct options *o)
{
    free(o->env);
}
