/* A header, records of one size, and behind them what they point to: values, networks, text. */
#include "limit/signature_image.h"

#include "base/error.h"
#include "base/file.h"
#include "limit/signature_record.h"

#include <math.h>
#include <stdlib.h>

const struct image_head signature_image_head = {
	.magic = {'G', 'u', 'i', 'a', 'S', 'i', 'g', 's'},
	.form = 2,
	.record_bytes = sizeof(struct rule_record),
};

const char *site_mode_name(enum site_mode mode)
{
	static const char *const names[SITE_MODES] = {
		[SITE_OPEN] = "open",
		[SITE_GUARDED] = "guarded",
		[SITE_LOCAL] = "local",
	};
	return mode < SITE_MODES ? names[mode] : "?";
}

/* ---- what is where ---- */

struct parts {
	const struct signature_header *header;
	const struct rule_record *rules;
	const struct mode_record *modes;
	const uint64_t *values;
	const struct prefix *prefixes;
	const uint8_t *text;
};

static bool find_parts(struct slice bytes, struct parts *ret_parts)
{
	const struct signature_header *header = (const struct signature_header *)bytes.ptr;
	if (bytes.len < sizeof(*header) || header->rules > SIGNATURE_RULES_MOST || header->modes > SITE_MODES_MOST ||
	    signature_image_length(header) != bytes.len)
		return false;
	struct parts parts = {.header = header, .rules = (const struct rule_record *)(header + 1)};
	parts.modes = (const struct mode_record *)(parts.rules + header->rules);
	parts.values = (const uint64_t *)(parts.modes + header->modes);
	parts.prefixes = (const struct prefix *)(parts.values + header->values);
	parts.text = (const uint8_t *)(parts.prefixes + header->prefixes);
	*ret_parts = parts;
	return true;
}

static bool within(struct record_span span, uint32_t all)
{
	return span.first <= all && span.count <= all - span.first;
}

static bool take_text(const struct parts *parts, struct record_span span, size_t most, struct slice *ret_text)
{
	if (!within(span, parts->header->text) || span.count > most)
		return false;
	*ret_text = slice_make(parts->text + span.first, span.count);
	return true;
}

/* A binary search must find its way: they ascend. */
static bool take_values(const struct parts *parts, struct record_span span, struct signature_values *ret_values)
{
	if (!within(span, parts->header->values))
		return false;
	const uint64_t *values = parts->values + span.first;
	for (uint32_t i = 1; i < span.count; i++)
		if (values[i] <= values[i - 1])
			return false;
	*ret_values = (struct signature_values){(uint64_t *)values, span.count};
	return true;
}

static bool prefix_possible(const struct prefix *prefix)
{
	if (prefix->bits > ADDRESS_BITS)
		return false;
	struct prefix same = address_prefix(&prefix->address, prefix->bits);
	return address_equal(&same.address, &prefix->address);
}

/* They ascend, and none lies within the one before it. */
static bool take_prefixes(const struct parts *parts, struct record_span span, const struct prefix **ret_prefixes)
{
	if (!within(span, parts->header->prefixes))
		return false;
	const struct prefix *prefixes = parts->prefixes + span.first;
	for (uint32_t i = 0; i < span.count; i++) {
		if (!prefix_possible(&prefixes[i]))
			return false;
		if (i > 0 && (memcmp(&prefixes[i - 1].address, &prefixes[i].address, ADDRESS_BYTES) >= 0 ||
			      prefix_has(&prefixes[i - 1], &prefixes[i].address)))
			return false;
	}
	*ret_prefixes = prefixes;
	return true;
}

/* ---- reading ---- */

static bool take_term(const struct term_record *record, struct signature_term *ret_term)
{
	bool of_header = record->test == SIGNATURE_HAS || record->test == SIGNATURE_LACKS;
	if (record->test >= SIGNATURE_TESTS || record->field >= SIGNATURE_FIELDS || (of_header && record->value >= 32))
		return false;
	*ret_term = (struct signature_term){(enum signature_test)record->test, (enum signature_field)record->field,
					    record->value};
	return true;
}

static bool take_conjunctions(const struct rule_record *record, struct signature *signature)
{
	if (record->conjunctions == 0 || record->conjunctions > SIGNATURE_CONJUNCTIONS)
		return false;
	signature->count = record->conjunctions;
	for (unsigned i = 0; i < signature->count; i++) {
		const struct conjunction_record *from = &record->conjunction[i];
		/* Of no term would match everything. */
		if (from->count == 0 || from->count > SIGNATURE_TERMS)
			return false;
		signature->conjunction[i].count = (unsigned)from->count;
		for (unsigned at = 0; at < from->count; at++)
			if (!take_term(&from->term[at], &signature->conjunction[i].term[at]))
				return false;
	}
	return true;
}

