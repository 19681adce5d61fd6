#include "engine/report.h"

#include "codec/text.h"
#include "engine/variable.h"

#include <errno.h>
#include <stdlib.h>

enum { LOG_DATA = 200, LOG_URI = 200, LOG_REFERENCE = 200 };
enum { LINE_HEAD_BYTES = 512, LINE_BYTES = 2048 }; /* room to begin with */

static struct guia_slice outer(struct slice s)
{
	return (struct guia_slice){s.ptr, s.len};
}

static int64_t score(const struct transaction *t, int slot)
{
	struct tx_entry *entry = tx_get(&t->tx, slot);
	return entry == NULL ? 0 : tx_number(entry);
}

void report_summary(const struct transaction *t, struct guia_summary *ret_summary)
{
	const struct plan_scores *slots = &t->plan->scores;
	*ret_summary = (struct guia_summary){
		.inbound_score = score(t, slots->inbound),
		.outbound_score = score(t, slots->outbound),
		.inbound_threshold = score(t, slots->inbound_threshold),
		.outbound_threshold = score(t, slots->outbound_threshold),
		.verdict = t->verdict,
		.memory_exceeded = t->memory_exceeded,
		.scan_failed = t->scan_failed,
	};
}

size_t report_match_count(const struct transaction *t)
{
	size_t count = 0;
	for (uint32_t i = 0; i < t->match_count; i++)
		count += t->matches[i].settled == NULL ? 1 : t->matches[i].settled->match_count;
	return count;
}

struct match_entry report_settled(const struct course_match *match)
{
	return (struct match_entry){
		.rule = match->rule,
		.matched = match->matched,
		.completed = match->rule->next_link == NULL,
	};
}

static struct match_entry match_at(const struct transaction *t, size_t index)
{
	for (const struct match_entry *entry = t->matches;; entry++) {
		size_t count = entry->settled == NULL ? 1 : entry->settled->match_count;
		if (index >= count) {
			index -= count;
			continue;
		}
		if (entry->settled == NULL)
			return *entry;
		return report_settled(&entry->settled->matches[index]);
	}
}

void report_match(struct transaction *t, size_t index, struct guia_match *ret_match)
{
	struct match_entry found = match_at(t, index);
	const struct match_entry *entry = &found;
	*ret_match = (struct guia_match){
		.rule_id = entry->rule->id,
		.chain_depth = entry->rule->chain_depth,
		.phase = entry->rule->phase,
		.completed = entry->completed,
		.logged = entry->log != NULL,
		.scored = entry->scored,
		.message = entry->log == NULL ? outer(SLICE("")) : outer(entry->log->message),
		.data = entry->log == NULL ? outer(SLICE("")) : outer(entry->log->data),
		.variable = entry->rule->kind == RULE_ACTION ? outer(SLICE(""))
							     : outer(variable_full_name(t, &entry->matched)),
	};
}

/* How many present names sort before `name`: TX is small, and this is for commands and tests. */
static size_t rank_of(const struct transaction *t, struct slice name)
{
	size_t rank = 0;
	for (uint32_t i = 0; i < t->tx.order_count; i++)
		if (slice_compare(tx_name(&t->tx, (int)t->tx.order[i]), name) < 0)
			rank++;
	return rank;
}

bool report_tx(struct transaction *t, size_t index, struct slice *ret_name, struct slice *ret_value)
{
	for (uint32_t i = 0; i < t->tx.order_count; i++) {
		int handle = (int)t->tx.order[i];
		struct slice name = tx_name(&t->tx, handle);
		if (rank_of(t, name) != index)
			continue;
		*ret_name = name;
		*ret_value = tx_text(&t->tx, tx_get(&t->tx, handle));
		return true;
	}
	return false;
}

static void add_limited(struct buffer *out, struct slice text, size_t limit)
{
	if (text.len <= limit) {
		buffer_add(out, text);
		return;
	}
	buffer_add(out, slice_sub(text, 0, limit));
	buffer_text(out, " (");
	buffer_number(out, (int64_t)(text.len - limit));
	buffer_text(out, " characters omitted)");
}

/* `opening` is the space, the bracket, the name and the quote. */
static void add_quoted(struct buffer *out, struct slice opening, struct slice text)
{
	buffer_add(out, opening);
	text_add_log(out, text, true);
	buffer_text(out, "\"]");
}

static void add_number(struct buffer *out, struct slice opening, int64_t number)
{
	buffer_add(out, opening);
	buffer_number(out, number);
	buffer_text(out, "\"]");
}

