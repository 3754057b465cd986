/*
 * memory.c - weak memory: a history for each atomic word, a view for each
 * thread.
 *
 * WHAT   The behaviours of C11/C20 atomics that come from reordering loads
 *        and stores, by views over store histories.
 * MODEL  A word's history is its stores in modification order, each with a
 *        time stamp. A view maps words to the oldest stamp that may still be
 *        read, and threads to clocks (happens-before). Each store carries the
 *        view it releases.
 *          load         any store from the thread's view on; an acquire load
 *                       takes over what that store carries
 *          store        at the end, or earlier where the thread has seen
 *                       nothing later; never between a read-modify-write and
 *                       what it read
 *          rmw          reads the newest, and passes on what that carried:
 *                       release sequences as in C20 (a later plain store of
 *                       the releasing thread breaks them)
 *          full fence   exchanges views with e.sc: full fences have one order
 *          SEQ_CST      loads and stores meet e.sc at their own word only, so
 *                       they order nothing else, as on aarch64
 * INVARIANTS  Each thread's view of a word only grows (observe). A word's
 *        stamps strictly increase (add_store).
 * REJECTED  Load buffering (a load that reads a store made later): it needs
 *        promises; no processor that we build for shows it across a
 *        dependency, and all our protocols have one.
 *        Store buffers of a fixed machine: they miss what the language allows.
 * SEE    Kang et al., A promising semantics (2017); Norris and Demsky,
 *        CDSChecker (2013).
 */
#include "engine.h"
#include <string.h>

enum {
    HASH_BITS = 11,
    HASH_SIZE = 1 << HASH_BITS,
    HISTORY = 512,
    STORES = STEPS_MAX + LOCS + 1024,
    STAMP_GAP = 1024
};

struct store {
    uint64_t value;
    uint32_t step;  /* when it was made */
    uint32_t stamp; /* its place in modification order */
    uint32_t width; /* valid entries of view; 0: it carries nothing */
    uint8_t thread;
    bool rmw;
    struct view view;
};

struct loc {
    void *at;
    uint32_t index; /* in a view */
    uint32_t count;
    uint64_t first; /* what it held when it was seen first */
    uint8_t size;
    uint8_t init_thread; /* who initialised it, and when by its clock */
    uint32_t init_clock;
    uint32_t last[THREADS];       /* each thread's clock at its last access */
    uint32_t last_stamp[THREADS]; /* of that access, if it was a store */
    struct store *order[HISTORY];
};

struct slot {
    void *at;
    uint32_t epoch;
    uint32_t loc;
};

static struct loc locs[LOCS];
static struct store stores[STORES];
static struct slot table[HASH_SIZE];
static uint32_t loc_count, store_count, epoch;

void memory_join(struct view *into, const struct view *from, uint32_t width)
{
    for (uint32_t i = 0; i < width; i++) {
        uint32_t a = into->at[i], b = from->at[i];

        into->at[i] = a > b ? a : b;
    }
}

void memory_copy(struct view *into, const struct view *from, uint32_t width)
{
    memcpy(into->at, from->at, width * sizeof(into->at[0]));
}

/* The entry of a new word, in every view of a thread. */
static void widen(void)
{
    uint32_t i = e.width++;

    for (unsigned t = 0; t < e.count; t++) {
        e.threads[t].cur.at[i] = 0;
        e.threads[t].acquire.at[i] = 0;
        e.threads[t].release.at[i] = 0;
        e.threads[t].resumed.at[i] = 0;
    }
    e.sc.at[i] = 0;
}

static uint64_t peek(const void *at, uint8_t size)
{
    uint32_t small;
    uint64_t large;

    if (size == sizeof(small)) {
        memcpy(&small, at, sizeof(small));
        return small;
    }
    memcpy(&large, at, sizeof(large));
    return large;
}

static void poke(void *at, uint8_t size, uint64_t value)
{
    uint32_t small = (uint32_t)value;

    if (size == sizeof(small)) {
        memcpy(at, &small, sizeof(small));
    } else {
        memcpy(at, &value, sizeof(value));
    }
}

void memory_reset(void)
{
    /* Words that setup does not make anew hold what they held before. */
    for (uint32_t i = 0; i < loc_count; i++) {
        poke(locs[i].at, locs[i].size, locs[i].first);
    }
    loc_count = 0;
    store_count = 0;
    epoch++;
    e.width = THREADS;
    memset(e.sc.at, 0, THREADS * sizeof(e.sc.at[0]));
}

/* STEPS_MAX sees to it that there is room. */
static struct store *new_store(void)
{
    return &stores[store_count++];
}

