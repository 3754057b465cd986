/*
 * ranks.c - see ranks.h. One task, progress(), tests all requests that are out
 * and sets the event of each that is complete; everybody else waits for events.
 *
 * MPI_THREAD_SERIALIZED: tasks move between threads, so each call of MPI is
 * made under one lock, and none of them blocks. Cost: between two tests
 * progress() sleeps an eighth of the time for which nothing has come, from
 * PAUSE_MIN to PAUSE_MAX. So in the long run there are 1000 tests a second for
 * all requests together, and one for each new one; a message is seen 1 ms late
 * at worst, and after a short wait an eighth of that wait late. (To sleep twice
 * as long each time would not do: two ranks that answer each other teach each
 * other to sleep for PAUSE_MAX.)
 *
 * Coming home: a rank whose part has ended tells the others its status, and how
 * many messages it has sent to each. It goes on taking what comes, until it has
 * heard the same of all others, and has received every message that they speak
 * of. So what a cancelled task has left behind is complete on both sides, and
 * MPI_Finalize has nothing to wait for.
 */
#include "ranks.h"

#include <errno.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAUSE_MIN (20 * ROOST_US)
#define PAUSE_MAX ROOST_MS

enum kind { SEND, HEAR, RECEIVE }; /* HEAR: of another rank's end */

/* What MPI works on: in the frame of the task that awaits it, which stays until
 * done is set; or on the heap, and freed when it is complete, if owned. */
struct request {
    roost_event done;
    enum kind kind;
    bool owned;        /* nobody waits: it frees itself */
    bool is_cancelled; /* this and status are valid once done is set */
    int status;        /* of a receive: the bytes that came */
    char data[];
};

/* What a rank says at its end. */
struct verdict {
    int rank;
    int status;
    int sent; /* messages to the one that reads this */
    char text[160];
};

static struct {
    int rank, size;
    MPI_Comm data, control;
    roost_mutex lock;           /* around every call of MPI, and for the rest */
    MPI_Request *out;           /* of those that are not complete: */
    struct request **requests;  /* the same place of both */
    int *indices;               /* for MPI_Testsome: room for as many */
    MPI_Status *statuses;       /* likewise */
    int count, room;            /* of these four */
    int *sent, *received, *due; /* messages to and from each rank */
    int heard;                  /* verdicts of others */
    bool draining;              /* our part has ended: take what comes */
    roost_event posted;         /* there is a new request */
    roost_event bad_news;       /* failed is filled in */
    struct verdict failed;
} all;

/* ---- requests ---- */

static int status_of(int mpi)
{
    int class = MPI_SUCCESS;

    if (mpi == MPI_SUCCESS) {
        return 0;
    }
    MPI_Error_class(mpi, &class);
    return class == MPI_ERR_TRUNCATE ? -EMSGSIZE : -EIO;
}

/* What there is no way to tell anybody ends the job on all ranks. */
static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "rank %d: %s\n", all.rank, what);
    MPI_Abort(MPI_COMM_WORLD, 1);
    abort();
}

static void *grown(void *array, size_t size)
{
    void *larger = realloc(array, (size_t)all.room * 2 * size);

    if (larger == NULL) {
        give_up("no memory");
    }
    return larger;
}

/* Under the lock: a place for one more. */
static MPI_Request *place_for(struct request *r)
{
    if (all.count == all.room) {
        all.out = grown(all.out, sizeof *all.out);
        all.requests = grown(all.requests, sizeof(struct request *));
        all.indices = grown(all.indices, sizeof *all.indices);
        all.statuses = grown(all.statuses, sizeof *all.statuses);
        all.room *= 2;
    }
    all.requests[all.count] = r;
    return &all.out[all.count];
}

/* Under the lock: what MPI said when it was asked to begin r. */
static int posted(int mpi)
{
    if (mpi == MPI_SUCCESS) {
        all.count++;
        roost_event_set(&all.posted);
    }
    return status_of(mpi);
}

/* Waits for r. Cancelled, it takes a receive back; what has come all the same
 * is received: no message is lost. */
static int await_recv(struct request *r)
{
    roost_shield shield;
    int rc = roost_event_wait(&r->done);

    if (rc == 0) {
        return r->status;
    }
    roost_mutex_lock(&all.lock);
    for (int i = 0; i < all.count; i++) {
        if (all.requests[i] == r) {
            MPI_Cancel(&all.out[i]);
        }
    }
    roost_event_set(&all.posted);
    roost_mutex_unlock(&all.lock);
    roost_shield_begin(&shield); /* MPI has our buffer: this much must be */
    (void)roost_event_wait(&r->done);
    roost_shield_end(&shield);
    return r->is_cancelled ? rc : r->status;
}

static int receive(void *data, int n, int from, int tag, MPI_Comm comm)
{
    struct request r = {.done = ROOST_EVENT_INIT,
                        .kind = comm == all.data ? RECEIVE : HEAR};
    int rc = roost_checkpoint(); /* cancelled: not even begun */

    if (rc < 0) {
        return rc;
    }
    roost_mutex_lock(&all.lock);
    rc = posted(MPI_Irecv(data, n, MPI_BYTE, from, tag, comm, place_for(&r)));
    roost_mutex_unlock(&all.lock);
    return rc < 0 ? rc : await_recv(&r);
}

