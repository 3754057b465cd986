/*
 * trace_file.c - a trace from its start to the end of its file.
 *
 * WHAT    roost_trace_start and _stop, and the thread in between that takes
 *         the records from the tracks and has trace_show.c write them.
 * MODEL   One trace at a time, of every runtime of the process; each of them
 *         is a process of the file, each thread a row in it.
 *
 *           start  1 room for the writer  2 its thread, which sleeps until a
 *                  record comes  3 the file  4 tracks open
 *           stop   1 tracks closed: nobody is at one any more  2 the writer
 *                  takes what is left, ends the file and is joined  3 the
 *                  tracks' room is freed
 *
 *         It is stopped by roost_trace_stop, or by the end of the runtime that
 *         it was started in (or by whose environment); of one started on a
 *         plain thread, by the end of the last runtime.
 * INVARIANTS
 *   - `running` is not NULL exactly between start and stop, under `control`,
 *     which is taken before the registry's lock.
 *   - A failed write ends writing and nothing else: the tracks are emptied to
 *     the end, and stop tells it.
 * ORDER
 *   TW1  ending: release by stop -> acquire by the writer    all that the
 *        closed tracks hold. Of the file, which start has opened before the
 *        tracks, the first record tells it (track.c).
 * SEE     track.c, trace.c, trace_show.c
 */
#include "base/alloc.h"
#include "observe/trace_show.h"
#include "runtime.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct trace {
    struct show show;   /* the writer's; before and after it the caller's */
    a32 ending;         /* M: TW1 */
    struct runtime *of; /* I: its end stops the trace; NULL: the last one's */
    pthread_t writer;   /* I */
    char path[256];     /* I: for a message */
};

struct tracing tracing = {PTHREAD_MUTEX_INITIALIZER, NULL};

/* --- the writer --- */

static bool take_all(struct trace *tr)
{
    unsigned n = 0;
    unsigned i;

    for (i = 0; i < TRACK_MAX; i++) {
        n += track_take(track_at(i), show_record, &tr->show);
    }
    return n > 0;
}

static void *writer_main(void *arg)
{
    struct trace *tr = arg;
    bool ending;

    do {
        uint32_t bell = track_bell();

        ending = a32_load(&tr->ending, ACQUIRE /* TW1 */) != 0;
        if (!take_all(tr) && !ending) {
            track_sleep(bell);
        }
    } while (!ending);
    return NULL;
}

/* The writer ends, and is gone. */
static void end_writer(struct trace *tr)
{
    a32_store(&tr->ending, 1, RELEASE /* TW1 */);
    track_ring();
    runtime_join(tr->writer);
}

/* --- start and stop, under control --- */

static int open_file(const char *path)
{
    int fd;

    do {
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    } while (fd < 0 && errno == EINTR);
    return fd < 0 ? -errno : fd;
}

static int begin(const char *path, struct runtime *of)
{
    struct trace *tr = alloc_zero(sizeof(*tr));
    int rc;

    if (tr == NULL) {
        return -ENOMEM;
    }
    tr->of = of;
    strncpy(tr->path, path, sizeof(tr->path) - 1);
    rc = runtime_thread(&tr->writer, writer_main, tr);
    if (rc != 0) {
        alloc_free(tr);
        return rc;
    }
    rc = open_file(path);
    if (rc < 0) {
        end_writer(tr);
        alloc_free(tr);
        return rc;
    }
    show_begin(&tr->show, rc);
    tracing.running = tr;
    track_open();
    return 0;
}

static int finish(void)
{
    struct trace *tr = tracing.running;
    int fd = tr->show.json.fd;
    int status;

    track_close();
    end_writer(tr);
    status = show_end(&tr->show);
    if (close(fd) != 0 && status == 0 && errno != EINTR) {
        status = -errno;
    }
    track_reset();
    tracing.running = NULL;
    alloc_free(tr);
    return status;
}

/* That of the calling task, or of the call that a thread of a pool is in. */
static struct runtime *here(void)
{
    struct job *j = offload_job();

    return j == NULL ? runtime_self() : j->rt;
}

int roost_trace_start(const char *path)
{
    struct runtime *rt = here();
    int rc;

    if (registry_forked() || path == NULL) {
        return -EINVAL;
    }
    pthread_mutex_lock(&tracing.control);
    if (tracing.running != NULL) {
        rc = -EALREADY;
    } else if (registry_count() == 0) {
        rc = -EINVAL;
    } else {
        rc = begin(path, rt);
    }
    pthread_mutex_unlock(&tracing.control);
    return rc;
}

int roost_trace_stop(void)
{
    int rc;

    if (registry_forked()) {
        return -EINVAL;
    }
    pthread_mutex_lock(&tracing.control);
    rc = tracing.running == NULL ? -EINVAL : finish();
    pthread_mutex_unlock(&tracing.control);
    return rc;
}

void trace_environment(struct runtime *rt)
{
    const char *path = secure_getenv("ROOST_TRACE");
    int rc = 0;

    if (path == NULL || *path == '\0') {
        return;
    }
    pthread_mutex_lock(&tracing.control);
    if (tracing.running == NULL) {
        rc = begin(path, rt);
    }
    pthread_mutex_unlock(&tracing.control);
    if (rc != 0) {
        fprintf(stderr, "roost: ROOST_TRACE=%s: %s\n", path, strerror(-rc));
    }
}

/* Nobody asks how it went. */
static void finish_alone(void)
{
    char path[sizeof(tracing.running->path)];
    int rc;

    memcpy(path, tracing.running->path, sizeof(path));
    rc = finish();
    if (rc != 0) {
        fprintf(stderr, "roost: trace %s: %s\n", path, strerror(-rc));
    }
}

void trace_end(struct runtime *rt, unsigned others)
{
    pthread_mutex_lock(&tracing.control);
    if (tracing.running != NULL &&
        (tracing.running->of == rt ||
         (tracing.running->of == NULL && others == 0))) {
        finish_alone();
    }
    pthread_mutex_unlock(&tracing.control);
}

/* --- fork --- */

void trace_before_fork(void)
{
    pthread_mutex_lock(&tracing.control);
}

void trace_after_fork(bool child)
{
    if (child && tracing.running != NULL) {
        (void)close(tracing.running->show.json.fd);
        alloc_free(tracing.running);
        tracing.running = NULL;
        track_forked();
    }
    pthread_mutex_unlock(&tracing.control);
}