/* A word seen for the first time holds what its memory holds. It is read first:
 * where there is no memory, none is entered for memory_reset to write to. */
static struct loc *add_loc(struct slot *slot, void *at, uint8_t size)
{
    uint64_t held = peek(at, size);
    struct loc *l;
    struct store *s;

    if (loc_count == LOCS) {
        run_failed("more than %d atomic words in one run", LOCS);
    }
    *slot = (struct slot){at, epoch, loc_count};
    l = &locs[loc_count++];
    l->at = at;
    l->size = size;
    l->index = e.width;
    l->init_thread = l->init_clock = 0;
    memset(l->last, 0, sizeof(l->last));
    widen();
    s = new_store();
    s->value = l->first = held;
    s->step = 0;
    s->stamp = STAMP_GAP;
    s->width = 0;
    s->thread = 0;
    s->rmw = false;
    l->order[0] = s;
    l->count = 1;
    return l;
}

static struct slot *find_slot(const void *at)
{
    uint64_t mixed = (uint64_t)(uintptr_t)at * UINT64_C(0x9e3779b97f4a7c15);
    size_t h = (size_t)(mixed >> (64 - HASH_BITS));

    while (table[h].epoch == epoch && table[h].at != at) {
        h = (h + 1) & (HASH_SIZE - 1);
    }
    return &table[h];
}

static struct loc *locate(const struct model_access *a)
{
    struct slot *slot = find_slot(a->at);
    struct loc *l;

    if (slot->epoch != epoch) {
        return add_loc(slot, a->at, a->size);
    }
    l = &locs[slot->loc];
    if (e.me->cur.at[l->init_thread] < l->init_clock) {
        trace(a->file, a->line, "use    %s", a->name);
        run_failed("race: %s is used, its initialisation by T%d is not "
                   "ordered before",
                   a->name, l->init_thread - 1);
    }
    return l;
}

/* Make room: old history is forgotten, nobody reads it any more. */
static void forget(struct loc *l)
{
    if (l->count == HISTORY) {
        l->count = HISTORY / 2;
        memmove(l->order, l->order + l->count, l->count * sizeof(l->order[0]));
    }
}

static void check_life(const struct model_access *a)
{
    if (life_watched) {
        life_check((uintptr_t)a->at, a->name, NULL);
    }
}

static struct loc *enter(const struct model_access *a)
{
    struct loc *l;

    thread_point(a->file);
    check_life(a);
    l = locate(a);
    forget(l);
    return l;
}

/* The access is done: the thread's clock moves on. */
static void leave(struct loc *l, const struct store *stored)
{
    unsigned me = thread_index(e.me);

    l->last[me] = e.me->cur.at[me]++;
    l->last_stamp[me] = stored != NULL ? stored->stamp : UINT32_MAX;
}

/* The thread has read s. */
static void observe(const struct loc *l, const struct store *s, int order)
{
    struct thread *t = e.me;

    if (t->cur.at[l->index] < s->stamp) {
        t->cur.at[l->index] = s->stamp;
    }
    if (s->width == 0) {
        return;
    }
    memory_join((order & ACQUIRE) != 0 ? &t->cur : &t->acquire, &s->view,
                s->width);
}

static uint32_t view_floor(const struct loc *l, int order)
{
    uint32_t seen = e.me->cur.at[l->index];
    uint32_t sc = (order & 4) != 0 ? e.sc.at[l->index] : 0;

    return seen > sc ? seen : sc;
}

/* How many of the newest stores this load may read: 1 to l->count. */
static uint32_t readable(const struct loc *l, int order)
{
    uint32_t floor = view_floor(l, order), n = 1;

    while (n < l->count && l->order[l->count - n - 1]->stamp >= floor &&
           l->order[l->count - n]->step >= e.me->pause_step) {
        n++;
    }
    return n;
}

/* For sleep sets, and what was seen in the run. */
static void note(const struct model_access *a, bool write, uint64_t value)
{
    sleep_touch(a->at, write);
    if ((a->order & 4) != 0) {
        sleep_fence(false);
    }
    seen_step(a->at, value);
    lines_access(a, write);
}

uint64_t model_load(struct model_access access)
{
    const struct model_access *a = &access;
    struct loc *l = enter(a);
    uint32_t n = readable(l, a->order);
    uint32_t back = n > 1 ? choose_weak(n) : 0;
    const struct store *s = l->order[l->count - 1 - back];

    note(a, false, s->value);
    observe(l, s, a->order);
    leave(l, NULL);
    if (e.tracing) {
        trace(a->file, a->line, "load   %s %s -> %lld%s", a->name,
              order_name(a->order), (long long)s->value,
              back > 0 ? "   (stale)" : "");
    }
    return s->value;
}

