/* Recursive descent to a tree; a walk draws an example up to each repetition, then of it once, and five times. */
#include "pump.h"

#include "random.h"

#include "base/buffer.h"

#include <stdlib.h>

enum node_kind { NODE_EMPTY, NODE_SET, NODE_SEQUENCE, NODE_CHOICE, NODE_REPEAT };

enum {
	REPEAT_FOREVER = 1 << 20, /* stands for: no upper bound */
	WORTH_PUMPING = 8,        /* what may repeat so often */
	DEPTH_MAX = 200,          /* of groups in groups */
	PIECE_MAX = 256,          /* bytes of a prefix, or of a unit */
};

struct node {
	enum node_kind kind;
	bool bytes[256]; /* of a set */
	struct node *kids;
	struct node *next; /* among its parent's kids */
	struct node *last;
	unsigned min;
	unsigned max;
};

struct reading {
	struct slice text;
	size_t at;
	struct arena *arena;
	unsigned depth;
};

static struct node *node_new(struct reading *r, enum node_kind kind)
{
	struct node *node = arena_zalloc(r->arena, 1, sizeof(*node));
	if (node == NULL)
		abort();
	node->kind = kind;
	return node;
}

static void add_kid(struct node *parent, struct node *kid)
{
	if (parent->last == NULL)
		parent->kids = kid;
	else
		parent->last->next = kid;
	parent->last = kid;
}

static int peek(const struct reading *r, size_t ahead)
{
	return r->at + ahead < r->text.len ? r->text.ptr[r->at + ahead] : -1;
}

static void add_range(bool *bytes, unsigned from, unsigned to)
{
	for (unsigned c = from; c <= to && c < 256; c++)
		bytes[c] = true;
}

static void add_class(bool *bytes, int letter)
{
	bool set[256] = {false};
	switch (byte_lower((uint8_t)letter)) {
	case 'd':
		add_range(set, '0', '9');
		break;
	case 'w':
		add_range(set, '0', '9');
		add_range(set, 'a', 'z');
		add_range(set, 'A', 'Z');
		set['_'] = true;
		break;
	case 'h':
		set[' '] = set['\t'] = true;
		break;
	case 'n':
		add_range(set, 0, 255);
		set['\n'] = false;
		break;
	default: /* s, v, R */
		add_range(set, '\t', '\r');
		set[' '] = letter == 's' || letter == 'S';
		break;
	}
	bool negated = letter == 'D' || letter == 'W' || letter == 'S' || letter == 'H' || letter == 'V';
	for (unsigned c = 0; c < 256; c++)
		bytes[c] = bytes[c] || set[c] != negated;
}

static uint8_t read_hex(struct reading *r)
{
	unsigned value = 0;
	bool braces = peek(r, 0) == '{';
	r->at += braces;
	for (unsigned i = 0; i < (braces ? 6u : 2u) && peek(r, 0) >= 0 && byte_hex_value((uint8_t)peek(r, 0)) >= 0; i++)
		value = value * 16 + (unsigned)byte_hex_value(r->text.ptr[r->at++]);
	r->at += braces && peek(r, 0) == '}';
	return (uint8_t)value;
}

/* After a backslash. Returns false where it stands for no byte: an assertion, a backreference. */
static bool read_escape(struct reading *r, bool *bytes)
{
	static const char controls[] = "n\nr\rt\tf\fe\x1b";
	int c = peek(r, 0);
	if (c < 0)
		return false;
	r->at++;
	if (strchr("dDwWsShHvVRN", c) != NULL) {
		add_class(bytes, c);
		return true;
	}
	if (c == 'x') {
		bytes[read_hex(r)] = true;
		return true;
	}
	for (const char *p = controls; *p != '\0'; p += 2)
		if (*p == c) {
			bytes[(uint8_t)p[1]] = true;
			return true;
		}
	if (c == '0') {
		bytes[0] = true;
		return true;
	}
	if (byte_is_alpha((uint8_t)c) || byte_is_digit((uint8_t)c))
		return false;
	bytes[c] = true;
	return true;
}

