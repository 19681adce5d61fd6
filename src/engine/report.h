/* What a transaction tells afterwards: summary, matches, TX, log lines, audit record. Nothing here holds a secret. */
#ifndef GUIA_ENGINE_REPORT_H
#define GUIA_ENGINE_REPORT_H

#include "engine/transaction.h"

void report_summary(const struct transaction *t, struct guia_summary *ret_summary);

/* Settled rules are matches like others. */
size_t report_match_count(const struct transaction *t);

/* `index` < report_match_count(). */
void report_match(struct transaction *t, size_t index, struct guia_match *ret_match);

/* A match that was settled when rules were loaded, as one of the transaction. */
struct match_entry report_settled(const struct course_match *match);

/* By name, sorted; false past the end. */
bool report_tx(struct transaction *t, size_t index, struct slice *ret_name, struct slice *ret_value);

/* `index` < log_count. Empty when the arena is exhausted. */
struct slice report_log_line(struct transaction *t, size_t index);

/* The same in parts. `tag` < tag_count. */
void report_log_entry(struct transaction *t, size_t index, struct guia_log_entry *ret_entry);
struct slice report_log_tag(const struct transaction *t, size_t index, size_t tag);

/* One line of JSON; empty if SecAuditEngine wants none, or the arena is exhausted. */
struct slice report_audit(struct transaction *t);
bool report_audit_is_wanted(struct transaction *t);

/* A text of somebody else's about the request, its URI, and its line and headers, without secrets; empty if the arena
 * is exhausted. */
struct slice report_redact(struct transaction *t, struct slice text);
struct slice report_redact_uri(struct transaction *t);
struct slice report_redact_head(struct transaction *t);

#endif
