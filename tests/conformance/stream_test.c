/*
 * stream_test.c - generators: what they make, how they end, and who ends them.
 * Would catch an item lost or made too early, a generator that outlives its
 * scope or its reader, a failure that comes out anywhere but at the reader.
 */
#include "tasks.h"

/* A generator of from, from + 1, ... */
struct numbers {
    int from, until; /* until: exclusive */
    int fail;        /* what it returns at the end */
    int emitted;     /* emits that have returned 0 */
    int last;        /* what the last emit returned */
    int ended;
    roost_scope *current; /* its scope when it began */
};

static int count_up(roost_stream *st, void *arg)
{
    struct numbers *n = (struct numbers *)arg;
    int i;

    n->current = roost_scope_current();
    for (i = n->from; i < n->until; i++) {
        n->last = roost_stream_emit(st, &i);
        if (n->last != 0) {
            break;
        }
        test_add(&n->emitted, 1);
    }
    test_set(&n->ended, 1);
    return n->last != 0 ? n->last : n->fail;
}

TEST(bad_arguments_of_a_stream, "R2 R53")
{
    roost_stream st = {{0}};
    int item = 0;

    CHECK_EQ(roost_stream_open(NULL, count_up, NULL, 4, 1), -EINVAL);
    CHECK_EQ(roost_stream_open(&st, NULL, NULL, 4, 1), -EINVAL);
    CHECK_EQ(roost_stream_open(&st, count_up, NULL, SIZE_MAX, 2), -EINVAL);
    CHECK_EQ(roost_stream_next(NULL, &item), -EINVAL);
    CHECK_EQ(roost_stream_next(&st, &item), -EINVAL); /* not open */
    CHECK_EQ(roost_stream_next_until(&st, &item, 0), -EINVAL);
    CHECK_EQ(roost_stream_emit(NULL, &item), -EINVAL);
    CHECK_EQ(roost_stream_emit(&st, &item), -EINVAL);
    CHECK_EQ(roost_stream_close(NULL), -EINVAL);
    CHECK_EQ(roost_stream_close(&st), -EINVAL);
}

TEST_PLAIN(streams_are_for_tasks, "R53")
{
    roost_stream st = {{0}};

    CHECK_EQ(roost_stream_open(&st, count_up, NULL, 4, 1), -EPERM);
}

static void read_all(size_t ahead)
{
    struct numbers n = {.from = 0, .until = 500};
    roost_stream st;
    int item = -1, i;

    CHECK_EQ(roost_stream_open(&st, count_up, &n, sizeof(int), ahead), 0);
    for (i = 0; i < 500; i++) {
        CHECK_EQ(roost_stream_next(&st, &item), 1);
        CHECK_EQ(item, i);
    }
    CHECK_EQ(roost_stream_next(&st, &item), 0);
    CHECK_EQ(roost_stream_next(&st, &item), 0);
    CHECK_EQ(item, 499); /* R8: untouched */
    CHECK_EQ(roost_stream_close(&st), 0);
    CHECK_EQ(roost_stream_close(&st), 0);
    CHECK_EQ(roost_stream_next(&st, &item), 0);
    CHECK_EQ(n.emitted, 500);
}

TEST(every_item_comes_in_order, "R46 R53")
{
    read_all(0);
    read_all(1);
    read_all(7);
    read_all(5000);
    read_all(ROOST_UNBOUNDED);
}

/* Items of no bytes count too. */
static int three_nothings(roost_stream *st, void *arg)
{
    int i, rc = 0;

    (void)arg;
    for (i = 0; i < 3 && rc == 0; i++) {
        rc = roost_stream_emit(st, NULL);
    }
    return rc;
}

TEST(items_may_be_empty, "R53")
{
    roost_stream st;

    CHECK_EQ(roost_stream_open(&st, three_nothings, NULL, 0, 2), 0);
    CHECK_EQ(roost_stream_next(&st, NULL), 1);
    CHECK_EQ(roost_stream_next(&st, NULL), 1);
    CHECK_EQ(roost_stream_next(&st, NULL), 1);
    CHECK_EQ(roost_stream_next(&st, NULL), 0);
    CHECK_EQ(roost_stream_close(&st), 0);
}

