/*
 * A generated table of open addressing over one pool of bytes. Lengths by a word's first two letters, a bit each, turn
 * most names away before they are hashed.
 */
#include "match/sqli_word.h"

struct slot {
	uint16_t at; /* in word_pool */
	uint8_t len; /* 0: free */
	uint8_t kind;
	uint8_t traits;
};

#include "match/guia-sqli-words.h"

static uint32_t word_digest(const uint8_t *text, size_t len)
{
	uint32_t value = (uint32_t)len;
	for (size_t i = 0; i < len; i++)
		value = value * 33 ^ (text[i] & 0xdfU);
	return (value ^ value >> 12) % WORD_SLOTS;
}

static uint8_t byte_upper(uint8_t c)
{
	return c >= 'a' && c <= 'z' ? (uint8_t)(c - ('a' - 'A')) : c;
}

static bool equals(const uint8_t *text, const char *word, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (byte_upper(text[i]) != (uint8_t)word[i])
			return false;
	return true;
}

bool sqli_word_possible(const uint8_t *text, size_t len)
{
	if (len == 0 || len > SQLI_TEXT_MAX)
		return false;
	size_t second = len > 1 ? text[1] & 31U : 0;
	return (word_lengths[(text[0] & 31U) * 32 + second] >> len & 1) != 0;
}

bool sqli_word_continues(const uint8_t *text, size_t len)
{
	return len > 0 && (later_lengths[text[0] & 31U] >> len & 1) != 0;
}

struct sqli_word sqli_word_find(const uint8_t *text, size_t len)
{
	struct sqli_word none = {SQLI_NONE, 0, NULL};
	/* Most names go here. */
	if (!sqli_word_possible(text, len))
		return none;
	for (uint32_t at = word_digest(text, len);; at = (at + 1) % WORD_SLOTS) {
		const struct slot *slot = &slots[at];
		if (slot->len == 0)
			return none;
		if (slot->len == len && equals(text, word_pool + slot->at, len))
			return (struct sqli_word){slot->kind, slot->traits, (const uint8_t *)word_pool + slot->at};
	}
}
