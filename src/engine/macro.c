/*
 * Parts are worked out first and joined when their length is known; where there are very many, in a buffer that grows.
 * What is owed is found by a look at the parts, and the macro taken apart around it.
 */
#include "engine/macro.h"

#include "engine/variable.h"
#include "match/compare.h"

static struct tx_entry *tx_entry_of(struct transaction *t, const struct macro_part *part)
{
	int handle = part->tx_slot != SLOT_NONE ? part->tx_slot : tx_find(&t->tx, part->selector);
	return tx_get(&t->tx, handle);
}

static bool is_of_match(enum variable variable)
{
	return variable == VARIABLE_MATCHED_VAR || variable == VARIABLE_MATCHED_VAR_NAME;
}

static struct slice of_match(struct transaction *t, enum variable variable)
{
	if (t->matched_count == 0)
		return SLICE("");
	const struct matched *last = &t->matched[t->matched_count - 1];
	return variable == VARIABLE_MATCHED_VAR ? last->value : variable_full_name(t, last);
}

/* ModSecurity takes the newest of the values of one name, and the first where no name is given. */
static struct slice first_value(struct transaction *t, const struct macro_part *part, const struct rule *rule)
{
	const struct value_set *set;
	if (part->variable == VARIABLE_TX) {
		struct tx_entry *entry = tx_entry_of(t, part);
		return entry == NULL ? SLICE("") : tx_text(&t->tx, entry);
	}
	if (part->selector.len == 0 && is_of_match(part->variable))
		return of_match(t, part->variable);
	struct target target = {
		.variable = part->variable,
		.selector = part->selector,
		.selector_kind = part->selector.len > 0 ? SELECTOR_NAME : SELECTOR_NONE,
		.tx_slot = SLOT_NONE,
	};
	if (variable_values(t, part->variable, rule, &target, &set) != 0) {
		transaction_out_of_memory(t);
		return SLICE("");
	}
	if (set->count > 0 && (part->selector.len == 0 || part->variable == VARIABLE_XML))
		return set->items[0]->bytes;
	for (uint32_t i = set->count; i-- > 0;)
		if (slice_equal_nocase(set->items[i]->key, part->selector))
			return set->items[i]->bytes;
	return SLICE("");
}

static struct slice part_text(struct transaction *t, const struct macro_part *part, const struct rule *rule)
{
	return part->is_variable ? first_value(t, part, rule) : part->literal;
}

enum { PARTS_FEW = 32 };

/* Joined once it is known how long it will be. */
static struct slice join_few(struct transaction *t, const struct macro *macro, const struct rule *rule)
{
	struct slice texts[PARTS_FEW];
	size_t len = 0;
	for (size_t i = 0; i < macro->part_count; i++) {
		texts[i] = part_text(t, &macro->parts[i], rule);
		len += texts[i].len;
	}
	if (len == 0)
		return SLICE("");
	uint8_t *joined = arena_alloc(&t->arena, len);
	if (joined == NULL) {
		transaction_out_of_memory(t);
		return SLICE("");
	}
	for (size_t i = 0, at = 0; i < macro->part_count; at += texts[i++].len)
		if (texts[i].len > 0)
			memcpy(joined + at, texts[i].ptr, texts[i].len);
	return slice_make(joined, len);
}

struct slice macro_expand(struct transaction *t, const struct macro *macro, const struct rule *rule)
{
	if (macro_is_literal(macro))
		return macro->text;
	if (macro->part_count == 1)
		return first_value(t, &macro->parts[0], rule);
	if (macro->part_count <= PARTS_FEW)
		return join_few(t, macro, rule);
	struct buffer text = buffer_make(&t->arena);
	for (size_t i = 0; i < macro->part_count; i++)
		buffer_add(&text, part_text(t, &macro->parts[i], rule));
	if (text.error != 0) {
		transaction_out_of_memory(t);
		return SLICE("");
	}
	return text.len == 0 ? SLICE("") : buffer_slice(&text);
}

static bool is_owed(struct transaction *t, const struct macro_part *part)
{
	if (!part->is_variable || part->variable != VARIABLE_TX)
		return false;
	const struct tx_entry *entry = tx_entry_of(t, part);
	return entry != NULL && entry->text.ptr == NULL && entry->owed != NULL;
}

bool macro_expand_owed(struct transaction *t, const struct macro *macro, const struct rule *rule,
		       struct owed_key *ret_key)
{
	size_t at = 0;
	while (at < macro->part_count && !is_owed(t, &macro->parts[at]))
		at++;
	if (at == macro->part_count || macro->part_count > PARTS_FEW)
		return false;
	const struct macro before = {.parts = macro->parts, .part_count = at};
	const struct macro after = {.parts = macro->parts + at + 1, .part_count = macro->part_count - at - 1};
	ret_key->before = join_few(t, &before, rule);
	ret_key->owed = tx_entry_of(t, &macro->parts[at])->owed;
	ret_key->after = join_few(t, &after, rule);
	return true;
}

int64_t macro_number(struct transaction *t, const struct macro *macro, const struct rule *rule)
{
	if (macro->part_count == 1 && macro->parts[0].is_variable && macro->parts[0].variable == VARIABLE_TX) {
		struct tx_entry *entry = tx_entry_of(t, &macro->parts[0]);
		return entry == NULL ? 0 : tx_number(entry);
	}
	return compare_number(macro_expand(t, macro, rule));
}
