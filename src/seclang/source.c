/*
 * A byte at a time, with the line counted along. Where a byte of a quoted word stands is found by reading the word
 * again, so that no word carries a map of its escapes.
 */
#include "seclang/source.h"

#include <errno.h>

struct source source_make(struct slice text, const char *file, unsigned first_line)
{
	if (slice_starts_with(text, SLICE("\xef\xbb\xbf")))
		text = slice_after(text, 3);
	return (struct source){.text = text, .file = file, .first_line = first_line, .line = first_line};
}

/* How many bytes of line continuation stand at `at`: backslash, blanks are not allowed between, CR, LF. */
static size_t continuation(const struct source *s, size_t at)
{
	if (s->text.ptr[at] != '\\')
		return 0;
	size_t end = at + 1;
	if (end < s->text.len && s->text.ptr[end] == '\r')
		end++;
	return end < s->text.len && s->text.ptr[end] == '\n' ? end + 1 - at : 0;
}

static void skip_line(struct source *s, bool continued)
{
	while (s->at < s->text.len) {
		size_t step = continued ? continuation(s, s->at) : 0;
		if (step > 0) {
			s->at += step;
			s->line++;
		} else if (s->text.ptr[s->at++] == '\n') {
			s->line++;
			return;
		}
	}
}

/* Blanks and continued line ends. */
static void skip_blanks(struct source *s)
{
	while (s->at < s->text.len) {
		uint8_t c = s->text.ptr[s->at];
		size_t step = continuation(s, s->at);
		if (step > 0)
			s->line++;
		else if (c != ' ' && c != '\t' && c != '\r')
			return;
		s->at += step > 0 ? step : 1;
	}
}

/* To the first byte of a statement; false at the end of the text. */
static bool find_statement(struct source *s)
{
	for (;;) {
		skip_blanks(s);
		if (s->at >= s->text.len)
			return false;
		uint8_t c = s->text.ptr[s->at];
		if (c != '\n' && c != '#')
			return true;
		skip_line(s, c == '#');
	}
}

static unsigned column_of(const struct source *s, size_t at)
{
	size_t start = at;
	while (start > 0 && s->text.ptr[start - 1] != '\n')
		start--;
	return (unsigned)(at - start) + 1;
}

/* A continued line's leading blanks are dropped, as ModSecurity does; other bytes are kept. */
static size_t take_continuation(struct source *s)
{
	size_t step = continuation(s, s->at);
	if (step == 0)
		return 0;
	s->at += step;
	s->line++;
	while (s->at < s->text.len && (s->text.ptr[s->at] == ' ' || s->text.ptr[s->at] == '\t'))
		s->at++;
	return step;
}

enum { QUOTE_ENDS = -1, TEXT_ENDS = -2 };

/* The next byte within quotes. \" is a quote; a backslash after a backslash escapes nothing, and both stay. */
static int quoted_byte(struct source *s, bool *escaped)
{
	while (s->at < s->text.len && take_continuation(s) > 0)
		;
	if (s->at >= s->text.len)
		return TEXT_ENDS;
	uint8_t c = s->text.ptr[s->at++];
	if (c == '"' && !*escaped)
		return QUOTE_ENDS;
	if (c == '\n')
		s->line++;
	bool escapes = c == '\\' && !*escaped;
	if (escapes && s->at < s->text.len && s->text.ptr[s->at] == '"') {
		s->at++;
		return '"';
	}
	*escaped = escapes;
	return c;
}

static void quoted_word(struct source *s, struct buffer *out, bool *ret_unterminated)
{
	bool escaped = false;
	int c;
	s->at++;
	while ((c = quoted_byte(s, &escaped)) >= 0)
		buffer_byte(out, (uint8_t)c);
	if (c == TEXT_ENDS)
		*ret_unterminated = true;
}

static void plain_word(struct source *s, struct buffer *out)
{
	while (s->at < s->text.len) {
		uint8_t c = s->text.ptr[s->at];
		if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || continuation(s, s->at) > 0)
			return;
		buffer_byte(out, c);
		s->at++;
	}
}

static int read_word(struct source *s, struct arena *arena, struct statement *statement)
{
	struct word word = {.line = s->line, .quoted = s->text.ptr[s->at] == '"'};
	/* A column costs the line before it: not for words that nobody will read. */
	if (statement->word_count < STATEMENT_WORDS_MAX)
		word.column = column_of(s, s->at) + (word.quoted ? 1 : 0);
	word.at = s->at + (word.quoted ? 1 : 0);
	struct buffer out = buffer_make(NULL);
	if (word.quoted)
		quoted_word(s, &out, &statement->unterminated);
	else
		plain_word(s, &out);
	int r = out.error != 0 ? out.error : arena_copy(arena, buffer_slice(&out), &word.text);
	buffer_free(&out);
	if (r != 0)
		return r;
	if (statement->word_count < STATEMENT_WORDS_MAX)
		statement->words[statement->word_count++] = word;
	else
		statement->overflow = true;
	return 0;
}

int source_next(struct source *source, struct arena *arena, struct statement *ret_statement)
{
	*ret_statement = (struct statement){0};
	if (!find_statement(source))
		return 0;
	while (source->at < source->text.len && source->text.ptr[source->at] != '\n') {
		int r = read_word(source, arena, ret_statement);
		if (r != 0)
			return r;
		skip_blanks(source);
	}
	return 1;
}

struct source_place source_place_at(const struct source *source, const struct word *word, size_t offset)
{
	struct source s = *source;
	bool escaped = false;
	s.at = word->at;
	s.line = word->line;
	for (size_t i = 0; word->quoted && i < offset && quoted_byte(&s, &escaped) >= 0; i++)
		;
	if (!word->quoted)
		s.at += offset < word->text.len ? offset : word->text.len;
	else
		while (s.at < s.text.len && take_continuation(&s) > 0)
			;
	unsigned column = column_of(&s, s.at);
	size_t start = s.at - (column - 1);
	return (struct source_place){.file = source->file,
				     .line = s.line,
				     .column = column,
				     .source_line = slice_sub(s.text, start, slice_find_byte(s.text, '\n', s.at))};
}

struct source_place source_place(const struct source *source, const struct word *word)
{
	return source_place_at(source, word, 0);
}
