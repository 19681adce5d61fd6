/* The shapes of requests, a function a row; most pieces come from maker.c, new ones where they are to be new. */
#include "maker.h"
#include "random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { LARGE_FORM_BYTES = 10240, HTML_BYTES = 32768, JSON_ITEMS = 40 };

static void add_content(struct request_maker *m, struct sample *sample, struct slice type, struct slice body)
{
	sample_add_header(sample, SLICE("Content-Type"), type);
	sample_add_header(sample, SLICE("Content-Length"), made(m, "%zu", body.len));
	sample->body = body;
}

static void plain_answer(struct request_maker *m, struct sample *sample)
{
	made_response(m, sample, "text/html; charset=utf-8", SLICE(""));
}

static void get_static(struct request_maker *m, struct sample *sample)
{
	static const char *const paths[] = {"/assets/img/crest-%u.png", "/assets/css/site.%x.css",
					    "/assets/js/menu.%x.js", "/assets/fonts/sans-%u.woff2",
					    "/media/2026/photo-%u.jpg"};
	sample->uri = made(m, paths[random_below(&m->seed, sizeof(paths) / sizeof(paths[0]))], made_number(m, 60));
	made_basic_headers(m, sample);
	made_response(m, sample, "image/png", SLICE(""));
}

static void add_argument(struct buffer *out, struct slice name, struct slice value)
{
	if (out->len > 0 && out->ptr[out->len - 1] != '?')
		buffer_byte(out, '&');
	buffer_add(out, name);
	buffer_byte(out, '=');
	add_form_encoded(out, value);
}

static struct slice search_uri(struct request_maker *m)
{
	struct buffer uri = buffer_make(m->arena);
	buffer_text(&uri, "/zh-hant/search?");
	add_argument(&uri, made_name(m, "q"), made_phrase(m, 24));
	add_argument(&uri, made_name(m, "dept"), made(m, "d%u", made_number(m, 12)));
	add_argument(&uri, made_name(m, "page"), made(m, "%u", 1 + made_number(m, 9)));
	return buffer_slice(&uri);
}

static void get_arguments(struct request_maker *m, struct sample *sample)
{
	sample->uri = search_uri(m);
	made_basic_headers(m, sample);
	plain_answer(m, sample);
}

static void get_browser(struct request_maker *m, struct sample *sample)
{
	sample->uri = made(m, "/pt/avisos/%u.html", made_number(m, 200));
	made_browser_headers(m, sample);
	plain_answer(m, sample);
}

static void post_form(struct request_maker *m, struct sample *sample, struct slice body)
{
	sample->method = SLICE("POST");
	sample->uri = made(m, "/en/forms/contact/%u", made_number(m, 20));
	made_basic_headers(m, sample);
	add_content(m, sample, SLICE("application/x-www-form-urlencoded"), body);
	plain_answer(m, sample);
}

static void post_form_small(struct request_maker *m, struct sample *sample)
{
	struct buffer body = buffer_make(m->arena);
	add_argument(&body, made_name(m, "name"), made_phrase(m, 14));
	add_argument(&body, made_name(m, "doc"), made(m, "%u", 1000000 + made_number(m, 300000)));
	add_argument(&body, made_name(m, "born"),
		     made(m, "19%u-0%u-1%u", 50 + made_number(m, 49), 1 + made_number(m, 8), made_number(m, 9)));
	add_argument(&body, made_name(m, "district"), made(m, "%u", made_number(m, 7)));
	add_argument(&body, made_name(m, "email"), made(m, "user%u@mail.example", made_number(m, 500)));
	add_argument(&body, made_name(m, "tel"), made(m, "66%u", 100000 + made_number(m, 899999)));
	add_argument(&body, made_name(m, "agree"), m->fresh ? made(m, "on%x", m->serial) : SLICE("on"));
	post_form(m, sample, buffer_slice(&body));
}

static void post_form_large(struct request_maker *m, struct sample *sample)
{
	size_t language = random_below(&m->seed, PASSAGE_LANGUAGES);
	struct buffer body = buffer_make(m->arena);
	add_argument(&body, made_name(m, "name"), made_phrase(m, 14));
	add_argument(&body, made_name(m, "email"), made(m, "user%u@mail.example", made_number(m, 500)));
	add_argument(&body, made_name(m, "subject"), made_phrase(m, 40));
	add_argument(&body, made_name(m, "message"), SLICE(""));
	while (body.len < LARGE_FORM_BYTES) {
		add_form_encoded(&body, made_passage(m, language));
		buffer_text(&body, "%0D%0A%0D%0A");
	}
	post_form(m, sample, buffer_slice(&body));
}

