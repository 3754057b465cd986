/*
 * order.c - the list in path order: see order.h.
 *
 * MODEL
 *   first                                                               last
 *   [done: pieces] [started a/b] [started a/c] [listing a/: d e f] [done] ...
 *
 *   A directory that was read stands as a listing in its place; entries are
 *   taken off its front and stand before it, started. Done places melt into
 *   their neighbours. So the list is short: the started places, a done one
 *   between each two of them, and the listings, which are those of a walk that
 *   goes deep first.
 *
 *   Whoever makes the first place complete takes the ready pieces off and
 *   prints them without the lock; others leave theirs in the list meanwhile.
 *
 * INVARIANTS
 *   1 The place started next is the first entry of the first listing
 *     (order_next). So, whenever started == window, the first place that is not
 *     done is a started one: a listing before it could only have come from a
 *     task that ended and gave its room back.
 *   2 The first place may always go on (may_go), and if it is a listing it is
 *     started (order_next), however much is held. With 1: the search never
 *     stands still, and held stays below HELD_MAX and one hand-over for each
 *     started place.
 *   3 A turn is cancelled under the lock only, and its task takes it back
 *     under the lock before it closes it: so it is open (open_turns).
 *
 * COST  Three times the lock for each file, and a walk over the done and
 *       started places before the first listing, at most two a started one.
 *
 * REJECTED  A task for each path at once, with their results sorted at the end:
 *       memory without a bound, and no line before the end. Tasks that wait for
 *       their neighbour to be printed: a fiber for each file found.
 */
#include "order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HELD_MAX ((size_t)32 * 1024 * 1024)

/* ---- the ring ---- */

static void insert_before(struct place *next, struct place *p)
{
    p->next = next;
    p->prev = next->prev;
    next->prev->next = p;
    next->prev = p;
}

static void drop(struct place *p)
{
    p->prev->next = p->next;
    p->next->prev = p->prev;
    pieces_free(&p->pieces);
    listing_free(p->listing);
    free(p->path);
    free(p);
}

static bool is_done(const struct order *o, const struct place *p)
{
    return p != &o->list && p->state == PLACE_DONE;
}

/* A done place melts into a done neighbour, or vanishes if it says nothing. */
static void settle(struct order *o, struct place *p)
{
    if (is_done(o, p->prev)) {
        p = p->prev;
        pieces_move(&p->pieces, &p->next->pieces);
        drop(p->next);
    } else if (p->pieces.first == NULL && p->pieces.untold == 0) {
        drop(p);
        return;
    }
    if (is_done(o, p->next)) {
        pieces_move(&p->pieces, &p->next->pieces);
        drop(p->next);
    }
}

/* ---- turns ---- */

static bool may_go(const struct order *o, const struct place *p)
{
    return o->held <= HELD_MAX || o->halted ||
           (o->list.next == p && !o->printing);
}

static void open_turns(struct order *o)
{
    struct place *p;

    for (p = o->list.next; o->waiting > 0 && p != &o->list; p = p->next) {
        if (p->turn != NULL && may_go(o, p)) {
            roost_scope_cancel(p->turn, 0);
            p->turn = NULL;
            o->waiting--;
        }
    }
}

int order_wait(struct order *o, struct place *p)
{
    roost_scope turn;
    bool wait;

    roost_scope_open(&turn, NULL);
    pthread_mutex_lock(&o->lock);
    wait = !may_go(o, p);
    if (wait) {
        p->turn = &turn;
        o->waiting++;
    }
    pthread_mutex_unlock(&o->lock);
    if (wait) {
        /* Ends when the turn is cancelled, or the search. */
        roost_sleep_until(ROOST_NEVER);
        pthread_mutex_lock(&o->lock);
        if (p->turn != NULL) {
            p->turn = NULL;
            o->waiting--;
        }
        pthread_mutex_unlock(&o->lock);
    }
    return roost_scope_close(&turn, 0);
}

/* ---- printing ---- */

static void account(struct order *o, const struct piece *piece)
{
    o->matched = o->matched || piece->matched;
    o->tally.lines += piece->lines;
    o->tally.errors += piece->trouble;
}

