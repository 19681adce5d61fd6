/*
 * One function a row of operator_table.h. Argument, places and captures are had in one way by all of them; negation is
 * applied once, to what they answer.
 */
#include "engine/operator.h"

#include "engine/macro.h"
#include "engine/number.h"
#include "engine/operator_kind.h"
#include "engine/variable.h"
#include "http/xml.h"
#include "match/bytes.h"
#include "match/compare.h"
#include "match/geo.h"
#include "match/network.h"
#include "match/phrases.h"
#include "match/sqli.h"
#include "match/verify.h"
#include "match/xss.h"

#include <errno.h>
#include <stdio.h>

enum { OPERATOR_UNDECIDED = 2 }; /* a limit was met by one that only asks */

typedef int operator_function(struct operand *o);

struct slice operand_text(struct operand *o)
{
	/* Once made it stays, for a capture may change the entry. */
	if (o->bytes.ptr == NULL && o->entry != NULL)
		o->bytes = tx_text(&o->t->tx, o->entry);
	else if (o->bytes.ptr == NULL && o->is_number)
		o->bytes = number_text(&o->t->arena, o->number);
	return o->bytes;
}

int64_t operand_number(struct operand *o)
{
	if (o->entry != NULL && o->bytes.ptr == NULL)
		return tx_number(o->entry);
	return o->is_number ? o->number : compare_number(o->bytes);
}

static struct slice argument(const struct operand *o)
{
	if (o->argument != NULL)
		return *o->argument;
	return macro_expand(o->t, &o->rule->operation.argument, o->rule);
}

static void note(struct operand *o, size_t start, size_t len)
{
	if (o->span_count < OPERATOR_SPANS)
		o->spans[o->span_count++] = (struct regex_span){start, start + len};
}

static int capture(struct operand *o, size_t group, struct slice text)
{
	struct transaction *t = o->t;
	int handle = group < PLAN_CAPTURES ? t->plan->capture_slots[group] : TX_NONE;
	if (handle == TX_NONE) {
		/* No rule asks for it by name. */
		struct slice name = number_text(&t->arena, (int64_t)group);
		handle = name.len == 0 ? TX_NONE : tx_intern(&t->tx, name);
	}
	return handle == TX_NONE ? -ENOMEM : tx_set_text(&t->tx, handle, text);
}

static int capture_whole(struct operand *o, struct slice text)
{
	return o->rule->capture && !o->asks_only ? capture(o, 0, text) : 0;
}

static struct regex_limits limits_of(const struct transaction *t)
{
	return (struct regex_limits){t->ruleset->settings.pcre_match_limit,
				     t->ruleset->settings.pcre_match_limit_recursion};
}

/* A limit of PCRE is no match, but rules can see that there was one (200005 of the recommended rules does). */
static int limit_exceeded(struct operand *o)
{
	struct transaction *t = o->t;
	int handle = t->plan->pcre_limits_slot;
	if (o->asks_only)
		return OPERATOR_UNDECIDED;
	if (handle == SLOT_NONE)
		handle = tx_intern(&t->tx, SLICE("MSC_PCRE_LIMITS_EXCEEDED"));
	if (handle == TX_NONE || tx_set_text(&t->tx, handle, SLICE("1")) != 0 ||
	    variable_flag(t, VARIABLE_MSC_PCRE_LIMITS_EXCEEDED, true) != 0 ||
	    variable_flag(t, VARIABLE_MSC_PCRE_ERROR, true) != 0)
		return -ENOMEM;
	return 0;
}

/* The rule's expression, or that of its expanded argument; NULL if that is none. */
static const struct regex *expression(struct operand *o)
{
	const struct regex *regex = o->rule->operation.regex;
	if (regex != NULL)
		return regex;
	return regex_cache_get(o->t->worker->expressions, argument(o), 0, &regex) == 0 ? regex : NULL;
}

