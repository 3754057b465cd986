/*
 * sync_test.c - channels, select, limiters and their kin when memory or
 * descriptors run out.
 *
 * Would catch: an item that a refused send has taken or dropped, a channel that
 * cannot be used after a refusal, a select that has done something although it
 * failed, a token that is counted but nobody's, a leak.
 *
 * __wrap_malloc() __wrap_calloc() __wrap_free() __wrap_posix_memalign()
 * __wrap_mmap() __wrap_munmap() __wrap_madvise() __wrap_syscall()
 * __wrap_pthread_create() __wrap_eventfd() __wrap_signalfd()
 */
#include "fault/ops.h"

static void expect(roost_chan *c, long from, long to)
{
    long item = -1;

    for (long i = from; i <= to; i++) {
        CHECK_EQ(roost_chan_try_recv(c, &item), 0);
        CHECK_EQ(item, i);
    }
    CHECK_EQ(roost_chan_try_recv(c, &item), -EAGAIN);
}

/* --- making --- */

static bool makes_channels(void)
{
    roost_chan_opts opts = {.name = "named"};
    roost_chan *a, *b;
    bool made;
    long item = 1;

    fault_go();
    a = roost_chan_new(sizeof(long), 100);
    b = roost_chan_new_opts(sizeof(long), ROOST_UNBOUNDED, &opts);
    fault_end();
    made = a != NULL && b != NULL;
    if (a != NULL) {
        CHECK_EQ(roost_chan_send(a, &item), 0);
        expect(a, 1, 1);
    }
    roost_chan_free(a);
    roost_chan_free(b);
    return made;
}

TEST_PLAIN(channel_refused, "R8 R46")
{
    under_faults(makes_channels, false, 4);
}

static bool makes_others(void)
{
    roost_broadcast *b;
    roost_watch *w;
    bool made;
    long item = 1;

    fault_go();
    b = roost_broadcast_new(sizeof(long), 10);
    w = roost_watch_new(sizeof(long), &item);
    fault_end();
    made = b != NULL && w != NULL;
    if (w != NULL) {
        CHECK_EQ(roost_watch_set(w, &item), 0);
    }
    if (b != NULL) {
        CHECK_EQ(roost_broadcast_send(b, &item), 0);
    }
    roost_broadcast_free(b);
    roost_watch_free(w);
    return made;
}

TEST_PLAIN(broadcast_and_watch_refused, "R8 R53")
{
    under_faults(makes_others, false, 4);
}

/* --- sending without a bound --- */

enum { MANY = 3000 };

/* The item of a refused send stays the sender's, who tries again. */
static bool sends_unbounded(void)
{
    roost_chan *c = roost_chan_new(sizeof(long), ROOST_UNBOUNDED);
    bool granted = true;

    fault_go();
    for (long i = 0; i < MANY; i++) {
        int rc =
            i % 2 == 0 ? roost_chan_send(c, &i) : roost_chan_try_send(c, &i);

        if (rc != 0) {
            CHECK_EQ(rc, -ENOMEM);
            granted = false;
            fault_end();
            CHECK_EQ(roost_chan_send(c, &i), 0);
        }
    }
    fault_end();
    expect(c, 0, MANY - 1);
    roost_chan_free(c);
    return granted;
}

TEST_PLAIN(unbounded_send_refused, "R8 R47")
{
    under_faults(sends_unbounded, false, 6);
}

/* How many went, and then why no more. */
static bool sends_many(void)
{
    static long items[MANY];
    roost_chan *c = roost_chan_new(sizeof(long), ROOST_UNBOUNDED);
    int sent = 0;
    bool granted;

    for (int i = 0; i < MANY; i++) {
        items[i] = i;
    }
    fault_go();
    sent = roost_chan_send_many(c, items, MANY);
    granted = sent == MANY;
    fault_end();
    CHECK(sent > 0 || sent == -ENOMEM);
    sent = sent < 0 ? 0 : sent;
    CHECK_EQ(roost_chan_send_many(c, items + sent, (size_t)(MANY - sent)),
             MANY - sent);
    expect(c, 0, MANY - 1);
    roost_chan_free(c);
    return granted;
}

