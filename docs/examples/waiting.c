/*
 * waiting.c - tasks that wait: ten thousand at once, which need no thread each.
 * On the virtual clock, which jumps ahead when every task waits: the program
 * takes no longer for its sleeps.
 */
#include <roost/roost.h>
#include <stdatomic.h>
#include <stdio.h>

static atomic_int sleepers;

struct kettle {
    const char *name;
    roost_ns time;
};

static int boil(void *arg)
{
    const struct kettle *k = arg;
    roost_ns begun = roost_now();
    int rc = roost_sleep(k->time);

    if (rc < 0) {
        return rc;
    }
    printf("%s boils after %d ms\n", k->name,
           (int)((roost_now() - begun) / ROOST_MS));
    return 0;
}

static int nap(void *arg)
{
    (void)arg;
    atomic_fetch_add(&sleepers, 1);
    return roost_sleep(ROOST_S);
}

static int start(void *arg)
{
    static struct kettle kettles[] = {
        {"the large kettle", 300 * ROOST_MS},
        {"the small kettle", 100 * ROOST_MS},
        {"the pan", 200 * ROOST_MS},
    };
    roost_ns begun = roost_now();
    int rc;

    (void)arg;
    ROOST_SCOPE(s, rc) {
        for (int i = 0; i < 3; i++) {
            roost_spawn(s, boil, &kettles[i]);
        }
        for (int i = 0; i < 10000; i++) {
            roost_spawn(s, nap, NULL);
        }
    }
    printf("%d tasks have slept a second each, in %d ms\n",
           atomic_load(&sleepers), (int)((roost_now() - begun) / ROOST_MS));
    return rc;
}

int main(void)
{
    roost_opts opts = {.clock = ROOST_CLOCK_VIRTUAL};

    return roost_run(start, NULL, &opts) < 0;
}
