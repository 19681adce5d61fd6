/* Our engine by its public interface, phase by phase; what it tells, as an outcome to hold against libmodsecurity's. */
#include "gate.h"

#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>

struct gate {
	struct guia_rules *rules;
	struct guia_collection_store *store;
	struct guia_worker *worker;
	struct guia_transaction *transaction; /* of the last run */
	bool scored;
	bool reference;
	struct arena names; /* of TX, lower case; of the last run */
};

enum { NAMES_BYTES = 16 << 20 };

static void print_diagnostic(void *context, const struct guia_diagnostic *diagnostic)
{
	(void)context;
	fputs(diagnostic->text, stderr);
}

static struct guia_slice given(struct slice s)
{
	return (struct guia_slice){s.ptr, s.len};
}

static struct slice taken(struct guia_slice s)
{
	return slice_make(s.ptr, s.len);
}

bool gate_forget(struct gate *gate)
{
	struct guia_worker_options options = {.store = gate->store, .reference_path = gate->reference};
	guia_transaction_end(gate->transaction);
	gate->transaction = NULL;
	guia_worker_free(gate->worker);
	gate->worker = NULL;
	return guia_worker_new(&options, &gate->worker) == 0 && guia_worker_prepare(gate->worker, gate->rules) == 0;
}

struct gate *gate_new(struct guia_pool *pool, const char *rules_file, bool reference)
{
	struct gate *gate = calloc(1, sizeof(*gate));
	struct guia_source source = {.kind = GUIA_SOURCE_FILE, .text = rules_file};
	if (gate == NULL)
		return NULL;
	arena_init(&gate->names, NAMES_BYTES, NAMES_BYTES);
	gate->reference = reference;
	if (guia_rules_compile(pool, &source, 1, print_diagnostic, NULL, &gate->rules, NULL) == 0 &&
	    guia_store_new_local(1 << 20, &gate->store) == 0 && gate_forget(gate))
		return gate;
	gate_free(gate);
	return NULL;
}

void gate_free(struct gate *gate)
{
	if (gate == NULL)
		return;
	guia_transaction_end(gate->transaction);
	guia_worker_free(gate->worker);
	guia_store_free_local(gate->store);
	guia_rules_unref(gate->rules);
	arena_destroy(&gate->names);
	free(gate);
}

static bool over(struct guia_verdict verdict, struct outcome *outcome)
{
	if (verdict.action == GUIA_PASS)
		return false;
	outcome->status = verdict.status;
	return true;
}

static bool run_request(struct guia_transaction *t, const struct sample *e, struct outcome *outcome)
{
	struct guia_slice protocol;
	char text[32];
	int length = snprintf(text, sizeof(text), "HTTP/%.*s", SLICE_ARG(e->version));
	protocol = (struct guia_slice){(const uint8_t *)text, (size_t)length};
	guia_request_line(t, given(e->method), given(e->uri), protocol);
	for (size_t i = 0; i < e->header_count; i++)
		guia_request_header(t, given(e->headers[i].name), given(e->headers[i].value));
	if (over(guia_request_headers_done(t), outcome))
		return false;
	if (e->body.len > 0 && guia_request_body_wanted(t))
		guia_request_body(t, given(e->body), true);
	return !over(guia_request_body_done(t), outcome);
}

static void run_response(struct guia_transaction *t, const struct sample *e, struct outcome *outcome)
{
	static const struct guia_slice protocol = {(const uint8_t *)"HTTP/1.1", 8};
	for (size_t i = 0; i < e->response_header_count; i++)
		guia_response_header(t, given(e->response_headers[i].name), given(e->response_headers[i].value));
	if (over(guia_response_headers_done(t, (uint16_t)e->response_status, protocol), outcome))
		return;
	if (e->response_body.len > 0 && guia_response_body_wanted(t))
		guia_response_body(t, given(e->response_body), true);
	over(guia_response_body_done(t), outcome);
}

/* Without memory the name stays as it is, and differs. */
static struct slice lower_case(struct slice name, struct arena *arena)
{
	uint8_t *out = arena_alloc(arena, name.len + 1);
	if (out == NULL)
		return name;
	for (size_t i = 0; i < name.len; i++)
		out[i] = byte_lower(name.ptr[i]);
	return slice_make(out, name.len);
}

static int by_name(const void *a, const void *b)
{
	const struct outcome_tx *x = a;
	const struct outcome_tx *y = b;
	return slice_compare(x->name, y->name);
}

static void read_outcome(struct gate *gate, struct outcome *outcome)
{
	size_t count = guia_match_count(gate->transaction);
	gate->scored = false;
	arena_reset(&gate->names);
	for (size_t i = 0; i < count && i < OUTCOME_MATCHES_MAX; i++) {
		struct guia_match match;
		guia_match_at(gate->transaction, i, &match);
		outcome->matches[outcome->match_count++] =
			(struct outcome_match){match.rule_id, match.chain_depth, match.completed};
		gate->scored = gate->scored || match.scored;
	}
	struct guia_slice name, value;
	for (size_t i = 0; i < OUTCOME_TX_MAX && guia_tx_at(gate->transaction, i, &name, &value); i++)
		outcome->tx[outcome->tx_count++] =
			(struct outcome_tx){lower_case(taken(name), &gate->names), taken(value)};
	qsort(outcome->tx, outcome->tx_count, sizeof(outcome->tx[0]), by_name);
}

void gate_run(struct gate *gate, const struct sample *sample, struct outcome *ret_outcome)
{
	const struct guia_slice loopback = {(const uint8_t *)"127.0.0.1", 9};
	const struct guia_connection connection = {.client_address = given(sample->client),
						   .client_port = 40000,
						   .server_address = loopback,
						   .server_port = 80};
	ret_outcome->match_count = 0;
	ret_outcome->tx_count = 0;
	ret_outcome->status = 200;
	guia_transaction_end(gate->transaction);
	gate->transaction = NULL;
	if (guia_transaction_begin(gate->worker, gate->rules, &connection, (struct guia_slice){0}, 1700000000000000,
				   &gate->transaction) != 0) {
		ret_outcome->status = -1;
		return;
	}
	if (run_request(gate->transaction, sample, ret_outcome))
		run_response(gate->transaction, sample, ret_outcome);
	guia_transaction_log(gate->transaction, (uint16_t)ret_outcome->status, sample->response_body.len);
	read_outcome(gate, ret_outcome);
}

bool gate_scored(const struct gate *gate)
{
	return gate->scored;
}
