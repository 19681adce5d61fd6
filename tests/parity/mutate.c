/* What both engines are asked besides the corpus: changes drawn from one table, likelier ones more often in it. */
#include "mutate.h"

#include <errno.h>

struct mutation {
	struct sample *sample;
	const struct donors *donors;
	uint64_t *random;
	struct arena *arena;
};

static size_t chance(struct mutation *m, size_t bound)
{
	return random_below(m->random, bound);
}

static struct slice payload(struct mutation *m)
{
	return donors_payload(m->donors, m->random, m->arena);
}

static const struct sample *another(struct mutation *m)
{
	return &m->donors->samples[chance(m, m->donors->sample_count)];
}

static struct slice pick_name(struct mutation *m)
{
	static const char *const names[] = {"q",    "id",     "page",      "user", "password", "file", "url",
					    "test", "search", "arg[0][x]", "a.b",  "$where",   "_",    "x y"};
	return slice_from_string(names[chance(m, sizeof(names) / sizeof(names[0]))]);
}

/* ---- headers ---- */

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

static struct slice header_payload(struct mutation *m)
{
	return header_safe(payload(m), m->arena);
}

static void set_header(struct mutation *m)
{
	static const char *const names[] = {"User-Agent", "Referer",    "Accept",          "X-Forwarded-For",
					    "X-Custom",   "Range",      "Accept-Encoding", "Content-Type",
					    "Cookie",     "Connection", "Accept-Charset",  "X-File-Name"};
	struct slice name = slice_from_string(names[chance(m, sizeof(names) / sizeof(names[0]))]);
	header_set(m->sample, name, header_payload(m));
}

static void change_header(struct mutation *m)
{
	struct sample *sample = m->sample;
	if (sample->header_count == 0)
		return;
	size_t at = chance(m, sample->header_count);
	struct buffer out = buffer_make(m->arena);
	if (chance(m, 2))
		buffer_add(&out, header_payload(m));
	else
		disguise_damage(sample->headers[at].value, m->random, &out);
	sample->headers[at].value = header_safe(buffer_slice(&out), m->arena);
}

static void add_cookie(struct mutation *m)
{
	struct buffer out = buffer_make(m->arena);
	struct sample_header *cookie = header_find(m->sample, SLICE("Cookie"));
	if (cookie != NULL) {
		buffer_add(&out, cookie->value);
		buffer_text(&out, "; ");
	}
	encode_percent(pick_name(m), &out);
	buffer_byte(&out, '=');
	struct slice value = header_payload(m);
	if (chance(m, 2))
		encode_percent(value, &out);
	else
		buffer_add(&out, value);
	header_set(m->sample, SLICE("Cookie"), buffer_slice(&out));
}

static void damage_headers(struct mutation *m)
{
	struct sample *sample = m->sample;
	if (sample->header_count == 0)
		return;
	size_t at = chance(m, sample->header_count);
	if (chance(m, 2)) {
		header_add(sample, sample->headers[at].name, sample->headers[at].value);
		return;
	}
	sample->headers[at] = sample->headers[--sample->header_count];
}

/* ---- the request line ---- */

static void add_argument(struct mutation *m)
{
	struct buffer out = buffer_make(m->arena);
	buffer_add(&out, m->sample->uri);
	buffer_byte(&out, slice_find_byte(m->sample->uri, '?', 0) < m->sample->uri.len ? '&' : '?');
	encode_percent(chance(m, 8) ? pick_name(m) : payload(m), &out);
	buffer_byte(&out, '=');
	encode_percent(payload(m), &out);
	m->sample->uri = buffer_slice(&out);
}

static void add_path(struct mutation *m)
{
	struct slice path;
	struct slice query = slice_cut(m->sample->uri, '?', &path);
	struct buffer out = buffer_make(m->arena);
	buffer_add(&out, path);
	buffer_byte(&out, '/');
	encode_percent(payload(m), &out);
	if (query.len > 0) {
		buffer_byte(&out, '?');
		buffer_add(&out, query);
	}
	m->sample->uri = buffer_slice(&out);
}

static void damage_line(struct mutation *m)
{
	static const char *const methods[] = {"GET",     "POST",  "HEAD",     "PUT",  "DELETE",
					      "OPTIONS", "TRACE", "PROPFIND", "QUIT", "PATCH"};
	static const char *const versions[] = {"1.0", "1.1", "2.0", "0.9"};
	if (chance(m, 2))
		m->sample->method = slice_from_string(methods[chance(m, 10)]);
	else
		m->sample->version = slice_from_string(versions[chance(m, 4)]);
}

/* ---- a value in its place ---- */

/* Values lie between `begin` and `end` and are written by `encode`. */
struct form {
	struct slice begin;
	struct slice end;
	encode_fn *encode;
};

