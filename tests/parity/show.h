/* Requests and outcomes as comments of TAP. */
#ifndef PARITY_SHOW_H
#define PARITY_SHOW_H

#include "delta.h"
#include "sample.h"

/* As commands of printf(1) that make the bytes. */
void show_sample(const struct sample *sample);

/* The rest of a line. */
void show_delta(const struct delta *delta, const struct outcome *ours, const struct outcome *theirs);

void show_matches(const char *whose, const struct outcome *outcome);

#endif
