/*
 * cleanup.c - what is done at the end of a scope, however it ends; and what is
 * done the moment it is cancelled.
 */
#include <errno.h>
#include <roost/roost.h>
#include <stdio.h>

/* After the children, last registered first, not cancelled itself. */
static int put_away(void *arg)
{
    int rc = roost_sleep(ROOST_MS); /* it may wait */

    printf("put away: %s\n", (const char *)arg);
    return rc;
}

/* On whatever thread cancels; it must not wait. To stop what roost does not
 * know: a foreign library's operation, a computation with a flag of its own. */
static void hurry(void *arg)
{
    *(bool *)arg = true;
}

static int work(void *arg)
{
    roost_shield shield;
    int rc = roost_sleep(60 * ROOST_S);

    if (rc == -ECANCELED) {
        roost_shield_begin(&shield); /* this much is finished all the same */
        *(int *)arg = roost_sleep(ROOST_MS);
        roost_shield_end(&shield);
    }
    return rc;
}

static int start(void *arg)
{
    roost_hook first, second, on_cancel;
    bool hurried = false;
    roost_scope s;
    int last_words = -1, rc;

    (void)arg;
    roost_scope_open(&s, NULL);
    roost_scope_defer(&s, &first, put_away, "the table");
    roost_scope_defer(&s, &second, put_away, "the plates on it");
    rc = roost_scope_on_cancel(&s, &on_cancel, hurry, &hurried);
    if (rc == 0) {
        rc = roost_spawn(&s, work, &last_words);
    }
    roost_settle();
    roost_scope_cancel(&s, 0);
    rc = roost_scope_close(&s, rc);
    printf("hurried: %s, last words: %d, closed: %d\n", hurried ? "yes" : "no",
           last_words, rc);
    return rc;
}

int main(void)
{
    return roost_run(start, NULL, NULL) < 0;
}