static void add_head(struct transaction *t, const struct log_entry *entry, struct buffer *out)
{
	buffer_text(out, "[client ");
	buffer_add(out, t->client_address);
	buffer_text(out, "] ModSecurity: ");
	if (entry->disruptive) {
		buffer_text(out, "Access denied with code ");
		buffer_number(out, entry->status);
		buffer_text(out, " (phase ");
		buffer_number(out, entry->phase);
		buffer_text(out, "). ");
	} else {
		buffer_text(out, "Warning. ");
	}
	buffer_add(out, entry->match);
}

static void add_details(struct transaction *t, const struct log_entry *entry, struct buffer *out)
{
	const struct rule *rule = entry->rule;
	struct buffer limited = buffer_make(&t->arena);
	add_limited(&limited, entry->data, LOG_DATA);
	add_quoted(out, SLICE(" [file \""), slice_from_string(rule->file));
	add_number(out, SLICE(" [line \""), rule->line);
	add_number(out, SLICE(" [id \""), rule->id);
	add_quoted(out, SLICE(" [rev \""), rule->revision);
	add_quoted(out, SLICE(" [msg \""), entry->message);
	add_quoted(out, SLICE(" [data \""), buffer_slice(&limited));
	add_number(out, SLICE(" [severity \""), entry->severity);
	add_quoted(out, SLICE(" [ver \""), rule->version);
	add_number(out, SLICE(" [maturity \""), rule->maturity);
	add_number(out, SLICE(" [accuracy \""), rule->accuracy);
	for (size_t i = 0; i < rule->tag_count; i++)
		add_quoted(out, SLICE(" [tag \""), entry->tags[i]);
}

/* What all lines of a transaction tell: which request it was. */
static void add_request(struct transaction *t, struct buffer *out)
{
	if (t->log_tail.len == 0) {
		struct buffer path = buffer_make(&t->arena);
		struct buffer limited = buffer_make(&t->arena);
		struct buffer tail = buffer_make(&t->arena);
		redact_uri(&t->redact, t->uri.filename, &path);
		add_limited(&limited, buffer_slice(&path), LOG_URI);
		add_quoted(&tail, SLICE(" [hostname \""), t->server_address);
		add_quoted(&tail, SLICE(" [uri \""), buffer_slice(&limited));
		add_quoted(&tail, SLICE(" [unique_id \""), t->unique_id);
		out->error = path.error != 0 || limited.error != 0 ? -ENOMEM : tail.error;
		if (out->error != 0)
			return;
		t->log_tail = buffer_slice(&tail);
	}
	buffer_add(out, t->log_tail);
}

static void add_tail(struct transaction *t, const struct log_entry *entry, struct buffer *out)
{
	struct buffer limited = buffer_make(&t->arena);
	add_request(t, out);
	add_limited(&limited, entry->reference, LOG_REFERENCE);
	add_quoted(out, SLICE(" [ref \""), buffer_slice(&limited));
}

struct slice report_log_line(struct transaction *t, size_t index)
{
	struct buffer line = buffer_make(&t->arena);
	struct buffer escaped = buffer_make(&t->arena);
	const struct log_entry *entry = t->logs[index];
	buffer_reserve(&line, LINE_HEAD_BYTES);
	add_head(t, entry, &line);
	/* What is quoted below is escaped already; what is free text above may hold control bytes of a rule's argument.
	 */
	buffer_reserve(&escaped, LINE_BYTES);
	text_add_log(&escaped, buffer_slice(&line), false);
	add_details(t, entry, &escaped);
	add_tail(t, entry, &escaped);
	return line.error != 0 || escaped.error != 0 ? SLICE("") : buffer_slice(&escaped);
}

struct slice report_redact(struct transaction *t, struct slice text)
{
	struct buffer out = buffer_make(&t->arena);
	redact_text(&t->redact, SLICE(""), SLICE(""), text, &out);
	return out.error != 0 ? SLICE("") : buffer_slice(&out);
}

struct slice report_redact_uri(struct transaction *t)
{
	struct buffer out = buffer_make(&t->arena);
	redact_uri(&t->redact, t->uri.raw, &out);
	return out.error != 0 ? SLICE("") : buffer_slice(&out);
}

struct slice report_redact_head(struct transaction *t)
{
	const struct value_set *headers = &t->sets[VARIABLE_REQUEST_HEADERS];
	struct buffer out = buffer_make(&t->arena);
	buffer_add(&out, t->method);
	buffer_byte(&out, ' ');
	redact_uri(&t->redact, t->uri.raw, &out);
	buffer_byte(&out, ' ');
	buffer_add(&out, t->protocol);
	for (uint32_t i = 0; i < headers->count; i++) {
		buffer_byte(&out, '\n');
		buffer_add(&out, headers->items[i]->key);
		buffer_text(&out, ": ");
		redact_header(&t->redact, headers->items[i]->key, headers->items[i]->bytes, &out);
	}
	return out.error != 0 ? SLICE("") : buffer_slice(&out);
}
