/*
 * trace_file_model.c - the real sched/observe/trace_file.c with track.c: a
 * trace from its start to the end of its file, against who records, who stops
 * it too and the runtime that ends.
 *
 * Would catch: a writer that uses the file before it is open, sleeps
 * through its end or ends before all is taken; a record that was accepted and
 * is in no file; a trace that two stop, or nobody; a file closed twice, never,
 * or while it is written; what a start that fails leaves behind.
 */
// MODEL-SOURCES: sched/observe/trace_file.c
// MODEL-WITH: sched/observe/track.c
#include "model.h"
#include "observe/trace_show.h"
#include "runtime.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { FD = 100, WRITER = 0 };

static struct runtime *const rt = (struct runtime *)(void *)&(char[64]){0};
static void *(*writer_main)(void *);
static void *writer_arg;
static a32 writer; /* 1: started, 2: ended */
static bool file;  /* written plainly: the order of its uses is TW1's */
static a32 files;  /* opened */
static bool no_file;
/* Outside the model: */
static unsigned put, taken, ended, stopped;

/* ---- what trace_file.c calls --------------------------------------------- */

int runtime_thread(pthread_t *thread, void *(*fn)(void *), void *arg)
{
    if (model_choose(4) == 3) {
        return -EAGAIN;
    }
    *thread = WRITER;
    writer_main = fn;
    writer_arg = arg;
    model_unpark(WRITER);
    return 0;
}

void runtime_join(pthread_t thread)
{
    MODEL_CHECK(thread == WRITER);
    while (a32_load(&writer, ACQUIRE) != 2) {
        futex_wait(&writer, 0, INT64_MAX);
    }
    a32_store(&writer, 0, RELAXED);
}

int open(const char *path, int flags, ...)
{
    MODEL_CHECK(strcmp(path, "file") == 0 && (flags & O_CLOEXEC));
    no_file = model_choose(3) == 2;
    if (no_file) {
        errno = EACCES;
        return -1;
    }
    a32_add(&files, 1, RELAXED);
    return FD;
}

int close(int fd)
{
    MODEL_CHECK(fd == FD && plain_read(file));
    plain_write(file, false);
    return 0;
}

void show_begin(struct show *show, int fd)
{
    show->json.fd = fd;
    MODEL_CHECK(!plain_read(file));
    plain_write(file, true);
}

void show_record(void *show, struct track *t, const struct record *r)
{
    (void)show;
    (void)t;
    MODEL_CHECK(plain_read(file));
    MODEL_CHECK(plain_read(r->kind) == RECORD_TASK);
    taken++;
}

int show_end(struct show *show)
{
    MODEL_CHECK(plain_read(file) && show->json.fd == FD);
    ended++;
    return 0;
}

struct job *offload_job(void)
{
    return NULL;
}

struct runtime *runtime_self(void)
{
    return rt;
}

bool registry_forked(void)
{
    return false;
}

unsigned registry_count(void)
{
    return 1;
}

/* ---- the threads --------------------------------------------------------- */

static void setup(void)
{
    for (unsigned i = 0; i < TRACK_MAX; i++) {
        model_static(track_at(i), sizeof(struct track));
    }
    memset(&tracing, 0, sizeof(tracing));
    writer_main = NULL;
    a32_init(&writer, 0);
    a32_init(&files, 0);
    file = false;
    no_file = false;
    put = taken = ended = stopped = 0;
}

/* Nobody is left who could start it: then it does not run. */
static void thread_of_the_writer(void)
{
    model_park();
    if (writer_main != NULL) {
        (void)writer_main(writer_arg);
        a32_store(&writer, 2, RELEASE);
        futex_wake(&writer, 1);
    }
}

static void nobody_writes(void)
{
    writer_main = NULL;
    model_unpark(WRITER);
}

static void starts(void)
{
    int rc = roost_trace_start("file");

    MODEL_CHECK(rc == 0 || rc == (no_file ? -EACCES : -EAGAIN) ||
                rc == -ENOMEM);
    if (rc != 0 && writer_main == NULL) {
        nobody_writes();
    }
    if (rc == 0) {
        model_outcome(0);
    }
}

static void stops(void)
{
    int rc = roost_trace_stop();

    MODEL_CHECK(rc == 0 || rc == -EINVAL);
    stopped += rc == 0;
}

static void starts_and_stops(void)
{
    starts();
    stops();
}

static void records(void)
{
    for (unsigned i = 0; i < 2; i++) {
        struct track *t = track_enter();
        struct record r = {.kind = RECORD_TASK};

        if (t != NULL) {
            track_put(t, &r);
            put++;
            track_leave(t);
        }
    }
}

static void runtime_ends(void)
{
    trace_end(rt, 0);
}

/* ---- what must hold ------------------------------------------------------ */

static void all_in_the_file(void)
{
    MODEL_CHECK(a32_load(&files, RELAXED) == ended);
    MODEL_CHECK(taken <= put);
    MODEL_CHECK(!file);
    MODEL_CHECK(roost_trace_stop() == -EINVAL);
    MODEL_CHECK(model_live() == 0);
}

static void every_record(void)
{
    MODEL_CHECK(taken == put);
    all_in_the_file();
}

MODEL(start_stop, .setup = setup,
      .threads = {thread_of_the_writer, starts_and_stops, records},
      .check = every_record, .flags = MODEL_EINTR | MODEL_OWN_TLS,
      .must_see = 1);
MODEL(no_memory, .setup = setup,
      .threads = {thread_of_the_writer, starts_and_stops, records},
      .check = all_in_the_file, .flags = MODEL_NOMEM | MODEL_OWN_TLS,
      .must_see = 1);
MODEL(two_ends, .setup = setup,
      .threads = {thread_of_the_writer, starts_and_stops, runtime_ends,
                  records},
      .check = every_record, .flags = MODEL_OWN_TLS, .must_see = 1);
