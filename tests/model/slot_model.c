/*
 * slot_model.c - the real sched/slot.c: an owner and thieves.
 *
 * Would catch: an item taken twice or never, in particular one that comes back
 * while a thief is still at it; one whose contents its taker does not see; a
 * claim that stays, so that what is there cannot be stolen as long as its owner
 * computes.
 */
// MODEL-SOURCES: sched/slot.c
// MODEL-HEADERS: sched/slot.h
#include "model.h"
#include "slot.h"

enum { ITEMS = 3, THIEVES = 2 };

/* At even addresses. */
static struct item {
    _Alignas(16) int number; /* T(N1) */
} items[ITEMS];
static struct slot slot;
static int taken[ITEMS]; /* outside the model */
static int given[ITEMS];
static a32 back; /* M: items[0] may be put again by the owner */
static a32 over; /* M: the owner has lost all that it put */
static _Alignas(16) char thieves[THIEVES][16];

static void begin(void)
{
    slot_init(&slot);
    a32_init(&back, 0);
    a32_init(&over, 0);
    for (int i = 0; i < ITEMS; i++) {
        items[i].number = -1;
        taken[i] = 0;
        given[i] = 0;
    }
}

/* As ready.c does: only when it is empty. */
static bool put(int i)
{
    if (slot_peek(&slot) != NULL) {
        return false;
    }
    plain_write(items[i].number, i);
    given[i]++;
    slot_put(&slot, &items[i]);
    return true;
}

static int note(void *got)
{
    struct item *item = got;
    int i = (int)(item - items);

    MODEL_CHECK(i >= 0 && i < ITEMS);
    MODEL_CHECK(plain_read(item->number) == i);
    plain_write(item->number, -1);
    MODEL_CHECK(++taken[i] <= given[i]);
    return i;
}

/* Which; -1: none. */
static int take(void)
{
    void *got = slot_take(&slot);

    return got == NULL ? -1 : note(got);
}

static void steal(int who)
{
    void *got = slot_steal(&slot, thieves[who]);

    if (got != NULL && note(got) == 0) {
        a32_store(&back, 1, RELEASE);
    }
}

static void thief(void)
{
    steal(0);
}

static void other_thief(void)
{
    steal(1);
}

static void thief_twice(void)
{
    steal(0);
    steal(0);
}

static void finish(void)
{
    (void)take();
    MODEL_CHECK(slot_peek(&slot) == NULL);
    for (int i = 0; i < ITEMS; i++) {
        MODEL_CHECK(taken[i] == given[i]);
    }
    /* Whatever has been: what is put can be stolen, and taken. */
    MODEL_CHECK(put(1));
    MODEL_CHECK(slot_steal(&slot, thieves[0]) == &items[1]);
    MODEL_CHECK(put(2));
    MODEL_CHECK(slot_take(&slot) == &items[2]);
    MODEL_CHECK(slot_take(&slot) == NULL);
}

/* ---- one after the other ------------------------------------------------- */

static void owner(void)
{
    (void)put(0);
    (void)take();
    (void)put(1);
    (void)take();
}

MODEL(slot_one_thief, .setup = begin, .threads = {owner, thief},
      .check = finish);
MODEL(slot_two_thieves, .setup = begin, .threads = {owner, thief, other_thief},
      .check = finish);
MODEL(slot_stolen_twice, .setup = begin, .threads = {owner, thief_twice},
      .check = finish);

/* The second thief may still see what the first has won. */
static void filled(void)
{
    begin();
    MODEL_CHECK(put(0));
}

static void owner_fills_again(void)
{
    (void)take();
    (void)put(1);
}

MODEL(slot_filled_again, .setup = filled,
      .threads = {owner_fills_again, thief, other_thief}, .check = finish);

/* ---- an item that comes back -------------------------------------------- */

/* What it has taken itself it puts there again: a fiber that was woken anew. */
static void owner_again(void)
{
    (void)put(0);
    if (take() == 0) {
        (void)put(0);
    }
    (void)take();
}

MODEL(slot_comes_back, .setup = begin, .threads = {owner_again, thief},
      .check = finish);
MODEL(slot_comes_back_to_two, .setup = begin,
      .threads = {owner_again, thief, other_thief}, .check = finish);

/* The same of one that a thief has run, and its owner wakes. */
static void owner_of_stolen(void)
{
    (void)put(0);
    (void)take();
    if (a32_load(&back, ACQUIRE) != 0) {
        (void)put(0);
    }
    (void)take();
}

MODEL(slot_stolen_comes_back, .setup = begin,
      .threads = {owner_of_stolen, thief, other_thief}, .check = finish);

/* ---- what is put last is found ------------------------------------------- */

/* Whoever puts it goes on computing, and looks here no more; a thief that was
 * after the one before, or has it, must not keep the others out. */
static void until_gone(void)
{
    while (slot_peek(&slot) != NULL) {
        spin_pause();
    }
}

static void owner_takes_one(void)
{
    (void)put(0);
    (void)take();
    MODEL_CHECK(put(1));
    until_gone();
    a32_store(&over, 1, RELEASE);
}

static void owner_loses_one(void)
{
    (void)put(0);
    until_gone();
    MODEL_CHECK(put(1));
    until_gone();
    a32_store(&over, 1, RELEASE);
}

static void thief_stays(void)
{
    while (a32_load(&over, ACQUIRE) == 0) {
        steal(0);
        spin_pause();
    }
}

MODEL(slot_found_after_a_take, .setup = begin,
      .threads = {owner_takes_one, thief_stays}, .check = finish);
MODEL(slot_found_after_a_theft, .setup = begin,
      .threads = {owner_loses_one, thief_stays}, .check = finish);
MODEL(slot_found_with_two_thieves, .setup = begin,
      .threads = {owner_takes_one, thief_stays, other_thief}, .check = finish);
