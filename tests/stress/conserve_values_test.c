/*
 * conserve_values_test.c - broadcast, watch, barrier and once under random
 * cancels and deadlines.
 *
 * Would catch: an item that a subscriber neither gets nor is told it missed, or
 * gets twice; a value older than one that was read before, or a last value that
 * cannot be read; a meeting with two leaders or none; an initialiser that runs
 * again after it has succeeded, or never because one was cancelled.
 */
#include "crowd.h"

enum { MEMBERS = 10, THREADS = 2 };

struct user {
    struct member member; /* first: crowd.h */
    int steps;
    long last, got, missed;
    uint64_t version;
    roost_subscriber subscriber;
};

static void crowd_run(struct user *users, int n, const struct role *role,
                      const struct role *other)
{
    struct crowd crowd = {.seed = (uint64_t)n};

    crowd_open(&crowd);
    for (int i = 0; i < n; i++) {
        crowd_join(&crowd, &users[i].member, i % 5 == 0 ? other : role,
                   i % 5 == 1 && i / 5 < THREADS);
    }
    crowd_close(&crowd);
}

static void may_fail(int rc)
{
    CHECK(rc == -ECANCELED || rc == -ETIMEDOUT || rc == -EPIPE);
}

/* ---- broadcast ---- */

enum { NEWS = 20000, SENDERS = MEMBERS / 5 };

static roost_broadcast *radio;
static roost_mutex order = ROOST_MUTEX_INIT; /* so that numbers go out in it */
static long announced;
static int sending;

static bool announce(struct member *m)
{
    struct user *u = (struct user *)m;

    CHECK_EQ(roost_mutex_lock(&order), 0);
    announced++;
    CHECK_EQ(roost_broadcast_send(radio, &announced), 0);
    CHECK_EQ(roost_mutex_unlock(&order), 0);
    return ++u->steps < NEWS;
}

static void sign_off(struct member *m)
{
    (void)m;
    if (test_add(&sending, -1) == 0) {
        CHECK_EQ(roost_broadcast_close(radio), 0);
    }
}

/* Every number is either got, or among those that were missed. */
static bool listen(struct member *m)
{
    struct user *u = (struct user *)m;
    long item = 0;
    int rc =
        roost_subscriber_recv_until(&u->subscriber, &item, member_deadline(m));

    if (rc == 0) {
        CHECK_EQ(item, u->last + 1);
        u->last = item;
        u->got++;
    } else if (rc > 0) {
        CHECK_EQ(item, 0);
        u->last += rc;
        u->missed += rc;
    } else {
        may_fail(rc);
    }
    return rc != -EPIPE;
}

TEST(every_item_is_heard_or_missed, "R3 R53")
{
    static const struct role listener = {listen, NULL};
    static const struct role sender = {announce, sign_off};
    static struct user users[MEMBERS];
    long got = 0;

    memset(users, 0, sizeof(users));
    announced = 0;
    test_set(&sending, SENDERS);
    radio = roost_broadcast_new(sizeof(long), 16);
    for (int i = 0; i < MEMBERS; i++) {
        CHECK_EQ(roost_subscriber_init(&users[i].subscriber, radio), 0);
    }
    crowd_run(users, MEMBERS, &listener, &sender);
    for (int i = 0; i < MEMBERS; i++) {
        if (i % 5 != 0) {
            CHECK_EQ(users[i].last, (long)SENDERS * NEWS);
            CHECK_EQ(users[i].got + users[i].missed, (long)SENDERS * NEWS);
        }
        got += users[i].got;
        roost_subscriber_destroy(&users[i].subscriber);
    }
    CHECK(got > 0);
    roost_broadcast_free(radio);
}

/* ---- watch ---- */

static roost_watch *sign;

/* Two halves: a value that is read is one that was set. */
struct value {
    long number, twice;
};

static bool change(struct member *m)
{
    struct user *u = (struct user *)m;
    struct value v;

    CHECK_EQ(roost_mutex_lock(&order), 0);
    announced++;
    v = (struct value){announced, 2 * announced};
    CHECK_EQ(roost_watch_set(sign, &v), 0);
    CHECK_EQ(roost_mutex_unlock(&order), 0);
    return ++u->steps < NEWS;
}

