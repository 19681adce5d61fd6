#include "base/buffer.h"
#include "base/file.h"
#include "base/random.h"
#include "base/test.h"
#include "match/sqli.h"
#include "match/sqli_step.h"
#include "match/sqli_table.h"

/* \n, \t, \\ and \xHH in place. */
static struct slice unescape(struct slice s)
{
	uint8_t *out = malloc(s.len + 1);
	size_t len = 0;
	assert_non_null(out);
	for (size_t i = 0; i < s.len; i++) {
		uint8_t next = i + 1 < s.len ? s.ptr[i + 1] : 0;
		if (s.ptr[i] != '\\') {
			out[len++] = s.ptr[i];
		} else if (next == 'x' && i + 3 < s.len) {
			out[len++] = (uint8_t)(byte_hex_value(s.ptr[i + 2]) * 16 + byte_hex_value(s.ptr[i + 3]));
			i += 3;
		} else {
			out[len++] = next == 'n' ? '\n' : next == 't' ? '\t' : next;
			i++;
		}
	}
	struct slice fenced = test_fenced(slice_make(out, len));
	free(out);
	return fenced;
}

static void check_line(struct slice line)
{
	struct slice answer, expected = SLICE("");
	struct slice rest = slice_cut(line, ' ', &answer);
	bool yes = slice_equal(answer, SLICE("yes"));
	if (yes)
		rest = slice_cut(rest, ' ', &expected);
	struct sqli_fingerprint fingerprint = {.text = ""};
	bool found = sqli_detect(unescape(rest), &fingerprint);
	if (found != yes || !slice_equal(slice_from_string(fingerprint.text), expected))
		fail_msg("[%.*s]: got %d %s", SLICE_ARG(line), found, fingerprint.text);
	/* From memory, too: the second time, and with others found in between. */
	static struct sqli_memo memo;
	for (int i = 0; i < 2; i++) {
		struct sqli_fingerprint again = {.text = ""};
		assert_int_equal(sqli_detect_again(&memo, unescape(rest), &again), yes);
		assert_string_equal(again.text, fingerprint.text);
	}
}

static void cases_hold(void **state)
{
	(void)state;
	struct buffer text = buffer_make(NULL);
	assert_int_equal(file_read("tests/data/sqli.cases", 1 << 20, &text), 0);
	struct slice rest = buffer_slice(&text);
	unsigned count = 0;
	while (rest.len > 0) {
		struct slice line;
		rest = slice_cut(rest, '\n', &line);
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		check_line(line);
		count++;
	}
	buffer_free(&text);
	assert_true(count > 30);
}

/* Whether sqli_possible() says no; the detector without its early no must then say no as well. */
static bool sqli_never(struct slice value)
{
	bool tells = false;
	for (size_t i = 0; i < value.len; i++)
		tells |= sqli_byte_tells(value.ptr[i]);
	assert_true(tells || !sqli_possible(value));
	if (sqli_possible(value))
		return false;
	assert_true(slice_find_byte(value, '\'', 0) == value.len && slice_find_byte(value, '"', 0) == value.len);
	for (size_t i = 0; i < 2; i++) {
		struct sqli_folded folded;
		sqli_fold(value, 0, i == 0 ? SQLI_ANSI : SQLI_MYSQL, &folded);
		if (sqli_table_holds(value, &folded))
			fail_msg("[%.*s] is possible", SLICE_ARG(value));
	}
	return true;
}

static void folded_to(const char *text, uint8_t quote, enum sqli_dialect dialect, const char *expected)
{
	struct sqli_folded folded;
	sqli_fold(test_fenced(slice_from_string(text)), quote, dialect, &folded);
	assert_string_equal(sqli_fingerprint_of(&folded).text, expected);
}

