/*
 * Bytes are told apart by a table of marks. A keyword is split off before a '.' or a tick; a word that is longer than
 * any of SQL is a name without a look.
 */
#include "match/sqli_scan.h"

#include "match/sqli_word.h"

const uint8_t sqli_marks[256] = {
	[0] = SQLI_ENDS_WORD | SQLI_ENDS_VARIABLE | SQLI_BLANK | SQLI_MONEY_DIGIT,
	['\t' ... '\r'] = SQLI_ENDS_WORD | SQLI_ENDS_VARIABLE | SQLI_BLANK,
	[' '] = SQLI_ENDS_WORD | SQLI_ENDS_VARIABLE | SQLI_BLANK,
	[0xa0] = SQLI_ENDS_WORD | SQLI_BLANK,
	['!'] = SQLI_ENDS_WORD | SQLI_ENDS_VARIABLE | SQLI_PAIRS,
	['"' ... '#'] = SQLI_ENDS_WORD | SQLI_ENDS_VARIABLE,
	['%'] = SQLI_ENDS_WORD | SQLI_ENDS_VARIABLE,
	['&'] = SQLI_ENDS_WORD | SQLI_ENDS_VARIABLE | SQLI_PAIRS,
	['\'' ... '+'] = SQLI_ENDS_WORD | SQLI_ENDS_VARIABLE,
	[','] = SQLI_ENDS_WORD | SQLI_ENDS_VARIABLE | SQLI_MONEY_DIGIT,
	['-'] = SQLI_ENDS_WORD | SQLI_ENDS_VARIABLE,
	['.'] = SQLI_MONEY_DIGIT | SQLI_SPLITS_WORD,
	['/'] = SQLI_ENDS_WORD | SQLI_ENDS_VARIABLE | SQLI_PAIRS,
	['0' ... '9'] = SQLI_MONEY_DIGIT,
	[':'] = SQLI_ENDS_WORD | SQLI_ENDS_VARIABLE | SQLI_PAIRS,
	[';'] = SQLI_ENDS_WORD | SQLI_ENDS_VARIABLE,
	['<' ... '>'] = SQLI_ENDS_WORD | SQLI_ENDS_VARIABLE | SQLI_PAIRS,
	['?'] = SQLI_ENDS_WORD | SQLI_ENDS_VARIABLE,
	['@'] = SQLI_ENDS_WORD | SQLI_ENDS_VARIABLE | SQLI_PAIRS,
	['['] = SQLI_ENDS_WORD,
	['\\'] = SQLI_ENDS_WORD | SQLI_ENDS_VARIABLE,
	[']'] = SQLI_ENDS_WORD,
	['^'] = SQLI_ENDS_WORD | SQLI_ENDS_VARIABLE,
	['`'] = SQLI_ENDS_VARIABLE | SQLI_SPLITS_WORD,
	['{'] = SQLI_ENDS_WORD,
	['|'] = SQLI_ENDS_WORD | SQLI_ENDS_VARIABLE | SQLI_PAIRS,
	['}'] = SQLI_ENDS_WORD,
	['~'] = SQLI_ENDS_WORD | SQLI_ENDS_VARIABLE,
};

bool sqli_token_classify(struct sqli_token *token)
{
	struct sqli_word word = sqli_word_find(token->text, token->len);
	token->traits = word.traits;
	if (word.kind == SQLI_NONE)
		return false;
	token->kind = word.kind;
	return true;
}

/* SELECT.1 and SELECT`a` are a keyword and the rest: the length of the keyword, 0 if it is one word. */
static size_t split_word(struct slice s, size_t at, size_t end, struct sqli_token *token)
{
	for (size_t i = at; i < end; i++) {
		if ((sqli_marks[s.ptr[i]] & SQLI_SPLITS_WORD) == 0)
			continue;
		struct sqli_word word = sqli_word_find(s.ptr + at, i - at);
		if (word.kind == SQLI_NONE || word.kind == SQLI_NAME)
			continue;
		sqli_token_set(token, (enum sqli_kind)word.kind, s, at, i);
		token->traits = word.traits;
		return i - at;
	}
	return 0;
}

/* Where the word ends, or `limit`; what is in it is added to *seen. */
static size_t word_end(struct slice s, size_t at, size_t limit, unsigned *seen)
{
	for (; at < limit && (sqli_marks[s.ptr[at]] & SQLI_ENDS_WORD) == 0; at++)
		*seen |= sqli_marks[s.ptr[at]];
	return at;
}

/* A keyword is in the first bytes, so that the rest of a word is not gone over again for each that is split from it. */
size_t sqli_read_word(struct sqli_reader *reader, struct sqli_token *token)
{
	struct slice s = reader->input;
	size_t at = reader->at, limit = s.len - at < SQLI_TEXT_MAX ? s.len : at + SQLI_TEXT_MAX;
	unsigned seen = 0;
	size_t end = word_end(s, at, limit, &seen);
	size_t head = (seen & SQLI_SPLITS_WORD) != 0 ? split_word(s, at, end, token) : 0;
	if (head > 0)
		return at + head;
	if (end == limit)
		end = word_end(s, end, s.len, &seen);
	sqli_token_set(token, SQLI_NAME, s, at, end);
	if (end - at <= SQLI_TEXT_MAX)
		sqli_token_classify(token);
	return end;
}
