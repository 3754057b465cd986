/*
 * inject_model.c - the real sched/inject.c: producers and consumers.
 *
 * Would catch: a node lost, delivered twice or out of order; what was written
 * before the push not seen after the pop; two threads in the lock at once; a
 * sleeper on the lock that nobody wakes; a node that both the pusher and the
 * one about to sleep overlook.
 */
// MODEL-SOURCES: sched/inject.c
// MODEL-HEADERS: sched/inject.h
#include "base/list.h"
#include "inject.h"
#include "model.h"

enum { ITEMS = 6 };

struct item {
    struct inject_node node;
    int number; /* T(I1): written before the push */
};

static struct inject queue;
static struct item items[ITEMS];
static int taken[ITEMS]; /* outside the model: how often */
static int newest[2];    /* of each consumer, among even and odd numbers */
static a32 idle;
static bool slept, pusher_saw_idle;

static void setup(void)
{
    inject_init(&queue);
    a32_init(&idle, 0);
    slept = false;
    pusher_saw_idle = false;
    newest[0] = -1;
    newest[1] = -1;
    for (int i = 0; i < ITEMS; i++) {
        taken[i] = 0;
    }
}

static void push(int number)
{
    plain_write(items[number].number, number);
    inject_push(&queue, &items[number].node);
}

/* Returns the number taken, or -1. */
static int pop(void)
{
    struct inject_node *node = inject_pop(&queue);
    int number;

    if (node == NULL) {
        return -1;
    }
    number = plain_read(container_of(node, struct item, node)->number);
    MODEL_CHECK(number >= 0 && number < ITEMS);
    MODEL_CHECK(++taken[number] == 1);
    return number;
}

/* What is left comes out now, and with it every number below n was there. */
static void finish(int n)
{
    int left = (int)inject_count(&queue);

    while (pop() >= 0) {
        left--;
    }
    MODEL_CHECK(left == 0);
    MODEL_CHECK(inject_count(&queue) == 0);
    MODEL_CHECK(a32_load(&queue.lock, RELAXED) == 0);
    for (int i = 0; i < ITEMS; i++) {
        MODEL_CHECK(taken[i] == (i < n));
    }
}

static void finish3(void)
{
    finish(3);
}

static void finish4(void)
{
    finish(4);
}

/* --- two producers, a consumer; each producer's order is kept --- */

static void push_even(void)
{
    push(0);
    push(2);
}

static void push_odd(void)
{
    push(1);
    push(3);
}

static void pop_three(void)
{
    for (int i = 0; i < 3; i++) {
        int number = pop();

        if (number >= 0) {
            MODEL_CHECK(number > newest[number % 2]);
            newest[number % 2] = number;
        }
    }
}

MODEL(producers, .setup = setup, .threads = {push_even, push_odd, pop_three},
      .check = finish4, .preemptions = 3, .flags = MODEL_EINTR);

/* --- two consumers want the last node --- */

static void two_there(void)
{
    setup();
    push(0);
    push(1);
}

static void pop_two(void)
{
    (void)pop();
    (void)pop();
}

static void push_last(void)
{
    push(2);
}

MODEL(consumers, .setup = two_there, .threads = {pop_two, pop_two, push_last},
      .check = finish3, .preemptions = 3, .flags = MODEL_EINTR);

/* --- a chain goes in whole: nobody's node comes between --- */

static void push_chain(void)
{
    for (int i = 0; i < 3; i++) {
        plain_write(items[i].number, i);
        plain_write(items[i].node.next, &items[i + 1].node);
    }
    inject_push_chain(&queue, &items[0].node, &items[2].node, 3);
}

static void push_other(void)
{
    push(3);
}

static void pop_in_a_row(void)
{
    int last = -1, number;

    for (int i = 0; i < 2; i++) {
        number = pop();
        if (number < 0) {
            continue;
        }
        MODEL_CHECK(number == last + 1 || number == 3 || last == 3);
        MODEL_CHECK(number != 3 || last == -1 || last == 2);
        last = number;
    }
}

MODEL(chain, .setup = setup, .threads = {push_chain, push_other, pop_in_a_row},
      .check = finish4, .preemptions = 3, .flags = MODEL_EINTR);

/* --- look before sleep: as park.c uses it (R5) --- */

static void push_and_look(void)
{
    push(0);
    fence_full();
    pusher_saw_idle = a32_load(&idle, RELAXED) != 0;
}

static void look_and_sleep(void)
{
    a32_store(&idle, 1, RELAXED);
    fence_full();
    slept = inject_count(&queue) == 0;
}

static void push_others(void)
{
    push(1);
    (void)pop();
    push(2);
}

/* If nobody else takes it, the node is seen, or the sleeper is. */
static void finish_look(void)
{
    MODEL_CHECK(!slept || pusher_saw_idle || taken[0] + taken[1] > 0);
    finish(3);
}

MODEL(look_before_sleep, .setup = setup,
      .threads = {push_and_look, look_and_sleep, push_others},
      .check = finish_look, .preemptions = 3, .flags = MODEL_EINTR);
