/*
 * when_around_test.c - tasks that wait before they start, and what is around
 * them: descriptors, other threads, other runtimes, dumps, deadlock reports,
 * traces, forks. Would catch an event that starts nobody or one too many, a
 * descriptor that stays armed, a report that leaves them out or comes while one
 * may still start.
 */
#include "io.h"

#include <sys/eventfd.h>

struct begun {
    int runs;
    int status; /* roost_when_status */
    int give;   /* what to return */
};

static int begin(void *arg)
{
    struct begun *b = (struct begun *)arg;

    b->status = roost_when_status();
    test_add(&b->runs, 1);
    return b->give;
}

static void await(struct begun *b)
{
    while (test_get(&b->runs) == 0) {
        CHECK_EQ(roost_yield(), 0);
    }
}

/* ---- descriptors --------------------------------------------------------- */

TEST(a_descriptor_starts_it, "R58")
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct begun reads = {0}, writes = {0}, at_once = {0};
        roost_scope s;
        int fds[2];

        pair_of(kind, 0, fds);
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn_when(&s, roost_on_fd(fds[0], ROOST_READABLE),
                                  begin, &reads),
                 0);
        CHECK_EQ(roost_spawn_when(&s, roost_on_fd(fds[1], ROOST_WRITABLE),
                                  begin, &writes),
                 0);
        await(&writes);
        CHECK_EQ(writes.status, ROOST_WRITABLE);
        CHECK_EQ(reads.runs, 0);
        CHECK_EQ(write(fds[1], "x", 1), 1);
        await(&reads);
        CHECK_EQ(reads.status, ROOST_READABLE);
        CHECK_EQ(roost_spawn_when(&s, roost_on_fd(fds[0], ROOST_READABLE),
                                  begin, &at_once),
                 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(at_once.status, ROOST_READABLE);
        CHECK_EQ(reads.runs + writes.runs + at_once.runs, 3);
        close_pair(fds);
    }
}

