/*
 * deque_model.c - the real sched/deque.c and deque.h: an owner and thieves.
 *
 * Would catch: an entry taken twice or never; an entry read torn or from a
 * slot that holds another; a payload that the taker may see before it was
 * written; a ring freed or reused while a thief reads it; EMPTY said of a
 * deque that was not.
 */
// MODEL-SOURCES: sched/deque.c
// MODEL-HEADERS: sched/deque.h
#include "base/alloc.h"
#include "deque.h"
#include "model.h"

enum { ITEMS = 8 };

static struct deque deque;
static int payload[ITEMS]; /* T(D1): written before the push */
static int taken[ITEMS];   /* outside the model: how often */
static char scopes[2];
static a32 idle; /* of the thief that looks before it sleeps */
static bool slept, owner_saw_idle;

static struct roost_scope *scope_of(int item)
{
    return (struct roost_scope *)&scopes[item % 2];
}

static void push(int item)
{
    struct entry e = {NULL, (void *)(uintptr_t)item, scope_of(item),
                      (struct env *)(uintptr_t)~item};

    plain_write(payload[item], item);
    MODEL_CHECK(deque_push(&deque, e) == 0);
}

static void take(struct entry e)
{
    int item = (int)(uintptr_t)e.arg;

    MODEL_CHECK(item >= 0 && item < ITEMS);
    MODEL_CHECK(e.scope == scope_of(item));
    MODEL_CHECK((int)(uintptr_t)e.env == ~item);
    MODEL_CHECK(plain_read(payload[item]) == item);
    MODEL_CHECK(++taken[item] == 1);
}

static void pop(void)
{
    struct entry e;

    if (deque_pop(&deque, &e)) {
        take(e);
    }
}

static void pop_scope(int item)
{
    struct entry e;

    if (deque_pop_scope(&deque, scope_of(item), &e)) {
        MODEL_CHECK(e.scope == scope_of(item));
        take(e);
    }
}

/* As close does it. */
static void pop_certain(int item)
{
    struct entry e;
    enum newest newest = deque_pop_certain(&deque, scope_of(item), &e);

    if (newest == NEWEST_TAKEN) {
        take(e);
    } else if (newest == NEWEST_LAST) {
        pop_scope(item);
    }
}

static enum steal steal(void)
{
    struct entry e;
    enum steal result = deque_steal(&deque, &e);

    if (result == STEAL_GOT) {
        take(e);
    }
    return result;
}

static void thief(void)
{
    (void)steal();
}

static void thief_of_two(void)
{
    (void)steal();
    (void)steal();
}

/* An empty deque whose next entry has index 5: nowhere near a round number. */
static void begin(size_t capacity)
{
    MODEL_CHECK(deque_init(&deque, capacity) == 0);
    a64_init(&deque.bottom, 5);
    a64_init(&deque.top, 5);
    deque.room = 5 + deque.mask + 1;
    a32_init(&idle, 0);
    slept = false;
    owner_saw_idle = false;
    for (int i = 0; i < ITEMS; i++) {
        taken[i] = 0;
    }
}

/* Every item below n was taken, or is still there, once; nothing leaks. */
static void finish(int n)
{
    struct entry e;

    while (deque_pop(&deque, &e)) {
        take(e);
    }
    MODEL_CHECK(deque_size(&deque) == 0);
    for (int i = 0; i < ITEMS; i++) {
        MODEL_CHECK(taken[i] == (i < n));
    }
    deque_destroy(&deque);
    MODEL_CHECK(model_live() == 0);
}

static void finish2(void)
{
    finish(2);
}

static void finish3(void)
{
    finish(3);
}

static void finish4(void)
{
    finish(4);
}

static void finish5(void)
{
    finish(5);
}

/* --- the last entry: owner and two thieves want it --- */

static void empty2(void)
{
    begin(2);
}

static void last_owner(void)
{
    push(0);
    pop();
    push(1);
    pop();
}

