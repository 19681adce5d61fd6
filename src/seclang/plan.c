/*
 * The scan plan. A group is one Hyperscan database; it holds the patterns that look at one kind of value, whatever the
 * pipeline, because values mostly come out of pipelines unchanged. Patterns of higher paranoia levels and negated ones
 * stand in groups of their own: the engine scans a group when the first rule asks, so what is switched off costs
 * nothing. Links of chains are left to the regex: they are asked rarely.
 */
#include "seclang/plan.h"

#include "base/vector.h"
#include "match/phrases.h"
#include "match/scan.h"

#include <errno.h>
#include <stdlib.h>

enum { SELECTOR_BYTES = 32 };

/* Values that look alike, and so share patterns. */
enum value_kind {
	VALUE_NONE, /* not scanned */
	VALUE_ARGUMENT,
	VALUE_NAME,
	VALUE_COOKIE,
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
	[VARIABLE_ARGS_NAMES] = VALUE_NAME,
	[VARIABLE_ARGS_GET_NAMES] = VALUE_NAME,
	[VARIABLE_ARGS_POST_NAMES] = VALUE_NAME,
	[VARIABLE_REQUEST_COOKIES_NAMES] = VALUE_NAME,
	[VARIABLE_REQUEST_HEADERS_NAMES] = VALUE_NAME,
	[VARIABLE_REQUEST_COOKIES] = VALUE_COOKIE,
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
};

struct groups {
	struct group *items;
	size_t count;
	size_t capacity;
};

static struct group_key key_of(const struct rule *rule, const struct target *target)
{
	struct group_key key = {.kind = value_kinds[target->variable]};
	key.level = rule->paranoia_level <= 1 ? 1 : rule->paranoia_level == 2 ? 2 : 3;
	key.negated = rule->operation.negated;
	if (key.kind != VALUE_HEADER || target->selector_kind != SELECTOR_NAME)
		return key;
	key.selector_len = target->selector.len > SELECTOR_BYTES ? SELECTOR_BYTES : (uint8_t)target->selector.len;
	for (size_t i = 0; i < key.selector_len; i++)
		key.selector[i] = byte_lower(target->selector.ptr[i]);
	return key;
}

static int group_get(struct groups *groups, const struct group_key *key, struct group **ret_group)
{
	for (size_t i = 0; i < groups->count; i++) {
		if (memcmp(&groups->items[i].key, key, sizeof(*key)) == 0) {
			*ret_group = &groups->items[i];
			return 0;
		}
	}
	int r = vector_grow((void **)&groups->items, &groups->capacity, groups->count, sizeof(*groups->items));
	if (r != 0)
		return r;
	struct group *group = &groups->items[groups->count];
	*group = (struct group){.key = *key, .content = buffer_make(NULL)};
	r = scan_builder_create(&group->builder);
	if (r != 0)
		return r;
	groups->count++;
	*ret_group = group;
	return 0;
}

static void groups_free(struct groups *groups)
{
	for (size_t i = 0; i < groups->count; i++) {
		scan_builder_free(groups->items[i].builder);
		buffer_free(&groups->items[i].content);
		free(groups->items[i].planned);
	}
	free(groups->items);
}

static void content_add(struct group *group, uint8_t tag, struct slice bytes)
{
	buffer_printf(&group->content, "%u %u %zu ", group->next_id, tag, bytes.len);
	buffer_add(&group->content, bytes);
}

static int patterns_add(struct group *group, const struct rule *rule)
{
	const struct rule_operator *operation = &rule->operation;
	if (operation->regex != NULL) {
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

static int target_plan(struct groups *groups, struct rule *rule, struct target *target)
{
	if (target->excluded || target->counted || value_kinds[target->variable] == VALUE_NONE)
		return 0;
	struct group_key key = key_of(rule, target);
	struct group *group;
	int r = group_get(groups, &key, &group);
	if (r == 0)
		r = vector_grow((void **)&group->planned, &group->planned_capacity, group->planned_count,
				sizeof(*group->planned));
	/* Ids are bits of 16: a unit with more patterns of a kind asks the regex for the rest. */
	if (r != 0 || group->next_id == UINT16_MAX)
		return r;
	r = patterns_add(group, rule);
	group->planned[group->planned_count++] = (struct planned){target, rule, group->next_id++};
	return r != 0 ? r : group->content.error;
}

static bool is_scanned(const struct rule *rule)
{
	const struct rule_operator *operation = &rule->operation;
	if (rule->kind != RULE_OPERATOR)
		return false;
	return (operation->kind == OPERATOR_RX && operation->regex != NULL) || operation->kind == OPERATOR_PM ||
	       operation->kind == OPERATOR_PM_FROM_FILE;
}

static void release_set(void *set)
{
	scan_set_free(set);
}

static int set_get(struct pool *pool, struct group *group, struct diagnostics *diagnostics, struct scan_set **ret_set)
{
	struct slice key = buffer_slice(&group->content);
	struct scan_set *set = pool_find(pool, POOL_SCAN_SET, key);
	int r = 0;
	if (set == NULL) {
		r = scan_set_compile(group->builder, pool_cache(pool), diagnostics, &set);
		if (r == 0)
			r = pool_add(pool, POOL_SCAN_SET, key, set, release_set);
	}
	if (r == 0)
		*ret_set = set;
	return r;
}

/* Tells each target its bit, unless Hyperscan cannot take the pattern. */
static void group_assign(struct seclang_unit *unit, const struct group *group, const struct scan_set *set,
			 uint16_t number)
{
	for (size_t i = 0; i < group->planned_count; i++) {
		const struct planned *planned = &group->planned[i];
		enum scan_class class = scan_set_class(set, planned->id);
		unit->patterns++;
		unit->exact_patterns += class == SCAN_EXACT;
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
	for (size_t i = 0; i < groups->count && r == 0; i++) {
		struct scan_set *set;
		r = set_get(pool, &groups->items[i], diagnostics, &set);
		if (r != 0)
			break;
		unit->databases_cached += scan_set_facts(set).from_cache;
		list[i] = (struct scan_group){.set = set, .bit_count = groups->items[i].next_id};
		group_assign(unit, &groups->items[i], set, (uint16_t)i);
	}
	unit->shared = (struct unit){.scan_groups = list, .scan_group_count = groups->count};
	return r;
}

int plan_scans(struct pool *pool, struct seclang_unit *unit, struct diagnostics *diagnostics)
{
	struct groups groups = {0};
	int r = 0;
	for (size_t i = 0; i < unit->rule_count && r == 0; i++) {
		struct rule *rule = unit->rules[i];
		if (!is_scanned(rule))
			continue;
		rule->operation.scan_exact = true;
		for (size_t j = 0; j < rule->target_count && r == 0; j++)
			r = target_plan(&groups, rule, (struct target *)&rule->targets[j]);
	}
	if (r == 0)
		r = groups_compile(pool, unit, &groups, diagnostics);
	groups_free(&groups);
	return r;
}
