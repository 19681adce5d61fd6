/*
 * A stamp stands at a fixed place of a page of fixed length: the time, what was asked, and the seal over both, in
 * hexadecimal. A reader looks at length and head before it.
 */
#include "drill/page.h"

#include <inttypes.h>
#include <stdio.h>

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><title>Public service</title></head><body>\n<!-- made ";
enum {
	STAMP_BYTES = 3 * 16 + 2,
	HEAD_BYTES = sizeof(head) - 1,
};

static uint64_t seal(const struct hash_key *key, uint64_t asked, uint64_t made)
{
	uint64_t both[] = {asked, made, 0x70616765u};
	return hash_bytes(key, slice_make(both, sizeof(both)));
}

uint64_t page_asked(const struct hash_key *key, const char *method, const char *host, const char *uri, const char *body)
{
	char text[1024];
	int len = snprintf(text, sizeof(text), "%s\n%s\n%s\n%s", method, host, uri, body);
	return hash_bytes(key, slice_make(text, len < (int)sizeof(text) ? (size_t)len : sizeof(text) - 1));
}

void page_write(const struct hash_key *key, uint64_t asked, int64_t made_ns, char page[PAGE_BYTES])
{
	static const char filler[] =
		"<p>Counters are open on working days from nine to six; at other times the duty line "
		"answers.</p>\n";
	char stamp[STAMP_BYTES + 1];
	snprintf(stamp, sizeof(stamp), "%016" PRIx64 " %016" PRIx64 " %016" PRIx64, (uint64_t)made_ns, asked,
		 seal(key, asked, (uint64_t)made_ns));
	memcpy(page, head, HEAD_BYTES);
	memcpy(page + HEAD_BYTES, stamp, STAMP_BYTES);
	memcpy(page + HEAD_BYTES + STAMP_BYTES, " -->\n", 5);
	for (size_t at = HEAD_BYTES + STAMP_BYTES + 5, i = 0; at < PAGE_BYTES; at++, i++)
		page[at] = filler[i % (sizeof(filler) - 1)];
}

static uint64_t read_number(struct slice digits)
{
	uint64_t number = 0;
	for (size_t i = 0; i < digits.len; i++)
		number = number << 4 | (uint64_t)(byte_hex_value(digits.ptr[i]) & 15);
	return number;
}

int page_read(const struct hash_key *key, uint64_t asked, struct slice page, int64_t *ret_made_ns)
{
	if (page.len != PAGE_BYTES || !slice_starts_with(page, slice_make(head, HEAD_BYTES)))
		return PAGE_FOREIGN;
	uint64_t numbers[3];
	for (size_t i = 0; i < 3; i++)
		numbers[i] = read_number(slice_sub(page, HEAD_BYTES + i * 17, HEAD_BYTES + i * 17 + 16));
	if (numbers[1] != asked || numbers[2] != seal(key, asked, numbers[0]))
		return PAGE_FOREIGN;
	*ret_made_ns = (int64_t)numbers[0];
	return 0;
}
