/*
 * input.h - the bytes of a file in blocks, unpacked where it is a .gz.
 */
#ifndef TREEGREP_INPUT_H
#define TREEGREP_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <zlib.h>

#define INPUT_PACKED_SIZE (32 * 1024)

enum input_kind {
    INPUT_PLAIN,
    INPUT_GZIP,    /* inside a member */
    INPUT_BETWEEN, /* before the first member, or after one */
    INPUT_REST,    /* what begins as no member: as it is, to the end */
    INPUT_ENDED
};

/* All zero is an input that was never opened; kept for many files, one after
 * the other, so that zlib's tables are allocated once. */
struct input {
    int fd;
    enum input_kind kind;
    bool z_ready;        /* inflateInit was called */
    bool at_end;         /* read(2) gave 0 */
    const char *problem; /* shown after the bytes before it are used up */
    struct stat stat;
    z_stream z;      /* next_in: what of packed is not used */
    char words[128]; /* where problem points for an errno */
    unsigned char packed[INPUT_PACKED_SIZE];
};

/*
 * Opens a file. command_line: symbolic links are followed.
 *   0; -EISDIR: it is a directory; -ENOTSUP: it is no regular file, or a
 *   symbolic link, and is to be skipped; another negative errno
 * Never blocks on a pipe or device.
 */
int input_open(struct input *in, const char *path, bool command_line);
/* Bytes (> 0), 0 at the end, or -1: in->problem says in words what it is. */
ssize_t input_read(struct input *in, char *to, size_t room);
/* Whether the rest of a plain file, of which so much was read, has a hole. */
bool input_has_hole(struct input *in, size_t so_far);
void input_close(struct input *in);
/* Frees what was kept for the next file. */
void input_destroy(struct input *in);

/* open(2), close-on-exec, of a path of any length. The descriptor or -errno. */
int open_path(const char *path, int flags);

#endif
