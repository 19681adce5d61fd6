/*
 * signature_image_build() of signature_image.h: parts grow in buffers of their own, point into each other by numbers,
 * and are put together at the end.
 */
#include "limit/signature_image.h"
#include "limit/signature_record.h"

#include "base/error.h"

#include <stdlib.h>

/* Parts in the making. */
struct builder {
	struct buffer rules, modes, values, prefixes, text;
	const struct prefix *last_home; /* sites that share their home share the list */
	struct record_span last_span;
};

static struct record_span add(struct buffer *part, size_t record_bytes, const void *records, size_t count)
{
	struct record_span span = {(uint32_t)(part->len / record_bytes), (uint32_t)count};
	buffer_add(part, slice_make(records, count * record_bytes));
	return span;
}

static struct record_span add_text(struct builder *b, struct slice text)
{
	return add(&b->text, 1, text.ptr, text.len);
}

static struct record_span add_values(struct builder *b, const struct signature_values *values)
{
	return add(&b->values, sizeof(uint64_t), values->values, values->count);
}

static int by_place(const void *a, const void *b)
{
	const struct prefix *x = a, *y = b;
	int order = memcmp(&x->address, &y->address, ADDRESS_BYTES);
	return order != 0 ? order : x->bits - y->bits;
}

/* Sorted, and without those that lie within another: a wider one that begins at the same place comes first. */
static struct record_span add_prefixes(struct builder *b, const struct prefix *prefixes, size_t count)
{
	struct record_span span = add(&b->prefixes, sizeof(*prefixes), prefixes, count);
	if (b->prefixes.error != 0 || count == 0)
		return span;
	struct prefix *own = (struct prefix *)b->prefixes.ptr + span.first;
	qsort(own, count, sizeof(*own), by_place);
	span.count = 1;
	for (size_t i = 1; i < count; i++)
		if (!prefix_has(&own[span.count - 1], &own[i].address))
			own[span.count++] = own[i];
	b->prefixes.len = (span.first + span.count) * sizeof(*prefixes);
	return span;
}

static struct conjunction_record conjunction_of(const struct signature_conjunction *from)
{
	struct conjunction_record record = {.count = from->count};
	for (unsigned i = 0; i < from->count && i < SIGNATURE_TERMS; i++)
		record.term[i] = (struct term_record){from->term[i].test, from->term[i].field, from->term[i].value};
	return record;
}

static void add_rule(struct builder *b, const struct signature_rule *rule)
{
	const struct signature *signature = &rule->signature;
	struct rule_record record = {.id = rule->id,
				     .conjunctions = signature->count,
				     .expires_ms = rule->expires_ms,
				     .coverage = signature->coverage,
				     .collateral = signature->collateral};
	record.site = add_text(b, rule->site);
	record.why = add_text(b, rule->why);
	record.prefixes = add_prefixes(b, signature->prefix, signature->prefixes);
	for (unsigned i = 0; i < SIGNATURE_FIELDS; i++) {
		record.known[i] = add_values(b, &signature->known[i]);
		record.listed[i] = add_values(b, &signature->listed[i]);
	}
	for (unsigned i = 0; i < signature->count && i < SIGNATURE_CONJUNCTIONS; i++)
		record.conjunction[i] = conjunction_of(&signature->conjunction[i]);
	buffer_add(&b->rules, slice_make(&record, sizeof(record)));
}

static void add_mode(struct builder *b, const struct site_mode_rule *rule)
{
	struct mode_record record = {.id = rule->id, .mode = rule->mode, .expires_ms = rule->expires_ms};
	record.site = add_text(b, rule->site);
	if (rule->homes > 0 && rule->home != b->last_home) {
		b->last_span = add_prefixes(b, rule->home, rule->homes);
		b->last_home = rule->home;
	}
	if (rule->homes > 0)
		record.home = b->last_span;
	buffer_add(&b->modes, slice_make(&record, sizeof(record)));
}

/* What a count says that is written in fewer bits; the rest is looked at by reading the image. */
static bool content_possible(const struct signature_content *content)
{
	size_t values = 0, homes = 0;
	if (content->rule_count > SIGNATURE_RULES_MOST || content->mode_count > SITE_MODES_MOST)
		return false;
	for (size_t i = 0; i < content->rule_count; i++) {
		const struct signature_rule *rule = &content->rules[i];
		if (rule->site.len > SIGNATURE_SITE_BYTES || rule->why.len > SIGNATURE_WHY_BYTES ||
		    rule->signature.prefixes > SIGNATURE_PREFIXES)
			return false;
		values += signature_value_count(&rule->signature);
		if (values > SIGNATURE_VALUES_MOST)
			return false;
	}
	for (size_t i = 0; i < content->mode_count; i++) {
		const struct site_mode_rule *rule = &content->modes[i];
		for (size_t other = 0; other < i; other++)
			if (slice_equal(content->modes[other].site, rule->site))
				return false;
		homes += i > 0 && rule->home == rule[-1].home ? 0 : rule->homes;
		if (rule->site.len > SIGNATURE_SITE_BYTES || homes > SITE_HOMES_MOST)
			return false;
	}
	return true;
}

static int assemble(const struct builder *b, const struct image_version *version, uint64_t shed_until_ms,
		    struct buffer *out)
{
	const struct buffer *parts[] = {&b->rules, &b->modes, &b->values, &b->prefixes, &b->text};
	struct signature_header header = {.head = signature_image_head,
					  .rules = (uint32_t)(b->rules.len / sizeof(struct rule_record)),
					  .modes = (uint32_t)(b->modes.len / sizeof(struct mode_record)),
					  .values = (uint32_t)(b->values.len / sizeof(uint64_t)),
					  .prefixes = (uint32_t)(b->prefixes.len / sizeof(struct prefix)),
					  .text = (uint32_t)b->text.len,
					  .shed_until_ms = shed_until_ms};
	header.head.version = *version;
	header.head.length = signature_image_length(&header);
	buffer_add(out, slice_make(&header, sizeof(header)));
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		buffer_add(out, buffer_slice(parts[i]));
		if (parts[i]->error != 0)
			return parts[i]->error;
	}
	if (out->error == 0)
		image_seal(out->ptr, out->len);
	return out->error;
}

/* What no reader would take is not published. */
static int read_back(const struct buffer *out, const struct image_version *version)
{
	struct buffer copy = buffer_make(NULL);
	struct signature_image *image;
	enum image_fault fault;
	buffer_add(&copy, buffer_slice(out));
	int r = copy.error != 0 ? copy.error : signature_image_open(&copy, version->boot, &image, &fault);
	if (r == 0)
		signature_image_free(image);
	buffer_free(&copy);
	return r == SIGNATURE_IMAGE_BAD ? -EINVAL : r;
}

int signature_image_build(const struct signature_content *content, const struct image_version *version,
			  struct buffer *out)
{
	struct builder b = {0};
	if (!content_possible(content))
		return -EINVAL;
	for (size_t i = 0; i < content->rule_count; i++)
		add_rule(&b, &content->rules[i]);
	for (size_t i = 0; i < content->mode_count; i++)
		add_mode(&b, &content->modes[i]);
	int r = assemble(&b, version, content->shed_until_ms, out);
	r = r != 0 ? r : read_back(out, version);
	if (r != 0)
		buffer_clear(out);
	buffer_free(&b.rules);
	buffer_free(&b.modes);
	buffer_free(&b.values);
	buffer_free(&b.prefixes);
	buffer_free(&b.text);
	return r;
}
