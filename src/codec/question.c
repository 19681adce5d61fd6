#include "codec/question.h"

#include "codec/text.h"

struct slice question_word(struct slice *rest)
{
	struct slice first;
	*rest = slice_cut(*rest, ' ', &first);
	return first;
}

bool question_number(struct slice word, uint64_t most, uint64_t *ret_number)
{
	uint64_t value = 0;
	for (size_t i = 0; i < word.len; i++) {
		uint64_t digit = (uint64_t)(word.ptr[i] - '0');
		if (!byte_is_digit(word.ptr[i]) || digit > most || value > (most - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (word.len > 0)
		*ret_number = value;
	return word.len > 0;
}

void question_fault(struct buffer *out, const char *text)
{
	buffer_text(out, "{\"fault\":");
	text_add_json(out, slice_from_string(text));
	buffer_text(out, "}\n");
}
