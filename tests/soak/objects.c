/*
 * objects.c - channels, select, locks, and values to many: items and permits
 * are counted going in and coming out, deadlines or not.
 */
#include "soak.h"

/* ---- channels ------------------------------------------------------------ */

struct traffic {
    struct load *l;
    roost_chan *chans[4];
    unsigned n; /* channels */
    unsigned each;
    a64 number, sent, sent_sum, received, received_sum, dropped, late;
    a32 left; /* senders at work */
};

static void drops(void *item)
{
    struct traffic *t = *(struct traffic **)item;

    a64_add(&t->dropped, 1, RELAXED);
}

struct item {
    struct traffic *traffic;
    uint64_t number;
};

/* Until it is sent, in steps of some microseconds. */
static int sends(void *arg)
{
    struct traffic *t = *(struct traffic **)arg;
    roost_chan *c = t->chans[a64_add(&t->number, 1, RELAXED) % t->n];

    for (unsigned i = 0; i < t->each; i++) {
        struct item item = {t, i};
        int rc;

        do {
            rc = i % 8 == 0
                     ? roost_chan_send_until(c, &item, roost_in(50 * ROOST_US))
                     : roost_chan_send(c, &item);
            a64_add(&t->late, rc == -ETIMEDOUT, RELAXED);
        } while (rc == -ETIMEDOUT);
        if (rc < 0) {
            HOLDS(t->l, rc == 0);
            break;
        }
        a64_add(&t->sent, 1, RELAXED);
        a64_add(&t->sent_sum, i, RELAXED);
    }
    roost_chan_release(c);
    return 0;
}

static void has(struct traffic *t, const struct item *item)
{
    HOLDS(t->l, item->traffic == t);
    a64_add(&t->received, 1, RELAXED);
    a64_add(&t->received_sum, item->number, RELAXED);
}

static int receives(void *arg)
{
    struct traffic *t = *(struct traffic **)arg;
    struct item items[8];
    unsigned turn = 0;
    int rc = 0;

    while (rc != -EPIPE) {
        turn++;
        rc = turn % 3 == 0   ? roost_chan_recv_many(t->chans[0], items, 8)
             : turn % 3 == 1 ? roost_chan_recv(t->chans[0], items)
                             : roost_chan_recv_until(t->chans[0], items,
                                                     roost_in(20 * ROOST_US));
        HOLDS(t->l, rc >= 0 || rc == -EPIPE || rc == -ETIMEDOUT);
        for (int i = 0; rc >= 0 && i < (turn % 3 == 0 ? rc : 1); i++) {
            has(t, &items[i]);
        }
    }
    return 0;
}

static int selects(void *arg)
{
    struct traffic *t = *(struct traffic **)arg;
    struct item items[4];
    roost_case cases[5];
    unsigned open = t->n;

    for (unsigned i = 0; i < t->n; i++) {
        cases[i] = roost_on_recv(t->chans[i], &items[i]);
    }
    while (open > 0) {
        int i;

        cases[t->n] = roost_on_time(roost_in(ROOST_MS));
        i = roost_select(cases, t->n + 1);
        if (i < 0 || (unsigned)i > t->n) {
            HOLDS(t->l, !"a case happens");
            return -EPROTO;
        }
        if ((unsigned)i < t->n && cases[i].status < 0) {
            HOLDS(t->l, cases[i].status == -EPIPE);
            cases[i] = (roost_case){0};
            open--;
        } else if ((unsigned)i < t->n) {
            has(t, &items[i]);
        }
    }
    return 0;
}

