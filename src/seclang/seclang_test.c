/*
 * The compiler from outside: cases/bad.txt and noted.txt hold what is said about rules, cases/golden.conf what is
 * right and golden.ok what it compiles to. UPDATE=1 in the environment rewrites the expectations, to be read over.
 */
#include "base/file.h"
#include "base/test.h"
#include "seclang/compile.h"
#include "seclang/dump.h"

#include <errno.h>

struct compiled {
	struct pool *pool;
	struct arena arena;
	struct diagnostics diagnostics;
	struct ruleset ruleset;
	struct seclang_counts counts;
	int result;
};

static void compile(struct compiled *c, bool is_file, const char *text)
{
	struct seclang_source source = {.is_file = is_file, .text = text, .name = "rules.conf", .line = 1};
	*c = (struct compiled){0};
	diagnostics_init(&c->diagnostics);
	arena_init(&c->arena, SIZE_MAX / 2, 0);
	assert_int_equal(pool_create(NULL, &c->pool), 0);
	c->result = seclang_compile(c->pool, &source, 1, &c->diagnostics, &c->arena, &c->ruleset, &c->counts);
}

static void compiled_free(struct compiled *c)
{
	arena_destroy(&c->arena);
	diagnostics_destroy(&c->diagnostics);
	pool_free(c->pool);
}

/* "line:column: severity: message | hint" of each, between " && ". */
static void said(const struct diagnostics *list, struct buffer *out)
{
	static const char *const severities[] = {"note", "warning", "error"};
	for (const struct diagnostic *d = list->first; d != NULL; d = d->next) {
		buffer_printf(out, "%s%u:%u: %s: %s", d == list->first ? "" : " && ", d->line, d->column,
			      severities[d->severity], d->message);
		if (d->hint[0] != '\0')
			buffer_printf(out, " | %s", d->hint);
	}
}

static void unescape(struct slice line, struct buffer *out)
{
	for (size_t i = 0; i < line.len; i++) {
		bool newline = line.ptr[i] == '\\' && i + 1 < line.len && line.ptr[i + 1] == 'n';
		bool backslash = line.ptr[i] == '\\' && i + 1 < line.len && line.ptr[i + 1] == '\\';
		buffer_byte(out, newline ? '\n' : line.ptr[i]);
		i += newline || backslash;
	}
	buffer_byte(out, '\0');
}

static bool updating(void)
{
	return getenv("UPDATE") != NULL;
}

/* Checks one case; appends it, with what is said now, to `updated`. True if it is as expected. */
static bool check_told(struct slice line, int result, unsigned number, struct buffer *updated)
{
	struct slice rules;
	struct slice expected = slice_cut(line, '\t', &rules);
	struct buffer text = buffer_make(NULL);
	struct buffer got = buffer_make(NULL);
	struct compiled c;
	unescape(rules, &text);
	compile(&c, false, (const char *)text.ptr);
	said(&c.diagnostics, &got);
	bool same = slice_equal(buffer_slice(&got), expected) && c.result == result;
	if (!same && !updating())
		print_message("# line %u: %.*s\n#   expected %.*s\n#   got      %.*s (%d)\n", number, SLICE_ARG(rules),
			      SLICE_ARG(expected), SLICE_ARG(buffer_slice(&got)), c.result);
	buffer_add(updated, rules);
	buffer_byte(updated, '\t');
	buffer_add(updated, buffer_slice(&got));
	buffer_byte(updated, '\n');
	compiled_free(&c);
	buffer_free(&text);
	buffer_free(&got);
	return same;
}

static void check_file(const char *path, int result, size_t at_least)
{
	struct buffer content = buffer_make(NULL);
	struct buffer updated = buffer_make(NULL);
	size_t cases = 0;
	size_t wrong = 0;
	unsigned number = 0;
	assert_int_equal(file_read(path, 1 << 20, &content), 0);
	for (struct slice rest = buffer_slice(&content), line; rest.len > 0;) {
		rest = slice_cut(rest, '\n', &line);
		number++;
		if (line.len == 0 || line.ptr[0] == '#') {
			buffer_add(&updated, line);
			buffer_byte(&updated, '\n');
			continue;
		}
		cases++;
		wrong += !check_told(line, result, number, &updated);
	}
	if (updating())
		assert_int_equal(file_replace(path, buffer_slice(&updated), 0644), 0);
	else
		assert_int_equal(wrong, 0);
	assert_true(cases >= at_least);
	buffer_free(&content);
	buffer_free(&updated);
}

static void bad_input_is_told(void **state)
{
	(void)state;
	check_file("src/seclang/cases/bad.txt", -EINVAL, 120);
	check_file("src/seclang/cases/noted.txt", 0, 10);
}