/* Stores the groups told, numbered from `first`. */
static int store_groups(struct operand *o, const struct regex_span *groups, size_t count, size_t first)
{
	struct slice value = o->bytes;
	for (size_t i = 0; i < count; i++) {
		if (groups[i].start == REGEX_UNSET)
			continue;
		note(o, groups[i].start, groups[i].end - groups[i].start);
		if (!o->rule->capture || o->asks_only)
			continue;
		int r = capture(o, first + i, slice_sub(value, groups[i].start, groups[i].end));
		if (r != 0)
			return r;
	}
	return 0;
}

static bool is_empty_pattern(const struct operand *o)
{
	return o->rule->operation.argument.text.len == 0;
}

static int operator_RX(struct operand *o)
{
	struct regex_span groups[REGEX_GROUPS_MAX];
	size_t count = REGEX_GROUPS_MAX;
	struct regex_limits limits = limits_of(o->t);
	if (is_empty_pattern(o))
		return 1;
	const struct regex *regex = expression(o);
	if (regex == NULL)
		return 0;
	int r = regex_match(regex, o->t->worker->regex_scratch, operand_text(o), 0, &limits, groups, &count);
	if (r == REGEX_LIMIT)
		return limit_exceeded(o);
	if (r != REGEX_MATCH)
		return r;
	r = store_groups(o, groups, count, 0);
	return r != 0 ? r : 1;
}

static int operator_RX_GLOBAL(struct operand *o)
{
	struct regex_span groups[REGEX_GROUPS_MAX];
	struct regex_limits limits = limits_of(o->t);
	struct regex_walk walk = {0};
	size_t stored = 0;
	if (is_empty_pattern(o))
		return 1;
	const struct regex *regex = expression(o);
	while (regex != NULL) {
		size_t count = REGEX_GROUPS_MAX;
		int r = regex_next(regex, o->t->worker->regex_scratch, operand_text(o), &walk, &limits, groups, &count);
		if (r == REGEX_LIMIT)
			return limit_exceeded(o);
		if (r < 0)
			return r;
		if (r != REGEX_MATCH)
			break;
		r = store_groups(o, groups, count, stored);
		if (r != 0)
			return r;
		stored += count;
	}
	return stored > 0;
}

static int operator_PM(struct operand *o)
{
	struct phrase_match match;
	const struct phrases *phrases = o->rule->operation.phrases;
	if (phrases == NULL || !phrases_match(phrases, operand_text(o), &match))
		return 0;
	note(o, match.start, match.end - match.start);
	int r = capture_whole(o, match.text);
	return r != 0 ? r : 1;
}

#define operator_PM_FROM_FILE operator_PM

typedef bool text_comparison(struct slice value, struct slice argument, size_t *ret_at);

static int compare_text(struct operand *o, text_comparison *compare)
{
	size_t at;
	struct slice text = argument(o);
	if (!compare(operand_text(o), text, &at))
		return 0;
	note(o, at, compare == compare_within ? o->bytes.len : text.len);
	return 1;
}

static int operator_BEGINS_WITH(struct operand *o)
{
	return compare_text(o, compare_begins_with);
}

static int operator_CONTAINS(struct operand *o)
{
	return compare_text(o, compare_contains);
}

#define operator_STR_MATCH operator_CONTAINS

static int operator_CONTAINS_WORD(struct operand *o)
{
	return compare_text(o, compare_contains_word);
}

static int operator_ENDS_WITH(struct operand *o)
{
	return compare_text(o, compare_ends_with);
}

static int operator_STR_EQ(struct operand *o)
{
	return compare_text(o, compare_equal);
}

static int operator_WITHIN(struct operand *o)
{
	return compare_text(o, compare_within);
}

static int64_t argument_number(const struct operand *o)
{
	if (o->argument != NULL)
		return compare_number(*o->argument);
	return macro_number(o->t, &o->rule->operation.argument, o->rule);
}

static int compare_numbers(struct operand *o)
{
	return operator_compare_numbers(o->rule->operation.kind, operand_number(o), argument_number(o));
}

