/* Each text is drawn from the seed; when fresh it bears a number that only grows, so that none comes twice. */
#include "maker.h"

#include "random.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

struct slice made(struct request_maker *m, const char *format, ...)
{
	char text[2048];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	struct slice copy = SLICE("");
	if (length > 0 && arena_copy(m->arena, slice_make(text, (size_t)length), &copy) != 0)
		return SLICE("");
	return copy;
}

unsigned made_stamp(struct request_maker *m)
{
	return m->stamp += 1 + (unsigned)random_below(&m->seed, 3);
}

unsigned made_number(struct request_maker *m, unsigned limit)
{
	if (m->fresh)
		return made_stamp(m);
	size_t drawn = random_below(&m->seed, limit);
	return (unsigned)(drawn * drawn / limit);
}

struct slice made_name(struct request_maker *m, const char *name)
{
	return m->fresh ? made(m, "%s%x", name, m->serial) : slice_from_string(name);
}

static bool is_word_byte(uint8_t c)
{
	return byte_is_alpha(c) || byte_is_digit(c) || c >= 0x80 || c == ' ';
}

static bool continues_character(uint8_t c)
{
	return (c & 0xc0) == 0x80;
}

struct slice made_phrase(struct request_maker *m, size_t limit_bytes)
{
	struct slice passage = passages_draw(&m->passages, PASSAGE_LANGUAGES, &m->seed);
	size_t from = random_below(&m->seed, passage.len - limit_bytes);
	while (from < passage.len && (continues_character(passage.ptr[from]) || !is_word_byte(passage.ptr[from])))
		from++;
	size_t to = from;
	while (to < passage.len && to - from < limit_bytes && is_word_byte(passage.ptr[to]))
		to++;
	while (to < passage.len && to > from && continues_character(passage.ptr[to]))
		to--;
	struct slice phrase = slice_trim(slice_sub(passage, from, to));
	return m->fresh ? made(m, "%.*s %x", SLICE_ARG(phrase), made_number(m, 1)) : phrase;
}

struct slice made_passage(struct request_maker *m, size_t language)
{
	struct slice passage = passages_draw(&m->passages, language, &m->seed);
	return m->fresh ? made(m, "%u. %.*s", made_number(m, 1), SLICE_ARG(passage)) : passage;
}

void add_form_encoded(struct buffer *out, struct slice s)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		if (byte_is_alpha(c) || byte_is_digit(c) || c == '-' || c == '.' || c == '_' || c == '*') {
			buffer_byte(out, c);
		} else if (c == ' ') {
			buffer_byte(out, '+');
		} else if (c == '\n') {
			buffer_text(out, "%0D%0A");
		} else {
			buffer_byte(out, '%');
			buffer_byte(out, (uint8_t)digits[c >> 4]);
			buffer_byte(out, (uint8_t)digits[c & 15]);
		}
	}
}

void sample_add_header(struct sample *sample, struct slice name, struct slice value)
{
	if (sample->header_count < SAMPLE_HEADERS_MAX)
		sample->headers[sample->header_count++] = (struct sample_header){name, value};
}

/* A value that is the same for everybody, and its shape with a number in it. */
struct header_form {
	const char *name;
	const char *value;
	const char *fresh;
};

static void add_form(struct request_maker *m, struct sample *sample, const struct header_form *form)
{
	struct slice value = m->fresh ? made(m, form->fresh, made_number(m, 1)) : slice_from_string(form->value);
	sample_add_header(sample, slice_from_string(form->name), value);
}

static struct slice user_agent(struct request_maker *m)
{
	unsigned version = m->visitor->version;
	unsigned build = m->fresh ? m->serial : 0;
	return made(m, m->visitor->browser->user_agent, version, build, build & 255);
}

static struct slice with_mark(struct request_maker *m, const char *value, const char *mark)
{
	if (!m->fresh)
		return slice_from_string(value);
	char format[256];
	snprintf(format, sizeof(format), "%s%s", value, mark);
	return made(m, format, made_number(m, 1));
}

static void add_host(struct request_maker *m, struct sample *sample)
{
	sample_add_header(sample, SLICE("Host"),
			  m->fresh ? made(m, "w%x.services.example", m->serial) : SLICE("www.services.example"));
}

static void add_referer(struct request_maker *m, struct sample *sample)
{
	sample_add_header(sample, SLICE("Referer"),
			  made(m, "https://www.services.example/zh-hant/notices/%u.html", made_number(m, 200)));
}