/* The other end goes away. */
TEST(a_hang_up_starts_it, "R58")
{
    struct begun b = {0};
    roost_scope s;
    int fds[2];

    pair_of(SOCKETS, 0, fds);
    roost_scope_open(&s, NULL);
    CHECK_EQ(
        roost_spawn_when(&s, roost_on_fd(fds[0], ROOST_READABLE), begin, &b),
        0);
    CHECK_EQ(close(fds[1]), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(b.status, ROOST_READABLE);
    CHECK_EQ(roost_close(fds[0]), 0);
}

TEST(a_descriptor_may_be_closed_meanwhile, "R58")
{
    struct begun b = {0}, bad = {0}, none = {0};
    roost_scope s;
    int fds[2];

    pair_of(PIPE, 0, fds);
    roost_scope_open(&s, NULL);
    CHECK_EQ(
        roost_spawn_when(&s, roost_on_fd(fds[0], ROOST_READABLE), begin, &b),
        0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_close(fds[0]), 0);
    CHECK_EQ(
        roost_spawn_when(&s, roost_on_fd(fds[0], ROOST_READABLE), begin, &bad),
        0);
    CHECK_EQ(roost_spawn_when(&s, roost_on_fd(-1, ROOST_READABLE), begin, &none),
             0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(b.status, -EBADF);
    CHECK_EQ(bad.status, -EBADF);
    CHECK_EQ(none.status, -EBADF);
    CHECK_EQ(roost_close(fds[1]), 0);
}

/* Closed raw, and the number used again: the old one is told, not woken. */
TEST(a_descriptor_closed_raw_and_used_again, "R58")
{
    struct begun b = {0}, anew = {0};
    roost_scope s;
    int fds[2], other[2], old;

    pair_of(PIPE, 0, fds);
    pair_of(PIPE, 0, other);
    old = fds[0];
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_when(&s, roost_on_fd(old, ROOST_READABLE), begin, &b),
             0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(dup2(other[0], old), old);
    CHECK_EQ(
        roost_spawn_when(&s, roost_on_fd(old, ROOST_READABLE), begin, &anew),
        0);
    await(&b);
    CHECK_EQ(b.status, -EBADF);
    CHECK_EQ(anew.runs, 0);
    CHECK_EQ(write(other[1], "x", 1), 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(anew.status, ROOST_READABLE);
    close_pair(fds);
    close_pair(other);
}

TEST(a_second_reader_is_refused, "R58")
{
    struct begun first = {.give = -ECANCELED}, second = {0};
    roost_scope s;
    int fds[2];

    pair_of(PIPE, 0, fds);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_when(&s, roost_on_fd(fds[0], ROOST_READABLE), begin,
                              &first),
             0);
    CHECK_EQ(roost_spawn_when(&s, roost_on_fd(fds[0], ROOST_READABLE), begin,
                              &second),
             0);
    await(&second);
    CHECK_EQ(second.status, -EBUSY);
    CHECK_EQ(first.runs, 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(first.status, -ECANCELED);
    close_pair(fds);
}

/* Cancelled or late it stands at the descriptor no more: the next may. */
TEST(it_leaves_its_descriptor, "R3 R58")
{
    for (int late = 0; late < 2; late++) {
        struct begun b = {.give = -ECANCELED}, next = {0};
        roost_scope s, inner;
        int fds[2];

        pair_of(SOCKETS, 0, fds);
        roost_scope_open(&s, NULL);
        roost_scope_open(&inner, NULL);
        CHECK_EQ(roost_spawn_when_until(
                     &inner, roost_on_fd(fds[0], ROOST_READABLE), begin, &b,
                     late ? roost_in(ROOST_MS) : ROOST_NEVER),
                 0);
        if (!late) {
            CHECK_EQ(roost_settle(), 0);
            CHECK(roost_scope_cancel(&inner, 0));
        }
        b.give = late ? 0 : -ECANCELED;
        CHECK_EQ(roost_scope_close(&inner, 0), 0);
        CHECK_EQ(b.status, late ? -ETIMEDOUT : -ECANCELED);
        CHECK_EQ(roost_spawn_when(&s, roost_on_fd(fds[0], ROOST_READABLE),
                                  begin, &next),
                 0);
        CHECK_EQ(write(fds[1], "x", 1), 1);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(next.status, ROOST_READABLE);
        close_pair(fds);
    }
}

/* Something comes, and another takes it before the task begins: with one worker
 * for sure, which is busy until then. */
static void comes_and_goes(const int fds[2])
{
    roost_ns end = roost_in(3 * ROOST_MS);
    ssize_t n;
    char c;

    CHECK_EQ(write(fds[1], "x", 1), 1);
    while (roost_now() < end) { /* the watch takes the event */
    }
    n = read(fds[0], &c, 1);
    CHECK(n == 1 || (n < 0 && errno == EAGAIN));
    CHECK_EQ(roost_yield(), 0);
}

TEST(an_event_for_nothing_is_none, "R58 R60")
{
    struct begun b = {0};
    roost_scope s;
    int fds[2];

    pair_of(SOCKETS, O_NONBLOCK, fds);
    roost_scope_open(&s, NULL);
    CHECK_EQ(
        roost_spawn_when(&s, roost_on_fd(fds[0], ROOST_READABLE), begin, &b),
        0);
    for (int i = 0; i < 20; i++) {
        comes_and_goes(fds);
        CHECK(b.runs == 0 || test_workers > 1);
    }
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(b.runs, 1);
    CHECK_EQ(b.status, ROOST_READABLE);
    close_pair(fds);
}

/* Its deadline and the cancel of its scope go on, too; and it gives back the
 * room that it had under the limit. */
TEST(after_an_event_for_nothing_all_else_goes_on, "R9 R35 R58")
{
    for (int cancel = 0; cancel < 2; cancel++) {
        struct begun b = {0}, other = {0};
        roost_scope s;
        int fds[2];

        pair_of(SOCKETS, O_NONBLOCK, fds);
        OPEN(&s, .limit = 1);
        CHECK_EQ(roost_spawn_when_until(
                     &s, roost_on_fd(fds[0], ROOST_READABLE), begin, &b,
                     roost_in(cancel ? 1000 * ROOST_S : 20 * ROOST_MS)),
                 0);
        comes_and_goes(fds);
        CHECK_EQ(roost_spawn_when(&s, roost_on_time(1), begin, &other), 0);
        await(&other);
        CHECK(!cancel || roost_scope_cancel(&s, 0));
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(b.runs, 1);
        CHECK(b.status == (cancel ? -ECANCELED : -ETIMEDOUT) ||
              (b.status == ROOST_READABLE && test_workers > 1));
        close_pair(fds);
    }
}

/* Many idle ones, then an event for each. */
enum { IDLE = 200 };

TEST(each_of_many_descriptors_starts_its_own, "R58")
{
    static struct begun b[IDLE];
    static int fds[IDLE];
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < IDLE; i++) {
        b[i] = (struct begun){0};
        fds[i] = eventfd(0, EFD_NONBLOCK);
        CHECK(fds[i] >= 0);
        CHECK_EQ(roost_spawn_when(&s, roost_on_fd(fds[i], ROOST_READABLE),
                                  begin, &b[i]),
                 0);
    }
    CHECK_EQ(roost_settle(), 0);
    for (int i = IDLE - 1; i >= 0; i--) {
        CHECK_EQ(eventfd_write(fds[i], 1), 0);
        await(&b[i]);
        CHECK(i == 0 || test_get(&b[i - 1].runs) == 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < IDLE; i++) {
        CHECK_EQ(b[i].status, ROOST_READABLE);
        CHECK_EQ(roost_close(fds[i]), 0);
    }
}

/* ---- other threads, other runtimes --------------------------------------- */

struct foreign {
    roost_scope *s;
    roost_event *e;
    struct begun timed, event;
    int open;
};

static void *spawns_from_outside(void *arg)
{
    struct foreign *f = (struct foreign *)arg;

    CHECK_EQ(roost_spawn_when(f->s, roost_on_event(f->e), begin, &f->event), 0);
    CHECK_EQ(roost_spawn_when(f->s, roost_on_time(1), begin, &f->timed), 0);
    roost_scope_release(f->s);
    return NULL;
}

TEST(a_thread_with_a_hold_spawns_it, "R32")
{
    struct foreign f = {0};
    pthread_t thread;
    roost_event e;
    roost_scope s;

    CHECK_EQ(roost_event_init(&e), 0);
    roost_scope_open(&s, NULL);
    f.s = &s;
    f.e = &e;
    CHECK_EQ(roost_scope_hold(&s), 0);
    CHECK_EQ(pthread_create(&thread, NULL, spawns_from_outside, &f), 0);
    await(&f.timed);
    pthread_join(thread, NULL);
    CHECK_EQ(f.event.runs, 0);
    CHECK_EQ(roost_event_set(&e), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(f.event.status, 0);
    CHECK_EQ(f.timed.status, 0);
    roost_event_destroy(&e);
}

static void *sets_from_outside(void *arg)
{
    CHECK_EQ(roost_event_set((roost_event *)arg), 0);
    return NULL;
}

TEST(a_thread_lets_it_start, "R61 R72")
{
    struct begun b = {0};
    pthread_t thread;
    roost_event e;
    roost_scope s;

    CHECK_EQ(roost_event_init(&e), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_when(&s, roost_on_event(&e), begin, &b), 0);
    CHECK_EQ(roost_scope_hold(&s), 0);
    CHECK_EQ(pthread_create(&thread, NULL, sets_from_outside, &e), 0);
    await(&b);
    pthread_join(thread, NULL);
    roost_scope_release(&s);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_event_destroy(&e);
}

/* In the scope of a group, and a cancel of that from a plain thread. */
struct grouped {
    struct begun b;
    int spawned;
};

static int spawns_into_the_group(void *arg)
{
    struct grouped *g = (struct grouped *)arg;

    CHECK_EQ(roost_spawn_when(roost_scope_current(),
                              roost_on_time(ROOST_NEVER), begin, &g->b),
             0);
    test_set(&g->spawned, 1);
    return 0;
}

TEST_PLAIN(a_group_is_cancelled_from_outside, "R12 R32")
{
    struct grouped g = {.b = {.give = -ECANCELED}};
    roost_opts opts = test_opts();
    roost_runtime *rt;
    roost_group *group;

    CHECK_EQ(roost_start(&rt, &opts), 0);
    CHECK_EQ(roost_group_new(&group, rt, NULL), 0);
    CHECK_EQ(roost_group_submit(group, spawns_into_the_group, &g, NULL, NULL),
             0);
    while (!test_get(&g.spawned)) {
        usleep(100);
    }
    CHECK_EQ(roost_group_wait_until(group, 1), -ETIMEDOUT);
    CHECK(roost_group_cancel(group, 0));
    CHECK_EQ(roost_group_free(group), 0);
    CHECK_EQ(g.b.status, -ECANCELED);
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
}

/* By a task of another runtime than the scope's. */
static int hosts(void *arg)
{
    struct foreign *f = (struct foreign *)arg;
    roost_scope s;

    roost_scope_open(&s, NULL);
    f->s = &s;
    CHECK_EQ(roost_scope_hold(&s), 0);
    test_set(&f->open, 1);
    return roost_scope_close(&s, 0);
}

static int spawns_across(void *arg)
{
    struct foreign *f = (struct foreign *)arg;

    CHECK_EQ(roost_spawn_when(f->s, roost_on_event(f->e), begin, &f->event), 0);
    CHECK_EQ(roost_spawn_when(f->s, roost_on_time(roost_in(ROOST_MS)), begin,
                              &f->timed),
             0);
    roost_scope_release(f->s);
    return 0;
}

TEST_PLAIN(a_task_of_another_runtime_spawns_it, "R32 R72")
{
    roost_opts opts = test_opts();
    struct foreign f = {0};
    roost_runtime *rt[2];
    roost_group *group[2];
    roost_event e;

    CHECK_EQ(roost_event_init(&e), 0);
    f.e = &e;
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(roost_start(&rt[i], &opts), 0);
        CHECK_EQ(roost_group_new(&group[i], rt[i], NULL), 0);
    }
    CHECK_EQ(roost_group_submit(group[0], hosts, &f, NULL, NULL), 0);
    while (!test_get(&f.open)) {
        usleep(100);
    }
    CHECK_EQ(roost_group_submit(group[1], spawns_across, &f, NULL, NULL), 0);
    CHECK_EQ(roost_group_free(group[1]), 0);
    CHECK_EQ(test_get(&f.event.runs), 0);
    CHECK_EQ(roost_event_set(&e), 0);
    CHECK_EQ(roost_group_free(group[0]), 0);
    CHECK_EQ(f.event.status, 0);
    CHECK_EQ(f.timed.status, 0);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(roost_stop(rt[i]), 0);
        roost_runtime_free(rt[i]);
    }
    roost_event_destroy(&e);
}

/* ---- scopes that move, hooks --------------------------------------------- */

/* Spawned before roost_started, it goes on under the target. */
static int starts_with_one(void *arg)
{
    CHECK_EQ(roost_spawn_when(roost_scope_current(),
                              roost_on_time(ROOST_NEVER), begin, arg),
             0);
    return roost_started(NULL);
}

TEST(it_swings_with_its_relay, "R34")
{
    struct begun b = {.give = -ECANCELED};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_started(&s, starts_with_one, &b, NULL, NULL), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(b.runs, 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(b.status, -ECANCELED);
}

static void spawns_in_a_hook(void *arg)
{
    struct foreign *f = (struct foreign *)arg;

    CHECK_EQ(roost_spawn_when(f->s, roost_on_event(f->e), begin, &f->event), 0);
    CHECK_EQ(roost_when_status(), -EINVAL);
}

TEST(a_hook_may_spawn_it, "R22 R30")
{
    struct foreign f = {0};
    roost_scope s, inner;
    roost_event e;
    roost_hook h;

    CHECK_EQ(roost_event_init(&e), 0);
    roost_scope_open(&s, NULL);
    f.s = &s;
    f.e = &e;
    roost_scope_open(&inner, NULL);
    CHECK_EQ(roost_scope_on_cancel(&inner, &h, spawns_in_a_hook, &f), 0);
    CHECK(roost_scope_cancel(&inner, 0));
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(f.event.runs, 0);
    CHECK_EQ(roost_event_set(&e), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(f.event.status, 0);
    roost_event_destroy(&e);
}

/* It is a task like any other by then: it waits, opens scopes, blocks. */
static int does_everything(void *arg)
{
    roost_scope s;

    CHECK_EQ(roost_sleep(ROOST_US), 0);
    roost_block_begin();
    CHECK_EQ(roost_when_status(), 0);
    roost_block_end();
    CHECK_EQ(roost_when_status(), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, count, arg), 0);
    CHECK_EQ(roost_spawn_when(&s, roost_on_time(roost_in(1)), count, arg), 0);
    return roost_scope_close(&s, 0);
}

TEST(once_begun_it_is_a_task, "R29")
{
    int ran = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 50; i++) {
        CHECK_EQ(roost_spawn_when(&s, roost_on_time(roost_in(i * ROOST_US)),
                                  does_everything, &ran),
                 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(ran, 100);
}

/* ---- dumps, reports, counters -------------------------------------------- */

static const char *dump_text(void)
{
    static char text[1 << 16];
    FILE *file = tmpfile();
    size_t n;

    CHECK_EQ(roost_dump(fileno(file)), 0);
    rewind(file);
    n = fread(text, 1, sizeof text - 1, file);
    text[n] = '\0';
    fclose(file);
    return text;
}

TEST(a_dump_shows_what_it_waits_for, "R63")
{
    struct begun b = {.give = -ECANCELED};
    char wanted[3][80];
    const char *text;
    roost_event e;
    roost_scope s;
    int fds[2];

    pair_of(PIPE, 0, fds);
    CHECK_EQ(roost_event_init(&e), 0);
    OPEN(&s, .name = "their scope");
    CHECK_EQ(roost_spawn_when(&s, roost_on_event(&e), begin, &b), 0);
    CHECK_EQ(
        roost_spawn_when(&s, roost_on_fd(fds[0], ROOST_READABLE), begin, &b),
        0);
    CHECK_EQ(roost_spawn_when(&s, roost_on_time(ROOST_NEVER), begin, &b), 0);
    CHECK_EQ(roost_settle(), 0);
    text = dump_text();
    snprintf(wanted[0], sizeof wanted[0], "not started: event %p", (void *)&e);
    snprintf(wanted[1], sizeof wanted[1],
             "not started: waiting for fd %d readable", fds[0]);
    snprintf(wanted[2], sizeof wanted[2], "not started: time");
    CHECK(strstr(text, "3 tasks wait before they start") != NULL);
    CHECK(strstr(text, "their scope") != NULL);
    for (int i = 0; i < 3 && strstr(text, "their scope") != NULL; i++) {
        CHECK(strstr(strstr(text, "their scope"), wanted[i]) != NULL);
    }
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(strstr(dump_text(), "not started") == NULL);
    CHECK(strstr(dump_text(), "wait before they start") == NULL);
    roost_event_destroy(&e);
    close_pair(fds);
}

TEST(it_is_accepted_before_it_is_begun, "R61")
{
    roost_stats before, waits, after;
    struct begun b = {.give = -ECANCELED};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_stats_get(NULL, &before), 0);
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(roost_spawn_when(&s, roost_on_time(ROOST_NEVER), begin, &b),
                 0);
    }
    CHECK_EQ(roost_stats_get(NULL, &waits), 0);
    CHECK_EQ(waits.spawned - before.spawned, 100);
    CHECK_EQ(waits.run, before.run);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_stats_get(NULL, &after), 0);
    CHECK_EQ(after.spawned, after.run);
    CHECK_EQ(after.run - before.run, 100);
    CHECK_EQ(b.runs, 100);
}

static int waits_for_nobody(void *arg)
{
    roost_event e;
    roost_scope s;
    int rc;

    CHECK_EQ(roost_event_init(&e), 0);
    OPEN(&s, .name = "the stuck scope");
    CHECK_EQ(roost_spawn_when(&s, roost_on_event(&e), begin, arg), 0);
    rc = roost_scope_close(&s, 0);
    roost_event_destroy(&e);
    return rc;
}

TEST_PLAIN(a_deadlock_report_names_it, "R63")
{
    static struct capture c;
    struct begun b = {.give = -ECANCELED};
    roost_opts opts = test_opts();
    const char *said;
    int rc;

    capture_begin(&c);
    rc = roost_run(waits_for_nobody, &b, &opts);
    said = capture_end(&c);
    CHECK_EQ(rc, -EDEADLK);
    CHECK_EQ(b.runs, 1);
    CHECK_EQ(b.status, -ECANCELED);
    CHECK(strstr(said, "not started: event") != NULL);
}

/* A time or a descriptor may still come. */
static int waits_for_both(void *arg)
{
    struct begun *b = (struct begun *)arg;
    roost_scope s;
    int fds[2];

    CHECK_EQ(pipe(fds), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_when(&s, roost_on_time(roost_in(2 * ROOST_MS)), begin,
                              &b[0]),
             0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_when_until(&s, roost_on_fd(fds[0], ROOST_READABLE),
                                    begin, &b[1], roost_in(2 * ROOST_MS)),
             0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    close_pair(fds);
    return 0;
}

TEST_PLAIN(what_may_still_start_is_no_deadlock, "R63")
{
    struct begun b[2] = {{0}};
    roost_opts opts = test_opts();

    CHECK_EQ(roost_run(waits_for_both, b, &opts), 0);
    CHECK_EQ(b[0].status, 0);
    CHECK_EQ(b[1].status, -ETIMEDOUT);
}

TEST(in_a_forked_child_it_is_refused, "R64")
{
    roost_scope s;
    int status = -1;
    pid_t pid;

    roost_scope_open(&s, NULL);
    pid = fork();
    if (pid == 0) {
        _exit(roost_spawn_when(&s, roost_on_time(1), begin, NULL) != -EINVAL ||
              roost_when_status() != -EINVAL);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}
