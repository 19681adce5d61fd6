/*
 * Idle transactions wait in the worker's list with their arena and TX's slots, which stand ahead of begun_us;
 * everything from there on is cleared when one is taken.
 */
#include "engine/transaction.h"

#include "base/clock.h"
#include "engine/number.h"
#include "http/xml.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	MATCHES_FIRST = 64,  /* room for entries to begin with: what the Core Rule Set's bookkeeping takes */
	MATCHED_FIRST = 16,  /* likewise of MATCHED_VARS */
	STATUS_UNTOLD = 200, /* RESPONSE_STATUS until there is a response */
};

struct slice transaction_copy(struct transaction *t, struct slice s)
{
	struct slice copy;
	if (s.len == 0)
		return SLICE("");
	if (arena_copy(&t->arena, s, &copy) == 0)
		return copy;
	transaction_out_of_memory(t);
	return SLICE("");
}

struct match_entry *transaction_add_match(struct transaction *t)
{
	if (t->match_count == t->match_capacity) {
		uint32_t capacity = t->match_capacity == 0 ? MATCHES_FIRST : t->match_capacity * 2;
		struct match_entry *matches = arena_alloc(&t->arena, capacity * sizeof(*matches));
		if (matches == NULL)
			return NULL;
		if (t->match_count > 0)
			memcpy(matches, t->matches, t->match_count * sizeof(*matches));
		t->matches = matches;
		t->match_capacity = capacity;
	}
	return &t->matches[t->match_count++];
}

int transaction_add_matched(struct transaction *t, const struct matched *matched, size_t count)
{
	if (t->matched_capacity - t->matched_count < count) {
		size_t capacity = t->matched_capacity == 0 ? MATCHED_FIRST : t->matched_capacity * 2;
		capacity = capacity - t->matched_count < count ? t->matched_count + count : capacity;
		struct matched *all = arena_alloc(&t->arena, capacity * sizeof(*all));
		if (all == NULL)
			return -ENOMEM;
		if (t->matched_count > 0)
			memcpy(all, t->matched, t->matched_count * sizeof(*all));
		t->matched = all;
		t->matched_capacity = (uint32_t)capacity;
	}
	if (count > 0)
		memcpy(t->matched + t->matched_count, matched, count * sizeof(*matched));
	t->matched_count += (uint32_t)count;
	return 0;
}

static struct slice inner(struct guia_slice s)
{
	return slice_make(s.len == 0 ? (const void *)"" : s.ptr, s.len);
}

/* The seconds of the clock, then digits that no other transaction of the process has: unique, and sorted by time. */
static struct slice make_id(struct transaction *t)
{
	char text[48];
	uint64_t sequence = ++t->worker->sequence;
	struct hash_key key = t->plan->hash_key;
	uint64_t digits = hash_bytes(&key, slice_make(&sequence, sizeof(sequence)));
	int len = snprintf(text, sizeof(text), "%lld%06llu.%06llu", (long long)(t->begun_us / CLOCK_US_PER_S),
			   (unsigned long long)(t->begun_us % CLOCK_US_PER_S), (unsigned long long)(digits % 1000000));
	return transaction_copy(t, slice_make(text, (size_t)len));
}

static void set_connection(struct transaction *t, const struct guia_connection *connection, struct slice unique_id)
{
	t->client_address = transaction_copy(t, inner(connection->client_address));
	t->server_address = transaction_copy(t, inner(connection->server_address));
	t->server_name = transaction_copy(t, inner(connection->server_name));
	t->site = t->ruleset->settings.web_app_id.len > 0 ? t->ruleset->settings.web_app_id
							  : transaction_copy(t, inner(connection->site));
	t->client_port = connection->client_port;
	t->server_port = connection->server_port;
	t->unique_id = unique_id.len > 0 ? transaction_copy(t, unique_id) : make_id(t);
}

static void apply_settings(struct transaction *t)
{
	const struct settings *settings = &t->ruleset->settings;
	t->rule_engine = settings->rule_engine == SWITCH_UNSET ? SWITCH_OFF : settings->rule_engine;
	t->audit_engine = settings->audit_engine;
	t->request_body_access = settings->request_body_access;
	t->response_body_access = settings->response_body_access;
	t->parse_xml_into_args = settings->parse_xml_into_args;
	t->request_body.limit = settings->request_body_limit;
	t->request_body.rejects = settings->request_body_limit_rejects;
	t->response_body.limit = settings->response_body_limit;
	t->response_body.rejects = settings->response_body_limit_rejects;
	t->highest_severity = SEVERITY_UNSET;
	t->response_status = STATUS_UNTOLD;
	t->redact.extra = settings->redacted_names;
	t->redact.extra_count = settings->redacted_name_count;
	t->redact.memo = t->worker->redact_memo;
}

/* One that has ended, or a new one; its arena is reset. */
static struct transaction *take_idle(struct worker *worker, size_t cap)
{
	struct transaction *t = worker->idle;
	if (t != NULL) {
		worker->idle = t->next_idle;
		worker->idle_count--;
	} else {
		t = calloc(1, sizeof(*t));
		if (t == NULL)
			return NULL;
		arena_init(&t->arena, cap, WORKER_RETAIN_BYTES);
		t->arena.reserve = worker->reserve;
	}
	memset((uint8_t *)t + offsetof(struct transaction, begun_us), 0,
	       sizeof(*t) - offsetof(struct transaction, begun_us));
	t->worker = worker;
	t->arena.cap_bytes = cap;
	return t;
}

int transaction_begin(struct worker *worker, const struct plan *plan, const struct guia_connection *connection,
		      struct slice unique_id, int64_t now_us, struct transaction **ret_transaction)
{
	size_t cap = plan->ruleset->settings.transaction_memory_limit;
	if (cap == 0)
		cap = worker->options.transaction_memory_bytes;
	struct transaction *t = take_idle(worker, cap == 0 ? WORKER_MEMORY_BYTES : cap);
	if (t == NULL)
		return -ENOMEM;
	if (tx_begin(&t->tx, plan, &t->arena) != 0) {
		transaction_end(t);
		return -ENOMEM;
	}
	t->plan = plan;
	t->step = -1;
	t->ruleset = plan->ruleset;
	t->begun_us = now_us;
	apply_settings(t);
	set_connection(t, connection, unique_id);
	*ret_transaction = t;
	return 0;
}

void *transaction_holder(struct transaction *t)
{
	return t->holder;
}

void transaction_end(struct transaction *t)
{
	struct worker *worker = t->worker;
	xml_destroy(t->xml);
	t->xml = NULL;
	region_unmap(&t->request_body.region);
	region_unmap(&t->response_body.region);
	arena_reset(&t->arena);
	if (worker->idle_count == WORKER_IDLE_TRANSACTIONS) {
		arena_destroy(&t->arena);
		tx_destroy(&t->tx);
		free(t);
		return;
	}
	t->next_idle = worker->idle;
	worker->idle = t;
	worker->idle_count++;
}
