/*
 * By what a browser says of itself, so pages of elsewhere are kept out. Programs may say what they like: they are held
 * off by the session alone.
 */
#include "screen/doors.h"

#include "base/slice.h"

#include <stddef.h>

bool host_is_own(const char *host)
{
	static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
	struct slice text = slice_from_string(host);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct slice name = slice_from_string(names[i]);
		if (!slice_starts_with_nocase(text, name))
			continue;
		struct slice port = slice_after(text, name.len);
		bool good = port.len == 0 || (port.len > 1 && port.len <= 6 && port.ptr[0] == ':');
		for (size_t j = 1; j < port.len; j++)
			good = good && byte_is_digit(port.ptr[j]);
		return good;
	}
	return false;
}

bool origin_is_own(const char *origin, const char *fetch_site, const char *host)
{
	struct slice text = slice_from_string(origin), site = slice_from_string(fetch_site);
	if (fetch_site != NULL && !slice_equal(site, SLICE("same-origin")) && !slice_equal(site, SLICE("none")))
		return false;
	if (origin == NULL)
		return true;
	return slice_starts_with(text, SLICE("http://")) &&
	       slice_equal_nocase(slice_after(text, sizeof("http://") - 1), slice_from_string(host));
}