/* Nothing is produced beyond 'ahead'. */
TEST_VIRTUAL(a_generator_runs_ahead_so_far_and_no_further, "R53")
{
    struct numbers n = {.until = 100};
    roost_stream st;
    int item;

    CHECK_EQ(roost_stream_open(&st, count_up, &n, sizeof(int), 3), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(test_get(&n.emitted), 3);
    CHECK_EQ(roost_stream_next(&st, &item), 1);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(test_get(&n.emitted), 4);
    CHECK_EQ(roost_stream_close(&st), 0);
    CHECK_EQ(n.emitted, 4);
    CHECK_EQ(n.last, -ECANCELED);

    n = (struct numbers){.until = 100};
    CHECK_EQ(roost_stream_open(&st, count_up, &n, sizeof(int), 0), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(test_get(&n.emitted), 0);
    CHECK_EQ(roost_stream_close(&st), 0);
}

/* Leaving early cancels the generator, and awaits its clean-up. */
struct tidy {
    int cleaned, rc;
    int status; /* what it returns in the end */
};

static int tidy(roost_stream *st, void *arg)
{
    struct tidy *t = (struct tidy *)arg;
    roost_shield shield;
    int i = 0;

    while ((t->rc = roost_stream_emit(st, &i)) == 0) {
        i++;
    }
    roost_shield_begin(&shield);
    CHECK_EQ(roost_sleep(ROOST_MS), 0);
    /* Nobody reads any more: a shield does not make it wait. */
    CHECK_EQ(roost_stream_emit(st, &i), -ECANCELED);
    roost_shield_end(&shield);
    test_set(&t->cleaned, 1);
    return t->status != 0 ? t->status : t->rc;
}

TEST_VIRTUAL(leaving_early_cancels_and_awaits, "R53")
{
    struct tidy t = {0};
    roost_stream st;
    int item;

    CHECK_EQ(roost_stream_open(&st, tidy, &t, sizeof(int), 2), 0);
    CHECK_EQ(roost_stream_next(&st, &item), 1);
    CHECK_EQ(roost_stream_close(&st), 0);
    CHECK_EQ(t.cleaned, 1);
    CHECK_EQ(t.rc, -ECANCELED);
    CHECK_EQ(roost_cancelled(), false);
}

/* Its real errors surface, cancellations do not. [trio] */
TEST_VIRTUAL(a_failing_clean_up_surfaces_at_close, "R53")
{
    struct tidy t = {.status = -EIO};
    roost_stream st;
    int item;

    CHECK_EQ(roost_stream_open(&st, tidy, &t, sizeof(int), 2), 0);
    CHECK_EQ(roost_stream_next(&st, &item), 1);
    CHECK_EQ(roost_stream_close(&st), -EIO);
    CHECK_EQ(t.cleaned, 1);
}

/* Before it has begun, too. */
TEST(a_stream_nobody_reads, "R53")
{
    struct numbers n = {.until = 10};
    roost_stream st;

    CHECK_EQ(roost_stream_open(&st, count_up, &n, sizeof(int), 2), 0);
    CHECK_EQ(roost_stream_close(&st), 0);
    CHECK_EQ(n.ended, 1); /* it ran, to its first wait at most */
}

static int say_why(roost_stream *st, void *arg)
{
    int i = 7;

    (void)arg;
    CHECK_EQ(roost_stream_emit(st, &i), 0);
    return roost_fail(-EBADMSG, "line %d is torn", i);
}

struct reader_of_failure {
    int items, rc, close_rc;
};

static int read_failure(void *arg)
{
    struct reader_of_failure *r = (struct reader_of_failure *)arg;
    roost_stream st;
    int item;

    CHECK_EQ(roost_stream_open(&st, say_why, NULL, sizeof(int), 4), 0);
    while ((r->rc = roost_stream_next(&st, &item)) > 0) {
        r->items++;
    }
    CHECK_EQ(roost_stream_next(&st, &item), r->rc);
    r->close_rc = roost_stream_close(&st);
    return r->rc;
}

/* A failure comes out of next, after the items, and of close; not of the scope.
 * Whoever returns it hands up its message (R37). */
TEST(a_failure_comes_out_at_the_reader_alone, "R37 R53")
{
    struct reader_of_failure r = {0, 0, 0};
    roost_error it = {0};
    roost_errors *e;
    roost_scope s;
    struct numbers n = {.until = 1, .fail = -EIO};
    roost_stream st;
    int item;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_stream_open(&st, count_up, &n, sizeof(int), 1), 0);
    CHECK_EQ(roost_stream_next(&st, &item), 1);
    CHECK_EQ(roost_stream_next(&st, &item), -EIO);
    CHECK_EQ(roost_stream_close(&st), -EIO);
    CHECK_EQ(roost_cancelled(), false);
    CHECK_EQ(roost_scope_close(&s, 0), 0);

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, read_failure, &r), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EBADMSG);
    CHECK_EQ(r.items, 1);
    CHECK_EQ(r.close_rc, -EBADMSG);
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, -EBADMSG), 1);
    CHECK_EQ(roost_errors_next(e, &it), true);
    CHECK(strcmp(it.message, "line 7 is torn") == 0);
    roost_errors_free(e);
}