MODEL(last_entry, .setup = empty2, .threads = {last_owner, thief, thief},
      .check = finish2, .preemptions = 3);

/* --- two thieves advance while the owner comes down to meet them --- */

static void three_there(void)
{
    begin(4);
    for (int i = 0; i < 3; i++) {
        push(i);
    }
}

static void owner_pops(void)
{
    pop();
    pop();
    pop();
}

MODEL(meet, .setup = three_there, .threads = {owner_pops, thief_of_two, thief},
      .check = finish3, .preemptions = 3);

/* --- a popped slot is filled anew while a thief looks at it --- */

static void two_there(void)
{
    begin(4);
    push(0);
    push(1);
}

static void owner_refills(void)
{
    pop();
    push(2);
    pop();
    push(3);
}

MODEL(refill, .setup = two_there,
      .threads = {owner_refills, thief_of_two, thief}, .check = finish4,
      .preemptions = 3);

/* --- the ring goes round: a stolen slot is used again --- */

static void two_of_two(void)
{
    begin(2);
    push(0);
    push(1);
}

static void owner_goes_round(void)
{
    push(2);
    push(3);
    pop();
}

MODEL(round, .setup = two_of_two,
      .threads = {owner_goes_round, thief_of_two, thief}, .check = finish4,
      .preemptions = 2);

/* D3. The explorer makes no load buffering, so no run shows a thief that wins
 * with an entry from a slot that it let go. What it shows is the order that
 * forbids this: what a thief read before it won is read before the owner's
 * next write to the slot. The ring's mask, which each thief reads, stands for
 * the slot: the owner writes it where it knows that both thieves have won. */
static void write_mask(void)
{
    int64_t *mask = aptr_load(&deque.ring, RELAXED); /* its first field */

    plain_write(*mask, deque.mask);
}

static void owner_reuses_two(void)
{
    push(2);
    push(3);
    if (deque.mask == 1) { /* both slots, and each thief stole one */
        write_mask();
    }
}

MODEL(reuse, .setup = two_of_two, .threads = {owner_reuses_two, thief, thief},
      .check = finish4, .preemptions = 3);

/* The owner's own step on top, relaxed, does not break the chain. */
static void owner_reuses_after_its_own(void)
{
    struct entry e;

    if (deque_take(&deque, &e) == STEAL_GOT) {
        take(e);
    }
    push(2);
    push(3);
    if (deque.mask == 1) { /* it took one, so the thief took the other */
        write_mask();
    }
}

MODEL(reuse_after_take, .setup = two_of_two,
      .threads = {owner_reuses_after_its_own, thief}, .check = finish4,
      .preemptions = 3);

/* --- growth under a thief's hands --- */

static void owner_grows(void)
{
    push(2);
    pop();
    push(3);
    push(4);
}

MODEL(grow, .setup = two_of_two, .threads = {owner_grows, thief_of_two, thief},
      .check = finish5, .preemptions = 2);

static void one_of_one(void)
{
    begin(1);
    push(0);
}

static void owner_grows_twice(void)
{
    push(1);
    push(2);
    pop();
}

MODEL(grow_twice, .setup = one_of_one,
      .threads = {owner_grows_twice, thief, thief}, .check = finish3,
      .preemptions = 3);

/* --- by scope, and from the owner's other end --- */

static void owner_by_scope(void)
{
    pop_scope(0); /* the newest is 1: refused */
    pop_scope(1);
    pop_scope(0);
    pop_scope(0);
}

MODEL(by_scope, .setup = two_there, .threads = {owner_by_scope, thief, thief},
      .check = finish2, .preemptions = 3);

static void owner_is_certain(void)
{
    pop_certain(0); /* the newest is 1 */
    pop_certain(1);
    pop_certain(0);
    pop_certain(0);
}

MODEL(certain, .setup = two_there, .threads = {owner_is_certain, thief, thief},
      .check = finish2, .preemptions = 3);