/* The byte a member of a class begins with, or -1 where it was more than one. */
static int read_member(struct reading *r, bool *bytes)
{
	if (peek(r, 0) == '[' && peek(r, 1) == ':') {
		size_t end = slice_find(r->text, SLICE(":]"), r->at);
		struct slice name = slice_sub(r->text, r->at + 2, end);
		add_class(bytes, slice_equal(name, SLICE("digit"))   ? 'd'
				 : slice_equal(name, SLICE("space")) ? 's'
								     : 'w');
		r->at = end + 2;
		return -1;
	}
	if (peek(r, 0) != '\\') {
		bytes[r->text.ptr[r->at]] = true;
		return r->text.ptr[r->at++];
	}
	bool one[256] = {false};
	int only = -1;
	r->at++;
	read_escape(r, one);
	unsigned count = 0;
	for (int c = 0; c < 256; c++) {
		bytes[c] = bytes[c] || one[c];
		count += one[c];
		only = one[c] ? c : only;
	}
	return count == 1 ? only : -1;
}

static struct node *read_class(struct reading *r)
{
	struct node *node = node_new(r, NODE_SET);
	bool negated = peek(r, 0) == '^';
	r->at += negated;
	for (bool first = true; peek(r, 0) >= 0 && (first || peek(r, 0) != ']'); first = false) {
		int from = read_member(r, node->bytes);
		if (from < 0 || peek(r, 0) != '-' || peek(r, 1) == ']' || peek(r, 1) < 0)
			continue;
		r->at++;
		int to = read_member(r, node->bytes);
		if (to > from)
			add_range(node->bytes, (unsigned)from, (unsigned)to);
	}
	r->at++;
	for (unsigned c = 0; negated && c < 256; c++)
		node->bytes[c] = !node->bytes[c];
	return node;
}

static struct node *read_choice(struct reading *r);

/* After "(". Lookaround and flags alone are empty, conditions too. */
static struct node *read_group(struct reading *r)
{
	bool empty = false;
	if (peek(r, 0) == '*') {
		r->at = slice_find_byte(r->text, ')', r->at) + 1;
		return node_new(r, NODE_EMPTY);
	}
	if (peek(r, 0) == '?') {
		r->at++;
		bool behind = peek(r, 0) == '<' && (peek(r, 1) == '=' || peek(r, 1) == '!');
		empty = behind || peek(r, 0) == '=' || peek(r, 0) == '!';
		if (peek(r, 0) == 'P' || (peek(r, 0) == '<' && !behind)) {
			r->at = slice_find_byte(r->text, '>', r->at) + 1;
		} else {
			while (peek(r, 0) >= 0 && strchr("imsxJU-^", peek(r, 0)) != NULL)
				r->at++;
			if (peek(r, 0) == ')') {
				r->at++;
				return node_new(r, NODE_EMPTY);
			}
			r->at += behind ? 2 : 1;
		}
	}
	struct node *inside = read_choice(r);
	r->at += peek(r, 0) == ')';
	return empty ? node_new(r, NODE_EMPTY) : inside;
}

static struct node *read_atom(struct reading *r)
{
	int c = r->text.ptr[r->at++];
	if (c == '(')
		return read_group(r);
	if (c == '[')
		return read_class(r);
	if (c == '^' || c == '$')
		return node_new(r, NODE_EMPTY);
	struct node *node = node_new(r, NODE_SET);
	if (c == '.')
		add_range(node->bytes, 0, 255);
	else if (c != '\\')
		node->bytes[c] = true;
	else if (!read_escape(r, node->bytes))
		node->kind = NODE_EMPTY;
	return node;
}

static unsigned read_number(struct reading *r)
{
	unsigned value = 0;
	while (peek(r, 0) >= 0 && byte_is_digit((uint8_t)peek(r, 0)) && value < REPEAT_FOREVER)
		value = value * 10 + (unsigned)(r->text.ptr[r->at++] - '0');
	return value;
}

static bool read_bounds(struct reading *r, unsigned *min, unsigned *max)
{
	int c = peek(r, 0);
	*min = c == '+';
	*max = c == '?' ? 1 : REPEAT_FOREVER;
	if (c == '*' || c == '+' || c == '?') {
		r->at++;
		return true;
	}
	if (c != '{' || peek(r, 1) < 0 || (!byte_is_digit((uint8_t)peek(r, 1)) && peek(r, 1) != ','))
		return false;
	r->at++;
	*min = *max = read_number(r);
	if (peek(r, 0) == ',') {
		r->at++;
		*max = peek(r, 0) == '}' ? REPEAT_FOREVER : read_number(r);
	}
	r->at += peek(r, 0) == '}';
	return true;
}

