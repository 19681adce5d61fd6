/*
 * Cut at '#' and '?', then decoded: all of it for REQUEST_URI, the path for REQUEST_FILENAME. Scheme and authority are
 * looked for in what was decoded.
 */
#include "http/uri.h"

#include "http/percent.h"

#include <errno.h>

/* No variable tells of bad encoding in a path. */
static int decode(struct arena *arena, struct slice s, struct slice *ret_decoded)
{
	bool invalid = false;
	return percent_decode(arena, s, PERCENT_PLUS_STAYS, &invalid, ret_decoded);
}

/* "scheme://authority/path" loses what is before its path; a target that is a path already is left alone. */
static struct slice without_authority(struct slice uri)
{
	if (uri.len == 0 || uri.ptr[0] == '/')
		return uri;
	size_t colon = slice_find_byte(uri, ':', 0);
	if (!slice_starts_with(slice_after(uri, colon), SLICE("://")))
		return uri;
	size_t path = slice_find_byte(uri, '/', colon + 3);
	return path < uri.len ? slice_after(uri, path) : uri;
}

static struct slice last_component(struct slice path)
{
	for (size_t i = path.len; i > 0; i--)
		if (path.ptr[i - 1] == '/' || path.ptr[i - 1] == '\\')
			return slice_after(path, i);
	return slice_make("", 0);
}

int uri_parse(struct slice raw, struct arena *arena, struct uri *ret_uri)
{
	struct uri uri = {.raw = raw};
	struct slice target = slice_sub(raw, 0, slice_find_byte(raw, '#', 0));
	struct slice path;
	uri.query = slice_cut(target, '?', &path);
	uri.has_query = path.len < target.len;
	uri.query_offset = uri.has_query ? path.len + 1 : target.len;
	if (decode(arena, target, &uri.uri) != 0 || decode(arena, path, &uri.filename) != 0)
		return -ENOMEM;
	uri.uri = without_authority(uri.uri);
	uri.basename = last_component(uri.filename);
	*ret_uri = uri;
	return 0;
}
