/*
 * report.c - the end of a search in words. After Ctrl-C or the deadline the
 * order holds exactly what is left; it is counted and named here.
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

/* One file or directory that was started. */
static void count_place(struct left *l, const struct place *p)
{
    if (p->kind == KIND_DIRECTORY) {
        l->directories++;
    } else if (p->kind == KIND_OPERAND) {
        l->operands++;
    } else if (p->state == PLACE_CUT) {
        l->files_in_part++;
    } else {
        l->files++;
    }
}

static void count_rest(const struct listing *rest, struct left *l)
{
    size_t i;

    for (i = rest->next; i < rest->count; i++) {
        enum kind kind = rest->entries[i].kind;

        l->files += kind == KIND_FILE;
        l->directories += kind == KIND_DIRECTORY;
        l->operands += kind == KIND_OPERAND;
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

static void name_place(const struct place *p)
{
    if (p->state == PLACE_LISTING) {
        name_rest(p->listing);
    } else if (p->state == PLACE_CUT && p->kind == KIND_FILE) {
        fprintf(stderr, "treegrep: in part: %s\n", p->path);
    } else {
        fprintf(stderr, "treegrep: left: %s%s\n", p->path,
                p->kind == KIND_DIRECTORY ? "/" : "");
    }
}

/* The places in path order that were not searched: counted, and named as far
 * as max. */
static void take_stock(const struct order *o, struct left *l)
{
    const struct place *p;

    for (p = o->list.next; p != &o->list; p = p->next) {
        if (p->state == PLACE_DONE) {
            continue;
        }
        if (p->state == PLACE_LISTING) {
            count_rest(p->listing, l);
        } else {
            count_place(l, p);
        }
        if (l->named < l->named_max) {
            name_place(p);
            l->named++;
        } else {
            l->unnamed++;
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
    const char *kind = w->order.complete ? "complete" : "partial";
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
    return w->order.matched ? EXIT_MATCH : EXIT_NO_MATCH;
}

int report(struct walk *w)
{
    struct tally t = order_tally(&w->order);
    bool partial = w->end != END_ALL && w->end != END_OUTPUT;
    struct left l = {0};
    size_t unwritten = w->order.batch.held + printer_kept(&w->order.printer);

    if (w->options->stats || partial || w->end == END_OUTPUT) {
        print_end(w);
    } else if (t.errors > 0) {
        fprintf(stderr, "treegrep: errors: %" PRIu64 "\n", t.errors);
    }
    if (partial) {
        l.named_max = w->options->stats ? SIZE_MAX : NAMED_MAX;
    }
    if (partial || w->options->stats) {
        take_stock(&w->order, &l);
        print_counts(&t, &l);
    }
    if (partial && unwritten > 0) {
        fprintf(stderr, "treegrep: the last lines were not written: stdout "
                        "takes no more\n");
    }
    return exit_status(w, &t);
}
