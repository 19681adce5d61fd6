#include "base/slice.h"

bool slice_equal_nocase(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (byte_lower(a.ptr[i]) != byte_lower(b.ptr[i]))
			return false;
	return true;
}

bool slice_starts_with_nocase(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len && slice_equal_nocase(slice_sub(s, 0, prefix.len), prefix);
}

size_t slice_find_byte(struct slice s, uint8_t byte, size_t from)
{
	if (from >= s.len)
		return s.len;
	const uint8_t *at = memchr(s.ptr + from, byte, s.len - from);
	return at == NULL ? s.len : (size_t)(at - s.ptr);
}

size_t slice_find(struct slice s, struct slice needle, size_t from)
{
	if (from > s.len || needle.len > s.len - from)
		return s.len;
	if (needle.len == 0)
		return from;
	const uint8_t *at = memmem(s.ptr + from, s.len - from, needle.ptr, needle.len);
	return at == NULL ? s.len : (size_t)(at - s.ptr);
}

size_t slice_find_nocase(struct slice s, struct slice needle, size_t from)
{
	for (size_t i = from; i <= s.len && needle.len <= s.len - i; i++)
		if (slice_equal_nocase(slice_sub(s, i, i + needle.len), needle))
			return i;
	return s.len;
}

int slice_compare(struct slice a, struct slice b)
{
	size_t shorter = a.len < b.len ? a.len : b.len;
	int order = shorter == 0 ? 0 : memcmp(a.ptr, b.ptr, shorter);
	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

struct slice slice_trim(struct slice s)
{
	while (s.len > 0 && byte_is_space(s.ptr[0]))
		s = slice_after(s, 1);
	while (s.len > 0 && byte_is_space(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

struct slice slice_cut(struct slice s, uint8_t byte, struct slice *ret_head)
{
	size_t at = slice_find_byte(s, byte, 0);
	*ret_head = slice_sub(s, 0, at);
	return slice_after(s, at + 1);
}
