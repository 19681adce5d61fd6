/*
 * The inside of signature_search(): the items a conjunction is made of, each with a bit for every request that it holds
 * of. For search.c and those below alone.
 */
#ifndef GUIA_TRAFFIC_SEARCH_INSIDE_H
#define GUIA_TRAFFIC_SEARCH_INSIDE_H

#include "traffic/signature.h"

enum { ITEMS_MOST = 128 };

/* Samples side by side in one row of bits, each from a word of its own on. */
enum part {
	PART_ATTACK,
	PART_TRAIN, /* quiet requests that say what is known, ... */
	PART_PROOF, /* ... and those of other sources, that only judge: what one source sends is alike */
	PARTS,
};

struct item {
	struct signature_term term;
	bool tells; /* of the client; a crowd that follows one link does not share it by that */
	double coverage;
	double quiet; /* share of the half that trains, other sites' as they are */
	uint64_t *bits;
};

struct search {
	const struct signature_question *question;
	size_t words[PARTS];
	size_t at[PARTS]; /* first word */
	size_t row;       /* words in all */
	size_t count[PARTS];
	size_t regular_seen;       /* of the proof */
	uint32_t *requests[PARTS]; /* numbers in the question's samples; those elsewhere count on from the quiet ones */
	struct item items[ITEMS_MOST];
	size_t item_count;
	uint64_t *bits;             /* of all items, and of what is worked with */
	struct signature signature; /* in the making: known values and prefixes */
	/* Of the known values those that one source alone has in the half that trains: without it they were unknown. */
	struct signature_values lonely[SIGNATURE_FIELDS];
};

static inline bool is_elsewhere(const struct search *search, enum part part, size_t number)
{
	return part != PART_ATTACK && search->requests[part][number] >= search->question->quiet.count;
}

static inline const struct signature_request *part_request(const struct search *search, enum part part, size_t number)
{
	const struct signature_question *question = search->question;
	size_t at = search->requests[part][number];
	if (is_elsewhere(search, part, number))
		return &question->elsewhere.requests[at - question->quiet.count];
	return &(part == PART_ATTACK ? question->attack : question->quiet).requests[at];
}

static inline size_t bits_count(const uint64_t *bits, size_t words)
{
	size_t count = 0;
	for (size_t i = 0; i < words; i++)
		count += (size_t)__builtin_popcountll(bits[i]);
	return count;
}

/* ---- excess.c ---- */

enum {
	EXCESS_LEAST = 4,  /* requests, before a value or a network is the attack's ... */
	EXCESS_TIMES = 10, /* ... and so many times what is expected */
};

/* How much of the attack, beyond what is normal, so many of each part cover. */
double coverage_of(const struct search *search, size_t attack, size_t train);

/* Requests that are expected in the attack's sample for one in this part. */
double expected_of_one(const struct search *search, enum part part);
/* Whether so many are far more than are expected. */
bool is_excess(double attack, double expected);

/* ---- proof.c ---- */

/* By what a conjunction tells attackers from people; one that has none of it may be a crowd's. */
enum ground {
	GROUND_NONE,
	GROUND_PREFIXES,
	GROUND_TELL,
};

/*
 * Whether a signature of these bits may be. Prefixes alone do for machines that ask for one thing and are nobody's
 * address that came before: people may share one.
 */
int proof_holds(const struct search *search, const uint64_t *bits, enum ground ground, bool *ret_holds,
		double *ret_collateral);

/* ---- known.c ---- */

/* A value, and whose request has it. */
struct owned_value {
	uint64_t value;
	struct address source;
};

/* Those of a part, sorted by value and source; owned. NULL: no memory. */
struct owned_value *owned_values(const struct search *search, enum part part, enum signature_field field);

/* Fills in what of a field is known on quiet days. 0 or -ENOMEM. */
int known_learn(struct search *search, enum signature_field field);

/*
 * Once a signature is proved: what those knew that only judged is known too, so that it hits fewer visitors than was
 * proved; save what is the attack's. 0 or -ENOMEM.
 */
int known_complete(struct search *search);

/* ---- items.c ---- */

/* Fills in items, the best first, and what they need of the signature. 0 or -ENOMEM. */
int items_find(struct search *search);

#endif
