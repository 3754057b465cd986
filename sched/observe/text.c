/*
 * text.c - a text that grows while it is put together.
 *
 * WHAT    What is found out under locks is noted here and written after them,
 *         since whoever reads it may be slow, or gone.
 * MODEL   Pieces of PIECE bytes in a list; a line may begin in one and end in
 *         the next.
 */
#include "observe/text.h"

#include "base/alloc.h"
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#define PIECE 65536

struct text_piece {
    struct text_piece *next;
    size_t used;
    char bytes[PIECE];
};

static bool grow(struct text *t)
{
    struct text_piece *piece = alloc_bytes(sizeof(*piece));

    if (piece == NULL) {
        return false;
    }
    piece->next = NULL;
    piece->used = 0;
    if (t->first == NULL) {
        t->first = piece;
    } else {
        t->last->next = piece;
    }
    t->last = piece;
    return true;
}

/* Into the last piece, if it has room. */
static bool fits(struct text *t, const char *format, va_list args)
{
    struct text_piece *last = t->last;
    size_t room = PIECE - last->used;
    int n = vsnprintf(last->bytes + last->used, room, format, args);

    if (n < 0 || (size_t)n >= room) {
        return false;
    }
    last->used += (size_t)n;
    return true;
}

bool text_add(struct text *t, const char *format, va_list args)
{
    va_list again;
    bool added;

    va_copy(again, args);
    added = t->first != NULL && fits(t, format, args);
    added = added || (grow(t) && fits(t, format, again));
    va_end(again);
    return added;
}

static int write_piece(const struct text_piece *piece, int fd)
{
    size_t done = 0;

    while (done < piece->used) {
        ssize_t n = write(fd, piece->bytes + done, piece->used - done);

        if (n >= 0) {
            done += (size_t)n;
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

int text_write(struct text *t, int fd)
{
    int rc = 0;

    while (t->first != NULL) {
        struct text_piece *piece = t->first;

        rc = rc == 0 ? write_piece(piece, fd) : rc;
        t->first = piece->next;
        alloc_free(piece);
    }
    return rc;
}
