/*
 * Each way of writing a rule stands in `picks` as often as it weighs. A sentence is drawn leftmost first, on a stack of
 * what is still to be written; a walk is recursive, with that stack as a chain of places in its frames.
 */
#include "tools/grammar/grammar.h"

#include "base/buffer.h"
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>

enum { SYMBOLS_MAX = 24, STACK_MAX = 200, LINES_MAX = 4000, RULES_MAX = 400 };

struct symbol {
	struct slice text;
	int rule; /* -1: a word */
};

struct way {
	unsigned count;
	struct symbol symbols[SYMBOLS_MAX];
};

struct rule {
	struct slice name;
	unsigned first; /* in picks */
	unsigned count;
};

struct grammar {
	struct buffer text;
	struct rule rules[RULES_MAX];
	unsigned rule_count;
	struct way ways[LINES_MAX];
	unsigned way_count;
	unsigned picks[LINES_MAX * 4]; /* a way stands here as often as it weighs */
	unsigned pick_count;
};

static int find_rule(const struct grammar *g, struct slice name)
{
	for (unsigned i = 0; i < g->rule_count; i++)
		if (slice_equal(g->rules[i].name, name))
			return (int)i;
	return -1;
}

/* \s and \n in place: the text only shrinks. */
static struct slice unescape(struct slice word)
{
	uint8_t *out = (uint8_t *)(uintptr_t)word.ptr;
	size_t len = 0;
	for (size_t i = 0; i < word.len; i++) {
		bool escape =
			word.ptr[i] == '\\' && i + 1 < word.len && (word.ptr[i + 1] == 's' || word.ptr[i + 1] == 'n');
		out[len++] = !escape ? word.ptr[i] : word.ptr[i + 1] == 's' ? ' ' : '\n';
		i += escape;
	}
	return slice_make(out, len);
}

/* <name>, of letters, digits and _; other things between < and > are words. */
static bool is_reference(struct slice word)
{
	if (word.len < 3 || word.ptr[0] != '<' || word.ptr[word.len - 1] != '>' || !byte_is_alpha(word.ptr[1]))
		return false;
	for (size_t i = 1; i + 1 < word.len; i++)
		if (!byte_is_alpha(word.ptr[i]) && !byte_is_digit(word.ptr[i]) && word.ptr[i] != '_')
			return false;
	return true;
}

static bool add_way(struct grammar *g, struct slice line)
{
	size_t weight = 1;
	if (line.len > 2 && byte_is_digit(line.ptr[0]) && line.ptr[1] == '*' && line.ptr[2] == ' ') {
		weight = (size_t)(line.ptr[0] - '0');
		line = slice_after(line, 3);
	}
	struct way *way = &g->ways[g->way_count];
	while (line.len > 0) {
		struct slice word;
		line = slice_trim(slice_cut(line, ' ', &word));
		if (slice_equal(word, SLICE("_")))
			continue;
		if (way->count == SYMBOLS_MAX)
			return false;
		way->symbols[way->count++].text = word;
	}
	struct rule *rule = &g->rules[g->rule_count - 1];
	if (g->rule_count == 0 || g->way_count + 1 >= LINES_MAX || g->pick_count + weight >= LINES_MAX * 4)
		return false;
	for (; weight > 0; weight--, rule->count++)
		g->picks[g->pick_count++] = g->way_count;
	g->way_count++;
	return true;
}

static bool add_line(struct grammar *g, struct slice line)
{
	line = slice_trim(line);
	if (line.len == 0 || line.ptr[0] == '#')
		return true;
	if (line.ptr[0] != '[' || line.ptr[line.len - 1] != ']' || slice_find_byte(line, ' ', 0) < line.len)
		return add_way(g, line);
	if (g->rule_count == RULES_MAX)
		return false;
	struct slice name = slice_sub(line, 1, line.len - 1);
	if (find_rule(g, name) >= 0)
		return false;
	g->rules[g->rule_count++] = (struct rule){.name = name, .first = g->pick_count};
	return true;
}

static bool resolve(struct grammar *g, const char *path)
{
	for (unsigned i = 0; i < g->way_count; i++) {
		for (unsigned k = 0; k < g->ways[i].count; k++) {
			struct symbol *symbol = &g->ways[i].symbols[k];
			symbol->rule = -1;
			if (!is_reference(symbol->text)) {
				symbol->text = unescape(symbol->text);
				continue;
			}
			symbol->rule = find_rule(g, slice_sub(symbol->text, 1, symbol->text.len - 1));
			if (symbol->rule < 0 || g->rules[symbol->rule].count == 0) {
				fprintf(stderr, "%s: no rule %.*s\n", path, SLICE_ARG(symbol->text));
				return false;
			}
		}
	}
	return true;
}

