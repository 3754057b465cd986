/*
 * parallel_for.c - loops and reductions over a range.
 *
 * WHAT    Halves the range of chunks until one is left: each right half becomes
 *         a child, the chunk that is left is done at once.
 * MODEL   A task opens one scope for all the halves that it splits off, largest
 *         first; all of them lie inside the loop's own. At close what nobody
 *         has stolen is run in place, the newest first, which is the right
 *         neighbour of what has just been done: one worker alone goes through
 *         the items in order. A thief takes the oldest, the largest part that
 *         is left: work of any shape is balanced by that alone.
 *             task of [0 8): spawns [4 8), [2 4), [1 2), runs 0
 *             task of [4 8): spawns [6 8), [5 6), runs 4      ...
 *         The tree is that of the chunks, whoever runs it, and so is the order
 *         in which values are combined.
 *
 *         The whole is a child too: no body runs in the caller's own name, and
 *         an exception that leaves one ends at its task (R70).
 *
 *         A failing body is no failure of the scope that it runs in: that would
 *         arrive nested as deep as the tree is. It is noted in the loop, whose
 *         scope is cancelled, and all that were noted fail one scope at the
 *         end, like children of that.
 * INVARIANTS
 *   - A part is `done` if all its chunks have run and, of a reduction, its
 *     value is whole; only then is it combined with another.
 *   - Each part that is not done was noted in the loop (fail, skip).
 *   - What a part writes is read by its parent after the close (R61).
 * COST    A chunk: a spawn, a call in place, a look whether it is cancelled,
 *         which a task that has just begun must walk outward for, and for every
 *         other one open and close: four times a node of fib, 30 ns. Of stack:
 *         1.6 KiB for each task in another, 10 of them for 1024 chunks.
 * REJECTED  Splitting only while somebody is hungry: a chunk that waits would
 *         hold up those that were not yet split off behind it. So what is cut
 *         is a task, and only the number of chunks is kept low.
 * SEE     docs/decisions/0013. On the public calls alone, like the other
 *         parallel_*.c.
 */
#include <errno.h>
#include <roost/error.h>
#include <roost/mutex.h>
#include <roost/parallel.h>
#include <roost/scope.h>
#include <roost/task.h>
#include <stdlib.h>
#include <string.h>

#define CHUNKS_SHORT 128 /* of a short loop: each item may be much work */
#define CHUNKS_MOST 1024 /* of any: 30 us in all */
#define ITEMS_A_CHUNK 64 /* those of a loop between the two */
#define ACC_INLINE 64    /* values up to this need no memory of their own */
#define LEVELS 10        /* halves that one call splits off: those of 1024 */

struct failure {
    struct failure *next;
    roost_errors *tree; /* NULL: the status says it all */
    int status;
};

struct loop {
    size_t begin, end, grain;                      /* I */
    int (*body)(size_t, size_t, void *);           /* I: of a loop */
    int (*add)(size_t, size_t, void *, void *);    /* I: of a reduction */
    void (*combine)(void *, const void *, void *); /* I: NULL: a loop */
    const void *identity;                          /* I */
    size_t acc_size;                               /* I */
    void *ctx;                                     /* I */
    roost_scope scope;                             /* all of it runs inside */
    roost_mutex lock;
    struct failure first;  /* L(lock): status 0: none */
    struct failure **last; /* L(lock): where the next one goes */
    bool skipped;          /* L(lock): a chunk did not run: cancelled */
};

/* Chunks first .. last - 1 of a loop. */
struct part {
    struct loop *loop;
    size_t first, last;
    void *acc; /* of a reduction: where its value goes */
    bool done;
};

/* --- failures --- */

/* What the task has kept, if it belongs to this status (R37). */
static roost_errors *tree_of(int status)
{
    roost_errors *tree = roost_errors_take();

    if (tree == NULL || roost_errors_raise(tree) == status) {
        return roost_errors_take(); /* it is kept again */
    }
    roost_errors_free(roost_errors_take());
    return NULL;
}

/* Behind those that came before; it is lost if there is no room. */
static void append(struct loop *l, int status, roost_errors *tree)
{
    struct failure *f = &l->first;

    if (l->first.status != 0) {
        f = malloc(sizeof(*f));
        if (f == NULL) {
            roost_errors_free(tree);
            return;
        }
        *l->last = f;
    }
    f->next = NULL;
    f->tree = tree;
    f->status = status;
    l->last = &f->next;
}

/* Nothing new starts after it. */
static void fail(struct loop *l, int status)
{
    roost_errors *tree = tree_of(status);

    (void)roost_mutex_lock(&l->lock);
    append(l, status, tree);
    (void)roost_mutex_unlock(&l->lock);
    roost_scope_cancel(&l->scope, 0);
}

static void skip(struct loop *l)
{
    (void)roost_mutex_lock(&l->lock);
    l->skipped = true;
    (void)roost_mutex_unlock(&l->lock);
}

/* As if all that failed had been children of one scope: the first status. */
static int raise_all(struct failure *first)
{
    struct failure *f = first;
    roost_scope s;

    roost_scope_open(&s, NULL);
    while (f != NULL) {
        struct failure *next = f->next;

        int status = f->tree == NULL ? f->status : roost_errors_raise(f->tree);

        (void)roost_scope_fail(&s, status);
        if (f != first) {
            free(f);
        }
        f = next;
    }
    (void)roost_scope_close(&s, 0);
    return first->status;
}

/* --- the tree --- */

