/*
 * input.c - plain files by read(2), .gz by zlib.
 *
 * A file named .gz is unpacked as zgrep does it (gzip -cdf): members may follow
 * each other; from where none begins the rest is taken as it is, which is all
 * of a file that was never packed. What was unpacked before an error is
 * delivered first: a broken file gives its lines up to there.
 */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define GZIP_ID1 0x1f
#define GZIP_ID2 0x8b
#define GZIP_ONLY (15 + 16) /* to inflateInit2: the largest window, gzip */

/* Opens the directory that the first bytes of path name, *path being moved
 * behind them; at is closed. The descriptor or -errno. */
static int open_front(int at, const char **path)
{
    char part[PATH_MAX];
    const char *cut = memrchr(*path, '/', PATH_MAX - 1);
    int fd = -ENAMETOOLONG;

    if (cut != NULL && cut != *path) {
        memcpy(part, *path, (size_t)(cut - *path));
        part[cut - *path] = '\0';
        *path = cut + strspn(cut, "/");
        fd = openat(at, part, O_PATH | O_DIRECTORY | O_CLOEXEC);
        fd = fd < 0 ? -errno : fd;
    }
    if (at != AT_FDCWD) {
        close(at);
    }
    return fd;
}

/*
 * The kernel takes paths below PATH_MAX only; a longer one is opened piece by
 * piece. So no descriptor is kept for a directory, however deep the tree.
 */
static int open_long(const char *path, int flags)
{
    int at = AT_FDCWD;
    int fd;

    while (strlen(path) >= PATH_MAX) {
        at = open_front(at, &path);
        if (at < 0) {
            return at;
        }
    }
    fd = openat(at, path, flags | O_CLOEXEC);
    fd = fd < 0 ? -errno : fd;
    close(at);
    return fd;
}

int open_path(const char *path, int flags)
{
    int fd;

    if (strlen(path) >= PATH_MAX) {
        return open_long(path, flags);
    }
    fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    return fd;
}

static bool ends_in_gz(const char *path)
{
    size_t n = strlen(path);

    return n > 3 && strcmp(path + n - 3, ".gz") == 0;
}

int input_open(struct input *in, const char *path, bool command_line)
{
    int flags = O_RDONLY | O_NOCTTY | O_NONBLOCK;
    int fd = open_path(path, flags | (command_line ? 0 : O_NOFOLLOW));
    int rc = 0;

    if (fd < 0) {
        bool link = fd == -ELOOP && !command_line;
        /* A socket cannot be opened; a device may have no driver. */
        return link || fd == -ENXIO || fd == -ENODEV ? -ENOTSUP : fd;
    }
    if (fstat(fd, &in->stat) != 0) {
        rc = -errno;
    } else if (S_ISDIR(in->stat.st_mode)) {
        rc = -EISDIR;
    } else if (!S_ISREG(in->stat.st_mode)) {
        rc = -ENOTSUP;
    }
    if (rc != 0) {
        close(fd);
        return rc;
    }
    in->fd = fd;
    in->kind = ends_in_gz(path) ? INPUT_BETWEEN : INPUT_PLAIN;
    in->at_end = false;
    in->problem = NULL;
    in->z.next_in = in->packed;
    in->z.avail_in = 0;
    return 0;
}

static int fail(struct input *in, const char *problem)
{
    in->kind = INPUT_ENDED;
    in->problem = problem;
    return -1;
}

static ssize_t read_some(struct input *in, void *to, size_t room)
{
    ssize_t n;

    do {
        n = read(in->fd, to, room);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return fail(in, strerror_r(errno, in->words, sizeof in->words));
    }
    in->at_end = n == 0;
    return n;
}

/* Sees to it that so many packed bytes are there, unless the file ends before.
 * 0 or -1. */
static int fill(struct input *in, size_t wanted)
{
    memmove(in->packed, in->z.next_in, in->z.avail_in);
    in->z.next_in = in->packed;
    while (in->z.avail_in < wanted && !in->at_end) {
        ssize_t n = read_some(in, in->packed + in->z.avail_in,
                              sizeof in->packed - in->z.avail_in);
        if (n < 0) {
            return -1;
        }
        in->z.avail_in += (uInt)n;
    }
    return 0;
}

