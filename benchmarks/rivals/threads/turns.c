/* turns.c - on plain threads: yield, ping-pong, ring, event, join. */
#include "threads.h"

#include <sched.h>
#include <stdlib.h>

/* --- yield --- */

static void *yielder(void *arg)
{
    for (int left = *(const int *)arg; left > 0; left--) {
        sched_yield();
    }
    return NULL;
}

static void yields(struct bench *b)
{
    int tasks = (int)bench_arg(b);
    int each = YIELDS / tasks;

    while (bench_next(b)) {
        thread_crowd(b, tasks, yielder, &each, 0);
        bench_stop(b, YIELDS);
    }
}
WAITS(yields_two, yields, .name = "yield", .arg = 2)
WAITS(yields_many, yields, .name = "yield", .arg = 1000)

/* --- ping-pong --- */

struct pingpong {
    struct chan there, back;
    const struct timespec *until;
    int wrong;
};

static void *pong(void *arg)
{
    struct pingpong *p = arg;
    uint64_t item = 0;

    for (int i = 0; i < PING_ROUNDS; i++) {
        chan_recv(&p->there, &item, p->until);
        chan_send(&p->back, item);
    }
    return NULL;
}

static void pingpong(struct bench *b, uint64_t room, bool deadlines)
{
    struct pingpong p = {.wrong = 0};

    chan_init(&p.there, room);
    chan_init(&p.back, room);
    while (bench_next(b)) {
        struct timespec until = in_a_minute();
        pthread_t other;

        p.until = deadlines ? &until : NULL;
        bench_start(b);
        other = thread_start(pong, &p);
        for (uint64_t i = 0; i < PING_ROUNDS; i++) {
            uint64_t item = PING_ROUNDS;

            chan_send(&p.there, i);
            chan_recv(&p.back, &item, p.until);
            p.wrong += item != i;
        }
        pthread_join(other, NULL);
        bench_stop(b, PING_ROUNDS);
        if (p.wrong != 0) {
            bench_fail(b, "%d wrong", p.wrong);
        }
    }
    chan_destroy(&p.there);
    chan_destroy(&p.back);
}

static void pingpong_bare(struct bench *b)
{
    pingpong(b, 0, false);
}
WAITS(pingpong_bare, pingpong_bare, .name = "pingpong")

static void pingpong_room(struct bench *b)
{
    pingpong(b, 1, false);
}
WAITS(pingpong_room, pingpong_room, .name = "pingpong/room")

static void pingpong_deadline(struct bench *b)
{
    pingpong(b, 1, true);
}
WAITS(pingpong_deadline, pingpong_deadline, .name = "pingpong/deadline")

/* --- ring --- */

struct ring_node {
    struct chan *from, *to;
};

static void *pass_on(void *arg)
{
    const struct ring_node *node = arg;
    uint64_t item = 0;

    for (int i = 0; i < RING_LAPS + 1; i++) {
        chan_recv(node->from, &item, NULL);
        chan_send(node->to, item + 1);
    }
    return NULL;
}

static void ring(struct bench *b)
{
    struct chan *links = calloc(RING_TASKS, sizeof *links);
    struct ring_node nodes[RING_TASKS];
    pthread_t threads[RING_TASKS];

    for (int i = 0; links != NULL && i < RING_TASKS; i++) {
        chan_init(&links[i], 0);
        nodes[i].to = &links[i];
        nodes[(i + 1) % RING_TASKS].from = &links[i];
    }
    while (links != NULL && bench_next(b)) {
        uint64_t item = 0;

        for (int i = 1; i < RING_TASKS; i++) {
            threads[i] = thread_start(pass_on, &nodes[i]);
        }
        for (int i = 0; i < RING_LAPS + 1; i++) {
            if (i == 1) { /* all are up */
                bench_start(b);
            }
            chan_send(nodes[0].to, item + 1);
            chan_recv(nodes[0].from, &item, NULL);
        }
        bench_stop(b, (uint64_t)RING_LAPS * RING_TASKS);
        for (int i = 1; i < RING_TASKS; i++) {
            pthread_join(threads[i], NULL);
        }
        if (item != (uint64_t)(RING_LAPS + 1) * RING_TASKS) {
            bench_fail(b, "the number is wrong");
        }
    }
    free(links);
}
WAITS(ring, ring, .name = "ring")

/* --- event --- */

struct flag {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool on;
};

static void flag_set(struct flag *f)
{
    pthread_mutex_lock(&f->mutex);
    f->on = true;
    pthread_mutex_unlock(&f->mutex);
    pthread_cond_signal(&f->cond);
}

static void flag_wait(struct flag *f)
{
    pthread_mutex_lock(&f->mutex);
    while (!f->on) {
        pthread_cond_wait(&f->cond, &f->mutex);
    }
    f->on = false;
    pthread_mutex_unlock(&f->mutex);
}

static void *answer(void *arg)
{
    struct flag *flags = arg;

    for (int i = 0; i < EVENT_ROUNDS; i++) {
        flag_wait(&flags[0]);
        flag_set(&flags[1]);
    }
    return NULL;
}

static void events(struct bench *b)
{
    struct flag flags[2] = {
        {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false},
        {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false}};

    while (bench_next(b)) {
        pthread_t other;

        bench_start(b);
        other = thread_start(answer, flags);
        for (int i = 0; i < EVENT_ROUNDS; i++) {
            flag_set(&flags[0]);
            flag_wait(&flags[1]);
        }
        pthread_join(other, NULL);
        bench_stop(b, EVENT_ROUNDS);
    }
}
WAITS(events, events, .name = "event")

/* --- join --- */

static void *nothing(void *arg)
{
    return arg;
}

static void joins(struct bench *b)
{
    while (bench_next(b)) {
        bench_start(b);
        for (int i = 0; i < JOINS; i++) {
            pthread_join(thread_start(nothing, NULL), NULL);
        }
        bench_stop(b, JOINS);
    }
}
WAITS(joins, joins, .name = "join")
