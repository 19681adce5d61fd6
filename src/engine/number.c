/* Digits are taken from the last to the first, without sign, so that the least number has its text too. */
#include "engine/number.h"

/* The digits of 0 to 9, one slice each: most numbers in rules are flags and paranoia levels. */
static const uint8_t digits[10] = "0123456789";

struct slice number_text(struct arena *arena, int64_t number)
{
	if (number >= 0 && number <= 9)
		return slice_make(&digits[number], 1);
	uint8_t text[24];
	size_t at = sizeof(text);
	uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
	for (; rest > 0; rest /= 10)
		text[--at] = (uint8_t)('0' + rest % 10);
	if (number < 0)
		text[--at] = '-';
	uint8_t *copy = arena_alloc(arena, sizeof(text) - at);
	if (copy == NULL)
		return SLICE("");
	memcpy(copy, text + at, sizeof(text) - at);
	return slice_make(copy, sizeof(text) - at);
}
