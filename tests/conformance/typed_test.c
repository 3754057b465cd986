/*
 * typed_test.c - the macros of typed.h do what the calls do that they stand
 * for: would catch one that calls another, drops an argument, evaluates one
 * twice or sizes items wrongly. What must not compile: tests/compile.
 */
#include "tasks.h"

struct item {
    long number;
    char text[40];
};

typedef ROOST_CHAN_OF(struct item) item_chan;
typedef ROOST_CHAN_OF(int *) pointer_chan;

static const struct item first = {1, "first"}, second = {2, "second"};

static item_chan of(size_t capacity)
{
    item_chan c;

    CHECK_EQ(roost_typed_new(&c, capacity), 0);
    CHECK(c.chan != NULL);
    return c;
}

static size_t length(item_chan c)
{
    roost_chan_info info;

    roost_chan_stats(c.chan, &info);
    return info.length;
}

TEST(typed_items_arrive_whole_and_in_order, "R46 R47")
{
    item_chan c = of(2);
    struct item got = {0};

    CHECK_EQ(roost_typed_send(c, &first), 0);
    CHECK_EQ(roost_typed_try_send(c, &second), 0);
    CHECK_EQ(roost_typed_try_send(c, &second), -EAGAIN);
    CHECK_EQ(roost_typed_recv(c, &got), 0);
    CHECK_EQ(memcmp(&got, &first, sizeof got), 0);
    CHECK_EQ(roost_typed_try_recv(c, &got), 0);
    CHECK_EQ(memcmp(&got, &second, sizeof got), 0);
    CHECK_EQ(roost_typed_try_recv(c, &got), -EAGAIN);
    roost_chan_free(c.chan);
}

TEST_VIRTUAL(typed_calls_keep_their_deadline, "R2 R10")
{
    item_chan c = of(1);
    struct item got = second;
    roost_ns t = roost_in(ROOST_S);

    CHECK_EQ(roost_typed_recv_until(c, &got, t), -ETIMEDOUT);
    CHECK(roost_now() >= t);
    CHECK_EQ(got.number, 2);
    CHECK_EQ(roost_typed_send_until(c, &first, 0), 0);
    t = roost_in(ROOST_S);
    CHECK_EQ(roost_typed_send_until(c, &first, t), -ETIMEDOUT);
    CHECK(roost_now() >= t);
    CHECK_EQ(roost_typed_recv_until(c, &got, 0), 0);
    CHECK_EQ(got.number, 1);
    roost_chan_free(c.chan);
}

TEST_VIRTUAL(typed_calls_for_many_items, "R8 R46")
{
    item_chan c = of(3);
    struct item in[3] = {first, second, first}, out[3] = {{0}};

    CHECK_EQ(roost_typed_send_many(c, in, 2), 2);
    CHECK_EQ(roost_typed_send_many_until(c, in, 3, roost_in(ROOST_MS)), 1);
    CHECK_EQ(length(c), 3);
    CHECK_EQ(roost_typed_recv_many(c, out, 2), 2);
    CHECK_EQ(memcmp(out, in, 2 * sizeof in[0]), 0);
    CHECK_EQ(roost_typed_recv_many_until(c, out, 3, roost_in(ROOST_MS)), 1);
    CHECK_EQ(out[0].number, 1);
    CHECK_EQ(roost_typed_recv_many_until(c, out, 3, roost_in(ROOST_MS)),
             -ETIMEDOUT);
    roost_chan_free(c.chan);
}

TEST(typed_cases_of_a_select, "R49")
{
    item_chan from = of(1), to = of(1);
    struct item got = {0};
    roost_case cases[2] = {roost_typed_on_recv(from, &got),
                           roost_typed_on_send(to, &second)};

    CHECK_EQ(roost_select(cases, 2), 1);
    CHECK_EQ(roost_typed_send(from, &first), 0);
    CHECK_EQ(roost_select(cases, 2), 0);
    CHECK_EQ(got.number, 1);
    CHECK_EQ(roost_typed_recv(to, &got), 0);
    CHECK_EQ(got.number, 2);
    roost_chan_free(from.chan);
    roost_chan_free(to.chan);
}

TEST(a_typed_loop_ends_when_the_channel_is_closed_and_drained, "R48")
{
    item_chan c = of(2);
    int seen = 0, rc = -EIO;

    CHECK_EQ(roost_typed_send(c, &first), 0);
    CHECK_EQ(roost_typed_send(c, &second), 0);
    roost_chan_close(c.chan);
    ROOST_TYPED_FOR_EACH(struct item, it, c, rc) {
        CHECK_EQ(it.number, ++seen);
    }
    CHECK_EQ(rc, 0);
    CHECK_EQ(seen, 2);
    CHECK_EQ(roost_typed_send(c, &first), -EPIPE);
    roost_chan_free(c.chan);
}

static int dropped;

static void drop(void *item)
{
    dropped += (int)((struct item *)item)->number;
}

TEST(a_typed_channel_with_options, "R47")
{
    roost_chan_opts opts = {.overflow = ROOST_DROP_OLDEST, .on_drop = drop};
    item_chan c = {.chan = NULL};

    CHECK_EQ(roost_typed_new_opts(&c, 1, &opts), 0);
    CHECK_EQ(roost_typed_send(c, &first), 0);
    CHECK_EQ(roost_typed_send(c, &second), 1);
    CHECK_EQ(dropped, 1);
    roost_chan_free(c.chan);
    CHECK_EQ(dropped, 3);
    opts.overflow = 77;
    CHECK_EQ(roost_typed_new_opts(&c, 1, &opts), -ENOMEM);
    CHECK(c.chan == NULL);
    CHECK_EQ(roost_typed_new(&c, SIZE_MAX / 8), -ENOMEM);
}

/* Arguments with effects. */
TEST(typed_macros_evaluate_once, "R47")
{
    item_chan chans[2] = {of(2), of(2)}, *c = chans;
    struct item items[2] = {first, second}, *it = items, got;

    CHECK_EQ(roost_typed_send(*c++, it++), 0);
    CHECK(c == &chans[1] && it == &items[1]);
    CHECK_EQ(roost_typed_send_many(*c, it++, 1), 1);
    CHECK(it == &items[2]);
    CHECK_EQ(roost_typed_recv(*--c, &got), 0);
    CHECK_EQ(got.number, 1);
    roost_chan_free(chans[0].chan);
    roost_chan_free(chans[1].chan);
}

TEST(a_typed_channel_of_pointers, "R46")
{
    int number = 7, *out = &number, *in = NULL;
    pointer_chan c;

    CHECK_EQ(roost_typed_new(&c, 1), 0);
    CHECK_EQ(roost_typed_send(c, &out), 0);
    CHECK_EQ(roost_typed_recv(c, &in), 0);
    CHECK(in == &number);
    roost_chan_free(c.chan);
}
