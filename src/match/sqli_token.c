#include "match/sqli_token.h"

#include "match/sqli_word.h"

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

/* Where bytes may not stand; and PAIRS, the second byte of an operator of two. */
enum { ENDS_WORD = 1, ENDS_VARIABLE = 2, BLANK = 4, MONEY_DIGIT = 8, SPLITS_WORD = 16, PAIRS = 32 };

static const uint8_t marks[256] = {
	[0] = ENDS_WORD | ENDS_VARIABLE | BLANK | MONEY_DIGIT,
	['\t' ... '\r'] = ENDS_WORD | ENDS_VARIABLE | BLANK,
	[' '] = ENDS_WORD | ENDS_VARIABLE | BLANK,
	[0xa0] = ENDS_WORD | BLANK,
	['!'] = ENDS_WORD | ENDS_VARIABLE | PAIRS,
	['"' ... '#'] = ENDS_WORD | ENDS_VARIABLE,
	['%'] = ENDS_WORD | ENDS_VARIABLE,
	['&'] = ENDS_WORD | ENDS_VARIABLE | PAIRS,
	['\'' ... '+'] = ENDS_WORD | ENDS_VARIABLE,
	[','] = ENDS_WORD | ENDS_VARIABLE | MONEY_DIGIT,
	['-'] = ENDS_WORD | ENDS_VARIABLE,
	['.'] = MONEY_DIGIT | SPLITS_WORD,
	['/'] = ENDS_WORD | ENDS_VARIABLE | PAIRS,
	['0' ... '9'] = MONEY_DIGIT,
	[':'] = ENDS_WORD | ENDS_VARIABLE | PAIRS,
	[';'] = ENDS_WORD | ENDS_VARIABLE,
	['<' ... '>'] = ENDS_WORD | ENDS_VARIABLE | PAIRS,
	['?'] = ENDS_WORD | ENDS_VARIABLE,
	['@'] = ENDS_WORD | ENDS_VARIABLE | PAIRS,
	['['] = ENDS_WORD,
	['\\'] = ENDS_WORD | ENDS_VARIABLE,
	[']'] = ENDS_WORD,
	['^'] = ENDS_WORD | ENDS_VARIABLE,
	['`'] = ENDS_VARIABLE | SPLITS_WORD,
	['{'] = ENDS_WORD,
	['|'] = ENDS_WORD | ENDS_VARIABLE | PAIRS,
	['}'] = ENDS_WORD,
	['~'] = ENDS_WORD | ENDS_VARIABLE,
};

/* The byte at `at`, or 0 past the end; a NUL in the input says the same, which no caller needs to tell apart. */
static uint8_t peek(struct slice s, size_t at)
{
	return at < s.len ? s.ptr[at] : 0;
}

static size_t skip_unmarked(struct slice s, size_t at, unsigned mark)
{
	while (at < s.len && (marks[s.ptr[at]] & mark) == 0)
		at++;
	return at;
}

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

/* The first place at or after `from` where `first` stands before `second`, or s.len. */
static size_t find_two(struct slice s, size_t from, uint8_t first, uint8_t second)
{
	for (size_t at = slice_find_byte(s, first, from); at + 1 < s.len; at = slice_find_byte(s, first, at + 1))
		if (s.ptr[at + 1] == second)
			return at;
	return s.len;
}

static void set(struct sqli_token *token, enum sqli_kind kind, struct slice input, size_t from, size_t to)
{
	size_t len = to - from < SQLI_TEXT_MAX ? to - from : SQLI_TEXT_MAX;
	token->kind = (uint8_t)kind;
	token->len = (uint8_t)len;
	token->text = input.ptr + from;
}

static void set_string(struct sqli_token *token, struct slice input, size_t from, size_t to, uint8_t open)
{
	set(token, SQLI_STRING, input, from, to);
	token->open = open;
	token->close = to < input.len ? open : 0;
}

/* Kind and traits by the text; false if it is no word of SQL. */
static bool classify(struct sqli_token *token)
{
	struct sqli_word word = sqli_word_find(token->text, token->len);
	token->traits = word.traits;
	if (word.kind == SQLI_NONE)
		return false;
	token->kind = word.kind;
	return true;
}

