/*
 * Scalars' families come before those of collections; names have an open-addressed table. Lists tell what is asked in
 * which phase, and what belongs to the request line. In the end steps that sleep are taken from the candidates.
 */
#include "engine/probe_build.h"

#include "engine/quiet.h"
#include "engine/remembered.h"

#include <errno.h>
#include <stdlib.h>

static bool names_same(const struct probe_look *a, const struct probe_look *b, enum variable variable)
{
	return slice_equal_nocase(a->target->selector, b->target->selector) &&
	       (probe_shape_of(variable) != PROBE_SHAPE_XML || a->rule->namespaces == b->rule->namespaces);
}

/* The looks that are the first to select a name. */
static int find_names(struct probe_builder *b, enum variable variable, const struct probe_look ***ret_names,
		      size_t *ret_count)
{
	const struct probe_look **names = calloc(b->look_count + 1, sizeof(*names));
	size_t count = 0;
	if (names == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < b->look_count; i++) {
		const struct probe_look *look = &b->looks[i];
		if (look->home.variable != variable || look->target->selector_kind == SELECTOR_NONE ||
		    look->target->selector_kind == SELECTOR_REGEX || probe_shape_of(variable) == PROBE_SHAPE_SCALAR)
			continue;
		size_t at = 0;
		while (at < count && !names_same(names[at], look, variable))
			at++;
		if (at == count)
			names[count++] = look;
	}
	*ret_names = names;
	*ret_count = count;
	return 0;
}

static int make_table(struct probe_builder *b, struct probe_family *family)
{
	size_t size = 4;
	while (size < family->name_count * 2 + 1)
		size *= 2;
	uint16_t *table = arena_zalloc(&b->plan->arena, size, sizeof(*table));
	if (table == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < family->name_count; i++) {
		size_t at = hash_quick_nocase(&b->plan->hash_key, family->names[i]) & (size - 1);
		while (table[at] != 0)
			at = (at + 1) & (size - 1);
		table[at] = (uint16_t)(i + 1);
	}
	family->table = table;
	family->table_size = size;
	return 0;
}

static int make_named(struct probe_builder *b, struct probe_family *family, const struct probe_look *const *looks,
		      size_t count)
{
	struct arena *arena = &b->plan->arena;
	if (b->probes->name_count + count >= UINT16_MAX)
		return -E2BIG;
	struct slice *names = arena_zalloc(arena, count + 1, sizeof(*names));
	const struct target **targets = arena_zalloc(arena, count + 1, sizeof(*targets));
	const struct rule **rules = arena_zalloc(arena, count + 1, sizeof(*rules));
	const struct probe_set *(*named)[PROBE_PARTS] = arena_zalloc(arena, count + 1, sizeof(*named));
	if (names == NULL || targets == NULL || rules == NULL || named == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		names[i] = looks[i]->target->selector;
		targets[i] = looks[i]->target;
		rules[i] = looks[i]->rule;
		for (unsigned part = 0; part < PROBE_PARTS; part++) {
			int r = probe_set_make(b, family->variable, part, looks[i], family->sets[part],
					       &named[i][part]);
			if (r != 0)
				return r;
		}
	}
	family->names = names;
	family->targets = targets;
	family->rules = rules;
	family->named = (const struct probe_set *const(*)[PROBE_PARTS])named;
	family->name_count = count;
	family->first_count = b->probes->name_count;
	b->probes->name_count += count;
	return make_table(b, family);
}

static int make_family(struct probe_builder *b, enum variable variable, struct probe_family *family)
{
	const struct probe_look **names = NULL;
	size_t count = 0;
	int r = 0;
	family->variable = variable;
	for (unsigned part = 0; part < PROBE_PARTS && r == 0; part++)
		r = probe_set_make(b, variable, part, NULL, NULL, &family->sets[part]);
	if (r == 0)
		r = find_names(b, variable, &names, &count);
	if (r == 0)
		r = make_named(b, family, names, count);
	free(names);
	return r;
}

static bool is_looked_at(const struct probe_builder *b, enum variable variable)
{
	for (size_t i = 0; i < b->look_count; i++)
		if (b->looks[i].home.variable == variable)
			return true;
	return false;
}

