/*
 * pieces.c - the list of pieces: see pieces.h. Nothing here is shared: a list
 * belongs to one task.
 */
#include "pieces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file with a line or two must not cost more than it says; one with many
 * should not cost an allocation a line. */
#define PIECE_ROOM_MIN 480
#define PIECE_ROOM_MAX (64 * 1024)

static struct piece *add_piece(struct pieces *list, int fd, size_t n)
{
    size_t room = PIECE_ROOM_MIN;
    struct piece *p;

    if (list->last != NULL && !list->line_each) {
        room = list->last->room * 4;
        room = room < PIECE_ROOM_MAX ? room : PIECE_ROOM_MAX;
    }
    room = list->line_each || room < n ? n : room;
    p = malloc(sizeof *p + room);
    if (p == NULL) {
        return NULL;
    }
    *p = (struct piece){.room = room, .fd = fd};
    if (list->last == NULL) {
        list->first = p;
    } else {
        list->last->next = p;
    }
    list->last = p;
    list->held += sizeof *p + room;
    return p;
}

char *pieces_room(struct pieces *list, int fd, size_t n)
{
    struct piece *p = list->last;

    if (p == NULL || p->fd != fd || p->room - p->size < n || list->line_each) {
        p = add_piece(list, fd, n);
    }
    return p == NULL ? NULL : p->bytes + p->size;
}

void pieces_add(struct pieces *list, size_t n)
{
    list->last->size += n;
}

int pieces_notice(struct pieces *list, const char *path, const char *text)
{
    const char *parts[] = {"treegrep: ", path, ": ", text, "\n"};
    size_t i, n = 0;
    char *to;

    for (i = 0; i < sizeof parts / sizeof *parts; i++) {
        n += strlen(parts[i]);
    }
    to = pieces_room(list, STDERR_FILENO, n);
    if (to == NULL) {
        return -ENOMEM;
    }
    for (i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t length = strlen(parts[i]);

        memcpy(to, parts[i], length);
        to += length;
    }
    pieces_add(list, n);
    return 0;
}

void pieces_error(struct pieces *list, const char *path, const char *text)
{
    bool line_each = list->line_each;

    /* A piece of its own, since a piece is one error or none. */
    list->line_each = true;
    if (pieces_notice(list, path, text) == 0) {
        list->last->trouble = true;
    } else {
        list->untold++;
    }
    list->line_each = line_each;
}

void pieces_move(struct pieces *to, struct pieces *from)
{
    if (from->first != NULL) {
        if (to->last == NULL) {
            to->first = from->first;
        } else {
            to->last->next = from->first;
        }
        to->last = from->last;
        to->held += from->held;
        to->paid += from->paid;
        from->first = NULL;
        from->last = NULL;
        from->held = 0;
        from->paid = 0;
    }
    to->untold += from->untold;
    from->untold = 0;
}

struct piece *pieces_take(struct pieces *list)
{
    struct piece *p = list->first;

    if (p != NULL) {
        list->first = p->next;
        list->last = p->next == NULL ? NULL : list->last;
        list->held -= sizeof *p + p->room;
        p->next = NULL;
    }
    return p;
}

void pieces_free(struct pieces *list)
{
    struct piece *p;

    while ((p = pieces_take(list)) != NULL) {
        free(p);
    }
}

const char *error_words(int errnum, char words[ERROR_WORDS_SIZE])
{
    return strerror_r(errnum, words, ERROR_WORDS_SIZE);
}