/* The store that withdraws an entry publishes the older ones to a thief. */
static void owner_is_certain_round(void)
{
    push(2);
    push(3);
    pop_certain(3);
}

MODEL(certain_round, .setup = two_of_two,
      .threads = {owner_is_certain_round, thief_of_two, thief},
      .check = finish4, .preemptions = 3);

/* What was withdrawn for a moment is found, or its owner has it. */
static void owner_is_certain_again(void)
{
    pop_certain(1);
    push(2);
    pop_certain(2);
    pop_certain(0);
}

MODEL(certain_again, .setup = two_there,
      .threads = {owner_is_certain_again, thief, thief}, .check = finish3,
      .preemptions = 3);

static void owner_takes(void)
{
    struct entry e;

    for (int i = 0; i < 2; i++) {
        if (deque_take(&deque, &e) == STEAL_GOT) {
            take(e);
        }
    }
    pop();
}

MODEL(oldest_by_owner, .setup = three_there,
      .threads = {owner_takes, thief, thief}, .check = finish3,
      .preemptions = 3);

/* --- EMPTY and LOST mean what they say --- */

/* Thieves that stop at EMPTY leave nothing behind an idle owner. */
static void thief_until_empty(void)
{
    while (steal() != STEAL_EMPTY) {
    }
}

static void finish3_stolen(void)
{
    MODEL_CHECK(taken[0] + taken[1] + taken[2] == 3);
    finish(3);
}

MODEL(until_empty, .setup = three_there,
      .threads = {thief_until_empty, thief_until_empty},
      .check = finish3_stolen, .preemptions = 4);

/* Of two entries and two takers each gets one: who lost tries again, and does
 * not find EMPTY what was not. */
static void thief_of_its_own(void)
{
    enum steal result;

    while ((result = steal()) == STEAL_LOST) {
    }
    MODEL_CHECK(result == STEAL_GOT);
}

static void owner_of_its_own(void)
{
    enum steal result;
    struct entry e;

    while ((result = deque_take(&deque, &e)) == STEAL_LOST) {
    }
    MODEL_CHECK(result == STEAL_GOT);
    take(e);
}

MODEL(lost_is_not_empty, .setup = two_there,
      .threads = {thief_of_its_own, thief_of_its_own}, .check = finish2,
      .preemptions = 3);
MODEL(lost_is_not_empty_to_its_owner, .setup = two_there,
      .threads = {owner_of_its_own, thief_of_its_own}, .check = finish2,
      .preemptions = 3);

/* A thief that says it sleeps, and finds nothing after its fence, is seen by
 * the push that it missed (R5, as park.c uses it). */
static void owner_wakes(void)
{
    push(0);
    pop();
    push(1);
    barrier_light();
    owner_saw_idle = a32_load(&idle, RELAXED) != 0;
}

static void thief_sleeps(void)
{
    a32_store(&idle, 1, RELAXED);
    barrier_heavy();
    slept = steal() == STEAL_EMPTY;
}

static void finish_wake(void)
{
    MODEL_CHECK(!slept || owner_saw_idle);
    finish(2);
}

MODEL(look_before_sleep, .setup = empty2,
      .threads = {owner_wakes, thief_sleeps}, .check = finish_wake,
      .preemptions = 4);

/* --- no memory to grow --- */

static void owner_without_memory(void)
{
    struct entry e = {NULL, (void *)2, scope_of(2), (struct env *)~2L};

    plain_write(payload[2], 2);
    if (deque_push(&deque, e) != 0) {
        MODEL_CHECK(deque.mask == 1);
        taken[2] = 1; /* it stays with the owner */
    }
    pop();
    pop();
}

static void setup_nomem(void)
{
    begin(2);
    push(0);
    push(1);
}

MODEL(no_memory, .setup = setup_nomem, .threads = {owner_without_memory, thief},
      .check = finish3, .preemptions = 3, .flags = MODEL_NOMEM);
