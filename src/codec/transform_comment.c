/* Transformations that drop or replace comments and their markers: C, HTML, SQL, shell. */
#include "codec/byte_class.h"
#include "codec/transform_rows.h"

static const struct byte_class MARKER_START = BYTE_CLASS_5('/', '/', '<', '<', '-', '-', '#', '#', '*', '*');

/* Length of the marker at `at` that opens a comment with an end, or 0. */
static size_t opening_at(struct slice in, size_t at)
{
	if (in.ptr[at] == '/')
		return byte_at(in, at + 1) == '*' ? 2 : 0;
	return in.ptr[at] == '<' && slice_starts_with(slice_after(in, at), SLICE("<!--")) ? 4 : 0;
}

/* Length of the marker at `at` that closes a comment, or 0. Either kind closes either kind. */
static size_t closing_at(struct slice in, size_t at)
{
	if (in.ptr[at] == '*')
		return byte_at(in, at + 1) == '/' ? 2 : 0;
	return in.ptr[at] == '-' && byte_at(in, at + 1) == '-' && byte_at(in, at + 2) == '>' ? 3 : 0;
}

/* Length of the marker at `at` whose comment takes the rest of the value, or 0. */
static size_t rest_marker_at(struct slice in, size_t at)
{
	if (in.ptr[at] == '#')
		return 1;
	return in.ptr[at] == '-' && byte_at(in, at + 1) == '-' ? 2 : 0;
}

/* The end of the comment that begins at `at`, after its closing marker; in.len + 1 if it has none. */
static size_t comment_end(struct slice in, size_t at)
{
	for (; at < in.len; at++) {
		size_t closing = closing_at(in, at);
		if (closing > 0)
			return at + closing;
	}
	return in.len + 1;
}

static size_t removable_next(struct slice in, size_t from)
{
	size_t at = byte_class_find(&MARKER_START, in, from);
	while (at < in.len && opening_at(in, at) == 0 && rest_marker_at(in, at) == 0)
		at = byte_class_find(&MARKER_START, in, at + 1);
	return at;
}

/*
 * An open comment leaves a space. As ModSecurity does, the byte after a closing marker is copied unseen, and where the
 * value ends there, a NUL.
 */
bool transform_remove_comments(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	size_t at = removable_next(in, 0);
	if (at == in.len)
		return false;
	size_t len = copy_range(out, 0, in, 0, at);
	while (at < in.len && rest_marker_at(in, at) == 0) {
		at = comment_end(in, at + opening_at(in, at));
		if (at > in.len) {
			out[len++] = ' ';
			break;
		}
		out[len++] = at < in.len ? in.ptr[at] : 0;
		at = at < in.len ? at + 1 : at;
		size_t next = removable_next(in, at);
		len = copy_range(out, len, in, at, next);
		at = next;
	}
	*ret_len = len;
	return true;
}

/* Length of any marker at `at`, or 0. */
static size_t any_marker_at(struct slice in, size_t at)
{
	size_t length = opening_at(in, at);
	if (length == 0)
		length = closing_at(in, at);
	return length > 0 ? length : rest_marker_at(in, at);
}

static size_t marker_next(struct slice in, size_t from)
{
	size_t at = byte_class_find(&MARKER_START, in, from);
	while (at < in.len && any_marker_at(in, at) == 0)
		at = byte_class_find(&MARKER_START, in, at + 1);
	return at;
}

bool transform_remove_comments_char(const struct transform_context *context, struct slice in, uint8_t *out,
				    size_t *ret_len)
{
	(void)context;
	size_t at = marker_next(in, 0);
	if (at == in.len)
		return false;
	size_t len = copy_range(out, 0, in, 0, at);
	while (at < in.len) {
		at += any_marker_at(in, at);
		size_t next = marker_next(in, at);
		len = copy_range(out, len, in, at, next);
		at = next;
	}
	*ret_len = len;
	return true;
}

/* Each C comment becomes one space, one without an end too. */
bool transform_replace_comments(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	size_t at = slice_find(in, SLICE("/*"), 0);
	if (at == in.len)
		return false;
	size_t len = copy_range(out, 0, in, 0, at);
	while (at < in.len) {
		out[len++] = ' ';
		at = slice_find(in, SLICE("*/"), at + 2);
		at = at < in.len ? at + 2 : at;
		size_t next = slice_find(in, SLICE("/*"), at);
		len = copy_range(out, len, in, at, next);
		at = next;
	}
	*ret_len = len;
	return true;
}