/* The parent's close closes it: also one that nobody has closed, with items
 * that nobody has read, and one that has ended by itself. */
TEST(the_scopes_close_closes_it, "R53")
{
    struct numbers endless = {.until = INT32_MAX}, few = {.until = 3};
    roost_stream a, b;
    roost_scope s;
    int item;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_stream_open(&a, count_up, &endless, sizeof(int), 8), 0);
    CHECK_EQ(roost_stream_open(&b, count_up, &few, sizeof(int), 8), 0);
    CHECK_EQ(roost_stream_next(&a, &item), 1);
    CHECK_EQ(roost_stream_next(&b, &item), 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(endless.ended, 1);
    CHECK_EQ(few.ended, 1);
    CHECK_EQ(roost_stream_close(&a), 0); /* fine, and nothing to do */
    CHECK_EQ(roost_stream_close(&b), 0);
}

static int read_ten(void *arg)
{
    roost_stream *st = (roost_stream *)arg;
    int i, item;

    for (i = 0; i < 10; i++) {
        CHECK_EQ(roost_sleep(ROOST_MS), 0);
        CHECK_EQ(roost_stream_next(st, &item), 1);
        CHECK_EQ(item, i);
    }
    return 0;
}

/* Not before the children of that scope have ended, who may read it. */
TEST_VIRTUAL(it_lives_as_long_as_the_children, "R53")
{
    struct numbers n = {.until = INT32_MAX};
    roost_stream st;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_stream_open(&st, count_up, &n, sizeof(int), 1), 0);
    CHECK_EQ(roost_spawn(&s, read_ten, &st), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(n.ended, 1);
}

/* Outer cancellation ends the generator; the reader is cancelled too, and one
 * behind a shield learns that what it reads is not the end. */
TEST_VIRTUAL(the_scopes_cancel_reaches_the_generator, "R53 R4")
{
    struct numbers n = {.until = INT32_MAX};
    roost_stream st;
    roost_scope s;
    roost_shield shield;
    int item, rc, items = 0;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_stream_open(&st, count_up, &n, sizeof(int), 2), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_scope_cancel(&s, 0), true);
    CHECK_EQ(roost_stream_next(&st, &item), -ECANCELED);
    roost_shield_begin(&shield);
    while ((rc = roost_stream_next(&st, &item)) > 0) {
        items++;
    }
    roost_shield_end(&shield);
    CHECK_EQ(rc, -ECANCELED);
    CHECK(items <= 2);
    CHECK_EQ(roost_stream_close(&st), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(n.ended, 1);
}

