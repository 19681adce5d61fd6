/* All that looks for a text is one search; @within is @contains the other way round. */
#include "match/compare.h"

bool compare_equal(struct slice value, struct slice argument, size_t *ret_at)
{
	if (!slice_equal(value, argument))
		return false;
	*ret_at = 0;
	return true;
}

bool compare_contains(struct slice value, struct slice argument, size_t *ret_at)
{
	size_t at = argument.len == 0 ? 0 : slice_find(value, argument, 0);
	if (at == value.len && argument.len > 0)
		return false;
	*ret_at = at;
	return true;
}

bool compare_contains_word(struct slice value, struct slice argument, size_t *ret_at)
{
	if (argument.len == 0)
		return compare_contains(value, argument, ret_at);
	for (size_t at = slice_find(value, argument, 0); at < value.len; at = slice_find(value, argument, at + 1)) {
		size_t end = at + argument.len;
		if ((at > 0 && byte_is_alpha(value.ptr[at - 1])) || (end < value.len && byte_is_alpha(value.ptr[end])))
			continue;
		*ret_at = at;
		return true;
	}
	return false;
}

bool compare_begins_with(struct slice value, struct slice argument, size_t *ret_at)
{
	if (!slice_starts_with(value, argument))
		return false;
	*ret_at = 0;
	return true;
}

bool compare_ends_with(struct slice value, struct slice argument, size_t *ret_at)
{
	if (!slice_ends_with(value, argument))
		return false;
	*ret_at = value.len - argument.len;
	return true;
}

bool compare_within(struct slice value, struct slice argument, size_t *ret_at)
{
	return compare_contains(argument, value, ret_at);
}

int64_t compare_number(struct slice text)
{
	size_t at = 0;
	while (at < text.len && byte_is_space(text.ptr[at]))
		at++;
	bool negative = at < text.len && text.ptr[at] == '-';
	if (at < text.len && (text.ptr[at] == '-' || text.ptr[at] == '+'))
		at++;
	int64_t number = 0;
	for (; at < text.len && byte_is_digit(text.ptr[at]); at++) {
		int digit = text.ptr[at] - '0';
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, negative ? -digit : digit, &number))
			return negative ? INT64_MIN : INT64_MAX;
	}
	return number;
}
