/*
 * Catches: a simulation that finds nothing. Each program here has a bug that
 * needs a certain order of events; each is to be found within 10^4 seeds, by
 * each way of choosing, and its sound twin never to fail.
 */
#include "sim.h"

#define MOST 10000
#define SOUND 300

static int fails(bool bad)
{
    return bad ? -EBADMSG : 0;
}

/* Two tasks of one scope, on the same argument. */
static int both(roost_fn a, roost_fn b, void *arg)
{
    roost_scope s;
    int rc;

    roost_scope_open(&s, NULL);
    rc = roost_spawn(&s, a, arg);
    if (rc == 0) {
        rc = roost_spawn(&s, b, arg);
    }
    return roost_scope_close(&s, rc);
}

static int not_found(roost_fn planted, roost_fn sound)
{
    static const unsigned how[] = {0, ROOST_SIM_PCT, ROOST_SIM_BOUND};
    static const char *const names[] = {"random", "pct", "bound"};
    int missing = 0;

    for (unsigned i = 0; i < 3; i++) {
        uint64_t seed = sim_hunt(planted, MOST, how[i]);

        printf("     %s: %s seed %llu\n", names[i],
               seed == 0 ? "not found by" : "found by",
               seed == 0 ? (unsigned long long)MOST : (unsigned long long)seed);
        missing += seed == 0;
        missing += sim_hunt(sound, SOUND, how[i]) != 0;
    }
    return missing;
}

/* --- a lost update: what was read is old when it is written --- */

struct account {
    roost_mutex mutex;
    int balance;
    bool locks;
};

static int deposit(void *arg)
{
    struct account *a = arg;

    for (int i = 0; i < 3; i++) {
        int seen;

        if (a->locks && roost_mutex_lock(&a->mutex) != 0) {
            return -EIO;
        }
        seen = a->balance;
        (void)roost_checkpoint(); /* it asks a server, say */
        a->balance = seen + 1;
        if (a->locks && roost_mutex_unlock(&a->mutex) != 0) {
            return -EIO;
        }
    }
    return 0;
}

static int update(bool locks)
{
    struct account a = {.locks = locks};
    int rc;

    (void)roost_mutex_init(&a.mutex);
    rc = both(deposit, deposit, &a);
    roost_mutex_destroy(&a.mutex);
    return rc != 0 ? rc : fails(a.balance != 6);
}

static int lost_update(void *arg)
{
    (void)arg;
    return update(false);
}

static int locked_update(void *arg)
{
    (void)arg;
    return update(true);
}

TEST_PLAIN(a_lost_update_is_found, "R72")
{
    CHECK_EQ(not_found(lost_update, locked_update), 0);
}

/* --- two locks in two orders --- */

struct locks {
    roost_mutex a, b;
    bool ordered;
};

static int one_way(void *arg)
{
    struct locks *l = arg;

    (void)roost_mutex_lock(&l->a);
    (void)roost_yield();
    if (roost_mutex_lock_until(&l->b, ROOST_NEVER) == 0) {
        (void)roost_mutex_unlock(&l->b);
    }
    return roost_mutex_unlock(&l->a);
}

static int other_way(void *arg)
{
    struct locks *l = arg;
    roost_mutex *first = l->ordered ? &l->a : &l->b;
    roost_mutex *second = l->ordered ? &l->b : &l->a;

    (void)roost_mutex_lock(first);
    if (roost_mutex_lock_until(second, ROOST_NEVER) == 0) {
        (void)roost_mutex_unlock(second);
    }
    return roost_mutex_unlock(first);
}

static int with_locks(bool ordered)
{
    struct locks l = {.ordered = ordered};
    int rc;

    (void)roost_mutex_init(&l.a);
    (void)roost_mutex_init(&l.b);
    rc = both(one_way, other_way, &l);
    roost_mutex_destroy(&l.a);
    roost_mutex_destroy(&l.b);
    return rc;
}

static int two_orders(void *arg)
{
    (void)arg;
    return with_locks(false);
}

static int one_order(void *arg)
{
    (void)arg;
    return with_locks(true);
}

TEST_PLAIN(two_locks_in_two_orders_are_found, "R63 R72")
{
    CHECK_EQ(not_found(two_orders, one_order), 0);
}

/* --- a lost wake: the flag is looked at before the wait begins --- */

struct flag {
    roost_mutex mutex;
    roost_cond cond;
    bool up;
    bool careful; /* looks at it under the lock */
};

static int raise_flag(void *arg)
{
    struct flag *f = arg;

    (void)roost_mutex_lock(&f->mutex);
    f->up = true;
    roost_cond_signal(&f->cond);
    return roost_mutex_unlock(&f->mutex);
}

static int await_flag(void *arg)
{
    struct flag *f = arg;
    int rc = 0;

    if (!f->careful && f->up) {
        return 0;
    }
    (void)roost_mutex_lock(&f->mutex);
    if (f->careful) {
        while (rc == 0 && !f->up) {
            rc = roost_cond_wait(&f->cond, &f->mutex);
        }
    } else {
        rc = roost_cond_wait(&f->cond, &f->mutex);
    }
    (void)roost_mutex_unlock(&f->mutex);
    return rc;
}

