/* The rows of phrase_table.h once more, as texts. Then which language is spoken: by primary subtags and weights. */
#include "screen/phrases.h"

#include "base/slice.h"

#include <stdlib.h>

static const char *const sayings[SAYINGS][LANGUAGES] = {
#define SAY(name, english, portuguese, chinese) [SAY_##name] = {english, portuguese, chinese},
#include "screen/phrase_table.h"
#undef SAY
};

const char *say(enum say which, enum language language)
{
	return sayings[which][language];
}

const char *language_name(enum language language)
{
	static const char *const names[LANGUAGES] = {"English", "Português", "中文"};
	return names[language];
}

/* "pt-BR" is Portuguese, "zh" and all its kinds Chinese; LANGUAGES for what we do not speak. */
static enum language language_of_range(struct slice range)
{
	static const struct {
		const char *primary;
		enum language language;
	} known[] = {{"en", LANGUAGE_ENGLISH}, {"pt", LANGUAGE_PORTUGUESE}, {"zh", LANGUAGE_CHINESE}};
	struct slice primary;
	(void)slice_cut(range, '-', &primary);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (slice_equal_nocase(primary, slice_from_string(known[i].primary)))
			return known[i].language;
	return LANGUAGES;
}

/* "q=0.8" in thousandths; 1000 where nothing is said. */
static unsigned weight_of(struct slice parameter)
{
	unsigned weight = 0, unit = 1000;
	parameter = slice_trim(parameter);
	if (!slice_starts_with_nocase(parameter, SLICE("q=")))
		return 1000;
	for (size_t i = 2; i < parameter.len && unit > 0; i++) {
		if (parameter.ptr[i] == '.')
			continue;
		if (!byte_is_digit(parameter.ptr[i]))
			break;
		weight += (unsigned)(parameter.ptr[i] - '0') * unit;
		unit /= 10;
	}
	return weight < 1000 ? weight : 1000;
}

enum language language_accepted(const char *header)
{
	struct slice rest = slice_from_string(header), range, name;
	enum language best = LANGUAGE_ENGLISH;
	unsigned best_weight = 0;
	while (rest.len > 0) {
		rest = slice_cut(rest, ',', &range);
		struct slice parameter = slice_cut(range, ';', &name);
		enum language language = language_of_range(slice_trim(name));
		unsigned weight = weight_of(parameter);
		if (language != LANGUAGES && weight > best_weight) {
			best = language;
			best_weight = weight;
		}
	}
	return best;
}
