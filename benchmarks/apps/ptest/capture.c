/*
 * capture.c - see capture.h.
 *
 * INVARIANTS  left_out > 0 only with a full ring, or for want of memory. Bytes
 *             go to the tail only once the head is full (or cannot grow).
 */
#include "capture.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 4096 };

void capture_init(struct capture *c, size_t max)
{
    *c = (struct capture){.half = max / 2};
}

/* Room for n bytes of head, or for as many as there can be. */
static void grow_head(struct capture *c, size_t n)
{
    size_t room = c->head_room == 0 ? FIRST_ROOM : 2 * c->head_room;
    char *grown;

    n = n < c->half ? n : c->half;
    if (n <= c->head_room) {
        return;
    }
    room = room < n ? n : room;
    room = room < c->half ? room : c->half;
    grown = realloc(c->head, room);
    if (grown != NULL) {
        c->head = grown;
        c->head_room = room;
    }
}

static size_t add_head(struct capture *c, const char *data, size_t n)
{
    if (c->tail_n > 0 || c->left_out > 0) {
        return 0;
    }
    grow_head(c, c->head_n + n);
    if (n > c->head_room - c->head_n) {
        n = c->head_room - c->head_n;
    }
    if (n > 0) {
        memcpy(c->head + c->head_n, data, n);
        c->head_n += n;
    }
    return n;
}

/* n <= half: overwrites the oldest. */
static void add_tail(struct capture *c, const char *data, size_t n)
{
    size_t at = (c->tail_at + c->tail_n) % c->half;
    size_t first = n < c->half - at ? n : c->half - at;
    size_t over = c->tail_n + n > c->half ? c->tail_n + n - c->half : 0;

    memcpy(c->tail + at, data, first);
    memcpy(c->tail, data + first, n - first);
    c->tail_at = (c->tail_at + over) % c->half;
    c->tail_n += n - over;
    c->left_out += over;
}

void capture_add(struct capture *c, const char *data, size_t n)
{
    size_t taken = add_head(c, data, n);

    data += taken;
    n -= taken;
    if (n == 0) {
        return;
    }
    if (c->tail == NULL && c->half > 0) {
        c->tail = malloc(c->half);
    }
    if (c->tail == NULL) {
        c->left_out += n;
        return;
    }
    if (n > c->half) {
        c->left_out += n - c->half;
        data += n - c->half;
        n = c->half;
    }
    add_tail(c, data, n);
}

static void turn(char *data, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        char c = data[i];

        data[i] = data[n - 1 - i];
        data[n - 1 - i] = c;
    }
}

void capture_end(struct capture *c)
{
    if (c->tail_at > 0) { /* full, then */
        turn(c->tail, c->tail_at);
        turn(c->tail + c->tail_at, c->half - c->tail_at);
        turn(c->tail, c->half);
        c->tail_at = 0;
    }
}

void capture_free(struct capture *c)
{
    free(c->head);
    free(c->tail);
    *c = (struct capture){.half = 0};
}
