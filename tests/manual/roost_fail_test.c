/*
 * roost_fail_test.c - what is missing is forgiven, nothing else.
 */
#include "manual.h"
#include <roost_fail.3.h>

static int status;

static int fail(void *arg)
{
    (void)arg;
    return roost_fail(status, "as asked");
}

int load_all(void)
{
    int rc;

    ROOST_SCOPE(s, rc) {
        roost_spawn(s, fail, NULL);
    }
    return rc;
}

TEST(what_is_missing_is_forgiven, "")
{
    status = -ENOENT;
    CHECK_EQ(load(NULL), 0);
}

TEST(the_rest_is_not, "")
{
    status = -EIO;
    CHECK_EQ(load(NULL), -EIO);
    roost_errors_free(roost_errors_take());
}
