/*
 * roost_chan_send_test.c - each item, doubled.
 */
#include "manual.h"
#include <roost_chan_send.3.h>

TEST(all_are_doubled, "")
{
    roost_chan *in = roost_chan_new(sizeof(int), 4);
    roost_chan *out = roost_chan_new(sizeof(int), 4);
    int n;

    for (n = 1; n <= 3; n++) {
        CHECK_EQ(roost_chan_send(in, &n), 0);
    }
    roost_chan_close(in);
    CHECK_EQ(double_all(in, out), 0);
    for (int i = 1; i <= 3; i++) {
        CHECK_EQ(roost_chan_recv(out, &n), 0);
        CHECK_EQ(n, 2 * i);
    }
    CHECK_EQ(roost_chan_recv(out, &n), -EPIPE);
    roost_chan_free(in);
    roost_chan_free(out);
}
