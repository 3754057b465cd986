/*
 * report.c - the end of a search in words. After Ctrl-C or the deadline the
 * output and the walker hold what is left; it is counted and named here.
 */
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define NAMED_MAX 20 /* without --stats */

struct left {
    uint64_t files, files_in_part;
    uint64_t directories;
    uint64_t operands;
    size_t named, unnamed;
    size_t named_max;
};

static void count_rest(const struct listing *rest, struct left *l)
{
    size_t i;

    if (rest->operands) {
        l->operands += rest->count - rest->next;
        return;
    }
    for (i = rest->next; i < rest->count; i++) {
        enum kind kind = rest->entries[i].kind;

        l->files += kind == KIND_FILE;
        l->directories += kind == KIND_DIRECTORY;
    }
}

/* "left: DIR/NAME and what follows in DIR/: 3 files, 1 directories". A
 * directory's name ends in '/', by which it stands where it does. */
static void name_rest(const struct listing *rest)
{
    const struct entry *entry = &rest->entries[rest->next];
    const char *name = rest->names + entry->name;
    struct left here = {0};

    count_rest(rest, &here);
    if (here.operands > 0) {
        fprintf(stderr, "treegrep: left: %s%s\n", name,
                here.operands > 1 ? " and the paths after it" : "");
        return;
    }
    fprintf(stderr,
            "treegrep: left: %s%s%s and what follows in %s: "
            "%" PRIu64 " files, %" PRIu64 " directories\n",
            rest->prefix, name, entry->kind == KIND_DIRECTORY ? "/" : "",
            *rest->prefix == '\0' ? "." : rest->prefix, here.files,
            here.directories);
}

/* Whether one more place is to be named. */
static bool may_name(struct left *l)
{
    bool may = l->named < l->named_max;

    l->named += may;
    l->unnamed += !may;
    return may;
}

/* What was not searched, in path order, is counted, and named as far as max:
 * the places that came out of the stream, and what the walker did not put in.
 */
static void take_stock(const struct walk *w, struct left *l)
{
    const struct place *p;
    const struct level *level;

    for (p = w->output.left; p != NULL; p = p->next) {
        bool cut = p->outcome == OUTCOME_CUT;

        l->files_in_part += cut;
        l->files += !cut;
        if (may_name(l)) {
            fprintf(stderr, "treegrep: %s: %s\n", cut ? "in part" : "left",
                    p->path);
        }
    }
    for (level = w->levels; level != NULL; level = level->up) {
        const struct listing *rest = level->listing;

        count_rest(rest, l);
        if (rest->next < rest->count && may_name(l)) {
            name_rest(rest);
        }
    }
    if (l->unnamed > 0 && l->named_max > 0) {
        fprintf(stderr, "treegrep: and %zu more places (--stats names all)\n",
                l->unnamed);
    }
}

static void print_counts(const struct tally *t, const struct left *l)
{
    fprintf(stderr,
            "treegrep: directories: %" PRIu64 " found, %" PRIu64
            " read, %" PRIu64 " with errors, %" PRIu64 " not read\n",
            t->directories_found, t->directories_read, t->directories_broken,
            l->directories);
    fprintf(stderr,
            "treegrep: files: %" PRIu64 " found, %" PRIu64 " searched, %" PRIu64
            " with errors, %" PRIu64 " in part, %" PRIu64 " not searched\n",
            t->files_found, t->files_searched, t->files_broken,
            l->files_in_part, l->files);
    if (l->operands > 0) {
        fprintf(stderr, "treegrep: paths not looked at: %" PRIu64 "\n",
                l->operands);
    }
    fprintf(stderr,
            "treegrep: skipped, no regular files: %" PRIu64
            "; lines printed: %" PRIu64 "; errors: %" PRIu64 "\n",
            t->skipped, t->lines, t->errors);
}

static void print_end(const struct walk *w)
{
    double seconds = (double)(w->ended - w->began) / (double)ROOST_S;
    const char *kind = w->complete ? "complete" : "partial";
    char words[ERROR_WORDS_SIZE];

    switch (w->end) {
    case END_ALL:
        fprintf(stderr, "treegrep: done in %.3f s\n", seconds);
        break;
    case END_DEADLINE:
        fprintf(stderr,
                "treegrep: the time was up after %.3f s: the result is %s\n",
                seconds, kind);
        break;
    case END_SIGNAL:
        fprintf(stderr, "treegrep: %s after %.3f s: the result is %s\n",
                w->signal == SIGINT ? "interrupted" : "terminated", seconds,
                kind);
        break;
    case END_OUTPUT:
        fprintf(stderr, "treegrep: write error: %s\n",
                error_words(-w->failure, words));
        break;
    case END_FAILED:
        fprintf(stderr, "treegrep: the search failed after %.3f s: %s\n",
                seconds, error_words(-w->failure, words));
        break;
    }
}

static int exit_status(const struct walk *w, const struct tally *t)
{
    switch (w->end) {
    case END_DEADLINE:
        return EXIT_DEADLINE;
    case END_SIGNAL:
        return EXIT_SIGNAL + w->signal;
    case END_OUTPUT:
    case END_FAILED:
        return EXIT_TROUBLE;
    case END_ALL:
        break;
    }
    if (t->errors > 0) {
        return EXIT_TROUBLE;
    }
    return w->output.matched ? EXIT_MATCH : EXIT_NO_MATCH;
}

int report(struct walk *w)
{
    struct tally t = w->output.tally;
    bool partial = w->end != END_ALL && w->end != END_OUTPUT;
    struct left l = {0};

    if (w->options->stats || partial || w->end == END_OUTPUT) {
        print_end(w);
    } else if (t.errors > 0) {
        fprintf(stderr, "treegrep: errors: %" PRIu64 "\n", t.errors);
    }
    if (partial) {
        l.named_max = w->options->stats ? SIZE_MAX : NAMED_MAX;
    }
    if (partial || w->options->stats) {
        take_stock(w, &l);
        print_counts(&t, &l);
    }
    if (partial && w->output.printer.failure == -ETIMEDOUT) {
        fprintf(stderr, "treegrep: the last lines were not written: stdout "
                        "takes no more\n");
    }
    return exit_status(w, &t);
}
