#include "match/pattern.h"

#include "base/error.h"
#include "base/reader.h"
#include "base/vector.h"
#include "match/pattern_class.h"
#include "match/regex.h"

#include <stdlib.h>

enum {
	DEPTH_MAX = 100,
	REPEAT_MAX = 65535, /* PCRE2's own */
};

struct flags {
	bool caseless;
	bool dotall;
	bool multiline;
	bool ungreedy; /* (?U): a repeat is lazy unless a ? follows */
};

/* An open parenthesis. */
struct frame {
	uint32_t alt;
	uint32_t cat;  /* the alternative being filled */
	uint32_t last; /* its newest item; PATTERN_NO_NODE if none or not to be repeated */
	struct flags outer;
};

struct parser {
	struct reader in;
	struct pattern *out;
	struct flags flags;
	struct frame stack[DEPTH_MAX];
	size_t depth;
	int error; /* sticky: PATTERN_OPAQUE or -ENOMEM */
};

static void fail(struct parser *p, int error)
{
	if (p->error == 0)
		p->error = error;
}

static uint32_t add_node(struct parser *p, enum pattern_kind kind)
{
	struct pattern *out = p->out;
	if (vector_grow((void **)&out->nodes, &out->capacity, out->count, sizeof(*out->nodes)) != 0) {
		fail(p, -ENOMEM);
		return PATTERN_NO_NODE;
	}
	out->nodes[out->count] = (struct pattern_node){.kind = kind, .first = PATTERN_NO_NODE, .next = PATTERN_NO_NODE};
	return (uint32_t)out->count++;
}

static void append_child(struct parser *p, uint32_t parent, uint32_t child)
{
	uint32_t *link = &p->out->nodes[parent].first;
	while (*link != PATTERN_NO_NODE)
		link = &p->out->nodes[*link].next;
	*link = child;
}

/* Adds an item to the open alternative. */
static struct pattern_node *add_item(struct parser *p, enum pattern_kind kind)
{
	uint32_t item = add_node(p, kind);
	if (p->error != 0)
		return NULL;
	struct frame *frame = &p->stack[p->depth - 1];
	if (frame->last == PATTERN_NO_NODE)
		append_child(p, frame->cat, item);
	else
		p->out->nodes[frame->last].next = item;
	frame->last = item;
	return &p->out->nodes[item];
}

static void start_alternative(struct parser *p, struct frame *frame)
{
	frame->cat = add_node(p, PATTERN_CAT);
	frame->last = PATTERN_NO_NODE;
	if (p->error == 0)
		append_child(p, frame->alt, frame->cat);
}

static void open_group(struct parser *p, struct flags inner)
{
	if (p->depth == DEPTH_MAX) {
		fail(p, PATTERN_OPAQUE);
		return;
	}
	uint32_t alt;
	if (p->depth == 0) {
		alt = add_node(p, PATTERN_ALT);
	} else {
		add_item(p, PATTERN_ALT);
		alt = p->stack[p->depth - 1].last;
	}
	if (p->error != 0)
		return;
	struct frame *frame = &p->stack[p->depth++];
	*frame = (struct frame){.alt = alt, .outer = p->flags};
	p->flags = inner;
	start_alternative(p, frame);
}

static void close_group(struct parser *p)
{
	if (p->depth < 2)
		fail(p, PATTERN_OPAQUE);
	else
		p->flags = p->stack[--p->depth].outer;
}

/* Letters between (? and : or ). Unknown ones, x among them, make the pattern opaque. */
static struct flags read_options(struct parser *p, uint8_t *ret_end)
{
	struct flags flags = p->flags;
	bool on = true;
	for (;;) {
		uint8_t c = reader_byte(&p->in);
		switch (c) {
		case 'i':
			flags.caseless = on;
			continue;
		case 's':
			flags.dotall = on;
			continue;
		case 'm':
			flags.multiline = on;
			continue;
		case 'U':
			flags.ungreedy = on;
			continue;
		case 'J':
			continue;
		case '-':
			on = false;
			continue;
		case ':':
		case ')':
			*ret_end = c;
			return flags;
		default:
			fail(p, PATTERN_OPAQUE);
			*ret_end = ')';
			return flags;
		}
	}
}

