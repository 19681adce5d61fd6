/* Guia's engine, fed and asked as the gate does it. */
#ifndef BENCH_OURS_H
#define BENCH_OURS_H

#include "sample.h"
#include "verdict.h"

#include "guia.h"

struct ours;

/* Compiles a rule file; prints diagnostics to stderr. NULL on failure. */
struct ours *ours_new(struct guia_pool *pool, const char *rules_file);
void ours_free(struct ours *ours);

/*
 * One transaction from beginning to end: all phases, the lines of the error log, the audit record. Returns the status.
 * What is matched is read only where `ret_verdict` is not NULL: that costs time. A profiler may collect this function
 * alone.
 */
int ours_run(struct ours *ours, const struct sample *sample, struct verdict *ret_verdict);

#endif
