/*
 * The tree is gone through from left to right with a list of grams, of which one ends where the walk stands, whatever
 * way a match took there. Each node makes of it the list behind the node; each list is a choice of grams for the whole,
 * and the rarest is kept. A list that grows too long is made shorter by taking two grams for one that has both: what is
 * told of a match is then less, but never wrong.
 */
#include "match/pattern_gram.h"

#include <math.h>

enum {
	IN_MOST = 4,             /* that a choice is begun with: each branch takes them on */
	TURNS_MOST = 4,          /* of a repeat that are gone through one by one */
	NODES_MOST = 100 * 1000, /* gone through; repeats inside repeats would take for ever */
	OTHER_SHARE = 15,
	ALL_SHARES = 14180, /* the sum */
};

static const double GRAM_PRICE = 0.001, ROUNDING = 1e-9, EDGE_SHARE = 0.2;

static const struct pattern_set line_feed = {{1 << '\n'}};

/* Of ALL_SHARES places in arguments, addresses and headers, by a guess; 0: OTHER_SHARE. */
static const uint16_t shares[256] = {
	[' '] = 600,         ['"'] = 80,         ['%'] = 60,  ['&'] = 120, ['+'] = 60,  [','] = 120, ['-'] = 300,
	['.'] = 300,         ['/'] = 300,        [':'] = 120, [';'] = 80,  ['='] = 300, ['?'] = 80,  ['_'] = 120,
	['0' ... '9'] = 200, ['A' ... 'Z'] = 40, ['a'] = 450, ['b'] = 100, ['c'] = 250, ['d'] = 250, ['e'] = 600,
	['f'] = 120,         ['g'] = 140,        ['h'] = 180, ['i'] = 400, ['j'] = 30,  ['k'] = 60,  ['l'] = 250,
	['m'] = 200,         ['n'] = 400,        ['o'] = 400, ['p'] = 180, ['q'] = 30,  ['r'] = 400, ['s'] = 400,
	['t'] = 450,         ['u'] = 180,        ['v'] = 80,  ['w'] = 80,  ['x'] = 50,  ['y'] = 80,  ['z'] = 40,
};

static unsigned share_of_byte(unsigned byte)
{
	return shares[byte] != 0 ? shares[byte] : OTHER_SHARE;
}

double pattern_gram_share_of_byte(uint8_t byte)
{
	return (double)share_of_byte(byte) / ALL_SHARES;
}

static unsigned sum_of_shares(const struct pattern_set *set, uint64_t flip)
{
	unsigned sum = 0;
	for (unsigned word = 0; word < 4; word++)
		for (uint64_t left = set->bits[word] ^ flip; left != 0; left &= left - 1)
			sum += share_of_byte(word * 64 + (unsigned)__builtin_ctzll(left));
	return sum;
}

/* Of a large set those are counted that are not in it. */
static double share_of(const struct pattern_set *set)
{
	bool large = (set->bits[2] & set->bits[3]) == UINT64_MAX;
	unsigned sum = large ? ALL_SHARES - sum_of_shares(set, UINT64_MAX) : sum_of_shares(set, 0);
	return (double)sum / ALL_SHARES;
}

/* What both have, and what either has. */
static void combine(const struct pattern_set *a, const struct pattern_set *b, struct pattern_set *common,
		    struct pattern_set *united)
{
	for (unsigned i = 0; i < 4; i++) {
		common->bits[i] = a->bits[i] & b->bits[i];
		united->bits[i] = a->bits[i] | b->bits[i];
	}
}

static struct pattern_set common_to(const struct pattern_set *a, const struct pattern_set *b)
{
	struct pattern_set common, ignored;
	combine(a, b, &common, &ignored);
	return common;
}

static bool has_all(const struct pattern_set *set, const struct pattern_set *other)
{
	return ((other->bits[0] & ~set->bits[0]) | (other->bits[1] & ~set->bits[1]) | (other->bits[2] & ~set->bits[2]) |
		(other->bits[3] & ~set->bits[3])) == 0;
}

static void weigh(struct pattern_gram *gram)
{
	gram->share = 1;
	for (unsigned i = 0; i < gram->len; i++)
		gram->share *= gram->shares[i] / gram->whole;
}