static int make_some(struct probe_builder *b, bool scalars, struct probe_family *families, size_t *count)
{
	int r = 0;
	for (unsigned v = 0; v < VARIABLE_COUNT && r == 0; v++)
		if ((probe_shape_of(v) == PROBE_SHAPE_SCALAR) == scalars && is_looked_at(b, v))
			r = make_family(b, v, &families[(*count)++]);
	return r;
}

static const struct probe_family *family_of(const struct probes *probes, enum variable variable)
{
	for (size_t i = 0; i < probes->family_count; i++)
		if (probes->families[i].variable == variable)
			return &probes->families[i];
	return NULL;
}

static bool is_in_pair(const struct probes *probes, enum variable variable)
{
	for (size_t i = 0; i < PROBE_PAIRS; i++)
		if (probes->pairs[i].value_variable == variable || probes->pairs[i].name_variable == variable)
			return true;
	return false;
}

static bool looks_at_any_name(const struct probe_family *family)
{
	bool looks = false;
	for (size_t part = 0; family != NULL && part < PROBE_PARTS; part++)
		looks |= family->sets[part] != NULL;
	return looks;
}

static void make_pairs(struct probe_builder *b)
{
	static const enum variable variables[PROBE_PAIRS][2] = {
		{VARIABLE_REQUEST_HEADERS, VARIABLE_REQUEST_HEADERS_NAMES},
		{VARIABLE_REQUEST_COOKIES, VARIABLE_REQUEST_COOKIES_NAMES},
		{VARIABLE_ARGS, VARIABLE_ARGS_NAMES},
		{VARIABLE_RESPONSE_HEADERS, VARIABLE_RESPONSE_HEADERS_NAMES},
	};
	struct probes *probes = b->probes;
	for (size_t i = 0; i < PROBE_PAIRS; i++) {
		probes->pairs[i] = (struct probe_pair){
			.values = family_of(probes, variables[i][0]),
			.names = family_of(probes, variables[i][1]),
			.value_variable = variables[i][0],
			.name_variable = variables[i][1],
		};
		probes->pairs[i].of_any_name =
			looks_at_any_name(probes->pairs[i].values) || looks_at_any_name(probes->pairs[i].names);
		for (size_t part = 0; part < PROBE_PARTS; part++)
			probes->pairs[i].numbers[part] = remembered_new_number();
		probes->pairs[i].run_number = remembered_new_number();
	}
}

typedef bool family_test(const struct probes *probes, size_t index, unsigned phase);

static bool is_of_line(const struct probes *probes, size_t index, unsigned phase)
{
	(void)phase;
	return index < probes->scalar_count && probe_is_of_line(probes->families[index].variable);
}

/* Phase 0 stands for whatever was not asked before. */
static bool is_asked_in(const struct probes *probes, size_t index, unsigned phase)
{
	if (index >= probes->scalar_count || is_of_line(probes, index, phase))
		return false;
	return phase == 0 || (probe_phases_of(probes->families[index].variable) >> phase & 1) != 0;
}

static bool is_single(const struct probes *probes, size_t index, unsigned phase)
{
	(void)phase;
	return index >= probes->scalar_count && !is_in_pair(probes, probes->families[index].variable);
}

static int make_list(struct probe_builder *b, family_test *test, unsigned phase, struct probe_list *ret_list)
{
	uint8_t *indexes = arena_alloc(&b->plan->arena, b->probes->family_count + 1);
	if (indexes == NULL)
		return -ENOMEM;
	ret_list->indexes = indexes;
	for (size_t i = 0; i < b->probes->family_count; i++)
		if (test(b->probes, i, phase))
			indexes[ret_list->count++] = (uint8_t)i;
	return 0;
}

static int make_lists(struct probe_builder *b)
{
	int r = make_list(b, is_of_line, 0, &b->probes->line_scalars);
	for (unsigned phase = 0; phase <= PHASE_LAST && r == 0; phase++)
		r = make_list(b, is_asked_in, phase, &b->probes->scalars[phase]);
	b->probes->line_number = remembered_new_number();
	return r != 0 ? r : make_list(b, is_single, 0, &b->probes->singles);
}

