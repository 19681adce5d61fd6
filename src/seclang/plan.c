/*
 * The scan plan. A group is one Hyperscan database; it holds the patterns that look at one kind of value, whatever the
 * pipeline, because values mostly come out of pipelines unchanged. Patterns of higher paranoia levels and negated ones
 * stand in groups of their own: the engine scans a group when the first rule asks, so what is switched off costs
 * nothing.
 *
 * What rules ask of arguments they mostly ask of names and cookies too, so these share groups: a pattern is compiled
 * once, and a bit that nobody asks for costs little. Compiling grows faster than the number of regexes, so that the
 * groups of higher levels, which few sites switch on, are cut into parts.
 */
#include "seclang/plan.h"

#include "base/vector.h"
#include "match/pattern_width.h"
#include "match/phrases.h"
#include "match/scan.h"

#include <errno.h>
#include <stdlib.h>

/* Long lists of phrases take Hyperscan minutes (3,000: 13 s, 10,000: a minute); their own automaton takes them all. */
enum { SELECTOR_BYTES = 32, PART_REGEXES_MAX = 24, PHRASES_MAX = 4000 };

/* Values that look alike, and so share patterns. */
enum value_kind {
	VALUE_NONE,     /* not scanned */
	VALUE_ARGUMENT, /* and their names, and cookies */
	VALUE_HEADER,
	VALUE_LINE,
	VALUE_BODY,
	VALUE_FILE,
	VALUE_RESPONSE_HEADER,
	VALUE_RESPONSE_BODY,
};

static const uint8_t value_kinds[VARIABLE_COUNT] = {
	[VARIABLE_ARGS] = VALUE_ARGUMENT,
	[VARIABLE_ARGS_GET] = VALUE_ARGUMENT,
	[VARIABLE_ARGS_POST] = VALUE_ARGUMENT,
	[VARIABLE_XML] = VALUE_ARGUMENT,
	[VARIABLE_ARGS_NAMES] = VALUE_ARGUMENT,
	[VARIABLE_ARGS_GET_NAMES] = VALUE_ARGUMENT,
	[VARIABLE_ARGS_POST_NAMES] = VALUE_ARGUMENT,
	[VARIABLE_REQUEST_COOKIES_NAMES] = VALUE_ARGUMENT,
	[VARIABLE_REQUEST_HEADERS_NAMES] = VALUE_ARGUMENT,
	[VARIABLE_REQUEST_COOKIES] = VALUE_ARGUMENT,
	[VARIABLE_REQUEST_HEADERS] = VALUE_HEADER,
	[VARIABLE_REQUEST_LINE] = VALUE_LINE,
	[VARIABLE_REQUEST_URI] = VALUE_LINE,
	[VARIABLE_REQUEST_URI_RAW] = VALUE_LINE,
	[VARIABLE_REQUEST_FILENAME] = VALUE_LINE,
	[VARIABLE_REQUEST_BASENAME] = VALUE_LINE,
	[VARIABLE_QUERY_STRING] = VALUE_LINE,
	[VARIABLE_PATH_INFO] = VALUE_LINE,
	[VARIABLE_REQUEST_BODY] = VALUE_BODY,
	[VARIABLE_FILES] = VALUE_FILE,
	[VARIABLE_FILES_NAMES] = VALUE_FILE,
	[VARIABLE_FILES_TMP_CONTENT] = VALUE_BODY,
	[VARIABLE_MULTIPART_PART_HEADERS] = VALUE_FILE,
	[VARIABLE_RESPONSE_HEADERS] = VALUE_RESPONSE_HEADER,
	[VARIABLE_RESPONSE_BODY] = VALUE_RESPONSE_BODY,
};

struct group_key {
	uint8_t kind;
	uint8_t level; /* 1, 2, 3 */
	bool negated;
	uint8_t part;
	uint8_t selector_len;
	uint8_t selector[SELECTOR_BYTES]; /* a header's name, lower case */
};