#define operator_EQ compare_numbers
#define operator_GE compare_numbers
#define operator_GT compare_numbers
#define operator_LE compare_numbers
#define operator_LT compare_numbers

static int operator_DETECT_SQLI(struct operand *o)
{
	struct sqli_fingerprint fingerprint;
	struct worker *worker = o->t->worker;
	if (worker->options.reference_path ? !sqli_detect(operand_text(o), &fingerprint)
					   : !sqli_detect_again(&worker->sqli_memo, operand_text(o), &fingerprint))
		return 0;
	if (o->asks_only || (!o->rule->capture && o->t->trace == NULL))
		return 1;
	if (arena_copy(&o->t->arena, slice_from_string(fingerprint.text), &o->found) != 0)
		return -ENOMEM;
	int r = o->rule->capture ? capture(o, 0, o->found) : 0;
	return r != 0 ? r : 1;
}

static int operator_DETECT_XSS(struct operand *o)
{
	if (!xss_detect(operand_text(o)))
		return 0;
	int r = capture_whole(o, o->bytes);
	return r != 0 ? r : 1;
}

static int operator_VALIDATE_BYTE_RANGE(struct operand *o)
{
	const struct byte_range *set = o->rule->operation.bytes;
	struct slice value = operand_text(o);
	size_t first = set == NULL ? value.len : byte_range_find_foreign(set, value, 0);
	for (size_t at = first; at < value.len && o->span_count < OPERATOR_SPANS;
	     at = byte_range_find_foreign(set, value, at + 1))
		note(o, at, 1);
	return first < value.len;
}

static int operator_VALIDATE_URL_ENCODING(struct operand *o)
{
	size_t at;
	if (url_encoding_check(operand_text(o), &at) == URL_ENCODING_VALID)
		return 0;
	note(o, at, o->bytes.len);
	return 1;
}

static int operator_VALIDATE_UTF8_ENCODING(struct operand *o)
{
	size_t at;
	if (utf8_encoding_check(operand_text(o), &at) == UTF8_VALID)
		return 0;
	note(o, at, o->bytes.len);
	return 1;
}

static int verify(struct operand *o, verify_function *function)
{
	struct regex_span span;
	struct regex_limits limits = limits_of(o->t);
	const struct regex *regex = is_empty_pattern(o) ? NULL : expression(o);
	if (regex == NULL)
		return 0;
	int r = verify_search(function, regex, o->t->worker->regex_scratch, operand_text(o), &limits, &span);
	if (r == REGEX_LIMIT)
		return limit_exceeded(o);
	if (r != REGEX_MATCH)
		return r;
	note(o, span.start, span.end - span.start);
	r = capture_whole(o, slice_sub(o->bytes, span.start, span.end));
	return r != 0 ? r : 1;
}

static int operator_VERIFY_CC(struct operand *o)
{
	return verify(o, verify_card);
}

static int operator_VERIFY_CPF(struct operand *o)
{
	return verify(o, verify_cpf);
}

static int operator_VERIFY_SSN(struct operand *o)
{
	return verify(o, verify_ssn);
}

static int operator_VERIFY_SVNR(struct operand *o)
{
	return verify(o, verify_svnr);
}

static int operator_IP_MATCH(struct operand *o)
{
	struct network_address address;
	const struct networks *networks = o->rule->operation.networks;
	return networks != NULL && network_address_parse(operand_text(o), &address) &&
	       networks_contain(networks, &address);
}

#define operator_IP_MATCH_FROM_FILE operator_IP_MATCH

struct geo_context {
	struct transaction *t;
	int error;
};

static void add_geo_field(void *context, struct slice name, struct slice value)
{
	struct geo_context *geo = context;
	struct slice copy;
	if (arena_copy(&geo->t->arena, value, &copy) != 0 ||
	    value_set_add(&geo->t->sets[VARIABLE_GEO], &geo->t->arena, name, copy) == NULL)
		geo->error = -ENOMEM;
}

