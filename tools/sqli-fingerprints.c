/*
 * Makes the table of known injections: every fingerprint that the attack grammar derives, less those that a line of
 * benign text has as well. Usage: sqli-fingerprints ATTACKS.grammar BENIGN.txt OUTPUT.h
 */
#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"
#include "match/sqli_fold.h"
#include "match/sqli_small.h"
#include "tools/grammar/grammar.h"

#include <stdio.h>
#include <stdlib.h>

enum { LETTER_BITS = 5, CODES = 1 << (LETTER_BITS * SQLI_FINGERPRINT_MAX) };

static uint32_t code_of(const struct sqli_folded *folded)
{
	uint32_t code = 0;
	for (size_t i = 0; i < folded->count; i++)
		code = code << LETTER_BITS | (folded->tokens[i].kind == SQLI_TSQL ? SQLI_TYPE : folded->tokens[i].kind);
	return code;
}

static bool is_evil(const struct sqli_folded *folded)
{
	return sqli_fingerprint_of(folded).text[0] == 'X';
}

static uint32_t kind_of(uint8_t letter)
{
	const char *at = strchr(SQLI_KIND_LETTERS, letter);
	if (letter == 0 || at == NULL) {
		fprintf(stderr, "sqli-fingerprints: no kind of token: %c\n", letter);
		exit(1);
	}
	/* The table takes both for one. */
	return letter == 'T' ? SQLI_TYPE : (uint32_t)(at - SQLI_KIND_LETTERS);
}

/* Each word of the grammar is a choice of kinds. */
static void learn(void *context, const struct slice *words, size_t count)
{
	uint8_t *known = context;
	size_t picked[SQLI_FINGERPRINT_MAX] = {0};
	for (size_t k = 0; k < count;) {
		uint32_t code = 0;
		for (size_t i = 0; i < count; i++)
			code = code << LETTER_BITS | kind_of(words[i].ptr[picked[i]]);
		known[code] = 1;
		for (k = 0; k < count && ++picked[k] == words[k].len; k++)
			picked[k] = 0;
	}
}

/* A line counts only if nothing but the table could clear it. */
static void forget_line(struct slice line, uint8_t *known)
{
	static const uint8_t quotes[] = {0, '\'', '"'};
	for (size_t i = 0; i < sizeof(quotes) * 2; i++) {
		struct sqli_folded folded;
		uint8_t quote = quotes[i / 2];
		if (quote != 0 && slice_find_byte(line, quote, 0) == line.len)
			continue;
		sqli_fold(line, quote, i % 2 == 0 ? SQLI_ANSI : SQLI_MYSQL, &folded);
		if (folded.count > 0 && !is_evil(&folded) && sqli_small_holds(line, &folded))
			known[code_of(&folded)] = 0;
	}
}

static int forget_benign(const char *path, uint8_t *known)
{
	struct buffer text = buffer_make(NULL);
	int r = file_read(path, 1 << 24, &text);
	struct slice rest = buffer_slice(&text);
	while (r == 0 && rest.len > 0) {
		struct slice line;
		rest = slice_cut(rest, '\n', &line);
		forget_line(line, known);
	}
	buffer_free(&text);
	return r;
}

/* What sqli_possible() takes for granted: one token alone, or names, numbers, functions never called, operators,
 * commas, dots and colons, are no injection. */
static bool are_all_telling(const uint8_t *known)
{
	for (uint32_t code = 1; code < CODES; code++) {
		bool telling = false;
		for (uint32_t rest = known[code] ? code : 0; rest != 0; rest >>= LETTER_BITS)
			telling |= strchr("n1fo,.:?", SQLI_KIND_LETTERS[rest % (1U << LETTER_BITS)]) == NULL;
		if (known[code] && (!telling || code >> LETTER_BITS == 0))
			return false;
	}
	return true;
}

/* Open addressing at most half full; the factor spreads the codes over the upper bits. */
static int write_table(const uint8_t *known, const char *path)
{
	unsigned count = 0, bits = 4;
	for (uint32_t code = 0; code < CODES; code++)
		count += known[code];
	while (1U << bits < count * 2)
		bits++;
	const uint32_t factor = 0x9e3779b1U;
	uint32_t *slots = calloc(1U << bits, sizeof(*slots));
	FILE *out = fopen(path, "w");
	if (slots == NULL || out == NULL)
		return 1;
	for (uint32_t code = 1; code < CODES; code++) {
		if (!known[code])
			continue;
		uint32_t at = (code * factor) >> (32 - bits);
		while (slots[at] != 0)
			at = (at + 1) % (1U << bits);
		slots[at] = code;
	}
	fprintf(out, "/* Made by tools/sqli-fingerprints: %u fingerprints. */\n", count);
	fprintf(out, "#define FINGERPRINT_FACTOR 0x%xU\nenum { FINGERPRINT_SHIFT = %u, FINGERPRINT_SLOTS = %u };\n",
		factor, 32 - bits, 1U << bits);
	fprintf(out, "static const uint32_t fingerprint_slots[FINGERPRINT_SLOTS] = {\n");
	for (uint32_t at = 0; at < 1U << bits; at++)
		if (slots[at] != 0)
			fprintf(out, "\t[%u] = %u,\n", at, slots[at]);
	fprintf(out, "};\n");
	free(slots);
	return fclose(out) != 0;
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: sqli-fingerprints ATTACKS.grammar BENIGN.txt OUTPUT.h\n");
		return 2;
	}
	struct grammar *grammar = grammar_load(argv[1]);
	uint8_t *known = calloc(CODES, 1);
	if (grammar == NULL || known == NULL)
		return 1;
	grammar_walk(grammar, "injection", SQLI_FINGERPRINT_MAX, learn, known);
	int r = forget_benign(argv[2], known) != 0 || write_table(known, argv[3]) != 0;
	if (r != 0)
		fprintf(stderr, "sqli-fingerprints: cannot read %s or write %s\n", argv[2], argv[3]);
	if (!are_all_telling(known)) {
		fprintf(stderr, "sqli-fingerprints: a fingerprint that sqli_possible() does not see\n");
		r = 1;
	}
	grammar_free(grammar);
	free(known);
	return r;
}
