/*
 * stack.c - stacks for fibers, cut from slabs of address space.
 *
 * WHAT    Hands out stacks in about 20 ns, each with a guard below it, a
 *         million at once, and gives the memory back after a burst.
 * MODEL   A slab is 64 stacks side by side in one mapping:
 *
 *           base                                        base + 64 x size
 *           | guard | stack 0 ........ top | guard | stack 1 ...
 *                   low ->        <- colour
 *
 *         A slab is on one of three lists: none (all its stacks are in use),
 *         `some` (it has free ones), `empty` (all are free). Stacks are taken
 *         from the front of `some`, then of `empty`; within a slab the one
 *         freed last comes first, since its pages and lines are warm. Slabs
 *         are unmapped from the back of `empty`, the coldest: by a worker that
 *         has nothing to do while more than TRIM_KEEP stacks are free, and
 *         at once beyond TRIM_MOST.
 *         The colour offset moves the tops of neighbours apart, which else
 *         would all fall into the same sets of the first-level cache.
 *         Below each stack lies its guard: stack_guard.c.
 * INVARIANTS
 *         free_stacks is the sum of slab->free          (stack_pool_free)
 * ORDER   SL1  (sleeplock.c) the pool's fields and its slabs'
 * COST    alloc, free: two exchanges, one line of the slab. A new slab: a
 *         mapping, a batch of guards, about 1.2 us a stack, with no lock held.
 * REJECTED  One mapping a stack: 32,753 are the most. MADV_DONTNEED for
 *         trimming: it keeps the guards, but with them the page tables, 512
 *         bytes a stack, and costs as much as unmapping. Trimming as stacks
 *         are freed: a scope of 10^5 waiting tasks then takes 150 ms longer
 *         to come home, and the next one faults 10^5 times again. An
 *         intrusive list of all free stacks: the exact order of warmth, for
 *         three cache lines a stack instead of one.
 */
#include "stack.h"
#include "base/alloc.h"
#include "base/atomic.h"
#include "base/check.h"
#include "base/sleeplock.h"
#include "stack_guard.h"
#include "stack_tools.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLAB_STACKS 64
/* Slabs of one growth at most. Their 256 guards are one call of 0.2 ms, for
 * which whoever else is ready on this worker waits. */
#define GROW_SLABS 4
#define STACK_SIZE_MIN 16384
/* Past any address space: sizes above it are refused before they overflow. */
#define STACK_SIZE_MAX ((size_t)1 << 46)
/* Offsets 0, 64 ... 960: more would push small tasks into a second page. */
#define COLOURS 16
#define FRESH_LINES 20
/* Free stacks that are kept: 64 MiB if each has touched one page. */
#define TRIM_KEEP 16384
/* And that many while no worker has been idle: 512 MiB. */
#define TRIM_MOST 131072

struct slab {
    struct list link;   /* L(lock), in `some` or `empty`, or in none */
    char *base;         /* I */
    size_t size;        /* I: of a stack and its guard */
    unsigned count;     /* I: SLAB_STACKS, or 1 for a stack of its own size */
    unsigned free;      /* L(lock): how many of `order` are valid */
    uint64_t guarded;   /* I: a bit a stack; clear: the canary is checked */
    struct tools tools; /* I: what checkers know of it */
    uint8_t order[SLAB_STACKS]; /* L(lock): the free ones, warmest last */
};

struct stack_pool {
    a32 lock;           /* M: 0 free, 1 held, 2 held and slept for (futex) */
    a32 growing;        /* M: the same: one at a time makes slabs */
    size_t page;        /* I */
    size_t size;        /* I: of a stack and its guard */
    struct list some;   /* L(lock) */
    struct list empty;  /* L(lock) */
    size_t stacks;      /* L(lock): in slabs or mapped for themselves */
    size_t bytes;       /* L(lock): of address space */
    size_t free_stacks; /* L(lock) */
    size_t in_use;      /* L(lock) */
    bool unguarded;     /* L(lock): some stack was made without a guard */
};

static void lock(struct stack_pool *p)
{
    sleeplock_acquire(&p->lock);
}

static void unlock(struct stack_pool *p)
{
    sleeplock_release(&p->lock);
}

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* A size as the user gives it, made a multiple of pages; 0: too large. */
static size_t round_size(size_t size, size_t page)
{
    size_t least = STACK_SIZE_MIN < 2 * page ? 2 * page : STACK_SIZE_MIN;

    if (size > STACK_SIZE_MAX) {
        return 0;
    }
    if (size < least) {
        size = least;
    }
    return (size + page - 1) & ~(page - 1);
}

static void *map(size_t bytes)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK;
    void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);

    if (base == MAP_FAILED) {
        return NULL;
    }
    return base;
}

/* `guarded` when every stack has a guard. */
static uint64_t all_stacks(const struct slab *s)
{
    return s->count == SLAB_STACKS ? UINT64_MAX : 1;
}