static void traffic_flows(struct load *l, struct traffic *t, roost_fn receiver,
                          const roost_chan_opts *opts)
{
    size_t capacities[] = {0, 1, 7, 64, ROOST_UNBOUNDED};
    unsigned senders = 1 + below(l, 8);
    unsigned receivers = 1 + below(l, 8);
    roost_scope s;

    for (unsigned i = 0; i < t->n; i++) {
        t->chans[i] = roost_chan_new_opts(
            sizeof(struct item), capacities[below(l, opts ? 2 : 5) + !!opts],
            opts);
        HOLDS(l, t->chans[i] != NULL);
    }
    roost_scope_open(&s, NULL);
    senders = (senders + t->n - 1) / t->n * t->n;
    for (unsigned i = 0; i < senders; i++) {
        HOLDS(l, roost_chan_hold(t->chans[i % t->n]) == 0);
    }
    for (unsigned i = 0; i < senders; i++) {
        HOLDS(l, roost_spawn_copy(&s, sends, &t, sizeof(t)) == 0);
    }
    for (unsigned i = 0; i < receivers; i++) {
        HOLDS(l, roost_spawn_copy(&s, receiver, &t, sizeof(t)) == 0);
    }
    HOLDS(l, roost_scope_close(&s, 0) == 0);
    for (unsigned i = 0; i < t->n; i++) {
        roost_chan_free(t->chans[i]);
    }
    HOLDS(l, a64_load(&t->sent, RELAXED) == (uint64_t)senders * t->each);
    HOLDS(l, a64_load(&t->sent, RELAXED) == a64_load(&t->received, RELAXED) +
                                                a64_load(&t->dropped, RELAXED));
    HOLDS(l, a64_load(&t->dropped, RELAXED) > 0 ||
                 a64_load(&t->sent_sum, RELAXED) ==
                     a64_load(&t->received_sum, RELAXED));
    count(l, ITEMS, a64_load(&t->received, RELAXED));
    count(l, DEADLINES, a64_load(&t->late, RELAXED));
}

void load_channels(struct load *l)
{
    struct traffic plain = {.l = l, .n = 1, .each = sized(l, 10, 3000)};
    struct traffic dropping = {.l = l, .n = 1, .each = sized(l, 10, 1000)};

    traffic_flows(l, &plain, receives, NULL);
    traffic_flows(l, &dropping, receives,
                  &(roost_chan_opts){.overflow = ROOST_DROP_OLDEST,
                                     .on_drop = drops,
                                     .name = "dropping"});
}

void load_select(struct load *l)
{
    struct traffic t = {
        .l = l, .n = 1 + below(l, 4), .each = sized(l, 10, 1500)};

    traffic_flows(l, &t, selects, NULL);
}

/* ---- locks --------------------------------------------------------------- */

struct vault {
    struct load *l;
    roost_mutex mutex;
    roost_cond cond;
    roost_rwlock rwlock;
    roost_sem sem;
    roost_barrier barrier;
    roost_latch latch;
    roost_limiter limiter;
    uint64_t under_mutex; /* L(mutex) */
    uint64_t turn;        /* L(mutex): whose it is */
    uint64_t twice[2];    /* L(rwlock): always equal */
    a64 inside;           /* with a permit */
    a64 leaders, gone;
    unsigned users, permits, each;
};

struct user {
    struct vault *v;
    unsigned number;
    struct rng rng;
};

static void under_the_rwlock(struct user *u, unsigned i)
{
    struct vault *v = u->v;
    int rc;

    if (rng_below(&u->rng, 4) != 0) {
        HOLDS(v->l, roost_rwlock_rdlock(&v->rwlock) == 0);
        HOLDS(v->l, v->twice[0] == v->twice[1]);
        HOLDS(v->l, roost_rwlock_unlock(&v->rwlock) == 0);
        return;
    }
    rc = roost_rwlock_wrlock_until(&v->rwlock,
                                   i % 2 ? ROOST_NEVER : roost_in(ROOST_US));
    HOLDS(v->l, rc == 0 || rc == -ETIMEDOUT);
    if (rc == 0) {
        v->twice[0]++;
        if (i % 4 == 0) {
            (void)roost_yield();
        }
        v->twice[1]++;
        HOLDS(v->l, roost_rwlock_unlock(&v->rwlock) == 0);
    }
}

