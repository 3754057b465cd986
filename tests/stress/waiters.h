/*
 * waiters.h - rounds of a hundred thousand tasks that wait for one object, and
 * are let go one by one, all at once, by a cancel, or by time.
 */
#ifndef ROOST_STRESS_WAITERS_H
#define ROOST_STRESS_WAITERS_H

#include "sanitized.h"
#include "test.h"

#if TEST_SANITIZED
#define WAITERS 2000
#define KIB_EACH 1000L
#else
#define WAITERS 100000
#define KIB_EACH 6L
#endif

enum ending { ONE_BY_ONE, ALL_AT_ONCE, CANCELLED, TIMED_OUT, ENDINGS };

/* An object, as it is waited for and let go of. */
struct kind {
    int (*wait)(roost_ns until);
    void (*let_one)(void);
    void (*let_all)(void);
    void (*anew)(void); /* before each round */
    int (*rest)(void);  /* is anything left in it, or anybody? */
};

static struct {
    const struct kind *kind;
    roost_ns until;
    int came, left; /* got it; cancelled or too late */
} crowd;

TEST_UNUSED static int nothing_rests(void)
{
    return 0;
}

static int waits(void *arg)
{
    int rc = crowd.kind->wait(crowd.until);

    (void)arg;
    CHECK(rc == 0 || rc == -EPIPE || rc == -ECANCELED || rc == -ETIMEDOUT);
    test_add(rc == 0 || rc == -EPIPE ? &crowd.came : &crowd.left, 1);
    return rc == -ECANCELED ? rc : 0;
}

static void let_go(roost_scope *s, enum ending how)
{
    switch (how) {
    case ONE_BY_ONE:
        for (int i = 0; i < WAITERS; i++) {
            crowd.kind->let_one();
        }
        break;
    case ALL_AT_ONCE:
        crowd.kind->let_all();
        break;
    case CANCELLED:
        CHECK(roost_scope_cancel(s, 0));
        break;
    default:
        break; /* time does it */
    }
}

static void round_of(const struct kind *kind, enum ending how)
{
    bool all = how == ONE_BY_ONE || how == ALL_AT_ONCE;
    roost_scope s;

    crowd.kind = kind;
    crowd.came = 0;
    crowd.left = 0;
    crowd.until = how == TIMED_OUT ? roost_in(3 * ROOST_S) : ROOST_NEVER;
    kind->anew();
    roost_scope_open(&s, NULL);
    for (int i = 0; i < WAITERS; i++) {
        if (roost_spawn(&s, waits, NULL) != 0) {
            CHECK(!"spawn is accepted");
            break;
        }
    }
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(crowd.came + crowd.left, 0);
    let_go(&s, how);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(crowd.came, all ? WAITERS : 0);
    CHECK_EQ(crowd.left, all ? 0 : WAITERS);
    CHECK_EQ(kind->rest(), 0);
}

static long peak_kib(void)
{
    struct rusage usage;

    CHECK_EQ(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

/* Whatever a round takes, the next one lives on: a stack for each, of which a
 * page is touched, or two. (That nothing at all is left is LeakSanitizer's.) */
TEST_UNUSED static void rounds_of(const struct kind *kind)
{
    roost_stats stats;

    for (int how = 0; how < ENDINGS; how++) {
        round_of(kind, (enum ending)how);
    }
    CHECK_EQ(roost_stats_get(NULL, &stats), 0);
    CHECK(stats.fibers <= WAITERS + 1024);
    CHECK(stats.stacks <= WAITERS + 1024);
    CHECK(peak_kib() <= WAITERS * KIB_EACH);
}

#endif
