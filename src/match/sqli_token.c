/*
 * A token's first byte chooses who reads it; one of a single byte is looked up whole (sqli_single.h). Where dialects
 * differ that is noted, and the value may be read again as MySQL.
 */
#include "match/sqli_token.h"

#include "match/sqli_scan.h"
#include "match/sqli_single.h"
#include "match/sqli_string.h"

/* What a token that starts with a byte may be. */
enum start {
	WORD, /* the default: letters, _, bytes from 0x80 */
	SPACE,
	DIGIT,
	QUOTE,
	PUNCTUATION,
	OPERATOR,
	PAIRED, /* an operator that two characters may make */
	DASH,
	SLASH,
	HASH,
	MONEY,
	AT,
	TICK,
	BRACKET,
	BACKSLASH,
	STRAY,
	BITS,     /* b'01' */
	HEX,      /* x'0f' */
	ESCAPED,  /* e'...' */
	NATIONAL, /* n'...', nq'[...]' */
	QUOTED,   /* q'[...]' */
	UNICODE,  /* u&'...' */
};

static const uint8_t starts[256] = {
	[0 ... ' '] = SPACE, [0x7f] = SPACE,         [0xa0] = SPACE,      ['0' ... '9'] = DIGIT,
	['.'] = DIGIT,       ['\''] = QUOTE,         ['"'] = QUOTE,       ['('] = PUNCTUATION,
	[')'] = PUNCTUATION, [','] = PUNCTUATION,    [';'] = PUNCTUATION, ['{'] = PUNCTUATION,
	['}'] = PUNCTUATION, ['%'] = OPERATOR,       ['+'] = OPERATOR,    ['^'] = OPERATOR,
	['~'] = OPERATOR,    ['!'] = PAIRED,         ['&'] = PAIRED,      ['*'] = PAIRED,
	[':'] = PAIRED,      ['<' ... '>'] = PAIRED, ['|'] = PAIRED,      ['-'] = DASH,
	['/'] = SLASH,       ['#'] = HASH,           ['$'] = MONEY,       ['@'] = AT,
	['`'] = TICK,        ['['] = BRACKET,        ['\\'] = BACKSLASH,  ['?'] = STRAY,
	[']'] = STRAY,       ['B'] = BITS,           ['b'] = BITS,        ['X'] = HEX,
	['x'] = HEX,         ['E'] = ESCAPED,        ['e'] = ESCAPED,     ['N'] = NATIONAL,
	['n'] = NATIONAL,    ['Q'] = QUOTED,         ['q'] = QUOTED,      ['U'] = UNICODE,
	['u'] = UNICODE,
};

static size_t skip_digits(struct slice s, size_t at)
{
	while (at < s.len && byte_is_digit(s.ptr[at]))
		at++;
	return at;
}

/* A NUL passes for a digit, as databases' C strings would end there. */
static size_t skip_base_digits(struct slice s, size_t at, int base)
{
	while (at < s.len && (s.ptr[at] == 0 || (byte_hex_value(s.ptr[at]) >= 0 && byte_hex_value(s.ptr[at]) < base)))
		at++;
	return at;
}

static size_t read_operator(struct sqli_reader *reader, struct sqli_token *token)
{
	uint8_t c = reader->input.ptr[reader->at];
	sqli_token_set(token, SQLI_OPERATOR, reader->input, reader->at, reader->at + 1);
	if (c == '+' || c == '-')
		token->traits = SQLI_TRAIT_UNARY | SQLI_TRAIT_ARITH;
	else if (c == '!' || c == '~')
		token->traits = SQLI_TRAIT_UNARY;
	else if (c == '*' || c == '/' || c == '%')
		token->traits = SQLI_TRAIT_ARITH;
	return reader->at + 1;
}

static size_t read_paired(struct sqli_reader *reader, struct sqli_token *token)
{
	struct slice s = reader->input;
	size_t at = reader->at;
	if (at + 1 >= s.len)
		return read_operator(reader, token);
	if (at + 2 < s.len && memcmp(s.ptr + at, "<=>", 3) == 0) {
		sqli_token_set(token, SQLI_OPERATOR, s, at, at + 3);
		return at + 3;
	}
	sqli_token_set(token, SQLI_NONE, s, at, at + 2);
	if ((sqli_marks[s.ptr[at + 1]] & SQLI_PAIRS) != 0 && sqli_token_classify(token))
		return at + 2;
	if (s.ptr[at] != ':')
		return read_operator(reader, token);
	sqli_token_set(token, SQLI_COLON, s, at, at + 1);
	return at + 1;
}

