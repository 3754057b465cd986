/*
 * tasks.c - a task a file, a task a directory: see tasks.h.
 *
 * MODEL  What is found goes to the output, if that has come to this place, or
 *        stays with the place, if there is memory for it: a select waits for
 *        either. So the first place always flows, and what the others keep is
 *        bounded, however much there is to be found.
 *
 * INVARIANTS
 *   1 Whoever has a descriptor open has a token of the limiter; nothing waits
 *     with a token but for memory or the output (hand_over).
 *   2 There are as many tokens as files that can be begun and not done, and
 *     those are the first in path order (walker.c, visit_file). So the first
 *     of all gets its token, whatever the others wait for, and with it the
 *     search goes on.
 */
#include "tasks.h"
#include "search.h"
#include "walk.h"

#include <errno.h>

/* Searches are kept for the next file: their buffers and compiled code cost
 * more than most files. */
static struct search *borrow_search(struct walk *w)
{
    struct search *s;
    bool spare = roost_chan_try_recv(w->spare, &s) == 0;

    return spare ? s : search_new(w->options, w->pattern);
}

static void return_search(struct walk *w, struct search *s)
{
    if (s != NULL && roost_chan_try_send(w->spare, &s) != 0) {
        search_free(s);
    }
}

/* Memory that the place holds without a permit. One line may be larger than
 * all that there is. */
static unsigned owed(const struct place *p)
{
    size_t n = p->rest.held - p->rest.paid;

    return (unsigned)(n < MEMORY ? n : MEMORY);
}

/* Sends what was found so far, or pays for keeping it. 0 or -ECANCELED. */
static int hand_over(struct search *s, void *place)
{
    struct place *p = place;
    roost_case either[2];
    unsigned n;
    int rc;

    pieces_move(&p->rest, &s->pieces);
    if (p->rest.first == NULL) {
        return 0;
    }
    n = owed(p);
    either[0] = roost_on_send(p->found, &p->rest);
    either[1] = roost_on_sem(&p->walk->memory, n);
    rc = roost_select_ordered(either, 2);
    if (rc == 0) {
        p->rest = (struct pieces){0}; /* they are the output's */
    } else if (rc == 1) {
        p->rest.paid += n;
    }
    return rc < 0 ? rc : 0;
}

/* The last of it stays with the place where that can be had at once. Cancelled
 * it stays there unpaid. */
static void leave(struct search *s, struct place *p)
{
    unsigned n;

    pieces_move(&p->rest, &s->pieces);
    n = owed(p);
    if (roost_sem_try_acquire(&p->walk->memory, n) == 0) {
        p->rest.paid += n;
    } else {
        (void)hand_over(s, p);
    }
}

/* Searching the file that stdout goes to would never end. */
static bool is_output(const struct walk *w, const struct search *s)
{
    return w->out_regular && !w->options->names && w->options->first != 1 &&
           s->input.stat.st_dev == w->out_device &&
           s->input.stat.st_ino == w->out_inode;
}

static enum outcome search_opened(struct place *p, struct search *s)
{
    if (is_output(p->walk, s)) {
        pieces_error(&s->pieces, p->path, "input file is also the output");
        return OUTCOME_BROKEN;
    }
    s->hand_over = hand_over;
    s->ctx = p;
    if (search_file(s, p->path) < 0) {
        return OUTCOME_CUT;
    }
    return s->broken ? OUTCOME_BROKEN : OUTCOME_DONE;
}

/* The place cannot be opened, and why. */
static enum outcome refuse(struct place *p, int error)
{
    char words[ERROR_WORDS_SIZE];

    if (error == -ENOTSUP) {
        return OUTCOME_SKIPPED;
    }
    pieces_error(&p->rest, p->path, error_words(-error, words));
    return OUTCOME_BROKEN;
}

static enum outcome search_with(struct place *p, struct search *s)
{
    int rc = input_open(&s->input, p->path, p->operand);
    enum outcome outcome;

    if (rc < 0) {
        return refuse(p, rc);
    }
    outcome = search_opened(p, s);
    input_close(&s->input);
    leave(s, p);
    return outcome;
}

int search_place(void *place)
{
    struct place *p = place;
    struct walk *w = p->walk;
    enum outcome outcome = OUTCOME_LEFT;

    if (roost_limiter_acquire(&w->open_files) == 0) {
        struct search *s = borrow_search(w);

        outcome = s == NULL ? refuse(p, -ENOMEM) : search_with(p, s);
        return_search(w, s);
        (void)roost_limiter_release(&w->open_files);
    }
    (void)roost_sem_release(&w->started, 1);
    place_end(p, outcome);
    return 0;
}

int read_place(void *place)
{
    struct place *p = place;
    int rc = roost_limiter_acquire(&p->walk->open_files);
    enum outcome outcome = OUTCOME_LEFT;

    if (rc == 0) {
        rc = listing_read(&p->listing, p->path, p->operand);
        (void)roost_limiter_release(&p->walk->open_files);
    }
    if (p->listing != NULL) {
        p->census = p->listing->census;
    }
    if (rc != -ECANCELED) {
        outcome = rc < 0 ? refuse(p, rc) : OUTCOME_DONE;
    }
    place_end(p, outcome);
    return 0;
}
