/*
 * io_test.c - reading and writing. Would catch a call that holds up its
 * worker, loses or invents bytes, changes the descriptor's flags, misses that
 * it is ready, or is not woken by its end.
 */
#include "io.h"

static const int flags_of[] = {0, O_NONBLOCK};

TEST(what_is_there_is_read_at_once, "R2 R8")
{
    for (int kind = 0; kind < KINDS; kind++) {
        for (int i = 0; i < 2; i++) {
            char buf[8] = "";
            int fds[2];
            int was;

            pair_of((enum kind)kind, flags_of[i], fds);
            was = fcntl(fds[0], F_GETFL);
            CHECK_EQ(roost_write(fds[1], "hello", 5), 5);
            CHECK_EQ(roost_read(fds[0], buf, sizeof buf), 5);
            CHECK_STR(buf, "hello");
            CHECK_EQ(fcntl(fds[0], F_GETFL), was);
            close_pair(fds);
        }
    }
}

static int writes_after_settling(void *arg)
{
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_write(*(int *)arg, "late", 4), 4);
    return 0;
}

TEST(a_read_waits_for_what_comes, "R3 R5 R58")
{
    for (int kind = 0; kind < KINDS; kind++) {
        for (int i = 0; i < 2; i++) {
            struct fd_call c = {.n = 8};
            roost_scope s;
            int fds[2];

            pair_of((enum kind)kind, flags_of[i], fds);
            c.fd = fds[0];
            for (int again = 0; again < 3; again++) {
                c.rc = 0;
                roost_scope_open(&s, NULL);
                CHECK_EQ(roost_spawn(&s, do_read, &c), 0);
                CHECK_EQ(roost_spawn(&s, writes_after_settling, &fds[1]), 0);
                CHECK_EQ(roost_scope_close(&s, 0), 0);
                CHECK_EQ(c.rc, 4);
                CHECK(memcmp(c.buf, "late", 4) == 0);
            }
            CHECK((fcntl(fds[0], F_GETFL) & O_NONBLOCK) == flags_of[i]);
            close_pair(fds);
        }
    }
}

TEST(the_end_is_zero, "R58")
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct fd_call c = {.n = 8};
        roost_scope s;
        int fds[2];

        if (kind == DATAGRAMS) {
            continue;
        }
        pair_of((enum kind)kind, 0, fds);
        c.fd = fds[0];
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, do_read, &c), 0);
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(roost_close(fds[1]), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(c.rc, 0);
        CHECK_EQ(roost_close(fds[0]), 0);
    }
}

static int reads_all(void *arg)
{
    struct fd_call *c = (struct fd_call *)arg;
    long total = 0;
    ssize_t n;

    while ((n = roost_read(c->fd, c->buf, sizeof c->buf)) > 0) {
        total += n;
    }
    CHECK_EQ(n, 0);
    c->rc = total;
    return 0;
}

TEST(a_write_waits_for_room, "R3 R5 R58")
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct fd_call w = {.n = 1000}, r = {.n = 0};
        roost_scope s;
        size_t filled;
        int fds[2];

        if (kind == DATAGRAMS) {
            continue;
        }
        pair_of((enum kind)kind, 0, fds);
        filled = fill(fds[1]);
        w.fd = fds[1];
        r.fd = fds[0];
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, do_write, &w), 0);
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(test_get(&w.ended), 0);
        CHECK_EQ(roost_spawn(&s, reads_all, &r), 0);
        while (!test_get(&w.ended)) {
            CHECK_EQ(roost_yield(), 0);
        }
        CHECK(w.rc > 0 && w.rc <= 1000);
        CHECK_EQ(roost_close(fds[1]), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(r.rc, (long)filled + w.rc);
        CHECK_EQ(roost_close(fds[0]), 0);
    }
}