static void tokens_fold(void **state)
{
	(void)state;
	folded_to("1 + 2 * 3", 0, SQLI_ANSI, "1");
	folded_to("((((a", 0, SQLI_ANSI, "n");
	folded_to("'a' 'b'", 0, SQLI_ANSI, "s");
	folded_to("a, b, c", 0, SQLI_ANSI, "n");
	folded_to("1 union all select", 0, SQLI_ANSI, "1UE");
	folded_to("a is not distinct from b", 0, SQLI_ANSI, "n");
	folded_to("x::int", 0, SQLI_ANSI, "n");
	folded_to("a in (1)", 0, SQLI_ANSI, "n");
	folded_to("user()", 0, SQLI_ANSI, "f()");
	folded_to("user(1)", 0, SQLI_ANSI, "n(1)");
	folded_to("a --b", 0, SQLI_ANSI, "nc");
	folded_to("a --b", 0, SQLI_MYSQL, "n");
	folded_to("a # b", 0, SQLI_MYSQL, "nc");
	folded_to("a' or 'b", '\'', SQLI_ANSI, "s&s");
	folded_to("a'' or b", '\'', SQLI_ANSI, "s");
	folded_to("a\\' or b", '\'', SQLI_ANSI, "s");
	folded_to("$tag$ 'x' $tag$ or", 0, SQLI_ANSI, "s&");
	folded_to("q'[it's]' or", 0, SQLI_ANSI, "s&");
	folded_to("{``.``.id}", 0, SQLI_ANSI, "X");
	folded_to("a ``", 0, SQLI_ANSI, "nn");
	folded_to("1 or 1 or `", 0, SQLI_ANSI, "1&c");
	folded_to("0x1F or \\N", 0, SQLI_ANSI, "1&1");
	folded_to("1fUNION", 0, SQLI_ANSI, "1U");
	/* A keyword is split from what follows only where both stand in the first 31 bytes. */
	folded_to("select.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0, SQLI_ANSI, "En");
	folded_to("1 or`aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`mod`1`", 0, SQLI_ANSI, "1&n");
	folded_to("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.select.a or", 0, SQLI_ANSI, "n&");
}

static void same_folded(struct slice value, uint8_t quote, enum sqli_dialect dialect, struct sqli_steps *steps)
{
	struct sqli_folded plain, by_steps;
	sqli_fold(value, quote, dialect, &plain);
	sqli_fold_by(steps, value, quote, dialect, &by_steps);
	bool same = plain.count == by_steps.count && plain.tokens_read == by_steps.tokens_read &&
		    plain.dialects_differ == by_steps.dialects_differ;
	for (size_t i = 0; same && i < plain.count; i++) {
		const struct sqli_token *a = &plain.tokens[i], *b = &by_steps.tokens[i];
		same = a->kind == b->kind && a->traits == b->traits && a->open == b->open && a->close == b->close &&
		       a->len == b->len && a->text == b->text;
	}
	if (!same)
		fail_msg("[%.*s] folds to %s, by steps to %s", SLICE_ARG(value), sqli_fingerprint_of(&plain).text,
			 sqli_fingerprint_of(&by_steps).text);
}

static unsigned steps_kept(const struct sqli_steps *steps)
{
	unsigned kept = 0;
	for (unsigned state = 0; state < steps->states; state++)
		for (unsigned class = 0; class < SQLI_CLASSES; class ++)
			kept += steps->step[state][class] != 0;
	return kept;
}

/* Steps kept of any readings serve all others: values of a few pieces, repeated. */
static void steps_change_nothing(void **state)
{
	(void)state;
	static const char *const pieces[] = {
		"%",    "\"",   "'",     "\\",  "+",         "-",           "--x\n",    "#\n",     "/**/",   "(",
		")",    "{",    "}",     "``",  "`mod`",     ",",           ";",        ".",       "::",     "int",
		"in(",  "like", "user(", "if(", "in",        "not ",        "is not",   " is ",    "or ",    "||",
		"!",    "~",    "<=>",   "=",   "1",         "1e",          "$",        "@",       "q'(x)'", "?",
		" as ", " by ", "a",     "aa",  "union all", "collate a_b", "collate ", "select ", "begin ", "N"};
	enum { PIECES = sizeof(pieces) / sizeof(pieces[0]), VALUES = 6000 };
	static const uint8_t quotes[] = {0, '\'', '"'};
	static struct sqli_steps steps;
	uint64_t random = 1;
	unsigned kept = 0, anew = 0;
	for (unsigned i = 0; i < VALUES; i++) {
		unsigned states = steps.states;
		char unit[128], text[1024];
		size_t prefix = (size_t)snprintf(text, sizeof(text), "%s ", pieces[random_next(&random) % PIECES]);
		unit[0] = '\0';
		for (uint64_t left = 1 + random_next(&random) % 7; left > 0; left--)
			strcat(unit, pieces[random_next(&random) % PIECES]);
		for (size_t at = prefix; at < sizeof(text); at++)
			text[at] = unit[(at - prefix) % strlen(unit)];
		struct slice value = slice_make((const uint8_t *)text, 200 + random_next(&random) % 800);
		same_folded(value, quotes[i % 3], i % 2 == 0 ? SQLI_ANSI : SQLI_MYSQL, &steps);
		anew += steps.states < states;
		kept += steps_kept(&steps) >= SQLI_STATES;
	}
	assert_true(anew > VALUES / 100 && kept > VALUES / 100);
}

/* Whatever the last byte is, nothing is read past it. */
static void nothing_is_read_past_the_end(void **state)
{
	(void)state;
	static const char *const starts[] = {"",    "1 ",  "'",   "a--", "/*",  "$a",  "$$", "q'(", "nq'",
					     "u&'", "x'0", "b'1", "0x",  "1.e", "@@`", "{",  "\\",  "1e+"};
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		for (unsigned byte = 0; byte < 256; byte++) {
			uint8_t text[16];
			size_t len = strlen(starts[i]);
			memcpy(text, starts[i], len);
			text[len] = (uint8_t)byte;
			struct slice fenced = test_fenced(slice_make(text, len + 1));
			struct sqli_fingerprint first = {.text = ""}, second = {.text = ""};
			bool found = sqli_detect(fenced, &first);
			assert_int_equal(found, sqli_detect(fenced, &second));
			assert_string_equal(first.text, second.text);
			munmap((void *)(uintptr_t)(fenced.ptr + fenced.len - 4096), 8192);
		}
	}
}