TEST_PLAIN(many_item_send_refused, "R8 R47")
{
    under_faults(sends_many, false, 6);
}

/* --- dropping: the copy for on_drop --- */

static int drops;
static long last_dropped;

static void on_drop(void *item)
{
    last_dropped = *(long *)item;
    drops++;
}

/* Refused, nothing was pushed out, and the new one not taken. */
static bool drops_items(unsigned policy)
{
    roost_chan_opts opts = {.overflow = policy, .on_drop = on_drop};
    roost_chan *c = roost_chan_new_opts(sizeof(long), 2, &opts);
    bool granted = true;

    drops = 0;
    for (long i = 1; i <= 2; i++) {
        CHECK_EQ(roost_chan_send(c, &i), 0);
    }
    fault_go();
    for (long i = 3; i <= 6; i++) {
        long item = i;
        int rc = roost_chan_send(c, &item);

        if (rc != 1) {
            CHECK_EQ(rc, -ENOMEM);
            CHECK_EQ(drops, i - 3);
            granted = false;
            fault_end();
            CHECK_EQ(roost_chan_send(c, &item), 1);
        }
        CHECK_EQ(drops, i - 2);
        CHECK_EQ(last_dropped, policy == ROOST_DROP_OLDEST ? i - 2 : i);
    }
    fault_end();
    if (policy == ROOST_DROP_OLDEST) {
        expect(c, 5, 6);
    } else {
        expect(c, 1, 2);
    }
    roost_chan_free(c);
    CHECK_EQ(drops, 4);
    return granted;
}

static bool drops_oldest(void)
{
    return drops_items(ROOST_DROP_OLDEST);
}

static bool drops_newest(void)
{
    return drops_items(ROOST_DROP_NEWEST);
}

TEST_PLAIN(drop_refused, "R8 R47")
{
    under_faults(drops_oldest, false, 8);
    under_faults(drops_newest, false, 8);
}

/* What is discarded or freed needs no memory. */
static bool discards(void)
{
    roost_chan_opts opts = {.on_drop = on_drop};
    roost_chan *c = roost_chan_new_opts(sizeof(long), ROOST_UNBOUNDED, &opts);
    roost_chan *d = roost_chan_new_opts(sizeof(long), 4, &opts);

    drops = 0;
    for (long i = 0; i < 1000; i++) {
        CHECK_EQ(roost_chan_send(c, &i), 0);
        CHECK_EQ(roost_chan_try_send(d, &i), i < 4 ? 0 : -EAGAIN);
    }
    fault_choose(FAULT_HEAP, 1, true);
    fault_go();
    roost_chan_discard(c);
    roost_chan_close(c);
    roost_chan_free(c);
    roost_chan_free(d);
    CHECK(!fault_end());
    CHECK_EQ(drops, 1004);
    return true;
}

TEST_PLAIN(an_end_needs_no_memory, "R47")
{
    bool (*body)(void) = discards;

    CHECK(run_op(&body));
}

/* --- select --- */

enum { CASES = 17 };

/* Refused, none of the cases has happened. */
static bool selects(void)
{
    roost_chan *c = roost_chan_new(sizeof(long), 4);
    roost_case cases[CASES];
    long items[CASES] = {0}, item = 9;
    int rc, tried;

    for (int i = 0; i < CASES; i++) {
        cases[i] = roost_on_recv(c, &items[i]);
    }
    CHECK_EQ(roost_chan_send(c, &item), 0);
    CHECK_EQ(roost_chan_send(c, &item), 0);
    fault_go();
    rc = roost_select(cases, CASES);
    tried = roost_try_select(cases, CASES);
    fault_end();
    CHECK(rc == -ENOMEM || (rc >= 0 && items[rc] == 9));
    CHECK(tried == -ENOMEM || (tried >= 0 && items[tried] == 9));
    for (int left = (rc < 0) + (tried < 0); left > 0; left--) {
        CHECK(roost_select_ordered(cases, CASES) == 0);
    }
    CHECK_EQ(roost_chan_try_recv(c, &item), -EAGAIN);
    fault_go();
    CHECK_EQ(roost_select_until(cases, CASES - 1, 0), -ETIMEDOUT);
    fault_end();
    roost_chan_free(c);
    return rc >= 0 && tried >= 0;
}

