/* Random requests over the vocabulary of the rules. */
#include "generate.h"

#include "random.h"

#include <stdlib.h>
#include <string.h>

struct writer {
	uint64_t *state;
	struct buffer *out;
};

static const char *const values[] = {
	"",
	"0",
	"1",
	"2",
	"5",
	"10",
	"a",
	"b",
	"c",
	"abc",
	"ABC",
	"aab",
	"foo",
	"bar",
	"foobar",
	"xy",
	"x",
	"GET",
	"select",
	"SELECT a",
	"1 or 1=1",
	"1' or '1'='1",
	"<script>alert(1)</script>",
	"&lt;script",
	"%61bc",
	"YWJj",
	"616263",
	"A  B\tc",
	"../a/./b",
	".\"./b",
	"a/.^.",
	". ./a.b",
	"%{tx.a}",
	"/*x*/or",
	"union select 1 from b",
	"t1",
	"m1",
	"x_a",
	"\xc3\xa9",
	"\xff\x01",
	"foo bar",
	"zzz",
	"12345678901234567890",
	"-1",
	"+3",
	"273c24", /* '<$ as hexadecimal, as base64, and its first as a wide character */
	"Jzwk",
	"\xef\xbc\x87",
	"r^m,-f",
	"a\nb",
	"\n",
};
static const char *const names[] = {"a", "b", "c", "aa", "ab", "A", "x_a", "foo", "d", ""};
static const char *const header_names[] = {"X-A", "x-a", "x-foo", "X-B", "Accept", "User-Agent", "Referer", "Range"};
/* What odd.conf asks for. */
static const char *const asked[] = {
	"jump=jump",      "skip=1",       "skip=5",         "skip=6",        "after=nowhere",
	"after=earlier",  "after=denied", "allow=all",      "allow=phase",   "allow=request",
	"remove=settled", "remove=tag",   "remove=message", "remove=target", "remove=argument",
	"remove=denied",  "remove=later", "capture=x",      "engine=watch",  "engine=off",
};
static const char *const methods[] = {"GET", "GET", "POST", "POST", "POST", "PUT", "HEAD", "OPTIONS"};
static const char *const paths[] = {"/", "/a", "/foo/bar", "/a/../b", "/abc.php", "//x//y", "/%61bc", "/x_a/"};

/* Lengths at which something is remembered, asked or shared otherwise than below or above them. */
static const unsigned bounds[] = {8,   16,  32,  64,  128,  255,  256,  257,  416,   511,  512,
				  513, 928, 992, 993, 1024, 2048, 4096, 8192, 16384, 65536};

/* A value as long as a bound, or a byte more or less, with a short one somewhere in it. */
static const char *long_value(struct writer *w)
{
	static const char *const fillers[] = {"z", "-", "a", "A", "lorem ipsum ", "x=1 "};
	const char *filler = RANDOM_OF(w->state, fillers);
	const char *within = RANDOM_OF(w->state, values);
	size_t bytes = RANDOM_OF(w->state, bounds) + random_below(w->state, 3) - 1;
	size_t len = strlen(within);
	struct buffer value = buffer_make(w->out->arena);
	for (size_t i = 0; i < bytes; i++)
		buffer_byte(&value, (uint8_t)filler[i % strlen(filler)]);
	buffer_byte(&value, '\0');
	if (value.error != 0)
		abort();
	if (len < bytes)
		memcpy((char *)value.ptr + random_below(w->state, (unsigned)(bytes - len + 1)), within, len);
	return (const char *)value.ptr;
}

static const char *value_of(struct writer *w)
{
	return random_once(w->state, 25) ? long_value(w) : RANDOM_OF(w->state, values);
}

/* How many of a kind there are: mostly few. */
static unsigned how_many(struct writer *w, unsigned few)
{
	static const unsigned many[] = {7, 8, 9, 10, 15, 16, 17, 18, 31, 32, 33, 64, 65, 100, 130};
	return random_once(w->state, 12) ? RANDOM_OF(w->state, many) : random_below(w->state, few);
}

/* Bytes that would end what they stand in are written in hexadecimal; so are others, now and then. */
static void write_encoded(struct writer *w, const char *text)
{
	for (const char *s = text; *s != '\0'; s++) {
		uint8_t c = (uint8_t)*s;
		bool plain = c > ' ' && c < 0x7f && strchr("&=+#%;\"", c) == NULL;
		if (plain && !random_once(w->state, 30))
			buffer_byte(w->out, c);
		else if (c == ' ' && random_once(w->state, 2))
			buffer_byte(w->out, '+');
		else if (c == '%' && random_once(w->state, 2))
			buffer_byte(w->out, c);
		else
			buffer_printf(w->out, "%%%02X", c);
	}
}

static void write_pairs(struct writer *w, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		buffer_text(w->out, i > 0 ? "&" : "");
		if (random_once(w->state, 6)) {
			buffer_text(w->out, RANDOM_OF(w->state, asked));
			continue;
		}
		write_encoded(w, RANDOM_OF(w->state, names));
		buffer_text(w->out, "=");
		write_encoded(w, value_of(w));
	}
}

static const char *write_form(struct writer *w)
{
	write_pairs(w, how_many(w, 5));
	return "application/x-www-form-urlencoded";
}

