/* What mutations ask of both engines: the corpus's values, decoded once, disguised and encoded as attackers do it. */
#include "donors.h"

#include "base/vector.h"

#include <errno.h>
#include <stdlib.h>

enum { DONOR_BYTES_MAX = 2000 };

size_t random_below(uint64_t *random, size_t bound)
{
	return (size_t)(random_next(random) % bound);
}

/* ---- donors ---- */

static struct slice percent_decoded(struct slice s, struct arena *arena)
{
	uint8_t *out = arena_alloc(arena, s.len + 1);
	size_t len = 0;
	if (out == NULL)
		return s;
	for (size_t i = 0; i < s.len; i++) {
		bool escape = s.ptr[i] == '%' && i + 2 < s.len && byte_hex_value(s.ptr[i + 1]) >= 0 &&
			      byte_hex_value(s.ptr[i + 2]) >= 0;
		if (escape) {
			out[len++] = (uint8_t)(byte_hex_value(s.ptr[i + 1]) << 4 | byte_hex_value(s.ptr[i + 2]));
			i += 2;
		} else {
			out[len++] = s.ptr[i] == '+' ? ' ' : s.ptr[i];
		}
	}
	return slice_make(out, len);
}

static int donor_keep(struct donors *donors, struct slice value)
{
	if (value.len == 0 || value.len > DONOR_BYTES_MAX)
		return 0;
	int r = vector_grow((void **)&donors->values, &donors->capacity, donors->count, sizeof(*donors->values));
	if (r != 0)
		return r;
	donors->values[donors->count++] = value;
	return 0;
}

static int donors_from_arguments(struct donors *donors, struct slice query, struct arena *arena)
{
	int r = 0;
	while (query.len > 0 && r == 0) {
		struct slice pair, name;
		query = slice_cut(query, '&', &pair);
		struct slice value = slice_cut(pair, '=', &name);
		r = donor_keep(donors, percent_decoded(value.len > 0 ? value : name, arena));
	}
	return r;
}

static int donors_from(struct donors *donors, const struct sample *sample, struct arena *arena)
{
	struct slice path;
	int r = donors_from_arguments(donors, slice_cut(sample->uri, '?', &path), arena);
	if (r == 0)
		r = donors_from_arguments(donors, sample->body, arena);
	for (size_t i = 0; i < sample->header_count && r == 0; i++)
		r = donor_keep(donors, sample->headers[i].value);
	return r == 0 ? donor_keep(donors, sample->response_body) : r;
}

int donors_take(struct donors *donors, const struct sample *samples, size_t count, struct arena *arena)
{
	int r = 0;
	donors->samples = samples;
	donors->sample_count = count;
	for (size_t i = 0; i < count && r == 0; i++)
		r = donors_from(donors, &samples[i], arena);
	return r;
}

void donors_free(struct donors *donors)
{
	free(donors->values);
	*donors = (struct donors){0};
}

/* ---- disguises: how the bytes of a payload are written ---- */

typedef void disguise_fn(struct slice in, uint64_t *random, struct buffer *out);

static void disguise_none(struct slice in, uint64_t *random, struct buffer *out)
{
	(void)random;
	buffer_add(out, in);
}

static void disguise_case(struct slice in, uint64_t *random, struct buffer *out)
{
	for (size_t i = 0; i < in.len; i++)
		buffer_byte(out, byte_is_alpha(in.ptr[i]) && random_below(random, 2) ? in.ptr[i] ^ 0x20 : in.ptr[i]);
}

static void disguise_comments(struct slice in, uint64_t *random, struct buffer *out)
{
	static const char *const gaps[] = {"/**/", "\t", "\n", "/*!00000*/", "%09", "\x0b", "+", "  "};
	for (size_t i = 0; i < in.len; i++) {
		if (in.ptr[i] == ' ')
			buffer_text(out, gaps[random_below(random, sizeof(gaps) / sizeof(gaps[0]))]);
		else
			buffer_byte(out, in.ptr[i]);
	}
}

