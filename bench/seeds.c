/* Fragments come first, then pumps of each pattern; strings are drawn from all of these; then all is shuffled. */
#include "seeds.h"

#include "pump.h"
#include "random.h"

#include "base/buffer.h"
#include "base/vector.h"

#include <stdlib.h>

enum { STRUNG = 1500 };

static void add_seed(struct seeds *s, struct slice prefix, struct slice unit, long rule_id)
{
	if (unit.len == 0)
		return;
	if (vector_grow((void **)&s->items, &s->capacity, s->count, sizeof(*s->items)) != 0)
		abort();
	s->items[s->count++] =
		(struct candidate){.prefix = prefix, .unit = slice_sub(unit, 0, UNIT_MAX), .rule_id = rule_id};
}

struct pump_context {
	struct seeds *seeds;
	long rule_id;
};

static void on_pump(void *context, struct pump pump)
{
	struct pump_context *c = context;
	add_seed(c->seeds, pump.prefix, pump.unit, c->rule_id);
}

static const char *const fragments[] = {
	"$$$$$${",
	"select from where union having ",
	"system(exec(eval(",
	"&#x41;",
	"&#65",
	"&amp;lt;",
	"&lt",
	"%25",
	"%u0041",
	"%41",
	"%",
	"\\u0041",
	"\\x41",
	"\\101",
	"\\",
	"/*",
	"*/",
	"/**/",
	"/*!",
	"/*a*/",
	"-- \n",
	"--",
	"#\n",
	"../",
	"..\\",
	"./",
	"/",
	"//",
	"'",
	"\"",
	"`",
	"'\"",
	"''",
	"<",
	"<a ",
	"<script ",
	"<!--",
	"<![CDATA[",
	"<?",
	"</",
	"<a b='",
	" onx=",
	"on=",
	"javascript:",
	"=",
	"=x ",
	"style=",
	"expression(",
	"1 or ",
	"1 or 1=1 or ",
	"1,",
	"(",
	")",
	"()",
	"{",
	"}",
	"[",
	"]",
	"{{",
	"a=",
	"a.",
	"a:",
	";",
	";a",
	"|",
	"||",
	"&",
	"&&",
	"\n",
	"\r\n",
	" ",
	"\t",
	"\xff",
	"\xc0\xaf",
	"\xef\xbc\x9c",
	"\xe4\xb8\xad",
	"\xbc",
	"A",
	"a",
	"aA1",
	"a ",
	"a, ",
	"0",
	"0x",
	"1e1",
	"1.",
	"+",
	"-",
	"~",
	"!",
	"@",
	"@@",
	"^",
	"*",
	"?",
	":",
	"::",
	"_",
	"$",
	"$(",
	"${",
	"${jndi:",
	"=$(",
	"$a",
	"char(",
	"concat(",
	"select ",
	"union all ",
	"and ",
	"not ",
	"sleep(",
	"a'b",
	"'a'",
	"u&'",
	"{\"a\":",
	"[",
	"\"a\",",
	"1;",
	"a&",
	"a=1&",
	"x[",
	"x[]=1&",
	"; a=1",
	"\r\nSet-Cookie: ",
	"http://",
	"file://",
	"base64,QUJD",
	"QUJD",
	"O:1:\"a\":1:{",
	"cmd.exe /c ",
	"/etc/passwd",
	"cat ",
	"wget ",
	"<% ",
	"#{",
	"__proto__",
	"constructor",
	"\\\n",
	"%0d%0a",
};
enum { FRAGMENTS = sizeof(fragments) / sizeof(fragments[0]) };

struct slice seeds_draw(struct seeds *s)
{
	size_t which = random_below(&s->random, 3);
	if (which > 0 && s->count > 0)
		return s->items[random_below(&s->random, s->count)].unit;
	if (which == 0 && s->patterns.count > 0) {
		const struct pattern *p = &s->patterns.items[random_below(&s->random, s->patterns.count)];
		if (p->phrase)
			return p->text;
	}
	return slice_from_string(fragments[random_below(&s->random, FRAGMENTS)]);
}

/* Several pieces in a row, at times with something between them. */
static struct slice string_together(struct seeds *s)
{
	static const char *const glues[] = {"", "", " ", "(", ";", "'", ",", "=", "\n", "/**/"};
	struct buffer out = buffer_make(&s->texts);
	size_t pieces = 2 + random_below(&s->random, 8);
	const char *glue = glues[random_below(&s->random, sizeof(glues) / sizeof(glues[0]))];
	for (size_t i = 0; i < pieces; i++) {
		buffer_add(&out, seeds_draw(s));
		buffer_text(&out, glue);
	}
	return buffer_slice(&out);
}

static void shuffle(struct seeds *s)
{
	for (size_t i = s->count; i > 1; i--) {
		size_t other = random_below(&s->random, i);
		struct candidate c = s->items[other];
		s->items[other] = s->items[i - 1];
		s->items[i - 1] = c;
	}
}

static void collect(struct seeds *s)
{
	for (size_t i = 0; i < FRAGMENTS; i++)
		add_seed(s, SLICE(""), slice_from_string(fragments[i]), 0);
	for (size_t i = 0; i < s->patterns.count; i++) {
		const struct pattern *p = &s->patterns.items[i];
		struct pump_context context = {s, p->rule_id};
		if (!p->phrase)
			pump_pattern(p->text, &s->texts, &s->random, on_pump, &context);
	}
	for (size_t i = 0; i < STRUNG; i++)
		add_seed(s, SLICE(""), string_together(s), 0);
	shuffle(s);
}

int seeds_load(struct seeds *s, const char *folder, uint64_t random)
{
	*s = (struct seeds){.random = random};
	arena_init(&s->texts, SIZE_MAX, 0);
	int r = patterns_load(&s->patterns, folder);
	if (r == 0)
		collect(s);
	return r;
}

void seeds_free(struct seeds *s)
{
	patterns_free(&s->patterns);
	arena_destroy(&s->texts);
	free(s->items);
}