static struct node *read_repeats(struct reading *r, struct node *atom)
{
	unsigned min;
	unsigned max;
	while (read_bounds(r, &min, &max)) {
		struct node *repeat = node_new(r, NODE_REPEAT);
		repeat->min = min;
		repeat->max = max;
		add_kid(repeat, atom);
		atom = repeat;
		r->at += peek(r, 0) == '?' || peek(r, 0) == '+';
	}
	return atom;
}

static struct node *read_choice(struct reading *r)
{
	struct node *choice = node_new(r, NODE_CHOICE);
	struct node *sequence = node_new(r, NODE_SEQUENCE);
	if (++r->depth > DEPTH_MAX)
		r->at = r->text.len;
	add_kid(choice, sequence);
	while (peek(r, 0) >= 0 && peek(r, 0) != ')') {
		if (peek(r, 0) == '|') {
			r->at++;
			add_kid(choice, sequence = node_new(r, NODE_SEQUENCE));
			continue;
		}
		add_kid(sequence, read_repeats(r, read_atom(r)));
	}
	r->depth--;
	return choice;
}

static uint8_t draw_byte(const bool *bytes, uint64_t *seed)
{
	uint8_t c = 0;
	for (unsigned tries = 0; tries < 64; tries++) {
		c = (uint8_t)(tries < 48 ? 0x20 + random_below(seed, 0x5f) : random_below(seed, 256));
		if (bytes[c])
			return c;
	}
	for (unsigned i = 0; i < 256; i++)
		if (bytes[i])
			return (uint8_t)i;
	return 'a';
}

static const struct node *draw_kid(const struct node *node, uint64_t *seed)
{
	size_t count = 0;
	for (const struct node *kid = node->kids; kid != NULL; kid = kid->next)
		count++;
	size_t chosen = random_below(seed, count);
	const struct node *kid = node->kids;
	while (chosen-- > 0)
		kid = kid->next;
	return kid;
}

static void draw(const struct node *node, uint64_t *seed, struct buffer *out)
{
	if (out->len > PIECE_MAX)
		return;
	if (node->kind == NODE_SET) {
		buffer_byte(out, draw_byte(node->bytes, seed));
	} else if (node->kind == NODE_CHOICE) {
		draw(draw_kid(node, seed), seed, out);
	} else if (node->kind == NODE_SEQUENCE) {
		for (const struct node *kid = node->kids; kid != NULL; kid = kid->next)
			draw(kid, seed, out);
	} else if (node->kind == NODE_REPEAT) {
		unsigned spare = node->max - node->min;
		unsigned times = node->min + (unsigned)random_below(seed, spare < 2 ? spare + 1 : 3);
		for (unsigned i = 0; i < times && i < PIECE_MAX; i++)
			draw(node->kids, seed, out);
	}
}

struct pumping {
	struct arena *arena;
	uint64_t *seed;
	pump_fn *each;
	void *context;
	struct buffer prefix;
};

static void give(struct pumping *p, const struct node *repeated, unsigned times)
{
	struct buffer unit = buffer_make(NULL);
	struct pump pump;
	for (unsigned i = 0; i < times; i++)
		draw(repeated, p->seed, &unit);
	size_t from = p->prefix.len > PIECE_MAX ? p->prefix.len - PIECE_MAX : 0;
	if (unit.len > 0 && arena_copy(p->arena, buffer_slice(&unit), &pump.unit) == 0 &&
	    arena_copy(p->arena, slice_after(buffer_slice(&p->prefix), from), &pump.prefix) == 0)
		p->each(p->context, pump);
	buffer_free(&unit);
}

static void walk(struct pumping *p, const struct node *node)
{
	size_t prefix = p->prefix.len;
	if (node->kind == NODE_REPEAT && node->max >= WORTH_PUMPING) {
		give(p, node->kids, 1);
		give(p, node->kids, 5);
	}
	for (const struct node *kid = node->kids; kid != NULL; kid = kid->next) {
		walk(p, kid);
		if (node->kind == NODE_SEQUENCE)
			draw(kid, p->seed, &p->prefix);
	}
	p->prefix.len = prefix;
}

void pump_pattern(struct slice pattern, struct arena *arena, uint64_t *seed, pump_fn *each, void *context)
{
	struct reading reading = {.text = pattern};
	struct arena nodes;
	struct pumping pumping = {arena, seed, each, context, buffer_make(NULL)};
	arena_init(&nodes, SIZE_MAX, 0);
	reading.arena = &nodes;
	walk(&pumping, read_choice(&reading));
	arena_destroy(&nodes);
	buffer_free(&pumping.prefix);
}
