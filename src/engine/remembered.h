/*
 * Which candidates values made, remembered by their exact bytes: browsers send the same headers, cookies and names
 * again and again. A table of fixed size per worker; values seen again stay, and a flood of new ones goes through the
 * places in between. Under a number of which nothing was found for long, one value in eight is looked for, and kept,
 * until one is found. Long ones are in remembered_long.h.
 */
#ifndef GUIA_ENGINE_REMEMBERED_H
#define GUIA_ENGINE_REMEMBERED_H

#include "base/hash.h"

enum {
	REMEMBERED_STEPS = 8,   /* of a value with more nothing is kept */
	REMEMBERED_BYTES = 992, /* a key of one part that is longer is a long value; one of two is not kept */
	REMEMBERED_NOTE = 64,   /* bytes of a note */
};

/* What is remembered: bytes, in two parts (a name and its value, or one of them empty), under a number. */
struct remembered_key {
	uint32_t number;
	struct slice first;
	struct slice second;
	uint64_t hash; /* this and the next are set by remembered_find() */
	bool untried;  /* it was not looked for, and is not to be kept */
};

struct remembered_answer {
	uint16_t name; /* index + 1 of the name, where rules select it; 0: they do not */
	uint16_t step_count;
	uint16_t steps[REMEMBERED_STEPS];
};

struct remembered;

/* 0 or -ENOMEM. */
int remembered_create(struct remembered **ret_remembered);
void remembered_free(struct remembered *remembered);

/* A number that no other part of the process remembers under. */
uint32_t remembered_new_number(void);

/* NULL if it is not known. */
const struct remembered_answer *remembered_find(struct remembered *remembered, struct remembered_key *key);

/* Keeps what was not found. */
void remembered_add(struct remembered *remembered, const struct remembered_key *key, uint16_t name,
		    const uint16_t *steps, size_t step_count);

/*
 * The same with a note in place of an answer: bytes that follow from the key, which has one part. Numbers of notes are
 * not used for answers. False if it is not known.
 */
bool remembered_find_note(struct remembered *remembered, struct remembered_key *key, struct slice *ret_note);
void remembered_add_note(struct remembered *remembered, const struct remembered_key *key, struct slice note);

#endif