/* An option holds until its group closes, in the alternatives after it too. */
static void set_options(struct parser *p, struct flags flags)
{
	p->flags = flags;
	add_item(p, PATTERN_EMPTY);
}

static void skip_name(struct parser *p, uint8_t end)
{
	while (!reader_at_end(&p->in) && reader_byte(&p->in) != end)
		;
}

static void special_group(struct parser *p)
{
	struct reader *in = &p->in;
	if (reader_accept(in, SLICE("#"))) {
		skip_name(p, ')');
	} else if (reader_accept(in, SLICE(":")) || reader_accept(in, SLICE("|"))) {
		open_group(p, p->flags);
	} else if (reader_accept(in, SLICE("P<")) ||
		   (reader_peek(in, 0) == '<' && reader_peek(in, 1) != '=' && reader_peek(in, 1) != '!')) {
		skip_name(p, '>');
		open_group(p, p->flags);
	} else if (reader_accept(in, SLICE("'"))) {
		skip_name(p, '\'');
		open_group(p, p->flags);
	} else {
		uint8_t end;
		struct flags flags = read_options(p, &end);
		if (p->error != 0)
			return;
		if (end == ':')
			open_group(p, flags);
		else
			set_options(p, flags);
	}
}

static void parse_group(struct parser *p)
{
	if (reader_peek(&p->in, 0) == '*')
		fail(p, PATTERN_OPAQUE);
	else if (reader_accept(&p->in, SLICE("?")))
		special_group(p);
	else
		open_group(p, p->flags);
}

static unsigned read_digits(struct reader *in, unsigned base, size_t most)
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

static unsigned braced(struct parser *p, unsigned base)
{
	unsigned value = read_digits(&p->in, base, 6);
	if (!reader_accept(&p->in, SLICE("}")))
		fail(p, PATTERN_OPAQUE);
	return value;
}

/* The byte that an escape stands for; what follows the backslash has been read as `c`. */
static uint8_t byte_escape(struct parser *p, uint8_t c)
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
		value = reader_accept(&p->in, SLICE("{")) ? braced(p, 16) : read_digits(&p->in, 16, 2);
	else if (c == 'o' && reader_accept(&p->in, SLICE("{")))
		value = braced(p, 8);
	else if (c == '0')
		value = read_digits(&p->in, 8, 2);
	else if (byte_is_alpha(c) || byte_is_digit(c) || c >= 0x80)
		fail(p, PATTERN_OPAQUE);
	if (value > 255)
		fail(p, PATTERN_OPAQUE);
	return (uint8_t)value;
}

static void add_set(struct parser *p, const struct pattern_set *set)
{
	struct pattern_node *item = add_item(p, PATTERN_SET);
	if (item == NULL)
		return;
	item->set = *set;
}

static void add_byte(struct parser *p, uint8_t byte)
{
	struct pattern_set set = {{0}};
	pattern_set_add(&set, byte);
	if (p->flags.caseless)
		pattern_set_fold(&set);
	add_set(p, &set);
}

static void add_assertion(struct parser *p, enum pattern_assertion assertion)
{
	struct pattern_node *item = add_item(p, PATTERN_ASSERT);
	if (item == NULL)
		return;
	item->assertion = assertion;
}

static void parse_quoted(struct parser *p)
{
	while (!reader_at_end(&p->in) && !reader_accept(&p->in, SLICE("\\E"))) {
		add_byte(p, reader_byte(&p->in));
	}
}