static const struct form form_query = {SLICE_INIT("="), SLICE_INIT("&"), encode_percent};
static const struct form form_json = {SLICE_INIT("\""), SLICE_INIT("\""), encode_json};
static const struct form form_text = {SLICE_INIT(">"), SLICE_INIT("<"), encode_xml};
static const struct form form_attribute = {SLICE_INIT("=\""), SLICE_INIT("\""), encode_xml};
static const struct form form_part = {SLICE_INIT("\r\n\r\n"), SLICE_INIT("\r\n--"), encode_nothing};

/* One value of `text`, at random, becomes another or is damaged; a text without a value stays. */
static struct slice change_value(struct mutation *m, struct slice text, const struct form *form)
{
	size_t at = text.len;
	size_t seen = 0;
	for (size_t i = 0; (i = slice_find(text, form->begin, i)) < text.len; i += form->begin.len)
		if (chance(m, ++seen) == 0)
			at = i + form->begin.len;
	if (seen == 0)
		return text;
	size_t end = slice_find(text, form->end, at);
	struct buffer out = buffer_make(m->arena);
	buffer_add(&out, slice_sub(text, 0, at));
	switch (chance(m, 4)) {
	case 0:
		disguise_damage(slice_sub(text, at, end), m->random, &out);
		break;
	case 1:
		buffer_add(&out, slice_sub(text, at, end));
		form->encode(payload(m), &out);
		break;
	default:
		form->encode(payload(m), &out);
	}
	buffer_add(&out, slice_after(text, end));
	return buffer_slice(&out);
}

static void change_argument(struct mutation *m)
{
	struct slice path;
	struct slice query = slice_cut(m->sample->uri, '?', &path);
	if (query.len == 0) {
		add_argument(m);
		return;
	}
	struct buffer out = buffer_make(m->arena);
	buffer_add(&out, path);
	buffer_byte(&out, '?');
	buffer_add(&out, change_value(m, query, &form_query));
	m->sample->uri = buffer_slice(&out);
}

/* ---- bodies ---- */

static struct slice type_of(const struct sample *sample)
{
	for (size_t i = 0; i < sample->header_count; i++)
		if (slice_equal_nocase(sample->headers[i].name, SLICE("Content-Type")))
			return sample->headers[i].value;
	return SLICE("");
}