/* A phrase holds nothing that JSON escapes. */
static void add_item(struct request_maker *m, struct buffer *out)
{
	struct slice names[] = {made_name(m, "id"),   made_name(m, "code"), made_name(m, "name"),
				made_name(m, "area"), made_name(m, "qty"),  made_name(m, "done")};
	struct slice name = made_phrase(m, 24);
	struct slice area = made_phrase(m, 9);
	struct slice values[] = {made(m, "%u", 10000 + made_number(m, 80000)),
				 made(m, "\"K-%04u\"", made_number(m, 9999)),
				 made(m, "\"%.*s\"", SLICE_ARG(name)),
				 made(m, "\"%.*s\"", SLICE_ARG(area)),
				 made(m, "%u", made_number(m, 40)),
				 m->fresh ? made(m, "%u", made_number(m, 1)) : SLICE("true")};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		buffer_text(out, i == 0 ? "{\"" : ",\"");
		buffer_add(out, names[i]);
		buffer_text(out, "\":");
		buffer_add(out, values[i]);
	}
	buffer_byte(out, '}');
}

static void post_json(struct request_maker *m, struct sample *sample)
{
	struct buffer body = buffer_make(m->arena);
	buffer_text(&body, "{\"");
	buffer_add(&body, made_name(m, "items"));
	buffer_text(&body, "\":[");
	for (size_t i = 0; i < JSON_ITEMS; i++) {
		buffer_text(&body, i == 0 ? "" : ",");
		add_item(m, &body);
	}
	buffer_text(&body, "]}");
	sample->method = SLICE("POST");
	sample->uri = made(m, "/api/v1/inventory/%u", made_number(m, 20));
	made_basic_headers(m, sample);
	add_content(m, sample, SLICE("application/json"), buffer_slice(&body));
	plain_answer(m, sample);
}

static void fill_random(uint8_t *bytes, size_t count, uint64_t *seed)
{
	for (size_t i = 0; i + 8 <= count; i += 8) {
		uint64_t drawn = random_next(seed);
		memcpy(bytes + i, &drawn, 8);
	}
}

/* A photograph, whose bytes are as good as random. */
static void add_photo(struct request_maker *m, struct buffer *body)
{
	if (buffer_reserve(body, PHOTO_BYTES + 1024) != 0)
		return;
	size_t at = body->len;
	buffer_add(body, slice_make(m->photos[random_below(&m->seed, PHOTOS)], PHOTO_BYTES));
	if (m->fresh)
		fill_random(body->ptr + at + 16, PHOTO_BYTES - 16, &m->seed);
}

static void add_part(struct request_maker *m, struct buffer *body, struct slice boundary, const char *name)
{
	buffer_text(body, body->len == 0 ? "--" : "\r\n--");
	buffer_add(body, boundary);
	buffer_text(body, "\r\nContent-Disposition: form-data; name=\"");
	buffer_add(body, made_name(m, name));
	buffer_byte(body, '"');
}

static void post_multipart(struct request_maker *m, struct sample *sample)
{
	struct buffer body = buffer_make(m->arena);
	struct slice boundary = made(m, "----WebKitFormBoundary%016lx", random_next(&m->seed));
	buffer_reserve(&body, PHOTO_BYTES + 4096);
	add_part(m, &body, boundary, "title");
	buffer_text(&body, "\r\n\r\n");
	buffer_add(&body, made_phrase(m, 30));
	add_part(m, &body, boundary, "photo");
	buffer_add(&body,
		   made(m, "; filename=\"IMG_%04u.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n", made_number(m, 9999)));
	add_photo(m, &body);
	buffer_text(&body, "\r\n--");
	buffer_add(&body, boundary);
	buffer_text(&body, "--\r\n");
	sample->method = SLICE("POST");
	sample->uri = made(m, "/en/reports/%u/photo", made_number(m, 200));
	made_basic_headers(m, sample);
	add_content(m, sample, made(m, "multipart/form-data; boundary=%.*s", SLICE_ARG(boundary)), buffer_slice(&body));
	plain_answer(m, sample);
}

static void add_html(struct buffer *out, struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		if (c == '&')
			buffer_text(out, "&amp;");
		else if (c == '\n')
			buffer_text(out, "<br>\n");
		else
			buffer_byte(out, c);
	}
}

static void add_article(struct request_maker *m, struct buffer *page)
{
	unsigned number = made_number(m, 200);
	buffer_add(page, made(m, "<article id=\"a%u\" class=\"notice wide\">\n  <h2><a href=\"/en/notices/%u.html\">",
			      number, number));
	add_html(page, made_phrase(m, 50));
	buffer_add(
		page,
		made(m,
		     "</a></h2>\n  <img src=\"/media/2026/photo-%u.jpg\" width=\"320\" height=\"200\" alt=\"\">\n  <p>",
		     number));
	add_html(page, made_passage(m, PASSAGE_LANGUAGES));
	buffer_text(page, "</p>\n  <ul class=\"tags\"><li>notice</li><li>public</li></ul>\n</article>\n");
}

