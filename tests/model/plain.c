/*
 * plain.c - plain memory: what must be ordered, and what is dead.
 *
 * WHAT   Reports two accesses to plain memory, one of them a write, that no
 *        happens-before orders; accesses to memory that was given back; and
 *        giving back what another thread's access is not ordered before.
 * MODEL  Accesses come from plain_read and plain_write, and from the real
 *        files without being asked: they are compiled with the compiler's
 *        instrumentation for ThreadSanitizer, whose calls end here.
 *        Each 8 aligned bytes that were touched have cells, one for each set
 *        of bytes used together: the last write and each thread's last read,
 *        by its clock. So a stack frame that is used again while somebody
 *        else's last access to it is not ordered before is a race as well.
 *        Blocks of model_alloc come from an arena that is never reused within
 *        a run, so a stale pointer cannot hit a new block.
 * COST   A table look-up an access; none of it is a scheduling point, since
 *        a race shows by its clocks under any schedule.
 */
#include "engine.h"
#include <string.h>

enum {
    HASH_BITS = 13,
    HASH_SIZE = 1 << HASH_BITS,
    CELLS = 1 << 13,
    ARENA = 1 << 20,
    GRAIN = 64,
    BLOCKS = 1024,
    RANGES = 64,
    PIECE = 64 /* a larger access is taken apart */
};

struct cell {
    uint8_t mask; /* which of the 8 bytes */
    uint8_t writer;
    uint16_t next;    /* of the same word; 0: none */
    uint32_t written; /* the writer's clock; 0: never */
    const void *write_pc;
    uint32_t read[THREADS];
    const void *read_pc[THREADS];
};

struct word {
    uintptr_t at;
    uint32_t epoch;
    uint32_t first; /* cell; 0: none */
};

struct range {
    uintptr_t at;
    size_t size;
    bool live;
    uint8_t by; /* which thread ended it */
};

enum life { NEVER, LIVE, DEAD };

static struct word table[HASH_SIZE];
static struct cell cells[CELLS];
static uint32_t epoch, words, cell_count;
static char arena[ARENA] __attribute__((aligned(4096)));
static uint8_t grains[ARENA / GRAIN];
static size_t arena_used;
static struct range blocks[BLOCKS], ranges[RANGES];
static unsigned block_count, range_count;
bool life_watched;

void plain_reset(void)
{
    epoch++;
    words = 0;
    cell_count = 1;
    memset(grains, NEVER, arena_used / GRAIN);
    arena_used = 0;
    block_count = 0;
    range_count = 0;
    life_watched = false;
}

/* NULL: not there, and not to be added. */
static struct word *find(uintptr_t at, bool add)
{
    size_t h =
        (size_t)((at * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - HASH_BITS));

    while (table[h].epoch == epoch) {
        if (table[h].at == at) {
            return &table[h];
        }
        h = (h + 1) & (HASH_SIZE - 1);
    }
    if (!add) {
        return NULL;
    }
    if (++words == HASH_SIZE / 2) {
        run_failed("too many plain words in one run");
    }
    table[h].at = at;
    table[h].epoch = epoch;
    table[h].first = 0;
    return &table[h];
}

/* A use of c that is not ordered before the running thread's. */
struct conflict {
    unsigned thread; /* 0: none */
    const char *what;
    const void *pc;
};

static struct conflict find_conflict(const struct cell *c, bool write)
{
    const struct thread *t = e.me;
    unsigned me = thread_index(t);

    if (c->writer != me && c->written > t->cur.at[c->writer]) {
        return (struct conflict){c->writer, "written", c->write_pc};
    }
    for (unsigned u = 1; write && u < e.count; u++) {
        if (u != me && c->read[u] > t->cur.at[u]) {
            return (struct conflict){u, "read", c->read_pc[u]};
        }
    }
    return (struct conflict){0, NULL, NULL};
}

static void check_cell(const struct cell *c, const struct touch *t)
{
    struct conflict other = find_conflict(c, t->write);
    char here[80], there[80];

    if (other.thread != 0) {
        place_text(t->pc, here, sizeof(here));
        place_text(other.pc, there, sizeof(there));
        run_failed("race: %s is %s at %s and was %s by T%u at %s, which is "
                   "not ordered before",
                   t->name, t->write ? "written" : "read", here, other.what,
                   other.thread - 1, there);
    }
}

static struct cell *add_cell(struct word *w, uint8_t mask)
{
    struct cell *c = &cells[cell_count];

    if (cell_count == CELLS - 1) {
        run_failed("too many plain words in one run");
    }
    c->mask = mask;
    c->writer = 0;
    c->written = 0;
    c->next = (uint16_t)w->first;
    memset(c->read, 0, sizeof(c->read));
    w->first = cell_count++;
    return c;
}

static void touch_word(const struct touch *t, uintptr_t at, uint8_t mask)
{
    struct word *w = find(at, true);
    unsigned me = thread_index(e.me);
    struct cell *mine = NULL;

    for (uint32_t i = w->first; i != 0; i = cells[i].next) {
        if ((cells[i].mask & mask) != 0) {
            check_cell(&cells[i], t);
        }
        if (cells[i].mask == mask) {
            mine = &cells[i];
        }
    }
    if (mine == NULL) {
        mine = add_cell(w, mask);
    }
    if (t->write) {
        mine->writer = (uint8_t)me;
        mine->written = e.me->cur.at[me];
        mine->write_pc = t->pc;
    } else {
        mine->read[me] = e.me->cur.at[me];
        mine->read_pc[me] = t->pc;
    }
}