/* The file's text has gone when it turns out that a chain has no end. */
static void open_chain_shows_its_line(void **state)
{
	(void)state;
	char path[] = "/tmp/guia-seclang-XXXXXX";
	struct compiled c;
	close(mkstemp(path));
	assert_int_equal(file_replace(path, SLICE("\nSecRule ARGS \"@rx a\" \"id:1,chain\"\n"), 0600), 0);
	compile(&c, true, path);
	assert_int_equal(c.result, -EINVAL);
	assert_int_equal(c.diagnostics.first->line, 2);
	assert_string_equal(c.diagnostics.first->source_line, "SecRule ARGS \"@rx a\" \"id:1,chain\"");
	compiled_free(&c);
	unlink(path);
}

/* In the order in which they are written, each on what those before have left. */
static void exclusions_of_one_rule_add_up(void **state)
{
	(void)state;
	struct compiled c;
	compile(&c, false,
		"SecRule ARGS \"@rx a\" \"id:1,msg:'old',chain\"\n"
		"SecRule ARGS \"@rx b\" \"tag:'inner'\"\n"
		"SecRule ARGS \"@rx c\" \"id:2,msg:'old'\"\n"
		"SecRule ARGS \"@rx d\" \"id:3,msg:'old'\"\n"
		"SecRuleUpdateTargetById 1 !ARGS:x\n"
		"SecRuleUpdateTargetByTag inner \"!ARGS:z|REQUEST_URI\"\n"
		"SecRuleUpdateTargetById 1 \"!ARGS:y\"\n"
		"SecRuleUpdateActionById 2 \"msg:'new'\"\n"
		"SecRuleUpdateTargetByMsg new \"!ARGS:w\"\n"
		"SecRuleRemoveByMsg new\n"
		"SecRuleRemoveById 3\n");
	assert_int_equal(c.result, 0);
	assert_int_equal(c.counts.removed, 2);
	assert_int_equal(c.ruleset.rule_count, 1);
	const struct rule *rule = c.ruleset.rules[0];
	assert_int_equal(rule->target_count, 3);
	assert_slice(rule->targets[1].selector, "x");
	assert_slice(rule->targets[2].selector, "y");
	assert_int_equal(rule->next_link->target_count, 3);
	assert_slice(rule->next_link->targets[1].selector, "z");
	assert_int_equal(rule->next_link->targets[2].variable, VARIABLE_REQUEST_URI);
	compiled_free(&c);
}

static void a_mode_may_be_given_back_to_its_default(void **state)
{
	(void)state;
	struct compiled c;
	compile(&c, false,
		"SecAuditLogDirMode 0700\nSecAuditLogFileMode 0600\nSecUploadFileMode 0660\n"
		"SecAuditLogDirMode default\nSecAuditLogFileMode default\nSecUploadFileMode Default\n");
	assert_int_equal(c.result, 0);
	assert_int_equal(c.ruleset.settings.audit_dir_mode, 0750);
	assert_int_equal(c.ruleset.settings.audit_file_mode, 0640);
	assert_int_equal(c.ruleset.settings.upload_file_mode, 0600);
	compiled_free(&c);
}

static void more_sources_than_are_taken_are_refused(void **state)
{
	(void)state;
	enum { MOST = 64 };
	struct seclang_source sources[MOST + 1];
	for (size_t i = 0; i <= MOST; i++)
		sources[i] = (struct seclang_source){.text = "SecRuleEngine On\n", .name = "site.conf", .line = 7};
	struct compiled c;
	compile(&c, false, "");
	assert_int_equal(c.result, 0);
	c.result = seclang_compile(c.pool, sources, MOST + 1, &c.diagnostics, &c.arena, &c.ruleset, &c.counts);
	assert_int_equal(c.result, -EINVAL);
	struct buffer got = buffer_make(NULL);
	said(&c.diagnostics, &got);
	buffer_byte(&got, '\0');
	assert_string_equal((const char *)got.ptr, "7:0: error: more than 64 files and blocks of rules are given | "
						   "put some into one file, which includes the others");
	assert_int_equal(seclang_compile(c.pool, sources, MOST, &c.diagnostics, &c.arena, &c.ruleset, &c.counts), 0);
	buffer_free(&got);
	compiled_free(&c);
}

