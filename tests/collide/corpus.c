/* What the engine's three ways are asked by collide.c, in the order of files' names: the same each time. */
#include "corpus.h"

#include "base/file.h"
#include "base/vector.h"
#include "ftw/suite.h"
#include "ftw/wire.h"
#include "random.h"

#include <fts.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 16 << 20 };

static void add(struct corpus *corpus, struct slice wire)
{
	if (vector_grow((void **)&corpus->items, &corpus->capacity, corpus->count, sizeof(*corpus->items)) != 0)
		abort();
	corpus->items[corpus->count++] = wire;
}

static void add_suite(struct corpus *corpus, const char *path)
{
	struct diagnostics diagnostics;
	struct ftw_suite suite;
	diagnostics_init(&diagnostics);
	int r = ftw_suite_load(path, &corpus->arena, &diagnostics, &suite);
	diagnostics_destroy(&diagnostics);
	for (struct ftw_test *test = r == 0 ? suite.tests : NULL; test != NULL; test = test->next) {
		for (struct ftw_stage *stage = test->stages; stage != NULL; stage = stage->next) {
			struct slice wire;
			if (ftw_wire_request(&stage->input, SLICE(""), &corpus->arena, &wire) == 0)
				add(corpus, wire);
		}
	}
}

/* A passage as somebody would send it in a form. */
static void add_passage(struct corpus *corpus, struct slice passage)
{
	struct buffer body = buffer_make(&corpus->arena);
	struct buffer wire = buffer_make(&corpus->arena);
	buffer_text(&body, "subject=A+letter&text=");
	for (size_t i = 0; i < passage.len; i++) {
		uint8_t c = passage.ptr[i];
		if (byte_is_alpha(c) || byte_is_digit(c))
			buffer_byte(&body, c);
		else
			buffer_printf(&body, "%%%02X", c);
	}
	buffer_printf(&wire,
		      "POST /letters HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\n"
		      "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n\r\n",
		      body.len);
	buffer_add(&wire, buffer_slice(&body));
	add(corpus, buffer_slice(&wire));
}

/* Passages are separated by lines of a single "%". */
static void add_text(struct corpus *corpus, const char *path)
{
	struct buffer text = buffer_make(&corpus->arena);
	if (file_read(path, TEXT_BYTES, &text) != 0)
		return;
	for (struct slice left = buffer_slice(&text); left.len > 0;) {
		size_t end = slice_find(left, SLICE("\n%\n"), 0);
		add_passage(corpus, slice_sub(left, 0, end));
		left = slice_after(left, end + 3);
	}
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

void corpus_add_path(struct corpus *corpus, char *path)
{
	char *paths[] = {path, NULL};
	FTS *walk = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, by_name);
	for (FTSENT *entry; walk != NULL && (entry = fts_read(walk)) != NULL;)
		if (entry->fts_info == FTS_F && strstr(entry->fts_name, ".yaml") != NULL)
			add_suite(corpus, entry->fts_path);
		else if (entry->fts_info == FTS_F && strstr(entry->fts_name, ".txt") != NULL)
			add_text(corpus, entry->fts_path);
	if (walk != NULL)
		fts_close(walk);
}

static struct slice piece_of(struct slice s, uint64_t *state)
{
	size_t from = random_next(state) % (s.len + 1);
	return slice_sub(s, from, from + random_next(state) % 60);
}

struct slice corpus_mutate(const struct corpus *corpus, struct slice wire, uint64_t *state, struct arena *arena)
{
	struct buffer out = buffer_make(arena);
	size_t at = random_next(state) % (wire.len + 1);
	size_t cut = random_next(state) % 8;
	struct slice other = corpus->items[random_next(state) % corpus->count];
	buffer_add(&out, slice_sub(wire, 0, at));
	if (random_once(state, 3))
		buffer_byte(&out, (uint8_t)random_next(state));
	else
		buffer_add(&out, piece_of(other, state));
	buffer_add(&out, slice_after(wire, at + cut));
	return buffer_slice(&out);
}