static bool take_lists(const struct parts *parts, const struct rule_record *record, struct signature *signature)
{
	const struct prefix *prefixes;
	for (unsigned i = 0; i < SIGNATURE_FIELDS; i++)
		if (!take_values(parts, record->known[i], &signature->known[i]) ||
		    !take_values(parts, record->listed[i], &signature->listed[i]))
			return false;
	if (record->prefixes.count > SIGNATURE_PREFIXES || !take_prefixes(parts, record->prefixes, &prefixes))
		return false;
	signature->prefixes = record->prefixes.count;
	memcpy(signature->prefix, prefixes, signature->prefixes * sizeof(*prefixes));
	return true;
}

static bool take_rule(const struct parts *parts, const struct rule_record *record, struct signature_rule *rule)
{
	rule->id = record->id;
	rule->expires_ms = record->expires_ms;
	rule->signature.coverage = record->coverage;
	rule->signature.collateral = record->collateral;
	return rule->id != 0 && isfinite(record->coverage) && isfinite(record->collateral) &&
	       take_text(parts, record->site, SIGNATURE_SITE_BYTES, &rule->site) &&
	       take_text(parts, record->why, SIGNATURE_WHY_BYTES, &rule->why) &&
	       take_conjunctions(record, &rule->signature) && take_lists(parts, record, &rule->signature);
}

static bool take_mode(const struct parts *parts, const struct mode_record *record, struct site_mode_rule *rule)
{
	rule->id = record->id;
	rule->mode = (enum site_mode)record->mode;
	rule->expires_ms = record->expires_ms;
	rule->homes = record->home.count;
	return rule->id != 0 && record->mode < SITE_MODES &&
	       take_text(parts, record->site, SIGNATURE_SITE_BYTES, &rule->site) &&
	       take_prefixes(parts, record->home, &rule->home);
}

static bool take_all(struct signature_image *image)
{
	struct parts parts;
	if (!find_parts(buffer_slice(&image->bytes), &parts))
		return false;
	for (uint32_t i = 0; i < parts.header->rules; i++) {
		if (!take_rule(&parts, &parts.rules[i], &image->rules[i]))
			return false;
		image->asks_pace |= signature_asks(&image->rules[i].signature, SIGNATURE_PACE);
	}
	for (uint32_t i = 0; i < parts.header->modes; i++)
		if (!take_mode(&parts, &parts.modes[i], &image->modes[i]))
			return false;
	image->rule_count = parts.header->rules;
	image->mode_count = parts.header->modes;
	image->shed_until_ms = parts.header->shed_until_ms;
	image->version = parts.header->head.version;
	return true;
}

int signature_image_open(struct buffer *bytes, const uint8_t boot[IMAGE_BOOT_BYTES], struct signature_image **ret_image,
			 enum image_fault *ret_fault)
{
	enum image_fault fault = image_check(buffer_slice(bytes), &signature_image_head, boot);
	if (fault != IMAGE_GOOD) {
		*ret_fault = fault;
		return SIGNATURE_IMAGE_BAD;
	}
	struct signature_image *image = calloc(1, sizeof(*image));
	if (image == NULL)
		return -ENOMEM;
	image->bytes = *bytes;
	if (!take_all(image)) {
		free(image);
		*ret_fault = IMAGE_MALFORMED;
		return SIGNATURE_IMAGE_BAD;
	}
	*bytes = buffer_make(NULL);
	*ret_image = image;
	return 0;
}

int signature_image_read(const char *path, const uint8_t boot[IMAGE_BOOT_BYTES], struct signature_image **ret_image,
			 enum image_fault *ret_fault)
{
	struct buffer bytes = buffer_make(NULL);
	int r = file_read(path, SIGNATURE_IMAGE_BYTES, &bytes);
	r = r != 0 ? r : signature_image_open(&bytes, boot, ret_image, ret_fault);
	buffer_free(&bytes);
	return r;
}

void signature_image_free(struct signature_image *image)
{
	if (image == NULL)
		return;
	buffer_free(&image->bytes);
	free(image);
}

/* ---- asking ---- */

uint64_t signature_image_rules_of(const struct signature_image *image, struct slice site)
{
	uint64_t rules = 0;
	for (size_t i = 0; i < image->rule_count; i++)
		if (image->rules[i].site.len == 0 || slice_equal(image->rules[i].site, site))
			rules |= (uint64_t)1 << i;
	return rules;
}

const struct signature_rule *signature_image_match(const struct signature_image *image, uint64_t rules,
						   const struct signature_request *request, uint64_t now_ms)
{
	for (; rules != 0; rules &= rules - 1) {
		const struct signature_rule *rule = &image->rules[__builtin_ctzll(rules)];
		if (rule->expires_ms > now_ms && signature_matches(&rule->signature, request))
			return rule;
	}
	return NULL;
}

const struct site_mode_rule *signature_image_mode_of(const struct signature_image *image, struct slice site)
{
	const struct site_mode_rule *of_all = NULL;
	for (size_t i = 0; i < image->mode_count; i++) {
		if (image->modes[i].site.len == 0)
			of_all = &image->modes[i];
		else if (slice_equal(image->modes[i].site, site))
			return &image->modes[i];
	}
	return of_all;
}

bool site_mode_is_home(const struct site_mode_rule *rule, const struct address *source)
{
	return prefixes_have(rule->home, rule->homes, source);
}