static struct request *new_request(int n)
{
    struct request *r = calloc(1, sizeof *r + (size_t)n);

    if (r != NULL) {
        roost_event_init(&r->done);
    }
    return r;
}

/* Under the lock: begins to send a copy, which frees itself if owned. */
static int post_send(struct request *r, int n, int to, int tag, MPI_Comm comm)
{
    int rc =
        posted(MPI_Isend(r->data, n, MPI_BYTE, to, tag, comm, place_for(r)));

    all.sent[to] += rc == 0 && comm == all.data;
    return rc;
}

int ranks_recv(void *data, int n, int from, int tag)
{
    return receive(data, n, from, tag, all.data);
}

int ranks_send(const void *data, int n, int to, int tag)
{
    struct request *r = new_request(n);
    int rc = r == NULL ? -ENOMEM : roost_checkpoint();
    bool left;

    if (rc < 0) {
        free(r);
        return rc;
    }
    memcpy(r->data, data, (size_t)n);
    roost_mutex_lock(&all.lock);
    rc = post_send(r, n, to, tag, all.data);
    roost_mutex_unlock(&all.lock);
    if (rc < 0) {
        free(r);
        return rc;
    }
    rc = roost_event_wait(&r->done);
    roost_mutex_lock(&all.lock);
    left = !roost_event_is_set(&r->done); /* cancelled before */
    r->owned = left;
    roost_mutex_unlock(&all.lock);
    if (left) { /* it is progress()'s now */
        return rc;
    }
    rc = r->status;
    free(r);
    return rc;
}

/* ---- progress ---- */

/* Under the lock. */
static void complete(struct request *r, MPI_Status *mpi, int error)
{
    int is_cancelled = 0;

    r->status = status_of(error);
    MPI_Test_cancelled(mpi, &is_cancelled);
    r->is_cancelled = is_cancelled != 0;
    if (r->kind == RECEIVE && !is_cancelled) {
        all.received[mpi->MPI_SOURCE]++;
    }
    if (r->kind != SEND && r->status == 0 && !is_cancelled) {
        MPI_Get_count(mpi, MPI_BYTE, &r->status);
    }
    if (r->owned) {
        free(r);
    } else {
        roost_event_set(&r->done); /* the last access */
    }
}

/* Under the lock: completes what is complete; how many. */
static int test_all(void)
{
    int n = 0, kept = 0;
    int rc = MPI_Testsome(all.count, all.out, &n, all.indices, all.statuses);

    if (rc != MPI_SUCCESS && rc != MPI_ERR_IN_STATUS) {
        give_up("MPI_Testsome failed");
    }
    if (n == MPI_UNDEFINED) {
        n = 0;
    }
    for (int i = 0; i < n; i++) {
        struct request *r = all.requests[all.indices[i]];

        all.requests[all.indices[i]] = NULL;
        complete(r, &all.statuses[i],
                 rc == MPI_SUCCESS ? rc : all.statuses[i].MPI_ERROR);
    }
    for (int i = 0; i < all.count; i++) {
        if (all.requests[i] != NULL) {
            all.out[kept] = all.out[i];
            all.requests[kept++] = all.requests[i];
        }
    }
    all.count = kept;
    return n;
}

/* Under the lock: begins to receive a message that nobody here wants any more;
 * how many. */
static int drain(void)
{
    struct request *r;
    MPI_Status found;
    int there = 0, n = 0;

    MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, all.data, &there, &found);
    if (!there) {
        return 0;
    }
    MPI_Get_count(&found, MPI_BYTE, &n);
    r = new_request(n);
    if (r == NULL) {
        give_up("no memory");
    }
    r->owned = true;
    r->kind = RECEIVE;
    if (posted(MPI_Irecv(r->data, n, MPI_BYTE, found.MPI_SOURCE, found.MPI_TAG,
                         all.data, place_for(r))) < 0) {
        give_up("MPI_Irecv failed");
    }
    return 1;
}

/* Under the lock: all have ended, nothing is under way. */
static bool are_home(void)
{
    if (!all.draining || all.heard < all.size - 1 || all.count > 0) {
        return false;
    }
    for (int i = 0; i < all.size; i++) {
        if (all.received[i] < all.due[i]) {
            return false;
        }
    }
    return true;
}

static int progress(void *arg)
{
    roost_ns moved = roost_now(), pause; /* when something came last */
    roost_shield shield;
    bool home = false;
    int n;

    (void)arg;
    roost_shield_begin(&shield); /* whoever is cancelled needs it to end */
    while (!home) {
        roost_mutex_lock(&all.lock);
        roost_event_clear(&all.posted);
        n = test_all();
        n += all.draining ? drain() : 0;
        home = are_home();
        roost_mutex_unlock(&all.lock);
        moved = n > 0 ? roost_now() : moved;
        pause = (roost_now() - moved) / 8;
        pause = pause < PAUSE_MIN ? PAUSE_MIN : pause;
        pause = pause > PAUSE_MAX ? PAUSE_MAX : pause;
        if (!home) { /* a new request ends the pause */
            (void)roost_event_wait_until(&all.posted, roost_in(pause));
        }
    }
    roost_shield_end(&shield);
    return 0;
}

