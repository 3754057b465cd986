/*
 * walk.c - the tasks: see walk.h.
 *
 * MODEL  A directory's task reads it and gives the order a listing; a file's
 *        task searches it and gives the order its pieces. Each, when it ends,
 *        starts what the order names next. So at most `window` are started,
 *        and the scope's limit, the same number, holds them to it: a task
 *        spawned by one that is about to end starts when that has ended. Each
 *        has one descriptor open at most.
 *
 *        Reads are plain read(2) on the worker: the others go on meanwhile.
 *
 *        ROOST_SKIP: what is spawned and not begun when the search is
 *        cancelled never runs. It stands in the order as started, and is
 *        reported as left.
 */
#include "walk.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* How many tasks may be started. More than there are workers, since some wait
 * for their turn to be printed; few, since what they find may have to be kept.
 */
#define WINDOW_A_WORKER 8
#define WINDOW_MIN 16
#define DESCRIPTORS_OF_OTHERS 24 /* ours, the runtime's, what was inherited */

/* After Ctrl-C or the deadline: how long a full pipe is waited for. */
#define LAST_PATIENCE ROOST_S

static int run_place(void *arg);

/* ---- searches, kept for the next file ---- */

static struct search *borrow_search(struct walk *w)
{
    struct search *s;

    pthread_mutex_lock(&w->lock);
    s = w->spare;
    if (s != NULL) {
        w->spare = s->next;
    }
    pthread_mutex_unlock(&w->lock);
    return s != NULL ? s : search_new(w->options, w->pattern);
}

static void return_search(struct walk *w, struct search *s)
{
    pthread_mutex_lock(&w->lock);
    s->next = w->spare;
    w->spare = s;
    pthread_mutex_unlock(&w->lock);
}

/* ---- tasks ---- */

/* A place that cannot be searched. */
static void refuse(struct walk *w, struct place *p, int error)
{
    struct pieces pieces = {0};
    char words[ERROR_WORDS_SIZE];

    pieces_error(&pieces, p->path, error_words(-error, words));
    order_done(&w->order, p, &pieces, NULL, OUTCOME_BROKEN);
}

static void start_more(struct walk *w, roost_scope *scope)
{
    struct place *p;

    while ((p = order_next(&w->order)) != NULL) {
        int rc = roost_spawn_opts(scope, run_place, p, NULL);

        if (rc == -ECANCELED) {
            struct pieces none = {0};

            order_done(&w->order, p, &none, NULL, OUTCOME_LEFT);
        } else if (rc < 0) {
            refuse(w, p, rc);
        }
    }
}

static void run_directory(struct walk *w, struct place *p, bool operand)
{
    struct listing *listing = NULL;
    struct pieces pieces = {0};
    char words[ERROR_WORDS_SIZE];
    int rc = listing_read(&listing, p->path, operand);

    if (rc == -ECANCELED) {
        order_done(&w->order, p, &pieces, NULL, OUTCOME_CUT);
        return;
    }
    if (rc < 0) {
        pieces_error(&pieces, p->path, error_words(-rc, words));
    }
    order_done(&w->order, p, &pieces, listing,
               rc < 0 ? OUTCOME_BROKEN : OUTCOME_DONE);
}

/* Searching the file that stdout goes to would never end. */
static bool is_output(const struct walk *w, const struct search *s)
{
    return w->out_regular && !w->options->names && w->options->first != 1 &&
           s->input.stat.st_dev == w->out_device &&
           s->input.stat.st_ino == w->out_inode;
}

/* What a search has found so far goes to its place. */
static int hand_over(struct search *s, void *ctx)
{
    struct place *p = ctx;
    struct walk *w = (struct walk *)p->order;

    order_put(&w->order, p, &s->pieces);
    start_more(w, w->order.scope);
    return order_wait(&w->order, p);
}

static void search_place(struct walk *w, struct place *p, struct search *s)
{
    enum outcome outcome = OUTCOME_DONE;
    int rc = 0;

    s->hand_over = hand_over;
    s->ctx = p;
    if (is_output(w, s)) {
        pieces_error(&s->pieces, p->path, "input file is also the output");
        outcome = OUTCOME_BROKEN;
    } else {
        rc = search_file(s, p->path);
        outcome = s->broken ? OUTCOME_BROKEN : OUTCOME_DONE;
    }
    input_close(&s->input);
    order_done(&w->order, p, &s->pieces, NULL, rc < 0 ? OUTCOME_CUT : outcome);
}

static void run_file(struct walk *w, struct place *p)
{
    bool operand = p->kind == KIND_OPERAND;
    struct search *s = borrow_search(w);
    int rc;

    if (s == NULL) {
        refuse(w, p, -ENOMEM);
        return;
    }
    rc = input_open(&s->input, p->path, operand);
    if (rc == 0 && operand) {
        order_is(&w->order, p, KIND_FILE);
    }
    if (rc == 0) {
        search_place(w, p, s);
    }
    return_search(w, s);
    if (rc == -EISDIR) {
        order_is(&w->order, p, KIND_DIRECTORY);
        run_directory(w, p, operand);
    } else if (rc == -ENOTSUP) {
        struct pieces none = {0};

        order_done(&w->order, p, &none, NULL, OUTCOME_SKIPPED);
    } else if (rc < 0) {
        order_is(&w->order, p, KIND_FILE);
        refuse(w, p, rc);
    }
}