/* Moves what a place has to the batch, up to the last line that is wanted. */
static void take_pieces(struct order *o, struct place *p)
{
    const struct piece *piece;

    o->tally.errors += p->pieces.untold;
    p->pieces.untold = 0;
    if (!o->limited) {
        for (piece = p->pieces.first; piece != NULL; piece = piece->next) {
            account(o, piece);
        }
        pieces_move(&o->batch, &p->pieces);
        return;
    }
    while (!o->enough && p->pieces.first != NULL) {
        struct pieces one = {0};

        one.first = one.last = pieces_take(&p->pieces);
        one.held = sizeof *one.first + one.first->room;
        account(o, one.first);
        o->first -= one.first->lines;
        o->enough = o->first == 0;
        pieces_move(&o->batch, &one);
    }
}

/* Takes what can be printed: all up to the first place that is not done, and
 * what that one has so far. */
static void take_ready(struct order *o)
{
    while (!o->enough && o->list.next != &o->list) {
        struct place *p = o->list.next;

        take_pieces(o, p);
        if (p->state != PLACE_DONE) {
            break;
        }
        drop(p);
    }
}

static void end_search(struct order *o)
{
    o->halted = true;
    roost_scope_cancel(o->scope, 0);
}

/* With the lock, which is given back while it prints. Whoever prints opens the
 * turns that come by it. */
static void print_ready(struct order *o)
{
    if (o->printing || o->halted) {
        return;
    }
    take_ready(o);
    o->printing = true;
    while (o->batch.first != NULL && !o->halted) {
        size_t before = o->batch.held;
        int rc;

        pthread_mutex_unlock(&o->lock);
        rc = printer_print(&o->printer, &o->batch);
        pthread_mutex_lock(&o->lock);
        o->held -= before - o->batch.held;
        if (rc == -ECANCELED) {
            break; /* order_finish goes on with it */
        }
        if (rc < 0 || o->enough) {
            end_search(o);
            break;
        }
        take_ready(o);
        open_turns(o);
    }
    o->printing = false;
    open_turns(o);
}

void order_put(struct order *o, struct place *p, struct pieces *pieces)
{
    pthread_mutex_lock(&o->lock);
    o->held += pieces->held;
    pieces_move(&p->pieces, pieces);
    print_ready(o);
    pthread_mutex_unlock(&o->lock);
}

int order_finish(struct order *o, roost_ns patience)
{
    struct place *p = o->list.next;
    int rc;

    o->complete = true;
    while (p != &o->list && !o->enough) {
        struct place *next = p->next;
        bool done = p->state == PLACE_DONE;

        take_pieces(o, p);
        o->complete = o->complete && (done || o->enough);
        if (done) {
            drop(p);
        }
        p = next;
    }
    o->printer.patience = patience;
    rc = printer_print(&o->printer, &o->batch);
    o->complete = o->complete && rc == 0;
    return rc;
}

void order_bar(struct order *o, const char *line)
{
    pthread_mutex_lock(&o->lock);
    if (!o->printing) {
        printer_bar(&o->printer, line);
    }
    pthread_mutex_unlock(&o->lock);
}

/* ---- starting and ending ---- */

static struct listing *first_listing(const struct order *o, struct place **at)
{
    struct place *p = o->list.next;

    while (p != &o->list && p->state != PLACE_LISTING) {
        p = p->next;
    }
    *at = p;
    return p == &o->list ? NULL : p->listing;
}

/* An entry for which there is no memory: it counts as an error that could not
 * be shown. */
static void lose_entry(struct order *o, enum kind kind)
{
    o->tally.errors++;
    if (kind == KIND_DIRECTORY) {
        o->tally.directories_broken++;
    } else {
        o->tally.files_broken++;
        o->tally.files_found += kind == KIND_OPERAND;
    }
}

/* Takes the next entry off a listing, which vanishes with its last one. */
static struct place *take_entry(struct order *o, struct place *at)
{
    struct listing *l = at->listing;
    struct place *p = calloc(1, sizeof *p);
    char *path = listing_path(l, l->next);
    enum kind kind = l->entries[l->next].kind;

    l->next++;
    if (p == NULL || path == NULL) {
        lose_entry(o, kind);
        free(path);
        free(p);
        p = NULL;
    } else {
        p->order = o;
        p->state = PLACE_STARTED;
        p->kind = kind;
        p->path = path;
        insert_before(at, p);
    }
    if (l->next == l->count) {
        drop(at);
    }
    return p;
}

struct place *order_next(struct order *o)
{
    struct place *p = NULL;
    struct place *at;

