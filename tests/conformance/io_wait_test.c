/*
 * io_wait_test.c - how a wait for a descriptor begins and ends. Would catch a
 * wait that tries nothing, or tries although it is cancelled; one that an end
 * of another kind does not reach; an event that goes to the next file of that
 * number.
 */
#include "io.h"

TEST(bad_arguments_come_first, "R2 R8")
{
    roost_case cases[] = {roost_on_fd(0, 0), roost_on_fd(0, 4)};
    struct iovec vec = {NULL, 0};
    int fds[2];

    pair_of(PIPE, 0, fds);
    roost_scope_cancel(roost_scope_current(), 0);
    CHECK_EQ(roost_wait_fd(fds[0], 0), -EINVAL);
    CHECK_EQ(roost_wait_fd(fds[0], 4), -EINVAL);
    CHECK_EQ(roost_read(fds[0], NULL, 1), -EINVAL);
    CHECK_EQ(roost_write(fds[1], NULL, 1), -EINVAL);
    CHECK_EQ(roost_readv(fds[0], NULL, 1), -EINVAL);
    CHECK_EQ(roost_readv(fds[0], &vec, 0), -EINVAL);
    CHECK_EQ(roost_writev(fds[1], &vec, -1), -EINVAL);
    CHECK_EQ(roost_writev(fds[1], &vec, 1 << 20), -EINVAL);
    CHECK_EQ(roost_read_full(fds[0], NULL, 1, NULL), -EINVAL);
    CHECK_EQ(roost_try_select(&cases[0], 1), -EINVAL);
    CHECK_EQ(roost_try_select(&cases[1], 1), -EINVAL);
    close_pair(fds);
}

TEST(no_descriptor_is_ebadf, "R8")
{
    int fds[2];
    char byte = 0;

    pair_of(PIPE, 0, fds);
    close_pair(fds);
    for (int i = 0; i < 2; i++) {
        int fd = i == 0 ? fds[0] : -1;
        roost_case c = roost_on_fd(fd, ROOST_READABLE);

        CHECK_EQ(roost_wait_fd(fd, ROOST_READABLE), -EBADF);
        CHECK_EQ(roost_read(fd, &byte, 1), -EBADF);
        CHECK_EQ(roost_read(fd, &byte, 0), -EBADF);
        CHECK_EQ(roost_write(fd, &byte, 1), -EBADF);
        CHECK_EQ(roost_readv(fd, &(struct iovec){&byte, 1}, 1), -EBADF);
        CHECK_EQ(roost_close(fd), -EBADF);
        roost_forget(fd);
        CHECK_EQ(roost_select(&c, 1), 0);
        CHECK_EQ(c.status, -EBADF);
    }
}

static const roost_fn calls[] = {do_wait, do_read};

TEST(cancelled_before_nothing_is_tried, "R2 R4 R10")
{
    char byte = 0;
    int fds[2];
    roost_scope s;

    pair_of(PIPE, 0, fds);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_wait_fd(fds[0], ROOST_READABLE), -ECANCELED);
    CHECK_EQ(roost_read(fds[0], &byte, 1), -ECANCELED);
    CHECK_EQ(roost_read_until(fds[0], &byte, 1, 0), -ECANCELED);
    CHECK_EQ(roost_write(fds[1], "y", 1), -ECANCELED);
    CHECK_EQ(roost_readv(fds[0], &(struct iovec){&byte, 1}, 1), -ECANCELED);
    CHECK_EQ(roost_writev(fds[1], &(struct iovec){&byte, 1}, 1), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_read(fds[0], &byte, 1), 1);
    CHECK_EQ(byte, 'x');
    close_pair(fds);
}

TEST(cancelled_while_it_waits, "R3 R5 R8")
{
    for (int i = 0; i < 2; i++) {
        for (int again = 0; again < 3; again++) {
            struct fd_call c = {.n = 8, .events = ROOST_READABLE};
            roost_scope s;
            int fds[2];

            pair_of(SOCKETS, 0, fds);
            c.fd = fds[0];
            roost_scope_open(&s, NULL);
            CHECK_EQ(roost_spawn(&s, calls[i], &c), 0);
            CHECK_EQ(roost_settle(), 0);
            roost_scope_cancel(&s, 0);
            CHECK_EQ(roost_scope_close(&s, 0), 0);
            CHECK_EQ(c.rc, -ECANCELED);
            /* Nobody stands there any more. */
            CHECK_EQ(roost_write(fds[1], "late", 4), 4);
            CHECK_EQ(do_read(&c), 0);
            CHECK_EQ(c.rc, 4);
            close_pair(fds);
        }
    }
}

