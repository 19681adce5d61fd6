/*
 * A match is plain evaluation, a term at a time until one fails. A pair of fields is a field of the request itself, so
 * that every term is about one value; lists are sorted and searched by halves.
 */
#include "limit/signature.h"

#include <stdlib.h>

const char *signature_field_name(enum signature_field field)
{
	static const char *const names[SIGNATURE_FIELDS] = {
		[SIGNATURE_SHAPE] = "order of headers",
		[SIGNATURE_AGENT] = "agent",
		[SIGNATURE_ACCEPT] = "accepted types",
		[SIGNATURE_LANGUAGE] = "language",
		[SIGNATURE_PATH] = "path",
		[SIGNATURE_QUERY] = "names of arguments",
		[SIGNATURE_METHOD] = "method",
		[SIGNATURE_PROTOCOL] = "protocol",
		[SIGNATURE_HEADERS] = "number of headers",
		[SIGNATURE_LENGTH] = "length of the body",
		[SIGNATURE_PACE] = "pace",
		[SIGNATURE_SHAPE_AGENT] = "order of headers with agent",
		[SIGNATURE_AGENT_ACCEPT] = "agent with accepted types",
		[SIGNATURE_AGENT_LANGUAGE] = "agent with language",
	};
	return field < SIGNATURE_FIELDS ? names[field] : "?";
}

uint64_t signature_class(uint64_t number)
{
	if (number < 8)
		return number;
	unsigned log = 63u - (unsigned)__builtin_clzll(number);
	return log * 4 + (number >> (log - 2) & 3);
}

/* The parts are keyed hashes already: any good mixing of two words does. */
static uint64_t pair_of(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)(a ^ 0x9e3779b97f4a7c15u) * (b ^ 0xd6e8feb86659fd93u);
	return ((uint64_t)product ^ (uint64_t)(product >> 64)) | 1;
}

void signature_complete(struct signature_request *request)
{
	const uint64_t *given = request->field;
	request->field[SIGNATURE_SHAPE_AGENT] = pair_of(given[SIGNATURE_SHAPE], given[SIGNATURE_AGENT]);
	request->field[SIGNATURE_AGENT_ACCEPT] = pair_of(given[SIGNATURE_AGENT], given[SIGNATURE_ACCEPT]);
	request->field[SIGNATURE_AGENT_LANGUAGE] = pair_of(given[SIGNATURE_AGENT], given[SIGNATURE_LANGUAGE]);
}

static const struct address nobody; /* who comes through a proxy that names nobody, say: wire/event.h */

struct signature_request signature_request_from(const struct event *arrival, uint64_t since_ms, bool regular)
{
	const unsigned protocol = EVENT_TLS | EVENT_HTTP2 | EVENT_HTTP10;
	const struct address source = address_from_v6(arrival->source);
	bool paced = !address_equal(&source, &nobody);
	struct signature_request request = {
		.field = {[SIGNATURE_SHAPE] = arrival->shape,
			  [SIGNATURE_AGENT] = arrival->agent,
			  [SIGNATURE_ACCEPT] = arrival->arrival.accept,
			  [SIGNATURE_LANGUAGE] = arrival->arrival.language,
			  [SIGNATURE_PATH] = arrival->path,
			  [SIGNATURE_QUERY] = arrival->arrival.query,
			  [SIGNATURE_METHOD] = arrival->method,
			  [SIGNATURE_PROTOCOL] = 1 + (arrival->flags & protocol),
			  [SIGNATURE_HEADERS] = arrival->arrival.headers,
			  [SIGNATURE_LENGTH] = signature_class(arrival->arrival.length),
			  [SIGNATURE_PACE] = paced ? signature_class(since_ms) : 0},
		.present = arrival->arrival.present,
		.regular = regular,
		.source = source,
	};
	signature_complete(&request);
	return request;
}

void signature_values_free(struct signature_values *values)
{
	free(values->values);
	*values = (struct signature_values){0};
}

void signature_free(struct signature *signature)
{
	for (unsigned i = 0; i < SIGNATURE_FIELDS; i++) {
		signature_values_free(&signature->known[i]);
		signature_values_free(&signature->listed[i]);
	}
	*signature = (struct signature){0};
}

size_t signature_value_count(const struct signature *signature)
{
	size_t count = 0;
	for (unsigned i = 0; i < SIGNATURE_FIELDS; i++)
		count += signature->known[i].count + signature->listed[i].count;
	return count;
}

bool signature_values_have(const struct signature_values *values, uint64_t value)
{
	size_t low = 0, high = values->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (values->values[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low < values->count && values->values[low] == value;
}

bool prefixes_have(const struct prefix *prefixes, size_t count, const struct address *source)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (memcmp(&prefixes[middle].address, source, ADDRESS_BYTES) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	/* IPv4's lie in the middle of what ::/0 and the like have, and those come first. */
	return low > 0 && (prefix_has(&prefixes[low - 1], source) || prefix_has(&prefixes[0], source));
}

static bool term_matches(const struct signature *signature, const struct signature_term *term,
			 const struct signature_request *request)
{
	switch (term->test) {
	case SIGNATURE_EQUALS:
		return request->field[term->field] == term->value;
	case SIGNATURE_ONE_OF:
		return signature_values_have(&signature->listed[term->field], request->field[term->field]);
	case SIGNATURE_UNKNOWN:
		return !signature_values_have(&signature->known[term->field], request->field[term->field]);
	case SIGNATURE_HAS:
		return (request->present >> term->value & 1) != 0;
	case SIGNATURE_LACKS:
		return (request->present >> term->value & 1) == 0;
	case SIGNATURE_FROM:
		return !address_equal(&request->source, &nobody) &&
		       prefixes_have(signature->prefix, signature->prefixes, &request->source);
	case SIGNATURE_TESTS:
		break;
	}
	return false;
}

bool signature_matches(const struct signature *signature, const struct signature_request *request)
{
	for (unsigned i = 0; i < signature->count; i++) {
		const struct signature_conjunction *conjunction = &signature->conjunction[i];
		unsigned at = 0;
		while (at < conjunction->count && term_matches(signature, &conjunction->term[at], request))
			at++;
		if (at == conjunction->count && at > 0)
			return true;
	}
	return false;
}

bool signature_asks(const struct signature *signature, enum signature_field field)
{
	for (unsigned i = 0; i < signature->count; i++)
		for (unsigned at = 0; at < signature->conjunction[i].count; at++) {
			const struct signature_term *term = &signature->conjunction[i].term[at];
			if (term->field == field && term->test <= SIGNATURE_UNKNOWN)
				return true;
		}
	return false;
}
