/*
 * What mutations are made of: seeded chance, the requests of the corpus and the values in them, and the ways attackers
 * write a value. The same seed gives the same request on every machine.
 */
#ifndef PARITY_DONORS_H
#define PARITY_DONORS_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/random.h"
#include "sample.h"

/* In [0, bound); bound > 0. */
size_t random_below(uint64_t *random, size_t bound);

struct donors {
	const struct sample *samples; /* the corpus, not owned */
	size_t sample_count;
	struct slice *values; /* decoded values of arguments and headers, whole bodies; those of ordinary length */
	size_t count;
	size_t capacity;
};

/* `samples` stays as long as the donors do. 0 or -ENOMEM. */
int donors_take(struct donors *donors, const struct sample *samples, size_t count, struct arena *arena);
void donors_free(struct donors *donors);

/* A value of another request, often disguised. */
struct slice donors_payload(const struct donors *donors, uint64_t *random, struct arena *arena);

/* How a value is written where: percent-encoded as a browser does, in quotes of JSON, as text of XML. */
typedef void encode_fn(struct slice in, struct buffer *out);
void encode_percent(struct slice in, struct buffer *out);
void encode_json(struct slice in, struct buffer *out);
void encode_xml(struct slice in, struct buffer *out);
void encode_nothing(struct slice in, struct buffer *out);

/* Bytes lost, doubled or changed, one in eight. */
void disguise_damage(struct slice in, uint64_t *random, struct buffer *out);

#endif
