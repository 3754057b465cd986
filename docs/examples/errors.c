/*
 * errors.c - failures as a tree. Each task returns one status; what went wrong
 * with its messages, in its scopes and in those of its children, travels with
 * it. Here one task fails, and another does while it cleans up after that.
 */
#include <errno.h>
#include <roost/roost.h>
#include <stdio.h>

static int fetch_user(void *arg)
{
    (void)arg;
    return roost_fail(-ECONNREFUSED, "nobody listens on port %d", 8080);
}

/* Is cancelled because fetch_user failed, and then fails by itself. */
static int roll_back(void *arg)
{
    (void)arg;
    if (roost_sleep(60 * ROOST_S) == -ECANCELED) {
        return roost_fail(-EIO, "order %d was half written", 7);
    }
    return 0;
}

static int fetch_orders(void *arg)
{
    roost_task_opts named = {.name = "order 7"};
    int rc;

    (void)arg;
    ROOST_SCOPE(s, rc, .name = "orders") {
        roost_spawn_opts(s, roll_back, NULL, &named);
    }
    return rc; /* its status; the scope's tree goes up with it */
}

static int page(void)
{
    roost_task_opts user = {.name = "user"}, orders = {.name = "orders"};
    int rc;

    ROOST_SCOPE(s, rc, .name = "page") {
        roost_spawn_opts(s, fetch_orders, NULL, &orders);
        roost_settle(); /* it waits now: so the order below is always this */
        roost_spawn_opts(s, fetch_user, NULL, &user);
    }
    return rc;
}

static int start(void *arg)
{
    roost_errors *all, *refused, *rest;
    int rc = page();

    (void)arg;
    printf("the first failure: %s\n", rc == -ECONNREFUSED ? "refused" : "?");
    all = roost_errors_take();
    roost_errors_print(all, stdout);

    /* What is understood is dealt with, the rest would travel on:
     * return roost_errors_raise(rest); */
    rc = roost_errors_split_status(all, -ECONNREFUSED, &refused, &rest);
    if (rc < 0) {
        roost_errors_free(all);
        return rc;
    }
    printf("without the %zu refused:\n", roost_errors_count(refused, 0));
    roost_errors_print(rest, stdout);
    roost_errors_free(refused);
    roost_errors_free(rest);
    return 0;
}

int main(void)
{
    return roost_run(start, NULL, NULL) < 0;
}
