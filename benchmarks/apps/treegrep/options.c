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
#include <sys/stat.h>

#include "../common/duration.h"

static const char help[] =
    "Usage: treegrep [OPTION]... PATTERN [PATH]...\n"
    "Search for PATTERN, a Perl-compatible regular expression, in each PATH: "
    "a\n"
    "file, or a directory with all that is below it; without one the working\n"
    "directory. Files named *.gz are searched unpacked. Symbolic links are\n"
    "followed only where they are a PATH; what is no regular file is skipped.\n"
    "Matching lines are printed in the order of the paths while it goes.\n"
    "\n"
    "  -c, --count               print how many lines match, for each file\n"
    "  -l, --files-with-matches  print only the names of files that match\n"
    "  -i, --ignore-case         upper and lower case are the same\n"
    "  -n, --line-number         print the number of the line before it\n"
    "  -H, --with-filename       print the name of the file before each line\n"
    "  -h, --no-filename         do not\n"
    "      --first N             end after the first N lines of the result, "
    "in\n"
    "                            the order of the paths: always the same ones\n"
    "      --timeout TIME        end after TIME: 500ms, 2s, 1.5m, 1h; a bare\n"
    "                            number is seconds\n"
    "      --workers N           run N workers, not one for each processor\n"
    "      --open-files N        have at most N files and directories open\n"
    "      --no-progress         show no progress on the terminal\n"
    "      --stats               say at the end what was searched, and name "
    "all\n"
    "                            that was left\n"
    "      --help, --version\n"
    "\n"
    "Exit status: 0 a line matched, 1 none did, 2 there was an error, 124 the\n"
    "time was up, 130 it was interrupted (Ctrl-C), 143 terminated. After 124,\n"
    "130 and 143 stderr tells what was searched and what was not. A second\n"
    "Ctrl-C ends the program at once.\n";

enum long_only {
    OPT_FIRST = 256,
    OPT_TIMEOUT,
    OPT_WORKERS,
    OPT_OPEN_FILES,
    OPT_NO_PROGRESS,
    OPT_STATS,
    OPT_HELP,
    OPT_VERSION
};

static const struct option long_options[] = {
    {"count", no_argument, NULL, 'c'},
    {"files-with-matches", no_argument, NULL, 'l'},
    {"ignore-case", no_argument, NULL, 'i'},
    {"line-number", no_argument, NULL, 'n'},
    {"with-filename", no_argument, NULL, 'H'},
    {"no-filename", no_argument, NULL, 'h'},
    {"first", required_argument, NULL, OPT_FIRST},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"workers", required_argument, NULL, OPT_WORKERS},
    {"open-files", required_argument, NULL, OPT_OPEN_FILES},
    {"no-progress", no_argument, NULL, OPT_NO_PROGRESS},
    {"stats", no_argument, NULL, OPT_STATS},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0}};

/* A whole number from 1 to max; false, and a line on stderr, if it is none. */
static bool read_number(const char *name, uint64_t max, uint64_t *out)
{
    char *end = optarg;
    unsigned long long n;

    errno = 0;
    n = strtoull(optarg, &end, 10);
    if (optarg[strspn(optarg, "0123456789")] != '\0' || end == optarg ||
        errno != 0 || n < 1 || n > max) {
        fprintf(stderr, "treegrep: --%s: '%s' is no number from 1 to %llu\n",
                name, optarg, (unsigned long long)max);
        return false;
    }
    *out = n;
    return true;
}

static bool read_unsigned(const char *name, unsigned *out)
{
    uint64_t n;

    if (!read_number(name, 1u << 20, &n)) {
        return false;
    }
    *out = (unsigned)n;
    return true;
}

/* A time above 0 with its unit, or in seconds. */
static bool read_time(roost_ns *out)
{
    roost_ns ns;

    if (duration_read(optarg, true, &ns) && ns > 0) {
        *out = ns;
        return true;
    }
    fprintf(stderr,
            "treegrep: --timeout: '%s' is no time above 0, such as 500ms, 2s, "
            "1.5m or 1h\n",
            optarg);
    return false;
}

/* One option. False: it is wrong, and was complained about. */
static bool take_option(struct options *o, int option)
{
    switch (option) {
    case 'c':
        o->count = true;
        return true;
    case 'l':
        o->names = true;
        return true;
    case 'i':
        o->ignore_case = true;
        return true;
    case 'n':
        o->line_numbers = true;
        return true;
    case OPT_NO_PROGRESS:
        o->no_progress = true;
        return true;
    case OPT_STATS:
        o->stats = true;
        return true;
    case OPT_FIRST:
        return read_number("first", INT64_MAX, &o->first);
    case OPT_TIMEOUT:
        return read_time(&o->timeout);
    case OPT_WORKERS:
        return read_unsigned("workers", &o->workers);
    case OPT_OPEN_FILES:
        return read_unsigned("open-files", &o->open_files);
    default:
        return false;
    }
}

static void take_operands(struct options *o, char **operands, size_t n)
{
    static char here[] = "";
    static char *only_here[] = {here};

    o->pattern = operands[0];
    o->here = n == 1;
    o->paths = n > 1 ? operands + 1 : only_here;
    o->path_count = n > 1 ? n - 1 : 1;
}

/* As grep -r: names are shown unless the only PATH is a file. */
static bool one_file(const struct options *o)
{
    struct stat st;

    return o->path_count == 1 && !o->here && stat(o->paths[0], &st) == 0 &&
           !S_ISDIR(st.st_mode);
}

bool options_read(struct options *o, int argc, char **argv, int *status)
{
    int show_file = -1;
    int option;

    *o = (struct options){0};
    *status = EXIT_TROUBLE;
    while ((option = getopt_long(argc, argv, "clinHh", long_options, NULL)) !=
           -1) {
        if (option == OPT_HELP || option == OPT_VERSION) {
            printf("%s", option == OPT_HELP ? help : "treegrep of roost 0.1\n");
            *status = fflush(stdout) == 0 ? 0 : EXIT_TROUBLE;
            return false;
        }
        if (option == 'H' || option == 'h') {
            show_file = option == 'H';
        } else if (!take_option(o, option)) {
            fprintf(stderr, "Try 'treegrep --help'.\n");
            return false;
        }
    }
    if (optind == argc) {
        fprintf(stderr, "Usage: treegrep [OPTION]... PATTERN [PATH]...\n"
                        "Try 'treegrep --help'.\n");
        return false;
    }
    take_operands(o, argv + optind, (size_t)(argc - optind));
    o->count = o->count && !o->names;
    o->show_file = show_file >= 0 ? show_file : !one_file(o);
    return true;
}