static void stop_changing(struct member *m)
{
    (void)m;
    if (test_add(&sending, -1) == 0) {
        CHECK_EQ(roost_watch_close(sign), 0);
    }
}

/* Value n is version n + 1. */
static bool look(struct member *m)
{
    struct user *u = (struct user *)m;
    struct value v = {-1, -1};
    uint64_t before = u->version;
    bool any = member_below(m, 4) == 0;
    int rc =
        any ? roost_watch_get(sign, &v, &u->version)
            : roost_watch_next_until(sign, &v, &u->version, member_deadline(m));

    if (rc == 0) {
        CHECK(any ? u->version >= before : u->version > before);
        CHECK_EQ((uint64_t)v.number + 1, u->version);
        CHECK_EQ(v.twice, 2 * v.number);
        u->last = v.number;
    } else {
        may_fail(rc);
        CHECK_EQ(u->version, before);
        CHECK_EQ(v.number, -1);
    }
    return rc != -EPIPE;
}

TEST(a_watched_value_only_gets_newer, "R3 R53")
{
    static const struct role watcher = {look, NULL};
    static const struct role changer = {change, stop_changing};
    static struct user users[MEMBERS];
    struct value zero = {0, 0};

    memset(users, 0, sizeof(users));
    announced = 0;
    test_set(&sending, SENDERS);
    sign = roost_watch_new(sizeof(zero), &zero);
    crowd_run(users, MEMBERS, &watcher, &changer);
    for (int i = 0; i < MEMBERS; i++) {
        CHECK(i % 5 == 0 || users[i].last == (long)SENDERS * NEWS);
    }
    roost_watch_free(sign);
}

/* ---- barrier ---- */

enum { PARTIES = 3, MEETINGS = 3000 };

static struct {
    roost_barrier barrier;
    int met, led;
} meeting;

/* Until enough meetings were held; then it is called off. */
static bool meet(struct member *m)
{
    struct user *u = (struct user *)m;
    int rc = roost_barrier_wait_until(&meeting.barrier, member_deadline(m));

    if (rc >= 0) {
        u->got++;
        test_add(&meeting.met, 1);
        if (rc == 1 && test_add(&meeting.led, 1) == MEETINGS) {
            CHECK_EQ(roost_barrier_abort(&meeting.barrier), 0);
        }
    } else {
        may_fail(rc);
    }
    return rc != -EPIPE;
}

TEST(a_meeting_has_one_leader, "R3 R52")
{
    static const struct role role = {meet, NULL};
    static struct user users[MEMBERS];

    memset(users, 0, sizeof(users));
    CHECK_EQ(roost_barrier_init(&meeting.barrier, PARTIES), 0);
    crowd_run(users, MEMBERS, &role, &role);
    CHECK(meeting.led >= MEETINGS);
    CHECK_EQ(meeting.met, meeting.led * PARTIES);
    roost_barrier_destroy(&meeting.barrier);
}

/* ---- once ---- */

static struct {
    roost_once once;
    int running, succeeded;
} first;

/* Fails at times, and is cancelled at times. */
static int initialise(void *arg)
{
    int rc;

    CHECK_EQ(test_add(&first.running, 1), 1);
    CHECK_EQ(test_get(&first.succeeded), 0);
    rc = roost_sleep(5 * ROOST_US);
    if (rc == 0 && member_below((struct member *)arg, 3) != 0) {
        rc = -EIO;
    }
    test_add(&first.succeeded, rc == 0);
    test_add(&first.running, -1);
    return rc == 0 ? 17 : rc;
}

static bool call_once(struct member *m)
{
    int rc = roost_once_call(&first.once, initialise, m);

    CHECK(rc == 17 || rc == -EIO || rc == -ECANCELED);
    CHECK(rc != 17 || test_get(&first.succeeded) == 1);
    return rc != 17;
}

TEST(one_initialiser_succeeds, "R3 R52")
{
    static const struct role role = {call_once, NULL};
    static struct user users[MEMBERS];

    for (int i = 0; i < 300; i++) {
        memset(users, 0, sizeof(users));
        memset(&first, 0, sizeof(first));
        crowd_run(users, MEMBERS, &role, &role);
        CHECK_EQ(first.succeeded, 1);
    }
}
