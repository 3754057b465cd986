/*
 * generator.c - a function that yields items one by one, read by a loop that
 * stops when it has seen enough: the generator is cancelled, cleans up, and has
 * ended when the close returns.
 */
#include <errno.h>
#include <roost/roost.h>
#include <stdio.h>

/* Items that may lie ready before the reader asks for them. */
#define AHEAD 4

static int squares(roost_stream *st, void *arg)
{
    int rc = 0;

    for (int i = 1; rc == 0; i++) {
        int square = i * i;

        rc = roost_stream_emit(st, &square); /* waits when it is ahead */
    }
    *(bool *)arg = true;
    return rc; /* -ECANCELED: the reader has left */
}

static int start(void *arg)
{
    bool cleaned_up = false;
    roost_stream st;
    int square, rc, closed;

    (void)arg;
    rc = roost_stream_open(&st, squares, &cleaned_up, sizeof(int), AHEAD);
    if (rc < 0) {
        return rc;
    }
    while ((rc = roost_stream_next(&st, &square)) > 0) {
        printf("%d\n", square);
        if (square >= 25) {
            break;
        }
    }
    closed = roost_stream_close(&st);
    printf("cleaned up: %s\n", cleaned_up ? "yes" : "no");
    return rc < 0 ? rc : closed;
}

int main(void)
{
    return roost_run(start, NULL, NULL) < 0;
}
