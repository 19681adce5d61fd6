/*
 * @detectSQLi and @detectXSS against libmodsecurity's: sentences of grammars that the fingerprint table was not made
 * of, dressed as scanners dress them, and texts in good faith. Agreement is counted apart for what the oracle flags and
 * for what it does not; the most frequent disagreements are printed. docs/parity-injection.md tells of them. Usage:
 * injection_oracle [DRAWS_PER_CORPUS [SEED]]; prints TAP.
 */
#include "match/sqli.h"
#include "match/sqli_fold.h"
#include "match/sqli_step.h"
#include "match/xss.h"
#include "tests/oracle/injection_corpus.h"

#include <stdio.h>
#include <stdlib.h>

int libinjection_sqli(const char *text, size_t len, char fingerprint[]);
int libinjection_xss(const char *text, size_t len);
void libinjection_sqli_init(void *state, const char *text, size_t len, int flags);
const char *libinjection_sqli_fingerprint(void *state, int flags);

enum { SEEN_BITS = 24, CLASSES_MAX = 20000, SHOWN = 12, LONG_VALUE = 1000 };

struct class
{
	char fingerprint[16];
	unsigned count;
	bool missed;
	char example[80];
};

struct tally {
	unsigned flagged, flagged_agreed, clear, clear_agreed;
	struct class classes[CLASSES_MAX];
	unsigned class_count;
};

static uint8_t seen[1 << (SEEN_BITS - 3)];
static unsigned test_number, failures;

static void report(bool ok, const char *title)
{
	failures += !ok;
	printf("%s %u - %s\n", ok ? "ok" : "not ok", ++test_number, title);
}

/* Whether the value is new, by a digest: a few new ones lost do no harm. */
static bool is_new(const struct value *value)
{
	uint64_t digest = 0xcbf29ce484222325ULL;
	for (size_t i = 0; i < value->len; i++)
		digest = (digest ^ value->bytes[i]) * 0x100000001b3ULL;
	digest = (digest ^ digest >> 32) % (1U << SEEN_BITS);
	bool found = seen[digest / 8] >> digest % 8 & 1;
	seen[digest / 8] = (uint8_t)(seen[digest / 8] | 1U << digest % 8);
	return !found;
}

static void note(struct tally *tally, const char *fingerprint, bool missed, const struct value *value)
{
	struct class *class = tally->classes;
	while (class < tally->classes + tally->class_count &&
	       (class->missed != missed || strcmp(class->fingerprint, fingerprint) != 0))
		class ++;
	if (class == tally->classes + tally->class_count) {
		if (tally->class_count == CLASSES_MAX)
			return;
		tally->class_count++;
		snprintf(class->fingerprint, sizeof(class->fingerprint), "%s", fingerprint);
		class->missed = missed;
		snprintf(class->example, sizeof(class->example), "%.*s", (int)value->len, (const char *)value->bytes);
		for (char *c = class->example; *c != '\0'; c++)
			if ((uint8_t)*c < ' ')
				*c = ' ';
	}
	class->count++;
}

static void judge_sqli(void *context, const struct value *value)
{
	struct tally *tally = context;
	if (!is_new(value))
		return;
	char theirs[16] = "";
	struct sqli_fingerprint ours = {.text = ""};
	bool flagged = libinjection_sqli((const char *)value->bytes, value->len, theirs) != 0;
	bool found = sqli_detect(slice_make(value->bytes, value->len), &ours);
	*(flagged ? &tally->flagged : &tally->clear) += 1;
	*(flagged ? &tally->flagged_agreed : &tally->clear_agreed) += found == flagged;
	if (found != flagged)
		note(tally, flagged ? theirs : ours.text, flagged, value);
}

