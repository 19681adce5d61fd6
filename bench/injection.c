/*
 * What @detectSQLi and @detectXSS cost: nanoseconds of CPU a value for ordinary values, a byte for long values made of
 * one repeated piece, at 10 KB and at 100 KB. Usage: injection-bench
 */
#include "match/sqli.h"
#include "match/xss.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *const values[] = {
	"hello",
	"en-US,en;q=0.9,pt;q=0.8",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
	"O'Brien said it's fine",
	"The committee opened the door and wrote a letter to all residents of the city.",
	"{\"name\":\"Ana\",\"age\":33,\"tags\":[\"a\",\"b\"]}",
	"1' or '1'='1",
};

static const char *const pieces[] = {"1+",
				     "'",
				     "'\"",
				     "1,",
				     "a=",
				     "a or ",
				     "/*",
				     "--x\n",
				     "#\n",
				     "$a$",
				     "{a ",
				     "(",
				     ")",
				     ";",
				     "a::",
				     "a.",
				     "``",
				     "\\'",
				     "not ",
				     "1 or 1=1 or ",
				     "<",
				     "<a ",
				     "</",
				     "<%",
				     "<!--",
				     "-",
				     "<a b='",
				     "<a/b/c",
				     "=x ",
				     "'\"`=",
				     "a=&#",
				     "href=java ",
				     "a.b.c.d.e.f.g.h.i.j.k.l.m.n=",
				     "\"'--x\n",
				     "or#\"'=",
				     "\"x'\"+\\",
				     "},*/|",
				     "in <onin \"",
				     "`mod",
				     "in-!---!\n-!-!~!~-!-!~-!",
				     "<|",
				     "</b< b"};

static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double cost_ns(struct slice value, bool xss, unsigned rounds)
{
	volatile unsigned found = 0;
	double start = now_ns();
	for (unsigned i = 0; i < rounds; i++)
		found = found + (xss ? xss_detect(value) : sqli_detect(value, NULL));
	return (now_ns() - start) / rounds;
}

static void measure_piece(const char *piece)
{
	static uint8_t bytes[100000];
	double cost[2][2];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)piece[i % strlen(piece)];
	for (int xss = 0; xss < 2; xss++) {
		cost[xss][0] = cost_ns(slice_make(bytes, 10000), xss, 100) / 10000;
		cost[xss][1] = cost_ns(slice_make(bytes, 100000), xss, 10) / 100000;
	}
	printf("%-16.*s sqli %6.2f %6.2f   xss %6.2f %6.2f ns/byte\n", (int)strcspn(piece, "\n"), piece, cost[0][0],
	       cost[0][1], cost[1][0], cost[1][1]);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct slice value = slice_from_string(values[i]);
		printf("%4zu bytes: sqli %7.1f   xss %7.1f ns   %.40s\n", value.len, cost_ns(value, false, 100000),
		       cost_ns(value, true, 100000), values[i]);
	}
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		measure_piece(pieces[i]);
	return 0;
}
