/* The first line is @pm's argument, the rest a file of phrases and the value: what is found is a phrase, where it is
 * told. */
#include "match/phrases.h"

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice argument, value = slice_cut(slice_make(data, size), '\n', &argument);
	struct phrase_list list = {0};
	struct phrases *phrases = NULL;
	struct phrase_match m;
	if (phrase_list_add_argument(&list, argument) != 0 || phrase_list_add_file(&list, value) != 0 ||
	    phrases_compile(&list, &phrases) != 0)
		abort();
	bool found = phrases_match(phrases, value, &m), plain = false;
	for (size_t i = 0; i < phrases_count(phrases); i++)
		plain = plain || slice_find_nocase(value, phrases_at(phrases, i), 0) < value.len;
	if (found != plain)
		abort();
	if (found && (m.end > value.len || !slice_equal_nocase(slice_sub(value, m.start, m.end), m.text)))
		abort();
	phrases_free(phrases);
	phrase_list_free(&list);
	return 0;
}