static size_t read_operator(struct sqli_reader *reader, struct sqli_token *token)
{
	uint8_t c = reader->input.ptr[reader->at];
	set(token, SQLI_OPERATOR, reader->input, reader->at, reader->at + 1);
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
		set(token, SQLI_OPERATOR, s, at, at + 3);
		return at + 3;
	}
	set(token, SQLI_NONE, s, at, at + 2);
	if ((marks[s.ptr[at + 1]] & PAIRS) != 0 && classify(token))
		return at + 2;
	if (s.ptr[at] != ':')
		return read_operator(reader, token);
	set(token, SQLI_COLON, s, at, at + 1);
	return at + 1;
}

static size_t read_line_comment(struct sqli_reader *reader, struct sqli_token *token)
{
	size_t end = slice_find_byte(reader->input, '\n', reader->at);
	set(token, SQLI_COMMENT, reader->input, reader->at, end);
	return end < reader->input.len ? end + 1 : end;
}

/* "-- x" is a comment everywhere, "--x" everywhere but in MySQL. */
static size_t read_dash(struct sqli_reader *reader, struct sqli_token *token)
{
	struct slice s = reader->input;
	size_t at = reader->at;
	if (at + 1 >= s.len || s.ptr[at + 1] != '-')
		return read_operator(reader, token);
	if (at + 2 == s.len || (marks[s.ptr[at + 2]] & BLANK) != 0)
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
	if (peek(s, at + 1) != '*')
		return read_operator(reader, token);
	size_t close = find_two(s, at + 2, '*', '/');
	size_t end = close < s.len ? close + 2 : s.len;
	bool nested = close < s.len && find_two(slice_sub(s, 0, close + 1), at + 2, '/', '*') < close + 1;
	bool executed = peek(s, at + 2) == '!';
	set(token, nested || executed ? SQLI_EVIL : SQLI_COMMENT, s, at, end);
	return end;
}

static size_t read_hash(struct sqli_reader *reader, struct sqli_token *token)
{
	reader->dialects_differ = true;
	return reader->dialect == SQLI_MYSQL ? read_line_comment(reader, token) : read_operator(reader, token);
}

/* Some clients escape a quote by a backslash, some by doubling it; both are honoured. */
static size_t read_quoted(struct slice s, size_t from, uint8_t quote, uint8_t open, struct sqli_token *token)
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
	set(token, SQLI_STRING, s, from, at);
	token->open = open;
	token->close = at < s.len ? quote : 0;
	return at < s.len ? at + 1 : at;
}

static size_t read_string(struct sqli_reader *reader, struct sqli_token *token)
{
	uint8_t quote = reader->input.ptr[reader->at];
	return read_quoted(reader->input, reader->at + 1, quote, quote, token);
}

/* SELECT.1 and SELECT`a` are a keyword and the rest: the length of the keyword, 0 if it is one word. */
static size_t split_word(struct slice s, size_t at, struct sqli_token *token)
{
	for (uint8_t i = 0; i < token->len; i++) {
		if ((marks[token->text[i]] & SPLITS_WORD) == 0)
			continue;
		struct sqli_word word = sqli_word_find(token->text, i);
		if (word.kind == SQLI_NONE || word.kind == SQLI_NAME)
			continue;
		set(token, (enum sqli_kind)word.kind, s, at, at + i);
		token->traits = word.traits;
		return i;
	}
	return 0;
}

static size_t read_word(struct sqli_reader *reader, struct sqli_token *token)
{
	struct slice s = reader->input;
	size_t at = reader->at, end = at;
	unsigned seen = 0;
	for (; end < s.len && (marks[s.ptr[end]] & ENDS_WORD) == 0; end++)
		seen |= marks[s.ptr[end]];
	set(token, SQLI_NAME, s, at, end);
	size_t head = (seen & SPLITS_WORD) != 0 ? split_word(s, at, token) : 0;
	if (head > 0)
		return at + head;
	if (end - at <= SQLI_TEXT_MAX)
		classify(token);
	return end;
}

static size_t read_escaped(struct sqli_reader *reader, struct sqli_token *token)
{
	struct slice s = reader->input;
	size_t at = reader->at;
	if (at + 2 >= s.len || s.ptr[at + 1] != '\'')
		return read_word(reader, token);
	return read_quoted(s, at + 2, '\'', '\'', token);
}