/* Whether the gram stands wherever another does. */
static bool covers(const struct pattern_gram *gram, const struct pattern_gram *other)
{
	unsigned places = (1u << gram->len) - 1;
	bool covers = gram->len <= other->len && (other->edges & places & ~(unsigned)gram->edges) == 0;
	for (unsigned i = 0; i < gram->len && covers; i++)
		covers = gram->shares[i] + ROUNDING > other->shares[i] && has_all(&gram->sets[i], &other->sets[i]);
	return covers;
}

static struct pattern_gram merged(const struct pattern_gram *a, const struct pattern_gram *b)
{
	struct pattern_gram gram = {.len = a->len < b->len ? a->len : b->len, .whole = a->whole};
	for (unsigned i = 0; i < gram.len; i++) {
		struct pattern_set common;
		combine(&a->sets[i], &b->sets[i], &common, &gram.sets[i]);
		gram.shares[i] =
			a->shares[i] + b->shares[i] - share_of(&common) - ((a->edges & b->edges) >> i & 1) * EDGE_SHARE;
	}
	gram.edges = (uint8_t)((unsigned)(a->edges | b->edges) & ((1u << gram.len) - 1));
	weigh(&gram);
	return gram;
}

/* No more than the share of both as one. */
static double share_at_least(const struct pattern_gram *a, const struct pattern_gram *b)
{
	double share = 1;
	for (unsigned i = 0; i < a->len && i < b->len; i++)
		share *= (a->shares[i] > b->shares[i] ? a->shares[i] : b->shares[i]) / a->whole;
	return share;
}

static struct pattern_gram followed_by(const struct pattern_gram *gram, const struct pattern_set *set, double share)
{
	struct pattern_gram longer = {.len = (uint8_t)(gram->len + (gram->len < PATTERN_GRAM_BYTES)),
				      .sets[0] = *set,
				      .shares[0] = share,
				      .whole = gram->whole};
	for (unsigned i = 1; i < longer.len; i++) {
		longer.sets[i] = gram->sets[i - 1];
		longer.shares[i] = gram->shares[i - 1];
	}
	longer.edges = (uint8_t)((unsigned)gram->edges << 1 & ((1u << longer.len) - 1));
	weigh(&longer);
	return longer;
}

static void sum_up(struct pattern_grams *list)
{
	list->share = 0;
	for (size_t i = 0; i < list->count; i++)
		list->share += list->items[i].share;
}

/* Takes out those that another stands for. */
static void drop_covered(struct pattern_grams *list, const struct pattern_gram *by)
{
	size_t left = 0;
	for (size_t i = 0; i < list->count; i++) {
		if (covers(by, &list->items[i]))
			continue;
		if (left < i)
			list->items[left] = list->items[i];
		left++;
	}
	list->count = left;
}

/* Lists are large, and mostly short. */
static void copy_list(struct pattern_grams *to, const struct pattern_grams *from)
{
	to->count = from->count;
	to->share = from->share;
	memcpy(to->items, from->items, from->count * sizeof(from->items[0]));
}

static void clear_list(struct pattern_grams *list, double share)
{
	list->count = 0;
	list->share = share;
}

static void add(struct pattern_grams *list, const struct pattern_gram *gram, size_t most);

/* Takes one of the list and the new one for a single one. */
static void add_merged(struct pattern_grams *list, const struct pattern_gram *gram, size_t most)
{
	struct pattern_gram best = {0};
	double least = INFINITY;
	for (size_t i = 0; i < list->count; i++) {
		if (share_at_least(&list->items[i], gram) - list->items[i].share >= least)
			continue;
		struct pattern_gram both = merged(&list->items[i], gram);
		if (both.share - list->items[i].share < least) {
			least = both.share - list->items[i].share;
			best = both;
		}
	}
	add(list, &best, most);
}

static void add(struct pattern_grams *list, const struct pattern_gram *gram, size_t most)
{
	for (size_t i = 0; i < list->count; i++)
		if (covers(&list->items[i], gram))
			return;
	drop_covered(list, gram);
	if (list->count < most)
		list->items[list->count++] = *gram;
	else
		add_merged(list, gram, most);
	sum_up(list);
}

