#include "match/pattern_class.h"

void pattern_set_invert(struct pattern_set *set)
{
	for (int i = 0; i < 4; i++)
		set->bits[i] = ~set->bits[i];
}

void pattern_set_join(struct pattern_set *set, const struct pattern_set *other)
{
	for (int i = 0; i < 4; i++)
		set->bits[i] |= other->bits[i];
}

/* Letters stand 32 apart, in one word. */
void pattern_set_fold(struct pattern_set *set)
{
	const uint64_t letters = (((uint64_t)1 << 26) - 1) << ('A' - 64);
	uint64_t folded = (set->bits[1] | set->bits[1] >> 32) & letters;
	set->bits[1] |= folded | folded << 32;
}

void pattern_set_range(struct pattern_set *set, unsigned from, unsigned to)
{
	for (unsigned c = from; c <= to; c++)
		pattern_set_add(set, (uint8_t)c);
}

static bool is_word(unsigned c)
{
	return c < 0x80 && (byte_is_alpha((uint8_t)c) || byte_is_digit((uint8_t)c) || c == '_');
}

bool pattern_class_escape(uint8_t c, struct pattern_set *ret_set)
{
	struct pattern_set set = {{0}};
	switch (byte_lower(c)) {
	case 'd':
		pattern_set_range(&set, '0', '9');
		break;
	case 'w':
		for (unsigned i = 0; i < 256; i++)
			if (is_word(i))
				pattern_set_add(&set, (uint8_t)i);
		break;
	case 's':
		pattern_set_range(&set, '\t', '\r');
		pattern_set_add(&set, ' ');
		break;
	case 'h':
		pattern_set_add(&set, '\t');
		pattern_set_add(&set, ' ');
		pattern_set_add(&set, 0xa0);
		break;
	case 'v':
		pattern_set_range(&set, '\n', '\r');
		pattern_set_add(&set, 0x85);
		break;
	case 'n':
		if (c == 'n')
			return false;
		pattern_set_add(&set, '\n');
		break;
	default:
		return false;
	}
	if (c >= 'A' && c <= 'Z')
		pattern_set_invert(&set);
	*ret_set = set;
	return true;
}

static bool posix_has(struct slice name, unsigned c)
{
	bool alpha = c < 0x80 && byte_is_alpha((uint8_t)c), digit = c < 0x80 && byte_is_digit((uint8_t)c);
	static const char *const names[] = {"alpha", "digit", "alnum", "upper", "lower",  "space", "blank",
					    "cntrl", "print", "graph", "punct", "xdigit", "word",  "ascii"};
	size_t which = 0;
	while (which < 14 && !slice_equal(name, slice_from_string(names[which])))
		which++;
	switch (which) {
	case 0:
		return alpha;
	case 1:
		return digit;
	case 2:
		return alpha || digit;
	case 3:
		return c >= 'A' && c <= 'Z';
	case 4:
		return c >= 'a' && c <= 'z';
	case 5:
		return byte_is_space((uint8_t)c);
	case 6:
		return c == ' ' || c == '\t';
	case 7:
		return c < 32 || c == 127;
	case 8:
		return c >= 32 && c < 127;
	case 9:
		return c > 32 && c < 127;
	case 10:
		return c > 32 && c < 127 && !alpha && !digit;
	case 11:
		return byte_hex_value((uint8_t)c) >= 0;
	case 12:
		return is_word(c);
	case 13:
		return c < 128;
	default:
		return false;
	}
}

/* Every class has one of these. */
static bool is_known(const struct pattern_set *set)
{
	return pattern_set_has(set, 'a') || pattern_set_has(set, '0') || pattern_set_has(set, '\t') ||
	       pattern_set_has(set, '!') || pattern_set_has(set, 'A');
}

bool pattern_class_posix(struct slice name, struct pattern_set *ret_set)
{
	struct pattern_set set = {{0}};
	for (unsigned c = 0; c < 256; c++)
		if (posix_has(name, c))
			pattern_set_add(&set, (uint8_t)c);
	*ret_set = set;
	return is_known(&set);
}
