/*
 * libyaml's events go into a stack of the lists and maps that are open. Their limits are here: how deep they nest, and
 * how many keys a map has, since each is compared with all before it.
 */
#include "base/yaml.h"

#include "base/error.h"

#include <yaml.h>

enum {
	DEPTH_MAX = 32,
	KEYS_MAX = 10000, /* of one map: each is compared with those before it */
};

/* The maps and lists that are open, innermost last; `key` waits for its value in a map. */
struct builder {
	struct arena *arena;
	struct diagnostics *diagnostics;
	const char *file;
	struct slice text;
	struct yaml_node *open[DEPTH_MAX];
	struct yaml_node *key[DEPTH_MAX];
	size_t depth;
	struct yaml_node *root;
};

static struct slice line_at(struct slice text, unsigned line)
{
	size_t at = 0;
	for (unsigned i = 1; i < line && at < text.len; i++)
		at = slice_find_byte(text, '\n', at) + 1;
	struct slice found = at < text.len ? slice_sub(text, at, slice_find_byte(text, '\n', at)) : SLICE("");
	return slice_ends_with(found, SLICE("\r")) ? slice_sub(found, 0, found.len - 1) : found;
}

/* The mark of byte order that a file may begin with: libyaml does not count it. */
static size_t order_bytes(struct slice text)
{
	return slice_starts_with(text, SLICE("\xef\xbb\xbf")) ? 3 : 0;
}

/* Where in its line the character of a column is, in bytes. */
static size_t bytes_before(struct slice text, unsigned line, unsigned column)
{
	struct slice found = line_at(text, line);
	size_t at = line == 1 ? order_bytes(text) : 0;
	for (unsigned i = 1; i < column; i++) {
		uint8_t first = at < found.len ? found.ptr[at] : 0;
		at += first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	}
	return at;
}

static struct source_place place_at(const char *file, struct slice text, unsigned line, unsigned column)
{
	return (struct source_place){file, line, (unsigned)bytes_before(text, line, column) + 1, line_at(text, line)};
}

struct source_place yaml_place(const struct yaml_node *node, const char *file, struct slice text)
{
	return place_at(file, text, node->line, node->column);
}

struct source_place yaml_key_place(const struct yaml_node *node, const char *file, struct slice text)
{
	return node->key_line == 0 ? yaml_place(node, file, text)
				   : place_at(file, text, node->key_line, node->key_column);
}

static int refuse(struct builder *b, yaml_mark_t mark, const char *hint, const char *message)
{
	diagnostics_add(b->diagnostics, DIAGNOSTIC_ERROR,
			place_at(b->file, b->text, (unsigned)mark.line + 1, (unsigned)mark.column + 1), hint, "%s",
			message);
	return YAML_INVALID;
}

static struct yaml_node *node_new(struct builder *b, enum yaml_kind kind, yaml_mark_t mark)
{
	struct yaml_node *node = arena_zalloc(b->arena, 1, sizeof(*node));
	if (node == NULL)
		return NULL;
	node->kind = kind;
	node->line = (unsigned)mark.line + 1;
	node->column = (unsigned)mark.column + 1;
	return node;
}

static void append(struct yaml_node *parent, struct yaml_node *child)
{
	if (parent->last == NULL)
		parent->first = child;
	else
		parent->last->next = child;
	parent->last = child;
	parent->count++;
}

/* Puts a finished or just opened node where it belongs. */
static int place(struct builder *b, struct yaml_node *node, yaml_mark_t mark)
{
	if (b->depth == 0) {
		b->root = node;
		return 0;
	}
	struct yaml_node *parent = b->open[b->depth - 1];
	struct yaml_node **key = &b->key[b->depth - 1];
	if (parent->kind == YAML_LIST) {
		append(parent, node);
		return 0;
	}
	if (*key == NULL) {
		if (node->kind != YAML_SCALAR)
			return refuse(b, mark, NULL, "a key must be plain text");
		if (parent->count == KEYS_MAX)
			return refuse(b, mark, NULL, "more keys than are read");
		for (const struct yaml_node *other = parent->first; other != NULL; other = other->next)
			if (slice_equal(other->key, node->text))
				return refuse(b, mark, "keep one of the two", "this key stands here twice");
		*key = node;
		return 0;
	}
	node->key = (*key)->text;
	node->key_line = (*key)->line;
	node->key_column = (*key)->column;
	*key = NULL;
	append(parent, node);
	return 0;
}

static int refuse_tag(struct builder *b, yaml_mark_t mark)
{
	return refuse(b, mark, "write the value without it", "tags are not read");
}

