/*
 * A finding is put together when its request ends, from the transaction's log entries and redacted texts, in static
 * memory (a process is one thread), and sent at once. Each rate is GCRA's, by site.
 */
#include "findings.h"

#include "answer.h"

#include "body.h"
#include "clock.h"

#include "wire/finding.h"

enum {
	SENT_HEAD_BYTES = 16 << 10, /* of a head as it came; headers that do not fit are left out */
	RESPONSE_PHASE = 3,         /* the first that sees the response */
	LOGGING_PHASE = 5,          /* rules only report in it */
};

/* Of a site: when the next of each would be on time. */
static struct site_rates {
	uint64_t blocked_ns;
	uint64_t scored_ns;
	uint64_t bytes_ns;
} rates[OUTBOX_SITES];

/* FINDING_DISRUPTED, FINDING_WOULD_BLOCK or FINDING_FAILED where its verdict says so; else 0. */
static unsigned found_of(const struct gate_context *context)
{
	const struct guia_verdict *verdict = &context->verdict;
	unsigned found = verdict->failed ? FINDING_FAILED : 0;

	if (verdict->action != GUIA_PASS)
		return found | FINDING_DISRUPTED;
	return found | (verdict->would_block ? FINDING_WOULD_BLOCK : 0);
}

static bool is_due(struct site_rates *site, unsigned found, uint64_t now_ns)
{
	return found != 0 ? gate_rate_allows(&site->blocked_ns, now_ns, 1, FINDINGS_A_SECOND, FINDINGS_AT_ONCE)
			  : gate_rate_allows(&site->scored_ns, now_ns, 1, SCORED_A_SECOND, SCORED_AT_ONCE);
}

static struct slice slice_of(struct guia_slice s)
{
	return (struct slice){s.ptr, s.len};
}

static uint32_t classes_of(const struct guia_transaction *transaction, size_t index, const struct guia_log_entry *entry)
{
	uint32_t classes = finding_classes_of_variable(slice_of(entry->variable));

	for (size_t i = 0; i < entry->tag_count; i++)
		classes |= finding_classes_of_tag(slice_of(guia_log_tag_at(transaction, index, i)));
	return classes;
}

struct matches {
	struct finding_match rows[FINDING_MATCHES_MOST];
	struct finding_match_texts texts[FINDING_MATCHES_MOST];
};

static void match_set(struct matches *matches, size_t at, const struct guia_log_entry *entry, uint32_t classes)
{
	matches->rows[at] = (struct finding_match){
		.rule = entry->rule_id,
		.classes = classes,
		.phase = entry->phase,
		.severity = entry->severity,
		.paranoia_level = entry->paranoia_level,
		.disruptive = entry->disruptive,
	};
	matches->texts[at] = (struct finding_match_texts){slice_of(entry->variable), slice_of(entry->message),
							  slice_of(entry->data)};
}

/* The phase is that of the rule whose verdict it is, or of the newest before logging. */
static void matches_take(struct guia_transaction *transaction, struct matches *matches, struct finding_head *head)
{
	struct guia_log_entry entry;
	size_t count = guia_log_line_count(transaction);
	bool has_verdict = false;

	head->matches_all = (uint32_t)count;
	head->match_count = (uint8_t)ngx_min(count, FINDING_MATCHES_MOST);
	for (size_t i = 0; i < count; i++) {
		guia_log_entry_at(transaction, i, &entry);
		if (i < FINDING_MATCHES_MOST)
			match_set(matches, i, &entry, classes_of(transaction, i, &entry));
		if (!has_verdict && entry.phase < LOGGING_PHASE)
			head->phase = entry.phase;
		has_verdict = has_verdict || (head->rule != 0 && entry.rule_id == head->rule);
	}
}

static u_char *line_add(u_char *p, const u_char *last, ngx_str_t name, ngx_str_t value)
{
	if (name.len + value.len + sizeof(": \r\n") - 1 > (size_t)(last - p))
		return p;
	p = ngx_cpymem(p, name.data, name.len);
	*p++ = ':';
	*p++ = ' ';
	p = ngx_cpymem(p, value.data, value.len);
	*p++ = '\r';
	*p++ = '\n';
	return p;
}

/* What does not fit is left out, header by header. */
static struct slice head_sent(const ngx_http_request_t *r, u_char *text, size_t size)
{
	u_char *last = text + size - 2;
	u_char *p = ngx_slprintf(text, last, "%V %V %V\r\n", &r->method_name, &r->unparsed_uri, &r->http_protocol);
	const ngx_list_part_t *part = &r->headers_in.headers.part;

	for (; part != NULL; part = part->next) {
		const ngx_table_elt_t *header = part->elts;
		for (ngx_uint_t i = 0; i < part->nelts; i++)
			p = line_add(p, last, header[i].key, header[i].value);
	}
	*p++ = '\r';
	*p++ = '\n';
	return (struct slice){text, (size_t)(p - text)};
}