struct planned {
	struct target *target;
	struct rule *rule;
	uint32_t id;
};

struct group {
	struct group_key key;
	struct scan_builder *builder;
	struct buffer content; /* everything added: what the set is interned by */
	struct planned *planned;
	size_t planned_count;
	size_t planned_capacity;
	uint32_t next_id;
	size_t regexes;
	/* While it is compiled. */
	struct scan_set *set;
	struct diagnostics diagnostics;
	int result;
	bool is_new; /* not in the pool */
};

struct groups {
	struct scan_studies *studies;
	struct group *items;
	size_t count;
	size_t capacity;
};

/* A link of a chain is of its head's paranoia level. */
static struct group_key key_of(const struct rule *head, const struct rule *rule, const struct target *target)
{
	struct group_key key = {.kind = value_kinds[target->variable]};
	key.level = head->paranoia_level <= 1 ? 1 : head->paranoia_level == 2 ? 2 : 3;
	key.negated = rule->operation.negated;
	if (key.kind != VALUE_HEADER || target->selector_kind != SELECTOR_NAME)
		return key;
	key.selector_len = target->selector.len > SELECTOR_BYTES ? SELECTOR_BYTES : (uint8_t)target->selector.len;
	for (size_t i = 0; i < key.selector_len; i++)
		key.selector[i] = byte_lower(target->selector.ptr[i]);
	return key;
}

static int group_new(struct groups *groups, const struct group_key *key, struct group **ret_group)
{
	int r = vector_grow((void **)&groups->items, &groups->capacity, groups->count, sizeof(*groups->items));
	if (r != 0)
		return r;
	struct group *group = &groups->items[groups->count];
	*group = (struct group){.key = *key, .content = buffer_make(NULL)};
	r = scan_builder_create(groups->studies, &group->builder);
	if (r != 0)
		return r;
	diagnostics_init(&group->diagnostics);
	groups->count++;
	*ret_group = group;
	return 0;
}

/* What the group knows of the rule's operator already, or NULL. Regexes and phrases are the pool's: equal is same. */
static const struct planned *planned_find(const struct group *group, const struct rule *rule)
{
	for (size_t i = 0; i < group->planned_count; i++) {
		const struct rule_operator *other = &group->planned[i].rule->operation;
		if (other->regex == rule->operation.regex && other->phrases == rule->operation.phrases)
			return &group->planned[i];
	}
	return NULL;
}

/* The group that holds the rule's pattern for these values, or the last of its parts, if it has room, or a new one. */
static int group_get(struct groups *groups, struct group_key *key, const struct rule *rule, struct group **ret_group)
{
	struct group *last = NULL;
	for (size_t i = 0; i < groups->count; i++) {
		struct group *group = &groups->items[i];
		key->part = group->key.part;
		if (memcmp(&group->key, key, sizeof(*key)) != 0)
			continue;
		last = group;
		if (planned_find(group, rule) != NULL)
			break;
	}
	bool full = last != NULL && key->level > 1 && last->regexes >= PART_REGEXES_MAX &&
		    planned_find(last, rule) == NULL && last->key.part < UINT8_MAX;
	if (last != NULL && !full) {
		*ret_group = last;
		return 0;
	}
	key->part = last == NULL ? 0 : (uint8_t)(last->key.part + 1);
	return group_new(groups, key, ret_group);
}

static void groups_free(struct groups *groups)
{
	for (size_t i = 0; i < groups->count; i++) {
		scan_builder_free(groups->items[i].builder);
		buffer_free(&groups->items[i].content);
		free(groups->items[i].planned);
		diagnostics_destroy(&groups->items[i].diagnostics);
		if (groups->items[i].is_new)
			scan_set_free(groups->items[i].set);
	}
	free(groups->items);
	scan_studies_free(groups->studies);
}

