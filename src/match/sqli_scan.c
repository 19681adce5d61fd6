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
static size_t split_word(struct slice s, size_t at, struct sqli_token *token)
{
	for (uint8_t i = 0; i < token->len; i++) {
		if ((sqli_marks[token->text[i]] & SQLI_SPLITS_WORD) == 0)
			continue;
		struct sqli_word word = sqli_word_find(token->text, i);
		if (word.kind == SQLI_NONE || word.kind == SQLI_NAME)
			continue;
		sqli_token_set(token, (enum sqli_kind)word.kind, s, at, at + i);
		token->traits = word.traits;
		return i;
	}
	return 0;
}

size_t sqli_read_word(struct sqli_reader *reader, struct sqli_token *token)
{
	struct slice s = reader->input;
	size_t at = reader->at, end = at;
	unsigned seen = 0;
	for (; end < s.len && (sqli_marks[s.ptr[end]] & SQLI_ENDS_WORD) == 0; end++)
		seen |= sqli_marks[s.ptr[end]];
	sqli_token_set(token, SQLI_NAME, s, at, end);
	size_t head = (seen & SQLI_SPLITS_WORD) != 0 ? split_word(s, at, token) : 0;
	if (head > 0)
		return at + head;
	if (end - at <= SQLI_TEXT_MAX)
		sqli_token_classify(token);
	return end;
}