static size_t read_line_comment(struct sqli_reader *reader, struct sqli_token *token)
{
	size_t end = slice_find_byte(reader->input, '\n', reader->at);
	sqli_token_set(token, SQLI_COMMENT, reader->input, reader->at, end);
	return end < reader->input.len ? end + 1 : end;
}

/* "-- x" is a comment everywhere, "--x" everywhere but in MySQL. */
static size_t read_dash(struct sqli_reader *reader, struct sqli_token *token)
{
	struct slice s = reader->input;
	size_t at = reader->at;
	if (at + 1 >= s.len || s.ptr[at + 1] != '-')
		return read_operator(reader, token);
	if (at + 2 == s.len || (sqli_marks[s.ptr[at + 2]] & SQLI_BLANK) != 0)
		return read_line_comment(reader, token);
	if (reader->dialect != SQLI_ANSI)
		return read_operator(reader, token);
	reader->dialects_differ = true;
	return read_line_comment(reader, token);
}

/* A comment that MySQL executes, or that PostgreSQL nests, makes every reading doubtful. */
static size_t read_slash(struct sqli_reader *reader, struct sqli_token *token)
{
	struct slice s = reader->input;
	size_t at = reader->at;
	if (sqli_peek(s, at + 1) != '*')
		return read_operator(reader, token);
	size_t close = sqli_find_two(s, at + 2, '*', '/');
	size_t end = close < s.len ? close + 2 : s.len;
	bool nested = close < s.len && sqli_find_two(slice_sub(s, 0, close + 1), at + 2, '/', '*') < close + 1;
	bool executed = sqli_peek(s, at + 2) == '!';
	sqli_token_set(token, nested || executed ? SQLI_EVIL : SQLI_COMMENT, s, at, end);
	return end;
}

static size_t read_hash(struct sqli_reader *reader, struct sqli_token *token)
{
	reader->dialects_differ = true;
	return reader->dialect == SQLI_MYSQL ? read_line_comment(reader, token) : read_operator(reader, token);
}

/* b'01' and x'0F' are numbers when whole. */
static size_t read_digits_literal(struct sqli_reader *reader, struct sqli_token *token, int base)
{
	struct slice s = reader->input;
	size_t at = reader->at + 2;
	if (sqli_peek(s, reader->at + 1) != '\'')
		return sqli_read_word(reader, token);
	at = skip_base_digits(s, at, base);
	if (sqli_peek(s, at) != '\'')
		return sqli_read_word(reader, token);
	sqli_token_set(token, SQLI_NUMBER, s, reader->at, at + 1);
	return at + 1;
}

static size_t read_bracket(struct sqli_reader *reader, struct sqli_token *token)
{
	size_t end = slice_find_byte(reader->input, ']', reader->at);
	end = end < reader->input.len ? end + 1 : end;
	sqli_token_set(token, SQLI_NAME, reader->input, reader->at, end);
	return end;
}

/* 0x1f and 0b01, or 0 if `at` starts neither. "0x" alone is a name. */
static size_t read_radix(struct slice s, size_t at, struct sqli_token *token)
{
	uint8_t letter = byte_lower(sqli_peek(s, at + 1));
	if (s.ptr[at] != '0' || (letter != 'x' && letter != 'b'))
		return 0;
	int base = letter == 'x' ? 16 : 2;
	size_t end = skip_base_digits(s, at + 2, base);
	sqli_token_set(token, end > at + 2 ? SQLI_NUMBER : SQLI_NAME, s, at, end);
	return end;
}

/* Oracle's 1.2d and 1f, when nothing of a word follows; 1fUNION is two words. */
static bool is_float_suffix(struct slice s, size_t at)
{
	uint8_t c = byte_lower(sqli_peek(s, at));
	if (c != 'd' && c != 'f')
		return false;
	if (at + 1 == s.len)
		return true;
	uint8_t next = s.ptr[at + 1];
	return (sqli_marks[next] & SQLI_BLANK) != 0 || next == ';' || byte_lower(next) == 'u';
}

