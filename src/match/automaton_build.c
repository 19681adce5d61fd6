/* From trees to instructions, after Thompson (1968); then bytes to classes. */
#include "base/error.h"
#include "base/vector.h"
#include "match/automaton_internal.h"

#include <openssl/evp.h>
#include <stdlib.h>

enum {
	INSTRUCTIONS_MAX = 200 * 1000,
	PATTERN_INSTRUCTIONS_MAX = 40 * 1000,
	NESTING_MAX = 4000, /* of calls: a pattern's depth is bounded, the length of its rows is not */
};

struct automaton_builder {
	bool for_places;
	bool ordered;
	struct instruction *instructions;
	size_t count;
	size_t capacity;
	struct pattern_set *sets;
	size_t set_count;
	size_t set_capacity;
	uint32_t starts[AUTOMATON_PATTERNS_MAX];
	uint32_t pattern_count;
};

/* Writes one pattern's instructions, the last first, so that each knows where it leads. */
struct writer {
	struct automaton_builder *out;
	const struct pattern *pattern;
	size_t limit;
	unsigned nesting;
	int error; /* sticky */
};

int automaton_builder_create(bool for_places, struct automaton_builder **ret_builder)
{
	struct automaton_builder *builder = calloc(1, sizeof(*builder));
	if (builder == NULL)
		return -ENOMEM;
	builder->for_places = builder->ordered = for_places;
	*ret_builder = builder;
	return 0;
}

void automaton_builder_free(struct automaton_builder *builder)
{
	if (builder == NULL)
		return;
	free(builder->instructions);
	free(builder->sets);
	free(builder);
}

static uint32_t write_one(struct writer *w, enum instruction_kind kind, uint32_t operand, uint32_t next, uint32_t other)
{
	struct automaton_builder *b = w->out;
	if (w->error == 0 && b->count >= w->limit)
		w->error = AUTOMATON_UNFIT;
	if (w->error == 0 &&
	    vector_grow((void **)&b->instructions, &b->capacity, b->count, sizeof(*b->instructions)) != 0)
		w->error = -ENOMEM;
	if (w->error != 0)
		return 0;
	b->instructions[b->count] =
		(struct instruction){(uint8_t)kind, (uint8_t)b->pattern_count, operand, next, other};
	return (uint32_t)b->count++;
}

static uint32_t set_number(struct writer *w, const struct pattern_set *set)
{
	struct automaton_builder *b = w->out;
	for (size_t i = 0; i < b->set_count; i++)
		if (memcmp(&b->sets[i], set, sizeof(*set)) == 0)
			return (uint32_t)i;
	if (vector_grow((void **)&b->sets, &b->set_capacity, b->set_count, sizeof(*b->sets)) != 0) {
		w->error = -ENOMEM;
		return 0;
	}
	b->sets[b->set_count] = *set;
	return (uint32_t)b->set_count++;
}

static uint32_t write_node(struct writer *w, uint32_t at, uint32_t next);

static uint32_t write_cat(struct writer *w, uint32_t child, uint32_t next)
{
	if (child == PATTERN_NO_NODE)
		return next;
	if (++w->nesting > NESTING_MAX)
		w->error = AUTOMATON_UNFIT;
	uint32_t rest = w->error == 0 ? write_cat(w, w->pattern->nodes[child].next, next) : 0;
	w->nesting--;
	return write_node(w, child, rest);
}

static uint32_t write_alt(struct writer *w, uint32_t child, uint32_t next)
{
	uint32_t entry = write_node(w, child, next);
	for (child = w->pattern->nodes[child].next; child != PATTERN_NO_NODE; child = w->pattern->nodes[child].next) {
		uint32_t other = write_node(w, child, next);
		entry = write_one(w, INSTRUCTION_SPLIT, 0, entry, other);
	}
	return entry;
}

/* Goes on with `more` or leaves to `next`. What is preferred comes first, where places are asked for. */
static uint32_t write_choice(struct writer *w, const struct pattern_node *repeat, uint32_t more, uint32_t next)
{
	bool lazy = repeat->lazy && w->out->for_places;
	return write_one(w, INSTRUCTION_SPLIT, 0, lazy ? next : more, lazy ? more : next);
}

static uint32_t write_repeat(struct writer *w, const struct pattern_node *node, uint32_t next)
{
	uint32_t entry = next, copies = node->min;
	if (node->max == PATTERN_ENDLESS) {
		uint32_t loop = write_choice(w, node, next, next);
		uint32_t body = write_node(w, node->first, loop);
		if (w->error != 0)
			return 0;
		struct instruction *split = &w->out->instructions[loop];
		*(node->lazy && w->out->for_places ? &split->other : &split->next) = body;
		entry = copies > 0 ? body : loop;
		copies -= copies > 0;
	}
	for (uint32_t i = node->min; w->error == 0 && node->max != PATTERN_ENDLESS && i < node->max; i++)
		entry = write_choice(w, node, write_node(w, node->first, entry), next);
	for (; w->error == 0 && copies > 0; copies--)
		entry = write_node(w, node->first, entry);
	return entry;
}