static void add_all(struct pattern_grams *list, const struct pattern_grams *more, size_t most)
{
	for (size_t i = 0; i < more->count; i++)
		add(list, &more->items[i], most);
}

/* Few are better than many that are a little rarer: there is room for few. */
static double price_of(const struct pattern_grams *list)
{
	return list->share + GRAM_PRICE * (double)list->count;
}

static void keep_better(struct pattern_grams *best, const struct pattern_grams *other)
{
	if (price_of(other) < price_of(best))
		copy_list(best, other);
}

static void make_any(struct pattern_grams *list, const struct pattern_set *allowed)
{
	list->count = 1;
	list->share = 1;
	list->items[0] = (struct pattern_gram){.share = 1, .whole = share_of(allowed)};
}

struct walker {
	const struct pattern *pattern;
	const struct pattern_set *allowed;
	size_t nodes; /* gone through */
};

/* What is known before a node becomes what is known behind it; of `best` that which lies within. */
static void walk(struct walker *w, uint32_t at, struct pattern_grams *list, struct pattern_grams *best);

/* Before the place stands a line feed, or the value begins there. */
static void begin_line(struct walker *w, struct pattern_grams *list)
{
	struct pattern_grams out;
	clear_list(&out, 0);
	for (size_t i = 0; i < list->count; i++) {
		struct pattern_gram gram = list->items[i];
		if (gram.len == 0)
			gram = (struct pattern_gram){.len = 1, .edges = 1, .sets[0] = *w->allowed, .whole = gram.whole};
		gram.sets[0] = common_to(&gram.sets[0], &line_feed);
		gram.shares[0] = share_of(&gram.sets[0]) + (gram.edges & 1) * EDGE_SHARE;
		weigh(&gram);
		if (gram.share > 0)
			add(&out, &gram, PATTERN_GRAMS_MOST);
	}
	copy_list(list, &out);
}

/* Behind the place stands a line feed, or the value ends there. */
static void end_line(struct walker *w, const struct pattern_grams *list, struct pattern_grams *best)
{
	struct pattern_grams out;
	struct pattern_set feed = common_to(&line_feed, w->allowed);
	clear_list(&out, 0);
	for (size_t i = 0; i < list->count; i++) {
		struct pattern_gram longer = followed_by(&list->items[i], &feed, share_of(&feed) + EDGE_SHARE);
		longer.edges |= 1;
		add(&out, &longer, PATTERN_GRAMS_MOST);
	}
	keep_better(best, &out);
}

static void take_byte(struct walker *w, const struct pattern_set *of, struct pattern_grams *list)
{
	struct pattern_grams out;
	struct pattern_set set = common_to(of, w->allowed);
	double share = share_of(&set);
	bool any = share > 0;
	clear_list(&out, 0);
	/* None that was not there before stands for another, but where their first bytes are dropped. */
	for (size_t i = 0; i < list->count && any; i++) {
		struct pattern_gram longer = followed_by(&list->items[i], &set, share);
		if (list->items[i].len < PATTERN_GRAM_BYTES)
			out.items[out.count++] = longer;
		else
			add(&out, &longer, PATTERN_GRAMS_MOST);
	}
	sum_up(&out);
	copy_list(list, &out);
}

static void walk_choice(struct walker *w, uint32_t child, struct pattern_grams *list, struct pattern_grams *best)
{
	struct pattern_grams in, out, all, one, within;
	bool known = true;
	clear_list(&in, 0);
	clear_list(&out, 0);
	clear_list(&all, 0);
	add_all(&in, list, IN_MOST);
	for (; child != PATTERN_NO_NODE; child = w->pattern->nodes[child].next) {
		copy_list(&one, &in);
		clear_list(&within, INFINITY);
		walk(w, child, &one, &within);
		add_all(&out, &one, PATTERN_GRAMS_MOST);
		known = known && within.share < 1;
		if (known)
			add_all(&all, &within, PATTERN_GRAMS_MOST);
	}
	if (known)
		keep_better(best, &all);
	copy_list(list, &out);
}

