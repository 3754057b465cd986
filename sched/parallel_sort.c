/*
 * parallel_sort.c - a stable merge sort.
 *
 * WHAT    Halves the array down to blocks of a few items, which are inserted
 *         one by one, and merges upwards, into a buffer as large as the array
 *         and back.
 * MODEL   A run is a stretch of the array that is in order and lies either in
 *         the array or in the same place of the buffer:
 *             array   [ run ][ run ][     run    ]
 *             buffer         merge ->[           ]
 *         Two runs that lie on one side are merged to the other; if the last
 *         item of the left is no greater than the first of the right, they are
 *         one already. The halves of a large run are made by two tasks, and a
 *         large merge is cut in two: at the middle item of the longer run, and
 *         where that belongs in the other.
 * INVARIANTS
 *   - A run's items are all on one side; a merge leaves its source as it was.
 *     So whatever is left out because of a cancel, the items of a run are all
 *     there, and its state is that of before the merge.
 *   - All blocks are equally many halvings deep, an even number: runs that are
 *     to be merged lie on the same side, and the last merge is to the array,
 *     unless some were left out.
 *   - No item outside the array is touched, whatever cmp says.
 * COST    n log2 n comparisons without a branch on them, n for an array that is
 *         in order or in falling order; n items of memory.
 * REJECTED  Half a buffer: the second half of a merge would have to wait for
 *         the first. Sorting in place: stable is then several times as slow.
 */
#include "parallel_items.h"

#include <errno.h>
#include <limits.h>
#include <roost/parallel.h>
#include <roost/scope.h>
#include <roost/task.h>
#include <stdlib.h>

#define BLOCK_MOST 6      /* items that are inserted one by one */
#define RUN_GRAIN 4096    /* items that one task sorts alone */
#define MERGE_GRAIN 8192  /* items that one task merges */
#define CHECK_EVERY 16384 /* comparisons between two looks */

struct sort {
    char *side[2]; /* I: the array, the buffer */
    size_t size;   /* I */
    int (*cmp)(const void *, const void *, void *);
    void *ctx;
};

struct run {
    const struct sort *sort;
    size_t first, n;
    unsigned level; /* halvings until blocks */
    unsigned at;    /* out: on which side it lies */
    int status;     /* out: 0: it is in order; else what kept it from that */
};

struct merge {
    const struct sort *sort;
    const char *left, *right;
    size_t left_n, right_n;
    char *to;
    int status; /* out */
};

static const char *item(const struct sort *s, const char *base, size_t i)
{
    return base + i * s->size;
}

static char *place(const struct run *r, unsigned side)
{
    return r->sort->side[side] + r->first * r->sort->size;
}

/* --- one task's work --- */

static inline size_t is_negative(int order)
{
    return (unsigned)order >> (sizeof(order) * CHAR_BIT - 1);
}

/* Each item goes down past those that are greater; its place in the buffer is
 * where it is kept meanwhile. */
ITEM_INLINE void insert_items(const struct sort *s, char *base, size_t n,
                              char *room, size_t size)
{
    size_t i;

    for (i = 1; i < n; i++) {
        char *at = base + i * size;

        if (s->cmp(at, at - size, s->ctx) >= 0) {
            continue;
        }
        memcpy(room, at, size);
        do {
            memcpy(at, at - size, size);
            at -= size;
        } while (at != base && s->cmp(room, at - size, s->ctx) < 0);
        memcpy(at, room, size);
    }
}

/* From the front alone, within bounds whatever cmp says. */
ITEM_INLINE void merge_front(const struct merge *m, size_t size)
{
    const struct sort *s = m->sort;
    const char *left = m->left;
    const char *right = m->right;
    const char *left_end = left + m->left_n * size;
    const char *right_end = right + m->right_n * size;
    char *to = m->to;

    while (left != left_end && right != right_end) {
        size_t lower = is_negative(s->cmp(right, left, s->ctx));

        memcpy(to, left + ((right - left) & -(ptrdiff_t)lower), size);
        to += size;
        right += lower * size;
        left += (1 - lower) * size;
    }
    memcpy(to, left, (size_t)(left_end - left));
    to += left_end - left;
    memcpy(to, right, (size_t)(right_end - right));
}

/* From both ends at once, as many items as the shorter run has from each, and
 * then what is left in the middle. No branch depends on a comparison: half of
 * them would be guessed wrong; and the two ends do not wait for each other. If
 * they have passed each other, cmp contradicts itself: all anew. */