/* What asks for a set is told from others by its number: the set's comes on top. */
static uint32_t assertion_number(struct writer *w, const struct pattern_node *node)
{
	uint32_t number = (uint32_t)node->assertion;
	return node->assertion == PATTERN_OTHER_NEXT ? number + set_number(w, &node->set) : number;
}

static uint32_t write_node(struct writer *w, uint32_t at, uint32_t next)
{
	const struct pattern_node *node = &w->pattern->nodes[at];
	uint32_t entry = next;
	if (w->error != 0 || ++w->nesting > NESTING_MAX) {
		w->error = w->error != 0 ? w->error : AUTOMATON_UNFIT;
		return 0;
	}
	switch (node->kind) {
	case PATTERN_EMPTY:
		break;
	case PATTERN_SET:
		entry = write_one(w, INSTRUCTION_SET, set_number(w, &node->set), next, 0);
		break;
	case PATTERN_CAT:
		entry = write_cat(w, node->first, next);
		break;
	case PATTERN_ALT:
		entry = write_alt(w, node->first, next);
		break;
	case PATTERN_REPEAT:
		entry = write_repeat(w, node, next);
		break;
	case PATTERN_ASSERT:
		if (node->assertion == PATTERN_SUBJECT_END_OR_LAST_NEWLINE) /* would look two bytes ahead */
			w->error = AUTOMATON_UNFIT;
		entry = write_one(w, INSTRUCTION_ASSERT, assertion_number(w, node), next, 0);
		break;
	}
	w->nesting--;
	return entry;
}

static bool can_be_empty(const struct pattern *pattern, uint32_t at)
{
	const struct pattern_node *node = &pattern->nodes[at];
	uint32_t child = node->first;
	switch (node->kind) {
	case PATTERN_EMPTY:
	case PATTERN_ASSERT:
		return true;
	case PATTERN_SET:
		return false;
	case PATTERN_REPEAT:
		return node->min == 0 || can_be_empty(pattern, child);
	case PATTERN_CAT:
		while (child != PATTERN_NO_NODE && can_be_empty(pattern, child))
			child = pattern->nodes[child].next;
		return child == PATTERN_NO_NODE;
	case PATTERN_ALT:
		while (child != PATTERN_NO_NODE && !can_be_empty(pattern, child))
			child = pattern->nodes[child].next;
		return child != PATTERN_NO_NODE;
	}
	return true;
}

/*
 * A backtracking matcher leaves an endless repeat after an empty turn, and so prefers other ways than the order of
 * instructions tells.
 */
static bool turns_can_be_empty(const struct pattern *pattern)
{
	for (size_t i = 0; i < pattern->count; i++) {
		const struct pattern_node *node = &pattern->nodes[i];
		if (node->kind == PATTERN_REPEAT && node->max == PATTERN_ENDLESS && can_be_empty(pattern, node->first))
			return true;
	}
	return false;
}

int automaton_builder_add_parsed(struct automaton_builder *builder, const struct pattern *pattern)
{
	size_t before = builder->count;
	if (builder->pattern_count == AUTOMATON_PATTERNS_MAX)
		return AUTOMATON_UNFIT;
	size_t limit = before + PATTERN_INSTRUCTIONS_MAX;
	struct writer w = {.out = builder, .pattern = pattern, .limit = limit};
	if (limit > INSTRUCTIONS_MAX)
		w.limit = INSTRUCTIONS_MAX;
	uint32_t match = write_one(&w, INSTRUCTION_MATCH, 0, 0, 0);
	uint32_t start = write_node(&w, 0, match);
	builder->ordered = builder->ordered && !turns_can_be_empty(pattern);
	if (w.error != 0) {
		builder->count = before;
		return w.error;
	}
	builder->starts[builder->pattern_count++] = start;
	return 0;
}

int automaton_builder_add(struct automaton_builder *builder, struct slice text, unsigned flags)
{
	struct pattern pattern;
	int r = pattern_parse(text, flags, &pattern);
	if (r != 0)
		return r < 0 ? r : AUTOMATON_UNFIT;
	r = automaton_builder_add_parsed(builder, &pattern);
	pattern_free(&pattern);
	return r;
}

size_t automaton_builder_size(const struct automaton_builder *builder)
{
	return builder->count;
}

/* What \w takes. */
static bool is_word(unsigned c)
{
	return c < 0x80 && (byte_is_alpha((uint8_t)c) || byte_is_digit((uint8_t)c) || c == '_');
}

static struct pattern_set set_of_words(void)
{
	struct pattern_set set = {0};
	for (unsigned c = 0; c < 256; c++)
		if (is_word(c))
			pattern_set_add(&set, (uint8_t)c);
	return set;
}

/* What is in the class and in the set moves to a new class, if that is not all of it, nor nothing. */
static bool split_class(struct pattern_set *class, const struct pattern_set *set, struct pattern_set *ret_new)
{
	uint64_t inside = 0, outside = 0;
	for (unsigned i = 0; i < 4; i++) {
		ret_new->bits[i] = class->bits[i] & set->bits[i];
		inside |= ret_new->bits[i];
		outside |= class->bits[i] & ~set->bits[i];
	}
	if (inside == 0 || outside == 0)
		return false;
	for (unsigned i = 0; i < 4; i++)
		class->bits[i] &= ~set->bits[i];
	return true;
}