TEST(a_deadline_ends_it_and_an_expired_one_is_one_try, "R2 R10 R11")
{
    static const roost_ns past[] = {0, -1, INT64_MIN, 1};
    char byte = 0;
    int fds[2];

    pair_of(SOCKETS, 0, fds);
    for (int i = 0; i < 4; i++) {
        roost_ns d = past[i];

        CHECK_EQ(roost_wait_fd_until(fds[0], ROOST_READABLE, d), -ETIMEDOUT);
        CHECK_EQ(roost_read_until(fds[0], &byte, 1, d), -ETIMEDOUT);
        CHECK_EQ(roost_readv_until(fds[0], &(struct iovec){&byte, 1}, 1, d),
                 -ETIMEDOUT);
        CHECK_EQ(roost_recvfrom_until(fds[0], &byte, 1, 0, NULL, NULL, d),
                 -ETIMEDOUT);
        CHECK_EQ(roost_write_until(fds[1], "x", 1, d), 1);
        CHECK_EQ(roost_writev_until(
                     fds[1], &(struct iovec){(void *)(uintptr_t) "y", 1}, 1, d),
                 1);
        CHECK_EQ(roost_wait_fd_until(fds[0], ROOST_READABLE, d),
                 ROOST_READABLE);
        CHECK_EQ(roost_read_until(fds[0], &byte, 1, d), 1);
        CHECK_EQ(roost_read_full_until(fds[0], &byte, 1, NULL, d), 0);
    }
    for (int i = 0; i < 2; i++) {
        struct fd_call c = {.fd = fds[0], .n = 1, .events = ROOST_READABLE};
        roost_ns before = roost_now();

        c.deadline = before + 2 * ROOST_MS;
        CHECK_EQ(calls[i](&c), 0);
        CHECK_EQ(c.rc, -ETIMEDOUT);
        CHECK(roost_now() >= c.deadline);
    }
    close_pair(fds);
}

TEST(both_at_once_is_a_cancel, "R9")
{
    int fds[2];
    char byte = 0;
    int rc;

    pair_of(PIPE, 0, fds);
    ROOST_SCOPE(s, rc, .timeout = ROOST_MS) {
        roost_ns same = roost_scope_deadline(s);

        CHECK_EQ(roost_read_until(fds[0], &byte, 1, same), -ECANCELED);
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    close_pair(fds);
}

TEST(the_ready_ones_are_told, "R58")
{
    const unsigned both = ROOST_READABLE | ROOST_WRITABLE;
    int fds[2];

    pair_of(SOCKETS, 0, fds);
    CHECK_EQ(roost_wait_fd(fds[0], both), ROOST_WRITABLE);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_EQ(roost_wait_fd(fds[0], both), (int)both);
    CHECK_EQ(roost_wait_fd(fds[0], ROOST_READABLE), ROOST_READABLE);
    close(fds[1]);
    CHECK_EQ(roost_wait_fd(fds[0], both), (int)both);
    close(fds[0]);
    pair_of(PIPE, 0, fds);
    close(fds[0]);
    CHECK_EQ(roost_wait_fd(fds[1], ROOST_WRITABLE), ROOST_WRITABLE);
    close(fds[1]);
    pair_of(PIPE, 0, fds);
    close(fds[1]);
    CHECK_EQ(roost_wait_fd(fds[0], ROOST_READABLE), ROOST_READABLE);
    close(fds[0]);
}

static int waits_both_ways(void *arg)
{
    struct fd_call *c = (struct fd_call *)arg;

    /* The writer is ready more than once where it is emptied in parts. */
    for (int i = 0; c->events == ROOST_WRITABLE || i < 200; i++) {
        CHECK_EQ(do_wait(c), 0);
        if (c->rc == -ECANCELED) {
            return 0;
        }
        CHECK_EQ(c->rc, (long)c->events);
        if (c->events == ROOST_READABLE) {
            CHECK(read(c->fd, c->buf, sizeof c->buf) > 0);
        } else {
            fill(c->fd);
        }
    }
    return 0;
}

/* Both stand in one entry, armed together, and each event ends one of them. */
TEST(one_waits_to_read_and_one_to_write, "R58 R5")
{
    struct fd_call in = {.events = ROOST_READABLE};
    struct fd_call out = {.events = ROOST_WRITABLE};
    static char room[1 << 20];
    roost_scope s;
    int fds[2];

    pair_of(SOCKETS, 0, fds);
    in.fd = out.fd = fds[0];
    fill(fds[0]);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, waits_both_ways, &in), 0);
    CHECK_EQ(roost_spawn(&s, waits_both_ways, &out), 0);
    for (int i = 0; i < 200; i++) {
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(write(fds[1], "x", 1), 1);
        CHECK_EQ(roost_settle(), 0);
        CHECK(recv(fds[1], room, sizeof room, MSG_DONTWAIT) > 0);
    }
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    close(fds[0]);
    close(fds[1]);
}