bool corpus_as_cookies(struct slice wire, struct arena *arena, struct slice *ret_wire)
{
	struct slice line;
	struct slice headers = slice_cut(wire, '\n', &line);
	size_t mark = slice_find(line, SLICE("?"), 0);
	size_t end = slice_find(line, SLICE(" HTTP/"), mark);
	if (end <= mark || end >= line.len)
		return false;
	struct buffer out = buffer_make(arena);
	struct slice query = slice_sub(line, mark + 1, end);
	buffer_add(&out, slice_sub(line, 0, mark));
	buffer_add(&out, slice_sub(line, end, line.len));
	buffer_text(&out, "\nCookie: ");
	for (size_t i = 0; i < query.len; i++) {
		buffer_byte(&out, query.ptr[i] == '&' ? ';' : query.ptr[i]);
	}
	buffer_text(&out, "; theme=dark\r\n");
	buffer_add(&out, headers);
	*ret_wire = buffer_slice(&out);
	return true;
}

/* What follows the first question mark of a request's line, else a piece of it: something that a rule looks for. */
static struct slice telling_piece(const struct corpus *corpus, uint64_t *state)
{
	struct slice line, wire = corpus->items[random_next(state) % corpus->count];
	slice_cut(wire, '\n', &line);
	size_t mark = slice_find(line, SLICE("?"), 0), end = slice_find(line, SLICE(" HTTP/"), mark);
	return mark < end && end < line.len && !random_once(state, 3) ? slice_sub(line, mark + 1, end)
								      : piece_of(wire, state);
}

/* With plain text around it, as long as a bound at which something is remembered, asked or shared otherwise. */
static void add_value(const struct corpus *corpus, uint64_t *state, struct buffer *out)
{
	static const unsigned bounds[] = {16, 32, 255, 256, 257, 511, 512, 513, 928, 992, 993, 1024, 2048, 8192};
	static const char *const fillers[] = {"z", "lorem ipsum ", "a-1 "};
	struct slice piece = telling_piece(corpus, state);
	const char *filler = RANDOM_OF(state, fillers);
	size_t bytes = random_once(state, 4) ? RANDOM_OF(state, bounds) + random_below(state, 3) - 1 : piece.len;
	size_t before = bytes > piece.len ? random_next(state) % (bytes - piece.len + 1) : 0;
	for (size_t i = 0; i < before; i++)
		buffer_byte(out, (uint8_t)filler[i % strlen(filler)]);
	for (size_t i = 0; i < piece.len; i++)
		buffer_byte(out,
			    piece.ptr[i] == '\n' || piece.ptr[i] == '\r' || piece.ptr[i] == 0 ? ' ' : piece.ptr[i]);
	for (size_t i = before + piece.len; i < bytes; i++)
		buffer_byte(out, (uint8_t)filler[i % strlen(filler)]);
}

struct slice corpus_crowd(const struct corpus *corpus, struct slice wire, uint64_t *state, struct arena *arena)
{
	static const char *const names[] = {"X-A",     "x-a",        "Accept-Language",
					    "Referer", "User-Agent", "X-Forwarded-Host"};
	static const unsigned counts[] = {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 33};
	struct buffer out = buffer_make(arena);
	size_t end = slice_find(wire, SLICE("\n"), 0);
	buffer_add(&out, slice_sub(wire, 0, end));
	buffer_text(&out, "\n");
	for (unsigned left = RANDOM_OF(state, counts); left > 0; left--) {
		buffer_printf(&out, "%s: ", RANDOM_OF(state, names));
		add_value(corpus, state, &out);
		buffer_text(&out, "\r\n");
	}
	unsigned cookies = RANDOM_OF(state, counts);
	buffer_text(&out, cookies > 0 ? "Cookie: " : "");
	for (unsigned i = 0; i < cookies; i++) {
		buffer_printf(&out, "%sc%u=", i > 0 ? "; " : "", random_below(state, 9));
		add_value(corpus, state, &out);
	}
	buffer_text(&out, cookies > 0 ? "\r\n" : "");
	buffer_add(&out, slice_after(wire, end + 1));
	return buffer_slice(&out);
}
