/*
 * Prefixes go bit by bit, for in IPv6 one may begin at an offset. Reading wants components in ascending order; what is
 * well-formed and beyond what a rule can hold is told from what is malformed.
 */
#include "upstream/flow_nlri.h"

#include "base/reader.h"

enum { END_OF_LIST = 0x80, SIZE_SHIFT = 4, SIZE_MASK = 0x30, LONG_LENGTH = 0xf0 };

/* ---- writing ---- */

struct writer {
	uint8_t *bytes;
	size_t len;
	bool full;
};

static void put(struct writer *w, unsigned byte)
{
	if (w->len > FLOW_NLRI_BYTES)
		w->full = true;
	else
		w->bytes[w->len++] = (uint8_t)byte;
}

/* Bit `at` of an address, from the top. */
static unsigned bit_of(const struct address *a, unsigned at)
{
	return a->bytes[at / 8] >> (7 - at % 8) & 1u;
}

/* The bits from `offset` to the length, moved to the front. */
static void put_pattern(struct writer *w, const struct flow_prefix *side, unsigned from)
{
	unsigned byte = 0, count = 0;
	for (unsigned at = from + side->offset; at < side->prefix.bits; at++) {
		byte |= bit_of(&side->prefix.address, at) << (7 - count % 8);
		if (++count % 8 == 0) {
			put(w, byte);
			byte = 0;
		}
	}
	if (count % 8 != 0)
		put(w, byte);
}

static void put_side(struct writer *w, unsigned component, const struct flow_prefix *side, bool v6)
{
	if (!side->given)
		return;
	put(w, component);
	put(w, side->prefix.bits - (v6 ? 0u : (unsigned)ADDRESS_V4_BITS));
	if (v6)
		put(w, side->offset);
	put_pattern(w, side, v6 ? 0 : ADDRESS_V4_BITS);
}

/* The smallest of 1, 2 and 4 bytes, as a power of two; a fragment's and a DSCP's has one byte, a label's four. */
static unsigned size_of(const struct flow_term *term)
{
	if (term->component == FLOW_LABEL)
		return 2;
	return term->value > 0xff ? 1 : 0;
}

static void put_term(struct writer *w, const struct flow_term *term, bool last)
{
	unsigned size = size_of(term);
	put(w, term->test | size << SIZE_SHIFT | (last ? (unsigned)END_OF_LIST : 0));
	for (unsigned left = 1u << size; left-- > 0;)
		put(w, term->value >> (8 * left) & 0xff);
}

size_t flow_nlri_write(const struct flow_rule *rule, uint8_t bytes[FLOW_NLRI_BYTES + 1])
{
	struct writer w = {bytes, 1, false};
	put_side(&w, FLOW_DESTINATION, &rule->destination, rule->v6);
	put_side(&w, FLOW_SOURCE, &rule->source, rule->v6);
	for (size_t i = 0; i < rule->term_count; i++) {
		const struct flow_term *term = &rule->terms[i];
		bool first = i == 0 || rule->terms[i - 1].component != term->component;
		if (first)
			put(&w, term->component);
		put_term(&w, term, i + 1 == rule->term_count || rule->terms[i + 1].component != term->component);
	}
	bytes[0] = (uint8_t)(w.len - 1);
	return w.full ? 0 : w.len;
}

/* ---- reading ---- */

/* The bits of a pattern go behind `before` bits of the address; what pads is ignored. */
static bool read_pattern(struct reader *r, unsigned before, unsigned count, struct address *address)
{
	struct slice pattern = reader_take(r, (count + 7) / 8);
	for (unsigned i = 0; i < count && !r->overrun; i++)
		if ((pattern.ptr[i / 8] >> (7 - i % 8) & 1) != 0)
			address->bytes[(before + i) / 8] |= (uint8_t)(1u << (7 - (before + i) % 8));
	return !r->overrun;
}

static int read_side(struct reader *r, bool v6, struct flow_prefix *side)
{
	unsigned most = v6 ? ADDRESS_BITS : ADDRESS_BITS - ADDRESS_V4_BITS, bits = reader_byte(r);
	unsigned offset = v6 ? reader_byte(r) : 0, before = v6 ? 0 : ADDRESS_V4_BITS;
	bool whole = bits == 0 && offset == 0;
	struct address address = {{0}};
	if (r->overrun || bits > most || (!whole && offset >= bits))
		return FLOW_NLRI_BAD;
	if (!v6)
		address = address_from_v4((const uint8_t[4]){0});
	if (!read_pattern(r, before + offset, bits - offset, &address))
		return FLOW_NLRI_BAD;
	*side = (struct flow_prefix){true, (uint8_t)offset, {address, (uint8_t)(before + bits)}};
	return flow_prefix_fits(side, v6) ? 0 : FLOW_NLRI_UNKNOWN;
}

