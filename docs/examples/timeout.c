/*
 * timeout.c - a scope with a deadline: what is inside when it passes comes
 * home, and the scope says so.
 */
#include <errno.h>
#include <roost/roost.h>
#include <stdio.h>
#include <string.h>

/* Whatever waits in a cancelled scope gets -ECANCELED, and passes it on. */
static int slow(void *arg)
{
    int rc = roost_sleep(60 * ROOST_S);

    if (rc < 0) {
        printf("%s: stopped early\n", (const char *)arg);
    }
    return rc;
}

static int quick(void *arg)
{
    (void)arg;
    return roost_sleep(ROOST_MS);
}

static int start(void *arg)
{
    roost_scope_opts opts = {.timeout = 20 * ROOST_MS, .flags = ROOST_MOVE_ON};
    roost_scope scope;
    int rc;

    (void)arg;
    ROOST_SCOPE(s, rc, .timeout = 20 * ROOST_MS) {
        roost_spawn(s, slow, "first");
    }
    printf("too slow: %s\n", rc == -ETIMEDOUT ? "timed out" : strerror(-rc));

    ROOST_SCOPE(s, rc, .timeout = 60 * ROOST_S) {
        roost_spawn(s, quick, NULL);
    }
    printf("in time: %d\n", rc);

    /* The same in open form. ROOST_MOVE_ON: having no more time is fine. */
    roost_scope_open(&scope, &opts);
    roost_spawn(&scope, slow, "second");
    rc = roost_scope_close(&scope, 0);
    printf("moved on: %d, expired: %s\n", rc,
           roost_scope_expired(&scope) ? "yes" : "no");
    return rc;
}

int main(void)
{
    return roost_run(start, NULL, NULL) < 0;
}
