/*
 * An entry becomes one override for each of its tests. Its `output` is read once when it is loaded, only to be checked,
 * and again over each stage of the test that it is for.
 */
#include "ftw/overrides.h"

#include "base/error.h"
#include "base/file.h"
#include "base/vector.h"

enum {
	FILE_LIMIT_BYTES = 4 << 20,
};

struct source {
	struct diagnostics *diagnostics;
	const char *file;
	struct slice text;
};

static int fault(const struct source *s, const struct yaml_node *node, const char *message)
{
	diagnostics_add(s->diagnostics, DIAGNOSTIC_ERROR, yaml_key_place(node, s->file, s->text),
			"test_overrides: [{rule_id: 920100, test_ids: [4], reason: why, output: {status: 400}}]", "%s",
			message);
	return FTW_INVALID;
}

static const char *test_name(struct arena *arena, struct slice rule, struct slice test)
{
	struct buffer name = buffer_make(arena);
	buffer_add(&name, rule);
	buffer_byte(&name, '-');
	buffer_add(&name, test);
	buffer_byte(&name, '\0');
	return name.error == 0 ? (const char *)name.ptr : NULL;
}

static int add(struct ftw_overrides *o, struct ftw_override item)
{
	if (item.id == NULL || vector_grow((void **)&o->items, &o->capacity, o->count, sizeof(*o->items)) != 0)
		return -ENOMEM;
	o->items[o->count++] = item;
	return 0;
}

static bool is_text(const struct yaml_node *node)
{
	return node != NULL && node->kind == YAML_SCALAR;
}

/* What expects nothing would make of each of its tests one that cannot fail. */
static int read_output(const struct source *s, const struct yaml_node *output, struct arena *arena)
{
	struct ftw_output scratch = {0};
	int r = ftw_output_check(output, arena, s->diagnostics, s->file, s->text);
	if (r == 0 && output != NULL && output->first == NULL)
		return fault(s, output, "`output` says nothing");
	if (r != 0)
		return r;
	r = ftw_output_read(output, arena, &scratch);
	return r <= 0 ? r : fault(s, output, "a value under `output` is not of the form it should have");
}

static int read_entry(const struct source *s, const struct yaml_node *node, struct ftw_overrides *overrides)
{
	const struct yaml_node *rule = yaml_get(node, "rule_id");
	const struct yaml_node *tests = yaml_get(node, "test_ids");
	const struct yaml_node *reason = yaml_get(node, "reason");
	const struct yaml_node *ignore = yaml_get(node, "ignore");
	struct ftw_override item = {.output = yaml_get(node, "output")};
	if (!is_text(rule) || tests == NULL || tests->kind != YAML_LIST)
		return fault(s, node, "an override needs a `rule_id` and a list of `test_ids`");
	if (!is_text(reason) || reason->text.len == 0)
		return fault(s, node, "an override needs a `reason`");
	if (ignore != NULL && yaml_bool(ignore, &item.ignore) != 0)
		return fault(s, ignore, "`ignore` must be true or false");
	int r = read_output(s, item.output, overrides->arena);
	if (r != 0)
		return r;
	item.reason = arena_string(overrides->arena, reason->text);
	if (item.reason == NULL)
		return -ENOMEM;
	for (const struct yaml_node *test = tests->first; test != NULL && r == 0; test = test->next) {
		item.id = test_name(overrides->arena, rule->text, test->text);
		r = add(overrides, item);
	}
	return r;
}

int ftw_overrides_load(const char *path, struct diagnostics *diagnostics, struct ftw_overrides *overrides)
{
	struct buffer text = buffer_make(overrides->arena);
	int r = file_read(path, FILE_LIMIT_BYTES, &text);
	if (r != 0)
		return r;
	struct yaml_node *root = NULL;
	struct source source = {diagnostics, path, buffer_slice(&text)};
	r = yaml_parse(source.text, path, overrides->arena, diagnostics, &root);
	if (r != 0)
		return r < 0 ? r : FTW_INVALID;
	const struct yaml_node *list = yaml_get(root, "test_overrides");
	if (root != NULL && (list == NULL || list->kind != YAML_LIST))
		return fault(&source, root, "no list of `test_overrides`");
	for (const struct yaml_node *node = list != NULL ? list->first : NULL; node != NULL && r == 0;
	     node = node->next)
		r = read_entry(&source, node, overrides);
	return r;
}

static int apply(const struct ftw_override *item, struct arena *arena, struct ftw_test *test)
{
	if (item->ignore) {
		test->skipped = true;
		test->skip_reason = item->reason;
	}
	for (struct ftw_stage *stage = test->stages; stage != NULL && item->output != NULL; stage = stage->next) {
		if (stage->override == NULL)
			stage->override = arena_zalloc(arena, 1, sizeof(*stage->override));
		if (stage->override == NULL)
			return -ENOMEM;
		int r = ftw_output_read(item->output, arena, stage->override);
		if (r != 0)
			return r;
	}
	return 0;
}

int ftw_overrides_apply(const struct ftw_overrides *overrides, struct arena *arena, struct ftw_suite *suite)
{
	for (struct ftw_test *test = suite->tests; test != NULL; test = test->next)
		for (size_t i = 0; i < overrides->count; i++)
			if (slice_equal(slice_from_string(test->id), slice_from_string(overrides->items[i].id))) {
				int r = apply(&overrides->items[i], arena, test);
				if (r != 0)
					return r;
			}
	return 0;
}
