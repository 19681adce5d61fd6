/*
 * The audit record: ModSecurity v3's JSON, one line, with a key of ours, "guia", that holds what the other form has no
 * place for: every link that matched. Written straight into the transaction's memory.
 */
#include "base/clock.h"
#include "codec/text.h"
#include "engine/report.h"
#include "engine/shown.h"
#include "engine/variable.h"
#include "ruleset/wording.h"

#include <time.h>

static uint32_t part_bits(struct slice letters)
{
	uint32_t bits = 0;
	for (size_t i = 0; i < letters.len; i++) {
		uint8_t c = byte_lower(letters.ptr[i]);
		if (c >= 'a' && c <= 'z')
			bits |= 1u << (c - 'a');
	}
	return bits;
}

static uint32_t wanted_parts(const struct transaction *t)
{
	uint32_t parts = t->ruleset->settings.audit_parts;
	for (const struct audit_parts_change *change = t->audit_parts; change != NULL; change = change->next) {
		struct slice text = change->parts;
		uint8_t sign = text.len > 0 ? text.ptr[0] : 0;
		if (sign == '+')
			parts |= part_bits(text);
		else if (sign == '-')
			parts &= ~part_bits(text);
		else
			parts = part_bits(text);
	}
	return parts;
}

static bool has_part(uint32_t parts, char letter)
{
	return (parts >> (letter - 'A') & 1) != 0;
}

static bool status_is_relevant(struct transaction *t)
{
	const struct regex *regex = t->ruleset->settings.audit_relevant_status;
	uint16_t status = t->sent_status != 0 ? t->sent_status : t->response_status;
	struct buffer text = buffer_make(&t->arena);
	buffer_number(&text, status);
	return regex != NULL && text.error == 0 &&
	       regex_match(regex, t->worker->regex_scratch, buffer_slice(&text), 0, NULL, NULL, NULL) == REGEX_MATCH;
}

/* What no rule speaks of: a limit refused it, or it could not be inspected. */
static bool failed_or_limited(const struct transaction *t)
{
	return t->memory_exceeded || t->scan_failed ||
	       (t->verdict.rule_id == 0 && (t->verdict.action != GUIA_PASS || t->verdict.would_block));
}

/* RelevantOnly: a rule that logged for the audit, what no rule could log, or a status that was asked for. */
bool report_audit_is_wanted(struct transaction *t)
{
	if (t->audit_engine == SWITCH_ON)
		return true;
	if (t->audit_engine != SWITCH_RELEVANT_ONLY)
		return false;
	for (uint32_t i = 0; i < t->log_count; i++)
		if (t->logs[i]->audit)
			return true;
	return failed_or_limited(t) || status_is_relevant(t);
}

struct writer {
	struct transaction *t;
	struct buffer out;
	bool first; /* in its object or list: no comma before the next */
};

static void comma(struct writer *w)
{
	if (!w->first)
		buffer_byte(&w->out, ',');
	w->first = false;
}

/* A name as it is written: none of ours needs an escape. */
#define KEY(name) SLICE("\"" name "\":")

static void key(struct writer *w, struct slice name)
{
	comma(w);
	buffer_add(&w->out, name);
}

static void open_object(struct writer *w, struct slice name)
{
	key(w, name);
	buffer_byte(&w->out, '{');
	w->first = true;
}

static void open_list(struct writer *w, struct slice name)
{
	key(w, name);
	buffer_byte(&w->out, '[');
	w->first = true;
}

static void close_with(struct writer *w, char byte)
{
	buffer_byte(&w->out, (uint8_t)byte);
	w->first = false;
}

static void text(struct writer *w, struct slice name, struct slice value)
{
	key(w, name);
	text_add_json(&w->out, value);
}

static void number(struct writer *w, struct slice name, int64_t value)
{
	key(w, name);
	buffer_number(&w->out, value);
}

static void flag(struct writer *w, struct slice name, bool value)
{
	key(w, name);
	buffer_text(&w->out, value ? "true" : "false");
}

static void redacted(struct writer *w, struct slice name, struct buffer *value)
{
	w->out.error |= value->error;
	text(w, name, buffer_slice(value));
}

static struct slice redacted_header(struct writer *w, const struct value *header)
{
	struct buffer value = buffer_make(&w->t->arena);
	redact_header(&w->t->redact, header->key, header->bytes, &value);
	w->out.error |= value.error;
	return buffer_slice(&value);
}

static void headers(struct writer *w, const struct value_set *set)
{
	struct transaction *t = w->t;
	open_object(w, KEY("headers"));
	for (uint32_t i = 0; i < set->count; i++) {
		const struct value *header = set->items[i];
		struct slice value = header->bytes;
		if (!redact_header_keeps(&t->redact, header->key))
			value = redacted_header(w, header);
		comma(w);
		text_add_json(&w->out, header->key);
		buffer_byte(&w->out, ':');
		text_add_json(&w->out, value);
	}
	close_with(w, '}');
}

