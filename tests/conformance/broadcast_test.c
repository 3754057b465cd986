/*
 * broadcast_test.c - every item to every subscriber. Would catch an item that
 * one subscriber takes from another, one that is lost without being counted as
 * missed, a close that loses what is kept.
 */
#include "tasks.h"

struct reader {
    roost_broadcast *from;
    roost_subscriber r;
    long item, sum, missed;
    roost_ns deadline;
    int rc, items, ended;
};

/* Reads one. */
static int read_one(void *arg)
{
    struct reader *r = (struct reader *)arg;

    r->rc = roost_subscriber_recv_until(&r->r, &r->item, r->deadline);
    test_set(&r->ended, 1);
    return 0;
}

static void subscribe(struct reader *r, roost_broadcast *b)
{
    memset(r, 0, sizeof *r);
    r->from = b;
    r->deadline = ROOST_NEVER;
    CHECK_EQ(roost_subscriber_init(&r->r, b), 0);
}

static void send_numbers(roost_broadcast *b, long from, long to)
{
    for (long i = from; i <= to; i++) {
        CHECK_EQ(roost_broadcast_send(b, &i), 0);
    }
}

static roost_broadcast *longs(size_t keep)
{
    roost_broadcast *b = roost_broadcast_new(sizeof(long), keep);

    CHECK(b != NULL);
    return b;
}

TEST(bad_arguments_of_a_broadcast, "R2")
{
    roost_broadcast *b = longs(1);
    roost_subscriber r;
    long item = 1;

    CHECK(roost_broadcast_new(8, 0) == NULL);
    CHECK(roost_broadcast_new(SIZE_MAX / 2, 3) == NULL);
    CHECK(roost_broadcast_new(SIZE_MAX, 1) == NULL);
    CHECK(roost_broadcast_new(PTRDIFF_MAX, 1) == NULL);
    CHECK_EQ(roost_broadcast_send(NULL, &item), -EINVAL);
    CHECK_EQ(roost_broadcast_send(b, NULL), -EINVAL);
    CHECK_EQ(roost_broadcast_close(NULL), -EINVAL);
    CHECK_EQ(roost_subscriber_init(NULL, b), -EINVAL);
    CHECK_EQ(roost_subscriber_init(&r, NULL), -EINVAL);
    CHECK_EQ(roost_subscriber_init(&r, b), 0);
    CHECK_EQ(roost_subscriber_recv(NULL, &item), -EINVAL);
    CHECK_EQ(roost_subscriber_recv(&r, NULL), -EINVAL);
    CHECK_EQ(roost_subscriber_recv_until(&r, NULL, 0), -EINVAL);
    roost_subscriber_destroy(&r);
    CHECK_EQ(roost_subscriber_recv(&r, &item), -EINVAL); /* it has ended */
    roost_subscriber_destroy(NULL);
    roost_broadcast_free(b);
    roost_broadcast_free(NULL);
}

TEST(each_subscriber_gets_each_item, "R10 R53")
{
    roost_broadcast *b = longs(4);
    struct reader r[3];

    for (int i = 0; i < 3; i++) {
        subscribe(&r[i], b);
    }
    send_numbers(b, 1, 4);
    for (int i = 0; i < 3; i++) {
        long item = 0;

        for (long n = 1; n <= 4; n++) {
            CHECK_EQ(roost_subscriber_recv_until(&r[i].r, &item, 0), 0);
            CHECK_EQ(item, n);
        }
        CHECK_EQ(roost_subscriber_recv_until(&r[i].r, &item, 0), -ETIMEDOUT);
        CHECK_EQ(item, 4);
        roost_subscriber_destroy(&r[i].r);
    }
    roost_broadcast_free(b);
}

/* From now on: not what was sent before. */
TEST(a_late_subscriber_sees_what_comes_then, "R53")
{
    roost_broadcast *b = longs(4);
    struct reader r;
    long item = 0;

    send_numbers(b, 1, 3);
    subscribe(&r, b);
    CHECK_EQ(roost_subscriber_recv_until(&r.r, &item, 0), -ETIMEDOUT);
    send_numbers(b, 4, 4);
    CHECK_EQ(roost_subscriber_recv(&r.r, &item), 0);
    CHECK_EQ(item, 4);
    roost_subscriber_destroy(&r.r);
    roost_broadcast_free(b);
}

