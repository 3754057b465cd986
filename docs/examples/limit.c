/*
 * limit.c - many jobs, few at once: the scope's limit makes the spawner wait
 * its turn. roost_go hands each task its own copy of the argument.
 */
#include <roost/roost.h>
#include <stdatomic.h>
#include <stdio.h>

struct job {
    int number;
};

static atomic_int running, most, total;

static int work(void *arg)
{
    const struct job *job = arg;
    int now = atomic_fetch_add(&running, 1) + 1;
    int seen = atomic_load(&most);
    int rc;

    while (now > seen && !atomic_compare_exchange_weak(&most, &seen, now)) {
    }
    rc = roost_sleep(ROOST_MS);
    atomic_fetch_add(&total, job->number);
    atomic_fetch_sub(&running, 1);
    return rc;
}

static int start(void *arg)
{
    int rc;

    (void)arg;
    ROOST_SCOPE(s, rc, .limit = 3) {
        for (int i = 1; i <= 100; i++) {
            roost_go(s, work, (struct job){.number = i});
        }
    }
    printf("sum %d, never more than 3 at once: %s\n", atomic_load(&total),
           atomic_load(&most) <= 3 ? "yes" : "no");
    return rc;
}

int main(void)
{
    return roost_run(start, NULL, NULL) < 0;
}
