/*
 * Addresses are read by inet_pton(3) and written by inet_ntop(3); only the length behind a slash is ours. It counts in
 * the common form as soon as it is read.
 */
#include "base/address.h"

#include <arpa/inet.h>
#include <stdio.h>

/* How many bits a prefix has: a number without leading zeroes, at most `most`; or -1. */
static int parse_bits(struct slice text, int most)
{
	uint64_t number;
	bool padded = text.len > 1 && text.ptr[0] == '0';
	return !padded && slice_number(text, (uint64_t)most, &number) ? (int)number : -1;
}

/* 0 or the number of bits that come before the address's own in the common form. */
static bool parse_address(struct slice text, struct address *ret_address, unsigned *ret_before)
{
	char copy[ADDRESS_TEXT_BYTES];
	uint8_t bytes[ADDRESS_BYTES];
	if (text.len >= sizeof(copy) || memchr(text.ptr, 0, text.len) != NULL)
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = 0;
	if (inet_pton(AF_INET, copy, bytes) == 1) {
		*ret_address = address_from_v4(bytes);
		*ret_before = ADDRESS_V4_BITS;
		return true;
	}
	*ret_before = 0;
	if (inet_pton(AF_INET6, copy, bytes) != 1)
		return false;
	*ret_address = address_from_v6(bytes);
	return true;
}

/* `ret_exact`: whether no bit is set behind its length; the prefix has none. */
static bool parse_prefix(struct slice text, struct prefix *ret_prefix, bool *ret_exact)
{
	struct address address;
	unsigned before;
	size_t slash = slice_find_byte(text, '/', 0);
	if (slash == 0 || !parse_address(slice_sub(text, 0, slash), &address, &before))
		return false;
	int bits = ADDRESS_BITS - (int)before;
	if (slash < text.len)
		bits = parse_bits(slice_after(text, slash + 1), bits);
	if (bits < 0)
		return false;
	*ret_prefix = address_prefix(&address, before + (unsigned)bits);
	*ret_exact = address_equal(&ret_prefix->address, &address);
	return true;
}

bool prefix_parse(struct slice text, struct prefix *ret_prefix)
{
	struct prefix prefix;
	bool exact;
	if (!parse_prefix(text, &prefix, &exact) || !exact)
		return false;
	*ret_prefix = prefix;
	return true;
}

bool prefix_around(struct slice text, struct prefix *ret_prefix)
{
	bool exact;
	return parse_prefix(text, ret_prefix, &exact);
}

bool address_parse(struct slice text, struct address *ret_address)
{
	struct prefix prefix;
	if (slice_find_byte(text, '/', 0) < text.len || !prefix_parse(text, &prefix))
		return false;
	*ret_address = prefix.address;
	return true;
}

const char *address_format(const struct address *a, char text[ADDRESS_TEXT_BYTES])
{
	bool v4 = address_is_v4(a);
	return inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a->bytes + 12 : a->bytes, text, ADDRESS_TEXT_BYTES);
}

const char *prefix_format(const struct prefix *p, char text[ADDRESS_TEXT_BYTES])
{
	address_format(&p->address, text);
	size_t len = strlen(text);
	if (p->bits < ADDRESS_BITS)
		snprintf(text + len, ADDRESS_TEXT_BYTES - len, "/%d",
			 p->bits - (prefix_is_v4(p) ? ADDRESS_V4_BITS : 0));
	return text;
}
