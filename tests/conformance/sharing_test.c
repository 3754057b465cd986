/*
 * sharing_test.c - tasks that talk so much that one worker had better do it
 * all (sched/sharing.c), and then do something else.
 *
 * Would catch: a worker that has gone to rest and misses what it is needed for:
 * a task made ready by one that computes, a post, the end; one that is lost on
 * the way to another worker; a limit or an item that is.
 */
#include "../test.h"

enum { TALKERS = 16, ROUNDS = 4000 };

static roost_chan *line; /* of a few items */
static roost_mutex one;  /* around what all count */
static long counted;     /* under one */
static long heard;       /* of the numbers in the channel, under one */
static int answers;      /* to who computes */

/* Each does next to nothing but take what the others have just had. */
static int talk(void *arg)
{
    long n = (long)(intptr_t)arg;

    for (int i = 0; i < ROUNDS; i++) {
        long got = 0;

        CHECK_EQ(roost_chan_send(line, &n), 0);
        CHECK_EQ(roost_chan_recv(line, &got), 0);
        CHECK_EQ(roost_mutex_lock(&one), 0);
        counted++;
        heard += got;
        CHECK_EQ(roost_mutex_unlock(&one), 0);
    }
    return 0;
}

static void talk_all(void)
{
    roost_scope s;

    counted = heard = 0;
    roost_scope_open(&s, NULL);
    for (long i = 1; i <= TALKERS; i++) {
        CHECK_EQ(roost_spawn(&s, talk, (void *)(intptr_t)i), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(counted, (long)TALKERS * ROUNDS);
    CHECK_EQ(heard, (long)TALKERS * (TALKERS + 1) / 2 * ROUNDS);
}

static void begin(void)
{
    line = roost_chan_new(sizeof(long), TALKERS / 4);
    roost_mutex_init(&one);
}

static void end(void)
{
    roost_mutex_destroy(&one);
    roost_chan_free(line);
}

TEST(talkers_lose_nothing_on_the_way, "R46 R52 R60")
{
    begin();
    for (int i = 0; i < 5; i++) {
        talk_all();
    }
    end();
}

/* When all have talked, this task lets one go on and computes, without a call
 * of roost, until that has answered: on another worker, or never. */

static roost_event go;

static int answer(void *arg)
{
    (void)arg;
    CHECK_EQ(roost_event_wait(&go), 0);
    test_add(&answers, 1);
    return 0;
}

TEST(who_computes_after_talking_is_helped, "R60")
{
    if (test_workers < 2) {
        return; /* nobody is there to help */
    }
    begin();
    for (int i = 0; i < 20; i++) {
        roost_scope s;

        roost_event_init(&go);
        test_set(&answers, 0);
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, answer, NULL), 0);
        talk_all();
        CHECK_EQ(roost_event_set(&go), 0);
        while (test_get(&answers) == 0) {
            /* on the worker that made it ready */
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        roost_event_destroy(&go);
    }
    end();
}

static int post_answer(void *arg)
{
    (void)arg;
    test_add(&answers, 1);
    return 0;
}

TEST(a_post_is_run_beside_who_computes_after_talking, "R60")
{
    if (test_workers < 2) {
        return;
    }
    begin();
    for (int i = 0; i < 20; i++) {
        test_set(&answers, 0);
        talk_all();
        CHECK_EQ(roost_post(roost_runtime_current(), post_answer, NULL, 0), 0);
        while (test_get(&answers) == 0) {
        }
    }
    end();
}
