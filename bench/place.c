/* One function a place writes the value as that place takes it, or raw, into an exchange that is else the same. */
#include "place.h"

static void add_header(struct sample *s, struct slice name, struct slice value)
{
	s->headers[s->header_count++] = (struct sample_header){name, value};
}

/* What nginx refuses in a request line or header never gets to the engine. */
static struct slice one_line(struct slice value, struct arena *arena)
{
	struct buffer out = buffer_make(arena);
	buffer_reserve(&out, value.len);
	for (size_t i = 0; i < value.len; i++) {
		uint8_t c = value.ptr[i];
		buffer_byte(&out, c == '\0' || c == '\r' || c == '\n' ? ' ' : c);
	}
	return buffer_slice(&out);
}

static bool is_plain(uint8_t c)
{
	return byte_is_alpha(c) || byte_is_digit(c) || (c != '\0' && strchr("-._~/", c) != NULL);
}

static void add_encoded(struct buffer *out, struct slice value)
{
	static const char digits[] = "0123456789abcdef";
	buffer_reserve(out, value.len * 3);
	for (size_t i = 0; i < value.len; i++) {
		uint8_t c = value.ptr[i];
		if (is_plain(c)) {
			buffer_byte(out, c);
		} else {
			buffer_byte(out, '%');
			buffer_byte(out, (uint8_t)digits[c >> 4]);
			buffer_byte(out, (uint8_t)digits[c & 15]);
		}
	}
}

/* BEFORE value AFTER, the value encoded for a URI. */
static struct slice encoded(const char *before, struct slice value, const char *after, struct arena *arena)
{
	struct buffer out = buffer_make(arena);
	buffer_text(&out, before);
	add_encoded(&out, value);
	buffer_text(&out, after);
	return buffer_slice(&out);
}

static struct slice between(const char *before, struct slice value, const char *after, struct arena *arena)
{
	struct buffer out = buffer_make(arena);
	buffer_reserve(&out, value.len + 256);
	buffer_text(&out, before);
	buffer_add(&out, value);
	buffer_text(&out, after);
	return buffer_slice(&out);
}

/* One cookie, not many. */
static struct slice without_semicolons(struct slice value, struct arena *arena)
{
	struct slice line = one_line(value, arena);
	uint8_t *bytes = (uint8_t *)line.ptr;
	for (size_t i = 0; i < line.len; i++)
		if (bytes[i] == ';')
			bytes[i] = ',';
	return line;
}

/* As it is, up to where a request line would end. */
static struct slice unspaced(struct slice value, struct arena *arena)
{
	struct slice line = one_line(value, arena);
	uint8_t *bytes = (uint8_t *)line.ptr;
	for (size_t i = 0; i < line.len; i++)
		if (bytes[i] == ' ' || bytes[i] == '#')
			bytes[i] = '+';
	return line;
}

static void put_argument(struct slice value, struct arena *arena, struct sample *s)
{
	s->uri = encoded("/page?id=", value, "", arena);
}

static void put_argument_name(struct slice value, struct arena *arena, struct sample *s)
{
	s->uri = encoded("/page?", value, "=1", arena);
}

static void put_query(struct slice value, struct arena *arena, struct sample *s)
{
	s->uri = between("/page?", unspaced(value, arena), "", arena);
}

static void put_path(struct slice value, struct arena *arena, struct sample *s)
{
	s->uri = encoded("/", value, ".html", arena);
}

static void put_cookie(struct slice value, struct arena *arena, struct sample *s)
{
	add_header(s, SLICE("Cookie"), between("lang=en; seen=", without_semicolons(value, arena), "", arena));
}

static void put_cookie_name(struct slice value, struct arena *arena, struct sample *s)
{
	add_header(s, SLICE("Cookie"), between("", without_semicolons(value, arena), "=1", arena));
}

static void put_cookies(struct slice value, struct arena *arena, struct sample *s)
{
	add_header(s, SLICE("Cookie"), one_line(value, arena));
}

static void put_user_agent(struct slice value, struct arena *arena, struct sample *s)
{
	s->headers[1].value = one_line(value, arena);
}

static void put_referer(struct slice value, struct arena *arena, struct sample *s)
{
	add_header(s, SLICE("Referer"), one_line(value, arena));
}

static void put_header(struct slice value, struct arena *arena, struct sample *s)
{
	add_header(s, SLICE("X-Requested-By"), one_line(value, arena));
}

static void put_body(struct sample *s, struct slice type, struct slice body)
{
	s->method = SLICE("POST");
	add_header(s, SLICE("Content-Type"), type);
	add_header(s, SLICE("Content-Length"), SLICE("1"));
	s->body = body;
}

static const struct slice form = SLICE_INIT("application/x-www-form-urlencoded");

