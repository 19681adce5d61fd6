/* Fast path and gate against the reference path: all that they tell of one request, as text. */
#include "paths.h"

#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>

enum { STORE_BYTES = 1 << 20, TIMES = 2 };

static void on_diagnostic(void *context, const struct guia_diagnostic *diagnostic)
{
	const bool *quiet = context;
	if (diagnostic->severity == GUIA_ERROR && !*quiet)
		printf("# %s", diagnostic->text);
}

static int open_worker(struct paths *paths, enum path path)
{
	struct guia_worker_options options = {
		.verdicts_only = path == PATH_GATE,
		.reference_path = path == PATH_REFERENCE,
	};
	int r = guia_store_new_local(STORE_BYTES, &paths->stores[path]);
	options.store = paths->stores[path];
	if (r == 0)
		r = guia_worker_new(&options, &paths->workers[path]);
	return r != 0 ? r : guia_worker_prepare(paths->workers[path], paths->rules);
}

int paths_open(struct paths *paths, struct guia_pool *pool, const struct guia_source *source, bool quiet)
{
	*paths = (struct paths){0};
	int r = guia_rules_compile(pool, source, 1, on_diagnostic, &quiet, &paths->rules, NULL);
	for (enum path path = 0; path < PATH_COUNT && r == 0; path++)
		r = open_worker(paths, path);
	return r;
}

void paths_close(struct paths *paths)
{
	for (enum path path = 0; path < PATH_COUNT; path++) {
		guia_worker_free(paths->workers[path]);
		if (paths->stores[path] != NULL)
			guia_store_free_local(paths->stores[path]);
	}
	guia_rules_unref(paths->rules);
}

static void describe_verdict(const struct guia_summary *summary, struct buffer *out)
{
	buffer_printf(out, "verdict %d %u %lld %d ", summary->verdict.action, summary->verdict.status,
		      (long long)summary->verdict.rule_id, summary->verdict.would_block);
	buffer_add(out, exchange_in(summary->verdict.redirect_to));
	buffer_printf(out, "\nscores %lld %lld\n", (long long)summary->inbound_score,
		      (long long)summary->outbound_score);
}

/* Everything that must be equal, as text. */
static void describe_all(struct guia_transaction *t, struct buffer *out)
{
	struct guia_summary summary;
	struct guia_slice name;
	struct guia_slice value;
	guia_transaction_summary(t, &summary);
	describe_verdict(&summary, out);
	for (size_t i = 0; i < guia_match_count(t); i++) {
		struct guia_match match;
		guia_match_at(t, i, &match);
		buffer_printf(out, "%lld/%u %d%d%d ", (long long)match.rule_id, match.chain_depth, match.completed,
			      match.logged, match.scored);
		buffer_add(out, exchange_in(match.variable));
		buffer_byte(out, '\n');
	}
	for (size_t i = 0; guia_tx_at(t, i, &name, &value); i++) {
		buffer_add(out, exchange_in(name));
		buffer_byte(out, '=');
		buffer_add(out, exchange_in(value));
		buffer_byte(out, '\n');
	}
	for (size_t i = 0; i < guia_log_line_count(t); i++) {
		buffer_add(out, exchange_in(guia_log_line_at(t, i)));
		buffer_byte(out, '\n');
	}
	buffer_add(out, exchange_in(guia_audit_record(t)));
}

/* What a gate tells. */
static void describe_gate(struct guia_transaction *t, struct buffer *out)
{
	struct guia_summary summary;
	guia_transaction_summary(t, &summary);
	describe_verdict(&summary, out);
	for (size_t i = 0; i < guia_log_line_count(t); i++) {
		/* What a rule without captures of its own quotes of another's is left out: a gate may not have it. */
		struct slice line = exchange_in(guia_log_line_at(t, i));
		size_t data = slice_find(line, SLICE("[data \""), 0);
		buffer_add(out, slice_sub(line, 0, data));
		buffer_add(out, slice_after(line, slice_find(line, SLICE("[severity"), data)));
		buffer_byte(out, '\n');
	}
	buffer_printf(out, "%saudited\n", guia_audit_record(t).len > 0 ? "" : "not ");
}

static struct guia_transaction *run(struct paths *paths, enum path path, const struct exchange *exchange)
{
	struct guia_transaction *t;
	struct guia_connection connection = exchange_connection(exchange->request->host);
	unsigned status;
	if (guia_transaction_begin(paths->workers[path], paths->rules, &connection, exchange_out(SLICE("collide")),
				   1700000000000000, &t) != 0 ||
	    exchange_run(t, exchange, &status) != 0)
		abort();
	return t;
}

/* What differs, and a little before it. */
static bool compare(const char *name, struct slice text, struct slice reference, struct buffer *difference)
{
	enum { BEFORE = 40, SHOWN = 400 };
	struct slice a;
	struct slice b;
	size_t at = 0;
	if (slice_equal(text, reference))
		return true;
	do {
		text = slice_cut(text, '\n', &a);
		reference = slice_cut(reference, '\n', &b);
	} while (slice_equal(a, b) && (text.len > 0 || reference.len > 0));
	while (at < a.len && at < b.len && a.ptr[at] == b.ptr[at])
		at++;
	at = at > BEFORE ? at - BEFORE : 0;
	a = slice_sub(a, at, at + SHOWN);
	b = slice_sub(b, at, at + SHOWN);
	buffer_printf(difference, "# %s [%.*s] reference [%.*s]\n", name, SLICE_ARG(a), SLICE_ARG(b));
	return false;
}

static bool agree_once(struct paths *paths, const struct exchange *exchange, struct buffer *difference)
{
	struct guia_transaction *transactions[PATH_COUNT];
	struct buffer texts[2 * PATH_COUNT];
	for (enum path path = 0; path < PATH_COUNT; path++) {
		transactions[path] = run(paths, path, exchange);
		texts[path] = buffer_make(NULL);
		texts[PATH_COUNT + path] = buffer_make(NULL);
		describe_gate(transactions[path], &texts[PATH_COUNT + path]);
		describe_all(transactions[path], &texts[path]);
		guia_transaction_end(transactions[path]);
	}
	bool fast = compare("fast", buffer_slice(&texts[PATH_FAST]), buffer_slice(&texts[PATH_REFERENCE]), difference);
	bool gate = compare("gate", buffer_slice(&texts[PATH_COUNT + PATH_GATE]),
			    buffer_slice(&texts[PATH_COUNT + PATH_REFERENCE]), difference);
	for (size_t i = 0; i < 2 * PATH_COUNT; i++)
		buffer_free(&texts[i]);
	return fast && gate;
}

bool paths_agree(struct paths *paths, const struct request *request, exchange_origin_fn *origin, void *context,
		 struct arena *arena, struct buffer *difference)
{
	const struct exchange exchange = {request, origin, context, arena};
	bool agree = true;
	for (unsigned time = 0; time < TIMES && agree; time++) {
		agree = agree_once(paths, &exchange, difference);
		if (!agree && time > 0)
			buffer_text(difference, "# when it was asked again\n");
	}
	return agree;
}

void paths_tell(struct slice wire)
{
	printf("# ");
	for (size_t i = 0; i < wire.len && i < 2000; i++)
		printf(wire.ptr[i] >= ' ' && wire.ptr[i] <= '~' ? "%c" : "\\x%02x", wire.ptr[i]);
	printf("\n");
}
