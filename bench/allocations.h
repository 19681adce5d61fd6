/* How often malloc, calloc, realloc and their kin are called in this process while `allocations_counting`. */
#ifndef BENCH_ALLOCATIONS_H
#define BENCH_ALLOCATIONS_H

#include <stdbool.h>

extern bool allocations_counting;
extern unsigned long allocations_counted;

#endif
