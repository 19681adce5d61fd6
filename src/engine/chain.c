/*
 * A match is noted in full only where the head logs or a trace listens. References and traces are lists with the newest
 * first, turned around when they are told. Texts stay raw until somebody asks for them, unless the match tells a
 * secret.
 */
#include "engine/chain.h"

#include "engine/macro.h"
#include "engine/pipeline.h"
#include "engine/remembered.h"
#include "engine/shown.h"
#include "engine/variable.h"
#include "ruleset/wording.h"

#include <errno.h>

enum { LOGS_FIRST = 8 }; /* room to begin with */

struct chain chain_begin(struct transaction *t, const struct rule *head)
{
	return (struct chain){
		.t = t,
		.head = head,
		.wants_log = head->log || t->trace != NULL,
	};
}

static int add_reference(struct chain *chain, const struct value *value, const struct operand *operand, size_t steps)
{
	size_t spans = operand->span_count * sizeof(operand->spans[0]);
	struct chain_reference *reference = arena_alloc(&chain->t->arena, sizeof(*reference) + spans);
	if (reference == NULL)
		return -ENOMEM;
	*reference = (struct chain_reference){
		.rule = operand->rule,
		.next = chain->references,
		.has_value = value != NULL,
		.span_count = operand->span_count,
		.steps = (uint16_t)steps,
		.offset = value == NULL ? 0 : value->offset,
		.sent_len = value == NULL ? 0 : value->sent_len,
	};
	memcpy(reference->spans, operand->spans, spans);
	chain->references = reference;
	return 0;
}

/* A place and a length: "o4,3". */
static void write_place(struct buffer *out, uint8_t letter, size_t at, size_t len)
{
	buffer_byte(out, letter);
	buffer_number(out, (int64_t)at);
	buffer_byte(out, ',');
	buffer_number(out, (int64_t)len);
}

static void write_reference(struct buffer *out, const struct chain_reference *reference)
{
	for (uint8_t i = 0; i < reference->span_count; i++)
		write_place(out, 'o', reference->spans[i].start, reference->spans[i].end - reference->spans[i].start);
	if (reference->has_value)
		write_place(out, 'v', reference->offset, reference->sent_len);
	for (size_t i = 0; i < reference->steps; i++) {
		buffer_text(out, i == 0 ? "t:" : ",t:");
		buffer_text(out, transform_name(reference->rule->transforms[i]));
	}
}

/* [ref "o4,3v10,20t:urlDecodeUni"], in the order of the matches. */
static struct slice reference_text(struct chain *chain)
{
	struct chain_reference *ordered = NULL;
	struct buffer out = buffer_make(&chain->t->arena);
	while (chain->references != NULL) {
		struct chain_reference *next = chain->references->next;
		chain->references->next = ordered;
		ordered = chain->references;
		chain->references = next;
	}
	for (const struct chain_reference *reference = ordered; reference != NULL; reference = reference->next)
		write_reference(&out, reference);
	return out.error != 0 ? SLICE("") : buffer_slice(&out);
}

static int add_trace(struct chain *chain, const struct value *value, const struct operand *operand, size_t steps)
{
	struct transaction *t = chain->t;
	const struct rule *rule = operand->rule;
	struct chain_trace *trace = arena_zalloc(&t->arena, 1, sizeof(*trace));
	struct guia_trace_step *made = arena_zalloc(&t->arena, steps + 1, sizeof(*made));
	if (trace == NULL || made == NULL)
		return -ENOMEM;
	struct slice bytes = value == NULL || value->bytes.ptr == NULL ? operand->bytes : value->bytes;
	struct slice name = rule->kind == RULE_ACTION ? SLICE("") : variable_full_name(t, &chain->matched);
	struct slice argument = macro_expand(t, &rule->operation.argument, rule);
	trace->trace = (struct guia_trace){
		.rule_id = chain->head->id,
		.chain_depth = rule->chain_depth,
		.phase = t->phase,
		.file = rule->file,
		.line = rule->line,
		.variable = {name.ptr, name.len},
		.secret = shown_name_is_secret(t, name),
		.value = {bytes.ptr, bytes.len},
		.steps = made,
		.operator_name = rule->kind == RULE_ACTION ? "" : operator_infos[rule->operation.kind].name,
		.operator_negated = rule->operation.negated,
		.operator_argument = {argument.ptr, argument.len},
		.match_offset = operand->span_count > 0 ? operand->spans[0].start : 0,
		.match_len = operand->span_count > 0 ? operand->spans[0].end - operand->spans[0].start : 0,
		.found = {operand->found.ptr, operand->found.len},
		.paranoia_level = chain->head->paranoia_level,
	};
	for (size_t i = 0; i < steps; i++) {
		struct slice after;
		bool changed;
		if (pipeline_step(t, rule->transforms[i], bytes, &after, &changed) != 0)
			return -ENOMEM;
		if (changed)
			made[trace->trace.step_count++] =
				(struct guia_trace_step){transform_name(rule->transforms[i]), {after.ptr, after.len}};
		bytes = after;
	}
	trace->next = chain->traces;
	chain->traces = trace;
	return 0;
}

