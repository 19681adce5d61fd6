/* What happened, as records: each function is a kind, its values in the order of evidence/leaf.c. */
#include "watch/witness_inside.h"

#include "base/address.h"
#include "base/clock.h"

uint64_t witness_now_ms(void)
{
	return (uint64_t)(clock_ns(CLOCK_MONOTONIC_COARSE) / CLOCK_NS_PER_MS);
}

static struct leaf_value text(const char *string)
{
	return leaf_text(slice_from_string(string));
}

/* Where it is not known it is not given. */
static struct leaf_value text_if(struct slice slice)
{
	return slice.len > 0 ? leaf_text(slice) : (struct leaf_value){.given = false};
}

static struct leaf_value number_if(bool given, uint64_t number)
{
	return given ? leaf_number(number) : (struct leaf_value){.given = false};
}

const char *witness_name_of(const char *site)
{
	return site != NULL && site[0] != '\0' ? site : "(no site)";
}

void witness_digest_put(struct witness *witness, struct slice of, struct slice name, const uint8_t sha256[32])
{
	const struct leaf_value values[LEAF_FIELDS_MOST] = {leaf_text(of), text_if(name),
							    leaf_text(slice_make(sha256, 32))};
	(void)writer_put(witness->writer, LEAF_DIGEST, values);
}

void witness_refusals_put(struct witness *witness, const char *site, const char *rule, uint64_t second, uint64_t total)
{
	uint64_t incident = cases_incident(witness->cases, NULL, site);
	const struct leaf_value values[LEAF_FIELDS_MOST] = {text(witness_name_of(site)), text(rule),
							    leaf_number(second), leaf_number(total),
							    number_if(incident != 0, incident)};
	(void)writer_put(witness->writer, LEAF_REFUSALS, values);
}

void witness_loss_put(struct witness *witness, const char *ring, uint64_t lost)
{
	const struct leaf_value values[LEAF_FIELDS_MOST] = {text(ring), leaf_number(lost)};
	(void)writer_put(witness->writer, LEAF_RING_LOSS, values);
}

void witness_incident_put(struct witness *witness, const struct case_glance *incident, const char *change)
{
	bool has_visitors = incident->kind == CASE_FLOOD;
	struct buffer sites = buffer_make(NULL);
	for (size_t i = 0; i < incident->site_count; i++)
		buffer_printf(&sites, "%s%s", i > 0 ? ", " : "", witness_name_of(incident->sites[i]));
	const struct leaf_value values[LEAF_FIELDS_MOST] = {leaf_number(incident->id),
							    text(change),
							    {.given = false},
							    leaf_text(sites.len > 0 ? buffer_slice(&sites) : SLICE("")),
							    leaf_number(incident->onset_ms),
							    leaf_number(case_requests_all(&incident->requests)),
							    leaf_number(case_requests_refused(&incident->requests)),
							    number_if(has_visitors, incident->visitors.asked),
							    number_if(has_visitors, incident->visitors.answered),
							    text(case_kind_name(incident->kind))};
	(void)writer_put(witness->writer, LEAF_INCIDENT, values);
	buffer_free(&sites);
}

/* A mitigation by itself; all else is a decision on the site. */
void witness_decided(struct witness *witness, const struct defence_news *news)
{
	if (witness == NULL)
		return;
	uint64_t incident = cases_incident(witness->cases, NULL, news->site);
	if (news->mitigation == NULL) {
		const struct leaf_value values[LEAF_FIELDS_MOST] = {
			text(witness_name_of(news->site)), number_if(incident != 0, incident), text(news->change),
			text(news->line), number_if(news->episode != 0, news->episode)};
		(void)writer_put(witness->writer, LEAF_DECISION, values);
		return;
	}
	const struct leaf_value values[LEAF_FIELDS_MOST] = {text(mitigation_kind_name(news->mitigation->kind)),
							    text(witness_name_of(news->site)),
							    text(news->change),
							    leaf_number(news->mitigation->id),
							    number_if(incident != 0, incident),
							    {.given = false},
							    text("guia"),
							    text(news->line),
							    number_if(news->episode != 0, news->episode)};
	(void)writer_put(witness->writer, LEAF_MITIGATION, values);
}

