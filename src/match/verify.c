/*
 * Digits are gathered first, but for cards: their sum is kept both ways, as only the end shows which is right. After a
 * match that is refused the search goes on one byte behind its beginning.
 */
#include "match/verify.h"

enum { CPF_DIGITS = 11, SSN_DIGITS = 9, SVNR_DIGITS = 10 };

/* The first `limit` digits of `text` as numbers; returns how many digits there are in all. */
static size_t take_digits(struct slice text, uint8_t *digits, size_t limit)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (!byte_is_digit(text.ptr[i]))
			continue;
		if (count < limit)
			digits[count] = (uint8_t)(text.ptr[i] - '0');
		count++;
	}
	return count;
}

/* Every second digit is doubled, from the last but one backwards; which that is shows only at the end. */
bool verify_card(struct slice text)
{
	unsigned sum[2] = {0, 0};
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (!byte_is_digit(text.ptr[i]))
			continue;
		unsigned digit = (unsigned)(text.ptr[i] - '0');
		unsigned doubled = digit < 5 ? 2 * digit : 2 * digit - 9;
		sum[count % 2] += doubled;
		sum[1 - count % 2] += digit;
		count++;
	}
	/* sum[0] has the first digit doubled, which is right if their number is even. */
	return count > 0 && sum[count % 2] % 10 == 0;
}

/* True if each digit is the one before it plus `step`. */
static bool in_a_row(const uint8_t *digits, size_t count, int step)
{
	for (size_t i = 1; i < count; i++) {
		if (digits[i] != digits[i - 1] + step)
			return false;
	}
	return true;
}

/* The check digit of CPF over the digits before it, whose weights fall to 2. */
static unsigned cpf_check(const uint8_t *digits, size_t count)
{
	unsigned sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += digits[i] * (unsigned)(count + 1 - i);
	return sum % 11 < 2 ? 0 : 11 - sum % 11;
}

/* Digits after the eleventh are not looked at, as in ModSecurity. */
bool verify_cpf(struct slice text)
{
	uint8_t digits[CPF_DIGITS];
	if (take_digits(text, digits, CPF_DIGITS) < CPF_DIGITS)
		return false;
	if (in_a_row(digits, CPF_DIGITS, 0) || (in_a_row(digits, 10, 1) && digits[10] == 0))
		return false;
	return cpf_check(digits, 9) == digits[9] && cpf_check(digits, 10) == digits[10];
}

bool verify_ssn(struct slice text)
{
	uint8_t digits[SSN_DIGITS];
	if (take_digits(text, digits, SSN_DIGITS) != SSN_DIGITS)
		return false;
	if (in_a_row(digits, SSN_DIGITS, 0) || in_a_row(digits, SSN_DIGITS, 1))
		return false;
	int area = digits[0] * 100 + digits[1] * 10 + digits[2];
	int group = digits[3] * 10 + digits[4];
	int serial = digits[5] * 1000 + digits[6] * 100 + digits[7] * 10 + digits[8];
	return area > 0 && group > 0 && serial > 0 && area < 740 && area != 666;
}

/* Ten equal digits would pass the check. ModSecurity's list of them ends at 7, and so does this. */
static bool svnr_filler(const uint8_t *digits)
{
	if (in_a_row(digits, SVNR_DIGITS, 0))
		return digits[0] < 8;
	return in_a_row(digits, SVNR_DIGITS, 1) || (in_a_row(digits, 9, 1) && digits[0] == 1 && digits[9] == 0);
}

/* Digits after the tenth are not looked at, as in ModSecurity. */
bool verify_svnr(struct slice text)
{
	static const uint8_t WEIGHTS[SVNR_DIGITS] = {3, 7, 9, 0, 5, 8, 4, 2, 1, 6};
	uint8_t digits[SVNR_DIGITS];
	if (take_digits(text, digits, SVNR_DIGITS) < SVNR_DIGITS || svnr_filler(digits))
		return false;
	unsigned sum = 0;
	for (size_t i = 0; i < SVNR_DIGITS; i++)
		sum += digits[i] * (unsigned)WEIGHTS[i];
	return sum % 11 % 10 == digits[3];
}

static bool accept_group(verify_function *verify, struct slice value, const struct regex_span *groups, size_t count,
			 struct regex_span *ret_span)
{
	for (size_t i = 0; i < count; i++) {
		if (groups[i].start == REGEX_UNSET || !verify(slice_sub(value, groups[i].start, groups[i].end)))
			continue;
		*ret_span = groups[i];
		return true;
	}
	return false;
}

int verify_search(verify_function *verify, const struct regex *regex, struct regex_scratch *scratch, struct slice value,
		  const struct regex_limits *limits, struct regex_span *ret_span)
{
	struct regex_span groups[REGEX_GROUPS_MAX];
	for (size_t at = 0; at < value.len; at++) {
		size_t count = REGEX_GROUPS_MAX;
		int r = regex_match(regex, scratch, value, at, limits, groups, &count);
		if (r != REGEX_MATCH)
			return r;
		if (accept_group(verify, value, groups, count, ret_span))
			return REGEX_MATCH;
		if (groups[0].start > at)
			at = groups[0].start;
	}
	return REGEX_NONE;
}
