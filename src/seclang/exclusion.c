/*
 * Targets and actions are parsed as those of rules are. Whom an exclusion means, and what it changes, is told in
 * link.c.
 */
#include "seclang/exclusion.h"

#include <errno.h>

static int exclusion_add(struct walk *walk, const struct statement *statement, struct exclusion exclusion)
{
	struct seclang_unit *unit = walk->unit;
	exclusion.file = walk->compiler.source->file;
	exclusion.line = statement->words[0].line;
	int r = compiler_grow(&walk->compiler, (void **)&unit->exclusions, &unit->exclusion_capacity,
			      unit->exclusion_count, sizeof(exclusion));
	if (r == 0)
		unit->exclusions[unit->exclusion_count++] = exclusion;
	return r;
}

/* Tags and messages are compared whole, as ModSecurity v3 does. */
static int exclusion_text(struct walk *walk, const struct word *word, struct exclusion *exclusion)
{
	return compiler_copy(&walk->compiler, word->text, &exclusion->text);
}

static int bad_ids(struct walk *walk, const struct word *word)
{
	walk->compiler.word = word;
	return compiler_error(&walk->compiler, 0, "write ids and ranges: 942100 942200-942299",
			      "\"%.*s\" is no id and no range of ids", SLICE_ARG(word->text));
}

/* Ids stand in words of their own, between commas, or both. */
static int remove_ids(struct walk *walk, const struct statement *statement, const struct word *word)
{
	struct slice rest = word->text;
	while (rest.len > 0) {
		struct exclusion exclusion = {.kind = EXCLUSION_REMOVE, .by = BY_ID};
		size_t space = slice_find_byte(rest, ' ', 0), comma = slice_find_byte(rest, ',', 0);
		size_t end = space < comma ? space : comma;
		struct slice part = slice_sub(rest, 0, end);
		rest = slice_after(rest, end + 1);
		if (part.len == 0)
			continue;
		if (!parse_id_range(part, &exclusion.ids))
			return bad_ids(walk, word);
		int r = exclusion_add(walk, statement, exclusion);
		if (r != 0)
			return r;
	}
	return 0;
}

int exclusion_read_remove_by_id(struct walk *walk, const struct statement *statement)
{
	if (statement->word_count < 2)
		return directive_wrong_count(walk, statement, "SecRuleRemoveById ID...");
	int r = 0;
	for (size_t i = 1; i < statement->word_count && r == 0; i++)
		r = remove_ids(walk, statement, &statement->words[i]);
	return r;
}

static int read_remove_by_text(struct walk *walk, const struct statement *statement, enum exclusion_by by)
{
	struct exclusion exclusion = {.kind = EXCLUSION_REMOVE, .by = by};
	if (statement->word_count != 2)
		return directive_wrong_count(walk, statement, "one pattern is wanted");
	int r = exclusion_text(walk, &statement->words[1], &exclusion);
	return r != 0 ? r : exclusion_add(walk, statement, exclusion);
}

int exclusion_read_remove_by_tag(struct walk *walk, const struct statement *statement)
{
	return read_remove_by_text(walk, statement, BY_TAG);
}

int exclusion_read_remove_by_message(struct walk *walk, const struct statement *statement)
{
	return read_remove_by_text(walk, statement, BY_MESSAGE);
}

/* "ARGS:a,!ARGS:b|ARGS:c": commas separate too, except inside /.../. */
static int update_targets(struct walk *walk, const struct word *word, struct target_list *list)
{
	struct slice rest = word->text;
	walk->compiler.word = word;
	int r = 0;
	for (size_t from = 0, at = 0; at <= rest.len && r == 0; at++) {
		if (at < rest.len && rest.ptr[at] == '/' && at > 0 &&
		    (rest.ptr[at - 1] == ':' || rest.ptr[at - 1] == '\'')) {
			size_t close = slice_find_byte(rest, '/', at + 1);
			at = close < rest.len ? close : at;
			continue;
		}
		if (at < rest.len && rest.ptr[at] != ',')
			continue;
		r = targets_parse(&walk->compiler, slice_sub(rest, from, at), from, list);
		from = at + 1;
	}
	return r;
}