void witness_banned(struct witness *witness, const struct prefix *prefix, uint32_t id, uint64_t until_ms)
{
	char source[ADDRESS_TEXT_BYTES];
	if (witness == NULL)
		return;
	uint64_t incident = cases_incident(witness->cases, &prefix->address, "");
	const struct leaf_value values[LEAF_FIELDS_MOST] = {
		text("ban"),     text(prefix_format(prefix, source)), text("in force"),
		leaf_number(id), number_if(incident != 0, incident),  number_if(until_ms != 0, until_ms),
		text("guia")};
	(void)writer_put(witness->writer, LEAF_MITIGATION, values);
}

void witness_upstream(struct witness *witness, const struct upstream_news *news)
{
	if (witness == NULL)
		return;
	uint64_t incident = cases_incident(witness->cases, NULL, "");
	const struct leaf_value values[LEAF_FIELDS_MOST] = {leaf_text(news->operator_),
							    leaf_text(news->change),
							    leaf_number(news->at_ms),
							    leaf_number(news->number),
							    number_if(news->rule != 0, news->rule),
							    text_if(news->route),
							    number_if(news->by != UINT64_MAX, news->by),
							    text_if(news->why),
							    number_if(news->until_ms != 0, news->until_ms),
							    text_if(news->answer),
							    number_if(incident != 0, incident)};
	(void)writer_put(witness->writer, LEAF_UPSTREAM, values);
}

void witness_ordered(struct witness *witness, uid_t who, struct slice question, struct slice answer)
{
	if (witness == NULL)
		return;
	if (answer.len > 0 && answer.ptr[answer.len - 1] == '\n')
		answer = slice_sub(answer, 0, answer.len - 1);
	const struct leaf_value values[LEAF_FIELDS_MOST] = {leaf_number(who), leaf_text(question), text_if(answer)};
	(void)writer_put(witness->writer, LEAF_ORDER, values);
}

/* 0: it is not to be recorded; else how many it stands for. Seconds are those in which they are read. */
static uint64_t sampled(struct witness *witness)
{
	uint64_t second = witness_now_ms() / CLOCK_MS_PER_S;
	if (second != witness->block_second) {
		witness->block_second = second;
		witness->blocks = 0;
	}
	uint64_t number = witness->blocks++;
	if (number < WITNESS_EACH)
		return 1;
	return (number - WITNESS_EACH) % WITNESS_ONE_OF == 0 ? WITNESS_ONE_OF : 0;
}

static bool commit(struct witness *witness, enum body_what what, struct slice message, uint64_t cut, uint64_t at_ms,
		   struct merkle_hash *ret_commitment)
{
	return message.len > 0 && witness->bodies != NULL &&
	       body_store_put(witness->bodies, what, message, cut, at_ms, ret_commitment);
}

void witness_block(struct witness *witness, const struct witness_block *block)
{
	char source[ADDRESS_TEXT_BYTES];
	struct address address;
	struct merkle_hash body, answer;
	uint64_t stands_for = sampled(witness);
	if (stands_for == 0)
		return;
	bool has_body = commit(witness, BODY_REQUEST, block->message, block->cut, block->at_ms, &body);
	bool has_answer = commit(witness, BODY_RESPONSE, block->answer, block->answer_cut, block->at_ms, &answer);
	memcpy(address.bytes, block->source, sizeof(address.bytes));
	const struct leaf_value values[LEAF_FIELDS_MOST] = {
		text(witness_name_of(block->site)),
		text(address_format(&address, source)),
		leaf_number(block->port),
		leaf_number(block->at_ms),
		text(block->verdict),
		text_if(block->request),
		text_if(block->method),
		text_if(block->uri),
		text_if(block->agent),
		number_if(block->status != 0, block->status),
		text_if(block->rules),
		number_if(block->score >= 0, (uint64_t)(block->score >= 0 ? block->score : 0)),
		leaf_text(slice_make(has_body ? body.bytes : NULL, has_body ? sizeof(body.bytes) : 0)),
		number_if(stands_for > 1, stands_for),
		number_if(block->incident != 0, block->incident),
		leaf_number(block->worker),
		leaf_number(block->number),
		leaf_text(slice_make(has_answer ? answer.bytes : NULL, has_answer ? sizeof(answer.bytes) : 0))};
	(void)writer_put(witness->writer, LEAF_BLOCK, values);
}