static void with_permits(struct user *u)
{
    struct vault *v = u->v;
    unsigned n = 1 + rng_below(&u->rng, v->permits);
    int rc = roost_sem_acquire_until(
        &v->sem, n,
        rng_below(&u->rng, 2) ? ROOST_NEVER : roost_in(5 * ROOST_US));

    HOLDS(v->l, rc == 0 || rc == -ETIMEDOUT);
    if (rc == 0) {
        HOLDS(v->l, a64_add(&v->inside, n, RELAXED) + n <= v->permits);
        (void)roost_yield();
        a64_add(&v->inside, (uint64_t)0 - n, RELAXED);
        HOLDS(v->l, roost_sem_release(&v->sem, n) == 0);
    }
    if (roost_limiter_try_acquire(&v->limiter) == 0) {
        HOLDS(v->l, roost_limiter_release(&v->limiter) == 0);
    }
}

/* One after the other, by their numbers. */
static void has_its_turn(struct user *u)
{
    struct vault *v = u->v;

    HOLDS(v->l, roost_mutex_lock(&v->mutex) == 0);
    while (v->turn % v->users != u->number) {
        int rc = roost_cond_wait_until(&v->cond, &v->mutex,
                                       roost_in(100 * ROOST_US));

        HOLDS(v->l, rc == 0 || rc == -ETIMEDOUT);
    }
    v->turn++;
    HOLDS(v->l, roost_cond_broadcast(&v->cond) == 0);
    HOLDS(v->l, roost_mutex_unlock(&v->mutex) == 0);
}

static int uses(void *arg)
{
    struct user *u = arg;
    struct vault *v = u->v;

    for (unsigned i = 0; i < v->each; i++) {
        int rc;

        HOLDS(v->l, roost_mutex_lock(&v->mutex) == 0);
        v->under_mutex++;
        HOLDS(v->l, roost_mutex_unlock(&v->mutex) == 0);
        under_the_rwlock(u, i);
        with_permits(u);
        if (i % 16 == 0) {
            has_its_turn(u);
            rc = roost_barrier_wait(&v->barrier);
            HOLDS(v->l, rc == 0 || rc == 1);
            a64_add(&v->leaders, rc == 1, RELAXED);
        }
    }
    HOLDS(v->l, roost_latch_down(&v->latch) == 0);
    HOLDS(v->l, roost_latch_wait(&v->latch) == 0);
    a64_add(&v->gone, 1, RELAXED);
    return 0;
}

static void vault_make(struct vault *v)
{
    HOLDS(v->l, roost_mutex_init(&v->mutex) == 0);
    HOLDS(v->l, roost_cond_init(&v->cond) == 0);
    HOLDS(v->l, roost_rwlock_init(&v->rwlock) == 0);
    HOLDS(v->l, roost_sem_init(&v->sem, v->permits, v->permits) == 0);
    HOLDS(v->l, roost_barrier_init(&v->barrier, v->users) == 0);
    HOLDS(v->l, roost_latch_init(&v->latch, v->users) == 0);
    HOLDS(v->l, roost_limiter_init(&v->limiter, 1) == 0);
}

static void vault_unmake(struct vault *v)
{
    roost_mutex_destroy(&v->mutex);
    roost_cond_destroy(&v->cond);
    roost_rwlock_destroy(&v->rwlock);
    roost_sem_destroy(&v->sem);
    roost_barrier_destroy(&v->barrier);
    roost_latch_destroy(&v->latch);
    roost_limiter_destroy(&v->limiter);
}

void load_locks(struct load *l)
{
    struct vault v = {.l = l,
                      .users = 1 + below(l, 16),
                      .permits = 1 + below(l, 5),
                      .each = sized(l, 10, 400)};
    uint64_t meetings = (v.each + 15) / 16;
    struct user users[16];
    roost_scope s;

    vault_make(&v);
    roost_scope_open(&s, NULL);
    for (unsigned i = 0; i < v.users; i++) {
        users[i] = (struct user){&v, i, {rng_next(&l->rng)}};
        HOLDS(l, roost_spawn(&s, uses, &users[i]) == 0);
    }
    HOLDS(l, roost_scope_close(&s, 0) == 0);
    HOLDS(l, v.under_mutex == (uint64_t)v.users * v.each);
    HOLDS(l, v.turn == v.users * meetings);
    HOLDS(l, v.twice[0] == v.twice[1]);
    HOLDS(l, a64_load(&v.inside, RELAXED) == 0);
    HOLDS(l, a64_load(&v.leaders, RELAXED) == meetings);
    HOLDS(l, a64_load(&v.gone, RELAXED) == v.users);
    HOLDS(l, roost_sem_try_acquire(&v.sem, v.permits) == 0);
    vault_unmake(&v);
    count(l, LOCKS, (uint64_t)v.users * v.each);
}