/* It learns how many it has missed, and goes on with the oldest kept. */
TEST(a_slow_subscriber_learns_what_it_missed, "R53")
{
    for (size_t keep = 1; keep <= 5; keep++) {
        roost_broadcast *b = longs(keep);
        struct reader slow;
        long item = -1;

        subscribe(&slow, b);
        send_numbers(b, 1, 7);
        CHECK_EQ(roost_subscriber_recv(&slow.r, &item), (int)(7 - keep));
        CHECK_EQ(item, -1);
        for (long n = 8 - (long)keep; n <= 7; n++) {
            CHECK_EQ(roost_subscriber_recv(&slow.r, &item), 0);
            CHECK_EQ(item, n);
        }
        send_numbers(b, 8, 7 + (long)keep); /* just not too many */
        CHECK_EQ(roost_subscriber_recv(&slow.r, &item), 0);
        CHECK_EQ(item, 8);
        roost_subscriber_destroy(&slow.r);
        roost_broadcast_free(b);
    }
}

/* Told, it has missed more by the time it reads. */
TEST(one_may_miss_twice, "R53")
{
    roost_broadcast *b = longs(2);
    struct reader slow;
    long item = -1;

    subscribe(&slow, b);
    send_numbers(b, 1, 5);
    CHECK_EQ(roost_subscriber_recv(&slow.r, &item), 3);
    send_numbers(b, 6, 6);
    CHECK_EQ(roost_subscriber_recv(&slow.r, &item), 1);
    CHECK_EQ(roost_subscriber_recv(&slow.r, &item), 0);
    CHECK_EQ(item, 5);
    roost_subscriber_destroy(&slow.r);
    roost_broadcast_free(b);
}

/* ---- closing ---- */

TEST(a_close_leaves_what_is_kept, "R48 R53")
{
    roost_broadcast *b = longs(2);
    struct reader r, late;
    long item = 0;

    subscribe(&r, b);
    send_numbers(b, 1, 3);
    CHECK_EQ(roost_broadcast_close(b), 0);
    CHECK_EQ(roost_broadcast_close(b), 0);
    CHECK_EQ(roost_broadcast_send(b, &item), -EPIPE);
    CHECK_EQ(roost_subscriber_recv(&r.r, &item), 1);
    CHECK_EQ(roost_subscriber_recv(&r.r, &item), 0);
    CHECK_EQ(item, 2);
    CHECK_EQ(roost_subscriber_recv_until(&r.r, &item, 0), 0);
    CHECK_EQ(item, 3);
    CHECK_EQ(roost_subscriber_recv(&r.r, &item), -EPIPE);
    CHECK_EQ(roost_subscriber_recv_until(&r.r, &item, 0), -EPIPE);
    CHECK_EQ(item, 3);
    subscribe(&late, b);
    CHECK_EQ(roost_subscriber_recv(&late.r, &item), -EPIPE);
    roost_subscriber_destroy(&late.r);
    roost_subscriber_destroy(&r.r);
    roost_broadcast_free(b);
}

TEST_VIRTUAL(a_close_wakes_all_who_wait, "R48 R53")
{
    roost_broadcast *b = longs(2);
    struct reader r[5];
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 5; i++) {
        subscribe(&r[i], b);
        CHECK_EQ(roost_spawn(&s, read_one, &r[i]), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_broadcast_close(b), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(r[i].rc, -EPIPE);
        roost_subscriber_destroy(&r[i].r);
    }
    roost_broadcast_free(b);
}

/* Woken by an item, it finds it although a close or a cancel has come since. */
TEST_VIRTUAL(an_item_beats_a_later_close_and_cancel, "R3 R48 R53")
{
    roost_broadcast *b = longs(2);
    struct reader r[5];
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 5; i++) {
        subscribe(&r[i], b);
        CHECK_EQ(roost_spawn(&s, read_one, &r[i]), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    send_numbers(b, 9, 9);
    CHECK_EQ(roost_broadcast_close(b), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(r[i].rc, 0);
        CHECK_EQ(r[i].item, 9);
        roost_subscriber_destroy(&r[i].r);
    }
    roost_broadcast_free(b);
}

TEST_VIRTUAL(a_cancelled_subscriber_has_its_place_still, "R8")
{
    roost_broadcast *b = longs(4);
    struct reader r;
    roost_scope s;

    subscribe(&r, b);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, read_one, &r), 0);
    CHECK_EQ(roost_settle(), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(r.rc, -ECANCELED);
    CHECK_EQ(r.item, 0);
    send_numbers(b, 1, 2);
    CHECK_EQ(read_one(&r), 0);
    CHECK_EQ(r.item, 1);
    roost_subscriber_destroy(&r.r);
    roost_broadcast_free(b);
}