static void put_form(struct slice value, struct arena *arena, struct sample *s)
{
	put_body(s, form, encoded("id=", value, "", arena));
}

static void put_form_name(struct slice value, struct arena *arena, struct sample *s)
{
	put_body(s, form, encoded("", value, "=1", arena));
}

static void put_form_raw(struct slice value, struct arena *arena, struct sample *s)
{
	(void)arena;
	put_body(s, form, value);
}

static void put_json(struct slice value, struct arena *arena, struct sample *s)
{
	struct buffer out = buffer_make(arena);
	buffer_reserve(&out, value.len * 2 + 64);
	buffer_text(&out, "{\"id\":\"");
	for (size_t i = 0; i < value.len; i++) {
		uint8_t c = value.ptr[i];
		if (c == '"' || c == '\\')
			buffer_byte(&out, '\\');
		buffer_byte(&out, c < 0x20 || c >= 0x80 ? ' ' : c);
	}
	buffer_text(&out, "\"}");
	put_body(s, SLICE("application/json"), buffer_slice(&out));
}

static void put_json_raw(struct slice value, struct arena *arena, struct sample *s)
{
	(void)arena;
	put_body(s, SLICE("application/json"), value);
}

static void put_xml(struct slice value, struct arena *arena, struct sample *s)
{
	struct buffer out = buffer_make(arena);
	buffer_reserve(&out, value.len * 2 + 64);
	buffer_text(&out, "<a><b>");
	for (size_t i = 0; i < value.len; i++) {
		uint8_t c = value.ptr[i];
		if (c == '<' || c == '&')
			buffer_text(&out, c == '<' ? "&lt;" : "&amp;");
		else
			buffer_byte(&out, c < 0x20 || c >= 0x80 ? ' ' : c);
	}
	buffer_text(&out, "</b></a>");
	put_body(s, SLICE("application/xml"), buffer_slice(&out));
}

#define BOUNDARY "----benchmark7Q"

static void put_multipart(struct slice value, struct arena *arena, struct sample *s)
{
	put_body(s, SLICE("multipart/form-data; boundary=" BOUNDARY),
		 between("--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n", value,
			 "\r\n--" BOUNDARY "--\r\n", arena));
}

static void put_file(struct slice value, struct arena *arena, struct sample *s)
{
	put_body(s, SLICE("multipart/form-data; boundary=" BOUNDARY),
		 between("--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a.txt\"\r\n"
			 "Content-Type: text/plain\r\n\r\n",
			 value, "\r\n--" BOUNDARY "--\r\n", arena));
}

static void put_file_name(struct slice value, struct arena *arena, struct sample *s)
{
	struct slice line = one_line(value, arena);
	uint8_t *bytes = (uint8_t *)line.ptr;
	for (size_t i = 0; i < line.len; i++)
		if (bytes[i] == '"' || bytes[i] == '\\')
			bytes[i] = '\'';
	put_body(s, SLICE("multipart/form-data; boundary=" BOUNDARY),
		 between("--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"a\"; filename=\"", line,
			 "\"\r\nContent-Type: text/plain\r\n\r\nx\r\n--" BOUNDARY "--\r\n", arena));
}

static void put_response(struct slice value, struct arena *arena, struct sample *s)
{
	(void)arena;
	s->response_body = value;
}

const struct place places[PLACES] = {
	{"argument", false, put_argument},   {"argument-name", false, put_argument_name},
	{"query-raw", true, put_query},      {"path", false, put_path},
	{"cookie", false, put_cookie},       {"cookie-name", false, put_cookie_name},
	{"cookies-raw", true, put_cookies},  {"user-agent", false, put_user_agent},
	{"referer", false, put_referer},     {"header", false, put_header},
	{"form", false, put_form},           {"form-name", false, put_form_name},
	{"form-raw", true, put_form_raw},    {"json", false, put_json},
	{"json-raw", true, put_json_raw},    {"xml", false, put_xml},
	{"multipart", false, put_multipart}, {"file", false, put_file},
	{"file-name", false, put_file_name}, {"response", false, put_response},
};

void place_make(const struct place *place, struct slice value, struct arena *arena, struct sample *s)
{
	*s = (struct sample){.method = SLICE("GET"), .uri = SLICE("/page"), .version = SLICE("1.1")};
	add_header(s, SLICE("Host"), SLICE("www.services.example"));
	add_header(s, SLICE("User-Agent"),
		   SLICE("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"));
	add_header(s, SLICE("Accept"), SLICE("text/html,application/xhtml+xml"));
	s->response_status = 200;
	s->response_headers[s->response_header_count++] =
		(struct sample_header){SLICE("Content-Type"), SLICE("text/html; charset=utf-8")};
	place->put(value, arena, s);
}
