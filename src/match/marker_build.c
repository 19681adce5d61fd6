/* From the tree of a pattern to operations on markers, from left to right. */
#include "match/marker_internal.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/vector.h"
#include "match/pattern_class.h"
#include "match/pattern_width.h"

#include <stdlib.h>

enum {
	OPS_MOST = 2000, /* of a pattern */
	TEXT_BYTES = 4096,
	TURNS_MOST = 8, /* of a repeat that are gone through one by one */
	NESTING_MOST = 200,
	COMMON_MOST = 24, /* sets of a pattern */
	SETS_TABLE = 4 * MARKER_SETS_MOST,
	ACCEPTED = MARKER_REGISTERS, /* in place of a register: no way leads on */
	NO_OP = UINT16_MAX,
};

/* Of places of plain text: what is rarer is not followed, what is more is common; the longest run of a set's bytes. */
static const double SHARE_LEAST = 1e-8, SHARE_COMMON = 5e-3, RUN_MOST = 4000;

struct walker {
	struct markers *markers;
	const struct pattern *pattern;
	size_t first; /* of its operations */
	size_t first_common;
	uint16_t failed; /* the last operation that goes on where the choice at hand ends; each tells the one before */
	unsigned nesting;
	double done; /* operations, as many as are done in TEXT_BYTES of plain text, by a guess */
	bool too_large;
	int error; /* sticky */
};

/* Where markers are, and on how many of plain text's places, by a guess. */
struct place {
	unsigned reg;
	double share;
};

static size_t hash_of(const struct pattern_set *set)
{
	uint64_t hash = 0;
	for (unsigned i = 0; i < 4; i++)
		hash = (hash ^ set->bits[i]) * HASH_SPREAD;
	return hash >> 40 & (SETS_TABLE - 1);
}

static double share_of(const struct pattern_set *set)
{
	double share = 0;
	for (unsigned word = 0; word < 4; word++)
		for (uint64_t left = set->bits[word]; left != 0; left &= left - 1)
			share += pattern_byte_frequency((uint8_t)(word * 64 + (unsigned)__builtin_ctzll(left)));
	return share;
}

static struct marker_halves halves_of(const struct pattern_set *set)
{
	struct marker_halves halves = {0};
	for (unsigned c = 0; c < 256; c++)
		if (pattern_set_has(set, (uint8_t)c))
			(c < 128 ? halves.ascii : halves.beyond)[c & 15] |= (uint8_t)(1u << (c >> 4 & 7));
	return halves;
}

/* 0, 1: there are too many, or -ENOMEM. */
static int number_of(struct markers *m, const struct pattern_set *set, uint16_t *ret_number)
{
	size_t at = hash_of(set);
	for (; m->table[at] != 0; at = (at + 1) & (SETS_TABLE - 1)) {
		*ret_number = (uint16_t)(m->table[at] - 1);
		if (memcmp(&m->sets[*ret_number].bytes, set, sizeof(*set)) == 0)
			return 0;
	}
	if (m->set_count == MARKER_SETS_MOST)
		return 1;
	if (vector_grow((void **)&m->sets, &m->set_capacity, m->set_count, sizeof(*m->sets)) != 0)
		return -ENOMEM;
	struct marker_set *added = &m->sets[m->set_count];
	*added = (struct marker_set){.bytes = *set, .halves = halves_of(set), .share = share_of(set)};
	for (unsigned c = 0; c < 256; c++)
		if (pattern_set_has(set, byte_lower((uint8_t)c)))
			pattern_set_add(&added->lowered, (uint8_t)c);
	added->lowered_halves = halves_of(&added->lowered);
	*ret_number = (uint16_t)m->set_count++;
	m->table[at] = (uint16_t)m->set_count;
	return 0;
}

static uint16_t here(const struct walker *w)
{
	return (uint16_t)(w->markers->op_count - w->first);
}

static struct marker_op *write_op(struct walker *w, enum marker_kind kind, unsigned to, unsigned from)
{
	static struct marker_op none;
	struct markers *m = w->markers;
	if (w->error == 0 && (here(w) >= OPS_MOST || to >= MARKER_REGISTERS))
		w->too_large = true;
	if (w->error == 0 && !w->too_large &&
	    vector_grow((void **)&m->ops, &m->op_capacity, m->op_count, sizeof(*m->ops)) != 0)
		w->error = -ENOMEM;
	if (w->error != 0 || w->too_large)
		return &none;
	m->ops[m->op_count] = (struct marker_op){.kind = (uint8_t)kind, .to = (uint8_t)to, .from = (uint8_t)from};
	return &m->ops[m->op_count++];
}