ITEM_INLINE void merge_items(const struct merge *m, size_t size)
{
    int (*cmp)(const void *, const void *, void *) = m->sort->cmp;
    void *ctx = m->sort->ctx;
    size_t n = m->left_n < m->right_n ? m->left_n : m->right_n;
    struct merge rest = *m;
    const char *left_end = m->left + m->left_n * size;
    const char *right_end = m->right + m->right_n * size;
    char *to_end = m->to + (m->left_n + m->right_n) * size;

    while (n-- > 0) {
        size_t lower = is_negative(cmp(rest.right, rest.left, ctx));
        size_t upper = is_negative(cmp(right_end - size, left_end - size, ctx));
        ptrdiff_t apart = rest.right - rest.left;
        ptrdiff_t ends = left_end - right_end;

        memcpy(rest.to, rest.left + (apart & -(ptrdiff_t)lower), size);
        rest.to += size;
        rest.right += lower * size;
        rest.left += (1 - lower) * size;
        to_end -= size;
        memcpy(to_end, right_end - size + (ends & -(ptrdiff_t)upper), size);
        left_end -= upper * size;
        right_end -= (1 - upper) * size;
    }
    if (rest.left > left_end || rest.right > right_end) {
        merge_front(m, size);
        return;
    }
    rest.left_n = (size_t)(left_end - rest.left) / size;
    rest.right_n = (size_t)(right_end - rest.right) / size;
    merge_front(&rest, size);
}

static void merge_alone(const struct merge *m)
{
    ITEM_SIZES(m->sort->size, merge_items, m);
}

/* --- merging in parts --- */

/* How many of the n items go before `pivot`; with `equal`, its equals too. */
static size_t before(const struct sort *s, const char *base, size_t n,
                     const char *pivot, bool equal)
{
    size_t lo = 0;

    while (lo < n) {
        size_t middle = lo + (n - lo) / 2;
        int order = s->cmp(item(s, base, middle), pivot, s->ctx);

        if (order < 0 || (equal && order == 0)) {
            lo = middle + 1;
        } else {
            n = middle;
        }
    }
    return lo;
}

/* Cuts m: the upper part goes to *upper. */
static void cut(struct merge *m, struct merge *upper)
{
    const struct sort *s = m->sort;
    size_t left, right;

    if (m->left_n >= m->right_n) {
        left = m->left_n / 2;
        right = before(s, m->right, m->right_n, item(s, m->left, left), false);
    } else {
        right = m->right_n / 2;
        left = before(s, m->left, m->left_n, item(s, m->right, right), true);
    }
    *upper = (struct merge){s,
                            item(s, m->left, left),
                            item(s, m->right, right),
                            m->left_n - left,
                            m->right_n - right,
                            m->to + (left + right) * s->size,
                            -ECANCELED};
    m->left_n = left;
    m->right_n = right;
}

/* What became of two parts and of the scope that they ran in. */
static int outcome(int left, int right, int scope)
{
    if (scope < 0 && scope != -ECANCELED) {
        return scope;
    }
    return left != 0 ? left : right;
}

static int merge_task(void *merge);

static int merge_parts(struct merge *m)
{
    struct merge lower = *m;
    struct merge upper;
    roost_scope s;
    int rc;

    if (roost_cancelled()) {
        return -ECANCELED;
    }
    if (m->left_n + m->right_n <= MERGE_GRAIN) {
        merge_alone(m);
        return 0;
    }
    cut(&lower, &upper);
    roost_scope_open(&s, NULL);
    (void)roost_spawn(&s, merge_task, &upper); /* or s fails: R36 */
    lower.status = merge_parts(&lower);
    rc = roost_scope_close(&s, 0);
    return outcome(lower.status, upper.status, rc);
}

static int merge_task(void *merge)
{
    struct merge *m = merge;

    m->status = merge_parts(m);
    return 0;
}

/* --- runs --- */

static void to_side(struct run *r, unsigned side)
{
    if (r->at != side) {
        memcpy(place(r, side), place(r, r->at), r->n * r->sort->size);
        r->at = side;
    }
}

/* The halves of r, each in order, to one run. */
static void join(struct run *r, struct run *left, struct run *right)
{
    const struct sort *s = r->sort;
    unsigned at = left->at;
    struct merge m = {s, place(left, at), NULL, left->n, right->n, NULL, 0};

    to_side(right, at);
    m.right = place(right, at);
    m.to = place(r, 1 - at);
    r->at = at;
    if (r->status != 0 ||
        s->cmp(item(s, m.right, 0) - s->size, m.right, s->ctx) <= 0) {
        return;
    }
    if (s->cmp(item(s, m.right, m.right_n - 1), m.left, s->ctx) < 0) {
        memcpy(m.to, m.right, right->n * s->size); /* falling order */
        memcpy(m.to + right->n * s->size, m.left, left->n * s->size);
    } else if (r->n <= MERGE_GRAIN) {
        merge_alone(&m);
    } else {
        r->status = merge_parts(&m);
    }
    r->at = r->status == 0 ? 1 - at : at;
}

