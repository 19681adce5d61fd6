/*
 * The part of the parser (pattern.c) that reads what is behind a backslash and between brackets. In a class a backslash
 * means other things than outside, so that each place has its own list.
 */
#include "match/pattern_escape.h"

#include "match/pattern_class.h"

enum { BRACED_DIGITS = 6 /* more than a byte needs: \x{...} and \o{...} may begin with zeroes */ };

unsigned pattern_read_digits(struct reader *in, unsigned base, size_t most)
{
	unsigned value = 0;
	for (size_t i = 0; i < most; i++) {
		int next = reader_peek(in, 0);
		int digit = next < 0 ? -1 : byte_hex_value((uint8_t)next);
		if (digit < 0 || (unsigned)digit >= base)
			break;
		value = value * base + (unsigned)digit;
		reader_byte(in);
	}
	return value;
}

static unsigned braced(struct pattern_parser *p, unsigned base)
{
	unsigned value = pattern_read_digits(&p->in, base, BRACED_DIGITS);
	if (!reader_accept(&p->in, SLICE("}")))
		pattern_fail(p, PATTERN_OPAQUE);
	return value;
}

/* The byte that an escape stands for; what follows the backslash has been read as `c`. */
static uint8_t byte_escape(struct pattern_parser *p, uint8_t c)
{
	static const struct {
		char name;
		uint8_t byte;
	} simple[] = {{'a', 7}, {'e', 27}, {'f', 12}, {'n', 10}, {'r', 13}, {'t', 9}};
	for (size_t i = 0; i < sizeof(simple) / sizeof(simple[0]); i++)
		if (c == (uint8_t)simple[i].name)
			return simple[i].byte;
	unsigned value = c;
	if (c == 'x')
		value = reader_accept(&p->in, SLICE("{")) ? braced(p, 16) : pattern_read_digits(&p->in, 16, 2);
	else if (c == 'o' && reader_accept(&p->in, SLICE("{")))
		value = braced(p, 8);
	else if (c == '0')
		value = pattern_read_digits(&p->in, 8, 2);
	else if (byte_is_alpha(c) || byte_is_digit(c) || c >= 0x80)
		pattern_fail(p, PATTERN_OPAQUE);
	if (value > 255)
		pattern_fail(p, PATTERN_OPAQUE);
	return (uint8_t)value;
}

static void parse_quoted(struct pattern_parser *p)
{
	while (!reader_at_end(&p->in) && !reader_accept(&p->in, SLICE("\\E"))) {
		pattern_add_byte(p, reader_byte(&p->in));
	}
}

void pattern_parse_escape(struct pattern_parser *p)
{
	static const struct {
		char name;
		enum pattern_assertion assertion;
	} places[] = {{'A', PATTERN_SUBJECT_START},
		      {'z', PATTERN_SUBJECT_END},
		      {'Z', PATTERN_SUBJECT_END_OR_LAST_NEWLINE},
		      {'b', PATTERN_WORD_EDGE},
		      {'B', PATTERN_NO_WORD_EDGE}};
	if (reader_at_end(&p->in)) {
		pattern_fail(p, PATTERN_OPAQUE);
		return;
	}
	uint8_t c = reader_byte(&p->in);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (c == (uint8_t)places[i].name) {
			pattern_add_assertion(p, places[i].assertion);
			return;
		}
	}
	struct pattern_set set;
	if (c == 'Q') {
		parse_quoted(p);
	} else if (c == 'N' && reader_peek(&p->in, 0) == '{') {
		pattern_fail(p, PATTERN_OPAQUE);
	} else if (pattern_class_escape(c, &set)) {
		pattern_add_set(p, &set);
	} else if (c != 'E') {
		pattern_add_byte(p, byte_escape(p, c));
	}
}

/* [:name:] inside a class; the reader stands before the first colon. What only begins like one is not for us. */
static void parse_posix(struct pattern_parser *p, struct pattern_set *set)
{
	struct slice rest = slice_after(reader_rest(&p->in), 1);
	size_t end = slice_find(rest, SLICE(":]"), 0);
	struct slice name = slice_sub(rest, 0, end);
	bool negated = slice_starts_with(name, SLICE("^"));
	struct pattern_set found;
	if (!pattern_class_posix(slice_after(name, negated), &found)) {
		pattern_fail(p, PATTERN_OPAQUE);
		return;
	}
	if (p->flags.caseless)
		pattern_set_fold(&found);
	if (negated)
		pattern_set_invert(&found);
	pattern_set_join(set, &found);
	reader_skip(&p->in, end + 3);
}

/* One member of a class: a byte (returned), or a set joined to *set (-1). */
static int class_member(struct pattern_parser *p, struct pattern_set *set)
{
	uint8_t c = reader_byte(&p->in);
	int next = reader_peek(&p->in, 0);
	if (c == '[' && (next == '.' || next == '='))
		pattern_fail(p, PATTERN_OPAQUE);
	if (c == '[' && next == ':') {
		parse_posix(p, set);
		return -1;
	}
	if (c != '\\')
		return c;
	c = reader_byte(&p->in);
	struct pattern_set found;
	if (c == 'Q' || c == 'E' || c == 'B' || c == 'R' || c == 'X' || c == 'N') {
		pattern_fail(p, PATTERN_OPAQUE);
	} else if (c == 'b') {
		return '\b';
	} else if (pattern_class_escape(c, &found)) {
		pattern_set_join(set, &found);
		return -1;
	} else if (c >= '1' && c <= '7') {
		unsigned value = (unsigned)(c - '0');
		size_t before = p->in.at;
		unsigned more = pattern_read_digits(&p->in, 8, 2);
		for (size_t i = before; i < p->in.at; i++)
			value *= 8;
		if (value + more > 255)
			pattern_fail(p, PATTERN_OPAQUE);
		return (uint8_t)(value + more);
	}
	return byte_escape(p, c);
}

void pattern_parse_class(struct pattern_parser *p)
{
	struct pattern_set set = {{0}};
	bool negated = reader_accept(&p->in, SLICE("^"));
	for (bool first = true; p->error == 0; first = false) {
		if (p->in.overrun || reader_at_end(&p->in)) {
			pattern_fail(p, PATTERN_OPAQUE);
			return;
		}
		if (!first && reader_accept(&p->in, SLICE("]")))
			break;
		int low = class_member(p, &set);
		int high = low;
		if (reader_peek(&p->in, 0) == '-' && reader_peek(&p->in, 1) != ']' && reader_peek(&p->in, 1) >= 0) {
			reader_byte(&p->in);
			high = low < 0 ? -1 : class_member(p, &set);
			if (high < 0 || high < low) /* PCRE2 takes some such hyphens as bytes, and refuses others */
				pattern_fail(p, PATTERN_OPAQUE);
		}
		if (low >= 0 && high >= low)
			pattern_set_range(&set, (unsigned)low, (unsigned)high);
	}
	if (p->flags.caseless)
		pattern_set_fold(&set);
	if (negated)
		pattern_set_invert(&set);
	pattern_add_set(p, &set);
}
