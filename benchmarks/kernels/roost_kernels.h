/* roost_kernels.h - the kernels on roost, one a file, for roost_kernels.c. */
#ifndef BENCH_ROOST_KERNELS_H
#define BENCH_ROOST_KERNELS_H

#include "kernels.h"
#include <roost/roost.h>

uint64_t kernel_fib(unsigned n);
uint64_t kernel_queens(const struct queens *q);
uint64_t kernel_skynet(void);
uint64_t kernel_uts(void);
void kernel_storm(uint8_t *slots, size_t n);
void kernel_matmul(const struct matmul *p);

#endif
