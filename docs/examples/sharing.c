/*
 * sharing.c - what several tasks change: two fields that belong together under
 * a mutex, a shelf with room for three behind a condition, a plain counter by
 * an atomic.
 */
#include <errno.h>
#include <roost/roost.h>
#include <stdatomic.h>
#include <stdio.h>

#define LOAVES 200

static struct {
    roost_mutex lock;
    roost_cond changed;
    int loaves; /* under lock, at most ROOM */
    int sold;   /* under lock */
} shelf = {.lock = ROOST_MUTEX_INIT, .changed = ROOST_COND_INIT};

enum { ROOM = 3 };

static atomic_int customers;

/* Puts change loaves on the shelf, or takes them off; waits until it can. */
static int change_shelf(int change)
{
    int rc = 0;

    roost_mutex_lock(&shelf.lock);
    while (shelf.loaves + change < 0 || shelf.loaves + change > ROOM) {
        rc = roost_cond_wait(&shelf.changed, &shelf.lock);
        if (rc < 0) {
            break; /* cancelled: and the mutex is held all the same */
        }
    }
    if (rc == 0) {
        shelf.loaves += change;
        shelf.sold += change < 0;
        roost_cond_broadcast(&shelf.changed);
    }
    roost_mutex_unlock(&shelf.lock);
    return rc;
}

static int bake(void *arg)
{
    int rc = 0;

    (void)arg;
    for (int i = 0; i < LOAVES && rc == 0; i++) {
        rc = change_shelf(1);
    }
    return rc;
}

static int buy(void *arg)
{
    int rc = 0;

    (void)arg;
    for (int i = 0; i < LOAVES / 2 && rc == 0; i++) {
        rc = change_shelf(-1);
        atomic_fetch_add(&customers, rc == 0);
    }
    return rc;
}

static int start(void *arg)
{
    int rc;

    (void)arg;
    ROOST_SCOPE(s, rc) {
        roost_spawn(s, bake, NULL);
        roost_spawn(s, buy, NULL);
        roost_spawn(s, buy, NULL);
    }
    /* All have ended, and what they wrote can be read without the lock. */
    printf("%d customers, %d sold, %d left\n", atomic_load(&customers),
           shelf.sold, shelf.loaves);
    return rc;
}

int main(void)
{
    return roost_run(start, NULL, NULL) < 0;
}
