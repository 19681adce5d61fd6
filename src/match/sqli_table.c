/* A generated table of open addressing, by the fingerprint as a number; sqli_small.c has a say in what is found. */
#include "match/sqli_table.h"

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

bool sqli_table_holds(struct slice value, const struct sqli_folded *folded)
{
	for (size_t i = 0; i < folded->count; i++)
		if (folded->tokens[i].kind == SQLI_EVIL)
			return true;
	return folded->count > 0 && fingerprint_known(fingerprint_code(folded)) && sqli_small_holds(value, folded);
}
