/*
 * gather.c - many requests, two at a time, and every outcome kept: a failure is
 * the status of its job and stops nobody.
 */
#include <errno.h>
#include <roost/roost.h>
#include <stdio.h>

struct page {
    const char *name;
    roost_ns latency;
    int size; /* negative: what the server says */
};

static int fetch(void *arg)
{
    const struct page *p = arg;
    int rc = roost_sleep(p->latency);

    return rc < 0 ? rc : p->size;
}

static int start(void *arg)
{
    static struct page pages[] = {
        {"index", 5 * ROOST_MS, 1200},
        {"broken", ROOST_MS, -ECONNRESET},
        {"news", 3 * ROOST_MS, 3400},
        {"missing", 2 * ROOST_MS, -ENOENT},
    };
    roost_job jobs[4];
    int rc;

    (void)arg;
    for (int i = 0; i < 4; i++) {
        jobs[i] = (roost_job){fetch, &pages[i], 0};
    }
    rc = roost_gather(jobs, 4, 2);
    for (int i = 0; i < 4 && rc == 0; i++) {
        if (jobs[i].status < 0) {
            printf("%s: failed\n", pages[i].name);
        } else {
            printf("%s: %d bytes\n", pages[i].name, jobs[i].status);
        }
    }
    return rc;
}

int main(void)
{
    return roost_run(start, NULL, NULL) < 0;
}