/* Address space for so many stacks, with markers where those are the guards.
 * NULL: no memory. */
static char *map_stacks(size_t count, size_t size, bool warm)
{
    char *base = map(count * size);

    if (base != NULL && guard_mark(base, count, size, warm) != 0) {
        munmap(base, count * size);
        base = NULL;
    }
    return base;
}

/* A slab at base, which map_stacks has mapped and stays so. NULL: no memory. */
static struct slab *new_slab_at(char *base, unsigned count, size_t size)
{
    struct slab *s = alloc_zero(sizeof(*s));
    unsigned i;

    if (s == NULL || !tools_add(&s->tools, base, count, size)) {
        alloc_free(s);
        return NULL;
    }
    s->count = count;
    s->size = size;
    s->base = base;
    s->guarded = guard_make(base, count, size);
    for (i = 0; i < count; i++) {
        s->order[i] = (uint8_t)(count - 1 - i);
    }
    s->free = count;
    return s;
}

/* The same with its mapping. */
static struct slab *new_slab(unsigned count, size_t size)
{
    char *base = map_stacks(count, size, false);
    struct slab *s = base == NULL ? NULL : new_slab_at(base, count, size);

    if (s == NULL && base != NULL) {
        munmap(base, count * size);
    }
    return s;
}

/* `slabs` slabs of the common size in one mapping, into list, or fewer. */
static void new_slabs(struct list *list, unsigned slabs, size_t size, bool warm)
{
    size_t bytes = SLAB_STACKS * size;
    char *base = map_stacks((size_t)slabs * SLAB_STACKS, size, warm);
    unsigned made = 0;

    while (base != NULL && made < slabs) {
        struct slab *s = new_slab_at(base + made * bytes, SLAB_STACKS, size);

        if (s == NULL) {
            munmap(base + made * bytes, (slabs - made) * bytes);
            break;
        }
        list_push_back(list, &s->link);
        made++;
    }
}

static void free_slab(struct slab *s)
{
    tools_remove(&s->tools, s->base, s->count, s->size);
    guard_drop(s->guarded);
    munmap(s->base, s->count * s->size);
    alloc_free(s);
}

struct stack_pool *stack_pool_new(size_t stack_size)
{
    size_t page = page_size();
    size_t size = round_size(stack_size, page);
    struct stack_pool *p;

    if (size == 0 || guard_find(page) != 0) {
        return NULL;
    }
    p = alloc_zero(sizeof(*p));
    if (p == NULL) {
        return NULL;
    }
    p->page = page;
    p->size = size;
    list_init(&p->some);
    list_init(&p->empty);
    return p;
}

void stack_pool_free(struct stack_pool *p)
{
    struct list *l;

    roost_check(p->in_use == 0);
    roost_check(list_empty(&p->some));
    while ((l = list_pop_front(&p->empty)) != NULL) {
        free_slab(container_of(l, struct slab, link));
        p->free_stacks -= SLAB_STACKS;
    }
    roost_check(p->free_stacks == 0);
    alloc_free(p);
}

/* Under the lock. */
static void enter_slab(struct stack_pool *p, const struct slab *s)
{
    p->stacks += s->count;
    p->bytes += s->count * s->size;
    if (s->guarded != all_stacks(s)) {
        p->unguarded = true;
    }
}

static void leave_slab(struct stack_pool *p, const struct slab *s)
{
    p->stacks -= s->count;
    p->bytes -= s->count * s->size;
}

/* Under the lock: the slab to take a stack from, or NULL. */
static struct slab *pick_slab(struct stack_pool *p)
{
    if (!list_empty(&p->some)) {
        return container_of(p->some.next, struct slab, link);
    }
    if (!list_empty(&p->empty)) {
        return container_of(p->empty.next, struct slab, link);
    }
    return NULL;
}

/* Under the lock: take the warmest stack of s. Its index. */
static unsigned take_stack(struct stack_pool *p, struct slab *s)
{
    bool was_empty = s->free == SLAB_STACKS;
    unsigned index = s->order[--s->free];

    if (was_empty || s->free == 0) {
        list_remove(&s->link);
        if (s->free > 0) {
            list_push_front(&p->some, &s->link);
        }
    }
    p->free_stacks--;
    p->in_use++;
    return index;
}

/* Under the lock: the stack is free again. */
static void give_stack(struct stack_pool *p, struct slab *s, unsigned index)
{
    roost_assert(s->free < SLAB_STACKS);
    s->order[s->free++] = (uint8_t)index;
    p->free_stacks++;
    p->in_use--;
    if (s->free == 1) {
        list_push_front(&p->some, &s->link);
    } else if (s->free == SLAB_STACKS) {
        list_remove(&s->link);
        list_push_front(&p->empty, &s->link);
    }
}

/* Under the lock: a slab to unmap so that at most `keep` stacks stay free,
 * already off the books, or NULL. */
static struct slab *trim(struct stack_pool *p, size_t keep)
{
    struct slab *s;