/* One that goes on elsewhere where it leaves no marker. */
static struct marker_op *write_failing(struct walker *w, enum marker_kind kind, unsigned to, unsigned from)
{
	uint16_t at = here(w);
	struct marker_op *op = write_op(w, kind, to, from);
	op->skip = w->failed;
	w->failed = at;
	return op;
}

/* Those that fail since `before` go on here. */
static void land(struct walker *w, uint16_t before)
{
	struct marker_op *ops = &w->markers->ops[w->first];
	while (w->error == 0 && !w->too_large && w->failed != before) {
		struct marker_op *op = &ops[w->failed];
		w->failed = op->skip;
		op->skip = here(w);
	}
	w->failed = before;
}

static void add_common(struct walker *w, uint16_t number)
{
	struct markers *m = w->markers;
	for (size_t i = w->first_common; i < m->common_count; i++)
		if (m->commons[i] == number)
			return;
	if (vector_grow((void **)&m->commons, &m->common_capacity, m->common_count, sizeof(*m->commons)) != 0)
		w->error = -ENOMEM;
	else
		m->commons[m->common_count++] = number;
}

/* That of a set, asked for at a share of places. */
static uint16_t stream_of(struct walker *w, const struct pattern_set *set, double share)
{
	uint16_t number = 0;
	int r = w->error != 0 ? 0 : number_of(w->markers, set, &number);
	w->error = r < 0 ? r : w->error;
	w->too_large = w->too_large || r > 0;
	if (r == 0 && w->error == 0 && share > SHARE_COMMON && w->markers->common_count - w->first_common < COMMON_MOST)
		add_common(w, number);
	return number;
}

static double share_of_stream(const struct walker *w, uint16_t stream)
{
	return w->error == 0 && !w->too_large ? w->markers->sets[stream].share : 1;
}

/*
 * What a node makes of the markers in a register, which stays as it is unless it is number `to`; that and those above
 * are free. Register ACCEPTED: the pattern was taken to match wherever this node leads.
 */
static struct place walk(struct walker *w, uint32_t at, struct place from, unsigned to);

static struct place accept(struct walker *w, struct place from)
{
	write_op(w, MARKER_ACCEPT, 0, from.reg);
	return (struct place){ACCEPTED, 0};
}

static struct place take(struct walker *w, const struct pattern_set *set, struct place from, unsigned to)
{
	if (from.share < SHARE_LEAST)
		return accept(w, from);
	uint16_t stream = stream_of(w, set, from.share);
	write_failing(w, MARKER_TAKE, to, from.reg)->stream = stream;
	w->done += from.share < 1.0 / TEXT_BYTES ? from.share * TEXT_BYTES : 1;
	return (struct place){to, from.share * share_of_stream(w, stream)};
}

static struct place star(struct walker *w, const struct pattern_set *set, struct place from, unsigned to)
{
	uint16_t stream = stream_of(w, set, from.share);
	double others = 1 - share_of_stream(w, stream);
	double share = from.share * (others > 1 / RUN_MOST ? 1 / others : RUN_MOST);
	write_op(w, MARKER_STAR, to, from.reg)->stream = stream;
	return (struct place){to, share < 1 ? share : 1};
}

static struct place hold(struct walker *w, enum pattern_assertion assertion, struct place from, unsigned to)
{
	static const double shares[MARKER_ASSERTIONS] = {
		[PATTERN_SUBJECT_START] = 1e-3, [PATTERN_SUBJECT_END] = 1e-3, [PATTERN_LINE_START] = 0.02,
		[PATTERN_LINE_END] = 0.02,      [PATTERN_WORD_EDGE] = 0.4,    [PATTERN_NO_WORD_EDGE] = 0.6,
	};
	if (assertion == PATTERN_SUBJECT_END_OR_LAST_NEWLINE || assertion == PATTERN_OTHER_NEXT)
		return from;
	write_failing(w, MARKER_HOLD, to, from.reg)->stream = (uint16_t)(MARKER_SETS_MOST + assertion);
	return (struct place){to, from.share * shares[assertion]};
}