static bool read_value(struct reader *r, unsigned size, uint64_t *ret_value)
{
	uint64_t value = 0;
	for (unsigned left = 1u << size; left > 0; left--)
		value = value << 8 | reader_byte(r);
	*ret_value = value;
	return !r->overrun;
}

/* Bits that mean nothing are ignored, the first term's AND among them. */
static int read_terms(struct reader *r, unsigned component, struct flow_rule *rule)
{
	unsigned known = flow_is_bits(component) ? FLOW_ALL_BITS | FLOW_NOT : FLOW_EQUAL | FLOW_GREATER | FLOW_LESS;
	for (bool first = true;; first = false) {
		unsigned test = reader_byte(r);
		uint64_t value;
		if (!read_value(r, (test & SIZE_MASK) >> SIZE_SHIFT, &value))
			return FLOW_NLRI_BAD;
		if (value > flow_value_most(component) ||
		    !flow_rule_add(rule, component, test & (known | (first ? 0 : (unsigned)FLOW_AND)), (uint32_t)value))
			return FLOW_NLRI_UNKNOWN;
		if ((test & END_OF_LIST) != 0)
			return 0;
	}
}

static int read_components(struct reader *r, struct flow_rule *rule)
{
	unsigned last = 0;
	while (!reader_at_end(r)) {
		unsigned component = reader_byte(r);
		if (component <= last)
			return FLOW_NLRI_BAD;
		last = component;
		int result = component == FLOW_DESTINATION ? read_side(r, rule->v6, &rule->destination)
			     : component == FLOW_SOURCE    ? read_side(r, rule->v6, &rule->source)
			     : component < FLOW_COMPONENTS ? read_terms(r, component, rule)
							   : FLOW_NLRI_UNKNOWN;
		if (result != 0)
			return result;
	}
	return 0;
}

int flow_nlri_read(struct slice bytes, bool v6, struct flow_rule *ret_rule, struct slice *ret_rest)
{
	struct flow_rule rule = {.v6 = v6};
	struct reader r = reader_make(bytes);
	size_t len = reader_byte(&r);
	if (len >= LONG_LENGTH)
		len = (len & 0xf) << 8 | reader_byte(&r);
	struct slice components = reader_take(&r, len);
	if (r.overrun || len == 0)
		return FLOW_NLRI_BAD;
	struct reader inside = reader_make(components);
	int result = read_components(&inside, &rule);
	if (result != 0)
		return result;
	*ret_rule = rule;
	*ret_rest = reader_rest(&r);
	return 0;
}

/* ---- the action ---- */

enum { RATE_TYPE = 0x80, RATE_BYTES = 0x06 };

void flow_action_write(uint16_t as, uint64_t bytes_per_second, uint8_t bytes[FLOW_ACTION_BYTES])
{
	float rate = (float)bytes_per_second;
	uint32_t word;
	memcpy(&word, &rate, sizeof(word));
	const uint8_t all[FLOW_ACTION_BYTES] = {RATE_TYPE,
						RATE_BYTES,
						(uint8_t)(as >> 8),
						(uint8_t)as,
						(uint8_t)(word >> 24),
						(uint8_t)(word >> 16),
						(uint8_t)(word >> 8),
						(uint8_t)word};
	memcpy(bytes, all, sizeof(all));
}

bool flow_action_read(struct slice bytes, uint64_t *ret_bytes_per_second)
{
	const uint8_t *b = bytes.ptr;
	float rate;
	if (bytes.len != FLOW_ACTION_BYTES || b[0] != RATE_TYPE || b[1] != RATE_BYTES)
		return false;
	uint32_t word = (uint32_t)b[4] << 24 | (uint32_t)b[5] << 16 | (uint32_t)b[6] << 8 | b[7];
	memcpy(&rate, &word, sizeof(rate));
	if (!(rate >= 0 && rate < 1e18f))
		return false;
	*ret_bytes_per_second = (uint64_t)rate;
	return true;
}
