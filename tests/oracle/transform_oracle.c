/*
 * Every transformation against libmodsecurity's: seeded random inputs, written in each transformation's own alphabet,
 * must come out byte for byte the same, except where as_agreed() says why not.
 *
 * libmodsecurity exports its C++ classes. A transformation is called as the C++ ABI has it: the result's place comes
 * first, `this` (which none of them reads) second. A std::string is a pointer, a length and 16 bytes of capacity or
 * content. Usage: transform_oracle [INPUTS_PER_TRANSFORMATION [SEED]]; prints TAP.
 */
#include "base/test_cases.h"
#include "codec/transform.h"
#include "codec/unicode_map.h"
#include "random.h"

#include <dlfcn.h>
#include <modsecurity/modsecurity.h>
#include <modsecurity/rules_set.h>
#include <modsecurity/transaction.h>

struct cxx_string {
	char *ptr;
	size_t len;
	union {
		size_t capacity;
		char local[16];
	};
};

typedef void *evaluate_function(struct cxx_string *result, void *self, const struct cxx_string *value,
				Transaction *transaction);

static const struct {
	enum transform transform;
	const char *class_name;
	const char *alphabet; /* pieces that inputs are made of, between spaces; "_" is a space */
} ORACLES[] = {
	{TRANSFORM_BASE64_DECODE, "Base64Decode", "A B z Z 9 0 + / = == dGVz dA== _ \n \r\n"},
	{TRANSFORM_BASE64_DECODE_EXT, "Base64DecodeExt", "A B z Z 9 0 + / = == dGVz dA== . ! _ \n"},
	{TRANSFORM_BASE64_ENCODE, "Base64Encode", "a \xff"},
	{TRANSFORM_CMD_LINE, "CmdLine", "\" ' \\ ^ , ; _ \t \r \n / ( A z \xc0"},
	{TRANSFORM_COMPRESS_WHITESPACE, "CompressWhitespace", "_ __ \t \v \f \r \n a \xa0 \x85"},
	{TRANSFORM_CSS_DECODE, "CssDecode", "\\ \\\\ 0 00 1 f ff a F 5 _ \n x \\ff1c \\00ff1 \\0"},
	{TRANSFORM_ESCAPE_SEQ_DECODE, "EscapeSeqDecode", "\\ \\x \\X 0 1 3 4 7 8 f n ? ' \" \\777 \\0"},
	{TRANSFORM_HEX_DECODE, "HexDecode", "0 1 9 a F g z _ \xff"},
	{TRANSFORM_HEX_ENCODE, "HexEncode", "a \xff"},
	{TRANSFORM_HTML_ENTITY_DECODE, "HtmlEntityDecode",
	 "& # &# &#x &#X x 0 00000000 6 0 c g ; lt gt amp quot nbsp &lt; &LT apos 9223372036854775807 "
	 "7fffffffffffffff"},
	{TRANSFORM_JS_DECODE, "JsDecode", "\\ \\u \\x 0 1 3 4 7 8 f F ff n \\uff1c \\400 \\0"},
	{TRANSFORM_LENGTH, "Length", "a"},
	{TRANSFORM_LOWERCASE, "LowerCase", "a A Z [ @ \xc0"},
	{TRANSFORM_MD5, "Md5", "a \xff"},
	{TRANSFORM_NONE, "None", "a A %41"},
	{TRANSFORM_NORMALISE_PATH, "NormalisePath", "/ // . .. ... /../ /./ a b.c \\ ./ a../"},
	{TRANSFORM_NORMALISE_PATH_WIN, "NormalisePathWin", "/ // . .. ... \\..\\ \\ \\\\ /./ /../ a b.c a..\\"},
	{TRANSFORM_PARITY_EVEN_7BIT, "ParityEven7bit", "a \xff"},
	{TRANSFORM_PARITY_ODD_7BIT, "ParityOdd7bit", "a \xff"},
	{TRANSFORM_PARITY_ZERO_7BIT, "ParityZero7bit", "a \xff"},
	{TRANSFORM_REMOVE_COMMENTS, "RemoveComments", "/* */ <!-- --> -- - # / * < ! a b"},
	{TRANSFORM_REMOVE_COMMENTS_CHAR, "RemoveCommentsChar", "/* */ <!-- --> -- - # / * < ! a b"},
	{TRANSFORM_REMOVE_NULLS, "RemoveNulls", "a b"},
	{TRANSFORM_REMOVE_WHITESPACE, "RemoveWhitespace", "_ \t \v \xa0 \xc2 \xc2\xa0 a"},
	{TRANSFORM_REPLACE_COMMENTS, "ReplaceComments", "/* */ / * /*/ a b"},
	{TRANSFORM_REPLACE_NULLS, "ReplaceNulls", "a b"},
	{TRANSFORM_SHA1, "Sha1", "a \xff"},
	{TRANSFORM_SQL_HEX_DECODE, "SqlHexDecode", "0 0x 0X x 4 41 g 00 0x41 _ ,"},
	{TRANSFORM_TRIM, "Trim", "_ \t \v \xa0 a"},
	{TRANSFORM_TRIM_LEFT, "TrimLeft", "_ \t \v \xa0 a"},
	{TRANSFORM_TRIM_RIGHT, "TrimRight", "_ \t \v \xa0 a"},
	{TRANSFORM_UPPERCASE, "UpperCase", "a A z { ` \xe0"},
	{TRANSFORM_URL_DECODE, "UrlDecode", "% + %2 %41 %zz 4 f F g %00 %u0041"},
	{TRANSFORM_URL_DECODE_UNI, "UrlDecodeUni", "% + %2 %41 %zz 4 f F g u U %u %U00 %uff1 %u0041 %uFFfe"},
	{TRANSFORM_URL_ENCODE, "UrlEncode", "a _ * - Z \xff"},
	{TRANSFORM_UTF8_TO_UNICODE, "Utf8ToUnicode",
	 "a \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xc0\xaf \xe0\x80 \xed\xa0\x80 \xf0\x8d\xa0 \x80 \xf5 \xf7 \xf8 "
	 "\xc3"},
};
enum { ORACLE_COUNT = sizeof(ORACLES) / sizeof(ORACLES[0]), INPUT_LIMIT = 300 };

