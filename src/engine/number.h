/* Integers as decimal text in the transaction's arena. */
#ifndef GUIA_ENGINE_NUMBER_H
#define GUIA_ENGINE_NUMBER_H

#include "base/arena.h"

/* Small ones are shared constants. Empty when the arena is exhausted. */
struct slice number_text(struct arena *arena, int64_t number);

#endif
