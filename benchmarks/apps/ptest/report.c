/*
 * report.c - see report.h.
 *
 * Whoever has ended a test tells of it, under one lock, and waits until it is
 * written: so a reader that is slow makes tests begin later, and nothing piles
 * up. A cancelled run is told of as well: writing is shielded.
 */
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats.h"

/* --- text on its way out --- */

struct draft {
    FILE *file;
    char *text;
    size_t size;
};

/* False: s takes nothing, or there is no memory. */
static bool begin(struct draft *d, struct sink *s)
{
    if (s->fd < 0 || s->error < 0) {
        return false;
    }
    *d = (struct draft){NULL, NULL, 0};
    d->file = open_memstream(&d->text, &d->size);
    s->error = d->file == NULL ? -ENOMEM : 0;
    return d->file != NULL;
}

static void write_out(struct sink *s, const char *text, size_t size)
{
    if (s->error == 0) {
        s->error = roost_write_full(s->fd, text, size, NULL);
    }
}

static void send_to(struct draft *d, struct sink *s)
{
    bool whole = fclose(d->file) == 0;

    if (whole) {
        write_out(s, d->text, d->size);
    } else {
        s->error = -ENOMEM;
    }
    free(d->text);
}

/* --- opening and closing --- */

static int complain(const char *name, int rc)
{
    fprintf(stderr, "ptest: %s: %s\n", name, strerrordesc_np(-rc));
    return rc;
}

/* path: NULL nowhere, "-" stdout. */
static int open_sink(struct sink *s, const char *path)
{
    *s = (struct sink){.name = path, .fd = -1};
    if (path == NULL) {
        return 0;
    }
    if (strcmp(path, "-") == 0) {
        s->name = "standard output";
        s->fd = STDOUT_FILENO;
        return 0;
    }
    s->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    return s->fd < 0 ? complain(path, -errno) : 0;
}

static void close_sink(struct sink *s)
{
    if (s->fd > STDERR_FILENO) {
        close(s->fd);
    }
}

static bool is_stdout(const char *path)
{
    return path != NULL && strcmp(path, "-") == 0;
}

int report_open(struct report *r, const struct options *o,
                const struct list *list, struct result *results)
{
    bool text = !is_stdout(o->tap) && !is_stdout(o->junit);
    int rc;

    *r = (struct report){.options = o,
                         .tally = {.list = list, .results = results}};
    (void)roost_mutex_init(&r->lock);
    r->tap.fd = r->junit.fd = -1;
    rc = open_sink(&r->text, text ? "-" : NULL);
    rc = rc < 0 ? rc : open_sink(&r->tap, o->tap);
    rc = rc < 0 ? rc : open_sink(&r->junit, o->junit);
    if (rc < 0) {
        return rc;
    }
    r->done = calloc(list->count, sizeof *r->done);
    r->cases = open_memstream(&r->cases_text, &r->cases_size);
    return r->done == NULL || r->cases == NULL ? complain("start", -ENOMEM) : 0;
}

void report_close(struct report *r)
{
    if (r->cases != NULL) {
        fclose(r->cases);
    }
    free(r->cases_text);
    free(r->done);
    close_sink(&r->tap);
    close_sink(&r->junit);
    roost_mutex_destroy(&r->lock);
}

/* --- results --- */

/* The next one of the list, which is done, or never will be. */
static void tell_next(struct report *r)
{
    size_t i = r->next++;
    const struct command *c = &r->tally.list->commands[i];
    struct result *result = &r->tally.results[i];
    struct draft d;

    if (begin(&d, &r->tap)) {
        if (i == 0) {
            tap_begin(d.file, r->tally.list->count);
        }
        tap_result(d.file, i + 1, c, result);
        send_to(&d, &r->tap);
    }
    if (r->junit.fd >= 0) {
        junit_case(r->cases, c, result);
    }
    capture_free(&result->output);
}

void report_done(struct report *r, size_t i)
{
    const struct result *result = &r->tally.results[i];
    roost_shield shield;
    struct draft d;

    roost_shield_begin(&shield);
    (void)roost_mutex_lock(&r->lock);
    r->done[i] = true;
    r->told++;
    r->tally.of[result->outcome]++;
    r->tally.strays += result->report.strays;
    if (begin(&d, &r->text)) {
        text_result(d.file, &r->tally.list->commands[i], result, r->options);
        send_to(&d, &r->text);
    }
    while (r->next < r->tally.list->count && r->done[r->next]) {
        tell_next(r);
    }
    (void)roost_mutex_unlock(&r->lock);
    roost_shield_end(&shield);
}

static void write_junit(struct report *r, roost_ns took,
                        const struct timespec *begun)
{
    struct draft d;
    if (fflush(r->cases) != 0) {
        r->junit.error = -ENOMEM;
    }
    if (begin(&d, &r->junit)) {
        junit_begin(d.file, &r->tally, took, begun);
        send_to(&d, &r->junit);
    }
    write_out(&r->junit, r->cases_text, r->cases_size);
    if (begin(&d, &r->junit)) {
        junit_end(d.file);
        send_to(&d, &r->junit);
    }
}

void report_end(struct report *r, roost_ns took, const struct timespec *begun)
{
    struct draft d;

    r->tally.of[NOT_RUN] += (unsigned)(r->tally.list->count - r->told);
    while (r->next < r->tally.list->count) {
        tell_next(r);
    }
    if (begin(&d, &r->tap)) {
        tap_end(d.file, &r->tally);
        send_to(&d, &r->tap);
    }
    if (r->junit.fd >= 0) {
        write_junit(r, took, begun);
    }
    if (begin(&d, &r->text)) {
        text_end(d.file, &r->tally, took);
        send_to(&d, &r->text);
    }
}

int report_status(const struct report *r)
{
    const struct sink *sinks[] = {&r->text, &r->tap, &r->junit};
    int status = tally_failed(&r->tally) > 0 ? EXIT_FAILED : EXIT_PASSED;

    for (size_t i = 0; i < sizeof sinks / sizeof *sinks; i++) {
        if (sinks[i]->error < 0) {
            (void)complain(sinks[i]->name, sinks[i]->error);
            status = EXIT_TROUBLE;
        }
    }
    return status;
}