static int operator_GEO_LOOKUP(struct operand *o)
{
	struct geo_context geo = {.t = o->t};
	o->t->sets[VARIABLE_GEO] = (struct value_set){0};
	bool found = geo_lookup(o->t->plan->geo, operand_text(o), add_geo_field, &geo);
	return geo.error != 0 ? geo.error : found;
}

enum {
	DNS_NAME_BYTES = 255,  /* RFC 1035 */
	RBL_VALUE_BYTES = 200, /* leaves room for a zone */
};

/* "1.2.3.4" in the zone "zone" is the name 4.3.2.1.zone, with the key in front where the zone wants one. */
static int rbl_name(struct operand *o, struct slice zone, char *name, size_t size)
{
	struct network_address address;
	struct slice value = operand_text(o);
	struct slice key = o->t->ruleset->settings.http_bl_key;
	bool keyed = slice_find_nocase(zone, SLICE("httpbl.org"), 0) < zone.len;
	if (!network_address_parse(value, &address) || address.is_v6)
		return snprintf(name, size, "%.*s.%.*s", SLICE_ARG(value), SLICE_ARG(zone));
	if (keyed && key.len == 0)
		return 0;
	const uint8_t *b = address.bytes + 12;
	return snprintf(name, size, "%.*s%s%u.%u.%u.%u.%.*s", keyed ? (int)key.len : 0, (const char *)key.ptr,
			keyed ? "." : "", b[3], b[2], b[1], b[0], SLICE_ARG(zone));
}

static int operator_RBL(struct operand *o)
{
	char name[DNS_NAME_BYTES + 1];
	const struct guia_resolver *resolver = o->t->worker->options.resolver;
	struct slice value = operand_text(o);
	/* A name cannot be longer, and a byte that is not printable is in none. */
	if (resolver == NULL || value.len > RBL_VALUE_BYTES)
		return 0;
	for (size_t i = 0; i < value.len; i++)
		if (value.ptr[i] <= ' ' || value.ptr[i] > '~')
			return 0;
	int len = rbl_name(o, argument(o), name, sizeof(name));
	if (len <= 0 || (size_t)len >= sizeof(name) || resolver->ask(resolver->context, name) != 1)
		return 0;
	int r = capture_whole(o, o->bytes);
	return r != 0 ? r : 1;
}

/* These match what is not valid, and where there is no document to validate. */
static int operator_VALIDATE_SCHEMA(struct operand *o)
{
	const struct plan_schema *schema = plan_find_schema(o->t->plan, &o->rule->operation);
	struct xml_document *document = o->t->xml;
	if (schema == NULL || schema->schema == NULL || document == NULL || !xml_well_formed(document))
		return 1;
	return !xml_schema_validate(schema->schema, document);
}

static int operator_VALIDATE_DTD(struct operand *o)
{
	const struct plan_schema *schema = plan_find_schema(o->t->plan, &o->rule->operation);
	struct xml_document *document = o->t->xml;
	if (schema == NULL || schema->dtd == NULL || document == NULL || !xml_well_formed(document))
		return 1;
	return !xml_dtd_validate(schema->dtd, document);
}

static int operator_NO_MATCH(struct operand *o)
{
	(void)o;
	return 0;
}

static int operator_UNCONDITIONAL_MATCH(struct operand *o)
{
	(void)o;
	return 1;
}

/* An operator of the table without a function does not compile. */
static operator_function *const functions[OPERATOR_COUNT] = {
#define OPERATOR(id, name, argument) [OPERATOR_##id] = operator_##id,
#include "ruleset/operator_table.h"
#undef OPERATOR
};

int operator_evaluate(struct operand *o)
{
	o->span_count = 0;
	int r = functions[o->rule->operation.kind](o);
	if (r < 0)
		return r;
	if (r == OPERATOR_UNDECIDED)
		return 1;
	return o->rule->operation.negated ? r == 0 : r != 0;
}
