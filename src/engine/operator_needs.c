/* Operators that match no value without some byte of a kind: a value whose bytes are known is not asked of them. */
#include "codec/byte_kind.h"
#include "engine/operator.h"
#include "match/bytes.h"
#include "match/sqli.h"

/* Without any such byte a value is no match. */
static bool may_tell(const struct rule *rule, uint8_t byte)
{
	switch ((int)rule->operation.kind) {
	case OPERATOR_DETECT_SQLI:
		return sqli_byte_tells(byte);
	case OPERATOR_DETECT_XSS:
		return byte == '<' || byte == '=';
	case OPERATOR_VALIDATE_BYTE_RANGE:
		return rule->operation.bytes != NULL && !rule->operation.bytes->has[byte];
	case OPERATOR_VALIDATE_URL_ENCODING:
		return byte == '%';
	case OPERATOR_VALIDATE_UTF8_ENCODING:
		return byte >= 0x80;
	default:
		return false;
	}
}

uint32_t operator_needs(const struct rule *rule)
{
	uint32_t needs = 0;
	for (unsigned byte = 0; byte < 256 && !rule->operation.negated; byte++)
		if (may_tell(rule, (uint8_t)byte))
			needs |= byte_kind((uint8_t)byte);
	return needs;
}