TEST_PLAIN(select_refused, "R8 R49")
{
    under_faults(selects, false, 4);
}

/* A send for which no room can be made is a case that happens, with that
 * status: the select does not wait for memory. */
static bool selects_a_send(void)
{
    roost_chan *c = roost_chan_new(sizeof(long), ROOST_UNBOUNDED);
    long item = 5;
    roost_case cases[] = {roost_on_send(c, &item)};
    int status;

    fault_go();
    CHECK_EQ(roost_select(cases, 1), 0);
    fault_end();
    status = cases[0].status;
    CHECK(status == 0 || status == -ENOMEM);
    if (status != 0) {
        CHECK_EQ(roost_select(cases, 1), 0);
        CHECK_EQ(cases[0].status, 0);
    }
    expect(c, 5, 5);
    roost_chan_free(c);
    return status == 0;
}

TEST_PLAIN(selected_send_refused, "R8 R47 R49")
{
    under_faults(selects_a_send, false, 2);
}

/* --- the descriptor --- */

static bool asks_for_fd(void)
{
    roost_chan *c = roost_chan_new(sizeof(long), 4);
    long item = 1;
    int fd;

    CHECK_EQ(roost_chan_send(c, &item), 0);
    fault_go();
    fd = roost_chan_fd(c);
    fault_end();
    CHECK(fd >= 0 || fd == -EMFILE);
    expect(c, 1, 1);
    CHECK(roost_chan_fd(c) >= 0);
    roost_chan_free(c);
    return fd >= 0;
}

TEST_PLAIN(descriptor_refused, "R8")
{
    under_faults(asks_for_fd, false, 2);
}

/* It has one: asked again it needs no other. */
static bool asks_again(void)
{
    roost_chan *c = roost_chan_new(sizeof(long), 4);
    int fd = roost_chan_fd(c);

    fault_choose(FAULT_FD, 1, true);
    fault_go();
    CHECK_EQ(roost_chan_fd(c), fd);
    fault_end();
    roost_chan_free(c);
    return fd >= 0;
}

TEST_PLAIN(descriptor_stays, "R8")
{
    bool (*body)(void) = asks_again;

    CHECK(run_op(&body));
}

/* --- tokens --- */

static bool takes_token(void)
{
    roost_limiter_info info;
    roost_limiter l;
    int rc, tried;

    CHECK_EQ(roost_limiter_init(&l, 2), 0);
    fault_go();
    rc = roost_limiter_acquire(&l);
    tried = rc == 0 ? -EDEADLK : roost_limiter_try_acquire(&l);
    fault_end();
    CHECK(rc == 0 || rc == -ENOMEM);
    CHECK(tried == -EDEADLK || tried == 0 || tried == -ENOMEM);
    CHECK_EQ(roost_limiter_stats(&l, &info), 0);
    CHECK_EQ(info.used, rc == 0 || tried == 0);
    CHECK_EQ(info.waiting, 0);
    if (info.used == 0) {
        CHECK_EQ(roost_limiter_release(&l), -EPERM);
        CHECK_EQ(roost_limiter_acquire_until(&l, 0), 0);
    }
    CHECK_EQ(roost_limiter_release(&l), 0);
    roost_limiter_destroy(&l);
    return rc == 0;
}

TEST_PLAIN(token_refused, "R8 R52")
{
    under_faults(takes_token, false, 2);
}
