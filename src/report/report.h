/*
 * The report of an incident: one HTML document that needs nothing else, on a screen or on A4. It is ready while the
 * incident runs: each of its parts is filled, or says that something is not yet known. It speaks of addresses and of
 * what they sent, never of people.
 */
#ifndef GUIA_REPORT_REPORT_H
#define GUIA_REPORT_REPORT_H

#include "casebook/store.h"
#include "report/phrases.h"

/* 0, or what the store answers. */
int report_add(struct case_store *store, const struct case_record *record, enum language language, uint64_t now_ms,
	       struct buffer *out);

#endif