static void sent_take(struct gate_context *context, struct site_rates *site, struct finding_head *head,
		      struct slice *texts)
{
	static u_char text[SENT_HEAD_BYTES], bytes[FINDING_BODY_BYTES];
	struct slice sent = head_sent(context->request, text, sizeof(text));
	struct slice body = {bytes, gate_body_copy(context, bytes, sizeof(bytes))};

	const struct gate_answer *answer = context->answer;
	size_t answered = answer != NULL ? answer->head.len + answer->body.len : 0;
	if (!gate_rate_allows(&site->bytes_ns, head->at_ns, sent.len + body.len + answered, BODY_BYTES_A_SECOND,
			      BODY_BYTES_AT_ONCE)) {
		head->found |= FINDING_BODY_SHED;
		return;
	}
	if (head->body_bytes > 0 && body.len == 0)
		head->found |= FINDING_BODY_GONE;
	texts[FINDING_HEAD_SENT] = sent;
	texts[FINDING_BODY_SENT] = body;
	if (answer == NULL)
		return;
	head->answer_bytes = answer->body_bytes;
	texts[FINDING_ANSWER_HEAD] = slice_of(answer->head);
	texts[FINDING_ANSWER_BODY] = slice_of(answer->body);
}

static void head_fill(struct finding_head *head, const struct gate_context *context, const struct event *end,
		      const struct guia_summary *summary)
{
	const ngx_http_request_t *r = context->request;
	uint64_t announced = context->passage.arrival.length;
	uint64_t came = r->headers_in.content_length_n > 0 ? (uint64_t)r->headers_in.content_length_n : 0;

	*head = (struct finding_head){
		.at_ns = end->at_ns,
		.wall_ms = end->wall_ms,
		.request = end->request,
		.connection = end->connection,
		.port = end->port,
		.site = end->site,
		.flags = end->flags,
		.status = end->end.status,
		.path = end->path,
		.agent = end->agent,
		.shape = end->shape,
		.query = context->passage.arrival.query,
		.rule = context->verdict.rule_id,
		.inbound_score = (int32_t)ngx_min(summary->inbound_score, INT32_MAX),
		.outbound_score = (int32_t)ngx_min(summary->outbound_score, INT32_MAX),
		.inbound_threshold = (int32_t)ngx_min(summary->inbound_threshold, INT32_MAX),
		.outbound_threshold = (int32_t)ngx_min(summary->outbound_threshold, INT32_MAX),
		.body_bytes = ngx_max(announced, came),
	};
	ngx_memcpy(head->source, end->source, sizeof(head->source));
}

static void texts_take(const struct gate_context *context, struct slice *texts)
{
	const ngx_http_request_t *r = context->request;
	const ngx_table_elt_t *agent = r->headers_in.user_agent;

	texts[FINDING_ID] = (struct slice){context->id, sizeof(context->id)};
	texts[FINDING_METHOD] = (struct slice){r->method_name.data, r->method_name.len};
	texts[FINDING_PROTOCOL] = (struct slice){r->http_protocol.data, r->http_protocol.len};
	texts[FINDING_TARGET] = slice_of(guia_transaction_redacted_uri(context->transaction));
	texts[FINDING_HEAD] = slice_of(guia_transaction_redacted_head(context->transaction));
	if (agent != NULL)
		texts[FINDING_AGENT] =
			slice_of(guia_transaction_redact(context->transaction, gate_slice(agent->value)));
}

static void tell(struct gate_context *context, const struct event *end, const struct guia_summary *summary,
		 struct outbox *outbox)
{
	static struct matches matches;
	struct slice texts[FINDING_TEXTS] = {{NULL, 0}};
	struct finding_head head;
	unsigned found = found_of(context);

	head_fill(&head, context, end, summary);
	head.found = (uint16_t)found;
	matches_take(context->transaction, &matches, &head);
	if (head.phase >= RESPONSE_PHASE)
		head.found |= FINDING_RESPONSE;
	texts_take(context, texts);
	if (found != 0)
		sent_take(context, &rates[end->site], &head, texts);
	if (head.found & FINDING_BODY_SHED)
		counter_add(&outbox_counters(outbox, end->site)->bodies_shed, 1);
	finding_send(&outbox->findings, &head, matches.rows, matches.texts, texts);
}

void gate_findings_tell(struct gate_context *context, const struct event *end, struct outbox *outbox)
{
	struct site_counters *counters = outbox_counters(outbox, end->site);
	struct guia_summary summary;
	unsigned found = found_of(context);

	if (context->transaction == NULL || context->request_state == GATE_NEW)
		return;
	guia_transaction_summary(context->transaction, &summary);
	if (found == 0 && summary.inbound_score <= 0 && summary.outbound_score <= 0)
		return;
	counter_add(&counters->findings, 1);
	if (is_due(&rates[end->site], found, end->at_ns))
		tell(context, end, &summary, outbox);
	else
		counter_add(&counters->findings_shed, 1);
}