/* Files that rules name count with those that are included. */
static void more_files_than_are_taken_are_refused(void **state)
{
	(void)state;
	enum { MOST = 10000 };
	char folder[] = "/tmp/guia-seclang-test-XXXXXX", map[64], rules[64];
	assert_non_null(mkdtemp(folder));
	snprintf(map, sizeof(map), "%s/map", folder);
	snprintf(rules, sizeof(rules), "%s/rules.conf", folder);
	assert_int_equal(file_replace(map, SLICE("20127 (US-ASCII)\n00a1:21\n"), 0644), 0);
	assert_int_equal(file_replace(rules, SLICE("SecRuleEngine On\n"), 0644), 0);
	struct buffer text = buffer_make(NULL), got = buffer_make(NULL);
	for (int i = 0; i <= MOST; i++)
		buffer_printf(&text, "SecUnicodeMapFile %s 20127\n", map);
	buffer_printf(&text, "Include %s\n", rules);
	buffer_byte(&text, '\0');
	struct compiled c;
	compile(&c, false, (const char *)text.ptr);
	said(&c.diagnostics, &got);
	buffer_byte(&got, '\0');
	assert_int_equal(c.result, -EINVAL);
	assert_non_null(strstr((const char *)got.ptr, "too many files are included"));
	compiled_free(&c);
	buffer_free(&text);
	buffer_free(&got);
	unlink(map);
	unlink(rules);
	assert_int_equal(rmdir(folder), 0);
}

static void check_golden(const char *rules, const char *path)
{
	struct buffer expected = buffer_make(NULL);
	struct buffer got = buffer_make(NULL);
	struct compiled c;
	compile(&c, true, rules);
	said(&c.diagnostics, &got);
	assert_int_equal(c.result, 0);
	assert_slice(buffer_slice(&got), "");
	ruleset_dump(&c.ruleset, &got);
	if (updating())
		assert_int_equal(file_replace(path, buffer_slice(&got), 0644), 0);
	assert_int_equal(file_read(path, 1 << 20, &expected), 0);
	bool same = slice_equal(buffer_slice(&got), buffer_slice(&expected));
	if (!same)
		assert_int_equal(file_replace("build/golden.got", buffer_slice(&got), 0644), 0);
	assert_true(same);
	compiled_free(&c);
	buffer_free(&expected);
	buffer_free(&got);
}

static void golden_rules_compile_to_this(void **state)
{
	(void)state;
	check_golden("src/seclang/cases/golden.conf", "src/seclang/cases/golden.ok");
	check_golden("src/seclang/cases/every.conf", "src/seclang/cases/every.ok");
}

static void changed_file_is_compiled_anew(void **state)
{
	(void)state;
	char folder[] = "/tmp/guia-seclang-XXXXXX";
	char outer[64];
	char inner[64];
	struct compiled c;
	struct ruleset again;
	assert_non_null(mkdtemp(folder));
	snprintf(outer, sizeof(outer), "%s/a.conf", folder);
	snprintf(inner, sizeof(inner), "%s/b.conf", folder);
	assert_int_equal(file_replace(outer, SLICE("Include *b.conf\n"), 0600), 0);
	assert_int_equal(file_replace(inner, SLICE("SecRule ARGS a id:1\n"), 0600), 0);
	struct seclang_source source = {.is_file = true, .text = outer, .name = "", .line = 1};
	compile(&c, true, outer);
	assert_int_equal(c.result, 0);
	assert_int_equal(seclang_compile(c.pool, &source, 1, &c.diagnostics, &c.arena, &again, &c.counts), 0);
	assert_ptr_equal(again.rules[0]->unit, c.ruleset.rules[0]->unit);
	assert_int_equal(file_replace(inner, SLICE("SecRule ARGS b id:2\n"), 0600), 0);
	assert_int_equal(seclang_compile(c.pool, &source, 1, &c.diagnostics, &c.arena, &again, &c.counts), 0);
	assert_int_equal(again.rules[0]->id, 2);
	assert_int_equal(c.ruleset.rules[0]->id, 1);
	unlink(inner);
	unlink(outer);
	rmdir(folder);
	compiled_free(&c);
}

/* What one site adds: exclusions, a threshold and a rule of its own. */
static void site_text(struct buffer *out, int site)
{
	buffer_clear(out);
	for (int i = 0; i < 20; i++)
		buffer_printf(out, "SecRuleUpdateTargetById %d \"!ARGS:site%d_%d\"\n", 1000 + (site + i) % 200, site,
			      i);
	buffer_printf(out, "SecRule ARGS \"@rx ^site%d$\" \"id:9%03d,phase:2,deny\"\n", site, site);
	buffer_printf(out, "SecRuleRemoveById %d\n", 1000 + site);
	buffer_byte(out, '\0');
}