    pthread_mutex_lock(&o->lock);
    while (p == NULL && o->started < o->window && !o->halted && !o->enough &&
           first_listing(o, &at) != NULL &&
           (o->held <= HELD_MAX || at == o->list.next)) {
        p = take_entry(o, at);
    }
    o->started += p != NULL;
    pthread_mutex_unlock(&o->lock);
    return p;
}

static void become_listing(struct order *o, struct place *p,
                           struct listing *listing)
{
    o->tally.files_found += listing->files;
    o->tally.directories_found += listing->directories;
    o->tally.skipped += listing->skipped;
    if (listing->count == 0) {
        listing_free(listing);
        p->state = PLACE_DONE;
        settle(o, p);
        return;
    }
    if (p->pieces.first != NULL) {
        /* What there is to say of a directory comes before what is in it. */
        struct place *said = calloc(1, sizeof *said);

        if (said != NULL) {
            said->order = o;
            said->state = PLACE_DONE;
            pieces_move(&said->pieces, &p->pieces);
            insert_before(p, said);
            settle(o, said);
        } else {
            o->tally.errors++;
            o->held -= p->pieces.held;
            pieces_free(&p->pieces);
        }
    }
    p->state = PLACE_LISTING;
    p->listing = listing;
}

static void count_outcome(struct order *o, const struct place *p,
                          enum outcome outcome)
{
    struct tally *t = &o->tally;
    bool directory = p->kind == KIND_DIRECTORY;

    if (outcome == OUTCOME_SKIPPED) {
        t->skipped++;
        t->files_found -= p->kind == KIND_FILE;
    } else if (outcome == OUTCOME_BROKEN) {
        *(directory ? &t->directories_broken : &t->files_broken) += 1;
    } else if (outcome == OUTCOME_DONE) {
        *(directory ? &t->directories_read : &t->files_searched) += 1;
    }
}

void order_done(struct order *o, struct place *p, struct pieces *pieces,
                struct listing *listing, enum outcome outcome)
{
    pthread_mutex_lock(&o->lock);
    o->started--;
    o->held += pieces->held;
    pieces_move(&p->pieces, pieces);
    count_outcome(o, p, outcome);
    if (outcome == OUTCOME_CUT || outcome == OUTCOME_LEFT) {
        p->state = outcome == OUTCOME_CUT ? PLACE_CUT : PLACE_STARTED;
        o->halted = true; /* the search is cancelled */
    } else if (listing != NULL) {
        become_listing(o, p, listing);
    } else {
        p->state = PLACE_DONE;
        settle(o, p);
    }
    print_ready(o);
    pthread_mutex_unlock(&o->lock);
}

void order_is(struct order *o, struct place *p, enum kind kind)
{
    pthread_mutex_lock(&o->lock);
    o->tally.files_found -= p->kind == KIND_FILE;
    o->tally.files_found += kind == KIND_FILE;
    o->tally.directories_found += kind == KIND_DIRECTORY;
    p->kind = kind;
    pthread_mutex_unlock(&o->lock);
}

void order_halt(struct order *o)
{
    pthread_mutex_lock(&o->lock);
    o->halted = true;
    open_turns(o);
    pthread_mutex_unlock(&o->lock);
}

/* ---- its life ---- */

void order_init(struct order *o, unsigned window, uint64_t first)
{
    memset(o, 0, sizeof *o);
    pthread_mutex_init(&o->lock, NULL);
    o->list.prev = o->list.next = &o->list;
    o->window = window;
    o->first = first;
    o->limited = first > 0;
    printer_init(&o->printer);
}

int order_begin(struct order *o, roost_scope *scope, struct listing *operands)
{
    struct place *p = calloc(1, sizeof *p);

    o->scope = scope;
    if (p == NULL) {
        listing_free(operands);
        return -ENOMEM;
    }
    p->order = o;
    p->state = PLACE_LISTING;
    p->listing = operands;
    insert_before(&o->list, p);
    return 0;
}

void order_destroy(struct order *o)
{
    while (o->list.next != &o->list) {
        drop(o->list.next);
    }
    pieces_free(&o->batch);
    pthread_mutex_destroy(&o->lock);
}

struct tally order_tally(struct order *o)
{
    struct tally tally;

    pthread_mutex_lock(&o->lock);
    tally = o->tally;
    pthread_mutex_unlock(&o->lock);
    return tally;
}
