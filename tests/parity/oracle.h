/*
 * libmodsecurity as an oracle: which rules and links returned true (its debug log says so for every one, bookkeeping
 * included), the final TX and the status. Tests only.
 */
#ifndef PARITY_ORACLE_H
#define PARITY_ORACLE_H

#include "sample.h"

#ifdef __cplusplus
extern "C" {
#endif

struct oracle;

/* Loads a rule file. On failure NULL, and *ret_error a message that stays until the next call. */
struct oracle *oracle_new(const char *rules_file, const char **ret_error);
void oracle_free(struct oracle *oracle);

/* Slices in *ret_outcome live until the next call. */
void oracle_run(struct oracle *oracle, const struct sample *sample, struct outcome *ret_outcome);

/* The ids of its rules, chains once, in order of evaluation. Up to `capacity` of them; returns how many there are. */
size_t oracle_rule_ids(const struct oracle *oracle, int64_t *ids, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