TEST(items_of_no_bytes_are_counted, "R53")
{
    roost_broadcast *b = roost_broadcast_new(0, 2);
    roost_subscriber r;

    CHECK_EQ(roost_subscriber_init(&r, b), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(roost_broadcast_send(b, NULL), 0);
    }
    CHECK_EQ(roost_subscriber_recv(&r, NULL), 1);
    CHECK_EQ(roost_subscriber_recv(&r, NULL), 0);
    CHECK_EQ(roost_subscriber_recv(&r, NULL), 0);
    CHECK_EQ(roost_subscriber_recv_until(&r, NULL, 0), -ETIMEDOUT);
    roost_subscriber_destroy(&r);
    roost_broadcast_free(b);
}

/* ---- many ---- */

enum { SENT = 2000 };

/* Reads to the end: items come in order, and none is missing uncounted. */
static int read_all(void *arg)
{
    struct reader *r = (struct reader *)arg;
    long last = 0, missed = 0;
    int rc;

    while ((rc = roost_subscriber_recv(&r->r, &r->item)) >= 0) {
        if (rc > 0) {
            missed += rc;
            continue;
        }
        CHECK_EQ(r->item, last + missed + 1);
        last += missed + 1;
        r->missed += missed;
        missed = 0;
        r->items++;
    }
    r->missed += missed;
    CHECK_EQ(rc, -EPIPE);
    CHECK_EQ(r->items + r->missed, SENT);
    return 0;
}

static int send_all(void *arg)
{
    roost_broadcast *b = (roost_broadcast *)arg;

    for (long i = 1; i <= SENT; i++) {
        CHECK_EQ(roost_broadcast_send(b, &i), 0);
        if (i % 5 == 0) {
            roost_yield();
        }
    }
    return roost_broadcast_close(b);
}

static void *read_all_in_thread(void *arg)
{
    (void)read_all(arg);
    return NULL;
}

TEST(all_is_read_or_counted, "R46 R53 R61")
{
    for (size_t keep = 1; keep <= 64; keep *= 8) {
        roost_broadcast *b = longs(keep);
        struct reader r[6];
        roost_scope s;

        roost_scope_open(&s, NULL);
        for (int i = 0; i < 6; i++) {
            subscribe(&r[i], b);
            CHECK_EQ(roost_spawn(&s, read_all, &r[i]), 0);
        }
        CHECK_EQ(roost_spawn(&s, send_all, b), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        for (int i = 0; i < 6; i++) {
            roost_subscriber_destroy(&r[i].r);
        }
        roost_broadcast_free(b);
    }
}

TEST_PLAIN(threads_subscribe_too, "R53 R61 R72")
{
    roost_opts opts = test_opts();
    roost_broadcast *b = longs(8);
    struct reader r[2];
    pthread_t thread[2];
    roost_runtime *rt;

    CHECK_EQ(roost_start(&rt, &opts), 0);
    for (int i = 0; i < 2; i++) {
        subscribe(&r[i], b);
        CHECK_EQ(pthread_create(&thread[i], NULL, read_all_in_thread, &r[i]),
                 0);
    }
    CHECK_EQ(roost_call(rt, send_all, b), 0);
    for (int i = 0; i < 2; i++) {
        pthread_join(thread[i], NULL);
        roost_subscriber_destroy(&r[i].r);
    }
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
    roost_broadcast_free(b);
}

static int free_early(void *arg)
{
    struct reader r;
    roost_scope s;

    subscribe(&r, (roost_broadcast *)arg);
    roost_scope_open(&s, NULL);
    roost_spawn(&s, read_one, &r);
    roost_settle();
    roost_broadcast_free(r.from);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(freeing_a_broadcast_with_waiters_is_misuse, "R67")
{
    roost_opts opts = test_opts();
    roost_broadcast *b = longs(1);

    CHECK_ABORTS("roost_broadcast_free", roost_run(free_early, b, &opts));
    roost_broadcast_free(b);
}
