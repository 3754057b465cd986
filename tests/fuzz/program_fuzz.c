/*
 * program_fuzz.c - bytes as a random program (tests/random): what must hold for
 * those that are made up must hold for all.
 */
#include "fuzz.h"

#include "../random/judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct program p;
    struct verdict v;

    program_parse(&p, data, size);
    judge_here(&p, &v);
    if (v.said[0] != '\0') {
        program_print(&p, stderr);
        fprintf(stderr, "random --replay ");
        program_hex(&p, stderr);
        fprintf(stderr, "\n");
        fuzz_check(0, v.said);
    }
    return 0;
}