int chain_note(struct chain *chain, const struct target *target, const struct value *value,
	       const struct operand *operand, size_t steps)
{
	struct transaction *t = chain->t;
	chain->matched = (struct matched){
		.variable = target->variable,
		.counted = target->counted,
		.key = target->counted ? target->selector : value->key,
		.value = operand->bytes,
	};
	chain->link = operand->rule;
	chain->original = value != NULL && value->bytes.ptr != NULL ? value->bytes : operand->bytes;
	chain->has_match = true;
	if (chain->wants_log) {
		chain->shown = shown_get(t, &chain->matched, chain->original);
		if (chain->shown == NULL)
			return -ENOMEM;
		chain->matched.name = chain->shown->name;
	}
	if (transaction_add_matched(t, &chain->matched, 1) != 0)
		return -ENOMEM;
	if (!chain->wants_log)
		return 0;
	if (add_reference(chain, value, operand, steps) != 0)
		return -ENOMEM;
	return t->trace == NULL ? 0 : add_trace(chain, value, operand, steps);
}

/* Whether the link's match, or one of an earlier link, is of a variable that is secret by its name. */
static struct slice secret_name(struct chain *chain)
{
	struct transaction *t = chain->t;
	bool only_newest = chain->link == chain->head && t->matched_count > 0;
	if (only_newest && chain->has_match)
		return shown_is_secret(t, chain->shown) ? chain->shown->name : SLICE("");
	uint32_t first = only_newest ? t->matched_count - 1 : 0;
	for (uint32_t i = t->matched_count; i-- > first;) {
		struct slice name = variable_full_name(t, &t->matched[i]);
		if (shown_name_is_secret(t, name))
			return name;
	}
	return SLICE("");
}

static struct chain_text expand_text(struct chain *chain, const struct rule *rule, const struct macro *macro)
{
	struct slice text = macro_expand(chain->t, macro, rule);
	if (macro_is_literal(macro))
		return (struct chain_text){.bytes = text};
	/* A single value may lie in a buffer of the web server. */
	return (struct chain_text){macro->part_count == 1 ? transaction_copy(chain->t, text) : text, true,
				   secret_name(chain)};
}

void chain_texts(struct chain *chain, const struct rule *rule)
{
	struct transaction *t = chain->t;
	if (rule->severity != SEVERITY_UNSET) {
		chain->severity = rule->severity;
		if (t->highest_severity > rule->severity)
			t->highest_severity = rule->severity;
	}
	if (!chain->wants_log)
		return;
	if (rule->log_data.text.len > 0)
		chain->data = expand_text(chain, rule, &rule->log_data);
	if (rule->message.text.len > 0)
		chain->message = expand_text(chain, rule, &rule->message);
	/* A SecAction looks at nothing, but a trace tells of it too. */
	if (rule->kind == RULE_ACTION && t->trace != NULL) {
		struct operand none = {.t = t, .rule = rule, .bytes = SLICE("")};
		if (add_trace(chain, NULL, &none, 0) != 0)
			transaction_out_of_memory(t);
	}
}

/* Whether the value that matched goes wherever it stands: its name says that it is a secret. */
static bool tells_secret(struct chain *chain)
{
	return chain->has_match && shown_is_secret(chain->t, chain->shown) && chain->shown->secret_by_name;
}

/* What is to be told of a text, whole if something is known of it that will not be known later. */
static struct log_text told_text(struct chain *chain, const struct chain_text *text)
{
	struct transaction *t = chain->t;
	if (text->bytes.len == 0)
		return (struct log_text){.told = SLICE("")};
	/* The Core Rule Set's own form stays readable, where it is the name that tells. */
	if (text->varies && text->secret.len > 0 &&
	    !(slice_starts_with(text->bytes, SLICE("Matched Data: ")) && shown_name_says_secret(t, text->secret)))
		return (struct log_text){.told = SLICE("[redacted]")};
	struct slice name = text->secret;
	if (name.len == 0 && tells_secret(chain))
		name = chain->shown->name;
	if (name.len > 0)
		return (struct log_text){.told = shown_text(t, name, chain->original, text->bytes)};
	return (struct log_text){.raw = text->bytes};
}

static struct slice redacted(struct chain *chain, const struct chain_text *text)
{
	struct log_text told = told_text(chain, text);
	return shown_whole(chain->t, &told);
}

