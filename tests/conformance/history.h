/*
 * history.h - short histories of an object, many of them, each checked against
 * its specification (linear.h).
 *
 * USE     histories_run(&trial, how many). ROOST_TEST_HISTORIES multiplies how
 *         many, ROOST_TEST_SEED is the first batch's seed: a failure names its
 *         own. With one worker and no threads a seed makes the same histories.
 */
#ifndef ROOST_TEST_HISTORY_H
#define ROOST_TEST_HISTORY_H

#include "party.h"

static long history_env(const char *name, long otherwise)
{
    const char *value = getenv(name);

    return value != NULL ? atol(value) : otherwise;
}

static void *party_thread(void *arg)
{
    (void)party_task(arg);
    return NULL;
}

/* The first `threads` of them are plain threads. The hold says that there is
 * somebody outside: they may not have used an object yet (R63). */
static void batch_play(struct batch *b, int threads)
{
    roost_scope s;

    CHECK_EQ(roost_latch_init(&b->done, (unsigned)b->parties), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_hold(&s), 0);
    for (int i = 0; i < b->parties; i++) {
        struct party *p = &b->party[i];

        p->batch = b;
        p->who = i;
        p->thread = i < threads;
        p->state = b->seed * PARTIES + (uint64_t)i;
        if (p->thread) {
            CHECK_EQ(pthread_create(&p->pthread, NULL, party_thread, p), 0);
        } else {
            CHECK_EQ(roost_spawn(&s, party_task, p), 0);
        }
    }
    CHECK_EQ(roost_latch_wait(&b->done), 0); /* without blocking a worker */
    for (int i = 0; i < threads; i++) {
        CHECK_EQ(pthread_join(b->party[i].pthread, NULL), 0);
    }
    roost_scope_release(&s);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_latch_destroy(&b->done);
}

static int by_beginning(const void *a, const void *b)
{
    return ((const struct call *)a)->began - ((const struct call *)b)->began;
}

/* False: it is not linearizable, and printed. */
static bool history_check(const struct batch *b, const struct history *h)
{
    struct call calls[PARTIES * CALLS_EACH];
    enum linear_verdict verdict;
    unsigned n = 0;

    for (int who = 0; who < b->parties; who++) {
        CHECK(h->n[who] <= CALLS_EACH);
        memcpy(&calls[n], h->calls[who], (size_t)h->n[who] * sizeof(*calls));
        n += (unsigned)h->n[who];
    }
    qsort(calls, n, sizeof(*calls), by_beginning);
    verdict = linear_check(b->trial->spec, h->params, calls, n);
    if (verdict == LINEAR_YES) {
        return true;
    }
    fprintf(stderr, "ROOST_TEST_SEED=%llu, history %d, parameters %d %d %d: ",
            (unsigned long long)b->seed, (int)(h - b->rows), h->params[0],
            h->params[1], h->params[2]);
    fprintf(stderr, "%s\n",
            verdict == LINEAR_NO ? "not linearizable" : "the search gave up");
    linear_print(b->trial->spec, calls, n);
    return false;
}

static bool batch_run(const struct trial *t, uint64_t seed)
{
    struct batch *b = (struct batch *)calloc(1, sizeof(*b));
    uint64_t random = seed;
    int threads = seed % 2 ? (int)(seed / 2 % 3) : 0;
    bool good = true;

    if (b == NULL) {
        return false;
    }
    test_set(&history_stamp, 0);
    b->trial = t;
    b->seed = seed;
    b->parties = 2 + (int)(history_random(&random) % (PARTIES - 1));
    b->cancels = history_random(&random) % 2 != 0;
    for (int i = 0; i < BATCH; i++) {
        t->make(&b->rows[i], history_random(&random));
    }
    batch_play(b, threads);
    for (int i = 0; i < BATCH; i++) {
        good = good && history_check(b, &b->rows[i]);
        t->unmake(&b->rows[i]);
    }
    free(b);
    return good;
}

/* At least n histories. */
static void histories_run(const struct trial *t, int n)
{
    long batches = (n + BATCH - 1) / BATCH;
    uint64_t seed = (uint64_t)history_env("ROOST_TEST_SEED", 1);
    uint64_t i = 0;

    batches *= history_env("ROOST_TEST_HISTORIES", 1);
    while (i < (uint64_t)batches && batch_run(t, seed + i)) {
        i++;
        test_alive();
    }
    CHECK_EQ(i, batches);
}

#endif
