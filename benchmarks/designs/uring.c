/*
 * uring.c - io_uring beside what the library does now, without the library: for
 * docs/decisions/0028-no-io-uring.md.
 *
 *   file/pread     a cached 4 KiB page of a regular file, the call in place
 *   file/nowait    the same by preadv2(RWF_NOWAIT), which never waits
 *   file/thread    the same on another thread, one by one, by a futex there
 *                  and back: what an offload cannot be faster than
 *   file/uring     the same by io_uring, one by one
 *   file/uring64   the same, 64 with one system call
 *   echo/epoll     64 bytes come in on 100 socket pairs and go back: then
 *                  epoll_wait, read and write each
 *   echo/uring     the same: a recv each, and for all that have come one call
 *                  for their sends and next recvs, which also waits
 *
 * What the other side of the sockets does is in both the same. ns are real
 * time; `cpu` says how much of a processor all threads of the process took.
 */
#include "../shim.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096
#define READS 20000
#define MANY 64
#define PAIRS 100
#define MESSAGE 64
#define ROUNDS 200
#define ENTRIES 256 /* a power of two */

/* --- a ring --- */

struct uring {
    int fd;
    unsigned *sq_tail, *sq_array, *cq_head, *cq_tail;
    unsigned sq_mask, cq_mask, queued;
    struct io_uring_sqe *sqes;
    struct io_uring_cqe *cqes;
};

static bool uring_open(struct uring *u)
{
    struct io_uring_params p = {0};
    size_t size;
    char *ring;

    u->fd = (int)syscall(__NR_io_uring_setup, ENTRIES, &p);
    if (u->fd < 0) {
        return false;
    }
    size = p.cq_off.cqes + p.cq_entries * sizeof *u->cqes;
    ring = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, u->fd,
                IORING_OFF_SQ_RING);
    u->sqes = mmap(NULL, p.sq_entries * sizeof *u->sqes, PROT_READ | PROT_WRITE,
                   MAP_SHARED, u->fd, IORING_OFF_SQES);
    if (ring == MAP_FAILED || u->sqes == MAP_FAILED) {
        return false;
    }
    u->sq_tail = (unsigned *)(void *)(ring + p.sq_off.tail);
    u->sq_array = (unsigned *)(void *)(ring + p.sq_off.array);
    u->sq_mask = p.sq_entries - 1;
    u->cq_head = (unsigned *)(void *)(ring + p.cq_off.head);
    u->cq_tail = (unsigned *)(void *)(ring + p.cq_off.tail);
    u->cq_mask = p.cq_entries - 1;
    u->cqes = (struct io_uring_cqe *)(void *)(ring + p.cq_off.cqes);
    u->queued = 0;
    return true;
}

/* The rings live until the process ends. */
static void uring_close(struct uring *u)
{
    close(u->fd);
}

static void uring_put(struct uring *u, uint8_t op, int fd, void *at,
                      uint64_t tag)
{
    unsigned tail = *u->sq_tail;
    struct io_uring_sqe *sqe = &u->sqes[tail & u->sq_mask];

    memset(sqe, 0, sizeof *sqe);
    sqe->opcode = op;
    sqe->fd = fd;
    sqe->addr = (uint64_t)(uintptr_t)at;
    sqe->len = op == IORING_OP_READ ? PAGE : MESSAGE;
    sqe->user_data = tag;
    u->sq_array[tail & u->sq_mask] = tail & u->sq_mask;
    __atomic_store_n(u->sq_tail, tail + 1, __ATOMIC_RELEASE);
    u->queued++;
}

/* Submit what is queued; wait for n. */
static void uring_enter(struct uring *u, unsigned n)
{
    if (syscall(__NR_io_uring_enter, u->fd, u->queued, n,
                n > 0 ? IORING_ENTER_GETEVENTS : 0, NULL, 0) < 0) {
        abort();
    }
    u->queued = 0;
}