/* Behind one turn more or many. */
static void walk_more(struct walker *w, const struct pattern_node *node, struct pattern_grams *list)
{
	struct pattern_grams last, ignored;
	make_any(&last, w->allowed);
	clear_list(&ignored, INFINITY);
	if (node->max == node->min + 1)
		copy_list(&last, list);
	else
		walk(w, node->first, &last, &ignored);
	if (node->max != node->min + 1)
		add_all(&last, list, PATTERN_GRAMS_MOST);
	walk(w, node->first, &last, &ignored);
	add_all(list, &last, PATTERN_GRAMS_MOST);
}

static void walk_repeat(struct walker *w, const struct pattern_node *node, struct pattern_grams *list,
			struct pattern_grams *best)
{
	uint32_t turns = node->min < TURNS_MOST ? node->min : TURNS_MOST;
	for (uint32_t i = 0; i < turns; i++)
		walk(w, node->first, list, best);
	if (turns < node->min) {
		make_any(list, w->allowed);
		walk(w, node->first, list, best);
	}
	if (node->max > node->min)
		walk_more(w, node, list);
}

static void walk_assertion(struct walker *w, enum pattern_assertion assertion, struct pattern_grams *list,
			   struct pattern_grams *best)
{
	switch (assertion) {
	case PATTERN_SUBJECT_START:
	case PATTERN_LINE_START:
		begin_line(w, list);
		break;
	case PATTERN_SUBJECT_END:
	case PATTERN_SUBJECT_END_OR_LAST_NEWLINE:
	case PATTERN_LINE_END:
		end_line(w, list, best);
		break;
	case PATTERN_WORD_EDGE:
	case PATTERN_NO_WORD_EDGE:
	case PATTERN_OTHER_NEXT:
		break;
	}
}

static void walk(struct walker *w, uint32_t at, struct pattern_grams *list, struct pattern_grams *best)
{
	const struct pattern_node *node = &w->pattern->nodes[at];
	if (list->count == 0 || ++w->nodes > NODES_MOST) /* no match comes here, or nothing will be told */
		return;
	switch (node->kind) {
	case PATTERN_EMPTY:
		break;
	case PATTERN_ASSERT:
		walk_assertion(w, node->assertion, list, best);
		break;
	case PATTERN_SET:
		take_byte(w, &node->set, list);
		break;
	case PATTERN_CAT:
		for (uint32_t c = node->first; c != PATTERN_NO_NODE; c = w->pattern->nodes[c].next)
			walk(w, c, list, best);
		break;
	case PATTERN_ALT:
		walk_choice(w, node->first, list, best);
		break;
	case PATTERN_REPEAT:
		walk_repeat(w, node, list, best);
		break;
	}
	keep_better(best, list);
}

void pattern_grams_find(const struct pattern *pattern, const struct pattern_set *allowed,
			struct pattern_grams *ret_grams)
{
	struct walker w = {pattern, allowed, 0};
	struct pattern_grams list;
	make_any(&list, allowed);
	clear_list(ret_grams, INFINITY);
	walk(&w, 0, &list, ret_grams);
	if (w.nodes > NODES_MOST)
		clear_list(ret_grams, INFINITY);
}

/* The two that cost least as one. */
static double cheapest(const struct pattern_grams *grams, size_t *ret_first, size_t *ret_second)
{
	double least = INFINITY;
	for (size_t i = 0; i < grams->count; i++) {
		for (size_t k = i + 1; k < grams->count; k++) {
			struct pattern_gram both = merged(&grams->items[i], &grams->items[k]);
			double more = both.share - grams->items[i].share - grams->items[k].share;
			if (more >= least)
				continue;
			least = more;
			*ret_first = i;
			*ret_second = k;
		}
	}
	return least;
}

double pattern_grams_merge_cost(const struct pattern_grams *grams)
{
	size_t first, second;
	return cheapest(grams, &first, &second);
}

void pattern_grams_merge(struct pattern_grams *grams)
{
	size_t first, second;
	cheapest(grams, &first, &second);
	struct pattern_gram both = merged(&grams->items[first], &grams->items[second]);
	grams->items[second] = grams->items[--grams->count];
	grams->items[first] = grams->items[--grams->count];
	if (first == grams->count)
		grams->items[first] = both;
	add(grams, &both, PATTERN_GRAMS_MOST);
}