static void sites_share_what_is_equal(void **state)
{
	(void)state;
	enum { SITES = 100, RULES = 200 };
	struct buffer common = buffer_make(NULL);
	struct buffer own = buffer_make(NULL);
	for (int i = 0; i < RULES; i++)
		buffer_printf(&common, "SecRule ARGS|ARGS_NAMES \"@rx word%d[0-9]+\" \"id:%d,phase:2,deny\"\n", i,
			      1000 + i);
	buffer_byte(&common, '\0');
	struct compiled c;
	compile(&c, false, (const char *)common.ptr);
	assert_int_equal(c.result, 0);
	const struct scan_set *shared = c.ruleset.rules[0]->unit->scan_groups[0].set;
	for (int site = 0; site < SITES; site++) {
		site_text(&own, site);
		struct seclang_source sources[] = {
			{.text = (const char *)common.ptr, .name = "rules.conf", .line = 1},
			{.text = (const char *)own.ptr, .name = "site", .line = 1},
		};
		struct ruleset ruleset;
		struct arena arena;
		arena_init(&arena, SIZE_MAX / 2, 0);
		assert_int_equal(seclang_compile(c.pool, sources, 2, &c.diagnostics, &arena, &ruleset, &c.counts), 0);
		assert_int_equal(c.counts.removed, 1);
		assert_int_equal(c.counts.patterns, RULES + 1);
		assert_ptr_equal(ruleset.rules[0]->unit->scan_groups[0].set, shared);
		assert_true(arena_used_bytes(&arena) < 128 * 1024);
		arena_destroy(&arena);
	}
	compiled_free(&c);
	buffer_free(&common);
	buffer_free(&own);
}

/* Hyperscan would take minutes. */
static void long_lists_of_phrases_are_not_scanned(void **state)
{
	(void)state;
	enum { SCANNED = 4000 };
	for (int count = SCANNED; count <= SCANNED + 1; count++) {
		struct buffer text = buffer_make(NULL);
		struct compiled c;
		buffer_text(&text, "SecRuleEngine On\nSecRule ARGS \"@pm");
		for (int i = 0; i < count; i++)
			buffer_printf(&text, " %x", 0x100 + i);
		buffer_text(&text, "\" id:1\n");
		buffer_byte(&text, '\0');
		compile(&c, false, (const char *)text.ptr);
		assert_int_equal(c.result, 0);
		assert_int_equal(c.counts.databases, count > SCANNED ? 0 : 1);
		compiled_free(&c);
		buffer_free(&text);
	}
}

static void chains_have_an_end(void **state)
{
	(void)state;
	enum { RULES = 64 };
	for (int rules = RULES; rules <= RULES + 1; rules++) {
		struct buffer text = buffer_make(NULL);
		struct compiled c;
		buffer_text(&text, "SecRule ARGS a id:1,chain\n");
		for (int i = 2; i < rules; i++)
			buffer_text(&text, "SecRule ARGS a chain\n");
		buffer_text(&text, "SecRule ARGS a\n");
		buffer_byte(&text, '\0');
		compile(&c, false, (const char *)text.ptr);
		assert_int_equal(c.result, rules > RULES ? -EINVAL : 0);
		if (rules > RULES)
			assert_string_equal(c.diagnostics.first->message, "a chain of more than 64 rules");
		compiled_free(&c);
		buffer_free(&text);
	}
}

/* Ten files that include the next ten times: a hundred million readings of an empty one. */
static void includes_have_an_end(void **state)
{
	(void)state;
	enum { FILES = 9 };
	char folder[] = "/tmp/guia-seclang-XXXXXX", path[64];
	struct compiled c;
	assert_non_null(mkdtemp(folder));
	for (int i = 0; i < FILES; i++) {
		struct buffer text = buffer_make(NULL);
		for (int j = 0; j < 10 && i + 1 < FILES; j++)
			buffer_printf(&text, "Include %d.conf\n", i + 1);
		snprintf(path, sizeof(path), "%s/%d.conf", folder, i);
		assert_int_equal(file_replace_volatile(path, buffer_slice(&text), 0600), 0);
		buffer_free(&text);
	}
	snprintf(path, sizeof(path), "%s/0.conf", folder);
	compile(&c, true, path);
	assert_int_equal(c.result, -EINVAL);
	assert_true(
		slice_ends_with(slice_from_string(c.diagnostics.first->message), SLICE("too many files are included")));
	compiled_free(&c);
	for (int i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "%s/%d.conf", folder, i);
		unlink(path);
	}
	rmdir(folder);
}

TEST_MAIN(cmocka_unit_test(bad_input_is_told), cmocka_unit_test(open_chain_shows_its_line),
	  cmocka_unit_test(exclusions_of_one_rule_add_up), cmocka_unit_test(a_mode_may_be_given_back_to_its_default),
	  cmocka_unit_test(more_sources_than_are_taken_are_refused),
	  cmocka_unit_test(more_files_than_are_taken_are_refused), cmocka_unit_test(golden_rules_compile_to_this),
	  cmocka_unit_test(changed_file_is_compiled_anew), cmocka_unit_test(sites_share_what_is_equal),
	  cmocka_unit_test(long_lists_of_phrases_are_not_scanned), cmocka_unit_test(chains_have_an_end),
	  cmocka_unit_test(includes_have_an_end))
