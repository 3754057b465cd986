/*
 * lines.c - which cache lines go from thread to thread, and which of them for
 * nothing: --lines.
 *
 * WHAT   Counts, for each line of 64 bytes that the real files touch, how often
 *        it had to move in all runs, and how often that was false sharing.
 * MODEL  As caches agree (MESI), a processor a thread: a line is held by one
 *        thread that has written it, or by any number that have only read it.
 *        Reading what somebody else wrote moves it; so does writing what others
 *        hold. Who holds a line has a mask of its bytes that it has read and
 *        one of those it has written since it got it. The move is true sharing
 *        if one of those it is taken from has written the byte, or, for a
 *        write, touched it: else the two only happened to be neighbours.
 *        The first time a thread has a line that nobody else holds costs
 *        nothing here.
 * COST   A look-up an access, with --lines alone.
 */
#include "engine.h"
#include <stdlib.h>
#include <string.h>

enum { LINE = 64, TABLE_BITS = 12, TABLE = 1 << TABLE_BITS };

struct line {
    uintptr_t at; /* 0: not in use */
    uint64_t run; /* that the fields below are of */
    bool held[THREADS];
    uint64_t read[THREADS], written[THREADS]; /* bytes, while held */
    const char *name[THREADS];                /* of the last access */
    /* of all runs */
    uint64_t moves, wrong;
    const char *pair[2]; /* the last that met; or did for nothing */
};

static struct line *table; /* NULL: nobody asked */
static uint64_t runs;

void lines_start(void)
{
    table = calloc(TABLE, sizeof(*table));
    if (table == NULL) {
        perror("lines");
        exit(2);
    }
}

/* Another model. */
void lines_forget(void)
{
    if (table != NULL) {
        memset(table, 0, TABLE * sizeof(*table));
        runs = 0;
    }
}

static struct line *find(uintptr_t at)
{
    uint64_t h = (at / LINE) * UINT64_C(0x9e3779b97f4a7c15);
    size_t i = (size_t)(h >> (64 - TABLE_BITS)), tried = 0;

    while (table[i].at != at && table[i].at != 0) {
        i = (i + 1) % TABLE;
        if (++tried == TABLE) {
            run_failed("more than %d cache lines", TABLE);
        }
    }
    table[i].at = at;
    if (table[i].run != e.number) {
        table[i].run = e.number;
        memset(table[i].held, 0, sizeof(table[i].held));
    }
    return &table[i];
}

/* What the running thread does to `bytes` of l takes it from u. */
static void move(struct line *l, unsigned u, uint64_t bytes, bool write,
                 const char *name)
{
    uint64_t theirs = l->written[u] | (write ? l->read[u] : 0);

    if ((theirs & bytes) == 0) {
        l->wrong++;
    }
    if ((theirs & bytes) == 0 || l->wrong == 0) {
        l->pair[0] = l->name[u];
        l->pair[1] = name;
    }
}

static void touch(struct line *l, uint64_t bytes, bool write, const char *name)
{
    unsigned me = thread_index(e.me);
    bool moves = false;

    for (unsigned u = 1; u < e.count; u++) {
        if (u == me || !l->held[u] || (!write && l->written[u] == 0)) {
            continue;
        }
        if (!l->held[me] || write) {
            moves = true;
            move(l, u, bytes, write, name);
        }
        if (write) {
            l->held[u] = false;
        } else {
            l->read[u] |= l->written[u]; /* both may read it now */
            l->written[u] = 0;
        }
    }
    l->moves += moves;
    if (!l->held[me]) {
        l->held[me] = true;
        l->read[me] = l->written[me] = 0;
    }
    *(write ? &l->written[me] : &l->read[me]) |= bytes;
    l->name[me] = name;
}

/* A real file touches [at, at + size). */
void lines_touch(const void *at, size_t size, bool write, const char *name)
{
    uintptr_t p = (uintptr_t)at, end = p + size;

    while (table != NULL && !e.alone && p < end) {
        unsigned first = (unsigned)(p % LINE);
        size_t n = end - p < LINE - first ? end - p : LINE - first;
        uint64_t bytes = n == LINE ? ~UINT64_C(0) : (UINT64_C(1) << n) - 1;

        touch(find(p - first), bytes << first, write, name);
        p += n;
    }
}

/* An access to an atomic word. */
void lines_access(const struct model_access *a, bool write)
{
    if (thread_is_real(a->file)) {
        lines_touch(a->at, a->size, write, a->name);
    }
}

void lines_run(void)
{
    runs++;
}

/* Those that moved, the busiest first. */
static int busier(const void *a, const void *b)
{
    const struct line *x = a, *y = b;

    return x->moves < y->moves ? 1 : x->moves > y->moves ? -1 : 0;
}

void lines_report(const char *model)
{
    if (table == NULL || runs == 0) {
        return;
    }
    qsort(table, TABLE, sizeof(*table), busier);
    for (unsigned i = 0; i < TABLE && table[i].moves > 0; i++) {
        const struct line *l = &table[i];

        printf("line %s %#zx: %.2f moves a run, %.2f false: %s, %s\n", model,
               (size_t)l->at, (double)l->moves / (double)runs,
               (double)l->wrong / (double)runs, l->pair[0], l->pair[1]);
    }
}