/*
 * A message that varies tells of scores more often than of values: which of them hold no secret is remembered, by their
 * exact bytes, as long as the table's names are all there are.
 */
static struct slice redacted_message(struct chain *chain)
{
	struct transaction *t = chain->t;
	struct slice text = chain->message.bytes;
	struct slice note;
	struct remembered_key key = {.number = t->worker->message_number, .first = text, .second = SLICE("")};
	if (text.len == 0 || chain->message.secret.len > 0 || tells_secret(chain) || t->redact.extra_count > 0 ||
	    t->worker->options.reference_path)
		return redacted(chain, &chain->message);
	if (remembered_find_note(t->worker->remembered, &key, &note))
		return text;
	struct slice shown = redacted(chain, &chain->message);
	if (shown.ptr == text.ptr)
		remembered_add_note(t->worker->remembered, &key, SLICE(""));
	return shown;
}

/* NULL: the wording has them, or there is no memory. */
static const struct slice *expand_tags(struct transaction *t, const struct rule *head)
{
	if (head->wording->texts[WORDING_LOG].tags.ptr != NULL)
		return NULL;
	struct slice *tags = arena_alloc(&t->arena, head->tag_count * sizeof(*tags));
	for (size_t i = 0; tags != NULL && i < head->tag_count; i++)
		tags[i] = macro_expand(t, &head->tags[i], head);
	return tags;
}

static int append_log(struct transaction *t, struct log_entry *entry)
{
	if (t->log_count == t->log_capacity) {
		uint32_t capacity = t->log_capacity == 0 ? LOGS_FIRST : t->log_capacity * 2;
		struct log_entry **logs = arena_alloc(&t->arena, capacity * sizeof(struct log_entry *));
		if (logs == NULL)
			return -ENOMEM;
		if (t->log_count > 0)
			memcpy(logs, t->logs, t->log_count * sizeof(struct log_entry *));
		t->logs = logs;
		t->log_capacity = capacity;
	}
	t->logs[t->log_count++] = entry;
	return 0;
}

/* The head's message as it is written, which held no secret by the table when that was looked at. */
static bool message_is_as_written(struct chain *chain)
{
	return chain->message.bytes.ptr == chain->head->message.text.ptr &&
	       chain->message.bytes.len == chain->head->message.text.len &&
	       chain->head->wording->texts[WORDING_LOG].message.ptr != NULL && chain->t->redact.extra_count == 0 &&
	       !tells_secret(chain);
}

/* What matched last, and of which operator. */
static void tell_match(struct chain *chain, struct log_entry *entry)
{
	if (!chain->has_match)
		return;
	entry->link = chain->link;
	if (chain->link->wording->match_is_whole)
		return;
	if (chain->link->wording->parameter_varies)
		entry->parameter = macro_expand(chain->t, &chain->link->operation.argument, chain->link);
	entry->name = chain->shown->name;
	entry->value = shown_value(chain->t, chain->shown);
}

struct log_entry *chain_log(struct chain *chain)
{
	struct transaction *t = chain->t;
	struct log_entry *entry = arena_alloc(&t->arena, sizeof(*entry));
	if (entry == NULL)
		return NULL;
	bool as_written = message_is_as_written(chain);
	*entry = (struct log_entry){
		.rule = chain->head,
		.phase = t->phase,
		.disruptive = chain->disruptive,
		.audit = chain->head->audit_log,
		.status = t->verdict.status,
		.severity = chain->severity,
		.message_as_written = as_written,
		.message = as_written ? chain->message.bytes : redacted_message(chain),
		.data = told_text(chain, &chain->data),
		.reference = reference_text(chain),
		.tags = expand_tags(t, chain->head),
	};
	tell_match(chain, entry);
	bool lacks_tags = entry->tags == NULL && chain->head->wording->texts[WORDING_LOG].tags.ptr == NULL;
	return lacks_tags || append_log(t, entry) != 0 ? NULL : entry;
}

void chain_tell(struct chain *chain, bool completed)
{
	struct transaction *t = chain->t;
	struct chain_trace *ordered = NULL;
	struct slice message = redacted(chain, &chain->message), data = redacted(chain, &chain->data);
	for (struct chain_trace *trace = chain->traces; trace != NULL;) {
		struct chain_trace *next = trace->next;
		trace->next = ordered;
		ordered = trace;
		trace = next;
	}
	for (struct chain_trace *trace = ordered; trace != NULL; trace = trace->next) {
		trace->trace.message = (struct guia_slice){message.ptr, message.len};
		trace->trace.data = (struct guia_slice){data.ptr, data.len};
		if (trace->next == NULL && completed) {
			trace->trace.completed = true;
			trace->trace.inbound_added = chain->change.inbound;
			trace->trace.outbound_added = chain->change.outbound;
		}
		t->trace(t->trace_context, &trace->trace);
	}
}