/* ---- values to many ------------------------------------------------------ */

struct news {
    struct load *l;
    roost_broadcast *broadcast;
    roost_watch *watch;
    roost_oneshot oneshot;
    roost_once once;
    a64 made;
    uint64_t n;
};

static int is_made_once(void *arg)
{
    a64_add((a64 *)arg, 1, RELAXED);
    return 0;
}

static int subscribes(void *arg)
{
    struct news *news = *(struct news **)arg;
    roost_subscriber r;
    uint64_t heard = 0;
    uint64_t item = 0;
    void *value = NULL;
    int rc;

    HOLDS(news->l, roost_subscriber_init(&r, news->broadcast) == 0);
    HOLDS(news->l, roost_started(NULL) == 0);
    HOLDS(news->l,
          roost_once_call(&news->once, is_made_once, &news->made) == 0);
    while ((rc = roost_subscriber_recv(&r, &item)) >= 0) {
        heard += rc == 0 ? 1 : (uint64_t)rc;
    }
    HOLDS(news->l, rc == -EPIPE);
    HOLDS(news->l, heard == news->n);
    roost_subscriber_destroy(&r);
    HOLDS(news->l, roost_oneshot_get(&news->oneshot, &value) == 0);
    HOLDS(news->l, value == news);
    return 0;
}

static int watches(void *arg)
{
    struct news *news = *(struct news **)arg;
    uint64_t version = 0;
    uint64_t last = 0;
    uint64_t item = 0;
    int rc;

    while ((rc = roost_watch_next(news->watch, &item, &version)) == 0) {
        HOLDS(news->l, item >= last);
        last = item;
    }
    HOLDS(news->l, rc == -EPIPE);
    HOLDS(news->l, last == news->n);
    return 0;
}

void load_values(struct load *l)
{
    uint64_t first = 0;
    struct news news = {.l = l, .n = sized(l, 10, 5000)};
    struct news *at = &news;
    roost_task_opts copied = {.copy = sizeof(at)};
    roost_scope s;

    news.broadcast = roost_broadcast_new(sizeof(uint64_t), 1 + below(l, 100));
    news.watch = roost_watch_new(sizeof(uint64_t), &first);
    HOLDS(l, news.broadcast != NULL && news.watch != NULL);
    HOLDS(l, roost_oneshot_init(&news.oneshot) == 0);
    roost_scope_open(&s, NULL);
    for (unsigned i = 1 + below(l, 6); i > 0; i--) {
        HOLDS(l, roost_spawn_started(&s, subscribes, &at, &copied, NULL) == 0);
        HOLDS(l, roost_spawn_copy(&s, watches, &at, sizeof(at)) == 0);
    }
    for (uint64_t i = 1; i <= news.n; i++) {
        HOLDS(l, roost_broadcast_send(news.broadcast, &i) == 0);
        HOLDS(l, roost_watch_set(news.watch, &i) == 0);
        if (below(l, 32) == 0) {
            (void)roost_yield();
        }
    }
    HOLDS(l, roost_broadcast_close(news.broadcast) == 0);
    HOLDS(l, roost_watch_close(news.watch) == 0);
    HOLDS(l, roost_oneshot_set(&news.oneshot, at) == 0);
    HOLDS(l, roost_scope_close(&s, 0) == 0);
    HOLDS(l, a64_load(&news.made, RELAXED) == 1);
    roost_broadcast_free(news.broadcast);
    roost_watch_free(news.watch);
    count(l, ITEMS, 2 * news.n);
}