static void parse_escape(struct parser *p)
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
		fail(p, PATTERN_OPAQUE);
		return;
	}
	uint8_t c = reader_byte(&p->in);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (c == (uint8_t)places[i].name) {
			add_assertion(p, places[i].assertion);
			return;
		}
	}
	struct pattern_set set;
	if (c == 'Q') {
		parse_quoted(p);
	} else if (c == 'N' && reader_peek(&p->in, 0) == '{') {
		fail(p, PATTERN_OPAQUE);
	} else if (pattern_class_escape(c, &set)) {
		add_set(p, &set);
	} else if (c != 'E') {
		add_byte(p, byte_escape(p, c));
	}
}

/* [:name:] inside a class; the reader stands before the first colon. What only begins like one is not for us. */
static void parse_posix(struct parser *p, struct pattern_set *set)
{
	struct slice rest = slice_after(reader_rest(&p->in), 1);
	size_t end = slice_find(rest, SLICE(":]"), 0);
	struct slice name = slice_sub(rest, 0, end);
	bool negated = slice_starts_with(name, SLICE("^"));
	struct pattern_set found;
	if (!pattern_class_posix(slice_after(name, negated), &found)) {
		fail(p, PATTERN_OPAQUE);
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
static int class_member(struct parser *p, struct pattern_set *set)
{
	uint8_t c = reader_byte(&p->in);
	int next = reader_peek(&p->in, 0);
	if (c == '[' && (next == '.' || next == '='))
		fail(p, PATTERN_OPAQUE);
	if (c == '[' && next == ':') {
		parse_posix(p, set);
		return -1;
	}
	if (c != '\\')
		return c;
	c = reader_byte(&p->in);
	struct pattern_set found;
	if (c == 'Q' || c == 'E' || c == 'B' || c == 'R' || c == 'X' || c == 'N') {
		fail(p, PATTERN_OPAQUE);
	} else if (c == 'b') {
		return '\b';
	} else if (pattern_class_escape(c, &found)) {
		pattern_set_join(set, &found);
		return -1;
	} else if (c >= '1' && c <= '7') {
		unsigned value = (unsigned)(c - '0');
		size_t before = p->in.at;
		unsigned more = read_digits(&p->in, 8, 2);
		for (size_t i = before; i < p->in.at; i++)
			value *= 8;
		if (value + more > 255)
			fail(p, PATTERN_OPAQUE);
		return (uint8_t)(value + more);
	}
	return byte_escape(p, c);
}

static void parse_class(struct parser *p)
{
	struct pattern_set set = {{0}};
	bool negated = reader_accept(&p->in, SLICE("^"));
	for (bool first = true; p->error == 0; first = false) {
		if (p->in.overrun || reader_at_end(&p->in)) {
			fail(p, PATTERN_OPAQUE);
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
				fail(p, PATTERN_OPAQUE);
		}
		if (low >= 0 && high >= low)
			pattern_set_range(&set, (unsigned)low, (unsigned)high);
	}
	if (p->flags.caseless)
		pattern_set_fold(&set);
	if (negated)
		pattern_set_invert(&set);
	add_set(p, &set);
}

/* A number of a repeat; zeros before it may be many. */
static uint32_t read_count(struct reader *in)
{
	while (reader_peek(in, 0) == '0')
		reader_byte(in);
	return read_digits(in, 10, 6);
}

/* {n}, {n,} or {n,m}; anything else is a brace that stands for itself. */
static bool accept_braces(struct reader *in, uint32_t *ret_min, uint32_t *ret_max)
{
	struct reader try = *in;
	reader_byte(&try);
	if (reader_peek(&try, 0) < 0 || !byte_is_digit((uint8_t)reader_peek(&try, 0)))
		return false;
	uint32_t min = read_count(&try), max = min;
	if (reader_accept(&try, SLICE(",")))
		max = reader_peek(&try, 0) == '}' ? PATTERN_ENDLESS : read_count(&try);
	if (!reader_accept(&try, SLICE("}")))
		return false;
	*in = try;
	*ret_min = min;
	*ret_max = max;
	return true;
}

static bool accept_quantifier(struct reader *in, uint32_t *ret_min, uint32_t *ret_max)
{
	int c = reader_peek(in, 0);
	if (c == '{')
		return accept_braces(in, ret_min, ret_max);
	if (c != '*' && c != '+' && c != '?')
		return false;
	reader_byte(in);
	*ret_min = c == '+';
	*ret_max = c == '?' ? 1 : PATTERN_ENDLESS;
	return true;
}

/* The newest item becomes the child of a repeat that takes its place. */
static void wrap_last(struct parser *p, uint32_t min, uint32_t max, bool lazy)
{
	struct frame *frame = &p->stack[p->depth - 1];
	bool sane = (max == PATTERN_ENDLESS || (max <= REPEAT_MAX && min <= max)) && min <= REPEAT_MAX;
	if (frame->last == PATTERN_NO_NODE || p->out->nodes[frame->last].kind == PATTERN_EMPTY || !sane) {
		fail(p, PATTERN_OPAQUE);
		return;
	}
	uint32_t child = add_node(p, PATTERN_EMPTY);
	if (p->error != 0)
		return;
	struct pattern_node *nodes = p->out->nodes;
	nodes[child] = nodes[frame->last];
	nodes[frame->last] = (struct pattern_node){
		.kind = PATTERN_REPEAT, .first = child, .next = PATTERN_NO_NODE, .min = min, .max = max, .lazy = lazy};
}

static void parse_quantifiers(struct parser *p)
{
	uint32_t min, max;
	while (p->error == 0 && accept_quantifier(&p->in, &min, &max)) {
		if (reader_peek(&p->in, 0) == '+')
			fail(p, PATTERN_OPAQUE);
		bool lazy = reader_accept(&p->in, SLICE("?")) != p->flags.ungreedy;
		wrap_last(p, min, max, lazy);
	}
}

static void parse_item(struct parser *p)
{
	size_t from = p->in.at;
	uint8_t c = reader_byte(&p->in);
	struct frame *frame = &p->stack[p->depth - 1];
	struct pattern_set set = {{0}};
	uint32_t min, max;
	struct reader again = {p->in.bytes, from, false};
	if (c == '{' && accept_braces(&again, &min, &max))
		c = '*';
	switch (c) {
	case '(':
		parse_group(p);
		return; /* what comes next is inside */
	case ')':
		close_group(p);
		break;
	case '|':
		start_alternative(p, frame);
		return;
	case '[':
		parse_class(p);
		break;
	case '\\':
		parse_escape(p);
		break;
	case '.':
		if (!p->flags.dotall)
			pattern_set_add(&set, '\n');
		pattern_set_invert(&set);
		add_set(p, &set);
		break;
	case '^':
		add_assertion(p, p->flags.multiline ? PATTERN_LINE_START : PATTERN_SUBJECT_START);
		break;
	case '$':
		add_assertion(p, p->flags.multiline ? PATTERN_LINE_END : PATTERN_SUBJECT_END_OR_LAST_NEWLINE);
		break;
	case '*':
	case '+':
	case '?':
		fail(p, PATTERN_OPAQUE); /* behind a comment or the like */
		break;
	default:
		add_byte(p, c);
	}
	if (p->error == 0)
		parse_quantifiers(p);
}

int pattern_parse(struct slice text, unsigned flags, struct pattern *ret_pattern)
{
	struct pattern pattern = {0};
	struct parser p = {.in = reader_make(text), .out = &pattern};
	struct flags start = {.caseless = (flags & REGEX_CASELESS) != 0, .dotall = true, .multiline = true};
	if (text.len == 0)
		p.in = reader_make(SLICE(".*")); /* as regex_compile() has it */
	open_group(&p, start);
	while (p.error == 0 && !reader_at_end(&p.in))
		parse_item(&p);
	if (p.error == 0 && (p.depth != 1 || p.in.overrun))
		p.error = PATTERN_OPAQUE;
	if (p.error != 0) {
		pattern_free(&pattern);
		return p.error;
	}
	*ret_pattern = pattern;
	return 0;
}

void pattern_free(struct pattern *pattern)
{
	free(pattern->nodes);
	*pattern = (struct pattern){0};
}
