/* What a fuzz target defines: it aborts where its invariant does not hold, and returns 0. */
#ifndef GUIA_FUZZ_TARGET_H
#define GUIA_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