static size_t read_number(struct sqli_reader *reader, struct sqli_token *token)
{
	struct slice s = reader->input;
	size_t start = reader->at;
	size_t at = read_radix(s, start, token);
	if (at > 0)
		return at;
	at = skip_digits(s, start);
	if (sqli_peek(s, at) == '.' && at < s.len) {
		at = skip_digits(s, at + 1);
		if (at - start == 1) {
			sqli_token_set(token, SQLI_DOT, s, start, at);
			return at;
		}
	}
	bool bare_exponent = false;
	if (byte_lower(sqli_peek(s, at)) == 'e') {
		at++;
		if (sqli_peek(s, at) == '+' || sqli_peek(s, at) == '-')
			at++;
		size_t digits = at;
		at = skip_digits(s, at);
		bare_exponent = at == digits;
	}
	if (is_float_suffix(s, at))
		at++;
	/* "1.e" has no exponent: MySQL reads a name. */
	sqli_token_set(token, bare_exponent ? SQLI_NAME : SQLI_NUMBER, s, start, at);
	return at;
}

/* MySQL writes NULL as \N too. */
static size_t read_backslash(struct sqli_reader *reader, struct sqli_token *token)
{
	size_t at = reader->at;
	bool is_null = sqli_peek(reader->input, at + 1) == 'N';
	size_t end = is_null ? at + 2 : at + 1;
	sqli_token_set(token, is_null ? SQLI_NUMBER : SQLI_BACKSLASH, reader->input, at, end);
	return end;
}

static size_t read_single(struct sqli_reader *reader, struct sqli_token *token)
{
	static const uint8_t kinds[128] = {
		['('] = SQLI_OPEN,        ['{'] = SQLI_BRACE_OPEN, [','] = SQLI_COMMA,   [')'] = SQLI_CLOSE,
		['}'] = SQLI_BRACE_CLOSE, [';'] = SQLI_SEMICOLON,  ['?'] = SQLI_UNKNOWN, [']'] = SQLI_UNKNOWN,
	};
	sqli_token_set(token, kinds[reader->input.ptr[reader->at]], reader->input, reader->at, reader->at + 1);
	return reader->at + 1;
}

static size_t read_at(struct sqli_reader *reader, struct sqli_token *token)
{
	switch ((enum start)starts[reader->input.ptr[reader->at]]) {
	case DIGIT:
		return read_number(reader, token);
	case QUOTE:
		return sqli_read_string(reader, token);
	case OPERATOR:
		return read_operator(reader, token);
	case PAIRED:
		return read_paired(reader, token);
	case DASH:
		return read_dash(reader, token);
	case SLASH:
		return read_slash(reader, token);
	case HASH:
		return read_hash(reader, token);
	case MONEY:
		return sqli_read_money(reader, token);
	case AT:
		return sqli_read_variable(reader, token);
	case TICK:
		return sqli_read_tick(reader->input, reader->at, token);
	case BRACKET:
		return read_bracket(reader, token);
	case BACKSLASH:
		return read_backslash(reader, token);
	case BITS:
		return read_digits_literal(reader, token, 2);
	case HEX:
		return read_digits_literal(reader, token, 16);
	case ESCAPED:
		return sqli_read_escaped(reader, token);
	case NATIONAL:
		return sqli_read_national(reader, token);
	case QUOTED:
		return sqli_read_quoted_at(reader, reader->at, token);
	case UNICODE:
		return sqli_read_unicode(reader, token);
	case PUNCTUATION:
	case STRAY:
		return read_single(reader, token);
	case SPACE:
	case WORD:
		break;
	}
	return sqli_read_word(reader, token);
}

static bool read_alone(struct sqli_reader *reader, struct sqli_token *ret)
{
	uint64_t head = sqli_single_at(reader->input, reader->at);
	if (head == 0)
		return false;
	ret->head = head;
	ret->text = reader->input.ptr + reader->at;
	reader->at++;
	return true;
}

bool sqli_token_read(struct sqli_reader *reader, struct sqli_token *ret)
{
	struct slice s = reader->input;
	if (s.len == 0)
		return false;
	ret->traits = ret->open = ret->close = 0;
	if (reader->at == 0 && reader->quote != 0) {
		reader->at = sqli_read_quoted(s, 0, reader->quote, 0, ret);
		reader->tokens++;
		return true;
	}
	while (reader->at < s.len && starts[s.ptr[reader->at]] == SPACE)
		reader->at++;
	if (reader->at == s.len)
		return false;
	if (!read_alone(reader, ret))
		reader->at = read_at(reader, ret);
	reader->tokens++;
	return true;
}
