/*
 * race.c - several ways to one answer: the first to succeed wins, the others
 * are cancelled and awaited. A failure loses, it does not end the race.
 */
#include <errno.h>
#include <roost/roost.h>
#include <stdio.h>

struct mirror {
    const char *name;
    roost_ns latency;
    int status;
};

static int ask(void *arg)
{
    const struct mirror *m = arg;
    int rc = roost_sleep(m->latency);

    return rc < 0 ? rc : m->status;
}

static int start(void *arg)
{
    static struct mirror mirrors[] = {
        {"far", 60 * ROOST_S, 0},
        {"broken", ROOST_MS, -ECONNRESET},
        {"near", 20 * ROOST_MS, 2}, /* its index */
    };
    int rc;

    (void)arg;
    ROOST_SCOPE(s, rc, .flags = ROOST_RACE) {
        for (int i = 0; i < 3; i++) {
            roost_spawn(s, ask, &mirrors[i]);
        }
    }
    printf("%s answered first\n", rc < 0 ? "nobody" : mirrors[rc].name);
    return rc;
}

int main(void)
{
    return roost_run(start, NULL, NULL) < 0;
}
