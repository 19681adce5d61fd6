#include "match/sqli.h"

#include "match/sqli_fold.h"
#include "match/sqli_small.h"

#include "match/guia-sqli-fingerprints.h"

/* The table holds fingerprints as five bits a letter; T and t count as one. */
static uint32_t fingerprint_code(const struct sqli_folded *folded)
{
	uint32_t code = 0;
	for (size_t i = 0; i < folded->count; i++)
		code = code << 5 | (folded->tokens[i].kind == SQLI_TSQL ? SQLI_TYPE : folded->tokens[i].kind);
	return code;
}

static bool fingerprint_known(uint32_t code)
{
	for (uint32_t at = (code * FINGERPRINT_FACTOR) >> FINGERPRINT_SHIFT;; at = (at + 1) % FINGERPRINT_SLOTS) {
		if (fingerprint_slots[at] == code)
			return true;
		if (fingerprint_slots[at] == 0)
			return false;
	}
}

static bool is_injection(struct slice value, const struct sqli_folded *folded)
{
	return folded->count > 0 && fingerprint_known(fingerprint_code(folded)) && sqli_small_holds(value, folded);
}

static bool reads_as_injection(struct slice value, uint8_t quote, enum sqli_dialect dialect, struct sqli_folded *folded)
{
	sqli_fold(value, quote, dialect, folded);
	for (size_t i = 0; i < folded->count; i++)
		if (folded->tokens[i].kind == SQLI_EVIL)
			return true;
	return is_injection(value, folded);
}

static bool detect(struct slice value, struct sqli_folded *folded)
{
	static const uint8_t quotes[] = {0, '\'', '"'};
	for (size_t i = 0; i < sizeof(quotes); i++) {
		if (quotes[i] != 0 && slice_find_byte(value, quotes[i], 0) == value.len)
			continue;
		/* Only MySQL quotes strings with ". */
		enum sqli_dialect dialect = quotes[i] == '"' ? SQLI_MYSQL : SQLI_ANSI;
		if (reads_as_injection(value, quotes[i], dialect, folded))
			return true;
		if (dialect == SQLI_ANSI && folded->dialects_differ &&
		    reads_as_injection(value, quotes[i], SQLI_MYSQL, folded))
			return true;
	}
	return false;
}

bool sqli_detect(struct slice value, struct sqli_fingerprint *ret_fingerprint)
{
	struct sqli_folded folded;
	if (value.len == 0 || !detect(value, &folded))
		return false;
	if (ret_fingerprint != NULL)
		*ret_fingerprint = sqli_fingerprint_of(&folded);
	return true;
}