/* ---- what ranks tell each other ---- */

/* Hears of every other rank how it ended. */
static int hear(void *arg)
{
    struct verdict v;
    roost_shield shield;

    (void)arg;
    roost_shield_begin(&shield);
    for (int i = 1; i < all.size; i++) {
        if (receive(&v, sizeof v, MPI_ANY_SOURCE, 0, all.control) != sizeof v) {
            give_up("a verdict did not come");
        }
        roost_mutex_lock(&all.lock);
        all.due[v.rank] = v.sent;
        all.heard++;
        if (v.status < 0 && all.failed.status == 0) {
            all.failed = v;
            roost_event_set(&all.bad_news);
        }
        roost_mutex_unlock(&all.lock);
    }
    roost_shield_end(&shield);
    return 0;
}

/* A service of our own part: another rank's failure is a failure here. */
static int fail_too(void *arg)
{
    int rc = roost_event_wait(&all.bad_news);

    (void)arg;
    if (rc < 0) {
        return rc;
    }
    return roost_fail(all.failed.status, "rank %d: %s", all.failed.rank,
                      all.failed.text);
}

/* Tells each other rank how this one ended. */
static void tell(int status, const char *text)
{
    roost_mutex_lock(&all.lock);
    all.draining = true;
    for (int to = 0; to < all.size; to++) {
        struct request *r = new_request(sizeof(struct verdict));
        struct verdict v = {all.rank, status, all.sent[to], ""};

        if (r == NULL) {
            give_up("no memory");
        }
        snprintf(v.text, sizeof v.text, "%s", text);
        memcpy(r->data, &v, sizeof v);
        r->owned = true;
        if (to == all.rank) {
            all.due[to] = v.sent;
            free(r);
        } else if (post_send(r, sizeof v, to, 0, all.control) < 0) {
            give_up("the others cannot be told");
        }
    }
    roost_event_set(&all.posted);
    roost_mutex_unlock(&all.lock);
}

/* This rank's part; and the others are told how it ended. */
static int run_part(roost_fn fn, void *arg, roost_ns timeout)
{
    roost_error first = {0};
    roost_errors *e;
    int rc;

    ROOST_SCOPE(s, rc, .timeout = timeout, .name = "part") {
        roost_spawn_opts(
            s, fail_too, NULL,
            &(roost_task_opts){.flags = ROOST_SERVICE, .name = "other ranks"});
        roost_scope_fail(s, fn(arg));
    }
    e = roost_errors_take(); /* none: a bare time-out */
    if (e == NULL) {
        tell(rc, rc == -ETIMEDOUT ? "out of time" : "cancelled");
        return rc;
    }
    (void)roost_errors_next(e, &first);
    tell(rc, first.message != NULL ? first.message : strerror(-rc));
    return roost_errors_raise(e);
}

int ranks_run(roost_fn fn, void *arg, roost_ns timeout)
{
    roost_task_opts named = {.name = "progress"};
    int rc;

    ROOST_SCOPE(s, rc) {
        if (roost_spawn_opts(s, progress, NULL, &named) < 0 ||
            roost_spawn(s, hear, NULL) < 0) {
            give_up("its tasks could not be started");
        }
        roost_scope_fail(s, run_part(fn, arg, timeout));
    } /* both end when all ranks are home */
    return rc;
}

void ranks_init(int *argc, char ***argv, int *rank, int *size)
{
    int level = MPI_THREAD_SINGLE;
    size_t n;

    MPI_Init_thread(argc, argv, MPI_THREAD_SERIALIZED, &level);
    if (level < MPI_THREAD_SERIALIZED) {
        give_up("this MPI serves one thread only");
    }
    MPI_Comm_dup(MPI_COMM_WORLD, &all.data);
    MPI_Comm_dup(MPI_COMM_WORLD, &all.control);
    MPI_Comm_set_errhandler(all.data, MPI_ERRORS_RETURN);
    MPI_Comm_set_errhandler(all.control, MPI_ERRORS_RETURN);
    MPI_Comm_rank(all.data, &all.rank);
    MPI_Comm_size(all.data, &all.size);
    n = (size_t)all.size;
    all.sent = calloc(3 * n, sizeof *all.sent);
    if (all.sent == NULL) {
        give_up("no memory");
    }
    all.received = all.sent + n;
    all.due = all.received + n;
    all.room = 8;
    all.out = grown(NULL, sizeof *all.out);
    all.requests = grown(NULL, sizeof(struct request *));
    all.indices = grown(NULL, sizeof *all.indices);
    all.statuses = grown(NULL, sizeof *all.statuses);
    all.room *= 2;
    *rank = all.rank;
    *size = all.size;
}