static void halve(const struct run *r, struct run *left, struct run *right)
{
    size_t half = r->n / 2;
    unsigned level = r->level - 1;

    *left = (struct run){r->sort, r->first, half, level, 0, -ECANCELED};
    *right = (struct run){r->sort, r->first + half, r->n - half, level,
                          0,       -ECANCELED};
}

static void sort_alone(struct run *r)
{
    struct run left, right;

    r->at = 0;
    r->status = 0;
    if (r->level == 0) {
        ITEM_SIZES(r->sort->size, insert_items, r->sort, place(r, 0), r->n,
                   place(r, 1));
        return;
    }
    halve(r, &left, &right);
    sort_alone(&left);
    sort_alone(&right);
    join(r, &left, &right);
}

static int run_task(void *run);

/* Leaves r as it is, with a status, if it is cancelled at the outset. */
static void sort_run(struct run *r)
{
    struct run left, right;
    roost_scope s;
    int rc;

    if (roost_cancelled()) {
        r->status = -ECANCELED;
        return;
    }
    if (r->n <= RUN_GRAIN || r->level == 0) {
        sort_alone(r);
        return;
    }
    halve(r, &left, &right);
    roost_scope_open(&s, NULL);
    (void)roost_spawn(&s, run_task, &right); /* or s fails: R36 */
    sort_run(&left);
    rc = roost_scope_close(&s, 0);
    r->status = outcome(left.status, right.status, rc);
    join(r, &left, &right);
}

static int run_task(void *run)
{
    sort_run(run);
    return 0;
}

/* --- the call --- */

/* How many items from the first on are in order, or in falling order without
 * equals; 0: cancelled meanwhile. */
static size_t ordered(const struct sort *s, size_t n, bool falling)
{
    size_t i;

    for (i = 1; i < n; i++) {
        const char *at = item(s, s->side[0], i);
        int order = s->cmp(at - s->size, at, s->ctx);

        if (falling ? order <= 0 : order > 0) {
            break;
        }
        if (i % CHECK_EVERY == 0 && roost_cancelled()) {
            return 0;
        }
    }
    return i;
}

ITEM_INLINE void reverse_items(char *low, size_t n, size_t size)
{
    char *high = low + (n - 1) * size;

    for (; low < high; low += size, high -= size) {
        size_t i;

        for (i = 0; i < size; i++) {
            char byte = low[i];

            low[i] = high[i];
            high[i] = byte;
        }
    }
}

/* 1: it is in order now. 0: it is to be sorted. */
static int already(const struct sort *s, size_t n)
{
    size_t run = ordered(s, n, false);

    if (run == n || run == 0) {
        return run == n ? 1 : -ECANCELED;
    }
    run = run == 1 ? ordered(s, n, true) : 1;
    if (run == n) {
        ITEM_SIZES(s->size, reverse_items, s->side[0], n);
    }
    return run == n ? 1 : run == 0 ? -ECANCELED : 0;
}

static int sort(struct sort *s, size_t n)
{
    struct run all = {s, 0, n, 0, 0, -ECANCELED};
    roost_scope scope;
    int rc;

    s->side[1] = malloc(n * s->size);
    if (s->side[1] == NULL) {
        return -ENOMEM;
    }
    while (n >> all.level > BLOCK_MOST || all.level % 2 != 0) {
        all.level++;
    }
    roost_scope_open(&scope, NULL);
    (void)roost_spawn(&scope, run_task, &all);
    rc = roost_scope_close(&scope, 0);
    to_side(&all, 0);
    free(s->side[1]);
    return outcome(all.status, 0, rc);
}

int roost_parallel_sort(void *base, size_t n, size_t size,
                        int (*cmp)(const void *, const void *, void *),
                        void *ctx)
{
    struct sort s = {{base, NULL}, size, cmp, ctx};
    int rc;

    if (!items_valid(base, n, size) || cmp == NULL) {
        return -EINVAL;
    }
    rc = roost_checkpoint();
    if (rc != 0 || n < 2) {
        return rc;
    }
    rc = already(&s, n);
    if (rc == 0) {
        rc = sort(&s, n);
    }
    return rc < 0 ? rc : 0;
}
