/* Lists of targets: NAME, NAME:selector, NAME:/regex/, with ! before an exclusion and & before a count. */
#include "http/xml.h"
#include "match/regex.h"
#include "seclang/compiler.h"

#include <errno.h>

static bool ends_target(struct slice text, size_t at)
{
	return at >= text.len || text.ptr[at] == '|' || text.ptr[at] == ',';
}

/* Index of the `quote` that closes a selector, which is followed by the target's end; or text.len. */
static size_t closing(struct slice text, uint8_t quote, size_t from)
{
	size_t at = from;
	while (at < text.len && !(text.ptr[at] == quote && text.ptr[at - 1] != '\\' && ends_target(text, at + 1)))
		at++;
	return at;
}

/* The end of a target: the next | or comma that is not inside '...' or /.../; text.len + 1 if these have no end. */
static size_t target_end(struct slice text, size_t at)
{
	size_t from = at;
	while (!ends_target(text, from) && text.ptr[from] != ':' && text.ptr[from] != '.')
		from++;
	if (ends_target(text, from))
		return from;
	bool xpath = slice_equal_nocase(slice_trim(slice_sub(text, at, from)), SLICE("XML"));
	from++;
	if (from < text.len && (text.ptr[from] == '\'' || (!xpath && text.ptr[from] == '/')))
		return closing(text, text.ptr[from], from + 1) + 1;
	while (!ends_target(text, from))
		from++;
	return from;
}

static struct slice unquoted(struct slice s)
{
	if (s.len >= 2 && s.ptr[0] == '\'' && s.ptr[s.len - 1] == '\'')
		return slice_sub(s, 1, s.len - 1);
	return s;
}

static int selector_parse(struct compiler *c, struct slice selector, size_t offset, struct target *target)
{
	if (selector.len == 0)
		return compiler_error(c, offset, NULL, "a selector is missing after the colon");
	selector = unquoted(selector);
	if (target->variable == VARIABLE_XML) {
		const char *xpath = arena_string(c->arena, selector);
		int r = xpath == NULL ? -ENOMEM : xml_query_check(xpath);
		if (r == -EINVAL)
			return compiler_error(c, offset, "for example XML:/*, XML://@*, XML://name/text()",
					      "\"%s\" is no XPath", xpath);
		if (r != 0)
			return r;
		target->selector_kind = SELECTOR_XPATH;
	} else if (selector.len >= 2 && selector.ptr[0] == '/' && selector.ptr[selector.len - 1] == '/') {
		target->selector_kind = SELECTOR_REGEX;
		selector = slice_sub(selector, 1, selector.len - 1);
		int r = compiler_regex(c, selector, REGEX_CASELESS, offset + 1, &target->regex);
		if (r != 0)
			return r;
	} else {
		target->selector_kind = SELECTOR_NAME;
	}
	int r = compiler_copy(c, selector, &target->selector);
	if (r == 0 && target->variable == VARIABLE_TX && target->selector_kind == SELECTOR_NAME) {
		target->tx_slot = pool_tx_slot(c->pool, selector);
		r = target->tx_slot < 0 ? target->tx_slot : 0;
	}
	return r;
}

static int target_parse(struct compiler *c, struct slice text, size_t offset, struct target *ret_target)
{
	struct target target = {.tx_slot = SLOT_NONE, .scan_group = SCAN_GROUP_NONE};
	size_t at = 0;
	for (; at < text.len && (text.ptr[at] == '!' || text.ptr[at] == '&'); at++) {
		target.excluded = target.excluded || text.ptr[at] == '!';
		target.counted = target.counted || text.ptr[at] == '&';
	}
	size_t colon = at;
	while (colon < text.len && text.ptr[colon] != ':' && text.ptr[colon] != '.')
		colon++;
	struct slice name = slice_sub(text, at, colon);
	if (variable_find(name, &target.variable) != 0) {
		const char *hint = compiler_suggest(c, name, compiler_variable_at, "");
		return compiler_error(c, offset + at, hint, "unknown variable \"%.*s\"", SLICE_ARG(name));
	}
	int r = 0;
	if (colon < text.len) {
		if (variable_infos[target.variable].shape == VARIABLE_SCALAR)
			return compiler_error(c, offset + colon, NULL, "%s is one value and takes no selector",
					      variable_infos[target.variable].name);
		r = selector_parse(c, slice_after(text, colon + 1), offset + colon + 1, &target);
	}
	if (r == 0)
		*ret_target = target;
	return r;
}

int targets_parse(struct compiler *compiler, struct slice text, size_t offset, struct target_list *list)
{
	size_t at = 0;
	while (at <= text.len) {
		size_t end = target_end(text, at);
		if (end > text.len)
			return compiler_error(compiler, offset + at, NULL, "the selector is never closed");
		struct slice part = slice_sub(text, at, end);
		struct slice trimmed = slice_trim(part);
		if (trimmed.len == 0)
			return compiler_error(compiler, offset + at, NULL, "a variable is missing");
		int r = compiler_grow(compiler, (void **)&list->items, &list->capacity, list->count,
				      sizeof(*list->items));
		if (r == 0)
			r = target_parse(compiler, trimmed, offset + at + (size_t)(trimmed.ptr - part.ptr),
					 &list->items[list->count]);
		if (r != 0)
			return r;
		list->count++;
		at = end + 1;
	}
	return 0;
}