static void content_add(struct group *group, uint8_t tag, struct slice bytes)
{
	buffer_number(&group->content, group->next_id);
	buffer_byte(&group->content, tag);
	buffer_number(&group->content, (int64_t)bytes.len);
	buffer_byte(&group->content, ' ');
	buffer_add(&group->content, bytes);
}

static int patterns_add(struct group *group, const struct rule *rule)
{
	const struct rule_operator *operation = &rule->operation;
	if (operation->regex != NULL) {
		group->regexes++;
		content_add(group, 'r', operation->argument.text);
		return scan_builder_add_regex(group->builder, group->next_id, operation->argument.text, 0);
	}
	int r = 0;
	for (size_t i = 0; i < phrases_count(operation->phrases) && r == 0; i++) {
		content_add(group, 'p', phrases_at(operation->phrases, i));
		r = scan_builder_add_literal(group->builder, group->next_id, phrases_at(operation->phrases, i));
	}
	return r;
}

static int target_plan(struct groups *groups, const struct rule *head, struct rule *rule, struct target *target)
{
	if (target->excluded || target->counted || value_kinds[target->variable] == VALUE_NONE)
		return 0;
	struct group_key key = key_of(head, rule, target);
	struct group *group;
	int r = group_get(groups, &key, rule, &group);
	if (r == 0)
		r = vector_grow((void **)&group->planned, &group->planned_capacity, group->planned_count,
				sizeof(*group->planned));
	/* Ids are bits of 16: a unit with more patterns of a kind asks the regex for the rest. */
	if (r != 0 || group->next_id == UINT16_MAX)
		return r;
	const struct planned *known = planned_find(group, rule);
	uint32_t id = known != NULL ? known->id : group->next_id;
	if (known == NULL) {
		r = patterns_add(group, rule);
		group->next_id++;
	}
	group->planned[group->planned_count++] = (struct planned){target, rule, id};
	return r != 0 ? r : group->content.error;
}

static bool is_scanned(const struct rule *rule)
{
	const struct rule_operator *operation = &rule->operation;
	if (rule->kind != RULE_OPERATOR)
		return false;
	if (operation->phrases != NULL)
		return phrases_count(operation->phrases) <= PHRASES_MAX;
	return operation->kind == OPERATOR_RX && operation->regex != NULL;
}

static void release_set(void *set)
{
	scan_set_free(set);
}

static bool is_told(const struct diagnostics *diagnostics, const struct diagnostic *other)
{
	for (const struct diagnostic *d = diagnostics->first; d != NULL; d = d->next)
		if (d->line == other->line && strcmp(d->file, other->file) == 0 &&
		    strcmp(d->message, other->message) == 0)
			return true;
	return false;
}

/* What was told of each goes to the caller's list once: a full disk is met by each database. */
static void tell(struct diagnostics *diagnostics, const struct group *group)
{
	for (const struct diagnostic *d = group->diagnostics.first; d != NULL; d = d->next) {
		if (is_told(diagnostics, d))
			continue;
		struct source_place place = {d->file, d->line, d->column, slice_from_string(d->source_line)};
		diagnostics_add(diagnostics, d->severity, place, d->hint[0] == '\0' ? NULL : d->hint, "%s", d->message);
	}
}

static int sets_keep(struct pool *pool, struct groups *groups, struct diagnostics *diagnostics)
{
	int r = 0;
	for (size_t i = 0; i < groups->count; i++) {
		struct group *group = &groups->items[i];
		tell(diagnostics, group);
		if (r == 0)
			r = group->result;
		if (r != 0 || !group->is_new)
			continue;
		group->is_new = false;
		r = pool_add(pool, POOL_SCAN_SET, buffer_slice(&group->content), group->set, release_set);
	}
	return r;
}

/*
 * Finds or compiles the groups' sets, one after another: a process that has had a thread goes on paying for locks in
 * malloc and in system calls, and so do the workers that nginx's master forks after it has read its rules.
 */