/* Every word of up to five letters of an alphabet that has each class, and every pair of bytes. */
static void impossible_is_never_found(void **state)
{
	(void)state;
	static const char alphabet[] = "1.-:,/ =+oOrfuU_x%<?";
	enum { LETTERS = sizeof(alphabet) - 1, LONGEST = 5 };
	unsigned impossible = 0;
	for (size_t len = 1; len <= LONGEST; len++) {
		size_t count = 1;
		for (size_t i = 0; i < len; i++)
			count *= LETTERS;
		for (size_t number = 0; number < count; number++) {
			uint8_t text[LONGEST];
			for (size_t i = 0, rest = number; i < len; i++, rest /= LETTERS)
				text[i] = (uint8_t)alphabet[rest % LETTERS];
			impossible += sqli_never(slice_make(text, len));
		}
	}
	for (unsigned pair = 0; pair < 65536; pair++) {
		uint8_t text[2] = {(uint8_t)(pair >> 8), (uint8_t)pair};
		impossible += sqli_never(slice_make(text, 2));
	}
	assert_true(impossible > 1000000);
}

/* Words of SQL with every mark between them, which may join or part them. */
static void no_word_is_overlooked(void **state)
{
	(void)state;
	static const char *const words[] = {
		"union", "select",          "or",   "1",    "x",  "1.",   "a.", "is", "not",
		"exec",  "user_lock.sleep", "\xe9", "drop", "in", "like", "as", "1e", "waitfor delay"};
	static const char marks[] = " .,:+-/=!<>?%^~\n\t";
	enum { WORDS = sizeof(words) / sizeof(words[0]), MARKS = sizeof(marks) };
	for (size_t i = 0; i < WORDS * WORDS * WORDS * MARKS * MARKS; i++) {
		char text[64];
		size_t rest = i / (MARKS * MARKS);
		snprintf(text, sizeof(text), "%s%.1s%s%.1s%s", words[rest % WORDS], marks + i % MARKS,
			 words[rest / WORDS % WORDS], marks + i / MARKS % MARKS, words[rest / WORDS / WORDS]);
		sqli_never(slice_from_string(text));
	}
}

TEST_MAIN(cmocka_unit_test(cases_hold), cmocka_unit_test(tokens_fold), cmocka_unit_test(steps_change_nothing),
	  cmocka_unit_test(nothing_is_read_past_the_end), cmocka_unit_test(impossible_is_never_found),
	  cmocka_unit_test(no_word_is_overlooked))
