/*
 * fetchers.c - the shape of most servers: a request is answered from several
 * sources, asked at the same time; if one fails the others are cancelled, and
 * nothing goes on after the answer. The sources here only sleep, on the virtual
 * clock, which jumps ahead when every task waits.
 */
#include <errno.h>
#include <roost/roost.h>
#include <stdio.h>

struct handler {
    int uid;
    char user[16];
    int orders;
};

static int fetch_user(void *arg)
{
    struct handler *h = arg;
    int rc = roost_sleep(20 * ROOST_MS);

    if (rc < 0) {
        return rc;
    }
    if (h->uid == 13) {
        return roost_fail(-ENOENT, "no user %d", h->uid);
    }
    snprintf(h->user, sizeof(h->user), "user-%d", h->uid);
    return 0;
}

static int fetch_orders(void *arg)
{
    struct handler *h = arg;
    int rc = roost_sleep(h->uid == 1 ? 30 * ROOST_MS : 60 * ROOST_S);

    if (rc == 0) {
        h->orders = 3;
    }
    return rc;
}

static int handle(void *arg)
{
    struct handler *h = arg;
    int rc;

    ROOST_SCOPE(s, rc, .timeout = 5 * ROOST_S) {
        /* Both run at once; if one fails the other is cancelled. */
        roost_spawn(s, fetch_user, h);
        roost_spawn(s, fetch_orders, h);
    }
    return rc; /* 0, the first failure, or -ETIMEDOUT */
}

static int start(void *arg)
{
    static const int uids[] = {1, 13, 2};

    (void)arg;
    for (int i = 0; i < 3; i++) {
        struct handler h = {.uid = uids[i]};
        roost_error first = {0};
        int rc = handle(&h);

        if (rc == 0) {
            printf("%d: %s has %d orders\n", h.uid, h.user, h.orders);
        } else if (rc == -ETIMEDOUT) {
            printf("%d: too slow\n", h.uid);
        } else {
            roost_errors *e = roost_errors_take();

            if (roost_errors_next(e, &first)) {
                printf("%d: failed: %s\n", h.uid, first.message);
            }
            roost_errors_free(e);
        }
    }
    return 0;
}

int main(void)
{
    roost_opts opts = {.clock = ROOST_CLOCK_VIRTUAL};

    return roost_run(start, NULL, &opts) < 0;
}
