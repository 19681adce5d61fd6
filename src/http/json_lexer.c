/*
 * One function for each kind of token, behind its first byte. A string is only measured; if it holds a backslash it is
 * resolved by a pass of its own.
 */
#include "http/json_lexer.h"

#include "base/reader.h"

#include <errno.h>

/* The byte at the lexer's place, or -1 behind the end. */
static int peek(const struct json_lexer *lexer)
{
	if (lexer->at < lexer->text.len)
		return lexer->text.ptr[lexer->at];
	return lexer->at == lexer->text.len ? ' ' : -1;
}

static bool at_end(const struct json_lexer *lexer)
{
	return lexer->at > lexer->text.len;
}

static bool peek_is_digit(const struct json_lexer *lexer)
{
	int c = peek(lexer);
	return c >= '0' && c <= '9';
}

static enum json_token fail(struct json_lexer *lexer, const char *error)
{
	lexer->error = error;
	return JSON_ERROR;
}

/* The end of the text is no error yet: the parser decides. */
static enum json_token fail_unless_end(struct json_lexer *lexer, const char *error)
{
	return at_end(lexer) ? JSON_END : fail(lexer, error);
}

/* The first letter was read. */
static enum json_token lex_word(struct json_lexer *lexer, const char *rest, enum json_token token)
{
	for (; *rest != '\0'; rest++, lexer->at++)
		if (peek(lexer) != (uint8_t)*rest)
			return fail_unless_end(lexer, "invalid string in json text.");
	return token;
}

/* A backslash was read. JSON_STRING to go on. */
static enum json_token lex_escape(struct json_lexer *lexer)
{
	lexer->escaped = true;
	int c = peek(lexer);
	if (c <= 0 || strchr("\"\\/bfnrtu", c) == NULL)
		return fail_unless_end(lexer, "inside a string, '\\' occurs before a character which it may not.");
	lexer->at++;
	for (int digits = 0; c == 'u' && digits < 4; digits++, lexer->at++)
		if (peek(lexer) < 0 || byte_hex_value((uint8_t)peek(lexer)) < 0)
			return fail_unless_end(lexer, "invalid (non-hex) character occurs after '\\u' inside string.");
	return JSON_STRING;
}

/* The first byte, `c` of 0x80 or more, was read. Overlong forms and surrogates pass. */
static enum json_token lex_utf8(struct json_lexer *lexer, int c)
{
	int more = c >> 5 == 0x6 ? 1 : c >> 4 == 0xe ? 2 : c >> 3 == 0x1e ? 3 : 0;
	bool valid = more > 0;
	for (; valid && more > 0; more--) {
		if (at_end(lexer))
			return JSON_END;
		valid = peek(lexer) >> 6 == 0x2;
		lexer->at++;
	}
	return valid ? JSON_STRING : fail(lexer, "invalid bytes in UTF8 string.");
}

/* The opening quote was read. */
static enum json_token lex_string(struct json_lexer *lexer)
{
	size_t from = lexer->at;
	lexer->escaped = false;
	while (!at_end(lexer)) {
		int c = peek(lexer);
		if (c == '"') {
			lexer->value = slice_sub(lexer->text, from, lexer->at);
			lexer->at++;
			return JSON_STRING;
		}
		if (c < ' ')
			return fail(lexer, "invalid character inside string.");
		lexer->at++;
		enum json_token outcome = JSON_STRING;
		if (c == '\\')
			outcome = lex_escape(lexer);
		else if (c >= 0x80)
			outcome = lex_utf8(lexer, c);
		if (outcome != JSON_STRING)
			return outcome;
	}
	return JSON_END;
}

/* Any number of digits; how many. */
static size_t skip_digits(struct json_lexer *lexer)
{
	size_t from = lexer->at;
	while (peek_is_digit(lexer))
		lexer->at++;
	return lexer->at - from;
}

