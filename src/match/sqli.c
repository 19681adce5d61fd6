/*
 * A look at classes of bytes, then five readings at most: bare and inside ' as ANSI, again as MySQL if that would
 * differ, and inside " as MySQL only.
 */
#include "match/sqli.h"

#include "match/sqli_fold.h"
#include "match/sqli_step.h"
#include "match/sqli_table.h"
#include "match/sqli_word.h"

enum { LONG_BYTES = 512 }; /* from here on steps of folding are kept */

/* What a value without an injection may be made of. */
enum class {
	TELLING, /* the default: quotes, brackets, comments, semicolons, logic, variables */
	LETTER,
	DIGIT,
	PLAIN, /* blanks, operators, commas */
};

static const uint8_t classes[256] = {
	['\t' ... '\n'] = PLAIN,
	['\r'] = PLAIN,
	[' '] = PLAIN,
	['!'] = PLAIN,
	['%'] = PLAIN,
	['+' ... '/'] = PLAIN,
	['0' ... '9'] = DIGIT,
	[':'] = PLAIN,
	['<' ... '?'] = PLAIN,
	['A' ... 'Z'] = LETTER,
	['^'] = PLAIN,
	['_'] = LETTER,
	['a' ... 'z'] = LETTER,
	['~'] = PLAIN,
	[0x80 ... 0x9f] = LETTER,
	[0xa1 ... 0xff] = LETTER,
};

static enum class class_at(struct slice s, size_t at) { return at < s.len ? (enum class)classes[s.ptr[at]] : PLAIN; }

bool sqli_byte_tells(uint8_t byte)
{
	return classes[byte] == TELLING || classes[byte] == LETTER || byte == '-';
}

/* A number with letters at its end may be a number and a word: 1union, 1.fUNION. */
static bool is_glued(struct slice s, size_t end)
{
	if (class_at(s, end) == LETTER)
		return true;
	return end < s.len && s.ptr[end] == '.' && class_at(s, end + 1) == LETTER;
}

bool sqli_possible(struct slice value)
{
	struct slice s = value;
	for (size_t at = 0, from = 0; at < s.len; from = at) {
		switch ((enum class)classes[s.ptr[at++]]) {
		case TELLING:
			return true;
		case LETTER:
			while (at < s.len && (classes[s.ptr[at]] == LETTER || classes[s.ptr[at]] == DIGIT))
				at++;
			if (at - from == s.len)
				return false;
			if (sqli_word_possible(s.ptr + from, at - from))
				return true;
			break;
		case DIGIT:
			while (at < s.len && classes[s.ptr[at]] == DIGIT)
				at++;
			if (is_glued(s, at))
				return true;
			break;
		case PLAIN:
			if (s.ptr[from] == '-' && at < s.len && s.ptr[at] == '-')
				return true;
			break;
		}
	}
	return false;
}

static bool reads_as_injection(struct sqli_steps *steps, struct slice value, uint8_t quote, enum sqli_dialect dialect,
			       struct sqli_folded *folded)
{
	sqli_fold_by(steps, value, quote, dialect, folded);
	return sqli_table_holds(value, folded);
}

static bool detect(struct sqli_steps *steps, struct slice value, struct sqli_folded *folded)
{
	static const uint8_t quotes[] = {0, '\'', '"'};
	for (size_t i = 0; i < sizeof(quotes); i++) {
		if (quotes[i] != 0 && slice_find_byte(value, quotes[i], 0) == value.len)
			continue;
		/* Only MySQL quotes strings with ". */
		enum sqli_dialect dialect = quotes[i] == '"' ? SQLI_MYSQL : SQLI_ANSI;
		if (reads_as_injection(steps, value, quotes[i], dialect, folded))
			return true;
		if (dialect == SQLI_ANSI && folded->dialects_differ &&
		    reads_as_injection(steps, value, quotes[i], SQLI_MYSQL, folded))
			return true;
	}
	return false;
}

/* The steps of one reading serve the next. */
static __attribute__((noinline)) bool detect_long(struct slice value, struct sqli_folded *folded)
{
	struct sqli_steps steps;
	sqli_steps_begin(&steps);
	return detect(&steps, value, folded);
}

bool sqli_detect(struct slice value, struct sqli_fingerprint *ret_fingerprint)
{
	struct sqli_folded folded;
	if (!sqli_possible(value))
		return false;
	if (value.len < LONG_BYTES ? !detect(NULL, value, &folded) : !detect_long(value, &folded))
		return false;
	if (ret_fingerprint != NULL)
		*ret_fingerprint = sqli_fingerprint_of(&folded);
	return true;
}

const char *sqli_letter_name(char letter)
{
	static const char letters[] = SQLI_KIND_LETTERS;
	static const char *const names[SQLI_KINDS] = {
		[SQLI_NONE] = "",
		[SQLI_KEYWORD] = "keyword",
		[SQLI_UNION] = "union",
		[SQLI_GROUP] = "clause",
		[SQLI_EXPRESSION] = "statement",
		[SQLI_TYPE] = "type",
		[SQLI_FUNCTION] = "function",
		[SQLI_NAME] = "name",
		[SQLI_NUMBER] = "number",
		[SQLI_VARIABLE] = "variable",
		[SQLI_STRING] = "string",
		[SQLI_OPERATOR] = "operator",
		[SQLI_LOGIC] = "logic",
		[SQLI_COMMENT] = "comment",
		[SQLI_COLLATE] = "collation",
		[SQLI_OPEN] = "opening bracket",
		[SQLI_CLOSE] = "closing bracket",
		[SQLI_BRACE_OPEN] = "opening brace",
		[SQLI_BRACE_CLOSE] = "closing brace",
		[SQLI_DOT] = "dot",
		[SQLI_COMMA] = "comma",
		[SQLI_COLON] = "colon",
		[SQLI_SEMICOLON] = "semicolon",
		[SQLI_TSQL] = "Transact-SQL",
		[SQLI_UNKNOWN] = "unknown",
		[SQLI_EVIL] = "comment that runs",
		[SQLI_BACKSLASH] = "backslash",
	};
	const char *at = letter == '\0' ? NULL : strchr(letters, letter);
	return at == NULL ? "" : names[at - letters];
}

bool sqli_detect_again(struct sqli_memo *memo, struct slice value, struct sqli_fingerprint *ret_fingerprint)
{
	for (unsigned i = 0; i < SQLI_MEMO_VALUES && value.len > 0; i++) {
		if (memo->found[i].len != value.len || memcmp(memo->found[i].bytes, value.ptr, value.len) != 0)
			continue;
		*ret_fingerprint = memo->found[i].fingerprint;
		return true;
	}
	if (!sqli_detect(value, ret_fingerprint))
		return false;
	if (value.len > SQLI_MEMO_BYTES)
		return true;
	memo->found[memo->next].len = (uint32_t)value.len;
	memo->found[memo->next].fingerprint = *ret_fingerprint;
	memcpy(memo->found[memo->next].bytes, value.ptr, value.len);
	memo->next = (memo->next + 1) % SQLI_MEMO_VALUES;
	return true;
}
