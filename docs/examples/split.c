/*
 * split.c - several failures at once, each kind dealt with where it is
 * understood: what is malformed here, and what is left over travels on with its
 * messages. (What a whole tree looks like: errors.c.)
 */
#include <errno.h>
#include <roost/roost.h>
#include <stdio.h>
#include <stdlib.h>

static const char *rows[] = {"7", "seven", "", "8", "eight"};

static int read_row(void *arg)
{
    const char *text = arg;
    char *end;

    if (*text == '\0') {
        return roost_fail(-ENODATA, "a row is missing");
    }
    (void)strtol(text, &end, 10);
    return *end == '\0' ? 0 : roost_fail(-EINVAL, "no number: %s", text);
}

static int load(void *arg)
{
    roost_errors *all, *malformed, *rest;
    int rc, split;

    (void)arg;
    ROOST_SCOPE(s, rc) {
        for (int i = 0; i < 5; i++) {
            roost_spawn(s, read_row, (void *)rows[i]);
        }
    }
    if (rc == 0) {
        return 0;
    }
    all = roost_errors_take();
    split = roost_errors_split_status(all, -EINVAL, &malformed, &rest);
    if (split < 0) {
        roost_errors_free(all);
        return split;
    }
    printf("%zu malformed\n", roost_errors_count(malformed, 0));
    roost_errors_free(malformed);
    return roost_errors_raise(rest); /* 0 if nothing is left */
}

static int start(void *arg)
{
    roost_errors *e;
    roost_error it = {0};
    int rc;

    (void)arg;
    ROOST_SCOPE(s, rc) {
        roost_spawn(s, load, NULL);
    }
    printf("loaded: %s\n", rc == -ENODATA ? "data missing" : "?");
    e = roost_errors_take();
    while (roost_errors_next(e, &it)) {
        printf("%s\n", it.message);
    }
    roost_errors_free(e);
    return 0;
}

int main(void)
{
    return roost_run(start, NULL, NULL) < 0;
}