static bool type_says(const struct sample *sample, struct slice word)
{
	struct slice type = type_of(sample);
	return slice_find_nocase(type, word, 0) < type.len;
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

static void new_form(struct mutation *m)
{
	struct buffer out = buffer_make(m->arena);
	for (size_t i = 0, fields = 1 + chance(m, 4); i < fields; i++) {
		if (i > 0)
			buffer_byte(&out, '&');
		encode_percent(pick_name(m), &out);
		buffer_byte(&out, '=');
		encode_percent(payload(m), &out);
	}
	set_body(m, SLICE("application/x-www-form-urlencoded"), buffer_slice(&out));
}

static void add_json_string(struct slice in, struct buffer *out)
{
	buffer_byte(out, '"');
	encode_json(in, out);
	buffer_byte(out, '"');
}

static void new_json(struct mutation *m)
{
	struct buffer out = buffer_make(m->arena);
	buffer_byte(&out, '{');
	for (size_t i = 0, fields = 1 + chance(m, 4); i < fields; i++) {
		if (i > 0)
			buffer_byte(&out, ',');
		add_json_string(pick_name(m), &out);
		buffer_byte(&out, ':');
		bool list = chance(m, 3) == 0;
		buffer_text(&out, list ? "[1,null,{\"k\":true}," : "");
		add_json_string(payload(m), &out);
		buffer_text(&out, list ? "]" : "");
	}
	buffer_text(&out, chance(m, 20) ? "}" : "");
	set_body(m, SLICE("application/json"), buffer_slice(&out));
}

static void new_multipart(struct mutation *m)
{
	static const char *const types[] = {"text/plain", "image/png", "application/octet-stream",
					    "text/plain; charset=utf-8"};
	struct buffer out = buffer_make(m->arena);
	for (size_t i = 0, parts = 1 + chance(m, 3); i < parts; i++) {
		buffer_text(&out, "--0xBoundary\r\nContent-Disposition: form-data; name=\"");
		buffer_add(&out, pick_name(m));
		buffer_byte(&out, '"');
		if (chance(m, 3) == 0) {
			buffer_text(&out, "; filename=\"");
			buffer_add(&out, header_payload(m));
			buffer_text(&out, "\"\r\nContent-Type: ");
			buffer_text(&out, types[chance(m, sizeof(types) / sizeof(types[0]))]);
		}
		buffer_text(&out, "\r\n\r\n");
		buffer_add(&out, payload(m));
		buffer_text(&out, "\r\n");
	}
	buffer_text(&out, chance(m, 20) ? "--0xBoundary--\r\n" : "");
	set_body(m, SLICE("multipart/form-data; boundary=0xBoundary"), buffer_slice(&out));
}

static void new_xml(struct mutation *m)
{
	struct buffer out = buffer_make(m->arena);
	buffer_text(&out, "<?xml version=\"1.0\"?><root><item name=\"");
	encode_xml(payload(m), &out);
	buffer_text(&out, "\">");
	encode_xml(payload(m), &out);
	buffer_text(&out, chance(m, 20) ? "</item></root>" : "</item>");
	set_body(m, SLICE("text/xml"), buffer_slice(&out));
}

/* A body in the form that the body of another request has. */
static void new_body(struct mutation *m)
{
	const struct sample *model = another(m);
	for (size_t i = 0; model->body.len == 0 && i < 100; i++)
		model = another(m);
	if (type_says(model, SLICE("multipart")))
		new_multipart(m);
	else if (type_says(model, SLICE("json")))
		new_json(m);
	else if (type_says(model, SLICE("xml")))
		new_xml(m);
	else if (type_says(model, SLICE("urlencoded")))
		new_form(m);
	else
		set_body(m, type_of(model), payload(m));
}

static void graft_body(struct mutation *m)
{
	const struct sample *donor = another(m);
	if (donor->body.len > 0)
		set_body(m, type_of(donor), donor->body);
}

static void change_body(struct mutation *m)
{
	struct sample *sample = m->sample;
	const struct form *form = &form_query;
	if (type_says(sample, SLICE("multipart")))
		form = &form_part;
	else if (type_says(sample, SLICE("json")))
		form = &form_json;
	else if (type_says(sample, SLICE("xml")))
		form = chance(m, 2) ? &form_text : &form_attribute;
	if (sample->body.len == 0)
		change_argument(m);
	else
		set_body(m, SLICE(""), change_value(m, sample->body, form));
}

/* The whole once more percent-encoded, as proxies and attackers do. */
static void encode_again(struct mutation *m)
{
	struct buffer out = buffer_make(m->arena);
	struct sample *sample = m->sample;
	if (sample->body.len > 0 && chance(m, 2)) {
		encode_percent(sample->body, &out);
		set_body(m, SLICE(""), buffer_slice(&out));
		return;
	}
	struct slice path;
	struct slice query = slice_cut(sample->uri, '?', &path);
	buffer_add(&out, path);
	if (query.len > 0) {
		buffer_byte(&out, '?');
		encode_percent(query, &out);
	}
	sample->uri = buffer_slice(&out);
}

static void damage_body(struct mutation *m)
{
	struct buffer out = buffer_make(m->arena);
	disguise_damage(m->sample->body, m->random, &out);
	set_body(m, SLICE(""), slice_sub(buffer_slice(&out), 0, chance(m, out.len + 1)));
}

/* ---- answers ---- */

static void change_response(struct mutation *m)
{
	struct buffer out = buffer_make(m->arena);
	buffer_text(&out, "<html><body>");
	buffer_add(&out, payload(m));
	buffer_text(&out, m->sample->response_body.len > 0 ? "<hr>" : "");
	buffer_add(&out, m->sample->response_body);
	buffer_text(&out, "</body></html>");
	m->sample->response_body = buffer_slice(&out);
}

static void graft_response(struct mutation *m)
{
	const struct sample *donor = another(m);
	for (size_t i = 0; donor->response_body.len == 0 && i < 100; i++)
		donor = another(m);
	m->sample->response_status = donor->response_status;
	m->sample->response_header_count = donor->response_header_count;
	memcpy(m->sample->response_headers, donor->response_headers, sizeof(donor->response_headers));
	m->sample->response_body = donor->response_body;
	if (chance(m, 2))
		change_response(m);
}

/* Nginx refuses control characters in a request line, and a space ends the URI. */
static struct slice uri_safe(struct slice uri, struct arena *arena)
{
	uint8_t *out = arena_alloc(arena, uri.len + 1);
	if (out == NULL)
		return uri;
	for (size_t i = 0; i < uri.len; i++)
		out[i] = uri.ptr[i] <= ' ' || uri.ptr[i] == 0x7f ? '+' : uri.ptr[i];
	return slice_make(out, uri.len);
}

int sample_mutate(struct sample *sample, const struct donors *donors, uint64_t *random, struct arena *arena)
{
	static void (*const changes[])(struct mutation *) = {
		change_argument, change_argument, change_argument, add_argument, add_argument,    change_body,
		change_body,     change_body,     new_body,        graft_body,   change_header,   change_header,
		set_header,      add_cookie,      add_path,        encode_again, change_response, graft_response,
		damage_body,     damage_line,     damage_headers,
	};
	struct mutation mutation = {sample, donors, random, arena};
	for (size_t i = 0, count = 1 + random_below(random, 4); i < count; i++)
		changes[random_below(random, sizeof(changes) / sizeof(changes[0]))](&mutation);
	sample->uri = uri_safe(sample->uri, arena);
	return arena->exhausted ? -ENOMEM : 0;
}