_Static_assert((int)ORACLE_COUNT == (int)TRANSFORM_COUNT, "a row of transform_table.h has no oracle");

/* Mostly pieces, some bytes of any value, NULs among them; now and then none of the former. NUL-terminated. */
static size_t make_input(uint64_t *seed, const char *alphabet, char *input)
{
	size_t target = random_below(seed, random_below(seed, 8) == 0 ? INPUT_LIMIT : 24);
	size_t foreign = random_below(seed, 4) == 0 ? 2 : 16;
	size_t len = 0;
	while (len < target) {
		if (random_below(seed, foreign) == 0)
			input[len++] = (char)random_below(seed, 256);
		else
			len = random_piece(seed, alphabet, input, len, INPUT_LIMIT);
	}
	input[len] = '\0';
	return len;
}

/*
 * ModSecurity ends cssDecode's value at its first NUL, which hides whatever follows from every rule after it; we keep
 * all of it.
 */
static struct slice as_agreed(enum transform transform, struct slice ours)
{
	if (transform == TRANSFORM_CSS_DECODE)
		return slice_sub(ours, 0, slice_find_byte(ours, 0, 0));
	return ours;
}

static void show(const char *what, struct slice s)
{
	printf("#   %s ", what);
	for (size_t i = 0; i < s.len; i++)
		printf(s.ptr[i] > ' ' && s.ptr[i] < 0x7f && s.ptr[i] != '\\' ? "%c" : "\\x%02x", s.ptr[i]);
	printf("\n");
}

/* What both sides are given besides the value: nothing, or the same Unicode map in the form of each. */
struct surroundings {
	struct transform_context ours;
	Transaction *theirs;
};

static bool same_as_oracle(enum transform transform, evaluate_function *evaluate,
			   const struct surroundings *surroundings, struct slice in)
{
	static uint8_t out[INPUT_LIMIT * 4 + 64];
	size_t len = 0;
	struct slice ours = transform_apply(transform, &surroundings->ours, in, out, &len) ? slice_make(out, len) : in;

	struct cxx_string value = {(char *)(uintptr_t)in.ptr, in.len, {in.len}}, result;
	evaluate(&result, &value, &value, surroundings->theirs);
	struct slice theirs = slice_make(result.ptr, result.len);
	bool same = slice_equal(as_agreed(transform, ours), theirs);
	if (!same) {
		show("input ", in);
		show("ours  ", ours);
		show("theirs", theirs);
	}
	if (result.ptr != result.local)
		free(result.ptr);
	return same;
}