/* Splits classes until no set, nor the assertions, tell two bytes of one class apart. */
static void find_classes(const struct automaton_builder *b, struct automaton *a)
{
	const struct pattern_set words = set_of_words(), newline = {{1 << '\n'}};
	struct pattern_set classes[256] = {{{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}}};
	unsigned count = 1;
	for (size_t s = 0; s < b->set_count + 2; s++) {
		const struct pattern_set *set = s < b->set_count ? &b->sets[s] : s == b->set_count ? &words : &newline;
		for (unsigned i = 0, before = count; i < before && count < 256; i++)
			count += split_class(&classes[i], set, &classes[count]);
	}
	for (unsigned i = 0; i < count; i++)
		for (unsigned word = 0; word < 4; word++)
			for (uint64_t left = classes[i].bits[word]; left != 0; left &= left - 1)
				a->class_of[word * 64 + (unsigned)__builtin_ctzll(left)] = (uint16_t)i;
	a->class_count = count + 1;
}

static void describe_classes(const struct automaton_builder *b, struct automaton *a)
{
	uint8_t one_of[256]; /* by class, a byte of it */
	for (unsigned c = 0; c < 256; c++) {
		uint16_t class = a->class_of[c];
		one_of[class] = (uint8_t)c;
		a->class_is_word[class] = is_word(c);
		a->class_is_newline[class] = c == '\n';
	}
	for (size_t s = 0; s < b->set_count; s++)
		for (unsigned class = 0; class + 1 < a->class_count; class ++)
			if (pattern_set_has(&b->sets[s], one_of[class]))
				pattern_set_add(&a->class_sets[s], (uint8_t) class);
}

static int digest_name(const struct automaton_builder *b, struct automaton *a)
{
	EVP_MD_CTX *d = EVP_MD_CTX_new();
	bool fine = d != NULL && EVP_DigestInit_ex(d, EVP_sha256(), NULL) == 1 &&
		    EVP_DigestUpdate(d, &b->for_places, sizeof(b->for_places)) == 1;
	for (size_t i = 0; fine && i < b->count; i++) {
		const struct instruction *in = &b->instructions[i];
		uint32_t words[5] = {in->kind, in->pattern, in->operand, in->next, in->other};
		EVP_DigestUpdate(d, words, sizeof(words));
	}
	fine = fine && EVP_DigestUpdate(d, b->sets, b->set_count * sizeof(*b->sets)) == 1 &&
	       EVP_DigestUpdate(d, b->starts, b->pattern_count * sizeof(b->starts[0])) == 1 &&
	       EVP_DigestFinal_ex(d, a->name.sha256, NULL) == 1;
	EVP_MD_CTX_free(d);
	return fine ? 0 : -ENOMEM;
}

static int fill(const struct automaton_builder *b, struct automaton *a)
{
	a->instructions = malloc((b->count + 1) * sizeof(*a->instructions));
	a->starts = malloc((b->pattern_count + 1) * sizeof(*a->starts));
	a->class_sets = calloc(b->set_count + 1, sizeof(*a->class_sets));
	if (a->instructions == NULL || a->starts == NULL || a->class_sets == NULL)
		return -ENOMEM;
	if (b->count > 0)
		memcpy(a->instructions, b->instructions, b->count * sizeof(*a->instructions));
	memcpy(a->starts, b->starts, b->pattern_count * sizeof(*a->starts));
	a->for_places = b->for_places;
	a->ordered = b->ordered;
	a->set_count = b->set_count;
	a->instruction_count = (uint32_t)b->count;
	a->pattern_count = b->pattern_count;
	find_classes(b, a);
	describe_classes(b, a);
	for (unsigned c = 0; c < 256; c++)
		a->lowered_class_of[c] = a->class_of[byte_lower((uint8_t)c)];
	int r = automaton_prepare(a);
	return r != 0 ? r : digest_name(b, a);
}

int automaton_build(const struct automaton_builder *builder, struct automaton **ret_automaton)
{
	struct automaton *a = calloc(1, sizeof(*a));
	if (a == NULL)
		return -ENOMEM;
	a->owners = 1;
	int r = fill(builder, a);
	if (r != 0) {
		automaton_free(a);
		return r;
	}
	*ret_automaton = a;
	return 0;
}

struct automaton *automaton_share(struct automaton *automaton)
{
	automaton->owners++;
	return automaton;
}

void automaton_free(struct automaton *automaton)
{
	if (automaton == NULL || --automaton->owners > 0)
		return;
	free(automaton->instructions);
	free(automaton->starts);
	free(automaton->class_sets);
	free(automaton->at_start);
	free(automaton->places);
	free(automaton->needs);
	free(automaton->from);
	free(automaton->closures);
	free(automaton->closure_of);
	free(automaton->start_matches);
	free(automaton);
}

const struct automaton_name *automaton_name(const struct automaton *automaton)
{
	return &automaton->name;
}
