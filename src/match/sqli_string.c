/*
 * A quoted text ends at the first quote that is neither escaped nor doubled; Oracle's and PostgreSQL's own strings end
 * at two bytes, or at their tag.
 */
#include "match/sqli_string.h"

#include "match/sqli_scan.h"

static size_t skip_unmarked(struct slice s, size_t at, unsigned mark)
{
	while (at < s.len && (sqli_marks[s.ptr[at]] & mark) == 0)
		at++;
	return at;
}

static void set_string(struct sqli_token *token, struct slice input, size_t from, size_t to, uint8_t open)
{
	sqli_token_set(token, SQLI_STRING, input, from, to);
	token->open = open;
	token->close = to < input.len ? open : 0;
}

/* Some clients escape a quote by a backslash, some by doubling it; both are honoured. */
size_t sqli_read_quoted(struct slice s, size_t from, uint8_t quote, uint8_t open, struct sqli_token *token)
{
	size_t at = slice_find_byte(s, quote, from);
	while (at < s.len) {
		size_t slashes = 0;
		while (at - slashes > from && s.ptr[at - slashes - 1] == '\\')
			slashes++;
		if (slashes % 2 == 1)
			at = slice_find_byte(s, quote, at + 1);
		else if (at + 1 < s.len && s.ptr[at + 1] == quote)
			at = slice_find_byte(s, quote, at + 2);
		else
			break;
	}
	sqli_token_set(token, SQLI_STRING, s, from, at);
	token->open = open;
	token->close = at < s.len ? quote : 0;
	return at < s.len ? at + 1 : at;
}

size_t sqli_read_string(struct sqli_reader *reader, struct sqli_token *token)
{
	uint8_t quote = reader->input.ptr[reader->at];
	return sqli_read_quoted(reader->input, reader->at + 1, quote, quote, token);
}

size_t sqli_read_escaped(struct sqli_reader *reader, struct sqli_token *token)
{
	struct slice s = reader->input;
	size_t at = reader->at;
	if (at + 2 >= s.len || s.ptr[at + 1] != '\'')
		return sqli_read_word(reader, token);
	return sqli_read_quoted(s, at + 2, '\'', '\'', token);
}

size_t sqli_read_unicode(struct sqli_reader *reader, struct sqli_token *token)
{
	struct slice s = reader->input;
	size_t at = reader->at;
	if (sqli_peek(s, at + 1) != '&' || sqli_peek(s, at + 2) != '\'')
		return sqli_read_word(reader, token);
	size_t end = sqli_read_quoted(s, at + 3, '\'', 'u', token);
	if (token->close != 0)
		token->close = 'u';
	return end;
}

static uint8_t closing_of(uint8_t c)
{
	switch (c) {
	case '(':
		return ')';
	case '[':
		return ']';
	case '{':
		return '}';
	case '<':
		return '>';
	default:
		return c;
	}
}

size_t sqli_read_quoted_at(struct sqli_reader *reader, size_t at, struct sqli_token *token)
{
	struct slice s = reader->input;
	uint8_t delimiter = sqli_peek(s, at + 2);
	/* Bytes from 0x80 count as negative: no delimiter either. */
	if (byte_lower(sqli_peek(s, at)) != 'q' || sqli_peek(s, at + 1) != '\'' || delimiter <= ' ' ||
	    delimiter >= 0x80)
		return sqli_read_word(reader, token);
	size_t end = sqli_find_two(s, at + 3, closing_of(delimiter), '\'');
	set_string(token, s, at + 3, end, 'q');
	return end < s.len ? end + 2 : end;
}

size_t sqli_read_national(struct sqli_reader *reader, struct sqli_token *token)
{
	if (reader->at + 2 < reader->input.len && reader->input.ptr[reader->at + 1] == '\'')
		return sqli_read_escaped(reader, token);
	return sqli_read_quoted_at(reader, reader->at + 1, token);
}

size_t sqli_read_tick(struct slice s, size_t at, struct sqli_token *token)
{
	size_t end = sqli_read_quoted(s, at + 1, '`', '`', token);
	sqli_token_classify(token);
	if (token->kind != SQLI_FUNCTION)
		token->kind = SQLI_NAME;
	return end;
}

size_t sqli_read_variable(struct sqli_reader *reader, struct sqli_token *token)
{
	struct slice s = reader->input;
	size_t at = reader->at + 1;
	if (sqli_peek(s, at) == '@')
		at++;
	size_t end;
	uint8_t c = sqli_peek(s, at);
	if (c == '`') {
		end = sqli_read_tick(s, at, token);
	} else if (c == '\'' || c == '"') {
		end = sqli_read_quoted(s, at + 1, c, c, token);
	} else {
		end = skip_unmarked(s, at, SQLI_ENDS_VARIABLE);
		sqli_token_set(token, SQLI_VARIABLE, s, at, end);
	}
	sqli_token_classify(token);
	token->kind = SQLI_VARIABLE;
	return end;
}

/* PostgreSQL's $tag$...$tag$; `body` is where the text starts. The tag is letters between two $. */
static size_t read_tagged(struct sqli_reader *reader, size_t body, struct sqli_token *token)
{
	struct slice s = reader->input;
	size_t tag_len = body - reader->at;
	size_t end = slice_find(s, slice_sub(s, reader->at, body), body);
	set_string(token, s, body, end, '$');
	return end < s.len ? end + tag_len : end;
}

size_t sqli_read_money(struct sqli_reader *reader, struct sqli_token *token)
{
	struct slice s = reader->input;
	size_t at = reader->at;
	size_t end = at + 1;
	while (end < s.len && (sqli_marks[s.ptr[end]] & SQLI_MONEY_DIGIT) != 0)
		end++;
	if (end == at + 2 && s.ptr[at + 1] == '.')
		return sqli_read_word(reader, token);
	if (end > at + 1) {
		sqli_token_set(token, SQLI_NUMBER, s, at, end);
		return end;
	}
	if (sqli_peek(s, end) == '$') {
		size_t close = sqli_find_two(s, end + 1, '$', '$');
		set_string(token, s, end + 1, close, '$');
		return close < s.len ? close + 2 : close;
	}
	while (end < s.len && (byte_is_alpha(s.ptr[end]) || s.ptr[end] == 0))
		end++;
	if (end > at + 1 && sqli_peek(s, end) == '$')
		return read_tagged(reader, end + 1, token);
	sqli_token_set(token, SQLI_NAME, s, at, at + 1);
	return at + 1;
}
