/*
 * roost_limiter_init_test.c - one asks at a time, and not for ever.
 */
#include "manual.h"
#include <roost_limiter_init.3.h>

static int asked;

int ask(const char *what)
{
    asked++;
    return roost_sleep(strcmp(what, "long") == 0 ? 5 * ROOST_S : 0);
}

static roost_limiter service;

static int ask_long(void *arg)
{
    (void)arg;
    return ask_politely(&service, "long");
}

TEST_VIRTUAL(it_is_given_up_in_time, "")
{
    int rc;

    CHECK_EQ(roost_limiter_init(&service, 1), 0);
    CHECK_EQ(ask_politely(&service, "what"), 0);
    ROOST_SCOPE(s, rc) {
        roost_spawn(s, ask_long, NULL);
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(ask_politely(&service, "what"), -ETIMEDOUT);
    }
    CHECK_EQ(rc, 0);
    CHECK_EQ(asked, 2);
    roost_limiter_destroy(&service);
}