/* In `to`, whose former markers are free. */
static struct place moved(struct walker *w, struct place from, unsigned to)
{
	if (from.reg != to)
		write_failing(w, MARKER_COPY, to, from.reg);
	return (struct place){to, from.share};
}

/* Whether a node is one byte; adds those that it may be. */
static bool is_byte(const struct pattern *p, uint32_t at, struct pattern_set *bytes)
{
	const struct pattern_node *node = &p->nodes[at];
	if (node->kind == PATTERN_SET)
		pattern_set_join(bytes, &node->set);
	if (node->kind == PATTERN_SET || node->first == PATTERN_NO_NODE)
		return node->kind == PATTERN_SET;
	if (node->kind == PATTERN_CAT)
		return p->nodes[node->first].next == PATTERN_NO_NODE && is_byte(p, node->first, bytes);
	bool all = node->kind == PATTERN_ALT;
	for (uint32_t child = node->first; child != PATTERN_NO_NODE && all; child = p->nodes[child].next)
		all = is_byte(p, child, bytes);
	return all;
}

static struct place walk_all(struct walker *w, uint32_t child, struct place from, unsigned to)
{
	struct place place = from;
	for (; child != PATTERN_NO_NODE && place.reg != ACCEPTED; child = w->pattern->nodes[child].next)
		place = walk(w, child, place, to);
	return place;
}

/* One way of a choice, whose markers are added to `all`. */
static void add_way(struct walker *w, struct place way, uint16_t failed, struct place *all, bool *leads_on)
{
	if (way.reg != ACCEPTED) {
		write_op(w, MARKER_JOIN, all->reg, way.reg);
		all->share += way.share;
		*leads_on = true;
	}
	land(w, failed);
}

static struct place walk_choice(struct walker *w, uint32_t first, struct place from, unsigned to)
{
	const struct pattern *p = w->pattern;
	struct pattern_set bytes = {{0}}; /* of the ways that are one byte */
	bool has_bytes = false, leads_on = false;
	struct place all = {from.reg == to ? to + 1 : to, 0};
	uint16_t failed = w->failed;
	for (uint32_t child = first; child != PATTERN_NO_NODE; child = p->nodes[child].next) {
		struct pattern_set set = {{0}};
		if (!is_byte(p, child, &set))
			continue;
		has_bytes = true;
		pattern_set_join(&bytes, &set);
	}
	write_op(w, MARKER_CLEAR, all.reg, 0);
	if (has_bytes)
		add_way(w, take(w, &bytes, from, all.reg + 1), failed, &all, &leads_on);
	for (uint32_t child = first; child != PATTERN_NO_NODE; child = p->nodes[child].next)
		if (!is_byte(p, child, &(struct pattern_set){{0}}))
			add_way(w, walk(w, child, from, all.reg + 1), failed, &all, &leads_on);
	if (!leads_on) {
		/* Where all ways that lead on failed, so does the choice. */
		write_failing(w, MARKER_COPY, all.reg, all.reg);
		return (struct place){ACCEPTED, 0};
	}
	all.share = all.share < 1 ? all.share : 1;
	write_failing(w, MARKER_COPY, to, all.reg);
	return (struct place){to, all.share};
}

static struct place walk_optional(struct walker *w, uint32_t child, struct place from, unsigned to)
{
	struct place all = moved(w, from, to);
	uint16_t failed = w->failed;
	bool leads_on;
	add_way(w, walk(w, child, all, to + 1), failed, &all, &leads_on);
	all.share = all.share < 1 ? all.share : 1;
	return all;
}

/* Any number of turns, until they lead nowhere new. */
static struct place walk_turns(struct walker *w, uint32_t child, struct place from, unsigned to)
{
	struct place all = moved(w, from, to);
	uint16_t failed = w->failed, begin = here(w);
	struct place turn = walk(w, child, all, to + 1);
	if (turn.reg != ACCEPTED)
		write_op(w, MARKER_GROW, to, turn.reg)->skip = begin;
	land(w, failed);
	all.share = all.share + 2 * turn.share;
	all.share = all.share < 1 ? all.share : 1;
	return all;
}

