/*
 * walker.c - the walk: see walker.h.
 *
 * MODEL  operands:    [a/] [b] ...
 *         `- a/:      [x] [y/] [z] ...
 *             `- a/y/:  [p] [q] ...     the innermost has the next place
 *
 *        A file's place is emitted and then its task is started. A directory's
 *        task is started before the walker comes to it, READ_AHEAD of them in a
 *        level; then it is awaited and emitted, and the walker goes down into
 *        its listing. So what has to be remembered is the rest of each
 *        directory on the way down, and the places in the stream, which holds
 *        up the walker when they are too many: nothing grows with the tree.
 *
 *        All tasks are in the walker's scope, which the deadline and w->stop
 *        cancel. The stream is not cancelled with it: what it holds is printed.
 */
#include "walker.h"
#include "tasks.h"
#include "walk.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

/* ---- levels ---- */

static int go_down(struct walk *w, struct listing *listing)
{
    struct level *l = listing == NULL ? NULL : calloc(1, sizeof *l);

    if (l == NULL) {
        listing_free(listing);
        return -ENOMEM;
    }
    l->listing = listing;
    l->up = w->levels;
    w->levels = l;
    return 0;
}

static void go_up(struct walk *w)
{
    struct level *l = w->levels;

    w->levels = l->up;
    while (l->taken != l->begun) {
        place_free(l->ahead[l->taken++ % READ_AHEAD]);
    }
    listing_free(l->listing);
    free(l);
}

void levels_free(struct walk *w)
{
    while (w->levels != NULL) {
        go_up(w);
    }
}

/* ---- places ---- */

/* p, which is the next entry of l, goes to the output. */
static int emit(struct walk *w, struct level *l, struct place *p)
{
    int rc = roost_stream_emit(&w->places, &p);

    if (rc == 0) {
        l->listing->next++;
    }
    return rc;
}

static int visit_file(struct walk *w, struct level *l, char *path)
{
    struct place *p = place_new(w, path, KIND_FILE, l->listing->operands);
    int rc = p == NULL ? -ENOMEM : emit(w, l, p);

    if (rc < 0) {
        if (p != NULL) {
            place_free(p);
        }
        return rc;
    }
    rc = roost_sem_acquire(&w->started, 1);
    if (rc == 0) {
        rc = roost_spawn(roost_scope_current(), search_place, p);
    }
    if (rc < 0) {
        place_end(p, OUTCOME_LEFT);
        return rc;
    }
    return roost_yield(); /* a worker takes the newest first: let it be this */
}

static int begin_directory(struct walk *w, struct level *l, char *path)
{
    struct place *p = place_new(w, path, KIND_DIRECTORY, l->listing->operands);
    int rc =
        p == NULL ? -ENOMEM : roost_spawn(roost_scope_current(), read_place, p);

    if (rc == 0) {
        l->ahead[l->begun++ % READ_AHEAD] = p;
    } else if (p != NULL) {
        place_free(p);
    }
    return rc;
}

static int read_ahead(struct walk *w, struct level *l)
{
    const struct listing *names = l->listing;
    int rc = 0;

    while (rc == 0 && l->looked < names->count &&
           l->begun - l->taken < READ_AHEAD) {
        size_t i = l->looked++;

        if (names->entries[i].kind == KIND_DIRECTORY) {
            rc = begin_directory(w, l, listing_path(names, i));
        }
    }
    return rc;
}

/* The next entry is the first directory that was begun: down into it. */
static int visit_directory(struct walk *w, struct level *l)
{
    struct place *p = l->ahead[l->taken % READ_AHEAD];
    struct listing *listing;
    struct pieces none;
    int rc;

    assert(p != NULL); /* whose turn it is was begun: read_ahead */
    rc = roost_chan_recv(p->found, &none); /* it only closes that */
    if (rc != -EPIPE || p->outcome == OUTCOME_LEFT) {
        return -ECANCELED;
    }
    listing = p->listing;
    p->listing = NULL;
    rc = emit(w, l, p);
    l->taken += rc == 0;
    if (rc < 0 || listing == NULL || listing->count == 0) {
        listing_free(listing);
        return rc;
    }
    return go_down(w, listing);
}

static bool is_directory(const struct walk *w, const char *operand)
{
    struct stat st;

    return w->options->here || (stat(operand, &st) == 0 && S_ISDIR(st.st_mode));
}

static int visit_next(struct walk *w, struct level *l)
{
    const struct listing *names = l->listing;
    bool directory = names->entries[names->next].kind == KIND_DIRECTORY;
    char *path = NULL;
    int rc = read_ahead(w, l);

    if (rc == 0 && !directory) {
        path = listing_path(names, names->next);
        rc = path == NULL ? -ENOMEM : 0;
        if (rc == 0 && names->operands && is_directory(w, path)) {
            directory = true;
            rc = begin_directory(w, l, path);
        }
    }
    if (rc < 0) {
        return rc;
    }
    return directory ? visit_directory(w, l) : visit_file(w, l, path);
}

/* ---- the walk ---- */

/* Fails, and so cancels the others, once the search is to end early. */
static int await_stop(void *arg)
{
    struct walk *w = arg;
    int rc = roost_oneshot_get(&w->stop, NULL);

    return rc == 0 ? ENDED_EARLY : rc;
}

int walker(roost_stream *places, void *walk)
{
    struct walk *w = walk;
    roost_scope scope;
    int rc;

    (void)places; /* w->places */
    roost_scope_open(
        &scope, &(roost_scope_opts){.deadline = w->deadline, .name = "search"});
    rc = roost_spawn_opts(
        &scope, await_stop, w,
        &(roost_task_opts){.name = "stop", .flags = ROOST_SERVICE});
    if (rc == 0) {
        rc = go_down(
            w, listing_of_operands(w->options->paths, w->options->path_count));
    }
    while (rc == 0 && w->levels != NULL) {
        struct level *l = w->levels;

        if (l->listing->next < l->listing->count) {
            rc = visit_next(w, l);
        } else {
            go_up(w);
        }
    }
    return roost_scope_close(&scope, rc);
}
