/*
 * From YAML nodes to structures, downwards: root, test, stage, input, output. Unknown keys are refused below a stage's
 * `input` and `output` alone. Both schemas are read by the same functions, side by side.
 */
#include "ftw/suite.h"

#include "base/error.h"
#include "base/file.h"
#include "ftw/template.h"

enum {
	FILE_LIMIT_BYTES = 16 << 20,
};

/* What a fault is told with: where, and of which file. */
struct loader {
	struct arena *arena;
	struct diagnostics *diagnostics;
	const char *file;
	struct slice text;
};

static int fault(const struct loader *l, const struct yaml_node *node, const char *message)
{
	diagnostics_add(l->diagnostics, DIAGNOSTIC_ERROR, yaml_key_place(node, l->file, l->text), NULL, "%s", message);
	return FTW_INVALID;
}

/* A key misspelt would make a test that cannot fail. */
static int check_keys(const struct loader *l, const struct yaml_node *map, const char *const *known)
{
	for (const struct yaml_node *node = map != NULL ? map->first : NULL; node != NULL; node = node->next) {
		size_t i = 0;
		while (known[i] != NULL && !slice_equal(node->key, slice_from_string(known[i])))
			i++;
		if (known[i] != NULL)
			continue;
		struct buffer hint = buffer_make(l->arena);
		buffer_text(&hint, "known here: ");
		for (i = 0; known[i] != NULL; i++)
			buffer_printf(&hint, "%s%s", i > 0 ? ", " : "", known[i]);
		buffer_byte(&hint, '\0');
		diagnostics_add(l->diagnostics, DIAGNOSTIC_ERROR, yaml_key_place(node, l->file, l->text),
				hint.error == 0 ? (const char *)hint.ptr : NULL, "unknown key `%.*s`",
				SLICE_ARG(node->key));
		return FTW_INVALID;
	}
	return 0;
}

/* A map of none but these keys; nothing is one, too. */
static int check_map(const struct loader *l, const struct yaml_node *map, const char *const *known)
{
	if (map != NULL && map->kind != YAML_MAP)
		return fault(l, map, "this must be a map");
	return check_keys(l, map, known);
}

static int check_output(const struct loader *l, const struct yaml_node *output)
{
	static const char *const of_output[] = {
		"status",   "log", "log_contains", "no_log_contains", "response_contains", "expect_error", "retry_once",
		"isolated", NULL};
	static const char *const of_log[] = {"expect_ids", "no_expect_ids", "match_regex", "no_match_regex", NULL};
	int r = check_map(l, output, of_output);
	return r != 0 ? r : check_map(l, yaml_get(output, "log"), of_log);
}

int ftw_output_check(const struct yaml_node *node, struct arena *arena, struct diagnostics *diagnostics,
		     const char *file, struct slice text)
{
	const struct loader l = {arena, diagnostics, file, text};
	return check_output(&l, node);
}

static int check_stage_keys(const struct loader *l, const struct yaml_node *input, const struct yaml_node *output)
{
	static const char *const of_input[] = {"dest_addr",
					       "port",
					       "protocol",
					       "method",
					       "uri",
					       "version",
					       "headers",
					       "ordered_headers",
					       "data",
					       "encoded_request",
					       "raw_request",
					       "autocomplete_headers",
					       "stop_magic",
					       "save_cookie",
					       "follow_redirect",
					       "virtual_host_mode",
					       NULL};
	int r = check_keys(l, input, of_input);
	return r != 0 ? r : check_output(l, output);
}

static int read_text(const struct yaml_node *map, const char *key, struct slice *text)
{
	const struct yaml_node *node = yaml_get(map, key);
	if (node == NULL)
		return 0;
	if (node->kind != YAML_SCALAR)
		return FTW_INVALID;
	*text = node->text;
	return 0;
}

static int read_bool(const struct yaml_node *map, const char *key, bool *value)
{
	const struct yaml_node *node = yaml_get(map, key);
	return node == NULL ? 0 : yaml_bool(node, value);
}

/* A number, or a list of them. */
static int read_ids(const struct yaml_node *map, const char *key, struct arena *arena, struct ftw_ids *ids)
{
	const struct yaml_node *node = yaml_get(map, key);
	if (node == NULL)
		return 0;
	struct yaml_node const *item = node->kind == YAML_LIST ? node->first : node;
	size_t count = node->kind == YAML_LIST ? node->count : 1;
	int64_t *items = arena_zalloc(arena, count + 1, sizeof(*items));
	if (items == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++, item = item->next)
		if (yaml_integer(item, &items[i]) != 0)
			return FTW_INVALID;
	*ids = (struct ftw_ids){items, count};
	return 0;
}