static int update_target(struct walk *walk, const struct statement *statement, struct exclusion exclusion)
{
	exclusion.kind = EXCLUSION_UPDATE_TARGET;
	int r = update_targets(walk, &statement->words[2], &exclusion.targets);
	return r != 0 ? r : exclusion_add(walk, statement, exclusion);
}

int exclusion_read_update_target_by_id(struct walk *walk, const struct statement *statement)
{
	struct exclusion exclusion = {.by = BY_ID};
	if (statement->word_count != 3)
		return directive_wrong_count(walk, statement, "SecRuleUpdateTargetById ID \"!ARGS:name\"");
	if (!parse_id_range(statement->words[1].text, &exclusion.ids))
		return bad_ids(walk, &statement->words[1]);
	return update_target(walk, statement, exclusion);
}

static int read_update_target_by_text(struct walk *walk, const struct statement *statement, enum exclusion_by by)
{
	struct exclusion exclusion = {.by = by};
	if (statement->word_count != 3)
		return directive_wrong_count(walk, statement, "a pattern and variables are wanted");
	int r = exclusion_text(walk, &statement->words[1], &exclusion);
	return r != 0 ? r : update_target(walk, statement, exclusion);
}

int exclusion_read_update_target_by_tag(struct walk *walk, const struct statement *statement)
{
	return read_update_target_by_text(walk, statement, BY_TAG);
}

int exclusion_read_update_target_by_message(struct walk *walk, const struct statement *statement)
{
	return read_update_target_by_text(walk, statement, BY_MESSAGE);
}

/* What ModSecurity v3 takes, and changes nothing by. */
static void tell_unchanged(struct compiler *c, const struct draft *draft)
{
	const struct rule *rule = &draft->rule;
	const struct {
		bool given;
		const char *name;
	} rows[] = {
		{rule->accuracy != 0, "accuracy"},     {rule->capture, "capture"},
		{rule->maturity != 0, "maturity"},     {rule->multi_match, "multiMatch"},
		{rule->revision.len > 0, "rev"},       {rule->version.len > 0, "ver"},
		{draft->namespace_count > 0, "xmlns"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].given)
			diagnostics_add(c->diagnostics, DIAGNOSTIC_WARNING, source_place(c->source, c->word),
					"remove the rule, and write it anew under another id",
					"%s of a rule is not changed by an update", rows[i].name);
}

int exclusion_read_update_action_by_id(struct walk *walk, const struct statement *statement)
{
	struct compiler *c = &walk->compiler;
	struct exclusion exclusion = {.kind = EXCLUSION_UPDATE_ACTION, .by = BY_ID};
	if (statement->word_count != 3)
		return directive_wrong_count(walk, statement, "SecRuleUpdateActionById ID \"ACTIONS\"");
	if (!parse_id_range(statement->words[1].text, &exclusion.ids))
		return bad_ids(walk, &statement->words[1]);
	exclusion.actions = arena_zalloc(c->arena, 1, sizeof(*exclusion.actions));
	if (exclusion.actions == NULL)
		return -ENOMEM;
	*exclusion.actions = draft_begin(RULE_ACTION);
	c->word = &statement->words[2];
	int r = actions_parse(c, exclusion.actions);
	const struct draft *draft = exclusion.actions;
	if (r == 0 && (draft->rule.id != 0 || draft->has_chain || draft->has_phase))
		r = compiler_error(c, 0, NULL, "the id, phase and chain of a rule cannot be changed");
	if (r == 0)
		tell_unchanged(c, draft);
	return r != 0 ? r : exclusion_add(walk, statement, exclusion);
}
