/*
 * The parser's outline: groups, options and repeats, with a stack of open groups in place of recursion. Escapes and
 * classes are in pattern_escape.c, nodes in pattern_tree.c. Whatever is in doubt makes the pattern opaque.
 */
#include "match/pattern.h"

#include "match/pattern_class.h"
#include "match/pattern_escape.h"
#include "match/regex.h"

#include <stdlib.h>

enum {
	REPEAT_MAX = 65535, /* PCRE2's own */
	REPEATS_MAX = 8,    /* of one item, one around the other */
	COUNT_DIGITS = 6,   /* of a number of a repeat, and more than PCRE2 takes */
};

static void start_alternative(struct pattern_parser *p, struct pattern_frame *frame)
{
	frame->cat = pattern_add_node(p, PATTERN_CAT);
	frame->last = PATTERN_NO_NODE;
	if (p->error == 0)
		pattern_append_child(p, frame->alt, frame->cat);
}

static void open_group(struct pattern_parser *p, struct pattern_flags inner)
{
	if (p->depth == PATTERN_DEPTH_MAX) {
		pattern_fail(p, PATTERN_OPAQUE);
		return;
	}
	uint32_t alt;
	if (p->depth == 0) {
		alt = pattern_add_node(p, PATTERN_ALT);
	} else {
		pattern_add_item(p, PATTERN_ALT);
		alt = p->stack[p->depth - 1].last;
	}
	if (p->error != 0)
		return;
	struct pattern_frame *frame = &p->stack[p->depth++];
	*frame = (struct pattern_frame){.alt = alt, .outer = p->flags};
	p->flags = inner;
	start_alternative(p, frame);
}

static void close_group(struct pattern_parser *p)
{
	if (p->depth < 2)
		pattern_fail(p, PATTERN_OPAQUE);
	else
		p->flags = p->stack[--p->depth].outer;
}

/* Letters between (? and : or ). Unknown ones, x among them, make the pattern opaque. */
static struct pattern_flags read_options(struct pattern_parser *p, uint8_t *ret_end)
{
	struct pattern_flags flags = p->flags;
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
			pattern_fail(p, PATTERN_OPAQUE);
			*ret_end = ')';
			return flags;
		}
	}
}

/* An option holds until its group closes, in the alternatives after it too. */
static void set_options(struct pattern_parser *p, struct pattern_flags flags)
{
	p->flags = flags;
	pattern_add_item(p, PATTERN_EMPTY);
}

static void skip_name(struct pattern_parser *p, uint8_t end)
{
	while (!reader_at_end(&p->in) && reader_byte(&p->in) != end)
		;
}

static void special_group(struct pattern_parser *p)
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
		struct pattern_flags flags = read_options(p, &end);
		if (p->error != 0)
			return;
		if (end == ':')
			open_group(p, flags);
		else
			set_options(p, flags);
	}
}

static void parse_group(struct pattern_parser *p)
{
	if (reader_peek(&p->in, 0) == '*')
		pattern_fail(p, PATTERN_OPAQUE);
	else if (reader_accept(&p->in, SLICE("?")))
		special_group(p);
	else
		open_group(p, p->flags);
}

/* A number of a repeat; zeros before it may be many. */
static uint32_t read_count(struct reader *in)
{
	while (reader_peek(in, 0) == '0')
		reader_byte(in);
	return pattern_read_digits(in, 10, COUNT_DIGITS);
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
static void wrap_last(struct pattern_parser *p, uint32_t min, uint32_t max, bool lazy)
{
	struct pattern_frame *frame = &p->stack[p->depth - 1];
	bool sane = (max == PATTERN_ENDLESS || (max <= REPEAT_MAX && min <= max)) && min <= REPEAT_MAX;
	if (frame->last == PATTERN_NO_NODE || p->out->nodes[frame->last].kind == PATTERN_EMPTY || !sane) {
		pattern_fail(p, PATTERN_OPAQUE);
		return;
	}
	uint32_t child = pattern_add_node(p, PATTERN_EMPTY);
	if (p->error != 0)
		return;
	struct pattern_node *nodes = p->out->nodes;
	nodes[child] = nodes[frame->last];
	nodes[frame->last] = (struct pattern_node){
		.kind = PATTERN_REPEAT, .first = child, .next = PATTERN_NO_NODE, .min = min, .max = max, .lazy = lazy};
}

/* [ab]*+ gives nothing back: as [ab]*, and behind it neither a nor b comes next. */
static void make_possessive(struct pattern_parser *p, uint32_t min, uint32_t max)
{
	struct pattern_frame *frame = &p->stack[p->depth - 1];
	const struct pattern_node *last = frame->last == PATTERN_NO_NODE ? NULL : &p->out->nodes[frame->last];
	if (last == NULL || last->kind != PATTERN_SET || max != PATTERN_ENDLESS) {
		pattern_fail(p, PATTERN_OPAQUE);
		return;
	}
	struct pattern_set set = last->set;
	wrap_last(p, min, max, false);
	struct pattern_node *item = pattern_add_item(p, PATTERN_ASSERT);
	if (item == NULL)
		return;
	item->assertion = PATTERN_OTHER_NEXT;
	item->set = set;
	frame->last = PATTERN_NO_NODE;
}

static void parse_quantifiers(struct pattern_parser *p)
{
	uint32_t min, max;
	for (size_t count = 1; p->error == 0 && accept_quantifier(&p->in, &min, &max); count++) {
		if (count > REPEATS_MAX)
			pattern_fail(p, PATTERN_OPAQUE);
		if (reader_accept(&p->in, SLICE("+"))) {
			make_possessive(p, min, max);
			continue;
		}
		bool lazy = reader_accept(&p->in, SLICE("?")) != p->flags.ungreedy;
		wrap_last(p, min, max, lazy);
	}
}

static void parse_item(struct pattern_parser *p)
{
	size_t from = p->in.at;
	uint8_t c = reader_byte(&p->in);
	struct pattern_frame *frame = &p->stack[p->depth - 1];
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
		pattern_parse_class(p);
		break;
	case '\\':
		pattern_parse_escape(p);
		break;
	case '.':
		if (!p->flags.dotall)
			pattern_set_add(&set, '\n');
		pattern_set_invert(&set);
		pattern_add_set(p, &set);
		break;
	case '^':
		pattern_add_assertion(p, p->flags.multiline ? PATTERN_LINE_START : PATTERN_SUBJECT_START);
		break;
	case '$':
		pattern_add_assertion(p, p->flags.multiline ? PATTERN_LINE_END : PATTERN_SUBJECT_END_OR_LAST_NEWLINE);
		break;
	case '*':
	case '+':
	case '?':
		pattern_fail(p, PATTERN_OPAQUE); /* behind a comment or the like */
		break;
	default:
		pattern_add_byte(p, c);
	}
	if (p->error == 0)
		parse_quantifiers(p);
}

int pattern_parse(struct slice text, unsigned flags, struct pattern *ret_pattern)
{
	struct pattern pattern = {0};
	struct pattern_parser p = {.in = reader_make(text), .out = &pattern};
	struct pattern_flags start = {.caseless = (flags & REGEX_CASELESS) != 0, .dotall = true, .multiline = true};
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