    if (likely(p->free_stacks <= keep) || list_empty(&p->empty)) {
        return NULL;
    }
    s = container_of(p->empty.prev, struct slab, link);
    list_remove(&s->link);
    leave_slab(p, s);
    p->free_stacks -= SLAB_STACKS;
    return s;
}

/* Add slabs, as many as there are, made without the lock; who finds somebody at
 * it waits for those. Returns with the lock held. */
static struct slab *grow(struct stack_pool *p)
{
    struct list made = {&made, &made};
    struct list *link;
    struct slab *found;
    size_t slabs;

    sleeplock_acquire(&p->growing);
    lock(p);
    slabs = p->stacks / SLAB_STACKS;
    found = pick_slab(p);
    if (found != NULL) {
        sleeplock_release(&p->growing);
        return found;
    }
    unlock(p);
    new_slabs(&made, slabs < GROW_SLABS ? (unsigned)slabs + 1 : GROW_SLABS,
              p->size, slabs > 0);
    lock(p);
    while ((link = list_pop_front(&made)) != NULL) {
        list_push_front(&p->empty, link);
        enter_slab(p, container_of(link, struct slab, link));
        p->free_stacks += SLAB_STACKS;
    }
    sleeplock_release(&p->growing);
    return pick_slab(p); /* another thread may have freed one */
}

static void describe(struct slab *s, unsigned index, size_t page,
                     struct stack *out)
{
    char *slot = s->base + index * s->size;

    out->low = slot + page;
    out->top = slot + s->size - (size_t)CACHE_LINE * (index % COLOURS);
    out->size = (size_t)(out->top - out->low);
    out->slab = s;
    out->index = index;
}

/* Ahead of who will ask for one next: where a task that starts writes. */
static void prefetch_top(const struct stack *s)
{
    unsigned i;

    for (i = 1; i <= FRESH_LINES; i++) {
        __builtin_prefetch(s->top - (size_t)i * CACHE_LINE, 1);
    }
}

int stack_alloc(struct stack_pool *p, struct stack *out)
{
    struct stack following;
    struct slab *s;
    unsigned index;
    int after;

    lock(p);
    s = pick_slab(p);
    if (unlikely(s == NULL)) {
        unlock(p);
        s = grow(p);
        if (s == NULL) {
            unlock(p);
            return -ENOMEM;
        }
    }
    index = take_stack(p, s);
    after = s->free > 0 ? s->order[s->free - 1] : -1;
    unlock(p);
    describe(s, index, p->page, out);
    if (after >= 0) {
        describe(s, (unsigned)after, p->page, &following);
        prefetch_top(&following);
    }
    return 0;
}

/* A stack of its own size is the whole of its slab, which is in no list. */
int stack_alloc_sized(struct stack_pool *p, size_t size, struct stack *out)
{
    size_t rounded = round_size(size, p->page);
    struct slab *s;

    if (rounded == p->size) {
        return stack_alloc(p, out);
    }
    s = rounded == 0 ? NULL : new_slab(1, rounded);
    if (s == NULL) {
        return -ENOMEM;
    }
    lock(p);
    enter_slab(p, s);
    p->in_use++;
    unlock(p);
    describe(s, 0, p->page, out);
    return 0;
}

void stack_free(struct stack_pool *p, const struct stack *s)
{
    struct slab *slab = s->slab;
    struct slab *gone;

    tools_recycle(s->low, s->size);
    if (unlikely((slab->guarded >> s->index & 1) == 0)) {
        guard_check_canary(s->low, p->page);
    }
    lock(p);
    if (slab->count == 1) {
        leave_slab(p, slab);
        p->in_use--;
        gone = slab;
    } else {
        give_stack(p, slab, s->index);
        gone = trim(p, TRIM_MOST);
    }
    unlock(p);
    if (unlikely(gone != NULL)) {
        free_slab(gone);
    }
}

/* Under the lock: how many free ones an idle worker leaves. While many are in
 * use the burst is not over: the rest are about to be freed, or taken. */
static size_t idle_keep(const struct stack_pool *p)
{
    size_t keep = p->in_use * 8;

    keep = keep < TRIM_KEEP ? TRIM_KEEP : keep;
    return keep > TRIM_MOST ? TRIM_MOST : keep;
}

bool stack_trim(struct stack_pool *p)
{
    struct slab *gone;

    lock(p);
    gone = trim(p, idle_keep(p));
    unlock(p);
    if (gone != NULL) {
        free_slab(gone);
    }
    return gone != NULL;
}

void stack_pool_stats(struct stack_pool *p, struct stack_stats *out)
{
    lock(p);
    out->stacks = p->stacks;
    out->bytes = p->bytes;
    out->guarded = !p->unguarded;
    unlock(p);
}

bool stack_guard_hit(const struct stack *s, const void *addr)
{
    const char *a = addr;

    return a < s->low && a >= s->low - page_size();
}
