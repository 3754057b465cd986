/*
 * capture.h - what a test has printed, in bounded memory: the first half and
 * the last half of it, and how much there was between.
 */
#ifndef PTEST_CAPTURE_H
#define PTEST_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

struct capture {
    size_t half; /* bytes that head and tail may each hold */
    char *head;  /* the first */
    size_t head_n;
    size_t head_room;
    char *tail; /* the last: a ring of `half` bytes, until capture_end */
    size_t tail_n;
    size_t tail_at;    /* where the oldest of a full ring stands */
    uint64_t left_out; /* bytes between the two */
};

void capture_init(struct capture *c, size_t max);
/* Without memory it is left out. */
void capture_add(struct capture *c, const char *data, size_t n);
/* Nothing more will come: the tail stands in order from its first byte on. */
void capture_end(struct capture *c);
void capture_free(struct capture *c);

#endif