static size_t read_unicode(struct sqli_reader *reader, struct sqli_token *token)
{
	struct slice s = reader->input;
	size_t at = reader->at;
	if (peek(s, at + 1) != '&' || peek(s, at + 2) != '\'')
		return read_word(reader, token);
	size_t end = read_quoted(s, at + 3, '\'', 'u', token);
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

/* Oracle's q'[...]'; `at` is where the q should be. */
static size_t read_quoted_at(struct sqli_reader *reader, size_t at, struct sqli_token *token)
{
	struct slice s = reader->input;
	uint8_t delimiter = peek(s, at + 2);
	/* Bytes from 0x80 count as negative: no delimiter either. */
	if (byte_lower(peek(s, at)) != 'q' || peek(s, at + 1) != '\'' || delimiter <= ' ' || delimiter >= 0x80)
		return read_word(reader, token);
	size_t end = find_two(s, at + 3, closing_of(delimiter), '\'');
	set_string(token, s, at + 3, end, 'q');
	return end < s.len ? end + 2 : end;
}

static size_t read_national(struct sqli_reader *reader, struct sqli_token *token)
{
	if (reader->at + 2 < reader->input.len && reader->input.ptr[reader->at + 1] == '\'')
		return read_escaped(reader, token);
	return read_quoted_at(reader, reader->at + 1, token);
}

/* b'01' and x'0F' are numbers when whole. */
static size_t read_digits_literal(struct sqli_reader *reader, struct sqli_token *token, int base)
{
	struct slice s = reader->input;
	size_t at = reader->at + 2;
	if (peek(s, reader->at + 1) != '\'')
		return read_word(reader, token);
	at = skip_base_digits(s, at, base);
	if (peek(s, at) != '\'')
		return read_word(reader, token);
	set(token, SQLI_NUMBER, s, reader->at, at + 1);
	return at + 1;
}

static size_t read_bracket(struct sqli_reader *reader, struct sqli_token *token)
{
	size_t end = slice_find_byte(reader->input, ']', reader->at);
	end = end < reader->input.len ? end + 1 : end;
	set(token, SQLI_NAME, reader->input, reader->at, end);
	return end;
}

/* MySQL takes whatever stands in ticks for a name, but `sleep`(1) calls the function. */
static size_t read_tick(struct slice s, size_t at, struct sqli_token *token)
{
	size_t end = read_quoted(s, at + 1, '`', '`', token);
	classify(token);
	if (token->kind != SQLI_FUNCTION)
		token->kind = SQLI_NAME;
	return end;
}

static size_t read_variable(struct sqli_reader *reader, struct sqli_token *token)
{
	struct slice s = reader->input;
	size_t at = reader->at + 1;
	if (peek(s, at) == '@')
		at++;
	size_t end;
	uint8_t c = peek(s, at);
	if (c == '`') {
		end = read_tick(s, at, token);
	} else if (c == '\'' || c == '"') {
		end = read_quoted(s, at + 1, c, c, token);
	} else {
		end = skip_unmarked(s, at, ENDS_VARIABLE);
		set(token, SQLI_VARIABLE, s, at, end);
	}
	classify(token);
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

static size_t read_money(struct sqli_reader *reader, struct sqli_token *token)
{
	struct slice s = reader->input;
	size_t at = reader->at;
	size_t end = at + 1;
	while (end < s.len && (marks[s.ptr[end]] & MONEY_DIGIT) != 0)
		end++;
	if (end == at + 2 && s.ptr[at + 1] == '.')
		return read_word(reader, token);
	if (end > at + 1) {
		set(token, SQLI_NUMBER, s, at, end);
		return end;
	}
	if (peek(s, end) == '$') {
		size_t close = find_two(s, end + 1, '$', '$');
		set_string(token, s, end + 1, close, '$');
		return close < s.len ? close + 2 : close;
	}
	while (end < s.len && (byte_is_alpha(s.ptr[end]) || s.ptr[end] == 0))
		end++;
	if (end > at + 1 && peek(s, end) == '$')
		return read_tagged(reader, end + 1, token);
	set(token, SQLI_NAME, s, at, at + 1);
	return at + 1;
}

/* 0x1f and 0b01, or 0 if `at` starts neither. "0x" alone is a name. */
static size_t read_radix(struct slice s, size_t at, struct sqli_token *token)
{
	uint8_t letter = byte_lower(peek(s, at + 1));
	if (s.ptr[at] != '0' || (letter != 'x' && letter != 'b'))
		return 0;
	int base = letter == 'x' ? 16 : 2;
	size_t end = skip_base_digits(s, at + 2, base);
	set(token, end > at + 2 ? SQLI_NUMBER : SQLI_NAME, s, at, end);
	return end;
}

/* Oracle's 1.2d and 1f, when nothing of a word follows; 1fUNION is two words. */
static bool is_float_suffix(struct slice s, size_t at)
{
	uint8_t c = byte_lower(peek(s, at));
	if (c != 'd' && c != 'f')
		return false;
	if (at + 1 == s.len)
		return true;
	uint8_t next = s.ptr[at + 1];
	return (marks[next] & BLANK) != 0 || next == ';' || byte_lower(next) == 'u';
}

static size_t read_number(struct sqli_reader *reader, struct sqli_token *token)
{
	struct slice s = reader->input;
	size_t start = reader->at;
	size_t at = read_radix(s, start, token);
	if (at > 0)
		return at;
	at = skip_digits(s, start);
	if (peek(s, at) == '.' && at < s.len) {
		at = skip_digits(s, at + 1);
		if (at - start == 1) {
			set(token, SQLI_DOT, s, start, at);
			return at;
		}
	}
	bool bare_exponent = false;
	if (byte_lower(peek(s, at)) == 'e') {
		at++;
		if (peek(s, at) == '+' || peek(s, at) == '-')
			at++;
		size_t digits = at;
		at = skip_digits(s, at);
		bare_exponent = at == digits;
	}
	if (is_float_suffix(s, at))
		at++;
	/* "1.e" has no exponent: MySQL reads a name. */
	set(token, bare_exponent ? SQLI_NAME : SQLI_NUMBER, s, start, at);
	return at;
}

/* MySQL writes NULL as \N too. */
static size_t read_backslash(struct sqli_reader *reader, struct sqli_token *token)
{
	size_t at = reader->at;
	bool is_null = peek(reader->input, at + 1) == 'N';
	size_t end = is_null ? at + 2 : at + 1;
	set(token, is_null ? SQLI_NUMBER : SQLI_BACKSLASH, reader->input, at, end);
	return end;
}

static size_t read_single(struct sqli_reader *reader, struct sqli_token *token)
{
	static const uint8_t kinds[128] = {
		['('] = SQLI_OPEN,        ['{'] = SQLI_BRACE_OPEN, [','] = SQLI_COMMA,   [')'] = SQLI_CLOSE,
		['}'] = SQLI_BRACE_CLOSE, [';'] = SQLI_SEMICOLON,  ['?'] = SQLI_UNKNOWN, [']'] = SQLI_UNKNOWN,
	};
	set(token, kinds[reader->input.ptr[reader->at]], reader->input, reader->at, reader->at + 1);
	return reader->at + 1;
}

static size_t read_at(struct sqli_reader *reader, struct sqli_token *token)
{
	switch ((enum start)starts[reader->input.ptr[reader->at]]) {
	case DIGIT:
		return read_number(reader, token);
	case QUOTE:
		return read_string(reader, token);
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
		return read_money(reader, token);
	case AT:
		return read_variable(reader, token);
	case TICK:
		return read_tick(reader->input, reader->at, token);
	case BRACKET:
		return read_bracket(reader, token);
	case BACKSLASH:
		return read_backslash(reader, token);
	case BITS:
		return read_digits_literal(reader, token, 2);
	case HEX:
		return read_digits_literal(reader, token, 16);
	case ESCAPED:
		return read_escaped(reader, token);
	case NATIONAL:
		return read_national(reader, token);
	case QUOTED:
		return read_quoted_at(reader, reader->at, token);
	case UNICODE:
		return read_unicode(reader, token);
	case PUNCTUATION:
	case STRAY:
		return read_single(reader, token);
	case SPACE:
	case WORD:
		break;
	}
	return read_word(reader, token);
}

bool sqli_token_read(struct sqli_reader *reader, struct sqli_token *ret)
{
	struct slice s = reader->input;
	if (s.len == 0)
		return false;
	ret->traits = ret->open = ret->close = 0;
	if (reader->at == 0 && reader->quote != 0) {
		reader->at = read_quoted(s, 0, reader->quote, 0, ret);
		reader->tokens++;
		return true;
	}
	while (reader->at < s.len && starts[s.ptr[reader->at]] == SPACE)
		reader->at++;
	if (reader->at == s.len)
		return false;
	reader->at = read_at(reader, ret);
	reader->tokens++;
	return true;
}
