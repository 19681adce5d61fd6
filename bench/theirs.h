/* libmodsecurity, fed as its nginx connector does it. */
#ifndef BENCH_THEIRS_H
#define BENCH_THEIRS_H

#include "sample.h"
#include "verdict.h"

#ifdef __cplusplus
extern "C" {
#endif

struct theirs;

/* Loads a rule file; prints why not to stderr and returns NULL on failure. */
struct theirs *theirs_new(const char *rules_file);
void theirs_free(struct theirs *theirs);

/* As ours_run. */
int theirs_run(struct theirs *theirs, const struct sample *sample, struct verdict *ret_verdict);

#ifdef __cplusplus
}
#endif

#endif