/* An access to plain memory by the running thread. */
void plain_touch(const struct touch *t)
{
    uintptr_t at = t->at, end = at + t->size;

    if (life_watched) {
        life_check(t->at, t->name, t->pc);
    }
    if (e.alone) {
        return;
    }
    memory_touched(t);
    while (at < end) {
        uintptr_t word = at & ~(uintptr_t)7;
        uintptr_t next = word + 8 < end ? word + 8 : end;
        unsigned bits = (1U << (next - at)) - 1;

        touch_word(t, word, (uint8_t)(bits << (at - word)));
        at = next;
    }
}

void model_plain(struct model_access a, bool write)
{
    struct touch t = {(uintptr_t)a.at, a.size, write, a.name,
                      __builtin_return_address(0)};

    trace(a.file, a.line, "%s %s", write ? "write " : "read  ", a.name);
    plain_touch(&t);
}

/* ---- the life of memory ------------------------------------------------- */

static const struct range *dead_range(uintptr_t at)
{
    for (unsigned i = 0; i < range_count; i++) {
        if (!ranges[i].live && at - ranges[i].at < ranges[i].size) {
            return &ranges[i];
        }
    }
    for (unsigned i = 0; i < block_count; i++) {
        if (!blocks[i].live && at - blocks[i].at < blocks[i].size) {
            return &blocks[i];
        }
    }
    return NULL;
}

void life_check(uintptr_t at, const char *name, const void *pc)
{
    uintptr_t offset = at - (uintptr_t)arena;
    const struct range *r;
    char here[80];

    if (offset < ARENA && grains[offset / GRAIN] == LIVE) {
        return;
    }
    r = dead_range(at);
    if (r == NULL && offset >= ARENA) {
        return;
    }
    place_text(pc, here, sizeof(here));
    if (r == NULL) {
        run_failed("dead: %s at %s lies outside of every block", name, here);
    }
    run_failed("dead: %s is used at %s, T%d has ended its life", name, here,
               r->by - 1);
}

/* Everything in r that others have done must be ordered before its end. */
static void end_life(struct range *r)
{
    char why[128];

    r->by = (uint8_t)thread_index(e.me);
    life_watched = true;
    if (e.alone) {
        return;
    }
    if (!memory_ordered((void *)r->at, r->size, why, sizeof(why))) {
        run_failed("dead too early: %s", why);
    }
    for (uintptr_t at = r->at & ~(uintptr_t)7; at < r->at + r->size; at += 8) {
        const struct word *w = find(at, false);

        for (uint32_t i = w != NULL ? w->first : 0; i != 0; i = cells[i].next) {
            struct conflict c = find_conflict(&cells[i], true);

            if (c.thread != 0) {
                place_text(c.pc, why, sizeof(why));
                run_failed("dead too early: byte %zu was %s by T%u at %s, "
                           "which is not ordered before",
                           (size_t)(at - r->at), c.what, c.thread - 1, why);
            }
        }
    }
}

void model_dead(void *p, size_t size)
{
    struct range *r = NULL;

    for (unsigned i = 0; i < range_count; i++) {
        if (ranges[i].at == (uintptr_t)p) {
            r = &ranges[i];
        }
    }
    if (r == NULL) {
        if (range_count == RANGES) {
            run_failed("more than %d calls of model_dead", RANGES);
        }
        r = &ranges[range_count++];
    }
    *r = (struct range){(uintptr_t)p, size, false, 0};
    trace("", 0, "dead   %p, %zu bytes", p, size);
    end_life(r);
}

void model_born(void *p, size_t size)
{
    for (unsigned i = 0; i < range_count; i++) {
        if (ranges[i].at - (uintptr_t)p < size) {
            ranges[i].live = true;
        }
    }
}

/* May this allocation fail? At most one does in a run. */
static bool refuse(void)
{
    if ((e.model->flags & MODEL_NOMEM) == 0 || e.nomem || e.alone) {
        return false;
    }
    e.nomem = choose(2) == 1;
    if (e.nomem) {
        trace("", 0, "alloc  fails");
    }
    return e.nomem;
}

void *model_alloc(size_t size)
{
    size_t align = size >= 4096 ? 4096 : GRAIN;
    size_t start = (arena_used + align - 1) & ~(align - 1);
    size_t room = (size + GRAIN - 1) & ~(size_t)(GRAIN - 1);

    sleep_touch(&arena_used, true); /* which memory, or none */
    if (refuse()) {
        return NULL;
    }
    if (block_count == BLOCKS || start > ARENA || room > ARENA - start) {
        run_failed("the arena is full");
    }
    memset(grains + start / GRAIN, LIVE, room / GRAIN);
    memset(arena + start, 0, room);
    arena_used = start + room;
    blocks[block_count++] =
        (struct range){(uintptr_t)(arena + start), room, true, 0};
    return arena + start;
}

void model_free(void *p)
{
    struct range *r = NULL;

    for (unsigned i = 0; i < block_count; i++) {
        if (blocks[i].at == (uintptr_t)p) {
            r = &blocks[i];
        }
    }
    if (p == NULL) {
        return;
    }
    if (r == NULL || !r->live) {
        run_failed("dead: %p is freed %s", p,
                   r == NULL ? "but was never allocated" : "twice");
    }
    sleep_touch(&block_count, false);
    trace("", 0, "free   %p, %zu bytes", p, r->size);
    r->live = false;
    end_life(r);
    memset(grains + (r->at - (uintptr_t)arena) / GRAIN, DEAD, r->size / GRAIN);
    memset(p, 0xdd, r->size);
}

unsigned model_live(void)
{
    unsigned n = 0;

    sleep_touch(&arena_used, false);
    sleep_touch(&block_count, true); /* meets frees, which do not meet */
    for (unsigned i = 0; i < block_count; i++) {
        n += blocks[i].live;
    }
    return n;
}