TEST(closing_wakes_with_ebadf, "R58")
{
    for (int way = 0; way < 3; way++) {
        struct fd_call c = {.n = 8, .events = ROOST_READABLE};
        roost_scope s;
        int fds[2];

        pair_of(PIPE, 0, fds);
        c.fd = fds[0];
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, way == 0 ? do_wait : do_read, &c), 0);
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(test_get(&c.ended), 0);
        if (way == 2) {
            roost_forget(fds[0]);
        } else {
            CHECK_EQ(roost_close(fds[0]), 0);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(c.rc, -EBADF);
        if (way == 2) {
            close(fds[0]);
        }
        CHECK_EQ(roost_close(fds[1]), 0);
    }
}

TEST(a_second_reader_is_busy, "R58")
{
    struct fd_call c = {.n = 1};
    roost_scope s;
    char byte;
    int fds[2];

    pair_of(SOCKETS, 0, fds);
    c.fd = fds[0];
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, do_read, &c), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_read(fds[0], &byte, 1), -EBUSY);
    CHECK_EQ(roost_wait_fd(fds[0], ROOST_READABLE), -EBUSY);
    CHECK_EQ(roost_wait_fd(fds[0], ROOST_WRITABLE), ROOST_WRITABLE);
    CHECK_EQ(roost_write(fds[1], "x", 1), 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(c.rc, 1);
    close_pair(fds);
}

TEST(a_select_takes_a_descriptor, "R49 R58")
{
    roost_chan *c = roost_chan_new(sizeof(int), 1);
    roost_scope s;
    int fds[2];
    int item = 7;
    char byte;

    for (int kept = 0; kept < 2; kept++) {
        pair_of(SOCKETS, 0, fds);
        for (int again = 0; again < 3; again++) {
            roost_case cases[] = {roost_on_recv(c, &item),
                                  roost_on_fd(fds[0], ROOST_READABLE)};

            CHECK_EQ(roost_try_select(cases, 2), -EAGAIN);
            CHECK_EQ(roost_select_until(cases, 2, roost_in(ROOST_MS)),
                     -ETIMEDOUT);
            roost_scope_open(&s, NULL);
            CHECK_EQ(roost_spawn(&s, writes_after_settling, &fds[1]), 0);
            CHECK_EQ(roost_select(cases, 2), 1);
            CHECK_EQ(cases[1].status, ROOST_READABLE);
            CHECK_EQ(roost_scope_close(&s, 0), 0);
            for (int i = 0; i < 4; i++) {
                CHECK_EQ(kept ? roost_read(fds[0], &byte, 1)
                              : read(fds[0], &byte, 1),
                         1);
            }
            CHECK_EQ(roost_chan_send(c, &item), 0);
            CHECK_EQ(roost_select(cases, 2), 0);
        }
        close_pair(fds);
    }
    roost_chan_free(c);
}

/* ---- plain threads ---- */

static int reads_on_thread(void *arg)
{
    struct fd_call *c = (struct fd_call *)arg;

    c->rc = roost_read(c->fd, c->buf, c->n);
    CHECK_EQ(roost_read_until(c->fd, c->buf, 1, 0), -ETIMEDOUT);
    CHECK_EQ(roost_read_until(c->fd, c->buf, 1, roost_in(ROOST_MS)),
             -ETIMEDOUT);
    return 0;
}

static int writes_later(void *arg)
{
    CHECK_EQ(roost_sleep(ROOST_MS), 0);
    CHECK_EQ(roost_write(*(int *)arg, "late", 4), 4);
    return 0;
}

static void *writer_thread(void *arg)
{
    CHECK_EQ(writes_later(arg), 0);
    return NULL;
}

TEST_PLAIN(threads_read_without_a_runtime, "R3 R58")
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct fd_call c = {.n = 8};
        pthread_t thread;
        int fds[2];

        pair_of((enum kind)kind, 0, fds);
        c.fd = fds[0];
        CHECK_EQ(pthread_create(&thread, NULL, writer_thread, &fds[1]), 0);
        CHECK_EQ(reads_on_thread(&c), 0);
        CHECK_EQ(c.rc, 4);
        pthread_join(thread, NULL);
        close_pair(fds);
    }
}
