/* The people who visit: browsers, languages and cookies that stay the same from request to request. Seeded. */
#ifndef BENCH_VISITOR_H
#define BENCH_VISITOR_H

#include "base/slice.h"

enum { VISITORS = 500, VISITOR_COOKIES = 10 };
enum { VISITOR_NUMBERS = 2 * VISITOR_COOKIES };

/* A browser's User-Agent as a printf format of up to three numbers, and its sec-ch-ua (NULL: it sends none). */
struct browser {
	const char *user_agent;
	const char *brands;
	const char *platform;
	const char *mobile;
	unsigned version;
};

struct visitor {
	const struct browser *browser;
	unsigned version;
	const char *languages;
	uint64_t numbers[VISITOR_NUMBERS]; /* what the cookies are made of */
};

/* Fills `visitors` with VISITORS people. */
void visitors_make(struct visitor *visitors, uint64_t *seed);

/* Another person, never seen before. */
void visitor_make(struct visitor *visitor, uint64_t *seed);

/* A cookie's value is a printf format of two numbers: of 64 bits, or below ten thousand millions. */
struct cookie_form {
	const char *name;
	const char *value;
	bool decimal;
};
extern const struct cookie_form visitor_cookies[VISITOR_COOKIES];

#endif
