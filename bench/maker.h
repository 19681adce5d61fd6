/* What rows of requests are written with: text, phrases, headers of a browser. */
#ifndef BENCH_MAKER_H
#define BENCH_MAKER_H

#include "passage.h"
#include "request.h"
#include "visitor.h"

enum { PHOTO_BYTES = 1 << 20, PHOTOS = 8 };

struct request_maker {
	struct passages passages;
	uint64_t seed;
	unsigned serial; /* of the request; in no two of a run the same */
	unsigned stamp;  /* of the newest fresh number */
	bool fresh, fresh_attack;
	struct arena *arena;
	const struct visitor *visitor; /* who makes this request */
	struct visitor stranger;
	struct visitor visitors[VISITORS];
	uint8_t (*photos)[PHOTO_BYTES]; /* PHOTOS of them */
};

/* printf into the arena. */
struct slice made(struct request_maker *maker, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A number below `limit`, small ones more often: visits are never evenly spread. When fresh: never the same twice. */
unsigned made_number(struct request_maker *maker, unsigned limit);

/* A number that never was one before. */
unsigned made_stamp(struct request_maker *maker);

/* The name of an argument or a field: as it is, or when fresh with a mark. */
struct slice made_name(struct request_maker *maker, const char *name);

/* A few words out of a passage, without punctuation, up to `limit_bytes`. */
struct slice made_phrase(struct request_maker *maker, size_t limit_bytes);

/* One passage of a language, whole; when fresh it bears a number. */
struct slice made_passage(struct request_maker *maker, size_t language);

void sample_add_header(struct sample *sample, struct slice name, struct slice value);

/* What every request has: Host, User-Agent, Accept and its like: 7 headers. */
void made_basic_headers(struct request_maker *maker, struct sample *sample);

/* All that a current browser sends when a link is followed: 20 headers, with 10 cookies. */
void made_browser_headers(struct request_maker *maker, struct sample *sample);

/* The answer's line and headers. */
void made_response(struct request_maker *maker, struct sample *sample, const char *type, struct slice body);

/* As application/x-www-form-urlencoded does it. */
void add_form_encoded(struct buffer *out, struct slice s);

#endif
