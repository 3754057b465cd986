/*
 * program.h - a random program: a string of bytes, what it means, how it is
 * made up from a number, and how it reads.
 *
 *   byte 0      workers: 1 to 4
 *        1      how the simulation chooses: random, pct, bound
 *        2      faults: none (mostly), an allocation or a mapping, once or from
 *               then on
 *        3      at which call
 *        4      what waits without a deadline may do: wait for ever, or not
 *        5..7   the seed
 *   from 8 on   operations (ops.def), 4 bytes each: which, a, b, c
 *
 * Every string is a program, and so is what is left of one when operations are
 * taken out: a body that nobody ends goes on to the end, an END too many is
 * passed over.
 */
#ifndef RANDOM_PROGRAM_H
#define RANDOM_PROGRAM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { HEAD = 8, OPS_MAX = 96, BYTES_MAX = HEAD + 4 * OPS_MAX };

enum code {
#define OP(name, function, block, weight, text) OP_##name,
#include "ops.def"
#undef OP
    CODES
};

struct op {
    uint8_t code, a, b, c;
};

struct program {
    uint8_t head[HEAD];
    unsigned count;
    struct op ops[OPS_MAX];
    unsigned end[OPS_MAX]; /* of a block: where its END stands, or count */
};

enum fault_kind { FAULTS_NONE, FAULTS_HEAP, FAULTS_MAP };

unsigned program_workers(const struct program *p);
unsigned program_flags(const struct program *p); /* of roost_opts */
uint64_t program_seed(const struct program *p);
enum fault_kind program_faults(const struct program *p, unsigned *first,
                               int *sticky);
/* Whether what has no deadline waits for ever. */
int program_open(const struct program *p);
int program_has_faults(const struct program *p);

/* Of a SCOPE. */
unsigned program_scope_flags(const struct op *o);

/* Makes one up; the same for the same number. */
void program_generate(struct program *p, uint64_t number);
/* What bytes mean: as much of them as there is room for. */
void program_parse(struct program *p, const uint8_t *bytes, size_t n);
/* The bytes of it, at most BYTES_MAX: how many. */
size_t program_bytes(const struct program *p, uint8_t *bytes);
/* After operations were taken out or changed: where bodies end. */
void program_settle(struct program *p);
/* Parses hexadecimal digits. 0, or -1: they are none. */
int program_from_hex(struct program *p, const char *text);
void program_hex(const struct program *p, FILE *out);
void program_print(const struct program *p, FILE *out);
/* The one line of an operation. */
void program_print_op(const struct op *o, FILE *out);

#endif
