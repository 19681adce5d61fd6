/* A set is four words of 64 bits; a class that has a name is asked of each of the 256 bytes. */
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

static bool is_alpha(unsigned c)
{
	return byte_is_alpha((uint8_t)c);
}

static bool is_digit(unsigned c)
{
	return byte_is_digit((uint8_t)c);
}

static bool is_alnum(unsigned c)
{
	return is_alpha(c) || is_digit(c);
}

static bool is_upper(unsigned c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_lower(unsigned c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_space(unsigned c)
{
	return byte_is_space((uint8_t)c);
}

static bool is_blank(unsigned c)
{
	return c == ' ' || c == '\t';
}

static bool is_print(unsigned c)
{
	return c >= ' ' && c <= '~';
}

static bool is_graph(unsigned c)
{
	return c > ' ' && c <= '~';
}

static bool is_punct(unsigned c)
{
	return is_graph(c) && !is_alnum(c);
}

static bool is_xdigit(unsigned c)
{
	return byte_hex_value((uint8_t)c) >= 0;
}

static bool is_ascii(unsigned c)
{
	return c < 0x80;
}

static bool is_cntrl(unsigned c)
{
	return is_ascii(c) && !is_print(c);
}

bool pattern_class_posix(struct slice name, struct pattern_set *ret_set)
{
	static const struct {
		const char *name;
		bool (*has)(unsigned c);
	} classes[] = {
		{"alpha", is_alpha}, {"digit", is_digit},   {"alnum", is_alnum}, {"upper", is_upper},
		{"lower", is_lower}, {"space", is_space},   {"blank", is_blank}, {"cntrl", is_cntrl},
		{"print", is_print}, {"graph", is_graph},   {"punct", is_punct}, {"word", is_word},
		{"ascii", is_ascii}, {"xdigit", is_xdigit},
	};
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (!slice_equal(name, slice_from_string(classes[i].name)))
			continue;
		*ret_set = (struct pattern_set){{0}};
		for (unsigned c = 0; c < 256; c++)
			if (classes[i].has(c))
				pattern_set_add(ret_set, (uint8_t)c);
		return true;
	}
	return false;
}
