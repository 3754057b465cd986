/*
 * typed.c - a channel that knows what it carries: typed.h, the same calls and
 * the same instructions, but an item of another type does not compile.
 */
#include <errno.h>
#include <roost/roost.h>
#include <stdio.h>

struct order {
    int table;
    const char *dish;
};

typedef ROOST_CHAN_OF(struct order) order_chan;

static int wait_tables(void *arg)
{
    static const struct order taken[] = {
        {4, "soup"}, {2, "fish"}, {4, "pancakes"}};
    order_chan orders = *(order_chan *)arg;
    int rc = 0;

    for (int i = 0; i < 3 && rc >= 0; i++) {
        rc = roost_typed_send(orders, &taken[i]);
        /* roost_typed_send(orders, &taken[i].table); is an error: invalid
         * operands (have 'const int *' and 'struct order *') */
    }
    roost_chan_close(orders.chan); /* what has no item: the call itself */
    return rc;
}

static int cook(void *arg)
{
    order_chan orders = *(order_chan *)arg;
    int rc;

    ROOST_TYPED_FOR_EACH(struct order, o, orders, rc) {
        printf("%s for table %d\n", o.dish, o.table);
    }
    return rc;
}

static int start(void *arg)
{
    order_chan orders;
    int rc = roost_typed_new(&orders, 2);

    (void)arg;
    if (rc < 0) {
        return rc;
    }
    ROOST_SCOPE(s, rc) {
        roost_spawn(s, wait_tables, &orders);
        roost_spawn(s, cook, &orders);
    }
    roost_chan_free(orders.chan);
    return rc;
}

int main(void)
{
    return roost_run(start, NULL, NULL) < 0;
}
