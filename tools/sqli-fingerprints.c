/*
 * Makes the table of known injections: draws sentences of an attack grammar, folds them as @detectSQLi does, and leaves
 * out every fingerprint with an unlikely part, or that a line of benign text has as well.
 * Usage: sqli-fingerprints ATTACKS.grammar UNLIKELY.txt BENIGN.txt OUTPUT.h
 */
#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"
#include "match/sqli_fold.h"
#include "match/sqli_small.h"
#include "tools/grammar/grammar.h"

#include <stdio.h>
#include <stdlib.h>

enum { DRAWS = 3000000, PARTS_MAX = 512, LETTER_BITS = 5, CODES = 1 << (LETTER_BITS * SQLI_FINGERPRINT_MAX) };

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

static void learn_attacks(const struct grammar *grammar, uint8_t *known)
{
	struct grammar_random random = {.state = 20240710};
	for (unsigned i = 0; i < DRAWS; i++) {
		struct slice words[GRAMMAR_WORDS_MAX];
		size_t count = grammar_draw(grammar, "injection", &random, words);
		uint8_t text[1024];
		size_t len = 0;
		for (size_t k = 0; k < count && len + words[k].len + 1 < sizeof(text); k++) {
			memcpy(text + len, words[k].ptr, words[k].len);
			len += words[k].len;
			text[len++] = ' ';
		}
		struct sqli_folded folded;
		sqli_fold(slice_make(text, len), 0, SQLI_MYSQL, &folded);
		if (folded.count > 1 && !is_evil(&folded))
			known[code_of(&folded)] = 1;
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

/* Whether `part`, with ^ and $ as its ends, is in the fingerprint of `code`. */
static bool has_part(uint32_t code, struct slice part)
{
	uint8_t text[SQLI_FINGERPRINT_MAX + 2];
	size_t at = sizeof(text);
	text[--at] = '$';
	for (; code != 0; code >>= LETTER_BITS)
		text[--at] = (uint8_t)SQLI_KIND_LETTERS[code % (1U << LETTER_BITS)];
	text[--at] = '^';
	struct slice whole = slice_make(text + at, sizeof(text) - at);
	return slice_find(whole, part, 0) < whole.len;
}

/* "!part" keeps what has it, whatever other parts say. */
struct parts {
	struct slice forgotten[PARTS_MAX];
	struct slice kept[PARTS_MAX];
	size_t forgotten_count;
	size_t kept_count;
};

static bool has_any(uint32_t code, const struct slice *parts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (has_part(code, parts[i]))
			return true;
	return false;
}

static bool read_parts(struct slice text, struct parts *parts)
{
	while (text.len > 0) {
		struct slice line, part;
		text = slice_cut(text, '\n', &line);
		while (line.len > 0 && line.ptr[0] != '#') {
			line = slice_trim(slice_cut(line, ' ', &part));
			if (parts->forgotten_count == PARTS_MAX || parts->kept_count == PARTS_MAX)
				return false;
			if (part.len > 0 && part.ptr[0] == '!')
				parts->kept[parts->kept_count++] = slice_after(part, 1);
			else if (part.len > 0)
				parts->forgotten[parts->forgotten_count++] = part;
		}
	}
	return true;
}

static int forget_unlikely(const char *path, uint8_t *known)
{
	struct parts parts = {.forgotten_count = 0};
	struct buffer text = buffer_make(NULL);
	int r = file_read(path, 1 << 20, &text);
	if (r == 0 && !read_parts(buffer_slice(&text), &parts))
		r = -ENOSPC;
	for (uint32_t code = 1; r == 0 && code < CODES; code++)
		if (known[code] && has_any(code, parts.forgotten, parts.forgotten_count) &&
		    !has_any(code, parts.kept, parts.kept_count))
			known[code] = 0;
	buffer_free(&text);
	return r;
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
	if (argc != 5) {
		fprintf(stderr, "usage: sqli-fingerprints ATTACKS.grammar UNLIKELY.txt BENIGN.txt OUTPUT.h\n");
		return 2;
	}
	struct grammar *grammar = grammar_load(argv[1]);
	uint8_t *known = calloc(CODES, 1);
	if (grammar == NULL || known == NULL)
		return 1;
	learn_attacks(grammar, known);
	int r = forget_unlikely(argv[2], known) != 0 || forget_benign(argv[3], known) != 0 ||
		write_table(known, argv[4]) != 0;
	if (r != 0)
		fprintf(stderr, "sqli-fingerprints: cannot read %s, %s or write %s\n", argv[2], argv[3], argv[4]);
	grammar_free(grammar);
	free(known);
	return r;
}
