/*
 * Lines are ModSecurity's, put together from what a rule always says (ruleset/wording.c), what this match says, and
 * what all lines of a transaction have in common, which is escaped once. The audit record is in audit.c.
 */
#include "engine/report.h"

#include "codec/text.h"
#include "engine/shown.h"
#include "engine/variable.h"
#include "ruleset/wording.h"

#include <errno.h>
#include <stdlib.h>

enum { LOG_DATA = 200, LOG_URI = 200, LOG_REFERENCE = 200 };
enum { LINE_BYTES = 2048, NAME_KEPT_LEAST = 64 }; /* room to begin with; shorter names are escaped each time */

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
		.data = entry->log == NULL ? outer(SLICE("")) : outer(shown_whole(t, &entry->log->data)),
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

/* Of a text for quotes so many bytes, before they are escaped. */
static void add_limited(struct buffer *out, struct slice text, size_t limit)
{
	text_add_log(out, slice_sub(text, 0, limit), true);
	if (text.len > limit)
		wording_add_omitted(out, text.len - limit);
}

static void add_plain_limited(struct buffer *out, struct slice text, size_t limit)
{
	text_add_log(out, slice_sub(text, 0, limit), false);
	if (text.len > limit)
		wording_add_omitted(out, text.len - limit);
}

/* `opening` is the space, the bracket, the name and the quote. */
static void add_quoted(struct buffer *out, struct slice opening, struct slice text)
{
	buffer_add(out, opening);
	text_add_log(out, text, true);
	buffer_add(out, SLICE("\"]"));
}

/* Escaped once for the transaction: it stands in every line. */
static void add_client(struct transaction *t, struct buffer *out)
{
	if (t->log_client.len == 0) {
		struct buffer client = buffer_make(&t->arena);
		buffer_text(&client, "[client ");
		text_add_log(&client, t->client_address, false);
		buffer_text(&client, "] ModSecurity: ");
		out->error = out->error != 0 ? out->error : client.error;
		t->log_client = client.error != 0 ? SLICE("") : buffer_slice(&client);
	}
	buffer_add(out, t->log_client);
}

static void add_head(struct transaction *t, const struct log_entry *entry, struct buffer *out)
{
	add_client(t, out);
	if (!entry->disruptive) {
		buffer_add(out, SLICE("Warning. "));
		return;
	}
	buffer_add(out, SLICE("Access denied with code "));
	buffer_number(out, entry->status);
	buffer_add(out, SLICE(" (phase "));
	buffer_number(out, entry->phase);
	buffer_add(out, SLICE("). "));
}

/* A long name of what many rules tell of is escaped once. */
static void add_name(struct transaction *t, struct slice name, struct buffer *out)
{
	struct escaped_name *names = t->escaped_names;
	if (name.len < NAME_KEPT_LEAST) {
		text_add_log(out, name, false);
		return;
	}
	for (size_t i = 0; i < ESCAPED_NAMES; i++) {
		if (names[i].name.ptr == name.ptr && names[i].name.len == name.len) {
			buffer_add(out, names[i].text);
			return;
		}
	}
	size_t start = out->len;
	text_add_log(out, name, false);
	if (out->error != 0)
		return;
	memmove(names + 1, names, (ESCAPED_NAMES - 1) * sizeof(names[0]));
	names[0] = (struct escaped_name){name, slice_after(buffer_slice(out), start)};
}

/* Matched "Operator `Rx' with parameter `...' against variable `ARGS:q' (Value: `...' ) */
static void add_match(struct transaction *t, const struct log_entry *entry, struct buffer *out)
{
	if (entry->link == NULL)
		return;
	const struct wording *wording = entry->link->wording;
	buffer_add(out, wording->texts[WORDING_LOG].match);
	if (wording->match_is_whole)
		return;
	if (wording->parameter_varies) {
		add_plain_limited(out, entry->parameter, WORDING_PARAMETER);
		buffer_add(out, SLICE(WORDING_AGAINST));
	}
	add_name(t, entry->name, out);
	buffer_add(out, SLICE("' (Value: `"));
	buffer_add(out, entry->value);
	buffer_add(out, SLICE("' )"));
}