/* Where a store may go: before how many of the newest. Fills places[]. */
static unsigned find_places(const struct loc *l, int order, uint32_t *places)
{
    uint32_t floor = view_floor(l, order), i = l->count;
    unsigned n = 0;

    places[n++] = l->count;
    while (i > 1 && l->order[i - 1]->stamp > floor && n < 4) {
        i--;
        if (!l->order[i]->rmw &&
            l->order[i]->stamp - l->order[i - 1]->stamp > 1) {
            places[n++] = i;
        }
    }
    return n;
}

/* What a store carries: from the thread, and for a read-modify-write also
 * what it has read. */
static void set_message(struct store *s, const struct store *read, int order)
{
    struct thread *t = e.me;
    unsigned me = thread_index(t);

    if ((order & RELEASE) != 0) {
        memory_copy(&s->view, &t->cur, e.width);
        s->width = e.width;
    } else if (t->release.at[me] != 0) {
        memory_copy(&s->view, &t->release, e.width);
        s->width = e.width;
    } else {
        s->width = 0;
    }
    if (read == NULL || read->width == 0) {
        return;
    }
    if (s->width == 0) {
        memory_copy(&s->view, &read->view, read->width);
        s->width = read->width;
    } else {
        memory_join(&s->view, &read->view, read->width);
    }
}

static struct store *add_store(struct loc *l, uint32_t place, uint64_t value)
{
    struct store *s = new_store();
    uint32_t before = l->order[place - 1]->stamp;

    s->value = value;
    s->step = e.steps;
    s->thread = (uint8_t)thread_index(e.me);
    s->rmw = false;
    if (place == l->count) {
        s->stamp = before + STAMP_GAP;
        poke(l->at, l->size, value);
    } else {
        s->stamp = before + (l->order[place]->stamp - before) / 2;
        memmove(&l->order[place + 1], &l->order[place],
                (l->count - place) * sizeof(l->order[0]));
    }
    l->order[place] = s;
    l->count++;
    e.me->cur.at[l->index] = s->stamp;
    if (l->order[l->count - 2]->value != value) {
        /* Who waits in a loop looks again. */
        e.paused = 0;
        e.idle_rounds = 0;
    }
    return s;
}

static void publish(const struct loc *l, const struct store *s, int order)
{
    if ((order & 4) != 0 && e.sc.at[l->index] < s->stamp) {
        e.sc.at[l->index] = s->stamp;
    }
}

void model_store(struct model_access access, uint64_t value)
{
    const struct model_access *a = &access;
    struct loc *l = enter(a);
    uint32_t places[4];
    unsigned n = find_places(l, a->order, places);
    unsigned late = n > 1 ? choose_weak(n) : 0;
    struct store *s;

    note(a, true, value + late);
    s = add_store(l, places[late], value);
    set_message(s, NULL, a->order);
    publish(l, s, a->order);
    leave(l, s);
    if (e.tracing) {
        trace(a->file, a->line, "store  %s %s = %lld%s", a->name,
              order_name(a->order), (long long)value,
              late > 0 ? "   (behind a later one)" : "");
    }
}

void model_init(struct model_access access, uint64_t value)
{
    const struct model_access *a = &access;
    struct slot *slot = find_slot(a->at);
    unsigned me = thread_index(e.me);
    char why[128];
    struct loc *l;

    check_life(a);
    sleep_touch(a->at, true);
    if (slot->epoch != epoch) {
        poke(a->at, a->size, value);
        if (e.alone) {
            return;
        }
        l = add_loc(slot, a->at, a->size);
        e.me->cur.at[l->index] = l->order[0]->stamp;
    } else {
        l = &locs[slot->loc];
        if (!memory_ordered(a->at, a->size, why, sizeof(why))) {
            run_failed("race: %s is initialised, %s", a->name, why);
        }
        l->size = a->size;
        forget(l);
        add_store(l, l->count, value)->width = 0;
    }
    l->init_thread = (uint8_t)me;
    l->init_clock = e.me->cur.at[me];
    leave(l, NULL);
    if (e.tracing) {
        trace(a->file, a->line, "init   %s = %lld", a->name, (long long)value);
    }
}

/* The second half of a read-modify-write: l was entered. Returns what was
 * there. */
