/*
 * inject_test.c - sched/inject.c alone, without the runtime.
 *
 * Would catch: a node lost, delivered twice or out of its producer's order; a
 * count that is off; a sleeper on the lock that nobody wakes (the case then
 * runs into its time limit); node contents not seen by the taker (TSan).
 */
#define TEST_NO_RUNTIME
#include "../test.h"

#include "base/list.h"
#include "inject.h"

struct item {
    struct inject_node node;
    int producer, number; /* plain */
};

static struct item *item_of(struct inject_node *node)
{
    return container_of(node, struct item, node);
}

TEST(first_in_first_out, "R60")
{
    struct item items[6];
    struct inject q;

    inject_init(&q);
    CHECK(inject_pop(&q) == NULL);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 6; i++) {
            inject_push(&q, &items[i].node);
            CHECK_EQ(inject_count(&q), i + 1);
        }
        for (int i = 0; i < 6; i++) {
            CHECK(inject_pop(&q) == &items[i].node);
            CHECK_EQ(inject_count(&q), 5 - i);
        }
        CHECK(inject_pop(&q) == NULL);
    }
}

TEST(a_chain_goes_in_whole_and_in_order, "R60 R62")
{
    struct item items[7];
    struct inject q;

    inject_init(&q);
    for (int i = 0; i < 6; i++) {
        items[i].node.next = &items[i + 1].node;
    }
    inject_push_chain(&q, &items[1].node, &items[3].node, 3);
    inject_push(&q, &items[0].node);
    inject_push_chain(&q, NULL, NULL, 0);
    inject_push_chain(&q, &items[5].node, &items[6].node, 2);
    CHECK_EQ(inject_count(&q), 6);
    CHECK(inject_pop(&q) == &items[1].node);
    CHECK(inject_pop(&q) == &items[2].node);
    CHECK(inject_pop(&q) == &items[3].node);
    CHECK(inject_pop(&q) == &items[0].node);
    CHECK(inject_pop(&q) == &items[5].node);
    CHECK(inject_pop(&q) == &items[6].node);
    CHECK(inject_pop(&q) == NULL);
    CHECK_EQ(inject_count(&q), 0);
}

/* --- producers against consumers --- */

#define PRODUCERS 3
#define CONSUMERS 2
#define EACH 30000

struct market {
    struct inject q;
    struct item items[PRODUCERS][EACH];
    int taken[PRODUCERS][EACH];
    int got;
};

struct producer {
    struct market *m;
    int index;
};

static void *produce(void *arg)
{
    struct producer *p = arg;
    struct item *items = p->m->items[p->index];

    for (int i = 0; i < EACH;) {
        int n = 1 + i % 3;

        n = n < EACH - i ? n : EACH - i;
        for (int j = i; j < i + n; j++) {
            items[j].producer = p->index;
            items[j].number = j;
            items[j].node.next = &items[j + 1 < EACH ? j + 1 : j].node;
        }
        inject_push_chain(&p->m->q, &items[i].node, &items[i + n - 1].node,
                          (uint32_t)n);
        i += n;
    }
    return NULL;
}

static void *consume(void *arg)
{
    struct market *m = arg;
    int last[PRODUCERS] = {-1, -1, -1};

    while (test_get(&m->got) < PRODUCERS * EACH) {
        struct inject_node *node = inject_pop(&m->q);
        struct item *it;

        if (node == NULL) {
            continue;
        }
        it = item_of(node);
        CHECK(it->number > last[it->producer]);
        last[it->producer] = it->number;
        CHECK_EQ(test_add(&m->taken[it->producer][it->number], 1), 1);
        test_add(&m->got, 1);
    }
    return NULL;
}

TEST(every_node_is_taken_once_and_in_its_producers_order, "R60 R61")
{
    static struct market m;
    struct producer producers[PRODUCERS];
    pthread_t threads[PRODUCERS + CONSUMERS];

    inject_init(&m.q);
    for (int i = 0; i < CONSUMERS; i++) {
        pthread_create(&threads[PRODUCERS + i], NULL, consume, &m);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        producers[i].m = &m;
        producers[i].index = i;
        pthread_create(&threads[i], NULL, produce, &producers[i]);
    }
    for (int i = 0; i < PRODUCERS + CONSUMERS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK_EQ(inject_count(&m.q), 0);
    CHECK(inject_pop(&m.q) == NULL);
    CHECK_EQ(a32_load(&m.q.lock, RELAXED), 0);
}
