/*
 * seen.c - what the threads of all runs have seen: for proving that sleep sets
 * lose nothing.
 *
 * WHAT   What a run has shown is, for each thread, the values that it met at
 *        each of its accesses, in its order: the same for two schedules that
 *        differ only in the order of steps that do not meet. All runs of a
 *        model give a set of these, which --seen prints as its size and a sum.
 *        The set that depth-first makes with sleep sets must be the one that
 *        it makes without (sleep_test.py).
 */
#include "engine.h"
#include <stdlib.h>
#include <string.h>

enum { FIRST_BITS = 16 };

static uint64_t threads[THREADS];
static uint64_t *table; /* 0: empty; NULL: nobody asked */
static size_t used, bits;

void seen_start(void)
{
    bits = FIRST_BITS;
    table = calloc(UINT64_C(1) << bits, sizeof(*table));
    if (table == NULL) {
        perror("seen");
        exit(2);
    }
}

/* Another model. */
void seen_forget(void)
{
    used = 0;
    if (table != NULL) {
        memset(table, 0, (UINT64_C(1) << bits) * sizeof(*table));
    }
}

static uint64_t mix(uint64_t h, uint64_t with)
{
    h = (h ^ with) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

/* The running thread met this value at this word. */
void seen_step(const void *at, uint64_t value)
{
    uint64_t *h = &threads[thread_index(e.me)];

    if (table != NULL) {
        *h = mix(mix(*h, (uint64_t)(uintptr_t)at), value);
    }
}

static bool put(uint64_t *to, size_t to_bits, uint64_t h)
{
    size_t mask = (UINT64_C(1) << to_bits) - 1, i = (size_t)h & mask;

    while (to[i] != 0 && to[i] != h) {
        i = (i + 1) & mask;
    }
    if (to[i] == h) {
        return false;
    }
    to[i] = h;
    return true;
}

static void grow(void)
{
    size_t count = UINT64_C(1) << bits;
    uint64_t *larger = calloc(count * 2, sizeof(*larger));

    if (larger == NULL) {
        perror("seen");
        exit(2);
    }
    for (size_t i = 0; i < count; i++) {
        if (table[i] != 0) {
            put(larger, bits + 1, table[i]);
        }
    }
    free(table);
    table = larger;
    bits++;
}

void seen_begin(void)
{
    memset(threads, 0, sizeof(threads));
}

/* A run is over. */
void seen_run(void)
{
    uint64_t h = 1;

    for (unsigned i = 0; table != NULL && i < e.count; i++) {
        h = mix(h, threads[i]);
    }
    if (table == NULL || e.pruned) {
        return;
    }
    used += put(table, bits, h | 1);
    if (used * 2 > UINT64_C(1) << bits) {
        grow();
    }
}

void seen_report(const char *model)
{
    uint64_t sum = 0;

    for (size_t i = 0; table != NULL && i < UINT64_C(1) << bits; i++) {
        sum += table[i];
    }
    if (table != NULL) {
        printf("seen %s %zu %016llx\n", model, used, (unsigned long long)sum);
    }
}
