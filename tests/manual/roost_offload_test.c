/*
 * roost_offload_test.c - files are read on other threads.
 */
#include "manual.h"
#include <sys/stat.h>

static char fifo[64];

#include <roost_offload.3.h>

TEST(a_file_is_hashed, "")
{
    char path[] = "/tmp/roost-manual-XXXXXX";
    int fd = mkstemp(path);
    roost_limiter disk;

    CHECK_EQ(roost_limiter_init(&disk, 1), 0);
    CHECK_EQ(write(fd, "ab", 2), 2);
    close(fd);
    CHECK_EQ(hash(path, &disk), 'a' * 31 + 'b');
    CHECK_EQ(hash_abandonable(path), 'a' * 31 + 'b');
    unlink(path);
    CHECK_EQ(hash(path, &disk), -ENOENT);
    roost_limiter_destroy(&disk);
}

static int cancelled(void *path)
{
    return hash_abandonable(path);
}

/* Nobody is there to write: the open blocks, and who waits leaves. */
TEST(an_abandoned_one_frees_its_own, "")
{
    char path[] = "/tmp/roost-manual-XXXXXX";
    roost_scope s;
    int fd;

    CHECK(mkdtemp(path) != NULL);
    strcat(strcpy(fifo, path), "/fifo");
    CHECK_EQ(mkfifo(fifo, 0600), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, cancelled, fifo), 0);
    CHECK_EQ(roost_settle(), 0);
    roost_scope_cancel(&s, 0);
    (void)roost_scope_close(&s, 0);
    fd = open(fifo, O_RDWR | O_NONBLOCK); /* it may go on, and end */
    close(fd);
    unlink(fifo);
    rmdir(path);
}
