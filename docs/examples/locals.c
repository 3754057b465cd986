/*
 * locals.c - a value for all that happens on behalf of one request, without
 * handing it through every function: bound in a scope, seen by what is spawned
 * there, also deep below.
 */
#include <roost/roost.h>
#include <stdio.h>

static roost_local request; /* a key: its address is what counts */

static const char *request_name(void)
{
    const char *name = roost_local_get(&request);

    return name != NULL ? name : "none";
}

static int deep(void *arg)
{
    *(const char **)arg = request_name();
    return 0;
}

static int handle(void *arg)
{
    int rc;

    ROOST_SCOPE(s, rc) {
        roost_spawn(s, deep, arg);
    }
    return rc;
}

static int start(void *arg)
{
    const char *seen[2] = {NULL, NULL};
    int rc;

    (void)arg;
    ROOST_SCOPE(s, rc) {
        if (roost_local_bind(s, &request, "request 1") == 0) {
            roost_spawn(s, handle, &seen[0]);
        }
        if (roost_local_bind(s, &request, "request 2") == 0) {
            roost_spawn(s, handle, &seen[1]);
        }
    }
    printf("%s, %s; afterwards %s\n", seen[0], seen[1], request_name());
    return rc;
}

int main(void)
{
    return roost_run(start, NULL, NULL) < 0;
}
