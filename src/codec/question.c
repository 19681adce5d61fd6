/* Each space ends a word: two in a row have an empty one between them. An answer is one line of JSON. */
#include "codec/question.h"

#include "codec/text.h"

struct slice question_word(struct slice *rest)
{
	struct slice first;
	*rest = slice_cut(*rest, ' ', &first);
	return first;
}

static void add_fault(struct buffer *out, const char *text, const char *more)
{
	buffer_text(out, "{\"fault\":");
	text_add_json(out, slice_from_string(text));
	buffer_text(out, more);
	buffer_text(out, "}\n");
}

void question_fault(struct buffer *out, const char *text)
{
	add_fault(out, text, "");
}

void question_trouble(struct buffer *out, const char *text)
{
	add_fault(out, text, ",\"machine\":true");
}