int ftw_output_read(const struct yaml_node *node, struct arena *arena, struct ftw_output *output)
{
	if (node == NULL)
		return 0;
	const struct yaml_node *log = yaml_get(node, "log");
	int r = read_ids(node, "status", arena, &output->statuses);
	r = r != 0 ? r : read_ids(log, "expect_ids", arena, &output->expect_ids);
	r = r != 0 ? r : read_ids(log, "no_expect_ids", arena, &output->no_expect_ids);
	r = r != 0 ? r : read_text(log, "match_regex", &output->match_regex);
	r = r != 0 ? r : read_text(log, "no_match_regex", &output->no_match_regex);
	r = r != 0 ? r : read_text(node, "log_contains", &output->match_regex);
	r = r != 0 ? r : read_text(node, "no_log_contains", &output->no_match_regex);
	r = r != 0 ? r : read_text(node, "response_contains", &output->response_contains);
	r = r != 0 ? r : read_bool(node, "expect_error", &output->expect_error);
	r = r != 0 ? r : read_bool(node, "retry_once", &output->retry_once);
	return r != 0 ? r : read_bool(node, "isolated", &output->isolated);
}

/* 3.3.4 writes some bodies as a list of lines. */
static int join_lines(const struct yaml_node *list, struct arena *arena, struct slice *ret_text)
{
	struct buffer joined = buffer_make(arena);
	for (const struct yaml_node *line = list->first; line != NULL; line = line->next) {
		if (line->kind != YAML_SCALAR)
			return FTW_INVALID;
		buffer_add(&joined, line->text);
		if (line->next != NULL)
			buffer_text(&joined, "\r\n");
	}
	*ret_text = buffer_slice(&joined);
	return joined.error;
}

static int read_data(const struct loader *l, const struct yaml_node *input, struct slice *ret_data)
{
	const struct yaml_node *node = yaml_get(input, "data");
	if (node == NULL)
		return 0;
	if (node->kind == YAML_LIST)
		return join_lines(node, l->arena, ret_data);
	return node->kind == YAML_SCALAR ? ftw_template_expand(node->text, l->arena, ret_data) : FTW_INVALID;
}

static int add_header(struct slice name, const struct yaml_node *value, struct field_list *headers)
{
	if (value == NULL || value->kind != YAML_SCALAR)
		return FTW_INVALID;
	return field_list_add(headers, (struct field){.name = name, .value = value->text});
}

static int read_headers(const struct yaml_node *input, struct field_list *headers)
{
	const struct yaml_node *map = yaml_get(input, "headers");
	const struct yaml_node *list = yaml_get(input, "ordered_headers");
	int r = 0;
	for (const struct yaml_node *h = map != NULL ? map->first : NULL; h != NULL && r == 0; h = h->next)
		r = add_header(h->key, h, headers);
	for (const struct yaml_node *h = list != NULL ? list->first : NULL; h != NULL && r == 0; h = h->next) {
		const struct yaml_node *name = yaml_get(h, "name");
		r = name == NULL || name->kind != YAML_SCALAR ? FTW_INVALID
							      : add_header(name->text, yaml_get(h, "value"), headers);
	}
	return r;
}

static int read_input(const struct loader *l, const struct yaml_node *node, struct ftw_input *input)
{
	*input = (struct ftw_input){
		.method = SLICE("GET"),
		.uri = SLICE("/"),
		.version = SLICE("HTTP/1.1"),
		.destination = SLICE("127.0.0.1"),
		.headers = field_list_make(l->arena),
		.autocomplete_headers = true,
		.announces_empty = true,
	};
	bool stop_magic = false;
	int r = read_text(node, "method", &input->method);
	r = r != 0 ? r : read_text(node, "uri", &input->uri);
	r = r != 0 ? r : read_text(node, "version", &input->version);
	r = r != 0 ? r : read_text(node, "dest_addr", &input->destination);
	r = r != 0 ? r : read_text(node, "encoded_request", &input->encoded_request);
	r = r != 0 ? r : read_text(node, "raw_request", &input->raw_request);
	r = r != 0 ? r : read_bool(node, "autocomplete_headers", &input->autocomplete_headers);
	r = r != 0 ? r : read_bool(node, "stop_magic", &stop_magic);
	r = r != 0 ? r : read_bool(node, "save_cookie", &input->save_cookie);
	r = r != 0 ? r : read_headers(node, &input->headers);
	if (stop_magic)
		input->autocomplete_headers = false;
	return r != 0 ? r : read_data(l, node, &input->data);
}

