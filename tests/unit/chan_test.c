/*
 * chan_test.c - the insides of a channel that calls alone cannot bring about.
 * Would catch a count of senders that runs over and closes a channel which
 * four thousand million still hold.
 */
#include "../test.h"

#include "../../sync/chan.h"

TEST_PLAIN(holds_are_counted_to_the_end, "R8 R48")
{
    roost_chan *c = roost_chan_new(sizeof(long), 1);
    long item = 1;

    CHECK_EQ(roost_chan_hold(c), 0);
    c->holds = UINT32_MAX - 1;
    CHECK_EQ(roost_chan_hold(c), 0);
    CHECK_EQ(roost_chan_hold(c), -EOVERFLOW);
    CHECK_EQ(roost_chan_hold(c), -EOVERFLOW);
    CHECK_EQ(c->holds, UINT32_MAX);
    roost_chan_release(c);
    CHECK_EQ(roost_chan_hold(c), 0);
    CHECK_EQ(roost_chan_send(c, &item), 0);
    c->holds = 1;
    roost_chan_release(c);
    CHECK_EQ(roost_chan_hold(c), -EPIPE);
    roost_chan_free(c);
}

/* Whatever comes and goes, one empty block is kept and no more. */
TEST_PLAIN(blocks_are_given_back, "R46")
{
    roost_chan *c = roost_chan_new(1000, ROOST_UNBOUNDED);
    char item[1000] = {0};

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++) {
            CHECK_EQ(roost_chan_send(c, item), 0);
        }
        for (int i = 0; i < 100; i++) {
            CHECK_EQ(roost_chan_recv(c, item), 0);
        }
        CHECK(c->items.first == NULL && c->items.last == NULL);
        CHECK(c->items.spare != NULL);
    }
    roost_chan_free(c);
}
