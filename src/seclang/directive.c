/*
 * A table of those that make rules or include files; all others are settings (setting.c). A rule is drafted, checked,
 * finished, then placed behind the open chain or at the unit's end. A wrong statement does not end the walk.
 */
#include "seclang/directive.h"

#include "base/file.h"
#include "seclang/exclusion.h"

#include <errno.h>
#include <glob.h>

enum { SHOWN_BYTES = 64 /* of an unknown directive, which may be anything */ };

typedef int directive_fn(struct walk *walk, const struct statement *statement);

static int link_check(struct walk *walk, const struct draft *draft)
{
	struct compiler *c = &walk->compiler;
	if (draft->rule.disruptive != DISRUPTIVE_NONE)
		return compiler_error(c, 0, "put it on the first rule of the chain",
				      "a disruptive action on a link of a chain");
	if (walk->last->chain_depth + 1 == CHAIN_RULES_MAX)
		return compiler_error(c, 0, NULL, "a chain of more than %d rules", CHAIN_RULES_MAX);
	return 0;
}

static int head_check(struct walk *walk, const struct draft *draft)
{
	struct compiler *c = &walk->compiler;
	if (draft->rule.id == 0)
		return compiler_error(c, 0, "add id:NUMBER to its actions", "a rule without an id");
	const struct rule *other = id_table_find(&walk->ids, draft->rule.id);
	if (other != NULL)
		return compiler_error(c, 0, NULL, "the id %lld is used already, at %s:%u", (long long)other->id,
				      other->file, other->line);
	return 0;
}

static int rule_append(struct walk *walk, struct rule *rule)
{
	struct seclang_unit *unit = walk->unit;
	int r = compiler_grow(&walk->compiler, (void **)&unit->rules, &unit->rule_capacity, unit->rule_count,
			      sizeof(*unit->rules));
	if (r == 0)
		unit->rules[unit->rule_count++] = rule;
	return r;
}

/* Puts a finished rule where it belongs: behind the last link of an open chain, or at the end of the unit. */
static int rule_place(struct walk *walk, struct rule *rule, const struct draft *draft, const struct word *word)
{
	const struct rule *other;
	int r = 0;
	if (walk->chain_open) {
		walk->last->next_link = rule;
	} else {
		r = rule_append(walk, rule);
		r = r != 0 ? r : id_table_add(&walk->ids, rule, &other);
		walk->head = rule;
	}
	if (r != 0)
		return r;
	walk->last = rule;
	walk->chain_open = draft->has_chain;
	walk->chain_place = source_place(walk->compiler.source, word);
	walk->unit->link_count++;
	return 0;
}

static int rule_add(struct walk *walk, struct draft *draft, const struct word *word)
{
	struct compiler *c = &walk->compiler;
	c->word = word;
	draft->rule.line = word->line;
	draft->rule.file = c->source->file;
	draft->rule.unit = &walk->unit->shared;
	draft->rule.chain_depth = walk->chain_open ? (uint8_t)(walk->last->chain_depth + 1) : 0;
	int r = walk->chain_open ? link_check(walk, draft) : head_check(walk, draft);
	uint8_t phase = walk->chain_open ? walk->head->phase : draft->rule.phase;
	struct rule *rule = NULL;
	if (r == 0)
		r = draft_finish(c, draft, &walk->phases->phases[phase], walk->chain_open ? walk->head : NULL, &rule);
	return r != 0 ? r : rule_place(walk, rule, draft, word);
}

static int read_rule(struct walk *walk, const struct statement *statement)
{
	struct compiler *c = &walk->compiler;
	struct draft draft = draft_begin(RULE_OPERATOR);
	c->word = &statement->words[0];
	if (statement->word_count < 3)
		return compiler_error(c, 0, "SecRule VARIABLES \"OPERATOR\" \"ACTIONS\"",
				      "SecRule wants variables, an operator and actions");
	if (statement->word_count > 4)
		return compiler_error(c, 0, "put the operator and the actions in double quotes",
				      "SecRule takes three arguments");
	c->word = &statement->words[1];
	int r = targets_parse(c, c->word->text, 0, &draft.targets);
	c->word = &statement->words[2];
	int r2 = operation_parse(c, c->word->text, &draft.rule.operation);
	int r3 = 0;
	if (statement->word_count == 4) {
		c->word = &statement->words[3];
		r3 = actions_parse(c, &draft);
	}
	r = r != 0 ? r : r2 != 0 ? r2 : r3;
	return r != 0 ? r : rule_add(walk, &draft, &statement->words[0]);
}

static int read_action(struct walk *walk, const struct statement *statement)
{
	struct compiler *c = &walk->compiler;
	struct draft draft = draft_begin(RULE_ACTION);
	c->word = &statement->words[0];
	if (statement->word_count != 2)
		return compiler_error(c, 0, "SecAction \"ACTIONS\"", "SecAction wants one list of actions");
	c->word = &statement->words[1];
	int r = actions_parse(c, &draft);
	return r != 0 ? r : rule_add(walk, &draft, &statement->words[0]);
}