static int with_flag(bool careful)
{
    struct flag f = {.careful = careful};
    int rc;

    (void)roost_mutex_init(&f.mutex);
    (void)roost_cond_init(&f.cond);
    rc = both(await_flag, raise_flag, &f);
    roost_cond_destroy(&f.cond);
    roost_mutex_destroy(&f.mutex);
    return rc;
}

static int lost_wake(void *arg)
{
    (void)arg;
    return with_flag(false);
}

static int kept_wake(void *arg)
{
    (void)arg;
    return with_flag(true);
}

TEST_PLAIN(a_lost_wake_is_found, "R50 R63 R72")
{
    CHECK_EQ(not_found(lost_wake, kept_wake), 0);
}

/* --- counted twice: both find that it has not been done --- */

struct work {
    roost_once once;
    bool done;
    int times;
};

static int count_it(void *arg)
{
    struct work *w = arg;

    w->times++;
    return 0;
}

static int check_then_act(void *arg)
{
    struct work *w = arg;

    if (!w->done) {
        (void)roost_sleep(0);
        w->done = true;
        return count_it(w);
    }
    return 0;
}

static int once_only(void *arg)
{
    struct work *w = arg;

    return roost_once_call(&w->once, count_it, w);
}

static int counted_twice(void *arg)
{
    struct work w = {.times = 0};
    int rc = both(check_then_act, check_then_act, &w);

    (void)arg;
    return rc != 0 ? rc : fails(w.times != 1);
}

static int counted_once(void *arg)
{
    struct work w = {.times = 0};
    int rc = both(once_only, once_only, &w);

    (void)arg;
    return rc != 0 ? rc : fails(w.times != 1);
}

TEST_PLAIN(a_double_count_is_found, "R72")
{
    CHECK_EQ(not_found(counted_twice, counted_once), 0);
}

/* --- a permit that a cancelled task takes with it --- */

struct permits {
    roost_sem sem;
    bool careful;
};

static int use_permit(void *arg)
{
    struct permits *p = arg;
    int rc = roost_sem_acquire(&p->sem, 1);

    if (rc != 0) {
        return rc;
    }
    rc = roost_sleep(ROOST_MS);
    if (rc != 0 && !p->careful) {
        return rc;
    }
    return roost_sem_release(&p->sem, 1) != 0 ? -EIO : rc;
}

static int with_permits(bool careful)
{
    struct permits p = {.careful = careful};
    roost_scope s;
    int rc;

    (void)roost_sem_init(&p.sem, 1, 1);
    roost_scope_open(&s, NULL);
    (void)roost_spawn(&s, use_permit, &p);
    (void)roost_yield();
    (void)roost_yield();
    roost_scope_cancel(&s, 0);
    rc = roost_scope_close(&s, 0);
    rc = rc != 0 ? rc : fails(roost_sem_try_acquire(&p.sem, 1) != 0);
    roost_sem_destroy(&p.sem);
    return rc;
}

static int lost_permit(void *arg)
{
    (void)arg;
    return with_permits(false);
}

static int kept_permit(void *arg)
{
    (void)arg;
    return with_permits(true);
}

TEST_PLAIN(a_permit_lost_to_a_cancel_is_found, "R8 R72")
{
    CHECK_EQ(not_found(lost_permit, kept_permit), 0);
}

/* --- an item that is taken, and then a time-out thrown at it --- */

struct queue {
    roost_chan *chan;
    int got;
    bool careful;
};

static int put_three(void *arg)
{
    struct queue *q = arg;
    int rc = 0;

    for (int i = 0; i < 3 && rc == 0; i++) {
        rc = roost_chan_send(q->chan, &i);
        if (rc == 0 && i == 1) {
            rc = roost_sleep(2 * ROOST_MS);
        }
    }
    roost_chan_close(q->chan);
    return rc;
}

/* The careless one takes a time-out for the end. */
static int get_all(void *arg)
{
    struct queue *q = arg;
    int item;
    int rc;

    do {
        rc = roost_chan_recv_until(q->chan, &item, roost_in(2 * ROOST_MS));
        q->got += rc == 0;
    } while (rc == 0 || (q->careful && rc == -ETIMEDOUT));
    return 0;
}

static int with_queue(bool careful)
{
    struct queue q = {.chan = roost_chan_new(sizeof(int), 1)};
    int rc;
    int left;

    q.careful = careful;
    rc = both(put_three, get_all, &q);
    left = roost_chan_try_recv(q.chan, &(int){0}) == 0;
    roost_chan_free(q.chan);
    return rc != 0 ? rc : fails(q.got != 3 || left != 0);
}

static int lost_item(void *arg)
{
    (void)arg;
    return with_queue(false);
}

static int kept_item(void *arg)
{
    (void)arg;
    return with_queue(true);
}

TEST_PLAIN(a_time_out_that_races_an_item_is_found, "R3 R72")
{
    CHECK_EQ(not_found(lost_item, kept_item), 0);
}