static int read_stage(const struct loader *l, const struct yaml_node *node, struct ftw_stage **ret_stage)
{
	const struct yaml_node *wrapped = yaml_get(node, "stage");
	const struct yaml_node *body = wrapped != NULL ? wrapped : node;
	const struct yaml_node *input = yaml_get(body, "input");
	const struct yaml_node *output = yaml_get(body, "output");
	if (input == NULL || output == NULL)
		return fault(l, node, "a stage needs `input` and `output`");
	int r = check_stage_keys(l, input, output);
	if (r != 0)
		return r;
	struct ftw_stage *stage = arena_zalloc(l->arena, 1, sizeof(*stage));
	if (stage == NULL)
		return -ENOMEM;
	stage->line = input->key_line;
	r = read_input(l, input, &stage->input);
	stage->input.announces_empty = wrapped == NULL;
	if (r != 0)
		return r < 0 ? r : fault(l, input, "a value under `input` is not of the form it should have");
	r = ftw_output_read(output, l->arena, &stage->output);
	if (r != 0)
		return r < 0 ? r : fault(l, output, "a value under `output` is not of the form it should have");
	*ret_stage = stage;
	return 0;
}

/* 3.3.4 gives tests a title, version 4 a number within the rule's file. */
static int read_id(const struct loader *l, const struct yaml_node *test, struct slice rule_id, const char **ret_id)
{
	const struct yaml_node *title = yaml_get(test, "test_title");
	const struct yaml_node *number = yaml_get(test, "test_id");
	struct buffer id = buffer_make(l->arena);
	if (title != NULL && title->kind == YAML_SCALAR) {
		buffer_add(&id, title->text);
	} else if (number != NULL && number->kind == YAML_SCALAR && rule_id.len > 0) {
		buffer_add(&id, rule_id);
		buffer_byte(&id, '-');
		buffer_add(&id, number->text);
	} else {
		return fault(l, test, "a test needs a `test_title`, or a `test_id` and the file a `rule_id`");
	}
	buffer_byte(&id, '\0');
	*ret_id = (const char *)id.ptr;
	return id.error;
}

static int read_test(const struct loader *l, const struct yaml_node *node, struct slice rule_id,
		     struct ftw_test **ret_test)
{
	const struct yaml_node *stages = yaml_get(node, "stages");
	if (stages == NULL || stages->kind != YAML_LIST)
		return fault(l, node, "a test needs a list of `stages`");
	struct ftw_test *test = arena_zalloc(l->arena, 1, sizeof(*test));
	if (test == NULL)
		return -ENOMEM;
	test->line = node->line;
	int r = read_id(l, node, rule_id, &test->id);
	struct ftw_stage **next = &test->stages;
	for (const struct yaml_node *stage = stages->first; stage != NULL && r == 0; stage = stage->next) {
		r = read_stage(l, stage, next);
		next = r == 0 ? &(*next)->next : next;
	}
	if (r == 0)
		*ret_test = test;
	return r;
}

static int read_root(const struct loader *l, const struct yaml_node *root, struct ftw_suite *suite)
{
	const struct yaml_node *tests = yaml_get(root, "tests");
	if (tests == NULL || tests->kind != YAML_LIST)
		return fault(l, root, "no list of `tests`");
	struct slice rule_id = SLICE("");
	bool enabled = true;
	int r = read_text(root, "rule_id", &rule_id);
	r = r != 0 ? r : read_bool(yaml_get(root, "meta"), "enabled", &enabled);
	if (r != 0)
		return fault(l, root, "`rule_id` and `meta.enabled` must be a number and a boolean");
	struct ftw_test **next = &suite->tests;
	for (const struct yaml_node *node = tests->first; node != NULL; node = node->next) {
		r = read_test(l, node, rule_id, next);
		if (r != 0)
			return r;
		(*next)->skipped = !enabled;
		(*next)->skip_reason = enabled ? "" : "enabled: false";
		next = &(*next)->next;
		suite->test_count++;
	}
	return 0;
}

int ftw_suite_load(const char *path, struct arena *arena, struct diagnostics *diagnostics, struct ftw_suite *ret_suite)
{
	struct buffer text = buffer_make(arena);
	int r = file_read(path, FILE_LIMIT_BYTES, &text);
	if (r != 0)
		return r;
	struct yaml_node *root = NULL;
	struct loader loader = {arena, diagnostics, path, buffer_slice(&text)};
	r = yaml_parse(loader.text, path, arena, diagnostics, &root);
	if (r != 0)
		return r < 0 ? r : FTW_INVALID;
	struct ftw_suite suite = {.file = path};
	if (root != NULL)
		r = read_root(&loader, root, &suite);
	if (r == 0)
		*ret_suite = suite;
	return r;
}
