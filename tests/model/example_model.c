/*
 * example_model.c - the model that README.md explains: a plain message behind
 * a flag, and a reader that sleeps until the flag is up.
 *
 * Would catch: a reader that sees the flag but not the message; a wake-up that
 * comes between the reader's look at the flag and its sleep, and is lost.
 */
#include "model.h"

static a32 flag;
static int message;

static void setup(void)
{
    a32_init(&flag, 0);
    message = 0;
}

static void writer(void)
{
    plain_write(message, 42);
    a32_store(&flag, 1, RELEASE);
    futex_wake(&flag, 1);
}

static void reader(void)
{
    while (a32_load(&flag, ACQUIRE) == 0) {
        futex_wait(&flag, 0, INT64_MAX);
    }
    MODEL_CHECK(plain_read(message) == 42);
}

MODEL(example, .setup = setup, .threads = {writer, reader},
      .flags = MODEL_EINTR);
