/*
 * output.c - from the stream to the printer: see output.h.
 *
 * MODEL  One task. It receives what is found in the first place until that is
 *        closed, prints what is left with the place, and takes the next place.
 *        Where it would have to wait it lets others go first, and then flushes
 *        the printer, unless they had more for it. So many lines take one
 *        system call, and none is kept back.
 *
 *        It is not cancelled with the search: when that is cut short, places
 *        keep coming, complete or not, until the stream is at its end.
 */
#include "output.h"

#include <errno.h>
#include <stdlib.h>

/* Nobody sees so short a wait, in which the walker and a task come to their
 * turns. */
#define LINGER (20 * ROOST_MS)
#define TURNS 4

static void print(struct output *o, const struct piece *piece)
{
    if (!printer_staged(&o->printer)) {
        o->due = roost_in(LINGER);
    }
    if (o->first == 0 || printer_put(&o->printer, piece) < 0) {
        return;
    }
    o->matched = o->matched || piece->matched;
    o->tally.lines += piece->lines;
    o->tally.errors += piece->trouble;
    o->first -= piece->lines;
}

/* Prints what was found, and gives its memory back. With the lock. */
static void take(struct output *o, struct pieces *found)
{
    size_t paid = found->paid;
    struct piece *piece;

    o->tally.errors += o->first == 0 ? 0 : found->untold;
    while ((piece = pieces_take(found)) != NULL) {
        print(o, piece);
        free(piece);
    }
    if (paid > 0) {
        (void)roost_sem_release(o->memory, (unsigned)paid);
    }
    if (o->first == 0) {
        (void)printer_flush(&o->printer);
    }
    if (o->first == 0 || o->printer.failure < 0) {
        (void)roost_oneshot_set(o->stop, NULL);
    }
}

static void flush(struct output *o)
{
    roost_mutex_lock(&o->lock);
    (void)printer_flush(&o->printer);
    roost_mutex_unlock(&o->lock);
}

/* Nothing is there at once: others go first, so that what is staged has company
 * when it goes; not for long, and after a few turns it goes alone. */
static bool linger(struct output *o, unsigned *turns)
{
    return printer_staged(&o->printer) && (*turns)++ < TURNS &&
           roost_now() < o->due && roost_yield() == 0;
}

/* 0, or -EPIPE: the place is complete. */
static int next_found(struct output *o, struct place *p, struct pieces *found)
{
    unsigned turns = 0;
    int rc;

    do {
        rc = roost_chan_try_recv(p->found, found);
    } while (rc == -EAGAIN && linger(o, &turns));
    if (rc == -EAGAIN) {
        flush(o);
        rc = roost_chan_recv(p->found, found);
    }
    return rc;
}

/* As roost_stream_next; at the end nothing is staged. */
static int next_place(struct output *o, roost_stream *places, struct place **p)
{
    unsigned turns = 0;
    int rc;

    do {
        rc = roost_stream_next_until(places, p, 0); /* expired: one try */
    } while (rc == -ETIMEDOUT && linger(o, &turns));
    if (rc <= 0) {
        flush(o);
        rc = roost_stream_next(places, p);
    }
    return rc;
}

static void count_file(struct tally *t, const struct place *p)
{
    if (p->outcome == OUTCOME_SKIPPED) {
        t->skipped++;
        t->files_found -= !p->operand;
        return;
    }
    t->files_found += p->operand;
    t->files_searched += p->outcome == OUTCOME_DONE;
    t->files_broken += p->outcome == OUTCOME_BROKEN;
}

static void count_directory(struct tally *t, const struct place *p)
{
    t->directories_found += p->operand;
    t->directories_read += p->outcome == OUTCOME_DONE;
    t->directories_broken += p->outcome == OUTCOME_BROKEN;
    t->files_found += p->census.files;
    t->directories_found += p->census.directories;
    t->skipped += p->census.skipped;
}

/* The rest of a place. It is kept if it was not searched to its end. */
static void finish(struct output *o, struct place *p)
{
    roost_mutex_lock(&o->lock);
    take(o, &p->rest);
    if (p->kind == KIND_FILE) {
        count_file(&o->tally, p);
    } else {
        count_directory(&o->tally, p);
    }
    roost_mutex_unlock(&o->lock);
    if (p->outcome == OUTCOME_LEFT || p->outcome == OUTCOME_CUT) {
        *o->end = p;
        o->end = &p->next;
    } else {
        place_free(p);
    }
}

int output_run(struct output *o, roost_stream *places)
{
    struct pieces found;
    struct place *p;
    int rc;

    while ((rc = next_place(o, places, &p)) > 0) {
        while (next_found(o, p, &found) == 0) {
            roost_mutex_lock(&o->lock);
            take(o, &found);
            roost_mutex_unlock(&o->lock);
        }
        finish(o, p);
    }
    return rc;
}

void output_init(struct output *o, uint64_t first, roost_oneshot *stop,
                 roost_ns deadline, roost_sem *memory)
{
    (void)roost_mutex_init(&o->lock);
    printer_init(&o->printer, stop, deadline);
    o->stop = stop;
    o->memory = memory;
    o->first = first == 0 ? UINT64_MAX : first;
    o->end = &o->left;
}

void output_destroy(struct output *o)
{
    struct place *p;

    while ((p = o->left) != NULL) {
        o->left = p->next;
        place_free(p);
    }
    roost_mutex_destroy(&o->lock);
}