/* ---- numbers that are used again ---- */

/* Closed behind the library's back, while a task waits; the new file of that
 * number is another one's. */
TEST(a_number_used_again_while_waited_for, "R58")
{
    for (int ready = 0; ready < 2 * CLOSE_RACES; ready++) {
        struct fd_call old = {.events = ROOST_READABLE, .n = 1};
        struct fd_call new = {.events = ROOST_READABLE, .n = 1};
        roost_scope s;
        int fds[2], other[2];

        pair_of(PIPE, 0, fds);
        old.fd = fds[0];
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, do_wait, &old), 0);
        CHECK_EQ(roost_settle(), 0);
        pair_of(PIPE, 0, other);
        CHECK_EQ(dup2(other[0], fds[0]), fds[0]); /* closes the old file */
        CHECK_EQ(write(fds[1], "x", 1), -1);
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(test_get(&old.ended), 0);
        if (ready) {
            CHECK_EQ(write(other[1], "y", 1), 1);
            CHECK_EQ(roost_settle(), 0);
            CHECK_EQ(test_get(&old.ended), 0); /* no event of the new file */
            CHECK_EQ(read(other[0], old.buf, 1), 1);
        }
        new.fd = fds[0];
        CHECK_EQ(roost_spawn(&s, ready ? do_read : do_wait, &new), 0);
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(old.rc, -EBADF);
        CHECK_EQ(test_get(&new.ended), 0);
        CHECK_EQ(write(other[1], "z", 1), 1);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(new.rc, 1);
        CHECK_EQ(roost_close(fds[0]), 0);
        close(fds[1]);
        close_pair(other);
    }
}

/* Closed by roost_close, the number used again at once, a thousand times. */
TEST(a_number_used_again_after_close, "R58")
{
    for (int i = 0; i < 300; i++) {
        struct fd_call c = {.n = 8, .events = ROOST_READABLE};
        roost_scope s;
        int fds[2], next[2];

        pair_of(SOCKETS, 0, fds);
        c.fd = fds[0];
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, calls[i % 2], &c), 0);
        CHECK_EQ(roost_settle(), 0);
        if (CLOSE_RACES) { /* its event may be on its way */
            CHECK_EQ(write(fds[1], "old", 3), 3);
        }
        CHECK_EQ(roost_close(fds[0]), 0);
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, next), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK(c.rc == -EBADF || c.rc == (i % 2 ? 3 : ROOST_READABLE));
        c.fd = next[0];
        c.deadline = roost_in(ROOST_US);
        c.n = 8;
        CHECK_EQ(calls[i % 2](&c), 0);
        CHECK_EQ(c.rc, -ETIMEDOUT);
        close(fds[1]);
        close_pair(next);
    }
}

/* Whoever tried it before it was closed does not wait for the next file. */
static int closes(void *arg)
{
    CHECK_EQ(roost_close(*(int *)arg), 0);
    return 0;
}