static void body(struct writer *w, struct slice type, struct slice bytes)
{
	struct buffer value = buffer_make(&w->t->arena);
	redact_body(&w->t->redact, type, bytes, &value);
	redacted(w, KEY("body"), &value);
}

static void request(struct writer *w, uint32_t parts)
{
	struct transaction *t = w->t;
	struct buffer uri = buffer_make(&t->arena);
	const struct slice scheme = SLICE("HTTP/");
	struct slice version = t->protocol;
	if (slice_starts_with_nocase(version, scheme))
		version = slice_after(version, scheme.len);
	open_object(w, KEY("request"));
	text(w, KEY("method"), t->method.len == 0 ? SLICE("-") : t->method);
	text(w, KEY("http_version"), version);
	redact_uri(&t->redact, t->uri.raw, &uri);
	redacted(w, KEY("uri"), &uri);
	if (has_part(parts, 'C'))
		body(w, t->content_type, t->request_body.bytes);
	if (has_part(parts, 'B'))
		headers(w, &t->sets[VARIABLE_REQUEST_HEADERS]);
	close_with(w, '}');
}

static void response(struct writer *w, uint32_t parts)
{
	struct transaction *t = w->t;
	open_object(w, KEY("response"));
	if (has_part(parts, 'E'))
		body(w, t->response_type, t->response_body.bytes);
	number(w, KEY("http_code"), t->sent_status != 0 ? t->sent_status : t->response_status);
	if (has_part(parts, 'F'))
		headers(w, &t->sets[VARIABLE_RESPONSE_HEADERS]);
	close_with(w, '}');
}

static void producer(struct writer *w)
{
	static const char *const states[] = {
		[SWITCH_OFF] = "Disabled", [SWITCH_ON] = "Enabled", [SWITCH_DETECTION_ONLY] = "DetectionOnly"};
	struct transaction *t = w->t;
	struct slice rest = t->ruleset->settings.component_signatures;
	open_object(w, KEY("producer"));
	text(w, KEY("modsecurity"), SLICE("Guia v" GUIA_VERSION));
	text(w, KEY("connector"), SLICE("Guia v" GUIA_VERSION));
	text(w, KEY("secrules_engine"),
	     slice_from_string(t->rule_engine <= SWITCH_DETECTION_ONLY && t->rule_engine >= SWITCH_OFF
				       ? states[t->rule_engine]
				       : "Disabled"));
	open_list(w, KEY("components"));
	while (rest.len > 0) {
		struct slice component;
		rest = slice_trim(slice_cut(rest, ';', &component));
		comma(w);
		text_add_json(&w->out, slice_trim(component));
	}
	close_with(w, ']');
	close_with(w, '}');
}

static void match(struct buffer *out, const struct log_entry *entry)
{
	if (entry->link == NULL)
		return;
	const struct wording *wording = entry->link->wording;
	buffer_add(out, wording->texts[WORDING_JSON].match);
	if (wording->match_is_whole)
		return;
	if (wording->parameter_varies) {
		text_add_json_bytes(out, slice_sub(entry->parameter, 0, WORDING_PARAMETER));
		if (entry->parameter.len > WORDING_PARAMETER)
			wording_add_omitted(out, entry->parameter.len - WORDING_PARAMETER);
		buffer_add(out, SLICE(WORDING_AGAINST));
	}
	text_add_json_bytes(out, entry->name);
	buffer_add(out, SLICE("' (Value: `"));
	text_add_json_bytes(out, entry->value);
	buffer_add(out, SLICE("' )"));
}

static void message(struct writer *w, struct log_entry *entry)
{
	struct buffer *out = &w->out;
	const struct rule *rule = entry->rule;
	const struct wording_text *text = &rule->wording->texts[WORDING_JSON];
	comma(w);
	buffer_add(out, SLICE("{\"message\":\""));
	if (entry->message_as_written)
		buffer_add(out, text->message);
	else
		text_add_json_bytes(out, entry->message);
	buffer_add(out, SLICE("\",\"details\":{\"match\":\""));
	match(out, entry);
	buffer_add(out, SLICE("\",\"reference\":\""));
	buffer_add(out, entry->reference);
	buffer_add(out, text->rule);
	text_add_json_bytes(out, shown_whole(w->t, &entry->data));
	buffer_add(out, SLICE("\",\"severity\":\""));
	buffer_number(out, entry->severity);
	if (entry->untold > 0)
		buffer_printf(out, "\",\"untold\":\"%u", entry->untold);
	buffer_add(out, text->version);
	if (entry->tags == NULL)
		buffer_add(out, text->tags);
	for (size_t i = 0; entry->tags != NULL && i < rule->tag_count; i++)
		wording_add_tag(out, WORDING_JSON, i == 0, entry->tags[i]);
	buffer_add(out, text->end);
}