/* Takes one: its tag, *result what it came to. False: there is none. */
static bool uring_take(struct uring *u, uint64_t *tag, int *result)
{
    unsigned head = *u->cq_head;

    if (head == __atomic_load_n(u->cq_tail, __ATOMIC_ACQUIRE)) {
        return false;
    }
    *tag = u->cqes[head & u->cq_mask].user_data;
    *result = u->cqes[head & u->cq_mask].res;
    __atomic_store_n(u->cq_head, head + 1, __ATOMIC_RELEASE);
    return true;
}

/* --- a cached page --- */

static char pages[MANY][PAGE];

static int file_open(void)
{
    char name[] = "/var/tmp/roost-uring-XXXXXX";
    int fd = mkstemp(name);

    if (fd < 0 || unlink(name) != 0 || write(fd, pages[0], PAGE) != PAGE) {
        abort();
    }
    return fd;
}

static void read_all(struct bench *b, int fd, ssize_t (*read_one)(int fd))
{
    while (bench_next(b)) {
        bench_start(b);
        for (int i = 0; i < READS; i++) {
            if (read_one(fd) != PAGE) {
                abort();
            }
        }
        bench_stop(b, READS);
    }
    close(fd);
}

static ssize_t by_pread(int fd)
{
    return pread(fd, pages[0], PAGE, 0);
}

static void file_pread(struct bench *b)
{
    read_all(b, file_open(), by_pread);
}

static ssize_t by_nowait(int fd)
{
    struct iovec to = {pages[0], PAGE};

    return preadv2(fd, &to, 1, 0, RWF_NOWAIT);
}

static void file_nowait(struct bench *b)
{
    int fd = file_open();

    if (by_nowait(fd) != PAGE) {
        bench_fail(b, "this file system knows no RWF_NOWAIT");
        return;
    }
    read_all(b, fd, by_nowait);
}

/* 0 idle, 1 asked, 2 done, 3 end. */
static _Atomic int helper_state;
static int helper_fd;

static void helper_wait(int while_it_is)
{
    while (atomic_load(&helper_state) == while_it_is) {
        syscall(SYS_futex, &helper_state, FUTEX_WAIT_PRIVATE, while_it_is, NULL,
                NULL, 0);
    }
}

static void helper_set(int to)
{
    atomic_store(&helper_state, to);
    syscall(SYS_futex, &helper_state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *helper(void *arg)
{
    (void)arg;
    for (;;) {
        helper_wait(0);
        helper_wait(2);
        if (atomic_load(&helper_state) == 3) {
            return NULL;
        }
        if (atomic_load(&helper_state) == 1) {
            by_pread(helper_fd);
            helper_set(2);
        }
    }
}

static ssize_t by_thread(int fd)
{
    helper_fd = fd;
    helper_set(1);
    helper_wait(1);
    atomic_store(&helper_state, 0);
    return PAGE;
}

static void file_thread(struct bench *b)
{
    pthread_t thread;

    atomic_store(&helper_state, 0);
    if (pthread_create(&thread, NULL, helper, NULL) != 0) {
        abort();
    }
    read_all(b, file_open(), by_thread);
    helper_set(3);
    pthread_join(thread, NULL);
}

static void read_by_ring(struct uring *u, int fd, unsigned n)
{
    uint64_t tag;
    int result;

    for (unsigned i = 0; i < n; i++) {
        uring_put(u, IORING_OP_READ, fd, pages[i], i);
    }
    uring_enter(u, n);
    for (unsigned i = 0; i < n; i++) {
        if (!uring_take(u, &tag, &result) || result != PAGE) {
            abort();
        }
    }
}

static void file_by_ring(struct bench *b, unsigned at_once)
{
    struct uring u;
    int fd = file_open();

    if (!uring_open(&u)) {
        bench_fail(b, "no io_uring here");
        return;
    }
    while (bench_next(b)) {
        bench_start(b);
        for (unsigned i = 0; i < READS; i += at_once) {
            read_by_ring(&u, fd, at_once);
        }
        bench_stop(b, (READS + at_once - 1) / at_once * at_once);
    }
    uring_close(&u);
    close(fd);
}

static void file_uring(struct bench *b)
{
    file_by_ring(b, 1);
}

static void file_uring_many(struct bench *b)
{
    file_by_ring(b, MANY);
}

/* --- echo --- */

static int pairs[PAIRS][2]; /* the client's end, the server's */
static char messages[PAIRS][MESSAGE];

static void pairs_open(void)
{
    for (int i = 0; i < PAIRS; i++) {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]) != 0) {
            abort();
        }
    }
}