static bool member_follows(const struct input *in)
{
    return in->z.avail_in >= 2 && in->z.next_in[0] == GZIP_ID1 &&
           in->z.next_in[1] == GZIP_ID2;
}

static int start_member(struct input *in)
{
    int rc = in->z_ready ? inflateReset2(&in->z, GZIP_ONLY)
                         : inflateInit2(&in->z, GZIP_ONLY);
    if (rc != Z_OK) {
        return fail(in, strerror_r(ENOMEM, in->words, sizeof in->words));
    }
    in->z_ready = true;
    in->kind = INPUT_GZIP;
    return 0;
}

/* The words of gzip for what zlib found. */
static const char *describe(const struct input *in, int rc)
{
    const char *words = in->z.msg == NULL ? "" : in->z.msg;

    if (rc == Z_BUF_ERROR) {
        return "unexpected end of file";
    }
    if (rc == Z_MEM_ERROR) {
        return "Cannot allocate memory";
    }
    if (strstr(words, "data check") != NULL) {
        return "invalid compressed data--crc error";
    }
    if (strstr(words, "length check") != NULL) {
        return "invalid compressed data--length error";
    }
    return "invalid compressed data--format violated";
}

/* One step of unpacking: bytes, 0 if it has to be asked again, or -1. */
static ssize_t unpack(struct input *in, char *to, size_t room)
{
    int rc;

    if (in->z.avail_in == 0 && fill(in, 1) != 0) {
        return -1;
    }
    in->z.next_out = (unsigned char *)to;
    in->z.avail_out = room < UINT_MAX ? (uInt)room : UINT_MAX;
    room = in->z.avail_out;
    rc = inflate(&in->z, Z_NO_FLUSH);
    if (rc == Z_STREAM_END) {
        in->kind = INPUT_BETWEEN;
    } else if (rc != Z_OK && !(rc == Z_BUF_ERROR && !in->at_end)) {
        fail(in, describe(in, rc));
    }
    return (ssize_t)(room - in->z.avail_out);
}

static ssize_t read_rest(struct input *in, char *to, size_t room)
{
    size_t n = in->z.avail_in < room ? in->z.avail_in : room;

    if (n == 0) {
        return read_some(in, to, room);
    }
    memcpy(to, in->z.next_in, n);
    in->z.next_in += n;
    in->z.avail_in -= (uInt)n;
    return (ssize_t)n;
}

/* One step on the way through a packed file: bytes, 0 if there are none yet or
 * it has ended, or -1. */
static ssize_t step(struct input *in, char *to, size_t room)
{
    ssize_t n;

    switch (in->kind) {
    case INPUT_GZIP:
        return unpack(in, to, room);
    case INPUT_REST:
        n = read_rest(in, to, room);
        in->kind = n > 0 ? INPUT_REST : INPUT_ENDED;
        return n;
    case INPUT_BETWEEN:
        if (fill(in, 2) != 0) {
            return -1;
        }
        if (member_follows(in)) {
            return start_member(in);
        }
        in->kind = INPUT_REST;
        return 0;
    default:
        return 0;
    }
}

ssize_t input_read(struct input *in, char *to, size_t room)
{
    size_t done = 0;

    if (in->kind == INPUT_PLAIN) {
        return read_some(in, to, room);
    }
    /* A whole block, so that what is in it does not depend on how it was
     * packed. */
    while (done < room && in->kind != INPUT_ENDED) {
        ssize_t n = step(in, to + done, room - done);

        done += n > 0 ? (size_t)n : 0;
    }
    if (done == 0 && in->problem != NULL) {
        return -1;
    }
    return (ssize_t)done;
}

bool input_has_hole(struct input *in, size_t so_far)
{
    off_t hole;

    if (in->kind != INPUT_PLAIN || (off_t)so_far >= in->stat.st_size) {
        return false;
    }
    hole = lseek(in->fd, (off_t)so_far, SEEK_HOLE);
    if (hole < 0) {
        return false;
    }
    return lseek(in->fd, (off_t)so_far, SEEK_SET) >= 0 &&
           hole < in->stat.st_size;
}

void input_close(struct input *in)
{
    close(in->fd);
}

void input_destroy(struct input *in)
{
    if (in->z_ready) {
        inflateEnd(&in->z);
    }
}