static int sets_get(struct pool *pool, struct groups *groups, struct diagnostics *diagnostics)
{
	for (size_t i = 0; i < groups->count; i++) {
		struct group *group = &groups->items[i];
		group->set = pool_find(pool, POOL_SCAN_SET, buffer_slice(&group->content));
		group->is_new = group->set == NULL;
		if (group->is_new)
			group->result =
				scan_set_compile(group->builder, pool_cache(pool), &group->diagnostics, &group->set);
	}
	return sets_keep(pool, groups, diagnostics);
}

/* Tells each target its bit, unless Hyperscan cannot take the pattern. */
static void group_assign(const struct group *group, const struct scan_set *set, uint16_t number)
{
	for (size_t i = 0; i < group->planned_count; i++) {
		const struct planned *planned = &group->planned[i];
		enum scan_class class = scan_set_class(set, planned->id);
		if (class == SCAN_NONE)
			continue;
		planned->target->scan_group = number;
		planned->target->scan_bit = (uint16_t)planned->id;
		planned->rule->operation.scan_exact &= class == SCAN_EXACT;
	}
}

static int groups_compile(struct pool *pool, struct seclang_unit *unit, struct groups *groups,
			  struct diagnostics *diagnostics)
{
	struct scan_group *list = arena_zalloc(&unit->arena, groups->count + 1, sizeof(*list));
	int r = list == NULL ? -ENOMEM : 0;
	if (r == 0)
		r = sets_get(pool, groups, diagnostics);
	for (size_t i = 0; i < groups->count && r == 0; i++) {
		struct scan_set *set = groups->items[i].set;
		struct scan_set_facts facts = scan_set_facts(set);
		unit->databases += facts.database_bytes > 0;
		unit->databases_cached += facts.from_cache;
		unit->patterns += facts.patterns;
		unit->exact_patterns += facts.exact;
		list[i] = (struct scan_group){.set = set, .bit_count = groups->items[i].next_id};
		group_assign(&groups->items[i], set, (uint16_t)i);
	}
	unit->shared = (struct unit){.scan_groups = list, .scan_group_count = groups->count};
	return r;
}

enum { CERTAIN_BYTES_MOST = 16 /* nobody writes a longer one */ };

/* What the engine is to know of a regex. 0 or -ENOMEM. */
static int describe(struct rule *rule)
{
	struct slice text = rule->operation.argument.text;
	struct pattern pattern;
	bool has_dots = slice_find(text, SLICE("\\."), 0) < text.len;
	if (rule->operation.regex == NULL || (text.len > CERTAIN_BYTES_MOST && !has_dots))
		return 0;
	int r = pattern_parse(text, 0, &pattern);
	if (r != 0)
		return r == PATTERN_OPAQUE ? 0 : r;
	rule->operation.certain = pattern_is_certain(&pattern);
	rule->operation.needs_dots = has_dots && pattern_needs_twice(&pattern, '.');
	pattern_free(&pattern);
	return 0;
}

static int rule_plan(struct groups *groups, const struct rule *head, struct rule *rule)
{
	if (!is_scanned(rule))
		return 0;
	int r = describe(rule);
	rule->operation.scan_exact = true;
	for (size_t i = 0; i < rule->target_count && r == 0; i++)
		r = target_plan(groups, head, rule, (struct target *)&rule->targets[i]);
	return r;
}

int plan_scans(struct pool *pool, struct seclang_unit *unit, struct diagnostics *diagnostics)
{
	struct groups groups = {0};
	int r = scan_studies_create(&groups.studies);
	for (size_t i = 0; i < unit->rule_count && r == 0; i++)
		for (struct rule *rule = unit->rules[i]; rule != NULL && r == 0; rule = (struct rule *)rule->next_link)
			r = rule_plan(&groups, unit->rules[i], rule);
	if (r == 0)
		r = groups_compile(pool, unit, &groups, diagnostics);
	groups_free(&groups);
	return r;
}