static bool parse(struct grammar *g, const char *path)
{
	struct slice rest = slice_make(g->text.ptr, g->text.len);
	for (unsigned number = 1; rest.len > 0; number++) {
		struct slice line;
		rest = slice_cut(rest, '\n', &line);
		if (!add_line(g, line)) {
			fprintf(stderr, "%s:%u: not a rule, or too much\n", path, number);
			return false;
		}
	}
	return resolve(g, path);
}

struct grammar *grammar_load(const char *path)
{
	struct grammar *g = calloc(1, sizeof(*g));
	if (g == NULL)
		return NULL;
	g->text = buffer_make(NULL);
	if (file_read(path, 1 << 22, &g->text) != 0) {
		fprintf(stderr, "%s: cannot be read\n", path);
	} else if (parse(g, path)) {
		return g;
	}
	grammar_free(g);
	return NULL;
}

void grammar_free(struct grammar *grammar)
{
	if (grammar == NULL)
		return;
	buffer_free(&grammar->text);
	free(grammar);
}

uint64_t grammar_random_next(struct grammar_random *random)
{
	random->state ^= random->state >> 12;
	random->state ^= random->state << 25;
	random->state ^= random->state >> 27;
	return random->state * 0x2545f4914f6cdd1dULL;
}

size_t grammar_random_below(struct grammar_random *random, size_t limit)
{
	return (size_t)((grammar_random_next(random) >> 32) * limit >> 32);
}

/* Leftmost first, on a stack of what is still to be written; a sentence too nested is cut off. */
size_t grammar_draw(const struct grammar *grammar, const char *rule, struct grammar_random *random,
		    struct slice words[GRAMMAR_WORDS_MAX])
{
	int start = find_rule(grammar, slice_from_string(rule));
	struct symbol stack[STACK_MAX];
	size_t depth = 0, count = 0;
	if (start >= 0)
		stack[depth++] = (struct symbol){.rule = start};
	while (depth > 0 && count < GRAMMAR_WORDS_MAX) {
		struct symbol symbol = stack[--depth];
		if (symbol.rule < 0) {
			words[count++] = symbol.text;
			continue;
		}
		const struct rule *r = &grammar->rules[symbol.rule];
		const struct way *way =
			&grammar->ways[grammar->picks[r->first + grammar_random_below(random, r->count)]];
		if (depth + way->count > STACK_MAX)
			break;
		for (unsigned i = way->count; i > 0; i--)
			stack[depth++] = way->symbols[i - 1];
	}
	return count;
}

/* How far a way has been written, and the place to go on at when it ends. */
struct place {
	const struct way *way;
	unsigned at;
	const struct place *outer;
};

struct walk {
	const struct grammar *grammar;
	struct slice words[GRAMMAR_WORDS_MAX];
	size_t count;
	size_t limit;
	grammar_visit *visit;
	void *context;
};

static void walk_on(struct walk *walk, const struct place *place);

static void walk_rule(struct walk *walk, int number, const struct place *outer)
{
	const struct rule *rule = &walk->grammar->rules[number];
	const unsigned *picks = walk->grammar->picks + rule->first;
	for (unsigned i = 0; i < rule->count; i++)
		if (i == 0 || picks[i] != picks[i - 1])
			walk_on(walk, &(struct place){&walk->grammar->ways[picks[i]], 0, outer});
}

static void walk_on(struct walk *walk, const struct place *place)
{
	while (place != NULL && place->at == place->way->count)
		place = place->outer;
	if (place == NULL || walk->count == walk->limit) {
		walk->visit(walk->context, walk->words, walk->count);
		return;
	}
	const struct symbol *symbol = &place->way->symbols[place->at];
	const struct place next = {place->way, place->at + 1, place->outer};
	if (symbol->rule >= 0) {
		walk_rule(walk, symbol->rule, &next);
		return;
	}
	walk->words[walk->count++] = symbol->text;
	walk_on(walk, &next);
	walk->count--;
}

void grammar_walk(const struct grammar *grammar, const char *rule, size_t limit, grammar_visit *visit, void *context)
{
	int start = find_rule(grammar, slice_from_string(rule));
	struct walk walk = {.grammar = grammar, .limit = limit, .visit = visit, .context = context};
	if (start >= 0 && limit <= GRAMMAR_WORDS_MAX)
		walk_rule(&walk, start, NULL);
}