/* What is left out counts as the rule said it: of secrets in there nobody knows. */
static void add_data(struct transaction *t, const struct log_text *data, struct buffer *out)
{
	size_t left;
	struct slice shown = shown_beginning(t, data, LOG_DATA, &left);
	text_add_log(out, slice_sub(shown, 0, LOG_DATA), true);
	if (shown.len > LOG_DATA || left > 0)
		wording_add_omitted(out, shown.len - slice_sub(shown, 0, LOG_DATA).len + left);
}

static void add_details(struct transaction *t, const struct log_entry *entry, struct buffer *out)
{
	const struct rule *rule = entry->rule;
	const struct wording_text *text = &rule->wording->texts[WORDING_LOG];
	buffer_add(out, text->rule);
	if (entry->message_as_written)
		buffer_add(out, text->message);
	else
		text_add_log(out, entry->message, true);
	buffer_add(out, SLICE("\"] [data \""));
	add_data(t, &entry->data, out);
	buffer_add(out, SLICE("\"] [severity \""));
	buffer_number(out, entry->severity);
	buffer_add(out, text->version);
	if (entry->tags == NULL)
		buffer_add(out, text->tags);
	for (size_t i = 0; entry->tags != NULL && i < rule->tag_count; i++)
		wording_add_tag(out, WORDING_LOG, i == 0, entry->tags[i]);
}

/* What all lines of a transaction tell: which request it was. */
static void add_request(struct transaction *t, struct buffer *out)
{
	if (t->log_tail.len == 0) {
		struct buffer path = buffer_make(&t->arena);
		struct buffer tail = buffer_make(&t->arena);
		redact_uri(&t->redact, t->uri.filename, &path);
		add_quoted(&tail, SLICE(" [hostname \""), t->server_address);
		buffer_add(&tail, SLICE(" [uri \""));
		add_limited(&tail, buffer_slice(&path), LOG_URI);
		buffer_add(&tail, SLICE("\"]"));
		add_quoted(&tail, SLICE(" [unique_id \""), t->unique_id);
		buffer_add(&tail, SLICE(" [ref \""));
		if (path.error != 0 || tail.error != 0) {
			out->error = -ENOMEM;
			return;
		}
		t->log_tail = buffer_slice(&tail);
	}
	buffer_add(out, t->log_tail);
}

struct slice report_log_line(struct transaction *t, size_t index)
{
	struct buffer line = buffer_make(&t->arena);
	const struct log_entry *entry = t->logs[index];
	buffer_reserve(&line, LINE_BYTES);
	add_head(t, entry, &line);
	add_match(t, entry, &line);
	add_details(t, entry, &line);
	add_request(t, &line);
	wording_add_limited(&line, entry->reference, LOG_REFERENCE);
	buffer_add(&line, SLICE("\"]"));
	if (entry->untold > 0)
		buffer_printf(&line, " [untold \"%u\"]", entry->untold);
	return line.error != 0 ? SLICE("") : buffer_slice(&line);
}

/* A line about some operators does not name the variable; the match does. */
static struct slice variable_of(struct transaction *t, const struct log_entry *entry)
{
	for (uint32_t i = 0; i < t->match_count; i++) {
		const struct match_entry *match = &t->matches[i];
		if (match->settled == NULL && match->log == entry && match->rule->kind != RULE_ACTION)
			return variable_full_name(t, &match->matched);
	}
	return entry->name;
}

void report_log_entry(struct transaction *t, size_t index, struct guia_log_entry *ret_entry)
{
	const struct log_entry *entry = t->logs[index];
	size_t left;
	*ret_entry = (struct guia_log_entry){
		.rule_id = entry->rule->id,
		.phase = entry->phase,
		.severity = entry->severity,
		.paranoia_level = entry->rule->paranoia_level,
		.disruptive = entry->disruptive,
		.message = outer(entry->message),
		.data = outer(shown_beginning(t, &entry->data, LOG_DATA, &left)),
		.variable = outer(variable_of(t, entry)),
		.tag_count = entry->rule->tag_count,
	};
}

struct slice report_log_tag(const struct transaction *t, size_t index, size_t tag)
{
	const struct log_entry *entry = t->logs[index];
	return entry->tags != NULL ? entry->tags[tag] : entry->rule->tags[tag].text;
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
