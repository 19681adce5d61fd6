/* Requests that inspection stopped, as findings tell of them: with what matched, what was asked, and the message. */
#include "watch/witness_inside.h"

#include <inttypes.h>
#include <stdio.h>

const char *witness_site_name(const struct witness *witness, uint16_t site)
{
	return witness->sites != NULL && site < witness->sites->count ? witness->sites->views[site].name : "";
}

/* No finding came of it. */
void witness_event_alone(void *context, const struct pairing_event *told)
{
	struct witness *witness = context;
	const struct event *event = &told->event;
	const struct address source = address_from_v6(event->source);
	char request[48], rules[32];
	int request_len = snprintf(request, sizeof(request), "worker-%u/%" PRIu64, told->box, event->request);
	int rules_len = snprintf(rules, sizeof(rules), "%" PRIu64, event->end.rule);
	const struct witness_block block = {
		.site = witness_site_name(witness, told->site),
		.source = event->source,
		.port = event->port,
		.at_ms = event->wall_ms,
		.verdict = event->end.verdict == EVENT_BLOCKED ? "blocked" : "would be blocked",
		.worker = told->box,
		.number = event->request,
		.request = slice_make(request, (size_t)request_len),
		.method = event->method != EVENT_OTHER_METHOD ? slice_from_string(event_method_name(event->method))
							      : SLICE(""),
		.rules = slice_make(rules, event->end.rule != 0 ? (size_t)rules_len : 0),
		.status = event->end.status,
		.score = -1,
		.incident = cases_incident(witness->cases, &source, witness_site_name(witness, told->site)),
	};
	witness_block(witness, &block);
}

/* All that are told of, and the one whose verdict it is at the end. */
static struct slice rules_of(const struct finding *finding, struct buffer *out)
{
	bool named = false;
	for (unsigned i = 0; i < finding->head.match_count; i++) {
		buffer_printf(out, "%s%" PRId64, i > 0 ? "," : "", finding->matches[i].rule);
		named = named || finding->matches[i].rule == finding->head.rule;
	}
	if (!named && finding->head.rule > 0)
		buffer_printf(out, "%s%" PRId64, out->len > 0 ? "," : "", finding->head.rule);
	return out->len > 0 ? buffer_slice(out) : SLICE("");
}

static const char *verdict_of(uint16_t found)
{
	static const char *const verdicts[2][2] = {{"would be blocked", "answer would be blocked"},
						   {"blocked", "answer blocked"}};
	return verdicts[(found & FINDING_DISRUPTED) != 0][(found & FINDING_RESPONSE) != 0];
}

/* Without a head there is none. */
static struct slice joined(struct slice head, struct slice body, struct buffer *out)
{
	if (head.len == 0)
		return SLICE("");
	buffer_add(out, head);
	buffer_add(out, body);
	return out->error == 0 ? buffer_slice(out) : SLICE("");
}

static void tell(struct witness *witness, unsigned box, uint16_t site, const struct finding *finding, uint64_t incident)
{
	const struct finding_head *head = &finding->head;
	struct buffer rules = buffer_make(NULL), message = buffer_make(NULL), answer = buffer_make(NULL);
	const struct slice *texts = finding->texts;
	size_t body = texts[FINDING_BODY_SENT].len, answered = texts[FINDING_ANSWER_BODY].len;
	const struct witness_block block = {
		.site = witness_site_name(witness, site),
		.source = head->source,
		.port = head->port,
		.at_ms = head->wall_ms,
		.verdict = verdict_of(head->found),
		.worker = box,
		.number = head->request,
		.request = finding->texts[FINDING_ID],
		.method = finding->texts[FINDING_METHOD],
		.uri = finding->texts[FINDING_TARGET],
		.agent = finding->texts[FINDING_AGENT],
		.rules = rules_of(finding, &rules),
		.status = head->status,
		.score = (head->found & FINDING_RESPONSE) != 0 ? head->outbound_score : head->inbound_score,
		.message = joined(texts[FINDING_HEAD_SENT], texts[FINDING_BODY_SENT], &message),
		.cut = head->body_bytes > body ? head->body_bytes - body : 0,
		.answer = joined(texts[FINDING_ANSWER_HEAD], texts[FINDING_ANSWER_BODY], &answer),
		.answer_cut = head->answer_bytes > answered ? head->answer_bytes - answered : 0,
		.incident = incident,
	};
	witness_block(witness, &block);
	buffer_free(&rules);
	buffer_free(&message);
	buffer_free(&answer);
}

/* Those of the time before us are known by their events alone. */
void witness_finding(struct witness *witness, const struct sites *sites, unsigned box, const struct finding *finding,
		     uint64_t incident)
{
	const struct finding_head *head = &finding->head;
	if (witness == NULL || (head->found & (FINDING_DISRUPTED | FINDING_WOULD_BLOCK)) == 0 ||
	    head->at_ns < witness->began_ns)
		return;
	witness->sites = sites;
	if (pairing_finding(witness->pairing, box, head->request, head->at_ns))
		tell(witness, box, sites_number(sites, box, head->site), finding, incident);
}
