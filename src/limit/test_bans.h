/* For tests of bans: prefixes and books as texts say, on one boot. */
#ifndef GUIA_LIMIT_TEST_BANS_H
#define GUIA_LIMIT_TEST_BANS_H

#include "base/test.h"
#include "limit/ban_book.h"

static const uint8_t boot[IMAGE_BOOT_BYTES] = "this boot";
static const uint64_t MINUTE = 60 * 1000;

static inline struct prefix parsed(const char *text)
{
	struct prefix p;
	assert_true(prefix_parse(slice_from_string(text), &p));
	return p;
}

/* The caller's. */
static inline struct ban_book *new_book(size_t most)
{
	const struct hash_key key = {1, 2};
	struct ban_book *book;
	assert_int_equal(ban_book_create(most, &key, &book), 0);
	return book;
}

/* For how many milliseconds it is banned. */
static inline uint64_t punished(struct ban_book *book, const char *text, uint64_t now_ms)
{
	struct prefix p = parsed(text);
	uint64_t expires_ms = 0;
	assert_int_equal(ban_book_punish(book, &p, 1, now_ms, &expires_ms), 0);
	return expires_ms - now_ms;
}

#endif