static evaluate_function *find_oracle(enum transform transform)
{
	size_t row = 0;
	while (ORACLES[row].transform != transform)
		row++;
	char symbol[256];
	snprintf(symbol, sizeof(symbol),
		 "_ZN11modsecurity7actions15transformations%zu%s8evaluateE"
		 "RKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEPNS_11TransactionE",
		 strlen(ORACLES[row].class_name), ORACLES[row].class_name);
	void *address = dlsym(RTLD_DEFAULT, symbol);
	evaluate_function *evaluate;
	memcpy(&evaluate, &address, sizeof(evaluate));
	return evaluate;
}

static bool report(bool passed, const char *what, size_t inputs)
{
	static unsigned number;
	printf("%s %u - %s equals the oracle's on %zu inputs\n", passed ? "ok" : "not ok", ++number, what, inputs);
	return passed;
}

static bool compare_row(size_t row, const struct surroundings *surroundings, size_t inputs, uint64_t seed)
{
	static char input[INPUT_LIMIT + 1];
	enum transform transform = ORACLES[row].transform;
	evaluate_function *evaluate = find_oracle(transform);
	size_t failures = evaluate == NULL;
	for (size_t i = 0; i < inputs && evaluate != NULL && failures < 3; i++) {
		size_t len = make_input(&seed, ORACLES[row].alphabet, input);
		failures += !same_as_oracle(transform, evaluate, surroundings, slice_make(input, len));
	}
	return report(failures == 0, transform_name(transform), inputs);
}

/* The inputs of the unit test's cases, so that what it expects is what the oracle does. */
static bool compare_cases(void)
{
	static const struct surroundings none;
	struct test_cases cases;
	struct test_case test;
	size_t count = 0, failures = 0;
	for (test_cases_open(&cases, "src/codec/transform_cases.txt"); test_cases_next(&cases, &test); count++) {
		enum transform transform;
		char input[INPUT_LIMIT + 1] = {0};
		if (transform_find(test.column[0], &transform) != 0 || test.column[1].len > INPUT_LIMIT)
			return report(false, "transform_cases.txt", count);
		if (test.column[1].len > 0)
			memcpy(input, test.column[1].ptr, test.column[1].len);
		failures += !same_as_oracle(transform, find_oracle(transform), &none,
					    slice_make(input, test.column[1].len));
	}
	test_cases_close(&cases);
	return report(failures == 0, "transform_cases.txt", count);
}

static const char UNICODE_MAP[] = "1250 (ANSI)\n0041:58\n\n20127 (US-ASCII)\n0041:5a 00e9:65 ff1c:3d ff1e:00 0000:20\n"
				  "\n1251 x\nfffe:41\n";

/* urlDecodeUni with a SecUnicodeMapFile. */
static bool compare_unicode_map(size_t inputs, uint64_t seed)
{
	char path[] = "/tmp/guia-unicode-map-XXXXXX", rules_text[128];
	static struct unicode_map map;
	struct diagnostics diagnostics;
	int fd = mkstemp(path);
	bool ready = fd >= 0 && write(fd, UNICODE_MAP, sizeof(UNICODE_MAP) - 1) == sizeof(UNICODE_MAP) - 1;
	diagnostics_init(&diagnostics);
	ready = unicode_map_parse(&map, slice_from_string(UNICODE_MAP), 20127, path, &diagnostics) == 0 && ready;
	diagnostics_destroy(&diagnostics);

	const char *error = NULL;
	ModSecurity *modsecurity = msc_init();
	RulesSet *rules = msc_create_rules_set();
	snprintf(rules_text, sizeof(rules_text), "SecUnicodeMapFile %s 20127", path);
	ready = msc_rules_add(rules, rules_text, &error) >= 0 && ready;
	struct surroundings surroundings = {{&map}, msc_new_transaction(modsecurity, rules, NULL)};
	size_t row = 0;
	while (ORACLES[row].transform != TRANSFORM_URL_DECODE_UNI)
		row++;
	bool passed = compare_row(row, &surroundings, ready ? inputs : 0, seed) && ready;
	msc_transaction_cleanup(surroundings.theirs);
	msc_rules_cleanup(rules);
	msc_cleanup(modsecurity);
	unlink(path);
	close(fd);
	return passed;
}

int main(int argc, char **argv)
{
	static const struct surroundings none;
	size_t inputs = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	bool passed = true;
	printf("1..%d\n# seed %llu\n", ORACLE_COUNT + 2, (unsigned long long)seed);
	for (size_t row = 0; row < ORACLE_COUNT; row++)
		passed = compare_row(row, &none, inputs, seed + row) && passed;
	passed = compare_cases() && passed;
	passed = compare_unicode_map(inputs, seed) && passed;
	return !passed;
}