static void pairs_close(void)
{
    for (int i = 0; i < PAIRS; i++) {
        close(pairs[i][0]);
        close(pairs[i][1]);
    }
}

static void ask_all(void)
{
    char text[MESSAGE] = "?";

    for (int i = 0; i < PAIRS; i++) {
        if (write(pairs[i][0], text, MESSAGE) != MESSAGE) {
            abort();
        }
    }
}

static void hear_all(void)
{
    char text[MESSAGE];

    for (int i = 0; i < PAIRS; i++) {
        if (read(pairs[i][0], text, MESSAGE) != MESSAGE) {
            abort();
        }
    }
}

static void answer_by_epoll(int epoll)
{
    struct epoll_event events[PAIRS];
    int answered = 0;

    while (answered < PAIRS) {
        int n = epoll_wait(epoll, events, PAIRS, -1);

        for (int i = 0; i < n; i++) {
            int k = (int)events[i].data.u32;

            if (read(pairs[k][1], messages[k], MESSAGE) != MESSAGE ||
                write(pairs[k][1], messages[k], MESSAGE) != MESSAGE) {
                abort();
            }
        }
        answered += n;
    }
}

static void echo_epoll(struct bench *b)
{
    int epoll = epoll_create1(0);

    pairs_open();
    for (unsigned i = 0; i < PAIRS; i++) {
        struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data.u32 = i};

        if (epoll_ctl(epoll, EPOLL_CTL_ADD, pairs[i][1], &e) != 0) {
            abort();
        }
    }
    while (bench_next(b)) {
        bench_start(b);
        for (int i = 0; i < ROUNDS; i++) {
            ask_all();
            answer_by_epoll(epoll);
            hear_all();
        }
        bench_stop(b, (uint64_t)ROUNDS * PAIRS);
    }
    pairs_close();
    close(epoll);
}

/* Tags below PAIRS are recvs, the others sends. */
static void answer_by_ring(struct uring *u)
{
    unsigned sent = 0;

    while (sent < PAIRS) {
        uint64_t tag;
        int result;

        uring_enter(u, 1);
        while (uring_take(u, &tag, &result)) {
            unsigned k = (unsigned)tag % PAIRS;

            if (result != MESSAGE) {
                abort();
            }
            if (tag < PAIRS) {
                uring_put(u, IORING_OP_SEND, pairs[k][1], messages[k],
                          tag + PAIRS);
            } else {
                uring_put(u, IORING_OP_RECV, pairs[k][1], messages[k],
                          tag - PAIRS);
                sent++;
            }
        }
    }
    uring_enter(u, 0);
}

static void echo_uring(struct bench *b)
{
    struct uring u;

    if (!uring_open(&u)) {
        bench_fail(b, "no io_uring here");
        return;
    }
    pairs_open();
    for (unsigned i = 0; i < PAIRS; i++) {
        uring_put(&u, IORING_OP_RECV, pairs[i][1], messages[i], i);
    }
    uring_enter(&u, 0);
    while (bench_next(b)) {
        bench_start(b);
        for (int i = 0; i < ROUNDS; i++) {
            ask_all();
            answer_by_ring(&u);
            hear_all();
        }
        bench_stop(b, (uint64_t)ROUNDS * PAIRS);
    }
    uring_close(&u);
    pairs_close();
}

static void __attribute__((constructor)) add_uring(void)
{
    static const struct bench_case all[] = {
        {.name = "file/pread", .fn = file_pread},
        {.name = "file/nowait", .fn = file_nowait},
        {.name = "file/thread", .fn = file_thread},
        {.name = "file/uring", .fn = file_uring},
        {.name = "file/uring64", .fn = file_uring_many},
        {.name = "echo/epoll", .fn = echo_epoll},
        {.name = "echo/uring", .fn = echo_uring},
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct bench_case c = all[i];

        c.flags = BENCH_BATCHES;
        bench_add(&c);
    }
}