/* Every link that matched, with where, and with what its rule does to a value before it looks. */
static void link_detail(struct writer *w, const struct match_entry *entry)
{
	struct buffer *out = &w->out;
	const struct rule *rule = entry->rule;
	comma(w);
	buffer_add(out, rule->wording->link);
	buffer_add(out, entry->completed ? SLICE("true") : SLICE("false"));
	buffer_add(out, entry->scored ? SLICE(",\"scored\":true") : SLICE(",\"scored\":false"));
	if (rule->kind == RULE_OPERATOR) {
		buffer_add(out, SLICE(",\"variable\":\""));
		text_add_json_bytes(out, variable_full_name(w->t, &entry->matched));
		buffer_add(out, rule->wording->operation);
	}
	buffer_byte(out, '}');
}

/* Links of rules that log or score, settled or not. */
static void links(struct writer *w)
{
	for (uint32_t i = 0; i < w->t->match_count; i++) {
		const struct match_entry *entry = &w->t->matches[i];
		if (entry->settled == NULL && (entry->rule->log || entry->scored))
			link_detail(w, entry);
		for (size_t j = 0; entry->settled != NULL && j < entry->settled->match_count; j++) {
			struct match_entry link = report_settled(&entry->settled->matches[j]);
			if (link.rule->log)
				link_detail(w, &link);
		}
	}
}

static void guia(struct writer *w)
{
	static const char *const actions[] = {
		[GUIA_PASS] = "pass", [GUIA_DENY] = "deny", [GUIA_REDIRECT] = "redirect", [GUIA_DROP] = "drop"};
	struct transaction *t = w->t;
	struct guia_summary summary;
	report_summary(t, &summary);
	open_object(w, KEY("guia"));
	text(w, KEY("action"), slice_from_string(actions[t->verdict.action]));
	number(w, KEY("status"), t->verdict.status);
	number(w, KEY("rule_id"), t->verdict.rule_id);
	flag(w, KEY("would_block"), t->verdict.would_block);
	flag(w, KEY("failed"), t->verdict.failed);
	flag(w, KEY("memory_exceeded"), t->memory_exceeded);
	flag(w, KEY("scan_failed"), t->scan_failed);
	text(w, KEY("site"), t->site);
	number(w, KEY("inbound_score"), summary.inbound_score);
	number(w, KEY("outbound_score"), summary.outbound_score);
	open_list(w, KEY("links"));
	links(w);
	close_with(w, ']');
	close_with(w, '}');
}

/* Written out once a second. */
static struct slice stamp_of(struct transaction *t)
{
	struct worker_stamp *stamp = &t->worker->stamp;
	int64_t second = t->begun_us / CLOCK_US_PER_S;
	if (stamp->second != second || stamp->len == 0) {
		struct tm local;
		time_t seconds = (time_t)second;
		localtime_r(&seconds, &local);
		stamp->second = second;
		stamp->len = strftime(stamp->text, sizeof(stamp->text), "%a %b %e %H:%M:%S %Y", &local);
	}
	return slice_make(stamp->text, stamp->len);
}

static void connection(struct writer *w)
{
	struct transaction *t = w->t;
	text(w, KEY("client_ip"), t->client_address);
	text(w, KEY("time_stamp"), stamp_of(t));
	text(w, KEY("server_id"), t->ruleset->settings.sensor_id);
	number(w, KEY("client_port"), t->client_port);
	text(w, KEY("host_ip"), t->server_address);
	number(w, KEY("host_port"), t->server_port);
	text(w, KEY("unique_id"), t->unique_id);
}

enum { RECORD_BYTES = 4096 }; /* room to begin with */

struct slice report_audit(struct transaction *t)
{
	struct writer w = {.t = t, .out = buffer_make(&t->arena), .first = true};
	if (!report_audit_is_wanted(t))
		return SLICE("");
	uint32_t parts = wanted_parts(t);
	buffer_reserve(&w.out, RECORD_BYTES);
	buffer_byte(&w.out, '{');
	open_object(&w, KEY("transaction"));
	connection(&w);
	request(&w, parts);
	response(&w, parts);
	if (has_part(parts, 'H')) {
		producer(&w);
		open_list(&w, KEY("messages"));
		for (uint32_t i = 0; i < t->log_count; i++)
			message(&w, t->logs[i]);
		close_with(&w, ']');
	}
	close_with(&w, '}');
	guia(&w);
	close_with(&w, '}');
	return w.out.error != 0 ? SLICE("") : buffer_slice(&w.out);
}