static int make_families(struct probe_builder *b)
{
	size_t count = 0;
	for (unsigned v = 0; v < VARIABLE_COUNT; v++)
		count += is_looked_at(b, v);
	struct probe_family *families = arena_zalloc(&b->plan->arena, count, sizeof(*families));
	if (families == NULL)
		return -ENOMEM;
	b->probes->families = families;
	int r = make_some(b, true, families, &b->probes->family_count);
	b->probes->scalar_count = b->probes->family_count;
	if (r == 0)
		r = make_some(b, false, families, &b->probes->family_count);
	if (r == 0)
		make_pairs(b);
	return r != 0 ? r : make_lists(b);
}

static int32_t name_of_count(const struct probe_builder *b, const struct target *target)
{
	if (target->selector_kind != SELECTOR_NAME)
		return -1;
	for (size_t f = 0; f < b->probes->family_count; f++) {
		const struct probe_family *family = &b->probes->families[f];
		for (size_t n = 0; family->variable == target->variable && n < family->name_count; n++)
			if (slice_equal_nocase(family->names[n], target->selector))
				return (int32_t)(family->first_count + n);
	}
	return -1;
}

/* Room for all steps and conditions: a chain has as many as it has links behind its head. */
static size_t words_at_most(const struct plan *plan)
{
	size_t bits = plan->courses.bit_count;
	for (size_t i = 0; i < plan->ruleset->rule_count; i++)
		for (const struct rule *rule = plan->ruleset->rules[i]; rule != NULL; rule = rule->next_link)
			bits++;
	return bits / 64 + 1;
}

/* Whether a worker that keeps nothing but verdicts may leave a step out. */
static bool tells_only(const struct course_step *step)
{
	const struct course_settled *settled = step->settled;
	if (settled == NULL)
		return step->vain || step->idle;
	return settled->write_count == 0 && settled->matched_count == 0 && !settled->passes &&
	       step->jump_place == UINT32_MAX;
}

static const uint64_t *lean_of(struct probe_builder *b)
{
	size_t words = words_at_most(b->plan);
	uint64_t *lean = probe_keep(&b->plan->arena, b->always, words * sizeof(*lean));
	for (unsigned phase = PHASE_FIRST; phase <= PHASE_LAST && lean != NULL; phase++) {
		const struct course *course = &b->plan->courses.phases[phase];
		for (size_t i = 0; i < course->count; i++)
			if (tells_only(&course->steps[i]))
				lean[(course->first_bit + i) / 64] &= ~((uint64_t)1 << (course->first_bit + i) % 64);
	}
	if (lean != NULL)
		gate_put_to_sleep(b->plan, lean, true);
	return lean;
}

static int finish(struct probe_builder *b)
{
	for (size_t i = 0; i < b->count_count; i++)
		b->counts[i].name = name_of_count(b, b->counts[i].target);
	b->probes->counts = probe_keep(&b->plan->arena, b->counts, b->count_count * sizeof(*b->counts));
	gate_put_to_sleep(b->plan, b->always, false);
	b->probes->always = b->always;
	b->probes->lean = lean_of(b);
	b->probes->words = (b->bit_count + 63) / 64;
	b->plan->probes = b->probes;
	if (b->probes->counts == NULL || b->probes->lean == NULL)
		return -ENOMEM;
	return gate_list_sleepers(b->plan, &b->probes->sleepers);
}

int probe_build(struct plan *plan)
{
	struct probe_builder b = {.plan = plan};
	b.probes = arena_zalloc(&plan->arena, 1, sizeof(*b.probes));
	b.always = arena_zalloc(&plan->arena, words_at_most(plan), sizeof(*b.always));
	b.bit_count = plan->courses.bit_count;
	int r = b.probes == NULL || b.always == NULL ? -ENOMEM : quiet_captures(plan, &b.captures_are_fresh);
	if (r == 0)
		r = b.bit_count > UINT16_MAX ? -E2BIG : probe_looks_gather(&b);
	if (r == 0)
		r = make_families(&b);
	if (r == 0)
		r = finish(&b);
	free(b.looks);
	free(b.counts);
	return r;
}
