#include "mutate.h"

#include "base/buffer.h"
#include "base/vector.h"

#include <errno.h>
#include <stdlib.h>

enum { DONOR_BYTES_MAX = 2000 };

uint64_t random_next(struct random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

size_t random_below(struct random *random, size_t bound)
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

int donors_add(struct donors *donors, const struct sample *sample, struct arena *arena)
{
	struct slice path;
	int r = donors_from_arguments(donors, slice_cut(sample->uri, '?', &path), arena);
	if (r == 0)
		r = donors_from_arguments(donors, sample->body, arena);
	for (size_t i = 0; i < sample->header_count && r == 0; i++)
		r = donor_keep(donors, sample->headers[i].value);
	return r;
}

void donors_free(struct donors *donors)
{
	free(donors->values);
	*donors = (struct donors){0};
}

/* ---- disguises: how the bytes of a payload are written ---- */

typedef void disguise_fn(struct slice in, struct random *random, struct buffer *out);

static void disguise_none(struct slice in, struct random *random, struct buffer *out)
{
	(void)random;
	buffer_add(out, in);
}

static void disguise_case(struct slice in, struct random *random, struct buffer *out)
{
	for (size_t i = 0; i < in.len; i++)
		buffer_byte(out, byte_is_alpha(in.ptr[i]) && random_below(random, 2) ? in.ptr[i] ^ 0x20 : in.ptr[i]);
}

static void disguise_comments(struct slice in, struct random *random, struct buffer *out)
{
	static const char *const gaps[] = {"/**/", "\t", "\n", "/*!00000*/", "%09", "\x0b", "+", "  "};
	for (size_t i = 0; i < in.len; i++) {
		if (in.ptr[i] == ' ')
			buffer_text(out, gaps[random_below(random, sizeof(gaps) / sizeof(gaps[0]))]);
		else
			buffer_byte(out, in.ptr[i]);
	}
}

static void disguise_entities(struct slice in, struct random *random, struct buffer *out)
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

static void disguise_backslashes(struct slice in, struct random *random, struct buffer *out)
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

static void disguise_damage(struct slice in, struct random *random, struct buffer *out)
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

static void disguise_percent(struct slice in, struct random *random, struct buffer *out)
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

/* What may stand in a URI or a form as it is; anything else is percent-encoded once, as a browser does. */
static void add_encoded(struct slice in, struct buffer *out)
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

static struct slice payload(const struct donors *donors, struct random *random, struct arena *arena)
{
	if (donors->count == 0)
		return SLICE("x");
	struct slice value = donors->values[random_below(random, donors->count)];
	struct buffer out = buffer_make(arena);
	disguises[random_below(random, sizeof(disguises) / sizeof(disguises[0]))](value, random, &out);
	return buffer_slice(&out);
}

/* ---- places: where a payload goes ---- */

struct mutation {
	struct sample *sample;
	const struct donors *donors;
	struct random *random;
	struct arena *arena;
};

static struct slice pick_name(struct random *random)
{
	static const char *const names[] = {"q",    "id",     "page",      "user", "password", "file", "url",
					    "test", "search", "arg[0][x]", "a.b",  "$where",   "_",    "x y"};
	return slice_from_string(names[random_below(random, sizeof(names) / sizeof(names[0]))]);
}

static void place_argument(struct mutation *m)
{
	struct buffer out = buffer_make(m->arena);
	buffer_add(&out, m->sample->uri);
	buffer_byte(&out, slice_find_byte(m->sample->uri, '?', 0) < m->sample->uri.len ? '&' : '?');
	add_encoded(random_below(m->random, 8) ? pick_name(m->random) : payload(m->donors, m->random, m->arena), &out);
	buffer_byte(&out, '=');
	add_encoded(payload(m->donors, m->random, m->arena), &out);
	m->sample->uri = buffer_slice(&out);
}

static void place_path(struct mutation *m)
{
	struct slice path;
	struct slice query = slice_cut(m->sample->uri, '?', &path);
	struct buffer out = buffer_make(m->arena);
	buffer_add(&out, path);
	buffer_byte(&out, '/');
	add_encoded(payload(m->donors, m->random, m->arena), &out);
	if (query.len > 0) {
		buffer_byte(&out, '?');
		buffer_add(&out, query);
	}
	m->sample->uri = buffer_slice(&out);
}

/* A header cannot hold CR, LF or NUL on the wire. */
static struct slice header_safe(struct slice s, struct arena *arena)
{
	uint8_t *out = arena_alloc(arena, s.len + 1);
	if (out == NULL)
		return SLICE("x");
	for (size_t i = 0; i < s.len; i++)
		out[i] = s.ptr[i] == '\r' || s.ptr[i] == '\n' || s.ptr[i] == 0 ? ' ' : s.ptr[i];
	return slice_trim(slice_make(out, s.len));
}

static void header_add(struct sample *sample, struct slice name, struct slice value)
{
	if (sample->header_count < SAMPLE_HEADERS_MAX)
		sample->headers[sample->header_count++] = (struct sample_header){name, value};
}

static struct sample_header *header_find(struct sample *sample, struct slice name)
{
	for (size_t i = 0; i < sample->header_count; i++)
		if (slice_equal_nocase(sample->headers[i].name, name))
			return &sample->headers[i];
	return NULL;
}

static void header_set(struct sample *sample, struct slice name, struct slice value)
{
	struct sample_header *header = header_find(sample, name);
	if (header != NULL)
		header->value = value;
	else
		header_add(sample, name, value);
}

static void place_header(struct mutation *m)
{
	static const char *const names[] = {"User-Agent", "Referer",    "Accept",          "X-Forwarded-For",
					    "X-Custom",   "Range",      "Accept-Encoding", "Content-Type",
					    "Cookie",     "Connection", "Accept-Charset",  "X-File-Name"};
	struct slice name = slice_from_string(names[random_below(m->random, sizeof(names) / sizeof(names[0]))]);
	header_set(m->sample, name, header_safe(payload(m->donors, m->random, m->arena), m->arena));
}

static void place_cookie(struct mutation *m)
{
	struct buffer out = buffer_make(m->arena);
	struct sample_header *cookie = header_find(m->sample, SLICE("Cookie"));
	if (cookie != NULL) {
		buffer_add(&out, cookie->value);
		buffer_text(&out, "; ");
	}
	add_encoded(pick_name(m->random), &out);
	buffer_byte(&out, '=');
	struct slice value = header_safe(payload(m->donors, m->random, m->arena), m->arena);
	if (random_below(m->random, 2))
		add_encoded(value, &out);
	else
		buffer_add(&out, value);
	header_set(m->sample, SLICE("Cookie"), buffer_slice(&out));
}

static void set_body(struct mutation *m, struct slice type, struct slice body)
{
	struct buffer length = buffer_make(m->arena);
	buffer_number(&length, (int64_t)body.len);
	m->sample->body = body;
	if (slice_equal(m->sample->method, SLICE("GET")) || slice_equal(m->sample->method, SLICE("HEAD")))
		m->sample->method = SLICE("POST");
	if (type.len > 0)
		header_set(m->sample, SLICE("Content-Type"), type);
	header_set(m->sample, SLICE("Content-Length"), buffer_slice(&length));
}

static void place_form(struct mutation *m)
{
	struct buffer out = buffer_make(m->arena);
	for (size_t i = 0, fields = 1 + random_below(m->random, 4); i < fields; i++) {
		if (i > 0)
			buffer_byte(&out, '&');
		add_encoded(pick_name(m->random), &out);
		buffer_byte(&out, '=');
		add_encoded(payload(m->donors, m->random, m->arena), &out);
	}
	set_body(m, SLICE("application/x-www-form-urlencoded"), buffer_slice(&out));
}

static void add_json_string(struct slice in, struct buffer *out)
{
	buffer_byte(out, '"');
	for (size_t i = 0; i < in.len; i++) {
		uint8_t c = in.ptr[i];
		if (c == '"' || c == '\\')
			buffer_byte(out, '\\');
		if (c < 0x20 || c >= 0x7f)
			buffer_printf(out, "\\u%04x", c);
		else
			buffer_byte(out, c);
	}
	buffer_byte(out, '"');
}

static void place_json(struct mutation *m)
{
	struct buffer out = buffer_make(m->arena);
	buffer_byte(&out, '{');
	for (size_t i = 0, fields = 1 + random_below(m->random, 4); i < fields; i++) {
		if (i > 0)
			buffer_byte(&out, ',');
		add_json_string(pick_name(m->random), &out);
		buffer_byte(&out, ':');
		bool list = random_below(m->random, 3) == 0;
		buffer_text(&out, list ? "[1,null,{\"k\":true}," : "");
		add_json_string(payload(m->donors, m->random, m->arena), &out);
		buffer_text(&out, list ? "]" : "");
	}
	buffer_text(&out, random_below(m->random, 20) ? "}" : "");
	set_body(m, SLICE("application/json"), buffer_slice(&out));
}

static void place_multipart(struct mutation *m)
{
	struct buffer out = buffer_make(m->arena);
	for (size_t i = 0, parts = 1 + random_below(m->random, 3); i < parts; i++) {
		buffer_text(&out, "--0xBoundary\r\nContent-Disposition: form-data; name=\"");
		buffer_add(&out, pick_name(m->random));
		buffer_byte(&out, '"');
		if (random_below(m->random, 3) == 0) {
			buffer_text(&out, "; filename=\"");
			buffer_add(&out, header_safe(payload(m->donors, m->random, m->arena), m->arena));
			buffer_text(&out, "\"\r\nContent-Type: text/plain");
		}
		buffer_text(&out, "\r\n\r\n");
		buffer_add(&out, payload(m->donors, m->random, m->arena));
		buffer_text(&out, "\r\n");
	}
	buffer_text(&out, random_below(m->random, 20) ? "--0xBoundary--\r\n" : "--0xBound");
	set_body(m, SLICE("multipart/form-data; boundary=0xBoundary"), buffer_slice(&out));
}

static void add_xml_text(struct slice in, struct buffer *out)
{
	for (size_t i = 0; i < in.len; i++) {
		uint8_t c = in.ptr[i];
		if (c < 0x20 || c >= 0x7f || c == '<' || c == '&' || c == '"')
			buffer_printf(out, "&#%u;", c < 0x20 ? ' ' : c);
		else
			buffer_byte(out, c);
	}
}

static void place_xml(struct mutation *m)
{
	struct buffer out = buffer_make(m->arena);
	buffer_text(&out, "<?xml version=\"1.0\"?><root><item name=\"");
	add_xml_text(payload(m->donors, m->random, m->arena), &out);
	buffer_text(&out, "\">");
	add_xml_text(payload(m->donors, m->random, m->arena), &out);
	buffer_text(&out, random_below(m->random, 20) ? "</item></root>" : "</item>");
	set_body(m, SLICE("text/xml"), buffer_slice(&out));
}

static void damage_body(struct mutation *m)
{
	struct buffer out = buffer_make(m->arena);
	disguise_damage(m->sample->body, m->random, &out);
	set_body(m, (struct slice){0}, slice_sub(buffer_slice(&out), 0, random_below(m->random, out.len + 1)));
}

static void damage_headers(struct mutation *m)
{
	struct sample *sample = m->sample;
	if (sample->header_count == 0)
		return;
	size_t at = random_below(m->random, sample->header_count);
	if (random_below(m->random, 2)) {
		header_add(sample, sample->headers[at].name, sample->headers[at].value);
		return;
	}
	sample->headers[at] = sample->headers[--sample->header_count];
}

static void damage_line(struct mutation *m)
{
	static const char *const methods[] = {"GET",     "POST",  "HEAD",     "PUT",  "DELETE",
					      "OPTIONS", "TRACE", "PROPFIND", "QUIT", "PATCH"};
	static const char *const versions[] = {"1.0", "1.1", "2.0", "0.9"};
	if (random_below(m->random, 2))
		m->sample->method = slice_from_string(methods[random_below(m->random, 10)]);
	else
		m->sample->version = slice_from_string(versions[random_below(m->random, 4)]);
}

static void place_response(struct mutation *m)
{
	struct buffer out = buffer_make(m->arena);
	buffer_text(&out, "<html><body>");
	buffer_add(&out, payload(m->donors, m->random, m->arena));
	buffer_text(&out, m->sample->response_body.len > 0 ? "<hr>" : "");
	buffer_add(&out, m->sample->response_body);
	buffer_text(&out, "</body></html>");
	m->sample->response_body = buffer_slice(&out);
}

int sample_mutate(struct sample *sample, const struct donors *donors, struct random *random, struct arena *arena)
{
	static void (*const places[])(struct mutation *) = {
		place_argument, place_argument, place_argument, place_path,     place_header,    place_header,
		place_cookie,   place_form,     place_form,     place_json,     place_xml,       damage_body,
		damage_line,    damage_headers, place_response, place_argument, place_multipart,
	};
	struct mutation mutation = {sample, donors, random, arena};
	for (size_t i = 0, count = 1 + random_below(random, 4); i < count; i++)
		places[random_below(random, sizeof(places) / sizeof(places[0]))](&mutation);
	return arena->exhausted ? -ENOMEM : 0;
}