static void disguise_entities(struct slice in, uint64_t *random, struct buffer *out)
{
	for (size_t i = 0; i < in.len; i++) {
		if (random_below(random, 3) != 0) {
			buffer_byte(out, in.ptr[i]);
			continue;
		}
		bool hex = random_below(random, 2);
		bool closed = random_below(random, 4);
		buffer_text(out, hex ? "&#x" : "&#");
		buffer_printf(out, hex ? "%02x" : "%04u", in.ptr[i]);
		buffer_text(out, closed ? ";" : "");
	}
}

static void disguise_backslashes(struct slice in, uint64_t *random, struct buffer *out)
{
	for (size_t i = 0; i < in.len; i++) {
		switch (random_below(random, 6)) {
		case 0:
			buffer_printf(out, "\\x%02x", in.ptr[i]);
			break;
		case 1:
			buffer_printf(out, "\\u%04x", in.ptr[i]);
			break;
		case 2:
			buffer_printf(out, "\\%o", in.ptr[i]);
			break;
		default:
			buffer_byte(out, in.ptr[i]);
		}
	}
}

void disguise_damage(struct slice in, uint64_t *random, struct buffer *out)
{
	for (size_t i = 0; i < in.len; i++) {
		size_t dice = random_below(random, 24);
		if (dice == 0)
			continue;
		buffer_byte(out, dice == 1 ? (uint8_t)random_next(random) : in.ptr[i]);
		if (dice == 2)
			buffer_byte(out, in.ptr[i]);
	}
}

static void disguise_percent(struct slice in, uint64_t *random, struct buffer *out)
{
	for (size_t i = 0; i < in.len; i++) {
		size_t dice = random_below(random, 4);
		if (dice == 0)
			buffer_printf(out, "%%%02X", in.ptr[i]);
		else if (dice == 1)
			buffer_printf(out, "%%u%04x", in.ptr[i]);
		else
			buffer_byte(out, in.ptr[i]);
	}
}

static disguise_fn *const disguises[] = {
	disguise_none,     disguise_none,        disguise_none,   disguise_case,    disguise_comments,
	disguise_entities, disguise_backslashes, disguise_damage, disguise_percent,
};

struct slice donors_payload(const struct donors *donors, uint64_t *random, struct arena *arena)
{
	if (donors->count == 0)
		return SLICE("x");
	struct slice value = donors->values[random_below(random, donors->count)];
	struct buffer out = buffer_make(arena);
	disguises[random_below(random, sizeof(disguises) / sizeof(disguises[0]))](value, random, &out);
	return buffer_slice(&out);
}

/* ---- encodings ---- */

/* What may stand in a URI or a form as it is; anything else is percent-encoded once, as a browser does. */
void encode_percent(struct slice in, struct buffer *out)
{
	static const char plain[] = "-._~!*'(),:@/$;";
	for (size_t i = 0; i < in.len; i++) {
		uint8_t c = in.ptr[i];
		if (byte_is_alpha(c) || byte_is_digit(c) || (c != 0 && strchr(plain, c) != NULL))
			buffer_byte(out, c);
		else
			buffer_printf(out, "%%%02x", c);
	}
}

void encode_json(struct slice in, struct buffer *out)
{
	for (size_t i = 0; i < in.len; i++) {
		uint8_t c = in.ptr[i];
		if (c == '"' || c == '\\')
			buffer_byte(out, '\\');
		if (c < 0x20 || c >= 0x7f)
			buffer_printf(out, "\\u%04x", c);
		else
			buffer_byte(out, c);
	}
}

void encode_xml(struct slice in, struct buffer *out)
{
	for (size_t i = 0; i < in.len; i++) {
		uint8_t c = in.ptr[i];
		if (c < 0x20 || c >= 0x7f || c == '<' || c == '&' || c == '"')
			buffer_printf(out, "&#%u;", c < 0x20 ? ' ' : c);
		else
			buffer_byte(out, c);
	}
}

void encode_nothing(struct slice in, struct buffer *out)
{
	buffer_add(out, in);
}
