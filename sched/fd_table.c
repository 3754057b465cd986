/*
 * fd_table.c - the table of descriptors: from a number to its entry.
 *
 * WHAT    A tree of three levels, so that any number has a place and small
 *         ones cost little. It grows with the largest number that was waited
 *         for, and stays: numbers are used again.
 * INVARIANTS
 *   - An entry never moves and is never freed: its lock is all that guards it.
 * ORDER
 *   FT1  a level: release by who made it -> acquire    it is zero
 * COST    A look-up: three loads.
 */
#include "base/alloc.h"
#include "fd.h"
#include <string.h>

#define LEAF_BITS 7
#define MIDDLE_BITS 11
#define TOP_BITS 12
#define LEAF (1u << LEAF_BITS)
#define MIDDLE (1u << MIDDLE_BITS)
#define TOP (1u << TOP_BITS)

struct leaf {
    struct fd fds[LEAF];
};

struct middle {
    aptr leaves[MIDDLE]; /* M: FT1 */
};

static aptr top[TOP]; /* M: FT1 */

/* What lies at `at`; NULL: nothing, and no memory for `size` bytes. */
static void *level(aptr *at, size_t size)
{
    void *seen = aptr_load(at, ACQUIRE /* FT1 */);
    void *made;

    if (seen != NULL || size == 0) {
        return seen;
    }
    made = alloc_aligned(CACHE_LINE, size);
    if (made != NULL &&
        !aptr_cas(at, &seen, made, RELEASE /* FT1 */, ACQUIRE /* FT1 */)) {
        alloc_free(made);
        made = seen;
    }
    return made;
}

static struct fd *walk(int fd, bool make)
{
    unsigned n = (unsigned)fd;
    struct middle *m;
    struct leaf *l;

    if (fd < 0 || n >> (LEAF_BITS + MIDDLE_BITS) >= TOP) {
        return NULL;
    }
    m = level(&top[n >> (LEAF_BITS + MIDDLE_BITS)], make ? sizeof(*m) : 0);
    if (m == NULL) {
        return NULL;
    }
    l = level(&m->leaves[n >> LEAF_BITS & (MIDDLE - 1)], make ? sizeof(*l) : 0);
    return l == NULL ? NULL : &l->fds[n & (LEAF - 1)];
}

struct fd *fd_find(int fd)
{
    return walk(fd, false);
}

struct fd *fd_get(int fd)
{
    return walk(fd, true);
}

static void each_leaf(struct middle *m, void (*fn)(struct fd *f, void *arg),
                      void *arg)
{
    unsigned i, j;

    for (i = 0; i < MIDDLE; i++) {
        struct leaf *l = level(&m->leaves[i], 0);

        for (j = 0; l != NULL && j < LEAF; j++) {
            fn(&l->fds[j], arg);
        }
    }
}

void fd_each(void (*fn)(struct fd *f, void *arg), void *arg)
{
    unsigned i;

    for (i = 0; i < TOP; i++) {
        struct middle *m = level(&top[i], 0);

        if (m != NULL) {
            each_leaf(m, fn, arg);
        }
    }
}

static void forget(struct fd *f, void *arg)
{
    (void)arg;
    memset(f, 0, sizeof(*f));
}

void fd_forked(void)
{
    fd_each(forget, NULL);
}