static int on_scalar(struct builder *b, const yaml_event_t *event)
{
	if (event->data.scalar.tag != NULL)
		return refuse_tag(b, event->start_mark);
	struct yaml_node *node = node_new(b, YAML_SCALAR, event->start_mark);
	if (node == NULL)
		return -ENOMEM;
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	int r = arena_copy(b->arena, slice_make(event->data.scalar.value, event->data.scalar.length), &node->text);
	return r != 0 ? r : place(b, node, event->start_mark);
}

static int on_open(struct builder *b, const yaml_event_t *event, enum yaml_kind kind)
{
	if (b->depth == DEPTH_MAX)
		return refuse(b, event->start_mark, NULL, "nested too deep");
	struct yaml_node *node = node_new(b, kind, event->start_mark);
	if (node == NULL)
		return -ENOMEM;
	int r = place(b, node, event->start_mark);
	if (r != 0)
		return r;
	b->open[b->depth] = node;
	b->key[b->depth++] = NULL;
	return 0;
}

static int on_event(struct builder *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return on_scalar(b, event);
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.tag != NULL ? refuse_tag(b, event->start_mark)
							      : on_open(b, event, YAML_LIST);
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.tag != NULL ? refuse_tag(b, event->start_mark)
							     : on_open(b, event, YAML_MAP);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		return 0;
	case YAML_ALIAS_EVENT:
		return refuse(b, event->start_mark, "write the value out", "aliases are not read");
	case YAML_DOCUMENT_START_EVENT:
		return b->root == NULL ? 0 : refuse(b, event->start_mark, NULL, "a second document");
	default:
		return 0;
	}
}

/* What people meet most: an editor that indents by tabs. */
static bool is_tab(const struct builder *b, yaml_mark_t mark)
{
	struct slice line = line_at(b->text, (unsigned)mark.line + 1);
	size_t at = bytes_before(b->text, (unsigned)mark.line + 1, (unsigned)mark.column + 1);
	return at < line.len && line.ptr[at] == '\t';
}

static int parse_error(struct builder *b, const yaml_parser_t *parser)
{
	if (parser->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	bool encoding = parser->error == YAML_READER_ERROR;
	yaml_mark_t mark = parser->problem_mark;
	/* libyaml knows only the offset of a byte that it could not read. */
	if (encoding) {
		mark.line = mark.column = 0;
		for (size_t at = order_bytes(b->text); at < parser->problem_offset && at < b->text.len; at++) {
			bool newline = b->text.ptr[at] == '\n';
			mark.line += newline;
			mark.column = newline ? 0 : mark.column + ((b->text.ptr[at] & 0xc0) != 0x80);
		}
	}
	const char *hint = encoding          ? "the file must be UTF-8 text"
			   : is_tab(b, mark) ? "YAML is indented by spaces, not by tabs"
					     : NULL;
	return refuse(b, mark, hint, parser->problem != NULL ? parser->problem : "not YAML");
}

int yaml_parse(struct slice text, const char *file, struct arena *arena, struct diagnostics *diagnostics,
	       struct yaml_node **ret_root)
{
	struct builder b = {.arena = arena, .diagnostics = diagnostics, .file = file, .text = text};
	yaml_parser_t parser;
	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, text.len > 0 ? text.ptr : (const uint8_t *)"", text.len);
	int r = 0;
	for (bool end = false; !end && r == 0;) {
		yaml_event_t event;
		if (!yaml_parser_parse(&parser, &event)) {
			r = parse_error(&b, &parser);
			break;
		}
		end = event.type == YAML_STREAM_END_EVENT;
		r = on_event(&b, &event);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	if (r == 0)
		*ret_root = b.root;
	return r;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	if (map == NULL || map->kind != YAML_MAP)
		return NULL;
	for (const struct yaml_node *node = map->first; node != NULL; node = node->next)
		if (slice_equal(node->key, slice_from_string(key)))
			return node;
	return NULL;
}

int yaml_bool(const struct yaml_node *node, bool *ret_value)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {{"true", true}, {"false", false}, {"yes", true}, {"no", false}, {"on", true}, {"off", false}};

	if (node->kind != YAML_SCALAR || node->quoted)
		return YAML_INVALID;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (slice_equal_nocase(node->text, slice_from_string(words[i].word))) {
			*ret_value = words[i].value;
			return 0;
		}
	return YAML_INVALID;
}

int yaml_integer(const struct yaml_node *node, int64_t *ret_value)
{
	uint64_t value;
	if (node->kind != YAML_SCALAR || !slice_number(node->text, INT64_MAX, &value))
		return YAML_INVALID;
	*ret_value = (int64_t)value;
	return 0;
}
