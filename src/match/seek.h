/*
 * A few words, sought in a long value at the speed of memory: 64 places are looked at in some twenty instructions.
 *
 * Of each word three to six bytes that are rare in text are its window. Eight buckets hold all words; two looks into
 * tables of 16 for each of six neighbouring bytes tell in which buckets a window may begin here ("Teddy", of
 * Hyperscan), and the words of these are compared. Where that is too often the search gives up: the tables are then no
 * filter for this text, and Hyperscan's are better.
 */
#ifndef GUIA_MATCH_SEEK_H
#define GUIA_MATCH_SEEK_H

#include "base/slice.h"

enum {
	SEEK_WORD_LEAST = 3, /* bytes of the shortest word */
	SEEK_WORDS_MAX = 128,
	SEEK_WINDOW = 6,
	SEEK_BUCKETS = 8,
	SEEK_HASHES = 1024,
};

struct seek_word {
	struct slice text; /* not owned; ASCII letters, lower case, stand for both cases */
	uint64_t window;   /* as it is in memory, under the mask, which takes letters for capital ones */
	uint64_t mask;     /* 0 behind a short one */
	uint64_t ways;     /* the caller's, as what follows */
	uint32_t mark;
	uint8_t offset; /* of the window in the text */
};

/* A word of a text of SEEK_WORD_LEAST bytes or more. */
struct seek_word seek_word_make(struct slice text, uint32_t mark, uint64_t ways);

/* The order, as of qsort(), in which words are to be added: neighbours have similar windows. */
int seek_word_order(const void *a, const void *b);

struct seeker {
	const struct seek_word *words[SEEK_WORDS_MAX];
	size_t count;
	size_t first[SEEK_BUCKETS + 1]; /* of each bucket's words */
	/* By window byte and half of a byte: the buckets in which some word has such a half there. */
	uint8_t low[SEEK_WINDOW][16];
	uint8_t high[SEEK_WINDOW][16];
	/* A bit for the hash of each window's first four bytes, and of each that has three. */
	uint64_t windows[SEEK_HASHES / 64];
	uint64_t short_windows[SEEK_HASHES / 64];
};

/* Whether this machine can; where not, nothing below may be called. */
bool seek_is_possible(void);

/* `words`: those added to seeker->words, seeker->count of them, in their order. */
void seeker_make(struct seeker *seeker);

/* A word was found at a place; anything but false ends the search. */
typedef bool seek_hit(void *context, const struct seek_word *word, size_t at);

/* False: it gave up, and there may be more than was told. Places come in about ascending order, all of them. */
bool seeker_run(const struct seeker *seeker, struct slice value, seek_hit *hit, void *context);

#endif