TEST(closing_never_misses_who_is_about_to_wait, "R5 R58")
{
    for (int i = 0; i < 2000 * CLOSE_RACES; i++) {
        struct fd_call c = {.n = 8, .events = ROOST_READABLE};
        roost_scope s;
        int fds[2];

        CHECK_EQ(pipe(fds), 0);
        c.fd = fds[0];
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, calls[i % 2], &c), 0);
        CHECK_EQ(roost_spawn(&s, closes, &fds[0]), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(c.rc, -EBADF);
        close(fds[1]);
    }
}

/* ---- select ---- */

TEST(several_descriptors_in_a_select, "R49 R58")
{
    enum { N = 40 };

    roost_case cases[2 * N];
    int seen[N] = {0};
    int fds[N][2];
    char byte = 0;

    for (int i = 0; i < N; i++) {
        pair_of(SOCKETS, 0, fds[i]);
        cases[i] = roost_on_fd(fds[i][0], ROOST_READABLE);
        cases[N + i] = roost_on_fd(fds[i][0], ROOST_READABLE); /* twice */
    }
    CHECK_EQ(roost_try_select(cases, 2 * N), -EAGAIN);
    CHECK_EQ(roost_select_until(cases, 2 * N, roost_in(ROOST_MS)), -ETIMEDOUT);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(write(fds[i][1], "x", 1), 1);
    }
    for (int i = 0; i < N; i++) {
        int at = roost_select(cases, 2 * N);

        CHECK(at >= 0 && at < 2 * N);
        CHECK_EQ(cases[at].status, ROOST_READABLE);
        CHECK_EQ(read(fds[at % N][0], &byte, 1), 1);
        seen[at % N]++;
    }
    for (int i = 0; i < N; i++) {
        CHECK_EQ(seen[i], 1);
        close(fds[i][0]);
        close(fds[i][1]);
    }
}

struct selector {
    int fd;
    int rc, status;
};

static int select_fd(void *arg)
{
    struct selector *x = (struct selector *)arg;
    roost_case cases[] = {roost_on_fd(x->fd, ROOST_READABLE),
                          roost_on_fd(x->fd, ROOST_READABLE)};

    x->rc = roost_select(cases, 2);
    x->status = x->rc >= 0 ? cases[x->rc].status : 0;
    return 0;
}

TEST(a_select_ends_as_a_wait_does, "R49 R58")
{
    struct selector x = {0, 0, 0};
    roost_case c;
    roost_scope s;
    int fds[2];

    for (int way = 0; way < 3; way++) {
        pair_of(SOCKETS, 0, fds);
        x.fd = fds[0];
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, select_fd, &x), 0);
        CHECK_EQ(roost_settle(), 0);
        c = roost_on_fd(fds[0], ROOST_READABLE);
        CHECK_EQ(roost_select(&c, 1), 0);
        CHECK_EQ(c.status, -EBUSY);
        c = roost_on_fd(fds[0], ROOST_WRITABLE);
        CHECK_EQ(roost_select(&c, 1), 0);
        CHECK_EQ(c.status, ROOST_WRITABLE);
        if (way == 0) {
            CHECK_EQ(roost_close(fds[0]), 0);
        } else if (way == 1) {
            roost_scope_cancel(&s, 0);
        } else {
            CHECK_EQ(write(fds[1], "x", 1), 1);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK(way == 1 ? x.rc == -ECANCELED : x.rc >= 0);
        CHECK(way == 1 || x.status == (way == 0 ? -EBADF : ROOST_READABLE));
        if (way > 0) {
            close(fds[0]);
        }
        close(fds[1]);
    }
}

/* On a plain thread: more than it has room for at first. */
TEST_PLAIN(a_thread_selects_on_many_descriptors, "R49 R58")
{
    enum { N = 40 };

    roost_case cases[N];
    int fds[N][2];

    for (int i = 0; i < N; i++) {
        pair_of(SOCKETS, 0, fds[i]);
        cases[i] = roost_on_fd(fds[i][0], ROOST_READABLE);
    }
    CHECK_EQ(roost_select_until(cases, N, roost_in(ROOST_MS)), -ETIMEDOUT);
    for (int i = N; i-- > 0;) {
        CHECK_EQ(write(fds[i][1], "x", 1), 1);
        CHECK_EQ(roost_select(cases, N), i);
        cases[i] = (roost_case){0}; /* never happens */
    }
    for (int i = 0; i < N; i++) {
        close_pair(fds[i]);
    }
}
