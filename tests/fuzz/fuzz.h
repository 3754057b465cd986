/*
 * fuzz.h - what the targets of libFuzzer share: an oracle that ends the process
 * with a line, upon which libFuzzer keeps the input.
 */
#ifndef ROOST_FUZZ_H
#define ROOST_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void fuzz_check(int is, const char *what)
{
    if (!is) {
        fprintf(stderr, "fuzz: %s\n", what);
        abort();
    }
}

#endif