static const char *write_multipart(struct writer *w)
{
	for (unsigned left = how_many(w, 4); left > 0; left--) {
		buffer_printf(w->out, "--B\r\nContent-Disposition: form-data; name=\"%s\"", RANDOM_OF(w->state, names));
		if (random_once(w->state, 2))
			buffer_printf(w->out, "; filename=\"%s.php\"\r\nContent-Type: text/plain",
				      RANDOM_OF(w->state, names));
		buffer_printf(w->out, "\r\n\r\n%s\r\n", value_of(w));
	}
	buffer_text(w->out, random_once(w->state, 6) ? "--B\r\n" : "--B--\r\n");
	return "multipart/form-data; boundary=B";
}

static const char *write_json(struct writer *w)
{
	static const char *const plain[] = {"a", "abc", "1 or 1=1", "foo", "select", "<script>", "5"};
	buffer_printf(w->out, "{\"a\":\"%s\",\"b\":[1,\"%s\",{\"c\":null}]", RANDOM_OF(w->state, plain),
		      RANDOM_OF(w->state, plain));
	buffer_text(w->out, random_once(w->state, 6) ? "" : "}");
	return "application/json";
}

static const char *write_xml(struct writer *w)
{
	static const char *const plain[] = {"a", "abc", "1 or 1=1", "foo", "select", "5"};
	buffer_printf(w->out, "<r a=\"%s\"><b>%s</b></r", RANDOM_OF(w->state, plain), RANDOM_OF(w->state, plain));
	buffer_text(w->out, random_once(w->state, 6) ? "" : ">");
	return "text/xml";
}

static const char *write_plain(struct writer *w)
{
	buffer_text(w->out, value_of(w));
	return random_once(w->state, 2) ? "text/plain" : "";
}

static void write_body(struct writer *w)
{
	static const char *(*const writers[])(struct writer *) = {write_form, write_form, write_multipart,
								  write_json, write_xml,  write_plain};
	struct buffer *head = w->out;
	struct buffer body = buffer_make(head->arena);
	w->out = &body;
	const char *type = RANDOM_OF(w->state, writers)(w);
	w->out = head;
	if (random_once(w->state, 10))
		type = value_of(w);
	if (type[0] != '\0')
		buffer_printf(head, "Content-Type: %s\r\n", type);
	buffer_printf(head, "Content-Length: %zu\r\n\r\n", body.len);
	buffer_add(head, buffer_slice(&body));
}

static void write_cookies(struct writer *w)
{
	if (random_once(w->state, 6))
		buffer_text(w->out, "Cookie: ;\r\n");
	buffer_text(w->out, "Cookie: ");
	for (unsigned left = 1 + how_many(w, 3); left > 0; left--)
		buffer_printf(w->out, "%s=%s%s", RANDOM_OF(w->state, names), value_of(w), left > 1 ? "; " : "");
	buffer_text(w->out, "\r\n");
}

static void write_request(struct writer *w)
{
	const char *method = RANDOM_OF(w->state, methods);
	buffer_printf(w->out, "%s %s", method, RANDOM_OF(w->state, paths));
	if (!random_once(w->state, 3)) {
		buffer_text(w->out, "?");
		write_pairs(w, how_many(w, 5));
	}
	buffer_text(w->out, random_once(w->state, 10) ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
	buffer_text(w->out, "Host: foo\r\n");
	for (unsigned left = how_many(w, 3); left > 0; left--)
		buffer_printf(w->out, "%s: %s\r\n", RANDOM_OF(w->state, header_names), value_of(w));
	for (unsigned left = random_once(w->state, 2) ? 1 + random_below(w->state, 2) : 0; left > 0; left--)
		write_cookies(w);
	for (unsigned left = how_many(w, 2); left > 0; left--)
		buffer_printf(w->out, "%s: %s\r\n", RANDOM_OF(w->state, header_names), value_of(w));
	if (random_once(w->state, 10))
		buffer_text(w->out, "Authorization: Basic YWJj\r\n");
	if (method[0] == 'P')
		write_body(w);
	else
		buffer_text(w->out, "\r\n");
}

static void answer(uint64_t *state, struct arena *arena, struct ftw_answer *ret_answer)
{
	static const unsigned statuses[] = {200, 200, 200, 404, 500, 302};
	static const char *const types[] = {"text/html", "text/html; charset=utf-8", "text/plain", "image/png"};
	struct buffer room = buffer_make(arena);
	struct writer w = {state, &room};
	*ret_answer = (struct ftw_answer){
		.status = RANDOM_OF(state, statuses),
		.headers = field_list_make(arena),
		.body = slice_from_string(value_of(&w)),
	};
	struct field type = {.name = SLICE("Content-Type"), .value = slice_from_string(RANDOM_OF(state, types))};
	struct field other = {.name = SLICE("X-R"), .value = slice_from_string(value_of(&w))};
	if (field_list_add(&ret_answer->headers, type) != 0 ||
	    (random_once(state, 2) && field_list_add(&ret_answer->headers, other) != 0))
		abort();
}

void generate_request(uint64_t *state, struct arena *arena, struct slice *ret_wire, struct ftw_answer *ret_answer)
{
	struct buffer wire = buffer_make(arena);
	struct writer w = {state, &wire};
	write_request(&w);
	*ret_wire = buffer_slice(&wire);
	answer(state, arena, ret_answer);
}
