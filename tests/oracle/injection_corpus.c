/* What our detectors of injections and libmodsecurity's are asked: sentences dressed or damaged, lines of files. */
#include "tests/oracle/injection_corpus.h"

#include "base/buffer.h"
#include "base/file.h"

#include <ftw.h>
#include <stdlib.h>

void corpus_join(const struct slice *words, size_t count, struct value *ret)
{
	bool glue = true;
	ret->len = 0;
	for (size_t i = 0; i < count; i++) {
		bool is_glue = words[i].len == 1 && words[i].ptr[0] == '~';
		if (!is_glue && ret->len + words[i].len + 1 < VALUE_MAX) {
			if (!glue)
				ret->bytes[ret->len++] = ' ';
			memcpy(ret->bytes + ret->len, words[i].ptr, words[i].len);
			ret->len += words[i].len;
		}
		glue = is_glue;
	}
}

static void replace(struct value *value, const char *what, const char *by)
{
	struct value out = {.len = 0};
	size_t what_len = strlen(what), by_len = strlen(by);
	for (size_t i = 0; i < value->len && out.len + by_len < VALUE_MAX;) {
		struct slice rest = slice_make(value->bytes + i, value->len - i);
		if (slice_starts_with_nocase(rest, slice_from_string(what))) {
			memcpy(out.bytes + out.len, by, by_len);
			out.len += by_len;
			i += what_len;
		} else {
			out.bytes[out.len++] = value->bytes[i++];
		}
	}
	*value = out;
}

static void mix_case(struct value *value, struct grammar_random *random)
{
	for (size_t i = 0; i < value->len; i++)
		if (byte_is_alpha(value->bytes[i]) && grammar_random_below(random, 2) == 0)
			value->bytes[i] ^= 0x20;
}

/* What scanners' tampering does to a payload: letters' case, other white space, other spellings. Half stay as they are.
 */
void corpus_dress(struct value *value, struct grammar_random *random)
{
	static const char *const spaces[] = {"/**/", "\t",  "\n",    "  ",   "/*x*/", "\f",      "%20",
					     "+",    "%0a", "--x\n", "#x\n", "\xa0",  "/**_**/", "--\n"};
	static const struct {
		const char *what, *by;
	} spellings[] = {
		{"'", "\""},       {"'", "%27"},     {"'", "\xef\xbc\x87"},        {"=", " LIKE "},
		{" and ", " && "}, {" or ", " || "}, {"union", "/*!50000union*/"}, {"union all select", "union select"},
		{" = ", "="},
	};
	size_t which = grammar_random_below(random, 10);
	if (which < 2) {
		mix_case(value, random);
	} else if (which == 2) {
		replace(value, " ", spaces[grammar_random_below(random, sizeof(spaces) / sizeof(spaces[0]))]);
	} else if (which < 5) {
		size_t row = grammar_random_below(random, sizeof(spellings) / sizeof(spellings[0]));
		replace(value, spellings[row].what, spellings[row].by);
	}
}

/* One to three bytes put in, taken out, changed or swapped, or a cut at either end or a piece said twice. */
void corpus_damage(struct value *value, struct grammar_random *random)
{
	static const char bytes[] = "' \"();,-#/*=1a<>`&@.\\%+|!:{}[]~^?_$0x\n";
	for (size_t left = 1 + grammar_random_below(random, 3); left > 0 && value->len > 3; left--) {
		uint8_t *b = value->bytes;
		size_t len = value->len, at = grammar_random_below(random, len);
		size_t piece = 1 + grammar_random_below(random, len - at < 6 ? len - at : 6);
		uint8_t byte = (uint8_t)bytes[grammar_random_below(random, sizeof(bytes) - 1)];
		switch (grammar_random_below(random, 7)) {
		case 0:
			value->len = at > 0 ? at : 1;
			break;
		case 1:
			at %= 8;
			memmove(b, b + at, len - at);
			value->len -= at;
			break;
		case 2:
			if (len + 1 >= VALUE_MAX)
				break;
			memmove(b + at + 1, b + at, len - at);
			b[at] = byte;
			value->len++;
			break;
		case 3:
			memmove(b + at, b + at + 1, len - at - 1);
			value->len--;
			break;
		case 4:
			b[at] = byte;
			break;
		case 5:
			if (len + piece >= VALUE_MAX)
				break;
			memmove(b + at + piece, b + at, len - at);
			value->len += piece;
			break;
		default:
			if (at + 1 < len) {
				byte = b[at];
				b[at] = b[at + 1];
				b[at + 1] = byte;
			}
			break;
		}
	}
}

void corpus_draw(const struct corpus *corpus, unsigned draws, uint64_t seed, corpus_visit *visit, void *context)
{
	struct grammar *grammar = grammar_load(corpus->path);
	struct grammar_random random = {.state = seed};
	if (grammar == NULL)
		exit(1);
	for (unsigned i = 0; i < draws; i++) {
		struct slice words[GRAMMAR_WORDS_MAX];
		struct value value;
		corpus_join(words, grammar_draw(grammar, corpus->rule, &random, words), &value);
		if (corpus->dressed)
			corpus_dress(&value, &random);
		if (corpus->damaged)
			corpus_damage(&value, &random);
		visit(context, &value);
	}
	grammar_free(grammar);
}

/* nftw() takes no context. */
static struct {
	corpus_visit *visit;
	void *context;
	struct grammar_random random;
	unsigned left;
} files;

/* The line, or a few of its words. */
static void visit_line(struct slice line)
{
	struct value value = {.len = line.len};
	size_t from = 0, to = line.len;
	if (grammar_random_below(&files.random, 2) == 0) {
		from = grammar_random_below(&files.random, line.len);
		from = slice_find_byte(line, ' ', from) % line.len;
		to = from + 1 + grammar_random_below(&files.random, line.len - from);
		to = slice_find_byte(line, ' ', to < line.len ? to : line.len);
	}
	value.len = to - from;
	memcpy(value.bytes, line.ptr + from, value.len);
	files.visit(files.context, &value);
	files.left--;
}

static int visit_file(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	(void)where;
	if (kind != FTW_F || !S_ISREG(status->st_mode) || grammar_random_below(&files.random, 4) != 0)
		return 0;
	struct buffer text = buffer_make(NULL);
	if (file_read(path, 1 << 18, &text) == 0) {
		struct slice rest = buffer_slice(&text);
		while (rest.len > 0 && files.left > 0) {
			struct slice line;
			rest = slice_cut(rest, '\n', &line);
			line = slice_trim(line);
			if (line.len > 0 && line.len < VALUE_MAX && slice_find_byte(line, 0, 0) == line.len)
				visit_line(line);
		}
	}
	buffer_free(&text);
	return files.left == 0;
}

void corpus_read(const char *folder, unsigned lines, uint64_t seed, corpus_visit *visit, void *context)
{
	files.visit = visit;
	files.context = context;
	files.random.state = seed;
	files.left = lines;
	nftw(folder, visit_file, 16, FTW_PHYS);
}