static struct slice page(struct request_maker *m)
{
	struct buffer out = buffer_make(m->arena);
	buffer_reserve(&out, HTML_BYTES + 4096);
	buffer_text(
		&out,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<link rel=\"stylesheet\" href=\"/assets/css/site.css\">\n"
		"<script src=\"/assets/js/menu.js\" defer></script>\n<title>Notices</title>\n</head>\n<body>\n<nav>\n");
	for (unsigned i = 0; i < 20; i++)
		buffer_add(&out, made(m, "<a class=\"item\" href=\"/en/section-%u/\">Section %u</a>\n", i, i));
	buffer_text(&out, "</nav>\n<main>\n");
	while (out.len < HTML_BYTES - 200)
		add_article(m, &out);
	buffer_text(&out, "</main>\n<footer>Public services. Tel. 2870 0123</footer>\n</body>\n</html>\n");
	return buffer_slice(&out);
}

static void get_page(struct request_maker *m, struct sample *sample)
{
	sample->uri = made(m, "/en/notices/%u.html", made_number(m, 200));
	made_basic_headers(m, sample);
	made_response(m, sample, "text/html; charset=utf-8", page(m));
}

static void get_injection(struct request_maker *m, struct sample *sample)
{
	static const char *const attacks[] = {
		"%u' OR '1'='1' -- ",
		"-%u UNION SELECT username, password FROM users -- ",
		"%u; DROP TABLE residents; -- ",
		"x' AND SLEEP(%u) AND 'a'='a",
		"%u' AND 1=(SELECT COUNT(*) FROM information_schema.tables) -- ",
		"admin' OR %u=%u#",
		"%u) OR EXISTS(SELECT * FROM members WHERE name='admin') -- ",
		"1 AND extractvalue(%u,concat(0x7e,(SELECT version())))",
	};
	const char *attack = attacks[random_below(&m->seed, sizeof(attacks) / sizeof(attacks[0]))];
	unsigned number = m->fresh_attack ? made_stamp(m) : made_number(m, 1000);
	struct buffer uri = buffer_make(m->arena);
	buffer_text(&uri, "/en/permits?");
	add_argument(&uri, made_name(m, "id"), made(m, attack, number, number));
	add_argument(&uri, made_name(m, "page"), made(m, "%u", made_number(m, 9)));
	sample->uri = buffer_slice(&uri);
	made_basic_headers(m, sample);
	plain_answer(m, sample);
}

const struct request_row request_rows[REQUEST_ROWS] = {
	{"get-static", "GET static", false, get_static},
	{"get-args", "GET, 3 arguments", false, get_arguments},
	{"get-browser", "GET, 20 headers, 10 cookies", false, get_browser},
	{"post-form", "POST form, 130 B", false, post_form_small},
	{"post-form-10k", "POST form, 10 KB", false, post_form_large},
	{"post-json", "POST JSON, 240 leaves", false, post_json},
	{"post-multipart", "multipart, 1 MB file", false, post_multipart},
	{"get-response", "GET, 32 KB HTML response", false, get_page},
	{"get-sqli", "blocked SQL injection", true, get_injection},
};

const struct request_row *request_row_find(const char *name)
{
	for (size_t i = 0; i < REQUEST_ROWS; i++)
		if (strcmp(request_rows[i].name, name) == 0)
			return &request_rows[i];
	return NULL;
}

struct request_maker *request_maker_new(const char *data_folder, uint64_t seed)
{
	struct request_maker *m = calloc(1, sizeof(*m));
	if (m == NULL)
		return NULL;
	m->seed = seed;
	m->photos = malloc(sizeof(m->photos[0]) * PHOTOS);
	if (m->photos == NULL || passages_load(&m->passages, data_folder) != 0 || m->passages.count == 0) {
		request_maker_free(m);
		return NULL;
	}
	visitors_make(m->visitors, &m->seed);
	for (size_t i = 0; i < PHOTOS; i++) {
		fill_random(m->photos[i], PHOTO_BYTES, &m->seed);
		memcpy(m->photos[i], "\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0H", 16);
	}
	return m;
}

void request_maker_free(struct request_maker *m)
{
	if (m == NULL)
		return;
	passages_free(&m->passages);
	free(m->photos);
	free(m);
}

int request_make(struct request_maker *m, const struct request_row *row, enum request_kind kind, struct arena *arena,
		 struct sample *sample)
{
	m->arena = arena;
	m->fresh = kind == REQUEST_NEW;
	m->fresh_attack = kind != REQUEST_LIFE;
	m->serial++;
	m->visitor = &m->visitors[random_below(&m->seed, VISITORS)];
	if (m->fresh) {
		visitor_make(&m->stranger, &m->seed);
		m->visitor = &m->stranger;
	}
	*sample = (struct sample){.method = SLICE("GET"), .version = SLICE("1.1")};
	row->fill(m, sample);
	return arena->exhausted ? -ENOMEM : 0;
}