static bool run_chunk(struct part *p)
{
    struct loop *l = p->loop;
    size_t lo = l->begin + p->first * l->grain;
    size_t hi = l->end - lo <= l->grain ? l->end : lo + l->grain;
    int status;

    if (l->combine == NULL) {
        status = l->body(lo, hi, l->ctx);
    } else {
        memcpy(p->acc, l->identity, l->acc_size);
        status = l->add(lo, hi, p->acc, l->ctx);
    }
    if (status >= 0) {
        return true;
    }
    if (status == -ECANCELED && roost_cancelled()) {
        skip(l);
    } else {
        fail(l, status);
    }
    return false;
}

static bool run_part(struct part *p);

static int part_task(void *part)
{
    struct part *p = part;

    p->done = run_part(p);
    return 0;
}

/* Where the value of a part goes; false: no room for it. */
static bool give_room(struct part *p, char *room)
{
    struct loop *l = p->loop;

    p->acc = l->acc_size <= ACC_INLINE ? room : malloc(l->acc_size);
    if (p->acc == NULL) {
        fail(l, -ENOMEM);
    }
    return p->acc != NULL;
}

/* The values of the parts to the right come to that of the left, nearest
 * first; what lies in their own rooms is freed. Whether all were there. */
static bool combine_parts(struct part *left, struct part *parts, size_t n)
{
    struct loop *l = left->loop;
    bool done = left->done;

    while (n-- > 0) {
        done = done && parts[n].done;
        if (done && l->combine != NULL) {
            l->combine(left->acc, parts[n].acc, l->ctx);
        }
        if (l->acc_size > ACC_INLINE) {
            free(parts[n].acc);
        }
    }
    return done;
}

/* Splits off right halves as children until one chunk is left. */
static bool run_halves(struct part *p)
{
    _Alignas(16) char room[LEVELS][ACC_INLINE];
    struct part right[LEVELS];
    struct part left = *p;
    roost_scope s;
    size_t n = 0;
    int rc;

    roost_scope_open(&s, NULL);
    while (n < LEVELS && left.last - left.first > 1) {
        size_t middle = left.first + (left.last - left.first) / 2;

        right[n] = (struct part){p->loop, middle, left.last, NULL, false};
        if (!give_room(&right[n], room[n])) {
            break;
        }
        left.last = middle;
        (void)roost_spawn(&s, part_task, &right[n]); /* or s fails: R36 */
        n++;
    }
    left.done = run_part(&left);
    rc = roost_scope_close(&s, 0);
    if (rc < 0 && rc != -ECANCELED) {
        fail(p->loop, rc);
    }
    return combine_parts(&left, right, n);
}

static bool run_part(struct part *p)
{
    if (roost_cancelled()) {
        skip(p->loop);
        return false;
    }
    return p->last - p->first == 1 ? run_chunk(p) : run_halves(p);
}

/* --- the calls --- */

/* A function of the number of items alone. */
static size_t grain_of(size_t n)
{
    size_t chunks = CHUNKS_SHORT + n / ITEMS_A_CHUNK;

    chunks = chunks < CHUNKS_MOST ? chunks : CHUNKS_MOST;
    return (n - 1) / chunks + 1;
}

/* 1: the value, if there is one, is in acc. 0: there was nothing to do. */
static int run_loop(struct loop *l, void *acc)
{
    struct part all = {.loop = l, .acc = acc};
    int rc;

    if (l->begin == l->end) {
        return 0;
    }
    if (l->grain == 0) {
        l->grain = grain_of(l->end - l->begin);
    }
    all.last = (l->end - l->begin - 1) / l->grain + 1;
    roost_scope_open(&l->scope, NULL);
    (void)roost_spawn(&l->scope, part_task, &all);
    rc = roost_scope_close(&l->scope, 0);
    if (l->first.status != 0) {
        return raise_all(&l->first);
    }
    return rc < 0 ? rc : all.done ? 1 : -ECANCELED;
}

int roost_parallel_for(size_t begin, size_t end, size_t grain,
                       int (*body)(size_t, size_t, void *), void *ctx)
{
    struct loop l = {.begin = begin,
                     .end = end,
                     .grain = grain,
                     .body = body,
                     .ctx = ctx,
                     .lock = ROOST_MUTEX_INIT};
    int rc;

    if (body == NULL || end < begin) {
        return -EINVAL;
    }
    rc = roost_checkpoint();
    if (rc == 0) {
        rc = run_loop(&l, NULL);
    }
    return rc < 0 ? rc : 0;
}

int roost_parallel_reduce(size_t begin, size_t end, size_t grain, void *acc,
                          size_t acc_size,
                          int (*body)(size_t, size_t, void *, void *),
                          void (*combine)(void *, const void *, void *),
                          void *ctx)
{
    struct loop l = {.begin = begin,
                     .end = end,
                     .grain = grain,
                     .add = body,
                     .combine = combine,
                     .identity = acc,
                     .acc_size = acc_size,
                     .ctx = ctx,
                     .lock = ROOST_MUTEX_INIT};
    _Alignas(16) char room[ACC_INLINE];
    void *value = room;
    int rc;

    if (body == NULL || combine == NULL || acc == NULL || acc_size == 0 ||
        end < begin) {
        return -EINVAL;
    }
    rc = roost_checkpoint();
    if (rc != 0) {
        return rc;
    }
    if (acc_size > sizeof(room)) {
        value = malloc(acc_size);
        if (value == NULL) {
            return -ENOMEM;
        }
    }
    rc = run_loop(&l, value);
    if (rc > 0) {
        memcpy(acc, value, acc_size);
    }
    if (value != room) {
        free(value);
    }
    return rc < 0 ? rc : 0;
}