static uint64_t replace(struct loc *l, const struct model_access *a,
                        uint64_t value)
{
    const struct store *read = l->order[l->count - 1];
    struct store *s;

    note(a, true, read->value);
    observe(l, read, a->order);
    s = add_store(l, l->count, value);
    s->rmw = true;
    set_message(s, read, a->order);
    publish(l, s, a->order);
    leave(l, s);
    if (e.tracing) {
        trace(a->file, a->line, "rmw    %s %s %lld -> %lld", a->name,
              order_name(a->order), (long long)read->value, (long long)value);
    }
    return read->value;
}

static uint64_t newest(const struct loc *l)
{
    return l->order[l->count - 1]->value;
}

uint64_t model_xchg(struct model_access a, uint64_t value)
{
    return replace(enter(&a), &a, value);
}

uint64_t model_add(struct model_access a, uint64_t value)
{
    struct loc *l = enter(&a);

    value += newest(l);
    return replace(l, &a, l->size == 4 ? (uint32_t)value : value);
}

uint64_t model_or(struct model_access a, uint64_t value)
{
    struct loc *l = enter(&a);

    return replace(l, &a, newest(l) | value);
}

uint64_t model_and(struct model_access a, uint64_t value)
{
    struct loc *l = enter(&a);

    return replace(l, &a, newest(l) & value);
}

/* The stores that make a compare-and-swap fail, newest first, then the swap
 * itself if the newest is as expected: that is choice 0. */
static bool swap(const struct model_access *a, uint64_t *expected, uint64_t v)
{
    struct loc *l = enter(a);
    uint32_t n = readable(l, a->miss), back[8];
    unsigned count = 0, pick;
    const struct store *s;

    for (uint32_t i = 0; i < n && count < 8; i++) {
        uint64_t value = l->order[l->count - 1 - i]->value;

        if (i == 0 || value != *expected) {
            back[count++] = i;
        }
    }
    pick = count > 1 ? choose_weak(count) : 0;
    s = l->order[l->count - 1 - back[pick]];
    if (s->value == *expected) {
        replace(l, a, v);
        return true;
    }
    note(a, false, s->value);
    observe(l, s, a->miss);
    leave(l, NULL);
    if (e.tracing) {
        trace(a->file, a->line, "cas    %s %s failed, not %lld but %lld%s",
              a->name, order_name(a->miss), (long long)*expected,
              (long long)s->value, pick > 0 ? "   (stale)" : "");
    }
    *expected = s->value;
    return false;
}

bool model_cas64(struct model_access a, uint64_t *expected, uint64_t v)
{
    return swap(&a, expected, v);
}

/* A thread whose access to l is not ordered before what the running thread
 * does next; 0: none. A store that has been seen counts as ordered. */
static unsigned unordered(const struct loc *l)
{
    const struct thread *t = e.me;

    for (unsigned u = 1; u < e.count; u++) {
        bool seen = l->last_stamp[u] != UINT32_MAX &&
                    t->cur.at[l->index] >= l->last_stamp[u];

        if (l->last[u] > t->cur.at[u] && !seen) {
            return u;
        }
    }
    return 0;
}

/* Is every access to the words in [at, at + size) by others ordered before
 * what the running thread does next? If not, why says which is not. */
bool memory_ordered(const void *at, size_t size, char *why, size_t room)
{
    for (uint32_t i = 0; i < loc_count; i++) {
        const struct loc *l = &locs[i];
        size_t offset = (size_t)((uintptr_t)l->at - (uintptr_t)at);
        unsigned u = offset < size ? unordered(l) : 0;

        if (u != 0) {
            snprintf(why, room,
                     "an access of T%u at offset %zu is not ordered before",
                     u - 1, offset);
            return false;
        }
    }
    return true;
}

/* Plain memory that is, or was, an atomic word: a write must be ordered after
 * all that others did to it. (A stack frame that is used again.) */
void memory_touched(const struct touch *t)
{
    uintptr_t end = t->at + t->size;

    for (uintptr_t at = t->at & ~(uintptr_t)3; t->write && at < end; at += 4) {
        const struct slot *slot = find_slot((void *)at);
        unsigned u = slot->epoch == epoch ? unordered(&locs[slot->loc]) : 0;
        char here[80];

        if (u != 0) {
            place_text(t->pc, here, sizeof(here));
            run_failed("race: %s, an atomic word, is written at %s as plain "
                       "memory; an access of T%u is not ordered before",
                       t->name, here, u - 1);
        }
    }
}

uint64_t memory_newest(struct model_access access)
{
    struct loc *l = enter(&access);
    const struct store *s = l->order[l->count - 1];

    note(&access, false, s->value);
    observe(l, s, RELAXED);
    leave(l, NULL);
    return s->value;
}