/* The reader's own scope inside: its deadline ends the wait, not the stream. */
TEST_VIRTUAL(an_inner_scope_of_the_reader_leaves_it_alone, "R53 R16")
{
    struct numbers n = {.until = INT32_MAX};
    roost_stream st;
    roost_scope s;
    int item;

    CHECK_EQ(roost_stream_open(&st, count_up, &n, sizeof(int), 1), 0);
    OPEN(&s, .timeout = ROOST_MS);
    CHECK_EQ(roost_sleep(ROOST_S), -ECANCELED);
    CHECK_EQ(roost_stream_next(&st, &item), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK_EQ(roost_stream_next(&st, &item), 1);
    CHECK_EQ(item, 0);
    CHECK_EQ(roost_stream_close(&st), 0);
}

static int slow(roost_stream *st, void *arg)
{
    int i = 1;
    int rc = roost_sleep(ROOST_S);

    (void)arg;
    return rc != 0 ? rc : roost_stream_emit(st, &i);
}

TEST_VIRTUAL(next_has_a_deadline, "R9 R10 R53")
{
    roost_stream st;
    roost_ns start = roost_now();
    int item = 5;

    CHECK_EQ(roost_stream_open(&st, slow, NULL, sizeof(int), 1), 0);
    CHECK_EQ(roost_stream_next_until(&st, &item, 0), -ETIMEDOUT);
    CHECK_EQ(roost_stream_next_until(&st, &item, start + ROOST_MS), -ETIMEDOUT);
    CHECK_EQ(item, 5);
    CHECK_EQ(roost_stream_next_until(&st, &item, ROOST_NEVER), 1);
    CHECK_EQ(roost_now(), start + ROOST_S);
    CHECK_EQ(item, 1);
    CHECK_EQ(roost_stream_close(&st), 0);
}

static int close_it(void *arg)
{
    return roost_stream_close((roost_stream *)arg);
}

/* In any order, by any task of the scope. */
TEST(closing_in_any_order_by_any_task, "R53")
{
    struct numbers n[3] = {{.until = INT32_MAX}, {.until = 2}, {.until = 9}};
    roost_stream st[3];
    roost_scope s;
    int i, item;

    roost_scope_open(&s, NULL);
    for (i = 0; i < 3; i++) {
        CHECK_EQ(roost_stream_open(&st[i], count_up, &n[i], 4, 1), 0);
        CHECK_EQ(roost_stream_next(&st[i], &item), 1);
    }
    CHECK_EQ(roost_stream_close(&st[0]), 0);
    CHECK_EQ(roost_spawn(&s, close_it, &st[2]), 0);
    CHECK_EQ(roost_spawn(&s, close_it, &st[1]), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (i = 0; i < 3; i++) {
        CHECK_EQ(n[i].ended, 1);
    }
}

static int close_oneself(roost_stream *st, void *arg)
{
    *(int *)arg = roost_stream_close(st);
    return 0;
}

TEST(a_generator_cannot_close_its_stream, "R53 R43")
{
    roost_stream st;
    int rc = 1, item;

    CHECK_EQ(roost_stream_open(&st, close_oneself, &rc, sizeof(int), 1), 0);
    CHECK_EQ(roost_stream_next(&st, &item), 0);
    CHECK_EQ(rc, -EDEADLK);
    CHECK_EQ(roost_stream_close(&st), 0);
}

/* Its scope is nobody's current one: what the reader opens and closes does not
 * meet it, what it opens itself is its own. */
TEST(the_generators_scope_is_its_own, "R53")
{
    struct numbers n = {.until = 2};
    roost_scope s;
    roost_stream st;
    int item;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_stream_open(&st, count_up, &n, sizeof(int), 0), 0);
    CHECK(roost_scope_current() == &s);
    CHECK_EQ(roost_stream_next(&st, &item), 1);
    CHECK(roost_scope_current() == &s);
    CHECK(n.current != &s && n.current != NULL);
    CHECK_EQ(roost_stream_close(&st), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

struct branch {
    roost_stream *st;
    int from;
};

static int emit_ten(void *arg)
{
    struct branch *b = (struct branch *)arg;
    int i, rc = 0;

    for (i = b->from; i < b->from + 10 && rc == 0; i++) {
        rc = roost_stream_emit(b->st, &i);
    }
    return rc;
}

static int fan(roost_stream *st, void *arg)
{
    struct branch b[4];
    int rc, i;

    (void)arg;
    ROOST_SCOPE(s, rc) {
        for (i = 0; i < 4; i++) {
            b[i] = (struct branch){st, 10 * i};
            (void)roost_spawn(s, emit_ten, &b[i]);
        }
    }
    return rc;
}

/* Children of the generator may emit as well. */
TEST(a_generator_may_have_children, "R53")
{
    roost_stream st;
    int item, sum = 0, items = 0;

    CHECK_EQ(roost_stream_open(&st, fan, NULL, sizeof(int), 2), 0);
    while (roost_stream_next(&st, &item) > 0) {
        items++;
        sum += item;
    }
    CHECK_EQ(items, 40);
    CHECK_EQ(sum, 39 * 40 / 2);
    CHECK_EQ(roost_stream_close(&st), 0);
    CHECK_EQ(roost_stream_open(&st, fan, NULL, sizeof(int), 2), 0);
    CHECK_EQ(roost_stream_next(&st, &item), 1);
    CHECK_EQ(roost_stream_close(&st), 0); /* all five come home */
}

/* Streams of streams: doubles what another makes. */
static int doubled(roost_stream *st, void *arg)
{
    roost_stream *from = (roost_stream *)arg;
    int item, rc;

    while ((rc = roost_stream_next(from, &item)) > 0) {
        item *= 2;
        rc = roost_stream_emit(st, &item);
        if (rc != 0) {
            return rc;
        }
    }
    return rc;
}

TEST(streams_read_streams, "R53")
{
    struct numbers n = {.until = 100, .fail = -ENODATA};
    roost_stream a, b;
    int item, rc, sum = 0;

    CHECK_EQ(roost_stream_open(&a, count_up, &n, sizeof(int), 4), 0);
    CHECK_EQ(roost_stream_open(&b, doubled, &a, sizeof(int), 4), 0);
    while ((rc = roost_stream_next(&b, &item)) > 0) {
        sum += item;
    }
    CHECK_EQ(rc, -ENODATA);
    CHECK_EQ(sum, 9900);
    CHECK_EQ(roost_stream_close(&b), -ENODATA);
    CHECK_EQ(roost_stream_close(&a), -ENODATA);
}

static int open_in_child(void *arg)
{
    struct numbers n = {.until = 5};
    roost_stream st;
    int item, items = 0;

    (void)arg;
    CHECK_EQ(roost_stream_open(&st, count_up, &n, sizeof(int), 1), 0);
    while (roost_stream_next(&st, &item) > 0) {
        items++;
    }
    CHECK_EQ(items, 5);
    return roost_stream_close(&st);
}

/* A task without a scope of its own opens them beside its parent's. */
TEST(children_open_streams, "R53")
{
    roost_scope s;
    int i;

    roost_scope_open(&s, NULL);
    for (i = 0; i < 50; i++) {
        CHECK_EQ(roost_spawn(&s, open_in_child, NULL), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static int fail_with_words(roost_stream *st, void *arg)
{
    (void)roost_stream_emit(st, arg);
    return roost_fail(-EIO, "out of numbers");
}

/* With AddressSanitizer: its words are not left behind. */
TEST(a_failed_generator_that_nobody_closes, "R53")
{
    roost_scope s;
    roost_stream st;
    int item = 1;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_stream_open(&st, fail_with_words, &item, sizeof item, 2), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_stream_next(&st, &item), -EIO); /* unread, but failed */
    CHECK_EQ(roost_stream_close(&st), -EIO);
}
