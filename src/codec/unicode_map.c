/*
 * Line by line, word by word: a colon in its first word tells a line of pairs from one that begins a page. Pairs of
 * other pages are not looked at, so that faults in them are not told.
 */
#include "codec/unicode_map.h"

#include "base/error.h"
#include "base/reader.h"

/* The full stops of RFC 3490, section 3.1, which stand for '.' in every code page. */
static const uint16_t FULL_STOPS[] = {0x002e, 0x3002, 0xff0e, 0xff61};

struct map_parser {
	struct unicode_map *map;
	struct diagnostics *diagnostics;
	const char *file;
	struct slice line;
	unsigned line_number;
	unsigned code_page;
	bool in_page; /* the lines that follow belong to the page asked for */
	bool page_found;
	bool failed;
};

static struct slice take_word(struct reader *r)
{
	while (!reader_at_end(r) && byte_is_space((uint8_t)reader_peek(r, 0)))
		reader_skip(r, 1);
	size_t from = r->at;
	while (!reader_at_end(r) && !byte_is_space((uint8_t)reader_peek(r, 0)))
		reader_skip(r, 1);
	return slice_sub(r->bytes, from, r->at);
}

/* A number in `base` of 1 to `max_digits` digits; -1 if `s` is anything else. */
static long parse_number(struct slice s, long base, size_t max_digits)
{
	long value = 0;
	if (s.len == 0 || s.len > max_digits)
		return -1;
	for (size_t i = 0; i < s.len; i++) {
		int digit = byte_hex_value(s.ptr[i]);
		if (digit < 0 || digit >= base)
			return -1;
		value = value * base + digit;
	}
	return value;
}

static void complain(struct map_parser *parser, struct slice word)
{
	unsigned column = (unsigned)(word.ptr - parser->line.ptr) + 1;
	struct source_place place = {parser->file, parser->line_number, column, parser->line};
	diagnostics_add(parser->diagnostics, DIAGNOSTIC_ERROR, place, "write HHHH:HH, both hexadecimal",
			"not a mapping of a code point to a byte");
	parser->failed = true;
}

static void parse_pairs(struct map_parser *parser)
{
	struct reader r = reader_make(parser->line);
	for (struct slice word = take_word(&r); word.len > 0; word = take_word(&r)) {
		struct slice code_text;
		struct slice byte_text = slice_cut(word, ':', &code_text);
		long code = parse_number(code_text, 16, 6), byte = parse_number(byte_text, 16, 4);
		if (code < 0 || byte < 0 || byte > 0xff) {
			complain(parser, word);
			return;
		}
		if (code < UNICODE_MAP_SIZE)
			parser->map->byte[code] = (uint16_t)byte;
	}
}

/* A line whose first word holds a colon is pairs; any other starts a page, nameless unless that word is a number. */
static void parse_line(struct map_parser *parser)
{
	struct reader r = reader_make(parser->line);
	struct slice word = take_word(&r);
	if (word.len == 0 || word.ptr[0] == '#')
		return;
	if (slice_find_byte(word, ':', 0) < word.len) {
		if (parser->in_page)
			parse_pairs(parser);
		return;
	}
	parser->in_page = parse_number(word, 10, 9) == (long)parser->code_page;
	parser->page_found = parser->page_found || parser->in_page;
}

int unicode_map_parse(struct unicode_map *map, struct slice text, unsigned code_page, const char *file,
		      struct diagnostics *diagnostics)
{
	for (size_t i = 0; i < UNICODE_MAP_SIZE; i++)
		map->byte[i] = UNICODE_MAP_ABSENT;
	for (size_t i = 0; i < sizeof(FULL_STOPS) / sizeof(FULL_STOPS[0]); i++)
		map->byte[FULL_STOPS[i]] = '.';

	struct map_parser parser = {map, diagnostics, file, text, 0, code_page, false, false, false};
	for (struct reader r = reader_make(text); !reader_at_end(&r) && !parser.failed;) {
		parser.line = reader_until(&r, '\n');
		parser.line_number++;
		parse_line(&parser);
	}
	if (!parser.failed && !parser.page_found) {
		struct source_place place = {file, 0, 0, {NULL, 0}};
		diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, place, "the file lists its code pages by number",
				"code page %u is not in this file", code_page);
		parser.failed = true;
	}
	return parser.failed ? -EINVAL : 0;
}