static void judge_xss(void *context, const struct value *value)
{
	struct tally *tally = context;
	if (!is_new(value))
		return;
	bool flagged = libinjection_xss((const char *)value->bytes, value->len) != 0;
	bool found = xss_detect(slice_make(value->bytes, value->len));
	*(flagged ? &tally->flagged : &tally->clear) += 1;
	*(flagged ? &tally->flagged_agreed : &tally->clear_agreed) += found == flagged;
	if (found != flagged)
		note(tally, "", flagged, value);
}

static int by_count(const void *a, const void *b)
{
	const struct class *first = a, *second = b;
	return (int)second->count - (int)first->count;
}

static double share(unsigned part, unsigned whole)
{
	return whole == 0 ? 100 : 100.0 * part / whole;
}

/* At least 80,000 of each, or in proportion for a shorter run. */
static void settle(const char *title, struct tally *tally, double flagged_least, double clear_least, unsigned least)
{
	double flagged = share(tally->flagged_agreed, tally->flagged), clear = share(tally->clear_agreed, tally->clear);
	printf("# %s: flagged %u, %.3f %% agreed; not flagged %u, %.3f %% agreed\n", title, tally->flagged, flagged,
	       tally->clear, clear);
	qsort(tally->classes, tally->class_count, sizeof(tally->classes[0]), by_count);
	for (unsigned i = 0; i < tally->class_count && i < SHOWN; i++)
		printf("#   %s %5u %-6s %s\n", tally->classes[i].missed ? "missed" : "extra ", tally->classes[i].count,
		       tally->classes[i].fingerprint, tally->classes[i].example);
	report(flagged >= flagged_least && clear >= clear_least && tally->flagged >= least && tally->clear >= least,
	       title);
}

static const struct {
	int flags;
	uint8_t quote;
	enum sqli_dialect dialect;
} readings[] = {
	{9, 0, SQLI_ANSI}, {17, 0, SQLI_MYSQL}, {10, '\'', SQLI_ANSI}, {18, '\'', SQLI_MYSQL}, {20, '"', SQLI_MYSQL}};
enum { READINGS = sizeof(readings) / sizeof(readings[0]) };

/* How many fingerprints of a value are the same; those that are not are shown while they are few. */
static unsigned equal_readings(const struct value *value, struct sqli_steps *steps, unsigned *ret_differ)
{
	static uint64_t state[1024];
	unsigned equal = 0;
	for (size_t k = 0; k < READINGS; k++) {
		struct sqli_folded folded;
		libinjection_sqli_init(state, (const char *)value->bytes, value->len, 0);
		const char *theirs = libinjection_sqli_fingerprint(state, readings[k].flags);
		sqli_fold_by(steps, slice_make(value->bytes, value->len), readings[k].quote, readings[k].dialect,
			     &folded);
		struct sqli_fingerprint ours = sqli_fingerprint_of(&folded);
		bool same = strcmp(ours.text, theirs) == 0;
		equal += same;
		if (!same && ++*ret_differ <= SHOWN)
			printf("#   %s for %s: %.*s\n", ours.text, theirs, (int)value->len, (const char *)value->bytes);
	}
	return equal;
}

/* Random words of every kind, in every context and dialect: the fingerprints themselves must be the same. */
static void compare_folding(unsigned draws, uint64_t seed)
{
	struct grammar *grammar = grammar_load("tests/data/injection/tokens.grammar");
	struct grammar_random random = {.state = seed};
	unsigned asked = 0, equal = 0, differ = 0;
	for (unsigned i = 0; grammar != NULL && i < draws; i++) {
		struct slice words[GRAMMAR_WORDS_MAX];
		struct value value;
		corpus_join(words, grammar_draw(grammar, "tokens", &random, words), &value);
		asked += READINGS;
		equal += equal_readings(&value, NULL, &differ);
	}
	grammar_free(grammar);
	printf("# folding: %u asked, %.4f %% equal\n", asked, share(equal, asked));
	report(asked > 0 && share(equal, asked) > 99.9, "fingerprints of random tokens are equal in every reading");
}