static int read_marker(struct walk *walk, const struct statement *statement)
{
	struct compiler *c = &walk->compiler;
	c->word = &statement->words[0];
	if (statement->word_count != 2)
		return compiler_error(c, 0, NULL, "SecMarker wants one name");
	struct rule *rule = arena_zalloc(c->arena, 1, sizeof(*rule));
	if (rule == NULL)
		return -ENOMEM;
	*rule = (struct rule){.kind = RULE_MARKER,
			      .severity = SEVERITY_UNSET,
			      .file = c->source->file,
			      .line = c->word->line,
			      .unit = &walk->unit->shared};
	int r = compiler_copy(c, statement->words[1].text, &rule->marker);
	return r != 0 ? r : rule_append(walk, rule);
}

static int read_default_action(struct walk *walk, const struct statement *statement)
{
	struct compiler *c = &walk->compiler;
	struct draft draft = draft_begin(RULE_ACTION);
	c->word = &statement->words[0];
	if (statement->word_count != 2)
		return compiler_error(c, 0, "SecDefaultAction \"phase:2,log,auditlog,pass\"",
				      "SecDefaultAction wants one list of actions");
	c->word = &statement->words[1];
	int r = actions_parse(c, &draft);
	if (r != 0)
		return r;
	if (!draft.has_phase || draft.rule.disruptive == DISRUPTIVE_NONE)
		return compiler_error(c, 0, "for example \"phase:2,log,auditlog,pass\"",
				      "SecDefaultAction wants a phase and a disruptive action");
	if (draft.rule.id != 0 || draft.has_chain || draft.transforms_reset)
		return compiler_error(c, 0, NULL, "id, chain and t:none cannot be defaults");
	struct phase_defaults *defaults = &walk->phases->phases[draft.rule.phase];
	if (defaults->given && defaults->unit == walk->unit)
		return compiler_error(c, 0, NULL, "phase %u has a SecDefaultAction already", draft.rule.phase);
	*defaults = (struct phase_defaults){
		.given = true,
		.unit = walk->unit,
		.transforms = draft.transforms,
		.log = draft.log,
		.audit_log = draft.audit_log,
		.disruptive = draft.rule.disruptive,
		.status = draft.rule.status,
		.redirect_url = draft.rule.redirect_url,
	};
	return compiler_copy(c, statement->words[1].text, &defaults->text);
}

int directive_wrong_count(struct walk *walk, const struct statement *statement, const char *form)
{
	walk->compiler.word = &statement->words[0];
	return compiler_error(&walk->compiler, 0, form, "wrong number of arguments");
}

static int include_paths(struct walk *walk, const struct statement *statement, bool optional)
{
	struct compiler *c = &walk->compiler;
	const struct word *word = &statement->words[1];
	char *pattern = compiler_path(c, word->text);
	if (pattern == NULL)
		return -ENOMEM;
	glob_t found = {0};
	int outcome = glob(pattern, GLOB_ERR, NULL, &found); /* sorted */
	c->word = word;
	int r = outcome == 0 || outcome == GLOB_NOMATCH
			? dependencies_add_pattern(&c->dependencies, c->arena, pattern, &found)
			: 0;
	if (r == 0 && outcome == GLOB_NOMATCH && !optional && strpbrk(pattern, "*?[") == NULL)
		r = compiler_error(c, 0, "a relative name is looked for beside the file that names it",
				   "%s: no such file", pattern);
	else if (outcome == GLOB_NOMATCH && !optional)
		compiler_warning(c, 0, "IncludeOptional says nothing about it", "no file matches %s", pattern);
	else if (outcome != 0 && outcome != GLOB_NOMATCH)
		r = outcome == GLOB_NOSPACE ? -ENOMEM : compiler_error(c, 0, NULL, "%s: cannot be read", pattern);
	struct source_place place = source_place(c->source, word);
	for (size_t i = 0; outcome == 0 && i < found.gl_pathc && r != -ENOMEM; i++) {
		int one = walk_file(walk, found.gl_pathv[i], &place);
		r = one != 0 ? one : r;
	}
	globfree(&found);
	return r;
}

static int read_include(struct walk *walk, const struct statement *statement)
{
	if (statement->word_count != 2)
		return directive_wrong_count(walk, statement, "Include FILE");
	return include_paths(walk, statement, false);
}

static int read_include_optional(struct walk *walk, const struct statement *statement)
{
	if (statement->word_count != 2)
		return directive_wrong_count(walk, statement, "IncludeOptional FILE");
	return include_paths(walk, statement, true);
}

