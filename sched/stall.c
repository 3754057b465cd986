/*
 * stall.c - naming a task that holds its worker for too long (opts.stall).
 *
 * WHAT    While workers run, the watch looks twice in each period; a worker
 *         that has been in the same turn for longer is reported, once a turn.
 * MODEL   A worker raises its turn whenever it turns to something else: in
 *         the loop, at a hand-over, at the start and end of a task with a
 *         descriptor. It notes the task's name before. All that is done only
 *         when the option is set.
 * ORDER
 *   V1   (watch.c) sleeps_until
 *   Y1  turn: release by the worker -> acquire by the watch    the name, as
 *        of that turn; the watch reads turn again and drops a torn name
 * COST    Off: a load a turn. On: 5 stores a turn.
 */
#include "runtime.h"
#include "worker.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void stall_turn(struct worker *w, const char *name)
{
    uint64_t words[TASK_NAME_SIZE / 8] = {0};
    unsigned i;

    if (name != NULL) {
        memcpy(words, name, strnlen(name, TASK_NAME_SIZE - 1));
    }
    for (i = 0; i < TASK_NAME_SIZE / 8; i++) {
        a64_store(&w->stall.name[i], words[i], RELAXED);
    }
    a64_add(&w->stall.turn, 1, RELEASE /* Y1 */);
}

static void report(const struct worker *w, const char *name, int64_t held)
{
    dprintf(STDERR_FILENO, "roost: %s has held worker %u for %lld ms\n",
            *name == '\0' ? "a task" : name, w->index,
            (long long)(held / ROOST_MS));
}

static void look(struct worker *w, int64_t now, roost_ns limit)
{
    struct stall *s = &w->stall;
    uint64_t turn = a64_load(&s->turn, ACQUIRE /* Y1 */);
    uint64_t words[TASK_NAME_SIZE / 8];
    char name[TASK_NAME_SIZE];
    unsigned i;

    if (turn != s->seen) {
        s->seen = turn;
        s->since = now;
        s->reported = false;
        return;
    }
    if (s->reported || now - s->since < limit) {
        return;
    }
    for (i = 0; i < TASK_NAME_SIZE / 8; i++) {
        words[i] = a64_load(&s->name[i], RELAXED);
    }
    fence_acquire(); /* Y1 */
    if (a64_load(&s->turn, RELAXED) == turn) {
        memcpy(name, words, sizeof(name));
        name[TASK_NAME_SIZE - 1] = '\0';
        report(w, name, now - s->since);
        s->reported = true;
    }
}

int64_t stall_look(struct runtime *rt)
{
    int64_t now = clock_now();
    int64_t again = INT64_MAX;
    unsigned i;

    if (rt->opts.stall <= 0) {
        return again;
    }
    for (i = 0; i < rt->worker_count; i++) {
        struct worker *w = &rt->workers[i];

        if (a64_load(&w->sleeps_until, SEQ_CST /* V1 */) != 0) {
            w->stall.seen = UINT64_MAX; /* asleep: count from anew */
            continue;
        }
        look(w, now, rt->opts.stall);
        again = now + rt->opts.stall / 2;
    }
    return again;
}
