/* Rules as they are written at random, for those who write them: generate_rules.c, generate_special.c. */
#ifndef GUIA_COLLIDE_GENERATE_WRITER_H
#define GUIA_COLLIDE_GENERATE_WRITER_H

#include "base/buffer.h"
#include "random.h"

/* What a rule set has more of than chance would give it. */
enum bent {
	BENT_NOWHERE,
	BENT_ECHO,    /* rules that set variables by one value, and tell of them */
	BENT_STORED,  /* collections that outlive the request */
	BENT_MATCHED, /* rules that surely match, and readers of MATCHED_VARS */
	BENT_MANY,    /* rules that look at the members of few collections */
	BENTS
};

/* What is being written. */
struct writer {
	uint64_t *state;
	struct buffer *out;
	unsigned id;    /* of the next rule */
	unsigned rules; /* there will be */
	enum bent bent;
};

typedef void write_fn(struct writer *w);

/* What to write next, of what the rule set is bent on; NULL: anything. */
write_fn *generate_special(struct writer *w);

/* Of generate_rules.c. */
write_fn write_operator, write_transforms;

#define PICK(w, table) RANDOM_OF((w)->state, table)

static inline void text(struct writer *w, const char *s)
{
	buffer_text(w->out, s);
}

static inline unsigned below(struct writer *w, unsigned limit)
{
	return random_below(w->state, limit);
}

static inline bool once(struct writer *w, unsigned in)
{
	return random_once(w->state, in);
}

#endif