void made_basic_headers(struct request_maker *m, struct sample *sample)
{
	static const struct header_form accept = {
		"Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8;n=%u"};
	static const struct header_form encoding = {"Accept-Encoding", "gzip, deflate, br", "gzip, deflate, br;q=0.%u"};
	static const struct header_form connection = {"Connection", "keep-alive", "keep-alive, n%u"};
	add_host(m, sample);
	sample_add_header(sample, SLICE("User-Agent"), user_agent(m));
	add_form(m, sample, &accept);
	sample_add_header(sample, SLICE("Accept-Language"), with_mark(m, m->visitor->languages, ",el;q=0.%u"));
	add_form(m, sample, &encoding);
	add_referer(m, sample);
	add_form(m, sample, &connection);
}

static struct slice cookies(struct request_maker *m)
{
	struct buffer out = buffer_make(m->arena);
	for (size_t i = 0; i < VISITOR_COOKIES; i++) {
		const struct cookie_form *form = &visitor_cookies[i];
		uint64_t a = m->visitor->numbers[2 * i];
		uint64_t b = m->visitor->numbers[2 * i + 1];
		if (form->decimal) {
			a %= 10000000000;
			b %= 10000000000;
		}
		buffer_text(&out, i > 0 ? "; " : "");
		buffer_add(&out, made_name(m, form->name));
		buffer_byte(&out, '=');
		buffer_add(&out, made(m, form->value, a, b));
	}
	return buffer_slice(&out);
}

static struct slice brands(struct request_maker *m)
{
	unsigned version = m->fresh ? m->serial : m->visitor->version;
	return made(m, m->visitor->browser->brands, version, version);
}

void made_browser_headers(struct request_maker *m, struct sample *sample)
{
	static const struct header_form before[] = {
		{"Connection", "keep-alive", "keep-alive, n%u"},
		{"Cache-Control", "max-age=0", "max-age=%u"},
	};
	static const struct header_form between[] = {
		{"DNT", "1", "%u"},
		{"Upgrade-Insecure-Requests", "1", "%u"},
		{"Accept",
		 "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
		 "application/signed-exchange;v=b3;q=0.7",
		 "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
		 "application/signed-exchange;v=b3;q=0.%u"},
		{"Sec-Fetch-Site", "same-origin", "same-origin;n=%u"},
		{"Sec-Fetch-Mode", "navigate", "navigate;n=%u"},
		{"Sec-Fetch-User", "?1", "?1;n=%u"},
		{"Sec-Fetch-Dest", "document", "document;n=%u"},
		{"Accept-Encoding", "gzip, deflate, br, zstd", "gzip, deflate, br, zstd;q=0.%u"},
		{"Priority", "u=0, i", "u=0, i, n=%u"},
	};
	while (m->visitor->browser->brands == NULL) {
		if (m->fresh)
			visitor_make(&m->stranger, &m->seed);
		else
			m->visitor = &m->visitors[random_below(&m->seed, VISITORS)];
	}
	const struct browser *browser = m->visitor->browser;
	add_host(m, sample);
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
		add_form(m, sample, &before[i]);
	sample_add_header(sample, SLICE("sec-ch-ua"), brands(m));
	sample_add_header(sample, SLICE("sec-ch-ua-mobile"), with_mark(m, browser->mobile, ";n=%u"));
	sample_add_header(sample, SLICE("sec-ch-ua-platform"), with_mark(m, browser->platform, ";n=%u"));
	sample_add_header(sample, SLICE("User-Agent"), user_agent(m));
	for (size_t i = 0; i < sizeof(between) / sizeof(between[0]); i++)
		add_form(m, sample, &between[i]);
	add_referer(m, sample);
	sample_add_header(sample, SLICE("Accept-Language"), with_mark(m, m->visitor->languages, ",el;q=0.%u"));
	sample_add_header(sample, SLICE("If-None-Match"), made(m, "\"%x-6214\"", 0x62000000 + made_number(m, 200)));
	sample_add_header(sample, SLICE("Cookie"), cookies(m));
}

static void add_response_header(struct sample *sample, const char *name, struct slice value)
{
	sample->response_headers[sample->response_header_count++] =
		(struct sample_header){slice_from_string(name), value};
}

void made_response(struct request_maker *m, struct sample *sample, const char *type, struct slice body)
{
	sample->response_status = 200;
	sample->response_body = body;
	add_response_header(sample, "Server", SLICE("nginx"));
	add_response_header(sample, "Content-Type", slice_from_string(type));
	add_response_header(sample, "Content-Length", made(m, "%zu", body.len));
	add_response_header(sample, "ETag", made(m, "\"%x-6214\"", 0x62000000 + made_number(m, 200)));
	add_response_header(sample, "Cache-Control", m->fresh ? made(m, "max-age=%u", m->serial) : SLICE("max-age=60"));
}