/* A file, a directory, or a path of the command line. */
static int run_place(void *arg)
{
    struct place *p = arg;
    struct walk *w = (struct walk *)p->order;
    bool here = p->kind == KIND_OPERAND && w->options->here;

    if (here) {
        order_is(&w->order, p, KIND_DIRECTORY);
    }
    if (roost_cancelled()) {
        struct pieces none = {0};

        order_done(&w->order, p, &none, NULL, OUTCOME_LEFT);
    } else if (p->kind == KIND_DIRECTORY) {
        run_directory(w, p, here);
    } else {
        run_file(w, p);
    }
    start_more(w, w->order.scope);
    return 0;
}

/* ---- the search ---- */

static unsigned choose_window(const struct options *o)
{
    struct rlimit files;
    unsigned n = o->open_files;

    if (n == 0) {
        n = roost_worker_count() * WINDOW_A_WORKER;
        n = n < WINDOW_MIN ? WINDOW_MIN : n;
    }
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 &&
        files.rlim_cur < (rlim_t)n + DESCRIPTORS_OF_OTHERS) {
        n = files.rlim_cur > DESCRIPTORS_OF_OTHERS
                ? (unsigned)files.rlim_cur - DESCRIPTORS_OF_OTHERS
                : 1;
    }
    return n;
}

/* From here on until close_to_signals a signal can cancel the scope. */
static void open_to_signals(struct walk *w, roost_scope *scope)
{
    pthread_mutex_lock(&w->lock);
    w->scope = scope;
    if (w->signal != 0) {
        roost_scope_cancel(scope, 0);
    }
    pthread_mutex_unlock(&w->lock);
}

static void close_to_signals(struct walk *w)
{
    pthread_mutex_lock(&w->lock);
    w->scope = NULL;
    pthread_mutex_unlock(&w->lock);
}

void walk_stop(struct walk *w, int signal)
{
    pthread_mutex_lock(&w->lock);
    w->signal = signal;
    if (w->scope != NULL) {
        roost_scope_cancel(w->scope, 0);
    }
    pthread_mutex_unlock(&w->lock);
}

static void judge(struct walk *w, int status, bool expired)
{
    pthread_mutex_lock(&w->lock); /* a signal may come still */
    if (w->order.printer.failure < 0) {
        w->end = END_OUTPUT;
        w->failure = w->order.printer.failure;
    } else if (w->signal != 0) {
        w->end = END_SIGNAL;
    } else if (expired && !w->order.complete) {
        w->end = END_DEADLINE;
    } else if (status < 0 && !expired) {
        w->end = END_FAILED;
        w->failure = status;
    } else {
        w->end = END_ALL;
    }
    pthread_mutex_unlock(&w->lock);
}

int walk_run(struct walk *w)
{
    unsigned window = choose_window(w->options);
    struct listing *operands =
        listing_of_operands(w->options->paths, w->options->path_count);
    roost_scope scope;
    int rc;

    w->began = roost_now();
    w->order.window = window;
    roost_scope_open(&scope, &(roost_scope_opts){.timeout = w->options->timeout,
                                                 .limit = window,
                                                 .flags = ROOST_SKIP,
                                                 .name = "search"});
    rc = operands == NULL ? -ENOMEM : order_begin(&w->order, &scope, operands);
    if (rc == 0) {
        open_to_signals(w, &scope);
        start_more(w, &scope);
        /* Cancelled it comes back at once, and close waits for the tasks. */
        (void)roost_scope_join(&scope);
        close_to_signals(w);
    }
    order_halt(&w->order);
    rc = roost_scope_close(&scope, rc);
    if (w->order.printer.failure == 0) {
        (void)order_finish(&w->order, LAST_PATIENCE);
    }
    w->ended = roost_now();
    judge(w, rc, roost_scope_expired(&scope));
    return 0;
}

/* ---- its life ---- */

void walk_init(struct walk *w, const struct options *o, const struct pattern *p)
{
    struct stat out;

    memset(w, 0, sizeof *w);
    order_init(&w->order, 1, o->first);
    pthread_mutex_init(&w->lock, NULL);
    w->options = o;
    w->pattern = p;
    w->out_regular = fstat(STDOUT_FILENO, &out) == 0 && S_ISREG(out.st_mode);
    if (w->out_regular) {
        w->out_device = out.st_dev;
        w->out_inode = out.st_ino;
    }
}

void walk_destroy(struct walk *w)
{
    struct search *s;

    while ((s = w->spare) != NULL) {
        w->spare = s->next;
        search_free(s);
    }
    order_destroy(&w->order);
    pthread_mutex_destroy(&w->lock);
}