static const struct directive_row {
	const char *name;
	directive_fn *read;
} rows[] = {
	{"Include", read_include},
	{"IncludeOptional", read_include_optional},
	{"SecAction", read_action},
	{"SecDefaultAction", read_default_action},
	{"SecMarker", read_marker},
	{"SecRule", read_rule},
	{"SecRuleRemoveById", exclusion_read_remove_by_id},
	{"SecRuleRemoveByMsg", exclusion_read_remove_by_message},
	{"SecRuleRemoveByTag", exclusion_read_remove_by_tag},
	{"SecRuleUpdateActionById", exclusion_read_update_action_by_id},
	{"SecRuleUpdateTargetById", exclusion_read_update_target_by_id},
	{"SecRuleUpdateTargetByMsg", exclusion_read_update_target_by_message},
	{"SecRuleUpdateTargetByTag", exclusion_read_update_target_by_tag},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static const char *directive_name_at(size_t index)
{
	return index < ROW_COUNT ? rows[index].name : setting_name_at(index - ROW_COUNT);
}

static int directive_unknown(struct compiler *c, const struct word *word)
{
	const char *hint = compiler_suggest(c, word->text, directive_name_at, "");
	c->word = word;
	if (slice_starts_with(word->text, SLICE("<")))
		return compiler_error(c, 0, "take the lines in <> away, and keep what is between them",
				      "sections are Apache's, not SecLang's");
	return compiler_error(c, 0, hint, "unknown directive \"%.*s\"",
			      SLICE_ARG(slice_sub(word->text, 0, SHOWN_BYTES)));
}

static int setting_add(struct walk *walk, const struct setting_row *row, const struct statement *statement)
{
	struct seclang_unit *unit = walk->unit;
	struct setting setting;
	int r = setting_parse(&walk->compiler, row, statement, &setting);
	if (r != 0 || setting.row == NULL)
		return r;
	r = compiler_grow(&walk->compiler, (void **)&unit->settings, &unit->setting_capacity, unit->setting_count,
			  sizeof(setting));
	if (r == 0)
		unit->settings[unit->setting_count++] = setting;
	return r;
}

static int walk_statement(struct walk *walk, const struct statement *statement)
{
	struct compiler *c = &walk->compiler;
	const struct word *name = &statement->words[0];
	c->word = name;
	if (statement->unterminated) {
		c->word = &statement->words[statement->word_count - 1];
		return compiler_error(c, 0, NULL, "a double quote is not closed");
	}
	if (statement->overflow)
		return compiler_error(c, 0, "put arguments with spaces in double quotes", "too many arguments");
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (slice_equal_nocase(name->text, slice_from_string(rows[i].name)))
			return rows[i].read(walk, statement);
	const struct setting_row *row = setting_find(name->text);
	return row == NULL ? directive_unknown(c, name) : setting_add(walk, row, statement);
}

int walk_text(struct walk *walk, struct slice text, const char *file, unsigned first_line)
{
	struct source source = source_make(text, file, first_line);
	const struct source *outer = walk->compiler.source;
	int result = 0, r;
	do {
		struct statement statement;
		walk->compiler.source = &source;
		r = source_next(&source, walk->compiler.arena, &statement);
		if (r != 1)
			break;
		int one = walk_statement(walk, &statement);
		if (one != 0)
			result = one;
	} while (result != -ENOMEM);
	walk->compiler.source = outer;
	return r < 0 ? r : result;
}

static int walk_refuse(struct walk *walk, const struct source_place *place, const char *path, const char *why)
{
	struct source_place nowhere = {"", 0, 0, {0}};
	diagnostics_add(walk->compiler.diagnostics, DIAGNOSTIC_ERROR, place == NULL ? nowhere : *place, NULL, "%s: %s",
			path, why);
	return -EINVAL;
}

static int walk_content(struct walk *walk, const char *name, struct slice content)
{
	int r = dependencies_add_file(&walk->compiler.dependencies, walk->compiler.arena, name, content);
	if (r != 0)
		return r;
	walk->compiler.files++;
	walk->including[walk->depth++] = name;
	r = walk_text(walk, content, name, 1);
	walk->depth--;
	/* A chain left open is told of at the end of all files, when this one's text has gone. */
	struct slice *line = &walk->chain_place.source_line;
	return walk->chain_open && arena_copy(walk->compiler.arena, *line, line) != 0 ? -ENOMEM : r;
}

int walk_file(struct walk *walk, const char *path, const struct source_place *place)
{
	for (size_t i = 0; i < walk->depth; i++)
		if (strcmp(walk->including[i], path) == 0)
			return walk_refuse(walk, place, path, "the file includes itself");
	if (walk->depth == INCLUDE_DEPTH_MAX)
		return walk_refuse(walk, place, path, "files are included too deeply");
	if (walk->compiler.files >= INCLUDE_FILES_MAX)
		return walk_refuse(walk, place, path, "too many files are included");
	struct buffer content = buffer_make(NULL);
	char *name = arena_string(walk->compiler.arena, slice_from_string(path));
	int r = name == NULL ? -ENOMEM : file_read(path, DEPENDENCY_FILE_BYTES, &content);
	if (r == 0)
		r = walk_content(walk, name, buffer_slice(&content));
	else if (r != -ENOMEM)
		r = walk_refuse(walk, place, path, strerror(-r));
	buffer_free(&content);
	return r;
}

int walk_end(struct walk *walk)
{
	if (!walk->chain_open)
		return 0;
	diagnostics_add(walk->compiler.diagnostics, DIAGNOSTIC_ERROR, walk->chain_place,
			"remove `chain`, or add the rule that it announces", "the chain has no further rule");
	return -EINVAL;
}