static struct place walk_repeat(struct walker *w, const struct pattern_node *node, struct place from, unsigned to)
{
	struct pattern_set bytes = {{0}};
	bool is_one = is_byte(w->pattern, node->first, &bytes);
	uint32_t turns = node->min < TURNS_MOST ? node->min : TURNS_MOST;
	uint32_t options = node->max == PATTERN_ENDLESS ? PATTERN_ENDLESS : node->max - turns;
	struct place place = from;
	for (uint32_t i = 0; i < turns && place.reg != ACCEPTED; i++)
		place = walk(w, node->first, place, to);
	if (place.reg == ACCEPTED || options == 0)
		return place;
	if (options == 1)
		return walk_optional(w, node->first, place, to);
	return is_one ? star(w, &bytes, place, to) : walk_turns(w, node->first, place, to);
}

static struct place walk(struct walker *w, uint32_t at, struct place from, unsigned to)
{
	const struct pattern_node *node = &w->pattern->nodes[at];
	struct pattern_set bytes = {{0}};
	struct place place = from;
	if (++w->nesting > NESTING_MOST || to >= MARKER_REGISTERS)
		w->too_large = true;
	if (w->error != 0 || w->too_large) {
		w->nesting--;
		return (struct place){ACCEPTED, 0};
	}
	switch (node->kind) {
	case PATTERN_EMPTY:
		break;
	case PATTERN_SET:
		place = take(w, &node->set, from, to);
		break;
	case PATTERN_CAT:
		place = walk_all(w, node->first, from, to);
		break;
	case PATTERN_ALT:
		if (node->first != PATTERN_NO_NODE && w->pattern->nodes[node->first].next == PATTERN_NO_NODE)
			place = walk(w, node->first, from, to);
		else if (is_byte(w->pattern, at, &bytes))
			place = take(w, &bytes, from, to);
		else
			place = walk_choice(w, node->first, from, to);
		break;
	case PATTERN_REPEAT:
		place = walk_repeat(w, node, from, to);
		break;
	case PATTERN_ASSERT:
		place = hold(w, node->assertion, from, to);
		break;
	}
	w->nesting--;
	return place;
}

int markers_add(struct markers *m, size_t slot, const struct pattern *pattern, unsigned ops_most)
{
	if (slot >= m->slots)
		return 0;
	struct walker w = {.markers = m,
			   .pattern = pattern,
			   .first = m->op_count,
			   .first_common = m->common_count,
			   .failed = NO_OP};
	struct place end = walk(&w, 0, (struct place){0, 1}, 1);
	if (end.reg != ACCEPTED)
		accept(&w, end);
	land(&w, NO_OP);
	write_op(&w, MARKER_REJECT, 0, 0);
	bool fine = w.error == 0 && !w.too_large && w.done <= ops_most;
	m->has_program[slot / 64] |= (uint64_t)fine << slot % 64;
	if (fine)
		m->programs[slot] =
			(struct marker_program){(uint32_t)w.first, (uint32_t)(m->op_count - w.first),
						(uint32_t)w.first_common, (uint32_t)(m->common_count - w.first_common)};
	else
		m->op_count = w.first, m->common_count = w.first_common;
	return w.error;
}

int markers_create(size_t slots, struct markers **ret_markers)
{
	struct pattern_set words, newlines = {{0}};
	struct markers *m = calloc(1, sizeof(*m));
	if (m == NULL)
		return -ENOMEM;
	m->slots = slots < MARKER_SLOTS_MOST ? slots : MARKER_SLOTS_MOST - 1;
	m->programs = calloc(slots + 1, sizeof(*m->programs));
	m->has_program = calloc(slots / 64 + 1, sizeof(*m->has_program));
	m->table = calloc(SETS_TABLE, sizeof(*m->table));
	pattern_class_escape('w', &words);
	pattern_set_add(&newlines, '\n');
	if (m->programs == NULL || m->has_program == NULL || m->table == NULL || number_of(m, &words, &m->words) != 0 ||
	    number_of(m, &newlines, &m->newlines) != 0) {
		markers_free(m);
		return -ENOMEM;
	}
	*ret_markers = m;
	return 0;
}

void markers_free(struct markers *m)
{
	if (m == NULL)
		return;
	free(m->programs);
	free(m->has_program);
	free(m->ops);
	free(m->sets);
	free(m->table);
	free(m->commons);
	free(m);
}

void markers_finish(struct markers *m)
{
	free(m->table);
	m->table = NULL;
}
