/*
 * when_fd_test.c - tasks that wait for a descriptor before they start. Would
 * catch an event that starts nobody or one too many, a descriptor that stays
 * armed, one that was closed and whose task is never told.
 */
#include "begun.h"
#include "io.h"

#include <sys/eventfd.h>

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
        CHECK_EQ(test_get(&reads.runs), 0);
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
    CHECK_EQ(
        roost_spawn_when(&s, roost_on_fd(-1, ROOST_READABLE), begin, &none), 0);
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
    CHECK_EQ(test_get(&anew.runs), 0);
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
    CHECK_EQ(test_get(&first.runs), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(first.status, -ECANCELED);
    close_pair(fds);
}

/* Cancelled or late it stands at the descriptor no more: the next may. */
TEST(it_leaves_its_descriptor, "R3 R58")
{
    for (int late = 0; late < 2; late++) {
        struct begun b = {.give = late ? 0 : -ECANCELED}, next = {0};
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
        CHECK(test_get(&b.runs) == 0 || test_workers > 1);
    }
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(test_get(&b.runs), 1);
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
        CHECK_EQ(test_get(&b.runs), 1);
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
