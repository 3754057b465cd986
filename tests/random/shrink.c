/*
 * shrink.c - makes a failing program small (Zeller, Hildebrandt, Simplifying
 * and isolating failure-inducing input, 2002): operations are left out in
 * halves, quarters and so on, bodies are opened, operands set to 0, and the
 * head is made plain, as long as it fails in the same way; each try for its own
 * seed and some others.
 */
#include "judge.h"

#include <string.h>

enum { SEEDS = 40 };

/* Takes it if it still fails so. */
static bool try(struct program *p, struct verdict *v, struct program *shorter)
{
    struct verdict got;

    program_settle(shorter);
    judge_apart(shorter, SEEDS, &got);
    if (strcmp(got.said, v->said) != 0) {
        return false;
    }
    *p = *shorter;
    *v = got;
    return true;
}

static void leave_out(struct program *p, unsigned from, unsigned n)
{
    n = n < p->count - from ? n : p->count - from;
    memmove(&p->ops[from], &p->ops[from + n],
            (p->count - from - n) * sizeof(*p->ops));
    p->count -= n;
}

static bool cut(struct program *p, struct verdict *v, unsigned n)
{
    bool any = false;
    unsigned at = 0;

    while (at < p->count) {
        struct program shorter = *p;

        leave_out(&shorter, at, n);
        if (try(p, v, &shorter)) {
            any = true;
        } else {
            at += n;
        }
    }
    return any;
}

/* Takes a body out of its block. */
static bool unwrap(struct program *p, struct verdict *v)
{
    bool any = false;

    for (unsigned at = 0; at < p->count; at++) {
        struct program shorter = *p;

        if (p->end[at] < p->count && p->ops[p->end[at]].code == OP_END) {
            leave_out(&shorter, p->end[at], 1);
            leave_out(&shorter, at, 1);
            any = try(p, v, &shorter) || any;
        }
    }
    return any;
}

static bool plain_head(struct program *p, struct verdict *v)
{
    static const uint8_t plain[] = {0, 0, 0, 0, 2, 0, 0, 0};
    bool any = false;

    for (unsigned i = 0; i < 5; i++) {
        struct program shorter = *p;

        if (p->head[i] != plain[i]) {
            shorter.head[i] = plain[i];
            any = try(p, v, &shorter) || any;
        }
    }
    return any;
}

static bool plain_operands(struct program *p, struct verdict *v)
{
    bool any = false;

    for (unsigned i = 0; i < 3 * p->count; i++) {
        struct program shorter = *p;
        struct op *o = &shorter.ops[i / 3];
        uint8_t *operand = i % 3 == 0 ? &o->a : i % 3 == 1 ? &o->b : &o->c;

        if (*operand != 0) {
            *operand = 0;
            any = try(p, v, &shorter) || any;
        }
    }
    return any;
}

void shrink(struct program *p, struct verdict *v)
{
    bool any = true;

    for (unsigned round = 0; round < 8 && any; round++) {
        any = plain_head(p, v);
        for (unsigned n = (p->count + 1) / 2; n > 0; n /= 2) {
            any = cut(p, v, n) || any;
        }
        any = unwrap(p, v) || any;
        any = plain_operands(p, v) || any;
    }
}