static enum json_token lex_number(struct json_lexer *lexer)
{
	size_t from = lexer->at;
	if (peek(lexer) == '-')
		lexer->at++;
	if (peek(lexer) == '0')
		lexer->at++;
	else if (skip_digits(lexer) == 0)
		return fail_unless_end(lexer, "malformed number, a digit is required after the minus sign.");
	if (peek(lexer) == '.') {
		lexer->at++;
		if (skip_digits(lexer) == 0)
			return fail_unless_end(lexer, "malformed number, a digit is required after the decimal point.");
	}
	if (peek(lexer) == 'e' || peek(lexer) == 'E') {
		lexer->at++;
		if (peek(lexer) == '+' || peek(lexer) == '-')
			lexer->at++;
		if (skip_digits(lexer) == 0)
			return fail_unless_end(lexer, "malformed number, a digit is required after the exponent.");
	}
	lexer->value = slice_sub(lexer->text, from, lexer->at);
	return JSON_NUMBER;
}

enum json_token json_lexer_next(struct json_lexer *lexer)
{
	while (peek(lexer) >= 0 && byte_is_space((uint8_t)peek(lexer)))
		lexer->at++;
	if (at_end(lexer))
		return JSON_END;
	if (peek(lexer) == '-' || peek_is_digit(lexer))
		return lex_number(lexer);
	int c = peek(lexer);
	lexer->at++;
	switch (c) {
	case '{':
		return JSON_OBJECT;
	case '}':
		return JSON_OBJECT_END;
	case '[':
		return JSON_ARRAY;
	case ']':
		return JSON_ARRAY_END;
	case ':':
		return JSON_COLON;
	case ',':
		return JSON_COMMA;
	case 't':
		return lex_word(lexer, "rue", JSON_TRUE);
	case 'f':
		return lex_word(lexer, "alse", JSON_FALSE);
	case 'n':
		return lex_word(lexer, "ull", JSON_NULL);
	case '"':
		return lex_string(lexer);
	case '/':
		return fail(lexer, "probable comment found in input text, comments are not enabled.");
	default:
		return fail(lexer, "invalid char in json text.");
	}
}

static uint32_t read_code_unit(struct reader *r)
{
	uint32_t unit = 0;
	for (int i = 0; i < 4; i++)
		unit = unit << 4 | (uint32_t)byte_hex_value(reader_byte(r));
	return unit;
}

static size_t put_utf8(uint8_t *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (uint8_t)c;
		return 1;
	}
	size_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	static const uint8_t lead[] = {0, 0xc0, 0xe0, 0xf0};
	out[0] = (uint8_t)(lead[more] | c >> (6 * more));
	for (size_t i = 1; i <= more; i++)
		out[i] = (uint8_t)(0x80 | (c >> (6 * (more - i)) & 0x3f));
	return more + 1;
}

/* "\u" was read. A high surrogate that no \u follows is '?'. */
static size_t unescape_unicode(struct reader *r, uint8_t *out)
{
	uint32_t c = read_code_unit(r);
	if ((c & 0xfc00) == 0xd800) {
		if (!reader_accept(r, SLICE("\\u"))) {
			out[0] = '?';
			return 1;
		}
		uint32_t low = read_code_unit(r);
		c = (c & 0x3f) << 10 | ((c >> 6 & 0xf) + 1) << 16 | (low & 0x3ff);
	}
	return put_utf8(out, c);
}

int json_unescape(struct slice text, struct arena *arena, struct slice *ret_text)
{
	/* No escape is longer unescaped. */
	uint8_t *copy = arena_alloc(arena, text.len);
	if (copy == NULL)
		return -ENOMEM;
	size_t length = 0;
	struct reader r = reader_make(text);
	while (!reader_at_end(&r)) {
		uint8_t c = reader_byte(&r);
		if (c != '\\') {
			copy[length++] = c;
			continue;
		}
		c = reader_byte(&r);
		static const char letters[] = "bfnrt";
		static const char meanings[] = "\b\f\n\r\t";
		const char *letter = c == '\0' ? NULL : strchr(letters, c);
		if (c == 'u')
			length += unescape_unicode(&r, copy + length);
		else
			copy[length++] = letter == NULL ? c : (uint8_t)meanings[letter - letters];
	}
	arena_shrink(arena, copy, text.len, length);
	*ret_text = slice_make(copy, length);
	return 0;
}