/* The same of long values, words behind which others are repeated, by steps that all of them share. */
static void compare_repeated(unsigned draws, uint64_t seed)
{
	static struct sqli_steps steps;
	struct grammar *grammar = grammar_load("tests/data/injection/tokens.grammar");
	struct grammar_random random = {.state = seed};
	unsigned asked = 0, equal = 0, differ = 0;
	for (unsigned i = 0; grammar != NULL && i < draws; i++) {
		struct slice words[GRAMMAR_WORDS_MAX];
		struct value value, unit;
		corpus_join(words, grammar_draw(grammar, "tokens", &random, words), &value);
		corpus_join(words, grammar_draw(grammar, "tokens", &random, words), &unit);
		for (size_t at = 0; unit.len > 0 && value.len < LONG_VALUE; at++)
			value.bytes[value.len++] = unit.bytes[at % unit.len];
		asked += READINGS;
		equal += equal_readings(&value, &steps, &differ);
	}
	grammar_free(grammar);
	printf("# folding of long values: %u asked, %.4f %% equal\n", asked, share(equal, asked));
	report(asked > 0 && share(equal, asked) > 99.9, "fingerprints of long values are equal in every reading");
}

#define DATA "tests/data/injection/"

static const struct corpus texts = {DATA "benign.grammar", "text", false, false};
static const struct corpus payloads[] = {
	{DATA "sqli.grammar", "payload", true, false},
	{DATA "scanner.grammar", "payload", true, false},
	{DATA "bypass.grammar", "payload", true, false},
	{DATA "statements.grammar", "statement", false, false},
};
static const struct corpus random_ones[] = {
	{DATA "random.grammar", "value", false, false},
	{DATA "random.grammar", "value", true, true},
	{DATA "tokens.grammar", "tokens", false, false},
};
static const char *const folders[] = {"/usr/share/doc", "/usr/share/perl", "/usr/lib/python3", "/usr/include"};

static void compare_sqli(unsigned draws, uint64_t seed)
{
	static struct tally whole, damaged, random, lines;
	for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++)
		corpus_draw(&payloads[i], draws / 2, seed + i, judge_sqli, &whole);
	corpus_draw(&texts, draws * 3, seed, judge_sqli, &whole);
	settle("SQL injections, statements and texts", &whole, 99, 99.5, draws / 2);
	for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
		struct corpus corpus = payloads[i];
		corpus.damaged = true;
		corpus_draw(&corpus, draws / 2, seed + i, judge_sqli, &damaged);
	}
	settle("the same, damaged", &damaged, 99, 99.5, draws / 2);
	for (size_t i = 0; i < sizeof(random_ones) / sizeof(random_ones[0]); i++)
		corpus_draw(&random_ones[i], draws, seed + i, judge_sqli, &random);
	settle("random expressions and random words", &random, 99, 99.5, draws / 2);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		corpus_read(folders[i], draws / 2, seed, judge_sqli, &lines);
	settle("lines of documentation and program text", &lines, 97, 99.5, 0);
}

static void compare_xss(unsigned draws, uint64_t seed)
{
	static struct tally xss;
	struct corpus pages = {DATA "xss.grammar", "payload", true, false};
	memset(seen, 0, sizeof(seen));
	corpus_draw(&pages, draws * 3, seed, judge_xss, &xss);
	pages.damaged = true;
	corpus_draw(&pages, draws * 3, seed, judge_xss, &xss);
	corpus_draw(&texts, draws * 2, seed, judge_xss, &xss);
	settle("script injections, markup and texts", &xss, 99.9, 99.9, draws / 2);
}

int main(int argc, char **argv)
{
	unsigned draws = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 160000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 13;
	printf("1..7\n");
	setvbuf(stdout, NULL, _IOLBF, 0);
	compare_folding(draws, seed);
	compare_repeated(draws / 8, seed);
	compare_sqli(draws, seed);
	compare_xss(draws, seed);
	return failures > 0;
}
