/*
 * crawl.c - six sites are looked at, three at a time, each for half a second at
 * most; what comes of each is kept. On the virtual clock. The same in Go:
 * go/crawl.go.
 */
#include <errno.h>
#include <roost/roost.h>
#include <stdio.h>

struct site {
    const char *name;
    roost_ns latency; /* 0: nobody answers */
    const char *result;
};

static int visit(struct site *site)
{
    int rc;

    ROOST_SCOPE(s, rc, .timeout = 500 * ROOST_MS) {
        roost_sleep(site->latency != 0 ? site->latency : ROOST_S);
    }
    return rc;
}

static int look_at(void *arg)
{
    struct site *site = arg;
    int rc = visit(site);

    if (rc == -ECANCELED) {
        return rc;
    }
    site->result = rc == -ETIMEDOUT ? "no answer" : "is there";
    return 0;
}

static int start(void *arg)
{
    static struct site sites[] = {
        {"a", ROOST_MS, NULL}, {"b", 2 * ROOST_MS, NULL},
        {"c", 0, NULL},        {"d", 3 * ROOST_MS, NULL},
        {"e", 0, NULL},        {"f", 1, NULL},
    };
    int rc;

    (void)arg;
    ROOST_SCOPE(s, rc, .limit = 3) {
        for (int i = 0; i < 6; i++) {
            roost_spawn(s, look_at, &sites[i]); /* the fourth waits */
        }
    }
    for (int i = 0; i < 6 && rc == 0; i++) {
        printf("%s: %s\n", sites[i].name, sites[i].result);
    }
    return rc;
}

int main(void)
{
    roost_opts opts = {.clock = ROOST_CLOCK_VIRTUAL};

    return roost_run(start, NULL, &opts) < 0;
}
