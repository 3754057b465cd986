/*
 * walk.c - the search as a whole: see walk.h.
 *
 * MODEL  walker --places--> output      a stream, in path order
 *          `- tasks --found--^          a channel each
 *
 *        The walker makes places and starts their tasks, which search files and
 *        read directories; the output, on the main task, takes the places in
 *        their order and prints what is found in each until that is complete.
 *
 *        walk_stop, --first and a stdout that fails set `stop`, which cancels
 *        the walker's scope, as does the deadline. Then all tasks end, the
 *        stream does, and the output has the partial result and what is left.
 */
#include "walk.h"
#include "search.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* How many files may be open. More than there are workers, since the tasks of
 * some wait until there is room for what they have found. */
#define OPEN_A_WORKER 8
#define OPEN_MIN 16
#define DESCRIPTORS_OF_OTHERS 24 /* ours, the runtime's, what was inherited */

/* How far the walker may be before the output. So long can one file take while
 * others are searched; each of them costs some 500 bytes. */
#define AHEAD 4096

static unsigned choose_open_files(const struct options *o)
{
    struct rlimit files;
    unsigned n = o->open_files;

    if (n == 0) {
        n = roost_worker_count() * OPEN_A_WORKER;
        n = n < OPEN_MIN ? OPEN_MIN : n;
    }
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 &&
        files.rlim_cur < (rlim_t)n + DESCRIPTORS_OF_OTHERS) {
        n = files.rlim_cur > DESCRIPTORS_OF_OTHERS
                ? (unsigned)files.rlim_cur - DESCRIPTORS_OF_OTHERS
                : 1;
    }
    return n;
}

void walk_stop(struct walk *w, int signal)
{
    (void)roost_oneshot_set(&w->stop, (void *)(intptr_t)signal);
}

/* status: what the stream has ended with. */
static void judge(struct walk *w, int status)
{
    const struct output *o = &w->output;
    bool whole = o->left == NULL && w->levels == NULL;
    void *signal = NULL;

    (void)roost_oneshot_get_until(&w->stop, &signal, 0);
    w->signal = (int)(intptr_t)signal;
    w->complete = o->printer.failure == 0 && (whole || o->first == 0);
    if (o->printer.failure < 0 && o->printer.failure != -ETIMEDOUT) {
        w->end = END_OUTPUT;
        w->failure = o->printer.failure;
    } else if (w->signal != 0) {
        w->end = END_SIGNAL;
    } else if (status < 0 && status != -ETIMEDOUT && status != ENDED_EARLY) {
        w->end = END_FAILED;
        w->failure = status;
    } else {
        w->end = w->complete ? END_ALL : END_DEADLINE;
    }
}

int walk_run(struct walk *w)
{
    const struct options *o = w->options;
    unsigned open_files = choose_open_files(o);
    int rc;

    w->began = roost_now();
    w->deadline = o->timeout == 0 ? ROOST_NEVER : roost_in(o->timeout);
    (void)roost_limiter_init(&w->open_files, open_files);
    (void)roost_sem_init(&w->started, open_files, open_files);
    (void)roost_sem_init(&w->memory, MEMORY, MEMORY);
    output_init(&w->output, o->first, &w->stop, w->deadline, &w->memory);
    w->spare = roost_chan_new_opts(sizeof(struct search *), open_files,
                                   &(roost_chan_opts){.on_drop = search_drop});
    rc = w->spare == NULL ? -ENOMEM
                          : roost_stream_open(&w->places, walker, w,
                                              sizeof(struct place *), AHEAD);
    if (rc == 0) {
        rc = output_run(&w->output, &w->places);
        (void)roost_stream_close(&w->places);
    }
    w->ended = roost_now();
    judge(w, rc);
    return 0;
}

void walk_init(struct walk *w, const struct options *o, const struct pattern *p)
{
    struct stat out;

    memset(w, 0, sizeof *w);
    (void)roost_oneshot_init(&w->stop);
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
    levels_free(w);
    output_destroy(&w->output);
    roost_chan_free(w->spare);
    roost_sem_destroy(&w->memory);
    roost_sem_destroy(&w->started);
    roost_limiter_destroy(&w->open_files);
}
