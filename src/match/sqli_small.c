/*
 * By the number of tokens: pairs and triples have rules of their own, of any other number the table has the last word.
 */
#include "match/sqli_small.h"

static bool starts_with(struct slice value, size_t at, const char *two)
{
	return value.len >= at + 2 && memcmp(value.ptr + at, two, 2) == 0;
}

/* Two tokens are little to go by; most of these are ordinary text, such as 1234-AB--. */
static bool pair_is_injection(struct slice value, const struct sqli_folded *folded)
{
	const struct sqli_token *first = &folded->tokens[0];
	const struct sqli_token *second = &folded->tokens[1];
	if (second->kind == SQLI_UNION)
		return folded->tokens_read != 2;
	if (second->len > 0 && second->text[0] == '#')
		return false;
	bool block = second->len > 0 && second->text[0] == '/';
	if (second->kind != SQLI_COMMENT || (first->kind != SQLI_NAME && first->kind != SQLI_NUMBER))
		return second->len <= 2 || second->text[0] != '-';
	if (first->kind == SQLI_NAME)
		return block;
	if (block || folded->tokens_read > 2)
		return true;
	/* A number and a comment, nothing folded: only what looks like the end of a term. Bytes above 127 were
	 * negative. */
	if (first->len >= value.len)
		return true;
	uint8_t next = value.ptr[first->len];
	return next <= ' ' || next >= 0x80 || starts_with(value, first->len, "/*") ||
	       starts_with(value, first->len, "--");
}

static bool is_into_file(const struct sqli_token *token)
{
	return token->len >= 5 && slice_starts_with_nocase(slice_make(token->text, token->len), SLICE("into"));
}

static bool triple_is_injection(const struct sqli_folded *folded)
{
	const struct sqli_token *t = folded->tokens;
	struct sqli_fingerprint found = sqli_fingerprint_of(folded);
	/* ...foo' + 'bar...: neither the first quote nor the last was seen, and the inner ones are the same. */
	if (strcmp(found.text, "sos") == 0 || strcmp(found.text, "s&s") == 0)
		return t[0].open == 0 && t[2].close == 0 && t[0].close == t[2].open;
	if (t[1].kind == SQLI_LOGIC &&
	    (strcmp(found.text, "s&n") == 0 || strcmp(found.text, "n&1") == 0 || strcmp(found.text, "1&1") == 0 ||
	     strcmp(found.text, "1&v") == 0 || strcmp(found.text, "1&s") == 0))
		return folded->tokens_read != 3;
	return t[1].kind != SQLI_KEYWORD || is_into_file(&t[1]);
}

bool sqli_small_holds(struct slice value, const struct sqli_folded *folded)
{
	/* SQL Server keeps a statement that names sp_password out of its log. */
	if (folded->count > 1 && folded->tokens[folded->count - 1].kind == SQLI_COMMENT &&
	    slice_find(value, SLICE("sp_password"), 0) < value.len)
		return true;
	if (folded->count == 2)
		return pair_is_injection(value, folded);
	return folded->count != 3 || triple_is_injection(folded);
}
