/*
 * formats.h - a result as lines to read, as TAP, as an element of JUnit's XML.
 */
#ifndef PTEST_FORMATS_H
#define PTEST_FORMATS_H

#include <stdio.h>
#include <time.h>

#include "tally.h"

/* For whoever looks on: a line, and the output if there is a reason to. */
void text_result(FILE *out, const struct command *c, const struct result *r,
                 const struct options *o);
void text_end(FILE *out, const struct tally *t, roost_ns took);

/* TAP, version 13. */
void tap_begin(FILE *out, size_t count);
void tap_result(FILE *out, size_t number, const struct command *c,
                const struct result *r);
void tap_end(FILE *out, const struct tally *t);

void junit_case(FILE *out, const struct command *c, const struct result *r);
void junit_begin(FILE *out, const struct tally *t, roost_ns took,
                 const struct timespec *begun);
void junit_end(FILE *out);

#endif
